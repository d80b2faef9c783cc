//! The report as one HTML file: no script, no font, no picture from anywhere. Every text goes through
//! maud's escaping; the charts are SVG of our own making, whose texts the plotting library escapes.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Chart, charts, numbered};
use super::figures::{Unit, figure, known};
use super::goals::Kept;
use super::model::{MarkKind, Report};
use super::sections::{Block, Section, TILES, completeness_words, moment, sections};
use super::summary::Measure;
use crate::event::text::{printable, shortened};
use crate::event::time;

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded and nothing runs, whatever got into the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Characters of a cell; a user agent can be thousands.
const LONGEST_CELL: usize = 160;

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let title = format!("{} · report", printable(&report.event.name));
    let charts = charts(report);
    let sections = sections(report);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#verdict" { "Skip to the verdict" }
                (head(report))
                main {
                    (verdict(report))
                    (tiles(report))
                    (contents(&sections, !charts.is_empty()))
                    @if !charts.is_empty() { (pictures(report, &charts)) }
                    @for section in &sections { (part(section)) }
                }
                (foot(report))
            }
        }
    };
    markup.into_string()
}

fn head(report: &Report) -> Markup {
    let event = &report.event;
    let day = event.kickoff.to_zoned(event.zone.clone());
    let clock = |at: jiff::Timestamp| {
        at.to_zoned(event.zone.clone())
            .strftime("%H:%M")
            .to_string()
    };
    html! {
        header {
            p.kicker {
                "Event report"
                @if event.target != "live" { " · " strong { (event.target.to_uppercase()) } }
            }
            h1 { (printable(&event.name)) }
            p.when {
                (day.strftime("%A, %-d %B %Y").to_string())
                " · doors " (clock(event.doors))
                " · " (printable(&event.kickoff_label)) " " (clock(event.kickoff))
                " · end " (clock(event.ends))
                " · " (time::zone_name(&event.zone))
            }
        }
    }
}

fn verdict(report: &Report) -> Markup {
    let kept = report.verdict.kept;
    let missed: Vec<_> = report
        .verdict
        .goals
        .iter()
        .filter(|goal| goal.kept != Kept::Met)
        .collect();
    html! {
        section #verdict class=(class(kept)) {
            h2 { (kept.sign()) " " (report.verdict.headline) }
            @if !missed.is_empty() {
                ul {
                    @for goal in missed {
                        li {
                            strong { (goal.title) } ": " (known(goal.value, goal.unit))
                            span.dim { " (" (goal.limit_words()) ")" }
                        }
                    }
                }
            }
            p.completeness.provisional[report.provisional] { (completeness_words(report)) }
        }
    }
}

fn class(kept: Kept) -> &'static str {
    match kept {
        Kept::Met => "met",
        Kept::Unknown => "unknown",
        Kept::Missed => "missed",
    }
}

fn tiles(report: &Report) -> Markup {
    html! {
        section.tiles aria-label="Summary" {
            @for measure in TILES {
                div.tile {
                    div.name { (measure.title()) }
                    div.value { (spaced(&known(report.summary.value(*measure), measure.unit()))) }
                    div.dim { (beside(report, *measure)) }
                }
            }
        }
    }
}

/// The number large, its unit small.
fn spaced(text: &str) -> Markup {
    match text.rsplit_once(' ') {
        Some((number, unit)) => html! { (number) " " small { (unit) } },
        None => html! { (text) },
    }
}

/// A few words under a figure.
fn beside(report: &Report, measure: Measure) -> String {
    let goal = report
        .verdict
        .goals
        .iter()
        .find(|goal| goal.name == measure.name());
    if let Some(goal) = goal {
        return format!("{} {}", goal.kept.sign(), goal.limit_words());
    }
    match measure {
        Measure::PeakViewers => {
            let peak = report
                .summary
                .minutes
                .iter()
                .filter(|minute| minute.viewers.is_some())
                .max_by(|one, other| {
                    one.viewers
                        .unwrap_or(0.0)
                        .total_cmp(&other.viewers.unwrap_or(0.0))
                });
            peak.map_or_else(String::new, |minute| {
                format!(
                    "at {}",
                    minute
                        .at
                        .to_zoned(report.event.zone.clone())
                        .strftime("%H:%M")
                )
            })
        }
        Measure::ViewerHours => format!(
            "{} viewers on average",
            known(report.summary.value(Measure::MeanViewers), Unit::Count)
        ),
        Measure::Bytes => format!(
            "{} requests",
            known(report.summary.value(Measure::Requests), Unit::Count)
        ),
        Measure::PeakBits => "in the fullest minute".to_owned(),
        Measure::Bitrate => "as players asked".to_owned(),
        Measure::Cost => "list prices, unverified".to_owned(),
        _ => String::new(),
    }
}

fn contents(sections: &[Section], has_charts: bool) -> Markup {
    html! {
        nav aria-label="Contents" {
            @if has_charts { a href="#charts" { "Charts" } }
            @for section in sections { a href={ "#" (section.id) } { (section.title) } }
        }
    }
}

fn pictures(report: &Report, charts: &[Chart]) -> Markup {
    let numbers = numbered(report);
    let actions = report
        .timeline
        .iter()
        .filter(|entry| entry.is_drawn && entry.name.is_some());
    let has_alarms = !report.alarms.is_empty();
    let has_gaps = !report.completeness.missing.is_empty();
    let has_words = report
        .marks
        .iter()
        .any(|mark| mark.kind != MarkKind::Action);
    html! {
        section #charts {
            h2 { "Charts" }
            p.key {
                "All on one time axis, " (time::zone_name(&report.event.zone)) "."
                @if has_words { " Gray lines: the event's times and phases." }
                @if !numbers.is_empty() { " " span.badge { "1" } " the crew's actions, listed below." }
                @if has_alarms { " " span.swatch.alarm {} " an alarm's threshold was passed." }
                @if has_gaps { " " span.swatch.gap {} " logs are missing." }
            }
            @for chart in charts {
                figure id={ "chart-" (chart.id) } {
                    figcaption {
                        strong { (chart.title) } " " span.dim { (chart.about) }
                        @for (label, class) in &chart.legend {
                            " " span class={ "curve " (class) } {} " " (label)
                        }
                    }
                    (picture(&chart.wide, "wide", &chart.told))
                    (picture(&chart.narrow, "narrow", &chart.told))
                }
            }
            @if !numbers.is_empty() {
                ol.actions aria-label="The crew's actions on the charts" {
                    @for entry in actions.filter(|entry| (report.event.from..=report.event.until).contains(&entry.at)) {
                        li {
                            (moment(&report.event, entry.at)) " · "
                            @if let Some(name) = &entry.name { strong { (name) } " " }
                            (cell(&entry.what))
                        }
                    }
                }
            }
        }
    }
}

/// The library's picture, with its size left to the page and its words for who cannot see it.
fn picture(svg: &str, class: &str, told: &str) -> Markup {
    let inner = svg.split_once('>').map_or(svg, |(_, inner)| inner);
    let tag = svg.split_once('>').map_or("", |(tag, _)| tag);
    let view = tag
        .split_once("viewBox=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("0 0 960 250", |(view, _)| view);
    let inner = inner.trim_end().trim_end_matches("</svg>");
    html! {
        svg class=(class) viewBox=(view) role="img" aria-label=(told) xmlns="http://www.w3.org/2000/svg" {
            (PreEscaped(inner))
        }
    }
}

fn part(section: &Section) -> Markup {
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            @for words in &section.words { p { (with_code(words)) } }
            @for block in &section.blocks { (table(block)) }
        }
    }
}

fn table(block: &Block) -> Markup {
    let number = |column: usize| block.numbers.contains(&column);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(printable(&block.caption)) {
            table {
                caption { (with_code(&block.caption)) }
                thead {
                    tr {
                        @for (column, name) in block.sheet.columns.iter().enumerate() {
                            th scope="col" .number[number(column)] { (printable(name)) }
                        }
                    }
                }
                tbody {
                    @for (index, row) in block.sheet.rows.iter().enumerate() {
                        tr class=[block.states.get(index).map(|kept| class(*kept))] {
                            @for (column, text) in row.iter().enumerate() {
                                td .number[number(column)] { (cell(text)) }
                            }
                        }
                    }
                }
            }
        }
        @if block.hidden > 0 {
            p.dim {
                "and " (block.hidden) " more"
                @if let Some(query) = &block.query { ": tables/" (query) ".csv" }
            }
        }
    }
}

/// A sentence whose parts between backticks are code.
fn with_code(text: &str) -> Markup {
    let text = cell(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Text safe to read, no longer than a cell holds.
fn cell(text: &str) -> String {
    shortened(
        text,
        LONGEST_CELL.max(if text.contains(' ') { 1_000 } else { 0 }),
    )
}

fn foot(report: &Report) -> Markup {
    let event = &report.event;
    html! {
        footer {
            p {
                "Made " (time::local(event.made, &event.zone))
                @if let Some(maker) = &event.maker { " by " (printable(maker)) }
                " with onair " (env!("CARGO_PKG_VERSION"))
                " · window " (time::utc(event.from)) " to " (time::utc(event.until))
                " · " (event.distributions.len()) " distributions"
                @if let Some(percent) = report.completeness.percent {
                    " · " (figure(percent, Unit::Percent)) " of the requests read"
                }
            }
        }
    }
}

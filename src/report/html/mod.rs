//! The report as one HTML file: no script, no font, no picture from anywhere. Every text goes through
//! `element`'s escaping; the charts are SVG of our own making, whose texts the plotting library escapes.

mod element;

use super::chart::{Chart, charts, numbered};
use super::figures::{Unit, figure, known};
use super::goals::Kept;
use super::model::{MarkKind, Report};
use super::sections::{Block, Section, TILES, completeness_words, moment, sections, window_words};
use super::summary::Measure;
use crate::event::text::{printable, shortened};
use crate::event::time;
use element::{Element, element, texted};

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded and nothing runs, whatever got into the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Characters of a word without blanks; a user agent can be thousands.
const LONGEST_WORD: usize = 160;
/// Characters of a sentence.
const LONGEST: usize = 1_000;

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let charts = charts(report);
    let sections = sections(report);
    let mut main = element("main")
        .child(&verdict(report))
        .child(&tiles(report))
        .child(&contents(&sections, !charts.is_empty()));
    if !charts.is_empty() {
        main = main.child(&pictures(report, &charts));
    }
    main = main.children(sections.iter().map(part));
    let skip = texted("a", "Skip to the verdict")
        .class("skip")
        .attribute("href", "#verdict");
    let body = element("body")
        .child(&skip)
        .child(&head(report))
        .child(&main)
        .child(&foot(report));
    let page = element("html")
        .attribute("lang", "en")
        .child(&about(report))
        .child(&body);
    format!("<!DOCTYPE html>\n{page}\n")
}

fn about(report: &Report) -> Element {
    let named = |name: &str, content: &str| {
        element("meta")
            .attribute("name", name)
            .attribute("content", content)
    };
    element("head")
        .child(&element("meta").attribute("charset", "utf-8"))
        .child(
            &element("meta")
                .attribute("http-equiv", "Content-Security-Policy")
                .attribute("content", POLICY),
        )
        .child(&named("viewport", "width=device-width, initial-scale=1"))
        .child(&named("color-scheme", "light dark"))
        .child(&named("referrer", "no-referrer"))
        .child(&texted(
            "title",
            &format!("{} · report", printable(&report.event.name)),
        ))
        .child(&element("style").drawn(STYLE))
}

fn head(report: &Report) -> Element {
    let event = &report.event;
    let day = event.kickoff.to_zoned(event.zone.clone());
    let clock = |at: jiff::Timestamp| {
        at.to_zoned(event.zone.clone())
            .strftime("%H:%M")
            .to_string()
    };
    let mut kicker = texted("p", "Event report").class("kicker");
    if event.target != "live" {
        kicker = kicker
            .text(" · ")
            .child(&texted("strong", &event.target.to_uppercase()));
    }
    let when = format!(
        "{} · doors {} · {} {} · end {} · {}",
        day.strftime("%A, %-d %B %Y"),
        clock(event.doors),
        printable(&event.kickoff_label),
        clock(event.kickoff),
        clock(event.ends),
        time::zone_name(&event.zone)
    );
    let window = format!("Window: {}", window_words(event));
    element("header")
        .child(&kicker)
        .child(&texted("h1", &printable(&event.name)))
        .child(&texted("p", &when).class("when"))
        .child(&if event.is_part() {
            element("p").child(&texted("strong", &window))
        } else {
            texted("p", &window).class("when")
        })
}

fn verdict(report: &Report) -> Element {
    let kept = report.verdict.kept;
    let title = format!("{} {}", kept.sign(), report.verdict.headline);
    let others = report
        .verdict
        .goals
        .iter()
        .filter(|goal| goal.kept != Kept::Met)
        .map(|goal| {
            element("li")
                .child(&texted("strong", &goal.title))
                .text(&format!(": {}", known(goal.value, goal.unit)))
                .child(&texted("span", &format!(" ({})", goal.limit_words())).class("dim"))
                .text(&match goal.kept {
                    Kept::Unknown => format!(": {}", goal.note),
                    Kept::Met | Kept::Missed => String::new(),
                })
        });
    let list = element("ul").children(others);
    let provisional = if report.provisional {
        "provisional"
    } else {
        ""
    };
    let mut section = element("section")
        .id("verdict")
        .class(class(kept))
        .child(&texted("h2", &title));
    if kept != Kept::Met {
        section = section.child(&list);
    }
    section.child(&texted("p", &completeness_words(report)).class(provisional))
}

fn class(kept: Kept) -> &'static str {
    match kept {
        Kept::Met => "met",
        Kept::Unknown => "unknown",
        Kept::Missed => "missed",
    }
}

fn tiles(report: &Report) -> Element {
    let tile = |measure: &Measure| {
        let shown = known(report.summary.value(*measure), measure.unit());
        // The number large, its unit small.
        let value = match shown.rsplit_once(' ') {
            Some((number, unit)) => {
                texted("div", &format!("{number} ")).child(&texted("small", unit))
            }
            None => texted("div", &shown),
        };
        element("div")
            .class("tile")
            .child(&texted("div", measure.title()).class("name"))
            .child(&value.class("value"))
            .child(&texted("div", &beside(report, *measure)).class("dim"))
    };
    element("section")
        .class("tiles")
        .attribute("aria-label", "Summary")
        .children(TILES.iter().map(tile))
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
                // Of equal ones the first.
                .rev()
                .max_by(|one, other| {
                    one.viewers
                        .unwrap_or(0.0)
                        .total_cmp(&other.viewers.unwrap_or(0.0))
                });
            peak.map_or_else(String::new, |minute| {
                let at = minute.at.to_zoned(report.event.zone.clone());
                format!("at {}", at.strftime("%H:%M"))
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

fn contents(sections: &[Section], has_charts: bool) -> Element {
    let link = |id: &str, title: &str| texted("a", title).attribute("href", &format!("#{id}"));
    let mut nav = element("nav").attribute("aria-label", "Contents");
    if has_charts {
        nav = nav.child(&link("charts", "Charts")).text(" ");
    }
    for section in sections {
        nav = nav.child(&link(section.id, section.title)).text(" ");
    }
    nav
}

fn pictures(report: &Report, charts: &[Chart]) -> Element {
    let swatch = |class: &str| element("span").class(class);
    let mut key = texted(
        "p",
        &format!(
            "All on one time axis, {}.",
            time::zone_name(&report.event.zone)
        ),
    )
    .class("key");
    if report
        .marks
        .iter()
        .any(|mark| mark.kind != MarkKind::Action)
    {
        key = key.text(" Gray lines: the event's times and phases.");
    }
    let has_actions = !numbered(report).is_empty();
    if has_actions {
        key = key
            .text(" ")
            .child(&texted("span", "1").class("badge"))
            .text(" the crew's actions, listed below.");
    }
    if !report.alarms.is_empty() {
        key = key
            .text(" ")
            .child(&swatch("swatch alarm"))
            .text(" an alarm's threshold was passed.");
    }
    if !report.completeness.missing.is_empty() {
        key = key
            .text(" ")
            .child(&swatch("swatch gap"))
            .text(" logs are missing.");
    }
    let section = element("section")
        .id("charts")
        .child(&texted("h2", "Charts"))
        .child(&key)
        .children(charts.iter().map(figure_of));
    if has_actions {
        section.child(&actions(report))
    } else {
        section
    }
}

fn figure_of(chart: &Chart) -> Element {
    let mut caption = element("figcaption")
        .child(&texted("strong", chart.title))
        .text(" ")
        .child(&texted("span", &chart.about).class("dim"));
    for (label, class) in &chart.legend {
        caption = caption
            .text(" ")
            .child(&element("span").class(&format!("curve {class}")))
            .text(&format!(" {label}"));
    }
    element("figure")
        .id(&format!("chart-{}", chart.id))
        .child(&caption)
        .child(&picture(&chart.wide, "wide", &chart.told))
        .child(&picture(&chart.narrow, "narrow", &chart.told))
}

/// The actions behind the numbers on the charts, in the same order.
fn actions(report: &Report) -> Element {
    let event = &report.event;
    let shown = report
        .timeline
        .iter()
        .filter(|entry| entry.is_drawn && (event.from..=event.until).contains(&entry.at))
        .filter_map(|entry| Some((entry, entry.name.as_ref()?)))
        .map(|(entry, name)| {
            texted("li", &format!("{} · ", moment(event, entry.at)))
                .child(&texted("strong", name))
                .text(&format!(" {}", cell(&entry.what)))
        });
    element("ol")
        .class("actions")
        .attribute("aria-label", "The crew's actions on the charts")
        .children(shown)
}

/// The library's picture, with its size left to the page and its words for who cannot see it.
fn picture(svg: &str, class: &str, told: &str) -> Element {
    let (tag, inner) = svg.split_once('>').unwrap_or(("", svg));
    let view = tag
        .split_once("viewBox=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("0 0 960 250", |(view, _)| view);
    let inner = inner.trim_end().trim_end_matches("</svg>");
    element("svg")
        .class(class)
        .attribute("viewBox", view)
        .attribute("role", "img")
        .attribute("aria-label", told)
        .attribute("xmlns", "http://www.w3.org/2000/svg")
        .drawn(inner)
}

fn part(section: &Section) -> Element {
    let mut shown = element("section")
        .id(section.id)
        .child(&texted("h2", section.title))
        .children(section.words.iter().map(|words| with_code("p", words)));
    for block in &section.blocks {
        shown = shown.child(&table(block));
        for note in &block.notes {
            shown = shown.child(&texted("p", &cell(note)).class("dim"));
        }
        if block.hidden > 0 {
            let file = block
                .query
                .as_ref()
                .map(|query| format!(": tables/{query}.csv"))
                .unwrap_or_default();
            let more = format!("and {} more{file}", block.hidden);
            shown = shown.child(&texted("p", &more).class("dim"));
        }
    }
    shown
}

fn table(block: &Block) -> Element {
    let class_of = |column: usize| {
        if block.numbers.contains(&column) {
            "number"
        } else {
            ""
        }
    };
    let columns = block.sheet.columns.iter().enumerate();
    let heads = columns.map(|(column, name)| {
        texted("th", &printable(name))
            .attribute("scope", "col")
            .class(class_of(column))
    });
    let rows = block.sheet.rows.iter().enumerate().map(|(index, row)| {
        let cells = row
            .iter()
            .enumerate()
            .map(|(column, text)| texted("td", &cell(text)).class(class_of(column)));
        let state = block.states.get(index).map_or("", |kept| class(*kept));
        element("tr").class(state).children(cells)
    });
    // On a phone the words that a row ends with have a line of their own.
    let ends_in_words = block.sheet.rows.iter().any(|row| {
        row.last()
            .is_some_and(|text| text.contains(' ') && text.chars().count() > WORDS)
    });
    let table = element("table")
        .class(if ends_in_words { "wordy" } else { "" })
        .child(&with_code("caption", &block.caption))
        .child(&element("thead").child(&element("tr").children(heads)))
        .child(&element("tbody").children(rows));
    // A wide table scrolls by itself, with the keyboard, too.
    element("div")
        .class("scroll")
        .attribute("tabindex", "0")
        .attribute("role", "region")
        .attribute("aria-label", &printable(&block.caption))
        .child(&table)
}

/// A sentence whose parts between backticks are code.
fn with_code(name: &'static str, text: &str) -> Element {
    let text = cell(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return texted(name, &text);
    }
    let mut shown = element(name);
    for (index, part) in parts.into_iter().enumerate() {
        shown = if index % 2 == 1 {
            shown.child(&texted("code", part))
        } else {
            shown.text(part)
        };
    }
    shown
}

/// Characters from which on a cell's text is told, rather than read off.
const WORDS: usize = 36;

/// Text safe to read, no longer than a cell holds.
fn cell(text: &str) -> String {
    let longest = if text.contains(' ') {
        LONGEST
    } else {
        LONGEST_WORD
    };
    shortened(text, longest)
}

fn foot(report: &Report) -> Element {
    let event = &report.event;
    let maker = event
        .maker
        .as_ref()
        .map(|maker| format!(" by {}", printable(maker)))
        .unwrap_or_default();
    let read = report
        .completeness
        .percent
        .map(|percent| format!(" · {} of the requests read", figure(percent, Unit::Percent)))
        .unwrap_or_default();
    let words = format!(
        "Made {}{maker} with onair {} · window {} to {} · distributions: {}{read}",
        time::local(event.made, &event.zone),
        env!("CARGO_PKG_VERSION"),
        time::utc(event.from),
        time::utc(event.until),
        event.distributions.len()
    );
    element("footer").child(&texted("p", &words))
}

//! The report as Markdown, for a wiki or a chat: the same sections, every cell escaped. Charts are
//! told in words.

use super::chart::charts;
use super::figures::known;
use super::model::Report;
use super::sections::{Block, completeness_words, sections, window_words};
use super::summary::Measure;
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::render::Sheet;

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let event = &report.event;
    let mut text = format!("# {}: report\n\n", escaped(&event.name));
    text.push_str(&format!(
        "**{} {}**\n\n{}\n\n",
        report.verdict.kept.sign(),
        escaped(&report.verdict.headline),
        escaped(&completeness_words(report))
    ));
    text.push_str(&format!(
        "{} · {} {} · end {}\n\n",
        escaped(&event.id),
        escaped(&event.kickoff_label),
        time::local(event.kickoff, &event.zone),
        time::local(event.ends, &event.zone)
    ));
    text.push_str(&format!(
        "{} {}\n\n",
        if event.is_part() {
            "**Window:**"
        } else {
            "Window:"
        },
        escaped(&window_words(event))
    ));
    text.push_str("## Summary\n\n");
    let mut figures = Sheet::new(&["figure", "value", "how it is measured"]);
    for measure in Measure::ALL {
        figures.push([
            measure.title().to_owned(),
            known(report.summary.value(measure), measure.unit()),
            report.summary.about(measure).to_owned(),
        ]);
    }
    text.push_str(&figures.markdown());
    let charts = charts(report);
    if !charts.is_empty() {
        text.push_str("\n## Course\n\n");
        for chart in charts {
            text.push_str(&format!("- {}\n", escaped(&chart.told)));
        }
    }
    for section in sections(report) {
        text.push_str(&format!("\n## {}\n\n", section.title));
        for words in &section.words {
            text.push_str(&format!("{}\n\n", with_code(words)));
        }
        for block in &section.blocks {
            text.push_str(&table(block));
        }
    }
    text
}

fn table(block: &Block) -> String {
    let mut text = format!(
        "{}\n\n{}",
        with_code(&block.caption),
        block.sheet.markdown()
    );
    if block.hidden > 0 {
        let file = block
            .query
            .as_ref()
            .map(|query| format!(": tables/{query}.csv"))
            .unwrap_or_default();
        text.push_str(&format!("\nand {} more{file}\n", block.hidden));
    }
    for note in &block.notes {
        text.push_str(&format!("\n{}\n", escaped(note)));
    }
    text.push('\n');
    text
}

/// A sentence whose parts between backticks are code; all else is text.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let shown: Vec<String> = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| match index % 2 {
            1 if !part.trim().is_empty() => format!("`{}`", printable(part)),
            _ => escaped(part),
        })
        .collect();
    shown.concat()
}

/// Text that Markdown takes as text: no markup, no link, no HTML, no new line.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in shortened(&printable(text), 1_000).chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

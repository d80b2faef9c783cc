//! A comparison as text, rows and Markdown.

use super::judge::{Compared, Comparison};
use crate::event::text::printable;
use crate::render::Sheet;
use crate::report::{escaped_markdown, figure, known};

/// How noise is decided, in two lines.
const HOW: &str = "\
Noise: each event is cut into 10-minute stretches from kickoff to end; up to twice the spread that their means have by chance
(from the median absolute deviation, so one incident counts as change, not as noise), and at least 2%, is the same.";

/// The figures, one a row.
pub(crate) fn sheet(comparison: &Comparison) -> Sheet {
    let mut sheet = Sheet::new(&[
        "figure",
        comparison.a.event.as_str(),
        comparison.b.event.as_str(),
        "change",
        "noise",
        "verdict",
        "allowed",
    ]);
    for one in &comparison.figures {
        sheet.push([
            one.title.clone(),
            known(one.a, one.unit),
            known(one.b, one.unit),
            change(one),
            one.noise
                .filter(|_| one.verdict.is_some())
                .map_or_else(String::new, |noise| format!("±{}", figure(noise, one.unit))),
            verdict(one),
            one.limit.map_or_else(String::new, |limit| {
                format!("worse by {}", figure(limit, one.unit))
            }),
        ]);
    }
    sheet
}

fn change(one: &Compared) -> String {
    match one.change_percent {
        Some(percent) if percent.abs() < 0.05 => "0%".to_owned(),
        Some(percent) if percent > 0.0 => format!("+{percent:.1}%"),
        Some(percent) => format!("−{:.1}%", percent.abs()),
        None => String::new(),
    }
}

fn verdict(one: &Compared) -> String {
    match one.verdict {
        None => String::new(),
        Some(verdict) if one.beyond_limit => {
            format!("{} {}, beyond the limit", verdict.sign(), verdict.word())
        }
        Some(verdict) => format!("{} {}", verdict.sign(), verdict.word()),
    }
}

/// The comparison for people, `width` columns wide.
pub(crate) fn text(comparison: &Comparison, width: usize) -> String {
    let mut text = format!(
        "{} {}: {}\n{} → {}\n",
        comparison.verdict.sign(),
        comparison.verdict.word(),
        comparison.headline,
        printable(&comparison.a.name),
        printable(&comparison.b.name)
    );
    for caution in &comparison.cautions {
        text.push_str(&format!("! {}\n", printable(caution)));
    }
    text.push('\n');
    text.push_str(&sheet(comparison).table(width));
    text.push_str(&format!("\n{HOW}\n"));
    text
}

/// The comparison for a wiki.
pub(crate) fn markdown(comparison: &Comparison) -> String {
    let mut text = format!(
        "# {} → {}\n\n**{} {}**: {}\n\n",
        escaped_markdown(&comparison.a.name),
        escaped_markdown(&comparison.b.name),
        comparison.verdict.sign(),
        comparison.verdict.word(),
        escaped_markdown(&comparison.headline)
    );
    for caution in &comparison.cautions {
        text.push_str(&format!("- {}\n", escaped_markdown(caution)));
    }
    if !comparison.cautions.is_empty() {
        text.push('\n');
    }
    text.push_str(&sheet(comparison).markdown());
    text.push_str(&format!(
        "\n{}\n",
        escaped_markdown(&HOW.replace('\n', " "))
    ));
    text
}

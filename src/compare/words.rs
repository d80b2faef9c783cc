//! A comparison as text, rows and Markdown.

use super::judge::{Compared, Comparison, Verdict};
use crate::event::text::printable;
use crate::render::Sheet;
use crate::report::{escaped_markdown, figure, known, unit_word};

/// How it is decided, in a few lines.
const HOW: &str = "\
How it is decided: two figures are the same unless they differ by more than each of these.
- 2% of the first figure; 5% where it has no course over the minutes.
- What chance gives for the counts behind a share or a rate, 99 times of a hundred (two proportions; two Poisson rates).
- Twice the spread that the means of 10-minute stretches between kickoff and end have by chance (from the median absolute
  deviation, so one incident counts as change, not as noise).
Whatever gets worse by more fails (exit 3), unless a --limit allows it.";

/// What the two are called: by their events, and apart where those are the same.
fn heads(comparison: &Comparison) -> [String; 2] {
    let (a, b) = (&comparison.a.event, &comparison.b.event);
    if a == b {
        [format!("{a} (A)"), format!("{b} (B)")]
    } else {
        [a.clone(), b.clone()]
    }
}

/// The figures for people, one a row.
fn shown(comparison: &Comparison) -> Sheet {
    let [a, b] = heads(comparison);
    let mut sheet = Sheet::new(&["figure", &a, &b, "change", "noise", "verdict", "allowed"]);
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

/// The figures for a spreadsheet: bare numbers, the unit apart.
pub(crate) fn sheet(comparison: &Comparison) -> Sheet {
    let [a, b] = heads(comparison);
    let mut sheet = Sheet::new(&[
        "figure",
        "unit",
        &a,
        &b,
        "change percent",
        "noise",
        "verdict",
        "allowed",
        "beyond limit",
    ]);
    let number = |value: Option<f64>| {
        value
            .filter(|value| value.is_finite())
            .map_or_else(String::new, |value| {
                // Digits that no figure has in truth are left out.
                ((value * 1e6).round() / 1e6).to_string()
            })
    };
    for one in &comparison.figures {
        sheet.push([
            one.name.clone(),
            unit_word(one.unit).to_owned(),
            number(one.a),
            number(one.b),
            number(one.change_percent),
            number(one.noise.filter(|_| one.verdict.is_some())),
            one.verdict.map_or("", Verdict::word).to_owned(),
            number(one.limit),
            one.limit
                .map_or_else(String::new, |_| one.beyond_limit.to_string()),
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
    text.push_str(&shown(comparison).table(width));
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
    text.push_str(&shown(comparison).markdown());
    // A list needs a line of its own before and after it.
    text.push_str(&format!(
        "\n{}\n",
        HOW.replacen("\n- ", "\n\n- ", 1)
            .replace("\nWhatever", "\n\nWhatever")
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::event;
    use super::super::{Limits, compare};
    use super::*;

    #[test]
    fn a_spreadsheet_has_bare_numbers_and_names_of_its_own() {
        let a = event("cup", 1_000.0, |_| 0.05);
        let b = event("cup", 900.0, |_| 0.02);
        let csv = sheet(&compare(&a, &b, &Limits::default())).csv();
        let mut lines = csv.lines();
        let head = lines.next().unwrap();
        assert!(head.starts_with("figure,unit,cup (A),cup (B),"), "{head}");
        assert!(csv.contains("peak-viewers,,1000,900,-10,"), "{csv}");
        assert!(csv.contains("errors-5xx,%,0.05,0.02,-60,"), "{csv}");
        assert!(csv.is_ascii(), "{csv}");
    }

    #[test]
    fn no_limit_is_named_where_none_was_given() {
        let a = event("a", 1_000.0, |_| 0.05);
        let b = event("b", 1_000.0, |_| 5.0);
        let mut limits = Limits::default();
        let words = text(&compare(&a, &b, &limits), 200);
        assert!(words.contains("worse"), "{words}");
        assert!(!words.contains("beyond the limit"), "{words}");
        limits.set("errors-5xx=1").unwrap();
        let words = text(&compare(&a, &b, &limits), 200);
        assert!(words.contains("worse, beyond the limit"), "{words}");
    }
}

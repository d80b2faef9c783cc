//! Text from outside made safe to show, and the nearest known word for one that is unknown.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` with everything escaped that could move the cursor, hide or reorder what an
/// operator reads: control characters (so ANSI sequences, too), bidirectional overrides, and
/// invisible characters.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            other if is_treacherous(other) => {
                write!(shown, "{}", other.escape_unicode()).expect("a String takes all text");
            }
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Returns `text` safe to print and no longer than `limit` characters, an ellipsis included.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let shown = printable(text);
    if shown.chars().count() <= limit {
        return shown.into_owned();
    }
    shown
        .chars()
        .take(limit.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Returns the candidate that `word` most likely meant, if one is near: at most a third of the
/// letters off (one is always allowed from three letters on), case aside.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = word.chars().count();
    if letters > 64 {
        return None;
    }
    let allowed = if letters < 3 { 0 } else { (letters / 3).max(1) };
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbors between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, one) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let mut cost = (last[j] + usize::from(one != other))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *one == right[j - 1] && left[i - 1] == *other {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(printable("plain é 日本"), "plain é 日本");
        assert_eq!(printable("\x1b[31mred\x07"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(printable("a\r\nb\t"), "a\\r\\nb\\t");
    }

    #[test]
    fn finds_the_nearest_word() {
        let keys = ["starts", "ends", "doors", "never-block"];
        assert_eq!(did_you_mean("strats", keys), Some("starts"));
        assert_eq!(did_you_mean("never_block", keys), Some("never-block"));
        assert_eq!(did_you_mean("Door", keys), Some("doors"));
        assert_eq!(did_you_mean("colour", keys), None);
        assert_eq!(did_you_mean("x", keys), None);
    }

    #[test]
    fn shortens_by_characters() {
        assert_eq!(shortened("ééééé", 3), "éé…");
        assert_eq!(shortened("ééé", 3), "ééé");
    }

    proptest! {
        #[test]
        fn printable_text_holds_nothing_treacherous(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(is_treacherous));
        }

        #[test]
        fn distance_is_symmetric_and_zero_only_for_equals(left in "[abc]{0,6}", right in "[abc]{0,6}") {
            prop_assert_eq!(distance(&left, &right), distance(&right, &left));
            prop_assert_eq!(distance(&left, &right) == 0, left == right);
        }
    }
}

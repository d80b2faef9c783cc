//! Hostile text made safe to show: what viewers and tokens bring along never moves the cursor,
//! reverses the line or hides a character. Renderers call this on every string that we did not write.

use std::fmt::Write as _;

/// The same text with every character that could act on a terminal, reorder the line or be invisible
/// written as `\u{..}`. Line ends and tabs are among them; the plain space stays.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_or_hides(character) {
            write!(safe, "\\u{{{:x}}}", u32::from(character)).expect("a String takes every write");
        } else {
            safe.push(character);
        }
    }
    safe
}

/// [`printable`], and no longer than `limit` characters: what is cut ends in `…`.
pub(crate) fn printable_within(text: &str, limit: usize) -> String {
    let mut safe = String::new();
    let mut left = limit;
    for character in text.chars() {
        let shown = printable(character.encode_utf8(&mut [0; 4]));
        let width = shown.chars().count();
        if width > left {
            return ellipsized(safe, limit);
        }
        left -= width;
        safe.push_str(&shown);
    }
    safe
}

fn ellipsized(mut text: String, limit: usize) -> String {
    while text.chars().count() >= limit.max(1) {
        text.pop();
    }
    if limit > 0 {
        text.push('…');
    }
    text
}

/// Unicode controls (C0 with ESC, DEL, C1), line and paragraph separators, bidirectional marks and
/// overrides, zero-width and filler characters, tags.
fn acts_or_hides(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_what_acts_on_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(printable("one\r\ntwo\t"), "one\\u{d}\\u{a}two\\u{9}");
    }

    #[test]
    fn escapes_what_reorders_or_hides() {
        assert_eq!(
            printable("jess\u{202e}gpj\u{200b}"),
            "jess\\u{202e}gpj\\u{200b}"
        );
    }

    #[test]
    fn leaves_the_words_of_the_world_alone() {
        assert_eq!(printable("Zoë 東京 ✓"), "Zoë 東京 ✓");
    }

    #[test]
    fn never_cuts_inside_an_escape() {
        assert_eq!(printable_within("abc\u{1b}def", 6), "abc…");
        assert_eq!(printable_within("abcdef", 6), "abcdef");
        assert_eq!(printable_within("abcdefg", 6), "abcde…");
    }

    proptest! {
        #[test]
        fn what_is_shown_holds_nothing_that_acts(text in any::<String>(), limit in 0usize..100) {
            prop_assert!(!printable(&text).chars().any(acts_or_hides));
            prop_assert!(printable_within(&text, limit).chars().count() <= limit);
        }
    }
}

//! Which cache behavior serves a path, as CloudFront matches it.

/// Whether a text fits a pattern in which `*` stands for any run of characters, and nothing else is
/// special.
pub(crate) fn matches_stars(pattern: &str, text: &str) -> bool {
    matches(pattern.as_bytes(), text.as_bytes(), false)
}

/// Whether CloudFront serves `path` by a behavior with this path pattern: `*` for any run of
/// characters, `?` for one, case-sensitive; a leading slash may be missing in the pattern
/// (CloudFront Developer Guide, "Path pattern"). The query string takes no part.
pub(crate) fn serves(pattern: &str, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_start_matches('/');
    matches(
        pattern.trim_start_matches('/').as_bytes(),
        path.as_bytes(),
        true,
    )
}

/// Glob matching in linear space: on a mismatch behind a star, the star takes one more character.
fn matches(pattern: &[u8], text: &[u8], question_mark: bool) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(b'?') if question_mark => {
                at += 1;
                read += 1;
            }
            Some(byte) if *byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((behind, taken)) => {
                    at = behind + 1;
                    read = taken + 1;
                    star = Some((behind, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_cloudfront_does() {
        for (pattern, path, fits) in [
            ("*.m3u8", "/cup/master.m3u8", true),
            ("*.m3u8", "/cup/master.m3u8?CMCD=x", true),
            ("*.M3U8", "/cup/master.m3u8", false),
            ("/cup/*", "/cup/a/b.m4s", true),
            ("cup/*", "/cup/a", true),
            ("/cup/*", "/cups/a", false),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("*", "/", true),
            ("/*a*b*c", "/xxaxxbxxbxxc", true),
            ("/*a*b*c", "/xxaxxbxxbxxd", false),
        ] {
            assert_eq!(serves(pattern, path), fits, "{pattern} {path}");
        }
        assert!(!matches_stars("a?c", "abc"));
    }
}

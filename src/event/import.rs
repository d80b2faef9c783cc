//! Blocklists: the lines of a list as prefixes, with every bad line named and none of it silently
//! dropped.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::event::cidr::{Cidr, CidrError, range};
use crate::event::input::InputLine;
use crate::event::text::{printable, shortened};

/// What a list holds, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    /// In order of the list, each once.
    pub(crate) prefixes: Vec<ImportedPrefix>,
    pub(crate) bad: Vec<BadLine>,
    /// How often a line named a prefix that an earlier one had named.
    pub(crate) duplicates: usize,
    /// Prefixes that had host bits set: line, as written, and what it was made.
    pub(crate) normalized: Vec<(usize, String, Cidr)>,
}

/// A prefix, and the line that first named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportedPrefix {
    pub(crate) cidr: Cidr,
    pub(crate) line: usize,
    /// What else stood on that line.
    pub(crate) comment: Option<String>,
}

/// A line that is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct BadLine {
    pub(crate) line: usize,
    /// The text, safe to print and shortened.
    pub(crate) text: String,
    pub(crate) reason: String,
}

/// Parses every line as an address, a prefix or a range of addresses `first-last`.
pub(crate) fn parse_prefixes(lines: &[InputLine]) -> Imported {
    let mut imported = Imported::default();
    let mut seen: HashSet<Cidr> = HashSet::with_capacity(lines.len());
    for line in lines {
        let cidrs = match parse_line(line, &mut imported.normalized) {
            Ok(cidrs) => cidrs,
            Err(reason) => {
                imported.bad.push(BadLine {
                    line: line.number,
                    text: shortened(&line.text, 60),
                    reason,
                });
                continue;
            }
        };
        for cidr in cidrs {
            if !seen.insert(cidr) {
                imported.duplicates += 1;
                continue;
            }
            imported.prefixes.push(ImportedPrefix {
                cidr,
                line: line.number,
                comment: line.comment.clone(),
            });
        }
    }
    imported
}

fn parse_line(
    line: &InputLine,
    normalized: &mut Vec<(usize, String, Cidr)>,
) -> Result<Vec<Cidr>, String> {
    if let Some((first, last)) = line.text.split_once('-')
        && first.trim().parse::<IpAddr>().is_ok()
    {
        return parse_range(first.trim(), last.trim()).ok_or_else(|| {
            format!(
                "`{}` is not a range from a lower to a higher address of one family",
                shortened(&line.text, 60)
            )
        });
    }
    let parsed = Cidr::parse(&line.text)
        .map_err(|error: CidrError| printable(&error.to_string()).into_owned())?;
    if let Some(from) = parsed.normalized_from {
        normalized.push((line.number, from, parsed.cidr));
    }
    Ok(vec![parsed.cidr])
}

fn parse_range(first: &str, last: &str) -> Option<Vec<Cidr>> {
    let first: IpAddr = first.parse().ok()?;
    let last: IpAddr = last.parse().ok()?;
    range(first, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::input::read_values;

    fn import(text: &str) -> Imported {
        parse_prefixes(&read_values(text, None).unwrap())
    }

    #[test]
    fn names_each_bad_line_and_keeps_the_rest() {
        let imported = import(
            "203.0.113.7\n203.0.113.300\n# note\n203.0.113.7/32 again\n198.51.100.9/24\n::ffff:192.0.2.1\n2001:db8::/32\nrouter-7\n\u{1b}[2J\n",
        );
        let cidrs: Vec<String> = imported
            .prefixes
            .iter()
            .map(|prefix| format!("{}@{}", prefix.cidr, prefix.line))
            .collect();
        assert_eq!(
            cidrs,
            ["203.0.113.7/32@1", "198.51.100.0/24@5", "2001:db8::/32@7"]
        );
        assert_eq!(imported.duplicates, 1);
        assert_eq!(imported.normalized[0].1, "198.51.100.9/24");
        let bad: Vec<String> = imported
            .bad
            .iter()
            .map(|bad| format!("{}: {}", bad.line, bad.reason))
            .collect();
        insta::assert_snapshot!(bad.join("\n"), @r"
        2: `203.0.113.300` is not an IP address or a prefix such as 203.0.113.0/24
        6: `::ffff:192.0.2.1` is an IPv4-mapped IPv6 address, which CloudFront never sees; write 192.0.2.1 instead
        8: `router-7` is not an IP address or a prefix such as 203.0.113.0/24
        9: `\u{1b}[2J` is not an IP address or a prefix such as 203.0.113.0/24
        ");
    }

    #[test]
    fn ranges_become_the_fewest_prefixes() {
        let imported =
            import("192.0.2.0,192.0.2.255,Host,http://example.com\n192.0.2.9-192.0.2.1\n");
        assert_eq!(imported.prefixes.len(), 1);
        assert_eq!(imported.prefixes[0].cidr.to_string(), "192.0.2.0/24");
        assert_eq!(
            imported.prefixes[0].comment.as_deref(),
            Some("Host,http://example.com")
        );
        assert_eq!(imported.bad.len(), 1);
    }

    #[test]
    fn a_large_list_is_read_whole() {
        let lines: Vec<String> = (0..120_000u32)
            .map(|number| format!("{}\t3", std::net::Ipv4Addr::from(0x0b00_0000 + number * 7)))
            .collect();
        let text = lines.join("\n");
        let imported = import(&text);
        assert_eq!(imported.prefixes.len(), 120_000);
        assert!(imported.bad.is_empty());
    }
}

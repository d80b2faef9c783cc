//! Many values at once, as files and standard input bring them: plain text with comments, CSV,
//! JSON. Says on which line each value stood; what the values mean is parsed elsewhere.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::event::text::{did_you_mean, shortened};

/// Where a command's values come from, by the way the argument is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueSource {
    /// `@FILE`
    File(PathBuf),
    /// `-`
    Stdin,
    /// The argument is the value.
    Literal(String),
}

impl ValueSource {
    pub(crate) fn parse(argument: &str) -> Self {
        match argument.strip_prefix('@') {
            _ if argument == "-" => Self::Stdin,
            Some(file) if !file.is_empty() => Self::File(PathBuf::from(file)),
            _ => Self::Literal(argument.to_owned()),
        }
    }
}

/// One value and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputLine {
    /// The line in the file, from 1; for a JSON array the element's number.
    pub(crate) number: usize,
    /// The value, trimmed. A range of addresses `start,end` is given as `start-end`.
    pub(crate) text: String,
    /// What else stood on the line: a comment, or the other columns.
    pub(crate) comment: Option<String>,
}

/// The CSV or JSON column that holds the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// By the name in the header.
    Name(String),
    /// By place, from 1; the file then has no header.
    Number(usize),
}

impl Column {
    /// A number is a place, anything else a name.
    pub(crate) fn parse(text: &str) -> Result<Self, InputError> {
        match text.trim().parse::<usize>() {
            Ok(0) => Err(InputError::ColumnZero),
            Ok(number) => Ok(Self::Number(number)),
            Err(_) => Ok(Self::Name(text.trim().to_owned())),
        }
    }
}

/// Why a text cannot be read as a list of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputError {
    #[error("columns count from 1")]
    ColumnZero,
    #[error(
        "no column `{wanted}`; the header has: {}{}",
        columns.join(", "),
        nearest.as_ref().map(|column| format!("; did you mean `{column}`?")).unwrap_or_default()
    )]
    NoSuchColumn {
        wanted: String,
        columns: Vec<String>,
        nearest: Option<String>,
    },
    #[error("line {line} has {columns} columns, so no column {wanted}")]
    TooFewColumns {
        line: usize,
        columns: usize,
        wanted: usize,
    },
    #[error("the quote that opens on line {0} never closes")]
    OpenQuote(usize),
    #[error("not valid JSON: {0}")]
    Json(String),
    #[error(
        "element {0} of the JSON array is not a string; name the member that holds the value with --column"
    )]
    NotAString(usize),
    #[error("element {element} of the JSON array has no member `{wanted}`")]
    NoSuchMember { element: usize, wanted: String },
}

/// Decodes a file's bytes: UTF-8, with or without a byte order mark, or the UTF-16 that Windows
/// shells write. What is not text becomes replacement characters, so that its line can be named.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| -> String {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Reads the values of a text: a JSON array, CSV when a column is named, else plain lines.
pub(crate) fn read_values(
    text: &str,
    column: Option<&Column>,
) -> Result<Vec<InputLine>, InputError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json_array(text) {
        return read_json(text, column);
    }
    match column {
        Some(column) => read_csv(text, column),
        None => Ok(read_plain(text)),
    }
}

/// Whether the text is an array, rather than a line that begins with a bracketed IPv6 address.
fn is_json_array(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('[') else {
        return false;
    };
    rest.trim_start()
        .starts_with(['"', '{', '[', ']', 't', 'n'])
        || rest.trim_end().ends_with(']') && rest.contains(',')
}

fn read_json(text: &str, column: Option<&Column>) -> Result<Vec<InputLine>, InputError> {
    let elements: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|error| InputError::Json(error.to_string()))?;
    elements
        .into_iter()
        .zip(1..)
        .map(|(element, number)| {
            let value = match (&element, column) {
                (serde_json::Value::Object(members), Some(Column::Name(name))) => {
                    members.get(name).ok_or_else(|| InputError::NoSuchMember {
                        element: number,
                        wanted: shortened(name, 60),
                    })?
                }
                _ => &element,
            };
            let text = value.as_str().ok_or(InputError::NotAString(number))?;
            Ok(InputLine {
                number,
                text: text.trim().to_owned(),
                comment: None,
            })
        })
        .collect()
}

/// Reads one value a line: `#`, `;` and `//` open comments, what follows the value is kept as one.
fn read_plain(text: &str) -> Vec<InputLine> {
    text.lines()
        .zip(1..)
        .filter_map(|(line, number)| plain_line(line.trim(), number))
        .collect()
}

fn plain_line(line: &str, number: usize) -> Option<InputLine> {
    if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
        return None;
    }
    let (value, rest) = match line.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((quoted, rest)) => (quoted, rest),
        None => line
            .find(|character: char| character.is_whitespace() || matches!(character, ',' | ';'))
            .map_or((line, ""), |end| line.split_at(end)),
    };
    let comment = |rest: &str| {
        let rest = rest
            .trim_start_matches(|character: char| {
                character.is_whitespace() || matches!(character, ',' | ';' | '#' | '/')
            })
            .trim_end();
        (!rest.is_empty()).then(|| rest.to_owned())
    };
    let value = value.trim();
    let (text, rest) = match second_address(value, rest) {
        None => (value.to_owned(), rest),
        Some(Second::RangeEnd { last, rest }) => (format!("{value}-{last}"), rest),
        // Two addresses that may be two or a range: not for us to choose, so the line stays whole.
        Some(Second::Unclear) => (line.to_owned(), ""),
    };
    Some(InputLine {
        number,
        text,
        comment: comment(rest),
    })
}

/// What a second address on a line is.
enum Second<'a> {
    RangeEnd { last: &'a str, rest: &'a str },
    Unclear,
}

/// Looks for a range written as `start - end` or as the columns `start,end,name,…`.
fn second_address<'a>(value: &str, rest: &'a str) -> Option<Second<'a>> {
    let after_value = rest.trim_start();
    let dashed = after_value.strip_prefix("- ");
    let second = dashed
        .unwrap_or_else(|| after_value.trim_start_matches([',', ';']))
        .trim_start();
    // Only what begins like an address is worth parsing: most comments do not.
    if !second.starts_with(|character: char| character.is_ascii_hexdigit() || character == ':') {
        return None;
    }
    let end = second
        .find(|character: char| character.is_whitespace() || matches!(character, ',' | ';'))
        .unwrap_or(second.len());
    let (last, rest) = second.split_at(end);
    last.parse::<IpAddr>().ok()?;
    value.parse::<IpAddr>().ok()?;
    let is_column = after_value.starts_with(',') && rest.starts_with(',');
    Some(if dashed.is_some() || is_column {
        Second::RangeEnd { last, rest }
    } else {
        Second::Unclear
    })
}

fn read_csv(text: &str, column: &Column) -> Result<Vec<InputLine>, InputError> {
    let delimiter = delimiter(text);
    let mut records = csv_records(text, delimiter)?.into_iter();
    let at = match column {
        Column::Number(number) => number - 1,
        Column::Name(wanted) => {
            let header = records.next().map(|(_, fields)| fields).unwrap_or_default();
            let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
            header
                .iter()
                .position(|name| name == wanted)
                .or_else(|| {
                    header
                        .iter()
                        .position(|name| name.eq_ignore_ascii_case(wanted))
                })
                .ok_or_else(|| InputError::NoSuchColumn {
                    wanted: shortened(wanted, 60),
                    nearest: did_you_mean(wanted, header.iter().map(String::as_str))
                        .map(str::to_owned),
                    columns: header.iter().map(|name| shortened(name, 40)).collect(),
                })?
        }
    };
    let mut lines = Vec::new();
    for (number, mut fields) in records {
        if at >= fields.len() {
            return Err(InputError::TooFewColumns {
                line: number,
                columns: fields.len(),
                wanted: at + 1,
            });
        }
        let text = fields.remove(at).trim().to_owned();
        if text.is_empty() {
            continue;
        }
        let rest = fields.join(" ").trim().to_owned();
        lines.push(InputLine {
            number,
            text,
            comment: (!rest.is_empty()).then_some(rest),
        });
    }
    Ok(lines)
}

/// The separator that the first line with content has most of, outside quotes.
fn delimiter(text: &str) -> char {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let mut counts = [(',', 0), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for character in first.chars() {
        quoted ^= character == '"';
        for (candidate, count) in &mut counts {
            *count += usize::from(!quoted && character == *candidate);
        }
    }
    // `max_by_key` takes the last of equals: the comma must win, so it is looked at last.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(',', |(candidate, _)| candidate)
}

/// The records with the line each begins on. Quoted fields as in RFC 4180; blank lines and lines
/// that begin with `#` are left out.
fn csv_records(text: &str, delimiter: char) -> Result<Vec<(usize, Vec<String>)>, InputError> {
    let mut records = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    let mut open: Option<usize> = None;
    let mut field = String::new();
    for (line, number) in text.lines().zip(1..) {
        if open.is_none() && (line.trim().is_empty() || line.starts_with('#')) {
            continue;
        }
        let started = open.unwrap_or(number);
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' if open.is_some() => {
                    if characters.next_if_eq(&'"').is_some() {
                        field.push('"');
                    } else {
                        open = None;
                    }
                }
                '"' if field.trim().is_empty() => {
                    field.clear();
                    open = Some(started);
                }
                other if other == delimiter && open.is_none() => {
                    fields.push(std::mem::take(&mut field));
                }
                other => field.push(other),
            }
        }
        if open.is_some() {
            field.push('\n');
            continue;
        }
        fields.push(std::mem::take(&mut field));
        records.push((started, std::mem::take(&mut fields)));
    }
    match open {
        Some(line) => Err(InputError::OpenQuote(line)),
        None => Ok(records),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, column: Option<&str>) -> Vec<String> {
        let column = column.map(|column| Column::parse(column).unwrap());
        match read_values(text, column.as_ref()) {
            Ok(lines) => lines
                .into_iter()
                .map(|line| {
                    let comment = line.comment.unwrap_or_default();
                    format!("{} {} | {comment}", line.number, line.text)
                })
                .collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn plain_text_keeps_comments_out() {
        let text = "\u{feff}# head\n\n203.0.113.9\t10\r\n203.0.113.0/24 ; SBL1\n; note\n// note\n  2001:db8::1 # odd\n[2001:db8::2]\n\"a b\", rest\n";
        insta::assert_snapshot!(shown(text, None).join("\n"), @r"
        3 203.0.113.9 | 10
        4 203.0.113.0/24 | SBL1
        7 2001:db8::1 | odd
        8 [2001:db8::2] | 
        9 a b | rest
        ");
    }

    #[test]
    fn ranges_in_two_columns_become_one_value() {
        let text = "192.0.2.1,192.0.2.9,\"Host, Inc.\",http://example.com\n192.0.2.20 - 192.0.2.30\n192.0.2.40 7\n192.0.2.1,192.0.2.9\n";
        insta::assert_snapshot!(shown(text, None).join("\n"), @r#"
        1 192.0.2.1-192.0.2.9 | "Host, Inc.",http://example.com
        2 192.0.2.20-192.0.2.30 | 
        3 192.0.2.40 | 7
        4 192.0.2.1,192.0.2.9 | 
        "#);
    }

    #[test]
    fn csv_by_name_and_by_number() {
        let text = "# made by hand\nname,IP\n\"Host, \"\"Inc\"\"\",192.0.2.1\n\"two\nlines\",192.0.2.2\nempty,\n";
        insta::assert_snapshot!(shown(text, Some("ip")).join("\n"), @r#"
        3 192.0.2.1 | Host, "Inc"
        4 192.0.2.2 | two
        lines
        "#);
        insta::assert_snapshot!(shown("x;192.0.2.1\ny;192.0.2.2\n", Some("2")).join("\n"), @"
        1 192.0.2.1 | x
        2 192.0.2.2 | y
        ");
        insta::assert_snapshot!(shown("name,address\n", Some("adress")).join("\n"), @"no column `adress`; the header has: name, address; did you mean `address`?");
        insta::assert_snapshot!(shown("a,b\nc\n", Some("2")).join("\n"), @"line 2 has 1 columns, so no column 2");
        insta::assert_snapshot!(shown("a,b\n\"c\nd", Some("1")).join("\n"), @"the quote that opens on line 2 never closes");
        assert_eq!(Column::parse("0"), Err(InputError::ColumnZero));
    }

    #[test]
    fn json_strings_and_objects() {
        assert_eq!(shown(" [\"a\", \" b \"]", None), ["1 a | ", "2 b | "]);
        assert_eq!(shown("[]", None), Vec::<String>::new());
        assert_eq!(
            shown("[{\"ip\":\"a\"}, \"b\"]", Some("ip")),
            ["1 a | ", "2 b | "]
        );
        insta::assert_snapshot!(shown("[{\"ip\":\"a\"}]", None).join("\n"), @"element 1 of the JSON array is not a string; name the member that holds the value with --column");
        insta::assert_snapshot!(shown("[{\"ip\":\"a\"}]", Some("address")).join("\n"), @"element 1 of the JSON array has no member `address`");
        assert!(shown("[\"a\",", None)[0].starts_with("not valid JSON"));
    }

    #[test]
    fn files_from_other_shells_decode() {
        assert_eq!(decode(b"\xff\xfea\x00\n\x00"), "a\n");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode(b"a\xff"), "a\u{fffd}");
    }

    #[test]
    fn arguments_name_their_source() {
        assert_eq!(ValueSource::parse("-"), ValueSource::Stdin);
        assert_eq!(ValueSource::parse("@x"), ValueSource::File("x".into()));
        assert_eq!(
            ValueSource::parse("@"),
            ValueSource::Literal("@".to_owned())
        );
    }

    proptest! {
        #[test]
        fn quoted_csv_fields_read_back(fields in prop::collection::vec("[a-z,;\" ]{0,8}x", 1..5)) {
            let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            let records = csv_records(&quoted.join(","), ',').unwrap();
            prop_assert_eq!(&records[0].1, &fields);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _plain = read_values(&text, None);
            let _csv = read_values(&text, Some(&Column::Number(1)));
        }
    }
}

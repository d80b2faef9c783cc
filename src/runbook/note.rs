//! What is wrong with a runbook, as data with its place in the file, and how that is shown.

use std::fmt::Write;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::event::bytes::BytesError;
use crate::event::cidr::CidrError;
use crate::event::country::{Country, CountryError};
use crate::event::duration::DurationError;
use crate::event::name::EventIdError;
use crate::event::phase::Phase;
use crate::event::text::printable;
use crate::event::time::WhenError;

/// How bad a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// The runbook cannot be used.
    Error,
    /// It can be, but is probably not what was meant.
    Warning,
}

/// One problem of a runbook and where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Note {
    pub(crate) severity: Severity,
    /// The key's path, arrays counted from 0: `waf.never-block[2].cidr`. Empty for the whole file.
    pub(crate) path: String,
    /// From 1; 0 while the place is not known.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    #[serde(rename = "message", serialize_with = "as_message")]
    pub(crate) problem: Problem,
    /// The known key or value that is nearest to what was written.
    pub(crate) nearest: Option<String>,
    /// The place in bytes, which the caret marks.
    #[serde(skip)]
    pub(crate) span: Range<usize>,
}

fn as_message<S: Serializer>(problem: &Problem, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(problem)
}

/// What is wrong; its text is a lower-case fragment.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("not valid TOML: {0}")]
    Syntax(String),
    #[error("unknown key `{0}`")]
    UnknownKey(String),
    #[error("expected {expected}, found {found}")]
    WrongType {
        expected: &'static str,
        found: &'static str,
    },
    #[error("missing key `{0}`")]
    Missing(String),
    #[error("`{found}` is none of: {}", allowed.join(", "))]
    NotOneOf { found: String, allowed: Vec<String> },
    #[error("format {0} is not known; this onair reads format 1")]
    Format(u32),
    #[error(transparent)]
    EventId(EventIdError),
    #[error(transparent)]
    Country(CountryError),
    #[error(transparent)]
    Cidr(CidrError),
    #[error("{0} has host bits set; taken as {1}")]
    HostBits(String, String),
    #[error(transparent)]
    When(WhenError),
    #[error(transparent)]
    Duration(DurationError),
    #[error("`{0}` is not an IANA time zone such as Europe/Vienna")]
    Zone(String),
    #[error("ends at {ends}, which is not after the start at {starts}")]
    EndsBeforeStart { starts: Timestamp, ends: Timestamp },
    #[error("doors open at {doors}, after the start at {starts}")]
    DoorsAfterStart { starts: Timestamp, doors: Timestamp },
    #[error("the start cannot be relative to itself; write a date and time")]
    RelativeStart,
    #[error("an account is 12 digits, in quotes")]
    Account,
    #[error("`{0}` does not look like a CloudFront id such as E2QWRUHAPOMQZL")]
    DistributionId(String),
    #[error("`{0}` is not a host name")]
    Domain(String),
    #[error("a sample path begins with `/`")]
    SamplePath,
    #[error("the {what} `{name}` is there twice")]
    Duplicate { what: &'static str, name: String },
    #[error("at least one is needed")]
    Empty,
    #[error("an allow list without countries would let nobody in")]
    AllowNobody,
    #[error("{country} ({}) must never be blocked, but this list blocks it", country.name())]
    NeverBlockBlocked { country: Country },
    #[error("{value} is not a prefix length from 1 to {longest}")]
    PrefixLength { value: u32, longest: u32 },
    #[error("a percentage is more than 0 and at most 100")]
    Percentage,
    #[error(
        "`{0}` is not a name that AWS takes: 1 to {1} letters, digits, hyphens and underscores"
    )]
    AwsName(String, usize),
    #[error(
        "a secret never stands in a runbook: write key = {{ env = \"NAME\" }}, {{ file = \"PATH\" }} or {{ secret = \"ARN\" }}"
    )]
    Plaintext,
    #[error("name exactly one of env, file and secret")]
    KeySources,
    #[error("opaque tokens have no claims; leave revocation-keys out")]
    OpaqueClaims,
    #[error("a ledger's store is a folder or s3://bucket/prefix")]
    Store,
    #[error("more than one operator, but the ledger is a folder that only this machine sees")]
    LocalLedger,
    #[error(
        "phase {later} begins at {at}, not after {earlier}, which comes before it: they overlap"
    )]
    PhasesOverlap {
        earlier: Phase,
        later: Phase,
        at: Timestamp,
    },
    #[error("`{0}` is not a command that changes things")]
    UnknownCommand(String),
    #[error(transparent)]
    Bytes(BytesError),
    #[error("write a number more than 0")]
    NotPositive,
    #[error("the shares add up to {0:.1}%; they should be 100%")]
    SharesNotWhole(f64),
    #[error("the shares add up to {0:.1}%, more than all")]
    SharesTooMuch(f64),
    #[error("`{0}` is not one of [[distributions]]")]
    UnknownDistribution(String),
    #[error("`{0}` is not a region such as eu-central-1")]
    Region(String),
    #[error("{found} cannot be a failover code; CloudFront takes {allowed}")]
    FailoverCode { found: u32, allowed: String },
    #[error("`{0}` is not a header's name: letters, digits and hyphens")]
    HeaderName(String),
    #[error("`{0}` is not an https:// URL")]
    Url(String),
    #[error("`{found}` is not {expected}")]
    Arn {
        found: String,
        expected: &'static str,
    },
    #[error("account {found} is not the runbook's, {expected}")]
    ForeignAccount { found: String, expected: String },
    #[error("write a number from {least} to {most}")]
    Range { least: u32, most: u32 },
    #[error(
        "`{0}` is not s3://bucket/prefix with a bucket of 3 to 63 lower-case letters, digits and hyphens; names with dots cannot take log deliveries"
    )]
    Bucket(String),
    #[error("`{0}` is not a field of real-time logs, and none of the groups default, cmcd, all")]
    LogField(String),
    #[error(
        "`{0}` is not a name that Athena takes unquoted: lower-case letters, digits and underscores"
    )]
    TableName(String),
    #[error("write at least 10 MB: Athena takes no lower limit")]
    ScanTooSmall,
    #[error("`{0}` is not a check's id such as origin.shield; `onair preflight --list` names them")]
    CheckId(String),
    #[error("expires at {expires}, before doors at {doors}: it will not hold when it matters")]
    WaiverEndsEarly {
        expires: Timestamp,
        doors: Timestamp,
    },
    #[error("`{0}` is not a state's code such as MA or US-MA")]
    State(String),
    #[error("`{found}` is in another country than {country}")]
    StateElsewhere { found: String, country: Country },
    #[error("{0} is kept out as a whole, so its states make no difference")]
    StatesOfBlocked(Country),
    #[error("`{0}` is not a metro code of three digits such as 506")]
    Metro(String),
    #[error("closes at {until}, which is not after it opens at {from}")]
    WindowOrder { from: Timestamp, until: Timestamp },
    #[error("reaches beyond the event and its grace, {opens} to {closes}")]
    WindowOutside { opens: Timestamp, closes: Timestamp },
    #[error("lets in and keeps out {country} at the same time as window `{other}`")]
    WindowsDisagree { country: Country, other: String },
    #[error("`{0}` is not one of AWS's managed rule groups; they begin with AWSManagedRules")]
    ManagedGroup(String),
    #[error("a rate window is 1m, 2m, 5m or 10m")]
    RateWindow,
    #[error("`{0}` is none of: path, query:NAME, cookie:NAME, header:NAME")]
    TokenSource(String),
    #[error("a path begins with `/`")]
    OpenPath,
    #[error("only JWTs have claims to name; leave it out")]
    ClaimOfOther,
    #[error("at most {0}")]
    AtMost(&'static str),
}

impl Note {
    /// An error at a path; its place is filled in by [`Note::placed`].
    pub(crate) fn error(path: impl Into<String>, problem: Problem) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            line: 0,
            column: 0,
            problem,
            nearest: None,
            span: 0..0,
        }
    }

    /// A warning at a path.
    pub(crate) fn warning(path: impl Into<String>, problem: Problem) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(path, problem)
        }
    }

    /// The same note with the nearest known word.
    pub(crate) fn nearest(self, nearest: Option<&str>) -> Self {
        Self {
            nearest: nearest.map(str::to_owned),
            ..self
        }
    }

    /// The same note at a place of the source, given in bytes.
    pub(crate) fn placed(self, source: &str, span: Range<usize>) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            ..self
        }
    }
}

/// Shows notes with file, line and a caret, in order of place.
///
/// Where a secret may have been written by mistake, the line is cut off before it.
pub(crate) fn render_notes(notes: &[Note], source: &str, file: &str) -> String {
    let mut sorted: Vec<&Note> = notes.iter().collect();
    sorted.sort_by_key(|note| (note.line, note.column));
    let mut shown = String::new();
    for note in sorted {
        write_note(&mut shown, note, source, file).expect("a String takes all text");
    }
    shown
}

fn write_note(
    shown: &mut String,
    note: &Note,
    source: &str,
    file: &str,
) -> Result<(), std::fmt::Error> {
    let severity = match note.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let gap = if note.path.is_empty() { "" } else { ": " };
    let text = note.problem.to_string();
    writeln!(
        shown,
        "{severity}: {}{gap}{}",
        printable(&note.path),
        printable(&text)
    )?;
    let margin = " ".repeat(note.line.to_string().len());
    writeln!(
        shown,
        "{margin}--> {}:{}:{}",
        printable(file),
        note.line,
        note.column
    )?;
    if let Some(line) = source.lines().nth(note.line.saturating_sub(1)) {
        let start = note.column.saturating_sub(1);
        let cut = uncut(note, line);
        let visible: String = line.chars().take(cut).collect();
        let visible = visible.replace('\t', " ");
        let hidden = if cut < line.chars().count() {
            "…"
        } else {
            ""
        };
        let marked = source.get(note.span.clone()).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        let room = visible.chars().count().saturating_sub(start);
        let carets = "^".repeat(marked.min(room).max(1));
        let indent = " ".repeat(
            printable(&visible.chars().take(start).collect::<String>())
                .chars()
                .count(),
        );
        writeln!(shown, "{margin} |")?;
        writeln!(
            shown,
            "{} | {}{hidden}",
            note.line,
            printable(visible.trim_end())
        )?;
        writeln!(shown, "{margin} | {indent}{carets}")?;
    }
    if let Some(nearest) = &note.nearest {
        writeln!(shown, "{margin} = did you mean `{}`?", printable(nearest))?;
    }
    shown.push('\n');
    Ok(())
}

/// How many characters of a line may be shown. A value that may be a secret is kept back: one
/// below `tokens.key`, one of an unknown key, and one in a line that no longer parses.
fn uncut(note: &Note, line: &str) -> usize {
    let all = line.chars().count();
    let first_equals = line
        .chars()
        .position(|character| character == '=')
        .map_or(all, |at| at + 1);
    match note.problem {
        Problem::UnknownKey(_) | Problem::Plaintext => first_equals,
        Problem::Syntax(_) if names_a_secret(line) => first_equals,
        _ if note.path.starts_with("tokens.key") => first_equals,
        _ => all,
    }
}

fn names_a_secret(line: &str) -> bool {
    let line = line.to_lowercase();
    ["key", "secret", "token", "password"]
        .iter()
        .any(|word| line.contains(word))
}

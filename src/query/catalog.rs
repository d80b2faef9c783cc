//! The catalog: each query with what its file's head says of it.
//!
//! A file begins with comment lines of the form `-- KEY: VALUE`:
//!
//! ```sql
//! -- name: top-addresses
//! -- purpose: Which addresses took the most bytes
//! -- about: how to read it, and what it cannot say; any number of such lines
//! -- parameter: least integer = 1000 -- requests from which on an address counts
//! -- needs: cmcd
//! ```
//!
//! A parameter is `NAME TYPE = DEFAULT -- WHAT`; types are in [`ParameterKind`]. `:since` and `:until`, the
//! window, are always there. `needs` names what a source must have for the query to say anything.

use std::path::{Path, PathBuf};

use onair_logs::schema::REQUESTS;

use super::parameters::{Parameter, ParameterKind};
use super::text::{self, TextError};

/// The names that every query has as parameters: the window's ends.
pub(crate) const WINDOW: [&str; 2] = ["since", "until"];

/// What a query needs of its source to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Players that send Common Media Client Data.
    Cmcd,
    /// The same, version 2.
    Cmcd2,
    /// Fields that real-time logs alone have.
    Realtime,
    /// The viewer's country.
    Country,
    /// The viewer's network.
    Network,
    /// What the edge function logs of the token: `viewer-request-log-data`.
    Token,
    /// The origin's latencies.
    Origin,
}

impl Need {
    const ALL: [Self; 7] = [
        Self::Cmcd,
        Self::Cmcd2,
        Self::Realtime,
        Self::Country,
        Self::Network,
        Self::Token,
        Self::Origin,
    ];

    /// As heads of files name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cmcd => "cmcd",
            Self::Cmcd2 => "cmcd2",
            Self::Realtime => "realtime",
            Self::Country => "country",
            Self::Network => "network",
            Self::Token => "token",
            Self::Origin => "origin",
        }
    }

    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Cmcd => "players that send CMCD",
            Self::Cmcd2 => "players that send CMCD version 2",
            Self::Realtime => "real-time logs (--source realtime)",
            Self::Country => "the field c-country",
            Self::Network => "the field asn",
            Self::Token => "the field viewer-request-log-data, which the edge function fills",
            Self::Origin => "the fields origin-fbl and origin-lbl",
        }
    }
}

/// Whose a query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is in this program.
    Shipped,
    /// The runbook's own, with its file.
    Own(PathBuf),
}

/// A query of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CatalogQuery {
    /// Kebab-case, unique.
    pub(crate) name: String,
    /// One line, without a period.
    pub(crate) purpose: String,
    /// How to read it and what it cannot say.
    pub(crate) about: Vec<String>,
    /// Its own; [`WINDOW`] is not among them.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) needs: Vec<Need>,
    /// The file whole, its head included.
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// Why a file is no query of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("line {line}: `{key}` is not a key of a query's head; keys are {}", KEYS.join(", "))]
    Key { line: usize, key: String },
    #[error("line {line}: {key} is told twice")]
    Twice { line: usize, key: &'static str },
    #[error("it has no line `-- {0}: …`")]
    Missing(&'static str),
    #[error("`{0}` is no name: small letters, digits and hyphens, and a letter first")]
    Name(String),
    #[error("line {line}: a parameter is `NAME TYPE = DEFAULT -- WHAT`: {why}")]
    Parameter { line: usize, why: String },
    #[error(
        "line {line}: `{need}` is nothing that a query can need; there are {}",
        needs()
    )]
    Need { line: usize, need: String },
    #[error("the parameter `{0}` is in the head and not in the text")]
    Unused(String),
    #[error(transparent)]
    Text(#[from] TextError),
}

const KEYS: [&str; 5] = ["name", "purpose", "about", "parameter", "needs"];

fn needs() -> String {
    Need::ALL.map(Need::name).join(", ")
}

impl CatalogQuery {
    /// Reads a file's text.
    pub(crate) fn parse(text: &str, origin: Origin) -> Result<Self, HeadError> {
        let mut head = Head::default();
        for (number, line) in text.lines().enumerate() {
            let Some(comment) = line.trim().strip_prefix("--") else {
                break;
            };
            head.take(number + 1, comment.trim())?;
        }
        let name = head.name.ok_or(HeadError::Missing("name"))?;
        if !is_name(&name) {
            return Err(HeadError::Name(name));
        }
        text::statement(text)?;
        let used = text::parameters(text)?;
        let known = |name: &str| {
            WINDOW.contains(&name) || head.parameters.iter().any(|known| known.name == name)
        };
        if let Some(unknown) = used.iter().find(|name| !known(name)) {
            return Err(TextError::UnknownParameter(unknown.clone()).into());
        }
        if let Some(unused) = head
            .parameters
            .iter()
            .find(|parameter| !used.contains(&parameter.name))
        {
            return Err(HeadError::Unused(unused.name.clone()));
        }
        Ok(Self {
            name,
            purpose: head.purpose.ok_or(HeadError::Missing("purpose"))?,
            about: head.about,
            parameters: head.parameters,
            needs: head.needs,
            text: text.to_owned(),
            origin,
        })
    }

    /// The query alone, without the head.
    pub(crate) fn statement(&self) -> &str {
        // It was found when the file was read.
        text::statement(&self.text).unwrap_or(&self.text)
    }

    /// The logical columns that it reads.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        columns(&self.text)
    }

    /// The parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }
}

/// The logical columns that a text names.
pub(crate) fn columns(text: &str) -> Vec<&'static str> {
    REQUESTS
        .iter()
        .map(|column| column.name)
        .filter(|name| text::names_column(text, name).unwrap_or(true))
        .collect()
}

#[derive(Default)]
struct Head {
    name: Option<String>,
    purpose: Option<String>,
    about: Vec<String>,
    parameters: Vec<Parameter>,
    needs: Vec<Need>,
}

impl Head {
    fn take(&mut self, line: usize, comment: &str) -> Result<(), HeadError> {
        if comment.is_empty() {
            return Ok(());
        }
        let unknown = |key: &str| HeadError::Key {
            line,
            key: crate::event::text::shortened(key, 40),
        };
        let (key, value) = comment.split_once(':').ok_or_else(|| unknown(comment))?;
        let value = value.trim();
        let once = |slot: &mut Option<String>, key| {
            if slot.is_some() {
                return Err(HeadError::Twice { line, key });
            }
            *slot = Some(value.to_owned());
            Ok(())
        };
        match key.trim() {
            "name" => once(&mut self.name, "name"),
            "purpose" => once(&mut self.purpose, "purpose"),
            "about" => {
                self.about.push(value.to_owned());
                Ok(())
            }
            "parameter" => {
                let parameter =
                    parameter(value).map_err(|why| HeadError::Parameter { line, why })?;
                if self
                    .parameters
                    .iter()
                    .any(|known| known.name == parameter.name)
                {
                    let why = format!("`{}` is there already", parameter.name);
                    return Err(HeadError::Parameter { line, why });
                }
                self.parameters.push(parameter);
                Ok(())
            }
            "needs" => {
                for need in value.split(',').map(str::trim) {
                    let known = Need::ALL.into_iter().find(|known| known.name() == need);
                    self.needs.push(known.ok_or_else(|| HeadError::Need {
                        line,
                        need: crate::event::text::shortened(need, 40),
                    })?);
                }
                Ok(())
            }
            other => Err(unknown(other)),
        }
    }
}

fn parameter(value: &str) -> Result<Parameter, String> {
    let (declared, about) = value
        .split_once(" -- ")
        .ok_or("what it is must follow ` -- `")?;
    let (named, default) = declared
        .split_once('=')
        .ok_or("every parameter has a default")?;
    let mut words = named.split_whitespace();
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err("a name and a type, then `=`".to_owned());
    };
    if !name.starts_with(|first: char| first.is_ascii_lowercase())
        || name
            .chars()
            .any(|one| !(one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_'))
    {
        return Err(format!("`{name}` is no name"));
    }
    if WINDOW.contains(&name) {
        return Err(format!("`{name}` is always there"));
    }
    let kind = ParameterKind::of_name(kind)?;
    let default = default.trim();
    kind.check(default)?;
    Ok(Parameter {
        name: name.to_owned(),
        kind,
        default: default.to_owned(),
        about: about.trim().to_owned(),
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 64
        && name
            .chars()
            .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
}

/// Why the runbook's own queries cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnError {
    #[error("{}: {source}", folder.display())]
    Folder {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: {source}", file.display())]
    File {
        file: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: {source}", file.display())]
    Head { file: PathBuf, source: HeadError },
    #[error("{}: {name} is in {} already", file.display(), other.display())]
    Twice {
        file: PathBuf,
        name: String,
        other: PathBuf,
    },
}

/// The queries that are in this program, sorted by name.
pub(crate) fn all() -> Vec<CatalogQuery> {
    SHIPPED
        .iter()
        .map(|text| {
            CatalogQuery::parse(text, Origin::Shipped)
                .expect("a test reads every file that is in the program")
        })
        .collect()
}

/// The same with the `.sql` files of a folder; one of these takes the place of a shipped query of its
/// name.
pub(crate) fn with_own(folder: Option<&Path>) -> Result<Vec<CatalogQuery>, OwnError> {
    let mut queries = all();
    let Some(folder) = folder else {
        return Ok(queries);
    };
    let unreadable = |source| OwnError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "sql") {
            files.push(path);
        }
    }
    files.sort();
    for file in files {
        let own = read(&file)?;
        match queries.iter_mut().find(|known| known.name == own.name) {
            Some(CatalogQuery {
                origin: Origin::Own(other),
                ..
            }) => {
                return Err(OwnError::Twice {
                    file,
                    name: own.name,
                    other: other.clone(),
                });
            }
            Some(shipped) => *shipped = own,
            None => queries.push(own),
        }
    }
    queries.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(queries)
}

/// Reads one file with a head.
pub(crate) fn read(file: &Path) -> Result<CatalogQuery, OwnError> {
    let text = std::fs::read_to_string(file).map_err(|source| OwnError::File {
        file: file.to_owned(),
        source,
    })?;
    CatalogQuery::parse(&text, Origin::Own(file.to_owned())).map_err(|source| OwnError::Head {
        file: file.to_owned(),
        source,
    })
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(include_str!(concat!("../../event-templates/queries/", $name, ".sql"))),*]
    };
}

const SHIPPED: &[&str] = shipped![
    "action-effect",
    "ad-manifests",
    "audience-by-minute",
    "bitrate-ladder",
    "cache-by-kind",
    "cost-drivers",
    "countries",
    "delivery-by-minute",
    "devices",
    "direct-to-origin",
    "edges",
    "errors-by-cause",
    "errors-by-minute",
    "event-experience",
    "event-minutes",
    "exits-before-start",
    "fault-window",
    "first-byte-by-country",
    "first-byte-by-edge",
    "first-byte-by-network",
    "origin-failovers",
    "peak-audience",
    "playback-by-minute",
    "rebuffering-by-network",
    "rights-by-country",
    "rows-by-minute",
    "shared-sessions",
    "shared-tokens",
    "startup",
    "top-addresses",
    "top-sessions",
    "viewer-journey",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CatalogQuery, HeadError> {
        CatalogQuery::parse(text, Origin::Shipped)
    }

    #[test]
    fn every_shipped_file_is_a_query() {
        let queries: Vec<CatalogQuery> = SHIPPED
            .iter()
            .map(|text| parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")))
            .collect();
        for query in &queries {
            assert!(!query.purpose.is_empty(), "{}", query.name);
            assert!(!query.purpose.ends_with('.'), "{}", query.name);
            assert!(
                text::names_column(&query.text, "requests").unwrap(),
                "{} reads the table",
                query.name
            );
            assert!(!query.columns().is_empty(), "{}", query.name);
        }
        let names: Vec<&str> = queries.iter().map(|query| query.name.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn files_and_names_agree() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("event-templates/queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let names: Vec<String> = all()
            .into_iter()
            .map(|query| format!("{}.sql", query.name))
            .collect();
        assert_eq!(files, names);
    }

    #[test]
    fn a_head_says_what_is_wrong_with_it() {
        let good = "-- name: a\n-- purpose: b\n";
        for (text, expected) in [
            ("SELECT 1", "it has no line `-- name: …`"),
            ("-- name: a\nSELECT 1", "it has no line `-- purpose: …`"),
            ("-- name: A b\n-- purpose: x\nSELECT 1", "`A b` is no name"),
            (&format!("{good}-- nmae: c\nSELECT 1"), "line 3: `nmae`"),
            (
                &format!("{good}-- name: c\nSELECT 1"),
                "line 3: name is told twice",
            ),
            (&format!("{good}SELECT :x"), "`:x` is not a parameter"),
            (
                &format!("{good}-- parameter: x integer = 1 -- w\nSELECT 1"),
                "the parameter `x` is in the head and not in the text",
            ),
            (
                &format!("{good}-- parameter: x integer = a -- w\nSELECT :x"),
                "`a` is no integer",
            ),
            (
                &format!("{good}-- parameter: x number = 1 -- w\nSELECT :x"),
                "`number` is no type",
            ),
            (
                &format!("{good}-- parameter: x integer -- w\nSELECT :x"),
                "every parameter has a default",
            ),
            (
                &format!("{good}-- needs: luck\nSELECT 1"),
                "`luck` is nothing that a query can need",
            ),
            (&format!("{good}DROP TABLE x"), "only a SELECT"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} for {text}");
        }
    }

    #[test]
    fn own_queries_come_beside_the_shipped_ones_or_in_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            std::fs::write(folder.path().join(file), text).unwrap();
        };
        write("mine.sql", "-- name: mine\n-- purpose: p\nSELECT 1");
        write("c.sql", "-- name: countries\n-- purpose: ours\nSELECT 1");
        write("notes.txt", "nothing");
        let queries = with_own(Some(folder.path())).unwrap();
        assert_eq!(queries.len(), all().len() + 1);
        let countries = queries.iter().find(|query| query.name == "countries");
        assert_eq!(countries.unwrap().purpose, "ours");
        write("again.sql", "-- name: mine\n-- purpose: p\nSELECT 1");
        assert!(matches!(
            with_own(Some(folder.path())),
            Err(OwnError::Twice { .. })
        ));
    }
}

//! Parameters of queries: what type each has, and the value that a word on the command line is.

use std::collections::BTreeSet;

use jiff::Timestamp;
use onair_logs::value::Value;

use super::port::{Window, civil};
use crate::event::text::{did_you_mean, shortened};
use crate::event::time::When;
use crate::runbook::model::GeoMode;
use crate::runbook::{GeoWindow, Runbook};

/// A text that stands for the runbook's countries with rights.
const RIGHTS: &str = "@rights";

/// What type a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    /// A time as operators write it, such as `ko+15m`.
    Timestamp,
    Integer,
    Double,
    Boolean,
    /// In single quotes where it is a default.
    Text,
    /// An action of the ledger, such as `jess-7`, or a time; it becomes the action's time.
    Action,
}

impl ParameterKind {
    const ALL: [Self; 6] = [
        Self::Timestamp,
        Self::Integer,
        Self::Double,
        Self::Boolean,
        Self::Text,
        Self::Action,
    ];

    /// As heads of files name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Action => "action",
        }
    }

    /// The type of that name.
    pub(crate) fn of_name(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| {
                format!(
                    "`{}` is no type; types are {}",
                    shortened(name, 40),
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }

    /// Whether a text can be a value of this type, as far as that is known before the event is.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let place = |_: &Moment| Ok(Timestamp::UNIX_EPOCH);
        self.value(text, place).map(|_| ())
    }

    /// The value that a text is. Times are placed by whoever knows the event and its ledger.
    pub(crate) fn value(
        self,
        text: &str,
        place: impl Fn(&Moment) -> Result<Timestamp, String>,
    ) -> Result<Value, String> {
        let wrong = |what: &str| format!("`{}` is no {what}", shortened(text, 60));
        match self {
            Self::Integer => text
                .parse()
                .map(Value::Integer)
                .map_err(|_| wrong("integer")),
            Self::Double => text
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
                .map(Value::Double)
                .ok_or_else(|| wrong("number")),
            Self::Boolean => match text {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err(format!("{}: true or false", wrong("boolean"))),
            },
            Self::Text => Ok(Value::Text(unquoted(text))),
            Self::Timestamp => {
                let when = When::parse(text).map_err(|error| error.to_string())?;
                place(&Moment::Time(when)).map(|at| Value::Timestamp(civil(at)))
            }
            Self::Action => {
                let moment = match When::parse(text) {
                    Ok(when) => Moment::Time(when),
                    Err(_) if is_action(text) => Moment::Action(text.to_owned()),
                    Err(error) => {
                        return Err(format!(
                            "{}, nor a time ({error})",
                            wrong("action of the ledger, such as jess-7")
                        ));
                    }
                };
                place(&moment).map(|at| Value::Timestamp(civil(at)))
            }
        }
    }
}

/// A time that is not placed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As operators write times.
    Time(When),
    /// When this action of the ledger was.
    Action(String),
}

/// A radio handle (`jess-7`) or an entry's id.
fn is_action(text: &str) -> bool {
    let is_handle = text.rsplit_once('-').is_some_and(|(who, number)| {
        !who.is_empty()
            && number.len() <= 6
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_handle || (text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A text in single quotes is what is between them; one without is itself.
fn unquoted(text: &str) -> String {
    text.strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .map_or_else(|| text.to_owned(), |inner| inner.replace("''", "'"))
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// As the text has it after the colon.
    pub(crate) name: String,
    pub(crate) kind: ParameterKind,
    /// As the head has it.
    pub(crate) default: String,
    /// What it is.
    pub(crate) about: String,
}

/// `NAME=VALUE`, as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Given {
    /// Parses `NAME=VALUE`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| format!("`{}` is not NAME=VALUE", shortened(text, 60)))?;
        Ok(Self {
            name: name.trim().trim_start_matches(':').replace('-', "_"),
            value: value.to_owned(),
        })
    }
}

/// Each parameter's value: as given, else its default.
pub(crate) fn values(
    parameters: &[Parameter],
    given: &[Given],
    place: impl Fn(&Moment) -> Result<Timestamp, String>,
) -> Result<Vec<(String, Value)>, String> {
    for one in given {
        if !parameters.iter().any(|known| known.name == one.name) {
            return Err(unknown(parameters, &one.name));
        }
    }
    parameters
        .iter()
        .map(|parameter| {
            // The last word counts, as with other options.
            let given = given.iter().rev().find(|one| one.name == parameter.name);
            let text = given.map_or(parameter.default.as_str(), |one| one.value.as_str());
            let value = parameter
                .kind
                .value(text, &place)
                .map_err(|why| format!("-p {}: {why}", parameter.name))?;
            Ok((parameter.name.clone(), value))
        })
        .collect()
}

/// The parameters of a text that says nothing of them: each that is given, its type told by its value. In
/// quotes it is a text.
pub(crate) fn inferred(text: &str, given: &[Given]) -> Result<Vec<Parameter>, String> {
    let mut parameters = Vec::new();
    for name in super::text::parameters(text).map_err(|error| error.to_string())? {
        if super::catalog::WINDOW.contains(&name.as_str()) {
            continue;
        }
        let Some(one) = given.iter().rev().find(|one| one.name == name) else {
            return Err(format!("`:{name}` has no value: -p {name}=VALUE"));
        };
        let kind = if one.value.parse::<i64>().is_ok() {
            ParameterKind::Integer
        } else if one.value.parse::<f64>().is_ok_and(f64::is_finite) {
            ParameterKind::Double
        } else if matches!(one.value.as_str(), "true" | "false") {
            ParameterKind::Boolean
        } else {
            ParameterKind::Text
        };
        parameters.push(Parameter {
            name,
            kind,
            default: String::new(),
            about: String::new(),
        });
    }
    Ok(parameters)
}

/// In place of `@rights` the runbook's countries with rights: `AT,DE`, or `!IT` for all but Italy; without
/// a runbook nothing, which is all. They are those of the whole `window`; where the runbook changes them
/// within it, they are those of its list, and the windows that change them are returned.
pub(crate) fn put_rights(
    values: &mut [(String, Value)],
    runbook: Option<&Runbook>,
    window: Option<Window>,
) -> Vec<String> {
    let asked: Vec<&mut Value> = values
        .iter_mut()
        .map(|(_, value)| value)
        .filter(|value| **value == Value::Text(RIGHTS.to_owned()))
        .collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let spans = match (runbook, window) {
        (Some(runbook), Some(window)) => timed_rights(runbook, window),
        _ => Vec::new(),
    };
    let countries = match (&spans[..], runbook) {
        ([span], _) => span.countries.clone(),
        (_, runbook) => runbook.map(rights).unwrap_or_default(),
    };
    for value in asked {
        *value = Value::Text(countries.clone());
    }
    if spans.len() < 2 {
        return Vec::new();
    }
    let open: BTreeSet<String> = spans.into_iter().flat_map(|span| span.open).collect();
    open.into_iter().collect()
}

fn rights(runbook: &Runbook) -> String {
    let Some(geo) = &runbook.geo else {
        return String::new();
    };
    let codes: Vec<&str> = geo.countries.iter().map(|country| country.code()).collect();
    as_text(geo.mode, &codes)
}

fn as_text(mode: GeoMode, codes: &[&str]) -> String {
    match mode {
        // Nothing would be all; this is no country's code.
        GeoMode::Allow if codes.is_empty() => "-".to_owned(),
        GeoMode::Allow => codes.join(","),
        GeoMode::Block => format!("!{}", codes.join(",")),
    }
}

/// A time in which the same countries have rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimedRights {
    pub(crate) time: Window,
    /// The runbook's windows that are open, by name.
    pub(crate) open: Vec<String>,
    /// As a query's parameter has them.
    pub(crate) countries: String,
}

/// Cuts a window where the runbook's windows of rights begin and end. In one piece, where none does
/// within it and none is open.
pub(crate) fn timed_rights(runbook: &Runbook, window: Window) -> Vec<TimedRights> {
    let Some(geo) = &runbook.geo else {
        return Vec::new();
    };
    let edges = geo.windows.iter().flat_map(|one| [one.from, one.until]);
    let mut edges: BTreeSet<Timestamp> = edges
        .filter(|at| window.from < *at && *at < window.until)
        .collect();
    edges.extend([window.from, window.until]);
    let edges: Vec<Timestamp> = edges.into_iter().collect();
    edges
        .windows(2)
        .map(|piece| {
            let time = Window {
                from: piece[0],
                until: piece[1],
            };
            let open: Vec<&GeoWindow> = geo
                .windows
                .iter()
                .filter(|one| one.from <= time.from && time.until <= one.until)
                .collect();
            let mut listed: BTreeSet<&str> =
                geo.countries.iter().map(|country| country.code()).collect();
            for one in &open {
                for country in &one.countries {
                    if one.mode == geo.mode {
                        listed.insert(country.code());
                    } else {
                        listed.remove(country.code());
                    }
                }
            }
            TimedRights {
                time,
                open: open.iter().map(|one| one.name.clone()).collect(),
                countries: as_text(geo.mode, &listed.into_iter().collect::<Vec<_>>()),
            }
        })
        .collect()
}

fn unknown(parameters: &[Parameter], name: &str) -> String {
    let shown = shortened(name, 40);
    if super::catalog::WINDOW.contains(&name) {
        return format!("`{name}` is the window: --{name}");
    }
    let names: Vec<&str> = parameters.iter().map(|known| known.name.as_str()).collect();
    if names.is_empty() {
        return format!("there is no parameter `{shown}`: this query has none");
    }
    let meant = did_you_mean(name, names.iter().copied());
    let meant = meant.map_or("; this".to_owned(), |near| {
        format!("; did you mean `{near}`? This")
    });
    let there: Vec<String> = parameters
        .iter()
        .map(|known| format!("{} ({})", known.name, known.kind.name()))
        .collect();
    format!(
        "there is no parameter `{shown}`{meant} query has {}",
        there.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_change_where_a_window_of_the_runbook_begins_and_ends() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/cup-final.toml");
        let runbook = crate::runbook::load(&path).unwrap().runbook;
        let window = |from: &str, until: &str| Window {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        // Italy has rights, but for the ceremony, from 21:00 UTC on.
        let early = window("2026-06-14T17:00:00Z", "2026-06-14T18:00:00Z");
        let spans = timed_rights(&runbook, early);
        assert_eq!(spans.len(), 1);
        assert_eq!((spans[0].time, spans[0].open.len()), (early, 0));
        let whole = window("2026-06-14T14:00:00Z", "2026-06-15T00:30:00Z");
        let told: Vec<(String, usize, bool)> = timed_rights(&runbook, whole)
            .into_iter()
            .map(|span| {
                let has_italy = span.countries.split(',').any(|code| code == "IT");
                (span.time.from.to_string(), span.open.len(), has_italy)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("2026-06-14T14:00:00Z".to_owned(), 0, true),
                ("2026-06-14T21:00:00Z".to_owned(), 1, false),
                ("2026-06-14T22:30:00Z".to_owned(), 0, true),
            ]
        );
        let mut none = runbook.clone();
        let geo = none.geo.as_mut().unwrap();
        geo.countries.retain(|country| country.code() == "IT");
        assert_eq!(timed_rights(&none, whole)[1].countries, "-");
        let geo = none.geo.as_mut().unwrap();
        geo.mode = GeoMode::Block;
        geo.windows[0].mode = GeoMode::Allow;
        let spans = timed_rights(&none, whole);
        assert_eq!((&*spans[0].countries, &*spans[1].countries), ("!IT", "!"));
    }

    fn parameter(name: &str, kind: ParameterKind, default: &str) -> Parameter {
        Parameter {
            name: name.to_owned(),
            kind,
            default: default.to_owned(),
            about: "x".to_owned(),
        }
    }

    fn known() -> Vec<Parameter> {
        vec![
            parameter("addresses", ParameterKind::Integer, "3"),
            parameter("countries", ParameterKind::Text, "'AT,DE'"),
            parameter("at", ParameterKind::Action, "ko"),
        ]
    }

    fn place(moment: &Moment) -> Result<Timestamp, String> {
        match moment {
            Moment::Time(_) => Ok("2026-06-14T18:00:00Z".parse().unwrap()),
            Moment::Action(name) if name == "jess-7" => Ok("2026-06-14T18:20:00Z".parse().unwrap()),
            Moment::Action(name) => Err(format!("no {name}")),
        }
    }

    fn ask(given: &[&str]) -> Result<Vec<(String, Value)>, String> {
        let given: Vec<Given> = given.iter().map(|one| Given::parse(one).unwrap()).collect();
        values(&known(), &given, place)
    }

    #[test]
    fn given_values_take_the_place_of_defaults() {
        let time = |text: &str| Value::Timestamp(text.parse().unwrap());
        let found = ask(&["addresses=5", "at=jess-7", "addresses=6"]).unwrap();
        let found: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
        assert_eq!(
            found,
            [
                Value::Integer(6),
                Value::Text("AT,DE".to_owned()),
                time("2026-06-14T18:20:00")
            ]
        );
    }

    #[test]
    fn wrong_names_and_types_say_which_there_are() {
        for (given, expected) in [
            (
                "adresses=5",
                "there is no parameter `adresses`; did you mean `addresses`? This query has addresses (integer), countries (text), at (action)",
            ),
            (
                "zzz=1",
                "there is no parameter `zzz`; this query has addresses",
            ),
            ("since=1", "`since` is the window: --since"),
            ("addresses=many", "-p addresses: `many` is no integer"),
            (
                "at=!",
                "is no action of the ledger, such as jess-7, nor a time",
            ),
            ("at=mary-9", "-p at: no mary-9"),
        ] {
            let error = ask(&[given]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Given::parse("=5").is_err());
        assert!(Given::parse("five").is_err());
    }

    #[test]
    fn a_text_keeps_what_it_holds() {
        let given = ask(&["countries='; DROP TABLE x --"]).unwrap();
        assert_eq!(given[1].1, Value::Text("'; DROP TABLE x --".to_owned()));
    }
}

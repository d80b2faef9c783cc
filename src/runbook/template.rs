//! New runbooks from templates or from an earlier event: the text is copied with its comments, and
//! only the values that are the new event's own are put in.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::event::duration::compact;
use crate::event::name::EventId;
use crate::event::text::did_you_mean;
use crate::event::time::When;
use crate::runbook::resolved::Event;

/// The account of the templates, which is nobody's.
pub(crate) const PLACEHOLDER_ACCOUNT: &str = "111122223333";
/// How the distribution ids of the templates begin.
pub(crate) const PLACEHOLDER_DISTRIBUTION: &str = "E1EXAMPLE";

/// A starting point that comes with onair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    /// One line for lists.
    pub(crate) summary: &'static str,
    pub(crate) text: &'static str,
}

/// Every template, in order of name.
pub(crate) const TEMPLATES: &[Template] = &[
    Template {
        name: "global-concert",
        summary: "everyone may watch, but for a block list of countries",
        text: include_str!("../../event-templates/global-concert.toml"),
    },
    Template {
        name: "pay-per-view-fight",
        summary: "one paid viewer, one session: tokens enforced and revocable",
        text: include_str!("../../event-templates/pay-per-view-fight.toml"),
    },
    Template {
        name: "regional-sports-home-game",
        summary: "one country, rights by region, a stadium that must not be blocked",
        text: include_str!("../../event-templates/regional-sports-home-game.toml"),
    },
];

/// A name that no template has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no template `{name}`{}; there are: {}",
    nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default(),
    TEMPLATES.iter().map(|template| template.name).collect::<Vec<_>>().join(", ")
)]
pub(crate) struct TemplateError {
    name: String,
    nearest: Option<&'static str>,
}

/// Finds a template by name.
pub(crate) fn template(name: &str) -> Result<&'static Template, TemplateError> {
    TEMPLATES
        .iter()
        .find(|template| template.name == name)
        .ok_or_else(|| TemplateError {
            name: name.to_owned(),
            nearest: did_you_mean(name, TEMPLATES.iter().map(|template| template.name)),
        })
}

/// What is the new event's own. What is not given stays as it was.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) id: EventId,
    pub(crate) name: Option<String>,
    /// The start as written in a runbook, absolute.
    pub(crate) starts: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) account: Option<String>,
}

/// Writes the new event's values into the text of a sound runbook; `earlier` is that runbook's
/// event. Its id is replaced in the names of what onair makes and keeps for an event; whatever else
/// there is by a name stays ([`kept`] says what). Other absolute times become relative to kickoff, so
/// that they move along. Comments and order stay.
pub(crate) fn fill(text: &str, earlier: &Event, new: &NewEvent) -> String {
    let Ok(document) = DeTable::parse(text) else {
        return text.to_owned();
    };
    let mut values = Vec::new();
    collect(document.get_ref(), "", &mut values);
    let account = values
        .iter()
        .find(|(path, ..)| path == "aws.account")
        .map(|(_, _, account)| account.clone());
    let mut filled = text.to_owned();
    // From the end, so that the earlier places stay where they are.
    values.sort_by_key(|(_, span, _)| std::cmp::Reverse(span.start));
    for (path, span, value) in values {
        let replaced = match path.as_str() {
            "event.id" => Some(new.id.to_string()),
            "event.name" => new.name.clone(),
            "event.starts" => new.starts.clone(),
            "event.zone" => new.zone.clone(),
            "aws.account" => new.account.clone(),
            "event.ends" | "event.doors" => relative(&value, earlier),
            "phases.from" | "geo.windows.from" | "geo.windows.until" | "waivers.expires" => {
                relative(&value, earlier)
            }
            _ => {
                // Resources named by ARN are the new event's in its own account.
                let moved = account
                    .as_deref()
                    .zip(new.account.as_deref())
                    .and_then(|(from, to)| renamed(&value, from, to));
                let of_account = moved.as_deref().unwrap_or(&value);
                own_name(&path, of_account, earlier.id.as_str(), new.id.as_str()).or(moved)
            }
        };
        if let Some(replaced) = replaced {
            filled.replace_range(span, &toml::Value::String(replaced).to_string());
        }
    }
    filled
}

/// Names of what onair makes under any name that the runbook gives.
const MADE: [&str; 2] = ["athena.workgroup", "dashboard.name"];

/// The new event's name of what the earlier one had for itself: what onair makes, and the event's folder
/// in a bucket. None for what it only uses, such as a web ACL, a distribution, a channel or a bucket:
/// that has its name whatever the event is called.
fn own_name(path: &str, value: &str, earlier: &str, new: &str) -> Option<String> {
    if let Some((bucket, folder)) = value
        .strip_prefix("s3://")
        .and_then(|place| place.split_once('/'))
    {
        return renamed(folder, earlier, new).map(|folder| format!("s3://{bucket}/{folder}"));
    }
    if path == "athena.database" {
        // Names of databases have no hyphens.
        let plain = |id: &str| id.replace('-', "_");
        return renamed(value, &plain(earlier), &plain(new));
    }
    let is_made = value.starts_with("onair-") || MADE.contains(&path);
    is_made.then(|| renamed(value, earlier, new)).flatten()
}

/// What a filled text still has of the earlier event's id: path and value, in the order of the text.
pub(crate) fn kept(text: &str, earlier: &EventId) -> Vec<(String, String)> {
    let Ok(document) = DeTable::parse(text) else {
        return Vec::new();
    };
    let mut values = Vec::new();
    collect(document.get_ref(), "", &mut values);
    values.sort_by_key(|(_, span, _)| span.start);
    values
        .into_iter()
        .filter(|(path, _, value)| {
            path != "event.id" && renamed(value, earlier.as_str(), "").is_some()
        })
        .map(|(path, _, value)| (path, value))
        .collect()
}

/// The text with its waivers as comments: who accepted a risk did so for the earlier event.
pub(crate) fn without_waivers(text: &str) -> String {
    let mut shorter = String::with_capacity(text.len());
    let mut inside = false;
    let mut told = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            inside = line.starts_with("[[waivers]]");
        }
        if inside && !line.trim().is_empty() && !line.starts_with('#') {
            if !told {
                shorter.push_str("# Accepted for the earlier event, and not for this one:\n");
                told = true;
            }
            shorter.push_str("# ");
        }
        shorter.push_str(line);
    }
    shorter
}

/// Every text and time of a document with its path and place.
fn collect(table: &DeTable<'_>, path: &str, values: &mut Vec<(String, Range<usize>, String)>) {
    for (key, value) in table {
        let path = format!("{path}{}", key.get_ref());
        collect_value(value, path, values);
    }
}

fn collect_value(
    value: &Spanned<DeValue<'_>>,
    path: String,
    values: &mut Vec<(String, Range<usize>, String)>,
) {
    match value.get_ref() {
        DeValue::String(text) => values.push((path, value.span(), text.clone().into_owned())),
        DeValue::Datetime(datetime) => values.push((path, value.span(), datetime.to_string())),
        DeValue::Table(table) => collect(table, &format!("{path}."), values),
        DeValue::Array(elements) => {
            for element in elements {
                collect_value(element, path.clone(), values);
            }
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {}
    }
}

/// An absolute time counted from kickoff; none for one that is relative already.
fn relative(value: &str, earlier: &Event) -> Option<String> {
    let when = When::parse(value).ok()?;
    if matches!(when, When::Relative(..)) {
        return None;
    }
    let at = when.resolve(&earlier.times(), earlier.starts).ok()?;
    let offset = at.duration_since(earlier.starts);
    Some(match offset.signum() {
        0 => "ko".to_owned(),
        -1 => format!("ko-{}", compact(offset.abs())),
        _ => format!("ko+{}", compact(offset)),
    })
}

/// The text with the earlier id replaced where it stands as a word; none when it does not.
fn renamed(value: &str, earlier: &str, new: &str) -> Option<String> {
    let is_word = |character: char| character.is_ascii_alphanumeric();
    let mut renamed = String::new();
    let mut rest = value;
    let mut found = false;
    while let Some(at) = rest.find(earlier) {
        let (before, after) = (&rest[..at], &rest[at + earlier.len()..]);
        renamed.push_str(before);
        if before.ends_with(is_word) || after.starts_with(is_word) {
            renamed.push_str(earlier);
        } else {
            renamed.push_str(new);
            found = true;
        }
        rest = after;
    }
    renamed.push_str(rest);
    found.then_some(renamed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::runbook::load::parse;

    fn new_event() -> NewEvent {
        NewEvent {
            id: EventId::parse("derby-2027").unwrap(),
            name: Some("The \"Derby\"".to_owned()),
            starts: Some("2027-03-06 15:00".to_owned()),
            zone: Some("Europe/London".to_owned()),
            account: Some("444455556666".to_owned()),
        }
    }

    #[test]
    fn every_template_is_clean_as_it_is_and_filled_in() {
        for template in TEMPLATES {
            let path = Path::new("runbooks/derby-2027.toml");
            let loaded = parse(template.text, path)
                .unwrap_or_else(|error| panic!("{}:\n{}", template.name, error.details()));
            assert_eq!(loaded.notes, [], "{}", template.name);
            assert_eq!(loaded.runbook.event.id.as_str(), template.name);
            let filled = fill(template.text, &loaded.runbook.event, &new_event());
            let loaded = parse(&filled, path)
                .unwrap_or_else(|error| panic!("{}:\n{}", template.name, error.details()));
            assert_eq!(loaded.notes, [], "{}", template.name);
            let event = &loaded.runbook.event;
            assert_eq!(event.name, "The \"Derby\"");
            assert_eq!(event.starts.to_string(), "2027-03-06T15:00:00Z");
            assert_eq!(loaded.runbook.aws.account, "444455556666");
            assert!(!filled.contains(&format!("{}\"", template.name)));
            let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
            assert_eq!(comments(&filled), comments(template.text));
        }
    }

    #[test]
    fn absolute_times_of_an_earlier_event_move_along() {
        let text = include_str!("../../runbooks/cup-final.toml");
        let loaded = parse(text, Path::new("runbooks/cup-final.toml")).unwrap();
        let earlier = &loaded.runbook.event;
        let filled = fill(text, earlier, &new_event());
        let loaded = parse(&filled, Path::new("runbooks/derby-2027.toml")).unwrap();
        let later = &loaded.runbook.event;
        let lasts = |event: &Event| event.ends.duration_since(event.starts);
        assert_eq!(lasts(later), lasts(earlier));
        // What onair makes is the new event's, and so is its folder for the ledger.
        for own in [
            "database = \"derby_2027\"",
            "\"onair-derby-2027\"",
            "s3://example-onair-ledgers/derby-2027",
        ] {
            assert!(filled.contains(own), "{own}: {filled}");
        }
        // What it only uses keeps its name.
        for foreign in [
            "web-acl = \"cup-final-viewers\"",
            "channelGroup/cup-final/channel/main",
            "playbackConfiguration/cup-final",
            "s3://example-cup-final-logs/access",
            "manifest = \"/cup-final/master.m3u8\"",
        ] {
            assert!(filled.contains(foreign), "{foreign}: {filled}");
        }
        let kept = kept(&filled, &earlier.id);
        assert!(
            kept.contains(&("waf.web-acl".to_owned(), "cup-final-viewers".to_owned())),
            "{kept:?}"
        );
    }

    #[test]
    fn waivers_of_an_earlier_event_become_comments() {
        let text = include_str!("../../runbooks/cup-final.toml");
        let shorter = without_waivers(text);
        let loaded = parse(&shorter, Path::new("runbooks/cup-final.toml")).unwrap();
        assert_eq!(loaded.runbook.waivers, []);
        assert!(shorter.contains("# [[waivers]]\n# check = \"workflow.drm-license\"\n"));
        let next = "[targets]\n";
        assert_eq!(shorter.contains(next), text.contains(next));
    }

    #[test]
    fn ids_are_replaced_as_words_alone() {
        let cup = |value: &str| renamed(value, "cup", "derby");
        assert_eq!(cup("s3://b/cup").as_deref(), Some("s3://b/derby"));
        assert_eq!(cup("onair-cup-block").as_deref(), Some("onair-derby-block"));
        assert_eq!(cup("hiccup, cups"), None);
    }

    #[test]
    fn an_unknown_template_is_answered_with_the_list() {
        insta::assert_snapshot!(template("global-concrt").unwrap_err(), @"there is no template `global-concrt`, did you mean `global-concert`?; there are: global-concert, pay-per-view-fight, regional-sports-home-game");
    }
}

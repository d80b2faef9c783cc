//! `onair token list`: who is revoked, by the ledger and by the key value store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::commands::change::key_value;
use crate::commands::{end_value, header, until_words};
use crate::context::Session;
use crate::error::Failure;
use crate::event::text::shortened;
use crate::event::time;
use crate::ledger::view::Standing;
use crate::plan::keys::standing_keys;
use crate::render::{Answer, Sheet};
use crate::token::{RevocationKey, is_revoked, is_setting};

/// List who is revoked: by whom, why, until when, and whether the edge has it
///
/// Keys that are in the store and not in the ledger are shown as someone else's, and what the ledger
/// has and the store lacks as missing.
///
/// Example: onair token list -o csv
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only revocations by this claim
    #[arg(long, value_name = "CLAIM")]
    by: Option<String>,
}

/// What the store says of one key.
struct Held {
    state: &'static str,
    until: Option<Timestamp>,
}

impl Held {
    fn of(value: Option<&String>, wanted: Option<&str>, now: Timestamp) -> Self {
        let until = value
            .and_then(|value| value.parse().ok())
            .and_then(|at| Timestamp::from_second(at).ok());
        let state = match (value, wanted) {
            (None, _) => "missing",
            (Some(value), _) if !is_revoked(value, now) => "ended",
            (Some(value), Some(wanted)) if value != wanted => "other-end",
            (Some(_), _) => "in-force",
        };
        Self { state, until }
    }

    fn words(&self, session: &Session) -> String {
        let zone = &session.runbook.event.zone;
        match (self.state, self.until) {
            ("missing", _) => "MISSING in the store".to_owned(),
            ("ended", _) => "ended".to_owned(),
            ("not-looked-up", _) => "NOT LOOKED UP: refuses nobody".to_owned(),
            ("other-end", Some(at)) => format!("in force, but until {}", time::local(at, zone)),
            ("other-end", None) => "in force, with a value that is no time".to_owned(),
            _ => "in force".to_owned(),
        }
    }
}

pub(super) async fn list(args: &ListArgs, session: &Session) -> Result<Answer, Failure> {
    let looked_up = super::claims_of(super::tokens_of(session)?);
    let (read, values) = futures_util::join!(session.read_ledger(), store_values(session));
    let (read, values) = (read?, values?);
    let view = read.view;
    let state = session.state(&view);
    let now = session.clock.now();
    let end_of = key_value(session, &view);
    let asked = standing_keys(&view);
    // The store has one end for a key: the latest that an entry asks for.
    let latest = |key: &str| {
        asked
            .get(key)
            .into_iter()
            .flatten()
            .map(|(end, _, _)| end_of(*end))
            .max_by_key(|text| text.parse::<i64>().unwrap_or(i64::MAX))
    };
    let wanted_claim = |claim: &str| args.by.as_ref().is_none_or(|by| by == claim);
    let mut sheet = Sheet::new(&[
        "entry",
        "claim",
        "value",
        "by",
        "until",
        "at the edge",
        "reason",
    ]);
    let mut entries = Vec::new();
    let mut missing = 0;
    for change in view.open() {
        for (ask, standing) in view
            .keys(change)
            .into_iter()
            .filter(|(ask, _)| wanted_claim(&ask.claim))
        {
            let mut held = Held::of(values.get(&ask.key), latest(&ask.key).as_deref(), now);
            if held.state == "in-force" && !looked_up.contains(&ask.claim) {
                held.state = "not-looked-up";
            }
            missing += usize::from(held.state == "missing" && standing == Standing::Open);
            let intent = change.intent();
            entries.push(json!({
                "entry": change.name(),
                "id": change.id().to_string(),
                "claim": ask.claim,
                "value": ask.shown,
                "key": ask.key,
                "operator": change.operator(),
                "since": change.at().to_string(),
                "until": end_value(intent.end),
                "reason": intent.reason,
                "already-there": ask.already_there.is_some(),
                "standing": format!("{standing:?}").to_lowercase(),
                "store": held.state,
                "store-until": held.until.map(|at| at.to_string()),
                "drift": false,
            }));
            sheet.push([
                change.name(),
                ask.claim.clone(),
                ask.shown.clone(),
                change.operator().to_owned(),
                until_words(session, &state, intent.end),
                held.words(session),
                intent.reason.clone().unwrap_or_default(),
            ]);
        }
    }
    let foreign: Vec<(&String, &String)> = values
        .iter()
        .filter(|(key, _)| !asked.contains_key(*key))
        .collect();
    let mut drift = 0;
    for (key, value) in foreign {
        let (claim, shown) = fields(key);
        if !wanted_claim(&claim) {
            continue;
        }
        drift += 1;
        let held = Held::of(Some(value), None, now);
        entries.push(foreign_entry(key, &claim, &shown, &held));
        sheet.push(foreign_row(session, claim, shown, &held));
    }
    let mut text = header(session, &state, None);
    if sheet.is_empty() {
        text.push_str("nobody is revoked\n");
    } else {
        text.push_str(&sheet.table(session.ui().width()));
    }
    if missing > 0 {
        text.push_str(&format!(
            "{missing} in the ledger and missing in the store: revoking them again puts them back\n"
        ));
    }
    if drift > 0 {
        text.push_str(&format!(
            "{drift} not in the ledger, kept: `onair token restore CLAIM:VALUE` removes one\n"
        ));
    }
    let data = json!({ "entries": entries, "store": session.store_name()?, "missing": missing, "not-in-the-ledger": drift });
    Ok(Answer::new("token list", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet))
}

/// The event's keys of the store; another event's are none of our business.
async fn store_values(session: &Session) -> Result<BTreeMap<String, String>, Failure> {
    let found = crate::observe::find_store(&session.cloud, session.store_name()?).await?;
    let mut values = session.cloud.store_items(&found.arn).await?;
    let prefix = RevocationKey::prefix(session.runbook.event.id.as_str());
    let event = session.runbook.event.id.as_str();
    values.retain(|key, _| key.starts_with(&prefix) && !is_setting(event, key));
    Ok(values)
}

/// Claim and value of a key, safe to show.
fn fields(key: &str) -> (String, String) {
    let mut fields = key.splitn(3, ':').skip(1);
    let claim = fields.next().unwrap_or_default();
    let value = fields.next().unwrap_or_default();
    (shortened(claim, 80), shortened(value, 80))
}

fn foreign_row(session: &Session, claim: String, shown: String, held: &Held) -> [String; 7] {
    let until = held.until.map_or_else(
        || "not known".to_owned(),
        |at| format!("until {}", time::local(at, &session.runbook.event.zone)),
    );
    [
        "—".to_owned(),
        claim,
        shown,
        "someone else".to_owned(),
        until,
        held.words(session),
        "not in the ledger".to_owned(),
    ]
}

fn foreign_entry(key: &str, claim: &str, shown: &str, held: &Held) -> Value {
    json!({
        "entry": null,
        "id": null,
        "claim": claim,
        "value": shown,
        "key": shortened(key, 520),
        "operator": null,
        "since": null,
        "until": held.until.map(|at| at.to_string()),
        "reason": "not in the ledger",
        "already-there": true,
        "standing": null,
        "store": held.state,
        "store-until": held.until.map(|at| at.to_string()),
        "drift": true,
    })
}

//! `onair dashboard diff`: the stored dashboard against the runbook, widget by widget.

use serde_json::{Value, json};

use super::{stored, wanted};
use crate::context::Session;
use crate::dashboard::merge::{self, Comparison, Edits, Kind};
use crate::error::{Exit, Failure};
use crate::event::text::printable;
use crate::render::{Answer, Sheet};

const COMMAND: &str = "dashboard diff";

/// Show how the stored dashboard differs from the runbook
///
/// Widgets are compared in three ways: as onair made them, as they are, and as they should be. So what
/// somebody changed by hand is told from what the runbook changed. Exit 3 when something differs.
///
/// Example: onair dashboard diff
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {}

pub(super) async fn run(_args: &DiffArgs, session: &Session) -> Result<Answer, Failure> {
    let read = session.read_ledger().await?;
    let state = session.state(&read.view);
    let wanted = wanted(session, &read.view, &state)?;
    let stored = stored(&session.cloud, &wanted.name).await?;
    let comparison = merge::compare(
        stored.as_ref().map(|(_, value)| value),
        &wanted.body,
        Edits::Keep,
    );
    let is_there = stored.is_some();
    let text = format!(
        "{}{}",
        crate::commands::header(session, &state, None),
        words(&wanted.name, is_there, &comparison)
    );
    let mut data = data(&wanted.name, &comparison);
    data["exists"] = json!(is_there);
    let answer = Answer::new(COMMAND, data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet(&comparison));
    let differs = comparison.is_pending || comparison.marks_behind || has_edits(&comparison);
    if !differs {
        return Ok(answer);
    }
    let message = format!("dashboard {} differs from the runbook", wanted.name);
    let mut answer = answer.exiting(Exit::Difference, "difference", &message);
    if comparison.is_pending || comparison.marks_behind {
        answer
            .hints
            .push("bring it up to date: onair dashboard apply".to_owned());
    }
    if has_edits(&comparison) {
        answer.hints.push(
            "what was changed by hand is kept; to undo it: onair dashboard apply --discard-edits"
                .to_owned(),
        );
    }
    Ok(answer)
}

/// Whether a hand changed one of our widgets.
pub(super) fn has_edits(comparison: &Comparison) -> bool {
    let mut differences = comparison.differences.iter();
    differences.any(|one| matches!(one.kind, Kind::Edited | Kind::Deleted))
}

pub(super) fn data(name: &str, comparison: &Comparison) -> Value {
    let widgets: Vec<Value> = comparison
        .differences
        .iter()
        .map(|one| {
            json!({
                "widget": printable(&one.widget),
                "difference": one.kind,
                "pending": one.is_pending,
                "fields": one.fields,
            })
        })
        .collect();
    json!({
        "dashboard": name,
        "pending": comparison.is_pending || comparison.marks_behind,
        "widgets": widgets,
        "annotations-behind": comparison.marks_behind,
        "edits-known": comparison.has_record,
    })
}

fn kind_words(kind: Kind, is_pending: bool) -> &'static str {
    match (kind, is_pending) {
        (Kind::Missing, _) => "missing, will be added",
        (Kind::Outdated, _) => "not as the runbook has it, will be changed",
        (Kind::Obsolete, _) => "no more wanted, will be removed",
        (Kind::Edited, true) => "changed by hand, WILL BE UNDONE",
        (Kind::Edited, false) => "changed by hand, kept",
        (Kind::Deleted, true) => "removed by hand, WILL BE ADDED AGAIN",
        (Kind::Deleted, false) => "removed by hand, left out",
        (Kind::Foreign, _) => "somebody's own, kept",
    }
}

/// The differences for people.
pub(super) fn words(name: &str, is_there: bool, comparison: &Comparison) -> String {
    if !is_there {
        let count = comparison.merged["widgets"].as_array().map_or(0, Vec::len);
        return format!("dashboard {name} is not there; it would have {count} widgets\n");
    }
    let mut text = String::new();
    for one in &comparison.differences {
        let kind = kind_words(one.kind, one.is_pending);
        text.push_str(&format!("{}: {kind}\n", printable(&one.widget)));
        for field in &one.fields {
            let side =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            text.push_str(&format!(
                "    {}: {} → {}\n",
                field.path,
                side(&field.stored),
                side(&field.wanted)
            ));
        }
    }
    if !comparison.has_record {
        text.push_str(
            "the dashboard does not say how onair made it: what differs is taken for a hand's work\n",
        );
    }
    if comparison.marks_behind {
        text.push_str("the annotations are behind the ledger\n");
    }
    if !comparison.is_pending && !comparison.marks_behind && !has_edits(comparison) {
        text.push_str(&format!("dashboard {name} is as the runbook has it\n"));
    }
    text
}

pub(super) fn sheet(comparison: &Comparison) -> Sheet {
    let mut sheet = Sheet::new(&["widget", "difference", "field", "stored", "wanted"]);
    for one in &comparison.differences {
        let kind = kind_words(one.kind, one.is_pending).to_owned();
        if one.fields.is_empty() {
            let empty = String::new;
            sheet.push([one.widget.clone(), kind, empty(), empty(), empty()]);
            continue;
        }
        for field in &one.fields {
            sheet.push([
                one.widget.clone(),
                kind.clone(),
                field.path.clone(),
                field.stored.clone().unwrap_or_default(),
                field.wanted.clone().unwrap_or_default(),
            ]);
        }
    }
    sheet
}

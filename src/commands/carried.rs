//! Changes carried out from the ledger, without a new decision: those that were cut off are
//! finished, those whose end has come are ended. Shared by `tend`, `ledger resume` and `event close`.

use serde_json::{Value, json};

use super::change::{self, Basis, Finished};
use super::undo::taking_back;
use super::{dashboard, provision};
use crate::apply::Resource;
use crate::cloud::Approved;
use crate::context::Session;
use crate::error::{Exit, Failure};
use crate::ledger::EntryId;
use crate::ledger::body::{Body, Intent, Kind, Part, Verdict, What};
use crate::ledger::view::{Change, View};
use crate::plan::change::empty_intent;
use crate::plan::geo::Wish;
use crate::plan::meant::Meant;
use crate::plan::windows;
use crate::runbook::GeoWindow;

/// What was done with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Its end came, and it ended.
    Ended,
    /// It had been cut off, and was finished.
    Resumed,
    /// It follows the event's end, which moved.
    Extended,
    /// A window of the runbook, whose time has come.
    Opened,
}

/// One change that was carried out.
pub(crate) struct Carried {
    pub(crate) deed: Deed,
    /// The entry that was carried out: the cut-off one, or the new one that ends others.
    pub(crate) id: EntryId,
    pub(crate) name: String,
    pub(crate) summary: String,
    /// The changes that it ends.
    pub(crate) ends: Vec<Target>,
    /// Why an end did not go back to what was before.
    pub(crate) notes: Vec<String>,
    pub(crate) finished: Finished,
}

/// A change that another one is about.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) id: EntryId,
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) summary: String,
}

impl Target {
    pub(crate) fn of(change: &Change) -> Self {
        Self {
            id: *change.id(),
            name: change.name(),
            operator: change.operator().to_owned(),
            summary: change.intent().summary.clone(),
        }
    }

    pub(crate) fn data(&self) -> Value {
        json!({ "entry": self.name, "id": self.id.to_string(), "operator": self.operator, "summary": self.summary })
    }
}

impl Deed {
    fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Resumed => "resumed",
            Self::Extended => "extended",
            Self::Opened => "opened",
        }
    }
}

impl Carried {
    pub(crate) fn is_done(&self) -> bool {
        self.finished.exit == Exit::Done
    }

    pub(crate) fn data(&self) -> Value {
        json!({
            "action": self.deed.word(),
            "entry": self.name,
            "id": self.id.to_string(),
            "summary": self.summary,
            "result": self.finished.outcome.result,
            "changed": self.finished.changed(),
            "ends": self.ends.iter().map(Target::data).collect::<Vec<_>>(),
            "outcomes": self.finished.outcome.parts,
            "error": self.finished.outcome.error,
            "notes": self.notes,
        })
    }

    /// What happened, in one line.
    pub(crate) fn line(&self) -> String {
        let how = match self.finished.outcome.result {
            Verdict::Applied if self.finished.changed() => "done".to_owned(),
            Verdict::Applied => "as meant already".to_owned(),
            Verdict::Partly => {
                format!("partly done · finish it: onair ledger resume {}", self.name)
            }
            Verdict::Unknown => {
                format!("not known · find it out: onair ledger resume {}", self.name)
            }
            Verdict::Failed => "not done".to_owned(),
        };
        let error = self
            .finished
            .outcome
            .error
            .as_ref()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default();
        let notes: Vec<&str> = std::iter::once("")
            .chain(self.notes.iter().map(String::as_str))
            .collect();
        let notes = notes.join(" · ");
        format!(
            "{} {}: {} · {how}{error}{notes}",
            self.deed.word(),
            self.name,
            self.summary
        )
    }
}

/// What carrying out several changes came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) carried: Vec<Carried>,
    /// What kept the rest from being tried.
    pub(crate) failure: Option<Failure>,
}

impl Tally {
    pub(crate) fn extend(&mut self, other: Self) {
        self.carried.extend(other.carried);
        self.failure = self.failure.take().or(other.failure);
    }

    pub(crate) fn changed(&self) -> bool {
        self.carried.iter().any(|one| one.finished.changed())
    }

    /// The gravest exit, with its code and message.
    pub(crate) fn exit(&self) -> (Exit, String, String) {
        let mut exit = Exit::Done;
        let mut error = (String::new(), String::new());
        for one in &self.carried {
            let graver = exit.or_graver(one.finished.exit);
            if graver != exit {
                exit = graver;
                error = one.finished.error();
            }
        }
        if let Some(failure) = &self.failure
            && exit.or_graver(failure.exit) != exit
        {
            exit = failure.exit;
            error = (failure.code.clone(), failure.message.clone());
        }
        (exit, error.0, error.1)
    }
}

/// Finishes `change`, which was cut off. What is as meant already is left alone.
pub(crate) async fn resume(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
) -> Result<Carried, Failure> {
    again(session, basis, approved, change, Deed::Resumed).await
}

/// Carries `change` out once more, because what it means has moved with the event's end.
pub(crate) async fn extend(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
) -> Result<Carried, Failure> {
    again(session, basis, approved, change, Deed::Extended).await
}

async fn again(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
    deed: Deed,
) -> Result<Carried, Failure> {
    let finished = if provision::is_provisioning(change) {
        provision::carry_on(session, basis, approved, change).await?
    } else if dashboard::is_drawing(change) {
        dashboard::carry_on(session, basis, approved, change).await?
    } else {
        let resources = change::resources_of(session, &basis.view, change)?;
        change::finish_again(session, approved, change, &resources, &basis.state).await?
    };
    Ok(Carried {
        deed,
        id: *change.id(),
        name: change.name(),
        summary: change.intent().summary.clone(),
        ends: Vec::new(),
        notes: Vec::new(),
        finished,
    })
}

/// Ends the changes `due`: in one entry where that can be, so that a hundred ends are one update.
pub(crate) async fn end(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    command: &str,
    due: &[&Change],
) -> Tally {
    let mut tally = Tally::default();
    for (intent, targets) in endings(&basis.view, due, command, basis.now) {
        if session.ui().interrupt().is_requested() {
            tally.failure = Some(Failure::interrupted());
            return tally;
        }
        match carry(session, basis, approved, &intent, targets, Deed::Ended).await {
            Ok(carried) => tally.carried.push(carried),
            Err(failure) => {
                tally.failure = Some(failure);
                return tally;
            }
        }
    }
    tally
}

/// Opens the runbook's windows whose time has come and that nobody has opened yet.
pub(crate) async fn open_windows(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
) -> Tally {
    let mut tally = Tally::default();
    if basis.state.closed_at.is_some() {
        // After the event nothing temporary is put up any more.
        return tally;
    }
    for window in windows::due(&basis.view, &session.runbook, basis.now) {
        if session.ui().interrupt().is_requested() {
            tally.failure = Some(Failure::interrupted());
            return tally;
        }
        let opened = match session
            .ledger
            .claim_window(&windows::key(window), basis.now)
            .await
        {
            // A colleague is opening it at this moment.
            Ok(false) => continue,
            Ok(true) => open_window(session, basis, approved, window).await,
            Err(error) => Err(Failure::failed("ledger.write", "claim a window").caused_by(&error)),
        };
        match opened {
            Ok(carried) => tally.carried.push(carried),
            Err(failure) => {
                tally.failure = Some(failure);
                return tally;
            }
        }
    }
    tally
}

async fn open_window(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    window: &GeoWindow,
) -> Result<Carried, Failure> {
    let mut intent = windows::opening(&session.runbook, window, basis.now);
    change::mark_countries(session, &basis.view, &mut intent).await;
    carry(session, basis, approved, &intent, Vec::new(), Deed::Opened).await
}

/// What an end leaves as the change had it, since the runbook says so by now.
fn runbook_notes(
    session: &Session,
    view: &View,
    id: &EntryId,
    resources: &[Resource],
) -> Vec<String> {
    let meant = Meant::of(&session.runbook);
    resources
        .iter()
        .filter_map(|resource| match resource {
            Resource::Distribution {
                id: distribution,
                name,
            } => Some(Wish::of(view, id, distribution, &meant).notes(name)),
            Resource::IpSet { .. } | Resource::Store { .. } | Resource::WebAcl { .. } => None,
        })
        .flatten()
        .collect()
}

/// Writes an intent down and carries it out, without asking.
async fn carry(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    intent: &Intent,
    ends: Vec<Target>,
    deed: Deed,
) -> Result<Carried, Failure> {
    let (view, draft) = basis.view.with_draft(intent, basis.now, &basis.operator);
    let resources = match view.get(&draft) {
        Some(change) => change::resources_of(session, &view, change)?,
        None => Vec::new(),
    };
    let notes = runbook_notes(session, &view, &draft, &resources);
    let (entry, _) = change::write_intent(session, intent, false).await?;
    let handle = match session.ledger.claim_handle(&basis.operator, entry.id).await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::debug!(%error, "no handle");
            None
        }
    };
    let known = crate::apply::Known::default();
    let finished =
        change::finish(session, approved, &entry, &resources, known, &basis.state).await?;
    let Body::Intent(written) = &entry.body else {
        unreachable!("an intent was written");
    };
    Ok(Carried {
        deed,
        id: entry.id,
        name: handle.unwrap_or_else(|| entry.id.to_string()),
        summary: written.summary.clone(),
        ends,
        notes,
        finished,
    })
}

/// The intents that end `due`: one that closes all that can be closed, and one for each change that
/// only lifted something for a time and is taken back.
pub(crate) fn endings(
    view: &View,
    due: &[&Change],
    command: &str,
    now: jiff::Timestamp,
) -> Vec<(Intent, Vec<Target>)> {
    let (lifting, closing): (Vec<&Change>, Vec<&Change>) =
        due.iter().copied().partition(|change| lifts(view, change));
    let mut endings = Vec::new();
    if !closing.is_empty() {
        let targets: Vec<Target> = closing.iter().map(|change| Target::of(change)).collect();
        let mut intent = empty_intent(command, &summary(&targets), Kind::End, now);
        intent.reason = Some("its end has come".to_owned());
        intent.closes = closing
            .iter()
            .map(|change| Part {
                entry: *change.id(),
                what: What::All,
            })
            .collect();
        endings.push((intent, targets));
    }
    for change in lifting {
        let targets = vec![Target::of(change)];
        let mut empty = empty_intent(command, &summary(&targets), Kind::End, now);
        empty.reason = Some("its end has come".to_owned());
        endings.push((taking_back(change, empty), targets));
    }
    endings
}

/// Whether the end of `change` brings back what it lifted: it opened nothing, or it turned
/// countries that an earlier entry still has the other way.
fn lifts(view: &View, change: &Change) -> bool {
    let intent = change.intent();
    intent.opens.is_empty()
        || (!intent.closes.is_empty()
            && intent.opens.prefixes.is_empty()
            && intent.opens.keys.is_empty()
            && intent.opens.rules.is_empty()
            && intent.opens.settings.is_empty()
            && intent
                .closes
                .iter()
                .all(|part| view.get(&part.entry).is_some()))
}

fn summary(targets: &[Target]) -> String {
    match targets {
        [one] => format!("END {}: {}", one.name, one.summary),
        many => {
            let names: Vec<&str> = many.iter().take(5).map(|one| one.name.as_str()).collect();
            let more = if many.len() > 5 { " …" } else { "" };
            format!("END {} entries: {}{more}", many.len(), names.join(" "))
        }
    }
}

//! `onair token keys`: the signing keys that the gate knows, rotated with an overlap.
//!
//! A secret comes from an environment variable, a file or a hidden prompt, goes into the store, and
//! nowhere else: plans, entries and answers have the key's id and a fingerprint.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::signing_key::KeyArgs;
use crate::cloud::{Approved, CloudError};
use crate::commands::change::{self, Basis};
use crate::commands::header;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::human;
use crate::event::time;
use crate::ledger::body::{Body, Kind, Outcome, PartOutcome, Verdict};
use crate::ledger::view::View;
use crate::plan::change::empty_intent;
use crate::render::{Answer, Sheet};
use crate::token::{Key, KeySet, KeyState, keys_key, log_key_key};
use crate::ui::Question;

/// Attempts under optimistic locking: another writer's change of the store makes ours read again.
const MOST_ATTEMPTS: u32 = 8;

/// Rotate the signing keys that the gate at the edge knows
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeysCommand {
    Status(StatusArgs),
    Add(AddArgs),
    Promote(PromoteArgs),
    Retire(RetireArgs),
}

/// Show the signing keys: id, state, since when, by whom, and a fingerprint
///
/// The fingerprint is eight characters of a digest: enough to compare two places by, and nothing to
/// sign with.
///
/// Example: onair token keys status
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

/// Add a signing key: the edges take tokens made with it from now on
///
/// The first key is the current one, every further one the next. The secret comes from --key-env,
/// --key-file, or a hidden prompt (or standard input). Then: wait until the edges have it, let the issuer sign with
/// it, `promote` it here, and `retire` the old one when its last tokens have expired.
///
/// Example: onair token keys add 2026-07-b --key-env NEXT_SIGNING_KEY
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The key's id: what tokens have as `kid`
    kid: String,
    #[command(flatten)]
    key: KeyArgs,
}

/// Make the next key the current one; the current one becomes the previous one
///
/// Tokens of both pass. Nothing changes for viewers: it says whom the issuer signs for now.
///
/// Example: onair token keys promote 2026-07-b
#[derive(Debug, clap::Args)]
pub(crate) struct PromoteArgs {
    /// The key's id
    kid: String,
}

/// Take a previous or next key out of the store: its tokens are refused from now on
///
/// Do it when the longest token that was made with it has expired.
///
/// Example: onair token keys retire 2026-07-a --confirm cup-final
#[derive(Debug, clap::Args)]
pub(crate) struct RetireArgs {
    /// The key's id
    kid: String,
}

/// The command's name as in the contract.
pub(super) fn name(command: &KeysCommand) -> &'static str {
    match command {
        KeysCommand::Status(_) => "token keys status",
        KeysCommand::Add(_) => "token keys add",
        KeysCommand::Promote(_) => "token keys promote",
        KeysCommand::Retire(_) => "token keys retire",
    }
}

pub(super) async fn run(command: &KeysCommand, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    super::tokens_of(&session)?;
    let step = match command {
        KeysCommand::Status(_) => return status(&session).await,
        KeysCommand::Add(args) => {
            let key = if args.key.is_named() {
                args.key.require(&session.runbook, context)?.key
            } else {
                let text = context.ui.read_secret("signing key")?;
                if text.trim().is_empty() {
                    return Err(Failure::new(
                        Exit::Usage,
                        "key.missing",
                        "there is no key: the prompt or standard input was empty",
                    )
                    .hint(format!(
                        "onair token keys add {} --key-env NAME, or --key-file FILE",
                        args.kid
                    )));
                }
                Key::from_text(&SecretString::from(text)).map_err(|error| {
                    Failure::new(Exit::Usage, "key.malformed", "the key cannot be used")
                        .because(error)
                })?
            };
            Step::Add(args.kid.clone(), key)
        }
        KeysCommand::Promote(args) => Step::Promote(args.kid.clone()),
        KeysCommand::Retire(args) => Step::Retire(args.kid.clone()),
    };
    rotate(&session, &step, name(command)).await
}

/// The store as it is: its ARN, version and keys.
struct Stored {
    arn: String,
    etag: String,
    keys: KeySet,
    has_log_key: bool,
}

async fn stored(session: &Session) -> Result<Stored, Failure> {
    let event = session.runbook.event.id.as_str();
    let found = crate::observe::find_store(&session.cloud, session.store_name()?).await?;
    let wanted = [keys_key(event), log_key_key(event)];
    let mut read = crate::observe::store(&session.cloud, &found.arn, &wanted).await?;
    let keys = match read.values.remove(&wanted[0]) {
        None => KeySet::default(),
        Some(text) => KeySet::parse(&SecretString::from(text)).map_err(|error| {
            Failure::failed("keys.malformed", &error).hint("onair token keys status")
        })?,
    };
    Ok(Stored {
        arn: found.arn,
        etag: read.etag,
        keys,
        has_log_key: read.values.contains_key(&wanted[1]),
    })
}

async fn status(session: &Session) -> Result<Answer, Failure> {
    let (read, stored) = futures_util::join!(session.read_ledger(), stored(session));
    let (view, stored) = (read?.view, stored?);
    let state = session.state(&view);
    let mut sheet = Sheet::new(&["kid", "state", "since", "by", "fingerprint"]);
    let mut text = header(session, &state, None);
    let mut listed = Vec::new();
    for (kid, key) in stored.keys.iter() {
        let since = key
            .since
            .and_then(|second| jiff::Timestamp::from_second(second).ok());
        let when = since.map_or_else(
            || "since when is not known".to_owned(),
            |at| format!("since {}", time::local(at, &session.runbook.event.zone)),
        );
        let by = changed_by(&view, kid).unwrap_or_else(|| "not in the ledger".to_owned());
        text.push_str(&format!(
            "  {kid} · {} · {when} · {by} · fingerprint {}\n",
            key.state.word(),
            key.fingerprint()
        ));
        sheet.push([
            kid.to_owned(),
            key.state.word().to_owned(),
            since.map(|at| at.to_string()).unwrap_or_default(),
            by.clone(),
            key.fingerprint(),
        ]);
        listed.push(json!({
            "kid": kid,
            "state": key.state.word(),
            "since": since.map(|at| at.to_string()),
            "by": by,
            "fingerprint": key.fingerprint(),
        }));
    }
    if listed.is_empty() {
        text.push_str("no signing keys: the gate can prove no token\n  onair token keys add KID --key-env NAME\n");
    } else if stored.keys.current().is_none() {
        text.push_str("  no key is the current one\n");
    }
    let data = json!({
        "keys": listed,
        "store": session.store_name()?,
        "log-key": stored.has_log_key,
    });
    Ok(Answer::new("token keys status", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet))
}

/// Who changed a key last.
fn changed_by(view: &View, kid: &str) -> Option<String> {
    let change = view.changes().iter().rev().find(|change| {
        let intent = change.intent();
        intent.command.starts_with("token keys ")
            && intent.summary.split(' ').any(|word| word == kid)
    })?;
    Some(format!("{} ({})", change.operator(), change.name()))
}

/// One step of a rotation.
enum Step {
    Add(String, Key),
    Promote(String),
    Retire(String),
}

impl Step {
    fn kid(&self) -> &str {
        match self {
            Self::Add(kid, _) | Self::Promote(kid) | Self::Retire(kid) => kid,
        }
    }

    /// The keys after it, and the change in words.
    fn take(&self, keys: &KeySet, now: jiff::Timestamp) -> Result<(KeySet, String), Failure> {
        let mut after = keys.clone();
        let done = match self {
            Self::Add(kid, key) => after.add(kid, key, now).map(|state| match state {
                KeyState::Current => format!("ADD signing key {kid} as the current one"),
                _ => format!("ADD signing key {kid} as the next one"),
            }),
            Self::Promote(kid) => after
                .promote(kid, now)
                .map(|()| format!("PROMOTE signing key {kid} to the current one")),
            Self::Retire(kid) => after
                .retire(kid)
                .map(|()| format!("RETIRE signing key {kid} and refuse its tokens")),
        };
        let words = done.and_then(|words| after.to_value().map(|_| words));
        words.map(|words| (after, words)).map_err(|error| {
            Failure::new(Exit::Refused, "guard.impossible", &error).hint("onair token keys status")
        })
    }
}

async fn rotate(session: &Session, step: &Step, command: &'static str) -> Result<Answer, Failure> {
    let basis = change::basis(session, false).await?;
    let before = stored(session).await?;
    let (after, summary) = step.take(&before.keys, basis.now)?;
    let mut text = header(session, &basis.state, Some(&basis.operator));
    text.push_str(&format!("{summary}\n"));
    for (kid, key) in after.iter() {
        text.push_str(&format!(
            "  {kid} · {} · fingerprint {}\n",
            key.state.word(),
            key.fingerprint()
        ));
    }
    if let (Step::Retire(kid), Some(since)) = (step, since(&before.keys, step.kid(), basis.now)) {
        text.push_str(&format!(
            "  {kid} left its place {since} ago: no token of it may live longer\n"
        ));
    }
    let mut data = json!({
        "pending": true,
        "kid": step.kid(),
        "summary": summary,
        "keys": after.iter().map(|(kid, key)| json!({
            "kid": kid,
            "state": key.state.word(),
            "fingerprint": key.fingerprint(),
        })).collect::<Vec<_>>(),
    });
    let head = session.head(Some(&basis.state), Some(&basis.operator));
    if session.options().dry_run {
        text.push_str("dry run: nothing was changed\n");
        return Ok(Answer::new(command, data, text).with_head(head).exiting(
            Exit::Difference,
            "difference",
            "a run without --dry-run would change this",
        ));
    }
    let event = session.runbook.event.id.to_string();
    let question = match step {
        Step::Retire(_) => Question::Typed(event.clone()),
        Step::Add(..) | Step::Promote(_) => Question::Yes,
    };
    let answers = &session.options().answers;
    let asked = session.ui().is_interactive() && !answers.yes && answers.confirm.is_none();
    if asked {
        session.ui().say(text.trim_end());
    }
    let approved = session
        .ui()
        .approve(&question, answers, &[event])
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(data.clone());
            if !asked {
                failure.text = Some(text.clone());
            }
            failure
        })?;
    if asked {
        text.clear();
    }
    let _writing = session.ui().interrupt().writing();
    let name = write_down_and_apply(session, &basis, step, command, &summary, &approved).await?;
    data["pending"] = json!(false);
    data["entry"] = json!({ "name": name });
    text.push_str(&format!("  ✓ done · {name} is in the ledger\n"));
    let mut answer = Answer::new(command, data, text).with_head(head);
    answer.changed = true;
    Ok(answer)
}

fn since(keys: &KeySet, kid: &str, now: jiff::Timestamp) -> Option<String> {
    let (_, key) = keys.iter().find(|(known, _)| *known == kid)?;
    let at = jiff::Timestamp::from_second(key.since?).ok()?;
    Some(human(now.duration_since(at)))
}

/// The intent, the write, the outcome; returns the entry's name.
async fn write_down_and_apply(
    session: &Session,
    basis: &Basis<'_>,
    step: &Step,
    command: &'static str,
    summary: &str,
    approved: &Approved,
) -> Result<String, Failure> {
    let deadline = basis
        .now
        .saturating_add(jiff::SignedDuration::from_secs(90))
        .unwrap_or(basis.now);
    let mut intent = empty_intent(command, summary, Kind::Change, deadline);
    intent.reason.clone_from(&session.options().reason);
    intent.end = crate::ledger::body::End::Never;
    let entry = session
        .ledger
        .append(Body::Intent(Box::new(intent)))
        .await
        .map_err(|error| {
            Failure::failed(
                "ledger.write",
                "write the intent to the ledger; nothing was changed",
            )
            .caused_by(&error)
        })?;
    let handle = session
        .ledger
        .claim_handle(&basis.operator, entry.id)
        .await
        .ok()
        .flatten();
    let (writes, written) = write(session, step, approved).await;
    let error = written
        .as_ref()
        .err()
        .map(|failure| failure.message.clone());
    let result = match &written {
        Ok(()) => Verdict::Applied,
        Err(failure) if failure.exit == Exit::Partly => Verdict::Unknown,
        Err(_) => Verdict::Failed,
    };
    let outcome = Outcome {
        intent: entry.id,
        result,
        error: error.clone(),
        made: Vec::new(),
        removed: Vec::new(),
        parts: vec![PartOutcome {
            resource: format!("key-value-store {}", session.store_name()?),
            result,
            changed: written.is_ok(),
            writes,
            added: written
                .is_ok()
                .then(|| summary.to_owned())
                .into_iter()
                .collect(),
            removed: Vec::new(),
            merged: Vec::new(),
            already_there: Vec::new(),
            before: None,
            after: None,
            error,
        }],
    };
    if let Err(error) = session.ledger.append_or_spool(Body::Outcome(outcome)).await {
        session.ui().warn(&format!(
            "the outcome could not be written to the ledger ({error})"
        ));
    }
    written?;
    Ok(handle.unwrap_or_else(|| entry.id.to_string()))
}

/// Writes the keys under the version that they were read with, again when someone else wrote.
async fn write(session: &Session, step: &Step, approved: &Approved) -> (u32, Result<(), Failure>) {
    let event = session.runbook.event.id.as_str();
    let mut writes = 0;
    loop {
        let read = match stored(session).await {
            Ok(read) => read,
            Err(failure) => return (writes, Err(failure)),
        };
        let value = match step
            .take(&read.keys, session.clock.now())
            .map(|(after, _)| after.to_value())
        {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                return (
                    writes,
                    Err(Failure::new(Exit::Refused, "guard.impossible", &error)),
                );
            }
            // Our own write landed although its answer said otherwise.
            Err(_) if writes > 0 && step.is_done(&read.keys) => return (writes, Ok(())),
            Err(failure) => return (writes, Err(failure)),
        };
        let mut puts = vec![(keys_key(event), value.expose_secret().to_owned())];
        if !read.has_log_key {
            puts.push((log_key_key(event), crate::token::random_key()));
        }
        writes += 1;
        match session
            .cloud
            .update_store(approved, &read.arn, &read.etag, &puts, &[])
            .await
        {
            Ok(_) => return (writes, Ok(())),
            Err(
                CloudError::Conflict { .. }
                | CloudError::Throttled { .. }
                | CloudError::Lost { .. }
                | CloudError::Server { .. },
            ) if writes < MOST_ATTEMPTS => {
                let pause = std::time::Duration::from_millis(200 * u64::from(writes));
                session.clock.wait(pause.mul_f64(fastrand::f64())).await;
            }
            Err(error) => return (writes, Err(error.into())),
        }
    }
}

impl Step {
    /// Whether the keys are as this step leaves them.
    fn is_done(&self, keys: &KeySet) -> bool {
        let state = keys
            .iter()
            .find(|(kid, _)| *kid == self.kid())
            .map(|(_, key)| key.state);
        match self {
            Self::Add(_, key) => keys.id_of(key) == Some(self.kid()),
            Self::Promote(_) => state == Some(KeyState::Current),
            Self::Retire(_) => state.is_none(),
        }
    }
}

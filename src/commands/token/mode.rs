//! `onair token mode`: what the gate does with its refusals, changed at the edge without a redeploy.

use serde_json::json;

use crate::commands::change::{self, Basis, Intention, Needs, Seen};
use crate::commands::{header, until_words};
use crate::context::{Context, Session};
use crate::edge::gate::mode_word;
use crate::error::Failure;
use crate::event::duration::Lasting;
use crate::event::text::shortened;
use crate::ledger::body::{Kind, SettingAsk};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, View};
use crate::plan::change::{Draft, empty_intent};
use crate::render::{Answer, Sheet};
use crate::runbook::{TokenFormat, TokenMode, Tokens};
use crate::token::{KeySet, keys_key, mode_key};

/// Show or set what the gate at the edge does: off, log or enforce
///
/// Off looks at no token, log writes down what it would refuse, enforce refuses. The mode is a key of
/// the event's key value store, so that it is at the edges within seconds. Without --for it stays;
/// with it, what was before returns by itself (`onair tend`). Until it is set the runbook's counts.
///
/// Example: onair token mode log --for 30m -m "players fail after the update"
#[derive(Debug, clap::Args)]
pub(crate) struct ModeArgs {
    /// off, log or enforce; nothing: show it
    #[arg(value_parser = mode)]
    mode: Option<TokenMode>,
}

fn mode(word: &str) -> Result<TokenMode, String> {
    [TokenMode::Off, TokenMode::Log, TokenMode::Enforce]
        .into_iter()
        .find(|mode| mode_word(*mode) == word)
        .ok_or_else(|| "a mode is off, log or enforce".to_owned())
}

pub(super) async fn run(args: &ModeArgs, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    match args.mode {
        Some(wanted) => change::run(&session, &SetMode { wanted }).await,
        None => show(&session).await,
    }
}

/// The mode that the store has, if it has one.
pub(crate) async fn stored(session: &Session) -> Result<Option<String>, Failure> {
    let found = crate::observe::find_store(&session.cloud, session.store_name()?).await?;
    let key = mode_key(session.runbook.event.id.as_str());
    Ok(session.cloud.store_item(&found.arn, &key).await?)
}

/// The mode that counts, and whose it is.
pub(crate) struct InForce<'a> {
    pub(crate) mode: TokenMode,
    /// What the runbook says.
    pub(crate) runbook: TokenMode,
    /// The open change that set it.
    pub(crate) change: Option<&'a Change>,
    /// Who set it and until when, in words.
    pub(crate) whose: String,
}

/// The mode that counts with this value in the store: one that is no mode leaves it to the runbook.
pub(crate) fn in_force<'a>(
    session: &Session,
    state: &EventState,
    view: &'a View,
    tokens: &Tokens,
    stored: Option<&str>,
) -> InForce<'a> {
    let valid = stored.and_then(|word| mode(word).ok());
    let key = mode_key(session.runbook.event.id.as_str());
    let by = view.open().filter(|change| {
        let mut settings = view.settings(change).into_iter();
        settings.any(|(ask, _)| ask.key == key)
    });
    let change = by.last();
    let whose = match (valid, change) {
        (None, _) => "by the runbook".to_owned(),
        (Some(_), Some(change)) => format!(
            "set by {} ({}), {}",
            change.operator(),
            change.name(),
            until_words(session, state, change.intent().end)
        ),
        (Some(_), None) => "in the store, by someone whom the ledger does not know".to_owned(),
    };
    InForce {
        mode: valid.unwrap_or(tokens.mode),
        runbook: tokens.mode,
        change,
        whose,
    }
}

async fn show(session: &Session) -> Result<Answer, Failure> {
    let tokens = super::tokens_of(session)?;
    let (read, stored) = futures_util::join!(session.read_ledger(), stored(session));
    let (view, stored) = (read?.view, stored?);
    let state = session.state(&view);
    let found = in_force(session, &state, &view, tokens, stored.as_deref());
    let (in_force, runbook) = (mode_word(found.mode).to_owned(), mode_word(found.runbook));
    let (by, from) = (found.change, found.whose);
    let mut text = header(session, &state, None);
    text.push_str(&format!("token mode: {in_force} · {from}\n"));
    if in_force != runbook {
        text.push_str(&format!("  the runbook says {runbook}\n"));
    }
    let mut sheet = Sheet::new(&["mode", "runbook", "stored", "entry"]);
    sheet.push([
        in_force.clone(),
        runbook.to_owned(),
        stored
            .as_deref()
            .map(|word| shortened(word, 40))
            .unwrap_or_default(),
        by.map(Change::name).unwrap_or_default(),
    ]);
    let data = json!({
        "mode": in_force,
        "runbook": runbook,
        "stored": stored.map(|word| shortened(&word, 40)),
        "entry": by.map(Change::name),
        "operator": by.map(|change| change.operator().to_owned()),
    });
    Ok(Answer::new("token mode", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet))
}

struct SetMode {
    wanted: TokenMode,
}

impl Intention for SetMode {
    fn command(&self) -> &'static str {
        "token mode"
    }

    fn goes_on_without_store(&self) -> bool {
        true
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        super::tokens_of(basis.session)?;
        Ok(Needs {
            keys: vec![
                mode_key(basis.session.runbook.event.id.as_str()),
                keys_key(basis.session.runbook.event.id.as_str()),
            ],
            // Read to say whether a gate is there at all; one that cannot be read stops nothing.
            distributions: basis
                .session
                .runbook
                .distributions
                .iter()
                .map(|one| one.id.clone())
                .collect(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let tokens = super::tokens_of(session)?;
        let event = session.runbook.event.id.as_str();
        let key = mode_key(event);
        let before = seen.store.as_ref().and_then(|store| store.values.get(&key));
        let wanted = mode_word(self.wanted);
        let was = before.map_or_else(
            || mode_word(tokens.mode).to_owned(),
            |word| shortened(word, 40),
        );
        let summary = format!("TOKEN MODE {wanted}");
        let mut intent = empty_intent(self.command(), &summary, Kind::Change, basis.now);
        let (end, _) = crate::commands::end_of(session, basis, Lasting::Forever)?;
        intent.end = end;
        intent.opens.settings.push(SettingAsk {
            key,
            value: wanted.to_owned(),
            before: before.cloned(),
        });
        let until = until_words(session, &basis.state, end);
        let mut draft = Draft::new(intent, format!("{summary} · was {was} · {until}"));
        draft.effect.push(match self.wanted {
            TokenMode::Off => "  the gate looks at no token: everybody whom geo and WAF let in is served, revoked or not".to_owned(),
            TokenMode::Log => "  the gate refuses nobody, and logs whom it would: revocations are not felt".to_owned(),
            TokenMode::Enforce => "  the gate refuses viewers without a valid token, and revoked ones".to_owned(),
        });
        draft.values = vec![json!({ "mode": wanted, "before": was })];
        draft.level = match self.wanted {
            TokenMode::Enforce => 2,
            TokenMode::Off | TokenMode::Log => 1,
        };
        if self.wanted != TokenMode::Enforce && was == mode_word(TokenMode::Enforce) {
            // Never refused, and --yes is enough (contract, section 8): players may be failing right now.
            draft.opens_a_door = true;
            draft.warnings.push(format!(
                "NOBODY IS REFUSED for a missing, expired or revoked token {until}; back: onair token mode enforce"
            ));
        }
        self.warn_of_no_effect(session, tokens, seen, &mut draft);
        draft.typed.push(event.to_owned());
        if before.map(String::as_str) == Some(wanted) {
            let standing = basis.view.open().any(|change| {
                let settings = basis.view.settings(change);
                settings.iter().any(|(ask, _)| ask.value == wanted)
            });
            if standing && session.options().lasting.is_none() && session.options().until.is_none()
            {
                draft.nothing_to_do = Some(format!("the mode is {wanted} already"));
            }
        }
        Ok(draft)
    }
}

impl SetMode {
    /// A mode without a gate is felt by nobody, and enforcing without a key refuses everybody.
    fn warn_of_no_effect(
        &self,
        session: &Session,
        tokens: &Tokens,
        seen: &Seen,
        draft: &mut Draft,
    ) {
        if self.wanted == TokenMode::Off {
            return;
        }
        let mut without = Vec::new();
        let mut with = 0;
        for one in &session.runbook.distributions {
            let Some(Ok(observed)) = seen.distributions.get(&one.id) else {
                continue;
            };
            let Ok(behaviors) = observed.document.behaviors() else {
                continue;
            };
            let end = format!(":function/{}", tokens.function);
            let has_gate = behaviors
                .iter()
                .filter_map(|behavior| behavior.function.as_deref())
                .any(|arn| arn.ends_with(&end));
            if has_gate {
                with += 1;
            } else {
                without.push(one.name.as_str());
            }
        }
        if !without.is_empty() {
            draft.will_not_be_felt(format!(
                "no behavior of {} has the function {}: the gate looks at no token there, and everybody is served; it is attached by: onair provision",
                without.join(" and "),
                tokens.function
            ));
        }
        let event = session.runbook.event.id.as_str();
        let has_key = seen.store.as_ref().is_some_and(|store| {
            store.values.get(&keys_key(event)).is_some_and(|value| {
                KeySet::parse(&value.clone().into()).is_ok_and(|keys| keys.iter().next().is_some())
            })
        });
        let signed = tokens.format != TokenFormat::Opaque;
        if self.wanted == TokenMode::Enforce && signed && !has_key {
            let gate = if with == 0 && !without.is_empty() {
                " once the gate is attached"
            } else {
                ""
            };
            draft.level = 2;
            draft.warnings.insert(0, format!(
                "THE STORE HAS NO SIGNING KEY: no token is valid, and EVERYBODY IS REFUSED{gate}; first: onair token keys add"
            ));
        }
    }
}

//! Proofs of what decides on everybody: the gate's mode, asked by a request without a token, and a rule of
//! the web ACL, read back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{PATIENCE, PAUSE, REHEARSAL_PAUSE, count, pause, refuses_with, seconds};
use crate::cloud::fetch::Fetch;
use crate::context::Session;
use crate::edge::{Home, Layer, ViewerRequest};
use crate::ledger::body::{Intent, ProofKind, ProofState, RuleMove};
use crate::ledger::view::View;
use crate::observe;
use crate::plan::rules::{action_of, move_of, rule_of, word_of};
use crate::runbook::{TokenMode, Tokens};
use crate::sandbox::Sandbox;

/// The gate's answer to who shows no token, when it enforces.
const NO_TOKEN: u16 = 401;
/// How long a request of ours may take, and how much of its answer is read.
const LIMIT: Duration = Duration::from_secs(5);
const BYTES: usize = 4 * 1024 * 1024;
/// With `--wait`: key value stores are at the edges within seconds; past this something else is wrong.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

type Proved = (ProofKind, ProofState, String);

/// The proof of a change of the gate's mode.
pub(super) async fn mode(session: &Session, landed: Timestamp, wait: bool) -> Proved {
    let kind = match &session.sandbox {
        Some(_) => ProofKind::Rollout,
        None => ProofKind::Probe,
    };
    let unavailable = |why: String| (kind, ProofState::Unavailable, why);
    let Some(tokens) = &session.runbook.tokens else {
        return unavailable("the runbook has no [tokens]".to_owned());
    };
    let enforced = match in_force(session, tokens).await {
        Ok(mode) => mode == TokenMode::Enforce,
        Err(why) => return unavailable(format!("could not ask: {why}")),
    };
    let words = if enforced {
        "refuse a request without a token"
    } else {
        "let a request without a token pass the gate"
    };
    let patience = if wait { LONGEST } else { PATIENCE };
    loop {
        let looked = match &session.sandbox {
            Some(sandbox) => look(session, sandbox, enforced).map_err(|error| error.to_string()),
            None => probe(session, enforced).await,
        };
        let (done, of) = match looked {
            Ok(looked) => looked,
            Err(why) => return unavailable(format!("could not ask: {why}")),
        };
        let what = if session.sandbox.is_some() {
            "edge"
        } else {
            "distribution"
        };
        if of == 0 {
            return unavailable("no distribution has a manifest among its samples".to_owned());
        }
        let elapsed = session.clock.now().duration_since(landed);
        if done == of {
            let evidence = format!(
                "all of {} {words} · {} s",
                count(of, what),
                seconds(elapsed)
            );
            return (kind, ProofState::Proved, evidence);
        }
        let interrupted = session.ui().interrupt().is_requested();
        if elapsed >= patience || interrupted {
            let evidence = format!("{done} of {} {words}", count(of, what));
            return (kind, ProofState::NotYet, evidence);
        }
        let every = if session.sandbox.is_some() {
            REHEARSAL_PAUSE
        } else {
            PAUSE
        };
        pause(session, every).await;
    }
}

/// The mode that the store has now, else the runbook's.
pub(super) async fn in_force(session: &Session, tokens: &Tokens) -> Result<TokenMode, String> {
    let store = observe::find_store(&session.cloud, &tokens.store)
        .await
        .map_err(|error| error.to_string())?;
    let key = crate::token::mode_key(session.runbook.event.id.as_str());
    let stored = session
        .cloud
        .store_item(&store.arn, &key)
        .await
        .map_err(|error| error.to_string())?;
    let known = [TokenMode::Off, TokenMode::Log, TokenMode::Enforce];
    let stored = stored.and_then(|word| {
        let mut known = known.into_iter();
        known.find(|mode| crate::edge::gate::mode_word(*mode) == word)
    });
    Ok(stored.unwrap_or(tokens.mode))
}

/// How many of the embedded cloud's edges decide as meant on a request without a token, of how many.
fn look(
    session: &Session,
    sandbox: &Sandbox,
    enforced: bool,
) -> Result<(usize, usize), crate::sandbox::StateError> {
    let now = session.clock.now();
    let home = session.runbook.geo.as_ref().and_then(Home::of);
    let mut edges = std::collections::BTreeMap::new();
    for one in &session.runbook.distributions {
        let Some(manifest) = &one.samples.manifest else {
            continue;
        };
        let mut request = ViewerRequest::new(manifest, now);
        if let Some(home) = &home {
            request.country = Some(home.country.code().to_owned());
            request.region.clone_from(&home.region);
            request.metro.clone_from(&home.metro);
        }
        for (edge, decision) in sandbox.ask_edges(&one.id, &request)? {
            let refused = refuses_with(&decision, Layer::Function, NO_TOKEN);
            *edges.entry(edge).or_insert(true) &= refused == enforced;
        }
    }
    let done = edges.values().filter(|good| **good).count();
    Ok((done, edges.len()))
}

/// How many distributions answer a request without a token as meant, of how many; from where we are.
async fn probe(session: &Session, enforced: bool) -> Result<(usize, usize), String> {
    let (mut done, mut of) = (0, 0);
    for one in &session.runbook.distributions {
        let Some(manifest) = &one.samples.manifest else {
            continue;
        };
        let fetch = Fetch {
            url: format!("https://{}{manifest}", one.domain),
            headers: vec![("user-agent".to_owned(), "onair-canary".to_owned())],
            limit: BYTES,
            timeout: LIMIT,
        };
        let answer = session.cloud.fetch(fetch).await;
        let status = answer.map_err(|error| error.to_string())?.status;
        if matches!(status, 403 | 451) {
            return Err(format!(
                "{} refuses this machine with {status}, before or besides the gate",
                one.domain
            ));
        }
        of += 1;
        done += usize::from((status == NO_TOKEN) == enforced);
    }
    Ok((done, of))
}

/// What is known of moved rules: WAF's word. Which edges have it by now cannot be read.
pub(super) async fn rules(session: &Session, view: &View, intent: &Intent) -> Proved {
    let kind = ProofKind::Rollout;
    let mut moved = Vec::new();
    collect(view, intent, 0, &mut moved);
    let open = |web_acl: &str, rule: &str| {
        let moves = crate::plan::rules::open_moves(view, web_acl);
        moves.get(rule).map(|(ask, _)| ask.wanted)
    };
    let (mut held, mut otherwise) = (Vec::new(), Vec::new());
    for (web_acl, rule) in moved {
        let acl = match observe::web_acl(&session.cloud, &web_acl).await {
            Ok(acl) => acl,
            Err(error) => {
                let why = format!("the web ACL could not be read: {error}");
                return (kind, ProofState::Unavailable, why);
            }
        };
        let Some(found) = rule_of(&acl.document.json, &rule) else {
            otherwise.push(format!("{rule} is gone"));
            continue;
        };
        let action = action_of(found);
        let does = move_of(&action).map_or(word_of(&action), RuleMove::verb);
        let words = format!("{rule} {does}");
        match open(&web_acl, &rule) {
            Some(wanted) if move_of(&action) != Some(wanted) => otherwise.push(words),
            _ => held.push(words),
        }
    }
    if otherwise.is_empty() {
        let evidence = format!(
            "per WAF, {}; it is at the edges within a minute or so, and which have it cannot be read",
            held.join(", ")
        );
        (kind, ProofState::Unavailable, evidence)
    } else {
        let evidence = format!("per WAF, {}", otherwise.join(", "));
        (kind, ProofState::NotYet, evidence)
    }
}

/// The rules that a change moves, or whose move it ends: web ACL and name.
fn collect(view: &View, intent: &Intent, depth: u8, found: &mut Vec<(String, String)>) {
    for ask in &intent.opens.rules {
        let one = (ask.web_acl.clone(), ask.rule.clone());
        if !found.contains(&one) {
            found.push(one);
        }
    }
    let others = intent.closes.iter().map(|part| &part.entry);
    for other in others.chain(&intent.undoes) {
        if let Some(other) = view.get(other).filter(|_| depth < 4) {
            collect(view, other.intent(), depth + 1, found);
        }
    }
}

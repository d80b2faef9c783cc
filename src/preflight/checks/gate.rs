//! What the edge function does: its code, its mode, its keys, and how it answers.

use super::tokens::section;
use crate::cloud::FunctionStage;
use crate::edge::gate;
use crate::event::duration::human;
use crate::event::phase::Phase;
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::ledger::body::End;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::{KeySource, TokenFormat, TokenMode, Tokens};
use crate::token::selftest::{self, Signer};
use crate::token::{Key, KeySet, KeyState, keys_key, mode_key};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "tokens.code",
        title: "what is published is what the runbook makes",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetFunction, stage LIVE, against `onair token gate`",
        run: asking!(code),
    },
    Check {
        id: "tokens.selftest",
        title: "the published code lets in and keeps out whom it should",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetFunction, stage LIVE, run in the embedded engine",
        run: asking!(matrix),
    },
    Check {
        id: "tokens.utilization",
        title: "the function has compute time to spare",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "cloudfront.TestFunction, stage LIVE, against targets.function-utilization",
        run: asking!(utilization),
    },
    Check {
        id: "tokens.mode",
        title: "the gate's mode is the runbook's, or what the ledger says",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront-keyvaluestore.GetKey",
        run: asking!(mode),
    },
    Check {
        id: "tokens.keys",
        title: "the gate has a current signing key",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront-keyvaluestore.GetKey",
        run: asking!(keys),
    },
];

async fn code(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let live = facts.code(&tokens.function, FunctionStage::Live).await?;
    let rendered = gate::render(facts.runbook);
    Ok(if *live == rendered.as_bytes() {
        Verdict::pass(format!("{} bytes", live.len()))
    } else {
        Verdict::fail(
            format!(
                "{} runs {} bytes of other code than the runbook makes ({} bytes)",
                tokens.function,
                live.len(),
                rendered.len()
            ),
            "onair provision --only function",
        )
    })
}

async fn matrix(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let live = facts.code(&tokens.function, FunctionStage::Live).await?;
    let Ok(live) = std::str::from_utf8(&live) else {
        return Ok(Verdict::fail(
            format!("the code of {} is no text", tokens.function),
            "onair provision --only function",
        ));
    };
    let rows = selftest::run(facts.runbook, live, facts.now);
    let of = |verdict: selftest::Verdict| rows.iter().filter(move |row| row.verdict == verdict);
    let wrong: Vec<String> = of(selftest::Verdict::Wrong)
        .take(3)
        .map(|row| format!("{}: {} where {} is right", row.name, row.got, row.wanted))
        .collect();
    let (wrongs, unknown) = (
        of(selftest::Verdict::Wrong).count(),
        of(selftest::Verdict::Unknown).count(),
    );
    Ok(if wrongs > 0 {
        Verdict::fail(
            format!("{wrongs} of {} rows: {}", rows.len(), wrong.join("; ")),
            "onair provision --only function, then `onair token selftest --on aws`",
        )
    } else if unknown > 0 || rows.is_empty() {
        Verdict::could_not_ask(format!("{unknown} of {} rows", rows.len()))
    } else {
        Verdict::pass(format!("{} rows", rows.len()))
    })
}

/// One request with a token, on AWS's own engine. Outside a rehearsal the token is signed with a key
/// that opens nothing, since what is tested ends up in trails: its signature is computed all the same.
async fn utilization(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let stage = facts.stage(&tokens.function, FunctionStage::Live).await?;
    let keys = stored_keys(facts).await?;
    let current = keys.as_ref().and_then(KeySet::current);
    let own = current.and_then(|(_, key)| key.key().ok());
    let scratch = Key::secret(b"onair/preflight/utilization".to_vec()).ok();
    let key = if facts.session.sandbox.is_some() {
        own.or(scratch)
    } else {
        scratch
    };
    let Some(key) = key else {
        return Err(Gap::Unknown("no key to sign a test token with".to_owned()));
    };
    let signer = Signer {
        kid: current.map(|(kid, _)| kid),
        key: &key,
    };
    let cases = selftest::cases(facts.runbook, Some(&signer), facts.now);
    let case = cases.into_iter().find(|case| {
        case.wanted == selftest::Wanted::Passes
            && case.mode == TokenMode::Enforce
            && case.items.is_empty()
            && case.id.starts_with("valid")
    });
    let event = match case.map(|case| case.event) {
        Some(Ok(event)) => event.to_string(),
        Some(Err(why)) => return Err(Gap::Unknown(why)),
        None => return Err(Gap::Unknown("no row of the selftest fits".to_owned())),
    };
    let (name, etag) = (tokens.function.clone(), stage.version.clone());
    let said = facts
        .read(
            "cloudfront.TestFunction",
            &tokens.function,
            |cloud| async move {
                cloud
                    .test_function(&name, &etag, FunctionStage::Live, &event)
                    .await
            },
        )
        .await?;
    let most = facts.runbook.targets.function_utilization;
    Ok(match said.utilization {
        _ if !said.error.is_empty() => Verdict::fail(
            format!("{} fails: {}", tokens.function, said.error),
            "onair token selftest --on aws",
        ),
        None => Verdict::could_not_ask("TestFunction named no utilization"),
        Some(percent) if f64::from(percent) <= most => {
            Verdict::pass(format!("{percent} % of at most {most} %"))
        }
        Some(percent) => Verdict::fail(
            format!("{percent} % of the compute time, more than {most} %"),
            "take claims or states out of [tokens.gate] and [geo] in the runbook",
        ),
    })
}

async fn mode(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let view = facts.view()?;
    let key = mode_key(facts.runbook.event.id.as_str());
    let stored = facts.store_secret(&key).await?;
    let stored = stored
        .as_ref()
        .as_ref()
        .map(secrecy::ExposeSecret::expose_secret);
    let by_runbook = gate::mode_word(tokens.mode);
    let by_ledger = view
        .open()
        .flat_map(|change| {
            let settings = view.settings(change).into_iter();
            settings.map(move |(ask, _)| (change, ask))
        })
        .filter(|(_, ask)| ask.key == key)
        .map(|(change, ask)| (change, ask.value.clone()))
        .last();
    let source = if by_ledger.is_some() {
        "the ledger"
    } else {
        "the runbook"
    };
    let wanted = match &by_ledger {
        Some((_, mode)) => mode.as_str(),
        None => by_runbook,
    };
    // Without a value the gate does as the runbook said when it was made.
    let stored = stored.unwrap_or(by_runbook);
    if stored != wanted {
        return Ok(Verdict::fail(
            format!("{} where {source} says {wanted}", shortened(stored, 40)),
            format!("onair token mode {wanted}"),
        ));
    }
    Ok(match &by_ledger {
        Some((change, mode)) if is_laxer(mode, by_runbook) => Verdict::Risk {
            evidence: format!(
                "{mode} instead of {by_runbook}: {} ({}) {} ago, {}",
                printable(change.operator()),
                change.name(),
                human(facts.now.duration_since(change.at())),
                until(facts, change.intent().end)
            ),
            fix: format!(
                "onair undo {}, or onair token mode {by_runbook}",
                change.name()
            ),
            grave_from: Phase::Live,
        },
        _ => Verdict::pass(format!("{wanted}, as {source} says")),
    })
}

/// Whether a mode refuses fewer viewers than another.
fn is_laxer(mode: &str, than: &str) -> bool {
    let refuses = |word: &str| {
        [TokenMode::Off, TokenMode::Log, TokenMode::Enforce]
            .iter()
            .position(|mode| gate::mode_word(*mode) == word)
    };
    refuses(mode) < refuses(than)
}

/// An end in words.
fn until(facts: &Facts<'_>, end: End) -> String {
    match end {
        End::Never => "without an end".to_owned(),
        End::Event => "until the event ends".to_owned(),
        End::At(at) => format!("until {}", time::local(at, &facts.runbook.event.zone)),
    }
}

/// The signing keys in the store; none where it has none.
async fn stored_keys(facts: &Facts<'_>) -> Result<Option<KeySet>, Gap> {
    let stored = facts
        .store_secret(&keys_key(facts.runbook.event.id.as_str()))
        .await?;
    let text = stored.as_ref().as_ref();
    Ok(text.and_then(|text| KeySet::parse(text).ok()))
}

/// The command that adds a signing key, to be typed as it stands.
fn add_key(facts: &Facts<'_>, tokens: &Tokens) -> String {
    let month = facts.runbook.event.starts.strftime("%Y-%m");
    let source = match &tokens.key {
        Some(KeySource::Env(name)) => format!(" --key-env {name}"),
        Some(KeySource::File(file)) => format!(" --key-file {}", file.display()),
        Some(KeySource::Secret(_)) | None => String::new(),
    };
    format!("onair token keys add {month}-a{source}")
}

async fn keys(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    if tokens.format == TokenFormat::Opaque {
        return Ok(Verdict::not_applicable("opaque tokens have no signature"));
    }
    let Some(keys) = stored_keys(facts).await? else {
        return Ok(Verdict::fail(
            "the store has no signing keys that the gate can read",
            add_key(facts, tokens),
        ));
    };
    let Some((kid, _)) = keys.current() else {
        return Ok(Verdict::fail(
            "the store has keys, and none of them is current",
            keys.iter()
                .find(|(_, key)| key.state == KeyState::Next)
                .map_or_else(
                    || add_key(facts, tokens),
                    |(kid, _)| format!("onair token keys promote {kid}"),
                ),
        ));
    };
    let others: Vec<String> = keys
        .iter()
        .filter(|(_, key)| key.state != KeyState::Current)
        .map(|(kid, key)| format!("{kid} ({})", key.state.word()))
        .collect();
    Ok(Verdict::pass(if others.is_empty() {
        format!("{kid} is current")
    } else {
        format!("{kid} is current; with {}", others.join(", "))
    }))
}

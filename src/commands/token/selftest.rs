//! `onair token selftest`: the gate's matrix, in the embedded engine or on AWS.

use secrecy::SecretString;
use serde_json::json;

use super::signing_key::KeyArgs;
use crate::cloud::FunctionStage;
use crate::commands::header;
use crate::context::{Context, Session};
use crate::edge::engine::{Output, RunError};
use crate::edge::gate;
use crate::error::{Exit, Failure};
use crate::event::text::printable;
use crate::render::{Answer, Sheet};
use crate::runbook::TokenMode;
use crate::token::selftest::{self, Case, Row, Signer, Verdict};
use crate::token::{Key, KeySet, keys_key};

/// Try the gate: who gets in, who is kept out, and why
///
/// Runs a matrix (valid, expired, altered, wrong path, wrong country, revoked, shared …) against the
/// gate's code as this runbook makes it, in an engine inside this tool with a store and keys of its own.
/// With --on aws it asks CloudFront (`TestFunction`) with the real store; rows that would need a change
/// of the store are then not asked. Exit 3 when a row is wrong.
///
/// Example: onair token selftest --on aws --stage live
#[derive(Debug, clap::Args)]
pub(crate) struct SelftestArgs {
    /// here or aws
    #[arg(long, value_name = "WHERE", default_value = "here", value_parser = ["here", "aws"])]
    on: String,
    /// On AWS, the stage that is asked: development or live
    #[arg(long, value_name = "STAGE", default_value = "live", value_parser = ["development", "live"])]
    stage: String,
    #[command(flatten)]
    key: KeyArgs,
}

pub(super) async fn run(args: &SelftestArgs, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    super::section(&session.runbook)?;
    if args.on != "aws" && args.key.is_named() {
        // Here the matrix has keys of its own; one that is named and cannot be had is a mistake all the same.
        args.key.require(&session.runbook, context)?;
        session
            .ui()
            .warn("the key is not used here; --on aws signs with it");
    }
    let code = gate::render(&session.runbook);
    let (rows, place) = if args.on == "aws" {
        let place = format!("on {}, stage {}", target(&session), args.stage);
        (on_aws(args, &session, context).await?, place)
    } else {
        let rows = selftest::run(&session.runbook, &code, session.clock.now());
        (rows, "in the embedded engine".to_owned())
    };
    Ok(answer(&session, &rows, &place, code.len()))
}

fn target(session: &Session) -> &'static str {
    if session.sandbox.is_some() {
        "the embedded cloud"
    } else {
        "CloudFront"
    }
}

/// The key that test tokens are signed with: in a rehearsal the one in the store, which opens nothing real,
/// else the one that the command line or the runbook names.
pub(super) async fn signer(
    session: &Session,
    context: &Context,
    args: &KeyArgs,
) -> Result<Result<(Option<String>, Key), String>, Failure> {
    let store = crate::observe::find_store(&session.cloud, session.store_name()?).await?;
    let key = keys_key(session.runbook.event.id.as_str());
    let stored = session.cloud.store_item(&store.arn, &key).await?;
    let keys = stored.and_then(|text| KeySet::parse(&SecretString::from(text)).ok());
    if session.sandbox.is_some() {
        let current = keys.as_ref().and_then(KeySet::current);
        return Ok(match current.map(|(kid, key)| (kid, key.key())) {
            Some((kid, Ok(key))) => Ok((Some(kid.to_owned()), key)),
            _ => Err(
                "the store has no current signing key; `onair token keys add` puts one there"
                    .to_owned(),
            ),
        });
    }
    Ok(args.find(Some(&session.runbook), context)?.map(|named| {
        let kid = keys.as_ref().and_then(|keys| keys.id_of(&named.key));
        (kid.map(str::to_owned), named.key)
    }))
}

async fn on_aws(
    args: &SelftestArgs,
    session: &Session,
    context: &Context,
) -> Result<Vec<Row>, Failure> {
    let tokens = super::tokens_of(session)?;
    let stage = match args.stage.as_str() {
        "development" => FunctionStage::Development,
        _ => FunctionStage::Live,
    };
    let (stored, signer) = futures_util::join!(
        super::mode::stored(session),
        signer(session, context, &args.key)
    );
    let (stored, signer) = (stored?, signer?);
    let mode = stored.unwrap_or_else(|| gate::mode_word(tokens.mode).to_owned());
    let signer = match &signer {
        Ok((kid, key)) => Ok(Signer {
            kid: kid.as_deref(),
            key,
        }),
        Err(why) => Err(why),
    };
    if let Err(why) = &signer {
        session
            .ui()
            .warn(&format!("rows with a token are not asked: {why}"));
    }
    let now = session.clock.now();
    let etag = session
        .cloud
        .function_version(&tokens.function, stage)
        .await?;
    let mut rows = Vec::new();
    for case in selftest::cases(&session.runbook, signer.as_ref().ok(), now) {
        let (got, utilization) = match askable(&case, &mode) {
            Err(why) => (Err(why), None),
            Ok(event) => {
                let said = session
                    .cloud
                    .test_function(&tokens.function, &etag, stage, &event.to_string())
                    .await;
                match said {
                    Ok(said) => (Ok(said.output()), said.utilization),
                    Err(error) => (Err(error.to_string()), None),
                }
            }
        };
        rows.push(case.row(got, utilization));
    }
    Ok(rows)
}

/// The event of a row that the real store can answer as it is.
fn askable<'a>(case: &'a Case, mode: &str) -> Result<&'a serde_json::Value, String> {
    if !case.items.is_empty() {
        return Err("could not ask: it needs a revocation in the store".to_owned());
    }
    let wanted = gate::mode_word(case.mode);
    if case.mode != TokenMode::Enforce && mode != wanted {
        return Err(format!("could not ask: the mode is {mode}"));
    }
    if case.mode == TokenMode::Enforce
        && mode != "enforce"
        && case.wanted != selftest::Wanted::Passes
    {
        return Err(format!(
            "could not ask: the mode is {mode}, which refuses nobody"
        ));
    }
    case.event
        .as_ref()
        .map_err(|why| format!("could not ask: it {why}"))
}

fn answer(session: &Session, rows: &[Row], place: &str, bytes: usize) -> Answer {
    let state = session.state(&crate::ledger::view::View::default());
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let (right, wrong, unknown) = (
        count(Verdict::Right),
        count(Verdict::Wrong),
        count(Verdict::Unknown),
    );
    let utilization = rows.iter().filter_map(|row| row.utilization).max();
    let mut text = header(session, &state, None);
    text.push_str(&format!(
        "{} · {right} right, {wrong} wrong, {unknown} could not be asked · {place} · {bytes} of {} bytes{}\n",
        if wrong > 0 { "✗ WRONG" } else { "✓ the gate does as meant" },
        gate::LARGEST_CODE,
        utilization.map_or_else(String::new, |percent| format!(" · utilization up to {percent}%")),
    ));
    let mut sheet = Sheet::new(&["row", "tried", "wanted", "got", "verdict"]);
    let width = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    for row in rows {
        let (mark, word) = match row.verdict {
            Verdict::Right => ("✓", "right"),
            Verdict::Wrong => ("✗", "WRONG"),
            Verdict::Unknown => ("?", "unknown"),
        };
        let got = printable(&row.got);
        let wanted = match row.verdict {
            Verdict::Right => String::new(),
            _ => format!(" (wanted {})", row.wanted),
        };
        text.push_str(&format!("  {mark} {:width$}  {got}{wanted}\n", row.name));
        sheet.push([
            row.id.clone(),
            row.name.clone(),
            row.wanted.clone(),
            got.into_owned(),
            word.to_owned(),
        ]);
    }
    let listed: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "name": row.name,
                "wanted": row.wanted,
                "got": row.got,
                "verdict": match row.verdict {
                    Verdict::Right => "right",
                    Verdict::Wrong => "wrong",
                    Verdict::Unknown => "unknown",
                },
                "utilization": row.utilization,
            })
        })
        .collect();
    let data = json!({
        "rows": listed,
        "right": right,
        "wrong": wrong,
        "unknown": unknown,
        "place": place,
        "bytes": bytes,
        "utilization": utilization,
    });
    let answer = Answer::new("token selftest", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet);
    if wrong > 0 {
        answer.exiting(
            Exit::Difference,
            "check.failed",
            "the gate does not do what the runbook says",
        )
    } else {
        answer
    }
}

impl crate::cloud::TestAnswer {
    /// What the function returned, as the matrix reads it.
    fn output(&self) -> Result<Output, RunError> {
        if !self.error.is_empty() {
            return Err(RunError::Threw(printable(&self.error).into_owned()));
        }
        let read: serde_json::Value =
            serde_json::from_str(&self.output).map_err(|_| RunError::NoAnswer)?;
        if read["response"].is_object() {
            Ok(Output::Response(read["response"].clone()))
        } else if read["request"].is_object() {
            Ok(Output::Request(read["request"].clone()))
        } else {
            Err(RunError::NoAnswer)
        }
    }
}

//! `onair token inspect`: what a token is and says, until when, whether a key made it, and by which
//! keys the event could revoke it. Asks no service, and works without a runbook.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::signing_key::{KeyArgs, NamedKey};
use super::values::ADVICE;
use crate::clock::Clock;
use crate::commands::values::read_file;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::duration::human;
use crate::event::input::ValueSource;
use crate::event::text::shortened;
use crate::event::time;
use crate::render::{Answer, Head, Sheet};
use crate::runbook::Runbook;
use crate::token::{Form, Format, Place, State, Token, TokenError, Verdict};

/// Show what a viewer token is and says, and check who made it
///
/// A JWT, a Common Access Token or an opaque one, alone or inside the URL or header that it was pasted
/// with. Nothing is asked of AWS, and the token is shown by its digest only. With a key (or the
/// runbook's) the signature is checked; a wrong one exits 3.
///
/// Example: onair token inspect - --key-env KEY
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token; - (or nothing) takes it from a hidden prompt or standard input, @FILE from a file
    // As a list, so that a second one is not quoted back by the command line's own error.
    #[arg(value_name = "TOKEN")]
    tokens: Vec<String>,
    #[command(flatten)]
    key: KeyArgs,
}

/// What is known around the token.
struct Surroundings {
    runbook: Option<Runbook>,
    now: Timestamp,
    zone: Option<TimeZone>,
}

pub(super) async fn inspect(args: &InspectArgs, context: &Context) -> Result<Answer, Failure> {
    let (text, typed) = pasted(&args.tokens, context)?;
    let around = surroundings(context).await?;
    let token = read(&text, around.runbook.as_ref()).map_err(|error| {
        if typed {
            context.ui.warn(ADVICE);
        }
        malformed(&error)
    })?;
    let mut warnings = Vec::new();
    if typed {
        if context.ui.is_json() {
            context.ui.warn(ADVICE);
        }
        warnings.push(ADVICE.to_owned());
    }
    warnings.extend(doubts(&token, around.runbook.as_ref()));
    let check = check(&token, args.key.find(around.runbook.as_ref(), context)?);
    let data = data(&token, &around, &check);
    let sheet = sheet(&token, &around, &check);
    let mut answer = Answer::new("token inspect", data, text_of(&sheet)).with_sheet(sheet);
    answer.warnings = warnings;
    answer.head = Head {
        event: around
            .runbook
            .as_ref()
            .map(|runbook| runbook.event.id.to_string()),
        ..Head::default()
    };
    if check.fails {
        let message = format!("the signature is not verified: {}", check.words);
        answer = answer.exiting(Exit::Difference, "check.failed", &message);
    }
    Ok(answer)
}

/// The text that was given, and whether it was typed on the command line.
fn pasted(tokens: &[String], context: &Context) -> Result<(SecretString, bool), Failure> {
    let argument = match tokens {
        [] => "-",
        [one] => one.as_str(),
        [_, _, ..] => {
            return Err(Failure::usage(format!(
                "{} tokens were given; inspect takes one at a time",
                tokens.len()
            ))
            .hint("quote a pasted header or URL: '…'"));
        }
    };
    Ok(match ValueSource::parse(argument) {
        ValueSource::Literal(text) => (text.into(), true),
        ValueSource::File(path) => (read_file(&path)?.into(), false),
        ValueSource::Stdin => (context.ui.read_secret("token")?.into(), false),
    })
}

/// The runbook where one can be chosen, and the time: the rehearsal's in a rehearsal.
async fn surroundings(context: &Context) -> Result<Surroundings, Failure> {
    let options = &context.options;
    let named = options.runbook.is_some()
        || options.event.is_some()
        || context.environment.get("ONAIR_EVENT").is_some();
    let rehearsal = context.is_rehearsal()?;
    let world = context.world_clock();
    let runbook = match context.chosen() {
        Ok(chosen) => Some(chosen.loaded.runbook),
        Err(failure) if named => return Err(failure),
        Err(failure) => {
            tracing::debug!(%failure, "no runbook");
            None
        }
    };
    let clock = match &runbook {
        Some(runbook) if rehearsal => rehearsal_clock(runbook, &world).await?,
        _ => world,
    };
    Ok(Surroundings {
        now: clock.now(),
        zone: runbook.as_ref().map(|runbook| runbook.event.zone.clone()),
        runbook,
    })
}

async fn rehearsal_clock(runbook: &Runbook, world: &Clock) -> Result<Clock, Failure> {
    let place = runbook
        .folder()
        .join(".onair")
        .join("rehearsal")
        .join(runbook.event.id.as_str());
    let sandbox = crate::commands::sandbox::open(runbook, &place.join("cloud"), world).await?;
    let offset = sandbox
        .offset()
        .map_err(|error| crate::context::sandbox_failure(&error))?;
    Ok(world.shifted_by(offset))
}

/// Reads the token as what it is. The event's format decides where the look does not: an opaque
/// token may resemble a JWT, and what is left of a cut JWT or CAT may look opaque.
fn read(text: &SecretString, runbook: Option<&Runbook>) -> Result<Token, TokenError> {
    let expected = runbook
        .and_then(|runbook| runbook.tokens.as_ref())
        .map(super::format_of);
    match (Token::parse(text), expected) {
        (Err(error), Some(Format::Opaque)) => {
            Token::parse_as(text, Format::Opaque).map_err(|_| error)
        }
        (Ok(token), Some(expected)) if token.format() == Format::Opaque => {
            match Token::parse_as(text, expected) {
                Err(TokenError::WrongFormat { .. }) => Ok(token),
                read => read,
            }
        }
        (read, _) => read,
    }
}

fn malformed(error: &TokenError) -> Failure {
    let failure = Failure::new(Exit::Usage, "token.malformed", error);
    match error {
        TokenError::TooShort { .. } => {
            failure.hint("who is behind a claim's value: onair why sub:VALUE")
        }
        TokenError::Several { .. } | TokenError::NothingIn { .. } => {
            failure.hint("paste the token alone")
        }
        _ => failure,
    }
}

/// What is odd about a token that can be read.
fn doubts(token: &Token, runbook: Option<&Runbook>) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(tokens) = runbook.and_then(|runbook| runbook.tokens.as_ref()) {
        let expected = super::format_of(tokens);
        if expected != token.format() {
            let cut = if token.format() == Format::Opaque {
                " (cut off, or no token at all?)"
            } else {
                ""
            };
            doubts.push(format!(
                "the token is {}{cut}, and the event's tokens are {expected}",
                token.format()
            ));
        }
    }
    if token.form() == Form::DotJoinedCwt {
        doubts.push(
            "it is a CWT in three parts joined by dots, which CloudFront's `cf.cwt` does not read"
                .to_owned(),
        );
    }
    if token.claims_as_hex() {
        doubts.push("its claims are hexadecimal text instead of CBOR, which CloudFront's `cf.cwt` does not read".to_owned());
    }
    if token.algorithm().is_some() && token.expires().is_none() {
        doubts.push("it has no `exp`: it never ends by itself".to_owned());
    }
    doubts
}

/// What came of checking the signature.
struct Check {
    /// `verified`, `wrong`, `other-kind`, `unsupported` or `not-checked`.
    state: &'static str,
    words: String,
    key: Option<String>,
    fails: bool,
}

fn check(token: &Token, key: Result<NamedKey, String>) -> Check {
    let NamedKey { key, name, asked } = match key {
        Ok(named) => named,
        Err(reason) => {
            return Check {
                state: "not-checked",
                words: format!("not checked: {reason}"),
                key: None,
                fails: false,
            };
        }
    };
    // A key that was asked for and proves nothing is no success; the runbook's own may be another kind.
    let (state, words, fails) = match token.verify(&key) {
        Verdict::Verified => (
            "verified",
            format!("verified: the key of {name} made this token"),
            false,
        ),
        Verdict::Wrong => (
            "wrong",
            format!("WRONG: the key of {name} did not make this token, or it was changed since"),
            true,
        ),
        Verdict::OtherKind(why) => (
            "other-kind",
            format!("not checked with {name}: {why}"),
            asked,
        ),
        Verdict::Unsupported(why) => (
            "unsupported",
            format!("cannot be checked here: {why}"),
            asked,
        ),
    };
    Check {
        state,
        words,
        key: Some(name),
        fails,
    }
}

fn state_words(token: &Token, now: Timestamp) -> (&'static str, String) {
    let apart =
        |from: Timestamp, to: Timestamp| human(to.duration_since(from).max(SignedDuration::ZERO));
    match token.state(now) {
        State::Unknown => (
            "unknown",
            "not known: only its issuer can read it".to_owned(),
        ),
        State::Valid { until: None } => ("valid", "valid by its times, without an end".to_owned()),
        State::Valid { until: Some(at) } => (
            "valid",
            format!("valid by its times for {} more", apart(now, at)),
        ),
        State::NotYetValid { from } => (
            "not-yet-valid",
            format!("not valid before {} from now", apart(now, from)),
        ),
        State::Expired { at } => ("expired", format!("expired {} ago", apart(at, now))),
    }
}

fn form_words(token: &Token) -> &'static str {
    match token.form() {
        Form::Jws => "jwt (JWS compact)",
        Form::JwsWithSession => "jwt (JWS compact, a session id in front)",
        Form::Cose => "cat (Common Access Token, COSE)",
        Form::DotJoinedCwt => "cat (CWT in parts joined by dots)",
        Form::Opaque => "opaque",
    }
}

fn place_word(place: Place) -> &'static str {
    match place {
        Place::Alone => "alone",
        Place::Header => "header",
        Place::Cookie => "cookie",
        Place::Query => "query",
        Place::Path => "path",
    }
}

fn data(token: &Token, around: &Surroundings, check: &Check) -> Value {
    let at = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let claims: Vec<Value> = token
        .claims()
        .iter()
        .map(|claim| json!({ "name": claim.name, "label": claim.label, "value": claim.value.to_json() }))
        .collect();
    let header: Vec<Value> = token
        .header()
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value.to_json() }))
        .collect();
    let ways: Vec<Value> = ways(token, around)
        .into_iter()
        .map(|way| json!({ "claim": way.claim, "shown": way.display, "key": way.key.map(|key| key.as_str().to_owned()) }))
        .collect();
    json!({
        "format": token.format().word(),
        "form": form_words(token),
        "found-in": place_word(token.place()),
        "digest": token.digest(),
        "algorithm": token.algorithm().map(crate::token::Algorithm::name),
        "symmetric": token.algorithm().map(crate::token::Algorithm::is_symmetric),
        "key-id": token.key_id(),
        "session": token.session().map(|session| shortened(session, 80)),
        "header": header,
        "claims": claims,
        "issued": at(token.issued()),
        "not-before": at(token.not_before()),
        "expires": at(token.expires()),
        "now": around.now.to_string(),
        "state": state_words(token, around.now).0,
        "verification": { "state": check.state, "key": check.key, "message": check.words },
        "revocation": ways,
    })
}

/// The keys by which the runbook's event could revoke it.
fn ways(token: &Token, around: &Surroundings) -> Vec<crate::token::Revocable> {
    let Some(runbook) = &around.runbook else {
        return Vec::new();
    };
    let Some(tokens) = &runbook.tokens else {
        return Vec::new();
    };
    token.revocation_keys(runbook.event.id.as_str(), &super::claims_of(tokens))
}

fn sheet(token: &Token, around: &Surroundings, check: &Check) -> Sheet {
    let mut sheet = Sheet::new(&["what", "value"]);
    let mut row = |what: &str, value: String| sheet.push([what.to_owned(), value]);
    let both = |at: Timestamp| match &around.zone {
        Some(zone) => format!("{} ({})", time::local(at, zone), time::utc(at)),
        None => time::utc(at),
    };
    row("format", form_words(token).to_owned());
    if token.place() != Place::Alone {
        row("found in", place_word(token.place()).to_owned());
    }
    if let Some(algorithm) = token.algorithm() {
        row("algorithm", algorithm.to_string());
    }
    if let Some(key_id) = token.key_id() {
        row("key id", shortened(key_id, 120));
    }
    row("digest", format!("sha256={}", token.digest()));
    if let Some(session) = token.session() {
        row(
            "session",
            format!("{} (in front of it, not signed)", shortened(session, 80)),
        );
    }
    for (what, at) in [
        ("issued", token.issued()),
        ("not before", token.not_before()),
        ("expires", token.expires()),
    ] {
        if let Some(at) = at {
            row(what, both(at));
        }
    }
    row("now", both(around.now));
    row("state", state_words(token, around.now).1);
    row("signature", check.words.clone());
    for claim in token.claims().iter() {
        let number = claim
            .label
            .map(|label| format!(" ({label})"))
            .unwrap_or_default();
        row(
            &format!("claim {}{number}", shortened(&claim.name, 40)),
            shortened(&claim.value.readable(), 400),
        );
    }
    for way in ways(token, around) {
        let claim = shortened(&way.claim, 40);
        match way.key {
            Some(key) => row(
                &format!("revoke by {claim}"),
                format!("{} → {key}", way.display),
            ),
            None => row(
                &format!("revoke by {claim}"),
                format!("not possible: {}", way.display),
            ),
        }
    }
    sheet
}

/// The rows as aligned lines: long values are not wrapped, so that they can be copied.
fn text_of(sheet: &Sheet) -> String {
    let width = sheet
        .rows
        .iter()
        .filter_map(|row| row.first())
        .map(|what| what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for row in &sheet.rows {
        if let [what, value] = row.as_slice() {
            text.push_str(&format!("{what:width$}  {value}\n"));
        }
    }
    text
}

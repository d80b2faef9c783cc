//! `onair token mint`: a short-lived test token, printed once and recorded by its digest.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;

use super::signing_key::KeyArgs;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::{Lasting, human};
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::ledger::Where;
use crate::ledger::body::{Body, Minted};
use crate::render::{Answer, Sheet};
use crate::token::{self, ClaimValue, DEFAULT_LIFETIME, Format, MintError, MintRequest, Token};

/// Make a test token, short-lived and on the record
///
/// It is signed (HS256) with the key that --key-env, --key-file or the runbook names, lives five
/// minutes (--for, at most 1h), and is printed alone on standard output. The ledger keeps its digest
/// and its claims. A claim is text; NAME:=JSON gives numbers, lists and maps.
///
/// Example: onair token mint --claim sub=canary --for 5m --key-env KEY
#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// A claim: sub=8841 is text, level:=3 is JSON; may be given many times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, ClaimValue)>,
    /// jwt or cat; by default the runbook's
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Key id in the token's header
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
}

fn format(word: &str) -> Result<Format, String> {
    match word.parse::<Format>() {
        Ok(Format::Opaque) => Err(MintError::Opaque.to_string()),
        Ok(format) => Ok(format),
        Err(_) => Err("a test token is jwt or cat".to_owned()),
    }
}

fn claim(text: &str) -> Result<(String, ClaimValue), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("a claim is NAME=VALUE, or NAME:=JSON")?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value)
                .map_err(|error| format!("the value is not JSON: {error}"))?;
            (name, value)
        }
        None => (name, ClaimValue::from(value)),
    };
    if name.is_empty() {
        return Err("the claim has no name".to_owned());
    }
    if matches!(name, "nbf") && matches!(value, ClaimValue::Text(_)) {
        return Err("nbf is a number: nbf:=SECONDS".to_owned());
    }
    Ok((name.to_owned(), value))
}

pub(super) async fn mint(args: &MintArgs, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    let key = args.key.require(&session.runbook, context)?;
    let operator = session.operator().await?;
    let format = match (args.format, &session.runbook.tokens) {
        (Some(format), _) => format,
        (None, Some(tokens)) => super::format_of(tokens),
        (None, None) => Format::Jwt,
    };
    let now = session.clock.now();
    let request = MintRequest {
        format,
        claims: args.claims.clone(),
        lifetime: lifetime(&session, now)?,
        key_id: args.kid.clone(),
    };
    let whole = token::mint(&request, &key.key, now).map_err(|error| refusal(&error))?;
    let token = Token::parse_as(&whole, format).map_err(|error| {
        Failure::new(Exit::Usage, "token.mint", "these claims make no token").because(error)
    })?;
    let expires = token.expires().unwrap_or(now);
    let claims_data: Vec<_> = token
        .claims()
        .iter()
        .map(|claim| json!({ "name": claim.name, "label": claim.label, "value": claim.value.to_json() }))
        .collect();
    let mut data = json!({
        "pending": session.options().dry_run,
        "token": null,
        "format": format.word(),
        "digest": token.digest(),
        "claims": claims_data,
        "key": key.name,
        "key-id": args.kid,
        "expires": expires.to_string(),
        "entry": null,
    });
    let head = session.head(None, Some(&operator));
    let until = format!(
        "until {} ({})",
        time::local(expires, &session.runbook.event.zone),
        time::utc(expires)
    );
    if session.options().dry_run {
        let text = format!(
            "MINT a {format} test token {until}, signed with {}\ndry run: no token was made\n",
            key.name
        );
        return Ok(Answer::new("token mint", data, text)
            .with_head(head)
            .exiting(
                Exit::Difference,
                "difference",
                "a run without --dry-run would make this token",
            ));
    }
    let minted = Minted {
        format: format.word().to_owned(),
        digest: token.digest().to_owned(),
        claims: claims_of(&token),
        key_id: args.kid.as_deref().map(|id| printable(id).into_owned()),
        expires,
        reason: session.options().reason.clone(),
    };
    // On the record before it is in anyone's hands.
    let (entry, place) = session
        .ledger
        .append_or_spool(Body::Minted(minted))
        .await
        .map_err(|error| {
            Failure::failed(
                "ledger.write",
                "write the test token's digest to the ledger; no token was made",
            )
            .caused_by(&error)
        })?;
    data["token"] = json!(whole.expose_secret());
    data["entry"] = json!({ "id": entry.id.to_string() });
    let mut sheet = Sheet::new(&["token", "digest", "expires"]);
    sheet.push([
        whole.expose_secret().to_owned(),
        token.digest().to_owned(),
        expires.to_string(),
    ]);
    let mut answer = Answer::new("token mint", data, format!("{}\n", whole.expose_secret()))
        .with_head(head)
        .with_sheet(sheet);
    if let Where::Spool { reason } = place {
        answer.warnings.push(format!(
            "the ledger's store is away ({reason}); `onair ledger sync` uploads the record"
        ));
    }
    session.ui().say(&format!(
        "a {format} test token, valid for {} {until} · sha256={} is in the ledger",
        human(request.lifetime),
        token.digest()
    ));
    Ok(answer)
}

/// Names and values, safe to keep.
fn claims_of(token: &Token) -> Vec<(String, String)> {
    let shown = |claim: &token::Claim| {
        let value = shortened(&claim.value.readable(), 200);
        (shortened(&claim.name, 80), value)
    };
    token.claims().iter().map(shown).collect()
}

fn lifetime(session: &Session, now: Timestamp) -> Result<SignedDuration, Failure> {
    let options = session.options();
    if let Some(until) = &options.until {
        let at = until
            .resolve(&session.runbook.event.times(), now)
            .map_err(|error| Failure::usage("--until is not usable").because(error))?;
        return Ok(at.duration_since(now));
    }
    match options.lasting {
        None => Ok(DEFAULT_LIFETIME),
        Some(Lasting::For(duration)) => Ok(duration),
        Some(Lasting::Event | Lasting::Forever) => Err(refusal(&MintError::Lifetime)),
    }
}

fn refusal(error: &MintError) -> Failure {
    let failure = Failure::new(Exit::Usage, "token.mint", error);
    match error {
        MintError::Opaque => failure.hint("--format jwt or --format cat makes one of another kind"),
        MintError::Lifetime => failure.hint("--for 5m"),
        MintError::Reserved { .. } => failure.hint("--for 5m sets how long it lives"),
        MintError::UnknownClaim { .. } => failure
            .hint("a Common Access Token has sub, cti, catu, …; others by number, such as 700:=1"),
        MintError::TokenId => failure.hint("such as --claim cti=0b71"),
        MintError::PublicKey => failure.hint("--key-env NAME of the shared secret"),
        MintError::Claims(_) => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_text_unless_it_says_that_it_is_json() {
        assert_eq!(claim("sub=8841"), Ok(("sub".to_owned(), "8841".into())));
        assert_eq!(
            claim("level:=3"),
            Ok(("level".to_owned(), ClaimValue::Integer(3)))
        );
        assert_eq!(claim("note=a=b"), Ok(("note".to_owned(), "a=b".into())));
        assert!(claim("sub").is_err());
        assert!(claim("=x").is_err());
        assert!(claim("x:={").is_err());
        assert!(claim("nbf=12").is_err());
    }
}

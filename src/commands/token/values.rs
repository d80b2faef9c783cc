//! Tokens and claim values as the commands take them: what each stands for, and why one stands for
//! nothing. Texts that may be whole tokens are named by their place only.

use jiff::Timestamp;
use serde_json::json;

use crate::commands::values::read_file;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::input::{Column, InputError, InputLine, ValueSource, read_values};
use crate::event::text::shortened;
use crate::runbook::Runbook;
use crate::token::{
    Format, MAX_TOKEN_BYTES, Place, Revocable, RevocationKey, Token, TokenError, is_structured,
};

/// The claim name that stands for a whole token.
pub(super) const WHOLE_TOKEN: &str = "token";

/// What a token given as an argument is answered with.
pub(super) const ADVICE: &str = "a token given as an argument is in the shell's history and in the list of processes; \
`-` takes it from a hidden prompt or standard input, @FILE from a file";

/// Headers whose whole line holds a token.
const HEADERS: [&str; 4] = [
    "authorization",
    "cookie",
    "set-cookie",
    "cta-common-access-token",
];

/// Most characters of a claim's value that are shown.
const SHOWN: usize = 80;

/// Most bad values that an error names in words.
const NAMED: usize = 20;

/// The values a command works on.
#[derive(Debug, clap::Args)]
pub(super) struct TokenValueArgs {
    /// Tokens, or claim values such as sub:8841; @FILE reads a file, - a hidden prompt or standard input
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
    /// Claim to go by: plain values are its values, and tokens count by it
    #[arg(long, value_name = "CLAIM")]
    pub(super) by: Option<String>,
    /// Column of a CSV file: its name or number
    #[arg(long)]
    column: Option<String>,
}

/// One text and where it stood.
pub(super) struct Given {
    /// `value 2`, or `line 7 of tokens.txt`.
    pub(super) place: String,
    pub(super) text: String,
    /// Whether it was typed on the command line.
    pub(super) argument: bool,
}

impl TokenValueArgs {
    /// Every text with its place.
    pub(super) fn read(&self, context: &Context) -> Result<Vec<Given>, Failure> {
        let column = self
            .column
            .as_deref()
            .map(Column::parse)
            .transpose()
            .map_err(|error| Failure::usage("the column is not usable").because(error))?;
        let mut given = Vec::new();
        for (position, argument) in self.values.iter().enumerate() {
            let (text, name) = match ValueSource::parse(argument) {
                ValueSource::Literal(text) => {
                    given.push(Given {
                        place: format!("value {}", position + 1),
                        text,
                        argument: true,
                    });
                    continue;
                }
                ValueSource::File(path) => (
                    read_file(&path)?,
                    shortened(&path.display().to_string(), 60),
                ),
                ValueSource::Stdin => (
                    context.ui.read_secret("token")?,
                    "standard input".to_owned(),
                ),
            };
            let lines = lines(&text, column.as_ref()).map_err(|error| {
                Failure::usage(format!("{name} could not be read as values")).because(error)
            })?;
            given.extend(lines.into_iter().map(|line| Given {
                place: format!("line {} of {name}", line.number),
                text: line.text,
                argument: false,
            }));
        }
        if given.is_empty() {
            return Err(Failure::usage(
                "there is no token and no claim value among what was given",
            ));
        }
        Ok(given)
    }
}

/// The values of a text. Unlike other values, a pasted URL or header is one value with all its spaces.
fn lines(text: &str, column: Option<&Column>) -> Result<Vec<InputLine>, InputError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if column.is_some() || text.trim_start().starts_with('[') {
        return read_values(text, column);
    }
    let mut all = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if is_pasted(line) {
            all.push(InputLine {
                number,
                text: line.to_owned(),
                comment: None,
            });
            continue;
        }
        all.extend(
            read_values(line, None)?
                .into_iter()
                .map(|one| InputLine { number, ..one }),
        );
    }
    Ok(all)
}

fn is_pasted(line: &str) -> bool {
    let header = line
        .split_once(':')
        .is_some_and(|(name, _)| is_header(name.trim()));
    let bearer = line
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    header || bearer || line.starts_with("https://") || line.starts_with("http://")
}

fn is_header(name: &str) -> bool {
    HEADERS
        .iter()
        .any(|header| header.eq_ignore_ascii_case(name))
}

/// One revocation key, and what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) claim: String,
    pub(super) key: String,
    /// The claim's value, safe to show, or the digest of a whole token.
    pub(super) shown: String,
    /// The whole token's digest, when a token was given.
    pub(super) digest: Option<String>,
    /// When the token that was given stops being valid by itself.
    pub(super) expires: Option<Timestamp>,
}

impl Subject {
    /// A claim's value, which is no whole token.
    pub(super) fn of_value(event: &str, claim: &str, value: &str) -> Self {
        Self {
            claim: shortened(claim, SHOWN),
            key: RevocationKey::new(event, claim, value).as_str().to_owned(),
            shown: shortened(value, SHOWN),
            digest: None,
            expires: None,
        }
    }
}

/// Why a text stands for no revocation key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self {
            code: "token.malformed",
            reason: error.to_string(),
            hint: None,
        }
    }
}

/// What one text is.
enum Meaning {
    Token(Box<Token>),
    Value { claim: String, value: String },
}

/// Makes revocation keys of texts, by the rules of one event.
pub(super) struct Reader<'a> {
    event: &'a str,
    format: Format,
    claims: Vec<String>,
    by: Option<&'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(runbook: &'a Runbook, by: Option<&'a str>) -> Result<Self, Failure> {
        let tokens = super::section(runbook)?;
        if by.is_some_and(|claim| claim.trim().is_empty() || is_structured(claim)) {
            return Err(
                Failure::usage("--by takes the name of a claim").hint("such as --by sub 8841")
            );
        }
        Ok(Self {
            event: runbook.event.id.as_str(),
            format: super::format_of(tokens),
            claims: super::claims_of(tokens),
            by,
        })
    }

    /// The one key that `text` is revoked by: of a token, its first claim that the edge looks up.
    pub(super) fn first(&self, text: &str) -> Result<Subject, Refusal> {
        Ok(self.all(text)?.remove(0))
    }

    /// All keys by which `text` may have been revoked, in the runbook's order; at least one.
    pub(super) fn all(&self, text: &str) -> Result<Vec<Subject>, Refusal> {
        match self.meaning(text)? {
            Meaning::Value { claim, value } => {
                self.of_value(&claim, &value).map(|subject| vec![subject])
            }
            Meaning::Token(token) => {
                let asked = self.by.map(str::to_owned);
                let claims = asked.map_or_else(|| self.claims.clone(), |claim| vec![claim]);
                self.of_token(&token, &claims)
            }
        }
    }

    fn meaning(&self, text: &str) -> Result<Meaning, Refusal> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge {
                bytes: text.len(),
                limit: MAX_TOKEN_BYTES,
            }
            .into());
        }
        let named = match self.by {
            Some(claim) if claim != WHOLE_TOKEN && !holds_token(text) => Some((claim, text)),
            Some(WHOLE_TOKEN) if digest_of(text).is_some() => Some((WHOLE_TOKEN, text)),
            Some(_) => None,
            None => claim_and_value(text)
                .filter(|(claim, _)| self.format != Format::Opaque || *claim == WHOLE_TOKEN),
        };
        if let Some((claim, value)) = named {
            let whole = claim == WHOLE_TOKEN && digest_of(value).is_none();
            if !whole && holds_token(value) {
                return Err(Refusal {
                    code: "token.as-value",
                    reason: format!(
                        "a whole token stands where the value of `{}` should",
                        shortened(claim, 40)
                    ),
                    hint: Some("give the token alone, and its claim with --by".to_owned()),
                });
            }
            return Ok(Meaning::Value {
                claim: claim.to_owned(),
                value: value.to_owned(),
            });
        }
        Token::read(text, Some(self.format))
            .map(Box::new)
            .map(Meaning::Token)
            .map_err(|error| {
                let plain = matches!(
                    error,
                    TokenError::TooShort { .. }
                        | TokenError::WrongFormat {
                            found: Format::Opaque,
                            ..
                        }
                );
                let mut refusal = Refusal::from(error);
                let claim = self.claims.first().map_or("sub", String::as_str);
                if plain && self.by.is_none() && claim != WHOLE_TOKEN {
                    refusal.reason =
                        format!("it is neither a {} token nor CLAIM:VALUE", self.format);
                    refusal.hint = Some(format!(
                        "a claim's value is given as {claim}:VALUE, or with --by {claim} VALUE"
                    ));
                }
                refusal
            })
    }

    fn of_value(&self, claim: &str, value: &str) -> Result<Subject, Refusal> {
        let value = value.trim();
        if claim == WHOLE_TOKEN {
            if let Some(digest) = digest_of(value) {
                return Ok(Subject {
                    claim: claim.to_owned(),
                    key: RevocationKey::for_token(self.event, digest)
                        .as_str()
                        .to_owned(),
                    shown: format!("sha256={digest}"),
                    digest: Some(digest.to_owned()),
                    expires: None,
                });
            }
            let token = Token::read(value, Some(self.format))?;
            return Ok(self.of_token(&token, &[WHOLE_TOKEN.to_owned()])?.remove(0));
        }
        if value.is_empty() {
            return Err(Refusal {
                code: "value.malformed",
                reason: format!("the value of `{}` is empty", shortened(claim, 40)),
                hint: None,
            });
        }
        // A CAT's token id is bytes, and its text form lower-case hexadecimal.
        let value = if self.format == Format::Cat && claim == "cti" {
            let even = value.len().is_multiple_of(2);
            if !even || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Refusal {
                    code: "value.malformed",
                    reason: "the value of `cti` is not bytes in hexadecimal".to_owned(),
                    hint: None,
                });
            }
            value.to_ascii_lowercase()
        } else {
            value.to_owned()
        };
        Ok(Subject::of_value(self.event, claim, &value))
    }

    fn of_token(&self, token: &Token, claims: &[String]) -> Result<Vec<Subject>, Refusal> {
        let ways = token.revocation_keys(self.event, claims);
        let subjects: Vec<Subject> = ways
            .iter()
            .filter_map(|way| {
                Some(Subject {
                    claim: shortened(&way.claim, SHOWN),
                    key: way.key.as_ref()?.as_str().to_owned(),
                    shown: way.display.clone(),
                    digest: Some(token.digest().to_owned()),
                    expires: token.expires(),
                })
            })
            .collect();
        if subjects.is_empty() {
            return Err(no_claim(token, &ways));
        }
        Ok(subjects)
    }
}

fn no_claim(token: &Token, ways: &[Revocable]) -> Refusal {
    let have: Vec<String> = token
        .claims()
        .iter()
        .map(|claim| shortened(&claim.name, 40))
        .collect();
    let asked: Vec<String> = ways
        .iter()
        .map(|way| format!("`{}` ({})", shortened(&way.claim, 40), way.display))
        .collect();
    let has = if have.is_empty() {
        "none".to_owned()
    } else {
        have.join(", ")
    };
    Refusal {
        code: "token.no-claim",
        reason: format!("the token cannot be revoked by {}; its claims: {has}", asked.join(", ")),
        hint: Some("--by CLAIM names another of its claims; it must be in tokens.revocation-keys for the edge to look it up".to_owned()),
    }
}

/// Whether a text is or holds a JWT or a CAT, whole or cut off.
fn holds_token(text: &str) -> bool {
    let cut_off = text.starts_with("eyJ") && text.len() >= 20;
    cut_off
        || is_structured(text)
        || Token::read(text, None)
            .is_ok_and(|token| token.format() != Format::Opaque && token.place() != Place::Alone)
}

/// `sub:8841` as claim and value; not a URL, and not a header.
fn claim_and_value(text: &str) -> Option<(&str, &str)> {
    let (claim, value) = text.split_once(':')?;
    let name = (1..=64).contains(&claim.len())
        && claim
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (name && !value.starts_with("//") && !is_header(claim)).then_some((claim, value))
}

/// The digest of a whole token, as `token inspect` shows it: `sha256=` and 43 characters.
fn digest_of(text: &str) -> Option<&str> {
    let digest = text.strip_prefix("sha256=")?;
    let coded = digest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (digest.len() == 43 && coded).then_some(digest)
}

/// The advice, when a token (and not a claim's value) was typed on the command line.
pub(super) fn advice(given: &[Given], reader: &Reader<'_>) -> Option<&'static str> {
    let typed = given.iter().filter(|one| one.argument);
    let secret = |one: &Given| {
        holds_token(&one.text) || matches!(reader.meaning(&one.text), Ok(Meaning::Token(_)))
    };
    typed.into_iter().any(secret).then_some(ADVICE)
}

/// Refuses the whole command for its bad values, each named by its place.
pub(super) fn refused(bad: &[(&Given, Refusal)], of: usize) -> Failure {
    let (code, message) =
        bad.first()
            .map_or(("token.malformed", String::new()), |(given, refusal)| {
                (
                    refusal.code,
                    if of == 1 {
                        refusal.reason.clone()
                    } else {
                        format!("{}: {}", given.place, refusal.reason)
                    },
                )
            });
    let mut failure = Failure::new(Exit::Usage, code, message);
    for (given, refusal) in bad.iter().skip(1).take(NAMED) {
        failure
            .causes
            .push(format!("{}: {}", given.place, refusal.reason));
    }
    if bad.len() > NAMED + 1 {
        failure.causes.push(format!(
            "and {} more; -o json names them all",
            bad.len() - NAMED - 1
        ));
    }
    let mut hints: Vec<String> = Vec::new();
    for hint in bad.iter().filter_map(|(_, refusal)| refusal.hint.clone()) {
        if hints.len() < 3 && !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    failure.hints = hints;
    if of > bad.len() {
        failure = failure.hint(format!(
            "nothing was changed; {} of {of} values are good",
            of - bad.len()
        ));
    }
    let list: Vec<_> = bad
        .iter()
        .map(|(given, refusal)| json!({ "value": given.place, "code": refusal.code, "reason": refusal.reason }))
        .collect();
    failure.with_data(json!({ "bad-values": list }))
}

/// What a list of subjects is called in one line: `sub 8841 and 4 more`.
pub(super) fn some_of(subjects: &[Subject]) -> String {
    let words = |one: &Subject| format!("{} {}", one.claim, one.shown);
    match subjects {
        [] => "nothing".to_owned(),
        [one] => words(one),
        [one, two] => format!("{} and {}", words(one), words(two)),
        [one, rest @ ..] => format!("{} and {} more", words(one), rest.len()),
    }
}

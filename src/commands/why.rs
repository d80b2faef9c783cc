//! `onair why`: the one question. Who or what is this, which layer decides on it, who put it there,
//! until when, and which command lifts it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::context::{Context, Session};
use crate::edge::gate::mode_word;
use crate::edge::{Layer, ViewerRequest};
use crate::error::{Exit, Failure};
use crate::event::cidr::{Cidr, CidrError};
use crate::event::country::Country;
use crate::event::duration::human;
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::layers::{self, Function, Gate, Line, Outcome, Reading, Sampled, Subject, Viewer};
use crate::ledger::body::{Access, Kind};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, Progress, Standing, View};
use crate::plan::ip_set::Demand;
use crate::render::{Answer, Sheet};
use crate::runbook::model::{TokenFormat, TokenMode};
use crate::token::selftest::carry;
use crate::token::{Format, RevocationKey, Token, mode_key};

/// How far back WAF's samples are asked for.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Looking at samples may hold up the answer by this.
const SAMPLES_LIMIT: Duration = Duration::from_secs(3);
/// Longer than this, what is not understood may be a token: it is not repeated.
const LONGEST_SHOWN: usize = 24;

/// Explain a viewer: which layer decides, who put it there, until when, how to lift it
///
/// WHAT is an address or prefix, a country, a token (`-` reads it hidden or from standard input), a
/// claim as CLAIM:VALUE, a URL of one of the event's distributions, a line of a CloudFront access
/// log, or a change such as jess-7. Every layer is asked in the order in which CloudFront does; what
/// cannot be read is said so and never taken for "allowed". Nothing is changed.
///
/// Example: onair why 203.0.113.7, or: onair why sub:8841
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address, prefix, country, token, CLAIM:VALUE, URL, log line, change; - reads it from standard input
    #[arg(value_name = "WHAT", allow_hyphen_values = true)]
    what: String,
    /// The viewer's address, where WHAT does not say it
    #[arg(long, value_name = "ADDRESS")]
    address: Option<std::net::IpAddr>,
    /// The viewer's country, where WHAT does not say it
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    country: Option<Country>,
}

fn country(text: &str) -> Result<Country, String> {
    Country::parse(text).map_err(|error| error.to_string())
}

/// What is asked about, as far as it is known.
#[derive(Debug, Clone, Default)]
struct Question {
    /// `address`, `prefix`, `country`, `token`, `claim`, `url`, `log-line` or `entry`.
    kind: &'static str,
    /// Safe to show: never a token.
    shown: String,
    prefix: Option<Cidr>,
    country: Option<Country>,
    keys: Vec<KeyAsked>,
    /// A whole token, which the gate is asked about.
    carried: Option<Carried>,
    /// Only this distribution is asked, by id.
    distribution: Option<String>,
    path: Option<String>,
    user_agent: Option<String>,
    /// A change of the ledger.
    entry: Option<String>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// Where a whole token is.
#[derive(Debug, Clone)]
enum Carried {
    /// By itself: it is put where the runbook says that players do.
    Alone(SecretString),
    /// In the path or the query.
    InPath,
}

/// A revocation key that would refuse the viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyAsked {
    key: String,
    claim: String,
    shown: String,
    /// Whether `shown` is the value itself, so that it can be typed.
    typable: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let (what, secret) = read(args, context)?;
    let session = context.session().await?;
    let mut question = understand(&session, &what, secret)?;
    drop(what);
    if let Some(address) = args.address {
        question.prefix = Some(Cidr::single(address));
    }
    question.country = args.country.or(question.country);
    answer(&session, question).await
}

/// What is asked about; true when it came the way that tokens should.
fn read(args: &Args, context: &Context) -> Result<(SecretString, bool), Failure> {
    if args.what == "-" {
        let text = context
            .ui
            .read_secret("token, or anything else to explain")?;
        if text.trim().is_empty() {
            return Err(Failure::usage(
                "there is nothing to explain on standard input",
            ));
        }
        return Ok((SecretString::from(text), true));
    }
    if args.what.trim().is_empty() {
        return Err(Failure::usage("there is nothing to explain").hint("onair why 203.0.113.7"));
    }
    Ok((SecretString::from(args.what.clone()), false))
}

/// Tells what the text is. The order matters: what is surely one thing comes first, a token last.
fn understand(session: &Session, what: &SecretString, secret: bool) -> Result<Question, Failure> {
    let text = what.expose_secret().trim();
    if text.lines().count() > 1 && !text.contains('\t') {
        return Err(
            Failure::usage("more than one line to explain").hint("ask for one thing at a time")
        );
    }
    if text.contains('\t') {
        return log_line(session, text);
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return url(session, text);
    }
    match Cidr::parse(text) {
        Ok(parsed) => {
            let cidr = parsed.cidr;
            let mut question = Question {
                kind: if cidr.is_single() {
                    "address"
                } else {
                    "prefix"
                },
                shown: shown(cidr),
                prefix: Some(cidr),
                ..Question::default()
            };
            if let Some(from) = parsed.normalized_from {
                question
                    .notes
                    .push(format!("{from} has host bits; it is the network {cidr}"));
            }
            return Ok(question);
        }
        Err(error @ CidrError::Mapped { .. }) => {
            return Err(Failure::new(Exit::Usage, "value.malformed", error));
        }
        Err(_) => {}
    }
    if is_handle(text) {
        return Ok(Question {
            kind: "entry",
            shown: text.to_owned(),
            entry: Some(text.to_owned()),
            ..Question::default()
        });
    }
    let suggestions = match Country::parse(text) {
        Ok(country) => {
            return Ok(Question {
                kind: "country",
                shown: format!("{} ({country})", country.name()),
                country: Some(country),
                ..Question::default()
            });
        }
        Err(error) => error.suggestions,
    };
    if let Some(question) = claim(session, text)? {
        return Ok(question);
    }
    let opaque = session
        .runbook
        .tokens
        .as_ref()
        .is_some_and(|tokens| tokens.format == TokenFormat::Opaque);
    let long_opaque = opaque && text.len() >= 16 && !text.contains(char::is_whitespace);
    if crate::token::is_structured(text)
        || long_opaque
        || (secret && text.len() > LONGEST_SHOWN)
        || text.to_ascii_lowercase().starts_with("bearer ")
    {
        return token(session, text, secret);
    }
    let named = if text.chars().count() <= LONGEST_SHOWN && !secret {
        format!("`{}`", printable(text))
    } else {
        format!(
            "the value ({} characters, not repeated here)",
            text.chars().count()
        )
    };
    let mut failure = Failure::new(
        Exit::Usage,
        "value.malformed",
        format!("{named} is not an address, country, token, CLAIM:VALUE, URL, log line or change"),
    );
    for country in suggestions.into_iter().take(3) {
        failure = failure.hint(format!("onair why {country} ({})", country.name()));
    }
    if failure.hints.is_empty() {
        failure = failure.hint("onair why --help shows what it takes; a claim is written sub:8841, a token is read with onair why -");
    }
    Err(failure)
}

/// A change's handle (`jess-7`) or its ULID.
fn is_handle(text: &str) -> bool {
    let ulid = text.len() == 26
        && text.starts_with(['0', '1'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let handle = text.rsplit_once('-').is_some_and(|(name, number)| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && (1..=6).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    ulid || handle
}

/// `CLAIM:VALUE`.
fn claim(session: &Session, text: &str) -> Result<Option<Question>, Failure> {
    let Some((claim, value)) = text.split_once(':') else {
        return Ok(None);
    };
    let named = !claim.is_empty()
        && claim.len() <= 64
        && claim
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !named || value.is_empty() {
        return Ok(None);
    }
    let Some(tokens) = &session.runbook.tokens else {
        return Err(Failure::usage(
            "the runbook has no [tokens] section, so no claim is looked up",
        ));
    };
    if crate::token::is_structured(value) {
        return Err(
            Failure::usage(format!("the value of {claim} looks like a whole token"))
                .hint("onair why - reads a token without showing it"),
        );
    }
    let event = session.runbook.event.id.as_str();
    let display = shortened(value, 60);
    let mut question = Question {
        kind: "claim",
        shown: format!("{claim} {display}"),
        keys: vec![KeyAsked {
            key: RevocationKey::new(event, claim, value).as_str().to_owned(),
            claim: claim.to_owned(),
            typable: display == value,
            shown: display,
        }],
        ..Question::default()
    };
    if !tokens.revocation_keys.iter().any(|one| one == claim) {
        question.warnings.push(format!(
            "the runbook does not look up `{claim}` at the edge; it looks up {}",
            tokens.revocation_keys.join(", ")
        ));
    }
    Ok(Some(question))
}

/// A token, by every key that could revoke it.
fn token(session: &Session, text: &str, secret: bool) -> Result<Question, Failure> {
    let Some(tokens) = &session.runbook.tokens else {
        return Err(Failure::usage(
            "the runbook has no [tokens] section, so no token is looked up",
        ));
    };
    let expected = match tokens.format {
        TokenFormat::Jwt => Format::Jwt,
        TokenFormat::Cat => Format::Cat,
        TokenFormat::Opaque => Format::Opaque,
    };
    let token = Token::read(text, Some(expected)).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "value.malformed",
            "the token could not be read",
        )
        .caused_by(&error)
    })?;
    let mut question = Question {
        kind: "token",
        shown: format!(
            "{} token sha256={}",
            token.format().word(),
            shortened(token.digest(), 12)
        ),
        keys: keys_of(session, &token),
        carried: crate::token::whole(text).map(Carried::Alone),
        ..Question::default()
    };
    if !secret {
        question
            .warnings
            .push("a token on the command line stays in the shell's history; `onair why -` reads it hidden".to_owned());
    }
    let now = session.clock.now();
    if let Some(expires) = token.expires().filter(|expires| *expires <= now) {
        question.notes.push(format!(
            "by its own claims the token expired {} ago; that is unproven here",
            human(now.duration_since(expires))
        ));
    }
    Ok(question)
}

fn keys_of(session: &Session, token: &Token) -> Vec<KeyAsked> {
    let Some(tokens) = &session.runbook.tokens else {
        return Vec::new();
    };
    let mut claims = tokens.revocation_keys.clone();
    if !claims.iter().any(|claim| claim == "token") {
        claims.push("token".to_owned());
    }
    token
        .revocation_keys(session.runbook.event.id.as_str(), &claims)
        .into_iter()
        .filter_map(|one| {
            let key = one.key?.as_str().to_owned();
            let whole = token
                .claim(&one.claim)
                .ok()
                .and_then(crate::token::ClaimValue::text_form);
            Some(KeyAsked {
                typable: whole.is_some_and(|whole| whole == one.display),
                key,
                claim: one.claim,
                shown: one.display,
            })
        })
        .collect()
}

/// A URL of one of the distributions; a token in it is looked up and not shown.
fn url(session: &Session, text: &str) -> Result<Question, Failure> {
    let uri: http::Uri = text
        .parse()
        .map_err(|_| Failure::new(Exit::Usage, "value.malformed", "the URL could not be read"))?;
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let mut question = request_for(session, &host, uri.path(), uri.query())?;
    question.kind = "url";
    Ok(question)
}

fn request_for(
    session: &Session,
    host: &str,
    path: &str,
    query: Option<&str>,
) -> Result<Question, Failure> {
    let distributions = &session.runbook.distributions;
    let known: Vec<&str> = distributions
        .iter()
        .map(|one| one.domain.as_str())
        .collect();
    let found = distributions
        .iter()
        .find(|one| one.domain.eq_ignore_ascii_case(host))
        .ok_or_else(|| {
            Failure::usage(format!(
                "{} is not one of the event's distributions",
                shortened(host, 80)
            ))
            .hint(format!("they are {}", known.join(", ")))
        })?;
    let address = match query {
        Some(query) => format!("https://{host}{path}?{query}"),
        None => format!("https://{host}{path}"),
    };
    let carried = Token::read(&address, None).ok().filter(|token| {
        token.place() != crate::token::Place::Alone
            && (token.format() != Format::Opaque || token.place() == crate::token::Place::Query)
    });
    let in_path = carried
        .as_ref()
        .is_some_and(|token| token.place() == crate::token::Place::Path);
    let shown_path = if in_path {
        "/…".to_owned()
    } else {
        shortened(path, 80)
    };
    let mut question = Question {
        shown: format!("{}{shown_path}", found.domain),
        distribution: Some(found.id.clone()),
        path: Some(match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }),
        ..Question::default()
    };
    if let Some(token) = carried {
        question.keys = keys_of(session, &token);
        question.carried = Some(Carried::InPath);
        question
            .notes
            .push("it carries a token, which is looked up too".to_owned());
    }
    Ok(question)
}

/// Places in a line of CloudFront's standard log (Developer Guide, "Standard log file fields").
mod field {
    pub(super) const ADDRESS: usize = 4;
    pub(super) const HOST: usize = 6;
    pub(super) const PATH: usize = 7;
    pub(super) const STATUS: usize = 8;
    pub(super) const USER_AGENT: usize = 10;
    pub(super) const QUERY: usize = 11;
    pub(super) const RESULT: usize = 13;
    pub(super) const HOST_HEADER: usize = 15;
    pub(super) const DETAILED_RESULT: usize = 28;
    /// With fewer fields it is no line of that log.
    pub(super) const LEAST: usize = 14;
}

/// A line of CloudFront's standard log, with tabs between the fields.
fn log_line(session: &Session, text: &str) -> Result<Question, Failure> {
    let line = text
        .lines()
        .find(|line| !line.starts_with('#'))
        .unwrap_or_default();
    let fields: Vec<&str> = line.split('\t').collect();
    let malformed = |why: &str| {
        Failure::new(Exit::Usage, "value.malformed", format!("the line is not one of CloudFront's standard log: {why}"))
            .hint("its fields have tabs between them: pass the line as it is in the file, with onair why - < FILE")
    };
    if fields.len() < field::LEAST {
        return Err(malformed(&format!("{} fields", fields.len())));
    }
    let value = |place: usize| {
        fields
            .get(place)
            .copied()
            .filter(|value| *value != "-" && !value.is_empty())
    };
    let address: std::net::IpAddr = value(field::ADDRESS)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("field 5 is not an address"))?;
    let host = value(field::HOST_HEADER)
        .or_else(|| value(field::HOST))
        .unwrap_or_default();
    let path = value(field::PATH).unwrap_or("/");
    let mut question = match request_for(session, host, path, value(field::QUERY)) {
        Ok(question) => question,
        // The host may be the distribution's own name, which the runbook does not hold.
        Err(_) => Question {
            shown: shortened(host, 60),
            notes: vec![
                "its host is none of the runbook's domains; all distributions are asked".to_owned(),
            ],
            ..Question::default()
        },
    };
    question.kind = "log-line";
    question.shown = format!("{address} at {}", question.shown);
    question.prefix = Some(Cidr::single(address));
    question.user_agent = value(field::USER_AGENT).map(|text| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    });
    let result = value(field::DETAILED_RESULT)
        .or_else(|| value(field::RESULT))
        .unwrap_or("no result");
    question.notes.push(format!(
        "the line says: {} {}, {} {}",
        shortened(value(field::STATUS).unwrap_or("no status"), 10),
        shortened(result, 40),
        shortened(fields[0], 12),
        shortened(fields[1], 12),
    ));
    Ok(question)
}

/// A single address without its length.
fn shown(cidr: Cidr) -> String {
    if cidr.is_single() {
        cidr.address().to_string()
    } else {
        cidr.to_string()
    }
}

async fn answer(session: &Session, mut question: Question) -> Result<Answer, Failure> {
    let ledger = session.read_ledger();
    if let Some(name) = question.entry.clone() {
        let view = ledger.await?.view;
        let change = view.find(&name).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                "entry.unknown",
                format!(
                    "there is no change `{}` in this event's ledger",
                    printable(&name)
                ),
            )
            .hint("`onair ledger list` shows them")
        })?;
        return Ok(explain_entry(session, &view, change));
    }
    let distributions: Vec<(String, String)> = session
        .runbook
        .distributions
        .iter()
        .filter(|one| {
            question
                .distribution
                .as_ref()
                .is_none_or(|id| *id == one.id)
        })
        .map(|one| (one.name.clone(), one.id.clone()))
        .collect();
    let keys: Vec<String> = question.keys.iter().map(|one| one.key.clone()).collect();
    let gate = async {
        match question.carried {
            Some(_) => Gate::read(&session.cloud, &session.runbook, &keys).await,
            None => None,
        }
    };
    let gate = Box::pin(gate);
    let asked = if keys.is_empty() {
        Vec::new()
    } else {
        let mode = mode_key(session.runbook.event.id.as_str());
        keys.iter().cloned().chain([mode]).collect()
    };
    let store = session
        .store_name()
        .ok()
        .filter(|_| !asked.is_empty())
        .map(|name| (name, asked.as_slice()));
    let (ledger, reading, mut gate) = futures_util::join!(
        ledger,
        layers::read(&session.cloud, &distributions, store),
        gate
    );
    let (view, ledger_warning) = match ledger {
        Ok(read) => (read.view, None),
        Err(failure) => {
            let cause = failure.causes.first().unwrap_or(&failure.message).clone();
            (
                crate::ledger::read_local(&session.ledger),
                Some(format!(
                    "the ledger could not be read ({cause}): who put it there is not known"
                )),
            )
        }
    };
    let state = session.state(&view);
    let now = session.clock.now();
    let start = now.saturating_sub(WINDOW).unwrap_or(now);
    let sampled = if question.prefix.is_some() || question.country.is_some() {
        layers::sampled(
            &session.cloud,
            &session.clock,
            &reading,
            (start, now),
            SAMPLES_LIMIT,
        )
        .await
    } else {
        Err("WAF's samples hold no tokens".to_owned())
    };
    if question.country.is_none()
        && let (Some(prefix), Ok(sampled)) = (
            question.prefix.filter(|prefix| prefix.is_single()),
            &sampled,
        )
        && let Some(country) = sampled
            .requests
            .iter()
            .rev()
            .find(|one| {
                one.address
                    .parse()
                    .is_ok_and(|address| prefix.covers_address(address))
            })
            .and_then(|one| one.country.clone())
        && let Ok(country) = Country::parse(&country)
    {
        question
            .notes
            .push(format!("its country is {country} per WAF's samples"));
        question.country = Some(country);
    }
    let mode = mode_in_force(session, &view, &state, &mut question, &reading);
    let mut viewers = Vec::new();
    for subject in &reading.distributions {
        viewers.push(viewer(session, &question, subject, mode, gate.as_mut(), now).await);
    }
    let found = Found::of(session, &view, &question, &reading, &viewers, &state, now);
    let hits = hits(&question, &sampled);
    Ok(found.answer(session, &state, &question, &reading, &hits, ledger_warning))
}

/// Everything that was found out.
struct Found {
    distributions: Vec<Decided>,
    /// Open changes that cover it, oldest first.
    entries: Vec<Value>,
    entry_words: Vec<String>,
    /// What refuses and is not explained by the ledger, in words.
    drift: Vec<String>,
    lift: Option<String>,
}

struct Decided {
    name: String,
    id: String,
    outcome: Outcome,
    lines: Vec<Line>,
}

impl Found {
    fn of(
        session: &Session,
        view: &View,
        question: &Question,
        reading: &Reading,
        viewers: &[Viewer],
        state: &EventState,
        now: Timestamp,
    ) -> Self {
        let distributions: Vec<Decided> = reading
            .distributions
            .iter()
            .zip(viewers)
            .map(|(subject, viewer)| {
                let mut lines = reading.decide(subject, viewer);
                settle(question, &mut lines);
                Decided {
                    name: subject.name.clone(),
                    id: subject.id.clone(),
                    outcome: layers::outcome(&lines),
                    lines,
                }
            })
            .collect();
        let mut found = Self {
            distributions,
            entries: Vec::new(),
            entry_words: Vec::new(),
            drift: Vec::new(),
            lift: None,
        };
        for change in view.open() {
            let subjects = covered(view, change, question);
            if !subjects.is_empty() {
                found
                    .entries
                    .push(entry_json(session, state, change, &subjects));
                found
                    .entry_words
                    .push(entry_words(session, state, change, &subjects, now));
            }
        }
        let elements = found.drifting_addresses(session, view, question, reading);
        found.drifting_countries(session, view, question, reading);
        found.drifting_keys(view, question, reading);
        found.lift = found.lifting(question, &elements);
        found
    }

    /// Elements of IP sets that hold the address and that no entry explains, as `unblock` takes them.
    fn drifting_addresses(
        &mut self,
        session: &Session,
        view: &View,
        question: &Question,
        reading: &Reading,
    ) -> Vec<Cidr> {
        let Some(prefix) = question.prefix else {
            return Vec::new();
        };
        let ours: Vec<String> = session
            .sets()
            .map(|sets| sets.into_values().collect())
            .unwrap_or_default();
        let mut elements = Vec::new();
        for (arn, set) in &reading.ip_sets {
            let name = layers::set_name(arn);
            let held = set
                .iter()
                .flatten()
                .filter(|element| element.overlaps(prefix));
            for element in held {
                if !ours.iter().any(|one| one == name) {
                    self.drift.push(format!(
                        "{element} is in IP set {name}, which is not the event's blocklist"
                    ));
                    continue;
                }
                let demand = Demand::of(view, None, element.family());
                if !demand.explains(*element) || demand.is_marked_foreign(*element) {
                    self.drift.push(format!(
                        "{element} in {name} is not in the ledger: someone else put it there"
                    ));
                    elements.push(*element);
                }
            }
        }
        elements
    }

    fn drifting_countries(
        &mut self,
        session: &Session,
        view: &View,
        question: &Question,
        reading: &Reading,
    ) {
        let Some(country) = question.country else {
            return;
        };
        for subject in &reading.distributions {
            let refused = self.distributions.iter().any(|one| {
                one.id == subject.id
                    && one.lines.iter().any(|line| {
                        line.layer == Layer::Geo && line.state == layers::State::Refused
                    })
            });
            let asked = view.open().any(|change| {
                view.countries(change).iter().any(|(ask, standing)| {
                    ask.country == country
                        && ask.distribution == subject.id
                        && ask.wanted == Access::Blocked
                        && *standing != Standing::Closing
                })
            });
            if !refused || asked {
                continue;
            }
            let by_runbook = session
                .runbook
                .geo
                .as_ref()
                .is_some_and(|geo| geo.blocks(country));
            self.drift.push(if by_runbook {
                format!("{} keeps {country} out by the runbook's [geo]: it is not in the rights", subject.name)
            } else {
                format!("{} keeps {country} out, and neither the runbook nor the ledger says so: someone else changed it", subject.name)
            });
        }
    }

    fn drifting_keys(&mut self, view: &View, question: &Question, reading: &Reading) {
        let Some(Ok(values)) = &reading.keys else {
            return;
        };
        let asked = crate::plan::keys::standing_keys(view);
        for key in question
            .keys
            .iter()
            .filter(|key| values.contains_key(&key.key) && !asked.contains_key(&key.key))
        {
            self.drift.push(format!(
                "{} {} is in the store and not in the ledger: someone else put it there",
                key.claim, key.shown
            ));
        }
    }

    /// The command that lifts the first refusal.
    fn lifting(&self, question: &Question, foreign: &[Cidr]) -> Option<String> {
        let layers: Vec<Layer> = self
            .distributions
            .iter()
            .filter_map(|one| layers::refusal(&one.lines))
            .map(|line| line.layer)
            .collect();
        let mut first = layers.iter().min().copied();
        // A revoked token is lifted also where the gate refuses it for something else, or only logs.
        let is_revoked = self.distributions.iter().any(|one| {
            let revoked = |line: &Line| line.layer == Layer::Revocation && line.rule.is_some();
            one.lines.iter().any(revoked)
        });
        if is_revoked && first.is_none_or(|first| first == Layer::Function) {
            first = Some(Layer::Revocation);
        }
        let entries = !self.entries.is_empty();
        match first {
            Some(Layer::Geo) => question
                .country
                .map(|country| format!("onair geo unblock {country}")),
            Some(Layer::Revocation) => Some(restore(question)),
            _ => {
                let prefix = question.prefix?;
                let blocked = self.distributions.iter().any(|one| {
                    one.lines.iter().any(|line| {
                        line.layer == Layer::Waf
                            && line.state != layers::State::Allowed
                            && line.reason.contains("IP set")
                    })
                });
                // Someone else's wider element is lifted by its own name only.
                let mut values: Vec<Cidr> = foreign
                    .iter()
                    .copied()
                    .filter(|element| !prefix.covers(*element))
                    .collect();
                if entries || foreign.iter().any(|element| prefix.covers(*element)) {
                    values.insert(0, prefix);
                }
                let values: Vec<String> = values.into_iter().map(shown).collect();
                (!values.is_empty() && (blocked || entries))
                    .then(|| format!("onair unblock {}", values.join(" ")))
            }
        }
    }

    /// Whether all that refuses is the gate, for what the token says.
    fn is_refused_by_gate(&self) -> bool {
        let mut refusals = self
            .distributions
            .iter()
            .filter_map(|one| layers::refusal(&one.lines));
        refusals.all(|line| line.layer == Layer::Function)
    }

    fn answer(
        &self,
        session: &Session,
        state: &EventState,
        question: &Question,
        reading: &Reading,
        hits: &Hits,
        ledger_warning: Option<String>,
    ) -> Answer {
        let mut text = super::header(session, state, None);
        text.push_str(&format!("{} · {}\n", question.shown, question.kind));
        let mut sheet = Sheet::new(&["distribution", "layer", "decision", "rule", "reason"]);
        for group in same(&self.distributions) {
            let one = group[0];
            let names: Vec<String> = group
                .iter()
                .map(|one| format!("{} ({})", one.name, one.id))
                .collect();
            text.push_str(&format!(
                "{}: {}\n",
                names.join(" and "),
                verdict_words(one)
            ));
            for line in &one.lines {
                text.push_str(&line_words(line));
            }
        }
        for one in &self.distributions {
            for line in &one.lines {
                sheet.push([
                    one.name.clone(),
                    line.layer.name().to_owned(),
                    line.state.word().to_lowercase(),
                    line.rule.clone().unwrap_or_default(),
                    line.reason.clone(),
                ]);
            }
        }
        for words in self.entry_words.iter().chain(&self.drift) {
            text.push_str(&format!("{words}\n"));
        }
        for note in &question.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push_str(&format!("{}\n", hits.words));
        let refused = self
            .distributions
            .iter()
            .any(|one| one.outcome == Outcome::Refused);
        match (&self.lift, refused) {
            (Some(lift), _) => text.push_str(&format!("lift it: {lift}\n")),
            (None, true) if self.is_refused_by_gate() => {
                text.push_str("nothing to lift: the viewer needs another token from the issuer\n");
            }
            (None, true) => {
                text.push_str(
                    "onair cannot lift this: what refuses is not the event's to change\n",
                );
            }
            (None, false) => text.push_str("nothing to lift\n"),
        }
        let data = json!({
            "what": question.shown,
            "kind": question.kind,
            "country": question.country,
            "distributions": self.distributions.iter().map(Decided::json).collect::<Vec<_>>(),
            "entries": self.entries,
            "drift": self.drift,
            "notes": question.notes,
            "hits": hits.data,
            "lift": self.lift,
        });
        let mut answer = Answer::new("why", data, text)
            .with_head(session.head(Some(state), None))
            .with_sheet(sheet);
        answer.warnings.extend(question.warnings.iter().cloned());
        answer.warnings.extend(ledger_warning);
        answer.warnings.extend(reading.warnings.iter().cloned());
        answer
    }
}

impl Decided {
    fn json(&self) -> Value {
        let first = layers::refusal(&self.lines);
        json!({
            "name": self.name,
            "id": self.id,
            "decision": self.outcome,
            "refused-by": first.map(|line| line.layer),
            "status": first.and_then(|line| line.status),
            "layers": self.lines,
        })
    }
}

/// The command that brings a revoked token back.
fn restore(question: &Question) -> String {
    match question
        .keys
        .iter()
        .find(|key| key.typable && key.claim != "token")
    {
        Some(key) => {
            let plain = key
                .shown
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._@:/+=".contains(&byte));
            let value = if plain {
                key.shown.clone()
            } else {
                format!("'{}'", key.shown.replace('\'', r"'\''"))
            };
            format!("onair token restore --by {} {value}", key.claim)
        }
        None => "onair token restore -".to_owned(),
    }
}

/// What the gate does with its refusals; a note says so where revocations are not felt, or where it is
/// not what the runbook says.
fn mode_in_force(
    session: &Session,
    view: &View,
    state: &EventState,
    question: &mut Question,
    reading: &Reading,
) -> TokenMode {
    let Some(tokens) = &session.runbook.tokens else {
        return TokenMode::Off;
    };
    let Some(Ok(values)) = &reading.keys else {
        return tokens.mode;
    };
    let key = mode_key(session.runbook.event.id.as_str());
    let stored = values.get(&key).map(String::as_str);
    let found = super::token::mode::in_force(session, state, view, tokens, stored);
    if found.mode != TokenMode::Enforce || found.mode != found.runbook {
        question.notes.push(format!(
            "the gate's mode is {}, {}",
            mode_word(found.mode),
            found.whose
        ));
    }
    found.mode
}

/// The viewer at one distribution, with what the gate says there.
async fn viewer(
    session: &Session,
    question: &Question,
    subject: &Subject,
    mode: TokenMode,
    gate: Option<&mut Gate>,
    now: Timestamp,
) -> Viewer {
    let distributions = &session.runbook.distributions;
    let here = distributions.iter().find(|one| one.id == subject.id);
    let sample = || {
        let own = here.and_then(|one| one.samples.manifest.clone());
        own.or_else(|| {
            distributions
                .iter()
                .find_map(|one| one.samples.manifest.clone())
        })
    };
    let path = question.path.clone().or_else(sample);
    let mut request = ViewerRequest::new(path.as_deref().unwrap_or("/"), now);
    request.address = question.prefix.map(Cidr::address);
    request.country = question.country.map(|country| country.code().to_owned());
    request.user_agent.clone_from(&question.user_agent);
    // A key under a claim that the edge function does not look up refuses nobody.
    let tokens = session.runbook.tokens.as_ref();
    let looked_up = tokens.map(super::token::claims_of).unwrap_or_default();
    request.revocation_keys = question
        .keys
        .iter()
        .filter(|key| looked_up.contains(&key.claim))
        .map(|key| key.key.clone())
        .collect();
    let function = match (gate, &question.carried, tokens) {
        (Some(gate), Some(carried), Some(tokens)) => {
            // Only the gate's request holds the token.
            let mut asking = request.clone();
            let source = tokens.gate.sources.first();
            if let (Carried::Alone(token), Some(source)) = (carried, source) {
                carry(&mut asking, source, token.expose_secret());
            }
            let domain = here.map_or("", |one| one.domain.as_str());
            let is_path_known = question.path.is_some();
            gate.ask(&session.cloud, &asking, domain, is_path_known)
                .await
        }
        (_, _, None) => Function::NotAsked("the runbook names no function"),
        _ if question.keys.is_empty() => {
            Function::NotAsked("without a token the function's code is not run")
        }
        _ => Function::NotAsked("the function's code is run for a whole token (onair why -)"),
    };
    Viewer {
        request,
        prefix: question.prefix.filter(|prefix| !prefix.is_single()),
        mode,
        function,
    }
}

/// Leaves out what the question does not touch: of a country alone, WAF's "the address is not known"
/// says nothing, and so does geo of a claim.
fn settle(question: &Question, lines: &mut Vec<Line>) {
    for line in lines.iter_mut() {
        if line.state == layers::State::Unknown
            && line.layer == Layer::Geo
            && question.prefix.is_none()
            && question.country.is_none()
        {
            line.state = layers::State::NotEvaluated;
            "depends on the viewer's country (--country CODE)".clone_into(&mut line.reason);
        }
        if line.state == layers::State::Unknown
            && line.layer == Layer::Waf
            && question.prefix.is_none()
            && line.reason.contains("the address is not known")
        {
            line.state = layers::State::NotEvaluated;
            "depends on the viewer's address (--address ADDRESS)".clone_into(&mut line.reason);
        }
    }
    let waf_depends = lines
        .iter()
        .any(|line| line.layer == Layer::Waf && line.state == layers::State::NotEvaluated);
    if waf_depends {
        lines.retain(|line| line.layer != Layer::Waf || line.state != layers::State::Allowed);
    }
}

/// Distributions with the same decisions, together.
fn same(distributions: &[Decided]) -> Vec<Vec<&Decided>> {
    let mut groups: Vec<Vec<&Decided>> = Vec::new();
    for one in distributions {
        match groups.iter_mut().find(|group| group[0].lines == one.lines) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

fn verdict_words(one: &Decided) -> String {
    match (one.outcome, layers::refusal(&one.lines)) {
        (Outcome::Refused, Some(line)) => {
            let status = line
                .status
                .map(|status| format!(" with {status}"))
                .unwrap_or_default();
            format!("REFUSED by {}{status}", line.layer.name())
        }
        (Outcome::Served, _) => "not refused by any layer that was asked".to_owned(),
        (Outcome::Unknown | Outcome::Refused, _) => {
            "not known: no layer that answered refuses, and some could not be judged".to_owned()
        }
    }
}

fn line_words(line: &Line) -> String {
    let rule = match (&line.rule, line.layer) {
        (Some(rule), Layer::Waf) => format!(" · rule {}", printable(rule)),
        _ => String::new(),
    };
    format!(
        "  {:<10} {:<13} {}{rule}\n",
        line.layer.name(),
        line.state.word(),
        printable(&line.reason)
    )
}

/// What of the question an open change covers, in words.
fn covered(view: &View, change: &Change, question: &Question) -> Vec<(String, Standing)> {
    let mut subjects = Vec::new();
    if let Some(prefix) = question.prefix {
        let pieces = view
            .pieces(change)
            .into_iter()
            .filter(|piece| piece.cidr.overlaps(prefix));
        subjects.extend(pieces.map(|piece| (shown(piece.cidr), piece.standing)));
    }
    if let Some(country) = question.country {
        let mut asks: Vec<(String, Standing)> = view
            .countries(change)
            .into_iter()
            .filter(|(ask, _)| {
                ask.country == country
                    && question
                        .distribution
                        .as_ref()
                        .is_none_or(|id| *id == ask.distribution)
            })
            .map(|(ask, standing)| {
                (
                    format!(
                        "{} {}",
                        ask.country,
                        if ask.wanted == Access::Blocked {
                            "blocked"
                        } else {
                            "served"
                        }
                    ),
                    standing,
                )
            })
            .collect();
        asks.dedup();
        subjects.extend(asks);
    }
    for key in &question.keys {
        let asks = view
            .keys(change)
            .into_iter()
            .filter(|(ask, _)| ask.key == key.key);
        subjects
            .extend(asks.map(|(ask, standing)| (format!("{} {}", ask.claim, ask.shown), standing)));
    }
    subjects.truncate(10);
    subjects
}

fn entry_json(
    session: &Session,
    state: &EventState,
    change: &Change,
    subjects: &[(String, Standing)],
) -> Value {
    let intent = change.intent();
    json!({
        "entry": change.name(),
        "id": change.id().to_string(),
        "summary": intent.summary,
        "operator": change.operator(),
        "at": change.at().to_string(),
        "reason": intent.reason,
        "until": super::end_value(intent.end),
        "until-words": super::until_words(session, state, intent.end),
        "subjects": subjects.iter().map(|(subject, _)| subject).collect::<Vec<_>>(),
        "standing": subjects.first().map(|(_, standing)| format!("{standing:?}").to_lowercase()),
        "undo": format!("onair undo {}", change.name()),
        "proof": change.proof().map(|proof| json!({ "kind": proof.kind, "state": proof.state, "seconds": proof.seconds })),
    })
}

fn entry_words(
    session: &Session,
    state: &EventState,
    change: &Change,
    subjects: &[(String, Standing)],
    now: Timestamp,
) -> String {
    let intent = change.intent();
    let names: Vec<&str> = subjects
        .iter()
        .take(3)
        .map(|(subject, _)| subject.as_str())
        .collect();
    let standing = match subjects.first().map(|(_, standing)| standing) {
        Some(Standing::Opening) => " (on its way)",
        Some(Standing::Closing) => " (on its way out)",
        Some(Standing::Open) | None => "",
    };
    format!(
        "{} by {} {} ago ({}): {}{standing} · {} · {}",
        change.name(),
        change.operator(),
        human(now.duration_since(change.at())),
        time::local(change.at(), &session.runbook.event.zone),
        printable(&names.join(", ")),
        intent
            .reason
            .as_deref()
            .map_or("no reason given".into(), printable),
        super::until_words(session, state, intent.end),
    )
}

/// Whom a block would hit now, per WAF's samples.
struct Hits {
    words: String,
    data: Value,
}

fn hits(question: &Question, sampled: &Result<Sampled, String>) -> Hits {
    let minutes = WINDOW.as_mins();
    let sampled = match sampled {
        Ok(sampled) => sampled,
        Err(why) => {
            return Hits {
                words: format!("whom it hits now: unknown ({why})"),
                data: json!({ "state": "unknown", "why": why }),
            };
        }
    };
    let concerns = |address: &str, country: Option<&str>| match (question.prefix, question.country)
    {
        (Some(prefix), _) => address
            .parse()
            .is_ok_and(|address| prefix.covers_address(address)),
        (None, Some(wanted)) => country == Some(wanted.code()),
        (None, None) => false,
    };
    let of = sampled.requests.len();
    let ours: Vec<_> = sampled
        .requests
        .iter()
        .filter(|one| concerns(&one.address, one.country.as_deref()))
        .collect();
    let addresses: std::collections::HashSet<&str> =
        ours.iter().map(|one| one.address.as_str()).collect();
    let blocked = ours.iter().filter(|one| one.action == "BLOCK").count();
    let partly = if sampled.partly {
        ", not all rules answered"
    } else {
        ""
    };
    let words = if of == 0 {
        format!(
            "whom it hits now: unknown (WAF sampled no request in the last {minutes} min{partly})"
        )
    } else {
        format!(
            "whom it hits now: {} of {of} requests that WAF sampled in the last {minutes} min, from {} address{} ({blocked} refused){partly}",
            ours.len(),
            addresses.len(),
            if addresses.len() == 1 { "" } else { "es" }
        )
    };
    Hits {
        words,
        data: if of == 0 {
            json!({ "state": "unknown", "why": "no request was sampled", "minutes": minutes })
        } else {
            json!({
                "state": "sampled",
                "minutes": minutes,
                "requests": ours.len(),
                "of": of,
                "addresses": addresses.len(),
                "refused": blocked,
                "partly": sampled.partly,
            })
        },
    }
}

/// A change of the ledger, with what became of it.
fn explain_entry(session: &Session, view: &View, change: &Change) -> Answer {
    let state = session.state(view);
    let now = session.clock.now();
    let intent = change.intent();
    let open = view.is_open(change);
    let undone = view.undone_by(change);
    let standing = match (change.progress(), undone, open) {
        (Progress::Void, _, _) => "it changed nothing".to_owned(),
        (_, Some(undoer), _) => format!("taken back by {} ({})", undoer.operator(), undoer.name()),
        (_, None, _) if change.is_cut_off(now) => "it was cut off".to_owned(),
        (Progress::InFlight, None, _) => "it is on its way".to_owned(),
        (Progress::Settled, None, true) => "it stands".to_owned(),
        (Progress::Settled, None, false) => "nothing of it stands any more".to_owned(),
    };
    let lift = if change.is_cut_off(now) && undone.is_none() {
        Some(format!("onair ledger resume {}", change.name()))
    } else {
        (change.progress() != Progress::Void
            && undone.is_none()
            && (open || intent.kind == Kind::Change))
            .then(|| format!("onair undo {}", change.name()))
    };
    let subject = (intent.summary.clone(), Standing::Open);
    let mut text = super::header(session, &state, None);
    text.push_str(&format!(
        "{}\n{standing}\n",
        entry_words(session, &state, change, std::slice::from_ref(&subject), now)
    ));
    if let Some(proof) = change.proof() {
        text.push_str(&format!("proof: {}\n", printable(&proof.evidence)));
    }
    match &lift {
        Some(lift) => text.push_str(&format!("lift it: {lift}\n")),
        None => text.push_str("nothing to lift\n"),
    }
    let mut entry = entry_json(session, &state, change, &[subject]);
    entry["standing"] = json!(standing);
    let mut sheet = Sheet::new(&["entry", "by", "at", "what", "standing"]);
    sheet.push([
        change.name(),
        change.operator().to_owned(),
        time::utc(change.at()),
        intent.summary.clone(),
        standing,
    ]);
    let data = json!({
        "what": change.name(),
        "kind": "entry",
        "country": null,
        "distributions": [],
        "entries": [entry],
        "drift": [],
        "notes": [],
        "hits": null,
        "lift": lift,
    });
    Answer::new("why", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_from_what_only_resembles_one() {
        for text in ["jess-7", "mary-ann-12", "01J9ZQ7W8E4XNB2T5M6KAVCYFD"] {
            assert!(is_handle(text), "{text}");
        }
        for text in [
            "AT",
            "Guinea-Bissau",
            "jess-",
            "-7",
            "sub:8841",
            "203.0.113.7",
            "x-1234567",
        ] {
            assert!(!is_handle(text), "{text}");
        }
    }

    #[test]
    fn a_value_that_a_shell_would_split_is_quoted_in_the_command() {
        let question = |shown: &str, typable| Question {
            keys: vec![KeyAsked {
                key: "k".to_owned(),
                claim: "sub".to_owned(),
                shown: shown.to_owned(),
                typable,
            }],
            ..Question::default()
        };
        assert_eq!(
            restore(&question("8841", true)),
            "onair token restore --by sub 8841"
        );
        assert_eq!(
            restore(&question("a b;c", true)),
            "onair token restore --by sub 'a b;c'"
        );
        assert_eq!(restore(&question("long…", false)), "onair token restore -");
    }

    #[test]
    fn hits_are_unknown_rather_than_zero() {
        let question = Question {
            country: Country::parse("AT").ok(),
            ..Question::default()
        };
        let none = Sampled {
            requests: Vec::new(),
            partly: false,
        };
        assert_eq!(hits(&question, &Ok(none)).data["state"], "unknown");
        assert_eq!(
            hits(&question, &Err("denied".to_owned())).data["state"],
            "unknown"
        );
    }
}

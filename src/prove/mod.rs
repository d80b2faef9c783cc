//! Whether viewers feel a change: asked, never assumed. In a rehearsal every edge is asked; on AWS
//! an address is proved by the requests that WAF samples, a country by the roll-out's end. Only
//! `proved` is green; what cannot be asked is said so.

mod gate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::canary::Signer;
use crate::cloud::{DistributionStatus, Sample};
use crate::context::Session;
use crate::edge::{Action, Layer, Verdict, ViewerRequest, WebAcl};
use crate::event::cidr::{Cidr, CidrIndex, Family};
use crate::event::country::Country;
use crate::layers;
use crate::ledger::EntryId;
use crate::ledger::body::{Access, Intent, Proof, ProofKind, ProofState, What};
use crate::ledger::view::View;
use crate::observe;
use crate::plan::change::Touched;
use crate::runbook::TokenMode;
use crate::sandbox::Sandbox;

/// How long WAF and the key value store are watched when nobody asked to wait.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);
/// WAF promises its changes everywhere within a minute or so (WAF Developer Guide, "Web ACL updates").
const FELT_BY: SignedDuration = SignedDuration::from_secs(60);
/// With `--wait`: a roll-out takes minutes; past this something else is wrong.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);
/// With `--wait`, where no distribution rolls out: WAF and the key value store take seconds.
const LONGEST_OF_VALUES: SignedDuration = SignedDuration::from_mins(10);
/// Between two looks at the embedded cloud, and at AWS.
const REHEARSAL_PAUSE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_secs(5);
/// Of a long list, so many values are asked about.
const MOST_VALUES: usize = 20;

/// What a change means for viewers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Meant {
    /// Whether WAF's blocklist is to refuse each.
    addresses: Vec<(Cidr, bool)>,
    /// Whether viewers of the country are to be refused, by distribution id.
    countries: Vec<(String, Country, bool)>,
    /// Whether the key is to be revoked.
    keys: Vec<(String, bool)>,
    /// How many values the change has in all.
    of: usize,
}

/// One look at how far the change is felt.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    done: usize,
    of: usize,
    /// The edges that do not decide as meant yet.
    behind: Vec<String>,
}

/// Proves the change `entry` that landed at `landed`; none when there is nothing that could be
/// proved. With `wait` it watches until the change is felt, or Ctrl-C; else as long as an operator
/// would.
pub(crate) async fn prove(
    session: &Session,
    entry: &EntryId,
    landed: Timestamp,
    wait: bool,
) -> Option<Proof> {
    // While this lives, the first Ctrl-C stops the watching, not the program: the change stands.
    let watching = session.ui().interrupt().writing();
    let proof = proof(session, entry, landed, wait).await;
    drop(watching);
    proof
}

async fn proof(session: &Session, entry: &EntryId, landed: Timestamp, wait: bool) -> Option<Proof> {
    let verdict = |kind, state, evidence: String| Proof {
        intent: *entry,
        kind,
        state,
        seconds: (state == ProofState::Proved)
            .then(|| seconds(session.clock.now().duration_since(landed))),
        evidence,
    };
    let view = match crate::ledger::read_view(&session.ledger).await {
        Ok(read) => read.view,
        Err(_) => crate::ledger::read_local(&session.ledger),
    };
    let intent = view.get(entry)?.intent().clone();
    let subjects = Subjects::of(&view, &intent);
    if subjects.is_empty() {
        // What decides on everybody is a change of its own.
        let touched = Touched::by(&view, &intent);
        let mode = crate::token::mode_key(session.runbook.event.id.as_str());
        let (kind, state, evidence) = if touched.keys.contains(&mode) {
            gate::mode(session, landed, wait).await
        } else if !touched.web_acls.is_empty() {
            gate::rules(session, &view, &intent).await
        } else {
            return None;
        };
        return Some(verdict(kind, state, evidence));
    }
    let meant = match meant(session, &subjects).await {
        Ok(meant) => meant,
        Err(why) => {
            let kind = if subjects.countries.is_empty() && session.sandbox.is_none() {
                ProofKind::Traffic
            } else {
                ProofKind::Rollout
            };
            return Some(verdict(
                kind,
                ProofState::Unavailable,
                format!("could not ask: {why}"),
            ));
        }
    };
    let (kind, state, evidence) = match &session.sandbox {
        Some(sandbox) => {
            let (state, evidence) = at_the_edges(session, sandbox, &meant, landed, wait).await;
            (ProofKind::Rollout, state, evidence)
        }
        None if !meant.addresses.is_empty() => {
            let (state, evidence) = by_traffic(session, &meant, landed, wait).await;
            (ProofKind::Traffic, state, evidence)
        }
        None if !meant.countries.is_empty() => {
            let (state, evidence) = by_rollout(session, &meant, landed, wait).await;
            (ProofKind::Rollout, state, evidence)
        }
        None => (
            ProofKind::Rollout,
            ProofState::Unavailable,
            "the store holds it; what the edges hold cannot be read".to_owned(),
        ),
    };
    Some(verdict(kind, state, evidence))
}

fn seconds(duration: SignedDuration) -> f64 {
    (duration.as_secs_f64().max(0.0) * 10.0).round() / 10.0
}

/// What a change touches, without what is meant.
#[derive(Debug, Default, PartialEq, Eq)]
struct Subjects {
    prefixes: BTreeSet<Cidr>,
    countries: BTreeSet<(String, Country)>,
    keys: BTreeSet<String>,
    /// Those that this change opens.
    opens: BTreeSet<Cidr>,
    revokes: BTreeSet<String>,
    wants: BTreeMap<(String, Country), Access>,
}

impl Subjects {
    fn of(view: &View, intent: &Intent) -> Self {
        let mut subjects = Self::default();
        subjects.opens.extend(&intent.opens.prefixes);
        subjects
            .revokes
            .extend(intent.opens.keys.iter().map(|ask| ask.key.clone()));
        for ask in &intent.opens.countries {
            subjects
                .wants
                .insert((ask.distribution.clone(), ask.country), ask.wanted);
        }
        subjects.add(view, intent, 0);
        subjects
    }

    fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.countries.is_empty() && self.keys.is_empty()
    }

    fn add(&mut self, view: &View, intent: &Intent, depth: u8) {
        self.prefixes.extend(&intent.opens.prefixes);
        self.prefixes.extend(&intent.takes.prefixes);
        self.prefixes.extend(&intent.gives.prefixes);
        self.countries.extend(
            intent
                .opens
                .countries
                .iter()
                .map(|ask| (ask.distribution.clone(), ask.country)),
        );
        self.keys
            .extend(intent.opens.keys.iter().map(|ask| ask.key.clone()));
        self.keys.extend(
            intent
                .takes
                .keys
                .iter()
                .chain(&intent.gives.keys)
                .map(|(key, _)| key.clone()),
        );
        for reset in &intent.geo_reset {
            let changed = Country::all()
                .filter(|country| reset.before.access(*country) != reset.after.access(*country));
            self.countries
                .extend(changed.map(|country| (reset.distribution.clone(), country)));
        }
        for part in &intent.closes {
            match &part.what {
                What::All => {
                    if let Some(closed) = view.get(&part.entry).filter(|_| depth < 4) {
                        self.add(view, closed.intent(), depth + 1);
                    }
                }
                What::Prefixes(prefixes) => self.prefixes.extend(prefixes),
                What::Countries(countries) => {
                    let asks = view
                        .get(&part.entry)
                        .map(|closed| closed.intent().opens.countries.clone())
                        .unwrap_or_default();
                    let meant = asks
                        .into_iter()
                        .filter(|ask| countries.contains(&ask.country));
                    self.countries
                        .extend(meant.map(|ask| (ask.distribution, ask.country)));
                }
                What::Keys(keys) => self.keys.extend(keys.iter().cloned()),
            }
        }
        if let Some(undone) = intent
            .undoes
            .as_ref()
            .and_then(|id| view.get(id))
            .filter(|_| depth < 4)
        {
            self.add(view, undone.intent(), depth + 1);
        }
    }
}

/// What is meant for each subject: what the change opens is meant to be felt; of what it ends, what
/// the cloud now holds counts, since others may still ask for it.
async fn meant(session: &Session, subjects: &Subjects) -> Result<Meant, String> {
    let mut meant = Meant {
        of: subjects.prefixes.len() + subjects.countries.len() + subjects.keys.len(),
        ..Meant::default()
    };
    let lifted: Vec<Cidr> = subjects
        .prefixes
        .iter()
        .copied()
        .filter(|one| !subjects.opens.contains(one))
        .take(MOST_VALUES)
        .collect();
    let held = if lifted.is_empty() {
        CidrIndex::new([])
    } else {
        let mut names = session.sets().map_err(|failure| failure.to_string())?;
        let families: BTreeSet<Family> = lifted.iter().map(|one| one.family()).collect();
        names.retain(|family, _| families.contains(family));
        let sets = observe::ip_sets(&session.cloud, &names)
            .await
            .map_err(|error| error.to_string())?;
        CidrIndex::new(sets.into_values().flat_map(|set| set.addresses))
    };
    meant.addresses.extend(
        subjects
            .opens
            .iter()
            .take(MOST_VALUES)
            .map(|one| (*one, true)),
    );
    meant.addresses.extend(
        lifted
            .iter()
            .map(|one| (*one, held.covering(Cidr::single(one.address())).is_some())),
    );

    let unsaid: BTreeSet<String> = subjects
        .countries
        .iter()
        .filter(|one| !subjects.wants.contains_key(*one))
        .map(|(id, _)| id.clone())
        .collect();
    let unsaid: Vec<String> = unsaid.into_iter().collect();
    let observed = observe::distributions(&session.cloud, &unsaid).await;
    for (id, country) in subjects.countries.iter().take(MOST_VALUES * 4) {
        let access = match (
            subjects.wants.get(&(id.clone(), *country)),
            observed.get(id),
        ) {
            (Some(wanted), _) => *wanted,
            (None, Some(Ok(observed))) => observed.geo.access(*country),
            (None, Some(Err(error))) => return Err(error.to_string()),
            (None, None) => continue,
        };
        meant
            .countries
            .push((id.clone(), *country, access == Access::Blocked));
    }

    let keys: Vec<String> = subjects.keys.iter().take(MOST_VALUES).cloned().collect();
    // In a rehearsal the edges are asked for what is opened; on AWS the store's word is all there is.
    let unsaid = keys.iter().any(|key| !subjects.revokes.contains(key));
    let values = if !keys.is_empty() && (unsaid || session.sandbox.is_none()) {
        let name = session
            .store_name()
            .map_err(|failure| failure.to_string())?;
        let store = observe::find_store(&session.cloud, name)
            .await
            .map_err(|error| error.to_string())?;
        observe::store(&session.cloud, &store.arn, &keys)
            .await
            .map_err(|error| error.to_string())?
            .values
    } else {
        BTreeMap::new()
    };
    let now = session.clock.now();
    for key in keys {
        let stored = values
            .get(&key)
            .is_some_and(|value| crate::token::is_revoked(value, now));
        let opened = subjects.revokes.contains(&key);
        if opened && session.sandbox.is_none() && !stored {
            return Err("the store does not hold a key that was just written".to_owned());
        }
        meant.keys.push((key, opened || stored));
    }
    Ok(meant)
}

/// Asks every edge of the embedded cloud until all decide as meant.
async fn at_the_edges(
    session: &Session,
    sandbox: &Sandbox,
    meant: &Meant,
    landed: Timestamp,
    wait: bool,
) -> (ProofState, String) {
    let only_geo = meant.addresses.is_empty() && meant.keys.is_empty();
    let patience = match (wait, only_geo) {
        (true, true) => LONGEST,
        (true, false) => LONGEST_OF_VALUES,
        (false, true) => SignedDuration::ZERO,
        (false, false) => PATIENCE,
    };
    let interrupt = session.ui().interrupt().clone();
    let signer = match &session.runbook.tokens {
        // A gate that refuses nobody shows nothing of a key.
        Some(tokens)
            if !meant.keys.is_empty()
                && gate::in_force(session, tokens).await == Ok(TokenMode::Enforce) =>
        {
            crate::canary::signer(session, tokens).await
        }
        _ => None,
    };
    let mut bar = None;
    loop {
        let look = match look(session, sandbox, signer.as_ref(), meant) {
            Ok(look) => look,
            Err(error) => {
                return (
                    ProofState::Unavailable,
                    format!("the edges could not be asked: {error}"),
                );
            }
        };
        if look.of == 0 {
            return (
                ProofState::Unavailable,
                "no edge has heard of the distributions".to_owned(),
            );
        }
        let elapsed = session.clock.now().duration_since(landed);
        if look.done == look.of {
            return (
                ProofState::Proved,
                format!(
                    "all {} edges {} · {} s",
                    look.of,
                    words(meant),
                    seconds(elapsed)
                ),
            );
        }
        if elapsed >= patience || interrupt.is_requested() {
            let stopped = if interrupt.is_requested() {
                "; stopped watching, the change stands"
            } else {
                ""
            };
            let behind: Vec<&str> = look.behind.iter().take(3).map(String::as_str).collect();
            let more = if look.behind.len() > 3 { " …" } else { "" };
            return (
                ProofState::NotYet,
                format!(
                    "{} of {} edges {}; not yet: {}{more}{stopped}",
                    look.done,
                    look.of,
                    words(meant),
                    behind.join(" ")
                ),
            );
        }
        bar.get_or_insert_with(|| session.ui().progress(look.of as u64, "edges"))
            .set(look.done as u64);
        pause(session, REHEARSAL_PAUSE).await;
    }
}

/// Waits a moment, or until Ctrl-C.
async fn pause(session: &Session, duration: Duration) {
    let interrupt = session.ui().interrupt();
    futures_util::future::select(
        Box::pin(session.clock.wait(duration)),
        Box::pin(interrupt.requested()),
    )
    .await;
}

/// How many edges decide as meant on everything.
fn look(
    session: &Session,
    sandbox: &Sandbox,
    signer: Option<&Signer>,
    meant: &Meant,
) -> Result<Look, crate::sandbox::StateError> {
    let now = session.clock.now();
    let set_names: Vec<&str> = session
        .runbook
        .waf
        .iter()
        .flat_map(|waf| [waf.ip_set_v4.as_str(), waf.ip_set_v6.as_str()])
        .collect();
    let mut edges: BTreeMap<&'static str, bool> = BTreeMap::new();
    let mut note = |answers: Vec<(&'static str, bool)>| {
        for (edge, good) in answers {
            *edges.entry(edge).or_insert(true) &= good;
        }
    };
    let path = |id: &str| {
        let named = session
            .runbook
            .distributions
            .iter()
            .find(|one| one.id == id);
        named
            .and_then(|one| one.samples.manifest.clone())
            .unwrap_or_else(|| "/".to_owned())
    };
    for distribution in &session.runbook.distributions {
        for (cidr, refused) in &meant.addresses {
            let mut request = ViewerRequest::new(&path(&distribution.id), now);
            request.address = Some(cidr.address());
            let answers = sandbox.ask_edges(&distribution.id, &request)?;
            note(
                answers
                    .into_iter()
                    .map(|(edge, decision)| {
                        // The reason names the set: other rules of the web ACL are not ours to prove.
                        let by_blocklist =
                            decision
                                .of(Layer::Waf)
                                .any(|finding| match &finding.verdict {
                                    Verdict::Refused { reason, .. } => {
                                        set_names.iter().any(|name| reason.ends_with(name))
                                    }
                                    _ => false,
                                });
                        (edge, by_blocklist == *refused)
                    })
                    .collect(),
            );
        }
        for (key, revoked) in &meant.keys {
            let path = path(&distribution.id);
            // A token that the edge's own function reads; where none can be made, a stand-in for it.
            let canary = signer.and_then(|signer| {
                crate::canary::revocable(&session.runbook, signer, key, &path, now)
            });
            let is_canary = canary.is_some();
            let request = canary.unwrap_or_else(|| {
                let mut request = ViewerRequest::new(&path, now);
                request.revocation_keys = vec![key.clone()];
                request
            });
            let answers = sandbox.ask_edges(&distribution.id, &request)?;
            note(
                answers
                    .into_iter()
                    .map(|(edge, decision)| {
                        let as_meant = refuses(&decision, Layer::Revocation) == *revoked;
                        // A canary that is refused for another reason shows nothing of a restored key.
                        let otherwise = is_canary && refuses(&decision, Layer::Function);
                        (edge, as_meant && !otherwise)
                    })
                    .collect(),
            );
        }
    }
    for (id, country, refused) in &meant.countries {
        let mut request = ViewerRequest::new(&path(id), now);
        request.country = Some(country.code().to_owned());
        let answers = sandbox.ask_edges(id, &request)?;
        note(
            answers
                .into_iter()
                .map(|(edge, decision)| (edge, refuses(&decision, Layer::Geo) == *refused))
                .collect(),
        );
    }
    Ok(Look {
        done: edges.values().filter(|good| **good).count(),
        of: edges.len(),
        behind: edges
            .iter()
            .filter(|(_, good)| !**good)
            .map(|(edge, _)| (*edge).to_owned())
            .collect(),
    })
}

/// Whether a layer refuses with this very status.
fn refuses_with(decision: &crate::edge::Decision, layer: Layer, wanted: u16) -> bool {
    decision.of(layer).any(
        |finding| matches!(finding.verdict, Verdict::Refused { status, .. } if status == wanted),
    )
}

fn refuses(decision: &crate::edge::Decision, layer: Layer) -> bool {
    decision
        .of(layer)
        .any(|finding| matches!(finding.verdict, Verdict::Refused { .. }))
}

/// What is meant, as the predicate of "the edges …".
fn words(meant: &Meant) -> String {
    let mut refused = Vec::new();
    let mut served = Vec::new();
    let mut countries: BTreeMap<Country, bool> = BTreeMap::new();
    for (_, country, blocked) in &meant.countries {
        *countries.entry(*country).or_insert(*blocked) &= *blocked;
    }
    let addresses = meant
        .addresses
        .iter()
        .map(|(cidr, blocked)| (shown(*cidr), *blocked));
    let countries = countries
        .into_iter()
        .map(|(country, blocked)| (country.code().to_owned(), blocked));
    for (name, blocked) in addresses.chain(countries) {
        if blocked {
            refused.push(name);
        } else {
            served.push(name);
        }
    }
    let keys = |revoked: bool| meant.keys.iter().filter(|(_, is)| *is == revoked).count();
    if keys(true) > 0 {
        refused.push(count(keys(true), "revoked key"));
    }
    if keys(false) > 0 {
        served.push(count(keys(false), "restored key"));
    }
    let mut words = Vec::new();
    if !refused.is_empty() {
        words.push(format!("refuse {}", some(&refused)));
    }
    if !served.is_empty() {
        words.push(format!("let {} pass", some(&served)));
    }
    let asked = meant.addresses.len() + meant.countries.len() + meant.keys.len();
    if asked < meant.of {
        words.push(format!("asked for {asked} of {} values", meant.of));
    }
    words.join(", ")
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A single address without its length.
fn shown(cidr: Cidr) -> String {
    if cidr.is_single() {
        cidr.address().to_string()
    } else {
        cidr.to_string()
    }
}

fn some(names: &[String]) -> String {
    if names.len() <= 4 {
        names.join(", ")
    } else {
        format!("{} and {} more", names[..3].join(", "), names.len() - 3)
    }
}

/// What WAF's samples since the change say of the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A request was decided as meant.
    AsMeant,
    /// Requests were decided the other way only, so many, and the last so long after the change.
    Otherwise {
        last: SignedDuration,
    },
    Nothing,
}

/// Asks WAF's samples since the change for requests of the addresses.
async fn by_traffic(
    session: &Session,
    meant: &Meant,
    landed: Timestamp,
    wait: bool,
) -> (ProofState, String) {
    let Some(waf) = &session.runbook.waf else {
        return (
            ProofState::Unavailable,
            "the runbook has no [waf] section".to_owned(),
        );
    };
    let acl = match web_acl(session, &waf.web_acl).await {
        Ok(acl) => acl,
        Err(why) => {
            return (
                ProofState::Unavailable,
                format!("the web ACL could not be read: {why}"),
            );
        }
    };
    let names = [waf.ip_set_v4.as_str(), waf.ip_set_v6.as_str()];
    let blocking: Vec<String> = acl
        .rules
        .iter()
        .filter(|rule| {
            matches!(rule.action, Action::Block { .. }) && names_set(&acl, rule.priority, &names)
        })
        .map(|rule| rule.metric.clone())
        .collect();
    if blocking.is_empty() {
        return (
            ProofState::Unavailable,
            format!(
                "no rule of web ACL {} blocks by the event's IP sets",
                waf.web_acl
            ),
        );
    }
    let mut metrics = blocking.clone();
    let allowing = acl
        .rules
        .iter()
        .filter(|rule| rule.action == Action::Allow)
        .take(8);
    metrics.extend(allowing.map(|rule| rule.metric.clone()));
    metrics.push(layers::DEFAULT_ACTION.to_owned());
    let patience = if wait { FELT_BY + PATIENCE } else { PATIENCE };
    let interrupt = session.ui().interrupt().clone();
    loop {
        let now = session.clock.now();
        let elapsed = now.duration_since(landed);
        let reads = metrics.iter().map(|metric| {
            session.cloud.sampled_requests(
                &acl.arn,
                metric,
                (landed, now.max(landed + SignedDuration::from_secs(1))),
                500,
            )
        });
        let mut samples = Vec::new();
        for read in futures_util::future::join_all(reads).await {
            match read {
                Ok(read) => samples.extend(read),
                Err(error) => {
                    return (
                        ProofState::Unavailable,
                        format!("WAF's samples could not be read: {error}"),
                    );
                }
            }
        }
        let seen = seen(&samples, &meant.addresses, landed);
        let over = interrupt.is_requested() || elapsed >= patience;
        match seen {
            Seen::AsMeant => {
                return (
                    ProofState::Proved,
                    format!(
                        "WAF's sampled requests {} · {} s",
                        words(meant),
                        seconds(elapsed)
                    ),
                );
            }
            Seen::Otherwise { last } if last >= FELT_BY => {
                return (
                    ProofState::NotYet,
                    format!(
                        "WAF's sampled requests show the old decision still {} s after the change",
                        seconds(last)
                    ),
                );
            }
            // Requests come: their next one past the minute tells.
            Seen::Otherwise { .. } if !interrupt.is_requested() && elapsed < FELT_BY + PATIENCE => {
            }
            Seen::Otherwise { last } if over => {
                return (
                    ProofState::NoTraffic,
                    format!(
                        "no sampled request since {} s after the change, when the old decision still held",
                        seconds(last)
                    ),
                );
            }
            Seen::Nothing if over => {
                return (
                    ProofState::NoTraffic,
                    format!(
                        "no request among WAF's samples in the {} s since the change",
                        seconds(elapsed)
                    ),
                );
            }
            Seen::Otherwise { .. } | Seen::Nothing => {}
        }
        pause(session, PAUSE).await;
    }
}

/// What the samples say of the addresses.
fn seen(samples: &[Sample], addresses: &[(Cidr, bool)], landed: Timestamp) -> Seen {
    let mut last = None;
    for sample in samples.iter().filter(|sample| sample.at >= landed) {
        let Ok(address) = sample.address.parse() else {
            continue;
        };
        let Some((_, refused)) = addresses
            .iter()
            .find(|(cidr, _)| cidr.covers_address(address))
        else {
            continue;
        };
        match (sample.action.as_str(), refused) {
            ("BLOCK", true) | ("ALLOW", false) => return Seen::AsMeant,
            ("BLOCK" | "ALLOW", _) => last = last.max(Some(sample.at.duration_since(landed))),
            _ => {}
        }
    }
    last.map_or(Seen::Nothing, |last| Seen::Otherwise { last })
}

/// Whether the rule of this priority asks an IP set of one of these names.
fn names_set(acl: &WebAcl, priority: u64, names: &[&str]) -> bool {
    let one = WebAcl {
        rules: acl
            .rules
            .iter()
            .filter(|rule| rule.priority == priority)
            .cloned()
            .collect(),
        ..WebAcl::default()
    };
    one.ip_set_arns()
        .into_iter()
        .any(|arn| names.contains(&layers::set_name(arn)))
}

async fn web_acl(session: &Session, name: &str) -> Result<WebAcl, String> {
    let listed = session
        .cloud
        .web_acls()
        .await
        .map_err(|error| error.to_string())?;
    let found = listed
        .into_iter()
        .find(|acl| acl.name == name)
        .ok_or_else(|| format!("there is no web ACL named {name}"))?;
    let read = session
        .cloud
        .web_acl(&found.name, &found.id)
        .await
        .map_err(|error| error.to_string())?;
    WebAcl::from_json(&read.value.json).map_err(|error| error.to_string())
}

/// Follows the distributions until CloudFront says that all edges have the change.
async fn by_rollout(
    session: &Session,
    meant: &Meant,
    landed: Timestamp,
    wait: bool,
) -> (ProofState, String) {
    let ids: BTreeSet<&str> = meant
        .countries
        .iter()
        .map(|(id, _, _)| id.as_str())
        .collect();
    let interrupt = session.ui().interrupt().clone();
    let bar = session
        .ui()
        .progress(ids.len() as u64, "distributions deployed");
    loop {
        let read =
            futures_util::future::join_all(ids.iter().map(|id| session.cloud.distribution(id)))
                .await;
        let mut deployed = 0;
        for one in read {
            match one {
                Ok(one) => deployed += usize::from(one.status == DistributionStatus::Deployed),
                Err(error) => {
                    return (
                        ProofState::Unavailable,
                        format!("the roll-out could not be asked about: {error}"),
                    );
                }
            }
        }
        bar.set(deployed as u64);
        let elapsed = session.clock.now().duration_since(landed);
        if deployed == ids.len() {
            return (
                ProofState::Proved,
                format!(
                    "per CloudFront, {} deployed · {} s",
                    count(deployed, "distribution"),
                    seconds(elapsed)
                ),
            );
        }
        if !wait || elapsed >= LONGEST || interrupt.is_requested() {
            let stopped = if interrupt.is_requested() {
                "; stopped watching, the change stands"
            } else {
                "; onair status follows it"
            };
            return (
                ProofState::NotYet,
                format!(
                    "{deployed} of {} deployed, per CloudFront{stopped}",
                    count(ids.len(), "distribution")
                ),
            );
        }
        pause(session, PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(address: &str, second: i64, action: &str) -> Sample {
        Sample {
            address: address.to_owned(),
            country: None,
            uri: "/".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
            action: action.to_owned(),
            weight: 1,
            rule: None,
        }
    }

    #[test]
    fn a_refused_request_after_the_change_proves_a_block_and_one_before_does_not() {
        let landed = Timestamp::from_second(1_000).unwrap();
        let addresses = [("203.0.113.0/24".parse().unwrap(), true)];
        let seen = |samples: &[Sample]| seen(samples, &addresses, landed);
        assert_eq!(seen(&[sample("203.0.113.7", 999, "BLOCK")]), Seen::Nothing);
        assert_eq!(
            seen(&[sample("198.51.100.7", 1_001, "BLOCK")]),
            Seen::Nothing
        );
        assert_eq!(
            seen(&[
                sample("203.0.113.7", 1_005, "ALLOW"),
                sample("203.0.113.7", 1_006, "BLOCK")
            ]),
            Seen::AsMeant
        );
        let last = SignedDuration::from_secs(61);
        assert_eq!(
            seen(&[
                sample("203.0.113.7", 1_061, "ALLOW"),
                sample("203.0.113.7", 1_005, "ALLOW")
            ]),
            Seen::Otherwise { last }
        );
    }

    #[test]
    fn an_unblock_is_proved_by_a_request_let_in() {
        let landed = Timestamp::from_second(1_000).unwrap();
        let addresses = [("203.0.113.7".parse().unwrap(), false)];
        assert_eq!(
            seen(&[sample("203.0.113.7", 1_001, "ALLOW")], &addresses, landed),
            Seen::AsMeant
        );
    }

    #[test]
    fn the_evidence_says_what_was_asked() {
        let meant = Meant {
            addresses: vec![
                ("203.0.113.7".parse().unwrap(), true),
                ("198.51.100.0/24".parse().unwrap(), false),
            ],
            keys: vec![("k".to_owned(), true)],
            of: 30,
            ..Meant::default()
        };
        assert_eq!(
            words(&meant),
            "refuse 203.0.113.7, 1 revoked key, let 198.51.100.0/24 pass, asked for 3 of 30 values"
        );
    }
}

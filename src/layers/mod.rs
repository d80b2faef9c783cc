//! Reads what the edges decide by from the cloud, and says each layer's decision on a viewer. What
//! could not be read is said so: it never looks like a layer that lets everyone pass.

mod gate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use jiff::Timestamp;
use serde::Serialize;

use crate::clock::Clock;
use crate::cloud::{Cloud, CloudError, DistributionDocument, Sample, WebAclSummary};
use crate::edge::{self, Action, EdgeView, Finding, Layer, Verdict, ViewerRequest, WebAcl};
use crate::event::cidr::Cidr;
use crate::observe::ObserveError;
use crate::runbook::TokenMode;

pub(crate) use gate::{Function, Gate};

/// WAF's name for the requests that no rule decided on (WAF Developer Guide, metrics).
pub(crate) const DEFAULT_ACTION: &str = "Default_Action";

/// Rules of one web ACL that are asked for samples: each is a call.
const MOST_METRICS: usize = 12;

/// One distribution of the runbook with what its edges decide by.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) document: Result<DistributionDocument, String>,
    /// The ARN of its web ACL; none when it has none or its configuration could not be read.
    pub(crate) web_acl: Option<String>,
}

/// What was read of the cloud, or why it was not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    pub(crate) distributions: Vec<Subject>,
    /// By ARN.
    pub(crate) web_acls: BTreeMap<String, Result<WebAcl, String>>,
    /// By ARN.
    pub(crate) ip_sets: BTreeMap<String, Result<Vec<Cidr>, String>>,
    /// The values of the keys asked for; none when no key was asked for.
    pub(crate) keys: Option<Result<BTreeMap<String, String>, String>>,
    /// What was read in part only.
    pub(crate) warnings: Vec<String>,
}

/// How a layer decides, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Allowed,
    Refused,
    /// A rule that only counts has matched.
    Counted,
    /// It may be refused; nobody but the service can tell.
    Unknown,
    /// What it decides by could not be read.
    CouldNotAsk,
    /// This layer's decision cannot be read from the API.
    NotEvaluated,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "REFUSED",
            Self::Counted => "counted",
            Self::Unknown => "unknown",
            Self::CouldNotAsk => "could not ask",
            Self::NotEvaluated => "not evaluated",
        }
    }
}

/// One line of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Line {
    pub(crate) layer: Layer,
    pub(crate) state: State,
    pub(crate) status: Option<u16>,
    pub(crate) rule: Option<String>,
    pub(crate) reason: String,
}

/// What becomes of a viewer, as far as it could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// No layer that was read refuses.
    Served,
    Refused,
    /// No layer that was read refuses, and some could not be judged or read.
    Unknown,
}

/// Who is asked about.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) request: ViewerRequest,
    /// The whole prefix, where it is more than one address.
    pub(crate) prefix: Option<Cidr>,
    /// What the gate does with its refusals.
    pub(crate) mode: TokenMode,
    /// What the gate says.
    pub(crate) function: Function,
}

/// Reads everything that decides on requests to `distributions` (name and id), side by side and
/// nothing twice. `store` names the key value store and the keys to look up in it.
pub(crate) async fn read(
    cloud: &Cloud,
    distributions: &[(String, String)],
    store: Option<(&str, &[String])>,
) -> Reading {
    let documents = join_all(
        distributions
            .iter()
            .map(|(_, id)| cloud.distribution_document(id)),
    );
    let keys = async {
        match store {
            None => None,
            Some((name, keys)) => Some(
                read_keys(cloud, name, keys)
                    .await
                    .map_err(|error| error.to_string()),
            ),
        }
    };
    let (documents, keys) = futures_util::join!(
        async { with_web_acls(cloud, distributions, documents.await).await },
        keys
    );
    Reading { keys, ..documents }
}

async fn with_web_acls(
    cloud: &Cloud,
    distributions: &[(String, String)],
    documents: Vec<Result<crate::cloud::Versioned<DistributionDocument>, CloudError>>,
) -> Reading {
    let mut reading = Reading::default();
    let mut wanted = BTreeSet::new();
    for ((name, id), document) in distributions.iter().zip(documents) {
        let document = document
            .map(|read| read.value)
            .map_err(|error| error.to_string());
        let web_acl = match document.as_ref().map(DistributionDocument::web_acl) {
            Ok(Ok(arn)) => arn,
            Ok(Err(error)) => {
                reading
                    .warnings
                    .push(format!("{name}: its web ACL could not be read: {error}"));
                None
            }
            Err(_) => None,
        };
        wanted.extend(web_acl.clone());
        reading.distributions.push(Subject {
            name: name.clone(),
            id: id.clone(),
            document,
            web_acl,
        });
    }
    let read = wanted
        .iter()
        .map(|arn| async move { (arn.clone(), read_web_acl(cloud, arn).await) });
    reading.web_acls = join_all(read).await.into_iter().collect();
    let sets: BTreeSet<String> = reading
        .web_acls
        .values()
        .flatten()
        .flat_map(WebAcl::ip_set_arns)
        .map(str::to_owned)
        .collect();
    let read = sets
        .iter()
        .map(|arn| async move { (arn.clone(), read_set(cloud, arn).await) });
    for (arn, read) in join_all(read).await {
        let read = read.map(|(addresses, unread)| {
            if unread > 0 {
                reading.warnings.push(format!(
                    "{unread} elements of IP set {} could not be read as prefixes",
                    set_name(&arn)
                ));
            }
            addresses
        });
        reading.ip_sets.insert(arn, read);
    }
    reading
}

async fn read_web_acl(cloud: &Cloud, arn: &str) -> Result<WebAcl, String> {
    let summary = WebAclSummary::from_arn(arn)
        .ok_or_else(|| format!("{arn} is not a web ACL of CloudFront"))?;
    let document = cloud
        .web_acl(&summary.name, &summary.id)
        .await
        .map_err(|error| error.to_string())?;
    WebAcl::from_json(&document.value.json).map_err(|error| error.to_string())
}

async fn read_set(cloud: &Cloud, arn: &str) -> Result<(Vec<Cidr>, usize), String> {
    let path = arn
        .split_once(":global/ipset/")
        .and_then(|(_, path)| path.split_once('/'));
    let (name, id) = path.ok_or_else(|| format!("{arn} is not an IP set of CloudFront"))?;
    let set = crate::observe::ip_set(cloud, name, id)
        .await
        .map_err(|error| error.to_string())?;
    Ok((set.addresses, set.unread.len()))
}

async fn read_keys(
    cloud: &Cloud,
    store: &str,
    keys: &[String],
) -> Result<BTreeMap<String, String>, ObserveError> {
    let found = crate::observe::find_store(cloud, store).await?;
    let read = keys.iter().map(|key| async {
        let value = cloud.store_item(&found.arn, key).await?;
        Ok::<_, CloudError>(value.map(|value| (key.clone(), value)))
    });
    let mut values = BTreeMap::new();
    for item in join_all(read).await {
        values.extend(item?);
    }
    Ok(values)
}

/// The name in an IP set's ARN.
pub(crate) fn set_name(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or(arn)
}

/// What a web ACL does with the addresses of an IP set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    Blocks,
    /// The rule of this name looks them up and lets them pass.
    Counts(String),
    Missing,
}

/// Whether a rule of `acl` blocks by the IP set of this name: without one a block is not felt.
pub(crate) fn lookup(acl: &WebAcl, set: &str) -> Lookup {
    let mut rules = acl.rules.iter().filter(|rule| {
        let one = WebAcl {
            rules: vec![(*rule).clone()],
            ..WebAcl::default()
        };
        one.ip_set_arns()
            .into_iter()
            .any(|arn| set_name(arn) == set)
    });
    if rules
        .clone()
        .any(|rule| matches!(rule.action, Action::Block { .. }))
    {
        return Lookup::Blocks;
    }
    rules
        .find(|rule| rule.action == Action::Count)
        .map_or(Lookup::Missing, |rule| Lookup::Counts(rule.name.clone()))
}

impl Reading {
    /// Every layer's decision on `viewer` at one distribution, in the order in which it is asked.
    pub(crate) fn decide(&self, subject: &Subject, viewer: &Viewer) -> Vec<Line> {
        let mut lines = vec![geo_line(subject, &viewer.request)];
        lines.extend(self.waf_lines(subject, viewer));
        lines.push(viewer.function.line(viewer));
        lines.push(self.revocation_line(viewer));
        lines.push(Line::of(
            Layer::Origin,
            State::NotEvaluated,
            "cache and origin are not asked by this command",
        ));
        lines
    }

    fn waf_lines(&self, subject: &Subject, viewer: &Viewer) -> Vec<Line> {
        if let Err(error) = &subject.document {
            return vec![Line::of(Layer::Waf, State::CouldNotAsk, error)];
        }
        let acl = match subject.web_acl.as_ref().map(|arn| self.web_acls.get(arn)) {
            None => return vec![Line::of(Layer::Waf, State::Allowed, "it has no web ACL")],
            Some(Some(Ok(acl))) => acl,
            Some(Some(Err(error))) => return vec![Line::of(Layer::Waf, State::CouldNotAsk, error)],
            Some(None) => {
                return vec![Line::of(
                    Layer::Waf,
                    State::CouldNotAsk,
                    "the web ACL was not read",
                )];
            }
        };
        let mut view = EdgeView {
            web_acl: Some(acl.clone()),
            ..EdgeView::default()
        };
        let mut lines = Vec::new();
        let mut held = Vec::new();
        for arn in acl.ip_set_arns() {
            match self.ip_sets.get(arn) {
                Some(Ok(addresses)) => {
                    let mut addresses = addresses.clone();
                    if let Some(prefix) = viewer.prefix {
                        let inside = addresses
                            .iter()
                            .filter(|one| one.overlaps(prefix) && !one.covers(prefix));
                        held.extend(inside.map(|one| (set_name(arn).to_owned(), *one)));
                        addresses.retain(|one| one.covers(prefix));
                    }
                    view.ip_sets.insert(arn.to_owned(), addresses);
                }
                Some(Err(error)) => {
                    lines.push(Line::of(
                        Layer::Waf,
                        State::CouldNotAsk,
                        &format!("IP set {}: {error}", set_name(arn)),
                    ));
                }
                None => {}
            }
        }
        let unread: Vec<&str> = acl
            .ip_set_arns()
            .into_iter()
            .filter(|arn| !view.ip_sets.contains_key(*arn))
            .collect();
        let decision = edge::decide(&view, &viewer.request);
        lines.extend(
            decision
                .of(Layer::Waf)
                // A set that could not be read has its line already.
                .filter(|finding| !unread.iter().any(|arn| reason(finding).contains(arn)))
                .map(Line::from_finding),
        );
        // Nothing below a set that could not be read is certain to be reached.
        let doubtful = !unread.is_empty();
        for line in &mut lines {
            if doubtful && line.state == State::Allowed {
                line.state = State::Unknown;
                line.reason = format!("{}, of the sets that could be read", line.reason);
            }
        }
        if !held.is_empty() {
            lines.retain(|line| line.state != State::Allowed);
        }
        for (set, one) in held.iter().take(5) {
            let reason = format!("{one}, a part of the prefix, is in IP set {set}");
            lines.push(Line::of(Layer::Waf, State::Unknown, &reason));
        }
        if held.len() > 5 {
            let reason = format!(
                "and {} more parts of the prefix are in IP sets",
                held.len() - 5
            );
            lines.push(Line::of(Layer::Waf, State::Unknown, &reason));
        }
        lines
    }

    /// What the gate says of revocations counts; what it was not asked, or did not come to, is looked up.
    fn revocation_line(&self, viewer: &Viewer) -> Line {
        let values = match &self.keys {
            None => return Line::of(Layer::Revocation, State::Allowed, "no token to look up"),
            Some(Err(error)) => return Line::of(Layer::Revocation, State::CouldNotAsk, error),
            Some(Ok(values)) => values,
        };
        let now = viewer.request.now;
        let revoked = |key: &&String| {
            values
                .get(*key)
                .is_some_and(|value| crate::token::is_revoked(value, now))
        };
        let key = viewer.request.revocation_keys.iter().find(revoked);
        let line = |state, reason: &str| Line {
            status: (state == State::Refused).then_some(403),
            rule: key.cloned(),
            ..Line::of(Layer::Revocation, state, reason)
        };
        let says_revoked = viewer.function.says_revoked();
        if key.is_none() && says_revoked != Some(true) {
            return line(State::Allowed, "not revoked");
        }
        match viewer.mode {
            TokenMode::Enforce if says_revoked == Some(false) => line(
                State::Counted,
                "revoked, but the gate lets this request pass without a look at it",
            ),
            TokenMode::Enforce => line(State::Refused, "the key is in the store"),
            TokenMode::Log => line(State::Counted, "revoked, but the gate only logs"),
            TokenMode::Off => line(State::Counted, "revoked, but the gate is off"),
        }
    }
}

fn reason(finding: &Finding) -> &str {
    match &finding.verdict {
        Verdict::Allowed { reason }
        | Verdict::Refused { reason, .. }
        | Verdict::Counted { reason } => reason,
        Verdict::Unknown { why } => why,
    }
}

impl Line {
    fn of(layer: Layer, state: State, reason: &str) -> Self {
        Self {
            layer,
            state,
            status: None,
            rule: None,
            reason: reason.to_owned(),
        }
    }

    fn from_finding(finding: &Finding) -> Self {
        let (state, status) = match &finding.verdict {
            Verdict::Allowed { .. } => (State::Allowed, None),
            Verdict::Refused { status, .. } => (State::Refused, Some(*status)),
            Verdict::Counted { .. } => (State::Counted, None),
            Verdict::Unknown { .. } => (State::Unknown, None),
        };
        Self {
            layer: finding.layer,
            state,
            status,
            rule: finding.rule.clone(),
            reason: reason(finding).to_owned(),
        }
    }
}

fn geo_line(subject: &Subject, request: &ViewerRequest) -> Line {
    let restriction = match subject.document.as_ref().map(DistributionDocument::geo) {
        Ok(Ok(geo)) => geo,
        Ok(Err(error)) => return Line::of(Layer::Geo, State::CouldNotAsk, &error.to_string()),
        Err(error) => return Line::of(Layer::Geo, State::CouldNotAsk, error),
    };
    let codes = if restriction.countries.len() > 20 {
        format!("{} countries", restriction.countries.len())
    } else {
        restriction.countries.join(" ")
    };
    let (rule, listed_is_served) = match restriction.kind {
        crate::cloud::GeoKind::None => {
            return Line::of(Layer::Geo, State::Allowed, "every country is served");
        }
        crate::cloud::GeoKind::Allow => (format!("only {codes} served"), true),
        crate::cloud::GeoKind::Block => (format!("all but {codes} served"), false),
    };
    let Some(country) = &request.country else {
        return Line::of(
            Layer::Geo,
            State::Unknown,
            &format!("{rule}, and the viewer's country is not known (--country CODE)"),
        );
    };
    if restriction.countries.contains(country) == listed_is_served {
        Line::of(
            Layer::Geo,
            State::Allowed,
            &format!("{country} is served: {rule}"),
        )
    } else {
        Line {
            status: Some(403),
            ..Line::of(
                Layer::Geo,
                State::Refused,
                &format!("{country} is not served: {rule}"),
            )
        }
    }
}

/// What becomes of the viewer by these lines.
pub(crate) fn outcome(lines: &[Line]) -> Outcome {
    if refusal(lines).is_some() {
        Outcome::Refused
    } else if lines
        .iter()
        .any(|line| matches!(line.state, State::Unknown | State::CouldNotAsk))
    {
        Outcome::Unknown
    } else {
        Outcome::Served
    }
}

/// The first refusal: what the viewer gets.
pub(crate) fn refusal(lines: &[Line]) -> Option<&Line> {
    lines.iter().find(|line| line.state == State::Refused)
}

/// WAF's samples of the web ACLs read, or why there are none.
#[derive(Debug, Clone)]
pub(crate) struct Sampled {
    pub(crate) requests: Vec<Sample>,
    /// Some rules were not asked, or did not answer.
    pub(crate) partly: bool,
}

/// Reads WAF's samples of `window` for every rule of the web ACLs that were read, within `limit`.
pub(crate) async fn sampled(
    cloud: &Cloud,
    clock: &Clock,
    reading: &Reading,
    window: (Timestamp, Timestamp),
    limit: Duration,
) -> Result<Sampled, String> {
    let mut partly = reading.web_acls.values().any(Result::is_err);
    let mut asked = Vec::new();
    for acl in reading.web_acls.values().flatten() {
        let mut metrics: BTreeSet<&str> = acl
            .rules
            .iter()
            .filter(|rule| rule.action != Action::Count)
            .map(|rule| rule.metric.as_str())
            .collect();
        partly |= metrics.len() > MOST_METRICS;
        metrics = metrics.into_iter().take(MOST_METRICS).collect();
        metrics.insert(DEFAULT_ACTION);
        asked.extend(metrics.into_iter().map(|metric| (acl.arn.as_str(), metric)));
    }
    if asked.is_empty() {
        return Err("no web ACL to ask".to_owned());
    }
    let reads = join_all(
        asked
            .into_iter()
            .map(|(arn, metric)| cloud.sampled_requests(arn, metric, window, 500)),
    );
    let answers = match select(Box::pin(reads), Box::pin(clock.wait(limit))).await {
        Either::Left((answers, _)) => answers,
        Either::Right(_) => {
            return Err(format!(
                "WAF did not answer within {} s",
                limit.as_secs_f32()
            ));
        }
    };
    let mut requests = Vec::new();
    let mut failed = None;
    for answer in answers {
        match answer {
            Ok(samples) => requests.extend(samples),
            Err(error) => failed = Some(error.to_string()),
        }
    }
    match failed {
        Some(error) if requests.is_empty() => Err(error),
        failed => Ok(Sampled {
            requests,
            partly: partly || failed.is_some(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SET: &str = "arn:aws:wafv2:us-east-1:111122223333:global/ipset/blocked/1";

    fn document(kind: &str, codes: &[&str]) -> DistributionDocument {
        let items = codes
            .iter()
            .map(|code| format!("<Location>{code}</Location>"))
            .collect::<Vec<_>>()
            .concat();
        DistributionDocument::new(format!(
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Restrictions><GeoRestriction>\
             <RestrictionType>{kind}</RestrictionType><Quantity>{}</Quantity><Items>{items}</Items></GeoRestriction></Restrictions></DistributionConfig>",
            codes.len()
        ))
    }

    fn acl(rules: &Value) -> WebAcl {
        let wire = json!({"Name": "acl", "ARN": "acl-arn", "DefaultAction": {"Allow": {}}, "Rules": rules});
        WebAcl::from_json(&wire).unwrap()
    }

    fn blocklist() -> Value {
        json!([{"Name": "blocklist", "Priority": 0, "Action": {"Block": {}},
            "Statement": {"IPSetReferenceStatement": {"ARN": SET}}}])
    }

    fn reading(set: Result<Vec<Cidr>, String>) -> Reading {
        Reading {
            distributions: vec![Subject {
                name: "main".to_owned(),
                id: "E1".to_owned(),
                document: Ok(document("whitelist", &["AT", "DE"])),
                web_acl: Some("acl-arn".to_owned()),
            }],
            web_acls: [("acl-arn".to_owned(), Ok(acl(&blocklist())))].into(),
            ip_sets: [(SET.to_owned(), set)].into(),
            ..Reading::default()
        }
    }

    fn viewer(text: &str, country: Option<&str>) -> Viewer {
        let cidr: Cidr = text.parse().unwrap();
        let mut request = ViewerRequest::new("/", Timestamp::UNIX_EPOCH);
        request.address = Some(cidr.address());
        request.country = country.map(str::to_owned);
        Viewer {
            request,
            prefix: (!cidr.is_single()).then_some(cidr),
            mode: TokenMode::Enforce,
            function: Function::NotAsked("no token"),
        }
    }

    fn decided(reading: &Reading, viewer: &Viewer) -> (Outcome, Vec<(Layer, State)>) {
        let lines = reading.decide(&reading.distributions[0], viewer);
        let states = lines.iter().map(|line| (line.layer, line.state)).collect();
        (outcome(&lines), states)
    }

    #[test]
    fn a_blocked_address_is_refused_by_waf_and_the_other_layers_are_shown_too() {
        let reading = reading(Ok(vec!["203.0.113.0/24".parse().unwrap()]));
        let (outcome, states) = decided(&reading, &viewer("203.0.113.7", Some("AT")));
        assert_eq!(outcome, Outcome::Refused);
        assert_eq!(
            states,
            [
                (Layer::Geo, State::Allowed),
                (Layer::Waf, State::Refused),
                (Layer::Function, State::NotEvaluated),
                (Layer::Revocation, State::Allowed),
                (Layer::Origin, State::NotEvaluated),
            ]
        );
    }

    #[test]
    fn a_set_that_could_not_be_read_never_looks_like_one_that_lets_pass() {
        let reading = reading(Err("the service failed".to_owned()));
        let (outcome, states) = decided(&reading, &viewer("203.0.113.7", Some("AT")));
        assert_eq!(outcome, Outcome::Unknown);
        assert!(states.contains(&(Layer::Waf, State::CouldNotAsk)));
        assert!(!states.contains(&(Layer::Waf, State::Allowed)));
    }

    #[test]
    fn a_distribution_that_could_not_be_read_decides_nothing() {
        let mut reading = reading(Ok(Vec::new()));
        reading.distributions[0].document = Err("unreachable".to_owned());
        let (outcome, states) = decided(&reading, &viewer("203.0.113.7", Some("AT")));
        assert_eq!(outcome, Outcome::Unknown);
        assert_eq!(
            states[..2],
            [
                (Layer::Geo, State::CouldNotAsk),
                (Layer::Waf, State::CouldNotAsk)
            ]
        );
    }

    #[test]
    fn an_address_without_a_country_may_be_kept_out_by_geo() {
        let reading = reading(Ok(Vec::new()));
        let (outcome, states) = decided(&reading, &viewer("203.0.113.7", None));
        assert_eq!(outcome, Outcome::Unknown);
        assert_eq!(states[0], (Layer::Geo, State::Unknown));
        assert_eq!(
            decided(&reading, &viewer("203.0.113.7", Some("DE"))).0,
            Outcome::Served
        );
        assert_eq!(
            decided(&reading, &viewer("203.0.113.7", Some("US"))).0,
            Outcome::Refused
        );
    }

    #[test]
    fn a_prefix_of_which_a_part_is_blocked_is_not_called_refused() {
        let reading = reading(Ok(vec!["203.0.113.7/32".parse().unwrap()]));
        let lines = reading.decide(
            &reading.distributions[0],
            &viewer("203.0.113.0/24", Some("AT")),
        );
        assert_eq!(outcome(&lines), Outcome::Unknown);
        assert!(
            lines
                .iter()
                .any(|line| line.reason.contains("203.0.113.7/32, a part of the prefix"))
        );
    }

    #[test]
    fn a_revoked_key_refuses_only_where_it_is_enforced() {
        let mut reading = reading(Ok(Vec::new()));
        reading.keys = Some(Ok([("e:sub:1".to_owned(), "99".to_owned())].into()));
        let mut viewer = viewer("203.0.113.7", Some("AT"));
        viewer.request.revocation_keys = vec!["e:sub:1".to_owned()];
        assert_eq!(decided(&reading, &viewer).0, Outcome::Refused);
        viewer.mode = TokenMode::Log;
        assert_eq!(decided(&reading, &viewer).0, Outcome::Served);
        reading.keys = Some(Err("denied".to_owned()));
        assert_eq!(decided(&reading, &viewer).0, Outcome::Unknown);
    }
}

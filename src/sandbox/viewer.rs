//! Viewers at the edges: what an edge holds at this moment, and the answer to a request for a
//! distribution's domain. Such requests say in headers of their own who asks, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use http::HeaderMap;
use jiff::Timestamp;

use super::cloudfront::CloudFront;
use super::edges::{EDGES, Edge};
use super::keyvaluestore::Stores;
use super::route::header;
use super::service::{Answer, Rollout};
use super::wafv2::{Sample, Samples, Waf};
use crate::edge::{
    Decision, EdgeView, Finding, FunctionAnswer, GeoRestriction, Layer, Outcome, Verdict,
    ViewerRequest, WebAcl,
};
use crate::edge::{engine, event};

/// The viewer's address.
pub(crate) const ADDRESS: &str = "x-onair-viewer";
/// The viewer's country, ISO 3166-1 alpha-2.
pub(crate) const COUNTRY: &str = "x-onair-country";
/// The viewer's state, ISO 3166-2 without the country.
pub(crate) const REGION: &str = "x-onair-region";
/// The viewer's metro area (US), Nielsen's code.
pub(crate) const METRO: &str = "x-onair-metro";
/// The edge that is asked; the start of a name is enough.
pub(crate) const EDGE: &str = "x-onair-edge";
/// The keys under which the viewer's token is looked up, with commas between them. They stand for a
/// valid token: the function is not asked then, and the keys are looked up as it would.
pub(crate) const REVOCATION_KEYS: &str = "x-onair-revocation-keys";
/// In the answer: the layer that decided, and the rule if there is one.
pub(crate) const DECIDED_BY: &str = "x-onair-decided-by";

/// The services, as far as edges get their state from them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) cloudfront: &'a CloudFront,
    pub(super) stores: &'a Stores,
    pub(super) waf: &'a Waf,
    pub(super) rollout: Rollout,
    pub(super) now: Timestamp,
}

impl Sources<'_> {
    /// What `edge` holds of a distribution, as far as it decides on `request`; none when the edge has
    /// not heard of the distribution.
    pub(super) fn view(
        &self,
        distribution: &str,
        edge: Edge,
        request: &ViewerRequest,
    ) -> Option<EdgeView> {
        let (fraction, now, delay) = (edge.fraction, self.now, self.rollout.waf);
        let (kind, countries, web_acl) = self.cloudfront.edge_geo(distribution, fraction, now)?;
        let web_acl = web_acl
            .and_then(|arn| self.waf.web_acl_at_edge(&arn, fraction, now, delay))
            .and_then(|wire| WebAcl::from_json(&wire).ok());
        let ip_sets = web_acl.as_ref().map_or_else(BTreeMap::new, |acl| {
            let wanted: BTreeSet<&str> = acl.ip_set_arns();
            self.waf
                .ip_sets_at_edge(&|arn| wanted.contains(arn), fraction, now, delay)
        });
        let stores = self.cloudfront.edge_stores(distribution, fraction, now);
        let revocations = request
            .revocation_keys
            .iter()
            .filter_map(|key| {
                let value = stores
                    .iter()
                    .find_map(|arn| self.stores.edge_item(arn, key, fraction, now))?;
                Some((key.clone(), value.to_owned()))
            })
            .collect();
        Some(EdgeView {
            geo: GeoRestriction { kind, countries },
            web_acl,
            ip_sets,
            revocations,
            function: self.function(distribution, edge, request),
        })
    }

    /// Runs the published function that the edge has for viewer requests, on this request.
    fn function(
        &self,
        distribution: &str,
        edge: Edge,
        request: &ViewerRequest,
    ) -> Option<FunctionAnswer> {
        if !request.revocation_keys.is_empty() {
            return None;
        }
        let (fraction, now) = (edge.fraction, self.now);
        let (name, stage) = self.cloudfront.edge_function(distribution, fraction, now)?;
        let domain = self.cloudfront.domain(distribution)?;
        let items = |key: &str| match &stage.store {
            None => Err("the function has no key value store".to_owned()),
            Some(arn) => Ok(self
                .stores
                .edge_item(arn, key, fraction, now)
                .map(str::to_owned)),
        };
        Some(FunctionAnswer {
            name: name.to_owned(),
            ran: engine::run(
                &stage.code,
                &event::viewer_request(request, domain),
                &items,
                now,
            ),
        })
    }
}

/// Reads who asks from the headers of a request for a distribution's domain.
pub(super) fn request(
    headers: &HeaderMap,
    host: &str,
    method: &str,
    path: &str,
    now: Timestamp,
) -> Result<(Edge, ViewerRequest), String> {
    let address = match header(headers, ADDRESS) {
        Some(text) => Some(
            text.parse::<IpAddr>()
                .map_err(|_| format!("{ADDRESS} `{text}` is not an address"))?,
        ),
        None => None,
    };
    let edge = match header(headers, EDGE) {
        Some(name) => super::edges::find(name)
            .ok_or_else(|| format!("{EDGE} `{name}` is not an edge of the embedded cloud"))?,
        None => EDGES[0],
    };
    let keys = header(headers, REVOCATION_KEYS).unwrap_or_default();
    let request = ViewerRequest {
        address,
        country: header(headers, COUNTRY).map(str::to_ascii_uppercase),
        path: path.to_owned(),
        user_agent: header(headers, "user-agent").map(str::to_owned),
        host: Some(host.to_owned()),
        method: method.to_owned(),
        headers: players_own(headers),
        region: header(headers, REGION).map(str::to_ascii_uppercase),
        metro: header(headers, METRO).map(str::to_owned),
        revocation_keys: keys
            .split(',')
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect(),
        now,
    };
    Ok((edge, request))
}

/// The headers that a player sent, tokens among them; not those that say who asks.
fn players_own(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !name.starts_with("x-onair-") && !matches!(name, "host" | "user-agent")
        })
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// The answer that a viewer gets. What cannot be judged is served.
pub(super) fn answer(edge: Edge, decision: &Decision, request_id: &str) -> Answer {
    let (status, body, cache) = match decision.outcome() {
        Outcome::Refused(status) => (status, "refused\n", "Error from cloudfront"),
        Outcome::Served | Outcome::Unknown => (200, "served\n", "Hit from cloudfront"),
    };
    let by = decision.refusal().map_or_else(
        || Layer::Origin.name().to_owned(),
        |finding| match &finding.rule {
            // A revoked key stands for a viewer: no header repeats it.
            Some(rule) if finding.layer == Layer::Waf => {
                format!("{} {rule}", finding.layer.name())
            }
            _ => finding.layer.name().to_owned(),
        },
    );
    Answer {
        status,
        headers: vec![
            ("content-type", "text/plain".to_owned()),
            ("server", "CloudFront".to_owned()),
            ("x-cache", cache.to_owned()),
            ("x-amz-cf-pop", edge.name.to_owned()),
            ("x-amz-cf-id", request_id.to_owned()),
            (DECIDED_BY, by),
        ],
        body: body.as_bytes().to_vec(),
        changed: false,
    }
}

/// Keeps what WAF saw of a request as samples of the rules that spoke. What geo restriction
/// refuses never reaches WAF.
pub(super) fn sample(
    samples: &mut Samples,
    web_acl: Option<&WebAcl>,
    request: &ViewerRequest,
    method: &str,
    decision: &Decision,
) -> bool {
    let Some(acl) = web_acl else { return false };
    if decision
        .refusal()
        .is_some_and(|finding| finding.layer == Layer::Geo)
    {
        return false;
    }
    let mut kept = false;
    for finding in decision.of(Layer::Waf) {
        let Some((action, status)) = action(finding) else {
            continue;
        };
        let metric = match (&finding.rule, &finding.metric) {
            (Some(_), Some(metric)) => metric.as_str(),
            _ => "Default_Action",
        };
        let sample = Sample {
            at: request.now,
            address: request
                .address
                .map_or_else(|| "-".to_owned(), |address| address.to_string()),
            country: request.country.clone().unwrap_or_else(|| "-".to_owned()),
            uri: request.path.clone(),
            method: method.to_owned(),
            headers: [("Host", &request.host), ("User-Agent", &request.user_agent)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                .collect(),
            action: action.to_owned(),
            status,
            labels: decision.labels.clone(),
        };
        samples.record(&acl.arn, metric, sample);
        kept = true;
    }
    kept
}

fn action(finding: &Finding) -> Option<(&'static str, Option<u16>)> {
    match &finding.verdict {
        Verdict::Allowed { .. } => Some(("ALLOW", None)),
        Verdict::Refused { status: 202, .. } => Some(("CHALLENGE", Some(202))),
        Verdict::Refused { status: 405, .. } => Some(("CAPTCHA", Some(405))),
        Verdict::Refused { status, .. } => Some(("BLOCK", Some(*status))),
        Verdict::Counted { .. } => Some(("COUNT", None)),
        Verdict::Unknown { .. } => None,
    }
}

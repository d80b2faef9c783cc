//! The decision on one request, layer by layer in the order that CloudFront asks them: geo
//! restriction, web ACL, function, revocation, origin. Every layer is asked, so that an operator sees what
//! else would refuse; the first refusal is the one the viewer gets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::acl::{Action, Rule, WebAcl};
use super::matching::{Match, ask};
use super::request::{EdgeView, FunctionAnswer, ViewerRequest};

/// Where a request can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layer {
    Geo,
    Waf,
    Function,
    Revocation,
    Origin,
}

impl Layer {
    /// The layer's name in one word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Geo => "geo",
            Self::Waf => "waf",
            Self::Function => "function",
            Self::Revocation => "revocation",
            Self::Origin => "origin",
        }
    }
}

/// What a layer, or one rule of it, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The request passes here.
    Allowed { reason: String },
    /// The request ends here with this status.
    Refused { status: u16, reason: String },
    /// A rule that only counts has matched, or may have.
    Counted { reason: String },
    /// It may be refused here; this tool can't know.
    Unknown { why: String },
}

/// One line of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Finding {
    pub(crate) layer: Layer,
    /// The web ACL's rule, or the revoked key; none for the layer as a whole.
    pub(crate) rule: Option<String>,
    /// The metric under which WAF samples the request.
    pub(crate) metric: Option<String>,
    pub(crate) verdict: Verdict,
}

/// What becomes of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Decision {
    /// In the order in which the layers are asked.
    pub(crate) findings: Vec<Finding>,
    /// The labels that WAF put on the request.
    pub(crate) labels: Vec<String>,
}

/// A decision in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Served,
    /// With the status that the viewer gets.
    Refused(u16),
    /// Served, unless a layer refuses that can't be judged from here.
    Unknown,
}

impl Decision {
    /// The first refusal: what the viewer gets.
    pub(crate) fn refusal(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| matches!(finding.verdict, Verdict::Refused { .. }))
    }

    /// The decision in one word.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.refusal().map(|finding| &finding.verdict) {
            Some(Verdict::Refused { status, .. }) => Outcome::Refused(*status),
            _ if self
                .findings
                .iter()
                .any(|finding| matches!(finding.verdict, Verdict::Unknown { .. })) =>
            {
                Outcome::Unknown
            }
            _ => Outcome::Served,
        }
    }

    /// The findings of one layer.
    pub(crate) fn of(&self, layer: Layer) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.layer == layer)
    }

    fn add(&mut self, layer: Layer, rule: Option<&str>, verdict: Verdict) {
        self.findings.push(Finding {
            layer,
            rule: rule.map(str::to_owned),
            metric: None,
            verdict,
        });
    }
}

/// Decides on `request` by what an edge holds.
pub(crate) fn decide(view: &EdgeView, request: &ViewerRequest) -> Decision {
    let mut decision = Decision::default();
    geo(view, request, &mut decision);
    match &view.web_acl {
        Some(acl) => waf(acl, view, request, &mut decision),
        None => decision.add(
            Layer::Waf,
            None,
            Verdict::Allowed {
                reason: "no web ACL".to_owned(),
            },
        ),
    }
    function(view, &mut decision);
    revocation(view, request, &mut decision);
    decision.add(
        Layer::Origin,
        None,
        Verdict::Allowed {
            reason: "the origin answers".to_owned(),
        },
    );
    decision
}

fn geo(view: &EdgeView, request: &ViewerRequest, decision: &mut Decision) {
    let country = request.country.as_deref();
    let named = country.unwrap_or("unknown");
    let verdict = if view.geo.serves(country) {
        Verdict::Allowed {
            reason: match country {
                Some(_) => format!("{named} is served"),
                None => "an unknown country is served".to_owned(),
            },
        }
    } else {
        Verdict::Refused {
            status: 403,
            reason: format!("{named} is not served"),
        }
    };
    decision.add(Layer::Geo, None, verdict);
}

fn waf(acl: &WebAcl, view: &EdgeView, request: &ViewerRequest, decision: &mut Decision) {
    let mut labels = BTreeSet::new();
    let mut decided = false;
    let mut perhaps_allowed: Option<&str> = None;
    for rule in &acl.rules {
        let found = ask(&rule.statement, view, request, &mut labels);
        if matches!(found, Match::Yes(_)) {
            labels.extend(rule.labels.iter().cloned());
        }
        if rule.action == Action::Allow && matches!(found, Match::Unknown(_)) {
            perhaps_allowed.get_or_insert(&rule.name);
        }
        let Some(mut verdict) = judge(rule, found) else {
            continue;
        };
        decided = matches!(verdict, Verdict::Allowed { .. } | Verdict::Refused { .. });
        if let (Some(allowing), Verdict::Refused { reason, .. }) = (perhaps_allowed, &verdict) {
            verdict = Verdict::Unknown {
                why: format!("{reason}, unless {allowing} lets it in first"),
            };
        }
        decision.findings.push(Finding {
            layer: Layer::Waf,
            rule: Some(rule.name.clone()),
            metric: Some(rule.metric.clone()),
            verdict,
        });
        if decided {
            break;
        }
    }
    if !decided {
        let reason = "no rule decides".to_owned();
        let verdict = if acl.default_allow {
            Verdict::Allowed { reason }
        } else {
            Verdict::Refused {
                status: 403,
                reason,
            }
        };
        decision.findings.push(Finding {
            layer: Layer::Waf,
            rule: None,
            metric: Some(acl.name.clone()),
            verdict,
        });
    }
    decision.labels = labels.into_iter().collect();
}

/// What a rule does with its statement's answer; none when it has nothing to say.
fn judge(rule: &Rule, found: Match) -> Option<Verdict> {
    match (found, rule.action) {
        (Match::No, _) => None,
        (Match::Yes(reason), Action::Allow) => Some(Verdict::Allowed { reason }),
        (Match::Yes(reason), Action::Block { status }) => Some(Verdict::Refused { status, reason }),
        // Players run no scripts: they fail a challenge (202) and a puzzle (405) alike.
        (Match::Yes(reason), Action::Challenge) => Some(Verdict::Refused {
            status: 202,
            reason,
        }),
        (Match::Yes(reason), Action::Captcha) => Some(Verdict::Refused {
            status: 405,
            reason,
        }),
        (Match::Yes(reason) | Match::Unknown(reason), Action::Count | Action::OverrideCount) => {
            Some(Verdict::Counted { reason })
        }
        (Match::Yes(why), Action::OverrideNone) | (Match::Unknown(why), _) => {
            Some(Verdict::Unknown { why })
        }
    }
}

/// The gate's word for a revoked token, which is shown as a layer of its own.
const REVOKED: &str = "revoked";

impl FunctionAnswer {
    /// Why the gate refuses, or would in another mode; none when it doesn't.
    pub(crate) fn reason(&self) -> Option<&str> {
        let ran = self.ran.as_ref().ok()?;
        if let Some(reason) = ran.output.header("x-onair-gate") {
            return Some(reason);
        }
        // `1.would-deny.REASON.log…`, as the gate logs it.
        let mut parts = ran.custom.as_deref()?.split('.');
        (parts.next()? == "1" && parts.next()? == "would-deny").then(|| parts.next())?
    }

    /// Whether it is a revocation that the gate refuses for, or would.
    pub(crate) fn is_revoked(&self) -> bool {
        self.reason() == Some(REVOKED)
    }
}

fn function(view: &EdgeView, decision: &mut Decision) {
    let Some(answer) = &view.function else { return };
    let reason = answer.reason();
    let verdict = match (&answer.ran, reason) {
        (Err(error), _) => Verdict::Refused {
            // CloudFront answers for a function that fails.
            status: 503,
            reason: error.to_string(),
        },
        (Ok(_), Some(REVOKED)) => Verdict::Allowed {
            reason: "the token is in order".to_owned(),
        },
        (Ok(ran), reason) => match (ran.output.status(), reason) {
            (Some(status), reason) => Verdict::Refused {
                status,
                reason: reason.unwrap_or("it answers itself").to_owned(),
            },
            (None, Some(reason)) => Verdict::Counted {
                reason: format!("{reason}, and the mode is log"),
            },
            (None, None) => Verdict::Allowed {
                reason: "lets it pass".to_owned(),
            },
        },
    };
    decision.add(Layer::Function, Some(&answer.name), verdict);
}

fn revocation(view: &EdgeView, request: &ViewerRequest, decision: &mut Decision) {
    if let Some(answer) = &view.function
        && answer.is_revoked()
    {
        let status = answer.ran.as_ref().ok().and_then(|ran| ran.output.status());
        let verdict = match status {
            Some(status) => Verdict::Refused {
                status,
                reason: "the token is revoked".to_owned(),
            },
            None => Verdict::Counted {
                reason: "the token is revoked, and the mode is log".to_owned(),
            },
        };
        decision.add(Layer::Revocation, None, verdict);
        return;
    }
    let now = request.now.as_second();
    for key in &request.revocation_keys {
        let end = view
            .revocations
            .get(key)
            .and_then(|end| end.parse::<i64>().ok());
        if end.is_some_and(|end| end > now) {
            decision.add(
                Layer::Revocation,
                Some(key),
                Verdict::Refused {
                    status: 403,
                    reason: "the token is revoked".to_owned(),
                },
            );
            return;
        }
    }
    let reason = if request.revocation_keys.is_empty() {
        "no token to look up"
    } else {
        "not revoked"
    };
    decision.add(
        Layer::Revocation,
        None,
        Verdict::Allowed {
            reason: reason.to_owned(),
        },
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::edge::{GeoKind, GeoRestriction};

    fn rule(name: &str, priority: u64, action: &Value, statement: &Value) -> Value {
        let member = if statement.get("ManagedRuleGroupStatement").is_some() {
            "OverrideAction"
        } else {
            "Action"
        };
        json!({"Name": name, "Priority": priority, member: action, "Statement": statement})
    }

    fn view(rules: &[Value]) -> EdgeView {
        let acl =
            json!({"Name": "acl", "ARN": "arn", "DefaultAction": {"Allow": {}}, "Rules": rules});
        EdgeView {
            web_acl: Some(WebAcl::from_json(&acl).unwrap()),
            ip_sets: BTreeMap::from([(
                "a/global/ipset/blocked/1".to_owned(),
                vec!["203.0.113.0/24".parse().unwrap()],
            )]),
            ..EdgeView::default()
        }
    }

    fn request() -> ViewerRequest {
        ViewerRequest {
            address: Some("203.0.113.9".parse().unwrap()),
            country: Some("AT".to_owned()),
            ..ViewerRequest::new("/live/a.m3u8?x=1", Timestamp::UNIX_EPOCH)
        }
    }

    fn blocklist(priority: u64) -> Value {
        let statement = json!({"IPSetReferenceStatement": {"ARN": "a/global/ipset/blocked/1"}});
        rule("blocklist", priority, &json!({"Block": {}}), &statement)
    }

    #[test]
    fn a_blocked_address_is_refused_by_the_rule_that_names_its_set() {
        let decision = decide(&view(&[blocklist(0)]), &request());
        let refusal = decision.refusal().unwrap();
        assert_eq!(refusal.rule.as_deref(), Some("blocklist"));
        insta::assert_debug_snapshot!(refusal.verdict, @r#"
        Refused {
            status: 403,
            reason: "203.0.113.0/24 is in IP set blocked",
        }
        "#);
        let other = ViewerRequest {
            address: Some("192.0.2.1".parse().unwrap()),
            ..request()
        };
        assert_eq!(
            decide(&view(&[blocklist(0)]), &other).outcome(),
            Outcome::Served
        );
    }

    #[test]
    fn geo_refuses_first_and_the_other_layers_still_speak() {
        let mut view = view(&[blocklist(0)]);
        view.geo = GeoRestriction {
            kind: GeoKind::Block,
            countries: ["AT".to_owned()].into(),
        };
        let decision = decide(&view, &request());
        assert_eq!(decision.refusal().unwrap().layer, Layer::Geo);
        assert!(
            decision
                .of(Layer::Waf)
                .any(|finding| matches!(finding.verdict, Verdict::Refused { .. }))
        );
    }

    #[test]
    fn an_earlier_allow_ends_the_rules() {
        let statement = json!({"GeoMatchStatement": {"CountryCodes": ["AT"]}});
        let allow = rule("home", 0, &json!({"Allow": {}}), &statement);
        let outcome = |rules: &[Value]| decide(&view(rules), &request()).outcome();
        assert_eq!(outcome(&[blocklist(1), allow.clone()]), Outcome::Served);
        let allow_later = rule("home", 2, &json!({"Allow": {}}), &statement);
        assert_eq!(outcome(&[blocklist(1), allow_later]), Outcome::Refused(403));
    }

    #[test]
    fn what_cannot_be_judged_is_unknown_unless_it_only_counts() {
        let statement = json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "G"}});
        let outcome = |action: Value| {
            decide(&view(&[rule("g", 0, &action, &statement)]), &request()).outcome()
        };
        assert_eq!(outcome(json!({"None": {}})), Outcome::Unknown);
        assert_eq!(outcome(json!({"Count": {}})), Outcome::Served);
    }

    #[test]
    fn a_refusal_behind_an_unknown_allow_is_unknown() {
        let statement =
            json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": "awswaf:managed:aws:x:y"}});
        let allow = rule("perhaps", 0, &json!({"Allow": {}}), &statement);
        assert_eq!(
            decide(&view(&[allow, blocklist(1)]), &request()).outcome(),
            Outcome::Unknown
        );
    }

    #[test]
    fn a_later_rule_sees_the_country_label_of_an_earlier_one() {
        let geo = json!({"GeoMatchStatement": {"CountryCodes": ["DE"]}});
        let label = json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": "awswaf:clientip:geo:country:AT"}});
        let count = |priority| rule("geo", priority, &json!({"Count": {}}), &geo);
        let block = |priority| rule("label", priority, &json!({"Block": {}}), &label);
        assert_eq!(
            decide(&view(&[count(0), block(1)]), &request()).outcome(),
            Outcome::Refused(403)
        );
        assert_eq!(
            decide(&view(&[count(1), block(0)]), &request()).outcome(),
            Outcome::Served
        );
        assert_eq!(
            decide(&view(&[block(1)]), &request()).outcome(),
            Outcome::Served
        );
    }

    #[test]
    fn an_unlocated_viewer_passes_geo_restriction_but_not_a_negated_geo_rule() {
        let nowhere = ViewerRequest {
            country: None,
            ..request()
        };
        let negated =
            json!({"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["AT"]}}}});
        let mut view = view(&[rule("others", 0, &json!({"Block": {}}), &negated)]);
        view.geo = GeoRestriction {
            kind: GeoKind::Allow,
            countries: ["AT".to_owned()].into(),
        };
        let decision = decide(&view, &nowhere);
        assert_eq!(decision.refusal().unwrap().layer, Layer::Waf);
    }

    #[test]
    fn a_revocation_holds_until_its_end() {
        let asks = |value: &str, now| {
            let view = EdgeView {
                revocations: BTreeMap::from([("sub:1".to_owned(), value.to_owned())]),
                ..EdgeView::default()
            };
            let request = ViewerRequest {
                revocation_keys: vec!["sid:7".to_owned(), "sub:1".to_owned()],
                now: Timestamp::from_second(now).unwrap(),
                ..request()
            };
            decide(&view, &request).outcome()
        };
        assert_eq!(asks("100", 99), Outcome::Refused(403));
        assert_eq!(asks("100", 100), Outcome::Served);
        assert_eq!(asks("enforce", 99), Outcome::Served);
    }

    #[test]
    fn a_byte_match_looks_at_the_path_without_the_query() {
        let statement = |search: &str, field: Value, position: &str| {
            use base64::Engine as _;
            let search = base64::engine::general_purpose::STANDARD.encode(search);
            json!({"ByteMatchStatement": {"SearchString": search, "FieldToMatch": field,
                "PositionalConstraint": position,
                "TextTransformations": [{"Priority": 0, "Type": "LOWERCASE"}]}})
        };
        for (statement, expected) in [
            (
                statement("/live/", json!({"UriPath": {}}), "STARTS_WITH"),
                Outcome::Refused(403),
            ),
            (
                statement(".m3u8", json!({"UriPath": {}}), "ENDS_WITH"),
                Outcome::Refused(403),
            ),
            (
                statement("x=1", json!({"UriPath": {}}), "CONTAINS"),
                Outcome::Served,
            ),
            (
                statement("x=1", json!({"QueryString": {}}), "EXACTLY"),
                Outcome::Refused(403),
            ),
            (
                statement(
                    "x",
                    json!({"SingleHeader": {"Name": "User-Agent"}}),
                    "EXACTLY",
                ),
                Outcome::Unknown,
            ),
            (
                statement("x", json!({"Body": {}}), "EXACTLY"),
                Outcome::Unknown,
            ),
        ] {
            let rules = [rule("bytes", 0, &json!({"Block": {}}), &statement)];
            assert_eq!(
                decide(&view(&rules), &request()).outcome(),
                expected,
                "{statement}"
            );
        }
    }
}

//! Packaging: MediaPackage v2 channels and origin endpoints.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::{each, each_there, shown};
use crate::cloud::media::{EndpointPolicy, ManifestKind, OriginEndpoint, PackageChannel};
use crate::event::phase::Phase;
use crate::preflight::paths::matches_stars;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::model::Role;
use crate::runbook::{Arn, OriginAccess};

const NONE: &str = "the runbook names no endpoints";
const ENDPOINT: &str = "mediapackagev2.GetOriginEndpoint";
const CHANNEL: &str = "mediapackagev2.GetChannel";
const POLICY: &str = "mediapackagev2.GetOriginEndpointPolicy";
/// Without these, CloudFront sees a manifest that has stopped as a success and stays with it.
const FORCED: [&str; 2] = ["STALE_MANIFEST", "INCOMPLETE_MANIFEST"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "workflow.endpoint-manifests",
        title: "every origin endpoint is there and offers HLS or DASH with times",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ENDPOINT,
        run: asking!(manifests),
    },
    Check {
        id: "workflow.endpoint-errors",
        title: "a stale or incomplete manifest is answered with an error, so that CloudFront fails over",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "mediapackagev2.GetOriginEndpoint, ForceEndpointErrorConfiguration",
        run: asking!(errors),
    },
    Check {
        id: "workflow.endpoint-segments",
        title: "the packager's segments are as long as the forecast has them",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ENDPOINT,
        run: asking!(segments),
    },
    Check {
        id: "workflow.endpoint-startover",
        title: "viewers can go back in time",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: ENDPOINT,
        run: asking!(startover),
    },
    Check {
        id: "workflow.endpoint-encryption",
        title: "what has a license server is encrypted",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ENDPOINT,
        run: asking!(encryption),
    },
    Check {
        id: "workflow.endpoint-policy",
        title: "the distributions, and nobody else, may read the endpoints",
        severity: Severity::Error,
        from: Phase::Setup,
        source: POLICY,
        run: asking!(policy),
    },
    Check {
        id: "workflow.endpoint-regions",
        title: "the regions that stand in for each other use the same names",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the runbook; CloudFront guide, media quality-aware resiliency",
        run: asking!(regions),
    },
    Check {
        id: "workflow.package-ingest",
        title: "the packaging channels take CMAF from two pipelines",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CHANNEL,
        run: asking!(ingest),
    },
    Check {
        id: "workflow.media-quality",
        title: "the packaging channels choose by media quality and publish the score",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "mediapackagev2.GetChannel; CloudFront guide, media quality-aware resiliency",
        run: asking!(quality),
    },
];

async fn endpoint(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<OriginEndpoint>, Gap> {
    let arn = arn.clone();
    let key = arn.0.clone();
    facts
        .read(ENDPOINT, &key, |cloud| async move {
            cloud.origin_endpoint(&arn).await
        })
        .await
}

/// Reads the channel of an endpoint, once a run also where several endpoints share it.
async fn channel(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<PackageChannel>, Gap> {
    let arn = arn.clone();
    let key = arn.0.split("/originEndpoint/").next().unwrap_or_default();
    let key = key.to_owned();
    facts
        .read(CHANNEL, &key, |cloud| async move {
            cloud.package_channel(&arn).await
        })
        .await
}

async fn judged(facts: &Facts<'_>, judge: impl Fn(&Arn, &OriginEndpoint) -> Verdict) -> Outcome {
    let endpoints = &facts.runbook.workflow.endpoints;
    each(facts, endpoints, endpoint, judge, NONE).await
}

/// The endpoint in words: `main/hls in eu-west-1`.
fn named(arn: &Arn) -> String {
    let parts: Vec<&str> = arn.resource().split('/').collect();
    let name = match parts[..] {
        [_, group, _, channel, _, endpoint] => format!("{group}/{channel}/{endpoint}"),
        _ => arn.resource().to_owned(),
    };
    format!("{name} in {}", arn.region())
}

async fn manifests(facts: &Facts<'_>) -> Outcome {
    let endpoints = &facts.runbook.workflow.endpoints;
    let judge = |arn: &Arn, endpoint: &OriginEndpoint| {
        let name = named(arn);
        let fix = "aws mediapackagev2 update-origin-endpoint";
        let of = |wanted: &[ManifestKind]| {
            let manifests = endpoint.manifests.iter();
            manifests
                .filter(|one| wanted.contains(&one.kind))
                .collect::<Vec<_>>()
        };
        let hls = of(&[ManifestKind::Hls, ManifestKind::LowLatencyHls]);
        let dash = of(&[ManifestKind::Dash]);
        if hls.is_empty() && dash.is_empty() {
            return Verdict::fail(format!("{name} offers neither HLS nor DASH"), fix);
        }
        let undated = hls
            .iter()
            .find(|one| one.date_time_seconds.is_none_or(|seconds| seconds == 0));
        if let Some(one) = undated {
            return Verdict::fail(
                format!("{name}: {} has no program date-time", shown(&one.name)),
                format!("{fix} with ProgramDateTimeIntervalSeconds"),
            );
        }
        Verdict::pass(format!("{name}: {} HLS, {} DASH", hls.len(), dash.len()))
    };
    let section = "workflow.endpoints";
    each_there(facts, endpoints, endpoint, judge, NONE, section).await
}

async fn errors(facts: &Facts<'_>) -> Outcome {
    let fails_over = facts
        .runbook
        .origins
        .as_ref()
        .is_some_and(|origins| !origins.groups.is_empty());
    if !fails_over {
        return Ok(Verdict::not_applicable(
            "the runbook names no origin groups",
        ));
    }
    judged(facts, |arn, endpoint| {
        let name = named(arn);
        let missing: Vec<&str> = FORCED
            .into_iter()
            .filter(|one| endpoint.forced_errors.iter().all(|found| found != one))
            .collect();
        if missing.is_empty() {
            Verdict::pass(format!("{name}: {}", endpoint.forced_errors.join(", ")))
        } else {
            Verdict::fail(
                format!("{name} does not answer an error on {}", missing.join(" and ")),
                "aws mediapackagev2 update-origin-endpoint --force-endpoint-error-configuration EndpointErrorConditions=STALE_MANIFEST,INCOMPLETE_MANIFEST",
            )
        }
    })
    .await
}

async fn segments(facts: &Facts<'_>) -> Outcome {
    let Some(forecast) = &facts.runbook.forecast else {
        return Ok(Verdict::not_applicable("the runbook has no forecast"));
    };
    let expected = forecast.segment_seconds;
    judged(facts, |arn, endpoint| {
        let name = named(arn);
        let Some(found) = endpoint.segment_seconds else {
            return Verdict::could_not_ask(format!("{name} does not say how long segments are"));
        };
        if (f64::from(found) - expected).abs() < 1.0 {
            Verdict::pass(format!("{name}: {found} s"))
        } else {
            Verdict::fail(
                format!("{name} makes segments of {found} s, the forecast has {expected} s"),
                "mend forecast.segment in the runbook, or SegmentDurationSeconds of the endpoint",
            )
        }
    })
    .await
}

async fn startover(facts: &Facts<'_>) -> Outcome {
    judged(facts, |arn, endpoint| {
        let name = named(arn);
        let seconds = endpoint.startover_seconds;
        if seconds == 0 {
            Verdict::fail(
                format!("{name} keeps nothing: no pause, no start-over"),
                "aws mediapackagev2 update-origin-endpoint --startover-window-seconds 7200",
            )
        } else {
            Verdict::pass(format!("{name}: {seconds} s"))
        }
    })
    .await
}

async fn encryption(facts: &Facts<'_>) -> Outcome {
    if facts.runbook.workflow.drm_probe.is_none() {
        return Ok(Verdict::not_applicable("the runbook names no drm-probe"));
    }
    judged(facts, |arn, endpoint| {
        let name = named(arn);
        if endpoint.drm_systems.is_empty() {
            Verdict::fail(
                format!("{name} is not encrypted"),
                "set Segment.Encryption of the endpoint, or take drm-probe out of the runbook",
            )
        } else {
            let systems: Vec<String> = endpoint.drm_systems.iter().map(|one| shown(one)).collect();
            Verdict::pass(format!("{name}: {}", systems.join(", ")))
        }
    })
    .await
}

async fn policy(facts: &Facts<'_>) -> Outcome {
    let runbook = facts.runbook;
    let by_quality = wants_quality(facts);
    if !matches!(
        runbook.origins.as_ref().map(|origins| &origins.access),
        None | Some(OriginAccess::Oac)
    ) {
        return Ok(Verdict::not_applicable("origins.access is not oac"));
    }
    let account = &runbook.aws.account;
    let distributions: Vec<String> = runbook
        .distributions
        .iter()
        .filter(|one| matches!(one.role, Role::Video | Role::Backup))
        .map(|one| format!("arn:aws:cloudfront::{account}:distribution/{}", one.id))
        .collect();
    let read = async |facts: &Facts<'_>, arn: &Arn| {
        // Of an endpoint that is not there, another check speaks.
        endpoint(facts, arn).await?;
        let asked = arn.clone();
        let key = arn.0.clone();
        facts
            .read(POLICY, &key, |cloud| async move {
                match cloud.origin_endpoint_policy(&asked).await {
                    Err(crate::cloud::CloudError::NotFound { .. }) => Ok(None),
                    other => other.map(Some),
                }
            })
            .await
    };
    let judge = |arn: &Arn, policy: &Option<EndpointPolicy>| {
        let name = named(arn);
        let fix = "aws mediapackagev2 put-origin-endpoint-policy";
        let Some(policy) = policy else {
            return Verdict::fail(format!("{name} has no policy: CloudFront is refused"), fix);
        };
        match judge_policy(&policy.document, &distributions, by_quality) {
            Ok(()) => Verdict::pass(format!("{name}: {} distributions", distributions.len())),
            Err(reason) => Verdict::fail(format!("{name}: {reason}"), fix),
        }
    };
    each(facts, &runbook.workflow.endpoints, read, judge, NONE).await
}

/// Whether a resource policy lets CloudFront read for these distributions and for nobody else.
fn judge_policy(document: &str, distributions: &[String], heads: bool) -> Result<(), String> {
    let document: Value =
        serde_json::from_str(document).map_err(|_| "its policy is not JSON".to_owned())?;
    let statements = list(&document["Statement"]);
    let allows = |action: &str, source: &str| {
        statements
            .iter()
            .any(|one| one["Effect"] == "Allow" && speaks_of(one, action, source))
    };
    let mut actions = vec!["mediapackagev2:GetObject"];
    if heads {
        // CloudFront asks the secondary with HEAD for its score.
        actions.push("mediapackagev2:GetHeadObject");
    }
    for distribution in distributions {
        for action in &actions {
            let denied = statements
                .iter()
                .any(|one| one["Effect"] == "Deny" && speaks_of(one, action, distribution));
            if denied || !allows(action, distribution) {
                let id = distribution.rsplit('/').next().unwrap_or_default();
                return Err(format!("{id} is not allowed {action}"));
            }
        }
    }
    let stranger = "arn:aws:cloudfront::000000000000:distribution/ENOBODY";
    if allows("mediapackagev2:GetObject", stranger) {
        return Err("anybody's distribution may read it".to_owned());
    }
    Ok(())
}

/// Whether a statement is about CloudFront, this action and a distribution of this ARN.
fn speaks_of(statement: &Value, action: &str, source: &str) -> bool {
    let principal = &statement["Principal"];
    let to_cloudfront = principal == "*"
        || list(&principal["AWS"]).iter().any(|one| one == "*")
        || list(&principal["Service"])
            .iter()
            .any(|one| one == "cloudfront.amazonaws.com" || one == "*");
    let fits = |pattern: &Value, text: &str| {
        let pattern = pattern.as_str().unwrap_or_default();
        matches_stars(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
    };
    let named = list(&statement["Action"])
        .iter()
        .any(|one| fits(one, action));
    let Some(conditions) = statement["Condition"].as_object() else {
        return to_cloudfront && named;
    };
    // Conditions other than on the distribution are taken as met.
    let sources = conditions
        .values()
        .filter_map(Value::as_object)
        .flatten()
        .filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"));
    let mut sources = sources.map(|(_, value)| list(value)).peekable();
    let from_here = sources.peek().is_none()
        || sources.any(|values| values.iter().any(|one| fits(one, source)));
    to_cloudfront && named && from_here
}

/// A value that policies may write alone or as a list.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

fn wants_quality(facts: &Facts<'_>) -> bool {
    let origins = facts.runbook.origins.as_ref();
    origins.is_some_and(|origins| origins.groups.iter().any(|group| group.media_quality))
}

async fn regions(facts: &Facts<'_>) -> Outcome {
    if !wants_quality(facts) {
        return Ok(Verdict::not_applicable(
            "no origin group uses media quality",
        ));
    }
    let mut by_region: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for endpoint in &facts.runbook.workflow.endpoints {
        let names = by_region.entry(endpoint.region()).or_default();
        names.push(endpoint.resource());
    }
    for names in by_region.values_mut() {
        names.sort_unstable();
    }
    let mut all = by_region.iter();
    let Some((first, names)) = all.next() else {
        return Ok(Verdict::not_applicable(NONE));
    };
    Ok(match all.find(|(_, other)| *other != names) {
        Some((other, _)) => Verdict::fail(
            format!("the endpoints in {first} and {other} have other names or groups"),
            "make the MediaPackage channels and endpoints of both regions with the same names",
        ),
        None => Verdict::pass(format!("{} regions", by_region.len())),
    })
}

async fn ingest(facts: &Facts<'_>) -> Outcome {
    let endpoints = &facts.runbook.workflow.endpoints;
    let judge = |arn: &Arn, channel: &PackageChannel| {
        let name = named(arn);
        let kind = channel.input_type.as_deref().unwrap_or("HLS");
        if kind != "CMAF" {
            return Verdict::fail(
                format!("{name}: its channel takes {}, not CMAF", shown(kind)),
                "make the MediaPackage channel anew with InputType CMAF: it cannot be changed",
            );
        }
        let count = channel.ingest_endpoints;
        if count < 2 {
            return Verdict::fail(
                format!("{name}: its channel has {count} of 2 ingest endpoints"),
                "aws mediapackagev2 get-channel",
            );
        }
        Verdict::pass(format!("{name}: CMAF, {count} ingest endpoints"))
    };
    each(facts, endpoints, channel, judge, NONE).await
}

async fn quality(facts: &Facts<'_>) -> Outcome {
    if !wants_quality(facts) {
        return Ok(Verdict::not_applicable(
            "no origin group uses media quality",
        ));
    }
    let endpoints = &facts.runbook.workflow.endpoints;
    let judge = |arn: &Arn, channel: &PackageChannel| {
        let name = named(arn);
        let missing = match (channel.quality_switching, channel.publishes_quality) {
            (true, true) => return Verdict::pass(format!("{name}: switching, published")),
            (true, false) => "does not publish the score",
            (false, true) => "does not choose its input by the score",
            (false, false) => "neither chooses by the score nor publishes it",
        };
        Verdict::fail(
            format!("{name}: its channel {missing}"),
            "aws mediapackagev2 update-channel --input-switch-configuration MQCSInputSwitching=true --output-header-configuration PublishMQCS=true",
        )
    };
    each(facts, endpoints, channel, judge, NONE).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_lets_in_the_distributions_and_nobody_else() {
        let ours = ["arn:aws:cloudfront::111122223333:distribution/E1".to_owned()];
        let with = |action: Value, condition: Value, effect: &str| {
            json!({"Statement": {
                "Effect": effect,
                "Principal": {"Service": "cloudfront.amazonaws.com"},
                "Action": action,
                "Condition": condition,
            }})
            .to_string()
        };
        let equals = json!({"StringEquals": {"AWS:SourceArn": ours[0]}});
        let both = json!(["mediapackagev2:GetObject", "mediapackagev2:GetHeadObject"]);
        let judge = |document: &str, heads| judge_policy(document, &ours, heads);
        assert_eq!(
            judge(&with(both.clone(), equals.clone(), "Allow"), true),
            Ok(())
        );
        assert_eq!(
            judge(
                &with(json!("mediapackagev2:Get*"), equals.clone(), "Allow"),
                true
            ),
            Ok(())
        );
        let like = json!({"ArnLike": {"aws:sourcearn": ["arn:aws:cloudfront::111122223333:distribution/*"]}});
        assert_eq!(judge(&with(both.clone(), like, "Allow"), true), Ok(()));
        let get = json!("mediapackagev2:GetObject");
        assert_eq!(
            judge(&with(get.clone(), equals.clone(), "Allow"), false),
            Ok(())
        );
        for (document, expected) in [
            (
                with(get, equals.clone(), "Allow"),
                "E1 is not allowed mediapackagev2:GetHeadObject",
            ),
            (
                with(both.clone(), equals, "Deny"),
                "E1 is not allowed mediapackagev2:GetObject",
            ),
            (
                with(both.clone(), Value::Null, "Allow"),
                "anybody's distribution may read it",
            ),
            (
                with(
                    both,
                    json!({"StringEquals": {"AWS:SourceArn": "arn:x"}}),
                    "Allow",
                ),
                "E1 is not allowed mediapackagev2:GetObject",
            ),
            ("no".to_owned(), "its policy is not JSON"),
        ] {
            assert_eq!(
                judge(&document, true),
                Err(expected.to_owned()),
                "{document}"
            );
        }
    }
}

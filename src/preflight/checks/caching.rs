//! Caching for live video, by the path that a player asks for.

use std::rc::Rc;

use crate::cloud::{BehaviorView, CachePolicy, DistributionView, QueryStrings};
use crate::event::phase::Phase;
use crate::preflight::reads::{Kind, sampled};
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Distribution;
use crate::runbook::model::TokenSource;

/// A segment's length without a forecast.
const SEGMENT_SECONDS: f64 = 4.0;
/// Seconds that an error may be kept: one, and a bit for rounding.
const MOST_ERROR_SECONDS: u64 = 2;
/// The statuses of an origin in trouble.
const TROUBLE: [u16; 6] = [403, 404, 500, 502, 503, 504];

const POLICIES: &str = "cloudfront.GetCachePolicy";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "caching.behavior",
        title: "each sample path has a behavior of its own",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig, matched as CloudFront does",
        run: asking!(behavior),
    },
    Check {
        id: "caching.manifest-ttl",
        title: "manifests are not held longer than half a segment",
        severity: Severity::Error,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(manifest_ttl),
    },
    Check {
        id: "caching.manifest-default",
        title: "manifests without Cache-Control are gone within a segment",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(manifest_default),
    },
    Check {
        id: "caching.segment-ttl",
        title: "segments may stay for the whole event",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(segment_ttl),
    },
    Check {
        id: "caching.errors",
        title: "errors are kept for a second or two",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig; without a rule CloudFront keeps an error for 10 s",
        run: asking!(errors),
    },
    Check {
        id: "caching.cmcd",
        title: "CMCD is not part of the cache key",
        severity: Severity::Error,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(cmcd),
    },
    Check {
        id: "caching.token",
        title: "the token is not part of the cache key",
        severity: Severity::Error,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(token),
    },
    Check {
        id: "caching.headers",
        title: "no viewer's header or cookie splits the cache",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(headers),
    },
    Check {
        id: "caching.compression",
        title: "manifests are compressed",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig and GetCachePolicy",
        run: asking!(compression),
    },
    Check {
        id: "caching.ad-manifest",
        title: "manifests with ads are kept for nobody else",
        severity: Severity::Error,
        from: Phase::Setup,
        source: POLICIES,
        run: asking!(ad_manifest),
    },
    Check {
        id: "caching.origin-request",
        title: "the origin gets its own host name and what it must see",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetOriginRequestPolicy",
        run: asking!(origin_request),
    },
];

/// Seconds and cache key of a behavior.
struct Rules {
    min: u64,
    default: u64,
    max: u64,
    policy: Option<Rc<CachePolicy>>,
}

async fn rules(facts: &Facts<'_>, behavior: &BehaviorView) -> Result<Rules, Gap> {
    if let Some(id) = &behavior.cache_policy {
        let policy = facts.cache_policy(id).await?;
        return Ok(Rules {
            min: policy.min_ttl,
            default: policy.default_ttl,
            max: policy.max_ttl,
            policy: Some(policy),
        });
    }
    let (min, default, max) = behavior.legacy_ttl.ok_or_else(|| {
        Gap::Unknown(format!(
            "{} has neither a cache policy nor a TTL",
            behavior.name()
        ))
    })?;
    Ok(Rules {
        min,
        default,
        max,
        policy: None,
    })
}

fn segment_seconds(facts: &Facts<'_>) -> f64 {
    facts
        .runbook
        .forecast
        .as_ref()
        .map_or(SEGMENT_SECONDS, |forecast| forecast.segment_seconds)
}

/// Asks the same of each sampled path of these kinds.
async fn each_path(
    facts: &Facts<'_>,
    kinds: &'static [Kind],
    judge: impl Fn(&Distribution, Kind, &BehaviorView, &Rules) -> Verdict,
) -> Outcome {
    let judge = &judge;
    facts
        .each_distribution(|one, view: DistributionView| async move {
            let mut verdicts = Vec::new();
            for (kind, _, behavior) in sampled(one, &view) {
                if kinds.contains(&kind) {
                    let rules = rules(facts, behavior).await?;
                    verdicts.push(judge(one, kind, behavior, &rules));
                }
            }
            Ok(Verdict::across(verdicts, "no such sample path"))
        })
        .await
}

/// A line that says which policy to change, or the behavior's own settings.
fn change(one: &Distribution, behavior: &BehaviorView, rules: &Rules, what: &str) -> String {
    match &rules.policy {
        Some(policy) if policy.name.starts_with("Managed-") => format!(
            "give behavior {} of {} a cache policy of its own with {what}",
            behavior.name(),
            one.id
        ),
        Some(policy) => format!("change cache policy {}: {what}", policy.name),
        None => format!("change behavior {} of {}: {what}", behavior.name(), one.id),
    }
}

async fn behavior(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let verdicts = sampled(one, &view)
                .into_iter()
                .map(|(kind, path, behavior)| match &behavior.pattern {
                    Some(pattern) => Verdict::pass(format!("{} by {pattern}", kind.word())),
                    None => Verdict::fail(
                        format!("{path} is served by the default behavior"),
                        format!(
                            "give distribution {} a behavior for {}s",
                            one.id,
                            kind.word()
                        ),
                    ),
                });
            Ok(Verdict::across(verdicts, "no sample paths"))
        })
        .await
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a TTL are small")]
async fn manifest_ttl(facts: &Facts<'_>) -> Outcome {
    let most = segment_seconds(facts) / 2.0;
    each_path(facts, &[Kind::Manifest], |one, _, behavior, rules| {
        if rules.min as f64 <= most {
            Verdict::pass(format!("at least {} s", rules.min))
        } else {
            Verdict::fail(
                format!(
                    "{} keeps manifests for {} s at least; half a segment is {most} s",
                    behavior.name(),
                    rules.min
                ),
                change(one, behavior, rules, "MinTTL = 0"),
            )
        }
    })
    .await
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a TTL are small")]
async fn manifest_default(facts: &Facts<'_>) -> Outcome {
    let most = segment_seconds(facts);
    each_path(facts, &[Kind::Manifest], |one, _, behavior, rules| {
        let kept = rules.default.min(rules.max.max(rules.min));
        if kept as f64 <= most {
            Verdict::pass(format!("{kept} s"))
        } else {
            Verdict::fail(
                format!("{} keeps them for {kept} s then", behavior.name()),
                change(one, behavior, rules, "DefaultTTL = 1"),
            )
        }
    })
    .await
}

async fn segment_ttl(facts: &Facts<'_>) -> Outcome {
    let times = &facts.state.times;
    let event = times.ends.duration_since(times.starts).as_secs();
    let least = u64::try_from(event).unwrap_or_default();
    each_path(facts, &[Kind::Segment], |one, _, behavior, rules| {
        let kept = rules.default.min(rules.max).max(rules.min);
        if kept >= least {
            Verdict::pass(format!("{kept} s"))
        } else {
            Verdict::fail(
                format!(
                    "{} drops segments after {kept} s; the event takes {least} s",
                    behavior.name()
                ),
                change(one, behavior, rules, "DefaultTTL = 86400"),
            )
        }
    })
    .await
}

async fn errors(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let kept = |code: u16| {
                view.errors
                    .iter()
                    .find(|error| error.code == code)
                    .map_or(10, |error| error.seconds)
            };
            let long: Vec<String> = TROUBLE
                .into_iter()
                .filter(|code| kept(*code) > MOST_ERROR_SECONDS)
                .map(|code| format!("{code} for {} s", kept(code)))
                .collect();
            Ok(if long.is_empty() {
                Verdict::pass(format!("{MOST_ERROR_SECONDS} s at most"))
            } else {
                Verdict::fail(
                    format!("kept too long: {}", long.join(", ")),
                    format!(
                        "change distribution {}: ErrorCachingMinTTL = 1 for these statuses",
                        one.id
                    ),
                )
            })
        })
        .await
}

/// Whether a query argument is kept out of the cache key of all sampled paths.
async fn outside_the_key(facts: &Facts<'_>, argument: &str) -> Outcome {
    each_path(
        facts,
        &[Kind::Manifest, Kind::Segment, Kind::Key],
        |one, kind, behavior, rules| match &rules.policy {
            None => Verdict::could_not_ask(format!(
                "{} has legacy settings, which are not read",
                behavior.name()
            )),
            Some(policy) if policy.query_strings.includes(argument) => Verdict::fail(
                format!(
                    "{} has `{argument}` in the key of {}s (query strings: {})",
                    behavior.name(),
                    kind.word(),
                    policy.query_strings.words()
                ),
                change(
                    one,
                    behavior,
                    rules,
                    &format!("leave `{argument}` out of the query strings"),
                ),
            ),
            Some(_) => Verdict::pass(format!("not in the key of {}s", kind.word())),
        },
    )
    .await
}

async fn cmcd(facts: &Facts<'_>) -> Outcome {
    outside_the_key(facts, "CMCD").await
}

async fn token(facts: &Facts<'_>) -> Outcome {
    let Some(tokens) = &facts.runbook.tokens else {
        return Ok(Verdict::not_applicable("the runbook has no [tokens]"));
    };
    let mut verdicts = Vec::new();
    for source in &tokens.gate.sources {
        if let TokenSource::Query(name) = source {
            verdicts.push(outside_the_key(facts, name).await?);
        }
    }
    Ok(Verdict::across(verdicts, "tokens do not come in the query"))
}

async fn headers(facts: &Facts<'_>) -> Outcome {
    each_path(
        facts,
        &[Kind::Manifest, Kind::Segment, Kind::Key],
        |one, kind, behavior, rules| {
            let Some(policy) = &rules.policy else {
                return Verdict::not_applicable("legacy settings");
            };
            // `Origin` takes few values; all others split the cache by viewer.
            let mut splitting: Vec<String> = policy
                .headers
                .iter()
                .filter(|name| !name.eq_ignore_ascii_case("origin"))
                .cloned()
                .collect();
            if policy.cookies {
                splitting.push("cookies".to_owned());
            }
            if kind == Kind::Segment && policy.query_strings == QueryStrings::All {
                splitting.push("all query strings".to_owned());
            }
            if splitting.is_empty() {
                Verdict::pass(format!("{}s are shared", kind.word()))
            } else {
                Verdict::fail(
                    format!(
                        "{} has {} in its key",
                        behavior.name(),
                        splitting.join(", ")
                    ),
                    change(one, behavior, rules, "a key without them"),
                )
            }
        },
    )
    .await
}

async fn compression(facts: &Facts<'_>) -> Outcome {
    each_path(facts, &[Kind::Manifest], |one, _, behavior, rules| {
        let policy = rules.policy.as_ref();
        if behavior.compress && policy.is_none_or(|policy| policy.gzip || policy.brotli) {
            Verdict::pass("on")
        } else {
            Verdict::fail(
                format!("{} sends manifests as they are", behavior.name()),
                format!(
                    "change behavior {} of {}: Compress = true, with gzip in its cache policy",
                    behavior.name(),
                    one.id
                ),
            )
        }
    })
    .await
}

async fn ad_manifest(facts: &Facts<'_>) -> Outcome {
    each_path(facts, &[Kind::AdManifest], |one, _, behavior, rules| {
        if rules.min == 0 && rules.default == 0 {
            Verdict::pass("not cached")
        } else {
            Verdict::fail(
                format!(
                    "{} may keep one viewer's manifest for others ({} to {} s)",
                    behavior.name(),
                    rules.min,
                    rules.default
                ),
                change(one, behavior, rules, "no caching (Managed-CachingDisabled)"),
            )
        }
    })
    .await
}

async fn origin_request(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let mut verdicts = Vec::new();
            for (kind, _, behavior) in sampled(one, &view) {
                let Some(id) = &behavior.origin_request_policy else {
                    verdicts.push(Verdict::pass(format!("{}: no policy", kind.word())));
                    continue;
                };
                let policy = facts.request_policy(id).await?;
                let lists_host = policy
                    .headers
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case("host"));
                let sends_host = match policy.header_behavior.as_str() {
                    "allViewer" | "allViewerAndWhitelistCloudFront" => true,
                    "allExcept" => !lists_host,
                    _ => lists_host,
                };
                verdicts.push(if sends_host {
                    Verdict::fail(
                        format!(
                            "{} sends the viewer's Host to the origin, which does not know it",
                            behavior.name()
                        ),
                        format!(
                            "change behavior {} of {}: origin request policy AllViewerExceptHostHeader",
                            behavior.name(),
                            one.id
                        ),
                    )
                } else {
                    Verdict::pass(format!("{}: {}", kind.word(), policy.name))
                });
            }
            Ok(Verdict::across(verdicts, "no sample paths"))
        })
        .await
}

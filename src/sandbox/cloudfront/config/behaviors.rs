//! Cache behaviors: where requests go, how long answers are kept, which functions run.

use std::collections::BTreeSet;

use super::check::{boolean, integer, one_of, required};
use super::origins::known_origin;
use super::{Demand, Surroundings};
use crate::sandbox::cloudfront::answers::Refusal;
use crate::sandbox::cloudfront::document::Element;

/// Quotas of one distribution (CloudFront Developer Guide, "Quotas").
const MOST_BEHAVIORS: usize = 75;
const REQUIRED_BY_UPDATE_IN_BEHAVIOR: [&str; 5] = [
    "AllowedMethods",
    "SmoothStreaming",
    "Compress",
    "LambdaFunctionAssociations",
    "FieldLevelEncryptionId",
];
/// Members of a behavior that a cache policy replaces.
const LEGACY_CACHE_SETTINGS: [&str; 4] = ["ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"];

/// Checks the default behavior and the others; returns the ARNs of their functions.
pub(super) fn check_behaviors(
    config: &Element,
    demand: Demand,
    targets: &BTreeSet<&str>,
    surroundings: &Surroundings<'_>,
) -> Result<BTreeSet<String>, Refusal> {
    let others = config.items_of("CacheBehaviors");
    if others.len() > MOST_BEHAVIORS {
        return Err(Refusal::new(
            "TooManyCacheBehaviors",
            "You cannot create more cache behaviors for the distribution.",
        ));
    }
    let mut patterns = BTreeSet::new();
    for behavior in others {
        let pattern = required(behavior, "PathPattern")?;
        if pattern.is_empty() || !patterns.insert(pattern.trim_start_matches('/')) {
            return Err(Refusal::invalid_argument(format!(
                "The path pattern {pattern:?} is empty or used twice."
            )));
        }
    }
    let mut functions = BTreeSet::new();
    for behavior in config
        .child("DefaultCacheBehavior")
        .into_iter()
        .chain(others)
    {
        check_behavior(behavior, demand, targets)?;
        functions.extend(check_functions(behavior, surroundings)?);
    }
    Ok(functions)
}

fn check_behavior(
    behavior: &Element,
    demand: Demand,
    targets: &BTreeSet<&str>,
) -> Result<(), Refusal> {
    known_origin(required(behavior, "TargetOriginId")?, targets)?;
    required(behavior, "ViewerProtocolPolicy")?;
    one_of(
        behavior,
        "ViewerProtocolPolicy",
        &["allow-all", "https-only", "redirect-to-https"],
    )?;
    if demand == Demand::Update {
        for name in REQUIRED_BY_UPDATE_IN_BEHAVIOR {
            required(behavior, name)?;
        }
    }
    let has_policy = behavior
        .text_of("CachePolicyId")
        .is_some_and(|id| !id.is_empty());
    let legacy = LEGACY_CACHE_SETTINGS
        .iter()
        .find(|name| behavior.child(name).is_some());
    match (has_policy, legacy) {
        (true, Some(name)) => {
            return Err(Refusal::invalid_argument(format!(
                "The parameter {name} cannot be used when a cache policy is associated to the cache behavior."
            )));
        }
        (false, _) => {
            required(behavior, "ForwardedValues")?;
            required(behavior, "MinTTL")?;
        }
        (true, None) => {}
    }
    let smallest = integer(behavior, "MinTTL")?.unwrap_or(0);
    // AWS's own defaults, a day and a year.
    let default = integer(behavior, "DefaultTTL")?.unwrap_or(86_400.max(smallest));
    let largest = integer(behavior, "MaxTTL")?.unwrap_or(31_536_000.max(default));
    if smallest > default || default > largest {
        return Err(Refusal::new(
            "InvalidTTLOrder",
            "The TTL order is not valid.",
        ));
    }
    for name in ["SmoothStreaming", "Compress"] {
        boolean(behavior, name)?;
    }
    Ok(())
}

fn check_functions<'a>(
    behavior: &'a Element,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<String>, Refusal> {
    let refused = |why: &str| Refusal::new("InvalidFunctionAssociation", why);
    let mut events = BTreeSet::new();
    let mut functions = Vec::new();
    let lambdas: BTreeSet<&'a str> = behavior
        .items_of("LambdaFunctionAssociations")
        .iter()
        .filter_map(|association| association.text_of("EventType"))
        .collect();
    for association in behavior.items_of("FunctionAssociations") {
        let arn = required(association, "FunctionARN")?;
        let event = required(association, "EventType")?;
        if !["viewer-request", "viewer-response"].contains(&event) {
            return Err(refused(
                "A function can be associated with viewer events only.",
            ));
        }
        if !events.insert(event) {
            return Err(refused("An event type has more than one function."));
        }
        if lambdas.iter().any(|event| event.starts_with("viewer-")) {
            return Err(refused(
                "A cache behavior has functions or Lambda functions on viewer events, not both.",
            ));
        }
        if !(surroundings.function_is_published)(arn) {
            return Err(refused(
                "The function ARN doesn't exist or the function is not published.",
            ));
        }
        functions.push(arn.to_owned());
    }
    Ok(functions)
}

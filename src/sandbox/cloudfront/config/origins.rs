//! Origins and origin groups.

use std::collections::BTreeSet;

use super::check::{boolean, integer, one_of, required};
use crate::sandbox::cloudfront::answers::Refusal;
use crate::sandbox::cloudfront::document::Element;

/// Quotas of one distribution (CloudFront Developer Guide, "Quotas").
const MOST_ORIGINS: usize = 100;
const MOST_ORIGIN_GROUPS: usize = 10;

/// Checks origins and origin groups; returns the ids that a behavior may name.
pub(super) fn check_origins(config: &Element) -> Result<BTreeSet<&str>, Refusal> {
    let origins = config.items_of("Origins");
    if origins.is_empty() {
        return Err(Refusal::missing("Origins"));
    }
    if origins.len() > MOST_ORIGINS {
        return Err(Refusal::new(
            "TooManyOrigins",
            "You cannot create more origins for the distribution.",
        ));
    }
    let mut ids = BTreeSet::new();
    for origin in origins {
        let id = required(origin, "Id")?;
        if id.is_empty() || !ids.insert(id) {
            return Err(Refusal::invalid_argument(format!(
                "The origin id {id:?} is empty or used twice."
            )));
        }
        check_origin(origin)?;
    }
    let groups = config.items_of("OriginGroups");
    if groups.len() > MOST_ORIGIN_GROUPS {
        return Err(Refusal::new(
            "TooManyOriginGroupsPerDistribution",
            "Processing your request would cause you to exceed the maximum number of origin groups allowed.",
        ));
    }
    let mut targets = ids.clone();
    for group in groups {
        let id = required(group, "Id")?;
        if id.is_empty() || !targets.insert(id) {
            return Err(Refusal::invalid_argument(format!(
                "The origin group id {id:?} is empty or used twice."
            )));
        }
        let members = group.items_of("Members");
        if members.len() != 2 {
            return Err(Refusal::invalid_argument(
                "An origin group has exactly two members.",
            ));
        }
        for member in members {
            known_origin(required(member, "OriginId")?, &ids)?;
        }
        let criteria = group.at(&["FailoverCriteria", "StatusCodes"]);
        let codes: Vec<_> = criteria
            .map(Element::item_texts)
            .into_iter()
            .flatten()
            .collect();
        let known = [
            "400", "403", "404", "416", "429", "500", "502", "503", "504",
        ];
        if codes.is_empty() || codes.iter().any(|code| !known.contains(code)) {
            return Err(Refusal::invalid_argument(
                "The failover status codes are not valid.",
            ));
        }
        one_of(
            group,
            "SelectionCriteria",
            &["default", "media-quality-based"],
        )?;
    }
    Ok(targets)
}

fn check_origin(origin: &Element) -> Result<(), Refusal> {
    if required(origin, "DomainName")?.is_empty() {
        return Err(Refusal::missing("DomainName"));
    }
    let path = origin.text_of("OriginPath").unwrap_or_default();
    if !path.is_empty() && (!path.starts_with('/') || path.ends_with('/')) {
        return Err(Refusal::invalid_argument(
            "The parameter OriginPath is not valid.",
        ));
    }
    let kinds = ["S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"];
    if kinds
        .iter()
        .filter(|kind| origin.child(kind).is_some())
        .count()
        != 1
    {
        return Err(Refusal::new(
            "InvalidOrigin",
            "An origin is either an S3, a custom or a VPC origin.",
        ));
    }
    for (name, range) in [("ConnectionAttempts", 1..=3), ("ConnectionTimeout", 1..=10)] {
        if integer(origin, name)?.is_some_and(|number| !range.contains(&number)) {
            return Err(Refusal::invalid_argument(format!(
                "The parameter {name} is not valid."
            )));
        }
    }
    if let Some(custom) = origin.child("CustomOriginConfig") {
        for name in ["HTTPPort", "HTTPSPort"] {
            required(custom, name)?;
            integer(custom, name)?;
        }
        required(custom, "OriginProtocolPolicy")?;
        one_of(
            custom,
            "OriginProtocolPolicy",
            &["http-only", "match-viewer", "https-only"],
        )?;
        for (name, code) in [
            ("OriginReadTimeout", "InvalidOriginReadTimeout"),
            ("OriginKeepaliveTimeout", "InvalidOriginKeepaliveTimeout"),
        ] {
            if integer(custom, name)?.is_some_and(|seconds| !(1..=120).contains(&seconds)) {
                return Err(Refusal::new(code, format!("The {name} is not valid.")));
            }
        }
    }
    if let Some(shield) = origin.child("OriginShield")
        && boolean(shield, "Enabled")?.ok_or_else(|| Refusal::missing("Enabled"))?
    {
        required(shield, "OriginShieldRegion")?;
    }
    Ok(())
}

pub(super) fn known_origin(id: &str, ids: &BTreeSet<&str>) -> Result<(), Refusal> {
    if ids.contains(id) {
        Ok(())
    } else {
        Err(Refusal::new(
            "NoSuchOrigin",
            format!("No origin exists with the specified origin id: {id}."),
        ))
    }
}

//! The check as a whole, the simple settings, and what the parts share.

use std::collections::BTreeSet;

use super::audience::{check_aliases, check_geo, check_web_acl};
use super::behaviors::check_behaviors;
use super::origins::check_origins;
use super::{Demand, Facts, Surroundings};
use crate::sandbox::cloudfront::answers::Refusal;
use crate::sandbox::cloudfront::document::{self, Element, NAMESPACE};
use crate::sandbox::cloudfront::rollout::Gate;

/// Characters of a comment (service model).
const LONGEST_COMMENT: usize = 128;

/// What an update must carry and a create need not (CloudFront Developer Guide, "Required fields
/// for creating and updating distributions").
const REQUIRED_BY_UPDATE: [&str; 10] = [
    "Aliases",
    "DefaultRootObject",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Logging",
    "PriceClass",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
];

/// Parses a body that must be a `root` element of the service's namespace.
pub(crate) fn parse<'a>(body: &'a [u8], root: &str) -> Result<(&'a str, Element), Refusal> {
    if body.trim_ascii().is_empty() {
        return Err(Refusal::new(
            "MissingBody",
            "This operation requires a body.",
        ));
    }
    let (text, element) = document::parse(body).map_err(Refusal::malformed)?;
    if element.name != root {
        let name = &element.name;
        return Err(Refusal::malformed(format!(
            "{name} where {root} is expected"
        )));
    }
    if element.namespace.as_deref() != Some(NAMESPACE) {
        return Err(Refusal::malformed(format!("{root} is not in {NAMESPACE}")));
    }
    Ok((text, element))
}

/// Checks a `DistributionConfig` and returns what it says.
pub(crate) fn check(
    config: &Element,
    demand: Demand,
    surroundings: &Surroundings<'_>,
) -> Result<Facts, Refusal> {
    check_repetition(config)?;
    check_quantities(config)?;
    let caller_reference = required(config, "CallerReference")?.to_owned();
    if caller_reference.is_empty() {
        return Err(Refusal::missing("CallerReference"));
    }
    for name in ["Comment", "Enabled", "Origins", "DefaultCacheBehavior"] {
        required(config, name)?;
    }
    if demand == Demand::Update {
        for name in REQUIRED_BY_UPDATE {
            required(config, name)?;
        }
    }
    if required(config, "Comment")?.chars().count() > LONGEST_COMMENT {
        return Err(Refusal::invalid_argument(
            "The parameter Comment is too long.",
        ));
    }
    check_words(config)?;
    let targets = check_origins(config)?;
    let functions = check_behaviors(config, demand, &targets, surroundings)?;
    Ok(Facts {
        caller_reference,
        staging: boolean(config, "Staging")?.unwrap_or(false),
        aliases: check_aliases(config, surroundings)?,
        gate: Gate {
            enabled: boolean(config, "Enabled")?.unwrap_or(false),
            geo: check_geo(config)?,
            web_acl: check_web_acl(config, surroundings)?,
            functions,
        },
    })
}

pub(super) fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, Refusal> {
    element.text_of(name).ok_or_else(|| Refusal::missing(name))
}

pub(super) fn boolean(element: &Element, name: &str) -> Result<Option<bool>, Refusal> {
    match element.text_of(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::malformed(format!("{name} is not a boolean"))),
    }
}

pub(crate) fn integer(element: &Element, name: &str) -> Result<Option<u64>, Refusal> {
    element
        .text_of(name)
        .map(str::parse)
        .transpose()
        .map_err(|_| Refusal::malformed(format!("{name} is not a whole number")))
}

/// The members of a structure appear once each; only members of lists repeat.
fn check_repetition(element: &Element) -> Result<(), Refusal> {
    if element.name != "Items" && element.name != "ParameterDefinitions" {
        let mut names = BTreeSet::new();
        for child in &element.children {
            if !names.insert(child.name.as_str()) {
                return Err(Refusal::malformed(format!("{} is repeated", child.name)));
            }
        }
    }
    element.children.iter().try_for_each(check_repetition)
}

/// Wherever there is a `Quantity`, it is the number of `Items`.
fn check_quantities(element: &Element) -> Result<(), Refusal> {
    if let Some(quantity) = integer(element, "Quantity")? {
        let count = element.items().len();
        if usize::try_from(quantity) != Ok(count) {
            return Err(Refusal::new(
                "InconsistentQuantities",
                format!(
                    "The value of Quantity and the size of Items of {} don't match: {quantity} and {count}.",
                    element.name
                ),
            ));
        }
    }
    element.children.iter().try_for_each(check_quantities)
}

/// A list that is there says how long it is.
pub(super) fn check_lists_have_quantities(config: &Element, names: &[&str]) -> Result<(), Refusal> {
    for list in names.iter().filter_map(|name| config.child(name)) {
        if list.child("Quantity").is_none() {
            return Err(Refusal::missing("Quantity"));
        }
    }
    Ok(())
}

/// Settings with few values each, and simple ones.
fn check_words(config: &Element) -> Result<(), Refusal> {
    check_lists_have_quantities(
        config,
        &[
            "Aliases",
            "Origins",
            "OriginGroups",
            "CacheBehaviors",
            "CustomErrorResponses",
        ],
    )?;
    for (name, words) in [
        (
            "PriceClass",
            ["PriceClass_100", "PriceClass_200", "PriceClass_All", "None"].as_slice(),
        ),
        (
            "HttpVersion",
            // Written with a capital H as well in documents of old tools, and taken.
            &["http1.1", "http2", "http3", "http2and3", "HTTP1.1", "HTTP2"],
        ),
    ] {
        one_of(config, name, words)?;
    }
    boolean(config, "IsIPV6Enabled")?;
    if config
        .text_of("DefaultRootObject")
        .is_some_and(|root| root.starts_with('/'))
    {
        return Err(Refusal::new(
            "InvalidDefaultRootObject",
            "The default root object file name is not valid.",
        ));
    }
    if config
        .text_of("ContinuousDeploymentPolicyId")
        .is_some_and(|id| !id.is_empty())
    {
        return Err(Refusal::new(
            "NoSuchContinuousDeploymentPolicy",
            "The continuous deployment policy doesn't exist.",
        ));
    }
    for response in config.items_of("CustomErrorResponses") {
        // CloudFront Developer Guide, "HTTP status codes that CloudFront caches".
        let code = required(response, "ErrorCode")?;
        let known = [
            "400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504",
        ];
        if !known.contains(&code) {
            return Err(Refusal::new(
                "InvalidErrorCode",
                "An invalid error code was specified.",
            ));
        }
        let page = response.text_of("ResponsePagePath").unwrap_or_default();
        let answer = response.text_of("ResponseCode").unwrap_or_default();
        if page.is_empty() != answer.is_empty() {
            return Err(Refusal::invalid_argument(
                "ResponsePagePath and ResponseCode go together.",
            ));
        }
    }
    Ok(())
}

pub(super) fn one_of(element: &Element, name: &str, words: &[&str]) -> Result<(), Refusal> {
    match element.text_of(name) {
        Some(word) if !words.contains(&word) => Err(Refusal::invalid_argument(format!(
            "The value {word} of {name} is not valid."
        ))),
        _ => Ok(()),
    }
}

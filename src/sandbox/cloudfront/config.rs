//! Checks a distribution's configuration as CloudFront does before it takes one, and reads from it
//! what the rest of the service needs. The document itself is kept as sent; members that a create
//! may leave out are filled in by `defaults`.

use std::collections::BTreeSet;

use super::answers::Refusal;
use super::document::{self, Element, NAMESPACE};
use super::locations::is_location;
use super::rollout::Gate;
use crate::edge::{GeoKind, GeoRestriction};

/// Quotas of one distribution (CloudFront Developer Guide, "Quotas").
const MOST_ALIASES: usize = 100;
const MOST_BEHAVIORS: usize = 75;
const MOST_ORIGINS: usize = 100;
const MOST_ORIGIN_GROUPS: usize = 10;
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
const REQUIRED_BY_UPDATE_IN_BEHAVIOR: [&str; 5] = [
    "AllowedMethods",
    "SmoothStreaming",
    "Compress",
    "LambdaFunctionAssociations",
    "FieldLevelEncryptionId",
];
/// Members of a behavior that a cache policy replaces.
const LEGACY_CACHE_SETTINGS: [&str; 4] = ["ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"];

/// Which rules of requirement hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    Create,
    Update,
}

/// What a configuration may refer to.
pub(crate) struct Surroundings<'a> {
    /// By ARN.
    pub(crate) web_acl_exists: &'a dyn Fn(&str) -> bool,
    /// By ARN; only published functions may be associated.
    pub(crate) function_is_published: &'a dyn Fn(&str) -> bool,
    /// Lower-case alternate domain names of all other distributions.
    pub(crate) alias_is_taken: &'a dyn Fn(&str) -> bool,
}

/// What the service needs to know of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) caller_reference: String,
    pub(crate) staging: bool,
    /// Lower case.
    pub(crate) aliases: Vec<String>,
    pub(crate) gate: Gate,
}

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

fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, Refusal> {
    element.text_of(name).ok_or_else(|| Refusal::missing(name))
}

fn boolean(element: &Element, name: &str) -> Result<Option<bool>, Refusal> {
    match element.text_of(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::malformed(format!("{name} is not a boolean"))),
    }
}

fn integer(element: &Element, name: &str) -> Result<Option<u64>, Refusal> {
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
fn check_lists_have_quantities(config: &Element, names: &[&str]) -> Result<(), Refusal> {
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

fn one_of(element: &Element, name: &str, words: &[&str]) -> Result<(), Refusal> {
    match element.text_of(name) {
        Some(word) if !words.contains(&word) => Err(Refusal::invalid_argument(format!(
            "The value {word} of {name} is not valid."
        ))),
        _ => Ok(()),
    }
}

/// Checks origins and origin groups; returns the ids that a behavior may name.
fn check_origins(config: &Element) -> Result<BTreeSet<&str>, Refusal> {
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

fn known_origin(id: &str, ids: &BTreeSet<&str>) -> Result<(), Refusal> {
    if ids.contains(id) {
        Ok(())
    } else {
        Err(Refusal::new(
            "NoSuchOrigin",
            format!("No origin exists with the specified origin id: {id}."),
        ))
    }
}

/// Checks the default behavior and the others; returns the ARNs of their functions.
fn check_behaviors(
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

fn check_aliases(
    config: &Element,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<String>, Refusal> {
    let Some(list) = config.child("Aliases") else {
        return Ok(Vec::new());
    };
    let aliases: Vec<String> = list.item_texts().map(str::to_ascii_lowercase).collect();
    if aliases.len() > MOST_ALIASES {
        return Err(Refusal::new(
            "TooManyDistributionCNAMEs",
            "Your request contains more CNAMEs than are allowed per distribution.",
        ));
    }
    let mut seen = BTreeSet::new();
    for alias in &aliases {
        if !alias.contains('.') || alias.contains(char::is_whitespace) {
            return Err(Refusal::invalid_argument(format!(
                "The alias {alias:?} is not valid."
            )));
        }
        if !seen.insert(alias) || (surroundings.alias_is_taken)(alias) {
            return Err(Refusal::new(
                "CNAMEAlreadyExists",
                format!(
                    "One or more of the CNAMEs you provided are already associated with a different resource: {alias}."
                ),
            ));
        }
    }
    let certificate = config.child("ViewerCertificate");
    let is_own = certificate.is_some_and(|certificate| {
        ["ACMCertificateArn", "IAMCertificateId"]
            .iter()
            .any(|name| certificate.text_of(name).is_some_and(|id| !id.is_empty()))
    });
    if !aliases.is_empty() && !is_own {
        return Err(Refusal::new(
            "InvalidViewerCertificate",
            "To add an alternate domain name (CNAME) to a distribution, attach a certificate that covers it.",
        ));
    }
    Ok(aliases)
}

fn check_geo(config: &Element) -> Result<GeoRestriction, Refusal> {
    let Some(restrictions) = config.child("Restrictions") else {
        return Ok(GeoRestriction::default());
    };
    let geo = restrictions
        .child("GeoRestriction")
        .ok_or_else(|| Refusal::missing("GeoRestriction"))?;
    check_lists_have_quantities(restrictions, &["GeoRestriction"])?;
    let refused = |why: &str| Refusal::new("InvalidGeoRestrictionParameter", why);
    let kind = GeoKind::from_api(required(geo, "RestrictionType")?)
        .ok_or_else(|| refused("The specified geo restriction type is not valid."))?;
    let countries: Vec<&str> = geo.item_texts().collect();
    if kind == GeoKind::None && !countries.is_empty() {
        return Err(refused("The restriction type none takes no locations."));
    }
    if kind != GeoKind::None && countries.is_empty() {
        return Err(refused("The restriction type needs at least one location."));
    }
    if let Some(code) = countries.iter().find(|code| !is_location(code)) {
        return Err(Refusal::new(
            "InvalidLocationCode",
            format!("The location code specified is not valid: {code}."),
        ));
    }
    let unique: BTreeSet<String> = countries.iter().map(|code| (*code).to_owned()).collect();
    if unique.len() != countries.len() {
        return Err(refused("A location is listed twice."));
    }
    Ok(GeoRestriction {
        kind,
        countries: unique,
    })
}

fn check_web_acl(
    config: &Element,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, Refusal> {
    match config.text_of("WebACLId") {
        None | Some("") => Ok(None),
        Some(arn) => existing_web_acl(arn, surroundings.web_acl_exists).map(Some),
    }
}

/// Returns the ARN if there is such a web ACL. Ids of WAF Classic are not: there is none here.
pub(crate) fn existing_web_acl(
    arn: &str,
    web_acl_exists: &dyn Fn(&str) -> bool,
) -> Result<String, Refusal> {
    if web_acl_exists(arn) {
        Ok(arn.to_owned())
    } else {
        Err(Refusal::new(
            "InvalidWebACLId",
            format!("Web ACL {arn} is not accessible: it doesn't exist or can't be read."),
        ))
    }
}

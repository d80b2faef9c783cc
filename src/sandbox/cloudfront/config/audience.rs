//! Who may watch, and by which name: aliases, geo restriction, web ACL.

use std::collections::BTreeSet;

use super::Surroundings;
use super::check::{check_lists_have_quantities, required};
use crate::edge::{GeoKind, GeoRestriction};
use crate::sandbox::cloudfront::answers::Refusal;
use crate::sandbox::cloudfront::document::Element;
use crate::sandbox::cloudfront::locations::is_location;

/// Quotas of one distribution (CloudFront Developer Guide, "Quotas").
const MOST_ALIASES: usize = 100;

pub(super) fn check_aliases(
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

pub(super) fn check_geo(config: &Element) -> Result<GeoRestriction, Refusal> {
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

pub(super) fn check_web_acl(
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

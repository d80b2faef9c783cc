//! Members that a client may leave out of a configuration and that CloudFront always returns:
//! filled in at the end of the element they belong to, the rest stays as sent.

use super::document::{Edits, Element};

/// Top-level members and what stands for their absence. AWS's defaults as its examples show them.
const TOP: [(&str, &str); 14] = [
    ("Aliases", "<Quantity>0</Quantity>"),
    ("DefaultRootObject", ""),
    ("OriginGroups", "<Quantity>0</Quantity>"),
    ("CacheBehaviors", "<Quantity>0</Quantity>"),
    ("CustomErrorResponses", "<Quantity>0</Quantity>"),
    (
        "Logging",
        "<Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket></Bucket><Prefix></Prefix>",
    ),
    ("PriceClass", "PriceClass_All"),
    (
        "ViewerCertificate",
        "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate><SSLSupportMethod>vip</SSLSupportMethod><MinimumProtocolVersion>TLSv1</MinimumProtocolVersion><CertificateSource>cloudfront</CertificateSource>",
    ),
    (
        "Restrictions",
        "<GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction>",
    ),
    ("WebACLId", ""),
    ("HttpVersion", "http2"),
    ("IsIPV6Enabled", "false"),
    ("ContinuousDeploymentPolicyId", ""),
    ("Staging", "false"),
];

/// Members of every cache behavior.
const BEHAVIOR: [(&str, &str); 8] = [
    (
        "TrustedSigners",
        "<Enabled>false</Enabled><Quantity>0</Quantity>",
    ),
    (
        "TrustedKeyGroups",
        "<Enabled>false</Enabled><Quantity>0</Quantity>",
    ),
    (
        "AllowedMethods",
        "<Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items><CachedMethods><Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items></CachedMethods>",
    ),
    ("SmoothStreaming", "false"),
    ("Compress", "false"),
    ("LambdaFunctionAssociations", "<Quantity>0</Quantity>"),
    ("FunctionAssociations", "<Quantity>0</Quantity>"),
    ("FieldLevelEncryptionId", ""),
];

/// Members of every origin.
const ORIGIN: [(&str, &str); 5] = [
    ("OriginPath", ""),
    ("CustomHeaders", "<Quantity>0</Quantity>"),
    ("ConnectionAttempts", "3"),
    ("ConnectionTimeout", "10"),
    ("OriginShield", "<Enabled>false</Enabled>"),
];

/// Members of every custom origin.
const CUSTOM_ORIGIN: [(&str, &str); 3] = [
    (
        "OriginSslProtocols",
        "<Quantity>3</Quantity><Items><SslProtocol>TLSv1</SslProtocol><SslProtocol>TLSv1.1</SslProtocol><SslProtocol>TLSv1.2</SslProtocol></Items>",
    ),
    ("OriginReadTimeout", "30"),
    ("OriginKeepaliveTimeout", "5"),
];

/// Returns the text of a configuration with what is missing filled in; `config` is its root.
pub(crate) fn fill(text: &str, config: &Element) -> String {
    let mut edits = Edits::default();
    fill_element(config, &TOP, &mut edits);
    for origin in config.items_of("Origins") {
        fill_element(origin, &ORIGIN, &mut edits);
        if let Some(custom) = origin.child("CustomOriginConfig") {
            fill_element(custom, &CUSTOM_ORIGIN, &mut edits);
        }
    }
    let behaviors = config.items_of("CacheBehaviors");
    for behavior in config
        .child("DefaultCacheBehavior")
        .into_iter()
        .chain(behaviors)
    {
        fill_element(behavior, &BEHAVIOR, &mut edits);
    }
    edits.apply(text)
}

fn fill_element(element: &Element, members: &[(&str, &str)], edits: &mut Edits) {
    let missing: String = members
        .iter()
        .filter(|(name, _)| element.child(name).is_none())
        .map(|(name, content)| format!("<{name}>{content}</{name}>"))
        .collect();
    if !missing.is_empty() {
        edits.append(element, &missing);
    }
}

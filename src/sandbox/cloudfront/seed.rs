//! What a fresh embedded cloud's CloudFront holds: stores, functions and distributions for live
//! video, as AWS would return them, already everywhere. Stores and functions come first.

use jiff::Timestamp;

use super::CloudFront;
use super::defaults;
use super::distributions::Distribution;
use super::document::{self, NAMESPACE, list, tag};
use super::etag::ETag;
use super::functions::{Function, Stage};
use super::rollout::{Gate, RolloutLog};
use super::stores::KeyValueStore;
use crate::edge::GeoRestriction;
use crate::sandbox::keyvaluestore::Stores;
use crate::sandbox::seed::{
    SeedDistribution, SeedFunction, SeedStore, letters, store_arn, uuid, web_acl_arn,
};

/// AWS's managed cache policy `Elemental-MediaPackage` (CloudFront Developer Guide, "Managed cache
/// policies").
const MEDIA_CACHE_POLICY: &str = "08627262-05a9-4f76-9ded-b50ca2e3a84f";
/// A function that lets every request pass.
const PASSING_CODE: &str = "function handler(event) {\n  return event.request;\n}\n";

fn function_arn(account: &str, name: &str) -> String {
    format!("arn:aws:cloudfront::{account}:function/{name}")
}

impl CloudFront {
    /// Adds a store with its items.
    pub(crate) fn seed_store(
        &mut self,
        account: &str,
        seed: &SeedStore,
        now: Timestamp,
        stores: &mut Stores,
    ) {
        let arn = seed.arn(account);
        stores.seed(&arn, &seed.items, now);
        let store = KeyValueStore {
            name: seed.name.clone(),
            id: seed.id(account),
            comment: String::new(),
            etag: ETag::first(&arn, self.next()),
            arn,
            modified: now,
        };
        self.stores.insert(seed.name.clone(), store);
    }

    /// Adds a published function.
    pub(crate) fn seed_function(&mut self, account: &str, seed: &SeedFunction, now: Timestamp) {
        let arn = function_arn(account, &seed.name);
        let etag = ETag::first(&arn, self.next());
        let code = if seed.code.is_empty() {
            PASSING_CODE
        } else {
            &seed.code
        };
        let stage = Stage {
            comment: String::new(),
            runtime: "cloudfront-js-2.0".to_owned(),
            store: seed.store.as_ref().map(|name| store_arn(account, name)),
            code: code.to_owned(),
            modified: now,
            etag: etag.current().to_owned(),
        };
        let function = Function {
            name: seed.name.clone(),
            arn,
            created: now,
            etag,
            development: stage.clone(),
            live: Some(stage),
        };
        self.functions.insert(seed.name.clone(), function);
    }

    /// Adds an enabled distribution that every edge has.
    pub(crate) fn seed_distribution(
        &mut self,
        account: &str,
        seed: &SeedDistribution,
        now: Timestamp,
    ) {
        let id = seed.id(account);
        let arn = format!("arn:aws:cloudfront::{account}:distribution/{id}");
        let gate = Gate {
            enabled: true,
            geo: seed.geo.clone(),
            web_acl: seed.web_acl.as_ref().map(|name| web_acl_arn(account, name)),
            functions: seed
                .function
                .iter()
                .map(|name| function_arn(account, name))
                .collect(),
        };
        let document = config(account, seed, &gate);
        let root = document::parse_text(&document).expect("made of escaped parts just now");
        let distribution = Distribution {
            domain_name: seed.domain(account),
            document: defaults::fill(&document, &root),
            etag: ETag::first(&arn, self.next()),
            arn,
            last_modified: now,
            caller_reference: caller_reference(&id),
            staging: false,
            aliases: seed
                .aliases
                .iter()
                .map(|alias| alias.to_ascii_lowercase())
                .collect(),
            log: RolloutLog::settled(gate.clone()),
            gate,
            realtime_metrics: None,
            id: id.clone(),
        };
        self.distributions.insert(id, distribution);
    }
}

fn caller_reference(id: &str) -> String {
    format!("onair-{id}")
}

/// A live-video distribution's configuration: two packaging origins with failover, one behavior
/// for each path pattern.
fn config(account: &str, seed: &SeedDistribution, gate: &Gate) -> String {
    let behaviors: Vec<String> = seed
        .behaviors
        .iter()
        .map(|pattern| {
            let content = tag("PathPattern", pattern) + &behavior(gate);
            format!("<CacheBehavior>{content}</CacheBehavior>")
        })
        .collect();
    let aliases: Vec<String> = seed
        .aliases
        .iter()
        .map(|alias| tag("CNAME", alias))
        .collect();
    let errors: Vec<String> = ["403", "404", "503"]
        .iter()
        .map(|code| {
            let content = tag("ErrorCode", code)
                + "<ResponsePagePath></ResponsePagePath><ResponseCode></ResponseCode>"
                + &tag("ErrorCachingMinTTL", "1");
            format!("<CustomErrorResponse>{content}</CustomErrorResponse>")
        })
        .collect();
    let origins = ["primary", "secondary"].map(|role| origin(account, &seed.name, role));
    let content = [
        tag("CallerReference", &caller_reference(&seed.id(account))),
        list("Aliases", &aliases),
        tag("DefaultRootObject", ""),
        list("Origins", &origins),
        list("OriginGroups", &[origin_group()]),
        format!(
            "<DefaultCacheBehavior>{}</DefaultCacheBehavior>",
            behavior(gate)
        ),
        list("CacheBehaviors", &behaviors),
        list("CustomErrorResponses", &errors),
        // Comments have at most 128 characters.
        tag("Comment", &seed.name.chars().take(128).collect::<String>()),
        tag("PriceClass", "PriceClass_All"),
        tag("Enabled", "true"),
        certificate(account, seed),
        format!(
            "<Restrictions>{}</Restrictions>",
            geo_restriction(&gate.geo)
        ),
        tag("WebACLId", gate.web_acl.as_deref().unwrap_or_default()),
        tag("HttpVersion", "http2and3"),
        tag("IsIPV6Enabled", "true"),
    ]
    .concat();
    format!("<DistributionConfig xmlns=\"{NAMESPACE}\">{content}</DistributionConfig>")
}

fn origin(account: &str, distribution: &str, role: &str) -> String {
    let label = letters("origin", account, &format!("{distribution}/{role}"), 6).to_lowercase();
    let shield = tag("Enabled", "true") + &tag("OriginShieldRegion", "eu-central-1");
    let custom = tag("HTTPPort", "80")
        + &tag("HTTPSPort", "443")
        + &tag("OriginProtocolPolicy", "https-only")
        + &list("OriginSslProtocols", &[tag("SslProtocol", "TLSv1.2")])
        + &tag("OriginReadTimeout", "5")
        + &tag("OriginKeepaliveTimeout", "60");
    let content = [
        tag("Id", role),
        tag(
            "DomainName",
            &format!("{label}.egress.{role}.mediapackagev2.eu-central-1.amazonaws.com"),
        ),
        tag("OriginPath", ""),
        list("CustomHeaders", &[]),
        format!("<CustomOriginConfig>{custom}</CustomOriginConfig>"),
        tag("ConnectionAttempts", "2"),
        tag("ConnectionTimeout", "3"),
        format!("<OriginShield>{shield}</OriginShield>"),
        tag("OriginAccessControlId", ""),
    ]
    .concat();
    format!("<Origin>{content}</Origin>")
}

fn origin_group() -> String {
    let codes = ["404", "500", "502", "503", "504"].map(|code| tag("StatusCode", code));
    let members = ["primary", "secondary"].map(|role| {
        format!(
            "<OriginGroupMember>{}</OriginGroupMember>",
            tag("OriginId", role)
        )
    });
    let content = [
        tag("Id", "failover"),
        format!(
            "<FailoverCriteria>{}</FailoverCriteria>",
            list("StatusCodes", &codes)
        ),
        list("Members", &members),
        tag("SelectionCriteria", "default"),
    ]
    .concat();
    format!("<OriginGroup>{content}</OriginGroup>")
}

fn behavior(gate: &Gate) -> String {
    let methods = ["HEAD", "GET", "OPTIONS"].map(|method| tag("Method", method));
    let cached = list(
        "CachedMethods",
        &["HEAD", "GET"].map(|method| tag("Method", method)),
    );
    let allowed = list("AllowedMethods", &methods)
        .replace("</AllowedMethods>", &format!("{cached}</AllowedMethods>"));
    let functions: Vec<String> = gate
        .functions
        .iter()
        .map(|arn| {
            let content = tag("FunctionARN", arn) + &tag("EventType", "viewer-request");
            format!("<FunctionAssociation>{content}</FunctionAssociation>")
        })
        .collect();
    [
        tag("TargetOriginId", "failover"),
        tag("ViewerProtocolPolicy", "redirect-to-https"),
        allowed,
        tag("SmoothStreaming", "false"),
        tag("Compress", "true"),
        list("LambdaFunctionAssociations", &[]),
        list("FunctionAssociations", &functions),
        tag("FieldLevelEncryptionId", ""),
        tag("CachePolicyId", MEDIA_CACHE_POLICY),
        "<GrpcConfig><Enabled>false</Enabled></GrpcConfig>".to_owned(),
    ]
    .concat()
}

/// Alternate domain names need a certificate of their own.
fn certificate(account: &str, seed: &SeedDistribution) -> String {
    let content = if seed.aliases.is_empty() {
        tag("CloudFrontDefaultCertificate", "true")
            + &tag("SSLSupportMethod", "vip")
            + &tag("MinimumProtocolVersion", "TLSv1")
            + &tag("CertificateSource", "cloudfront")
    } else {
        let id = uuid("certificate", account, &seed.name);
        let arn = format!("arn:aws:acm:us-east-1:{account}:certificate/{id}");
        tag("CloudFrontDefaultCertificate", "false")
            + &tag("ACMCertificateArn", &arn)
            + &tag("SSLSupportMethod", "sni-only")
            + &tag("MinimumProtocolVersion", "TLSv1.2_2021")
            + &tag("Certificate", &arn)
            + &tag("CertificateSource", "acm")
    };
    format!("<ViewerCertificate>{content}</ViewerCertificate>")
}

fn geo_restriction(geo: &GeoRestriction) -> String {
    let kind = tag("RestrictionType", geo.kind.as_api());
    let locations: Vec<String> = geo
        .countries
        .iter()
        .map(|code| tag("Location", code))
        .collect();
    list("GeoRestriction", &locations).replacen(
        "<GeoRestriction>",
        &format!("<GeoRestriction>{kind}"),
        1,
    )
}

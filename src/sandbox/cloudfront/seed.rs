//! What a fresh embedded cloud's CloudFront holds: stores, functions and distributions for live
//! video, as AWS would return them, already everywhere. Stores and functions come first.

use jiff::Timestamp;

use super::CloudFront;
use super::defaults;
use super::distributions::Distribution;
use super::document::{self, NAMESPACE, list, tag};
use super::etag::ETag;
use super::functions::{Function, Stage};
use super::policies::CachePolicy;
use super::rollout::{Gate, RolloutLog};
use super::stores::KeyValueStore;
use crate::edge::GeoRestriction;
use crate::sandbox::keyvaluestore::Stores;
use crate::sandbox::seed::{
    SeedAccess, SeedCaching, SeedDelivery, SeedDistribution, SeedFunction, SeedStore, letters,
    store_arn, uuid, web_acl_arn,
};

/// AWS's managed cache policy `Elemental-MediaPackage` (CloudFront Developer Guide, "Managed cache
/// policies").
const MEDIA_CACHE_POLICY: &str = "08627262-05a9-4f76-9ded-b50ca2e3a84f";
/// AWS's managed cache policies `CachingOptimized` and `CachingDisabled`.
const SEGMENT_CACHE_POLICY: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const NO_CACHE_POLICY: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// AWS's managed origin request policies `CORS-CustomOrigin` and
/// `Elemental-MediaTailor-PersonalizedManifests`.
const CORS_REQUEST_POLICY: &str = "59781a5b-3903-41f3-afcb-af62929ccde1";
const ADS_REQUEST_POLICY: &str = "775133bc-15f2-49f9-abea-afb2e0bf67d2";
/// AWS's managed response headers policy `SimpleCORS`.
const CORS_RESPONSE_POLICY: &str = "60669652-455b-4ae9-85a4-c4c02393f86c";
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
        self.seed_beside(account, seed);
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
            realtime_metrics: seed.metrics.then_some(true),
            id: id.clone(),
        };
        self.distributions.insert(id, distribution);
    }
}

/// The id of the event's own policy for live playlists.
fn manifest_policy(account: &str) -> String {
    uuid("cache-policy", account, "live-manifest")
}

fn access_control(account: &str) -> String {
    format!("E{}", letters("access-control", account, "packager", 13))
}

fn vpc_origin(account: &str) -> String {
    format!("vo_{}", letters("vpc-origin", account, "packager", 22))
}

impl CloudFront {
    /// Adds what the document names and no list of AWS's holds.
    fn seed_beside(&mut self, account: &str, seed: &SeedDistribution) {
        if seed
            .caching
            .values()
            .any(|one| *one == SeedCaching::Manifest)
        {
            let arguments = [
                "_HLS_msn",
                "_HLS_part",
                "_HLS_skip",
                "aws.manifestfilter",
                "start",
                "end",
            ];
            let policy = CachePolicy {
                name: "live-manifest".to_owned(),
                min: 0,
                default: 1,
                max: 2,
                gzip: true,
                brotli: true,
                query: "whitelist".to_owned(),
                query_names: arguments.map(str::to_owned).to_vec(),
                headers: Vec::new(),
            };
            let id = manifest_policy(account);
            self.beside.cache_policies.insert(id, policy);
        }
        match seed.delivery.access {
            SeedAccess::AccessControl => {
                let id = access_control(account);
                let kind = "mediapackagev2".to_owned();
                self.beside.access_controls.insert(id, kind);
            }
            SeedAccess::Vpc => {
                let id = vpc_origin(account);
                self.beside.vpc_origins.insert(id, "Deployed".to_owned());
            }
            SeedAccess::Open | SeedAccess::Header(_) => {}
        }
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
            let content =
                tag("PathPattern", pattern) + &behavior(account, seed, Some(pattern), gate);
            format!("<CacheBehavior>{content}</CacheBehavior>")
        })
        .collect();
    let aliases: Vec<String> = seed
        .aliases
        .iter()
        .map(|alias| tag("CNAME", alias))
        .collect();
    let errors: Vec<String> = [
        "400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504",
    ]
    .iter()
    .map(|code| {
        let content = tag("ErrorCode", code)
            + "<ResponsePagePath></ResponsePagePath><ResponseCode></ResponseCode>"
            + &tag("ErrorCachingMinTTL", "1");
        format!("<CustomErrorResponse>{content}</CustomErrorResponse>")
    })
    .collect();
    let delivery = delivered(account, seed);
    let origins: Vec<String> = delivery
        .origins
        .iter()
        .map(|(id, domain)| origin(account, &delivery, id, domain))
        .collect();
    let groups: Vec<String> = delivery
        .group
        .iter()
        .map(|(id, codes)| origin_group(&delivery, id, codes))
        .collect();
    let content = [
        tag("CallerReference", &caller_reference(&seed.id(account))),
        list("Aliases", &aliases),
        tag("DefaultRootObject", ""),
        list("Origins", &origins),
        list("OriginGroups", &groups),
        format!(
            "<DefaultCacheBehavior>{}</DefaultCacheBehavior>",
            behavior(account, seed, None, gate)
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

/// What the seed says, or two made-up packagers with failover.
fn delivered(account: &str, seed: &SeedDistribution) -> SeedDelivery {
    if !seed.delivery.origins.is_empty() {
        return seed.delivery.clone();
    }
    let origins = ["primary", "secondary"].map(|role| {
        let name = format!("{}/{role}", seed.name);
        let label = letters("origin", account, &name, 6).to_lowercase();
        let domain = format!("{label}.egress.{role}.mediapackagev2.eu-central-1.amazonaws.com");
        (role.to_owned(), domain)
    });
    SeedDelivery {
        origins: origins.to_vec(),
        shield: Some("eu-central-1".to_owned()),
        group: Some(("failover".to_owned(), vec![404, 500, 502, 503, 504])),
        ..seed.delivery.clone()
    }
}

fn origin(account: &str, delivery: &SeedDelivery, id: &str, domain: &str) -> String {
    let shield = match &delivery.shield {
        Some(region) => tag("Enabled", "true") + &tag("OriginShieldRegion", region),
        None => tag("Enabled", "false"),
    };
    let connection = if delivery.access == SeedAccess::Vpc {
        let content = tag("VpcOriginId", &vpc_origin(account))
            + &tag("OriginReadTimeout", "3")
            + &tag("OriginKeepaliveTimeout", "60");
        format!("<VpcOriginConfig>{content}</VpcOriginConfig>")
    } else {
        let custom = tag("HTTPPort", "80")
            + &tag("HTTPSPort", "443")
            + &tag("OriginProtocolPolicy", "https-only")
            + &list("OriginSslProtocols", &[tag("SslProtocol", "TLSv1.2")])
            + &tag("OriginReadTimeout", "3")
            + &tag("OriginKeepaliveTimeout", "60");
        format!("<CustomOriginConfig>{custom}</CustomOriginConfig>")
    };
    let headers: Vec<String> = match &delivery.access {
        SeedAccess::Header(name) => {
            let content =
                tag("HeaderName", name) + &tag("HeaderValue", "a-secret-of-the-rehearsal");
            vec![format!(
                "<OriginCustomHeader>{content}</OriginCustomHeader>"
            )]
        }
        _ => Vec::new(),
    };
    let control = match &delivery.access {
        SeedAccess::AccessControl => access_control(account),
        _ => String::new(),
    };
    let content = [
        tag("Id", id),
        tag("DomainName", domain),
        tag("OriginPath", ""),
        list("CustomHeaders", &headers),
        connection,
        tag("ConnectionAttempts", "2"),
        tag("ConnectionTimeout", "1"),
        format!("<OriginShield>{shield}</OriginShield>"),
        tag("OriginAccessControlId", &control),
    ]
    .concat();
    format!("<Origin>{content}</Origin>")
}

fn origin_group(delivery: &SeedDelivery, id: &str, codes: &[u16]) -> String {
    let codes: Vec<String> = codes
        .iter()
        .map(|code| tag("StatusCode", &code.to_string()))
        .collect();
    let members: Vec<String> = delivery
        .origins
        .iter()
        .take(2)
        .map(|(id, _)| {
            format!(
                "<OriginGroupMember>{}</OriginGroupMember>",
                tag("OriginId", id)
            )
        })
        .collect();
    let selection = if delivery.media_quality {
        "media-quality-based"
    } else {
        "default"
    };
    let content = [
        tag("Id", id),
        format!(
            "<FailoverCriteria>{}</FailoverCriteria>",
            list("StatusCodes", &codes)
        ),
        list("Members", &members),
        tag("SelectionCriteria", selection),
    ]
    .concat();
    format!("<OriginGroup>{content}</OriginGroup>")
}

fn behavior(
    account: &str,
    seed: &SeedDistribution,
    pattern: Option<&String>,
    gate: &Gate,
) -> String {
    let caching = pattern.and_then(|pattern| seed.caching.get(pattern));
    let (cache_policy, request_policy) = match caching {
        Some(SeedCaching::Manifest) => (manifest_policy(account), Some(CORS_REQUEST_POLICY)),
        Some(SeedCaching::Segment) => (SEGMENT_CACHE_POLICY.to_owned(), Some(CORS_REQUEST_POLICY)),
        Some(SeedCaching::Uncached) => (NO_CACHE_POLICY.to_owned(), Some(ADS_REQUEST_POLICY)),
        None => (MEDIA_CACHE_POLICY.to_owned(), None),
    };
    let delivery = delivered(account, seed);
    let target = match &delivery.group {
        Some((id, _)) => id,
        None => &delivery.origins[0].0,
    };
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
        tag("TargetOriginId", target),
        tag("ViewerProtocolPolicy", "redirect-to-https"),
        allowed,
        tag("SmoothStreaming", "false"),
        tag("Compress", "true"),
        list("LambdaFunctionAssociations", &[]),
        list("FunctionAssociations", &functions),
        tag("FieldLevelEncryptionId", ""),
        tag("CachePolicyId", &cache_policy),
        request_policy.map_or_else(String::new, |id| tag("OriginRequestPolicyId", id)),
        request_policy.map_or_else(String::new, |_| {
            tag("ResponseHeadersPolicyId", CORS_RESPONSE_POLICY)
        }),
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
        let arn = seed.certificate_arn(account);
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

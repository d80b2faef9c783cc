//! Policies, access controls and what else stands beside distributions and is only read here:
//! AWS's managed policies by their ids, and those of the event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CloudFront;
use super::answers::{self, Refusal};
use super::document::{list, tag};
use super::etag::ETag;
use crate::sandbox::service::{Answer, Call};

/// A cache policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct CachePolicy {
    pub(crate) name: String,
    /// Seconds.
    pub(crate) min: u64,
    pub(crate) default: u64,
    pub(crate) max: u64,
    pub(crate) gzip: bool,
    pub(crate) brotli: bool,
    /// `none`, `whitelist`, `allExcept` or `all`.
    pub(crate) query: String,
    pub(crate) query_names: Vec<String>,
    pub(crate) headers: Vec<String>,
}

/// What is only read, by id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Beside {
    pub(crate) cache_policies: BTreeMap<String, CachePolicy>,
    /// Origin types by id.
    pub(crate) access_controls: BTreeMap<String, String>,
    /// Whether they are enabled.
    pub(crate) continuous_deployments: BTreeMap<String, bool>,
    /// Statuses.
    pub(crate) vpc_origins: BTreeMap<String, String>,
}

/// AWS's managed cache policies (CloudFront Developer Guide, "Managed cache policies").
fn managed_cache_policy(id: &str) -> Option<CachePolicy> {
    let year = 31_536_000;
    let (name, [min, default, max], gzip, query, names, headers): (_, _, _, _, &[&str], &[&str]) =
        match id {
            "658327ea-f89d-4fab-a63d-7e88639e58f6" => (
                "Managed-CachingOptimized",
                [1, 86_400, year],
                true,
                "none",
                &[],
                &[],
            ),
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => (
                "Managed-CachingOptimizedForUncompressedObjects",
                [1, 86_400, year],
                false,
                "none",
                &[],
                &[],
            ),
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => (
                "Managed-CachingDisabled",
                [0, 0, 0],
                false,
                "none",
                &[],
                &[],
            ),
            "08627262-05a9-4f76-9ded-b50ca2e3a84f" => (
                "Managed-Elemental-MediaPackage",
                [0, 86_400, year],
                true,
                "whitelist",
                &["aws.manifestfilter", "start", "end", "m"],
                &["origin"],
            ),
            _ => return None,
        };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(CachePolicy {
        name: name.to_owned(),
        min,
        default,
        max,
        gzip,
        brotli: gzip && name == "Managed-CachingOptimized",
        query: query.to_owned(),
        query_names: owned(names),
        headers: owned(headers),
    })
}

/// AWS's managed origin request policies ("Managed origin request policies"): name, header
/// behavior, headers, query behavior.
fn managed_request_policy(
    id: &str,
) -> Option<(
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
)> {
    Some(match id {
        "216adef6-5c7f-47e4-b989-5492eafa07d3" => ("Managed-AllViewer", "allViewer", &[], "all"),
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => (
            "Managed-AllViewerExceptHostHeader",
            "allExcept",
            &["host"],
            "all",
        ),
        "59781a5b-3903-41f3-afcb-af62929ccde1" => (
            "Managed-CORS-CustomOrigin",
            "whitelist",
            &["origin"],
            "none",
        ),
        "775133bc-15f2-49f9-abea-afb2e0bf67d2" => (
            "Managed-Elemental-MediaTailor-PersonalizedManifests",
            "whitelist",
            &[
                "origin",
                "access-control-request-headers",
                "access-control-request-method",
                "user-agent",
                "x-forwarded-for",
            ],
            "all",
        ),
        _ => return None,
    })
}

/// AWS's managed response headers policies, by name.
fn managed_response_policy(id: &str) -> Option<&'static str> {
    Some(match id {
        "60669652-455b-4ae9-85a4-c4c02393f86c" => "Managed-SimpleCORS",
        "5cc3b908-e619-4b99-88e5-2cf7f45965bd" => "Managed-CORS-With-Preflight",
        _ => return None,
    })
}

fn names(wrapper: &str, item: &str, names: &[impl AsRef<str>]) -> String {
    let items: Vec<String> = names.iter().map(|name| tag(item, name.as_ref())).collect();
    list(wrapper, &items)
}

/// A version that stands as long as the thing does: nothing here is changed by calls.
fn versioned(call: &Call<'_>, id: &str, body: String) -> Answer {
    let answer = answers::found(call, body);
    answers::with_etag(answer, ETag::first(id, 0).current())
}

impl CloudFront {
    pub(super) fn get_cache_policy(&self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let policy = self
            .beside
            .cache_policies
            .get(id)
            .cloned()
            .or_else(|| managed_cache_policy(id))
            .ok_or_else(|| none_there("NoSuchCachePolicy", "cache policy"))?;
        let headers = if policy.headers.is_empty() {
            tag("HeaderBehavior", "none")
        } else {
            tag("HeaderBehavior", "whitelist") + &names("Headers", "Name", &policy.headers)
        };
        let query = tag("QueryStringBehavior", &policy.query)
            + &if policy.query_names.is_empty() {
                String::new()
            } else {
                names("QueryStrings", "Name", &policy.query_names)
            };
        let key = [
            tag("EnableAcceptEncodingGzip", &policy.gzip.to_string()),
            tag("EnableAcceptEncodingBrotli", &policy.brotli.to_string()),
            format!("<HeadersConfig>{headers}</HeadersConfig>"),
            "<CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>".to_owned(),
            format!("<QueryStringsConfig>{query}</QueryStringsConfig>"),
        ]
        .concat();
        let config = [
            tag("Comment", ""),
            tag("Name", &policy.name),
            tag("DefaultTTL", &policy.default.to_string()),
            tag("MaxTTL", &policy.max.to_string()),
            tag("MinTTL", &policy.min.to_string()),
            format!("<ParametersInCacheKeyAndForwardedToOrigin>{key}</ParametersInCacheKeyAndForwardedToOrigin>"),
        ]
        .concat();
        Ok(versioned(
            call,
            id,
            answers::rooted(
                "CachePolicy",
                &[
                    tag("Id", id),
                    tag("LastModifiedTime", "2024-01-01T00:00:00Z"),
                    format!("<CachePolicyConfig>{config}</CachePolicyConfig>"),
                ]
                .concat(),
            ),
        ))
    }

    pub(super) fn get_origin_request_policy(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let (name, behavior, headers, query) = managed_request_policy(id)
            .ok_or_else(|| none_there("NoSuchOriginRequestPolicy", "origin request policy"))?;
        let listed = if headers.is_empty() {
            String::new()
        } else {
            names("Headers", "Name", headers)
        };
        let config = [
            tag("Comment", ""),
            tag("Name", name),
            format!(
                "<HeadersConfig>{}{listed}</HeadersConfig>",
                tag("HeaderBehavior", behavior)
            ),
            "<CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>".to_owned(),
            format!(
                "<QueryStringsConfig>{}</QueryStringsConfig>",
                tag("QueryStringBehavior", query)
            ),
        ]
        .concat();
        let content = [
            tag("Id", id),
            tag("LastModifiedTime", "2024-01-01T00:00:00Z"),
            format!("<OriginRequestPolicyConfig>{config}</OriginRequestPolicyConfig>"),
        ]
        .concat();
        Ok(versioned(
            call,
            id,
            answers::rooted("OriginRequestPolicy", &content),
        ))
    }

    pub(super) fn get_response_headers_policy(
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        let name = managed_response_policy(id)
            .ok_or_else(|| none_there("NoSuchResponseHeadersPolicy", "response headers policy"))?;
        let content = [
            tag("Id", id),
            tag("LastModifiedTime", "2024-01-01T00:00:00Z"),
            format!(
                "<ResponseHeadersPolicyConfig>{}{}</ResponseHeadersPolicyConfig>",
                tag("Comment", ""),
                tag("Name", name)
            ),
        ]
        .concat();
        Ok(versioned(
            call,
            id,
            answers::rooted("ResponseHeadersPolicy", &content),
        ))
    }

    pub(super) fn get_access_control(&self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let kind = self
            .beside
            .access_controls
            .get(id)
            .ok_or_else(|| none_there("NoSuchOriginAccessControl", "origin access control"))?;
        let config = [
            tag("Name", &format!("oac-{kind}")),
            tag("Description", ""),
            tag("SigningProtocol", "sigv4"),
            tag("SigningBehavior", "always"),
            tag("OriginAccessControlOriginType", kind),
        ]
        .concat();
        let content = tag("Id", id)
            + &format!("<OriginAccessControlConfig>{config}</OriginAccessControlConfig>");
        Ok(versioned(
            call,
            id,
            answers::rooted("OriginAccessControl", &content),
        ))
    }

    pub(super) fn get_continuous_deployment(
        &self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        let enabled = self.beside.continuous_deployments.get(id).ok_or_else(|| {
            none_there(
                "NoSuchContinuousDeploymentPolicy",
                "continuous deployment policy",
            )
        })?;
        let config = "<StagingDistributionDnsNames><Quantity>1</Quantity><Items><DnsName>d111111abcdef8.cloudfront.net</DnsName></Items></StagingDistributionDnsNames>".to_owned()
            + &tag("Enabled", &enabled.to_string());
        let content = [
            tag("Id", id),
            tag("LastModifiedTime", "2024-01-01T00:00:00Z"),
            format!(
                "<ContinuousDeploymentPolicyConfig>{config}</ContinuousDeploymentPolicyConfig>"
            ),
        ]
        .concat();
        Ok(versioned(
            call,
            id,
            answers::rooted("ContinuousDeploymentPolicy", &content),
        ))
    }

    pub(super) fn get_vpc_origin(&self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let status = self
            .beside
            .vpc_origins
            .get(id)
            .ok_or_else(|| Refusal::new("EntityNotFound", "The VPC origin was not found."))?;
        let arn = format!("arn:aws:cloudfront::{}:vpcorigin/{id}", call.account);
        let endpoint = [
            tag("Name", id),
            tag("Arn", &format!("arn:aws:elasticloadbalancing:eu-central-1:{}:loadbalancer/app/{id}/50dc6c495c0c9188", call.account)),
            tag("HTTPPort", "80"),
            tag("HTTPSPort", "443"),
            tag("OriginProtocolPolicy", "https-only"),
        ]
        .concat();
        let content = [
            tag("Id", id),
            tag("Arn", &arn),
            tag("Status", status),
            tag("CreatedTime", "2024-01-01T00:00:00Z"),
            tag("LastModifiedTime", "2024-01-01T00:00:00Z"),
            format!("<VpcOriginEndpointConfig>{endpoint}</VpcOriginEndpointConfig>"),
        ]
        .concat();
        Ok(versioned(call, id, answers::rooted("VpcOrigin", &content)))
    }
}

fn none_there(code: &'static str, what: &str) -> Refusal {
    Refusal::new(code, format!("The specified {what} does not exist."))
}

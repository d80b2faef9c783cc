//! CloudFront's policies, access controls, monitoring and function stages: reads only.

use aws_sdk_cloudfront::types as sdk;

use super::Cloud;
use crate::cloud::{
    CachePolicy, CloudError, OriginAccessControl, OriginRequestPolicy, QueryStrings,
};

impl Cloud {
    /// Reads a cache policy, managed or own.
    pub(crate) async fn cache_policy(&self, id: &str) -> Result<CachePolicy, CloudError> {
        let call = self.reading("cloudfront.GetCachePolicy", format!("cache policy {id}"));
        let output = self
            .cloudfront
            .get_cache_policy()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let policy = call.required(output.cache_policy, "CachePolicy")?;
        let config = call.required(policy.cache_policy_config, "CachePolicyConfig")?;
        let key = config.parameters_in_cache_key_and_forwarded_to_origin;
        let seconds = |value: i64| u64::try_from(value).unwrap_or_default();
        Ok(CachePolicy {
            name: config.name,
            min_ttl: seconds(config.min_ttl),
            // What the API's model gives as defaults.
            default_ttl: seconds(config.default_ttl.unwrap_or(86_400)),
            max_ttl: seconds(config.max_ttl.unwrap_or(31_536_000)),
            gzip: key
                .as_ref()
                .is_some_and(|key| key.enable_accept_encoding_gzip),
            brotli: key
                .as_ref()
                .and_then(|key| key.enable_accept_encoding_brotli)
                .unwrap_or_default(),
            cookies: key
                .as_ref()
                .and_then(|key| key.cookies_config.as_ref())
                .is_some_and(|cookies| cookies.cookie_behavior.as_str() != "none"),
            headers: key
                .as_ref()
                .and_then(|key| key.headers_config.as_ref())
                .and_then(|config| config.headers.as_ref())
                .and_then(|headers| headers.items.clone())
                .unwrap_or_default(),
            query_strings: key
                .and_then(|key| key.query_strings_config)
                .map_or(QueryStrings::None, |config| {
                    query_strings(config.query_string_behavior.as_str(), config.query_strings)
                }),
        })
    }

    /// Reads an origin request policy, managed or own.
    pub(crate) async fn origin_request_policy(
        &self,
        id: &str,
    ) -> Result<OriginRequestPolicy, CloudError> {
        let what = format!("origin request policy {id}");
        let call = self.reading("cloudfront.GetOriginRequestPolicy", what);
        let output = self
            .cloudfront
            .get_origin_request_policy()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let policy = call.required(output.origin_request_policy, "OriginRequestPolicy")?;
        let config = call.required(
            policy.origin_request_policy_config,
            "OriginRequestPolicyConfig",
        )?;
        let headers = config.headers_config;
        Ok(OriginRequestPolicy {
            name: config.name,
            query_strings: config
                .query_strings_config
                .map_or(QueryStrings::None, |config| {
                    query_strings(config.query_string_behavior.as_str(), config.query_strings)
                }),
            header_behavior: headers
                .as_ref()
                .map_or("none", |config| config.header_behavior.as_str())
                .to_owned(),
            headers: headers
                .and_then(|config| config.headers)
                .and_then(|headers| headers.items)
                .unwrap_or_default(),
        })
    }

    /// Reads an origin access control.
    pub(crate) async fn origin_access_control(
        &self,
        id: &str,
    ) -> Result<OriginAccessControl, CloudError> {
        let what = format!("origin access control {id}");
        let call = self.reading("cloudfront.GetOriginAccessControl", what);
        let output = self
            .cloudfront
            .get_origin_access_control()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let control = call.required(output.origin_access_control, "OriginAccessControl")?;
        let config = call.required(
            control.origin_access_control_config,
            "OriginAccessControlConfig",
        )?;
        Ok(OriginAccessControl {
            name: config.name,
            origin_type: config.origin_access_control_origin_type.as_str().to_owned(),
            signing: config.signing_behavior.as_str().to_owned(),
        })
    }

    /// Whether a continuous-deployment policy sends viewers elsewhere.
    pub(crate) async fn continuous_deployment_is_on(&self, id: &str) -> Result<bool, CloudError> {
        let what = format!("continuous-deployment policy {id}");
        let call = self.reading("cloudfront.GetContinuousDeploymentPolicy", what);
        let output = self
            .cloudfront
            .get_continuous_deployment_policy()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let policy = output.continuous_deployment_policy;
        let policy = call.required(policy, "ContinuousDeploymentPolicy")?;
        let config = policy.continuous_deployment_policy_config;
        Ok(config.is_some_and(|config| config.enabled))
    }

    /// The status of a VPC origin, such as `Deployed`.
    pub(crate) async fn vpc_origin_status(&self, id: &str) -> Result<String, CloudError> {
        let call = self.reading("cloudfront.GetVpcOrigin", format!("VPC origin {id}"));
        let output = self
            .cloudfront
            .get_vpc_origin()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(call.required(output.vpc_origin, "VpcOrigin")?.status)
    }
}

fn query_strings(behavior: &str, names: Option<sdk::QueryStringNames>) -> QueryStrings {
    let names = names.and_then(|names| names.items).unwrap_or_default();
    match behavior {
        "none" => QueryStrings::None,
        "whitelist" => QueryStrings::Only(names),
        "allExcept" => QueryStrings::AllExcept(names),
        // `all`, and whatever is not known: what may be in the key is taken to be.
        _ => QueryStrings::All,
    }
}

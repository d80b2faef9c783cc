//! CloudFront's control plane: distributions, their documents, and the list of key-value stores.

use aws_sdk_cloudfront::types as sdk;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;

use super::Cloud;
use crate::cloud::{
    Approved, CloudError, Distribution, DistributionDocument, DistributionStatus, StoreSummary,
    Versioned,
};

impl Cloud {
    /// Reads a distribution's state.
    pub(crate) async fn distribution(&self, id: &str) -> Result<Distribution, CloudError> {
        let call = self.reading("cloudfront.GetDistribution", distribution_name(id));
        let output = self
            .cloudfront
            .get_distribution()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let distribution = call.required(output.distribution, "Distribution")?;
        let config = call.required(distribution.distribution_config, "DistributionConfig")?;
        Ok(Distribution {
            etag: call.required(output.e_tag, "ETag")?,
            status: status(&distribution.status),
            last_modified: timestamp(&distribution.last_modified_time)
                .ok_or_else(|| call.unreadable("a time out of range"))?,
            id: distribution.id,
            arn: distribution.arn,
            domain: distribution.domain_name,
            enabled: config.enabled,
            aliases: config
                .aliases
                .and_then(|aliases| aliases.items)
                .unwrap_or_default(),
            web_acl: config.web_acl_id.filter(|acl| !acl.is_empty()),
            comment: config.comment,
        })
    }

    /// Reads a distribution's configuration as CloudFront sent it.
    pub(crate) async fn distribution_document(
        &self,
        id: &str,
    ) -> Result<Versioned<DistributionDocument>, CloudError> {
        let call = self.reading("cloudfront.GetDistributionConfig", distribution_name(id));
        let output = self
            .cloudfront
            .get_distribution_config()
            .id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(Versioned {
            value: DistributionDocument::new(call.body()?),
            version: call.required(output.e_tag, "ETag")?,
        })
    }

    /// Replaces a distribution's configuration, under the `ETag` that it was read with. Returns
    /// the new one.
    pub(crate) async fn update_distribution(
        &self,
        _approved: &Approved,
        id: &str,
        document: &DistributionDocument,
        etag: &str,
    ) -> Result<String, CloudError> {
        let call = self.writing("cloudfront.UpdateDistribution", distribution_name(id));
        let body = document.bytes().to_vec();
        let output = self
            .cloudfront
            .update_distribution()
            .id(id)
            .if_match(etag)
            .distribution_config(stand_in())
            .customize()
            // Runs before signing on every attempt, so that the signature covers this body.
            .mutate_request(move |request| replace_body(request, &body))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        call.required(output.e_tag, "ETag")
    }

    /// Lists the account's key-value stores.
    pub(crate) async fn stores(&self) -> Result<Vec<StoreSummary>, CloudError> {
        let mut stores = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("cloudfront.ListKeyValueStores", "the key-value stores");
            let output = self
                .cloudfront
                .list_key_value_stores()
                .set_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            let list = call.required(output.key_value_store_list, "KeyValueStoreList")?;
            for store in list.items.unwrap_or_default() {
                stores.push(StoreSummary {
                    name: store.name,
                    arn: store.arn,
                    status: store.status.unwrap_or_default(),
                });
            }
            marker = call.next_page(marker.as_deref(), list.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(stores);
            }
        }
    }
}

fn distribution_name(id: &str) -> String {
    format!("distribution {id}")
}

/// CloudFront knows `Deployed` and `InProgress`; anything else is not yet deployed.
fn status(text: &str) -> DistributionStatus {
    if text == "Deployed" {
        DistributionStatus::Deployed
    } else {
        DistributionStatus::InProgress
    }
}

/// The least configuration that the SDK will serialize; the document takes its place.
fn stand_in() -> sdk::DistributionConfig {
    let origin = sdk::Origin::builder()
        .id("stand-in")
        .domain_name("stand-in.invalid")
        .build()
        .expect("id and domain name are set");
    let origins = sdk::Origins::builder()
        .quantity(1)
        .items(origin)
        .build()
        .expect("quantity and items are set");
    let behavior = sdk::DefaultCacheBehavior::builder()
        .target_origin_id("stand-in")
        .viewer_protocol_policy(sdk::ViewerProtocolPolicy::HttpsOnly)
        .build()
        .expect("origin and protocol policy are set");
    sdk::DistributionConfig::builder()
        .caller_reference("stand-in")
        .origins(origins)
        .default_cache_behavior(behavior)
        .comment("stand-in")
        .enabled(false)
        .build()
        .expect("the required members are set")
}

/// Sends these bytes in the place of what the SDK wrote.
pub(super) fn replace_body(request: &mut HttpRequest, body: &[u8]) {
    *request.body_mut() = SdkBody::from(body.to_vec());
    request
        .headers_mut()
        .insert("content-length", body.len().to_string());
}

/// Returns the SDK's time as ours; absent when out of range.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

/// Returns our time as the SDK's.
pub(super) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}

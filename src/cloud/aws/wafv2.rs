//! WAF, scope CLOUDFRONT: IP sets, web ACLs and sampled requests. WAF's lists have no paginator
//! in the SDK, so the loops are here.

use aws_sdk_wafv2::types::{IpAddressVersion, Scope, TimeWindow};
use jiff::Timestamp;

use super::Cloud;
use super::cloudfront::{date_time, timestamp};
use crate::cloud::{
    Approved, CloudError, IpSet, IpSetFamily, IpSetIdentity, IpSetSummary, Sample, Versioned,
    WebAclDocument, WebAclSummary,
};

/// Entries a page of a list may have at most, per the API.
const PAGE: i32 = 100;

/// Samples an answer may have at most, per the API.
const MOST_SAMPLES: u32 = 500;

impl Cloud {
    /// Lists the IP sets.
    pub(crate) async fn ip_sets(&self) -> Result<Vec<IpSetSummary>, CloudError> {
        let mut sets = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("wafv2.ListIPSets", "the IP sets");
            let page = self
                .wafv2
                .list_ip_sets()
                .scope(Scope::Cloudfront)
                .limit(PAGE)
                .set_next_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for summary in page.ip_sets.unwrap_or_default() {
                sets.push(IpSetSummary {
                    name: call.required(summary.name, "Name")?,
                    id: call.required(summary.id, "Id")?,
                    arn: call.required(summary.arn, "ARN")?,
                });
            }
            marker = call.next_page(marker.as_deref(), page.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(sets);
            }
        }
    }

    /// Reads one IP set and its lock token.
    pub(crate) async fn ip_set(
        &self,
        name: &str,
        id: &str,
    ) -> Result<Versioned<IpSet>, CloudError> {
        let call = self.reading("wafv2.GetIPSet", format!("IP set {name}"));
        let output = self
            .wafv2
            .get_ip_set()
            .name(name)
            .id(id)
            .scope(Scope::Cloudfront)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let set = call.required(output.ip_set, "IPSet")?;
        let family = match set.ip_address_version {
            IpAddressVersion::Ipv4 => IpSetFamily::V4,
            IpAddressVersion::Ipv6 => IpSetFamily::V6,
            other => {
                return Err(call.unreadable(&format!("unknown address family {other}")));
            }
        };
        Ok(Versioned {
            version: call.required(output.lock_token, "LockToken")?,
            value: IpSet {
                name: set.name,
                id: set.id,
                arn: set.arn,
                description: set.description.filter(|text| !text.is_empty()),
                family,
                addresses: set.addresses,
            },
        })
    }

    /// Replaces an IP set's whole list, under the lock token that the set was read with. Returns
    /// the next lock token.
    pub(crate) async fn update_ip_set(
        &self,
        _approved: &Approved,
        set: &IpSetIdentity,
        addresses: &[String],
        lock_token: &str,
    ) -> Result<String, CloudError> {
        let call = self.writing("wafv2.UpdateIPSet", format!("IP set {}", set.name));
        let output = self
            .wafv2
            .update_ip_set()
            .name(&set.name)
            .id(&set.id)
            .scope(Scope::Cloudfront)
            .set_description(set.description.clone().filter(|text| !text.is_empty()))
            // Set even when empty: the member is required, and an empty list clears the set.
            .set_addresses(Some(addresses.to_vec()))
            .lock_token(lock_token)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        call.required(output.next_lock_token, "NextLockToken")
    }

    /// Lists the web ACLs.
    pub(crate) async fn web_acls(&self) -> Result<Vec<WebAclSummary>, CloudError> {
        let mut lists = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("wafv2.ListWebACLs", "the web ACLs");
            let page = self
                .wafv2
                .list_web_acls()
                .scope(Scope::Cloudfront)
                .limit(PAGE)
                .set_next_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for summary in page.web_acls.unwrap_or_default() {
                lists.push(WebAclSummary {
                    name: call.required(summary.name, "Name")?,
                    id: call.required(summary.id, "Id")?,
                    arn: call.required(summary.arn, "ARN")?,
                });
            }
            marker = call.next_page(marker.as_deref(), page.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(lists);
            }
        }
    }

    /// Reads one web ACL as WAF sent it, and its lock token.
    pub(crate) async fn web_acl(
        &self,
        name: &str,
        id: &str,
    ) -> Result<Versioned<WebAclDocument>, CloudError> {
        let call = self.reading("wafv2.GetWebACL", format!("web ACL {name}"));
        let output = self
            .wafv2
            .get_web_acl()
            .name(name)
            .id(id)
            .scope(Scope::Cloudfront)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let mut body: serde_json::Value = serde_json::from_slice(&call.body()?)
            .map_err(|error| call.unreadable(&error.to_string()))?;
        let acl = call.required(output.web_acl, "WebACL")?;
        Ok(Versioned {
            version: call.required(output.lock_token, "LockToken")?,
            value: WebAclDocument {
                name: acl.name,
                arn: acl.arn,
                json: body["WebACL"].take(),
            },
        })
    }

    /// Reads a sample of the requests that a rule saw, at most 500, from a window that must lie
    /// within the last three hours.
    pub(crate) async fn sampled_requests(
        &self,
        acl_arn: &str,
        rule_metric: &str,
        window: (Timestamp, Timestamp),
        max: u32,
    ) -> Result<Vec<Sample>, CloudError> {
        let call = self.reading("wafv2.GetSampledRequests", format!("web ACL {acl_arn}"));
        let window = TimeWindow::builder()
            .start_time(date_time(window.0))
            .end_time(date_time(window.1))
            .build()
            .expect("both ends are set");
        let output = self
            .wafv2
            .get_sampled_requests()
            .web_acl_arn(acl_arn)
            .rule_metric_name(rule_metric)
            .scope(Scope::Cloudfront)
            .time_window(window)
            .max_items(i64::from(max.clamp(1, MOST_SAMPLES)))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let mut samples = Vec::new();
        for sample in output.sampled_requests.unwrap_or_default() {
            let request = call.required(sample.request, "Request")?;
            samples.push(Sample {
                address: request.client_ip.unwrap_or_default(),
                country: request.country.filter(|country| !country.is_empty()),
                uri: request.uri.unwrap_or_default(),
                at: timestamp(call.required(sample.timestamp.as_ref(), "Timestamp")?)
                    .ok_or_else(|| call.unreadable("a time out of range"))?,
                action: sample.action.unwrap_or_default(),
                weight: u64::try_from(sample.weight).unwrap_or(0),
                rule: sample.rule_name_within_rule_group,
            });
        }
        Ok(samples)
    }
}

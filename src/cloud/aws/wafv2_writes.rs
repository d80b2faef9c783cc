//! WAF, scope CLOUDFRONT: what makes, changes and removes IP sets and web ACLs. A web ACL goes back as
//! the document that was read, so that members unknown to this SDK survive.

use aws_sdk_wafv2::types::{IpAddressVersion, Scope, Tag};
use serde_json::{Map, Value, json};

use super::Cloud;
use super::cloudfront::replace_body;
use crate::cloud::{
    Approved, CloudError, IpSetFamily, IpSetIdentity, IpSetSummary, WebAclDocument, WebAclSummary,
};

/// Members of `GetWebACL`'s answer that `UpdateWebACL` has not (botocore `wafv2`, 2019-07-29).
const READ_ONLY: [&str; 7] = [
    "ARN",
    "Capacity",
    "LabelNamespace",
    "ManagedByFirewallManager",
    "PostProcessFirewallManagerRuleGroups",
    "PreProcessFirewallManagerRuleGroups",
    "RetrofittedByFirewallManager",
];

impl Cloud {
    /// Makes an IP set without addresses. Fails with `Refused` (`WAFDuplicateItemException`) when the
    /// name is taken, with `Limit` at 100 sets an account.
    pub(crate) async fn create_ip_set(
        &self,
        _approved: &Approved,
        name: &str,
        family: IpSetFamily,
        description: &str,
        tags: &[(String, String)],
    ) -> Result<IpSetSummary, CloudError> {
        let call = self.writing("wafv2.CreateIPSet", format!("IP set {name}"));
        let output = self
            .wafv2
            .create_ip_set()
            .name(name)
            .scope(Scope::Cloudfront)
            .description(description)
            .ip_address_version(match family {
                IpSetFamily::V4 => IpAddressVersion::Ipv4,
                IpSetFamily::V6 => IpAddressVersion::Ipv6,
            })
            .set_addresses(Some(Vec::new()))
            .set_tags((!tags.is_empty()).then(|| sdk_tags(tags)))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let summary = call.required(output.summary, "Summary")?;
        Ok(IpSetSummary {
            name: call.required(summary.name, "Name")?,
            id: call.required(summary.id, "Id")?,
            arn: call.required(summary.arn, "ARN")?,
        })
    }

    /// Deletes an IP set. Fails with `Refused` (`WAFAssociatedItemException`) while a rule refers to
    /// it.
    pub(crate) async fn delete_ip_set(
        &self,
        _approved: &Approved,
        set: &IpSetIdentity,
        lock_token: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("wafv2.DeleteIPSet", format!("IP set {}", set.name));
        self.wafv2
            .delete_ip_set()
            .name(&set.name)
            .id(&set.id)
            .scope(Scope::Cloudfront)
            .lock_token(lock_token)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Replaces a web ACL by this document, under the lock token that it was read with. Returns the
    /// next lock token.
    pub(crate) async fn update_web_acl(
        &self,
        _approved: &Approved,
        acl: &WebAclDocument,
        lock_token: &str,
    ) -> Result<String, CloudError> {
        let call = self.writing("wafv2.UpdateWebACL", format!("web ACL {}", acl.name));
        let body = update_body(&acl.json, lock_token).to_string().into_bytes();
        let output = self
            .wafv2
            .update_web_acl()
            .name(&acl.name)
            .id(acl.id())
            .scope(Scope::Cloudfront)
            .lock_token(lock_token)
            .customize()
            // Runs before signing on every attempt, so that the signature covers this body.
            .mutate_request(move |request| replace_body(request, &body))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        call.required(output.next_lock_token, "NextLockToken")
    }

    /// Makes a web ACL that lets in what no rule decides on. `document` has its `Rules` and
    /// `VisibilityConfig` in wire form.
    pub(crate) async fn create_web_acl(
        &self,
        _approved: &Approved,
        name: &str,
        description: &str,
        document: &Value,
        tags: &[(String, String)],
    ) -> Result<WebAclSummary, CloudError> {
        let call = self.writing("wafv2.CreateWebACL", format!("web ACL {name}"));
        let tags: Vec<Value> = tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let mut body = json!({
            "Name": name,
            "Scope": "CLOUDFRONT",
            "Description": description,
            "DefaultAction": {"Allow": {}},
            "Rules": document["Rules"],
            "VisibilityConfig": document["VisibilityConfig"],
        });
        if !tags.is_empty() {
            body["Tags"] = tags.into();
        }
        let body = body.to_string().into_bytes();
        let output = self
            .wafv2
            .create_web_acl()
            .name(name)
            .scope(Scope::Cloudfront)
            .customize()
            .mutate_request(move |request| replace_body(request, &body))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let summary = call.required(output.summary, "Summary")?;
        Ok(WebAclSummary {
            name: call.required(summary.name, "Name")?,
            id: call.required(summary.id, "Id")?,
            arn: call.required(summary.arn, "ARN")?,
        })
    }

    /// Deletes a web ACL. Fails with `Refused` (`WAFAssociatedItemException`) while a distribution has
    /// it.
    pub(crate) async fn delete_web_acl(
        &self,
        _approved: &Approved,
        acl: &WebAclSummary,
        lock_token: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("wafv2.DeleteWebACL", format!("web ACL {}", acl.name));
        self.wafv2
            .delete_web_acl()
            .name(&acl.name)
            .id(&acl.id)
            .scope(Scope::Cloudfront)
            .lock_token(lock_token)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// What these rules (in wire form) would cost in WCU; WAF checks them on the way.
    pub(crate) async fn check_capacity(&self, rules: &[Value]) -> Result<u64, CloudError> {
        let call = self.reading("wafv2.CheckCapacity", "the web ACL's rules");
        let body = json!({"Scope": "CLOUDFRONT", "Rules": rules})
            .to_string()
            .into_bytes();
        let output = self
            .wafv2
            .check_capacity()
            .scope(Scope::Cloudfront)
            .customize()
            .mutate_request(move |request| replace_body(request, &body))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        u64::try_from(output.capacity).map_err(|_| call.unreadable("a negative capacity"))
    }

    /// The tags of an IP set or a web ACL, by its ARN.
    pub(crate) async fn waf_tags(&self, arn: &str) -> Result<Vec<(String, String)>, CloudError> {
        let mut tags = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("wafv2.ListTagsForResource", arn);
            let page = self
                .wafv2
                .list_tags_for_resource()
                .resource_arn(arn)
                .set_next_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            let info = call.required(page.tag_info_for_resource, "TagInfoForResource")?;
            let found = info.tag_list.unwrap_or_default();
            tags.extend(found.into_iter().map(|tag| (tag.key, tag.value)));
            marker = call.next_page(marker.as_deref(), page.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(tags);
            }
        }
    }
}

/// The body of `UpdateWebACL`: the document that was read, without what cannot be written.
fn update_body(document: &Value, lock_token: &str) -> Value {
    let mut body: Map<String, Value> = document
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !READ_ONLY.contains(&name.as_str()) && !value.is_null())
        // The model's pattern refuses an empty description, which an answer may have.
        .filter(|(name, value)| *name != "Description" || value.as_str() != Some(""))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    body.insert("Scope".to_owned(), "CLOUDFRONT".into());
    body.insert("LockToken".to_owned(), lock_token.into());
    Value::Object(body)
}

fn sdk_tags(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .expect("key and value are set")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Canned, scripted};
    use super::*;

    #[tokio::test]
    async fn a_web_acl_goes_back_as_it_came() {
        let document = json!({
            "Name": "a", "Id": "i", "ARN": "arn", "Capacity": 3, "Description": "",
            "DefaultAction": {"Allow": {}},
            "Rules": [{"Name": "r", "Statement": {"QuantumMatchStatement": {"Depth": 7}}}],
            "MemberOfTomorrow": {"Kept": true},
        });
        let answer = Canned::Answer(200, vec![], json!({"NextLockToken": "next"}).to_string());
        let (cloud, script) = scripted([answer]).await;
        let acl = WebAclDocument {
            name: "a".to_owned(),
            arn: "arn".to_owned(),
            json: document,
        };
        let next = cloud
            .update_web_acl(&Approved::by_confirmation(), &acl, "token")
            .await
            .unwrap();
        assert_eq!(next, "next");
        let sent: Value = serde_json::from_str(&script.seen()[0].body).unwrap();
        assert_eq!(
            sent,
            json!({
                "Name": "a", "Id": "i", "Scope": "CLOUDFRONT", "LockToken": "token",
                "DefaultAction": {"Allow": {}},
                "Rules": [{"Name": "r", "Statement": {"QuantumMatchStatement": {"Depth": 7}}}],
                "MemberOfTomorrow": {"Kept": true},
            })
        );
    }
}

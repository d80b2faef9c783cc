//! The values that the port reads and writes, free of any SDK type.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

/// A value with the version it was read at: an `ETag` or a lock token, sent back with a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versioned<T> {
    /// What was read.
    pub(crate) value: T,
    /// The version, as the service gave it.
    pub(crate) version: String,
}

/// Who the credentials belong to, per STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The twelve-digit account.
    pub(crate) account: String,
    /// The identity's ARN.
    pub(crate) arn: String,
    /// The session name of an assumed role; absent for users and the root.
    pub(crate) session: Option<String>,
}

/// Whether all edges have a distribution's latest configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DistributionStatus {
    /// All edges have it.
    Deployed,
    /// It is still spreading.
    InProgress,
}

/// A distribution as `GetDistribution` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// The id, such as `E2EXAMPLE`.
    pub(crate) id: String,
    /// The ARN.
    pub(crate) arn: String,
    /// Whether the edges have the configuration.
    pub(crate) status: DistributionStatus,
    /// The `….cloudfront.net` name.
    pub(crate) domain: String,
    /// The version of the configuration.
    pub(crate) etag: String,
    /// When the configuration last changed.
    pub(crate) last_modified: Timestamp,
    /// Whether viewers are served at all.
    pub(crate) enabled: bool,
    /// The alternate domain names.
    pub(crate) aliases: Vec<String>,
    /// The web ACL's ARN.
    pub(crate) web_acl: Option<String>,
    /// The comment.
    pub(crate) comment: String,
}

/// The address family that a WAF IP set is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IpSetFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// An IP set as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IpSetSummary {
    /// The name.
    pub(crate) name: String,
    /// The id.
    pub(crate) id: String,
    /// The ARN.
    pub(crate) arn: String,
}

/// What an update of an IP set must name, and the description that it must repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IpSetIdentity {
    /// The name.
    pub(crate) name: String,
    /// The id.
    pub(crate) id: String,
    /// The description as read: whether AWS keeps an omitted one is not documented, so it is
    /// sent again when it isn't empty.
    pub(crate) description: Option<String>,
}

/// An IP set with its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IpSet {
    /// The name.
    pub(crate) name: String,
    /// The id.
    pub(crate) id: String,
    /// The ARN.
    pub(crate) arn: String,
    /// The description; absent when empty.
    pub(crate) description: Option<String>,
    /// The family, fixed when the set was made.
    pub(crate) family: IpSetFamily,
    /// The prefixes, as the service wrote them.
    pub(crate) addresses: Vec<String>,
}

impl IpSet {
    /// Returns what an update of this set must name.
    pub(crate) fn identity(&self) -> IpSetIdentity {
        IpSetIdentity {
            name: self.name.clone(),
            id: self.id.clone(),
            description: self.description.clone(),
        }
    }
}

/// A web ACL as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebAclSummary {
    /// The name.
    pub(crate) name: String,
    /// The id.
    pub(crate) id: String,
    /// The ARN.
    pub(crate) arn: String,
}

/// A web ACL with its rules in WAF's wire form, so that rules of kinds that this version of the
/// SDK doesn't know are seen, too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WebAclDocument {
    /// The name.
    pub(crate) name: String,
    /// The ARN.
    pub(crate) arn: String,
    /// The `WebACL` member of the answer.
    pub(crate) json: serde_json::Value,
}

impl WebAclDocument {
    /// The id, as the document has it; empty in a document without one.
    pub(crate) fn id(&self) -> &str {
        self.json["Id"].as_str().unwrap_or_default()
    }
}

/// One request out of WAF's sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// The viewer's address, as WAF wrote it.
    pub(crate) address: String,
    /// The viewer's country, where WAF knew it.
    pub(crate) country: Option<String>,
    /// The path.
    pub(crate) uri: String,
    /// When it came.
    pub(crate) at: Timestamp,
    /// `ALLOW`, `BLOCK`, `COUNT` …
    pub(crate) action: String,
    /// How many requests this one stands for, relative to the other samples.
    pub(crate) weight: u64,
    /// The rule inside a rule group.
    pub(crate) rule: Option<String>,
}

/// A key-value store as the control plane's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreSummary {
    /// The name.
    pub(crate) name: String,
    /// The ARN, which the data plane asks for.
    pub(crate) arn: String,
    /// `READY`, `PROVISIONING` …
    pub(crate) status: String,
}

/// How full a key-value store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// Keys held.
    pub(crate) items: u64,
    /// Their size in bytes.
    pub(crate) bytes: u64,
}

/// A request outside AWS's APIs: a viewer's request at an edge, or the look-up of the caller's
/// own public address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    /// An `http` or `https` address. It may hold a canary's token: it is shown nowhere.
    pub(crate) url: String,
    /// Headers to send.
    pub(crate) headers: Vec<(String, String)>,
    /// The limit for the whole request; nothing is retried.
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Probe")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What came back from a probe, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProbeAnswer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The start of the body, at most [`ProbeAnswer::BODY_LIMIT`] bytes.
    pub(crate) body: Vec<u8>,
}

impl ProbeAnswer {
    /// Bytes of a body that are kept: enough for an address or an error page's text.
    pub(crate) const BODY_LIMIT: usize = 4096;

    /// Returns the body as an IP address, as address look-up services answer.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        std::str::from_utf8(&self.body).ok()?.trim().parse().ok()
    }
}

impl WebAclSummary {
    /// Reads name and id out of `arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID`, which is
    /// what a distribution holds.
    pub(crate) fn from_arn(arn: &str) -> Option<Self> {
        let (_, path) = arn.split_once(":global/webacl/")?;
        let (name, id) = path.split_once('/')?;
        (!name.is_empty() && !id.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: id.to_owned(),
            arn: arn.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_web_acl_out_of_its_arn() {
        let arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/cup/a1b2";
        let acl = WebAclSummary::from_arn(arn).unwrap();
        assert_eq!((acl.name.as_str(), acl.id.as_str()), ("cup", "a1b2"));
        assert_eq!(WebAclSummary::from_arn("a1b2"), None);
    }
}

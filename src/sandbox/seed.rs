//! What a fresh embedded cloud holds, in plain words. Making one from a runbook is left to others.
//!
//! Ids and ARNs follow from the account and the names alone, so that they outlive a reset.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cloudwatch::Audience;
use super::media::SeedMedia;
use crate::edge::GeoRestriction;
use crate::event::cidr::{Cidr, Family};

/// An account's content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seed {
    /// 12 digits.
    pub(crate) account: String,
    pub(crate) distributions: Vec<SeedDistribution>,
    pub(crate) web_acls: Vec<SeedWebAcl>,
    pub(crate) ip_sets: Vec<SeedIpSet>,
    pub(crate) stores: Vec<SeedStore>,
    pub(crate) functions: Vec<SeedFunction>,
    /// What the simulated metrics are about.
    pub(crate) audience: Audience,
    pub(crate) media: SeedMedia,
    /// Names of roles that CloudFront may assume.
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) buckets: Vec<SeedBucket>,
}

/// A distribution for live video; its document is made by the CloudFront service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedDistribution {
    /// `E…`; empty: derived from the name.
    pub(crate) id: String,
    /// Goes to the comment.
    pub(crate) name: String,
    /// `d….cloudfront.net`; empty: derived from the name.
    pub(crate) domain: String,
    pub(crate) aliases: Vec<String>,
    /// The name of a seeded web ACL.
    pub(crate) web_acl: Option<String>,
    pub(crate) geo: GeoRestriction,
    /// Path patterns that get a behavior of their own, such as `/live/*`.
    pub(crate) behaviors: Vec<String>,
    /// The name of a seeded function, associated with viewer requests of every behavior.
    pub(crate) function: Option<String>,
    /// How path patterns are cached; those not named, and the rest, as MediaPackage wants it.
    pub(crate) caching: BTreeMap<String, SeedCaching>,
    pub(crate) delivery: SeedDelivery,
    /// Additional metrics are on.
    pub(crate) metrics: bool,
}

/// What a behavior's cache policy is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SeedCaching {
    /// A live playlist: seconds, compressed.
    Manifest,
    /// A segment or a key, which never changes.
    Segment,
    /// A manifest made for one viewer.
    Uncached,
}

/// Where a distribution gets its content from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedDelivery {
    /// Id and domain name of each origin, the primary first; none: two made-up packagers.
    pub(crate) origins: Vec<(String, String)>,
    /// The region of Origin Shield; none: as the made-up packagers have it.
    pub(crate) shield: Option<String>,
    /// Id and failover codes of the group of the first two origins.
    pub(crate) group: Option<(String, Vec<u16>)>,
    /// The group chooses by media quality.
    pub(crate) media_quality: bool,
    pub(crate) access: SeedAccess,
}

/// How the origins know CloudFront.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SeedAccess {
    #[default]
    Open,
    AccessControl,
    Vpc,
    /// By a header of this name.
    Header(String),
}

impl SeedDistribution {
    /// The id it is created with.
    pub(crate) fn id(&self, account: &str) -> String {
        if self.id.is_empty() {
            format!("E{}", letters("distribution", account, &self.name, 13))
        } else {
            self.id.clone()
        }
    }

    /// The certificate of its aliases.
    pub(crate) fn certificate_arn(&self, account: &str) -> String {
        let id = uuid("certificate", account, &self.name);
        format!("arn:aws:acm:us-east-1:{account}:certificate/{id}")
    }

    /// The domain name it is created with.
    pub(crate) fn domain(&self, account: &str) -> String {
        if self.domain.is_empty() {
            let label = letters("domain", account, &self.name, 13).to_lowercase();
            format!("d{label}.cloudfront.net")
        } else {
            self.domain.clone()
        }
    }
}

/// A web ACL of scope CLOUDFRONT whose default action is Allow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedWebAcl {
    pub(crate) name: String,
    /// Names of seeded IP sets; each gets a rule of its name that blocks.
    pub(crate) blocklists: Vec<String>,
    pub(crate) managed: Vec<SeedManagedRule>,
    pub(crate) rate: Option<SeedRateRule>,
}

impl SeedWebAcl {
    /// The ARN it is created with.
    pub(crate) fn arn(&self, account: &str) -> String {
        web_acl_arn(account, &self.name)
    }
}

/// A rule for one of AWS's managed rule groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedManagedRule {
    /// Such as `AWSManagedRulesAnonymousIpList`.
    pub(crate) group: String,
    /// The name of the rule; empty: the group's.
    pub(crate) name: String,
    /// Its matches are counted, not blocked.
    pub(crate) counts: bool,
}

/// A rule that limits the requests of one address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedRateRule {
    pub(crate) name: String,
    /// Requests in five minutes.
    pub(crate) limit: u64,
    /// Its matches are counted, not blocked.
    pub(crate) counts: bool,
}

/// An IP set of scope CLOUDFRONT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedIpSet {
    pub(crate) name: String,
    pub(crate) family: Family,
    pub(crate) addresses: Vec<Cidr>,
}

impl SeedIpSet {
    /// The ARN it is created with.
    pub(crate) fn arn(&self, account: &str) -> String {
        ip_set_arn(account, &self.name)
    }
}

/// A key value store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedStore {
    pub(crate) name: String,
    pub(crate) items: BTreeMap<String, String>,
}

impl SeedStore {
    /// The id it is created with.
    pub(crate) fn id(&self, account: &str) -> String {
        uuid("store", account, &self.name)
    }

    /// The ARN it is created with.
    pub(crate) fn arn(&self, account: &str) -> String {
        store_arn(account, &self.name)
    }
}

/// A published CloudFront function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedFunction {
    pub(crate) name: String,
    /// The name of the seeded store it reads.
    pub(crate) store: Option<String>,
    /// Empty: one that passes every request.
    pub(crate) code: String,
}

/// An empty bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeedBucket {
    pub(crate) name: String,
    pub(crate) region: String,
}

/// The ARN of the seeded IP set of this name.
pub(crate) fn ip_set_arn(account: &str, name: &str) -> String {
    let id = uuid("ipset", account, name);
    format!("arn:aws:wafv2:us-east-1:{account}:global/ipset/{name}/{id}")
}

/// The ARN of the seeded web ACL of this name.
pub(crate) fn web_acl_arn(account: &str, name: &str) -> String {
    let id = uuid("webacl", account, name);
    format!("arn:aws:wafv2:us-east-1:{account}:global/webacl/{name}/{id}")
}

/// The ARN of the seeded store of this name.
pub(crate) fn store_arn(account: &str, name: &str) -> String {
    let id = uuid("store", account, name);
    format!("arn:aws:cloudfront::{account}:key-value-store/{id}")
}

/// A UUID (its version and variant set as a random one's are) that follows from what it is for.
pub(crate) fn uuid(kind: &str, account: &str, name: &str) -> String {
    let mut bytes = digest(kind, account, name);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex::encode(&bytes[..16]);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// Upper-case letters and digits that follow from what they are for; `count` up to 32.
pub(crate) fn letters(kind: &str, account: &str, name: &str, count: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    digest(kind, account, name)
        .iter()
        .take(count)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

fn digest(kind: &str, account: &str, name: &str) -> [u8; 32] {
    Sha256::digest(format!("onair/{kind}/{account}/{name}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_names_alone() {
        let distribution = SeedDistribution {
            name: "main".to_owned(),
            ..SeedDistribution::default()
        };
        assert_eq!(
            distribution.id("111122223333"),
            distribution.id("111122223333")
        );
        assert_ne!(
            distribution.id("111122223333"),
            distribution.id("444455556666")
        );
        assert_eq!(distribution.id("111122223333").len(), 14);
        let arn = store_arn("111122223333", "revoked");
        assert!(arn.starts_with("arn:aws:cloudfront::111122223333:key-value-store/"));
        assert_eq!(arn.rsplit('/').next().unwrap().len(), 36);
    }
}

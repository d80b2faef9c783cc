//! What an edge has of WAF's state, and what others ask of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::model::Waf;
use crate::event::cidr::Cidr;
use crate::sandbox::service::Delay;

impl Waf {
    /// Says whether there is a web ACL of this ARN.
    pub(crate) fn web_acl_exists(&self, arn: &str) -> bool {
        self.web_acls.values().any(|acl| acl.arn == arn)
    }

    /// The web ACL in WAF's wire form, as an edge has it; none when it has not heard of it.
    pub(crate) fn web_acl_at_edge(
        &self,
        arn: &str,
        fraction: f64,
        now: Timestamp,
        delay: Delay,
    ) -> Option<Value> {
        let acl = self.web_acls.values().find(|acl| acl.arn == arn)?;
        let mut wire = acl.at_edge(fraction, now, delay)?.clone();
        wire.insert("Name".to_owned(), acl.name.as_str().into());
        wire.insert("Id".to_owned(), acl.id.as_str().into());
        wire.insert("ARN".to_owned(), acl.arn.as_str().into());
        Some(Value::Object(wire))
    }

    /// The addresses of every set that `wanted` names, as an edge has them, by ARN.
    pub(crate) fn ip_sets_at_edge(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        fraction: f64,
        now: Timestamp,
        delay: Delay,
    ) -> BTreeMap<String, Vec<Cidr>> {
        self.ip_sets
            .values()
            .chain(self.departed.values())
            .filter(|set| wanted(&set.arn))
            .map(|set| (set.arn.clone(), set.at_edge(fraction, now, delay)))
            .collect()
    }

    /// Names and numbers of addresses of all IP sets.
    pub(crate) fn set_sizes(&self) -> BTreeMap<String, usize> {
        self.ip_sets
            .values()
            .map(|set| (set.name.clone(), set.addresses.iter().count()))
            .collect()
    }

    /// Names and capacities of all web ACLs.
    pub(crate) fn web_acl_capacities(&self) -> BTreeMap<String, u64> {
        self.web_acls
            .values()
            .map(|acl| (acl.name.clone(), acl.capacity))
            .collect()
    }
}

//! Makes seeded web ACLs and IP sets: already rolled out, with ids that follow from their names.

use serde_json::{Map, Value, json};

use super::model::{IpSet, Waf, WebAcl};
use super::web_acls;
use crate::sandbox::seed::{SeedIpSet, SeedWebAcl, ip_set_arn, uuid};

impl Waf {
    /// Adds a seeded IP set.
    pub(crate) fn seed_ip_set(&mut self, account: &str, seed: &SeedIpSet) {
        let id = uuid("ipset", account, &seed.name);
        let mut set = IpSet::new(&seed.name, id, seed.arn(account), seed.family);
        set.settle(seed.addresses.iter().map(ToString::to_string).collect());
        self.ip_sets.insert(set.id.clone(), set);
    }

    /// Adds a seeded web ACL; its IP sets come first.
    pub(crate) fn seed_web_acl(&mut self, account: &str, seed: &SeedWebAcl) {
        let id = uuid("webacl", account, &seed.name);
        let mut acl = WebAcl::new(&seed.name, id, seed.arn(account));
        let document = document(account, seed);
        let capacity = web_acls::check(&document, self).unwrap_or_default();
        acl.settle(document, capacity);
        self.web_acls.insert(acl.id.clone(), acl);
    }
}

fn document(account: &str, seed: &SeedWebAcl) -> Map<String, Value> {
    let mut rules = Vec::new();
    for name in &seed.blocklists {
        let statement = json!({"IPSetReferenceStatement": {"ARN": ip_set_arn(account, name)}});
        rules.push((name.as_str(), statement, "Action", "Block"));
    }
    for managed in &seed.managed {
        let statement = json!({
            "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": managed.group},
        });
        let name = if managed.name.is_empty() {
            &managed.group
        } else {
            &managed.name
        };
        let action = if managed.counts { "Count" } else { "None" };
        rules.push((name, statement, "OverrideAction", action));
    }
    if let Some(rate) = &seed.rate {
        let statement = json!({
            "RateBasedStatement": {
                "Limit": rate.limit,
                "EvaluationWindowSec": 300,
                "AggregateKeyType": "IP",
            },
        });
        let action = if rate.counts { "Count" } else { "Block" };
        rules.push((&rate.name, statement, "Action", action));
    }
    let rules: Vec<Value> = rules
        .into_iter()
        .enumerate()
        .map(|(priority, (name, statement, member, action))| {
            json!({
                "Name": name,
                "Priority": priority,
                "Statement": statement,
                member: {action: {}},
                "VisibilityConfig": visibility(name),
            })
        })
        .collect();
    [
        ("Description".to_owned(), "".into()),
        ("DefaultAction".to_owned(), json!({"Allow": {}})),
        ("VisibilityConfig".to_owned(), visibility(&seed.name)),
        ("Rules".to_owned(), rules.into()),
    ]
    .into_iter()
    .collect()
}

fn visibility(name: &str) -> Value {
    json!({
        "SampledRequestsEnabled": true,
        "CloudWatchMetricsEnabled": true,
        "MetricName": name,
    })
}

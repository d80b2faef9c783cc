//! AWS's managed rule groups, as far as a live event is likely to use them: what they cost and
//! which rules they have. Which requests they match, only AWS knows.

use serde_json::{Value, json};

use super::input::{Input, Text};
use super::refusal::Refusal;
use super::{Context, Reply, page};

/// A managed rule group of vendor `AWS`.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    /// WCU (Developer Guide, "AWS Managed Rules rule groups list").
    pub(super) capacity: u64,
    /// The namespace of its labels after `awswaf:managed:aws:`.
    label: &'static str,
    versioned: bool,
    /// Names and default actions of its rules, where a preflight may want them.
    rules: &'static [(&'static str, &'static str)],
}

const GROUPS: &[Group] = &[
    Group {
        name: "AWSManagedRulesACFPRuleSet",
        capacity: 50,
        label: "acfp",
        versioned: true,
        rules: &[],
    },
    Group {
        name: "AWSManagedRulesATPRuleSet",
        capacity: 50,
        label: "atp",
        versioned: true,
        rules: &[],
    },
    Group {
        name: "AWSManagedRulesAdminProtectionRuleSet",
        capacity: 100,
        label: "admin-protection",
        versioned: true,
        rules: &[("AdminProtection_URIPATH", "Block")],
    },
    Group {
        name: "AWSManagedRulesAmazonIpReputationList",
        capacity: 25,
        label: "amazon-ip-list",
        versioned: false,
        rules: &[
            ("AWSManagedIPReputationList", "Block"),
            ("AWSManagedReconnaissanceList", "Block"),
            ("AWSManagedIPDDoSList", "Count"),
        ],
    },
    Group {
        name: "AWSManagedRulesAnonymousIpList",
        capacity: 50,
        label: "anonymous-ip-list",
        versioned: false,
        rules: &[
            ("AnonymousIPList", "Block"),
            ("HostingProviderIPList", "Block"),
        ],
    },
    Group {
        name: "AWSManagedRulesAntiDDoSRuleSet",
        capacity: 50,
        label: "anti-ddos",
        versioned: true,
        rules: &[],
    },
    Group {
        name: "AWSManagedRulesBotControlRuleSet",
        capacity: 50,
        label: "bot-control",
        versioned: true,
        rules: &[],
    },
    Group {
        name: "AWSManagedRulesCommonRuleSet",
        capacity: 700,
        label: "core-rule-set",
        versioned: true,
        rules: &[
            ("NoUserAgent_HEADER", "Block"),
            ("UserAgent_BadBots_HEADER", "Block"),
            ("SizeRestrictions_QUERYSTRING", "Block"),
        ],
    },
    Group {
        name: "AWSManagedRulesKnownBadInputsRuleSet",
        capacity: 200,
        label: "known-bad-inputs",
        versioned: true,
        rules: &[],
    },
    Group {
        name: "AWSManagedRulesSQLiRuleSet",
        capacity: 200,
        label: "sql-database",
        versioned: true,
        rules: &[],
    },
];

/// The group of this vendor and name.
pub(super) fn find(vendor: &str, name: &str) -> Option<&'static Group> {
    GROUPS
        .iter()
        .find(|group| vendor == "AWS" && group.name == name)
}

pub(super) fn list(context: &Context<'_>, mut input: Input) -> Reply {
    let page = page::Request::read(&mut input)?;
    let scope = input.scope();
    input.finish()?;
    context.check_scope(scope)?;
    let items = GROUPS
        .iter()
        .map(|group| {
            let item = json!({
                "VendorName": "AWS",
                "Name": group.name,
                "VersioningSupported": group.versioned,
            });
            (group.name, item)
        })
        .collect();
    context.found(&page.answer("ManagedRuleGroups", items))
}

pub(super) fn describe(context: &Context<'_>, mut input: Input) -> Reply {
    let vendor = input.required("VendorName", Text::Vendor);
    let name = input.required("Name", Text::Name);
    let scope = input.scope();
    input.finish()?;
    context.check_scope(scope)?;
    let group = find(&vendor, &name).ok_or_else(Refusal::nonexistent)?;
    let namespace = format!("awswaf:managed:aws:{}:", group.label);
    let rules: Vec<Value> = group
        .rules
        .iter()
        .map(|(name, action)| json!({"Name": name, "Action": {*action: {}}}))
        .collect();
    let labels: Vec<Value> = group
        .rules
        .iter()
        .map(|(name, _)| json!({"Name": format!("{namespace}{name}")}))
        .collect();
    context.found(&json!({
        "Capacity": group.capacity,
        "Rules": rules,
        "LabelNamespace": namespace,
        "AvailableLabels": labels,
        "ConsumedLabels": [],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_sorted_for_paging() {
        assert!(GROUPS.is_sorted_by_key(|group| group.name));
    }
}

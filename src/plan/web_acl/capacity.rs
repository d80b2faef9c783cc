//! What rules cost in web ACL capacity units (WCU), as far as it is known here.

use serde_json::Value;

/// A web ACL's WCU at most (aws-facts 3.2).
pub(crate) const CAPACITY_LIMIT: u64 = 5_000;
/// Above this each request costs extra (aws-facts 3.2).
pub(crate) const CAPACITY_INCLUDED: u64 = 1_500;

/// The WCU of a statement; none when only WAF knows (`CheckCapacity`).
///
/// From the Developer Guide's rule statement pages; of the managed lists those that a live event
/// is likely to use.
pub(crate) fn cost(statement: &Value) -> Option<u64> {
    let (kind, inner) = statement
        .as_object()?
        .iter()
        .find(|(_, value)| !value.is_null())?;
    match kind.as_str() {
        "GeoMatchStatement" | "LabelMatchStatement" | "AsnMatchStatement" => Some(1),
        "IPSetReferenceStatement" => {
            let any = inner["IPSetForwardedIPConfig"]["Position"] == "ANY";
            Some(if any { 5 } else { 1 })
        }
        "NotStatement" => cost(&inner["Statement"]),
        "AndStatement" | "OrStatement" => inner["Statements"].as_array()?.iter().map(cost).sum(),
        "RateBasedStatement" => {
            let keys = inner["CustomKeys"].as_array().map_or(0, Vec::len) as u64;
            Some(2 + 30 * keys + scope_down(inner)?)
        }
        "ManagedRuleGroupStatement" => {
            let own = match inner["Name"].as_str()? {
                "AWSManagedRulesAnonymousIpList" => 50,
                "AWSManagedRulesAmazonIpReputationList" => 25,
                _ => return None,
            };
            Some(own + scope_down(inner)?)
        }
        _ => None,
    }
}

fn scope_down(inner: &Value) -> Option<u64> {
    match &inner["ScopeDownStatement"] {
        Value::Null => Some(0),
        statement => cost(statement),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn costs_are_those_of_the_developer_guide() {
        let geo = json!({"GeoMatchStatement": {"CountryCodes": ["US"]}});
        let label = json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": "a"}});
        for (statement, expected) in [
            (geo.clone(), Some(1)),
            (
                json!({"AndStatement": {"Statements": [geo, {"NotStatement": {"Statement": label}}]}}),
                Some(2),
            ),
            (
                json!({"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}}),
                Some(2),
            ),
            (
                json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesAnonymousIpList"}}),
                Some(50),
            ),
            (
                json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "Another"}}),
                None,
            ),
            (
                json!({"IPSetReferenceStatement": {"ARN": "a", "IPSetForwardedIPConfig": {"Position": "ANY"}}}),
                Some(5),
            ),
        ] {
            assert_eq!(cost(&statement), expected, "{statement}");
        }
    }
}

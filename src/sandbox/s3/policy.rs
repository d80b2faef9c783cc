//! Bucket policies, as far as log deliveries depend on them.

use serde_json::{Value, json};

const DELIVERY: &str = "delivery.logs.amazonaws.com";

/// Refuses a policy that S3 would not take; only what is likely to be got wrong is looked at.
pub(super) fn check(text: &str, bucket: &str) -> Result<(), String> {
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| "Policies must be valid JSON and the first byte must be '{'".to_owned())?;
    if !policy.is_object() {
        return Err("Policies must be valid JSON and the first byte must be '{'".to_owned());
    }
    let statements = statements(&policy);
    if statements.is_empty() {
        return Err("Missing required field Statement".to_owned());
    }
    let own = format!("arn:aws:s3:::{bucket}");
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return Err("Invalid effect in policy".to_owned());
        }
        if statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none() {
            return Err("Missing required field Principal".to_owned());
        }
        if texts(&statement["Action"]).is_empty() && statement.get("NotAction").is_none() {
            return Err("Missing required field Action".to_owned());
        }
        let resources = texts(&statement["Resource"]);
        if resources.is_empty() && statement.get("NotResource").is_none() {
            return Err("Missing required field Resource".to_owned());
        }
        let fits = |resource: &&str| {
            resource
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !resources.iter().all(fits) {
            return Err("Policy has invalid resource".to_owned());
        }
    }
    Ok(())
}

/// Whether the log delivery service may put this object. Conditions are taken to hold.
pub(super) fn allows_delivery(text: &str, bucket: &str, key: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let resource = format!("arn:aws:s3:::{bucket}/{key}");
    let concerning: Vec<&Value> = statements(&policy)
        .into_iter()
        .filter(|statement| {
            let principal = &statement["Principal"];
            let is_delivery = principal == "*"
                || texts(&principal["Service"]).contains(&DELIVERY)
                || texts(&principal["AWS"]).contains(&"*");
            let any = |member: &str, text: &str| {
                texts(&statement[member])
                    .iter()
                    .any(|pattern| matches(pattern, text))
            };
            is_delivery && any("Action", "s3:PutObject") && any("Resource", &resource)
        })
        .collect();
    let effect = |effect: &str| {
        concerning
            .iter()
            .any(|statement| statement["Effect"] == effect)
    };
    effect("Allow") && !effect("Deny")
}

/// The policy with the statement that the log service adds for deliveries of the default path.
pub(super) fn with_default_delivery(text: Option<&str>, place: &str, account: &str) -> String {
    let mut policy = text
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .unwrap_or_else(|| json!({"Version": "2012-10-17", "Statement": []}));
    let place = if place.contains('/') {
        place.to_owned()
    } else {
        format!("{place}/AWSLogs/{account}/CloudFront")
    };
    let resource = format!("arn:aws:s3:::{place}/*");
    let statement = json!({
        "Sid": "AWSLogsDeliveryWrite",
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY},
        "Action": "s3:PutObject",
        "Resource": resource,
        "Condition": {"StringEquals": {
            "s3:x-amz-acl": "bucket-owner-full-control",
            "aws:SourceAccount": account,
        }},
    });
    let is_there = statements(&policy).contains(&&statement);
    if let Some(list) = policy["Statement"].as_array_mut()
        && !is_there
    {
        list.push(statement);
    }
    policy.to_string()
}

fn statements(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(list) => list.iter().collect(),
        Value::Object(_) => vec![&policy["Statement"]],
        _ => Vec::new(),
    }
}

/// One text or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Matches a text against a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(text),
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            rest.is_empty()
                || text
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([text.len()])
                    .any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(effect: &str, resource: &str) -> Value {
        json!({
            "Sid": "x", "Effect": effect, "Principal": {"Service": DELIVERY},
            "Action": "s3:PutObject", "Resource": resource,
        })
    }

    #[test]
    fn deliveries_need_a_statement_for_their_path() {
        let document = |statements: Value| json!({"Statement": statements}).to_string();
        let below = policy("Allow", "arn:aws:s3:::logs/access/*");
        for (statements, allowed) in [
            (json!([below]), true),
            (json!(below), true),
            (
                json!([policy("Allow", "arn:aws:s3:::logs/AWSLogs/*")]),
                false,
            ),
            (json!([below, policy("Deny", "arn:aws:s3:::logs/*")]), false),
            (json!([]), false),
        ] {
            let text = document(statements);
            assert_eq!(
                allows_delivery(&text, "logs", "access/E1/x.gz"),
                allowed,
                "{text}"
            );
        }
    }

    #[test]
    fn policies_of_other_buckets_are_refused() {
        let text = |resource: &str| json!({"Statement": [policy("Allow", resource)]}).to_string();
        assert_eq!(check(&text("arn:aws:s3:::logs/*"), "logs"), Ok(()));
        assert!(check(&text("arn:aws:s3:::logs-other/*"), "logs").is_err());
        assert!(check("{}", "logs").is_err());
        assert!(check("[]", "logs").is_err());
    }

    #[test]
    fn the_services_own_statement_is_added_once() {
        let once = with_default_delivery(None, "logs", "111122223333");
        assert_eq!(
            with_default_delivery(Some(&once), "logs", "111122223333"),
            once
        );
        assert!(allows_delivery(
            &once,
            "logs",
            "AWSLogs/111122223333/CloudFront/E1/x.gz"
        ));
        assert!(!allows_delivery(&once, "logs", "access/E1/x.gz"));
    }
}

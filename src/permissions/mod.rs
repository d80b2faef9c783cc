//! What each role may do in the account, for one runbook: least privilege, as data. Pure.
//!
//! `table` says which actions go together and who needs them, `place` fills in the resources.
//! `sts:GetCallerIdentity` needs no permission. Where AWS takes no resource, the statement says `*`;
//! the reason stands beside each such row of the table, and `iam-policy -o json` names it. A wildcard
//! inside an ARN stands for an id that AWS makes up when the resource is made, or that only another
//! resource names.

mod place;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::runbook::Runbook;
use table::{Row, TABLE};

/// The most characters of a managed policy, white space not counted; IAM quotas.
pub(crate) const LONGEST_POLICY: usize = 6_144;

/// Who a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// On shift: blocks, revokes, undoes, checks.
    Operator,
    /// A pipeline: provisions, checks, tears down.
    Ci,
    /// Looks and queries, changes nothing.
    Analyst,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Ci => "ci",
            Self::Analyst => "analyst",
        }
    }
}

/// One action that a role needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// As IAM writes it, such as `wafv2:UpdateIPSet`.
    pub(crate) action: &'static str,
    /// ARNs, with wildcards; `*` where the action takes no resource. At least one.
    pub(crate) resources: Vec<String>,
    /// What it is for, by command.
    pub(crate) commands: &'static [&'static str],
    /// For `iam:PassRole`: the service that the role is handed to.
    pub(crate) passed_to: Option<&'static str>,
}

/// What `role` needs for this runbook, in order of the table; an action can be there more than once,
/// with different resources.
pub(crate) fn needed(runbook: &Runbook, role: Role) -> Vec<Permission> {
    rows(runbook, role)
        .flat_map(|(row, resources)| {
            row.actions.iter().map(move |action| Permission {
                action,
                resources: resources.clone(),
                commands: row.commands,
                passed_to: row.passed_to,
            })
        })
        .collect()
}

fn rows(runbook: &Runbook, role: Role) -> impl Iterator<Item = (&'static Row, Vec<String>)> {
    TABLE
        .iter()
        .filter(move |row| row.roles.contains(&role))
        .map(|row| (row, row.place.resources(runbook)))
        .filter(|(_, resources)| !resources.is_empty())
}

/// The statements of a role's policy. Rows about the same resources are one statement, under the
/// first one's id as far as that still says what it holds.
fn statements(runbook: &Runbook, role: Role) -> Vec<Value> {
    let mut merged: Vec<(&Row, Vec<String>, BTreeSet<&str>)> = Vec::new();
    for (row, resources) in rows(runbook, role) {
        let same = merged
            .iter_mut()
            .find(|(first, known, _)| *known == resources && first.passed_to == row.passed_to);
        match same {
            Some((_, _, actions)) => actions.extend(row.actions),
            None => merged.push((row, resources, row.actions.iter().copied().collect())),
        }
    }
    merged
        .into_iter()
        .map(|(row, resources, actions)| {
            let mut statement = json!({
                "Sid": statement_id(row, &resources, &actions),
                "Effect": "Allow",
                "Action": one_or_many(actions.into_iter().map(str::to_owned).collect()),
                "Resource": one_or_many(resources),
            });
            if let Some(service) = row.passed_to {
                statement["Condition"] =
                    json!({ "StringEquals": { "iam:PassedToService": service } });
            }
            statement
        })
        .collect()
}

/// The first row's id; one that says to read names no statement that writes.
fn statement_id(first: &Row, resources: &[String], actions: &BTreeSet<&str>) -> String {
    let reads = |action: &str| {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        ["Get", "List", "Describe", "Simulate", "Test"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    let of_reading = ["Read", "List"]
        .iter()
        .find_map(|verb| first.sid.strip_prefix(verb));
    let writes = !actions.iter().all(|action| reads(action));
    match of_reading {
        // What takes no resource is of many kinds.
        Some(_) if resources == ["*"] => if writes { "ManageAny" } else { "ReadAny" }.to_owned(),
        Some(what) if writes => format!("Manage{what}"),
        _ => first.sid.to_owned(),
    }
}

fn one_or_many(mut texts: Vec<String>) -> Value {
    if texts.len() == 1 {
        json!(texts.remove(0))
    } else {
        json!(texts)
    }
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The policy document of a role.
pub(crate) fn policy(runbook: &Runbook, role: Role) -> Value {
    document(&statements(runbook, role))
}

/// The same policy in as many documents as it takes for each to fit a managed policy. A statement
/// is never split: none of the table comes near the limit by itself.
pub(crate) fn parts(runbook: &Runbook, role: Role) -> Vec<Value> {
    let mut parts: Vec<Vec<Value>> = vec![Vec::new()];
    for statement in statements(runbook, role) {
        let last = parts.last_mut().expect("one part is there from the start");
        last.push(statement);
        if last.len() > 1 && size(&document(last)) > LONGEST_POLICY {
            let moved = last.pop().into_iter().collect();
            parts.push(moved);
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

/// The characters that count against the limit. No value of ours has white space in it.
pub(crate) fn size(policy: &Value) -> usize {
    policy.to_string().chars().count()
}

/// The actions that take no resource, and why each is `*`, for those who review the policy.
pub(crate) fn wide(runbook: &Runbook, role: Role) -> Vec<(&'static str, &'static str)> {
    rows(runbook, role)
        .filter_map(|(row, _)| Some((row, row.place.reason()?)))
        .flat_map(|(row, reason)| row.actions.iter().map(move |action| (*action, reason)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::runbook::load::parse;
    use crate::runbook::load::tests::MINIMAL;

    const ROLES: [Role; 3] = [Role::Operator, Role::Ci, Role::Analyst];

    fn cup_final() -> Runbook {
        let text = include_str!("../../runbooks/cup-final.toml");
        parse(text, Path::new("runbooks/cup-final.toml"))
            .unwrap()
            .runbook
    }

    #[test]
    fn a_statements_id_says_whether_it_writes_and_is_there_once() {
        for role in ROLES {
            let statements = statements(&cup_final(), role);
            let ids: BTreeSet<&str> = statements
                .iter()
                .filter_map(|statement| statement["Sid"].as_str())
                .collect();
            assert_eq!(ids.len(), statements.len(), "{role:?}: {ids:?}");
            for statement in &statements {
                let id = statement["Sid"].as_str().unwrap();
                let text = statement["Action"].to_string();
                let writes = ["Update", "Put", "Create", "Delete"]
                    .iter()
                    .any(|verb| text.contains(&format!(":{verb}")));
                let says_read = id.starts_with("Read") || id.starts_with("List");
                assert!(!(writes && says_read), "{role:?}: {id} holds {text}");
            }
        }
    }

    #[test]
    fn ids_are_unique_letters_and_digits_and_rows_are_sorted_inside() {
        let mut sids = BTreeSet::new();
        for row in TABLE {
            assert!(row.sid.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(sids.insert(row.sid), "{} is there twice", row.sid);
            assert!(!row.roles.is_empty() && !row.commands.is_empty());
            for action in row.actions {
                assert_eq!(action.split(':').count(), 2, "{action}");
                assert!(!action.contains('*'), "{action}");
            }
        }
    }

    #[test]
    fn an_analyst_changes_nothing_but_query_results() {
        let runbook = cup_final();
        for permission in needed(&runbook, Role::Analyst) {
            let (service, name) = permission.action.split_once(':').unwrap();
            let reads = ["Get", "List", "Describe", "BatchGet"];
            let runs_queries = service == "athena" && name.ends_with("QueryExecution");
            let keeps_results = permission
                .resources
                .iter()
                .all(|resource| resource.contains("example-cup-final-athena"));
            assert!(
                reads.iter().any(|read| name.starts_with(read)) || runs_queries || keeps_results,
                "{permission:?}"
            );
        }
    }

    #[test]
    fn stars_have_reasons_and_everything_else_names_the_account_or_a_bucket() {
        let runbook = cup_final();
        for role in ROLES {
            let wide = wide(&runbook, role);
            for permission in needed(&runbook, role) {
                for resource in &permission.resources {
                    let named = resource.contains("111122223333")
                        || resource.starts_with("arn:aws:s3:::example-");
                    let reasoned = wide.iter().any(|(action, _)| *action == permission.action);
                    assert!(named || (resource == "*" && reasoned), "{permission:?}");
                }
            }
        }
    }

    #[test]
    fn sections_that_are_not_there_need_nothing() {
        let runbook = parse(MINIMAL, Path::new("cup.toml")).unwrap().runbook;
        for role in ROLES {
            for permission in needed(&runbook, role) {
                let service = permission.action.split(':').next().unwrap();
                // Leftovers are looked for by name, also of what is not in the runbook any more.
                assert!(
                    ["cloudfront", "acm", "iam", "cloudwatch", "kinesis"].contains(&service),
                    "{permission:?}"
                );
            }
        }
    }

    #[test]
    fn parts_fit_and_lose_nothing() {
        let runbook = cup_final();
        for role in ROLES {
            let whole = policy(&runbook, role);
            let parts = parts(&runbook, role);
            let statements: Vec<&Value> = parts
                .iter()
                .flat_map(|part| part["Statement"].as_array().unwrap())
                .collect();
            let all: Vec<&Value> = whole["Statement"].as_array().unwrap().iter().collect();
            assert_eq!(statements, all);
            for part in &parts {
                assert!(size(part) <= LONGEST_POLICY);
                assert!(!part.to_string().contains(' '));
            }
        }
    }
}

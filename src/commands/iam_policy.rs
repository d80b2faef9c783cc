//! `onair iam-policy`: least privilege for one runbook, ready to attach.

use serde_json::json;

use crate::context::Context;
use crate::error::Failure;
use crate::permissions::{self, LONGEST_POLICY, Role};
use crate::render::{Answer, Sheet};

/// Print the IAM policy that a role needs for this runbook
///
/// Nothing is asked from AWS. Resources are filled in wherever the service takes them. Without -o json
/// the answer is the policy itself. A managed policy holds 6,144 characters; a longer one comes in
/// parts, to be attached together.
///
/// Example: onair iam-policy -e cup-final --role ci > policy.json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose policy
    #[arg(long, value_enum, default_value = "operator")]
    role: RoleArgument,
    /// Only this part of a policy that is too long for one, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    part: Option<u16>,
}

/// Who a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RoleArgument {
    /// On shift: blocks, revokes, undoes, checks
    Operator,
    /// A pipeline: provisions, checks, tears down
    Ci,
    /// Looks and queries, changes nothing
    Analyst,
}

impl From<RoleArgument> for Role {
    fn from(argument: RoleArgument) -> Self {
        match argument {
            RoleArgument::Operator => Self::Operator,
            RoleArgument::Ci => Self::Ci,
            RoleArgument::Analyst => Self::Analyst,
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let loaded = context.chosen()?.loaded;
    let runbook = &loaded.runbook;
    let role = Role::from(args.role);
    let whole = permissions::policy(runbook, role);
    let parts = permissions::parts(runbook, role);
    let policy = match args.part {
        None => &whole,
        Some(number) => parts.get(usize::from(number) - 1).ok_or_else(|| {
            Failure::usage(format!(
                "there is no part {number}: the policy has {}",
                parts.len()
            ))
        })?,
    };
    let size = permissions::size(policy);
    let mut sheet = Sheet::new(&["action", "resource", "commands"]);
    for permission in permissions::needed(runbook, role) {
        for resource in &permission.resources {
            sheet.push([
                permission.action.to_owned(),
                resource.clone(),
                permission.commands.join(", "),
            ]);
        }
    }
    let permissions: Vec<_> = permissions::needed(runbook, role)
        .into_iter()
        .map(|one| {
            json!({ "action": one.action, "resources": one.resources, "commands": one.commands })
        })
        .collect();
    let wide: Vec<_> = permissions::wide(runbook, role)
        .into_iter()
        .map(|(action, reason)| json!({ "action": action, "reason": reason }))
        .collect();
    let data = json!({
        "role": role.name(),
        "policy": policy,
        "size": size,
        "limit": LONGEST_POLICY,
        "parts": parts,
        "permissions": permissions,
        "unrestricted": wide,
    });
    let text = serde_json::to_string_pretty(policy)
        .map_err(|error| Failure::failed("iam-policy", "write the policy").caused_by(&error))?;
    let mut answer = Answer::new("iam-policy", data, format!("{text}\n")).with_sheet(sheet);
    answer.head.event = Some(runbook.event.id.to_string());
    answer.head.account = Some(runbook.aws.account.clone());
    if size > LONGEST_POLICY {
        let parts = (1..=parts.len()).map(|number| format!("--part {number}"));
        answer.warnings.push(format!(
            "{size} characters are more than the {LONGEST_POLICY} of a managed policy; attach it in parts: {}",
            parts.collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(answer)
}

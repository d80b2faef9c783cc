//! Dashboards: replaced whole, checked before they are stored, and given back byte for byte.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::Input;
use super::wire::{Refusal, time};
use super::{Context, Reply, State};
use crate::cloud::metrics::BodyMessage;
use crate::dashboard::validate::validate;

/// Entries of one page of a list.
const PAGE: usize = 1_000;
const NAME_LIMIT: usize = 255;

/// A stored dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dashboard {
    body: String,
    modified: Timestamp,
}

fn not_found(name: &str) -> Refusal {
    Refusal::new(
        404,
        "DashboardNotFoundError",
        "ResourceNotFound",
        format!("Dashboard {name} does not exist"),
    )
}

fn invalid(message: impl Into<String>, problems: &[BodyMessage]) -> Refusal {
    let mut refusal = Refusal::new(
        400,
        "DashboardInvalidInputError",
        "InvalidParameterInput",
        message,
    );
    refusal.members = vec![("dashboardValidationMessages", list_of(problems))];
    refusal
}

fn list_of(messages: &[BodyMessage]) -> Value {
    messages
        .iter()
        .map(|one| json!({ "DataPath": one.path, "Message": one.message }))
        .collect()
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let is_valid = name.len() <= NAME_LIMIT
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_valid {
        Ok(())
    } else {
        Err(invalid(
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).",
            &[],
        ))
    }
}

pub(super) fn put(context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let name = input.required("DashboardName")?;
    check_name(name)?;
    let body = input.text("DashboardBody").unwrap_or_default();
    if body.is_empty() {
        return Err(invalid("The field DashboardBody must not be empty", &[]));
    }
    let findings = validate(body);
    if !findings.errors.is_empty() {
        return Err(invalid(
            format!(
                "The field DashboardBody is not valid: {} error{} found",
                findings.errors.len(),
                if findings.errors.len() == 1 { "" } else { "s" }
            ),
            &findings.errors,
        ));
    }
    let dashboard = Dashboard {
        body: body.to_owned(),
        modified: context.call.now,
    };
    if state
        .dashboards
        .insert(name.to_owned(), dashboard)
        .is_none()
    {
        // Tags count when a dashboard is made, and only then.
        let tags = input.tags().into_iter().collect();
        state.tags.insert(context.dashboard_arn(name), tags);
    }
    let output = json!({ "DashboardValidationMessages": list_of(&findings.warnings) });
    Ok((output, true))
}

pub(super) fn get(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let name = input.required("DashboardName")?;
    let dashboard = state.dashboards.get(name).ok_or_else(|| not_found(name))?;
    let output = json!({
        "DashboardArn": context.dashboard_arn(name),
        "DashboardBody": dashboard.body,
        "DashboardName": name,
    });
    Ok((output, false))
}

#[expect(clippy::unnecessary_wraps, reason = "all operations answer alike")]
pub(super) fn list(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let prefix = input.text("DashboardNamePrefix").unwrap_or_default();
    let after = input.text("NextToken");
    let mut rest = state
        .dashboards
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let page: Vec<_> = rest.by_ref().take(PAGE).collect();
    let entries: Vec<Value> = page
        .iter()
        .map(|(name, dashboard)| {
            json!({
                "DashboardName": name,
                "DashboardArn": context.dashboard_arn(name),
                "LastModified": time(dashboard.modified),
                "Size": dashboard.body.len(),
            })
        })
        .collect();
    let mut output = json!({ "DashboardEntries": entries });
    if rest.next().is_some()
        && let Some((last, _)) = page.last()
    {
        output["NextToken"] = Value::from(last.as_str());
    }
    Ok((output, false))
}

/// All of them or, where one is not there, none.
pub(super) fn delete(context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let names = input.texts("DashboardNames");
    if names.is_empty() {
        return Err(Refusal::missing("DashboardNames"));
    }
    if let Some(missing) = names
        .iter()
        .find(|name| !state.dashboards.contains_key(*name))
    {
        return Err(not_found(missing));
    }
    for name in &names {
        state.dashboards.remove(name);
        state.tags.remove(&context.dashboard_arn(name));
    }
    Ok((json!({}), true))
}

impl State {
    /// Whether an ARN is a dashboard's that is there.
    pub(super) fn has_dashboard(&self, arn: &str) -> bool {
        arn.rsplit_once(":dashboard/")
            .is_some_and(|(_, name)| self.dashboards.contains_key(name))
    }
}

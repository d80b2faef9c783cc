//! Tags of dashboards and alarms.

use serde_json::{Value, json};

use super::input::Input;
use super::wire::Refusal;
use super::{Context, Reply, State};

/// Tags that a resource may have.
const MOST_TAGS: usize = 50;

fn known(state: &State, input: &Input) -> Result<String, Refusal> {
    let arn = input.required("ResourceARN")?;
    if state.has_dashboard(arn) || state.has_alarm(arn) {
        return Ok(arn.to_owned());
    }
    let mut refusal = Refusal::new(
        404,
        "ResourceNotFoundException",
        "ResourceNotFoundException",
        format!("{arn} does not exist"),
    );
    refusal.members = vec![
        ("ResourceType", Value::from("resource")),
        ("ResourceId", Value::from(arn)),
    ];
    Err(refusal)
}

pub(super) fn list(_context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let arn = known(state, input)?;
    let tags: Vec<Value> = state
        .tags
        .get(&arn)
        .into_iter()
        .flatten()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok((json!({ "Tags": tags }), false))
}

pub(super) fn tag(_context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let arn = known(state, input)?;
    let tags = state.tags.entry(arn).or_default();
    let mut after = tags.clone();
    after.extend(input.tags());
    if after.len() > MOST_TAGS {
        return Err(Refusal::value(format!(
            "A resource can have {MOST_TAGS} tags at most."
        )));
    }
    *tags = after;
    Ok((json!({}), true))
}

pub(super) fn untag(_context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let arn = known(state, input)?;
    let keys = input.texts("TagKeys");
    state
        .tags
        .entry(arn)
        .or_default()
        .retain(|key, _| !keys.contains(key));
    Ok((json!({}), true))
}

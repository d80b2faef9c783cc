//! Tags of sources, destinations and deliveries.

use std::collections::BTreeMap;

use serde_json::json;

use super::{DIALECT, State, arn};
use crate::sandbox::json::{MOST_TAGS, Members, Refusal, Reply, done, found};
use crate::sandbox::service::Call;

pub(super) fn tag(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let resource = input.text("resourceArn", 1..=1011)?;
    let tags = input.tags("tags")?.ok_or_else(|| input.missing("tags"))?;
    let held = of(call, state, &resource)?;
    let mut joined = held.clone();
    joined.extend(tags);
    if joined.len() > MOST_TAGS {
        return Err(DIALECT.refuse(
            "TooManyTagsException",
            "A resource can have no more than 50 tags.",
        ));
    }
    *held = joined;
    done(call)
}

pub(super) fn untag(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let resource = input.text("resourceArn", 1..=1011)?;
    let keys = input
        .texts("tagKeys")?
        .ok_or_else(|| input.missing("tagKeys"))?;
    of(call, state, &resource)?.retain(|key, _| !keys.contains(key));
    done(call)
}

pub(super) fn list(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let resource = input.text("resourceArn", 1..=1011)?;
    let tags = of(call, state, &resource)?;
    found(call, &json!({"tags": tags}))
}

fn of<'a>(
    call: &Call<'_>,
    state: &'a mut State,
    resource: &str,
) -> Result<&'a mut BTreeMap<String, String>, Refusal> {
    let name = |kind| resource.strip_prefix(&arn(call, kind, ""));
    let tags = if let Some(name) = name("delivery-source") {
        state.sources.get_mut(name).map(|one| &mut one.tags)
    } else if let Some(name) = name("delivery-destination") {
        state.destinations.get_mut(name).map(|one| &mut one.tags)
    } else if let Some(id) = name("delivery") {
        state.deliveries.get_mut(id).map(|one| &mut one.tags)
    } else {
        None
    };
    tags.ok_or_else(|| DIALECT.refuse("ResourceNotFoundException", resource))
}

//! Tags of workgroups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{DIALECT, Region};
use crate::sandbox::json::{MOST_TAGS, Members, Refusal, Reply, changed, check_tag, found};
use crate::sandbox::service::Call;

/// The tags that a call names, as a list of keys with values.
pub(super) fn read(input: &Members) -> Result<Option<BTreeMap<String, String>>, Refusal> {
    let Some(list) = input.raw("Tags") else {
        return Ok(None);
    };
    let mut tags = BTreeMap::new();
    for tag in list.as_array().into_iter().flatten() {
        let key = tag["Key"].as_str().unwrap_or_default();
        let value = tag["Value"].as_str().unwrap_or_default();
        check_tag(key, value, DIALECT)?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(Some(tags))
}

pub(super) fn tag(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let tags = read(input)?.ok_or_else(|| input.missing("tags"))?;
    let held = of(call, region, input)?;
    let mut joined = held.clone();
    joined.extend(tags);
    if joined.len() > MOST_TAGS {
        return Err(DIALECT.invalid("A resource can have no more than 50 tags."));
    }
    *held = joined;
    changed(call, &json!({}))
}

pub(super) fn untag(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let keys = input
        .texts("TagKeys")?
        .ok_or_else(|| input.missing("tagKeys"))?;
    of(call, region, input)?.retain(|key, _| !keys.contains(key));
    changed(call, &json!({}))
}

pub(super) fn list(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let tags: Vec<Value> = of(call, region, input)?
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    found(call, &json!({"Tags": tags}))
}

fn of<'a>(
    call: &Call<'_>,
    region: &'a mut Region,
    input: &Members,
) -> Result<&'a mut BTreeMap<String, String>, Refusal> {
    let arn = input.text("ResourceARN", 1..=1011)?;
    let own = format!(
        "arn:aws:athena:{}:{}:workgroup/",
        call.region.unwrap_or_default(),
        call.account
    );
    arn.strip_prefix(&own)
        .and_then(|name| region.workgroups.get_mut(name))
        .map(|workgroup| &mut workgroup.tags)
        .ok_or_else(|| DIALECT.refuse("ResourceNotFoundException", format!("{arn} is not found.")))
}

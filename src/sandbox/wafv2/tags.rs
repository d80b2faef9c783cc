//! Tags of web ACLs and IP sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::input::{Input, Text};
use super::model::Waf;
use super::refusal::Refusal;
use super::{Context, Reply, page};

/// Per resource (Developer Guide, tag restrictions).
const MOST_TAGS: usize = 50;

/// The tags of a create call, if it has any.
pub(super) fn initial(input: &mut Input) -> Result<Option<BTreeMap<String, String>>, Refusal> {
    match input.take("Tags") {
        None => Ok(None),
        Some(Value::Array(tags)) => read(&tags).map(Some),
        Some(_) => Err(Refusal::new("SerializationException", "Tags is not a list")),
    }
}

pub(super) fn tag(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let arn = input.required("ResourceARN", Text::Arn);
    let tags = input.list("Tags").unwrap_or_default();
    input.finish()?;
    let tags = read(&tags)?;
    known(state, &arn)?;
    let held = state.tags.entry(arn).or_default();
    let mut joined = held.clone();
    joined.extend(tags);
    if joined.len() > MOST_TAGS {
        return Err(Refusal::limit("tags of a resource"));
    }
    *held = joined;
    context.changed(&json!({}))
}

pub(super) fn untag(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let arn = input.required("ResourceARN", Text::Arn);
    let keys = input.texts("TagKeys");
    input.finish()?;
    known(state, &arn)?;
    if let Some(tags) = state.tags.get_mut(&arn) {
        tags.retain(|key, _| !keys.contains(key));
    }
    context.changed(&json!({}))
}

pub(super) fn list(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let page = page::Request::read(&mut input)?;
    let arn = input.required("ResourceARN", Text::Arn);
    input.finish()?;
    known(state, &arn)?;
    let tags = state.tags.get(&arn).into_iter().flatten();
    let items = tags
        .map(|(key, value)| (key.as_str(), json!({"Key": key, "Value": value})))
        .collect();
    let mut answer = page.answer("TagList", items);
    let list = answer["TagList"].take();
    let mut whole = json!({"TagInfoForResource": {"ResourceARN": arn, "TagList": list}});
    if let Some(next) = answer.get("NextMarker") {
        whole["NextMarker"] = next.clone();
    }
    context.found(&whole)
}

fn known(state: &Waf, arn: &str) -> Result<(), Refusal> {
    let sets = state.ip_sets.values().map(|set| &set.arn);
    let acls = state.web_acls.values().map(|acl| &acl.arn);
    if sets.chain(acls).any(|known| known == arn) {
        Ok(())
    } else {
        Err(Refusal::nonexistent())
    }
}

fn read(tags: &[Value]) -> Result<BTreeMap<String, String>, Refusal> {
    let mut read = BTreeMap::new();
    for tag in tags {
        let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) else {
            return Err(Refusal::new(
                "ValidationException",
                "1 validation error detected: Value null at 'tags.1.member.key' failed to \
                 satisfy constraint: Member must not be null",
            ));
        };
        let fits = !key.is_empty() && key.chars().count() <= 128 && value.chars().count() <= 256;
        if !fits || key.starts_with("aws:") {
            return Err(Refusal::parameter("TAGS", key, "The tag is not valid."));
        }
        if read.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Refusal::parameter(
                "TAG_KEYS",
                key,
                "The tag key is given twice.",
            ));
        }
    }
    if read.len() > MOST_TAGS {
        return Err(Refusal::limit("tags of a resource"));
    }
    Ok(read)
}

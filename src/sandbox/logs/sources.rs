//! Delivery sources: at most one for a distribution.

use serde_json::{Value, json};

use super::{DIALECT, Source, State, arn, delivery_name, missing, page};
use crate::sandbox::json::{Members, Reply, changed, done, found};
use crate::sandbox::service::Call;

pub(super) fn put(
    call: &Call<'_>,
    state: &mut State,
    is_distribution: &dyn Fn(&str) -> bool,
    input: &Members,
) -> Reply {
    let name = delivery_name(input, "name")?;
    let resource = input.text("resourceArn", 1..=2048)?;
    let log_type = input.text("logType", 1..=255)?;
    let tags = input.tags("tags")?.unwrap_or_default();
    if call.region != Some("us-east-1") {
        return Err(
            DIALECT.invalid("Deliveries of CloudFront distributions are configured in us-east-1.")
        );
    }
    if !resource.starts_with("arn:aws:cloudfront::") {
        return Err(DIALECT.invalid(
            "The embedded cloud knows the log deliveries of CloudFront distributions alone.",
        ));
    }
    if log_type != "ACCESS_LOGS" {
        return Err(DIALECT.invalid(format!(
            "logType {log_type} is not supported by cloudfront; it has ACCESS_LOGS."
        )));
    }
    if !is_distribution(&resource) {
        return Err(missing(&format!("resource {resource}")));
    }
    let other = state
        .sources
        .iter()
        .find(|(known, source)| **known != name && source.resource == resource);
    if let Some((other, _)) = other {
        return Err(DIALECT.refuse(
            "ConflictException",
            format!("This ResourceId has already been used in another Delivery Source: {other}"),
        ));
    }
    // A source keeps its resource for as long as it is: another one is another source.
    if state
        .sources
        .get(&name)
        .is_some_and(|source| source.resource != resource)
    {
        return Err(DIALECT.refuse(
            "ConflictException",
            format!("Delivery source {name} is for another resource."),
        ));
    }
    let source = state.sources.entry(name.clone()).or_insert(Source {
        resource,
        log_type,
        tags: tags.clone(),
    });
    // Tags given to an existing source join the ones it has.
    source.tags.extend(tags);
    let shown = show(call, &name, &state.sources[&name]);
    changed(call, &json!({"deliverySource": shown}))
}

pub(super) fn get(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let name = delivery_name(input, "name")?;
    let source = state
        .sources
        .get(&name)
        .ok_or_else(|| missing("Delivery Source"))?;
    found(call, &json!({"deliverySource": show(call, &name, source)}))
}

pub(super) fn list(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let items = state
        .sources
        .iter()
        .map(|(name, source)| (name.clone(), show(call, name, source)));
    page(call, input, "deliverySources", items)
}

pub(super) fn delete(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let name = delivery_name(input, "name")?;
    if !state.sources.contains_key(&name) {
        return Err(missing("Delivery Source"));
    }
    if state.deliveries.values().any(|one| one.source == name) {
        return Err(DIALECT.refuse(
            "ConflictException",
            format!("Delivery source {name} still has deliveries; delete them first."),
        ));
    }
    state.sources.remove(&name);
    done(call)
}

fn show(call: &Call<'_>, name: &str, source: &Source) -> Value {
    json!({
        "name": name,
        "arn": arn(call, "delivery-source", name),
        "resourceArns": [source.resource],
        "service": "cloudfront",
        "logType": source.log_type,
        "tags": source.tags,
    })
}

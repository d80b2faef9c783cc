//! Deliveries: a source joined with a destination, the fields and the path of its objects.

use serde_json::{Value, json};

use super::{DIALECT, Delivery, Destination, State, arn, delivery_name, missing, page, templates};
use crate::sandbox::ids::random_uuid;
use crate::sandbox::json::{Members, Refusal, Reply, changed, done, found};
use crate::sandbox::s3;
use crate::sandbox::service::Call;

pub(super) fn create(
    call: &Call<'_>,
    state: &mut State,
    buckets: &mut s3::State,
    input: &Members,
) -> Reply {
    let source = delivery_name(input, "deliverySourceName")?;
    let destination_arn = input.text("deliveryDestinationArn", 1..=2048)?;
    let tags = input.tags("tags")?.unwrap_or_default();
    if !state.sources.contains_key(&source) {
        return Err(missing("Delivery Source"));
    }
    let own = arn(call, "delivery-destination", "");
    let destination = destination_arn
        .strip_prefix(&own)
        .filter(|name| state.destinations.contains_key(*name))
        .ok_or_else(|| missing("Delivery Destination"))?
        .to_owned();
    let held = &state.destinations[&destination];
    // Whether a source may go to two buckets is not documented; one of a kind is what is.
    let taken = state.deliveries.values().any(|one| {
        one.source == source
            && (one.destination == destination
                || state.destinations[&one.destination].kind == held.kind)
    });
    if taken {
        return Err(DIALECT.refuse(
            "ConflictException",
            format!(
                "Delivery source {source} already has a delivery to a destination of type {}.",
                held.kind
            ),
        ));
    }
    let mut delivery = Delivery {
        source,
        destination: destination.clone(),
        fields: templates::default_fields(),
        delimiter: templates::default_delimiter(held.format.as_deref()).map(str::to_owned),
        suffix: (held.kind == "S3").then(|| templates::DEFAULT_SUFFIX.to_owned()),
        hive: false,
        tags,
        created: call.now,
    };
    configure(&mut delivery, held, input)?;
    if let Some(place) = held.resource.strip_prefix("arn:aws:s3:::") {
        // The policy that the service writes by itself fits its own suffix alone.
        if delivery.suffix.as_deref() == Some(templates::DEFAULT_SUFFIX) && !delivery.hive {
            buckets.allow_default_delivery(place, call.account);
        }
    }
    let id: String = random_uuid()
        .chars()
        .filter(|one| *one != '-')
        .take(16)
        .collect();
    let shown = show(call, &id, &delivery, &state.destinations);
    state.deliveries.insert(id, delivery);
    changed(call, &json!({"delivery": shown}))
}

pub(super) fn update(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let id = id(input)?;
    let delivery = state
        .deliveries
        .get(&id)
        .ok_or_else(|| missing("Delivery"))?;
    let mut changed_delivery = delivery.clone();
    let held = &state.destinations[&delivery.destination];
    configure(&mut changed_delivery, held, input)?;
    state.deliveries.insert(id, changed_delivery);
    changed(call, &json!({}))
}

pub(super) fn get(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let id = id(input)?;
    let delivery = state
        .deliveries
        .get(&id)
        .ok_or_else(|| missing("Delivery"))?;
    let shown = show(call, &id, delivery, &state.destinations);
    found(call, &json!({"delivery": shown}))
}

pub(super) fn list(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let items = state.deliveries.iter().map(|(id, delivery)| {
        let shown = show(call, id, delivery, &state.destinations);
        (id.clone(), shown)
    });
    page(call, input, "deliveries", items)
}

pub(super) fn delete(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let id = id(input)?;
    state
        .deliveries
        .remove(&id)
        .ok_or_else(|| missing("Delivery"))?;
    done(call)
}

fn id(input: &Members) -> Result<String, Refusal> {
    input.name("id", 1..=64, "^[0-9A-Za-z]+$", |character| {
        character.is_ascii_alphanumeric()
    })
}

/// Takes over the members of a call that say what is delivered and how.
fn configure(
    delivery: &mut Delivery,
    destination: &Destination,
    input: &Members,
) -> Result<(), Refusal> {
    if let Some(fields) = input.texts("recordFields")? {
        templates::check_fields(&fields)?;
        delivery.fields = fields;
    }
    if let Some(delimiter) = input.optional_text("fieldDelimiter", 0..=5)? {
        if !matches!(destination.format.as_deref(), Some("plain" | "w3c" | "raw")) {
            return Err(DIALECT.invalid(
                "A field delimiter is valid for the output formats plain, w3c and raw alone.",
            ));
        }
        delivery.delimiter = Some(delimiter);
    }
    if let Some(path) = input.structure("s3DeliveryConfiguration")? {
        if destination.kind != "S3" {
            return Err(DIALECT.invalid("s3DeliveryConfiguration is for S3 destinations alone."));
        }
        if let Some(suffix) = path.optional_text("suffixPath", 1..=256)? {
            templates::check_suffix(&suffix)?;
            delivery.suffix = Some(suffix);
        }
        if let Some(hive) = path.flag("enableHiveCompatiblePath")? {
            delivery.hive = hive;
        }
    }
    Ok(())
}

fn show(
    call: &Call<'_>,
    id: &str,
    delivery: &Delivery,
    destinations: &std::collections::BTreeMap<String, Destination>,
) -> Value {
    let mut shown = json!({
        "id": id,
        "arn": arn(call, "delivery", id),
        "deliverySourceName": delivery.source,
        "deliveryDestinationArn": arn(call, "delivery-destination", &delivery.destination),
        "deliveryDestinationType": destinations[&delivery.destination].kind,
        "recordFields": delivery.fields,
        "tags": delivery.tags,
    });
    if let Some(delimiter) = &delivery.delimiter {
        shown["fieldDelimiter"] = delimiter.as_str().into();
    }
    if let Some(suffix) = &delivery.suffix {
        shown["s3DeliveryConfiguration"] =
            json!({"suffixPath": suffix, "enableHiveCompatiblePath": delivery.hive});
    }
    shown
}

//! Delivery destinations: a bucket with a prefix, a log group or a Firehose stream.

use serde_json::{Value, json};

use super::{DIALECT, Destination, State, arn, delivery_name, missing, page};
use crate::sandbox::json::{Members, Refusal, Reply, changed, done, found};
use crate::sandbox::s3;
use crate::sandbox::service::Call;

const FORMATS: [&str; 5] = ["json", "plain", "w3c", "raw", "parquet"];

pub(super) fn put(
    call: &Call<'_>,
    state: &mut State,
    buckets: &s3::State,
    input: &Members,
) -> Reply {
    let name = delivery_name(input, "name")?;
    let format = input.word("outputFormat", &FORMATS)?;
    let configuration = input.structure("deliveryDestinationConfiguration")?;
    let resource = configuration
        .ok_or_else(|| input.missing("deliveryDestinationConfiguration"))?
        .text("destinationResourceArn", 1..=2048)?;
    let tags = input.tags("tags")?.unwrap_or_default();
    let kind = kind(&resource, call, buckets)?;
    if format == Some("parquet") && kind != "S3" {
        return Err(DIALECT.invalid("Output format parquet is supported for S3 alone."));
    }
    let made = Destination {
        kind: kind.to_owned(),
        resource,
        format: format.map(str::to_owned),
        tags,
    };
    if let Some(known) = state.destinations.get_mut(&name) {
        if known.format != made.format && made.format.is_some() {
            return Err(DIALECT.invalid(
                "The output format of a delivery destination cannot be changed; make another one.",
            ));
        }
        if known.resource != made.resource {
            return Err(DIALECT.refuse(
                "ConflictException",
                format!("Delivery destination {name} is for another resource."),
            ));
        }
        known.tags.extend(made.tags);
    } else {
        state.destinations.insert(name.clone(), made);
    }
    let shown = show(call, &name, &state.destinations[&name]);
    changed(call, &json!({"deliveryDestination": shown}))
}

pub(super) fn get(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let name = delivery_name(input, "name")?;
    let destination = state
        .destinations
        .get(&name)
        .ok_or_else(|| missing("Delivery Destination"))?;
    let shown = show(call, &name, destination);
    found(call, &json!({"deliveryDestination": shown}))
}

pub(super) fn list(call: &Call<'_>, state: &State, input: &Members) -> Reply {
    let items = state
        .destinations
        .iter()
        .map(|(name, destination)| (name.clone(), show(call, name, destination)));
    page(call, input, "deliveryDestinations", items)
}

pub(super) fn delete(call: &Call<'_>, state: &mut State, input: &Members) -> Reply {
    let name = delivery_name(input, "name")?;
    if !state.destinations.contains_key(&name) {
        return Err(missing("Delivery Destination"));
    }
    if state.deliveries.values().any(|one| one.destination == name) {
        return Err(DIALECT.refuse(
            "ConflictException",
            format!("Delivery destination {name} still has deliveries; delete them first."),
        ));
    }
    state.destinations.remove(&name);
    done(call)
}

/// The kind of destination that an ARN is.
fn kind(resource: &str, call: &Call<'_>, buckets: &s3::State) -> Result<&'static str, Refusal> {
    if let Some(place) = resource.strip_prefix("arn:aws:s3:::") {
        let bucket = place.split('/').next().unwrap_or_default();
        // A bucket name with a dot is a valid one, and not for this API.
        plain_name(bucket, "bucket")?;
        if !buckets.has(bucket) {
            return Err(missing(&format!("bucket {bucket}")));
        }
        return Ok("S3");
    }
    let group = format!(":{}:log-group:", call.account);
    if resource.starts_with("arn:aws:logs:") && resource.contains(&group) {
        return Ok("CWL");
    }
    if let Some(rest) = resource.strip_prefix("arn:aws:firehose:") {
        if !rest.starts_with("us-east-1:") {
            return Err(
                DIALECT.invalid("The delivery stream of CloudFront's logs must be in us-east-1.")
            );
        }
        let stream = rest.rsplit('/').next().unwrap_or_default();
        plain_name(stream, "delivery stream")?;
        return Ok("FH");
    }
    Err(DIALECT.invalid(format!(
        "{resource} is not the ARN of a bucket, a log group or a delivery stream."
    )))
}

fn plain_name(name: &str, what: &str) -> Result<(), Refusal> {
    let fits = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
    if fits {
        Ok(())
    } else {
        Err(DIALECT.invalid(format!(
            "The {what} name {name} does not match [\\w-]; names with dots are not supported."
        )))
    }
}

fn show(call: &Call<'_>, name: &str, destination: &Destination) -> Value {
    let mut shown = json!({
        "name": name,
        "arn": arn(call, "delivery-destination", name),
        "deliveryDestinationType": destination.kind,
        "deliveryDestinationConfiguration": {"destinationResourceArn": destination.resource},
        "tags": destination.tags,
    });
    if let Some(format) = &destination.format {
        shown["outputFormat"] = format.as_str().into();
    }
    shown
}

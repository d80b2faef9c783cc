//! The operations on streams, with the service's limits (botocore `kinesis`, 2013-12-02: lengths,
//! patterns, and the limits in the operations' own documentation).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Busy, DIALECT, Stream};
use crate::sandbox::json::{self, MOST_TAGS, Members, Refusal, Reply, changed, done, found};
use crate::sandbox::service::Call;

type Streams = BTreeMap<String, Stream>;

/// Shards that an account may have in the three large regions, and elsewhere. Only the first is
/// published for all accounts; the second is the lower of the figures that are.
const SHARDS_LARGE: u32 = 20_000;
const SHARDS_ELSEWHERE: u32 = 1_000;
const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];
/// Streams that may be in `CREATING` at once.
const CREATING: usize = 5;
/// Shard updates of a stream in a day, and mode changes.
const RESHARDS_A_DAY: usize = 10;
const MODES_A_DAY: usize = 2;
/// A stream on demand begins with as many.
const ON_DEMAND_SHARDS: u32 = 4;
const RETENTION_HOURS: u32 = 24;

/// Brings every stream to what it is by now.
pub(super) fn settle(streams: &mut Streams, now: Timestamp) {
    streams.retain(|_, stream| {
        let Some((busy, until)) = stream.busy else {
            return true;
        };
        if until > now {
            return true;
        }
        stream.busy = None;
        busy != Busy::Deleting
    });
}

pub(super) fn create(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let name = stream_name(input)?;
    let on_demand = mode(input)?.unwrap_or(false);
    let shards = count(input.number("ShardCount", 1..=i64::MAX)?);
    let tags = input.tags("Tags")?.unwrap_or_default();
    let shards = match (on_demand, shards) {
        (true, None) => ON_DEMAND_SHARDS,
        (true, Some(_)) => {
            return Err(DIALECT
                .invalid("ShardCount must not be specified for a stream in the ON_DEMAND mode."));
        }
        (false, Some(shards)) => shards,
        (false, None) => {
            return Err(DIALECT.invalid("ShardCount must be specified for a provisioned stream."));
        }
    };
    if streams.contains_key(&name) {
        return Err(DIALECT.refuse(
            "ResourceInUseException",
            format!(
                "Stream {name} under account {} already exists.",
                call.account
            ),
        ));
    }
    let creating = streams
        .values()
        .filter(|stream| is_busy(stream, Busy::Creating));
    if creating.count() >= CREATING {
        return Err(limit("too many streams are being created at once"));
    }
    hold_quota(call, streams, 0, shards)?;
    streams.insert(
        name,
        Stream {
            created: call.now,
            on_demand,
            shards,
            retention_hours: RETENTION_HOURS,
            tags,
            busy: busy(call, Busy::Creating),
            reshards: Vec::new(),
            mode_changes: Vec::new(),
        },
    );
    done(call)
}

pub(super) fn describe(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let (name, stream) = known(call, streams, input)?;
    let mut summary = summary(call, &name, stream);
    summary["RetentionPeriodHours"] = stream.retention_hours.into();
    summary["EnhancedMonitoring"] = json!([{"ShardLevelMetrics": []}]);
    summary["EncryptionType"] = "NONE".into();
    // A stream that is being made has no shards yet.
    let is_made = !is_busy(stream, Busy::Creating);
    summary["OpenShardCount"] = if is_made { stream.shards } else { 0 }.into();
    summary["ConsumerCount"] = 0.into();
    found(call, &json!({"StreamDescriptionSummary": summary}))
}

pub(super) fn list(call: &Call<'_>, streams: &Streams, input: &Members) -> Reply {
    let limit = count(input.number("Limit", 1..=10_000)?).unwrap_or(100);
    let after = input.optional_text("ExclusiveStartStreamName", 1..=128)?;
    let token = input.optional_text("NextToken", 1..=1_048_576)?;
    let items = streams
        .iter()
        .filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after))
        .map(|(name, stream)| (name.clone(), summary(call, name, stream)));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let names: Vec<&Value> = page.iter().map(|summary| &summary["StreamName"]).collect();
    let mut answer = json!({"StreamNames": names, "HasMoreStreams": next.is_some()});
    answer["StreamSummaries"] = page.into();
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    found(call, &answer)
}

pub(super) fn reshard(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let target = count(input.number("TargetShardCount", 1..=i64::MAX)?)
        .ok_or_else(|| input.missing("TargetShardCount"))?;
    if input.word("ScalingType", &["UNIFORM_SCALING"])?.is_none() {
        return Err(input.missing("ScalingType"));
    }
    let (name, stream) = known(call, streams, input)?;
    active(&name, stream)?;
    let current = stream.shards;
    if stream.on_demand {
        return Err(DIALECT
            .invalid("UpdateShardCount is not supported for a stream in the ON_DEMAND mode."));
    }
    if target > current.saturating_mul(2) || target.saturating_mul(2) < current {
        return Err(DIALECT.refuse(
            "InvalidArgumentException",
            format!(
                "UpdateShardCount cannot scale below half or above double the current shard \
                 count. Current open shard count: {current} Target shard count: {target}"
            ),
        ));
    }
    if in_a_day(&mut streams_entry(streams, &name)?.reshards, call.now) >= RESHARDS_A_DAY {
        return Err(limit("a stream can be resharded ten times in 24 hours"));
    }
    hold_quota(call, streams, current, target)?;
    let busy = busy(call, Busy::Updating);
    let stream = streams_entry(streams, &name)?;
    stream.shards = target;
    stream.reshards.push(call.now);
    stream.busy = busy;
    changed(
        call,
        &json!({
            "StreamName": name,
            "StreamARN": arn(call, &name),
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }),
    )
}

pub(super) fn set_mode(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    input.text("StreamARN", 1..=2048)?;
    let on_demand = mode(input)?.ok_or_else(|| input.missing("StreamModeDetails"))?;
    let (name, stream) = known(call, streams, input)?;
    active(&name, stream)?;
    let busy = busy(call, Busy::Updating);
    if in_a_day(&mut stream.mode_changes, call.now) >= MODES_A_DAY {
        return Err(limit("a stream's mode can be changed twice in 24 hours"));
    }
    stream.on_demand = on_demand;
    stream.mode_changes.push(call.now);
    stream.busy = busy;
    done(call)
}

pub(super) fn delete(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let (name, stream) = known(call, streams, input)?;
    match busy(call, Busy::Deleting) {
        Some(busy) => stream.busy = Some(busy),
        None => {
            streams.remove(&name);
        }
    }
    done(call)
}

pub(super) fn tag(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let tags = input.tags("Tags")?.ok_or_else(|| input.missing("Tags"))?;
    let (_, stream) = known(call, streams, input)?;
    let mut joined = stream.tags.clone();
    joined.extend(tags);
    if joined.len() > MOST_TAGS {
        return Err(DIALECT.refuse(
            "InvalidArgumentException",
            format!("Failed to add tags to stream: at most {MOST_TAGS} tags are allowed."),
        ));
    }
    stream.tags = joined;
    done(call)
}

pub(super) fn untag(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let keys = input
        .texts("TagKeys")?
        .ok_or_else(|| input.missing("TagKeys"))?;
    let (_, stream) = known(call, streams, input)?;
    stream.tags.retain(|key, _| !keys.contains(key));
    done(call)
}

pub(super) fn list_tags(call: &Call<'_>, streams: &mut Streams, input: &Members) -> Reply {
    let limit = count(input.number("Limit", 1..=50)?).unwrap_or(50);
    let after = input.optional_text("ExclusiveStartTagKey", 1..=128)?;
    let (_, stream) = known(call, streams, input)?;
    let mut tags = stream
        .tags
        .iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
        .peekable();
    let mut page = Vec::new();
    while page.len() < limit as usize
        && let Some((key, value)) = tags.next()
    {
        page.push(json!({"Key": key, "Value": value}));
    }
    let more = tags.peek().is_some();
    found(call, &json!({"Tags": page, "HasMoreTags": more}))
}

/// The stream that a call names, by name or ARN.
fn known<'a>(
    call: &Call<'_>,
    streams: &'a mut Streams,
    input: &Members,
) -> Result<(String, &'a mut Stream), Refusal> {
    let name = match input.optional_text("StreamARN", 1..=2048)? {
        Some(arn) => {
            let own = format!(
                "arn:aws:kinesis:{}:{}:stream/",
                call.region.unwrap_or_default(),
                call.account
            );
            let name = arn.strip_prefix(&own).map(str::to_owned);
            name.ok_or_else(|| missing(call, &arn))?
        }
        None => match input.raw("StreamName") {
            Some(_) => stream_name(input)?,
            None => {
                return Err(DIALECT.refuse(
                    "InvalidArgumentException",
                    "Either StreamName or StreamARN must be specified.",
                ));
            }
        },
    };
    match streams.get_mut(&name) {
        Some(stream) => Ok((name, stream)),
        None => Err(missing(call, &name)),
    }
}

fn streams_entry<'a>(streams: &'a mut Streams, name: &str) -> Result<&'a mut Stream, Refusal> {
    streams
        .get_mut(name)
        .ok_or_else(|| DIALECT.refuse("ResourceNotFoundException", name))
}

fn missing(call: &Call<'_>, name: &str) -> Refusal {
    DIALECT.refuse(
        "ResourceNotFoundException",
        format!("Stream {name} under account {} not found.", call.account),
    )
}

fn stream_name(input: &Members) -> Result<String, Refusal> {
    input.name("StreamName", 1..=128, "[a-zA-Z0-9_.-]+", |character| {
        character.is_ascii_alphanumeric() || "_.-".contains(character)
    })
}

/// Whether the mode that a call names is the one on demand.
fn mode(input: &Members) -> Result<Option<bool>, Refusal> {
    let Some(details) = input.structure("StreamModeDetails")? else {
        return Ok(None);
    };
    let word = details.word("StreamMode", &["PROVISIONED", "ON_DEMAND"])?;
    let word = word.ok_or_else(|| details.missing("StreamMode"))?;
    Ok(Some(word == "ON_DEMAND"))
}

fn summary(call: &Call<'_>, name: &str, stream: &Stream) -> Value {
    let mode = if stream.on_demand {
        "ON_DEMAND"
    } else {
        "PROVISIONED"
    };
    let status = match stream.busy {
        None => "ACTIVE",
        Some((Busy::Creating, _)) => "CREATING",
        Some((Busy::Updating, _)) => "UPDATING",
        Some((Busy::Deleting, _)) => "DELETING",
    };
    json!({
        "StreamName": name,
        "StreamARN": arn(call, name),
        "StreamStatus": status,
        "StreamModeDetails": {"StreamMode": mode},
        "StreamCreationTimestamp": json::time(stream.created),
    })
}

fn arn(call: &Call<'_>, name: &str) -> String {
    let region = call.region.unwrap_or_default();
    format!("arn:aws:kinesis:{region}:{}:stream/{name}", call.account)
}

fn active(name: &str, stream: &Stream) -> Result<(), Refusal> {
    match stream.busy {
        None => Ok(()),
        Some(_) => Err(DIALECT.refuse(
            "ResourceInUseException",
            format!("Stream {name} is not ACTIVE; wait until it is."),
        )),
    }
}

fn is_busy(stream: &Stream, with: Busy) -> bool {
    stream.busy.is_some_and(|(busy, _)| busy == with)
}

/// Streams take as long as a key value store takes to reach its first edge: seconds.
fn busy(call: &Call<'_>, with: Busy) -> Option<(Busy, Timestamp)> {
    let delay = SignedDuration::try_from(call.rollout.store.base).ok()?;
    let until = call.now.checked_add(delay).ok()?;
    (until > call.now).then_some((with, until))
}

fn hold_quota(call: &Call<'_>, streams: &Streams, before: u32, after: u32) -> Result<(), Refusal> {
    let region = call.region.unwrap_or_default();
    let quota = if LARGE_REGIONS.contains(&region) {
        SHARDS_LARGE
    } else {
        SHARDS_ELSEWHERE
    };
    let held: u32 = streams
        .values()
        .filter(|stream| !stream.on_demand)
        .map(|stream| stream.shards)
        .sum();
    let wanted = held.saturating_sub(before).saturating_add(after);
    if wanted > quota {
        return Err(limit(&format!(
            "this request would exceed the shard limit of {quota} for account {} in {region}: \
             {wanted} shards",
            call.account
        )));
    }
    Ok(())
}

/// How many of these were in the last 24 hours; forgets the others.
fn in_a_day(times: &mut Vec<Timestamp>, now: Timestamp) -> usize {
    times.retain(|at| now.duration_since(*at) < SignedDuration::from_hours(24));
    times.len()
}

fn limit(what: &str) -> Refusal {
    DIALECT.refuse("LimitExceededException", what)
}

fn count(number: Option<i64>) -> Option<u32> {
    number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

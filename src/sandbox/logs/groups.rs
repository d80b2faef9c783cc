//! Log groups with their events, and Logs Insights over them, as far as reading messages in the order
//! of their times goes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::flow::Flow;
use super::{DIALECT, page};
use crate::sandbox::ids::random_uuid;
use crate::sandbox::json::{Dialect, Members, Refusal, Regional, Reply, changed, done, found};
use crate::sandbox::service::Call;

/// Events that a page of a filter, and rows that a query of Insights, has at most.
const MOST: i64 = 10_000;
/// How long a query of Insights runs at least.
const RUNNING: Duration = Duration::from_millis(200);

/// Log groups and the queries over them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Groups {
    /// By name, in each region.
    groups: Regional<BTreeMap<String, Group>>,
    /// By id.
    queries: BTreeMap<String, Query>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Group {
    created: Timestamp,
    streams: BTreeSet<String>,
    /// In the order of their times.
    events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) stream: String,
    pub(super) message: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Query {
    region: String,
    group: String,
    /// Seconds since 1970; both belong to it.
    from: i64,
    until: i64,
    plan: Plan,
    ends: Timestamp,
    stopped: bool,
}

/// What a query of Insights says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Plan {
    fields: Vec<String>,
    ascending: bool,
    limit: usize,
}

fn region<'a>(call: &Call<'a>) -> &'a str {
    call.region.unwrap_or("us-east-1")
}

fn group_name(input: &Members, member: &str) -> Result<String, Refusal> {
    input.name(member, 1..=512, r"[\.\-_/#A-Za-z0-9]+", |character| {
        character.is_ascii_alphanumeric() || "._-/#".contains(character)
    })
}

fn missing() -> Refusal {
    DIALECT.refuse(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

impl Groups {
    fn group(&mut self, call: &Call<'_>, name: &str) -> Result<&mut Group, Refusal> {
        self.groups.of(call).get_mut(name).ok_or_else(missing)
    }

    pub(super) fn create(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let groups = self.groups.of(call);
        if groups.contains_key(&name) {
            return Err(DIALECT.refuse(
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        groups.insert(
            name,
            Group {
                created: call.now,
                streams: BTreeSet::new(),
                events: Vec::new(),
            },
        );
        done(call)
    }

    pub(super) fn delete(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let removed = self.groups.of(call).remove(&name);
        removed.ok_or_else(missing)?;
        done(call)
    }

    pub(super) fn describe(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let prefix = input
            .optional_text("logGroupNamePrefix", 1..=512)?
            .unwrap_or_default();
        let (account, region) = (call.account, region(call));
        let groups = self.groups.of(call).iter();
        let items = groups
            .filter(|(name, _)| name.starts_with(&prefix))
            .map(|(name, group)| {
                let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}");
                let bytes: usize = group.events.iter().map(|event| event.message.len()).sum();
                let shown = json!({
                    "logGroupName": name,
                    "creationTime": group.created.as_millisecond(),
                    "metricFilterCount": 0,
                    "arn": format!("{arn}:*"),
                    "logGroupArn": arn,
                    "logGroupClass": "STANDARD",
                    "storedBytes": bytes,
                });
                (name.clone(), shown)
            });
        page(call, input, "logGroups", items)
    }

    pub(super) fn create_stream(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let stream = input.text("logStreamName", 1..=512)?;
        if !self.group(call, &name)?.streams.insert(stream) {
            return Err(DIALECT.refuse(
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        done(call)
    }

    pub(super) fn put(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let stream = input.text("logStreamName", 1..=512)?;
        let wrong = || {
            DIALECT.refuse(
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be 1 to 10000, each with a time and \
                 a message, in chronological order.",
            )
        };
        let list = input.raw("logEvents").and_then(Value::as_array);
        let list = list.filter(|list| !list.is_empty() && list.len() <= 10_000);
        let mut events = Vec::new();
        for event in list.ok_or_else(wrong)? {
            events.push(Event {
                at: event["timestamp"].as_i64().ok_or_else(wrong)?,
                stream: stream.clone(),
                message: event["message"]
                    .as_str()
                    .filter(|message| !message.is_empty())
                    .ok_or_else(wrong)?
                    .to_owned(),
            });
        }
        if !events.is_sorted_by_key(|event| event.at) {
            return Err(wrong());
        }
        let group = self.group(call, &name)?;
        if !group.streams.contains(&stream) {
            return Err(DIALECT.refuse(
                "ResourceNotFoundException",
                "The specified log stream does not exist.",
            ));
        }
        group.events.extend(events);
        group.events.sort_by_key(|event| event.at);
        changed(call, &json!({}))
    }

    /// The events of a group within a range of milliseconds, in the order of their times: what was
    /// put there, and what deliveries bring.
    fn events(&self, region: &str, name: &str, range: &Range<i64>, flow: &Flow<'_>) -> Vec<Event> {
        let groups = self.groups.0.get(region);
        let Some(group) = groups.and_then(|groups| groups.get(name)) else {
            return Vec::new();
        };
        let mut events = flow.events(region, name, range);
        let put = group.events.iter();
        events.extend(put.filter(|event| range.contains(&event.at)).cloned());
        events.sort_by_key(|event| event.at);
        events
    }

    pub(super) fn filter(&mut self, call: &Call<'_>, input: &Members, flow: &Flow<'_>) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let from = input.number("startTime", 0..=i64::MAX)?.unwrap_or(0);
        let until = input.number("endTime", 0..=i64::MAX)?.unwrap_or(i64::MAX);
        let limit = input.number("limit", 1..=MOST)?.unwrap_or(MOST);
        if input.raw("filterPattern").is_some() {
            return Err(DIALECT.refuse(
                "InvalidParameterException",
                "The embedded cloud filters by time alone.",
            ));
        }
        let start = match input.optional_text("nextToken", 1..=4096)? {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| {
                DIALECT.refuse("InvalidParameterException", "The nextToken is not valid.")
            })?,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.group(call, &name)?;
        let range = from..until.saturating_add(1);
        let events = self.events(region(call), &name, &range, flow);
        let mut events = events.iter().enumerate().skip(start).peekable();
        let shown: Vec<Value> = events
            .by_ref()
            .take(limit)
            .map(|(place, event)| {
                json!({
                    "logStreamName": event.stream,
                    "timestamp": event.at,
                    "message": event.message,
                    "ingestionTime": event.at,
                    "eventId": format!("{:056}", place),
                })
            })
            .collect();
        let mut answer = json!({"events": shown, "searchedLogStreams": []});
        if events.peek().is_some() {
            answer["nextToken"] = (start + limit).to_string().into();
        }
        found(call, &answer)
    }

    /// Starts a query that runs some seconds longer than it must.
    pub(super) fn start(&mut self, call: &Call<'_>, input: &Members, seconds: u64) -> Reply {
        let name = group_name(input, "logGroupName")?;
        let text = input.text("queryString", 0..=10_000)?;
        let from = input
            .number("startTime", 0..=i64::MAX)?
            .ok_or_else(|| input.missing("startTime"))?;
        let until = input
            .number("endTime", 0..=i64::MAX)?
            .ok_or_else(|| input.missing("endTime"))?;
        let limit = input.number("limit", 1..=MOST)?;
        if until < from {
            return Err(DIALECT.refuse(
                "InvalidParameterException",
                "End time should not be before start time.",
            ));
        }
        let plan = plan(&text, limit)?;
        self.group(call, &name)?;
        let id = random_uuid();
        self.queries.insert(
            id.clone(),
            Query {
                region: region(call).to_owned(),
                group: name,
                from,
                until,
                plan,
                ends: call
                    .now
                    .saturating_add(RUNNING + Duration::from_secs(seconds))
                    .unwrap_or(call.now),
                stopped: false,
            },
        );
        changed(call, &json!({"queryId": id}))
    }

    fn query(&self, call: &Call<'_>, input: &Members) -> Result<(String, &Query), Refusal> {
        let id = input.text("queryId", 0..=256)?;
        let query = self
            .queries
            .get(&id)
            .filter(|query| query.region == region(call))
            .ok_or_else(|| {
                DIALECT.refuse(
                    "ResourceNotFoundException",
                    "The specified query does not exist.",
                )
            })?;
        Ok((id, query))
    }

    pub(super) fn stop(&mut self, call: &Call<'_>, input: &Members) -> Reply {
        let (id, query) = self.query(call, input)?;
        let runs = query.status(call.now) == "Running";
        if let Some(query) = self.queries.get_mut(&id) {
            query.stopped |= runs;
        }
        changed(call, &json!({"success": runs}))
    }

    pub(super) fn results(&self, call: &Call<'_>, input: &Members, flow: &Flow<'_>) -> Reply {
        let (_, query) = self.query(call, input)?;
        let status = query.status(call.now);
        let (mut scanned, mut bytes) = (0_usize, 0_usize);
        let mut rows = Vec::new();
        if status == "Complete" {
            // Both ends belong to the range, the last second with all its milliseconds.
            let range = query.from * 1000..(query.until + 1) * 1000;
            let events = self.events(&query.region, &query.group, &range, flow);
            let mut chosen: Vec<(usize, &Event)> = events.iter().enumerate().collect();
            scanned = chosen.len();
            bytes = chosen.iter().map(|(_, event)| event.message.len()).sum();
            if !query.plan.ascending {
                chosen.reverse();
            }
            chosen.truncate(query.plan.limit);
            rows = chosen
                .into_iter()
                .map(|(place, event)| query.plan.row(place, event))
                .collect();
        }
        #[expect(clippy::cast_precision_loss, reason = "the service counts in doubles")]
        let statistics = json!({
            "recordsMatched": scanned as f64,
            "recordsScanned": scanned as f64,
            "bytesScanned": bytes as f64,
        });
        found(
            call,
            &json!({"results": rows, "statistics": statistics, "status": status}),
        )
    }
}

impl Query {
    fn status(&self, now: Timestamp) -> &'static str {
        if self.stopped {
            "Cancelled"
        } else if now < self.ends {
            "Running"
        } else {
            "Complete"
        }
    }
}

impl Plan {
    fn row(&self, place: usize, event: &Event) -> Value {
        let mut cells: Vec<Value> = self
            .fields
            .iter()
            .map(|field| {
                let value = match field.as_str() {
                    "@timestamp" => moment(event.at),
                    "@logStream" => event.stream.clone(),
                    _ => event.message.clone(),
                };
                json!({"field": field, "value": value})
            })
            .collect();
        cells.push(json!({"field": "@ptr", "value": format!("{place:056}")}));
        Value::Array(cells)
    }
}

/// Reads `fields … | sort @timestamp asc | limit N`; what else the language has is refused.
fn plan(text: &str, limit: Option<i64>) -> Result<Plan, Refusal> {
    let malformed = |what: &str| {
        Dialect {
            message: "queryCompileError/message",
            ..DIALECT
        }
        .refuse(
            "MalformedQueryException",
            format!("unexpected symbol found {what}"),
        )
    };
    let mut plan = Plan {
        fields: vec!["@timestamp".to_owned(), "@message".to_owned()],
        ascending: false,
        limit: usize::try_from(limit.unwrap_or(MOST)).unwrap_or(usize::MAX),
    };
    for command in text.split('|').map(str::trim).filter(|one| !one.is_empty()) {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "fields" => {
                plan.fields = rest.split(',').map(|one| one.trim().to_owned()).collect();
                let known = ["@timestamp", "@message", "@logStream"];
                if let Some(other) = plan
                    .fields
                    .iter()
                    .find(|one| !known.contains(&one.as_str()))
                {
                    return Err(malformed(other));
                }
            }
            "sort" => {
                plan.ascending = match rest.split_whitespace().collect::<Vec<_>>()[..] {
                    ["@timestamp", "asc"] => true,
                    ["@timestamp"] | ["@timestamp", "desc"] => false,
                    _ => return Err(malformed(rest)),
                }
            }
            "limit" => {
                let wanted: usize = rest.trim().parse().map_err(|_| malformed(rest))?;
                if !(1..=10_000).contains(&wanted) {
                    return Err(malformed(rest));
                }
                plan.limit = plan.limit.min(wanted);
            }
            other => return Err(malformed(other)),
        }
    }
    Ok(plan)
}

fn moment(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
    )
}

//! The operations on queries.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{DIALECT, PRIMARY, Region, missing_workgroup, workgroup_name};
use super::{Execution, Outcome, QUEUED, World, advance, sheet};
use crate::sandbox::ids::random_uuid;
use crate::sandbox::json::{self, Members, Refusal, Reply, changed, found};
use crate::sandbox::service::Call;

const LONGEST_TEXT: usize = 262_144;
/// Rows a page of results has at most and by default.
const PAGE: i64 = 1000;

pub(in super::super) fn start(
    call: &Call<'_>,
    region: &mut Region,
    input: &Members,
    world: &World<'_>,
) -> Reply {
    let text = input.text("QueryString", 1..=LONGEST_TEXT)?;
    let token = input.optional_text("ClientRequestToken", 32..=128)?;
    let workgroup = match input.raw("WorkGroup") {
        Some(_) => workgroup_name(input, "WorkGroup")?,
        None => PRIMARY.to_owned(),
    };
    let context = input.structure("QueryExecutionContext")?;
    let of_context = |member: &str| match &context {
        Some(context) => context.optional_text(member, 1..=256),
        None => Ok(None),
    };
    let (database, catalog) = (of_context("Database")?, of_context("Catalog")?);
    let parameters = input.texts("ExecutionParameters")?;
    if parameters.as_ref().is_some_and(Vec::is_empty) {
        return Err(DIALECT.invalid(
            "1 validation error detected: Value '[]' at 'executionParameters' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ));
    }
    let reuse_minutes = reuse(input)?;
    let held = region
        .workgroups
        .get(&workgroup)
        .ok_or_else(missing_workgroup)?;
    if !held.enabled {
        return Err(DIALECT.invalid(format!("WorkGroup {workgroup} is DISABLED.")));
    }
    let output = output(held, input)?;
    let cutoff = held.configuration["BytesScannedCutoffPerQuery"].as_u64();
    let id = random_uuid();
    let due = SignedDuration::try_from(world.slow).unwrap_or(SignedDuration::MAX);
    let execution = Execution {
        text,
        parameters: parameters.unwrap_or_default(),
        workgroup,
        database,
        catalog,
        output: format!("{output}{id}.csv"),
        token,
        reuse_minutes,
        cutoff,
        submitted: call.now,
        due: call
            .now
            .saturating_add(QUEUED.saturating_add(due))
            .unwrap_or(call.now),
        outcome: None,
    };
    let before = region
        .executions
        .iter()
        .find(|(_, known)| known.token.is_some() && known.token == execution.token);
    if let Some((known_id, known)) = before {
        let is_same = known.text == execution.text
            && known.parameters == execution.parameters
            && known.workgroup == execution.workgroup
            && known.database == execution.database;
        return if is_same {
            found(call, &json!({"QueryExecutionId": known_id}))
        } else {
            Err(DIALECT.invalid("Idempotent parameters do not match"))
        };
    }
    let bucket = output
        .trim_start_matches("s3://")
        .split('/')
        .next()
        .unwrap_or_default();
    if !world.buckets.has(bucket) {
        return Err(DIALECT.invalid(format!("Unable to verify/create output bucket {bucket}")));
    }
    region.executions.insert(id.clone(), execution);
    changed(call, &json!({"QueryExecutionId": id}))
}

/// How old a result may be that is used again.
fn reuse(input: &Members) -> Result<Option<i64>, Refusal> {
    let Some(reuse) = input.structure("ResultReuseConfiguration")? else {
        return Ok(None);
    };
    let Some(by_age) = reuse.structure("ResultReuseByAgeConfiguration")? else {
        return Ok(None);
    };
    let minutes = by_age.number("MaxAgeInMinutes", 0..=10_080)?.unwrap_or(60);
    let enabled = by_age
        .flag("Enabled")?
        .ok_or_else(|| by_age.missing("enabled"))?;
    Ok(enabled.then_some(minutes))
}

/// Where the result goes, with a slash at its end: the workgroup's place where it insists.
fn output(workgroup: &super::super::WorkGroup, input: &Members) -> Result<String, Refusal> {
    let own = workgroup.configuration["ResultConfiguration"]["OutputLocation"].as_str();
    let insists = workgroup.configuration["EnforceWorkGroupConfiguration"] == true;
    let asked = match input.structure("ResultConfiguration")? {
        Some(place) => place.optional_text("OutputLocation", 0..=2048)?,
        None => None,
    };
    let chosen = match (own, asked.as_deref()) {
        (Some(own), _) if insists => own,
        (_, Some(asked)) => asked,
        (Some(own), None) => own,
        (None, None) => {
            return Err(DIALECT.invalid(
                "No output location provided. An output location is required either through the \
                 Workgroup result configuration setting or as an API input.",
            ));
        }
    };
    if !chosen.starts_with("s3://") {
        return Err(DIALECT.invalid("outputLocation is not a valid S3 path."));
    }
    Ok(format!("{}/", chosen.trim_end_matches('/')))
}

pub(in super::super) fn get(
    call: &Call<'_>,
    region: &mut Region,
    name: &str,
    input: &Members,
    world: &mut World<'_>,
) -> Reply {
    let id = input.text("QueryExecutionId", 1..=128)?;
    let ran = advance(region, name, call.now, world);
    let execution = region.executions.get(&id).ok_or_else(|| missing(&id))?;
    let body = json!({"QueryExecution": show(&id, execution, call)});
    if ran {
        changed(call, &body)
    } else {
        found(call, &body)
    }
}

pub(in super::super) fn get_many(
    call: &Call<'_>,
    region: &mut Region,
    name: &str,
    input: &Members,
    world: &mut World<'_>,
) -> Reply {
    let ids = input
        .texts("QueryExecutionIds")?
        .ok_or_else(|| input.missing("queryExecutionIds"))?;
    if !(1..=50).contains(&ids.len()) {
        return Err(DIALECT.invalid("queryExecutionIds has 1 to 50 members"));
    }
    let ran = advance(region, name, call.now, world);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for id in &ids {
        match region.executions.get(id) {
            Some(execution) => known.push(show(id, execution, call)),
            None => unknown.push(json!({
                "QueryExecutionId": id,
                "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
                "ErrorMessage": format!("QueryExecution {id} was not found"),
            })),
        }
    }
    let body = json!({"QueryExecutions": known, "UnprocessedQueryExecutionIds": unknown});
    if ran {
        changed(call, &body)
    } else {
        found(call, &body)
    }
}

/// Newest first.
pub(in super::super) fn list(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let workgroup = match input.raw("WorkGroup") {
        Some(_) => workgroup_name(input, "WorkGroup")?,
        None => PRIMARY.to_owned(),
    };
    if !region.workgroups.contains_key(&workgroup) {
        return Err(missing_workgroup());
    }
    let (limit, token) = super::super::paging(input)?;
    let mut ids: Vec<(&String, &Execution)> = region
        .executions
        .iter()
        .filter(|(_, execution)| execution.workgroup == workgroup)
        .collect();
    ids.sort_by(|(id, one), (other_id, other)| {
        (other.submitted, other_id).cmp(&(one.submitted, id))
    });
    let items = ids
        .into_iter()
        .enumerate()
        .map(|(at, (id, _))| (format!("{at:08}"), Value::from(id.as_str())));
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let mut answer = json!({"QueryExecutionIds": page});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    found(call, &answer)
}

/// One that has ended stays as it is.
pub(in super::super) fn stop(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let id = input.text("QueryExecutionId", 1..=128)?;
    let execution = region.executions.get_mut(&id).ok_or_else(|| missing(&id))?;
    if execution.outcome.is_none() {
        execution.outcome = Some(Outcome::cancelled(call.now, "Query cancelled by user", 0));
    }
    changed(call, &json!({}))
}

pub(in super::super) fn results(
    call: &Call<'_>,
    region: &mut Region,
    name: &str,
    input: &Members,
    world: &mut World<'_>,
) -> Reply {
    let id = input.text("QueryExecutionId", 1..=128)?;
    let limit = input.number("MaxResults", 1..=PAGE)?.unwrap_or(PAGE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let token = input.optional_text("NextToken", 1..=1024)?;
    let ran = advance(region, name, call.now, world);
    let execution = region.executions.get(&id).ok_or_else(|| missing(&id))?;
    let state = execution.state(call.now);
    let outcome = match &execution.outcome {
        Some(outcome) if outcome.state == "SUCCEEDED" => outcome,
        Some(_) => {
            return Err(DIALECT.invalid(format!(
                "Query did not finish successfully. Final query state: {state}"
            )));
        }
        None => {
            return Err(DIALECT.invalid(format!(
                "Query has not yet finished. Current state: {state}"
            )));
        }
    };
    let start = match token {
        None => 0,
        Some(token) => hex::decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix(&id)?.strip_prefix('@')?.parse().ok())
            .ok_or_else(|| DIALECT.invalid("Invalid pagination token provided."))?,
    };
    let place = execution.output.trim_start_matches("s3://");
    let body = place
        .split_once('/')
        .and_then(|(bucket, key)| world.buckets.bytes_of(bucket, key))
        .ok_or_else(|| {
            DIALECT.invalid("Could not find results: the result object is not in the bucket.")
        })?;
    let rows = sheet::read(&String::from_utf8_lossy(&body));
    let page: Vec<Value> = rows
        .iter()
        .skip(start)
        .take(limit)
        .map(|row| {
            let cells = row.iter().map(|cell| match cell {
                Some(text) => json!({"VarCharValue": text}),
                None => json!({}),
            });
            json!({"Data": cells.collect::<Vec<_>>()})
        })
        .collect();
    let columns: Vec<Value> = outcome
        .columns
        .iter()
        .map(|(name, kind)| column(name, kind))
        .collect();
    let mut answer = json!({
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": page,
            "ResultSetMetadata": {"ColumnInfo": columns},
        },
    });
    let end = start.saturating_add(limit);
    if end < rows.len() {
        answer["NextToken"] = hex::encode(format!("{id}@{end}")).into();
    }
    if ran {
        changed(call, &answer)
    } else {
        found(call, &answer)
    }
}

fn column(name: &str, kind: &str) -> Value {
    let (precision, scale) = match kind {
        "boolean" => (5, 0),
        "integer" => (10, 0),
        "bigint" => (19, 0),
        "double" | "real" => (17, 0),
        "timestamp" => (3, 0),
        "date" => (0, 0),
        _ => (2_147_483_647, 0),
    };
    json!({
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    })
}

fn missing(id: &str) -> Refusal {
    DIALECT.invalid(format!("QueryExecution {id} was not found"))
}

fn show(id: &str, execution: &Execution, call: &Call<'_>) -> Value {
    let mut status = json!({
        "State": execution.state(call.now),
        "SubmissionDateTime": json::time(execution.submitted),
    });
    let end = match &execution.outcome {
        Some(outcome) => outcome.completed,
        None => call.now,
    };
    let queue_end = execution.starts().min(end);
    let milliseconds = |from: jiff::Timestamp, until: jiff::Timestamp| {
        i64::try_from(until.duration_since(from).as_millis())
            .unwrap_or_default()
            .max(0)
    };
    let mut statistics = json!({
        "QueryQueueTimeInMillis": milliseconds(execution.submitted, queue_end),
        "EngineExecutionTimeInMillis": milliseconds(queue_end, end),
        "TotalExecutionTimeInMillis": milliseconds(execution.submitted, end),
        "DataScannedInBytes": 0,
    });
    if let Some(outcome) = &execution.outcome {
        status["CompletionDateTime"] = json::time(outcome.completed);
        if let Some(reason) = &outcome.reason {
            status["StateChangeReason"] = reason.as_str().into();
        }
        if let Some((category, kind, retryable)) = outcome.error {
            status["AthenaError"] = json!({
                "ErrorCategory": category,
                "ErrorType": kind,
                "Retryable": retryable,
                "ErrorMessage": outcome.reason,
            });
        }
        statistics["DataScannedInBytes"] = outcome.scanned.into();
        statistics["ResultReuseInformation"] = json!({"ReusedPreviousResult": outcome.reused});
    }
    let mut context = json!({});
    if let Some(database) = &execution.database {
        context["Database"] = database.as_str().into();
    }
    if let Some(catalog) = &execution.catalog {
        context["Catalog"] = catalog.as_str().into();
    }
    let mut shown = json!({
        "QueryExecutionId": id,
        "Query": execution.text,
        "StatementType": "DML",
        "SubstatementType": "SELECT",
        "ResultConfiguration": {"OutputLocation": execution.output},
        "QueryExecutionContext": context,
        "Status": status,
        "Statistics": statistics,
        "WorkGroup": execution.workgroup,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    });
    if !execution.parameters.is_empty() {
        shown["ExecutionParameters"] = json!(execution.parameters);
    }
    if let Some(minutes) = execution.reuse_minutes {
        shown["ResultReuseConfiguration"] = json!({
            "ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": minutes},
        });
    }
    shown
}

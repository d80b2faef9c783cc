//! Logs: that they are written, whole, and to where they are looked for.

use jiff::SignedDuration;

use super::watching::{equal, present};
use crate::event::duration::human;
use crate::event::phase::Phase;
use crate::plan::{log_delivery, shards};
use crate::preflight::reads::sampled;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::provision::cloudfront::realtime;
use crate::runbook::{AccessLogs, RealtimeLogs};

const DELIVERY: &str = "log-delivery";
const NO_ACCESS: &str = "the runbook has no [logs.access]";
const NO_REALTIME: &str = "the runbook has no [logs.realtime]";

/// Standard logs come within an hour most of the time (CloudFront Developer Guide, "Standard
/// logging"); S3 folders are one an hour.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// Folders of hours that are looked through for the newest object.
const HOURS: i64 = 3;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "logs.delivery",
        title: "every distribution's access logs are delivered",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "logs.DescribeDeliveries, DescribeDeliverySources, DescribeDeliveryDestinations",
        run: asking!(delivery),
    },
    Check {
        id: "logs.format",
        title: "access logs come in the runbook's format and folders",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "logs.DescribeDeliveries: fields, suffix, output format",
        run: asking!(format),
    },
    Check {
        id: "logs.bucket-policy",
        title: "the log service may write to the bucket",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "s3.GetBucketPolicy",
        run: asking!(bucket_policy),
    },
    Check {
        id: "logs.newest",
        title: "access logs keep coming",
        severity: Severity::Warning,
        from: Phase::Live,
        source: "s3.ListObjectsV2, the folders of the last hours; logs come within an hour",
        run: asking!(newest),
    },
    Check {
        id: "logs.realtime-config",
        title: "the real-time log configuration is as the runbook has it",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetRealtimeLogConfig",
        run: asking!(realtime_config),
    },
    Check {
        id: "logs.cmcd",
        title: "real-time logs say what players tell (CMCD)",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "cloudfront.GetRealtimeLogConfig: fields cmcd-*",
        run: asking!(cmcd),
    },
    Check {
        id: "logs.realtime-attached",
        title: "each sample path's behavior writes real-time logs",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig",
        run: asking!(attached),
    },
    Check {
        id: "logs.stream",
        title: "the stream of the real-time logs is active",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "kinesis.DescribeStreamSummary",
        run: asking!(stream),
    },
    Check {
        id: "logs.shards",
        title: "the stream takes what the forecast sends",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "kinesis.DescribeStreamSummary; 1,000 records or 1 MB a second and shard",
        run: asking!(capacity),
    },
    Check {
        id: "logs.role",
        title: "CloudFront may take the role that real-time logs are written with",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "iam.GetRole: the trust policy",
        run: asking!(role),
    },
];

fn access<'f>(facts: &'f Facts<'_>) -> Result<&'f AccessLogs, Gap> {
    let logs = facts.runbook.logs.access.as_ref();
    logs.ok_or_else(|| Gap::Absent(NO_ACCESS.to_owned()))
}

fn realtime_logs<'f>(facts: &'f Facts<'_>) -> Result<&'f RealtimeLogs, Gap> {
    let logs = facts.runbook.logs.realtime.as_ref();
    logs.ok_or_else(|| Gap::Absent(NO_REALTIME.to_owned()))
}

async fn delivery(facts: &Facts<'_>) -> Outcome {
    access(facts)?;
    Ok(present(&facts.planned(DELIVERY).await?[..], NO_ACCESS))
}

async fn format(facts: &Facts<'_>) -> Outcome {
    access(facts)?;
    Ok(equal(&facts.planned(DELIVERY).await?[..], NO_ACCESS))
}

async fn bucket_policy(facts: &Facts<'_>) -> Outcome {
    let logs = access(facts)?;
    let bucket = &logs.bucket;
    let policy = match facts.bucket_policy(bucket).await {
        Ok(policy) => policy,
        Err(Gap::Absent(_)) => {
            let region = &facts.runbook.aws.region;
            return Ok(Verdict::fail(
                format!("there is no bucket {bucket}"),
                format!("aws s3 mb s3://{bucket} --region {region}"),
            ));
        }
        Err(gap) => return Err(gap),
    };
    let event = &facts.runbook.event.id;
    let wanted = log_delivery::statement(event, logs, &facts.runbook.aws.account);
    let fix = "onair provision --only bucket-policy";
    Ok(
        match log_delivery::find_statement(policy.as_deref(), event) {
            Ok(Some(found)) if found == wanted => Verdict::pass(bucket.clone()),
            Ok(Some(_)) => Verdict::fail(
                format!("the statement for the log service in {bucket}'s policy is another"),
                fix,
            ),
            Ok(None) => Verdict::fail(
                format!("{bucket}'s policy has no statement for this event's logs"),
                fix,
            ),
            Err(error) => Verdict::fail(
                format!("{bucket}: {error}"),
                format!("aws s3api get-bucket-policy --bucket {bucket}"),
            ),
        },
    )
}

async fn newest(facts: &Facts<'_>) -> Outcome {
    let logs = access(facts)?;
    let doors = facts.state.times.doors;
    let expected = doors.saturating_add(LATE).unwrap_or(doors);
    if facts.now < expected {
        return Ok(Verdict::not_applicable(
            "viewers are let in at doors, and logs come within an hour",
        ));
    }
    let until = facts.now.min(facts.closes());
    let region = facts.bucket_region(&logs.bucket).await?;
    let account = &facts.runbook.aws.account;
    let mut verdicts = Vec::new();
    for one in &facts.runbook.distributions {
        let folders = log_delivery::folders(logs, account, &one.id, until, HOURS);
        let (region, bucket) = (String::clone(&region), logs.bucket.clone());
        let newest = facts
            .read("s3.ListObjectsV2", &one.id, |cloud| async move {
                cloud.newest_object(&region, &bucket, &folders).await
            })
            .await?;
        let fix = "onair provision --dry-run, and s3:PutObject in the bucket's policy";
        verdicts.push(match &*newest {
            None => Verdict::fail(
                format!("{}: nothing in the last {HOURS} hours", one.name),
                fix,
            ),
            Some(newest) => {
                let age = until.duration_since(newest.modified);
                let words = format!(
                    "{}: the newest is {} old",
                    one.name,
                    human(age.max(SignedDuration::ZERO))
                );
                if age <= LATE {
                    Verdict::pass(words)
                } else {
                    Verdict::fail(words, fix)
                }
            }
        });
    }
    Ok(Verdict::across(verdicts, "there is no distribution"))
}

async fn realtime_config(facts: &Facts<'_>) -> Outcome {
    let logs = realtime_logs(facts)?;
    let fix = "onair provision --only realtime-log-config";
    let found = match facts.realtime_log_config(&logs.config).await {
        Ok(found) => found,
        Err(Gap::Absent(_)) => {
            return Ok(Verdict::fail(
                format!("there is no real-time log configuration {}", logs.config),
                fix,
            ));
        }
        Err(gap) => return Err(gap),
    };
    let wanted = realtime::wanted(&facts.runbook.aws.account, logs);
    let changes = realtime::differences(&found, &wanted);
    if changes.is_empty() {
        return Ok(Verdict::pass(format!(
            "{} fields of {} % of the requests",
            found.fields.len(),
            found.sampling
        )));
    }
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Ok(Verdict::fail(
        format!("{}: {}", logs.config, changes.join(", ")),
        fix,
    ))
}

async fn cmcd(facts: &Facts<'_>) -> Outcome {
    let logs = realtime_logs(facts)?;
    let found = facts.realtime_log_config(&logs.config).await?;
    let carried = found
        .fields
        .iter()
        .filter(|field| field.starts_with("cmcd-"))
        .count();
    Ok(if carried > 0 {
        Verdict::pass(format!("{carried} fields"))
    } else {
        Verdict::fail(
            format!("{} has no CMCD field: stalls are not seen", logs.config),
            "add \"cmcd\" to [logs.realtime] fields in the runbook, then onair provision",
        )
    })
}

async fn attached(facts: &Facts<'_>) -> Outcome {
    let logs = realtime_logs(facts)?;
    let account = &facts.runbook.aws.account;
    let wanted = &format!(
        "arn:aws:cloudfront::{account}:realtime-log-config/{}",
        logs.config
    );
    facts
        .each_distribution(|one, view| async move {
            let verdicts =
                sampled(one, &view).into_iter().map(|(kind, _, behavior)| {
                    match &behavior.realtime_log_config {
                        Some(arn) if arn == wanted => Verdict::pass(format!("{}s", kind.word())),
                        Some(arn) => {
                            Verdict::fail(format!("{} writes to {arn}", behavior.name()), FIX)
                        }
                        None => Verdict::fail(format!("{} writes none", behavior.name()), FIX),
                    }
                });
            Ok(Verdict::across(verdicts, "no sample paths"))
        })
        .await
}

const FIX: &str = "onair provision --only distribution";

async fn stream(facts: &Facts<'_>) -> Outcome {
    let logs = realtime_logs(facts)?;
    match facts.stream(&logs.region, &logs.stream).await {
        // While it is resized it takes records all the same.
        Ok(stream) if ["ACTIVE", "UPDATING"].contains(&stream.status.as_str()) => {
            Ok(Verdict::pass(stream.name.clone()))
        }
        Ok(stream) => Ok(Verdict::fail(
            format!("stream {} is {}", stream.name, stream.status),
            "wait until it is ACTIVE, then run `onair preflight` again",
        )),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no stream {} in {}", logs.stream, logs.region),
            "onair provision --only stream",
        )),
        Err(gap) => Err(gap),
    }
}

async fn capacity(facts: &Facts<'_>) -> Outcome {
    let logs = realtime_logs(facts)?;
    let Some(forecast) = &facts.runbook.forecast else {
        return Ok(Verdict::not_applicable("the runbook has no [forecast]"));
    };
    let stream = facts.stream(&logs.region, &logs.stream).await?;
    let needed = shards::needed(forecast, logs);
    Ok(if stream.on_demand {
        // On demand doubles what it saw before; a kickoff is more than that.
        Verdict::fail(
            format!(
                "it grows on demand, from what it saw before; the forecast needs {needed} shards at once"
            ),
            "onair provision --only stream",
        )
    } else if stream.open_shards >= needed {
        Verdict::pass(format!("{} shards, {needed} needed", stream.open_shards))
    } else {
        Verdict::fail(
            format!(
                "{} shards, and the forecast needs {needed}",
                stream.open_shards
            ),
            "onair provision --only stream",
        )
    })
}

async fn role(facts: &Facts<'_>) -> Outcome {
    let name = realtime_logs(facts)?.role.id();
    match facts.role(name).await {
        Ok(role) if role.trust.contains("cloudfront.amazonaws.com") => {
            Ok(Verdict::pass(role.arn.clone()))
        }
        Ok(role) => Ok(Verdict::fail(
            format!("{} does not trust cloudfront.amazonaws.com", role.arn),
            format!(
                "change the trust policy of role {name}: sts:AssumeRole for cloudfront.amazonaws.com"
            ),
        )),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no role {name}"),
            format!(
                "make role {name} for cloudfront.amazonaws.com with kinesis:PutRecord(s) and DescribeStream"
            ),
        )),
        Err(gap) => Err(gap),
    }
}

//! Checks `[logs]`, `[athena]`, `[queries]`, `[dashboard]`, `[targets]` and `[[waivers]]`.

use std::path::{Path, PathBuf};

use crate::event::bytes::parse_bytes;
use crate::event::duration::parse_milliseconds;
use crate::event::log_field;
use crate::event::text::{did_you_mean, shortened};
use crate::runbook::check::arn::{self, arn};
use crate::runbook::check::event::{anchors, time};
use crate::runbook::check::{Notes, aws_name, is_percentage, region, unique};
use crate::runbook::model::{
    AccessLogsSection, AthenaSection, DashboardSection, LogsSection, Panel, QueriesSection,
    RealtimeLogsSection, TargetsSection, WaiverSection,
};
use crate::runbook::note::{Note, Problem};
use crate::runbook::resolved::{
    AccessLogs, Athena, Aws, Dashboard, Event, Logs, RealtimeLogs, Targets, Waiver,
};

/// The longest name of a Kinesis stream, a real-time log configuration, a workgroup.
const LONGEST_NAME: usize = 128;
/// The longest name of a dashboard.
const LONGEST_DASHBOARD_NAME: usize = 255;
const DEFAULT_SCAN: u64 = 200_000_000_000;
/// Athena's least `BytesScannedCutoffPerQuery`.
const LEAST_SCAN: u64 = 10_000_000;
/// Where CloudFront's alarms and their topics are.
const GLOBAL_REGION: &str = "us-east-1";

pub(super) fn logs(section: &LogsSection, id: &str, aws: &Aws, notes: &mut Notes) -> Logs {
    Logs {
        access: section
            .access
            .as_ref()
            .and_then(|access| access_logs(access, notes)),
        realtime: section
            .realtime
            .as_ref()
            .and_then(|realtime| realtime_logs(realtime, id, aws, notes)),
    }
}

/// Bucket and prefix of `s3://bucket/prefix`; the prefix has no slash at its ends.
fn bucket(path: &str, text: &str, notes: &mut Notes) -> Option<(String, String)> {
    let parts = text
        .strip_prefix("s3://")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .filter(|(bucket, _)| {
            (3..=63).contains(&bucket.len())
                && !bucket.starts_with('-')
                && !bucket.ends_with('-')
                && bucket
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        });
    if parts.is_none() {
        notes.error(path, Problem::Bucket(shortened(text, 80)));
    }
    let (bucket, prefix) = parts?;
    Some((bucket.to_owned(), prefix.trim_matches('/').to_owned()))
}

fn access_logs(section: &AccessLogsSection, notes: &mut Notes) -> Option<AccessLogs> {
    let (bucket, prefix) = bucket("logs.access.store", &section.store, notes)?;
    Some(AccessLogs {
        bucket,
        prefix,
        format: section.format.unwrap_or_default(),
    })
}

fn realtime_logs(
    section: &RealtimeLogsSection,
    id: &str,
    aws: &Aws,
    notes: &mut Notes,
) -> Option<RealtimeLogs> {
    let named = |name: &Option<String>| {
        name.clone()
            .unwrap_or_else(|| format!("onair-{id}-realtime"))
    };
    let (stream, config) = (named(&section.stream), named(&section.config));
    if section.stream.is_some() {
        aws_name(&stream, LONGEST_NAME, "logs.realtime.stream", notes);
    }
    if section.config.is_some() {
        aws_name(&config, LONGEST_NAME, "logs.realtime.config", notes);
    }
    if let Some(given) = &section.region {
        region("logs.realtime.region", given, notes);
    }
    let path = "logs.realtime.role";
    let role = arn(path, &section.role, &arn::ROLE, aws, notes);
    let sampling = section.sampling.unwrap_or(100);
    let sampling = u8::try_from(sampling)
        .ok()
        .filter(|percent| (1..=100).contains(percent));
    if sampling.is_none() {
        let (least, most) = (1, 100);
        notes.error("logs.realtime.sampling", Problem::Range { least, most });
    }
    let fields = fields(section.fields.as_deref(), notes);
    Some(RealtimeLogs {
        stream,
        region: section
            .region
            .clone()
            .unwrap_or_else(|| GLOBAL_REGION.to_owned()),
        config,
        role,
        sampling: sampling?,
        fields,
    })
}

fn fields(names: Option<&[String]>, notes: &mut Notes) -> Vec<String> {
    let usual = ["default", "cmcd"].map(str::to_owned);
    let names = names.unwrap_or(&usual);
    if names.is_empty() {
        notes.error("logs.realtime.fields", Problem::Empty);
    }
    let mut fields = Vec::new();
    for (name, index) in names.iter().zip(0..) {
        if let Some(expanded) = log_field::expand(name) {
            fields.extend(expanded);
        } else {
            let known = log_field::REALTIME_FIELDS.iter().chain(&log_field::GROUPS);
            let nearest = did_you_mean(name, known.copied());
            let path = format!("logs.realtime.fields[{index}]");
            let problem = Problem::LogField(shortened(name, 60));
            notes.0.push(Note::error(path, problem).nearest(nearest));
        }
    }
    log_field::ordered(&fields)
}

pub(super) fn athena(section: &AthenaSection, id: &str, notes: &mut Notes) -> Option<Athena> {
    let workgroup = section
        .workgroup
        .clone()
        .unwrap_or_else(|| format!("onair-{id}"));
    if section.workgroup.is_some() {
        aws_name(&workgroup, LONGEST_NAME, "athena.workgroup", notes);
    }
    let database = section
        .database
        .clone()
        .unwrap_or_else(|| id.replace('-', "_"));
    if section.database.is_some() {
        table_name("athena.database", &database, notes);
    }
    let tables = section.tables.clone().unwrap_or_default();
    let access_table = tables.access.unwrap_or_else(|| "access".to_owned());
    let realtime_table = tables.realtime.unwrap_or_else(|| "realtime".to_owned());
    table_name("athena.tables.access", &access_table, notes);
    table_name("athena.tables.realtime", &realtime_table, notes);
    if access_table == realtime_table {
        let (what, name) = ("table", shortened(&realtime_table, 60));
        notes.error("athena.tables", Problem::Duplicate { what, name });
    }
    let output = section.output.as_deref().and_then(|output| {
        let (bucket, prefix) = bucket("athena.output", output, notes)?;
        Some(match prefix.as_str() {
            "" => format!("s3://{bucket}/"),
            prefix => format!("s3://{bucket}/{prefix}/"),
        })
    });
    let max_scan = match &section.max_scan {
        None => DEFAULT_SCAN,
        Some(text) => notes.take("athena.max-scan", parse_bytes(text), Problem::Bytes)?,
    };
    if max_scan < LEAST_SCAN {
        notes.error("athena.max-scan", Problem::ScanTooSmall);
    }
    Some(Athena {
        workgroup,
        database,
        access_table,
        realtime_table,
        output,
        max_scan,
    })
}

/// A name of a database or table that needs no quotes in any dialect.
fn table_name(path: &str, name: &str, notes: &mut Notes) {
    let is_name = name.len() <= 255
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name {
        notes.error(path, Problem::TableName(shortened(name, 60)));
    }
}

/// The folder of the event's own queries; what is in it is looked at when queries are.
pub(super) fn queries(section: &QueriesSection, folder: &Path, notes: &mut Notes) -> PathBuf {
    if section.folder.trim().is_empty() {
        notes.error("queries.folder", Problem::Empty);
    }
    folder.join(&section.folder)
}

pub(super) fn dashboard(
    section: &DashboardSection,
    id: &str,
    aws: &Aws,
    notes: &mut Notes,
) -> Dashboard {
    let name = section
        .name
        .clone()
        .unwrap_or_else(|| format!("onair-{id}"));
    if section.name.is_some() {
        aws_name(&name, LONGEST_DASHBOARD_NAME, "dashboard.name", notes);
    }
    let everything = [
        Panel::Ingest,
        Panel::Encode,
        Panel::Package,
        Panel::Delivery,
        Panel::Security,
        Panel::Ads,
    ];
    let panels = section
        .panels
        .clone()
        .unwrap_or_else(|| everything.to_vec());
    for (panel, index) in panels.iter().zip(0..) {
        if panels[..index].contains(panel) {
            let path = format!("dashboard.panels[{index}]");
            let name = format!("{panel:?}").to_lowercase();
            let what = "panel";
            notes.error(path, Problem::Duplicate { what, name });
        }
    }
    let topic = section.topic.as_ref().map(|topic| {
        let path = "dashboard.topic";
        let arn = arn(path, topic, &arn::TOPIC, aws, notes);
        if arn.region() != GLOBAL_REGION && arn.0.starts_with("arn:") {
            let found = shortened(topic, 120);
            let expected = "in us-east-1, where CloudFront's alarms are";
            notes.error(path, Problem::Arn { found, expected });
        }
        arn
    });
    Dashboard {
        name,
        panels,
        alarms: section.alarms.unwrap_or(true),
        topic,
    }
}

pub(super) fn targets(section: Option<&TargetsSection>, notes: &mut Notes) -> Targets {
    let usual = Targets::default();
    let Some(section) = section else {
        return usual;
    };
    let mut percent = |key: &str, value: Option<f64>, usual: f64| match value {
        None => usual,
        Some(value) => {
            if !is_percentage(value) {
                notes.error(format!("targets.{key}"), Problem::Percentage);
            }
            value
        }
    };
    let cache_hit_ratio = percent(
        "cache-hit-ratio",
        section.cache_hit_ratio,
        usual.cache_hit_ratio,
    );
    let errors_4xx = percent("errors-4xx", section.errors_4xx, usual.errors_4xx);
    let errors_5xx = percent("errors-5xx", section.errors_5xx, usual.errors_5xx);
    let rebuffering = percent("rebuffering", section.rebuffering, usual.rebuffering);
    let function_utilization = percent(
        "function-utilization",
        section.function_utilization,
        usual.function_utilization,
    );
    let mut milliseconds = |key: &str, text: Option<&str>, usual: f64| {
        text.and_then(|text| {
            let path = format!("targets.{key}");
            notes.take(path, parse_milliseconds(text), Problem::Duration)
        })
        .map_or(usual, f64::from)
    };
    Targets {
        cache_hit_ratio,
        errors_4xx,
        errors_5xx,
        time_to_first_byte_ms: milliseconds(
            "time-to-first-byte",
            section.time_to_first_byte.as_deref(),
            usual.time_to_first_byte_ms,
        ),
        origin_latency_ms: milliseconds(
            "origin-latency",
            section.origin_latency.as_deref(),
            usual.origin_latency_ms,
        ),
        rebuffering,
        function_utilization,
    }
}

pub(super) fn waivers(
    sections: &[WaiverSection],
    event: Option<&Event>,
    notes: &mut Notes,
) -> Vec<Waiver> {
    let checks = sections.iter().enumerate();
    let checks =
        checks.map(|(index, waiver)| (format!("waivers[{index}].check"), waiver.check.as_str()));
    unique("waiver of", checks, notes);
    let mut waivers = Vec::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("waivers[{index}].{key}");
        let words: Vec<&str> = section.check.split('.').collect();
        let is_word = |word: &&str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if words.len() < 2 || !words.iter().all(is_word) {
            let check = shortened(&section.check, 60);
            notes.error(path("check"), Problem::CheckId(check));
        }
        for (key, text) in [("reason", &section.reason), ("owner", &section.owner)] {
            if text.trim().is_empty() {
                notes.error(path(key), Problem::Empty);
            }
        }
        let Some(event) = event else { continue };
        let Some(expires) = time(&path("expires"), &section.expires, anchors(event), notes) else {
            continue;
        };
        if expires < event.doors {
            let doors = event.doors;
            notes.warning(path("expires"), Problem::WaiverEndsEarly { expires, doors });
        }
        waivers.push(Waiver {
            check: section.check.clone(),
            reason: section.reason.clone(),
            owner: section.owner.clone(),
            expires,
        });
    }
    waivers
}

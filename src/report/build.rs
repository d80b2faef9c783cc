//! From what was gathered to the report. Pure: the same inputs give the same report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::abuse;
use super::completeness::{Completeness, Counts};
use super::cost::{self, Used};
use super::gathered::Gathered;
use super::goals::{self, Beside};
use super::lessons;
use super::model::{Edges, Experience, Mark, MarkKind, Report, Rights, RightsWindow, SCHEMA};
use super::summary::{self, Figure, Measure, Minute, Reported, Summary, Tally};
use super::table::Table;
use super::timeline::EntryKind;

/// The part of the requests whose country must be logged for the rights to be judged.
const COUNTRIES_TOLD: f64 = 0.99;

/// What is known beside the logs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Account {
    /// The 90th percentile of the origins' latency, milliseconds.
    pub(crate) origin_latency_ms: Option<f64>,
    /// The highest average of the edge function's compute utilization, percent.
    pub(crate) function_utilization: Option<f64>,
    pub(crate) has_function: bool,
    pub(crate) has_waf: bool,
    /// Percent of the requests that go to real-time logs.
    pub(crate) realtime_percent: Option<f64>,
}

/// Makes the report.
pub(crate) fn report(gathered: Gathered, account: Account) -> Report {
    let minutes = minutes(&gathered);
    let completeness = Completeness::of(&rows(&gathered), &gathered.counted);
    let provisional = !completeness.is_enough();
    let experience = experience(&gathered);
    let rights = rights(&gathered);
    let totals = Totals::of(&gathered, &minutes);
    let cost = cost::estimate(
        &gathered.prices,
        &Used {
            bytes: totals.bytes,
            requests: totals.requests,
            invocations: gathered.invocations,
            has_function: account.has_function,
            has_waf: account.has_waf,
            realtime_percent: account.realtime_percent,
            #[expect(clippy::cast_precision_loss, reason = "bytes fewer than 2^53")]
            scanned_bytes: gathered.source.scanned_bytes.map(|bytes| bytes as f64),
        },
    );
    let event = &gathered.event;
    let mut summary = Summary {
        schema: summary::SCHEMA.to_owned(),
        event: event.id.clone(),
        name: event.name.clone(),
        target: event.target.clone(),
        from: event.from,
        until: event.until,
        window: Some(Reported {
            from: event.from,
            until: event.until,
            is_part: event.is_part(),
        }),
        kickoff: event.kickoff,
        ends: event.ends,
        made: event.made,
        provisional,
        completeness: completeness.percent,
        figures: figures(&totals, &experience, cost.total),
        minutes,
        lessons: Vec::new(),
    };
    let mut verdict = goals::judge(
        &gathered.targets,
        &summary,
        Beside {
            origin_latency_ms: account.origin_latency_ms,
            function_utilization: account.function_utilization,
            has_function: account.has_function,
            out_of_rights: rights.served,
            has_rights: rights.is_known,
        },
    );
    if provisional {
        verdict.headline = format!("so far {}", verdict.headline);
    }
    let suspects = abuse::suspects(&gathered);
    let lessons = lessons::lessons(&gathered, &summary, &verdict, &completeness);
    summary.lessons = lessons.iter().map(|lesson| lesson.text.clone()).collect();
    Report {
        schema: SCHEMA,
        marks: marks(&gathered),
        edges: edges(&gathered),
        expected_viewers: gathered.expected_viewers,
        event: gathered.event,
        source: gathered.source,
        completeness,
        provisional,
        verdict,
        summary,
        alarms: gathered.alarms,
        suspects,
        experience,
        rights,
        cost,
        has_ledger: gathered.has_ledger,
        timeline: gathered.timeline,
        lessons,
        gaps: gathered.gaps,
        tables: gathered.tables,
    }
}

/// Rows of the logs by distribution and minute.
fn rows(gathered: &Gathered) -> Counts {
    let mut rows = Counts::new();
    for row in gathered
        .table("event-minutes")
        .into_iter()
        .flat_map(Table::rows)
    {
        if let (Some(at), Some(requests)) = (row.at("minute"), row.number("requests")) {
            let distribution = row.text("distribution_id").unwrap_or_default();
            *rows.entry((distribution, at)).or_default() += requests;
        }
    }
    rows
}

/// What is added up over the distributions of one minute.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    requests: f64,
    bytes: f64,
    served: f64,
    hits: f64,
    errors_4xx: f64,
    errors_5xx: f64,
    /// First byte, weighted by what was served.
    first_byte: f64,
    first_byte_weight: f64,
}

fn counted(gathered: &Gathered) -> BTreeMap<Timestamp, Counted> {
    let mut minutes: BTreeMap<Timestamp, Counted> = BTreeMap::new();
    for row in gathered
        .table("event-minutes")
        .into_iter()
        .flat_map(Table::rows)
    {
        let Some(at) = row.at("minute") else { continue };
        let minute = minutes.entry(at).or_default();
        let add = |sum: &mut f64, column: &str| *sum += row.number(column).unwrap_or(0.0);
        add(&mut minute.requests, "requests");
        add(&mut minute.bytes, "bytes");
        add(&mut minute.served, "served");
        add(&mut minute.hits, "hits");
        add(&mut minute.errors_4xx, "errors_4xx");
        add(&mut minute.errors_5xx, "errors_5xx");
        if let (Some(first_byte), Some(served)) =
            (row.number("first_byte_p95_ms"), row.number("served"))
        {
            minute.first_byte += first_byte * served;
            minute.first_byte_weight += served;
        }
    }
    minutes
}

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| tidy(100.0 * part / whole))
}

/// The minutes, with the gaps between them left out.
fn minutes(gathered: &Gathered) -> Vec<Minute> {
    let mut minutes: BTreeMap<Timestamp, Minute> = counted(gathered)
        .into_iter()
        .map(|(at, counted)| {
            let minute = Minute {
                at,
                requests: counted.requests,
                bytes: counted.bytes,
                hit_percent: percent(counted.hits, counted.served),
                percent_4xx: percent(counted.errors_4xx, counted.requests),
                percent_5xx: percent(counted.errors_5xx, counted.requests),
                first_byte_p95_ms: (counted.first_byte_weight > 0.0)
                    .then(|| tidy(counted.first_byte / counted.first_byte_weight)),
                ..Minute::default()
            };
            (at, minute)
        })
        .collect();
    if let Some(audience) = gathered.table("audience-by-minute") {
        // A minute of health probes alone had no viewers: that is known.
        for minute in minutes.values_mut() {
            minute.viewers = Some(0.0);
        }
        for row in audience.rows() {
            if let Some(minute) = row.at("minute").and_then(|at| minutes.get_mut(&at)) {
                minute.viewers = row.number("viewers");
            }
        }
    }
    for row in gathered
        .table("playback-by-minute")
        .into_iter()
        .flat_map(Table::rows)
    {
        let Some(minute) = row.at("minute").and_then(|at| minutes.get_mut(&at)) else {
            continue;
        };
        minute.starved_percent = row.number("starved_percent");
        minute.kilobits = row.number("mean_kilobits");
    }
    minutes.into_values().collect()
}

/// Digits that no figure has in truth, left out of the files.
fn tidy(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// What the minutes add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    requests: Option<f64>,
    bytes: Option<f64>,
    hit_percent: Option<f64>,
    percent_4xx: Option<f64>,
    percent_5xx: Option<f64>,
    served: Option<f64>,
    hits: Option<f64>,
    errors_4xx: Option<f64>,
    errors_5xx: Option<f64>,
    first_byte_ms: Option<f64>,
    peak_viewers: Option<f64>,
    mean_viewers: Option<f64>,
    viewer_hours: Option<f64>,
    peak_bits: Option<f64>,
}

impl Totals {
    fn of(gathered: &Gathered, minutes: &[Minute]) -> Self {
        if minutes.is_empty() {
            return Self::default();
        }
        let mut all = Counted::default();
        for one in counted(gathered).into_values() {
            all.requests += one.requests;
            all.bytes += one.bytes;
            all.served += one.served;
            all.hits += one.hits;
            all.errors_4xx += one.errors_4xx;
            all.errors_5xx += one.errors_5xx;
            all.first_byte += one.first_byte;
            all.first_byte_weight += one.first_byte_weight;
        }
        let highest = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::max);
        let event = &gathered.event;
        let in_play: Vec<f64> = minutes
            .iter()
            .filter(|minute| (event.kickoff..event.ends).contains(&minute.at))
            .filter_map(|minute| minute.viewers)
            .collect();
        let viewers: Vec<f64> = minutes.iter().filter_map(|minute| minute.viewers).collect();
        #[expect(clippy::cast_precision_loss, reason = "minutes of an event")]
        let mean = |values: &[f64]| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let weighted =
            (all.first_byte_weight > 0.0).then(|| all.first_byte / all.first_byte_weight);
        Self {
            requests: Some(all.requests),
            bytes: Some(all.bytes),
            hit_percent: percent(all.hits, all.served),
            percent_4xx: percent(all.errors_4xx, all.requests),
            percent_5xx: percent(all.errors_5xx, all.requests),
            served: Some(all.served),
            hits: Some(all.hits),
            errors_4xx: Some(all.errors_4xx),
            errors_5xx: Some(all.errors_5xx),
            first_byte_ms: first_byte_of_all(gathered).or(weighted),
            peak_viewers: highest(&mut viewers.iter().copied()),
            mean_viewers: mean(&in_play).or_else(|| mean(&viewers)),
            viewer_hours: (!viewers.is_empty()).then(|| viewers.iter().sum::<f64>() / 60.0),
            peak_bits: highest(&mut minutes.iter().map(|minute| minute.bytes * 8.0 / 60.0)),
        }
    }
}

/// The 95th percentile over the whole window: percentiles of minutes do not add up to it.
fn first_byte_of_all(gathered: &Gathered) -> Option<f64> {
    let table = gathered.table("event-minutes")?;
    table
        .rows()
        .find(|row| row.at("minute").is_none())?
        .number("first_byte_p95_ms")
}

fn figures(totals: &Totals, experience: &Experience, cost: Option<f64>) -> Vec<Figure> {
    let hours = totals.viewer_hours.filter(|hours| *hours > 0.0);
    let an_hour = |value: Option<f64>| Some(value? / hours?);
    let starts = experience
        .viewers
        .map(|viewers| viewers - experience.kept_out.unwrap_or(0.0));
    let tally = |measure: Measure| {
        let (events, of) = match measure {
            Measure::HitPercent => (totals.hits?, totals.served?),
            Measure::Percent4xx => (totals.errors_4xx?, totals.requests?),
            Measure::Percent5xx => (totals.errors_5xx?, totals.requests?),
            Measure::Starved => (experience.starved_segments?, experience.video_segments?),
            Measure::StartFailures => (experience.never_started?, starts?),
            Measure::ErrorsPerViewerHour => (totals.errors_5xx?, tidy(hours?)),
            _ => return None,
        };
        Some(Tally { events, of })
    };
    Measure::ALL
        .into_iter()
        .map(|measure| {
            let value = match measure {
                Measure::PeakViewers => totals.peak_viewers,
                Measure::MeanViewers => totals.mean_viewers,
                Measure::ViewerHours => totals.viewer_hours,
                Measure::Requests => totals.requests,
                Measure::Bytes => totals.bytes,
                Measure::PeakBits => totals.peak_bits,
                Measure::HitPercent => totals.hit_percent,
                Measure::Percent4xx => totals.percent_4xx,
                Measure::Percent5xx => totals.percent_5xx,
                Measure::FirstByteP95 => totals.first_byte_ms,
                Measure::Starved => experience.starved_percent,
                Measure::Bitrate => experience.bitrate,
                Measure::StartFailures => match (experience.never_started, starts) {
                    (Some(never), Some(starts)) => percent(never, starts),
                    _ => None,
                },
                Measure::StartupP50 => experience.startup_p50_ms,
                Measure::RequestsPerViewerHour => an_hour(totals.requests),
                Measure::BytesPerViewerHour => an_hour(totals.bytes),
                Measure::ErrorsPerViewerHour => an_hour(totals.errors_5xx),
                Measure::Cost => cost,
                Measure::CostPerViewerHour => an_hour(cost),
            };
            Figure {
                name: measure.name().to_owned(),
                value: value.filter(|value| value.is_finite()).map(tidy),
                unit: measure.unit(),
                counts: tally(measure),
            }
        })
        .collect()
}

fn experience(gathered: &Gathered) -> Experience {
    let Some(table) = gathered.table("event-experience") else {
        return Experience::default();
    };
    let Some(row) = table.rows().next() else {
        return Experience::default();
    };
    Experience {
        viewers: row.number("viewers"),
        kept_out: row.number("kept_out"),
        never_started: row.number("never_started"),
        starved_viewers: row.number("starved_viewers"),
        starved_percent: row.number("starved_percent"),
        starved_segments: row.number("starved_segments"),
        video_segments: row.number("video_segments"),
        bitrate: row.number("mean_kilobits").map(|kilobits| kilobits * 1e3),
        startup_p50_ms: row.number("startup_p50_ms"),
        startup_p95_ms: row.number("startup_p95_ms"),
    }
}

fn rights(gathered: &Gathered) -> Rights {
    let is_known = !gathered.event.rights.is_empty();
    let Some(whole) = gathered.table("rights-by-country").filter(|_| is_known) else {
        return Rights {
            is_known,
            ..Rights::default()
        };
    };
    let (mut told, mut all) = (0.0, 0.0);
    for row in whole.rows() {
        let requests = row.number("requests").unwrap_or(0.0);
        all += requests;
        if row.text("country").is_some() {
            told += requests;
        }
    }
    // No green without evidence: logs without countries prove nothing.
    if told < all * COUNTRIES_TOLD || all <= 0.0 {
        return Rights {
            is_known,
            ..Rights::default()
        };
    }
    let mut rights = Rights {
        is_known,
        served: Some(0.0),
        refused: Some(0.0),
        offenders: Vec::new(),
        windows: Vec::new(),
    };
    let mut offenders: BTreeMap<String, f64> = BTreeMap::new();
    if gathered.rights.is_empty() {
        out_of_rights(whole, &mut rights, &mut offenders);
    }
    for span in &gathered.rights {
        let before = rights.served;
        out_of_rights(&span.table, &mut rights, &mut offenders);
        if !span.open.is_empty() {
            rights.windows.push(RightsWindow {
                name: span.open.join(", "),
                from: span.from,
                until: span.until,
                served: rights.served.unwrap_or(0.0) - before.unwrap_or(0.0),
            });
        }
    }
    rights.offenders = offenders.into_iter().collect();
    rights
        .offenders
        .sort_by(|one, other| other.1.total_cmp(&one.1));
    rights
}

/// Adds what countries without rights got and did not get.
fn out_of_rights(table: &Table, rights: &mut Rights, offenders: &mut BTreeMap<String, f64>) {
    for row in table.rows() {
        // Where CloudFront did not know the country, nobody can tell.
        let Some(country) = row.text("country") else {
            continue;
        };
        if row.boolean("has_rights") != Some(false) {
            continue;
        }
        let served = row.number("served").unwrap_or(0.0);
        let refused: f64 = ["geo_blocked", "no_rights", "other_refused"]
            .into_iter()
            .filter_map(|column| row.number(column))
            .sum();
        if let (Some(sum), Some(refusals)) = (&mut rights.served, &mut rights.refused) {
            *sum += served;
            *refusals += refused;
        }
        if served > 0.0 {
            *offenders.entry(country).or_default() += served;
        }
    }
}

fn edges(gathered: &Gathered) -> Edges {
    let Some(table) = gathered.table("edges") else {
        return Edges::default();
    };
    let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
    let mut all = 0.0;
    for row in table.rows() {
        let requests = row.number("requests").unwrap_or(0.0);
        let kind = row.text("edge").unwrap_or_else(|| "other".to_owned());
        *kinds.entry(kind).or_default() += requests;
        all += requests;
    }
    let mut shares: Vec<(String, f64)> = kinds
        .into_iter()
        .filter_map(|(kind, requests)| Some((kind, percent(requests, all)?)))
        .collect();
    shares.sort_by(|one, other| other.1.total_cmp(&one.1));
    #[expect(clippy::cast_precision_loss, reason = "edges")]
    let locations = Some(table.rows.len() as f64);
    Edges { shares, locations }
}

/// The event's own times, the crew's moves of the clock, and its actions.
fn marks(gathered: &Gathered) -> Vec<Mark> {
    let event = &gathered.event;
    let fixed = [
        (event.doors, "doors"),
        (event.kickoff, event.kickoff_label.as_str()),
        (event.ends, "end"),
    ];
    let mut marks: Vec<Mark> = fixed
        .into_iter()
        .map(|(at, label)| Mark {
            at,
            label: label.to_owned(),
            kind: MarkKind::Event,
        })
        .collect();
    for entry in gathered.timeline.iter().filter(|entry| entry.is_drawn) {
        let (label, kind) = match (entry.kind, &entry.name) {
            (EntryKind::Clock, _) => (entry.what.clone(), MarkKind::Phase),
            (_, Some(name)) => (name.clone(), MarkKind::Action),
            (_, None) => continue,
        };
        marks.push(Mark {
            at: entry.at,
            label,
            kind,
        });
    }
    marks.retain(|mark| (event.from..=event.until).contains(&mark.at));
    marks.sort_by(|one, other| {
        one.at
            .cmp(&other.at)
            .then_with(|| one.label.cmp(&other.label))
    });
    marks
}

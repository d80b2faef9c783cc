//! What a query would scan, before it is started: the sizes of the objects in the window's
//! partitions, as S3 lists them.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan, Unit};

use super::{Athena, LEAST_BILLED, trouble};
use crate::cloud::CloudError;
use crate::error::Failure;
use crate::event::bytes::{exact_bytes, short_bytes};
use crate::query::port::Window;
use crate::query::view::Table;

/// Folders that are listed at most, pages of each, and folders at a time: what takes longer than this
/// is left to the limits that hold while the query runs.
const MOST_FOLDERS: usize = 500;
const MOST_PAGES: usize = 5;
const AT_ONCE: usize = 16;
/// The longest that listing may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    pub(super) bytes: u64,
    /// Of Parquet a query reads the columns that it needs, of other formats everything.
    pub(super) is_upper_bound: bool,
}

impl Estimate {
    /// Why a query that may scan `limit` bytes is not started.
    pub(super) fn refusal(self, limit: u64) -> Option<Failure> {
        let Self {
            bytes,
            is_upper_bound,
        } = self;
        if is_upper_bound || bytes <= limit {
            return None;
        }
        let failure = Failure::refused(
            "guard.max-scan",
            format!(
                "the query was not started: it would scan {} and may scan {}",
                short_bytes(bytes),
                exact_bytes(limit)
            ),
        );
        let data = serde_json::json!({"would-scan-bytes": bytes, "max-scan": limit});
        Some(failure.with_data(data).hint(trouble::lift(bytes)))
    }

    /// What to say of one that is started although it may scan more than `limit`.
    pub(super) fn note(self, limit: u64) -> Option<String> {
        (self.is_upper_bound && self.bytes > limit).then(|| {
            format!(
                "the window's objects hold {}; of Parquet a query reads only the columns it needs, \
                 and it is stopped at {}",
                short_bytes(self.bytes),
                exact_bytes(limit)
            )
        })
    }
}

/// No query may scan as little as this.
pub(super) fn below_the_least(limit: u64) -> Failure {
    let data = serde_json::json!({"would-scan-bytes": LEAST_BILLED, "max-scan": limit});
    Failure::refused(
        "guard.max-scan",
        format!(
            "the query was not started: Athena counts {} at the least and it may scan {}",
            short_bytes(LEAST_BILLED),
            exact_bytes(limit)
        ),
    )
    .with_data(data)
    .hint(trouble::lift(LEAST_BILLED))
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the window has {0} folders, too many to list")]
    TooMany(usize),
    #[error("listing took too long")]
    TooSlow,
    #[error("the table's place is not understood")]
    Place,
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Lists the folders that the query will read.
pub(super) async fn of(
    athena: &Athena<'_>,
    table: &Table,
    window: Window,
) -> Result<Estimate, Unknown> {
    let begun = athena.clock.now();
    let (bucket, prefixes) = folders(table, window).ok_or(Unknown::Place)?;
    if prefixes.len() > MOST_FOLDERS {
        return Err(Unknown::TooMany(prefixes.len()));
    }
    let region = athena.cloud.bucket_region(&bucket).await?;
    let mut bytes = 0_u64;
    for some in prefixes.chunks(AT_ONCE) {
        if athena.clock.now().duration_since(begun) > PATIENCE {
            return Err(Unknown::TooSlow);
        }
        let sizes = try_join_all(some.iter().map(|prefix| {
            athena
                .cloud
                .objects_below(&region, &bucket, prefix, MOST_PAGES)
        }));
        for (objects, is_whole) in sizes.await? {
            if !is_whole {
                return Err(Unknown::TooMany(prefixes.len()));
            }
            bytes += objects.iter().map(|object| object.size).sum::<u64>();
        }
    }
    Ok(Estimate {
        bytes,
        is_upper_bound: table.definition.serde.contains("Parquet"),
    })
}

/// The bucket and the prefixes of the window's partitions.
pub(super) fn folders(table: &Table, window: Window) -> Option<(String, Vec<String>)> {
    let parameters = &table.definition.parameters;
    let template = parameters.get("storage.location.template")?;
    let (bucket, path) = template.strip_prefix("s3://")?.split_once('/')?;
    let fixed: Vec<&str> = match parameters.get("projection.distributionid.values") {
        Some(values) => values.split(',').collect(),
        None => vec![""],
    };
    let mut prefixes = Vec::new();
    let mut hour = window
        .from
        .to_zoned(TimeZone::UTC)
        .round(
            jiff::ZonedRound::new()
                .smallest(Unit::Hour)
                .mode(jiff::RoundMode::Trunc),
        )
        .ok()?;
    // As the view has it: a request may be logged in the hour after the window's end.
    let end = window
        .until
        .saturating_add(SignedDuration::from_hours(1))
        .unwrap_or(window.until);
    while hour.timestamp() <= end {
        let parts = BTreeMap::from([
            ("year", hour.strftime("%Y").to_string()),
            ("month", hour.strftime("%m").to_string()),
            ("day", hour.strftime("%d").to_string()),
            ("hour", hour.strftime("%H").to_string()),
        ]);
        for distribution in &fixed {
            let mut prefix = path.replace("${distributionid}", distribution);
            for (part, value) in &parts {
                prefix = prefix.replace(&format!("${{{part}}}"), value);
            }
            prefixes.push(prefix);
        }
        if prefixes.len() > MOST_FOLDERS {
            break;
        }
        hour = hour.checked_add(1.hour()).ok()?;
    }
    Some((bucket.to_owned(), prefixes))
}

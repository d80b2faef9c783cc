//! How many Kinesis shards an event's real-time logs need: from the forecast, by what one shard
//! takes.

use crate::runbook::{Forecast, RealtimeLogs};

/// Records a second that a shard takes (CloudFront Developer Guide, real-time logs).
const RECORDS: f64 = 1000.0;
/// Bytes a second that a shard takes.
const BYTES: f64 = 1_000_000.0;
/// CloudFront gives about 500 bytes for a record, and about 1,000 for one with all 71 fields.
const LEAST_RECORD: f64 = 500.0;
const FIELD: f64 = 15.0;
/// What is kept free: records do not spread evenly, and viewers come back all at once after a goal.
const HEADROOM: f64 = 1.25;

/// Bytes of one record with so many fields.
pub(crate) fn record_bytes(fields: usize) -> f64 {
    let fields = u32::try_from(fields).unwrap_or(u32::MAX);
    (f64::from(fields) * FIELD).max(LEAST_RECORD)
}

/// The shards that all of the event's distributions together need at the peak, headroom included;
/// at least one.
pub(crate) fn needed(forecast: &Forecast, logs: &RealtimeLogs) -> u32 {
    #[expect(clippy::cast_precision_loss, reason = "no event has 2^52 viewers")]
    let viewers = forecast.peak_viewers as f64;
    let requests = viewers * forecast.requests_per_viewer();
    let records = requests * f64::from(logs.sampling) / 100.0;
    let bytes = records * record_bytes(logs.fields.len());
    let shards = (records / RECORDS).max(bytes / BYTES) * HEADROOM;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what a u32 holds; the cast of a float saturates"
    )]
    let shards = shards.ceil() as u32;
    shards.max(1)
}

/// The numbers that lead from `from` to `to`, each between half and double of the one before, which
/// is all that one update may do.
pub(crate) fn steps(from: u32, to: u32) -> Vec<u32> {
    let mut steps = Vec::new();
    let mut at = from.max(1);
    while at != to && to > 0 {
        at = if to > at {
            to.min(at.saturating_mul(2))
        } else {
            to.max(at.div_ceil(2))
        };
        steps.push(at);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::{Arn, Rung};

    fn forecast(viewers: u64) -> Forecast {
        Forecast {
            peak_viewers: viewers,
            segment_seconds: 4.0,
            requests_per_segment: 3.0,
            ladder: vec![Rung {
                name: "1080p".to_owned(),
                megabits: 6.0,
                share: 100.0,
            }],
            countries: Vec::new(),
            distributions: Vec::new(),
            revocations: 0,
            ad_requests_per_second: None,
            ad_break_spread_seconds: 15.0,
        }
    }

    fn logs(sampling: u8, fields: usize) -> RealtimeLogs {
        RealtimeLogs {
            stream: "s".to_owned(),
            region: "us-east-1".to_owned(),
            config: "c".to_owned(),
            role: Arn("arn:aws:iam::111122223333:role/r".to_owned()),
            sampling,
            fields: vec!["c-ip".to_owned(); fields],
        }
    }

    #[test]
    fn shards_follow_the_tighter_of_records_and_bytes() {
        for (viewers, sampling, fields, expected) in [
            // 180,000 × 3/4 a second = 135,000 records, a quarter more.
            (180_000, 100, 33, 169),
            (180_000, 10, 33, 17),
            // 71 fields make 1,065 bytes: now bytes are tighter.
            (180_000, 100, 71, 180),
            (100, 1, 20, 1),
            (0, 100, 20, 1),
        ] {
            let shards = needed(&forecast(viewers), &logs(sampling, fields));
            assert_eq!(shards, expected, "{viewers} {sampling} {fields}");
        }
    }

    #[test]
    fn updates_go_at_most_to_double_or_half() {
        assert_eq!(steps(4, 40), [8, 16, 32, 40]);
        assert_eq!(steps(40, 4), [20, 10, 5, 4]);
        assert_eq!(steps(7, 3), [4, 3]);
        assert_eq!(steps(5, 5), [0; 0]);
        assert_eq!(steps(1, 169), [2, 4, 8, 16, 32, 64, 128, 169]);
    }
}

//! AWS WAF's call quotas (Developer Guide, "AWS WAF quotas"): any single Get or List action five a
//! second, any other one a second, for all callers of an account together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is left of each action's quota. Buckets hold one second's worth and no more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Buckets(BTreeMap<String, Bucket>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Buckets {
    /// Takes one call of `operation` (such as `wafv2.GetIPSet`) from its quota; false when that is
    /// used up.
    pub(super) fn take(&mut self, operation: &str, now: Timestamp) -> bool {
        let Some(rate) = calls_per_second(operation) else {
            return true;
        };
        let bucket = self.0.entry(operation.to_owned()).or_insert(Bucket {
            tokens: rate,
            at: now,
        });
        let seconds = now.duration_since(bucket.at).as_secs_f64();
        // A clock moved back must not lock the account for hours.
        bucket.tokens = if seconds < 0.0 {
            rate
        } else {
            (bucket.tokens + seconds * rate).min(rate)
        };
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

/// No quota is published for CloudFront, its key value stores and STS.
fn calls_per_second(operation: &str) -> Option<f64> {
    if let Some(action) = operation.strip_prefix("cloudwatch.") {
        return cloudwatch_calls_per_second(action);
    }
    let action = operation.strip_prefix("wafv2.")?;
    let reads = ["Get", "List", "Describe", "Check"];
    Some(if reads.iter().any(|verb| action.starts_with(verb)) {
        5.0
    } else {
        1.0
    })
}

/// CloudWatch's quotas ("CloudWatch service quotas"); those of tags are not published.
fn cloudwatch_calls_per_second(action: &str) -> Option<f64> {
    Some(match action {
        "PutDashboard" | "GetDashboard" | "ListDashboards" | "DeleteDashboards" => 10.0,
        "PutMetricAlarm" | "DeleteAlarms" => 3.0,
        "DescribeAlarms" => 9.0,
        "ListMetrics" => 25.0,
        "GetMetricData" => 500.0,
        "GetMetricStatistics" => 400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn writes_go_once_a_second_and_reads_five_times() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert!(buckets.take("wafv2.UpdateIPSet", start));
        assert!(!buckets.take("wafv2.UpdateIPSet", start));
        assert!(
            buckets.take("wafv2.UpdateWebACL", start),
            "quotas are per action"
        );
        let reads = (0..6)
            .filter(|_| buckets.take("wafv2.GetIPSet", start))
            .count();
        assert_eq!(reads, 5);
        let later = start + SignedDuration::from_millis(999);
        assert!(!buckets.take("wafv2.UpdateIPSet", later));
        assert!(buckets.take("wafv2.UpdateIPSet", start + SignedDuration::from_secs(1)));
    }

    #[test]
    fn idle_time_saves_up_no_burst() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert!(buckets.take("wafv2.UpdateIPSet", start));
        let later = start + SignedDuration::from_hours(1);
        assert!(buckets.take("wafv2.UpdateIPSet", later));
        assert!(!buckets.take("wafv2.UpdateIPSet", later));
    }

    #[test]
    fn a_clock_moved_back_refills() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert!(buckets.take("wafv2.UpdateIPSet", start));
        assert!(buckets.take("wafv2.UpdateIPSet", start - SignedDuration::from_hours(1)));
    }

    #[test]
    fn what_has_no_published_quota_is_not_limited() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert!((0..100).all(|_| buckets.take("cloudfront.UpdateDistribution", start)));
    }
}

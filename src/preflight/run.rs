//! Lets all checks run side by side, each for a limited time.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::{Check, Facts, Verdict};

/// What one check found, and how long that took.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) check: Check,
    pub(crate) verdict: Verdict,
    pub(crate) seconds: f64,
}

/// Runs the checks at once. One that has no answer after `limit` could not be asked; the others go
/// on. `tell` hears how many are done. The answers come in the order of `checks`.
pub(crate) async fn run(
    checks: &[Check],
    facts: &Facts<'_>,
    limit: Duration,
    tell: impl Fn(u64),
) -> Vec<Found> {
    let mut under_way: FuturesUnordered<_> = checks
        .iter()
        .enumerate()
        .map(|(position, check)| async move {
            let begun = facts.session.clock.now();
            let verdict = match tokio::time::timeout(limit, (check.run)(facts)).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(gap)) => gap.into(),
                Err(_) => {
                    Verdict::could_not_ask(format!("no answer within {} s", limit.as_secs_f64()))
                }
            };
            let found = Found {
                check: *check,
                verdict,
                seconds: seconds_between(begun, facts.session.clock.now()),
            };
            (position, found)
        })
        .collect();
    let mut found: Vec<Option<Found>> = checks.iter().map(|_| None).collect();
    let mut done = 0;
    while let Some((position, one)) = under_way.next().await {
        found[position] = Some(one);
        done += 1;
        tell(done);
    }
    found.into_iter().flatten().collect()
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

//! Are all logs there? Rows read, held against CloudWatch's own count of requests. Pure.
//!
//! CloudFront delivers logs at best effort, most within an hour and some up to a day late; its metric
//! `Requests` counts every request. So their difference is what has not arrived.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// Stands for every distribution where the logs do not name theirs.
const ALL: &str = "all";

/// Under this part of the requests a report is provisional, percent.
pub(crate) const ENOUGH: f64 = 99.0;

/// Counts by distribution and the start of a period.
pub(crate) type Counts = BTreeMap<(String, Timestamp), f64>;

/// What CloudWatch counted, or why that is not known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Counted {
    Known {
        counts: Counts,
        /// Seconds of a period: 60 for 15 days, then 300, then 3,600.
        period: i64,
    },
    Unknown(String),
}

/// How much of what CloudWatch counted was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Completeness {
    /// Rows read, all distributions together.
    pub(crate) rows: f64,
    /// Requests that CloudWatch counted; none: not known.
    pub(crate) requests: Option<f64>,
    /// Rows of a hundred requests, 100 at most; none: not known.
    pub(crate) percent: Option<f64>,
    /// Why it is not known.
    pub(crate) unknown: Option<String>,
    /// Periods of which less than 99% was read, oldest first.
    pub(crate) missing: Vec<MissingPeriod>,
}

/// A period whose requests were not all read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MissingPeriod {
    pub(crate) distribution: String,
    /// Its start.
    pub(crate) at: Timestamp,
    /// Its length.
    pub(crate) seconds: i64,
    pub(crate) rows: f64,
    pub(crate) requests: f64,
}

impl Completeness {
    /// Holds the rows of each minute against the requests that CloudWatch counted.
    pub(crate) fn of(rows: &Counts, counted: &Counted) -> Self {
        // The sum of nothing is a negative zero.
        let total = rows.values().sum::<f64>() + 0.0;
        let (counts, period) = match counted {
            Counted::Known { counts, period } => (counts, *period),
            Counted::Unknown(why) => return Self::unknown(total, why.clone()),
        };
        // Files that somebody renamed do not tell whose they are: then only the sums can be compared.
        let is_nameless = rows.keys().any(|(distribution, _)| distribution.is_empty());
        if is_nameless {
            let together = |counts: &Counts| {
                let mut sums = Counts::new();
                for ((_, at), count) in counts {
                    *sums.entry((ALL.to_owned(), *at)).or_default() += count;
                }
                sums
            };
            let counted = Counted::Known {
                counts: together(counts),
                period,
            };
            return Self::of(&together(rows), &counted);
        }
        let requests: f64 = counts.values().sum();
        if requests <= 0.0 {
            return Self::unknown(total, "CloudWatch counted no requests".to_owned());
        }
        let mut read = Counts::new();
        for ((distribution, at), rows) in rows {
            let start = at.as_second().div_euclid(period) * period;
            if let Ok(start) = Timestamp::from_second(start) {
                *read.entry((distribution.clone(), start)).or_default() += rows;
            }
        }
        let missing: Vec<MissingPeriod> = counts
            .iter()
            .filter_map(|((distribution, at), requests)| {
                let rows = read
                    .get(&(distribution.clone(), *at))
                    .copied()
                    .unwrap_or(0.0);
                // One request of a quiet minute may be counted in the next.
                let lacks = *requests - rows;
                (lacks > 1.0 && rows * 100.0 < requests * ENOUGH).then(|| MissingPeriod {
                    distribution: distribution.clone(),
                    at: *at,
                    seconds: period,
                    rows,
                    requests: *requests,
                })
            })
            .collect();
        // Rows that came twice elsewhere do not make up for those that are missing here.
        let lacking: f64 = missing.iter().map(|one| one.requests - one.rows).sum();
        let share = (total / requests).min(1.0 - lacking / requests).min(1.0);
        Self {
            rows: total,
            requests: Some(requests),
            percent: Some(100.0 * share),
            unknown: None,
            missing,
        }
    }

    fn unknown(rows: f64, why: String) -> Self {
        Self {
            rows,
            requests: None,
            percent: None,
            unknown: Some(why),
            missing: Vec::new(),
        }
    }

    /// Whether enough was read for the figures to stand.
    pub(crate) fn is_enough(&self) -> bool {
        self.percent.is_some_and(|percent| percent >= ENOUGH)
    }

    /// The spans of [`Self::gaps`] with the requests that are missing in each, the worst first.
    pub(crate) fn worst_gaps(&self) -> Vec<(Timestamp, Timestamp, f64)> {
        let mut gaps: Vec<(Timestamp, Timestamp, f64)> = self
            .gaps()
            .into_iter()
            .map(|(from, until)| {
                let within = self
                    .missing
                    .iter()
                    .filter(|one| from <= one.at && one.at < until);
                (from, until, within.map(|one| one.requests - one.rows).sum())
            })
            .collect();
        gaps.sort_by(|one, other| other.2.total_cmp(&one.2));
        gaps
    }

    /// The missing periods as spans, adjacent ones joined, whatever the distribution.
    pub(crate) fn gaps(&self) -> Vec<(Timestamp, Timestamp)> {
        let mut spans: Vec<(i64, i64)> = self
            .missing
            .iter()
            .map(|one| (one.at.as_second(), one.at.as_second() + one.seconds))
            .collect();
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (from, until) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => joined.push((from, until)),
            }
        }
        joined
            .into_iter()
            .filter_map(|(from, until)| {
                Some((
                    Timestamp::from_second(from).ok()?,
                    Timestamp::from_second(until).ok()?,
                ))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(index: i64) -> Timestamp {
        Timestamp::from_second(1_781_458_200 + 60 * index).unwrap()
    }

    fn counts(values: &[(i64, f64)]) -> Counts {
        values
            .iter()
            .map(|(index, value)| (("E1".to_owned(), minute(*index)), *value))
            .collect()
    }

    fn known(values: &[(i64, f64)]) -> Counted {
        Counted::Known {
            counts: counts(values),
            period: 60,
        }
    }

    #[test]
    fn a_slot_that_did_not_arrive_is_named() {
        let counted = known(&[(0, 1_000.0), (1, 1_000.0), (2, 1_000.0), (3, 1_000.0)]);
        let rows = counts(&[(0, 1_000.0), (3, 995.0)]);
        let found = Completeness::of(&rows, &counted);
        assert_eq!(found.percent, Some(49.875));
        assert!(!found.is_enough());
        assert_eq!(found.missing.len(), 2);
        assert_eq!(found.gaps(), vec![(minute(1), minute(3))]);
        let worst = found.worst_gaps();
        assert_eq!((worst[0].0, worst[0].1), (minute(1), minute(3)));
        assert!(worst[0].2 > 0.0);
    }

    #[test]
    fn a_request_counted_a_minute_later_is_no_gap() {
        let counted = known(&[(0, 20.0), (1, 20.0)]);
        let found = Completeness::of(&counts(&[(0, 21.0), (1, 19.0)]), &counted);
        assert_eq!((found.percent, found.missing.len()), (Some(100.0), 0));
        assert!(found.is_enough());
    }

    #[test]
    fn files_that_do_not_tell_whose_they_are_count_together() {
        let counted = Counted::Known {
            counts: BTreeMap::from([
                (("E1".to_owned(), minute(0)), 60.0),
                (("E2".to_owned(), minute(0)), 40.0),
            ]),
            period: 60,
        };
        let rows = Counts::from([((String::new(), minute(0)), 100.0)]);
        assert!(Completeness::of(&rows, &counted).is_enough());
    }

    #[test]
    fn without_a_count_nothing_is_known() {
        let rows = counts(&[(0, 20.0)]);
        let denied = Completeness::of(&rows, &Counted::Unknown("not asked".to_owned()));
        assert_eq!(denied.percent, None);
        assert!(!denied.is_enough());
        let none = Completeness::of(&rows, &known(&[]));
        assert_eq!(
            none.unknown.as_deref(),
            Some("CloudWatch counted no requests")
        );
    }

    #[test]
    fn longer_periods_hold_their_minutes() {
        let counted = Counted::Known {
            counts: BTreeMap::from([(("E1".to_owned(), minute(0)), 300.0)]),
            period: 300,
        };
        // The first minute of the test is a multiple of five minutes.
        assert_eq!(minute(0).as_second() % 300, 0);
        let rows = counts(&[(0, 100.0), (2, 100.0), (4, 100.0)]);
        assert_eq!(Completeness::of(&rows, &counted).percent, Some(100.0));
    }
}

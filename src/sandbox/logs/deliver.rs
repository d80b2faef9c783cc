//! What deliveries write to buckets: an object for every ten minutes of each distribution, made when
//! somebody looks, from the requests of the embedded cloud's viewers. There are those of the last
//! hour, and those of the event from an hour before doors on.
//!
//! Objects come five minutes after their time. `late` and `missing` of the state make exceptions, to
//! rehearse logs that are not whole.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use onair_audience::Scene;

use super::{Delivery, State, content, stream};
use crate::sandbox::seed::letters;
use crate::sandbox::{glue, s3};

/// How long after its time an object arrives.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// How much one object covers.
pub(super) const SLOT_SECONDS: i64 = 600;
/// How many are kept up whenever it is.
const SLOTS: i64 = 6;
/// Before doors, from when on all of them are there, and after the end, until when.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);
const AFTER: SignedDuration = SignedDuration::from_hours(3);

/// What deliveries need to know.
#[derive(Debug)]
pub(in crate::sandbox) struct Occasion<'a> {
    pub(in crate::sandbox) account: &'a str,
    pub(in crate::sandbox) now: Timestamp,
    /// Whose requests are logged.
    pub(in crate::sandbox) scene: &'a Scene,
    /// Has the tables over real-time logs, whose objects are made as well.
    pub(in crate::sandbox) catalog: &'a glue::State,
    /// The bucket and the beginning of the keys that are looked at; none: all.
    pub(in crate::sandbox) looked_at: Option<(&'a str, &'a str)>,
}

impl Occasion<'_> {
    /// Whether somebody looks at this object.
    pub(super) fn sees(&self, bucket: &str, key: &str) -> bool {
        self.looked_at
            .is_none_or(|(looked, prefix)| looked == bucket && key.starts_with(prefix))
    }
}

/// Writes what is due; says whether anything was written.
pub(in crate::sandbox) fn deliver(
    state: &State,
    buckets: &mut s3::State,
    occasion: &Occasion<'_>,
) -> bool {
    if state.stalled {
        return false;
    }
    let mut wrote = stream::deliver(state, buckets, occasion);
    for delivery in state.deliveries.values() {
        let Some(destination) = state.destinations.get(&delivery.destination) else {
            continue;
        };
        let Some(place) = destination.resource.strip_prefix("arn:aws:s3:::") else {
            continue;
        };
        let Some(source) = state.sources.get(&delivery.source) else {
            continue;
        };
        let distribution = source.resource.rsplit('/').next().unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let format = destination.format.as_deref().unwrap_or("json");
        for slot in slots(state, occasion, delivery.created) {
            let folder = path(
                delivery,
                prefix,
                distribution,
                occasion.account,
                slot.begin(),
            );
            let stamp = slot.end.as_second().to_string();
            let unique = letters("log object", distribution, &stamp, 8).to_lowercase();
            let hour = slot.begin().to_zoned(TimeZone::UTC).strftime("%Y-%m-%d-%H");
            let kind = if format == "parquet" { "parquet" } else { "gz" };
            let key = format!("{folder}/{distribution}.{hour}.{unique}.{kind}");
            if !occasion.sees(bucket, &key)
                || buckets.has_object(bucket, &key)
                || !buckets.allows_delivery(bucket, &key)
            {
                continue;
            }
            let body = content::object(delivery, format, occasion.scene, distribution, slot);
            wrote |= buckets.deliver(bucket, &key, &body, slot.arrives);
        }
    }
    wrote
}

/// Ten minutes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) end: Timestamp,
    /// When its object is there.
    pub(super) arrives: Timestamp,
}

impl Slot {
    pub(super) fn begin(self) -> Timestamp {
        let length = SignedDuration::from_secs(SLOT_SECONDS);
        self.end.saturating_sub(length).unwrap_or(self.end)
    }

    /// Counted from 1970.
    pub(super) fn minutes(self) -> std::ops::Range<i64> {
        Scene::minute_of(self.begin())..Scene::minute_of(self.end)
    }
}

/// The slots whose objects have arrived, in order.
pub(super) fn slots(
    state: &State,
    occasion: &Occasion<'_>,
    created: Timestamp,
) -> impl Iterator<Item = Slot> {
    let now = occasion.now;
    let aligned = |at: Timestamp| at.as_second().div_euclid(SLOT_SECONDS);
    let shifted = |at: Timestamp, by: SignedDuration| at.saturating_add(by).unwrap_or(at);
    let last = aligned(shifted(now, -LATE));
    let event_from = aligned(shifted(occasion.scene.doors, -BEFORE)) + 1;
    let event_until = aligned(shifted(occasion.scene.ends, AFTER)).min(last);
    let numbers: BTreeSet<i64> = (event_from..=event_until)
        .chain(last - SLOTS + 1..=last)
        .collect();
    let (late, missing) = (state.late.clone(), state.missing.clone());
    numbers
        .into_iter()
        .filter_map(|number| Timestamp::from_second(number * SLOT_SECONDS).ok())
        .filter(move |end| *end > created && !missing.contains(end))
        .map(move |end| {
            let late = late
                .get(&end)
                .map_or(LATE, |minutes| SignedDuration::from_mins(*minutes));
            Slot {
                end,
                arrives: shifted(end, late),
            }
        })
        .filter(move |slot| slot.arrives <= now)
}

/// The folder of an object, without a slash at its ends.
fn path(
    delivery: &Delivery,
    prefix: &str,
    distribution: &str,
    account: &str,
    at: Timestamp,
) -> String {
    // Without a prefix of its own a bucket gets one that names the account.
    let base = if prefix.is_empty() {
        let account = if delivery.hive {
            format!("aws-account-id={account}")
        } else {
            account.to_owned()
        };
        format!("AWSLogs/{account}/CloudFront")
    } else {
        prefix.trim_matches('/').to_owned()
    };
    let at = at.to_zoned(TimeZone::UTC);
    let mut suffix = delivery.suffix.clone().unwrap_or_default();
    for (variable, name, value) in [
        (
            "{DistributionId}",
            "DistributionId",
            distribution.to_owned(),
        ),
        (
            "{distributionid}",
            "distributionid",
            distribution.to_owned(),
        ),
        ("{accountid}", "accountid", account.to_owned()),
        ("{yyyy}", "year", at.strftime("%Y").to_string()),
        ("{MM}", "month", at.strftime("%m").to_string()),
        ("{dd}", "day", at.strftime("%d").to_string()),
        ("{HH}", "hour", at.strftime("%H").to_string()),
    ] {
        let value = if delivery.hive {
            format!("{name}={value}")
        } else {
            value
        };
        suffix = suffix.replace(variable, &value);
    }
    format!("{base}/{}", suffix.trim_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(hive: bool) -> Delivery {
        Delivery {
            source: "s".to_owned(),
            destination: "d".to_owned(),
            fields: vec!["date".to_owned(), "sc-status".to_owned()],
            delimiter: Some("\t".to_owned()),
            suffix: Some("{DistributionId}/{yyyy}/{MM}/{dd}/{HH}".to_owned()),
            hive,
            tags: std::collections::BTreeMap::new(),
            created: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn objects_lie_where_the_suffix_says() {
        let at = "2026-06-14T07:40:00Z".parse().unwrap();
        for (hive, prefix, expected) in [
            (false, "access", "access/E1/2026/06/14/07"),
            (
                false,
                "",
                "AWSLogs/111122223333/CloudFront/E1/2026/06/14/07",
            ),
            (
                true,
                "access",
                "access/DistributionId=E1/year=2026/month=06/day=14/hour=07",
            ),
        ] {
            let path = path(&delivery(hive), prefix, "E1", "111122223333", at);
            assert_eq!(path, expected);
        }
    }

    #[test]
    fn an_hour_of_slots_is_there_and_none_from_before_the_delivery() {
        let (scene, catalog) = (Scene::example(1, 1), glue::State::default());
        let ends = |created: &str| -> Vec<String> {
            let occasion = occasion("2026-06-14T07:44:00Z", &scene, &catalog);
            slots(&State::default(), &occasion, created.parse().unwrap())
                .map(|slot| slot.end.strftime("%H:%M").to_string())
                .collect()
        };
        assert_eq!(
            ends("2026-01-01T00:00:00Z"),
            ["06:40", "06:50", "07:00", "07:10", "07:20", "07:30"]
        );
        assert_eq!(ends("2026-06-14T07:20:00Z"), ["07:30"]);
    }

    fn occasion<'a>(now: &str, scene: &'a Scene, catalog: &'a glue::State) -> Occasion<'a> {
        Occasion {
            account: "111122223333",
            now: now.parse().unwrap(),
            scene,
            catalog,
            looked_at: None,
        }
    }

    #[test]
    fn the_whole_event_is_there_but_for_what_is_late_or_missing() {
        let (scene, catalog) = (Scene::example(1, 1), glue::State::default());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let state = State {
            late: [(at("2026-06-14T19:20:00Z"), 40)].into(),
            missing: [at("2026-06-14T19:10:00Z")].into(),
            ..State::default()
        };
        let ends = |now: &str| -> Vec<String> {
            let occasion = occasion(now, &scene, &catalog);
            slots(&state, &occasion, Timestamp::UNIX_EPOCH)
                .map(|slot| slot.end.strftime("%H:%M").to_string())
                .collect()
        };
        // Doors are at 17:00.
        let seen = ends("2026-06-14T19:46:00Z");
        assert_eq!(seen[0], "16:10");
        assert_eq!(seen[seen.len() - 4..], ["18:50", "19:00", "19:30", "19:40"]);
        let seen = ends("2026-06-14T20:00:00Z");
        assert_eq!(seen[seen.len() - 4..], ["19:20", "19:30", "19:40", "19:50"]);
        // A day later there are the event's, and the last hour's.
        let seen = ends("2026-06-15T20:00:00Z");
        assert_eq!(seen.len(), 8 * 6 + 3 - 1 + 6);
    }
}

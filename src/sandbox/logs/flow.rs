//! What deliveries bring to log groups: an event for each request, made when somebody asks for it and
//! never kept, since an event's requests are many.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use onair_audience::Scene;

use super::content;
use super::groups::Event;
use super::{Delivery, State};

/// How long after its request an event is there.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// The deliveries to log groups.
pub(super) struct Flow<'a> {
    scene: &'a Scene,
    now: Timestamp,
    branches: Vec<Branch>,
}

/// One of them.
struct Branch {
    region: String,
    group: String,
    distribution: String,
    format: String,
    delivery: Delivery,
}

impl<'a> Flow<'a> {
    pub(super) fn new(state: &State, scene: &'a Scene, now: Timestamp) -> Self {
        let branches = state.deliveries.values().filter(|_| !state.stalled);
        Self {
            scene,
            now,
            branches: branches.filter_map(|one| branch(state, one)).collect(),
        }
    }

    /// The events of a group within a range of milliseconds since 1970, in the order of their times.
    pub(super) fn events(&self, region: &str, group: &str, range: &Range<i64>) -> Vec<Event> {
        let mut events = Vec::new();
        for branch in &self.branches {
            if branch.region != region || branch.group != group {
                continue;
            }
            let arrived = self.now.saturating_sub(LATE).unwrap_or(self.now);
            let from = range.start.max(branch.delivery.created.as_millisecond());
            let until = range.end.min(arrived.as_millisecond());
            branch.bring(self.scene, self.now, &(from..until), &mut events);
        }
        events.sort_by_key(|event| event.at);
        events
    }
}

fn branch(state: &State, delivery: &Delivery) -> Option<Branch> {
    let destination = state.destinations.get(&delivery.destination)?;
    let source = state.sources.get(&delivery.source)?;
    // arn:aws:logs:REGION:ACCOUNT:log-group:NAME, with :* behind it or without.
    let mut parts = destination
        .resource
        .strip_prefix("arn:aws:logs:")?
        .split(':');
    let region = parts.next()?.to_owned();
    let group = parts.nth(2)?.to_owned();
    Some(Branch {
        region,
        group,
        distribution: source.resource.rsplit('/').next()?.to_owned(),
        format: destination
            .format
            .clone()
            .unwrap_or_else(|| "json".to_owned()),
        delivery: delivery.clone(),
    })
}

impl Branch {
    fn bring(&self, scene: &Scene, now: Timestamp, range: &Range<i64>, events: &mut Vec<Event>) {
        const MINUTE: i64 = 60_000;
        let fields = content::fields(&self.delivery.fields);
        let scene = content::serving(scene, &self.distribution);
        // Outside of the event there is the probe alone: nobody reads years of it.
        let window = event_window(&scene, now);
        let from = range.start.max(window.start);
        let until = range.end.min(window.end);
        let mut text = Vec::new();
        for minute in from.div_euclid(MINUTE)..(until + MINUTE - 1).div_euclid(MINUTE) {
            for request in scene.minute(minute, &self.distribution) {
                if !(from..until).contains(&request.at) {
                    continue;
                }
                text.clear();
                content::line(&mut text, &self.delivery, &self.format, &fields, &request);
                events.push(Event {
                    at: request.at,
                    stream: self.distribution.clone(),
                    message: String::from_utf8_lossy(text.trim_ascii_end()).into_owned(),
                });
            }
        }
    }
}

/// From a day before doors to a day after the end, or to now where that is later.
fn event_window(scene: &Scene, now: Timestamp) -> Range<i64> {
    const DAY: i64 = 86_400_000;
    let from = scene.doors.as_millisecond().min(now.as_millisecond()) - DAY;
    let until = scene.ends.as_millisecond().max(now.as_millisecond()) + DAY;
    from..until
}

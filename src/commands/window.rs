//! A window of time that is looked back at: what a query or a report is about.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::context::Options;
use crate::error::Failure;
use crate::event::duration::Lasting;
use crate::event::time::{self, When};
use crate::event::window::EventTimes;
use crate::ledger::view::View;
use crate::query::Window;
use crate::query::parameters::Moment;

/// The end of a window without one: later than any log, and a time that every engine has.
pub(crate) const FAR: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// Who knows when things are.
pub(crate) struct Times<'a> {
    pub(crate) event: Option<EventTimes>,
    pub(crate) ledger: Option<&'a View>,
    pub(crate) now: Timestamp,
}

impl Times<'_> {
    pub(crate) fn place(&self, moment: &Moment) -> Result<Timestamp, String> {
        match moment {
            Moment::Time(when) => self.when(when),
            Moment::Action(name) => match self.ledger {
                Some(view) => view
                    .find(name)
                    .map(crate::ledger::view::Change::at)
                    .ok_or_else(|| format!("there is no change `{name}` in this event's ledger")),
                None => Err(format!(
                    "`{name}` is looked up in an event's ledger, and no event is chosen (-e ID)"
                )),
            },
        }
    }

    fn when(&self, when: &When) -> Result<Timestamp, String> {
        let placed = match &self.event {
            Some(times) => when.resolve_back(times, self.now),
            None => when.last(&TimeZone::UTC, self.now),
        };
        placed.map_err(|error| error.to_string())
    }

    fn zone(&self) -> TimeZone {
        self.event
            .as_ref()
            .map_or(TimeZone::UTC, |times| times.zone.clone())
    }

    /// The window: as given, else the event's with its grace; none, without either.
    pub(crate) fn window(
        &self,
        since: Option<&When>,
        options: &Options,
    ) -> Result<Option<Window>, Failure> {
        let unusable = |option: &str, why: String| {
            Failure::usage(format!("{option} is not usable")).because(why)
        };
        let from = since
            .map(|when| self.when(when))
            .transpose()
            .map_err(|why| unusable("--since", why))?;
        let end = options
            .until
            .as_ref()
            .map(|when| match (when, from) {
                // From 22:45 to 00:15 goes over midnight.
                (When::TimeOfDay(_), Some(from)) => when
                    .resolve_after(from, &self.zone())
                    .map_err(|error| error.to_string()),
                _ => self.when(when),
            })
            .transpose()
            .map_err(|why| unusable("--until", why))?;
        let of_event = self
            .event
            .as_ref()
            .map(|times| (times.opens(), times.closes()));
        let (first, last) = match (of_event, from, end) {
            (None, None, None) if options.lasting.is_none() => return Ok(None),
            (Some((opens, closes)), _, _) => (opens, closes),
            (None, _, _) => (Timestamp::UNIX_EPOCH, FAR),
        };
        if options.lasting.is_some() && of_event.is_none() && from.is_none() {
            return Err(Failure::usage("--for says how long from --since on")
                .hint("--since 20:00 --for 30m"));
        }
        let from = from.unwrap_or(first);
        let end = match options.lasting {
            None => end,
            Some(Lasting::For(duration)) => Some(from.saturating_add(duration).unwrap_or(FAR)),
            Some(Lasting::Event | Lasting::Forever) => {
                return Err(Failure::usage("a window lasts for a time")
                    .hint("--since ko --for 30m, or leave --for out"));
            }
        };
        let window = Window {
            from,
            until: end.unwrap_or(last),
        };
        if window.from >= window.until {
            return Err(Failure::usage(format!(
                "the window would end ({}) before it begins ({})",
                time::local(window.until, &self.zone()),
                time::local(window.from, &self.zone())
            ))
            .hint("--since ko --until ko+30m"));
        }
        Ok(Some(window))
    }
}

//! The event's clock as the crew has set it: when it ends, which phase it is in, whether it is over.
//! Pure: the runbook's plan, the ledger's moves and the time in, the state out.

use jiff::{SignedDuration, Timestamp};

use super::body::ClockChange;
use super::view::View;
use crate::event::phase::Phase;
use crate::event::window::EventTimes;

/// Where the event stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventState {
    /// The runbook's times, with the end that the crew last agreed on.
    pub(crate) times: EventTimes,
    /// The end as the runbook has it.
    pub(crate) planned_end: Timestamp,
    pub(crate) phase: Phase,
    /// The phase was set by the crew, and does not follow the runbook's plan any more.
    pub(crate) phase_by_crew: bool,
    pub(crate) closed_at: Option<Timestamp>,
}

impl EventState {
    /// Works out the state at `now`. `planned` are the runbook's phases with their starts.
    pub(crate) fn at(
        times: &EventTimes,
        planned: &[(Phase, Timestamp)],
        view: &View,
        now: Timestamp,
    ) -> Self {
        let mut ends = times.ends;
        let mut set: Option<(Timestamp, Phase)> = None;
        let mut closed_at = None;
        for entry in view.clock() {
            match entry.change() {
                ClockChange::Extend { ends: later, .. } => ends = *later,
                ClockChange::Phase { phase, .. } => {
                    set = Some((entry.at(), *phase));
                    closed_at = None;
                }
                ClockChange::Close { .. } => closed_at = Some(entry.at()),
            }
        }
        let planned_end = times.ends;
        let times = times.ending(ends);
        let planned_phase = planned_phase(&times, planned, now);
        let phase = match (closed_at, set) {
            (Some(_), _) => Phase::Post,
            (None, None) => planned_phase,
            // What the crew says stands, until the plan reaches a later phase up to live: a
            // rehearsal phase set at noon must not hold when the doors open.
            (None, Some((at, phase))) => {
                let planned_since = planned_phase_start(&times, planned, now);
                if phase < Phase::Live && planned_phase > phase && planned_since > at {
                    planned_phase
                } else {
                    phase
                }
            }
        };
        Self {
            planned_end,
            times,
            phase,
            phase_by_crew: set.is_some() || closed_at.is_some(),
            closed_at,
        }
    }

    /// How far past its end the event is, while the crew has not ended it.
    pub(crate) fn overtime(&self, now: Timestamp) -> Option<SignedDuration> {
        if self.phase > Phase::Live {
            return None;
        }
        self.times.overtime(now)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }
}

/// The phase by plan alone. Live ends only by the crew's word, so cooldown and post never come by plan.
fn planned_phase(times: &EventTimes, planned: &[(Phase, Timestamp)], now: Timestamp) -> Phase {
    if planned.is_empty() {
        return if now >= times.doors {
            Phase::Live
        } else {
            Phase::Setup
        };
    }
    planned
        .iter()
        .filter(|(phase, from)| *phase <= Phase::Live && *from <= now)
        .max_by_key(|(_, from)| *from)
        .map_or(Phase::Setup, |(phase, _)| *phase)
}

fn planned_phase_start(
    times: &EventTimes,
    planned: &[(Phase, Timestamp)],
    now: Timestamp,
) -> Timestamp {
    if planned.is_empty() {
        return if now >= times.doors {
            times.doors
        } else {
            Timestamp::MIN
        };
    }
    planned
        .iter()
        .filter(|(phase, from)| *phase <= Phase::Live && *from <= now)
        .map(|(_, from)| *from)
        .max()
        .unwrap_or(Timestamp::MIN)
}

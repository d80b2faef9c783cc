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

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::Arc;

    use super::*;
    use crate::event::window::tests::vienna;
    use crate::ledger::body::Body;
    use crate::ledger::entry::{Draft, EntryId, FORMAT, RunId};

    fn minutes(after: Timestamp, minutes: i64) -> Timestamp {
        after + SignedDuration::from_mins(minutes)
    }

    /// A ledger with these moves of the clock.
    fn view(moves: &[(Timestamp, ClockChange)]) -> View {
        let entries = moves.iter().map(|(at, change)| {
            let draft = Draft {
                format: FORMAT,
                id: EntryId::new(*at, None),
                at: *at,
                event: "cup".to_owned(),
                operator: "jess".to_owned(),
                target: "rehearsal".to_owned(),
                run: RunId::new(*at),
                sequence: 0,
                previous: None,
                heads: Vec::new(),
                body: Body::Clock(change.clone()),
            };
            Arc::new(draft.seal().unwrap().0)
        });
        View::build(entries, &HashMap::new(), &HashSet::new())
    }

    fn planned(times: &EventTimes) -> Vec<(Phase, Timestamp)> {
        vec![
            (Phase::Setup, times.doors - SignedDuration::from_hours(24)),
            (Phase::Freeze, minutes(times.doors, -120)),
            (Phase::Live, times.doors),
            (Phase::Cooldown, times.ends),
            (Phase::Post, minutes(times.ends, 600)),
        ]
    }

    fn phase(moves: &[(Timestamp, ClockChange)], now: Timestamp) -> Phase {
        let times = vienna();
        EventState::at(&times, &planned(&times), &view(moves), now).phase
    }

    #[test]
    fn the_plan_moves_the_phase_up_to_live_and_never_out_of_it() {
        let times = vienna();
        assert_eq!(phase(&[], minutes(times.doors, -200)), Phase::Setup);
        assert_eq!(phase(&[], minutes(times.doors, -60)), Phase::Freeze);
        assert_eq!(phase(&[], times.doors), Phase::Live);
        assert_eq!(phase(&[], minutes(times.ends, 6_000)), Phase::Live);
    }

    #[test]
    fn the_crew_ends_live_and_can_go_back_to_it() {
        let times = vienna();
        let set = |phase| ClockChange::Phase {
            phase,
            reason: None,
        };
        let close = ClockChange::Close { reason: None };
        let (one, two) = (minutes(times.ends, 5), minutes(times.ends, 10));
        let later = minutes(times.ends, 20);
        assert_eq!(
            phase(&[(one, set(Phase::Cooldown))], later),
            Phase::Cooldown
        );
        assert_eq!(phase(&[(one, close.clone())], later), Phase::Post);
        assert_eq!(
            phase(&[(one, close), (two, set(Phase::Live))], later),
            Phase::Live
        );
    }

    #[test]
    fn a_phase_set_early_gives_way_when_the_doors_open() {
        let times = vienna();
        let set = ClockChange::Phase {
            phase: Phase::Rehearsal,
            reason: None,
        };
        let noon = minutes(times.doors, -300);
        assert_eq!(
            phase(&[(noon, set.clone())], minutes(noon, 30)),
            Phase::Rehearsal
        );
        assert_eq!(phase(&[(noon, set)], minutes(times.doors, 1)), Phase::Live);
    }

    #[test]
    fn an_extended_event_is_in_overtime_later() {
        let times = vienna();
        let extend = ClockChange::Extend {
            ends: minutes(times.ends, 30),
            reason: None,
        };
        let state = |moves: &[_], now| EventState::at(&times, &planned(&times), &view(moves), now);
        let now = minutes(times.ends, 40);
        assert_eq!(
            state(&[], now).overtime(now),
            Some(SignedDuration::from_mins(40))
        );
        let extended = state(&[(times.starts, extend)], now);
        assert_eq!(extended.overtime(now), Some(SignedDuration::from_mins(10)));
        assert_eq!(extended.planned_end, times.ends);
    }
}

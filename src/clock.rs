//! The one place that knows the time: now and waiting, on the system's clock, on one shifted by
//! the embedded cloud's offset, or on one that tests move by hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Tells the time and waits. Cheap to clone; clones of a manual clock share their hands.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// The system's clock, shifted by a fixed offset (zero for the real event).
    System { offset: SignedDuration },
    /// Stands still until moved; waiting moves it.
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    pub(crate) fn system() -> Self {
        Self(Kind::System {
            offset: SignedDuration::ZERO,
        })
    }

    /// The system's clock, `offset` ahead: the embedded cloud's time.
    pub(crate) fn shifted(offset: SignedDuration) -> Self {
        Self(Kind::System { offset })
    }

    /// The system's pace, from `now` on: for trying a moment of the event.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) fn started_at(now: Timestamp) -> Self {
        Self::shifted(now.duration_since(Timestamp::now()))
    }

    /// The same clock, `offset` ahead.
    pub(crate) fn shifted_by(&self, offset: SignedDuration) -> Self {
        match &self.0 {
            Kind::System { offset: own } => Self::shifted(own.saturating_add(offset)),
            Kind::Manual(_) => {
                Self::manual(self.now().saturating_add(offset).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// A clock that stands at `at`; [`Clock::wait`] moves it and returns at once.
    pub(crate) fn manual(at: Timestamp) -> Self {
        Self(Kind::Manual(Arc::new(Mutex::new(at))))
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            Kind::System { offset } => Timestamp::now()
                .saturating_add(*offset)
                .unwrap_or(Timestamp::MAX),
            Kind::Manual(at) => *at.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }

    /// Waits for `duration`.
    pub(crate) async fn wait(&self, duration: Duration) {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            Kind::System { .. } => tokio::time::sleep(duration).await,
            Kind::Manual(at) => {
                let mut at = at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if let Ok(later) = at.checked_add(duration) {
                    *at = later;
                }
            }
        }
    }
}

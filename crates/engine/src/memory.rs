//! Who may hold how much memory.
//!
//! DataFusion's fair pool gives each operator that can spill an equal part from the start, so that a
//! single large grouping spills with most of the memory idle, and leaves nothing for operators that
//! cannot spill. Here those that can spill share a part of the limit as they come; beyond it each has
//! a small part that nobody can take from it; the rest is for those that cannot spill.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// A pool of so many bytes.
#[derive(Debug)]
pub(crate) struct Pool {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Operators that can spill.
    spillers: usize,
    /// What they hold, bytes.
    spillable: usize,
    /// What the others hold, bytes.
    fixed: usize,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What those that can spill may take as they come.
    fn common(&self) -> usize {
        self.limit / 5 * 2
    }

    /// What each that can spill may have in any case.
    fn own(&self, held: &Held) -> usize {
        self.limit / 5 * 2 / held.spillers.max(1)
    }
}

impl MemoryPool for Pool {
    fn name(&self) -> &'static str {
        "onair"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.held().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut held = self.held();
        held.spillers = held
            .spillers
            .saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut held = self.held();
        if reservation.consumer().can_spill() {
            held.spillable += additional;
        } else {
            held.fixed += additional;
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut held = self.held();
        if reservation.consumer().can_spill() {
            held.spillable = held.spillable.saturating_sub(shrink);
        } else {
            held.fixed = held.fixed.saturating_sub(shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut held = self.held();
        let fits = held.spillable + held.fixed + additional <= self.limit;
        if reservation.consumer().can_spill() {
            let is_common = held.spillable + additional <= self.common();
            let is_own = reservation.size() + additional <= self.own(&held);
            if fits && (is_common || is_own) {
                held.spillable += additional;
                return Ok(());
            }
        } else if fits {
            held.fixed += additional;
            return Ok(());
        }
        Err(DataFusionError::ResourcesExhausted(format!(
            "{} wants {additional} bytes more than its {}, of {}; {} can be spilled and {} not",
            reservation.consumer().name(),
            reservation.size(),
            self.limit,
            held.spillable,
            held.fixed,
        )))
    }

    fn reserved(&self) -> usize {
        let held = self.held();
        held.spillable + held.fixed
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({} bytes)", self.name(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_that_spills_leaves_room_for_the_others() {
        let pool: Arc<dyn MemoryPool> = Arc::new(Pool::new(1000));
        let reserved = |name: &str, can_spill| {
            MemoryConsumer::new(name)
                .with_can_spill(can_spill)
                .register(&pool)
        };
        let large = reserved("large", true);
        let small = reserved("small", true);
        let top = reserved("top", false);
        large.try_grow(400).unwrap();
        large.try_grow(1).unwrap_err();
        small.try_grow(200).unwrap();
        small.try_grow(1).unwrap_err();
        top.try_grow(400).unwrap();
        top.try_grow(1).unwrap_err();
        assert_eq!(pool.reserved(), 1000);
        large.shrink(100);
        small.try_grow(1).unwrap_err();
        drop(top);
        drop(large);
        small.try_grow(200).unwrap();
    }
}

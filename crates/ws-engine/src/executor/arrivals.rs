//! The arrival-rate executors: VUs wait for iterations that are due by the clock.
//!
//! An iteration is given to a VU that waits, at the time it is due, or dropped if none does. It carries its due time, so
//! that one which begins later, because this process or the machine was busy, is known to be late.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Ledger, Rule, Take, Unstarted};

pub(super) struct Arrivals {
    /// By slot: when the iteration given to it is due, in nanoseconds from the start of the scenario, plus one; 0 for none.
    given: Box<[AtomicU64]>,
    /// Slots whose VU waits, the one that has waited longest first. The lock is held for one push or pop.
    waiting: Mutex<VecDeque<usize>>,
    start: OnceLock<Instant>,
}

impl Arrivals {
    pub(super) fn new(max_vus: usize) -> Self {
        Self {
            given: (0..max_vus).map(|_| AtomicU64::new(0)).collect(),
            waiting: Mutex::default(),
            start: OnceLock::new(),
        }
    }
}

impl Rule for Arrivals {
    fn take(&self, slot: usize, started: &AtomicU64) -> Take {
        let given = self.given.get(slot).map_or(0, |given| given.swap(0, Ordering::Acquire));
        let Some(due) = given.checked_sub(1) else { return Take::Wait };
        let due = self.start.get().map(|start| *start + Duration::from_nanos(due));
        Take::Number { number: started.fetch_add(1, Ordering::Relaxed), due }
    }

    fn ended(&self, slot: usize) {
        self.waiting.lock().push_back(slot);
    }

    fn begin(&self, start: Instant) {
        let _ = self.start.set(start);
    }

    fn want(&self, slot: usize, wanted: bool) {
        if wanted {
            self.waiting.lock().push_back(slot);
        }
    }

    fn give(&self, due: Duration) -> Option<usize> {
        let slot = self.waiting.lock().pop_front()?;
        let due = u64::try_from(due.as_nanos()).unwrap_or(u64::MAX - 1);
        self.given[slot].store(due + 1, Ordering::Release);
        Some(slot)
    }

    fn waits(&self) -> bool {
        true
    }

    fn busy(&self, ledger: &Ledger) -> usize {
        let ended = ledger.complete() + ledger.interrupted();
        usize::try_from(ledger.started().saturating_sub(ended)).unwrap_or(0)
    }

    fn comes_back(&self) -> bool {
        true
    }

    /// Given, and interrupted before the VU could take it.
    fn unstarted(&self, _started: u64) -> Vec<Unstarted> {
        let given = self.given.iter().filter(|given| given.load(Ordering::Relaxed) != 0).count() as u64;
        if given == 0 { Vec::new() } else { vec![Unstarted { slot: None, count: given }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_longest_is_next() {
        let (rule, started, now) = (Arrivals::new(2), AtomicU64::new(0), Instant::now());
        rule.begin(now);
        assert_eq!(rule.give(Duration::ZERO), None, "nobody waits");
        rule.want(0, true);
        rule.want(1, true);
        let second = Duration::from_secs(1);
        assert_eq!((rule.give(second), rule.give(second), rule.give(second)), (Some(0), Some(1), None));
        assert_eq!(rule.take(1, &started), Take::Number { number: 0, due: Some(now + second) });
        assert_eq!(rule.take(1, &started), Take::Wait, "an iteration is taken once");
        rule.ended(1);
        assert_eq!(rule.give(2 * second), Some(1));
        assert_eq!(rule.unstarted(1), [Unstarted { slot: None, count: 2 }]);
        assert_eq!(rule.take(0, &started), Take::Number { number: 1, due: Some(now + second) });
        assert_eq!(rule.unstarted(2), [Unstarted { slot: None, count: 1 }]);
    }
}

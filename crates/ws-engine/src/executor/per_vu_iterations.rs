//! `per-vu-iterations`: every VU has its own number of iterations.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Rule, Take, Unstarted, share};

pub(super) struct PerVuIterations {
    each: u64,
    /// Iterations handed out, by slot. Each entry has one writer, its VU.
    taken: Box<[AtomicU64]>,
}

impl PerVuIterations {
    pub(super) fn new(vus: usize, each: u64) -> Self {
        Self { each, taken: (0..vus).map(|_| AtomicU64::new(0)).collect() }
    }

    fn all(&self) -> u64 {
        self.each.saturating_mul(self.taken.len() as u64)
    }
}

impl Rule for PerVuIterations {
    fn take(&self, slot: usize, started: &AtomicU64) -> Take {
        let Some(taken) = self.taken.get(slot) else { return Take::Stop };
        let mine = taken.load(Ordering::Relaxed);
        if mine >= self.each {
            return Take::Stop;
        }
        taken.store(mine + 1, Ordering::Relaxed);
        Take::now(started.fetch_add(1, Ordering::Relaxed))
    }

    fn total(&self) -> Option<u64> {
        Some(self.all())
    }

    /// A VU that cannot finish does not hold up the others, so when time is over there is nothing left to do.
    fn progress(&self, complete: u64, time: f64) -> f64 {
        if time >= 1.0 { 1.0 } else { share(complete, self.all()) }
    }

    fn fulfilled(&self, complete: u64, timed_out: bool) -> bool {
        timed_out || complete >= self.all()
    }

    fn unstarted(&self, _started: u64) -> Vec<Unstarted> {
        let rest = |(slot, taken): (usize, &AtomicU64)| match self.each - taken.load(Ordering::Relaxed) {
            0 => None,
            count => Some(Unstarted { slot: Some(slot), count }),
        };
        self.taken.iter().enumerate().filter_map(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vu_has_its_own_count_and_all_share_the_numbers() {
        let rule = PerVuIterations::new(2, 2);
        let started = AtomicU64::new(0);
        let took: Vec<_> = [0, 1, 1, 1, 0, 0].iter().map(|slot| rule.take(*slot, &started)).collect();
        let expected = [Take::now(0), Take::now(1), Take::now(2), Take::Stop, Take::now(3), Take::Stop];
        assert_eq!(took, expected);
        assert_eq!(rule.unstarted(4), []);
    }

    #[test]
    fn the_rest_is_counted_per_vu() {
        let rule = PerVuIterations::new(3, 5);
        let started = AtomicU64::new(0);
        for slot in [0, 0, 1, 1, 1, 1, 1] {
            assert_ne!(rule.take(slot, &started), Take::Stop);
        }
        assert_eq!(
            rule.unstarted(7),
            [Unstarted { slot: Some(0), count: 3 }, Unstarted { slot: Some(2), count: 5 }]
        );
        assert_eq!(rule.progress(3, 0.5), 0.2);
        assert_eq!(rule.progress(3, 1.0), 1.0);
    }
}

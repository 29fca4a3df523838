//! `shared-iterations`: all VUs take from one number of iterations. Not fair by design: a fast VU takes more.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Rule, Take, Unstarted, share};

pub(super) struct SharedIterations {
    iterations: u64,
}

impl SharedIterations {
    pub(super) fn new(iterations: u64) -> Self {
        Self { iterations }
    }
}

impl Rule for SharedIterations {
    fn take(&self, _slot: usize, started: &AtomicU64) -> Take {
        // Each VU goes beyond the limit once at most, then it stops; a compare-exchange loop would cost more.
        let number = started.fetch_add(1, Ordering::Relaxed);
        if number < self.iterations { Take::now(number) } else { Take::Stop }
    }

    fn total(&self) -> Option<u64> {
        Some(self.iterations)
    }

    fn progress(&self, complete: u64, _time: f64) -> f64 {
        share(complete, self.iterations)
    }

    fn fulfilled(&self, complete: u64, _timed_out: bool) -> bool {
        complete >= self.iterations
    }

    fn unstarted(&self, started: u64) -> Vec<Unstarted> {
        match self.iterations.saturating_sub(started) {
            0 => Vec::new(),
            count => vec![Unstarted { slot: None, count }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_out_every_number_once() {
        let rule = SharedIterations::new(1_000);
        let started = AtomicU64::new(0);
        let mut numbers: Vec<u64> = std::thread::scope(|scope| {
            let take_all = || {
                std::iter::from_fn(|| match rule.take(0, &started) {
                    Take::Number { number, .. } => Some(number),
                    Take::Wait | Take::Stop => None,
                })
                .collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take_all)).collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        assert_eq!(rule.unstarted(started.into_inner()), []);
    }

    #[test]
    fn the_rest_is_one_sum() {
        let rule = SharedIterations::new(10);
        assert_eq!(rule.unstarted(9), [Unstarted { slot: None, count: 1 }]);
        assert_eq!(rule.progress(4, 0.9), 0.4);
        assert!(!rule.fulfilled(9, true));
        assert!(rule.fulfilled(10, false));
    }
}

//! `constant-vus`: VUs loop until the gate closes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Rule, Take, Unstarted};

pub(super) struct ConstantVus;

impl Rule for ConstantVus {
    fn take(&self, _slot: usize, started: &AtomicU64) -> Take {
        Take::now(started.fetch_add(1, Ordering::Relaxed))
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn progress(&self, _complete: u64, time: f64) -> f64 {
        time
    }

    fn fulfilled(&self, _complete: u64, timed_out: bool) -> bool {
        timed_out
    }

    fn unstarted(&self, _started: u64) -> Vec<Unstarted> {
        Vec::new()
    }
}

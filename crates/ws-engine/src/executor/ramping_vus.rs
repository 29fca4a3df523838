//! `ramping-vus`: VUs loop as long as they are wanted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Rule, Take};

pub(super) struct RampingVus {
    /// By slot. The coordinator writes, the slot's VU reads.
    wanted: Box<[AtomicBool]>,
}

impl RampingVus {
    pub(super) fn new(vus: usize) -> Self {
        Self { wanted: (0..vus).map(|_| AtomicBool::new(false)).collect() }
    }
}

impl Rule for RampingVus {
    fn take(&self, slot: usize, started: &AtomicU64) -> Take {
        let wanted = self.wanted.get(slot).is_some_and(|wanted| wanted.load(Ordering::Relaxed));
        if wanted { Take::now(started.fetch_add(1, Ordering::Relaxed)) } else { Take::Stop }
    }

    fn want(&self, slot: usize, wanted: bool) {
        if let Some(flag) = self.wanted.get(slot) {
            flag.store(wanted, Ordering::Relaxed);
        }
    }

    fn comes_back(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wanted_vus_get_iterations() {
        let rule = RampingVus::new(2);
        let started = AtomicU64::new(0);
        assert_eq!(rule.take(0, &started), Take::Stop);
        rule.want(1, true);
        assert_eq!((rule.take(0, &started), rule.take(1, &started)), (Take::Stop, Take::now(0)));
        rule.want(1, false);
        assert_eq!(rule.take(1, &started), Take::Stop);
    }
}

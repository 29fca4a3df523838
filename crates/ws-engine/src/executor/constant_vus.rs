//! `constant-vus`: VUs loop until the gate closes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Rule, Take};

pub(super) struct ConstantVus;

impl Rule for ConstantVus {
    fn take(&self, _slot: usize, started: &AtomicU64) -> Take {
        Take::now(started.fetch_add(1, Ordering::Relaxed))
    }
}

//! A scenario's counts and times, written by VU threads and the coordinator, read by anybody.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Counters that VU threads write on every iteration.
///
/// On a cache line (pair) of their own: the gate flag is read just as often and must not travel with them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counts {
    pub(crate) started: AtomicU64,
    pub(crate) complete: AtomicU64,
    pub(crate) interrupted: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) counts: Counts,
    closed: AtomicBool,
    cut: AtomicBool,
    timed_out: AtomicBool,
    /// VUs in their loop. Only the coordinator writes it.
    active: AtomicUsize,
    /// VUs that have been given to the scenario. Only the coordinator writes it.
    present: AtomicUsize,
    began: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    regular: Duration,
}

impl Ledger {
    pub(crate) fn new(regular: Duration) -> Self {
        Self {
            counts: Counts::default(),
            closed: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            timed_out: AtomicBool::new(false),
            active: AtomicUsize::new(0),
            present: AtomicUsize::new(0),
            began: OnceLock::new(),
            ended: OnceLock::new(),
            regular,
        }
    }

    /// Hands out no further iteration.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Interrupts what still runs: nothing begins any more, whatever was promised.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
        self.close();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Closes because the regular duration is over.
    pub(crate) fn time_out(&self) {
        self.timed_out.store(true, Ordering::Relaxed);
        self.close();
    }

    pub(crate) fn timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }

    pub(crate) fn complete(&self) -> u64 {
        self.counts.complete.load(Ordering::Relaxed)
    }

    pub(crate) fn interrupted(&self) -> u64 {
        self.counts.interrupted.load(Ordering::Relaxed)
    }

    pub(crate) fn started(&self) -> u64 {
        self.counts.started.load(Ordering::Relaxed)
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn set_active(&self, vus: usize) {
        self.active.store(vus, Ordering::Relaxed);
    }

    pub(crate) fn present(&self) -> usize {
        self.present.load(Ordering::Relaxed)
    }

    pub(crate) fn set_present(&self, vus: usize) {
        self.present.store(vus, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, now: Instant) {
        // Set once: a second begin or end would be a bug of the coordinator, and the first time is the true one.
        let _ = self.began.set(now);
    }

    pub(crate) fn end(&self, now: Instant) {
        let _ = self.ended.set(now);
        self.close();
    }

    pub(crate) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.get().is_some()
    }

    pub(crate) fn regular(&self) -> Duration {
        self.regular
    }

    /// Time from the scenario's start to now, or to its end if that was earlier.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        let end = self.ended.get().copied().unwrap_or(now);
        self.began.get().map_or(Duration::ZERO, |began| end.saturating_duration_since(*began))
    }

    /// How much of the regular duration is over, from 0 to 1.
    pub(crate) fn time_share(&self, now: Instant) -> f64 {
        if self.regular.is_zero() {
            return 1.0;
        }
        (self.elapsed(now).as_secs_f64() / self.regular.as_secs_f64()).min(1.0)
    }
}

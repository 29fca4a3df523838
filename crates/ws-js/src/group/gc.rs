//! The pauses of garbage collection, which are in every latency that a script measures.

use std::ffi::c_void;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;

/// Times the collections of one isolate.
pub(crate) struct GcClock {
    inner: Mutex<Inner>,
}

struct Inner {
    started: Option<Instant>,
    /// Microseconds.
    pauses: Histogram<u64>,
}

impl Inner {
    fn note(&mut self, pause: Duration) {
        let us = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        self.pauses.record(us).expect("an auto-resizing histogram takes any value");
    }
}

/// Pauses for garbage collection of a run: how long scripts of a group stood still, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GcPauses {
    /// How many there were.
    pub count: u64,
    /// The median pause.
    pub median_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest pause.
    pub max_ms: f64,
}

impl Default for GcClock {
    fn default() -> Self {
        let pauses = Histogram::new(3).expect("three digits are within its range");
        Self { inner: Mutex::new(Inner { started: None, pauses }) }
    }
}

impl GcClock {
    /// Hooks the clock into `isolate`. The clock must stay where it is for as long as the isolate lives.
    pub(crate) fn watch(&self, isolate: &mut v8::Isolate) {
        let data = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // Steps of incremental marking and weak callbacks are no pauses of their own.
        let kinds = v8::GCType::kGCTypeScavenge
            | v8::GCType::kGCTypeMinorMarkSweep
            | v8::GCType::kGCTypeMarkSweepCompact;
        isolate.add_gc_prologue_callback(began, data, kinds);
        isolate.add_gc_epilogue_callback(ended, data, kinds);
    }

    /// Forgets what was measured so far.
    pub(crate) fn reset(&self) {
        self.inner.lock().pauses.reset();
    }

    /// What was measured by several clocks together.
    pub(crate) fn sum<'a>(clocks: impl Iterator<Item = &'a GcClock>) -> GcPauses {
        let mut all = Histogram::<u64>::new(3).expect("three digits are within its range");
        for clock in clocks {
            all.add(&clock.inner.lock().pauses).expect("an auto-resizing histogram takes any value");
        }
        let ms = |us: u64| us as f64 / 1000.0;
        GcPauses {
            count: all.len(),
            median_ms: ms(all.value_at_quantile(0.5)),
            p99_ms: ms(all.value_at_quantile(0.99)),
            max_ms: ms(all.max()),
        }
    }
}

unsafe extern "C" fn began(
    _: v8::UnsafeRawIsolatePtr,
    _: v8::GCType,
    _: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: `watch` passed a pointer to the clock, which outlives the isolate.
    let clock = unsafe { &*data.cast::<GcClock>() };
    clock.inner.lock().started = Some(Instant::now());
}

unsafe extern "C" fn ended(
    _: v8::UnsafeRawIsolatePtr,
    _: v8::GCType,
    _: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: as in `began`.
    let clock = unsafe { &*data.cast::<GcClock>() };
    let mut inner = clock.inner.lock();
    if let Some(started) = inner.started.take() {
        inner.note(started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_of_all_clocks_are_summed_up_in_milliseconds() {
        let (one, other) = (GcClock::default(), GcClock::default());
        for ms in [1, 2, 3] {
            one.inner.lock().note(Duration::from_millis(ms));
        }
        other.inner.lock().note(Duration::from_millis(50));
        let pauses = GcClock::sum([&one, &other].into_iter());
        assert_eq!(pauses.count, 4);
        assert!((pauses.median_ms - 2.0).abs() < 0.01, "{pauses:?}");
        assert!((pauses.max_ms - 50.0).abs() < 0.1, "{pauses:?}");
    }
}

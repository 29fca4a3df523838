//! The loop's clock, and the one place where instants become ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where a loop reads the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's monotonic clock.
    #[default]
    System,
    /// A clock that stands still until a test moves it.
    Manual(ManualClock),
}

impl Clock {
    /// The present.
    pub fn now(&self) -> Instant {
        match self {
            Clock::System => Instant::now(),
            Clock::Manual(clock) => clock.now(),
        }
    }
}

/// A clock moved by hand. Clones show the same time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// let clock = ws_loop::ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_millis(5));
/// assert_eq!(clock.now() - start, Duration::from_millis(5));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    origin: Instant,
    elapsed_ns: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that shows the moment of its creation.
    pub fn new() -> Self {
        ManualClock { origin: Instant::now(), elapsed_ns: Arc::new(AtomicU64::new(0)) }
    }

    /// The time shown.
    pub fn now(&self) -> Instant {
        self.origin + Duration::from_nanos(self.elapsed_ns.load(Ordering::Relaxed))
    }

    /// Moves the time on. The sum of all steps must stay below 584 years.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_ns.fetch_add(by, Ordering::Relaxed);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

/// Translates instants to ticks of one millisecond since an origin, and back.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// let origin = Instant::now();
/// let ticks = ws_loop::Ticks::since(origin);
/// let at = origin + Duration::from_micros(1_500);
/// assert_eq!(ticks.due(at), 2); // a timer for 1.5 ms may fire at 2 ms
/// assert_eq!(ticks.passed(at), 1); // and at 1.5 ms only the first tick has passed
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    origin: Instant,
}

impl Ticks {
    /// Ticks counted from `origin`.
    pub fn since(origin: Instant) -> Self {
        Ticks { origin }
    }

    /// The tick at which something asked for at `at` is due: rounded up, so never early. Zero before the origin.
    pub fn due(self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        millis(since) + u64::from(!since.subsec_nanos().is_multiple_of(1_000_000))
    }

    /// The last tick that has passed at `at`: rounded down. Zero before the origin.
    pub fn passed(self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.origin))
    }

    /// The instant at which `tick` has passed. `None` if it is beyond what an [`Instant`] can express.
    pub fn instant(self, tick: u64) -> Option<Instant> {
        self.origin.checked_add(Duration::from_millis(tick))
    }
}

/// Whole milliseconds, capped far beyond any wheel's horizon so that adding one cannot overflow.
fn millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

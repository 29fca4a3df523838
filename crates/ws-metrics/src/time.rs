//! Wall-clock time of samples, and how it is made from the monotonic clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point of wall-clock time in nanoseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl From<SystemTime> for Timestamp {
    /// Times outside the years 1677 to 2262 become the nearest that can be told.
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        })
    }
}

/// Ties the monotonic clock to wall-clock time, so that one reading of an [`Instant`] serves both.
///
/// Made once at the start of a run: samples stay in order even when the system's clock is set meanwhile.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant, UNIX_EPOCH};
/// use ws_metrics::{Timestamp, WallClock};
///
/// let start = Instant::now();
/// let clock = WallClock::new(start, UNIX_EPOCH + Duration::from_secs(1));
/// assert_eq!(clock.at(start + Duration::from_millis(2)), Timestamp::from_nanos(1_002_000_000));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    origin: Instant,
    epoch: Timestamp,
}

impl WallClock {
    /// Declares that `origin` and `wall` are the same moment.
    pub fn new(origin: Instant, wall: SystemTime) -> Self {
        Self { origin, epoch: wall.into() }
    }

    /// The wall-clock time of `instant`, which may lie before the origin.
    pub fn at(self, instant: Instant) -> Timestamp {
        let offset = match instant.checked_duration_since(self.origin) {
            Some(after) => nanos(after),
            None => -nanos(self.origin.duration_since(instant)),
        };
        Timestamp(self.epoch.0.saturating_add(offset))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_before_the_origin_have_a_time_too() {
        let origin = Instant::now() + Duration::from_secs(60);
        let clock = WallClock::new(origin, UNIX_EPOCH);
        assert_eq!(clock.at(origin - Duration::from_secs(1)).as_nanos(), -1_000_000_000);
        assert_eq!(clock.at(origin - Duration::from_nanos(1)).as_millis(), -1);
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(2)).as_nanos(), -2_000_000_000);
    }
}

//! The time that scripts see, in milliseconds: `performance.now()` and the time stamps of events.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The same for all realms, so that their times can be compared.
static ORIGIN: OnceLock<(Instant, SystemTime)> = OnceLock::new();

/// Makes this moment the origin, unless there is one.
pub(super) fn start() {
    origin();
}

/// Milliseconds since the origin, by a clock that nobody sets.
pub(crate) fn now() -> f64 {
    origin().0.elapsed().as_secs_f64() * 1e3
}

/// The origin, in milliseconds since 1970.
pub(crate) fn time_origin() -> f64 {
    origin().1.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

fn origin() -> (Instant, SystemTime) {
    *ORIGIN.get_or_init(|| (Instant::now(), SystemTime::now()))
}

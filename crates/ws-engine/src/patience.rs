//! How long the coordinator waits for what it has told to stop.

use std::time::{Duration, Instant};

/// When it is first asked whether a script is stuck, and how often from then on. A script counts as stuck when it was
/// seen twice, so that at three seconds the wait is over.
const FIRST_LOOK: Duration = Duration::from_millis(2500);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Sockets that are being closed have limits of their own, and thousands of VUs take their time. This is for what
/// nobody has thought of.
const LONGEST: Duration = Duration::from_secs(30);

/// The wait for something that was told to stop.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    looked: Option<Instant>,
}

impl Patience {
    /// When to look after what was told to stop at `since`.
    pub(crate) fn due(&self, since: Instant) -> Instant {
        let first = since + FIRST_LOOK;
        self.looked.map_or(first, |looked| first.max(looked + LOOK_EVERY))
    }

    /// Looks, and says whether to wait no longer.
    pub(crate) fn is_over(&mut self, since: Instant, now: Instant, is_stuck: impl FnOnce() -> bool) -> bool {
        self.looked = Some(now);
        is_stuck() || now.saturating_duration_since(since) >= LONGEST
    }
}

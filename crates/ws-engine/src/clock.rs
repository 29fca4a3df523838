//! Time and waiting, injected so that a test can run an hour in no time.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Where a run takes its time from, and the only place where its coordinator sleeps.
pub trait Clock: Send + Sync {
    /// The present, on a clock that never goes back.
    fn now(&self) -> Instant;

    /// Returns when the bell rang or `until` is reached, whichever comes first; without a deadline only the bell ends
    /// it. A ring that came before the call counts. Returning too early is allowed.
    fn wait(&self, bell: &Bell, until: Option<Instant>);
}

/// The operating system's monotonic clock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use ws_engine::{Bell, Clock, SystemClock};
///
/// let (clock, bell) = (SystemClock, Bell::default());
/// bell.ring();
/// clock.wait(&bell, Some(clock.now() + Duration::from_secs(60))); // does not wait: it rang before
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait(&self, bell: &Bell, until: Option<Instant>) {
        bell.wait(until);
    }
}

/// Wakes the one thread that waits for it. A ring is kept until it is heard, several count once.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// Wakes the waiting thread, or lets the next wait return at once.
    pub fn ring(&self) {
        let mut rung = self.rung.lock();
        if !*rung {
            *rung = true;
            self.heard.notify_one();
        }
    }

    /// Takes back a ring that nobody has heard yet, and says whether there was one.
    pub fn take(&self) -> bool {
        std::mem::take(&mut *self.rung.lock())
    }

    /// Sleeps in real time until a ring or `until`, and takes the ring.
    pub fn wait(&self, until: Option<Instant>) {
        let mut rung = self.rung.lock();
        while !*rung {
            match until {
                None => self.heard.wait(&mut rung),
                Some(until) => {
                    if self.heard.wait_until(&mut rung, until).timed_out() {
                        break;
                    }
                }
            }
        }
        *rung = false;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn ring_from_another_thread_ends_the_wait() {
        let bell = Arc::new(Bell::default());
        let ringer = Arc::clone(&bell);
        let thread = std::thread::spawn(move || ringer.ring());
        SystemClock.wait(&bell, None);
        thread.join().unwrap();
        assert!(!bell.take(), "the wait takes the ring");
    }

    #[test]
    fn deadline_ends_the_wait_but_not_before() {
        let until = Instant::now() + Duration::from_millis(5);
        SystemClock.wait(&Bell::default(), Some(until));
        assert!(Instant::now() >= until);
    }
}

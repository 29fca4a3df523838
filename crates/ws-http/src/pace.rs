//! A limit of requests per second, for all users together.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets requests through one by one, evenly spaced; nothing is saved up while nobody asks.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn per_second(rate: f64) -> Self {
        Self { gap: Duration::from_secs_f64(1.0 / rate), next: Mutex::new(None) }
    }

    /// When a request that asks at `now` may go.
    pub(crate) fn turn(&self, now: Instant) -> Instant {
        let mut next = self.next.lock();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_and_not_saved_up() {
        let pace = Pace::per_second(10.0);
        let start = Instant::now();
        let ms = |at: Instant| at.duration_since(start).as_millis();
        assert_eq!([0, 0, 0].map(|_| ms(pace.turn(start))), [0, 100, 200]);
        let late = start + Duration::from_secs(5);
        assert_eq!([0, 0].map(|_| ms(pace.turn(late))), [5000, 5100]);
    }
}

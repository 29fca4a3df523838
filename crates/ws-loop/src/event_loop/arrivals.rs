//! When the messages in the queue arrived: the kernel's stamps, brought onto the loop's clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::Clock;
use crate::event::Arrival;

/// Two readings of the loop's clock that are no further apart than this hold the system's between them.
const CLOSE: Duration = Duration::from_micros(5);

/// How often the clocks are read in the hope of that; a thread may be put aside between any two readings.
const TRIES: usize = 3;

/// Times of arrival in the order of the queue: one for each read, with the number of its messages.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    reads: VecDeque<(usize, Arrival)>,
    /// Both clocks, read in this turn. Not kept for longer, because the system's clock may be set.
    clocks: Option<Arrival>,
}

impl Arrivals {
    pub(super) fn begin_turn(&mut self) {
        self.clocks = None;
    }

    /// Takes the stamp of a read that has just been made and has queued `count` messages.
    pub(super) fn push(&mut self, count: usize, stamp: Option<SystemTime>, clock: &Clock) {
        if count == 0 {
            return;
        }
        let arrival = match stamp {
            Some(stamp) => self.place(stamp, clock),
            None => read(clock),
        };
        self.reads.push_back((count, arrival));
    }

    /// The time of the oldest message that is still there.
    pub(super) fn pop(&mut self) -> Option<Arrival> {
        let (count, arrival) = self.reads.front_mut()?;
        let arrival = *arrival;
        *count -= 1;
        if *count == 0 {
            self.reads.pop_front();
        }
        Some(arrival)
    }

    fn place(&mut self, stamp: SystemTime, clock: &Clock) -> Arrival {
        let mut clocks = *self.clocks.get_or_insert_with(|| read(clock));
        if stamp > clocks.wall {
            // It came after the clocks were read, and before it was read itself.
            clocks = *self.clocks.insert(read(clock));
        }
        // A stamp from the future means that the clock has been set back since.
        let ago = clocks.wall.duration_since(stamp).unwrap_or_default();
        Arrival { at: clocks.at.checked_sub(ago).unwrap_or(clocks.at), wall: stamp }
    }
}

/// Both clocks at the same moment, as nearly as can be.
fn read(clock: &Clock) -> Arrival {
    let mut best: Option<(Duration, Arrival)> = None;
    for _ in 0..TRIES {
        let before = clock.now();
        let wall = SystemTime::now();
        let apart = clock.now().saturating_duration_since(before);
        let at: Instant = before + apart / 2;
        if best.is_none_or(|(best, _)| apart < best) {
            best = Some((apart, Arrival { at, wall }));
        }
        if apart <= CLOSE {
            break;
        }
    }
    best.map_or_else(|| Arrival { at: clock.now(), wall: SystemTime::now() }, |(_, reading)| reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_stamp_is_as_long_ago_on_the_loops_clock_as_on_the_systems() {
        let manual = ManualClock::new();
        let clock = Clock::Manual(manual.clone());
        let mut arrivals = Arrivals::default();
        arrivals.begin_turn();
        let wall = SystemTime::now();
        for ago in [400, 300] {
            arrivals.push(1, Some(wall - Duration::from_millis(ago)), &clock);
        }
        let [first, second] = [arrivals.pop().unwrap(), arrivals.pop().unwrap()];
        // One reading of the clocks served both.
        assert_eq!(second.at - first.at, Duration::from_millis(100));
        assert_eq!(first.wall, wall - Duration::from_millis(400));
        assert!(manual.now() - first.at >= Duration::from_millis(400));
        assert_eq!(arrivals.pop(), None);
    }

    #[test]
    fn a_stamp_from_the_future_is_now() {
        let manual = ManualClock::new();
        let mut arrivals = Arrivals::default();
        arrivals.push(1, Some(SystemTime::now() + Duration::from_secs(3600)), &Clock::Manual(manual.clone()));
        assert_eq!(arrivals.pop().unwrap().at, manual.now());
    }

    #[test]
    fn all_messages_of_a_read_share_its_time() {
        let clock = Clock::Manual(ManualClock::new());
        let mut arrivals = Arrivals::default();
        let wall = SystemTime::now();
        arrivals.push(0, Some(wall), &clock);
        arrivals.push(2, Some(wall - Duration::from_secs(2)), &clock);
        arrivals.push(1, Some(wall - Duration::from_secs(1)), &clock);
        let ago: Vec<_> = std::iter::from_fn(|| arrivals.pop())
            .map(|arrival| wall.duration_since(arrival.wall).unwrap().as_secs())
            .collect();
        assert_eq!(ago, [2, 2, 1]);
    }
}

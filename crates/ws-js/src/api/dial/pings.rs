//! When the pings of a connection were sent, by their ids.

use std::collections::VecDeque;
use std::time::Instant;

/// Pings whose pong is waited for at most. A script that pings a server which never answers must not fill the memory.
const KEPT: usize = 1024;

/// The last pings of a connection. Their payload is their id, a number from 0.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    sent: VecDeque<Instant>,
    /// The id of the oldest that is kept.
    first: usize,
}

impl Pings {
    /// The id of the next one.
    pub(crate) fn next(&self) -> usize {
        self.first + self.sent.len()
    }

    /// Notes that the next one was sent.
    pub(crate) fn push(&mut self, now: Instant) {
        if self.sent.len() == KEPT {
            self.sent.pop_front();
            self.first += 1;
        }
        self.sent.push_back(now);
    }

    /// When one was sent; `None` also if that is too many pings ago.
    pub(crate) fn sent(&self, id: usize) -> Option<Instant> {
        self.sent.get(id.checked_sub(self.first)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let (start, mut pings) = (Instant::now(), Pings::default());
        let at = |id: usize| start + Duration::from_millis(id as u64);
        for id in 0..3 * KEPT {
            assert_eq!(pings.next(), id);
            pings.push(at(id));
        }
        assert_eq!(pings.sent.len(), KEPT);
        for id in [0, 2 * KEPT - 1, 3 * KEPT, usize::MAX] {
            assert_eq!(pings.sent(id), None, "{id}");
        }
        for id in [2 * KEPT, 3 * KEPT - 1] {
            assert_eq!(pings.sent(id), Some(at(id)), "{id}");
        }
    }
}

//! When marked places of an out-queue were offered to the system.

use std::collections::VecDeque;
use std::time::Instant;

/// A place in the out-queue of one [`Connection`](crate::Connection). Later places are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u64);

/// The times of the offers that carried something marked.
///
/// A queue is always offered as a whole, so a mark is the number of the offer that will carry it: nothing is searched,
/// and all that is marked between two offers shares one entry.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    offers: VecDeque<Instant>,
    /// The number of the first of them.
    first: u64,
    set: bool,
}

impl Marks {
    pub(crate) fn set(&mut self) -> Mark {
        self.set = true;
        Mark(self.first + self.offers.len() as u64)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.set
    }

    pub(crate) fn offer(&mut self, now: Instant) {
        if std::mem::take(&mut self.set) {
            self.offers.push_back(now);
        }
    }

    pub(crate) fn offered_at(&self, mark: Mark) -> Option<Instant> {
        let at = usize::try_from(mark.0.checked_sub(self.first)?).ok()?;
        self.offers.get(at).copied()
    }

    pub(crate) fn forget(&mut self, before: Mark) {
        let gone = before.0.saturating_sub(self.first).min(self.offers.len() as u64);
        self.offers.drain(..gone as usize);
        self.first += gone;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_mark_has_the_time_of_the_first_offer_after_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut marks = Marks::default();
        marks.offer(at(0));
        let (a, b) = (marks.set(), marks.set());
        assert_eq!((a, marks.offered_at(a), marks.is_set()), (b, None, true));
        marks.offer(at(1));
        // Carries nothing that anyone asks for.
        marks.offer(at(2));
        let c = marks.set();
        assert!(c > b);
        marks.offer(at(3));
        assert_eq!([a, b, c].map(|mark| marks.offered_at(mark)), [Some(at(1)), Some(at(1)), Some(at(3))]);
    }

    #[test]
    fn what_is_forgotten_has_no_time() {
        let start = Instant::now();
        let mut marks = Marks::default();
        let set: Vec<Mark> = (0..4)
            .map(|_| {
                let mark = marks.set();
                marks.offer(start);
                mark
            })
            .collect();
        let open = marks.set();
        marks.forget(set[2]);
        marks.forget(set[1]);
        let known: Vec<bool> = set.iter().map(|&mark| marks.offered_at(mark).is_some()).collect();
        assert_eq!(known, [false, false, true, true]);
        // A mark that is still to be offered stays good.
        marks.forget(open);
        assert_eq!(marks.offers.len(), 0);
        marks.offer(start);
        assert_eq!(marks.offered_at(open), Some(start));
    }
}

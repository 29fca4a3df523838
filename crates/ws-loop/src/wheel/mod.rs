//! A hierarchical timing wheel on integer ticks.
//!
//! Seven levels of 64 slots: a slot of level `n` spans `64^n` ticks. A timer lies on the lowest level on which its
//! tick and the wheel's own tick fall into the same block, and moves down a level each time the wheel enters the
//! slot it lies in. Insertion and cancellation touch one list each; an occupancy bitmap per level finds the next
//! slot in use without a walk.
//!
//! The wheel knows integers only. What a tick is, and when it has come, is said by [`Ticks`](crate::Ticks).

mod entry;
mod level;

pub use entry::TimerId;

use entry::{Entries, Place};
use level::{LEVELS, Level, SLOT_BITS};

/// A set of one-shot timers, each with a tick it is due at and a payload.
///
/// A timer goes through three steps: [`insert`](Self::insert), then [`advance`](Self::advance) reports its id
/// as due, then [`claim`](Self::claim) takes its payload and forgets it. [`cancel`](Self::cancel) works until the
/// last step, so an owner that queues due timers and works the queue off later can still call one back that lies
/// in the queue.
///
/// # Examples
///
/// ```
/// use ws_loop::TimerWheel;
///
/// let mut wheel = TimerWheel::new();
/// let id = wheel.insert(5, "five");
/// let mut due = Vec::new();
/// wheel.advance(4, |id, _| due.push(id));
/// assert!(due.is_empty());
/// wheel.advance(5, |id, _| due.push(id));
/// assert_eq!(due, [id]);
/// assert_eq!(wheel.claim(id), Some("five"));
/// assert_eq!(wheel.claim(id), None);
/// ```
#[derive(Debug)]
pub struct TimerWheel<P> {
    /// Every tick up to and including this one has been dealt with.
    now: u64,
    levels: [Level; LEVELS],
    /// Timers inserted for a tick that had already been dealt with, in order of creation.
    overdue: level::List,
    entries: Entries<P>,
    armed: usize,
}

impl<P> TimerWheel<P> {
    /// The latest tick there is: with ticks of one millisecond 139 years after tick 0. Later ones are clamped to it.
    pub const HORIZON: u64 = (1 << (SLOT_BITS * LEVELS as u32)) - 1;

    /// An empty wheel at tick 0. Allocates nothing until the first timer is inserted.
    pub fn new() -> Self {
        TimerWheel {
            now: 0,
            levels: std::array::from_fn(|_| Level::new()),
            overdue: level::List::EMPTY,
            entries: Entries::new(),
            armed: 0,
        }
    }

    /// Adds a timer that is due at `tick`, in constant time.
    ///
    /// A tick that has already passed makes the timer due at the next [`advance`](Self::advance), whatever that
    /// one's tick. A tick beyond [`HORIZON`](Self::HORIZON) counts as the horizon.
    pub fn insert(&mut self, tick: u64, payload: P) -> TimerId {
        let id = self.entries.insert(tick.min(Self::HORIZON), payload);
        self.armed += 1;
        self.link(id.index);
        id
    }

    /// Removes a timer, in constant time. Says whether it was there: not yet claimed and not yet cancelled.
    pub fn cancel(&mut self, id: TimerId) -> bool {
        let Some(place) = self.entries.place(id) else { return false };
        match place {
            Place::Due => {}
            Place::Overdue => {
                self.overdue.unlink(&mut self.entries, id.index);
                self.armed -= 1;
            }
            Place::Slot { level, slot } => {
                self.levels[level as usize].unlink(&mut self.entries, slot, id.index);
                self.armed -= 1;
            }
        }
        self.entries.remove(id.index);
        true
    }

    /// Forgets a timer that [`advance`](Self::advance) has reported and returns its payload. `None` if it was
    /// claimed or cancelled before, or is not due yet.
    pub fn claim(&mut self, id: TimerId) -> Option<P> {
        match self.entries.place(id)? {
            Place::Due => self.entries.remove(id.index),
            Place::Overdue | Place::Slot { .. } => None,
        }
    }

    /// Moves the wheel to `tick` and reports every timer due by then: by rising tick, equal ticks in order of
    /// creation. A `tick` before the wheel's own reports only what was inserted too late.
    pub fn advance(&mut self, tick: u64, mut due: impl FnMut(TimerId, &P)) {
        let tick = tick.min(Self::HORIZON);
        self.drain_overdue(&mut due);
        while let Some((level, slot, start)) = self.first_occupied() {
            if start > tick {
                break;
            }
            self.now = start;
            let mut list = self.levels[level].take(slot);
            while let Some(index) = list.pop_front(&mut self.entries) {
                if level == 0 {
                    self.fire(index, &mut due);
                } else {
                    // One level down, or to `overdue` if its tick is the one that starts this slot.
                    self.link(index);
                }
            }
            self.drain_overdue(&mut due);
        }
        self.now = self.now.max(tick);
    }

    /// A tick at which to call [`advance`](Self::advance) next, or `None` without timers.
    ///
    /// Never later than the earliest timer. It may be earlier: when that timer lies on a coarse level, the tick is
    /// the one at which it moves to a finer one, and advancing reports nothing. A timer causes at most six such
    /// steps, however far away it is.
    pub fn next_tick(&self) -> Option<u64> {
        if !self.overdue.is_empty() {
            return Some(self.now);
        }
        self.first_occupied().map(|(_, _, start)| start)
    }

    /// The number of timers that are neither due nor cancelled.
    pub fn len(&self) -> usize {
        self.armed
    }

    /// Whether [`len`](Self::len) is zero.
    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// The occupied slot that starts first, with its first tick.
    ///
    /// The lowest level in use has it: level `n` only holds ticks of the block the wheel is in, and any slot of a
    /// higher level starts after that block.
    fn first_occupied(&self) -> Option<(usize, u32, u64)> {
        self.levels.iter().enumerate().find_map(|(n, level)| {
            let slot = level.first_occupied()?;
            let shift = SLOT_BITS * n as u32;
            let block = self.now & !((1u64 << (shift + SLOT_BITS)) - 1);
            Some((n, slot, block | u64::from(slot) << shift))
        })
    }

    /// Puts an entry where its tick belongs. Appending keeps equal ticks in order of creation: a timer on a higher
    /// level has moved down before the wheel enters the block in which a later one would be put on the lower.
    fn link(&mut self, index: u32) {
        let tick = self.entries.tick(index);
        if tick <= self.now {
            self.entries.set_place(index, Place::Overdue);
            self.overdue.push_back(&mut self.entries, index);
            return;
        }
        let highest = 63 - (tick ^ self.now).leading_zeros();
        let level = highest / SLOT_BITS;
        let slot = (tick >> (level * SLOT_BITS)) as u32 & 63;
        self.entries.set_place(index, Place::Slot { level: level as u8, slot: slot as u8 });
        self.levels[level as usize].push_back(&mut self.entries, slot, index);
    }

    fn drain_overdue(&mut self, due: &mut impl FnMut(TimerId, &P)) {
        while let Some(index) = self.overdue.pop_front(&mut self.entries) {
            self.fire(index, due);
        }
    }

    fn fire(&mut self, index: u32, due: &mut impl FnMut(TimerId, &P)) {
        self.armed -= 1;
        self.entries.set_place(index, Place::Due);
        let (id, payload) = self.entries.get(index);
        if let Some(payload) = payload {
            due(id, payload);
        }
    }
}

impl<P> Default for TimerWheel<P> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn due<P>(wheel: &mut TimerWheel<P>, tick: u64) -> Vec<TimerId> {
        let mut ids = Vec::new();
        wheel.advance(tick, |id, _| ids.push(id));
        ids
    }

    #[test]
    fn a_cancelled_id_does_not_name_the_timer_that_took_its_place() {
        let mut wheel = TimerWheel::new();
        let old = wheel.insert(10, 'a');
        assert!(wheel.cancel(old));
        let new = wheel.insert(10, 'b');
        assert!(!wheel.cancel(old));
        assert_eq!(due(&mut wheel, 10), [new]);
        assert_eq!(wheel.claim(old), None);
        assert_eq!(wheel.claim(new), Some('b'));
    }

    #[test]
    fn a_due_timer_can_be_cancelled_until_it_is_claimed() {
        let mut wheel = TimerWheel::new();
        let id = wheel.insert(3, ());
        assert_eq!(due(&mut wheel, 3), [id]);
        assert!(wheel.is_empty());
        assert!(wheel.cancel(id));
        assert_eq!(wheel.claim(id), None);
    }

    #[test]
    fn a_timer_that_is_not_due_cannot_be_claimed() {
        let mut wheel = TimerWheel::new();
        let id = wheel.insert(3, ());
        assert_eq!(wheel.claim(id), None);
        assert_eq!(due(&mut wheel, 3), [id]);
    }

    #[test]
    fn a_passed_tick_is_due_at_once_and_before_later_ones() {
        let mut wheel = TimerWheel::new();
        assert!(due(&mut wheel, 100).is_empty());
        let next = wheel.insert(101, ());
        let late = wheel.insert(7, ());
        assert_eq!(wheel.next_tick(), Some(100));
        assert_eq!(due(&mut wheel, 101), [late, next]);
    }

    #[test]
    fn ticks_beyond_the_horizon_count_as_the_horizon() {
        let mut wheel = TimerWheel::new();
        let id = wheel.insert(u64::MAX, ());
        assert!(due(&mut wheel, TimerWheel::<()>::HORIZON - 1).is_empty());
        assert_eq!(due(&mut wheel, u64::MAX), [id]);
        let again = wheel.insert(u64::MAX, ());
        assert_eq!(due(&mut wheel, u64::MAX), [again]);
    }

    #[test]
    fn following_next_tick_reaches_a_far_timer_in_few_steps() {
        let mut wheel = TimerWheel::new();
        let tick = 0x2bc_dead_beef;
        let id = wheel.insert(tick, ());
        for step in 0..LEVELS {
            let next = wheel.next_tick().expect("a timer is armed");
            assert!(next <= tick);
            let ids = due(&mut wheel, next);
            if next == tick {
                assert_eq!(ids, [id]);
                return;
            }
            assert!(ids.is_empty(), "early at step {step}");
        }
        panic!("not reached in {LEVELS} steps");
    }

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u64),
        Cancel(usize),
        Advance(u64),
        Next,
    }

    fn op() -> impl Strategy<Value = Op> {
        let distance = prop_oneof![0u64..4, 0u64..200, 0u64..10_000, 0u64..1 << 40];
        prop_oneof![
            5 => distance.clone().prop_map(Op::Insert),
            2 => any::<usize>().prop_map(Op::Cancel),
            3 => distance.prop_map(Op::Advance),
            1 => Just(Op::Next),
        ]
    }

    proptest! {
        /// The wheel against a list sorted by (tick, creation).
        #[test]
        fn behaves_like_a_sorted_list(ops in proptest::collection::vec(op(), 1..200)) {
            let mut wheel = TimerWheel::new();
            let mut model: Vec<(u64, u64, TimerId)> = Vec::new();
            let (mut now, mut created) = (0u64, 0u64);
            for op in ops {
                match op {
                    Op::Insert(distance) => {
                        // Centred a little before now, so that passed ticks occur too.
                        let tick = (now + distance).saturating_sub(2).min(TimerWheel::<u64>::HORIZON);
                        created += 1;
                        model.push((tick.max(now), created, wheel.insert(tick, created)));
                    }
                    Op::Cancel(which) => if !model.is_empty() {
                        let (_, _, id) = model.remove(which % model.len());
                        prop_assert!(wheel.cancel(id));
                        prop_assert!(!wheel.cancel(id));
                    },
                    Op::Advance(distance) => {
                        now = (now + distance).min(TimerWheel::<u64>::HORIZON);
                        model.sort_unstable_by_key(|&(tick, created, _)| (tick, created));
                        let split = model.partition_point(|&(tick, ..)| tick <= now);
                        let expected: Vec<TimerId> = model.drain(..split).map(|(.., id)| id).collect();
                        let fired = due(&mut wheel, now);
                        prop_assert_eq!(&fired, &expected);
                        for id in fired {
                            prop_assert!(wheel.claim(id).is_some());
                        }
                    }
                    Op::Next => {
                        let earliest = model.iter().map(|&(tick, ..)| tick).min();
                        prop_assert_eq!(wheel.next_tick().is_some(), earliest.is_some());
                        if let (Some(next), Some(earliest)) = (wheel.next_tick(), earliest) {
                            prop_assert!(next <= earliest && next >= now);
                        }
                    }
                }
                prop_assert_eq!(wheel.len(), model.len());
            }
        }
    }
}

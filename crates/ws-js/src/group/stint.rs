//! Which VU's script runs right now, and since when nothing else of its group has.
//!
//! A stint is a number, and a number is free: what a script costs is known by looking, now and then and from another
//! thread, whether it is still the same one that runs. No clock is read for a message.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// One stretch in which a thread runs the script of one VU without letting others of the group in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stint(NonZeroU64);

impl Stint {
    fn new(number: u32, vu: u32) -> Self {
        let vu = NonZeroU64::MIN.saturating_add(vu.into());
        Self(vu | u64::from(number) << 32)
    }

    fn from_word(word: u64) -> Option<Self> {
        NonZeroU64::new(word).map(Self)
    }

    /// Whose script it is, by index in the group.
    pub(crate) fn vu(self) -> u32 {
        (self.0.get() as u32).wrapping_sub(1)
    }
}

/// The stint under way in a group. Written by whoever holds the group's gate, read by anyone.
#[derive(Default)]
pub(crate) struct Running {
    /// The stint; 0 for none.
    word: AtomicU64,
    /// The number of the last one.
    last: AtomicU32,
    /// The stint that is to end; 0 for none.
    asked: AtomicU64,
}

impl Running {
    pub(crate) fn stint(&self) -> Option<Stint> {
        Stint::from_word(self.word.load(Relaxed))
    }

    /// Notes that `stint` is to end. Says whether that is new.
    pub(super) fn ask(&self, stint: Stint) -> bool {
        let word = stint.0.get();
        self.asked.swap(word, Relaxed) != word
    }

    /// The stint under way, if it is to end; that is forgotten.
    pub(super) fn take_asked(&self) -> Option<Stint> {
        let asked = Stint::from_word(self.asked.swap(0, Relaxed));
        self.stint().filter(|stint| asked == Some(*stint))
    }

    /// A script of `vu` runs from now on. Returns what ran until now, for [`resume`](Self::resume).
    pub(super) fn begin(&self, vu: u32) -> Option<Stint> {
        let before = self.stint();
        // Plain stores: there is one writer at a time, and the gate orders them.
        let number = self.last.load(Relaxed).wrapping_add(1);
        self.last.store(number, Relaxed);
        self.word.store(Stint::new(number, vu).0.get(), Relaxed);
        before
    }

    /// What `begin` has interrupted goes on.
    pub(super) fn resume(&self, before: Option<Stint>) {
        self.word.store(before.map_or(0, |stint| stint.0.get()), Relaxed);
    }

    /// Nothing runs any more: the thread lets others in. Returns whose script it was.
    pub(super) fn pause(&self) -> Option<u32> {
        let vu = self.stint().map(Stint::vu);
        self.word.store(0, Relaxed);
        vu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stints_of_a_vu_are_not_the_same() {
        let running = Running::default();
        assert_eq!(running.stint(), None);
        assert_eq!(running.begin(7), None);
        let first = running.stint().unwrap();
        assert_eq!(first.vu(), 7);
        running.resume(None);
        assert_eq!(running.stint(), None);
        running.begin(7);
        let second = running.stint().unwrap();
        assert_ne!(first, second);
        assert_eq!(running.pause(), Some(7));
        assert_eq!(running.pause(), None);
    }

    #[test]
    fn only_the_stint_that_was_asked_to_end_does() {
        let running = Running::default();
        running.begin(0);
        let first = running.stint().unwrap();
        assert!(running.ask(first));
        assert!(!running.ask(first), "it has not reacted");
        running.begin(0);
        assert_eq!(running.take_asked(), None);
        let second = running.stint().unwrap();
        assert!(running.ask(second));
        assert_eq!(running.take_asked(), Some(second));
        assert_eq!(running.take_asked(), None);
        assert!(running.ask(second), "it did not react");
    }

    #[test]
    fn a_script_inside_of_another_is_a_stint_of_its_own() {
        let running = Running::default();
        running.begin(0);
        let outer = running.stint();
        let before = running.begin(499);
        assert_eq!(running.stint().map(Stint::vu), Some(499));
        running.resume(before);
        assert_eq!(running.stint(), outer);
    }
}

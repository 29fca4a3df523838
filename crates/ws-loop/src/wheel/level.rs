//! One level of the wheel: 64 lists of timers and a bitmap of those in use.

use super::entry::{Entries, NONE};

pub(super) const LEVELS: usize = 7;
pub(super) const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;

/// A doubly linked list through the entries' own links: no allocation, removal without a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
}

impl List {
    pub(super) const EMPTY: List = List { head: NONE, tail: NONE };

    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(super) fn push_back<P>(&mut self, entries: &mut Entries<P>, index: u32) {
        entries.link_mut(index).set(self.tail, NONE);
        match self.tail {
            NONE => self.head = index,
            tail => entries.link_mut(tail).next = index,
        }
        self.tail = index;
    }

    pub(super) fn pop_front<P>(&mut self, entries: &mut Entries<P>) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let index = self.head;
        self.unlink(entries, index);
        Some(index)
    }

    pub(super) fn unlink<P>(&mut self, entries: &mut Entries<P>, index: u32) {
        let link = *entries.link_mut(index);
        match link.previous {
            NONE => self.head = link.next,
            previous => entries.link_mut(previous).next = link.next,
        }
        match link.next {
            NONE => self.tail = link.previous,
            next => entries.link_mut(next).previous = link.previous,
        }
    }
}

#[derive(Debug)]
pub(super) struct Level {
    /// Bit `n` is set exactly while slot `n` holds a timer.
    occupied: u64,
    slots: [List; SLOTS],
}

impl Level {
    pub(super) fn new() -> Self {
        Level { occupied: 0, slots: [List::EMPTY; SLOTS] }
    }

    /// The first slot in use. Slots the wheel has passed are empty, so the lowest bit is also the next in time.
    pub(super) fn first_occupied(&self) -> Option<u32> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros())
    }

    pub(super) fn push_back<P>(&mut self, entries: &mut Entries<P>, slot: u32, index: u32) {
        self.slots[slot as usize].push_back(entries, index);
        self.occupied |= 1 << slot;
    }

    pub(super) fn unlink<P>(&mut self, entries: &mut Entries<P>, slot: u8, index: u32) {
        let list = &mut self.slots[slot as usize];
        list.unlink(entries, index);
        if list.is_empty() {
            self.occupied &= !(1 << slot);
        }
    }

    /// Empties a slot. Whole lists are taken before any entry is touched, so that entries put back while the list
    /// is worked off cannot be met twice.
    pub(super) fn take(&mut self, slot: u32) -> List {
        self.occupied &= !(1 << slot);
        std::mem::replace(&mut self.slots[slot as usize], List::EMPTY)
    }
}

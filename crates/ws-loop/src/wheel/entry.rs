//! The timers themselves: a slab whose ids carry a generation.

/// No entry: the end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// Names one timer. Never names another one: an id of a timer that is gone finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    pub(super) index: u32,
    generation: u32,
}

impl TimerId {
    /// The id as one number, for tables of the owner and for handing through foreign code.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The id that [`to_bits`](Self::to_bits) was made of. Any other number names no timer.
    pub fn from_bits(bits: u64) -> Self {
        TimerId { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Where a timer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Slot {
        level: u8,
        slot: u8,
    },
    Overdue,
    /// Reported as due, not claimed yet.
    Due,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) previous: u32,
    pub(super) next: u32,
}

impl Link {
    pub(super) fn set(&mut self, previous: u32, next: u32) {
        *self = Link { previous, next };
    }
}

#[derive(Debug)]
struct Entry<P> {
    tick: u64,
    link: Link,
    generation: u32,
    place: Place,
    /// `None` while the entry is free.
    payload: Option<P>,
}

#[derive(Debug)]
pub(super) struct Entries<P> {
    entries: Vec<Entry<P>>,
    /// Free entries, chained through `link.next`.
    free: u32,
}

impl<P> Entries<P> {
    pub(super) fn new() -> Self {
        Entries { entries: Vec::new(), free: NONE }
    }

    pub(super) fn insert(&mut self, tick: u64, payload: P) -> TimerId {
        if self.free == NONE {
            let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 timers at once");
            let link = Link { previous: NONE, next: NONE };
            self.entries.push(Entry { tick, link, generation: 0, place: Place::Due, payload: Some(payload) });
            return TimerId { index, generation: 0 };
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = entry.link.next;
        entry.tick = tick;
        entry.payload = Some(payload);
        TimerId { index, generation: entry.generation }
    }

    /// Frees an entry that is in no list.
    pub(super) fn remove(&mut self, index: u32) -> Option<P> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.link.next = self.free;
        self.free = index;
        entry.payload.take()
    }

    pub(super) fn get(&self, index: u32) -> (TimerId, Option<&P>) {
        let entry = &self.entries[index as usize];
        (TimerId { index, generation: entry.generation }, entry.payload.as_ref())
    }

    pub(super) fn tick(&self, index: u32) -> u64 {
        self.entries[index as usize].tick
    }

    pub(super) fn place(&self, id: TimerId) -> Option<Place> {
        let entry = self.entries.get(id.index as usize)?;
        (entry.generation == id.generation && entry.payload.is_some()).then_some(entry.place)
    }

    pub(super) fn set_place(&mut self, index: u32, place: Place) {
        self.entries[index as usize].place = place;
    }

    pub(super) fn link_mut(&mut self, index: u32) -> &mut Link {
        &mut self.entries[index as usize].link
    }
}

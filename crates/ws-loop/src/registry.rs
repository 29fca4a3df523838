//! A slab with generation-checked keys, so that an event of a socket that is gone finds nobody.

use crate::key::SocketKey;

#[derive(Debug)]
struct Slot<H> {
    generation: u32,
    /// The next free slot while this one is free; meaningless otherwise.
    next_free: u32,
    handler: Option<H>,
}

/// No slot. Also the index of the waker's token, hence never given out.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Registry<H> {
    slots: Vec<Slot<H>>,
    free: u32,
    len: usize,
}

impl<H> Registry<H> {
    pub(crate) fn new() -> Self {
        Registry { slots: Vec::new(), free: NONE, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, handler: H) -> SocketKey {
        self.len += 1;
        if self.free == NONE {
            let index = u32::try_from(self.slots.len()).ok().filter(|&index| index != NONE);
            let index = index.expect("fewer than 2^32 - 1 sockets in one loop");
            self.slots.push(Slot { generation: 0, next_free: NONE, handler: Some(handler) });
            return SocketKey { index, generation: 0 };
        }
        let index = self.free;
        let slot = &mut self.slots[index as usize];
        self.free = slot.next_free;
        slot.handler = Some(handler);
        SocketKey { index, generation: slot.generation }
    }

    pub(crate) fn get(&self, key: SocketKey) -> Option<&H> {
        let slot = self.slots.get(key.index as usize)?;
        if slot.generation == key.generation { slot.handler.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, key: SocketKey) -> Option<&mut H> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation { slot.handler.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, key: SocketKey) -> Option<H> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let handler = slot.handler.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = self.free;
        self.free = key.index;
        self.len -= 1;
        Some(handler)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_removed_handler_finds_nobody_after_its_slot_is_reused() {
        let mut registry = Registry::new();
        let old = registry.insert('a');
        assert_eq!(registry.remove(old), Some('a'));
        let new = registry.insert('b');
        assert_eq!(new.index, old.index);
        assert_eq!((registry.get(old), registry.get(new)), (None, Some(&'b')));
        assert_eq!((registry.remove(old), registry.len()), (None, 1));
    }

    #[test]
    fn free_slots_are_taken_before_new_ones() {
        let mut registry = Registry::new();
        let keys = [0, 1, 2].map(|n| registry.insert(n));
        assert_eq!([keys[0], keys[2]].map(|key| registry.remove(key)), [Some(0), Some(2)]);
        let again = [registry.insert(3), registry.insert(4), registry.insert(5)];
        assert_eq!(again.map(|key| key.index), [2, 0, 3]);
    }

    #[test]
    fn keys_survive_the_way_through_a_token() {
        let key = SocketKey { index: 7, generation: u32::MAX };
        assert_eq!(SocketKey::from_token(key.token()), key);
        assert_eq!(SocketKey::from_bits(key.to_bits()), key);
    }
}

//! The read memory that many connections share.

use std::io;

/// Room that a read is offered at least; a smaller rest makes the arena grow.
const MIN_ROOM: usize = 16 * 1024;
/// Room that a read is offered at most, so that one socket does not touch megabytes of fresh memory. What is read here of
/// a long payload is copied once more, so it is no more than a batch of small messages needs.
pub(crate) const MAX_ROOM: usize = 32 * 1024;
/// First allocation for a whole group of connections.
const START: usize = 256 * 1024;
/// First allocation for the handshake of a single one: nearly all response heads are shorter.
const START_SMALL: usize = 4 * 1024;
/// What [`Arena::reset`] gives back: anything above this if it was not used.
const KEEP: usize = 4 * 1024 * 1024;

/// Read memory of a whole group of connections.
///
/// Connections read into it and hand out [`Span`]s; its owner calls [`reset`](Self::reset) once no span is in
/// use any more. So a message costs no allocation, and an idle connection holds no buffer.
#[derive(Debug)]
pub struct Arena {
    /// Zeroed beyond what was ever used: reading needs initialised memory, and fresh zero pages cost nothing.
    memory: Vec<u8>,
    used: usize,
    /// What the first allocation takes.
    start: usize,
}

impl Default for Arena {
    fn default() -> Self {
        Self::starting_with(START)
    }
}

/// A piece of an [`Arena`], valid until its next reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: usize,
    len: usize,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        Self { start, len }
    }

    /// Bytes in the span.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

impl Arena {
    /// An empty arena; memory is taken at the first read.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty arena for the handshake of one connection. Thousands of them dial at the same time: with room for a
    /// whole group each, the allocator would hand out, zero and get back 256 KiB for every answer of 130 bytes.
    pub(crate) fn small() -> Self {
        Self::starting_with(START_SMALL)
    }

    fn starting_with(start: usize) -> Self {
        Self { memory: Vec::new(), used: 0, start }
    }

    /// Forgets all spans. Memory beyond a few megabytes is given back when most of it lay idle.
    pub fn reset(&mut self) {
        if self.memory.len() > KEEP && self.used < self.memory.len() / 4 {
            self.memory = vec![0; self.start];
        }
        self.used = 0;
    }

    /// The bytes of a span.
    ///
    /// # Panics
    ///
    /// If the span is from before the last [`reset`](Self::reset) and what it named is not there any more.
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.memory[..self.used][span.start..span.start + span.len]
    }

    /// Bytes in use.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether nothing has been read since the last reset.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Everything from `start` to the end of what is in use.
    pub(crate) fn since(&self, start: usize) -> &[u8] {
        &self.memory[start..self.used]
    }

    /// What lies between two places.
    pub(crate) fn range(&self, start: usize, end: usize) -> &[u8] {
        &self.memory[start..end]
    }

    /// Gives back what was used last, from `start` on; no span may reach into it.
    pub(crate) fn truncate(&mut self, start: usize) {
        self.used = self.used.min(start);
    }

    /// One read into the free part. Gives the number of bytes and whether they filled all the room offered.
    pub(crate) fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<(usize, bool)> {
        let room = self.room(MIN_ROOM.min(self.start / 2));
        let offered = room.len().min(MAX_ROOM);
        let n = read(&mut room[..offered])?;
        self.used += n;
        Ok((n, n == offered))
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    fn room(&mut self, at_least: usize) -> &mut [u8] {
        if self.memory.len() - self.used < at_least {
            // A new zeroed block instead of `resize`: its pages stay untouched until a read needs them.
            let mut larger = vec![0; (self.memory.len() * 2).max(self.start).max(self.used + at_least)];
            larger[..self.used].copy_from_slice(&self.memory[..self.used]);
            self.memory = larger;
        }
        &mut self.memory[self.used..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_outlive_growth() {
        let mut arena = Arena::new();
        arena.extend(b"first");
        let first = Span::new(0, 5);
        arena.extend(&vec![7; 3 * START]);
        assert_eq!(arena.bytes(first), b"first");
        assert_eq!(arena.len(), 5 + 3 * START);
        arena.reset();
        assert!(arena.is_empty());
    }

    #[test]
    fn a_huge_arena_shrinks_once_idle() {
        let mut arena = Arena::new();
        arena.extend(&vec![7; KEEP + 1]);
        arena.reset();
        let grown = arena.memory.len();
        assert!(grown > KEEP, "still warm right after use");
        arena.extend(b"x");
        arena.reset();
        assert_eq!(arena.memory.len(), START);
    }

    #[test]
    fn a_small_arena_takes_what_it_needs() {
        let mut arena = Arena::small();
        assert_eq!(arena.fill(|room| Ok(room.len())).unwrap(), (START_SMALL, true));
        assert_eq!(arena.memory.len(), START_SMALL);
        arena.extend(&[7; 3 * START_SMALL]);
        assert_eq!((arena.len(), arena.memory.len()), (4 * START_SMALL, 4 * START_SMALL));
    }

    #[test]
    fn fill_tells_a_short_read() {
        let mut arena = Arena::new();
        assert_eq!(arena.fill(|room| Ok(room.len())).unwrap(), (MAX_ROOM, true));
        assert_eq!(arena.fill(|_| Ok(3)).unwrap(), (3, false));
        assert!(arena.fill(|_| Err(io::ErrorKind::WouldBlock.into())).is_err());
        assert_eq!(arena.len(), MAX_ROOM + 3);
    }
}

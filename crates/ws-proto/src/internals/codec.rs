//! The codec of a [`Connection`](crate::Connection) between pieces of memory, for benchmarks.

use std::io::{self, Read, Write};

use crate::arena::Arena;
use crate::assembly::Assembler;
use crate::frame::{self, FrameKind, MaskKeys};
use crate::limits::Limits;
use crate::message::{Incoming, Kind, Violation};

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    assembler: Assembler,
    arena: Arena,
}

impl Receiver {
    /// For a connection without compression.
    pub fn new(limits: &Limits) -> Self {
        Self { assembler: Assembler::new(limits, None), arena: Arena::new() }
    }

    /// Reads `source` to its end, as a connection does that is read whenever something is there. `sink` gets what
    /// was received by each read, and where its payloads lie.
    ///
    /// # Errors
    ///
    /// The first [`Violation`].
    pub fn read(
        &mut self,
        mut source: &[u8],
        sink: &mut impl FnMut(&Incoming, &Arena),
    ) -> Result<(), Violation> {
        let mut batch = Vec::new();
        while !source.is_empty() {
            self.arena.reset();
            let read = self.arena.fill(|room| source.read(room));
            read.expect("memory can be read");
            self.assembler.feed(&mut self.arena, 0, &mut |incoming| batch.push(incoming))?;
            for incoming in batch.drain(..) {
                sink(&incoming, &self.arena);
            }
        }
        Ok(())
    }
}

/// The sending half.
#[derive(Debug)]
pub struct Sender {
    out: Vec<u8>,
    masks: MaskKeys,
}

impl Default for Sender {
    fn default() -> Self {
        Self { out: Vec::new(), masks: MaskKeys::new() }
    }
}

impl Sender {
    /// Queues a message.
    pub fn send(&mut self, kind: Kind, data: &[u8]) {
        let fill = |payload: &mut [u8]| payload.copy_from_slice(data);
        frame::write(&mut self.out, FrameKind::Data(kind), false, data.len(), self.masks.next(), fill);
    }

    /// Writes all that is queued with one call.
    ///
    /// # Errors
    ///
    /// Those of `into`.
    pub fn flush(&mut self, into: &mut impl Write) -> io::Result<()> {
        into.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

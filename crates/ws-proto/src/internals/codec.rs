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
    /// [`Append`] is what a socket does that need not be given zeroed memory.
    ///
    /// # Errors
    ///
    /// The first [`Violation`].
    pub fn read(
        &mut self,
        source: &mut (impl Read + Append),
        sink: &mut impl FnMut(&Incoming, &Arena),
    ) -> Result<(), Violation> {
        let (mut batch, mut full) = (Vec::new(), false);
        loop {
            self.arena.reset();
            let direct = if full { self.assembler.fill(|data| source.append(data)) } else { None };
            let read = direct.unwrap_or_else(|| self.arena.fill(|room| source.read(room)));
            let len;
            (len, full) = read.expect("memory can be read");
            if len == 0 {
                return Ok(());
            }
            self.assembler.feed(&mut self.arena, 0, &mut |incoming| batch.push(incoming))?;
            for incoming in batch.drain(..) {
                sink(&incoming, &self.arena);
            }
        }
    }
}

/// A read into the spare capacity of a buffer.
pub trait Append {
    /// Appends what is there, but no more than the capacity holds. Gives the number of bytes.
    ///
    /// # Errors
    ///
    /// Those of a read.
    fn append(&mut self, data: &mut Vec<u8>) -> io::Result<usize>;
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
        frame::write_copy(&mut self.out, FrameKind::Data(kind), false, data, self.masks.next());
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

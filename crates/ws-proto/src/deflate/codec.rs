//! One message at a time, to compressed bytes and back (RFC 7692 section 7.2).

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::params::{DeflateAgreement, WindowBits};
use crate::arena::{Arena, Span};
use crate::message::{Payload, Violation};

/// RFC 7692 section 7.2.1: the end of every flushed block, which is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
/// An empty last block; only where a block could begin does it end the stream.
const LAST_BLOCK: [u8; 5] = [0x01, 0x00, 0x00, 0xFF, 0xFF];
/// The smallest window that zlib compresses for.
const MIN_BITS: u8 = 9;
/// What a buffer keeps between messages, and the longest message that is worth copying into the arena.
const KEEP: usize = 64 * 1024;

/// The compression states of messages that stand alone, shared by all connections that are given it.
///
/// A compressor is some 300 KB, which ten thousand connections could not have one each of. Without context takeover
/// nothing is remembered from message to message, so one is enough for all that are served by one thread. Those
/// that several threads serve may share one, too; they wait for each other then.
///
/// A cheap handle: clones are the same states. Memory is taken at the first compressed message.
#[derive(Debug, Clone, Default)]
pub struct Deflater(Arc<Mutex<States>>);

#[derive(Debug, Default)]
struct States {
    /// By level and window; the parameters of connections seldom differ.
    compressors: Vec<(Parameters, Compress)>,
    decompressor: Option<Decompress>,
    /// The message that was just unpacked; else empty.
    plain: Vec<u8>,
    packed: Vec<u8>,
}

type Parameters = (u8, WindowBits);

impl Deflater {
    /// Without any state yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn states(&self) -> MutexGuard<'_, States> {
        // Nothing of a message that somebody panicked in is looked at: every message begins with a reset.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compresses the messages of one connection.
#[derive(Debug)]
pub(crate) struct Packer {
    deflater: Deflater,
    parameters: Parameters,
    /// Only with context takeover.
    own: Option<Compress>,
}

impl Packer {
    /// `None` if what was agreed on allows uncompressed messages only.
    pub(crate) fn new(agreement: &DeflateAgreement, level: u8, deflater: &Deflater) -> Option<Self> {
        let parameters = (level.min(9), agreement.client_max_window_bits);
        let possible = parameters.1.get() >= MIN_BITS;
        possible.then(|| Self {
            deflater: deflater.clone(),
            parameters,
            own: (!agreement.client_no_context_takeover).then(|| compressor(parameters)),
        })
    }

    /// Compresses a message and hands the result to `queue`.
    pub(crate) fn pack(&mut self, message: &[u8], queue: &mut dyn FnMut(&[u8])) {
        let mut states = self.deflater.states();
        let States { compressors, packed, .. } = &mut *states;
        compress(self.own.as_mut(), compressors, self.parameters, message, packed);
        queue(packed);
        packed.shrink_to(KEEP);
    }

    /// The same for a message of `len` bytes that `fill` writes, over zeros.
    pub(crate) fn pack_with(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
        queue: &mut dyn FnMut(&[u8]),
    ) {
        // Not under the lock: nobody knows what `fill` does.
        let mut plain = mem::take(&mut self.deflater.states().plain);
        plain.resize(len, 0);
        fill(&mut plain);
        self.pack(&plain, queue);
        plain.clear();
        plain.shrink_to(KEEP);
        self.deflater.states().plain = plain;
    }
}

fn compressor((level, bits): Parameters) -> Compress {
    Compress::new_with_window_bits(Compression::new(level.into()), false, bits.get())
}

fn compress(
    own: Option<&mut Compress>,
    shared: &mut Vec<(Parameters, Compress)>,
    parameters: Parameters,
    message: &[u8],
    packed: &mut Vec<u8>,
) {
    packed.clear();
    if message.is_empty() {
        // RFC 7692 section 7.2.3.6. zlib has nothing to flush then and would write nothing.
        packed.push(0);
        return;
    }
    let state = match own {
        Some(own) => own,
        None => {
            let place = shared.iter().position(|(of, _)| *of == parameters).unwrap_or_else(|| {
                shared.push((parameters, compressor(parameters)));
                shared.len() - 1
            });
            shared[place].1.reset();
            &mut shared[place].1
        }
    };
    // The fastest level may need nine bits for eight; so this is normally one call.
    packed.reserve(message.len() + message.len() / 8 + 64);
    let before = state.total_in();
    loop {
        let taken = (state.total_in() - before) as usize;
        let result = state.compress_vec(&message[taken..], packed, FlushCompress::Sync);
        result.expect("a stream that is never finished takes all input");
        let room = packed.capacity() - packed.len();
        if room > 0 && state.total_in() - before == message.len() as u64 {
            break;
        }
        packed.reserve(KEEP);
    }
    debug_assert!(packed.ends_with(&TAIL));
    packed.truncate(packed.len() - TAIL.len());
}

/// Decompresses the messages of one connection.
#[derive(Debug)]
pub(crate) struct Unpacker {
    deflater: Deflater,
    /// Only with context takeover.
    own: Option<Decompress>,
    /// Bytes of a decompressed message.
    limit: u64,
}

impl Unpacker {
    pub(crate) fn new(agreement: &DeflateAgreement, limit: u64, deflater: &Deflater) -> Self {
        let bits = agreement.server_max_window_bits.get().max(MIN_BITS);
        let own = !agreement.server_no_context_takeover;
        Self {
            deflater: deflater.clone(),
            own: own.then(|| Decompress::new_with_window_bits(false, bits)),
            limit,
        }
    }

    /// Decompresses a message.
    pub(crate) fn unpack(&mut self, packed: &[u8]) -> Result<Unpacked<'_>, Violation> {
        let mut unpacked = Unpacked(self.deflater.states());
        let States { decompressor, plain, .. } = &mut *unpacked.0;
        let mut target = Target { plain, packed: packed.len() as u64, limit: self.limit };
        match &mut self.own {
            Some(own) => {
                target.message(own, packed)?;
            }
            None => {
                let shared = decompressor.get_or_insert_with(|| Decompress::new(false));
                shared.reset(false);
                // Nothing but a last block would show that the message lacks its end.
                if target.message(shared, packed)? && !target.inflate(shared, &LAST_BLOCK)?.1 {
                    return Err(Violation::CorruptDeflate);
                }
            }
        }
        Ok(unpacked)
    }
}

/// A decompressed message, still in the shared buffer.
#[derive(Debug)]
pub(crate) struct Unpacked<'a>(MutexGuard<'a, States>);

impl Drop for Unpacked<'_> {
    fn drop(&mut self) {
        self.0.plain.clear();
        self.0.plain.shrink_to(KEEP);
    }
}

impl Unpacked<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.plain
    }

    /// Puts the message where its receiver finds it: into the arena, or a long one into memory of its own.
    pub(crate) fn place(mut self, arena: &mut Arena) -> Payload {
        let plain = &mut self.0.plain;
        if plain.len() > KEEP {
            return Payload::Owned(mem::take(plain).into_boxed_slice());
        }
        // Nothing would keep the arena from being cut back before an empty span.
        let start = if plain.is_empty() { 0 } else { arena.len() };
        let span = Span::new(start, plain.len());
        arena.extend(plain);
        Payload::Span(span)
    }
}

/// Where decompressed bytes go, and how many may.
struct Target<'a> {
    plain: &'a mut Vec<u8>,
    /// Bytes of the message before.
    packed: u64,
    limit: u64,
}

impl Target<'_> {
    /// Says whether the stream goes on after the message.
    fn message(&mut self, state: &mut Decompress, packed: &[u8]) -> Result<bool, Violation> {
        let (mut taken, mut ended) = self.inflate(state, packed)?;
        while ended {
            // RFC 7692 section 7.2.3.4: a sender may end the stream. What follows is a new one, without a memory.
            state.reset(false);
            if taken == packed.len() {
                return Ok(false);
            }
            let (more, again) = self.inflate(state, &packed[taken..])?;
            (taken, ended) = (taken + more, again);
        }
        let len = self.plain.len();
        // In the middle of a block the tail means something else.
        match self.inflate(state, &TAIL)? {
            (_, false) if self.plain.len() == len => Ok(true),
            _ => Err(Violation::CorruptDeflate),
        }
    }

    /// Takes `packed` to its end, or to that of the stream: gives how much it took and which of the two it was.
    fn inflate(&mut self, state: &mut Decompress, packed: &[u8]) -> Result<(usize, bool), Violation> {
        let before = state.total_in();
        let mut taken = 0;
        loop {
            let len = self.plain.len();
            if self.plain.capacity() == len {
                // Grows with what has come out, and no further than the limit needs.
                let left = usize::try_from(self.limit - len as u64).unwrap_or(usize::MAX);
                self.plain.reserve(len.max(packed.len()).max(4096).min(left.saturating_add(1)));
            }
            let result = state.decompress_vec(&packed[taken..], self.plain, FlushDecompress::None);
            let status = result.map_err(|_| Violation::CorruptDeflate)?;
            if self.plain.len() as u64 > self.limit {
                return Err(Violation::InflatesTooLong { packed: self.packed, limit: self.limit });
            }
            let now = (state.total_in() - before) as usize;
            if status == Status::StreamEnd {
                return Ok((now, true));
            }
            if self.plain.len() < self.plain.capacity() {
                if now == packed.len() {
                    return Ok((now, false));
                }
                if now == taken && self.plain.len() == len {
                    return Err(Violation::CorruptDeflate);
                }
            }
            taken = now;
        }
    }
}

#[cfg(test)]
impl Deflater {
    /// How many compressors and decompressors there are, and how many bytes the buffers hold on to.
    pub(super) fn census(&self) -> (usize, usize, usize) {
        let states = self.states();
        let buffers = states.plain.capacity() + states.packed.capacity();
        (states.compressors.len(), states.decompressor.iter().len(), buffers)
    }
}

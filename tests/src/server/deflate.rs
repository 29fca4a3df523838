//! Messages as compressed bytes and back (RFC 7692 section 7.2), each on its own.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// The end of every flushed block, which is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Compresses a message.
pub(super) fn pack(message: &[u8]) -> Vec<u8> {
    if message.is_empty() {
        return vec![0];
    }
    let mut packed = Vec::with_capacity(message.len() + message.len() / 8 + 64);
    let mut state = Compress::new(Compression::fast(), false);
    state.compress_vec(message, &mut packed, FlushCompress::Sync).expect("any bytes can be compressed");
    packed.truncate(packed.len() - TAIL.len());
    packed
}

/// Decompresses the messages of one client.
#[derive(Debug)]
pub(super) struct Unpacker {
    state: Decompress,
    /// Whether messages may refer to earlier ones.
    takeover: bool,
}

impl Unpacker {
    pub(super) fn new(takeover: bool) -> Self {
        Unpacker { state: Decompress::new(false), takeover }
    }

    /// Decompresses a message.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] for what was compressed in another way than agreed on.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> io::Result<Vec<u8>> {
        if !self.takeover {
            self.state.reset(false);
        }
        let packed = [packed, &TAIL].concat();
        let before = self.state.total_in();
        let mut message = Vec::new();
        loop {
            message.reserve(4096);
            let rest = &packed[(self.state.total_in() - before) as usize..];
            match self.state.decompress_vec(rest, &mut message, FlushDecompress::None) {
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                // Room is left: the input is used up.
                Ok(_) if message.len() < message.capacity() => return Ok(message),
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut unpacker = Unpacker::new(false);
        for len in [0, 1, 100, 10_000, 100_000] {
            let message: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
            assert_eq!(unpacker.unpack(&pack(&message)).unwrap(), message, "{len} bytes");
        }
        assert!(unpacker.unpack(b"\xff\xff").is_err());
    }
}

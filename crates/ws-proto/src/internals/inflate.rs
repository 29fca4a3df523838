//! Properties: what is decompressed never exceeds its limit, corrupt data ends with 1007, and all that is compressed
//! comes back.

use flate2::{Decompress, FlushDecompress, Status};

use super::pieces::take;
use crate::deflate::{DeflateAgreement, Deflater, Packer, Unpacker, WindowBits};
use crate::message::Violation;

/// More than the inputs of a fuzzer inflate to.
const PLENTY: u64 = 16 << 20;

/// How the messages of a session are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Whether messages may refer to earlier ones.
    pub takeover: bool,
    /// The window, 9 to 15 bits.
    pub bits: u8,
    /// The bound of a decompressed message, in bytes.
    pub limit: u64,
}

impl Terms {
    fn agreement(self) -> DeflateAgreement {
        let bits = WindowBits::new(self.bits).unwrap_or(WindowBits::MAX);
        DeflateAgreement {
            server_no_context_takeover: !self.takeover,
            client_no_context_takeover: !self.takeover,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        }
    }

    fn unpacker(self, limit: u64) -> Unpacker {
        Unpacker::new(&self.agreement(), limit, &Deflater::new())
    }
}

/// The properties, with everything that they need in the input of a fuzzer: flags, a limit, and messages, each after
/// its length.
pub fn fuzz(mut input: &[u8]) {
    let [flags] = take(&mut input);
    let limit = u64::from(u16::from_le_bytes(take(&mut input)));
    let terms = Terms { takeover: flags & 1 != 0, bits: 9 + (flags >> 1) % 7, limit };
    round_trip(terms, flags >> 4, input);
    let mut messages = Vec::new();
    while !input.is_empty() {
        let [len] = take(&mut input);
        let (message, rest) = input.split_at(input.len().min(len.into()));
        messages.push(message);
        input = rest;
    }
    check(terms, &messages);
}

/// The property of messages from a hostile server, up to the first that is refused.
///
/// # Panics
///
/// If it does not hold.
pub fn check(terms: Terms, messages: &[&[u8]]) {
    let (mut bounded, mut free) = (terms.unpacker(terms.limit), terms.unpacker(PLENTY));
    let mut reference = Decompress::new(false);
    for message in messages {
        let result = unpack(&mut bounded, message);
        let plenty = unpack(&mut free, message);
        match (&result, &plenty) {
            (Ok(plain), Ok(same)) => assert!(plain == same && plain.len() as u64 <= terms.limit),
            (Err(Violation::InflatesTooLong { limit, .. }), Ok(long)) => {
                assert!(*limit == terms.limit && long.len() as u64 > terms.limit, "{terms:?} {message:x?}");
            }
            // The excess may come before what is corrupt.
            (
                Err(Violation::InflatesTooLong { .. } | Violation::CorruptDeflate),
                Err(Violation::CorruptDeflate),
            ) => {}
            unlike => panic!("{unlike:?} for {message:x?} by {terms:?}"),
        }
        if let Ok(plain) = &plenty {
            if !terms.takeover {
                reference = Decompress::new(false);
            }
            let slow = slowly(&mut reference, message);
            assert!(*plain == slow, "{plain:x?} instead of {slow:x?} from {message:x?}");
        }
        if let Err(violation) = &result {
            let code = if *violation == Violation::CorruptDeflate { 1007 } else { 1009 };
            assert_eq!(violation.close_code(), code);
            break;
        }
    }
    if !terms.takeover {
        // Nothing of all that is left for the next message.
        let hello = unpack(&mut free, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
        assert_eq!(hello.as_deref(), Ok(&b"Hello"[..]));
    }
}

/// The property of our own messages.
///
/// # Panics
///
/// If it does not hold.
pub fn round_trip(terms: Terms, level: u8, message: &[u8]) {
    let mut packer = Packer::new(&terms.agreement(), level, &Deflater::new()).expect("a window for zlib");
    let mut unpacker = terms.unpacker(PLENTY);
    // With takeover the second refers to the first.
    for message in [message, message, &message[..message.len() / 2]] {
        let mut packed = Vec::new();
        packer.pack(message, &mut |bytes| packed.extend(bytes));
        assert!(
            unpack(&mut unpacker, &packed).as_deref() == Ok(message),
            "{terms:?} at {level}: {message:x?}"
        );
    }
}

fn unpack(unpacker: &mut Unpacker, packed: &[u8]) -> Result<Vec<u8>, Violation> {
    Ok(unpacker.unpack(packed)?.bytes().to_vec())
}

/// The same a byte at a time, as plain as RFC 7692 section 7.2.2 says it, for a message known to be right.
fn slowly(state: &mut Decompress, packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // The tail completes a flushed block; a stream that has ended needs none.
    if !bytewise(state, packed, &mut out) {
        bytewise(state, &[0x00, 0x00, 0xFF, 0xFF], &mut out);
    }
    out
}

/// Says whether the stream has ended with the last of the bytes.
fn bytewise(state: &mut Decompress, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let (mut room, mut ended) = ([0; 4096], false);
    for byte in bytes {
        let mut input = std::slice::from_ref(byte);
        loop {
            let before = (state.total_in(), state.total_out());
            let status = state.decompress(input, &mut room, FlushDecompress::None);
            let (taken, made) = (state.total_in() - before.0, (state.total_out() - before.1) as usize);
            out.extend_from_slice(&room[..made]);
            input = &input[taken as usize..];
            ended = matches!(status, Ok(Status::StreamEnd));
            if ended {
                // What follows is another stream.
                state.reset(false);
            }
            if made < room.len() && (input.is_empty() || !ended) {
                break;
            }
        }
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms() -> impl Strategy<Value = Terms> {
        (any::<bool>(), 9_u8..16, prop_oneof![0_u64..50, Just(1000), Just(100_000)])
            .prop_map(|(takeover, bits, limit)| Terms { takeover, bits, limit })
    }

    /// What a server could send: something compressed, damaged in some cases, or any bytes.
    fn packed() -> impl Strategy<Value = Vec<u8>> {
        let right = ("[ab]{0,200}", 0_usize..60_000, 0_u8..10).prop_map(|(text, zeros, level)| {
            let terms = Terms { takeover: false, bits: 15, limit: PLENTY };
            let mut packer = Packer::new(&terms.agreement(), level, &Deflater::new()).unwrap();
            let mut packed = Vec::new();
            let message = [text.into_bytes(), vec![0; zeros]].concat();
            packer.pack(&message, &mut |bytes| packed.extend(bytes));
            packed
        });
        prop_oneof![
            right.clone(),
            (right, any::<prop::sample::Index>(), 0_u32..8).prop_map(|(mut packed, place, bit)| {
                let place = place.index(packed.len());
                packed[place] ^= 1_u8 << bit;
                packed
            }),
            prop::collection::vec(any::<u8>(), 0..30),
            // A last block, and more after it.
            Just(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00".to_vec()),
            Just(b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn messages_of_servers(terms in terms(), messages in prop::collection::vec(packed(), 1..5)) {
            check(terms, &messages.iter().map(|message| &message[..]).collect::<Vec<_>>());
        }

        #[test]
        fn our_messages(terms in terms(), level in 0_u8..12, message in prop::collection::vec(any::<u8>(), 0..500)) {
            round_trip(terms, level, &message);
        }

        #[test]
        fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&input);
        }
    }

    #[test]
    fn a_stream_that_ends_with_its_message() {
        let last_block: &[u8] = b"\xf3\x48\xcd\xc9\xc9\x07\x00";
        for takeover in [false, true] {
            check(Terms { takeover, bits: 15, limit: 100 }, &[last_block, b"", last_block, b"\x00"]);
        }
    }
}

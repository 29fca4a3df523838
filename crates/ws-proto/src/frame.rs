//! Frames: what a header may say, and how ours are written.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use crate::message::{FrameFault, Kind};

/// The longest header a server can send: two bytes and a 64-bit length.
pub(crate) const MAX_HEADER: usize = 10;
/// Payload bytes of a control frame (RFC 6455 section 5.5).
pub(crate) const MAX_CONTROL: usize = 125;
/// Bytes of a line of the cache.
const LINE: usize = 64;
/// From so many bytes on it pays to mask whole lines.
const ALIGNED_FROM: usize = 1024;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Data(Kind),
    Continuation,
    Close,
    Ping,
    Pong,
}

/// A header without faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: FrameKind,
    pub(crate) fin: bool,
    /// RSV1: the first frame of a compressed message (RFC 7692 section 6).
    pub(crate) compressed: bool,
    /// Payload bytes, as announced.
    pub(crate) len: u64,
    /// Bytes of the header itself.
    pub(crate) size: usize,
}

/// Reads the header at the start of `bytes`; `None` if it is not complete.
///
/// `in_message`: an unfinished message is waiting for continuations. `deflate`: messages may be compressed. Faults show in the first two bytes, so they
/// are found before the rest of the header is there.
pub(crate) fn parse(
    bytes: &[u8],
    in_message: bool,
    deflate: bool,
) -> Result<Option<Header>, Vec<FrameFault>> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    let opcode = first & 0x0F;
    let kind = match opcode {
        0 => Some(FrameKind::Continuation),
        1 => Some(FrameKind::Data(Kind::Text)),
        2 => Some(FrameKind::Data(Kind::Binary)),
        8 => Some(FrameKind::Close),
        9 => Some(FrameKind::Ping),
        10 => Some(FrameKind::Pong),
        _ => None,
    };
    let is_control = matches!(kind, Some(FrameKind::Close | FrameKind::Ping | FrameKind::Pong));
    let is_data = matches!(kind, Some(FrameKind::Data(_)));
    let fin = first & 0x80 != 0;
    let short_len = second & 0x7F;
    let reserved = first & 0x70;
    // RSV1 alone, where it has a meaning.
    let compressed = reserved == 0x40 && deflate && is_data;
    let faulty = (reserved != 0 && !compressed)
        || second & 0x80 != 0
        || (is_control && (!fin || usize::from(short_len) > MAX_CONTROL))
        || (is_data && in_message)
        || (kind == Some(FrameKind::Continuation) && !in_message);
    let Some(kind) = kind.filter(|_| !faulty) else {
        let checks = [
            (first & 0x40 != 0 && !(deflate && is_data), FrameFault::Rsv1),
            (first & 0x20 != 0, FrameFault::Rsv2),
            (first & 0x10 != 0, FrameFault::Rsv3),
            (is_control && usize::from(short_len) > MAX_CONTROL, FrameFault::LongControl),
            (is_control && !fin, FrameFault::FragmentedControl),
            (is_data && in_message, FrameFault::DataBeforeFin),
            (opcode == 0 && !in_message, FrameFault::ContinuationAfterFin),
            (kind.is_none(), FrameFault::BadOpcode(opcode)),
            (second & 0x80 != 0, FrameFault::Masked),
        ];
        return Err(checks.into_iter().filter_map(|(found, fault)| found.then_some(fault)).collect());
    };
    if short_len < 126 {
        return Ok(Some(Header { kind, fin, compressed, len: short_len.into(), size: 2 }));
    }
    let mut cursor = Cursor::new(bytes);
    match FrameHeader::parse(&mut cursor) {
        Ok(Some((_, len))) if len >> 63 != 0 => Err(vec![FrameFault::HugeLength]),
        Ok(Some((_, len))) => {
            Ok(Some(Header { kind, fin, compressed, len, size: cursor.position() as usize }))
        }
        Ok(None) => Ok(None),
        Err(_) => Err(vec![FrameFault::BadOpcode(opcode)]),
    }
}

/// What nearly every frame is: a message of less than 64 KiB, whole and not compressed. Gives its kind, the length of
/// the header, and the payload.
///
/// [`parse`] comes to the same, in three times the time.
#[inline]
pub(crate) fn plain_message(bytes: &[u8]) -> Option<(Kind, usize, &[u8])> {
    let kind = match bytes.first()? {
        0x81 => Kind::Text,
        0x82 => Kind::Binary,
        _ => return None,
    };
    // A masked frame has the highest bit of the length set.
    let (size, len) = match *bytes {
        [_, len @ ..126, ..] => (2, usize::from(len)),
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return None,
    };
    Some((kind, size, bytes.get(size..size + len)?))
}

/// Appends a masked frame; `fill` writes its payload of `len` bytes.
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: FrameKind,
    compressed: bool,
    len: usize,
    mask: u32,
    fill: impl FnOnce(&mut [u8]),
) {
    let key = mask.to_ne_bytes();
    write_header(out, kind, compressed, len, key);
    let start = out.len();
    out.resize(start + len, 0);
    let payload = &mut out[start..];
    fill(payload);
    apply_mask(payload, key);
}

/// The same with a payload that is there already.
pub(crate) fn write_copy(out: &mut Vec<u8>, kind: FrameKind, compressed: bool, payload: &[u8], mask: u32) {
    let key = mask.to_ne_bytes();
    write_header(out, kind, compressed, payload.len(), key);
    let start = out.len();
    out.extend_from_slice(payload);
    apply_mask(&mut out[start..], key);
}

/// The kind and the whole length of a frame that [`write`] has put at the start of `bytes`.
pub(crate) fn own(bytes: &[u8]) -> (FrameKind, usize) {
    const MASK: usize = 4;
    let kind = match bytes[0] & 0x0F {
        0x0 => FrameKind::Continuation,
        0x1 => FrameKind::Data(Kind::Text),
        0x2 => FrameKind::Data(Kind::Binary),
        0x8 => FrameKind::Close,
        0x9 => FrameKind::Ping,
        _ => FrameKind::Pong,
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte));
    let (size, len) = match bytes[1] & 0x7F {
        126 => (4, number(&bytes[2..4])),
        127 => (10, number(&bytes[2..10])),
        len => (2, usize::from(len)),
    };
    (kind, size + MASK + len)
}

fn write_header(out: &mut Vec<u8>, kind: FrameKind, compressed: bool, len: usize, key: [u8; 4]) {
    let opcode = match kind {
        FrameKind::Data(Kind::Text) => OpCode::Data(Data::Text),
        FrameKind::Data(Kind::Binary) => OpCode::Data(Data::Binary),
        FrameKind::Continuation => OpCode::Data(Data::Continue),
        FrameKind::Close => OpCode::Control(Control::Close),
        FrameKind::Ping => OpCode::Control(Control::Ping),
        FrameKind::Pong => OpCode::Control(Control::Pong),
    };
    let header = FrameHeader { opcode, rsv1: compressed, mask: Some(key), ..FrameHeader::default() };
    header.format(len as u64, out).expect("a Vec takes every write");
}

/// RFC 6455 section 5.3, in the widest registers that the target has.
pub(crate) fn apply_mask(payload: &mut [u8], mut key: [u8; 4]) {
    let mut rest = payload;
    if rest.len() >= ALIGNED_FROM {
        let before = rest.as_ptr().align_offset(LINE).min(rest.len());
        let (start, aligned) = rest.split_at_mut(before);
        mask_words(start, key);
        key.rotate_left(before % 4);
        rest = aligned;
    }
    mask_words(rest, key);
}

#[inline]
fn mask_words(payload: &mut [u8], key: [u8; 4]) {
    let wide = u32::from_ne_bytes(key);
    let (words, rest) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Masking keys of one connection.
///
/// Masks keep a script in a browser from choosing the bytes on the wire (RFC 6455 section 10.3); a load tester's
/// user chooses them anyway, so what counts here is speed. Seeded from the system's entropy, by way of std's hasher keys.
#[derive(Debug)]
pub(crate) struct MaskKeys(u64);

impl MaskKeys {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(0))
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header = |kind, fin, len, size| Ok(Some(Header { kind, fin, compressed: false, len, size }));
        let text = FrameKind::Data(Kind::Text);
        let table: [(&[u8], bool, _); 12] = [
            (&[0x81, 5], false, header(text, true, 5, 2)),
            (&[0x01, 0, 9], false, header(text, false, 0, 2)),
            (&[0x82, 126, 1, 0], false, header(FrameKind::Data(Kind::Binary), true, 256, 4)),
            (&[0x00, 127, 0, 0, 0, 1, 0, 0, 0, 0], true, header(FrameKind::Continuation, false, 1 << 32, 10)),
            (&[0x80, 1], true, header(FrameKind::Continuation, true, 1, 2)),
            (&[0x88, 2], true, header(FrameKind::Close, true, 2, 2)),
            (&[0x89, 125], false, header(FrameKind::Ping, true, 125, 2)),
            (&[0x8A, 0], false, header(FrameKind::Pong, true, 0, 2)),
            (&[], false, Ok(None)),
            (&[0x81], false, Ok(None)),
            (&[0x81, 126, 1], false, Ok(None)),
            (&[0x81, 127, 0, 0, 0, 0, 0, 0, 0], false, Ok(None)),
        ];
        for (bytes, in_message, expected) in table {
            assert_eq!(parse(bytes, in_message, false), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn plain_messages() {
        let mut long = vec![0x82, 126, 1, 0];
        long.extend([7; 300]);
        assert_eq!(plain_message(b"\x81\x02abc"), Some((Kind::Text, 2, &b"ab"[..])));
        assert_eq!(plain_message(&long), Some((Kind::Binary, 4, &[7; 256][..])));
        let others: [&[u8]; 9] = [
            b"",
            b"\x81",
            b"\x81\x02a",
            b"\x82\x7e\x01",
            b"\x82\x7e\x00\x02a",
            b"\x81\x7f\0\0\0\0\0\0\0\x01a",
            b"\x81\x81keyya",
            b"\x01\x00",
            b"\xc1\x00",
        ];
        for bytes in others {
            assert_eq!(plain_message(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn faults() {
        let table: [(&[u8], bool, &[FrameFault]); 12] = [
            (&[0xC1, 0], false, &[FrameFault::Rsv1]),
            (&[0xA1, 0], false, &[FrameFault::Rsv2]),
            (&[0x91, 0], false, &[FrameFault::Rsv3]),
            (&[0x89, 126], false, &[FrameFault::LongControl]),
            (&[0x09, 0], false, &[FrameFault::FragmentedControl]),
            (&[0x82, 0], true, &[FrameFault::DataBeforeFin]),
            (&[0x80, 0], false, &[FrameFault::ContinuationAfterFin]),
            (&[0x83, 0], false, &[FrameFault::BadOpcode(3)]),
            (&[0x8F, 0], true, &[FrameFault::BadOpcode(15)]),
            (&[0x81, 0x85], false, &[FrameFault::Masked]),
            (
                &[0xF8, 0xFE],
                false,
                &[
                    FrameFault::Rsv1,
                    FrameFault::Rsv2,
                    FrameFault::Rsv3,
                    FrameFault::LongControl,
                    FrameFault::Masked,
                ],
            ),
            (&[0x4B, 0x80], false, &[FrameFault::Rsv1, FrameFault::BadOpcode(11), FrameFault::Masked]),
        ];
        for (bytes, in_message, expected) in table {
            assert_eq!(parse(bytes, in_message, false), Err(expected.to_vec()), "{bytes:x?}");
        }
    }

    #[test]
    fn with_compression_the_first_frame_of_a_message_may_have_rsv1() {
        for (first, kind, fin) in [(0xC1, Kind::Text, true), (0x42, Kind::Binary, false)] {
            let header = Header { kind: FrameKind::Data(kind), fin, compressed: true, len: 0, size: 2 };
            assert_eq!(parse(&[first, 0], false, true), Ok(Some(header)));
        }
        let rsv1 = vec![FrameFault::Rsv1];
        let table: [(u8, bool, Vec<FrameFault>); 5] = [
            (0xC0, true, rsv1.clone()),
            (0xC8, false, rsv1.clone()),
            (0xC9, true, rsv1.clone()),
            (0xCA, false, rsv1),
            (0xE1, true, vec![FrameFault::Rsv2, FrameFault::DataBeforeFin]),
        ];
        for (first, in_message, faults) in table {
            assert_eq!(parse(&[first, 0], in_message, true), Err(faults), "{first:x}");
        }
    }

    #[test]
    fn masking_is_its_own_inverse_at_every_length() {
        let key = [1, 2, 3, 0x80];
        for len in (0..40).chain(ALIGNED_FROM - 2..ALIGNED_FROM + 70) {
            let plain: Vec<u8> = (0..len as u32).map(|i| (i * 7) as u8).collect();
            // The place in a line of the cache must not matter.
            let mut masked = [&plain[..], &plain].concat();
            apply_mask(&mut masked[len..], key);
            let expected: Vec<u8> = plain.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            assert_eq!(masked, [&plain[..], &expected].concat());
            apply_mask(&mut masked[len..], key);
            assert_eq!(&masked[len..], plain);
        }
    }

    #[test]
    fn both_ways_to_write_come_to_the_same() {
        for len in [0, 1, 125, 126, 5000, 70_000] {
            let payload: Vec<u8> = (0..len as u32).map(|i| (i % 251) as u8).collect();
            let (mut filled, mut copied) = (b"before".to_vec(), b"before".to_vec());
            let kind = FrameKind::Data(Kind::Binary);
            write(&mut filled, kind, true, len, 0x8040_2010, |room| room.copy_from_slice(&payload));
            write_copy(&mut copied, kind, true, &payload, 0x8040_2010);
            assert!(filled == copied, "{len}");
        }
    }

    #[test]
    fn keys_differ_between_frames_and_connections() {
        let (mut one, mut two) = (MaskKeys::new(), MaskKeys::new());
        let mut keys: Vec<u32> = (0..8).flat_map(|_| [one.next(), two.next()]).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 16);
    }
}

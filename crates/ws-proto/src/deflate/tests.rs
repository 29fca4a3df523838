//! Messages through both halves, through the assembler, and as hostile peers send them.

use flate2::{Decompress, FlushDecompress};
use proptest::prelude::*;

use super::{DeflateAgreement, Deflater, Packer, Unpacker, WindowBits};
use crate::assembly::Assembler;
use crate::internals::seen::{self, Seen};
use crate::limits::Limits;
use crate::message::Violation;

fn agreement(takeover: bool, bits: u8) -> DeflateAgreement {
    let bits = WindowBits::new(bits).unwrap();
    DeflateAgreement {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    }
}

fn packer(takeover: bool, bits: u8, level: u8) -> Packer {
    Packer::new(&agreement(takeover, bits), level, &Deflater::new()).unwrap()
}

fn unpacker(takeover: bool, bits: u8, limit: u64) -> Unpacker {
    Unpacker::new(&agreement(takeover, bits), limit, &Deflater::new())
}

fn pack(packer: &mut Packer, message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    packer.pack(message, &mut |bytes| packed.extend(bytes));
    packed
}

fn unpack(unpacker: &mut Unpacker, packed: &[u8]) -> Result<Vec<u8>, Violation> {
    Ok(unpacker.unpack(packed)?.bytes().to_vec())
}

/// What the assembler reports, its violation last.
fn receive<'a>(
    limits: &Limits,
    takeover: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Vec<u8>, Violation>> {
    let unpacker = unpacker(takeover, 15, limits.max_message);
    let seen = seen::receive(Assembler::new(limits, Some(unpacker)), pieces);
    let bytes = |seen| match seen {
        Seen::Text(bytes) | Seen::Binary(bytes) | Seen::Ping(bytes) | Seen::Pong(bytes) => Ok(bytes),
        Seen::Violation(violation) => Err(violation),
        other => panic!("{other:?}"),
    };
    seen.into_iter().map(bytes).collect()
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    if payload.len() < 126 {
        out.push(payload.len() as u8);
    } else {
        out.push(127);
        out.extend((payload.len() as u64).to_be_bytes());
    }
    out.extend(payload);
    out
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 7692 section 7.2.3: one block, the window of the message before, no compression, a last block, two blocks.
    let hello: [&[u8]; 5] = [
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",
        b"\xf2\x00\x11\x00\x00",
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    ];
    let mut with = unpacker(true, 15, 100);
    for packed in hello {
        assert_eq!(unpack(&mut with, packed).unwrap(), b"Hello", "{packed:x?}");
    }
    assert_eq!(unpack(&mut with, b"\x00").unwrap(), b"");
    let mut without = unpacker(false, 15, 100);
    for packed in hello {
        let expected =
            if packed == hello[1] { Err(Violation::CorruptDeflate) } else { Ok(b"Hello".to_vec()) };
        assert_eq!(unpack(&mut without, packed), expected, "{packed:x?}");
    }
    // A sender that ends the stream and leaves nothing for the tail to complete.
    assert_eq!(unpack(&mut without, b"\xf3\x48\xcd\xc9\xc9\x07\x00").unwrap(), b"Hello");
}

#[test]
fn empty_messages() {
    for takeover in [false, true] {
        let (mut packer, mut unpacker) = (packer(takeover, 15, 1), unpacker(takeover, 15, 100));
        for message in [&b""[..], b"", b"a", b"", b"", b"a"] {
            let packed = pack(&mut packer, message);
            assert_eq!(message.is_empty(), packed == [0], "RFC 7692 section 7.2.3.6: {packed:x?}");
            assert_eq!(unpack(&mut unpacker, &packed).unwrap(), message);
        }
    }
}

#[test]
fn takeover_makes_repetitions_short() {
    let message: Vec<u8> = (0..200).map(|i| (i * i % 251) as u8).collect();
    let lengths = |takeover| {
        let mut packer = packer(takeover, 15, 6);
        [pack(&mut packer, &message).len(), pack(&mut packer, &message).len()]
    };
    let ([first, again], [alone, alike]) = (lengths(true), lengths(false));
    assert_eq!((first, alike), (alone, alone));
    assert!(again < first / 4, "{again} of {first}");
}

#[test]
fn messages_written_in_place() {
    let mut packer = packer(false, 15, 1);
    let mut packed: Vec<u8> = Vec::new();
    let fill = |room: &mut [u8]| {
        assert_eq!(room, [0; 5]);
        room.copy_from_slice(b"Hello");
    };
    packer.pack_with(5, fill, &mut |bytes| packed.extend(bytes));
    assert_eq!(packed, pack(&mut packer, b"Hello"));
}

#[test]
fn states_are_shared_without_takeover() {
    let deflater = Deflater::new();
    assert_eq!(deflater.census(), (0, 0, 0));
    let both = agreement(false, 15);
    let mut all: Vec<(Packer, Unpacker)> = (0..10_000)
        .map(|_| (Packer::new(&both, 1, &deflater).unwrap(), Unpacker::new(&both, 1000, &deflater)))
        .collect();
    for (index, (packer, unpacker)) in all.iter_mut().enumerate() {
        let message = index.to_string().repeat(10);
        let packed = pack(packer, message.as_bytes());
        assert_eq!(unpack(unpacker, &packed).unwrap(), message.as_bytes());
    }
    let (compressors, decompressors, buffers) = deflater.census();
    assert_eq!((compressors, decompressors), (1, 1));
    assert!(buffers < 100_000, "{buffers}");
    // Another window is another state; a window that zlib has no compressor for is none.
    pack(&mut Packer::new(&agreement(false, 9), 1, &deflater).unwrap(), b"x");
    assert_eq!(deflater.census().0, 2);
    assert!(Packer::new(&agreement(false, 8), 1, &deflater).is_none());
    // With takeover nothing more is shared than buffers.
    let own = agreement(true, 15);
    let packed = pack(&mut Packer::new(&own, 1, &deflater).unwrap(), b"xyz");
    assert_eq!(unpack(&mut Unpacker::new(&own, 1000, &deflater), &packed).unwrap(), b"xyz");
    assert_eq!(deflater.census().0, 2);
}

#[test]
fn the_limit_is_for_what_comes_out() {
    const LIMIT: usize = 1 << 20;
    for takeover in [false, true] {
        let deflater = Deflater::new();
        let agreement = agreement(takeover, 15);
        let mut packer = Packer::new(&agreement, 9, &deflater).unwrap();
        let mut unpacker = Unpacker::new(&agreement, LIMIT as u64, &deflater);
        let fits = pack(&mut packer, &vec![0; LIMIT]);
        assert_eq!(unpack(&mut unpacker, &fits).unwrap().len(), LIMIT);
        let bomb = pack(&mut packer, &vec![0; 100 * LIMIT]);
        assert!(bomb.len() < LIMIT / 4, "{}", bomb.len());
        let error = unpack(&mut unpacker, &bomb).unwrap_err();
        assert_eq!(error, Violation::InflatesTooLong { packed: bomb.len() as u64, limit: LIMIT as u64 });
        let text = "bytes inflates to more than max_message, 1048576 bytes";
        assert_eq!(error.to_string(), format!("compressed message of {} {text}", bomb.len()));
        assert_eq!(error.close_code(), 1009);
        assert!(
            deflater.census().2 < 200_000,
            "a large message leaves nothing behind: {:?}",
            deflater.census()
        );
    }
    let mut tight = unpacker(false, 15, 4);
    assert_eq!(
        unpack(&mut tight, b"\xf2\x48\xcd\xc9\xc9\x07\x00"),
        Err(Violation::InflatesTooLong { packed: 7, limit: 4 })
    );
}

#[test]
fn a_message_that_is_cut_off_is_corrupt() {
    let message: Vec<u8> = (0..3000_u32).flat_map(|i| (i * i % 1009).to_le_bytes()).collect();
    for level in [0, 1, 6] {
        let packed = pack(&mut packer(false, 15, level), &message);
        for cut in (0..packed.len()).step_by(7) {
            let result = unpack(&mut unpacker(false, 15, 1 << 20), &packed[..cut]);
            // Between two blocks the tail makes it whole: there it is a message, only a shorter one.
            assert!(
                matches!(&result, Err(Violation::CorruptDeflate))
                    || result.as_ref().is_ok_and(|part| message.starts_with(part)),
                "level {level} cut at {cut}: {result:?}"
            );
        }
        let lost = unpack(&mut unpacker(false, 15, 1 << 20), &packed[..packed.len() / 2]);
        assert_eq!(lost, Err(Violation::CorruptDeflate), "level {level}");
    }
    assert_eq!(Violation::CorruptDeflate.close_code(), 1007);
}

#[test]
fn compressed_text_is_checked_too() {
    let packed = pack(&mut packer(false, 15, 1), b"a\xff");
    let stream = frame(0xC1, &packed);
    let strict = Limits { strict_utf8: true, ..Limits::default() };
    assert_eq!(receive(&strict, false, [&stream[..]]), [Err(Violation::TextNotUtf8)]);
    assert_eq!(receive(&Limits::default(), false, [&stream[..]]), [Ok(b"a\xff".to_vec())]);
    // The compressed bytes themselves are no text.
    let fragments = [frame(0x41, &packed[..1]), frame(0x80, &packed[1..])].concat();
    assert_eq!(receive(&strict, false, fragments.chunks(1)), [Err(Violation::TextNotUtf8)]);
    let good = pack(&mut packer(false, 15, 1), "ü".as_bytes());
    assert_eq!(receive(&strict, false, frame(0xC1, &good).chunks(1)), [Ok("ü".as_bytes().to_vec())]);
}

/// What compresses well, what does not, and lengths around the buffers.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..300),
        4 => "[ab ]{0,300}".prop_map(String::into_bytes),
        1 => (0_usize..70_000, 1_u32..50).prop_map(|(len, step)| {
            (0..len as u32).map(|i| ((i * step) >> 5) as u8).collect()
        }),
        1 => (65_000_usize..67_000, any::<u64>()).prop_map(|(len, mut seed)| {
            (0..len).map(|_| { seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); (seed >> 56) as u8 }).collect()
        }),
    ]
}

proptest! {
    #[test]
    fn round_trips(
        takeover: bool,
        bits in 9_u8..=15,
        level in 0_u8..=11,
        messages in prop::collection::vec(message(), 1..6),
    ) {
        let (mut packer, mut unpacker) = (packer(takeover, bits, level), unpacker(takeover, bits, 1 << 20));
        // A receiver that has the agreed window and no more: it takes a few bytes at a time.
        let mut small = Decompress::new_with_window_bits(false, bits);
        for message in messages {
            let packed = pack(&mut packer, &message);
            prop_assert!(unpack(&mut unpacker, &packed).unwrap() == message);
            if !takeover {
                small = Decompress::new_with_window_bits(false, bits);
            }
            let whole = [&packed[..], &[0, 0, 0xFF, 0xFF]].concat();
            let (mut taken, mut out, mut room) = (0, Vec::<u8>::new(), [0; 61]);
            loop {
                let before = (small.total_in(), small.total_out());
                small.decompress(&whole[taken..], &mut room, FlushDecompress::None).unwrap();
                let (used, made) = (small.total_in() - before.0, (small.total_out() - before.1) as usize);
                taken += used as usize;
                out.extend(&room[..made]);
                if made < room.len() && taken == whole.len() {
                    break;
                }
            }
            prop_assert!(out == message);
        }
    }

    #[test]
    fn splits_fragments_and_control_frames_make_no_difference(
        takeover: bool,
        messages in prop::collection::vec((message(), any::<bool>(), any::<[prop::sample::Index; 2]>()), 1..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut packer = packer(takeover, 15, 1);
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (message, compressed, fragments) in messages {
            let payload = if compressed { pack(&mut packer, &message) } else { message.clone() };
            let mut at = fragments.map(|index| index.index(payload.len() + 1));
            at.sort_unstable();
            stream.extend(frame(if compressed { 0x42 } else { 0x02 }, &payload[..at[0]]));
            stream.extend(frame(0x89, b"ping"));
            stream.extend(frame(0x00, &payload[at[0]..at[1]]));
            stream.extend(frame(0x80, &payload[at[1]..]));
            expected.extend([Ok(b"ping".to_vec()), Ok(message.clone())]);
            let whole = if compressed { pack(&mut packer, &message) } else { message.clone() };
            stream.extend(frame(if compressed { 0xC2 } else { 0x82 }, &whole));
            expected.push(Ok(message));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        // Too long to be printed.
        prop_assert!(receive(&Limits::default(), takeover, pieces) == expected);
        prop_assert!(receive(&Limits::default(), takeover, [&stream[..]]) == expected);
    }

    #[test]
    fn any_bytes_are_survived(
        takeover: bool,
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 1..8),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(0xC2, payload)).collect();
        let limits = Limits { max_message: 1000, ..Limits::default() };
        let whole = receive(&limits, takeover, [&stream[..]]);
        prop_assert!(whole.iter().flatten().all(|message| message.len() <= 1000));
        prop_assert_eq!(receive(&limits, takeover, stream.chunks(1)), whole);
    }

    #[test]
    fn damage_is_survived(
        takeover: bool,
        message in message(),
        place in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let mut packed = pack(&mut packer(takeover, 15, 1), &message);
        let place = place.index(packed.len());
        packed[place] ^= 1_u8 << bit;
        let mut unpacker = unpacker(takeover, 15, 100_000);
        if let Ok(other) = unpack(&mut unpacker, &packed) {
            prop_assert!(other.len() <= 100_000);
        }
        if !takeover {
            // Nothing of it is left for the next message.
            prop_assert_eq!(unpack(&mut unpacker, b"\xf2\x48\xcd\xc9\xc9\x07\x00").unwrap(), b"Hello");
        }
    }
}

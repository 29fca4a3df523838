//! Property: the way a stream of frames is cut makes no difference, and an independent reader sees the same.

use std::io::{self, Read, Write};

use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::pieces::{cut, take};
use super::seen::{Seen, receive};
use crate::assembly::Assembler;
use crate::deflate::{DeflateAgreement, Deflater, Unpacker, WindowBits};
use crate::limits::Limits;
use crate::message::{FrameFault, Violation};

/// Bounds that a short stream can exceed.
const MAX_FRAME: u64 = 3000;
const MAX_MESSAGE: u64 = 4000;

/// How a connection was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Whether compression was agreed on; with context takeover or not.
    pub deflate: Option<bool>,
    /// [`Limits::strict_utf8`] and [`Limits::strict_close`].
    pub strict: bool,
}

impl Session {
    fn limits(self) -> Limits {
        Limits {
            max_frame: MAX_FRAME,
            max_message: MAX_MESSAGE,
            strict_utf8: self.strict,
            strict_close: self.strict,
            ..Limits::default()
        }
    }

    fn receive<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
        let unpacker = self.deflate.map(|takeover| {
            let agreement = DeflateAgreement {
                server_no_context_takeover: !takeover,
                client_no_context_takeover: !takeover,
                server_max_window_bits: WindowBits::MAX,
                client_max_window_bits: WindowBits::MAX,
            };
            Unpacker::new(&agreement, MAX_MESSAGE, &Deflater::new())
        });
        receive(Assembler::new(&self.limits(), unpacker), pieces)
    }
}

/// The property, with everything that it needs in the input of a fuzzer.
pub fn fuzz(mut input: &[u8]) {
    let [flags] = take(&mut input);
    let seed = u64::from_le_bytes(take(&mut input));
    let deflate = [None, None, Some(false), Some(true)][usize::from(flags & 3)];
    check(Session { deflate, strict: flags & 4 != 0 }, input, seed);
}

/// The property.
///
/// # Panics
///
/// If it does not hold.
pub fn check(session: Session, stream: &[u8], seed: u64) {
    let whole = session.receive([stream]);
    assert_eq!(session.receive(stream.chunks(1)), whole, "{session:?} byte by byte: {stream:x?}");
    assert_eq!(session.receive(cut(stream, seed)), whole, "{session:?} cut by {seed}: {stream:x?}");
    for seen in &whole {
        let len = match seen {
            Seen::Text(bytes) | Seen::Binary(bytes) => (bytes.len() as u64, MAX_MESSAGE),
            Seen::Ping(bytes) | Seen::Pong(bytes) => (bytes.len() as u64, 125),
            Seen::Close(frame) => (frame.as_ref().map_or(0, |frame| frame.reason.len() as u64), 123),
            Seen::Violation(violation) => {
                assert!(matches!(violation.close_code(), 1002 | 1007 | 1009));
                continue;
            }
        };
        assert!(len.0 <= len.1, "{len:?}");
    }
    // Tungstenite knows no compression and is always strict.
    if session == (Session { deflate: None, strict: true }) {
        compare(&whole, &tungstenite(stream), stream);
    }
}

/// Both have the same messages, and faults in the same place: at the first of them tungstenite may still wait for
/// the rest of a header or a payload.
fn compare(ours: &[Seen], theirs: &(Vec<Seen>, Option<tungstenite::Error>), stream: &[u8]) {
    let (messages, fault) = match ours {
        [messages @ .., Seen::Violation(violation)] => (messages, Some(violation)),
        messages => (messages, None),
    };
    let (mut expected, their_fault) = (&theirs.0[..], &theirs.1);
    let laxer = match (fault, expected) {
        // It answers a close code that must not be sent as we do, but does not call it a fault.
        (Some(Violation::BadCloseCode(_)), [.., Seen::Close(Some(_))]) => true,
        // It lets a short control frame have a long length.
        (Some(Violation::Header(faults)), _) => faults == &[FrameFault::LongControl],
        _ => false,
    };
    if laxer {
        expected = &expected[..messages.len().min(expected.len())];
    } else {
        assert!(fault.is_none() || their_fault.is_some(), "{fault:?} for {stream:x?}");
        let waits = matches!(their_fault, None | Some(tungstenite::Error::Io(_)));
        assert!(fault.is_some() || waits, "tungstenite: {their_fault:?} for {stream:x?}");
    }
    assert_eq!(messages, expected, "{stream:x?}");
}

/// What tungstenite reports for `stream`, up to its end or a close frame, and the error that stopped it.
fn tungstenite(stream: &[u8]) -> (Vec<Seen>, Option<tungstenite::Error>) {
    let config = WebSocketConfig::default()
        .max_frame_size(Some(MAX_FRAME as usize))
        .max_message_size(Some(MAX_MESSAGE as usize))
        .read_buffer_size(1024);
    let mut socket = WebSocket::from_raw_socket(Memory(stream), Role::Client, Some(config));
    let mut all = Vec::new();
    loop {
        let seen = match socket.read() {
            Ok(Message::Text(text)) => Seen::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Seen::Ping(bytes.to_vec()),
            Ok(Message::Pong(bytes)) => Seen::Pong(bytes.to_vec()),
            Ok(Message::Close(frame)) => {
                let frame = frame.map(|frame| crate::CloseFrame {
                    code: frame.code.into(),
                    reason: frame.reason.as_str().to_owned(),
                });
                all.push(Seen::Close(frame));
                return (all, None);
            }
            Ok(Message::Frame(frame)) => panic!("a raw frame: {frame:?}"),
            Err(error) => return (all, Some(error)),
        };
        all.push(seen);
    }
}

/// A socket that has received some bytes and takes all that is written.
struct Memory<'a>(&'a [u8]);

impl Read for Memory<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame of a server; most of them are right.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![
            12 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A]),
            2 => prop::sample::select(vec![0xC1_u8, 0xC2, 0x41, 0x42]),
            1 => Just(0x88),
            1 => any::<u8>(),
        ];
        let payload = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..8),
            2 => "[aü€𝄞]{0,40}".prop_map(String::into_bytes),
            2 => Just(b"\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec()),
            1 => (120_usize..2100).prop_map(|len| vec![b'x'; len]),
            1 => (1000_u16..1020, "[a-z]{0,9}")
                .prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
        ];
        (first, payload, any::<u8>()).prop_map(|(first, payload, odd)| {
            let mut out = vec![first];
            match payload.len() {
                len @ 0..126 => out.push(len as u8 | if odd == 0 { 0x80 } else { 0 }),
                len => {
                    out.push(126);
                    out.extend((len as u16).to_be_bytes());
                }
            }
            out.extend(payload);
            out
        })
    }

    fn session() -> impl Strategy<Value = Session> {
        (prop::option::of(any::<bool>()), any::<bool>())
            .prop_map(|(deflate, strict)| Session { deflate, strict })
    }

    proptest! {
        #[test]
        fn frames_in_any_pieces(
            session in session(),
            frames in prop::collection::vec(frame(), 1..10),
            cut_off in any::<prop::sample::Index>(),
            seed: u64,
        ) {
            let mut stream = frames.concat();
            stream.truncate(stream.len() - cut_off.index(stream.len()) / 4);
            check(session, &stream, seed);
        }

        #[test]
        fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..400)) {
            fuzz(&input);
        }
    }

    #[test]
    fn where_tungstenite_is_laxer() {
        let session = Session { deflate: None, strict: true };
        // A short pong with a long length, and a close code that must not be sent.
        for stream in [&b"\x8a\x7f\0\0\0\0\0\0\0\x01a\x81\x01b"[..], b"\x81\x01a\x88\x02\x03\xe7"] {
            check(session, stream, 0);
        }
    }
}

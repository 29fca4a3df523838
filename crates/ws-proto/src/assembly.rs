//! Frames to messages, whatever the pieces they arrive in.

use std::io;

use crate::arena::{Arena, MAX_ROOM, Span};
use crate::close;
use crate::deflate::Unpacker;
use crate::frame::{self, FrameKind, Header, MAX_HEADER};
use crate::limits::Limits;
use crate::message::{Incoming, Kind, Payload, Violation};
use crate::utf8::Utf8Progress;

/// What a half-read payload is given at once; a longer one grows with what really arrives.
const FIRST_ROOM: usize = 16 * 1024;
/// How many times what has arrived a longer one is given room for. Untouched memory costs next to nothing, and
/// moving what has arrived to a larger place does.
const AHEAD: usize = 16;

/// Turns received bytes into messages.
///
/// A message that lies whole and unfragmented in what was read is handed out in place. Everything else is
/// collected in memory of its own; what is reserved of it is bounded by what has arrived.
#[derive(Debug)]
pub(crate) struct Assembler {
    max_frame: u64,
    max_message: u64,
    /// The lesser of the two.
    max_plain: usize,
    strict_utf8: bool,
    strict_close: bool,
    /// If compression was agreed on.
    unpacker: Option<Box<Unpacker>>,
    /// The beginning of a header whose end has not arrived.
    partial: [u8; MAX_HEADER],
    partial_len: usize,
    /// The frame whose payload has arrived in part.
    frame: Option<OpenFrame>,
    /// The message that waits for more of its bytes.
    message: Option<Message>,
    /// A message that did not lie whole in the arena has been reported.
    collected: bool,
    /// A close frame has been seen: what follows has no meaning.
    closed: bool,
}

#[derive(Debug)]
struct OpenFrame {
    kind: FrameKind,
    fin: bool,
    /// Payload bytes still to come; 0 only between [`Assembler::fill`] and the next [`Assembler::feed`].
    left: u64,
    /// What there is of a control frame's payload; data goes straight to the message.
    control: Vec<u8>,
}

#[derive(Debug)]
struct Message {
    kind: Kind,
    compressed: bool,
    /// As it came: decompressed only once it is complete, so that connections can share what they do it with.
    data: Vec<u8>,
    utf8: Utf8Progress,
}

impl Message {
    fn check_utf8(&mut self, complete: bool) -> Result<(), Violation> {
        if self.kind == Kind::Text && !self.compressed && !self.utf8.check(&self.data, complete) {
            return Err(Violation::TextNotUtf8);
        }
        Ok(())
    }
}

impl Assembler {
    pub(crate) fn new(limits: &Limits, unpacker: Option<Unpacker>) -> Self {
        Self {
            max_frame: limits.max_frame,
            max_message: limits.max_message,
            max_plain: usize::try_from(limits.max_frame.min(limits.max_message)).unwrap_or(usize::MAX),
            strict_utf8: limits.strict_utf8,
            strict_close: limits.strict_close,
            unpacker: unpacker.map(Box::new),
            partial: [0; MAX_HEADER],
            partial_len: 0,
            frame: None,
            message: None,
            collected: false,
            closed: false,
        }
    }

    /// Takes everything in the arena from `start` on and reports the messages that are complete with it.
    ///
    /// Bytes that only begin something are copied away and the arena's end is moved back over them. Decompressed
    /// messages are added to its end.
    pub(crate) fn feed(
        &mut self,
        arena: &mut Arena,
        start: usize,
        sink: &mut impl FnMut(Incoming),
    ) -> Result<(), Violation> {
        let mut at = start;
        // Behind this, no span points into the arena.
        let mut kept = start;
        let end = arena.len();
        if self.frame.as_ref().is_some_and(|frame| frame.left == 0) {
            self.finish_frame(arena, sink)?;
        }
        while at < end && !self.closed {
            if self.frame.is_some() {
                let (taken, complete) = self.continue_frame(arena.range(at, end))?;
                at += taken;
                if complete {
                    self.finish_frame(arena, sink)?;
                }
                continue;
            }
            if self.partial_len == 0
                && self.message.is_none()
                && let Some((kind, size, payload)) = frame::plain_message(arena.range(at, end))
                && payload.len() <= self.max_plain
            {
                let span = Span::new(at + size, payload.len());
                self.in_place(kind, span, arena, sink)?;
                at += size + span.len();
                kept = at;
                continue;
            }
            let Some(header) = self.header(arena.range(at, end))? else { break };
            // The part of the header that is in this read.
            at += header.size - std::mem::take(&mut self.partial_len);
            let rest = (end - at) as u64;
            let whole = header.len <= rest && header.fin && header.kind != FrameKind::Continuation;
            if !whole {
                self.open_frame(&header);
                if header.len == 0 {
                    self.finish_frame(arena, sink)?;
                }
                continue;
            }
            let span = Span::new(at, header.len as usize);
            at += span.len();
            let payload = Payload::Span(span);
            if header.compressed {
                self.unpack(header.kind, payload, arena, sink)?;
                continue;
            }
            match header.kind {
                FrameKind::Data(kind) => self.in_place(kind, span, arena, sink)?,
                FrameKind::Ping => sink(Incoming::Ping(payload)),
                FrameKind::Pong => sink(Incoming::Pong(payload)),
                FrameKind::Close => self.close(arena.bytes(span), sink)?,
                FrameKind::Continuation => unreachable!("collected above"),
            }
            kept = at;
        }
        if arena.len() == end {
            arena.truncate(kept);
        }
        Ok(())
    }

    /// One read straight into the payload of a frame of which much is still to come; `None` if there is no such.
    /// Gives the number of bytes and whether they filled all the room offered, as [`Arena::fill`] does.
    ///
    /// `append` reads into the spare capacity of what it is given, and must not make it grow: what follows the frame
    /// is not part of the message. What is complete with it is reported by the next [`feed`](Self::feed).
    pub(crate) fn fill(
        &mut self,
        append: impl FnOnce(&mut Vec<u8>) -> io::Result<usize>,
    ) -> Option<io::Result<(usize, bool)>> {
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else { return None };
        // A read into the arena also brings what follows a short rest. Text is checked as it comes. A control frame
        // between fragments is never long.
        if frame.left <= FIRST_ROOM as u64 || (self.strict_utf8 && message.kind == Kind::Text) {
            return None;
        }
        let offered = usize::try_from(frame.left).map_or(MAX_ROOM, |left| left.min(MAX_ROOM));
        grow(&mut message.data, offered, frame.left);
        let room = message.data.capacity() - message.data.len();
        if room as u64 > frame.left {
            // An earlier fragment has left room for more than this one.
            return None;
        }
        let result = append(&mut message.data);
        frame.left -= *result.as_ref().unwrap_or(&0) as u64;
        Some(result.map(|n| (n, n == room)))
    }

    /// Reports a message that lies whole in the arena.
    #[inline]
    fn in_place(
        &self,
        kind: Kind,
        span: Span,
        arena: &Arena,
        sink: &mut impl FnMut(Incoming),
    ) -> Result<(), Violation> {
        if self.strict_utf8 && kind == Kind::Text && str::from_utf8(arena.bytes(span)).is_err() {
            return Err(Violation::TextNotUtf8);
        }
        sink(kind.incoming(Payload::Span(span)));
        Ok(())
    }

    /// Whether a message has been reported since the last call that did not lie whole in the arena.
    pub(crate) fn has_reported_collected(&mut self) -> bool {
        std::mem::take(&mut self.collected)
    }

    /// Completes the header that begins in `partial` or `bytes`; keeps what there is of it if it is not whole.
    fn header(&mut self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let (in_message, deflate) = (self.message.is_some(), self.unpacker.is_some());
        let header = if self.partial_len == 0 {
            let header = frame::parse(bytes, in_message, deflate).map_err(Violation::Header)?;
            if header.is_none() {
                self.partial[..bytes.len()].copy_from_slice(bytes);
                self.partial_len = bytes.len();
            }
            header
        } else {
            let before = self.partial_len;
            let take = bytes.len().min(MAX_HEADER - before);
            self.partial[before..before + take].copy_from_slice(&bytes[..take]);
            let header = frame::parse(&self.partial[..before + take], in_message, deflate)
                .map_err(Violation::Header)?;
            if header.is_none() {
                self.partial_len = before + take;
            }
            header
        };
        if let Some(Header { len, .. }) = header {
            if len > self.max_frame {
                return Err(Violation::FrameTooLong { len, limit: self.max_frame });
            }
            let total = len.saturating_add(self.message.as_ref().map_or(0, |m| m.data.len() as u64));
            let is_data =
                header.is_some_and(|h| matches!(h.kind, FrameKind::Data(_) | FrameKind::Continuation));
            if is_data && total > self.max_message {
                return Err(Violation::MessageTooLong { len: total, limit: self.max_message });
            }
        }
        Ok(header)
    }

    fn open_frame(&mut self, header: &Header) {
        let Header { kind, fin, compressed, len, .. } = *header;
        if let FrameKind::Data(kind) = kind {
            let (data, utf8) = (Vec::new(), Utf8Progress::default());
            self.message = Some(Message { kind, compressed, data, utf8 });
        }
        self.frame = Some(OpenFrame { kind, fin, left: len, control: Vec::new() });
    }

    /// Takes what `bytes` holds of the open frame's payload; gives how much that was, and whether it was all.
    fn continue_frame(&mut self, bytes: &[u8]) -> Result<(usize, bool), Violation> {
        let Some(frame) = &mut self.frame else { return Ok((0, false)) };
        let take = usize::try_from(frame.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let into = match (&mut self.message, frame.kind) {
            (Some(message), FrameKind::Data(_) | FrameKind::Continuation) => &mut message.data,
            _ => &mut frame.control,
        };
        grow(into, take, frame.left);
        into.extend_from_slice(&bytes[..take]);
        frame.left -= take as u64;
        let complete = frame.left == 0;
        if self.strict_utf8
            && let Some(message) = &mut self.message
        {
            message.check_utf8(false)?;
        }
        Ok((take, complete))
    }

    #[inline(never)]
    fn finish_frame(&mut self, arena: &mut Arena, sink: &mut impl FnMut(Incoming)) -> Result<(), Violation> {
        let Some(frame) = self.frame.take() else { return Ok(()) };
        let owned = |bytes: Vec<u8>| Payload::Owned(bytes.into_boxed_slice());
        match frame.kind {
            FrameKind::Data(_) | FrameKind::Continuation => {
                let Some(mut message) = self.message.take_if(|_| frame.fin) else { return Ok(()) };
                if message.compressed {
                    return self.unpack(FrameKind::Data(message.kind), owned(message.data), arena, sink);
                }
                if self.strict_utf8 {
                    message.check_utf8(true)?;
                }
                self.collected = true;
                sink(message.kind.incoming(owned(message.data)));
            }
            FrameKind::Ping => sink(Incoming::Ping(owned(frame.control))),
            FrameKind::Pong => sink(Incoming::Pong(owned(frame.control))),
            FrameKind::Close => self.close(&frame.control, sink)?,
        }
        Ok(())
    }

    /// Reports a compressed message that is complete.
    #[inline(never)]
    fn unpack(
        &mut self,
        kind: FrameKind,
        packed: Payload,
        arena: &mut Arena,
        sink: &mut impl FnMut(Incoming),
    ) -> Result<(), Violation> {
        // No other frame is let through with RSV1, and none without the extension.
        let (FrameKind::Data(kind), Some(unpacker)) = (kind, &mut self.unpacker) else { return Ok(()) };
        let message = unpacker.unpack(packed.bytes(arena))?;
        if self.strict_utf8 && kind == Kind::Text && str::from_utf8(message.bytes()).is_err() {
            return Err(Violation::TextNotUtf8);
        }
        sink(kind.incoming(message.place(arena)));
        self.collected = true;
        Ok(())
    }

    fn close(&mut self, payload: &[u8], sink: &mut impl FnMut(Incoming)) -> Result<(), Violation> {
        let frame = close::parse(payload, self.strict_close)?;
        self.closed = true;
        sink(Incoming::Close(frame));
        Ok(())
    }
}

/// Makes room for `take` more bytes of a frame that has `left` to come, these included.
///
/// What a header claims is believed up to [`FIRST_ROOM`]; beyond it the buffer is bounded by what has arrived. It never exceeds what the frame needs, so a finished message is not copied once more.
fn grow(buffer: &mut Vec<u8>, take: usize, left: u64) {
    if buffer.capacity() - buffer.len() >= take {
        return;
    }
    let wanted = (AHEAD * (buffer.len() + take)).max(FIRST_ROOM);
    buffer.reserve_exact(usize::try_from(left).map_or(wanted, |left| left.min(wanted)).max(take));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::internals::seen::{self, Seen};
    use crate::message::{CloseFrame, FrameFault};
    use proptest::prelude::*;

    fn small_limits() -> Limits {
        Limits { max_frame: 100_000, max_message: 150_000, ..Limits::default() }
    }

    fn receive<'a>(limits: &Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
        seen::receive(Assembler::new(limits, None), pieces)
    }

    fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            len @ 0..=125 => out.push(len as u8),
            len @ 126..=65535 => {
                out.push(126);
                out.extend((len as u16).to_be_bytes());
            }
            len => {
                out.push(127);
                out.extend((len as u64).to_be_bytes());
            }
        }
        out.extend(payload);
        out
    }

    #[test]
    fn whole_messages_are_spans_and_the_arena_keeps_only_them() {
        let mut stream = server_frame(0x81, b"hello");
        stream.extend(server_frame(0x82, &[0; 300]));
        let whole = stream.len();
        stream.extend([0x81, 100, b'x']);
        let mut arena = Arena::new();
        arena.extend(&stream);
        let mut assembler = Assembler::new(&Limits::default(), None);
        let mut spans = 0;
        assembler
            .feed(&mut arena, 0, &mut |incoming| {
                assert!(matches!(
                    incoming,
                    Incoming::Text(Payload::Span(_)) | Incoming::Binary(Payload::Span(_))
                ));
                spans += 1;
            })
            .unwrap();
        assert_eq!((spans, arena.len()), (2, whole));
    }

    #[test]
    fn fragments_with_control_frames_between() {
        let mut stream = server_frame(0x01, b"a");
        stream.extend(server_frame(0x89, b"p"));
        stream.extend(server_frame(0x00, b""));
        stream.extend(server_frame(0x8A, b""));
        stream.extend(server_frame(0x80, b"b"));
        stream.extend(server_frame(0x02, b""));
        stream.extend(server_frame(0x80, b""));
        stream.extend(server_frame(0x88, b"\x03\xe8bye"));
        stream.extend(b"what follows a close frame is nothing");
        let expected = [
            Seen::Ping(b"p".to_vec()),
            Seen::Pong(vec![]),
            Seen::Text(b"ab".to_vec()),
            Seen::Binary(vec![]),
            Seen::Close(Some(CloseFrame { code: 1000, reason: "bye".into() })),
        ];
        assert_eq!(receive(&Limits::default(), [&stream[..]]), expected);
        assert_eq!(receive(&Limits::default(), stream.chunks(1)), expected);
    }

    #[test]
    fn claimed_lengths_allocate_nothing() {
        let limits = Limits { max_frame: u64::MAX, max_message: u64::MAX, ..Limits::default() };
        let mut assembler = Assembler::new(&limits, None);
        let mut arena = Arena::new();
        // 100 GB announced, ten bytes sent.
        arena.extend(&[0x82, 127, 0, 0, 0, 0x17, 0x48, 0x76, 0xE8, 0]);
        arena.extend(&[7; 10]);
        assembler.feed(&mut arena, 0, &mut |_| panic!("nothing is complete")).unwrap();
        let held = assembler.message.as_ref().unwrap().data.capacity();
        assert!(held <= FIRST_ROOM, "{held}");
        for _ in 0..100 {
            arena.extend(&[7; 10_000]);
            assembler.feed(&mut arena, 0, &mut |_| panic!("nothing is complete")).unwrap();
        }
        let data = &assembler.message.as_ref().unwrap().data;
        assert_eq!(data.len(), 1_000_010);
        assert!(data.capacity() <= AHEAD * data.len(), "{}", data.capacity());
        assert!(arena.is_empty());
    }

    #[test]
    fn long_payloads_can_be_read_in_place() {
        let payload: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let stream =
            [server_frame(0x02, &payload), server_frame(0x80, &payload), server_frame(0x81, b"z")].concat();
        for step in [1000, MAX_ROOM, usize::MAX] {
            let (mut assembler, mut arena) = (Assembler::new(&Limits::default(), None), Arena::new());
            let (mut rest, mut seen, mut direct) = (&stream[..], Vec::new(), 0);
            while !rest.is_empty() {
                arena.reset();
                let append = |data: &mut Vec<u8>| {
                    let room = data.capacity() - data.len();
                    let (now, later) = rest.split_at(rest.len().min(room).min(step));
                    data.extend_from_slice(now);
                    rest = later;
                    Ok(now.len())
                };
                match assembler.fill(append) {
                    Some(_) => direct += 1,
                    None => {
                        let now = rest.len().min(5000);
                        arena.extend(&rest[..now]);
                        rest = &rest[now..];
                    }
                }
                let mut batch = Vec::new();
                assembler.feed(&mut arena, 0, &mut |incoming| batch.push(incoming)).unwrap();
                seen.extend(batch.iter().map(|incoming| match incoming {
                    Incoming::Text(p) | Incoming::Binary(p) => p.bytes(&arena).to_vec(),
                    other => panic!("{other:?}"),
                }));
            }
            assert!(seen == [payload.repeat(2), b"z".to_vec()], "{} messages by {step}", seen.len());
            assert!(direct > 1, "{direct} by {step}");
        }
        let refused = Assembler::new(&Limits::default(), None).fill(|_| panic!("nothing is open"));
        assert!(refused.is_none());
    }

    #[test]
    fn a_finished_message_fits_its_memory() {
        for len in [1, 4096, FIRST_ROOM, FIRST_ROOM + 1, 99_999] {
            let mut buffer = Vec::new();
            for at in 0..len {
                grow(&mut buffer, 1, (len - at) as u64);
                buffer.push(0);
            }
            assert_eq!(buffer.capacity(), len);
        }
    }

    #[test]
    fn limits() {
        let mut two = server_frame(0x02, &[0; 90_000]);
        two.extend(server_frame(0x80, &[0; 60_001]));
        let table = [
            (server_frame(0x82, &[0; 100_001]), Violation::FrameTooLong { len: 100_001, limit: 100_000 }),
            (two, Violation::MessageTooLong { len: 150_001, limit: 150_000 }),
            (vec![0x82, 127, 127, 255, 255, 255, 255, 255, 255, 255], {
                Violation::FrameTooLong { len: i64::MAX as u64, limit: 100_000 }
            }),
        ];
        for (stream, violation) in table {
            assert_eq!(violation.close_code(), 1009);
            assert_eq!(receive(&small_limits(), stream.chunks(1)), [Seen::Violation(violation)]);
        }
        let exact = server_frame(0x82, &[0; 100_000]);
        assert_eq!(receive(&small_limits(), [&exact[..]]), [Seen::Binary(vec![0; 100_000])]);
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let payload = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..20),
            1 => prop::collection::vec(any::<u8>(), 120..300),
            1 => (65_530_usize..66_000).prop_map(|len| vec![b'x'; len]),
        ];
        let first = prop_oneof![
            10 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A]),
            1 => Just(0x88),
            1 => any::<u8>(),
        ];
        (first, payload).prop_map(|(first, mut payload)| {
            if first & 0x08 != 0 {
                payload.truncate(if payload.len() > 300 { 126 } else { 125 });
            }
            server_frame(first, &payload)
        })
    }

    #[test]
    fn strict_limits_refuse_text_that_is_not_utf8() {
        let limits = Limits { strict_utf8: true, ..Limits::default() };
        let text = |bytes: &[u8]| Seen::Text(bytes.to_vec());
        let not_utf8 = Seen::Violation(Violation::TextNotUtf8);
        let table: [(&[&[u8]], &[Seen]); 7] = [
            (&[b"\x81\x02\xc3\xbc"], &[text("ü".as_bytes())]),
            (&[b"\x82\x01\xff"], &[Seen::Binary(vec![0xFF])]),
            (&[b"\x81\x01\xff"], std::slice::from_ref(&not_utf8)),
            (&[b"\x01\x01\xc3\x89\x01\xff\x80\x01\xbc"], &[Seen::Ping(vec![0xFF]), text("ü".as_bytes())]),
            // Found in the middle of a frame, and of a message; and only at its end.
            (&[b"\x81\x09a\xff", b"more"], std::slice::from_ref(&not_utf8)),
            (&[b"\x01\x02a\xff", b"\x80\x00"], std::slice::from_ref(&not_utf8)),
            (&[b"\x01\x02a\xc3", b"\x80\x00"], std::slice::from_ref(&not_utf8)),
        ];
        for (pieces, expected) in table {
            assert_eq!(receive(&limits, pieces.iter().copied()), expected, "{pieces:x?}");
        }
        assert_eq!(receive(&Limits::default(), [&b"\x81\x01\xff"[..]]), [text(b"\xff")]);
    }

    proptest! {
        #[test]
        fn splits_make_no_difference(
            frames in prop::collection::vec(frame(), 1..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            tail in any::<prop::sample::Index>(),
        ) {
            let mut stream = frames.concat();
            stream.truncate(stream.len() - tail.index(stream.len()) / 4);
            let whole = receive(&small_limits(), [&stream[..]]);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
            prop_assert_eq!(&receive(&small_limits(), pieces), &whole);
            prop_assert_eq!(&receive(&small_limits(), stream.chunks(1)), &whole);
        }

        #[test]
        fn any_bytes_are_survived(stream in prop::collection::vec(any::<u8>(), 0..500)) {
            let whole = receive(&small_limits(), [&stream[..]]);
            prop_assert_eq!(receive(&small_limits(), stream.chunks(1)), whole);
        }

        #[test]
        fn several_valid_messages_arrive_as_sent(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
            step in 1_usize..400,
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|m| server_frame(0x82, m)).collect();
            let seen = receive(&small_limits(), stream.chunks(step));
            prop_assert_eq!(seen, messages.into_iter().map(Seen::Binary).collect::<Vec<_>>());
        }
    }

    #[test]
    fn faults_are_found_at_the_second_byte() {
        let seen = receive(&Limits::default(), [&[0x81_u8, 0x00][..], &[0xC1], &[0x85]]);
        let faults = vec![FrameFault::Rsv1, FrameFault::Masked];
        assert_eq!(seen, [Seen::Text(vec![]), Seen::Violation(Violation::Header(faults))]);
    }
}

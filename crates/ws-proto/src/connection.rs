//! An open WebSocket: what is read, what is queued, what is flushed.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::time::{Instant, SystemTime};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::arena::Arena;
use crate::assembly::Assembler;
use crate::close;
use crate::deflate::{DeflateAgreement, Deflater, Packer, Unpacker};
use crate::frame::{self, FrameKind, MAX_CONTROL, MaskKeys};
use crate::limits::Limits;
use crate::marks::{Mark, Marks};
use crate::message::{CloseFrame, Ended, Incoming, Kind, Violation};
use crate::outbox::{Outbox, Sent};
use crate::transport::{Fill, Flushed, Transport};

/// Bytes after which a read lets other connections have their turn.
const READ_BUDGET: usize = 256 * 1024;
/// Bytes of pongs that may wait in the queue; a peer that pings without reading gets no more of our memory.
const MAX_PONGS: usize = 1024 * 1024;

/// An open WebSocket connection, from the client's side.
///
/// Sending only queues; [`flush`](Self::flush) writes all that is queued with one system call. Nothing blocks.
/// The stream is edge-triggered: after a readiness event call [`read`](Self::read) until it is
/// [`Drained`](ReadProgress::Drained), and flush afterwards if [`wants_write`](Self::wants_write).
#[derive(Debug)]
pub struct Connection {
    transport: Transport,
    assembler: Assembler,
    out: Outbox,
    masks: MaskKeys,
    /// If messages are to be compressed.
    packer: Option<Box<Packer>>,
    agreement: Option<DeflateAgreement>,
    /// If anything was ever marked.
    marks: Option<Box<Marks>>,
    /// Bytes of pongs queued since the queue was last empty.
    pongs: usize,
    /// The last ping that found no room for its pong.
    unanswered: Option<Box<[u8]>>,
    /// Bytes that came with the upgrade response, for the first read.
    early: Vec<u8>,
    /// The end of the conversation, until the messages that came before it have been handled.
    held: Option<Box<LastWord>>,
    /// The stream may have ended already: read on after a short read, until there is an answer.
    to_the_end: bool,
    close_sent: bool,
    ended: bool,
    /// The peer has said, or shown, that it sends nothing more.
    peer_done: bool,
    local: Option<SocketAddr>,
    peer: SocketAddr,
}

/// Whether a connection has more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ReadProgress {
    /// No: wait for the next readiness event.
    Drained,
    /// Perhaps: read again without waiting, after other connections had their turn.
    More,
}

/// Nothing can be sent any more: a close frame was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("close sent")]
pub struct CloseSent;

impl Connection {
    pub(crate) fn new(
        transport: Transport,
        peer: SocketAddr,
        early: Vec<u8>,
        limits: &Limits,
        deflate: Option<Deflate>,
    ) -> Self {
        let agreement = deflate.as_ref().map(|deflate| deflate.agreement);
        let (packer, unpacker) = match deflate {
            Some(Deflate { agreement, level, deflater }) => (
                Packer::new(&agreement, level, &deflater),
                Some(Unpacker::new(&agreement, limits.max_message, &deflater)),
            ),
            None => (None, None),
        };
        Self {
            local: transport.tcp_ref().local_addr().ok(),
            transport,
            assembler: Assembler::new(limits, unpacker),
            out: Outbox::default(),
            masks: MaskKeys::new(),
            packer: packer.map(Box::new),
            agreement,
            marks: None,
            pongs: 0,
            unanswered: None,
            early,
            held: None,
            // The event that announced the end may have been taken by the handshake.
            to_the_end: true,
            close_sent: false,
            ended: false,
            peer_done: false,
            peer,
        }
    }

    /// Reads what the socket holds and reports each message to `sink`, in order.
    ///
    /// Ends at a short read, when the socket would block, or when a budget (256 KiB) is used up. `read_closed`
    /// says that the readiness event carried the end of the stream: then a short read is not the last one.
    ///
    /// Payloads that arrived in one piece lie in `arena`. Pings and close frames are answered into the queue. A close
    /// frame that follows something else is left for the next call, so that they can be answered before it is. After
    /// [`Incoming::Ended`] there is nothing more to read. A new connection may hold messages that came with the
    /// upgrade response: read it once without waiting for an event.
    ///
    /// If it [stamps arrivals](Self::stamps_arrivals), a call takes no more than one read's bytes: all that it reports
    /// has the one [`arrival`](Self::arrival).
    pub fn read(
        &mut self,
        arena: &mut Arena,
        read_closed: bool,
        sink: &mut impl FnMut(Incoming),
    ) -> ReadProgress {
        let mut budget = READ_BUDGET;
        let mut reported = false;
        self.to_the_end |= read_closed;
        if let Some(held) = self.held.take() {
            self.conclude(*held, sink);
        }
        if !self.early.is_empty() && !self.ended {
            let early = std::mem::take(&mut self.early);
            let start = arena.len();
            arena.extend(&early);
            self.digest(arena, start, &mut reported, sink);
            if self.held.is_some() || self.transport.is_stamped() {
                return ReadProgress::More;
            }
        }
        // The socket had more than a read takes: what a long message still lacks need not pass through the arena.
        let mut plenty = false;
        while !self.ended {
            let (start, before) = (arena.len(), self.transport.bytes_read());
            let direct = if plenty { self.transport.read_long(&mut self.assembler) } else { None };
            let fill = direct.unwrap_or_else(|| self.transport.read(arena));
            plenty = matches!(fill, Ok(Fill::More));
            budget = budget.saturating_sub((self.transport.bytes_read() - before) as usize);
            self.digest(arena, start, &mut reported, sink);
            if self.ended {
                break;
            }
            match fill {
                Err(error) => {
                    if let Some(held) = self.held.take() {
                        self.conclude(*held, sink);
                    }
                    if !self.ended {
                        self.end(Ended::Broken(error.into()), sink);
                    }
                }
                Ok(_) if self.held.is_some() => return ReadProgress::More,
                Ok(Fill::Blocked) => {
                    self.to_the_end = false;
                    return ReadProgress::Drained;
                }
                Ok(Fill::Short) if !self.to_the_end => return ReadProgress::Drained,
                Ok(Fill::Short | Fill::More) if budget == 0 || self.transport.is_stamped() => {
                    return ReadProgress::More;
                }
                Ok(Fill::Short | Fill::More) => {}
                Ok(Fill::Eof) => self.end(Ended::Eof, sink),
            }
        }
        ReadProgress::Drained
    }

    /// Queues a message as one frame, compressed if that was agreed on.
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if a close frame has been queued before.
    pub fn send(&mut self, kind: Kind, data: &[u8]) -> Result<(), CloseSent> {
        if self.packer.is_some() {
            return self.pack(kind, |packer, queue| packer.pack(data, queue));
        }
        self.queue_copy(FrameKind::Data(kind), data)
    }

    /// Queues a message of `len` bytes as one frame; `fill` writes them, over zeros, straight into the queue. (To be
    /// compressed, they take a detour.)
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if a close frame has been queued before; `fill` is not called then.
    pub fn send_with(
        &mut self,
        kind: Kind,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<(), CloseSent> {
        if self.packer.is_some() {
            return self.pack(kind, |packer, queue| packer.pack_with(len, fill, queue));
        }
        self.queue(FrameKind::Data(kind), len, fill)
    }

    /// Queues a ping. Of `data`, the first 125 bytes are sent: a control frame holds no more.
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if a close frame has been queued before.
    pub fn ping(&mut self, data: &[u8]) -> Result<(), CloseSent> {
        self.control(FrameKind::Ping, data)
    }

    /// Queues a pong that answers no ping, like [`ping`](Self::ping).
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if a close frame has been queued before.
    pub fn pong(&mut self, data: &[u8]) -> Result<(), CloseSent> {
        self.control(FrameKind::Pong, data)
    }

    /// Queues a close frame with code and reason, or with an empty payload. Any code is accepted; a reason of more
    /// than 123 bytes is cut between two characters.
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if one has been queued before.
    pub fn close(&mut self, frame: Option<(u16, &str)>) -> Result<(), CloseSent> {
        let mut payload = Vec::new();
        if let Some((code, reason)) = frame {
            close::encode(code, reason, &mut payload);
        }
        self.control(FrameKind::Close, &payload)?;
        self.close_sent = true;
        Ok(())
    }

    /// Whether a close frame has been queued: our own, or the answer to the peer's.
    pub fn close_sent(&self) -> bool {
        self.close_sent
    }

    /// Writes what is queued, normally with one system call.
    ///
    /// # Errors
    ///
    /// What the system says, such as "broken pipe"; what is queued is lost then.
    pub fn flush(&mut self) -> io::Result<Flushed> {
        loop {
            let result = self.out.write(&mut self.transport);
            if matches!(result, Ok(Flushed::Blocked)) {
                return result;
            }
            self.pongs = 0;
            match self.unanswered.take() {
                Some(ping) if result.is_ok() => self.answer_ping(&ping),
                _ => return result,
            }
        }
    }

    /// Whether [`flush`](Self::flush) has anything to do.
    pub fn wants_write(&self) -> bool {
        self.queued_bytes() > 0 || self.transport.wants_write()
    }

    /// Bytes of frames that wait in the queue; those that TLS has encrypted already are not counted.
    pub fn queued_bytes(&self) -> usize {
        self.out.len()
    }

    /// The frames that the system has taken since this was last asked: those that count as sent. With TLS, those whose
    /// last record it has taken.
    pub fn take_sent(&mut self) -> Sent {
        self.out.take_sent(&self.transport)
    }

    /// Whether [`take_sent`](Self::take_sent) has anything to tell.
    pub fn has_sent(&mut self) -> bool {
        self.out.has_sent(&self.transport)
    }

    /// The frames that were queued and that the system has not taken: they are still in the queue, or a failure of
    /// [`flush`](Self::flush) has thrown them away.
    pub fn unsent(&mut self) -> Sent {
        self.out.unsent(&self.transport)
    }

    /// Raw bytes read from the socket since TCP connected: handshakes, TLS records, frame headers, everything.
    pub fn bytes_read(&self) -> u64 {
        self.transport.bytes_read()
    }

    /// Raw bytes written to the socket since TCP connected.
    pub fn bytes_written(&self) -> u64 {
        self.transport.bytes_written()
    }

    /// Whether reads ask the kernel for times of arrival, as [`stamp_arrivals`](crate::Opening::stamp_arrivals)
    /// wants it.
    pub fn stamps_arrivals(&self) -> bool {
        self.transport.is_stamped()
    }

    /// When what the last [`read`](Self::read) reported arrived, by the kernel's own clock (`SO_TIMESTAMPNS`): however
    /// late the read came. `None` if the system does not know: then it is the time of the read that counts.
    ///
    /// TCP is a stream. The kernel knows when the last of the bytes arrived that a read brings; of several messages
    /// in one read, the earlier ones may have arrived before. With TLS it is the record that a message ends in.
    pub fn arrival(&self) -> Option<SystemTime> {
        self.transport.arrival()
    }

    /// Names the end of what is queued now, to ask later when it was [`offered`](Self::offered_at) to the system.
    /// Costs eight bytes or so until [`forget_marks`](Self::forget_marks).
    pub fn mark(&mut self) -> Mark {
        self.marks.get_or_insert_default().set()
    }

    /// Whether something has been marked since the last [`note_offer`](Self::note_offer).
    pub fn has_mark(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| marks.is_set())
    }

    /// Says that all that is queued is being offered to the system at `now`: right before [`flush`](Self::flush), or
    /// instead of it while the system is known to take nothing.
    pub fn note_offer(&mut self, now: Instant) {
        if let Some(marks) = &mut self.marks {
            marks.offer(now);
        }
    }

    /// When what was queued before `mark` was first offered to the system. `None` if it was not yet, or is forgotten.
    pub fn offered_at(&self, mark: Mark) -> Option<Instant> {
        self.marks.as_ref()?.offered_at(mark)
    }

    /// Forgets the times of all marks before `mark`.
    pub fn forget_marks(&mut self, before: Mark) {
        if let Some(marks) = &mut self.marks {
            marks.forget(before);
        }
    }

    /// What was agreed on compression; `None`: there is none.
    pub fn deflate(&self) -> Option<DeflateAgreement> {
        self.agreement
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Our address, if the system could tell it when the connection was made.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Whether nothing more is to be expected from the peer: its close frame has been reported, or the end of the stream.
    pub fn peer_is_done(&self) -> bool {
        self.peer_done
    }

    /// Tells the peer that nothing follows what has been flushed, and closes this direction only. Reading on, or
    /// [discarding](Self::discard), until the peer closes keeps the system from answering what still comes with a
    /// reset, which would take what the peer has not read yet with it.
    pub fn end_sending(&mut self) {
        self.transport.close_notify();
        // Best effort: the peer may be gone, and a socket that has just taken everything takes an alert, too.
        let _ = self.flush();
        let _ = self.transport.tcp().shutdown(Shutdown::Write);
    }

    /// Reads what the socket holds and throws it away, within the same bounds as [`read`](Self::read). To be used when
    /// nobody wants to hear of it any more: afterwards nothing can be read.
    ///
    /// # Errors
    ///
    /// How the stream ended.
    pub fn discard(&mut self, arena: &mut Arena) -> Result<ReadProgress, Ended> {
        self.ended = true;
        let mut budget = READ_BUDGET;
        loop {
            let before = self.transport.bytes_read();
            match self.transport.discard(arena) {
                Ok(Fill::Eof) => return Err(Ended::Eof),
                Err(error) => return Err(Ended::Broken(error.into())),
                Ok(Fill::Blocked) => return Ok(ReadProgress::Drained),
                Ok(Fill::Short | Fill::More) => {}
            }
            budget = budget.saturating_sub((self.transport.bytes_read() - before) as usize);
            if budget == 0 {
                return Ok(ReadProgress::More);
            }
        }
    }

    /// Flushes what the socket takes and closes both directions. Errors are of no interest any more.
    pub fn shutdown(&mut self) {
        // Best effort: the peer may be gone.
        let _ = self.flush();
        self.transport.close_notify();
        let _ = self.flush();
        let _ = self.transport.tcp().shutdown(Shutdown::Both);
        self.ended = true;
    }

    /// Parses what has been read since `start`, answers pings and close frames, and reports everything. `reported`
    /// tells, and is told, whether this read has reported anything before.
    fn digest(
        &mut self,
        arena: &mut Arena,
        start: usize,
        reported: &mut bool,
        sink: &mut impl FnMut(Incoming),
    ) {
        // The answers need the arena's bytes, which the assembler holds while it reports; so they are noted and
        // queued afterwards, in order.
        let mut pings = Vec::new();
        let mut last = None;
        let result = self.assembler.feed(arena, start, &mut |incoming| match incoming {
            Incoming::Close(frame) => last = Some(LastWord::Close(frame)),
            Incoming::Ping(payload) => {
                pings.push(payload.clone());
                sink(Incoming::Ping(payload));
            }
            incoming => sink(incoming),
        });
        *reported |= self.assembler.has_reported_collected() || arena.len() > start;
        for ping in &pings {
            self.answer_ping(ping.bytes(arena));
        }
        if let Err(violation) = result {
            last = Some(LastWord::Violation(violation));
        }
        match last {
            Some(last) if *reported => self.held = Some(Box::new(last)),
            Some(last) => self.conclude(last, sink),
            None => {}
        }
    }

    /// Answers the peer's close frame, or its breach of the protocol, and reports it.
    fn conclude(&mut self, last: LastWord, sink: &mut impl FnMut(Incoming)) {
        // Closing fails only if we closed first; then the peer's frame was the answer.
        match last {
            LastWord::Close(frame) => {
                self.peer_done = true;
                let _ = self.close(frame.as_ref().map(|frame| (frame.code, "")));
                sink(Incoming::Close(frame));
            }
            LastWord::Violation(violation) => {
                let _ = self.close(Some((violation.close_code(), &violation.to_string())));
                self.end(Ended::Violation(violation), sink);
            }
        }
    }

    fn answer_ping(&mut self, ping: &[u8]) {
        if self.pongs > MAX_PONGS {
            // RFC 6455 section 5.5.3: the most recent ping is enough.
            self.unanswered = Some(ping.into());
            return;
        }
        let before = self.out.len();
        // After our close frame nothing may be sent, pongs included.
        let _ = self.control(FrameKind::Pong, ping);
        self.pongs += self.out.len() - before;
    }

    fn end(&mut self, ended: Ended, sink: &mut impl FnMut(Incoming)) {
        self.ended = true;
        // After a violation the peer may go on sending.
        self.peer_done |= !matches!(ended, Ended::Violation(_));
        sink(Incoming::Ended(ended));
    }

    fn control(&mut self, kind: FrameKind, data: &[u8]) -> Result<(), CloseSent> {
        let data = &data[..data.len().min(MAX_CONTROL)];
        self.queue_copy(kind, data)
    }

    fn queue_copy(&mut self, kind: FrameKind, data: &[u8]) -> Result<(), CloseSent> {
        if self.close_sent {
            return Err(CloseSent);
        }
        let mask = self.masks.next();
        self.out.push(kind, |out| frame::write_copy(out, kind, false, data, mask));
        Ok(())
    }

    fn queue(&mut self, kind: FrameKind, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), CloseSent> {
        if self.close_sent {
            return Err(CloseSent);
        }
        let mask = self.masks.next();
        self.out.push(kind, |out| frame::write(out, kind, false, len, mask, fill));
        Ok(())
    }

    /// Queues a compressed message. `pack` has it written by the queue it is given.
    #[inline(never)]
    fn pack(
        &mut self,
        kind: Kind,
        pack: impl FnOnce(&mut Packer, &mut dyn FnMut(&[u8])),
    ) -> Result<(), CloseSent> {
        if self.close_sent {
            return Err(CloseSent);
        }
        let Self { packer: Some(packer), out, masks, .. } = self else { return Ok(()) };
        pack(packer, &mut |packed| {
            let (kind, mask) = (FrameKind::Data(kind), masks.next());
            out.push(kind, |out| frame::write_copy(out, kind, true, packed, mask));
        });
        Ok(())
    }
}

/// What a handshake has agreed on, and the states to do it with.
#[derive(Debug)]
pub(crate) struct Deflate {
    pub(crate) agreement: DeflateAgreement,
    pub(crate) level: u8,
    pub(crate) deflater: Deflater,
}

/// What ends a conversation, and is answered by a close frame.
#[derive(Debug)]
enum LastWord {
    Close(Option<CloseFrame>),
    Violation(Violation),
}

impl Source for Connection {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.transport.tcp().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.transport.tcp().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.transport.tcp().deregister(registry)
    }
}

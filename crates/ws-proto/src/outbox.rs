//! What waits to be written, and how many of its frames the system has taken.
//!
//! "Sent" is what a load test counts, and a message that still lies in our own memory when its connection ends is not.
//! While all that is queued goes out at once, which is nearly always, counting is an addition per frame. Only when the
//! system has taken a part are the headers in the queue looked at, each once.

use std::io;

use crate::frame::{self, FrameKind};
use crate::transport::{Flushed, Transport};

/// An emptied queue keeps at most this much; thousands of idle connections hold one each.
const KEEP: usize = 4 * 1024;

/// Frames of ours, by kind. Pongs are nobody's business.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Text and binary messages.
    pub messages: u32,
    /// Pings.
    pub pings: u32,
    /// Close frames: 0 or 1, an answer to the peer's included.
    pub closes: u32,
}

impl Sent {
    /// Whether it is nothing at all.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn of(kind: FrameKind) -> Self {
        let mut one = Self::default();
        match kind {
            FrameKind::Data(_) => one.messages = 1,
            FrameKind::Ping => one.pings = 1,
            FrameKind::Close => one.closes = 1,
            FrameKind::Continuation | FrameKind::Pong => {}
        }
        one
    }
}

impl std::ops::AddAssign for Sent {
    fn add_assign(&mut self, more: Self) {
        self.messages += more.messages;
        self.pings += more.pings;
        self.closes += more.closes;
    }
}

impl std::ops::SubAssign for Sent {
    fn sub_assign(&mut self, less: Self) {
        self.messages -= less.messages;
        self.pings -= less.pings;
        self.closes -= less.closes;
    }
}

/// The frames that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// How much of them is written (or encrypted, with TLS).
    written: usize,
    /// Where the first frame begins whose header nobody has looked at.
    cursor: usize,
    /// The frame that ends there, while it is not known to be written.
    open: Option<FrameKind>,
    /// What of `bytes` is not known to be written.
    queued: Sent,
    /// What is written and was not taken.
    sent: Sent,
    /// What a failure has thrown away.
    lost: Sent,
}

impl Outbox {
    /// Has `write` append one frame of this kind.
    pub(crate) fn push(&mut self, kind: FrameKind, write: impl FnOnce(&mut Vec<u8>)) {
        self.queued += Sent::of(kind);
        write(&mut self.bytes);
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Writes as much as the system takes.
    pub(crate) fn write(&mut self, transport: &mut Transport) -> io::Result<Flushed> {
        let result = transport.write(&self.bytes, &mut self.written);
        match result {
            Ok(Flushed::Done) => {
                self.sent += std::mem::take(&mut self.queued);
                self.clear();
            }
            Ok(Flushed::Blocked) if self.written > self.bytes.len() / 2 => {
                // Half of it is dead weight: move the rest to the front, at most once per byte written. What may have
                // to be counted yet stays.
                self.settle(transport);
                let gone = self.written.min(self.cursor);
                self.bytes.drain(..gone);
                self.written -= gone;
                self.cursor -= gone;
            }
            Ok(Flushed::Blocked) => {}
            Err(_) => {
                self.settle(transport);
                self.lost += std::mem::take(&mut self.queued);
                self.clear();
            }
        }
        result
    }

    /// What the system has taken since this was last asked, whole frames only.
    pub(crate) fn take_sent(&mut self, transport: &Transport) -> Sent {
        self.settle(transport);
        std::mem::take(&mut self.sent)
    }

    /// Whether there is something to take.
    pub(crate) fn has_sent(&mut self, transport: &Transport) -> bool {
        self.settle(transport);
        !self.sent.is_empty()
    }

    /// What the system has not taken, wholly or at all.
    pub(crate) fn unsent(&mut self, transport: &Transport) -> Sent {
        self.settle(transport);
        let mut unsent = self.queued;
        unsent += self.lost;
        unsent
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        (self.written, self.cursor, self.open) = (0, 0, None);
    }

    /// Counts the frames that have been written in part of the queue.
    fn settle(&mut self, transport: &Transport) {
        if self.written == 0 {
            return;
        }
        let taken = self.written.saturating_sub(transport.unconfirmed());
        loop {
            if let Some(kind) = self.open {
                if self.cursor > taken {
                    return;
                }
                self.queued -= Sent::of(kind);
                self.sent += Sent::of(kind);
                self.open = None;
            }
            if self.cursor >= taken {
                return;
            }
            let (kind, len) = frame::own(&self.bytes[self.cursor..]);
            self.cursor += len;
            self.open = Some(kind);
        }
    }
}

//! What a connection reports, as plain values.

use std::fmt;
use std::io;

use crate::arena::{Arena, Span};

/// The two kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text; UTF-8 by its sender's promise only, unless [`Limits::strict_utf8`](crate::Limits::strict_utf8) is set.
    Text,
    /// Bytes.
    Binary,
}

impl Kind {
    pub(crate) fn incoming(self, payload: Payload) -> Incoming {
        match self {
            Self::Text => Incoming::Text(payload),
            Self::Binary => Incoming::Binary(payload),
        }
    }
}

/// Bytes of a message: in the arena for one that came in a single read, else in memory of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// In the [`Arena`] that was read into, until its next reset.
    Span(Span),
    /// Assembled from several reads or fragments.
    Owned(Box<[u8]>),
}

impl Payload {
    /// The bytes. `arena` is the one that was given to the read.
    pub fn bytes<'a>(&'a self, arena: &'a Arena) -> &'a [u8] {
        match self {
            Self::Span(span) => arena.bytes(*span),
            Self::Owned(bytes) => bytes,
        }
    }

    /// Bytes in the payload.
    pub fn len(&self) -> usize {
        match self {
            Self::Span(span) => span.len(),
            Self::Owned(bytes) => bytes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One thing that a connection received.
#[derive(Debug)]
pub enum Incoming {
    /// A whole text message; its UTF-8 is checked only with [`Limits::strict_utf8`](crate::Limits::strict_utf8).
    Text(Payload),
    /// A whole binary message.
    Binary(Payload),
    /// A ping; its pong is already queued.
    Ping(Payload),
    /// A pong, whether or not it was asked for.
    Pong(Payload),
    /// The peer's close frame; `None` if it had no code. The answer is already queued, unless we closed first.
    /// Data that follows it is thrown away.
    Close(Option<CloseFrame>),
    /// Nothing more will come. Reported once, as the last thing.
    Ended(Ended),
}

/// How the receiving direction ended.
#[derive(Debug)]
pub enum Ended {
    /// The peer closed the stream; without a close frame if none was reported before.
    Eof,
    /// The connection broke.
    Broken(io::Error),
    /// The peer broke the protocol; a close frame that says so is queued, unless one was sent before.
    Violation(Violation),
}

/// What a close frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The status code (RFC 6455 section 7.4).
    pub code: u16,
    /// The reason, often empty.
    pub reason: String,
}

/// A breach of the protocol by the peer. The text is what goes into our close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A frame header with one or more faults, in the order in which they are listed in [`FrameFault`].
    Header(Vec<FrameFault>),
    /// A close code that must not be sent (RFC 6455 section 7.4).
    BadCloseCode(u16),
    /// A close reason that is not UTF-8.
    CloseReasonNotUtf8,
    /// A close frame with half a code; only with [`Limits::strict_close`](crate::Limits::strict_close).
    HalfCloseCode,
    /// A text message that is not UTF-8; only with [`Limits::strict_utf8`](crate::Limits::strict_utf8).
    TextNotUtf8,
    /// A compressed message that is none.
    CorruptDeflate,
    /// A compressed message that is longer than [`Limits::max_message`](crate::Limits::max_message) without compression.
    InflatesTooLong {
        /// Bytes of the message as it came.
        packed: u64,
        /// The bound, in bytes.
        limit: u64,
    },
    /// A frame longer than [`Limits::max_frame`](crate::Limits::max_frame).
    FrameTooLong {
        /// Its payload as announced, in bytes.
        len: u64,
        /// The bound.
        limit: u64,
    },
    /// A message longer than [`Limits::max_message`](crate::Limits::max_message), as it comes over the wire.
    MessageTooLong {
        /// Its bytes so far, with those of the frame that was one too many.
        len: u64,
        /// The bound.
        limit: u64,
    },
}

impl Violation {
    /// The close code that answers it: 1007 for bytes that are not what they should be, 1009 for what is too long,
    /// else 1002.
    pub fn close_code(&self) -> u16 {
        match self {
            Self::TextNotUtf8 | Self::CorruptDeflate => 1007,
            Self::FrameTooLong { .. } | Self::MessageTooLong { .. } | Self::InflatesTooLong { .. } => 1009,
            _ => 1002,
        }
    }
}

impl std::error::Error for Violation {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(faults) => {
                for (index, fault) in faults.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{fault}")?;
                }
                Ok(())
            }
            Self::BadCloseCode(code) => write!(f, "bad close code {code}"),
            Self::CloseReasonNotUtf8 => f.write_str("invalid utf8 payload in close frame"),
            Self::HalfCloseCode => f.write_str("close frame of one byte"),
            Self::TextNotUtf8 => f.write_str("invalid utf8 payload in text message"),
            Self::CorruptDeflate => f.write_str("invalid compressed data"),
            Self::InflatesTooLong { packed, limit } => {
                write!(
                    f,
                    "compressed message of {packed} bytes inflates to more than max_message, {limit} bytes"
                )
            }
            Self::FrameTooLong { len, limit } => {
                write!(f, "frame of {len} bytes exceeds max_frame, {limit} bytes")
            }
            Self::MessageTooLong { len, limit } => {
                write!(f, "message of {len} bytes or more exceeds max_message, {limit} bytes")
            }
        }
    }
}

/// One fault of a frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The first reserved bit: without compression, or elsewhere than in the first frame of a message.
    #[error("RSV1 set")]
    Rsv1,
    /// The second reserved bit.
    #[error("RSV2 set")]
    Rsv2,
    /// The third reserved bit.
    #[error("RSV3 set")]
    Rsv3,
    /// A control frame of more than 125 bytes.
    #[error("len > 125 for control")]
    LongControl,
    /// A fragmented control frame.
    #[error("FIN not set on control")]
    FragmentedControl,
    /// A new message before the last one was complete.
    #[error("data before FIN")]
    DataBeforeFin,
    /// A continuation of nothing.
    #[error("continuation after FIN")]
    ContinuationAfterFin,
    /// A reserved opcode.
    #[error("bad opcode {0}")]
    BadOpcode(u8),
    /// A length of 2^63 bytes or more (RFC 6455 section 5.2).
    #[error("len >= 2^63")]
    HugeLength,
    /// A masked frame, which only clients send.
    #[error("bad MASK")]
    Masked,
}

//! Sizes and times that bound what a peer can make us hold or wait for, and how strictly it is judged.

use std::fmt;
use std::time::Duration;

/// Bounds of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Payload bytes of one frame, as they are on the wire.
    pub max_frame: u64,
    /// Payload bytes of one message, all its fragments together; of a compressed one before and after decompression.
    pub max_message: u64,
    /// Bytes of the response head: status line, header lines and their line ends. Interim responses (1xx) are part of it.
    pub max_header_bytes: usize,
    /// Lines in the response head.
    pub max_headers: usize,
    /// Bytes of a refusal's body that are kept; what follows is not read.
    pub max_body: usize,
    /// From the start to the TCP connection.
    pub connect_timeout: Duration,
    /// From the start to the open connection: TCP, TLS and upgrade together.
    pub handshake_timeout: Duration,
    /// Whether a text message that is not UTF-8 ends the connection with close code 1007 (RFC 6455 section 8.1), at
    /// the first byte that cannot be right. If not, its bytes are handed out as they are.
    pub strict_utf8: bool,
    /// Whether a close frame of a single byte is a violation (RFC 6455 section 5.5.1). If not, it counts as one
    /// without a code.
    pub strict_close: bool,
}

/// The name of a limit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeLimit {
    /// [`Limits::connect_timeout`].
    Connect,
    /// [`Limits::handshake_timeout`].
    Handshake,
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect_timeout",
            Self::Handshake => "handshake_timeout",
        })
    }
}

impl Limits {
    /// The limit that the way to a TCP connection meets first, and how long it is.
    pub fn first_to_connect(&self) -> (TimeLimit, Duration) {
        match self.connect_timeout <= self.handshake_timeout {
            true => (TimeLimit::Connect, self.connect_timeout),
            false => (TimeLimit::Handshake, self.handshake_timeout),
        }
    }
}

impl Default for Limits {
    /// Messages up to 512 MiB, the longest string that V8 can hold; memory is taken as bytes arrive, not as
    /// headers announce them. Response heads up to 1 MiB and 1,000 lines, of a
    /// refusal's body k6's 1,024 bytes; 30 s for TCP, 60 s for everything. What k6
    /// tolerates is tolerated.
    fn default() -> Self {
        Self {
            max_frame: 512 << 20,
            max_message: 512 << 20,
            max_header_bytes: 1 << 20,
            max_headers: 1000,
            max_body: 1024,
            connect_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(60),
            strict_utf8: false,
            strict_close: false,
        }
    }
}

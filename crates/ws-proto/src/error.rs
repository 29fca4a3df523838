//! Who failed: the network, the clock, TLS, the peer, a limit, or the caller.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::deflate::ExtensionFault;
use crate::limits::TimeLimit;
use crate::request::RequestError;
use crate::tls::{CertificateFault, TlsOptionsError};
use crate::url::{UrlError, quote};

/// What kept a connection from opening.
///
/// Each variant keeps the facts a caller needs to word its own message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The TCP connection could not be made.
    #[error("connect to {addr}: {source}")]
    Connect {
        /// The peer.
        addr: SocketAddr,
        /// The local address that was asked for, if one was.
        local: Option<IpAddr>,
        /// The system's answer, such as "connection refused".
        source: io::Error,
    },
    /// The socket could not be bound to the local address that was asked for, or that cannot reach the peer.
    #[error("bind to {local}: {source}")]
    Bind {
        /// The local address.
        local: IpAddr,
        /// The peer.
        addr: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// A deadline passed.
    #[error("no answer from {addr} in time ({phase}, {limit} of {after:?})")]
    Timeout {
        /// What was being waited for.
        phase: Phase,
        /// Which limit it was.
        limit: TimeLimit,
        /// How long it is, counted from the start of the whole.
        after: Duration,
        /// Our end, known once TCP is connected; before, the address that was asked for with port 0.
        local: Option<SocketAddr>,
        /// The peer.
        addr: SocketAddr,
    },
    /// The TCP connection broke during the handshake.
    #[error("{direction} {addr} ({phase}): {source}")]
    Broken {
        /// What was being done.
        phase: Phase,
        /// Which call failed.
        direction: Direction,
        /// Our end.
        local: Option<SocketAddr>,
        /// The peer.
        addr: SocketAddr,
        /// The system's answer, such as "connection reset by peer".
        source: io::Error,
    },
    /// The server's certificate does not verify.
    #[error("tls with {host}: {fault}", host = fault.host)]
    Certificate {
        /// Which certificate, and what is wrong with it.
        fault: Box<CertificateFault>,
    },
    /// The TLS handshake failed otherwise: no TLS at all on the other side, an alert.
    #[error("tls with {host}: {source}")]
    Tls {
        /// The name that was verified.
        host: String,
        /// What TLS found.
        source: rustls::Error,
    },
    /// The host of a `wss` address is nothing a certificate can be issued for.
    #[error("{host:?} is no name for TLS")]
    TlsName {
        /// The host of the address.
        host: String,
    },
    /// A `wss` address, but no [`TlsConfig`](crate::TlsConfig) for it.
    #[error("no TLS configuration for a wss address")]
    TlsMissing,
    /// Options for TLS contradict each other.
    #[error(transparent)]
    TlsOptions(#[from] TlsOptionsError),
    /// A trusted root certificate given by the caller cannot be used.
    #[error("root certificate {index}: {source}")]
    TlsRoot {
        /// Its place in the caller's list, from 0.
        index: usize,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The proxy makes no tunnel to the server.
    #[error("the proxy refuses: {status} {reason}")]
    Proxy {
        /// The status code of its answer, not one of 200 to 299.
        status: u16,
        /// What it says to the code; may be empty.
        reason: String,
    },
    /// The peer did not answer as a WebSocket server must.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The peer sent more than [`Limits`](crate::Limits) allow.
    #[error("response head exceeds {name}, {limit} {unit}")]
    Limit {
        /// The limit's name.
        name: &'static str,
        /// The bound.
        limit: usize,
        /// What it counts: `bytes` or `lines`.
        unit: &'static str,
    },
    /// The caller's headers cannot be sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The caller's address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl Error {
    /// A failure of TLS with `host`.
    pub(crate) fn tls(host: &str, source: rustls::Error) -> Self {
        match CertificateFault::in_error(&source) {
            Some(fault) => Self::Certificate { fault: Box::new(fault) },
            None => Self::Tls { host: host.to_owned(), source },
        }
    }
}

/// A part of the opening handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The TCP connection.
    Connect,
    /// The request for a tunnel through a proxy.
    Tunnel,
    /// The TLS handshake.
    Tls,
    /// The HTTP upgrade.
    Upgrade,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "TCP connect",
            Self::Tunnel => "tunnel",
            Self::Tls => "TLS handshake",
            Self::Upgrade => "upgrade",
        })
    }
}

/// Which way bytes were going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the peer.
    Read,
    /// To the peer.
    Write,
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read from",
            Self::Write => "write to",
        })
    }
}

/// How a peer failed to be a WebSocket server. The messages on malformed HTTP are k6's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It closed the connection before its answer was complete.
    #[error("unexpected EOF")]
    ClosedEarly {
        /// What was being waited for.
        phase: Phase,
        /// Bytes of the answer that had arrived.
        received: usize,
    },
    /// It said something before it was asked.
    #[error("{bytes} bytes before the first request")]
    Unasked {
        /// So many of them.
        bytes: usize,
    },
    /// The first line is no HTTP status line.
    #[error("malformed HTTP response {}", quote(first_line))]
    NotHttp {
        /// The line without its end; at most as long as [`Limits::max_header_bytes`](crate::Limits).
        first_line: String,
    },
    /// The status code is not three digits.
    #[error("malformed HTTP status code {}", quote(code))]
    BadStatusCode {
        /// The code as sent.
        code: String,
    },
    /// The status line does not begin with `HTTP/<digit>.<digit>`.
    #[error("malformed HTTP version {}", quote(version))]
    BadVersion {
        /// The version as sent.
        version: String,
    },
    /// A header line without a colon.
    #[error("malformed MIME header: missing colon: {}", quote(line))]
    MissingColon {
        /// The line without its end.
        line: String,
    },
    /// A header line with an illegal name or control characters.
    #[error("malformed MIME header line: {}", quote(line))]
    BadHeaderLine {
        /// The line without its end.
        line: String,
    },
    /// The length of the body is no number.
    #[error("bad Content-Length {}", quote(value))]
    BadContentLength {
        /// The header's value.
        value: String,
    },
    /// An HTTP response that is no upgrade; the response comes with the [`HandshakeFailure`](crate::HandshakeFailure).
    #[error("bad handshake: {0}")]
    BadHandshake(Refusal),
    /// The response agrees to extensions in a way that it must not.
    #[error("invalid compression negotiation: {fault}")]
    BadExtension {
        /// What is wrong with it.
        fault: ExtensionFault,
        /// The value of `Sec-WebSocket-Extensions`.
        header: String,
    },
}

/// Which part of an HTTP response says that it is no upgrade (RFC 6455 section 4.1, client requirements).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A status other than 101.
    #[error("status {0}")]
    Status(u16),
    /// No `Upgrade: websocket`.
    #[error("no 'Upgrade: websocket' in the answer")]
    Upgrade,
    /// No `Connection: upgrade`.
    #[error("no 'Connection: Upgrade' in the answer")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing or does not fit the key.
    #[error("wrong Sec-WebSocket-Accept in the answer")]
    Accept,
}

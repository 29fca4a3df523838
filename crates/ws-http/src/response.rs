//! What came of a request.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ws_proto::{Headers, TlsVersion};

use crate::error::Error;

/// Everything that happened for one [`Request`](crate::Request).
#[derive(Debug)]
pub struct Outcome {
    /// The requests that were made, in order: one, and one for each redirect and each challenge answered. None if
    /// the request could not even be begun, because of its URL for instance.
    pub hops: Vec<Hop>,
    /// The last response, or why there is none.
    pub result: Result<Response, Error>,
}

impl Outcome {
    /// Of a request that was given up.
    pub(crate) fn aborted() -> Self {
        Self { hops: Vec::new(), result: Err(Error::Aborted) }
    }
}

/// One request and its response, or what went wrong with it.
#[derive(Debug, Clone)]
pub struct Hop {
    /// Its method.
    pub method: Arc<str>,
    /// Its address, with credentials.
    pub url: Arc<str>,
    /// When it began.
    pub started: Instant,
    /// When it ended.
    pub ended: Instant,
    /// How long its parts took.
    pub timings: Timings,
    /// The status of the response; `None` if there was none.
    pub status: Option<u16>,
    /// How it was spoken, once there was a response.
    pub protocol: Option<Protocol>,
    /// Whom it was spoken with, once there was a connection.
    pub peer: Option<SocketAddr>,
    /// The connection's TLS, if it has any.
    pub tls: Option<TlsFacts>,
    /// Why it failed.
    pub error: Option<Error>,
    /// What was sent, or would have been; its body only with [`keep_transcript`](crate::Request::keep_transcript).
    pub sent: Option<SentRequest>,
    /// What came back, with [`keep_transcript`](crate::Request::keep_transcript).
    pub received: Option<(Headers, Bytes)>,
}

/// How long the parts of a [`Hop`] took. Those that did not happen, or that a connection already had behind it, took
/// no time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// From asking for a connection to having it.
    pub blocked: Duration,
    /// The TCP connection.
    pub connecting: Duration,
    /// The TLS handshake.
    pub tls_handshaking: Duration,
    /// From having the connection to the last byte of the request.
    pub sending: Duration,
    /// From there to the first byte of the response.
    pub waiting: Duration,
    /// From there to its last byte.
    pub receiving: Duration,
}

impl Timings {
    /// From having the connection to the last byte of the response.
    pub fn duration(&self) -> Duration {
        self.sending + self.waiting + self.receiving
    }
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Http10 => "HTTP/1.0",
            Protocol::Http11 => "HTTP/1.1",
            Protocol::Http2 => "HTTP/2.0",
        })
    }
}

/// What a TLS handshake has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version.
    pub version: TlsVersion,
    /// The cipher suite, by its IANA name.
    pub cipher_suite: &'static str,
}

/// The last response to a request.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// What follows the status in the first line; for HTTP/2, the usual words.
    pub reason: String,
    /// The version of HTTP.
    pub protocol: Protocol,
    /// Its header lines, in order.
    pub headers: Headers,
    /// The body, decoded; empty unless it was [wanted](crate::Request::keep_body).
    pub body: Bytes,
    /// Its address, after redirects.
    pub url: Arc<str>,
    /// What was wrong with a body that came in part, or that cannot be decoded.
    pub fault: Option<Error>,
    /// Whether it says where to go on, and the redirects were used up.
    pub redirects_used_up: bool,
}

/// A request as it was sent.
#[derive(Debug, Clone, Default)]
pub struct SentRequest {
    /// Its header lines.
    pub headers: Headers,
    /// The body, coded as it was sent.
    pub body: Bytes,
}

impl SentRequest {
    /// Of a request that has not come far enough to get other header lines than its own.
    pub(crate) fn of(headers: &[(String, String)]) -> Self {
        let mut sent = Self::default();
        for (name, value) in headers {
            sent.headers.push(name, value.as_str());
        }
        sent
    }
}

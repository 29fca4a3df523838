//! A WebSocket client over non-blocking mio streams: handshake, TLS, frames, compression, cookies.
//!
//! ```text
//!             Opening ─── start ────► Handshaking ── advance ──► Connection ── read ──► Incoming
//!                                      │  ▲    │                  │  ▲
//!                             Pending  └──┘    │                  │  └── send, ping, close: queue only
//!                                              ▼                  ▼
//!                                    HandshakeFailure             flush: one write for all that is queued
//! ```
//!
//! The caller owns the poll, the clock and the threads. Every call does what the socket allows right now and
//! returns; time is an argument; "would block" is a value and no error. Messages that arrive whole are handed out
//! in place, as spans of an [`Arena`] that many connections share.
//!
//! # Examples
//!
//! A client that sends one message and waits for the answer:
//!
//! ```
//! use std::time::Instant;
//! use mio::{Events, Interest, Poll, Token};
//! use ws_proto::{Arena, Incoming, Kind, Limits, Opening, Step, UpgradeRequest, WsUrl};
//!
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let addr = listener.local_addr()?;
//! # let server = std::thread::spawn(move || {
//! #     let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
//! #     let message = socket.read().unwrap();
//! #     socket.send(message).unwrap();
//! #     while socket.read().is_ok() {}
//! # });
//! let url = WsUrl::parse(&format!("ws://{addr}/echo"))?;
//! let (request, limits) = (UpgradeRequest::new(), Limits::default());
//! let mut opening = Opening::new(addr, &url, &request, &limits).start(Instant::now())?;
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! poll.registry().register(&mut opening, Token(0), Interest::READABLE | Interest::WRITABLE)?;
//! let mut connection = loop {
//!     let now = Instant::now();
//!     poll.poll(&mut events, Some(opening.deadline().saturating_duration_since(now)))?;
//!     match opening.advance(Instant::now())? {
//!         Step::Pending(same) => opening = same,
//!         Step::Open(connection, response, _timings) => {
//!             assert_eq!(response.status, 101);
//!             break connection;
//!         }
//!     }
//! };
//!
//! connection.send(Kind::Text, b"hello")?;
//! assert_eq!(connection.flush()?, ws_proto::Flushed::Done);
//! let mut arena = Arena::new();
//! let mut received = Vec::new();
//! while received.is_empty() {
//!     poll.poll(&mut events, None)?;
//!     // Drained: nothing more until the next event.
//!     let _ = connection.read(&mut arena, false, &mut |incoming| received.push(incoming));
//! }
//! let Incoming::Text(payload) = &received[0] else { panic!("not a text: {received:?}") };
//! assert_eq!(payload.bytes(&arena), b"hello");
//! # drop(connection);
//! # server.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod arena;
mod assembly;
mod basic_auth;
mod body;
mod close;
mod connection;
#[cfg(feature = "cookies")]
mod cookies;
mod deflate;
mod error;
mod frame;
mod handshake;
mod headers;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod limits;
mod marks;
mod message;
mod opening;
mod outbox;
mod proxy;
mod request;
mod response;
mod stamps;
mod tcp;
mod tls;
mod transport;
mod url;
mod utf8;

pub use arena::{Arena, Span};
pub use basic_auth::basic_credentials;
pub use connection::{CloseSent, Connection, ReadProgress};
#[cfg(feature = "cookies")]
pub use cookies::{CookieAttributes, CookieJar, CookieUrl, SetCookie};
pub use deflate::{DeflateAgreement, DeflateOffer, DeflatePolicy, Deflater, ExtensionFault, WindowBits};
pub use error::{Direction, Error, PeerError, Phase, Refusal};
pub use handshake::{HandshakeFailure, HandshakeTimings, Handshaking, Step};
pub use headers::{Headers, canonical_name};
pub use limits::{Limits, TimeLimit};
pub use marks::Mark;
pub use message::{CloseFrame, Ended, FrameFault, Incoming, Kind, Payload, Violation};
pub use opening::Opening;
pub use outbox::Sent;
pub use proxy::{Proxy, ProxyError};
pub use request::{RequestError, UpgradeRequest};
pub use response::UpgradeResponse;
pub use stamps::start_stamping;
pub use tcp::leave_port_open;
pub use tls::{
    CertificateFacts, CertificateFault, CipherSuite, ClientIdentity, IdentityError, KeyError, KeyLog,
    TlsConfig, TlsOptions, TlsOptionsError, TlsVersion, TlsVersions,
};
pub use transport::Flushed;
pub use url::{UrlError, UrlSpelling, WsUrl, mask_password, mask_query};
// Their types are part of this crate's API.
pub use {rustls, rustls_pki_types};

/// The example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

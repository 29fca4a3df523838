//! An HTTP client for load tests: connections by user, the phases of each request timed, every redirect seen.
//!
//! A [`Client`] serves all users of a process on one small runtime. Each user has [`Connections`] of their own, so that
//! a thousand users are a thousand clients to the server. What comes back is not only the last response but each
//! [`Hop`] on the way to it, with its [`Timings`], bytes and faults, because a load test measures them all.
//!
//! It knows HTTP/1.1 and, over TLS by ALPN, HTTP/2; proxies; cookies; basic and digest authentication; gzip, deflate,
//! br and zstd. It is built on hyper's connections and not on a ready-made client: those hide when a connection was
//! made, how long its handshake took and which cipher it speaks.
//!
//! # Examples
//!
//! ```
//! use std::io::{Read as _, Write as _};
//! use std::sync::mpsc;
//! use ws_http::{Client, ClientConfig, Connections, Request};
//!
//! let server = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let url = format!("http://{}/greeting", server.local_addr()?);
//! std::thread::spawn(move || {
//!     let (mut peer, _) = server.accept().unwrap();
//!     peer.read(&mut [0; 1024]).unwrap();
//!     peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
//! });
//!
//! let client = Client::new(ClientConfig::default());
//! let (done, answer) = mpsc::channel();
//! let connections = Connections::new(&client, None);
//! client.send(&connections, Request::new("GET", &url), move |outcome| done.send(outcome).unwrap());
//! let outcome = answer.recv()?;
//! assert_eq!(outcome.hops.len(), 1);
//! let response = outcome.result?;
//! assert_eq!((response.status, &response.body[..]), (200, &b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod client;
mod coding;
mod connect;
mod connections;
mod digest;
mod error;
mod exchange;
mod pace;
mod redirect;
mod request;
mod response;
mod target;
mod wire;

pub use client::{BatchLimits, Client, ClientConfig, Pending};
pub use coding::Coding;
pub use connections::Connections;
pub use error::{Error, TlsFault};
pub use request::{Auth, Request, RequestCookie};
pub use response::{Hop, Outcome, Protocol, Response, SentRequest, Timings, TlsFacts};

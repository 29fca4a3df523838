//! An event loop for WebSocket clients: readiness, time and identity for tens of thousands of sockets.
//!
//! # One turn
//!
//! [`EventLoop::turn`] goes through these phases:
//!
//! 1. **Flush**: what was queued on sockets and not flushed yet is written.
//! 2. **Wait** for readiness, not beyond the next timer; not at all if something was left over. All readiness is
//!    collected before anything is done about it.
//! 3. **Read the clock**, once. This is [`EventLoop::now`] until the next turn.
//! 4. **Serve** each ready socket once: move its dial on, finish its blocked write, or read it until a short read or
//!    for as long as its share lasts. Bytes go into memory shared by all sockets, frames are taken apart there.
//! 5. **Fire** due timers, and end dials whose time is over.
//! 6. **Take the mailbox**.
//!
//! What came of it are [`Event`]s, fetched one by one with [`EventLoop::next_event`]. While they are worked off
//! nothing is borrowed and everything may be called; an event whose socket is finished or whose timer is cancelled
//! before it is fetched does not come out. [`EventLoop::flush`] then writes what the handlers have sent: one system
//! call for each socket, however many messages.
//!
//! ```
//! use ws_loop::{Dial, EchoServer, Event, EventLoop, LoopConfig};
//! use ws_proto::{Incoming, Kind, WsUrl};
//!
//! let server = EchoServer::start("127.0.0.1:0")?;
//! let mut event_loop = EventLoop::<()>::new(LoopConfig::default())?;
//! event_loop.connect(Dial::new(WsUrl::parse(&format!("ws://{}/", server.local_addr()))?), 7);
//! 'run: loop {
//!     event_loop.turn(None)?;
//!     while let Some(event) = event_loop.next_event() {
//!         match event {
//!             Event::Opened { key, user, .. } => {
//!                 assert_eq!(user, 7);
//!                 if let Some(socket) = event_loop.socket(key) {
//!                     socket.send(Kind::Text, b"hello")?;
//!                 }
//!             }
//!             Event::Incoming { key, incoming: Incoming::Text(payload), .. } => {
//!                 assert_eq!(event_loop.payload(&payload), b"hello");
//!                 event_loop.finish(key);
//!                 break 'run;
//!             }
//!             other => panic!("unexpected {other:?}"),
//!         }
//!     }
//!     event_loop.flush();
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many loops on one thread
//!
//! A driver that has several loops waits on a [`Nest`] of them, until the earliest [`EventLoop::next_deadline`], and
//! turns the loops that are reported, or due, with a timeout of zero.
//!
//! # What it does not know
//!
//! Who owns it and what events mean to the owner; it never calls back. Scripts, metrics, scenarios, retries.
#![forbid(unsafe_code)]

mod address_pool;
mod clock;
#[cfg(feature = "echo")]
mod echo;
mod error;
mod event;
mod event_loop;
mod key;
mod mailbox;
mod nest;
mod proxies;
mod registry;
mod resolver;
mod wheel;

pub use address_pool::{AddressPool, AddressPoolError};
pub use clock::{Clock, ManualClock, Ticks};
#[cfg(feature = "echo")]
pub use echo::EchoServer;
pub use error::Error;
pub use event::{
    Arrival, Dial, DialError, DialFailure, DialTimings, Event, Leave, LeaveFailure, Left, Traffic,
};
pub use event_loop::{EventLoop, LoopConfig};
pub use key::SocketKey;
pub use mailbox::LoopHandle;
pub use nest::{Nest, NestWaker, Nestling};
pub use proxies::{BadProxy, Proxies};
pub use resolver::{
    Cidr, CidrError, DnsError, HostPatterns, Hosts, HostsError, Lookup, PatternError, Policy, Resolver,
    ResolverConfig, Select, SystemLookup,
};
pub use wheel::{TimerId, TimerWheel};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

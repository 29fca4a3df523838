//! What a turn can report, and what a dial needs.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use ws_proto::{Incoming, Limits, Proxy, Sent, TlsConfig, UpgradeRequest, UpgradeResponse, WsUrl};

use crate::{DnsError, SocketKey, TimerId};

/// Something that happened in a loop of messages `T`.
///
/// `user` is the number given to [`connect`](crate::EventLoop::connect) or [`timer`](crate::EventLoop::timer),
/// or the last one given to [`set_user`](crate::EventLoop::set_user).
#[derive(Debug)]
pub enum Event<T> {
    /// A dial succeeded; the socket can be written to.
    Opened {
        /// The socket.
        key: SocketKey,
        /// The owner's number for it.
        user: u64,
        /// The peer's answer to the upgrade request.
        response: Box<UpgradeResponse>,
        /// How long each step took.
        timings: Box<DialTimings>,
    },
    /// A dial failed. The key is gone already.
    Failed {
        /// What the socket was called.
        key: SocketKey,
        /// The owner's number for it.
        user: u64,
        /// Everything known about the attempt.
        failure: Box<DialFailure>,
    },
    /// A frame or message arrived, or the stream ended. After [`Incoming::Ended`] nothing more arrives, but the key
    /// stays until [`finish`](crate::EventLoop::finish).
    Incoming {
        /// The socket.
        key: SocketKey,
        /// The owner's number for it.
        user: u64,
        /// What arrived. Its payload is read with [`payload`](crate::EventLoop::payload).
        incoming: Incoming,
    },
    /// What was queued could not be written. Reported once; nothing is written to this socket any more.
    WriteFailed {
        /// The socket.
        key: SocketKey,
        /// The owner's number for it.
        user: u64,
        /// The system's reason.
        error: io::Error,
    },
    /// A socket that was told to [`leave`](crate::EventLoop::leave) has written all that was queued, or cannot. The
    /// key is gone already.
    Left {
        /// What the socket was called.
        key: SocketKey,
        /// The owner's number for it.
        user: u64,
        /// What became of it.
        left: Box<Left>,
    },
    /// A timer is due, and is gone.
    Timer {
        /// The timer.
        id: TimerId,
        /// The owner's number for it.
        user: u64,
    },
    /// A message left by [`post`](crate::LoopHandle::post).
    Posted(T),
}

/// Where to connect to, and how.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The target.
    pub url: WsUrl,
    /// The upgrade request to send.
    pub request: UpgradeRequest,
    /// For `wss`: how to speak TLS.
    pub tls: Option<TlsConfig>,
    /// Sizes and times not to be exceeded. The time for connecting includes the lookup.
    pub limits: Limits,
    /// The address to connect from, if it matters.
    pub local: Option<IpAddr>,
    /// The proxy to go through, if any. Then its name is looked up instead of the target's.
    pub proxy: Option<Proxy>,
    /// The address to connect to, the proxy's if there is one, if it is known: nothing is looked up then.
    pub addr: Option<SocketAddr>,
    /// Tell of each frame and message when it [arrived](crate::EventLoop::arrival). Makes a read 0.2-0.35 us dearer.
    pub arrivals: bool,
}

impl Dial {
    /// A dial of `url` with an upgrade request of nothing but the necessary, the default limits and no TLS.
    pub fn new(url: WsUrl) -> Self {
        Dial {
            url,
            request: UpgradeRequest::new(),
            tls: None,
            limits: Limits::default(),
            local: None,
            proxy: None,
            addr: None,
            arrivals: false,
        }
    }

    /// The host and port to connect to.
    pub(crate) fn next_hop(&self) -> (&str, u16) {
        match &self.proxy {
            Some(proxy) => (proxy.host(), proxy.port()),
            None => (self.url.host(), self.url.port()),
        }
    }
}

/// When something arrived at this machine, however much later it was read.
///
/// By the kernel's clock, where the system tells it ([`ws_proto::Connection::arrival`]), else the time of the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// On the loop's clock, to compare with its other times.
    pub at: Instant,
    /// On the system's clock, as the kernel put it down.
    pub wall: SystemTime,
}

/// How long the steps of a dial took; `None` for a step that was not needed, or did not come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialTimings {
    /// The lookup of the name. None is needed for an address, a name with a given address or a kept answer.
    pub dns: Option<Duration>,
    /// The TCP handshake.
    pub connect: Option<Duration>,
    /// The request for a tunnel and the proxy's answer, whatever it says.
    pub tunnel: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// The upgrade request and its answer, whatever it says.
    pub upgrade: Option<Duration>,
    /// From the call of `connect` to the open socket or the failure.
    pub total: Duration,
}

/// A dial that failed.
#[derive(Debug)]
pub struct DialFailure {
    /// Why.
    pub error: DialError,
    /// The peer's answer, if it gave one.
    pub response: Option<UpgradeResponse>,
    /// How long it took, in all and step by step.
    pub timings: DialTimings,
    /// What the attempt read and wrote.
    pub traffic: Traffic,
}

impl DialFailure {
    /// A failure before anything was sent.
    pub(crate) fn early(error: DialError, timings: DialTimings) -> Self {
        DialFailure { error, response: None, timings, traffic: Traffic::default() }
    }
}

/// Why a dial failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// There is no address to connect to.
    #[error(transparent)]
    Lookup(#[from] DnsError),
    /// The address is known; what came after failed.
    #[error(transparent)]
    Handshake(#[from] ws_proto::Error),
}

/// Bytes of a socket since its TCP connection was made: everything above TCP, TLS records included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
}

/// A socket that its owner is through with.
#[derive(Debug, Default)]
pub struct Left {
    /// All that it has read and written.
    pub traffic: Traffic,
    /// The frames that the system has taken and that [`next_sent`](crate::EventLoop::next_sent) has not told of.
    pub sent: Sent,
    /// Those that it has not taken: nobody will get them.
    pub unsent: Sent,
    /// Why.
    pub failure: Option<LeaveFailure>,
}

/// Why not all could be written.
#[derive(Debug, thiserror::Error)]
pub enum LeaveFailure {
    /// The connection broke.
    #[error(transparent)]
    Broken(io::Error),
    /// The time for it was over.
    #[error("not written in time")]
    Timeout,
}

/// What [`leave`](crate::EventLoop::leave) says at once.
#[derive(Debug)]
pub enum Leave {
    /// All is written, or nothing more can be.
    Done(Box<Left>),
    /// The peer has to read first; there will be an [`Event::Left`].
    Later,
}

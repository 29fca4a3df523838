//! The sockets of a VU that are not closed.

use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use ws_loop::{EventLoop, SocketKey, TimerId, Traffic};
use ws_metrics::{Metadata, Slot, TagSetId};
use ws_proto::CookieJar;

use crate::api::Caller;
use crate::api::latency::{Book, Tracker};
use crate::group::{Post, State};
use crate::samples::Samples;

/// What `readyState` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Connecting = 0,
    Open = 1,
    Closing = 2,
    Closed = 3,
}

/// One socket, from its construction until its `close` event is over. Kept small: a VU may have tens of
/// thousands of them.
pub(crate) struct Socket {
    /// What the script has. Kept alive by this, however little the script cares.
    pub(super) object: v8::Global<v8::Object>,
    /// The connection; `None` before there is one, and when it is gone.
    pub(super) key: Option<SocketKey>,
    pub(super) ready: Ready,
    pub(super) tags: TagSetId,
    pub(super) metadata: Metadata,
    /// `ws_msgs_sent` and `ws_msgs_received`, once the tags are complete.
    pub(super) counters: Option<(Slot, Slot)>,
    /// If the latency of messages is measured.
    pub(super) tracker: Option<Box<Tracker>>,
    /// When it was made.
    pub(super) started: Instant,
    /// As the script sees it.
    pub(super) url: Box<str>,
    /// Where its cookies are from, and go to.
    pub(super) jar: Arc<CookieJar>,
    /// Bytes of messages given to `send` and perhaps not yet written.
    pub(super) buffered: usize,
    /// By ping id: when `ping` was called.
    pub(super) pings: Vec<Instant>,
    /// How long the closing handshake may take, in milliseconds.
    pub(super) close_timeout_ms: u32,
    /// Once the script has called `close`.
    pub(super) closing: Option<Box<Closing>>,
}

/// A closing handshake that the script has begun.
pub(super) struct Closing {
    pub(super) code: u16,
    pub(super) reason: String,
    /// Ends it if the server does not; armed when the close frame is sent.
    pub(super) limit: Option<TimerId>,
}

/// All of them, by the number that their events carry.
#[derive(Default)]
pub(crate) struct Sockets {
    open: FxHashMap<u32, Socket>,
    next: u32,
    /// Limits how long the sockets of an interrupted VU may take.
    pub(super) limit: Option<TimerId>,
}

impl Sockets {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The connection of a socket, if it has one.
    pub(crate) fn key(&self, serial: u32) -> Option<SocketKey> {
        self.open.get(&serial)?.key
    }

    /// The number of a socket that is about to be added.
    pub(super) fn next_serial(&mut self) -> u32 {
        let serial = self.next;
        self.next = self.next.wrapping_add(1);
        serial
    }

    pub(super) fn insert(&mut self, serial: u32, socket: Socket) {
        self.open.insert(serial, socket);
    }

    pub(super) fn remove(&mut self, serial: u32) -> Option<Socket> {
        self.open.remove(&serial)
    }

    /// The numbers of all of them, oldest first.
    pub(super) fn serials(&self) -> Vec<u32> {
        let mut serials: Vec<_> = self.open.keys().copied().collect();
        serials.sort_unstable();
        serials
    }
}

/// A socket while something is done to it.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) caller: Caller,
    pub(super) serial: u32,
}

/// What of a group's state a socket works with.
pub(super) struct Parts<'a> {
    pub(super) io: &'a mut EventLoop<Post>,
    /// `None` once the run is cancelled: nothing is measured any more.
    pub(super) samples: Option<&'a mut Samples>,
    pub(super) traffic: &'a mut Traffic,
}

impl At {
    /// Opens the socket with the rest of the group's state. `None` once it is closed.
    pub(super) fn with<R>(self, f: impl FnOnce(&mut Socket, &mut Parts<'_>) -> R) -> Option<R> {
        let mut state = self.caller.inside.state();
        let State { io, vus, samples, .. } = &mut *state;
        let this = &mut vus[self.caller.vu as usize];
        let samples = if this.is_cancelled() { None } else { Some(samples) };
        let socket = this.sockets.open.get_mut(&self.serial)?;
        let mut parts = Parts { io, samples, traffic: &mut this.traffic };
        Some(f(socket, &mut parts))
    }

    pub(super) fn ready(self) -> Ready {
        self.with(|socket, _| socket.ready).unwrap_or(Ready::Closed)
    }

    /// The JavaScript object.
    pub(super) fn object<'s>(self, scope: &mut v8::PinScope<'s, '_>) -> Option<v8::Local<'s, v8::Object>> {
        self.with(|socket, _| v8::Local::new(scope, &socket.object))
    }
}

impl Socket {
    /// Closes the connection and forgets it.
    pub(super) fn hang_up(&mut self, parts: &mut Parts<'_>) {
        self.ready = Ready::Closed;
        if let Some(limit) = self.closing.as_mut().and_then(|closing| closing.limit.take()) {
            parts.io.cancel(limit);
        }
        if let Some(mut tracker) = self.tracker.take()
            && let Some(connection) = self.key.and_then(|key| parts.io.connection(key))
            && let Some(samples) = parts.samples.as_deref_mut()
        {
            let mut book = Book { samples, tags: self.tags, metadata: self.metadata };
            tracker.end(connection, Instant::now(), &mut book);
        }
        if let Some(traffic) = self.key.take().and_then(|key| parts.io.finish(key)) {
            parts.traffic.read += traffic.read;
            parts.traffic.written += traffic.written;
        }
    }
}

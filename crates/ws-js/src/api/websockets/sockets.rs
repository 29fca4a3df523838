//! The sockets of a VU that are not closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use ws_loop::{EventLoop, Leave, LeaveFailure, Left, SocketKey, TimerId, Traffic};
use ws_metrics::{Metadata, Slot, TagSetId};
use ws_proto::CookieJar;

use super::life::Ending;
use crate::api::Caller;
use crate::api::dial::Pings;
use crate::api::latency::{Book, Tracker};
use crate::group::{Post, State};
use crate::samples::Samples;
use crate::vu::Vu;
use crate::vu::leavers::{Counter, Leavers, Parting, Which, add_traffic};
use crate::vu::tags::VuTags;

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
    /// When `ping` was called.
    pub(super) pings: Pings,
    /// How long the closing handshake may take, in milliseconds.
    pub(super) close_timeout_ms: u32,
    /// Once the script has called `close`.
    pub(super) closing: Option<Box<Closing>>,
    /// How it ended, while what was sent before is not all written.
    pub(super) ending: Option<Box<Ending>>,
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

    /// Whether one of them has a connection, or dials.
    pub(crate) fn is_connected(&self) -> bool {
        self.open.values().any(|socket| socket.key.is_some())
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

    /// Where a socket's frames are counted. A close frame of the script's counts as well, one of a run that is
    /// cancelled does not.
    pub(crate) fn counter(&self, serial: u32, is_cancelled: bool) -> Option<Counter> {
        let socket = self.open.get(&serial)?;
        socket.counter(is_cancelled)
    }

    /// The connection of a socket is gone. Where its last frames are counted.
    pub(crate) fn gone(&mut self, serial: u32, is_cancelled: bool) -> Option<Counter> {
        let socket = self.open.get_mut(&serial)?;
        socket.key = None;
        socket.counter(is_cancelled)
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
    pub(super) samples: &'a mut Samples,
    /// The run is cancelled: nothing is measured any more, but for what was sent before, and how long sessions lasted.
    pub(super) is_cancelled: bool,
    pub(super) vu: u32,
    pub(super) traffic: &'a mut Traffic,
    pub(super) leavers: &'a mut Leavers,
    pub(super) tags: &'a VuTags,
}

impl Parts<'_> {
    /// Where measurements go, if there are to be any.
    pub(super) fn samples(&mut self) -> Option<&mut Samples> {
        (!self.is_cancelled).then_some(&mut *self.samples)
    }
}

impl At {
    /// Opens the socket with the rest of the group's state. `None` once it is closed.
    pub(super) fn with<R>(self, f: impl FnOnce(&mut Socket, &mut Parts<'_>) -> R) -> Option<R> {
        let mut state = self.caller.inside.state();
        let State { io, vus, samples, .. } = &mut *state;
        let this = &mut vus[self.caller.vu as usize];
        let is_cancelled = this.is_cancelled();
        let Vu { sockets, traffic, leavers, tags, .. } = this;
        let socket = sockets.open.get_mut(&self.serial)?;
        let mut parts = Parts { io, samples, is_cancelled, vu: self.caller.vu, traffic, leavers, tags };
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
    /// Where its frames are counted.
    fn counter(&self, is_cancelled: bool) -> Option<Counter> {
        let (slot, _) = self.counters?;
        let which = if is_cancelled || self.closing.is_none() { Which::MessagesAndPings } else { Which::All };
        Some(Counter { slot, which })
    }

    /// Has the connection write what is queued and close. Says whether that is done.
    pub(super) fn leave(&mut self, parts: &mut Parts<'_>) -> Leave {
        self.wind_up(parts);
        let until = Instant::now() + Duration::from_millis(self.close_timeout_ms.into());
        let leave = self.key.and_then(|key| parts.io.leave(key, until));
        match leave {
            Some(Leave::Done(left)) => {
                self.key = None;
                if let Some(counter) = self.counter(parts.is_cancelled) {
                    counter.count(parts.samples, left.sent, parts.io.now());
                }
                add_traffic(parts.traffic, left.traffic);
                Leave::Done(left)
            }
            Some(Leave::Later) => Leave::Later,
            None => Leave::Done(Box::default()),
        }
    }

    /// The same without anybody who would hear of it, until then at the latest; `None`: at once.
    pub(super) fn part_with(&mut self, parts: &mut Parts<'_>, until: Option<Instant>) {
        self.ready = Ready::Closed;
        self.wind_up(parts);
        if self.counters.is_some() {
            self.book_duration(parts.samples);
        }
        let Some(key) = self.key.take() else { return };
        let counter = self.counter(true);
        let Parts { io, samples, traffic, leavers, tags, vu, .. } = parts;
        let parting = Parting { vu: *vu, leavers, tags, io, samples, traffic };
        match until {
            Some(until) => parting.leave(key, counter, until),
            None => parting.drop(key, counter),
        }
    }

    /// Closes the connection, whatever it has not written.
    pub(super) fn break_off(&mut self, parts: &mut Parts<'_>) -> Left {
        self.wind_up(parts);
        let left = self.key.take().and_then(|key| parts.io.finish(key)).unwrap_or_default();
        if let Some(counter) = self.counter(parts.is_cancelled) {
            counter.count(parts.samples, left.sent, parts.io.now());
        }
        add_traffic(parts.traffic, left.traffic);
        Left { failure: Some(LeaveFailure::Timeout), ..left }
    }

    /// Nothing more is to happen.
    fn wind_up(&mut self, parts: &mut Parts<'_>) {
        if let Some(limit) = self.closing.as_mut().and_then(|closing| closing.limit.take()) {
            parts.io.cancel(limit);
        }
        if let Some(mut tracker) = self.tracker.take()
            && !parts.is_cancelled
        {
            // What is offered to the system only now was written in time, too.
            parts.io.flush();
            if let Some(connection) = self.key.and_then(|key| parts.io.connection(key)) {
                let mut book = Book { samples: parts.samples, tags: self.tags, metadata: self.metadata };
                tracker.end(connection, Instant::now(), &mut book);
            }
        }
    }
}

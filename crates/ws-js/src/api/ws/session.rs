//! One `ws.connect`: from the dial to its return.
//!
//! The thread that called `connect` waits; everything here runs on whichever thread drives the group, in
//! the order of the k6 documentation: callback, `open`, then messages, timers and the end.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use ws_loop::{Arrival, DialFailure, DialTimings, EventLoop, Left, SocketKey, TimerId, Traffic};
use ws_metrics::{Metadata, Slot, TagSetId, builtin};
use ws_proto::{CookieJar, Incoming, Payload, UpgradeResponse};

use super::errors::{Ends, Failure};
use crate::api::dial::Pings;
use crate::api::dial::outcome::Series;
use crate::api::latency::{Book, Tracker};
use crate::group::{Inside, Post, State};
use crate::samples::Samples;
use crate::vu::backlog::Backlog;
use crate::vu::call::Handled;
use crate::vu::leavers::{Counter, Leavers, Which, add_traffic};
use crate::vu::tags::VuTags;
use crate::vu::{Vu, block};

/// Something that happened to a session.
pub(crate) enum Event {
    Opened {
        response: Box<UpgradeResponse>,
        timings: Box<DialTimings>,
    },
    Failed(Box<DialFailure>),
    /// With the time of arrival, on a connection that tells it.
    Incoming(Incoming, Option<Arrival>),
    WriteFailed(io::Error),
    /// What became of a socket that was parted with; it is booked already.
    Left(Box<Left>),
    Timer {
        slot: u32,
    },
}

impl Event {
    /// The event with its payload copied out of the loop's memory.
    pub(crate) fn into_owned(self, io: &EventLoop<Post>) -> Self {
        let own = |payload: Payload| Payload::Owned(io.payload(&payload).into());
        match self {
            Event::Incoming(incoming, arrival) => {
                let incoming = match incoming {
                    Incoming::Text(payload) => Incoming::Text(own(payload)),
                    Incoming::Binary(payload) => Incoming::Binary(own(payload)),
                    Incoming::Ping(payload) => Incoming::Ping(own(payload)),
                    Incoming::Pong(payload) => Incoming::Pong(own(payload)),
                    other => other,
                };
                Event::Incoming(incoming, arrival)
            }
            other => other,
        }
    }

    /// When it arrived, if it is a message on a connection that tells it.
    pub(crate) fn message_arrival(&self) -> Option<Arrival> {
        match self {
            Event::Incoming(Incoming::Text(_) | Incoming::Binary(_), arrival) => *arrival,
            _ => None,
        }
    }

    /// What it holds in memory, about.
    pub(crate) fn size(&self) -> usize {
        let payload = match self {
            Event::Incoming(
                Incoming::Text(Payload::Owned(bytes))
                | Incoming::Binary(Payload::Owned(bytes))
                | Incoming::Ping(Payload::Owned(bytes))
                | Incoming::Pong(Payload::Owned(bytes)),
                _,
            ) => bytes.len(),
            _ => 0,
        };
        payload + size_of::<Self>()
    }
}

/// The events that scripts can listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Open,
    Message,
    BinaryMessage,
    Ping,
    Pong,
    Close,
    Error,
}

impl On {
    const COUNT: usize = 7;

    /// By the name scripts use. Other names can be listened to and never happen.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "open" => On::Open,
            "message" => On::Message,
            "binaryMessage" => On::BinaryMessage,
            "ping" => On::Ping,
            "pong" => On::Pong,
            "close" => On::Close,
            "error" => On::Error,
            _ => return None,
        })
    }
}

/// How a session ended, for the thread that waits in `connect`.
pub(crate) enum End {
    /// `connect` returns; with what the server answered.
    Closed(UpgradeResponse),
    /// There was no session.
    Refused(Failure),
    /// A handler threw this.
    Threw(v8::Global<v8::Value>),
    /// The VU was told to stop.
    Interrupted,
}

/// One session of a VU.
pub(crate) struct Session {
    pub(super) serial: u32,
    pub(super) key: Option<SocketKey>,
    pub(super) closed: bool,
    /// What is to be told when the peer has read what was sent before the end.
    pub(super) goodbye: Option<Box<Goodbye>>,
    /// How long that may take, in milliseconds.
    pub(super) close_timeout_ms: u32,
    pub(super) callback: Option<v8::Global<v8::Function>>,
    pub(super) handlers: [Vec<v8::Global<v8::Function>>; On::COUNT],
    /// When they were written.
    pub(super) pings: Pings,
    pub(super) tags: TagSetId,
    pub(super) metadata: Metadata,
    /// `ws_msgs_sent` and `ws_msgs_received`, once the tags are complete.
    pub(super) counters: Option<(Slot, Slot)>,
    /// If the latency of messages is measured.
    pub(super) tracker: Option<Box<Tracker>>,
    /// Handlers of messages are told when they arrived.
    pub(super) tells_arrival: bool,
    pub(super) started: Instant,
    pub(super) url: Arc<str>,
    pub(super) jar: Arc<CookieJar>,
    pub(super) response: Option<UpgradeResponse>,
    pub(super) end: Option<End>,
    /// How long it lasted is told.
    is_booked: bool,
    /// Its `connect` has returned.
    over: bool,
    pub(super) backlog: Backlog,
}

/// The end of a session, as its handlers will hear of it.
pub(super) struct Goodbye {
    /// For the `close` handlers.
    pub(super) code: i64,
    /// The close frame was the script's idea: that it cannot be written is an error, too.
    pub(super) own_close: bool,
    pub(super) ends: Ends,
}

/// What `connect` has worked out before it waits.
pub(crate) struct Start {
    pub(crate) callback: v8::Global<v8::Function>,
    pub(crate) tags: TagSetId,
    pub(crate) metadata: Metadata,
    pub(crate) started: Instant,
    pub(crate) url: Arc<str>,
    pub(crate) jar: Arc<CookieJar>,
    pub(crate) tracker: Option<Box<Tracker>>,
    pub(crate) tells_arrival: bool,
    pub(crate) close_timeout_ms: u32,
}

/// How many sessions of an iteration are kept after their `connect` has returned, the last ones.
const KEPT: usize = 16;

/// All sessions of a VU, with their timers.
#[derive(Default)]
pub(crate) struct Sessions {
    list: Vec<Session>,
    next: u32,
    timers: FxHashMap<u32, Timer>,
    next_timer: u32,
}

pub(super) struct Timer {
    pub(super) serial: u32,
    pub(super) id: TimerId,
    pub(super) callback: v8::Global<v8::Function>,
    /// For intervals: when it is due next, and its period.
    pub(super) every: Option<(Instant, Duration)>,
}

impl Session {
    pub(super) fn counter(&self) -> Option<Counter> {
        let (slot, _) = self.counters?;
        Some(Counter { slot, which: Which::Messages })
    }

    /// How long it lasted, once, and if there was a connection.
    fn book_duration(&mut self, samples: &mut Samples) {
        let Self { tags, metadata, started, counters, .. } = *self;
        if counters.is_some() && !std::mem::replace(&mut self.is_booked, true) {
            let ms = started.elapsed().as_secs_f64() * 1e3;
            samples.add(builtin::WS_SESSION_DURATION, tags, metadata, started, ms);
        }
    }

    pub(super) fn book<'a>(&self, samples: &'a mut Samples) -> Book<'a> {
        Book { samples, tags: self.tags, metadata: self.metadata }
    }

    pub(super) fn series(&self) -> Series {
        Series { tags: self.tags, metadata: self.metadata, started: self.started }
    }
}

/// A message that arrived then is not handled any more, because its VU was told to stop.
pub(crate) fn undelivered(inside: Inside, vu: u32, serial: u32, arrival: Arrival) {
    At { inside, vu, serial }.with(|session, parts| {
        if !session.closed {
            session.book(parts.samples).undelivered(&inside.group().shared, arrival);
        }
    });
}

impl Sessions {
    /// Books a session in; its serial is what events are addressed to.
    pub(crate) fn begin(&mut self, start: Start) -> u32 {
        let serial = self.next;
        self.next = self.next.wrapping_add(1);
        // Nearly all scripts have one session at a time, and room for four is 2 KB.
        self.list.reserve_exact(usize::from(self.list.is_empty()));
        self.list.push(Session {
            serial,
            key: None,
            closed: false,
            goodbye: None,
            close_timeout_ms: start.close_timeout_ms,
            callback: Some(start.callback),
            handlers: Default::default(),
            pings: Pings::default(),
            tags: start.tags,
            metadata: start.metadata,
            counters: None,
            tracker: start.tracker,
            tells_arrival: start.tells_arrival,
            started: start.started,
            url: start.url,
            jar: start.jar,
            response: None,
            end: None,
            is_booked: false,
            over: false,
            backlog: Backlog::default(),
        });
        serial
    }

    /// Whether one of them has a connection, or dials.
    pub(crate) fn is_connected(&self) -> bool {
        self.list.iter().any(|session| session.key.is_some())
    }

    pub(crate) fn set_key(&mut self, serial: u32, key: SocketKey) {
        if let Some(session) = self.get(serial) {
            session.key = Some(key);
        }
    }

    pub(crate) fn get(&mut self, serial: u32) -> Option<&mut Session> {
        // The innermost session is nearly always the one that is meant.
        self.list.iter_mut().rev().find(|session| session.serial == serial)
    }

    /// Takes the outcome of a session whose `connect` is about to return. Its handlers stay for a while: `send`
    /// on a closed socket still reports its error to them.
    pub(crate) fn take_end(&mut self, serial: u32) -> Option<End> {
        let session = self.get(serial)?;
        session.over = true;
        let end = session.end.take();
        let mut over = self.list.iter().filter(|session| session.over);
        if let (Some(oldest), Some(_)) = (over.next().map(|session| session.serial), over.nth(KEPT - 1)) {
            self.list.retain(|session| session.serial != oldest);
        }
        end
    }

    /// What is kept for a session that has not come to its end, and its socket.
    pub(crate) fn backlog(&mut self, serial: u32) -> Option<(Option<SocketKey>, &mut Backlog)> {
        let session = self.get(serial).filter(|session| !session.closed || session.goodbye.is_some())?;
        Some((session.key, &mut session.backlog))
    }

    /// Where its messages are counted.
    pub(crate) fn counter(&mut self, serial: u32) -> Option<Counter> {
        self.get(serial)?.counter()
    }

    /// Its socket is gone. Where its last messages are counted.
    pub(crate) fn gone(&mut self, serial: u32) -> Option<Counter> {
        let session = self.get(serial)?;
        session.key = None;
        session.counter()
    }

    pub(crate) fn owner_of_timer(&self, slot: u32) -> Option<u32> {
        self.timers.get(&slot).map(|timer| timer.serial)
    }
}

/// Drops all sessions at the end of an iteration.
pub(crate) fn forget_all(vu: &mut Vu, io: &mut EventLoop<Post>, samples: &mut Samples) {
    for timer in std::mem::take(&mut vu.sessions.timers).into_values() {
        io.cancel(timer.id);
    }
    for session in std::mem::take(&mut vu.sessions.list) {
        if let Some(left) = session.key.and_then(|key| io.finish(key)) {
            if let Some(counter) = session.counter() {
                counter.count(samples, left.sent, io.now());
            }
            add_traffic(&mut vu.traffic, left.traffic);
        }
    }
}

/// Runs what an event asks for. The VU's script waits in this session's `connect`.
pub(crate) fn run(inside: Inside, vu: u32, serial: u32, event: Event) {
    let realm = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        this.busy = true;
        Rc::clone(&this.realm)
    };
    let over = inside.with_realm(vu, &realm, |scope| {
        let at = At { inside, vu, serial };
        let handled = at.handle(scope, event);
        at.settle(scope, handled)
    });
    inside.state().vus[vu as usize].busy = false;
    if over {
        block::release(inside, vu);
    }
}

/// Ends a session of a VU that was told to stop: close frame 1001, no script.
pub(crate) fn interrupt(inside: Inside, vu: u32, serial: u32) {
    let at = At { inside, vu, serial };
    at.hang_up(Some(1001));
    at.with(|session, parts| {
        session.end = Some(End::Interrupted);
        session.book_duration(parts.samples);
    });
}

/// A session while something is done to it.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) inside: Inside,
    pub(crate) vu: u32,
    pub(crate) serial: u32,
}

impl At {
    /// Opens the session with the rest of the group's state. `None` once the iteration it belonged to is over.
    pub(super) fn with<R>(self, f: impl FnOnce(&mut Session, &mut Parts<'_>) -> R) -> Option<R> {
        let mut state = self.inside.state();
        let State { io, vus, samples, .. } = &mut *state;
        let this = &mut vus[self.vu as usize];
        let Vu { sessions, traffic, leavers, tags, .. } = this;
        let Sessions { list, timers, next_timer, .. } = sessions;
        let session = list.iter_mut().rev().find(|session| session.serial == self.serial)?;
        let mut parts = Parts { io, samples, timers, next_timer, traffic, leavers, tags };
        Some(f(session, &mut parts))
    }

    /// Draws the consequences of what a handler did. Returns whether the session is over.
    fn settle(self, scope: &mut v8::PinScope<'_, '_>, handled: Handled) -> bool {
        let end = match handled {
            Handled::Returned => None,
            Handled::Threw(exception) => {
                // What the `close` handlers throw on top of it is lost, as in k6.
                match self.close(scope, Some(1001), 1001) {
                    Handled::Interrupted => Some(End::Interrupted),
                    Handled::Returned | Handled::Threw(_) => Some(End::Threw(exception)),
                }
            }
            Handled::Interrupted => Some(End::Interrupted),
        };
        if matches!(end, Some(End::Interrupted)) {
            scope.cancel_terminate_execution();
            self.hang_up(Some(1001));
        }
        self.with(|session, parts| {
            if let Some(end) = end {
                // What was thrown first stands: the handlers of the end come later if the peer is slow to read.
                match (&session.end, &end) {
                    (Some(End::Threw(_)), End::Threw(_)) => {}
                    _ => session.end = Some(end),
                }
            }
            if !session.closed || session.goodbye.is_some() {
                return false;
            }
            let end = session.end.get_or_insert_with(|| {
                // A session is only closed after it was opened.
                End::Closed(session.response.take().expect("an open session has a response"))
            });
            if !matches!(end, End::Refused(_)) {
                session.book_duration(parts.samples);
            }
            true
        })
        .unwrap_or(true)
    }
}

/// What of a group's state a session works with.
pub(super) struct Parts<'a> {
    pub(super) io: &'a mut EventLoop<Post>,
    pub(super) samples: &'a mut Samples,
    pub(super) timers: &'a mut FxHashMap<u32, Timer>,
    pub(super) next_timer: &'a mut u32,
    pub(super) traffic: &'a mut Traffic,
    pub(super) leavers: &'a mut Leavers,
    pub(super) tags: &'a VuTags,
}

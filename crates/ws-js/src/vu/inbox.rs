//! Events of a VU's event loop that its script is not ready for.
//!
//! While the script computes, sleeps, or waits in `ws.connect`, they are kept in order, whichever socket or timer
//! they are of. When there is much of it, the sockets that it comes from are no longer read, and TCP slows their
//! servers down.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Instant;

use rustc_hash::FxHashSet;
use ws_loop::{Arrival, EventLoop, SocketKey};

use super::run;
use super::timers;
use crate::api::ws::session::Event;
use crate::api::{Caller, http, websockets};
use crate::group::{BACKLOG_BYTES, Inside, Post, State};

/// Something for a VU's event loop.
pub(crate) enum LoopEvent {
    /// The timers due by then.
    Timers { until: Instant },
    /// Something happened to a web socket.
    Socket { serial: u32, event: Event },
    /// Work on another thread is done.
    Done { serial: u32, result: Box<dyn Any + Send> },
    /// A web socket's dial came to nothing without a network.
    Refused { serial: u32, text: String },
}

impl LoopEvent {
    /// When it arrived, if it is a message on a connection that tells it, and the serial of its socket.
    fn message_arrival(&self) -> Option<(u32, Arrival)> {
        match self {
            LoopEvent::Socket { serial, event } => Some((*serial, event.message_arrival()?)),
            _ => None,
        }
    }
}

/// The events kept for a VU.
#[derive(Default)]
pub(crate) struct Inbox {
    events: VecDeque<LoopEvent>,
    bytes: usize,
    /// Until when timers that became due are in here.
    timers_until: Option<Instant>,
    paused: FxHashSet<SocketKey>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Takes all events.
    pub(super) fn take(&mut self, io: &mut EventLoop<Post>) -> VecDeque<LoopEvent> {
        self.resume(io);
        std::mem::take(self).events
    }

    /// When the messages that are kept arrived, with the serials of their sockets.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = (u32, Arrival)> {
        self.events.iter().filter_map(LoopEvent::message_arrival)
    }

    fn push_timers(&mut self, until: Instant) {
        self.timers_until = Some(until);
        self.events.push_back(LoopEvent::Timers { until });
    }

    /// Keeps an event of the socket `key`.
    fn push_socket(&mut self, serial: u32, event: Event, key: Option<SocketKey>, io: &mut EventLoop<Post>) {
        self.bytes += event.size();
        self.events.push_back(LoopEvent::Socket { serial, event });
        if self.bytes > BACKLOG_BYTES
            && let Some(key) = key
            && self.paused.insert(key)
        {
            io.pause(key);
        }
    }

    fn pop(&mut self, io: &mut EventLoop<Post>) -> Option<LoopEvent> {
        let event = self.events.pop_front()?;
        if let LoopEvent::Socket { event, .. } = &event {
            self.bytes -= event.size();
            if self.bytes < BACKLOG_BYTES / 2 {
                self.resume(io);
            }
        }
        if self.events.is_empty() {
            self.timers_until = None;
        }
        Some(event)
    }

    fn resume(&mut self, io: &mut EventLoop<Post>) {
        for key in self.paused.drain() {
            io.resume(key);
        }
    }
}

/// Runs what the event asks for now if nothing of the VU runs, else keeps it.
pub(crate) fn deliver(inside: Inside, vu: u32, event: LoopEvent) {
    if inside.group().must_end(vu) {
        // The order to stop may be behind this event in the mailbox.
        if let Some((serial, arrival)) = event.message_arrival() {
            websockets::undelivered(inside, vu, serial, arrival);
        }
        super::interrupt_waiting(inside, vu);
    }
    {
        let mut state = inside.state();
        let State { io, vus, .. } = &mut *state;
        let this = &mut vus[vu as usize];
        let Some(run) = &this.run else { return };
        if run.is_draining() {
            drop(state);
            if let LoopEvent::Socket { serial, event } = &event {
                websockets::drained(inside, vu, *serial, event);
                run::proceed(inside, vu);
            }
            return;
        }
        if !this.hears() || !this.inbox.is_empty() {
            match event {
                LoopEvent::Timers { until } => this.inbox.push_timers(until),
                LoopEvent::Refused { .. } | LoopEvent::Done { .. } => this.inbox.events.push_back(event),
                LoopEvent::Socket { serial, event } => {
                    // What has become due before this event comes before it.
                    if this.timers.has_due(this.inbox.timers_until, io.now()) {
                        this.inbox.push_timers(io.now());
                    }
                    let event = event.into_owned(io);
                    let key = this.sockets.key(serial);
                    this.inbox.push_socket(serial, event, key, io);
                }
            }
            return;
        }
    }
    perform(inside, vu, event);
}

/// Has the `error` and `close` events of a socket without a connection happen when the VU comes to its event loop.
pub(crate) fn refuse(inside: Inside, vu: u32, serial: u32, text: String) {
    let mut state = inside.state();
    let inbox = &mut state.vus[vu as usize].inbox;
    inbox.events.push_back(LoopEvent::Refused { serial, text });
}

/// Runs the oldest event that is kept, if the VU is ready for it. If there are more, the VU is on the list of
/// those that catch up afterwards.
pub(super) fn catch_up(inside: Inside, vu: u32) {
    if inside.group().must_end(vu) {
        return super::interrupt_waiting(inside, vu);
    }
    let event = {
        let mut state = inside.state();
        let State { io, vus, .. } = &mut *state;
        let this = &mut vus[vu as usize];
        if !this.hears() {
            return;
        }
        let Some(event) = this.inbox.pop(io) else { return };
        event
    };
    perform(inside, vu, event);
}

fn perform(inside: Inside, vu: u32, event: LoopEvent) {
    let caller = Caller { inside, vu };
    run::callback(inside, vu, |scope, realm| match event {
        LoopEvent::Timers { until } => timers::run_due(caller, scope, realm, until),
        LoopEvent::Socket { serial, event } => websockets::handle(caller, scope, realm, serial, event),
        LoopEvent::Done { serial, result } => http::done(caller, scope, realm, serial, result),
        LoopEvent::Refused { serial, text } => websockets::refused(caller, scope, realm, serial, &text),
    });
}

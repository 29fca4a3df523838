//! Events of a session whose script is not ready for them.
//!
//! While a script computes, sleeps, or waits in an inner `connect`, events of its (outer) sockets and timers
//! are kept in order, each session's with the session. When there is much of it, its socket is no longer read,
//! and TCP slows the server down. Other sessions of the VU are none of its business: the inner one must go on.

use std::collections::VecDeque;

use ws_loop::Arrival;

use crate::api::ws::session::{self, Event};
use crate::group::{BACKLOG_BYTES, Inside, seat};
use crate::vu::block::Kind;

/// The events kept for one session.
#[derive(Default)]
pub(crate) struct Backlog {
    events: VecDeque<Event>,
    bytes: usize,
    paused: bool,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// When the messages that are kept arrived.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = Arrival> {
        self.events.iter().filter_map(Event::message_arrival)
    }

    /// Keeps an event. Says whether the socket is to be read no longer.
    fn push(&mut self, event: Event) -> bool {
        self.bytes += event.size();
        self.events.push_back(event);
        self.bytes > BACKLOG_BYTES && !std::mem::replace(&mut self.paused, true)
    }

    /// Takes the oldest event, and says whether the socket is to be read again.
    fn pop(&mut self) -> Option<(Event, bool)> {
        let event = self.events.pop_front()?;
        self.bytes -= event.size();
        let resume = self.paused && self.bytes < BACKLOG_BYTES / 2;
        self.paused &= !resume;
        Some((event, resume))
    }
}

/// Runs the event's handlers now if the VU waits for this very session, else keeps it.
pub(crate) fn deliver(inside: Inside, vu: u32, serial: u32, event: Event) {
    if inside.group().must_end(vu) {
        // No handler runs any more. The order to stop may be behind this event in the mailbox, and V8 may have
        // been asked to look while another VU's script ran.
        if let Some(arrival) = event.message_arrival() {
            session::undelivered(inside, vu, serial, arrival);
        }
        return super::interrupt_waiting(inside, vu);
    }
    {
        let mut state = inside.state();
        let state = &mut *state;
        let this = &mut state.vus[vu as usize];
        let ready = !this.busy && this.waits_for(serial);
        let Some((key, backlog)) = this.sessions.backlog(serial) else { return };
        if !ready || !backlog.is_empty() {
            if backlog.push(event.into_owned(&state.io))
                && let Some(key) = key
            {
                state.io.pause(key);
            }
            return;
        }
    }
    session::run(inside, vu, serial, event);
    after(inside, vu);
}

/// Runs what is kept for the session that the VU waits for, as far as it is ready.
pub(crate) fn catch_up(inside: Inside, vu: u32) {
    loop {
        if inside.group().must_end(vu) {
            return super::interrupt_waiting(inside, vu);
        }
        let (serial, event) = {
            let mut state = inside.state();
            let state = &mut *state;
            let this = &mut state.vus[vu as usize];
            let Some(Kind::Session(serial)) = this.blocks.last().map(|block| block.kind) else { return };
            if this.busy {
                return;
            }
            let Some((key, backlog)) = this.sessions.backlog(serial) else { return };
            let Some((event, resume)) = backlog.pop() else { return };
            if resume && let Some(key) = key {
                state.io.resume(key);
            }
            (serial, event)
        };
        session::run(inside, vu, serial, event);
        if !seat::has_role() {
            // A handler blocked. The rest is for the driver.
            after(inside, vu);
            return;
        }
    }
}

/// A handler has returned: if it had blocked, events have piled up meanwhile.
fn after(inside: Inside, vu: u32) {
    let mut state = inside.state();
    let state = &mut *state;
    let this = &mut state.vus[vu as usize];
    if !this.busy && this.has_something_for_its_wait() {
        state.catching_up.push_back(vu);
    }
}

impl super::Vu {
    fn waits_for(&self, serial: u32) -> bool {
        self.blocks.last().is_some_and(|block| block.kind == Kind::Session(serial))
    }

    /// Whether events are kept that may be run while the VU waits as it does.
    pub(super) fn has_something_for_its_wait(&mut self) -> bool {
        match self.blocks.last().map(|block| block.kind) {
            Some(Kind::Session(serial)) => {
                self.sessions.backlog(serial).is_some_and(|(_, backlog)| !backlog.is_empty())
            }
            Some(Kind::Sleep) | None => false,
        }
    }
}

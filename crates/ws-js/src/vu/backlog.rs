//! Events for a VU whose script is not ready for them.
//!
//! While a script computes, sleeps, or waits in an inner `connect`, events of its (outer) sockets and timers
//! are kept here in order. When there is much of it, the sockets are no longer read, and TCP slows the
//! server down.

use std::collections::VecDeque;

use crate::api::ws::session::{self, Address, Event};
use crate::group::{BACKLOG_BYTES, Inside};
use crate::vu::block::Kind;

/// The events kept for one VU.
#[derive(Default)]
pub(crate) struct Backlog {
    events: VecDeque<(u32, Event)>,
    bytes: usize,
    paused: bool,
}

impl Backlog {
    /// Whether something is kept that may be run while the VU waits for `kind`.
    pub(super) fn has_for(&self, kind: Kind) -> bool {
        match kind {
            Kind::Session(serial) => self.events.iter().any(|(of, _)| *of == serial),
            Kind::Sleep => false,
        }
    }

    /// Drops what is kept for a session that is over.
    pub(crate) fn forget(&mut self, serial: u32) {
        self.events.retain(|(of, _)| *of != serial);
        self.bytes = self.events.iter().map(|(_, event)| event.size()).sum();
    }
}

/// Runs the event's handlers now if the VU waits for this very session, else keeps it.
pub(crate) fn deliver(inside: Inside, address: Address, event: Event) {
    let Address { vu, serial } = address;
    {
        let mut state = inside.state();
        let state = &mut *state;
        let this = &mut state.vus[vu as usize];
        let ready = !this.busy && this.waits_for(serial);
        if !ready || this.backlog.has_for(Kind::Session(serial)) {
            let event = event.into_owned(&state.io);
            let backlog = &mut this.backlog;
            backlog.bytes += event.size();
            backlog.events.push_back((serial, event));
            if backlog.bytes > BACKLOG_BYTES && !backlog.paused {
                backlog.paused = true;
                this.sessions.for_each_key(|key| state.io.pause(key));
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
        let (serial, event) = {
            let mut state = inside.state();
            let state = &mut *state;
            let this = &mut state.vus[vu as usize];
            let Some(Kind::Session(serial)) = this.blocks.last().map(|block| block.kind) else { return };
            if this.busy {
                return;
            }
            let Some(at) = this.backlog.events.iter().position(|(of, _)| *of == serial) else { return };
            let Some((_, event)) = this.backlog.events.remove(at) else { return };
            this.backlog.bytes -= event.size();
            if this.backlog.paused && this.backlog.bytes < BACKLOG_BYTES / 2 {
                this.backlog.paused = false;
                this.sessions.for_each_key(|key| state.io.resume(key));
            }
            (serial, event)
        };
        session::run(inside, vu, serial, event);
        if !super::may_drive() {
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
    let this = &state.vus[vu as usize];
    if let Some(block) = this.blocks.last()
        && !this.busy
        && this.backlog.has_for(block.kind)
    {
        state.catching_up.push_back(vu);
    }
}

impl super::Vu {
    fn waits_for(&self, serial: u32) -> bool {
        self.blocks.last().is_some_and(|block| block.kind == Kind::Session(serial))
    }
}

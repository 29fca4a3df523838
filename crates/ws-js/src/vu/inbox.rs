//! Events of a VU's event loop that its script is not ready for.
//!
//! While the script computes, sleeps, or waits in `ws.connect`, they are kept in order.

use std::collections::VecDeque;
use std::time::Instant;

use super::run;
use super::timers;
use crate::api::Caller;
use crate::group::Inside;

/// Something for a VU's event loop.
pub(crate) enum LoopEvent {
    /// The timers due by then.
    Timers { until: Instant },
}

/// The events kept for a VU.
#[derive(Default)]
pub(crate) struct Inbox {
    events: VecDeque<LoopEvent>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Forgets all events.
    pub(super) fn clear(&mut self) {
        self.events.clear();
    }
}

/// Runs what the event asks for now if nothing of the VU runs, else keeps it.
pub(crate) fn deliver(inside: Inside, vu: u32, event: LoopEvent) {
    if inside.group().must_end(vu) {
        // The order to stop may be behind this event in the mailbox.
        super::interrupt_waiting(inside, vu);
    }
    {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        if this.run.is_none() {
            return;
        }
        if !this.hears() || !this.inbox.is_empty() {
            this.inbox.events.push_back(event);
            return;
        }
    }
    perform(inside, vu, event);
}

/// Runs the oldest event that is kept, if the VU is ready for it. If there are more, the VU is on the list of
/// those that catch up afterwards.
pub(super) fn catch_up(inside: Inside, vu: u32) {
    if inside.group().must_end(vu) {
        return super::interrupt_waiting(inside, vu);
    }
    let event = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        if !this.hears() {
            return;
        }
        let Some(event) = this.inbox.events.pop_front() else { return };
        event
    };
    perform(inside, vu, event);
}

fn perform(inside: Inside, vu: u32, event: LoopEvent) {
    let caller = Caller { inside, vu };
    run::callback(inside, vu, |scope, realm| match event {
        LoopEvent::Timers { until } => timers::run_due(caller, scope, realm, until),
    });
}

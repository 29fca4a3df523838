//! What becomes of a VU's sockets when its run fails or is interrupted.

use std::time::Instant;

use ws_loop::Arrival;
use ws_proto::Incoming;

use super::construct::canceled;
use super::sockets::{At, Ready, Socket};
use crate::api::Caller;
use crate::api::latency::Book;
use crate::api::ws::session::Event;
use crate::group::Inside;
use crate::vu::address::{Address, Part};
use crate::vu::inbox;
use crate::vu::leavers::{DRAIN, add_traffic};

/// What sockets are closed with.
const NORMAL: u16 = 1000;

/// The run has failed: closes what is open, cuts dials off. The `close` handlers hear of it.
pub(crate) fn wind_down(inside: Inside, vu: u32) {
    let caller = Caller { inside, vu };
    let serials = inside.state().vus[vu as usize].sockets.serials();
    for serial in serials {
        let at = At { caller, serial };
        let has_connection = at.with(|socket, _| socket.counters.is_some()).unwrap_or(false);
        if has_connection {
            if at.ready() == Ready::Open {
                at.close(NORMAL, String::new());
            }
            continue;
        }
        let text = at.with(|socket, parts| {
            // One without a key has failed already, and its event is on the way.
            let left = socket.key.take().and_then(|key| parts.io.finish(key))?;
            add_traffic(parts.traffic, left.traffic);
            Some(socket.target().map_or_else(String::new, |url| canceled(&url)))
        });
        if let Some(Some(text)) = text {
            inbox::refuse(inside, vu, serial, text);
        }
    }
}

/// The VU was told to stop: closes what is open without a word to the script. The servers have a while to answer.
pub(crate) fn drain(inside: Inside, vu: u32) {
    let caller = Caller { inside, vu };
    let serials = inside.state().vus[vu as usize].sockets.serials();
    for serial in serials {
        let at = At { caller, serial };
        match at.with(|socket, _| (socket.ready, socket.counters.is_some())) {
            Some((Ready::Open, _)) => at.close(NORMAL, String::new()),
            Some((Ready::Closing, true)) => (),
            _ => forget(at, None),
        }
    }
    let mut state = inside.state();
    let state = &mut *state;
    let sockets = &mut state.vus[vu as usize].sockets;
    if !sockets.is_empty() {
        let user = Address::new(vu, Part::Drain, 0).to_user();
        sockets.limit = Some(state.io.timer(Instant::now() + DRAIN, user));
    }
}

/// Something happened to a socket of a VU that was told to stop.
pub(crate) fn drained(inside: Inside, vu: u32, serial: u32, event: &Event) {
    let is_over = match event {
        Event::Incoming(incoming, _) => matches!(incoming, Incoming::Close(_) | Incoming::Ended(_)),
        Event::Failed(_) | Event::WriteFailed(_) | Event::Left(_) | Event::Timer { .. } => true,
        Event::Opened { .. } => false,
    };
    if is_over {
        forget(At { caller: Caller { inside, vu }, serial }, Some(Instant::now() + DRAIN));
    }
    let mut state = inside.state();
    let state = &mut *state;
    let sockets = &mut state.vus[vu as usize].sockets;
    if sockets.is_empty()
        && let Some(limit) = sockets.limit.take()
    {
        state.io.cancel(limit);
    }
}

/// The time for that is over.
pub(crate) fn give_up(inside: Inside, vu: u32) {
    let caller = Caller { inside, vu };
    let serials = inside.state().vus[vu as usize].sockets.serials();
    for serial in serials {
        forget(At { caller, serial }, None);
    }
    inside.state().vus[vu as usize].sockets.limit = None;
}

/// A message that arrived then is not handled any more, because its VU was told to stop.
pub(crate) fn undelivered(inside: Inside, vu: u32, serial: u32, arrival: Arrival) {
    At { caller: Caller { inside, vu }, serial }.with(|socket, parts| {
        if socket.ready == Ready::Open && !parts.is_cancelled {
            let Socket { tags, metadata, .. } = *socket;
            Book { samples: parts.samples, tags, metadata }.undelivered(&inside.group().shared, arrival);
        }
    });
}

/// Parts with a socket; what it has sent has until then to be written.
fn forget(at: At, until: Option<Instant>) {
    at.with(|socket, parts| socket.part_with(parts, until));
    let removed = at.caller.inside.state().vus[at.caller.vu as usize].sockets.remove(at.serial);
    // Outside of the borrow: releasing the handle is V8's business.
    drop(removed);
}

//! What a loop knows about one socket.

use std::time::{Duration, Instant};

use ws_proto::{Connection, Handshaking};

use super::leaving::Leaving;
use crate::event::{Dial, Traffic};
use crate::wheel::TimerId;

/// One socket's slot in the registry. Kept small: a driver may hold tens of thousands of idle ones.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) user: u64,
    pub(super) state: State,
    /// In the loop's list of sockets to look at.
    pub(super) scheduled: bool,
    /// In the loop's list of sockets to flush.
    pub(super) dirty: bool,
    /// There may be something to read. Edge-triggered: remembered until a read says that it got everything.
    pub(super) readable: bool,
    /// The last readiness carried the end of the stream.
    pub(super) read_closed: bool,
    /// A write was cut short; the next writable edge clears it.
    pub(super) blocked: bool,
    /// That edge has come, and the rest is to be written.
    pub(super) writable: bool,
    /// The owner does not want to read.
    pub(super) paused: bool,
    /// The stream has ended: nothing to read any more.
    pub(super) ended: bool,
    /// A write failed: nothing is written any more.
    pub(super) broken: bool,
    /// In the loop's list of sockets whose sent frames the owner may ask for.
    pub(super) sent: bool,
}

#[derive(Debug)]
pub(super) enum State {
    /// Waits for an address.
    Looking(Box<Looking>),
    /// On the way to an open WebSocket.
    Dialing(Box<Dialing>),
    /// Open, or closing; until the owner finishes it.
    Open(Box<Connection>),
    /// The owner is through with it.
    Leaving(Box<Leaving>),
    /// The event that says so is still in the queue.
    Failed,
}

#[derive(Debug)]
pub(super) struct Looking {
    pub(super) dial: Dial,
    pub(super) started: Instant,
    pub(super) timer: TimerId,
}

#[derive(Debug)]
pub(super) struct Dialing {
    /// `None` only while it is being advanced, which consumes it.
    pub(super) handshaking: Option<Handshaking>,
    pub(super) started: Instant,
    /// How long the lookup took, if one was needed.
    pub(super) dns: Option<Duration>,
    pub(super) deadline: Instant,
    pub(super) timer: TimerId,
}

impl Socket {
    pub(super) fn new(user: u64) -> Self {
        Socket {
            user,
            state: State::Failed,
            scheduled: false,
            dirty: false,
            readable: false,
            read_closed: false,
            blocked: false,
            writable: false,
            paused: false,
            ended: false,
            broken: false,
            sent: false,
        }
    }

    /// Whether a read is worth a system call.
    pub(super) fn wants_read(&self) -> bool {
        self.readable && !self.paused && !self.ended
    }

    /// Whether its key is good.
    pub(super) fn is_owned(&self) -> bool {
        !matches!(self.state, State::Leaving(_))
    }

    pub(super) fn traffic(&self) -> Traffic {
        match &self.state {
            State::Open(connection) => {
                Traffic { read: connection.bytes_read(), written: connection.bytes_written() }
            }
            State::Dialing(dialing) => {
                dialing.handshaking.as_ref().map_or_else(Traffic::default, |handshaking| Traffic {
                    read: handshaking.bytes_read(),
                    written: handshaking.bytes_written(),
                })
            }
            State::Looking(_) | State::Leaving(_) | State::Failed => Traffic::default(),
        }
    }
}

//! From a dial to an open socket: lookup, handshake, deadlines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Interest;
use ws_proto::{Connection, HandshakeTimings, Handshaking, Step, UpgradeResponse};

use super::socket::{Dialing, Looking, Socket, State};
use super::{Due, EventLoop, Queued};
use crate::event::{Dial, DialError, DialFailure, DialTimings, Traffic};
use crate::mailbox::Mail;
use crate::resolver::Lookup;
use crate::{DnsError, SocketKey};

/// Time limits beyond it are as good as none, and would not fit an [`Instant`].
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

impl<T: Send + 'static> EventLoop<T> {
    /// Starts to connect. Never blocks and never fails at once: what becomes of it is an event, either
    /// [`Opened`](crate::Event::Opened) or [`Failed`](crate::Event::Failed), that carries `user`.
    pub fn connect(&mut self, dial: Dial, user: u64) -> SocketKey {
        // Not the turn's reading: dials are rare, and how long one takes is what a load test measures.
        let started = self.clock.now();
        let key = self.sockets.insert(Socket::new(user));
        if let Some(addr) = dial.addr {
            self.dial(key, dial, addr, started, started);
            return key;
        }
        let mailbox = Arc::clone(&self.mailbox);
        let reply = move |lookup| mailbox.send(Mail::Resolved(key, lookup));
        match self.resolver.lookup(dial.url.host(), dial.url.port(), started, reply) {
            Some(Ok(addr)) => self.dial(key, dial, addr, started, started),
            Some(Err(error)) => self.fail(key, error.into(), None, Traffic::default(), started, started),
            None => {
                let limit = dial.limits.connect_timeout.min(NEVER);
                let timer = self.deadline(key, started + limit);
                self.set_state(key, State::Looking(Box::new(Looking { dial, started, timer })));
            }
        }
        key
    }

    /// A lookup has been answered. The socket may be gone, or have run out of time, since.
    pub(super) fn resolved(&mut self, key: SocketKey, lookup: Lookup) {
        let Some(looking) = self.take_looking(key) else { return };
        self.wheel.cancel(looking.timer);
        match lookup {
            Ok(addr) => self.dial(key, looking.dial, addr, looking.started, self.now),
            Err(error) => {
                self.fail(key, error.into(), None, Traffic::default(), looking.started, self.now);
            }
        }
    }

    /// The time of a lookup or a handshake is over.
    pub(super) fn expire(&mut self, key: SocketKey) {
        if let Some(looking) = self.take_looking(key) {
            let error = DnsError::Timeout { host: looking.dial.url.host().to_owned() };
            self.fail(key, error.into(), None, Traffic::default(), looking.started, self.now);
        } else if self.advance(key) {
            self.schedule(key);
        }
    }

    /// Moves a handshake on after readiness or at its deadline. Says whether the socket is open now.
    pub(super) fn advance(&mut self, key: SocketKey) -> bool {
        let now = self.now;
        let Some(Socket { state: State::Dialing(dialing), .. }) = self.sockets.get_mut(key) else {
            return false;
        };
        let Some(handshaking) = dialing.handshaking.take() else { return false };
        let (started, looked_up, timer) = (dialing.started, dialing.looked_up, dialing.timer);
        match handshaking.advance(now) {
            Ok(Step::Pending(handshaking)) => {
                let deadline = handshaking.deadline();
                dialing.handshaking = Some(handshaking);
                if deadline != dialing.deadline {
                    dialing.deadline = deadline;
                    dialing.timer = self.wheel.insert(self.ticks.due(deadline), Due::Dial(key));
                    self.wheel.cancel(timer);
                }
                false
            }
            Ok(Step::Open(connection, response, timings)) => {
                self.wheel.cancel(timer);
                self.opened(key, connection, response, timings, started, looked_up);
                true
            }
            Err(failure) => {
                self.wheel.cancel(timer);
                let traffic = Traffic { read: failure.bytes_read, written: failure.bytes_written };
                self.fail(key, failure.error.into(), failure.response, traffic, started, now);
                false
            }
        }
    }

    fn dial(&mut self, key: SocketKey, dial: Dial, addr: SocketAddr, started: Instant, now: Instant) {
        let mut limits = dial.limits;
        let spent = now.saturating_duration_since(started);
        limits.connect_timeout = limits.connect_timeout.saturating_sub(spent);
        limits.handshake_timeout = limits.handshake_timeout.saturating_sub(spent);
        let start =
            Handshaking::start(addr, dial.local, &dial.url, &dial.request, dial.tls.as_ref(), &limits, now);
        let registered = start.and_then(|mut handshaking| {
            handshaking.share_deflater(&self.deflater);
            // Both once and for all: an edge-triggered poll reports neither again until it changes, so this costs
            // a single spurious wake-up and spares a system call whenever a write blocks.
            let interest = Interest::READABLE | Interest::WRITABLE;
            match self.poll.registry().register(&mut handshaking, key.token(), interest) {
                Ok(()) => Ok(handshaking),
                Err(source) => Err(ws_proto::Error::Connect { addr, source }),
            }
        });
        match registered {
            Ok(handshaking) => {
                let deadline = handshaking.deadline();
                let timer = self.deadline(key, deadline);
                let dialing =
                    Dialing { handshaking: Some(handshaking), started, looked_up: now, deadline, timer };
                self.set_state(key, State::Dialing(Box::new(dialing)));
            }
            Err(error) => self.fail(key, error.into(), None, Traffic::default(), started, now),
        }
    }

    fn opened(
        &mut self,
        key: SocketKey,
        connection: Box<Connection>,
        response: UpgradeResponse,
        timings: HandshakeTimings,
        started: Instant,
        looked_up: Instant,
    ) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.state = State::Open(connection);
        // Frames may have come with the response, and their edge was the one just handled.
        socket.readable = true;
        let timings = DialTimings {
            dns: looked_up.saturating_duration_since(started),
            connect: timings.connect,
            tls: timings.tls,
            upgrade: timings.upgrade,
            total: self.now.saturating_duration_since(started),
        };
        self.queue.push_back(Queued::Opened(key, Box::new(response), Box::new(timings)));
    }

    fn fail(
        &mut self,
        key: SocketKey,
        error: DialError,
        response: Option<UpgradeResponse>,
        traffic: Traffic,
        started: Instant,
        now: Instant,
    ) {
        self.set_state(key, State::Failed);
        let elapsed = now.saturating_duration_since(started);
        let failure = DialFailure { error, response, elapsed, traffic };
        self.queue.push_back(Queued::Failed(key, Box::new(failure)));
        self.heat.set_left(true);
    }

    fn deadline(&mut self, key: SocketKey, at: Instant) -> crate::TimerId {
        self.wheel.insert(self.ticks.due(at), Due::Dial(key))
    }

    fn set_state(&mut self, key: SocketKey, state: State) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.state = state;
        }
    }

    fn take_looking(&mut self, key: SocketKey) -> Option<Looking> {
        let socket = self.sockets.get_mut(key)?;
        match std::mem::replace(&mut socket.state, State::Failed) {
            State::Looking(looking) => Some(*looking),
            other => {
                socket.state = other;
                None
            }
        }
    }
}

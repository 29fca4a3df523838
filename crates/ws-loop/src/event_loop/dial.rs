//! From a dial to an open socket: lookup, handshake, deadlines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Interest;
use ws_proto::{Connection, HandshakeFailure, HandshakeTimings, Opening, Step, UpgradeResponse};

use super::socket::{Dialing, Looking, Socket, State};
use super::{Due, EventLoop, Queued};
use crate::event::{Dial, DialFailure, DialTimings, Traffic};
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
            self.dial(key, dial, addr, started, None);
            return key;
        }
        let mailbox = Arc::clone(&self.mailbox);
        let reply = move |lookup| mailbox.send(Mail::Resolved(key, lookup));
        let (host, port) = dial.next_hop();
        match self.resolver.lookup(host, port, started, reply) {
            Some(Ok(addr)) => self.dial(key, dial, addr, started, None),
            Some(Err(error)) => self.fail(key, DialFailure::early(error.into(), DialTimings::default())),
            None => {
                let (_, limit) = dial.limits.first_to_connect();
                let timer = self.deadline(key, started + limit.min(NEVER));
                self.set_state(key, State::Looking(Box::new(Looking { dial, started, timer })));
            }
        }
        key
    }

    /// A lookup has been answered. The socket may be gone, or have run out of time, since.
    pub(super) fn resolved(&mut self, key: SocketKey, lookup: Lookup) {
        let Some(looking) = self.take_looking(key) else { return };
        self.wheel.cancel(looking.timer);
        let took = self.clock.now().saturating_duration_since(looking.started);
        match lookup {
            Ok(addr) => self.dial(key, looking.dial, addr, looking.started, Some(took)),
            Err(error) => {
                let timings = DialTimings { total: took, ..DialTimings::default() };
                self.fail(key, DialFailure::early(error.into(), timings));
            }
        }
    }

    /// The time of a lookup or a handshake is over.
    pub(super) fn expire(&mut self, key: SocketKey) {
        if let Some(looking) = self.take_looking(key) {
            let (limit, after) = looking.dial.limits.first_to_connect();
            let error = DnsError::Timeout { host: looking.dial.next_hop().0.to_owned(), limit, after };
            let total = self.now.saturating_duration_since(looking.started);
            let timings = DialTimings { total, ..DialTimings::default() };
            self.fail(key, DialFailure::early(error.into(), timings));
        } else if self.advance(key) {
            self.schedule(key);
        }
    }

    /// Moves a handshake on after readiness or at its deadline. Says whether the socket is open now.
    pub(super) fn advance(&mut self, key: SocketKey) -> bool {
        let Some(Socket { state: State::Dialing(dialing), .. }) = self.sockets.get_mut(key) else {
            return false;
        };
        let Some(handshaking) = dialing.handshaking.take() else { return false };
        let (started, dns, timer) = (dialing.started, dialing.dns, dialing.timer);
        // Not the turn's reading either: all handshakes that it moves on would seem to take no time.
        let clock = &self.clock;
        let timed = |parts: HandshakeTimings| DialTimings {
            dns,
            connect: parts.connect,
            tunnel: parts.tunnel,
            tls: parts.tls,
            upgrade: parts.upgrade,
            total: clock.now().saturating_duration_since(started),
        };
        match handshaking.advance_by(&mut || clock.now()) {
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
                self.opened(key, connection, response, timed(timings));
                true
            }
            Err(failure) => {
                self.wheel.cancel(timer);
                let timings = timed(failure.timings);
                let HandshakeFailure { error, response, bytes_read, bytes_written, .. } = *failure;
                let traffic = Traffic { read: bytes_read, written: bytes_written };
                self.fail(key, DialFailure { error: error.into(), response, timings, traffic });
                false
            }
        }
    }

    fn dial(
        &mut self,
        key: SocketKey,
        dial: Dial,
        addr: SocketAddr,
        started: Instant,
        dns: Option<Duration>,
    ) {
        let spent = dns.unwrap_or_default();
        let local = dial.local;
        let opening = Opening {
            local,
            tls: dial.tls.as_ref(),
            proxy: dial.proxy.as_ref(),
            began: Some(started),
            deflater: Some(&self.deflater),
            stamp_arrivals: dial.arrivals,
            ..Opening::new(addr, &dial.url, &dial.request, &dial.limits)
        };
        let registered = opening.start(started + spent).and_then(|mut handshaking| {
            // Both once and for all: an edge-triggered poll reports neither again until it changes, so this costs
            // a single spurious wake-up and spares a system call whenever a write blocks.
            let interest = Interest::READABLE | Interest::WRITABLE;
            match self.poll.registry().register(&mut handshaking, key.token(), interest) {
                Ok(()) => Ok(handshaking),
                Err(source) => Err(ws_proto::Error::Connect { addr, local, source }),
            }
        });
        match registered {
            Ok(handshaking) => {
                let deadline = handshaking.deadline();
                let timer = self.deadline(key, deadline);
                let dialing = Dialing { handshaking: Some(handshaking), started, dns, deadline, timer };
                self.set_state(key, State::Dialing(Box::new(dialing)));
            }
            Err(error) => {
                let timings = DialTimings { dns, total: spent, ..DialTimings::default() };
                self.fail(key, DialFailure::early(error.into(), timings));
            }
        }
    }

    fn opened(
        &mut self,
        key: SocketKey,
        connection: Box<Connection>,
        response: UpgradeResponse,
        timings: DialTimings,
    ) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.state = State::Open(connection);
        // Frames may have come with the response, and their edge was the one just handled.
        socket.readable = true;
        self.queue.push_back(Queued::Opened(key, Box::new(response), Box::new(timings)));
    }

    fn fail(&mut self, key: SocketKey, failure: DialFailure) {
        self.set_state(key, State::Failed);
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

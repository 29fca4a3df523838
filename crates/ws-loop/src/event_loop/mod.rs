//! The loop: owns the poll, the wheel and the sockets, and turns.

mod arrivals;
mod dial;
mod leaving;
mod socket;
mod turn;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Waker};
use ws_proto::{Arena, Connection, Deflater, Flushed, Incoming, Payload, Sent, UpgradeResponse};

use crate::clock::{Clock, Ticks};
use crate::event::{Arrival, DialFailure, DialTimings, Event, Left, Traffic};
use crate::key::WAKER;
use crate::mailbox::{LoopHandle, Mail, Mailbox};
use crate::nest::{Heat, Nestling};
use crate::registry::Registry;
use crate::wheel::{TimerId, TimerWheel};
use crate::{Error, Resolver, SocketKey};
use arrivals::Arrivals;
use socket::{Socket, State};

/// What a loop is made with.
#[derive(Clone, Debug, Default)]
pub struct LoopConfig {
    /// Who looks names up. Shared: loops with clones of one resolver share its answers.
    pub resolver: Resolver,
    /// Where the time is read.
    pub clock: Clock,
}

/// Sockets, timers and messages of one owner, and the events they cause.
///
/// A loop never calls its owner: [`turn`](Self::turn) collects what has happened, [`next_event`](Self::next_event)
/// hands it out by value, and nothing is borrowed in between. So the owner may do anything with the loop while it
/// works off a batch, and may stop in the middle: what it has not fetched stays. An event is checked when it is
/// fetched: one of a socket finished or a timer cancelled meanwhile does not come out any more.
///
/// See the [crate documentation](crate) for an example.
#[derive(Debug)]
pub struct EventLoop<T: Send + 'static> {
    poll: Poll,
    events: Events,
    clock: Clock,
    ticks: Ticks,
    now: Instant,
    resolver: Resolver,
    sockets: Registry<Socket>,
    wheel: TimerWheel<Due>,
    arena: Arena,
    /// Shared by all sockets that compress messages which stand alone.
    deflater: Deflater,
    queue: VecDeque<Queued<T>>,
    /// Of the [`Queued::Stamped`] in the queue, in its order.
    arrivals: Arrivals,
    /// Of the event that was fetched last.
    arrival: Option<Arrival>,
    /// Sockets to look at, oldest first: new readiness, and what a turn's bounds have left over.
    ready: VecDeque<SocketKey>,
    dirty: Vec<SocketKey>,
    /// Sockets that have sent frames since the owner last asked.
    sent: Vec<SocketKey>,
    /// How many sockets are in [`State::Leaving`].
    leaving: usize,
    mailbox: Arc<Mailbox<T>>,
    /// Empty between turns; kept for its memory.
    mail: Vec<Mail<T>>,
    /// Empty between turns; kept for its memory.
    expired: Vec<(TimerId, Due)>,
    /// The poll may hold more readiness than the last turn took.
    undrained: bool,
    heat: Arc<Heat>,
}

/// What a timer of the wheel is for.
#[derive(Clone, Copy, Debug)]
enum Due {
    User(u64),
    Dial(SocketKey),
    Leave(SocketKey),
}

/// An event before it is checked against who is still there.
#[derive(Debug)]
enum Queued<T> {
    Opened(SocketKey, Box<UpgradeResponse>, Box<DialTimings>),
    Failed(SocketKey, Box<DialFailure>),
    Incoming(SocketKey, Incoming),
    /// One whose time of arrival is in [`EventLoop::arrivals`]: kept apart, so that events stay small.
    Stamped(SocketKey, Incoming),
    WriteFailed(SocketKey, io::Error),
    /// With the owner's number: its socket may be gone.
    Left(SocketKey, u64, Box<Left>),
    Timer(TimerId),
    Posted(T),
}

impl<T: Send + 'static> EventLoop<T> {
    /// A loop with nothing to do.
    ///
    /// # Errors
    ///
    /// [`Error::Poll`] if the system refuses another poll (too many open files).
    pub fn new(config: LoopConfig) -> Result<Self, Error> {
        let LoopConfig { resolver, clock } = config;
        let poll = Poll::new().map_err(Error::Poll)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(Error::Poll)?;
        let now = clock.now();
        Ok(EventLoop {
            poll,
            events: Events::with_capacity(turn::EVENTS),
            clock,
            ticks: Ticks::since(now),
            now,
            resolver,
            sockets: Registry::new(),
            wheel: TimerWheel::new(),
            arena: Arena::new(),
            deflater: Deflater::new(),
            queue: VecDeque::new(),
            arrivals: Arrivals::default(),
            arrival: None,
            ready: VecDeque::new(),
            dirty: Vec::new(),
            sent: Vec::new(),
            leaving: 0,
            mailbox: Arc::new(Mailbox::new(waker)),
            mail: Vec::new(),
            expired: Vec::new(),
            undrained: false,
            heat: Arc::default(),
        })
    }

    /// A handle for other threads.
    pub fn handle(&self) -> LoopHandle<T> {
        LoopHandle { mailbox: Arc::clone(&self.mailbox) }
    }

    /// The clock's reading of the last turn: the time of all its events.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When what the last fetched event reports arrived: for an [`Event::Incoming`] of a socket whose
    /// [`Dial`](crate::Dial) asked for it.
    pub fn arrival(&self) -> Option<Arrival> {
        self.arrival
    }

    /// Fetches the oldest event.
    pub fn next_event(&mut self) -> Option<Event<T>> {
        self.arrival = None;
        let event = loop {
            let Some(queued) = self.queue.pop_front() else { break None };
            let event = self.claim(queued);
            if event.is_some() {
                break event;
            }
        };
        if self.queue.is_empty() {
            self.heat.set_left(self.has_work());
        }
        event
    }

    /// The number of events not fetched yet, including those that will not come out because their socket is
    /// finished or their timer cancelled.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// The number of sockets whose key is good.
    pub fn sockets(&self) -> usize {
        self.sockets.len() - self.leaving
    }

    /// The bytes of a payload that this loop has handed out, and that is still good: until the first turn that
    /// begins without an event waiting. Whoever wants to keep a message longer copies it.
    ///
    /// # Panics
    ///
    /// May panic, or return other bytes, for a payload that is not good any more.
    pub fn payload<'a>(&'a self, payload: &'a Payload) -> &'a [u8] {
        payload.bytes(&self.arena)
    }

    /// When the next turn is due, whatever the poll says: the earliest of timers and time limits of dials, or
    /// [`now`](Self::now) if the last turn left something to do. May be earlier than the earliest timer (see
    /// [`TimerWheel::next_tick`]); the turn then reports nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.has_work() {
            return Some(self.now);
        }
        self.wheel.next_tick().and_then(|tick| self.ticks.instant(tick))
    }

    /// An open socket, to send on. It counts as written to: the next [`flush`](Self::flush) looks at it. `None`
    /// while it is not open yet, and when it is finished.
    pub fn socket(&mut self, key: SocketKey) -> Option<&mut Connection> {
        let socket = self.sockets.get_mut(key)?;
        let State::Open(connection) = &mut socket.state else { return None };
        if !socket.dirty {
            socket.dirty = true;
            self.dirty.push(key);
        }
        Some(connection)
    }

    /// An open socket, to look at.
    pub fn connection(&self, key: SocketKey) -> Option<&Connection> {
        match &self.sockets.get(key)?.state {
            State::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Gives a socket another number. Events that wait already carry it, too.
    pub fn set_user(&mut self, key: SocketKey, user: u64) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.user = user;
        }
    }

    /// Stops reading from a socket, so that TCP slows its peer down. Events that wait already still come.
    pub fn pause(&mut self, key: SocketKey) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.paused = true;
        }
    }

    /// Goes on reading from a socket. What came in while it was paused is read by the next turn.
    pub fn resume(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.paused = false;
        if socket.wants_read() {
            self.schedule(key);
        }
    }

    /// Writes what was queued on sockets since the last flush: one system call for each of them. What a socket does
    /// not take now is written by later turns; a failure becomes [`Event::WriteFailed`].
    ///
    /// What was [marked](Connection::mark) counts as offered to the system now, also if its socket is known to take
    /// nothing.
    ///
    /// To be called after each batch of events. (A turn begins with it, so that no turn waits with something
    /// unsent; a driver that waits on a [`Nest`](crate::Nest) has to call it.)
    pub fn flush(&mut self) {
        for key in self.dirty.drain(..) {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            socket.dirty = false;
            if let Some(error) = write(socket, &self.clock) {
                self.queue.push_back(Queued::WriteFailed(key, error));
                self.heat.set_left(true);
            }
            note_sent(socket, key, &mut self.sent);
        }
    }

    /// Ends a socket at once: writes what is queued as far as it goes without waiting, closes the connection, and
    /// forgets the key and the events that wait for it. `None` if the key was not good. One that is to be
    /// [left](Self::leave) can be finished as long as its event has not come.
    pub fn finish(&mut self, key: SocketKey) -> Option<Left> {
        if let State::Leaving(leaving) = &self.sockets.get(key)?.state
            && leaving.is_told()
        {
            return None;
        }
        self.close_now(key)
    }

    /// The next socket of which the system has taken frames since the last call about it: the owner's number for it,
    /// and what was taken. To be asked after a [`flush`](Self::flush), until there is none; what was not asked for by
    /// the end of a socket is in its [`Left`].
    pub fn next_sent(&mut self) -> Option<(u64, Sent)> {
        while let Some(key) = self.sent.pop() {
            if let Some(socket) = self.sockets.get_mut(key)
                && let State::Open(connection) = &mut socket.state
            {
                socket.sent = false;
                return Some((socket.user, connection.take_sent()));
            }
        }
        None
    }

    /// What a socket has read and written so far. `None` if the key is not good.
    pub fn traffic(&self, key: SocketKey) -> Option<Traffic> {
        self.sockets.get(key).filter(|socket| socket.is_owned()).map(Socket::traffic)
    }

    /// Sets a one-shot timer: [`Event::Timer`] with `user`, in the first turn at or after `at`.
    ///
    /// Timers tick in milliseconds and round up: late by less than a millisecond plus the time until the next turn,
    /// never early. Timers of the same tick fire in order of creation. A time that has passed is due at the next
    /// turn; one more than 139 years away fires then.
    pub fn timer(&mut self, at: Instant, user: u64) -> TimerId {
        self.wheel.insert(self.ticks.due(at), Due::User(user))
    }

    /// Cancels a timer. Says whether it was still there: its event was not fetched yet, and will not come.
    pub fn cancel(&mut self, timer: TimerId) -> bool {
        self.wheel.cancel(timer)
    }

    /// What a [`Nest`](crate::Nest) has to know of this loop. Of no use once the loop is dropped.
    pub fn nestling(&self) -> Nestling {
        Nestling::new(self.poll.as_raw_fd(), Arc::clone(&self.heat))
    }

    /// Has the next turn look at a socket.
    fn schedule(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if !socket.scheduled {
            socket.scheduled = true;
            self.ready.push_back(key);
            self.heat.set_left(true);
        }
    }

    /// Whether there is something to do that neither the poll nor a timer will bring up again.
    fn has_work(&self) -> bool {
        !self.queue.is_empty() || !self.ready.is_empty() || self.undrained
    }

    /// Turns what was queued into an event, if those it concerns are still there.
    fn claim(&mut self, queued: Queued<T>) -> Option<Event<T>> {
        let user = |sockets: &Registry<Socket>, key| {
            sockets.get(key).filter(|socket| socket.is_owned()).map(|socket| socket.user)
        };
        Some(match queued {
            Queued::Incoming(key, incoming) => {
                Event::Incoming { key, user: user(&self.sockets, key)?, incoming }
            }
            Queued::Stamped(key, incoming) => {
                self.arrival = self.arrivals.pop();
                Event::Incoming { key, user: user(&self.sockets, key)?, incoming }
            }
            Queued::Opened(key, response, timings) => {
                Event::Opened { key, user: user(&self.sockets, key)?, response, timings }
            }
            Queued::Failed(key, failure) => {
                Event::Failed { key, user: self.sockets.remove(key)?.user, failure }
            }
            Queued::WriteFailed(key, error) => {
                Event::WriteFailed { key, user: user(&self.sockets, key)?, error }
            }
            Queued::Left(key, user, left) => Event::Left { key, user, left },
            Queued::Timer(id) => match self.wheel.claim(id)? {
                Due::User(user) => Event::Timer { id, user },
                Due::Dial(_) | Due::Leave(_) => return None,
            },
            Queued::Posted(message) => Event::Posted(message),
        })
    }
}

impl<T: Send + 'static> AsRawFd for EventLoop<T> {
    /// The descriptor of the loop's own poll, which is readable when the loop has something to do. A
    /// [`Nest`](crate::Nest) is the safe way to wait on it.
    fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }
}

impl<T: Send + 'static> Drop for EventLoop<T> {
    /// A nest that still has this loop must not spin on it, and handles must not collect mail for it.
    fn drop(&mut self) {
        self.mailbox.close();
        self.heat.clear_edge();
        self.heat.set_left(false);
    }
}

/// Writes what a socket has queued, unless that is known to be of no use. Returns the failure that ends its writing.
fn write(socket: &mut Socket, clock: &Clock) -> Option<io::Error> {
    let State::Open(connection) = &mut socket.state else { return None };
    if connection.has_mark() {
        connection.note_offer(clock.now());
    }
    if socket.blocked || socket.broken || !connection.wants_write() {
        return None;
    }
    match connection.flush() {
        Ok(Flushed::Done) => None,
        Ok(Flushed::Blocked) => {
            socket.blocked = true;
            None
        }
        Err(error) => {
            socket.broken = true;
            Some(error)
        }
    }
}

/// Puts a socket on the list of those that have sent something, if it has and is not there yet.
fn note_sent(socket: &mut Socket, key: SocketKey, list: &mut Vec<SocketKey>) {
    if !socket.sent
        && let State::Open(connection) = &mut socket.state
        && connection.has_sent()
    {
        socket.sent = true;
        list.push(key);
    }
}

/// The shorter of a timeout and the time from `now` until `deadline`.
fn earlier(
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    now: impl FnOnce() -> Instant,
) -> Option<Duration> {
    match (timeout, deadline) {
        (Some(Duration::ZERO), _) | (_, None) => timeout,
        (timeout, Some(deadline)) => {
            let left = deadline.saturating_duration_since(now());
            Some(timeout.map_or(left, |timeout| timeout.min(left)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loops wander between drivers' threads.
    #[test]
    fn loops_can_be_sent_and_handles_shared() {
        fn send<S: Send>() {}
        fn share<S: Send + Sync>() {}
        send::<EventLoop<u64>>();
        send::<crate::Nest>();
        share::<LoopHandle<u64>>();
        share::<Resolver>();
        share::<crate::NestWaker>();
    }

    /// The README's promise, and the price of moving an event.
    #[test]
    fn sockets_and_events_are_small() {
        assert!(size_of::<Option<Socket>>() <= 40, "{}", size_of::<Option<Socket>>());
        assert!(size_of::<Event<u64>>() <= 64, "{}", size_of::<Event<u64>>());
        assert!(size_of::<Queued<u64>>() <= 56, "{}", size_of::<Queued<u64>>());
    }
}

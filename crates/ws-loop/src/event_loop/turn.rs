//! One turn, phase by phase.

use std::time::Duration;

use ws_proto::ReadProgress;

use super::socket::{Socket, State};
use super::{Due, EventLoop, Queued, earlier, note_sent, write};
use crate::key::{SocketKey, WAKER};
use crate::mailbox::Mail;
use crate::{Error, TimerId};

/// Readiness taken from the poll at once.
pub(super) const EVENTS: usize = 1024;

/// How often a turn asks the poll again when it filled [`EVENTS`]. More sockets than that are served by the next
/// turn, so that timers and messages get theirs.
const POLLS: usize = 8;

/// A turn stops reading when this much has been read and not been looked at, in bytes: what bounds the memory of a
/// group whose sockets all have data at once. The rest is first in the next turn.
const MAX_ARENA: usize = 8 << 20;

/// A turn also stops reading when this many events wait.
const MAX_QUEUE: usize = 64 << 10;

impl<T: Send + 'static> EventLoop<T> {
    /// One turn: waits up to `timeout` (`None`: until something happens; zero: not at all) but not beyond
    /// [`next_deadline`](Self::next_deadline), reads sockets that have data, moves dials on, fires due timers and
    /// takes the mailbox. The events are fetched with [`next_event`](Self::next_event).
    ///
    /// A turn may end without an event. Its work is bounded: a socket with much to read is read on by the next
    /// turn, after the others had theirs.
    ///
    /// If no event was left over, payloads handed out before are not good any more.
    ///
    /// # Errors
    ///
    /// [`Error::Poll`] if polling fails. An interruption by a signal is not an error.
    pub fn turn(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.flush();
        if self.queue.is_empty() {
            self.arena.reset();
        }
        // Before the poll is asked: an edge that comes after may be one that this turn does not see.
        self.heat.clear_edge();
        let timeout = match self.has_work() {
            true => Some(Duration::ZERO),
            false => earlier(timeout, self.next_deadline(), || self.clock.now()),
        };
        self.collect(timeout)?;
        self.now = self.clock.now();
        self.arrivals.begin_turn();
        for _ in 0..self.ready.len() {
            if self.arena.len() > MAX_ARENA || self.queue.len() > MAX_QUEUE {
                break;
            }
            if let Some(key) = self.ready.pop_front() {
                self.serve(key);
            }
        }
        self.fire();
        self.take_mail();
        self.heat.set_left(self.has_work());
        Ok(())
    }

    /// Waits, and notes who is ready. Nothing is read yet, so what one socket does cannot disturb the list.
    fn collect(&mut self, mut timeout: Option<Duration>) -> Result<(), Error> {
        self.undrained = false;
        for round in 1.. {
            match self.poll.poll(&mut self.events, timeout) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    // A nest's edge may have been spent on this; the next turn asks again, without waiting.
                    self.undrained = true;
                    return Ok(());
                }
                result => result.map_err(Error::Poll)?,
            }
            let mut taken = 0;
            for event in &self.events {
                taken += 1;
                if event.token() == WAKER {
                    continue;
                }
                let key = SocketKey::from_token(event.token());
                let Some(socket) = self.sockets.get_mut(key) else { continue };
                socket.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
                socket.read_closed |= event.is_read_closed() || event.is_error();
                // A failed write side, too, is found out by writing.
                let writable = event.is_writable() || event.is_write_closed() || event.is_error();
                if writable && socket.blocked {
                    socket.blocked = false;
                    socket.writable = true;
                }
                if !socket.scheduled {
                    socket.scheduled = true;
                    self.ready.push_back(key);
                }
            }
            // An edge-triggered poll, and one nested in another above all, does not mention again what was not
            // taken: go on until it has no more.
            if taken < EVENTS {
                break;
            }
            if round == POLLS {
                self.undrained = true;
                break;
            }
            timeout = Some(Duration::ZERO);
        }
        Ok(())
    }

    /// Does for one socket what its readiness allows.
    fn serve(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.scheduled = false;
        match socket.state {
            State::Dialing(_) => {
                if self.advance(key) {
                    self.read(key);
                }
                return;
            }
            State::Leaving(_) => return self.serve_leaving(key),
            _ => {}
        }
        if std::mem::take(&mut socket.writable)
            && let Some(error) = write(socket, &self.clock)
        {
            self.queue.push_back(Queued::WriteFailed(key, error));
        }
        note_sent(socket, key, &mut self.sent);
        self.read(key);
    }

    fn read(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if !socket.wants_read() {
            return;
        }
        let Socket { state: State::Open(connection), read_closed, ended, .. } = socket else { return };
        let (stamped, before) = (connection.stamps_arrivals(), self.queue.len());
        let progress = connection.read(&mut self.arena, *read_closed, &mut |incoming| {
            *ended |= matches!(incoming, ws_proto::Incoming::Ended(_));
            let queued = if stamped { Queued::Stamped } else { Queued::Incoming };
            self.queue.push_back(queued(key, incoming));
        });
        if stamped {
            self.arrivals.push(self.queue.len() - before, connection.arrival(), &self.clock);
        }
        // Answers to pings and to the peer's close wait there, for the flush that follows the batch.
        if connection.wants_write() && !socket.dirty {
            socket.dirty = true;
            self.dirty.push(key);
        }
        match progress {
            ReadProgress::Drained => socket.readable = false,
            ReadProgress::More if socket.ended => {}
            ReadProgress::More => {
                socket.scheduled = true;
                self.ready.push_back(key);
            }
        }
    }

    fn fire(&mut self) {
        let (queue, expired) = (&mut self.queue, &mut self.expired);
        let tick = self.ticks.passed(self.now);
        self.wheel.advance(tick, |id: TimerId, due| match due {
            Due::User(_) => queue.push_back(Queued::Timer(id)),
            Due::Dial(_) | Due::Leave(_) => expired.push((id, *due)),
        });
        let mut expired = std::mem::take(&mut self.expired);
        for (id, due) in expired.drain(..) {
            self.wheel.claim(id);
            match due {
                Due::Dial(key) => self.expire(key),
                Due::Leave(key) => self.expire_leaving(key),
                Due::User(_) => {}
            }
        }
        self.expired = expired;
    }

    fn take_mail(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.mailbox.take(&mut mail);
        for mail in mail.drain(..) {
            match mail {
                Mail::Posted(message) => self.queue.push_back(Queued::Posted(message)),
                Mail::Resolved(key, lookup) => self.resolved(key, lookup),
            }
        }
        self.mail = mail;
    }
}

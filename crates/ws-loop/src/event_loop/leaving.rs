//! Sockets whose owner is through with them: what was queued goes out, then the closing handshake takes its course.

use std::time::Instant;

use ws_proto::{Connection, Ended, Flushed, ReadProgress};

use super::socket::{Socket, State};
use super::{Due, EventLoop, Queued, write};
use crate::SocketKey;
use crate::event::{Leave, LeaveFailure, Left, Traffic};
use crate::wheel::TimerId;

/// A socket on its way out. What still comes in is thrown away.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) connection: Box<Connection>,
    /// Ends it in any case.
    timer: TimerId,
    /// All is written, and the owner knows it. We wait for the peer to close.
    told: bool,
}

impl Leaving {
    pub(super) fn is_told(&self) -> bool {
        self.told
    }
}

impl<T: Send + 'static> EventLoop<T> {
    /// Ends a socket in good order: what is queued is written, however long the peer takes to read it, then this
    /// direction is closed, and what comes in is thrown away until the peer closes, too. (A socket that is closed with
    /// something unread makes the system reset the connection, and then the peer may lose what it has not read.) All
    /// of it is over at `until` at the latest.
    ///
    /// Events of the socket that wait vanish, and no others come but [`Event::Left`](crate::Event::Left), once it is
    /// known what became of the queue, if that is not so at once. With the answer, or that event, the key is gone; the
    /// rest happens by itself, as long as the loop turns.
    ///
    /// `None` if the key was not good.
    pub fn leave(&mut self, key: SocketKey, until: Instant) -> Option<Leave> {
        let socket = self.sockets.get_mut(key)?;
        if let State::Leaving(leaving) = &socket.state {
            return (!leaving.told).then_some(Leave::Later);
        }
        let failure = write(socket, &self.clock).map(LeaveFailure::Broken);
        let State::Open(connection) = &socket.state else {
            return self.finish(key).map(|left| Leave::Done(Box::new(left)));
        };
        let flushed = !connection.wants_write();
        if failure.is_some() || socket.broken || (flushed && connection.peer_is_done()) {
            return self.finish(key).map(|left| Leave::Done(Box::new(Left { failure, ..left })));
        }
        let State::Open(connection) = std::mem::replace(&mut socket.state, State::Failed) else {
            return None;
        };
        let timer = self.wheel.insert(self.ticks.due(until), Due::Leave(key));
        socket.state = State::Leaving(Box::new(Leaving { connection, timer, told: false }));
        self.leaving += 1;
        // What has come in unread, if reading was paused for example.
        self.schedule(key);
        if flushed {
            return self.all_written(key).map(|left| Leave::Done(Box::new(left)));
        }
        Some(Leave::Later)
    }

    /// How many sockets are on their way out, whether their owner knows what became of them or not.
    pub fn leaving(&self) -> usize {
        self.leaving
    }

    /// Does for such a socket what its readiness allows.
    pub(super) fn serve_leaving(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let writable = std::mem::take(&mut socket.writable);
        let State::Leaving(leaving) = &mut socket.state else { return };
        if writable && !leaving.told {
            match leaving.connection.flush() {
                Ok(Flushed::Blocked) => socket.blocked = true,
                Ok(Flushed::Done) if leaving.connection.peer_is_done() || socket.ended => {
                    return self.conclude(key, None);
                }
                Ok(Flushed::Done) => {
                    if let Some(left) = self.all_written(key) {
                        self.tell(key, left);
                    }
                }
                Err(error) => return self.conclude(key, Some(LeaveFailure::Broken(error))),
            }
        }
        self.throw_away(key);
    }

    fn throw_away(&mut self, key: SocketKey) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if socket.ended {
            return;
        }
        let State::Leaving(leaving) = &mut socket.state else { return };
        match leaving.connection.discard(&mut self.arena) {
            Ok(ReadProgress::Drained) => socket.readable = false,
            Ok(ReadProgress::More) => self.schedule(key),
            // It may have closed one direction only, and still read.
            Err(Ended::Eof) if !leaving.told => socket.ended = true,
            Err(Ended::Broken(error)) if !leaving.told => {
                self.conclude(key, Some(LeaveFailure::Broken(error)));
            }
            Err(_) => self.conclude(key, None),
        }
    }

    /// The time is over.
    pub(super) fn expire_leaving(&mut self, key: SocketKey) {
        self.conclude(key, Some(LeaveFailure::Timeout));
    }

    /// Closes the socket, and tells the owner what it does not know.
    fn conclude(&mut self, key: SocketKey, failure: Option<LeaveFailure>) {
        let Some(socket) = self.sockets.get(key) else { return };
        let State::Leaving(leaving) = &socket.state else { return };
        self.wheel.cancel(leaving.timer);
        let (told, user) = (leaving.told, socket.user);
        let Some(left) = self.close_now(key) else { return };
        if !told {
            self.queue.push_back(Queued::Left(key, user, Box::new(Left { failure, ..left })));
            self.heat.set_left(true);
        }
    }

    /// Closes this direction. What the owner wants to know.
    fn all_written(&mut self, key: SocketKey) -> Option<Left> {
        let State::Leaving(leaving) = &mut self.sockets.get_mut(key)?.state else { return None };
        leaving.connection.end_sending();
        leaving.told = true;
        Some(sum_up(&mut leaving.connection))
    }

    fn tell(&mut self, key: SocketKey, left: Left) {
        let Some(socket) = self.sockets.get(key) else { return };
        self.queue.push_back(Queued::Left(key, socket.user, Box::new(left)));
        self.heat.set_left(true);
    }

    /// Forgets a socket, whatever its state.
    pub(super) fn close_now(&mut self, key: SocketKey) -> Option<Left> {
        let Socket { mut state, .. } = self.sockets.remove(key)?;
        Some(match &mut state {
            State::Looking(looking) => {
                self.wheel.cancel(looking.timer);
                Left::default()
            }
            State::Dialing(dialing) => {
                self.wheel.cancel(dialing.timer);
                let traffic = dialing.handshaking.as_ref().map_or_else(Traffic::default, |handshaking| {
                    Traffic { read: handshaking.bytes_read(), written: handshaking.bytes_written() }
                });
                Left { traffic, ..Left::default() }
            }
            State::Open(connection) => {
                // Flushes, too, and says good-bye to TLS.
                connection.shutdown();
                sum_up(connection)
            }
            State::Leaving(leaving) => {
                self.wheel.cancel(leaving.timer);
                self.leaving -= 1;
                leaving.connection.shutdown();
                sum_up(&mut leaving.connection)
            }
            State::Failed => Left::default(),
        })
    }
}

fn sum_up(connection: &mut Connection) -> Left {
    Left {
        traffic: Traffic { read: connection.bytes_read(), written: connection.bytes_written() },
        sent: connection.take_sent(),
        unsent: connection.unsent(),
        failure: None,
    }
}

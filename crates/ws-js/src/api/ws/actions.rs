//! What a script does to its session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ws_loop::{Leave, Left};
use ws_proto::Kind;

use super::errors::SocketError;
use super::session::{At, Goodbye, On, Parts, Session, Timer};
use crate::api::latency::Book;
use crate::convert;
use crate::vu::address::{Address, Part};
use crate::vu::call::{self, Handled};
use crate::vu::leavers::{DRAIN, Parting, add_traffic};

impl At {
    /// Calls the handlers of `on` that are there now, in the order in which they were added.
    pub(super) fn emit(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        on: On,
        arguments: &[v8::Local<'_, v8::Value>],
    ) -> Handled {
        let count = self.with(|session, _| session.handlers[on as usize].len()).unwrap_or(0);
        for index in 0..count {
            // Looked up one by one: nothing is borrowed while a handler runs.
            let handler =
                self.with(|session, _| v8::Local::new(scope, &session.handlers[on as usize][index]));
            let Some(handler) = handler else { break };
            match call::handler(scope, handler, arguments) {
                Handled::Returned => (),
                other => return other,
            }
        }
        Handled::Returned
    }

    /// Calls the `error` handlers.
    pub(super) fn emit_error(self, scope: &mut v8::PinScope<'_, '_>, error: &SocketError) -> Handled {
        let listened = self.with(|session, _| !session.handlers[On::Error as usize].is_empty());
        if listened != Some(true) {
            return Handled::Returned;
        }
        let object = error.to_object(scope);
        self.emit(scope, On::Error, &[object])
    }

    /// Adds a handler.
    pub(super) fn listen(self, on: On, handler: v8::Global<v8::Function>) {
        self.with(|session, _| session.handlers[on as usize].push(handler));
    }

    /// Ends the session: close frame `wire` unless one has been sent, and `close` handlers with `code` when all that
    /// was sent before is written; that is at once unless the server is slow to read. Nobody waits for the server's
    /// close frame: the loop sees to the rest. Later calls do nothing.
    pub(super) fn close(self, scope: &mut v8::PinScope<'_, '_>, wire: Option<u16>, code: i64) -> Handled {
        if self.with(|session, _| std::mem::replace(&mut session.closed, true)) != Some(false) {
            return Handled::Returned;
        }
        let goodbye = Goodbye { code, own_close: wire.is_some(), ends: self.addresses() };
        let leave = self.with(|session, parts| {
            self.wind_up(session, parts, wire);
            let until = Instant::now() + Duration::from_millis(session.close_timeout_ms.into());
            let leave = session.key.and_then(|key| parts.io.leave(key, until));
            if let Some(Leave::Done(left)) = &leave {
                session.key = None;
                if let Some(counter) = session.counter() {
                    counter.count(parts.samples, left.sent, parts.io.now());
                }
                add_traffic(parts.traffic, left.traffic);
            }
            leave
        });
        match leave.flatten() {
            Some(Leave::Later) => {
                self.with(|session, _| session.goodbye = Some(Box::new(goodbye)));
                Handled::Returned
            }
            Some(Leave::Done(left)) => self.say_goodbye(scope, &left, &goodbye),
            None => self.say_goodbye(scope, &Left::default(), &goodbye),
        }
    }

    /// Tells the handlers what became of a session whose socket is gone.
    pub(super) fn say_goodbye(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        left: &Left,
        goodbye: &Goodbye,
    ) -> Handled {
        if let Some(error) = SocketError::of_left(left, goodbye.ends, goodbye.own_close) {
            match self.emit_error(scope, &error) {
                Handled::Returned => {}
                other => return other,
            }
        }
        let code = v8::Number::new(scope, goodbye.code as f64).into();
        self.emit(scope, On::Close, &[code])
    }

    /// Ends the session without a word to the script. What it has sent goes out all the same.
    pub(super) fn hang_up(self, wire: Option<u16>) {
        self.with(|session, parts| {
            session.closed = true;
            session.goodbye = None;
            self.wind_up(session, parts, wire);
            if let Some(key) = session.key.take() {
                let until =
                    Instant::now() + DRAIN.min(Duration::from_millis(session.close_timeout_ms.into()));
                let counter = session.counter();
                let Parts { io, samples, traffic, leavers, tags, .. } = parts;
                Parting { vu: self.vu, leavers, tags, io, samples, traffic }.leave(key, counter, until);
            }
        });
    }

    /// The last frame is queued, and nothing more is to happen.
    fn wind_up(self, session: &mut Session, parts: &mut Parts<'_>, wire: Option<u16>) {
        let backlog = std::mem::take(&mut session.backlog);
        if self.inside.group().must_end(self.vu) {
            for arrival in backlog.arrivals() {
                session.book(parts.samples).undelivered(&self.inside.group().shared, arrival);
            }
        }
        if let Some(socket) = session.key.and_then(|key| parts.io.socket(key))
            && let Some(code) = wire
        {
            // An earlier close frame stands.
            let _ = socket.close(if code == 1005 { None } else { Some((code, "")) });
        }
        if let Some(mut tracker) = session.tracker.take() {
            // What is offered to the system only now was written in time, too.
            parts.io.flush();
            if let Some(connection) = session.key.and_then(|key| parts.io.connection(key)) {
                tracker.end(connection, Instant::now(), &mut session.book(parts.samples));
            }
        }
        parts.timers.retain(|_, timer| {
            let mine = timer.serial == self.serial;
            if mine {
                parts.io.cancel(timer.id);
            }
            !mine
        });
    }

    /// Sends a text message. It counts as sent when the system has taken it.
    pub(super) fn send_text(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        text: v8::Local<'_, v8::String>,
    ) -> Handled {
        let text = convert::Utf8::new(scope, text);
        self.send(scope, Kind::Text, text.len(), |scope, buffer| text.write(scope, buffer))
    }

    /// Sends a binary message.
    pub(super) fn send_binary(self, scope: &mut v8::PinScope<'_, '_>, data: convert::Bytes<'_>) -> Handled {
        self.send(scope, Kind::Binary, data.len(), |_, buffer| data.write(buffer))
    }

    fn send<'s>(
        self,
        scope: &mut v8::PinScope<'s, '_>,
        kind: Kind,
        len: usize,
        fill: impl FnOnce(&mut v8::PinScope<'s, '_>, &mut [u8]),
    ) -> Handled {
        let sent = self.with(|session, parts| {
            let now = parts.io.now();
            let socket = session.key.filter(|_| !session.closed).and_then(|key| parts.io.socket(key));
            let Some(socket) = socket else { return false };
            let fill = |buffer: &mut [u8]| fill(scope, buffer);
            let Some(tracker) = &mut session.tracker else {
                return socket.send_with(kind, len, fill).is_ok();
            };
            let mut book = Book { samples: parts.samples, tags: session.tags, metadata: session.metadata };
            tracker.send(socket, (kind, len), fill, now, &mut book).is_ok()
        });
        if sent == Some(false) { self.emit_error(scope, &SocketError::CloseSent) } else { Handled::Returned }
    }

    /// Sends a ping whose payload is the next id of this session.
    pub(super) fn ping(self, scope: &mut v8::PinScope<'_, '_>) -> Handled {
        let sent = self.with(|session, parts| {
            let id = session.pings.next().to_string();
            let sent = session
                .key
                .filter(|_| !session.closed)
                .and_then(|key| parts.io.socket(key))
                .is_some_and(|socket| socket.ping(id.as_bytes()).is_ok());
            if sent {
                session.pings.push(Instant::now());
            }
            sent
        });
        if sent == Some(false) { self.emit_error(scope, &SocketError::CloseSent) } else { Handled::Returned }
    }

    /// Calls `callback` after `delay`, once or again and again, until the session ends.
    pub(super) fn set_timer(self, callback: v8::Global<v8::Function>, delay: Duration, repeat: bool) {
        self.with(|session, parts| {
            if session.closed {
                return;
            }
            let slot = *parts.next_timer;
            *parts.next_timer = slot.wrapping_add(1);
            let due = Instant::now().checked_add(delay);
            // Later than any clock can say: never.
            let Some(due) = due else { return };
            let id = parts.io.timer(due, self.timer_user(slot));
            let every = repeat.then_some((due, delay));
            parts.timers.insert(slot, Timer { serial: self.serial, id, callback, every });
        });
    }

    /// The addresses of the connection, for error texts.
    pub(super) fn addresses(self) -> Option<(SocketAddr, SocketAddr)> {
        self.with(|session, parts| {
            let socket = session.key.and_then(|key| parts.io.socket(key))?;
            Some((socket.local_addr()?, socket.peer_addr()))
        })
        .flatten()
    }

    pub(super) fn timer_user(self, slot: u32) -> u64 {
        Address::new(self.vu, Part::Session, slot).to_user()
    }
}

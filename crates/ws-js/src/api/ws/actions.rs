//! What a script does to its session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ws_proto::Kind;

use super::errors::SocketError;
use super::session::{At, On, Timer, add_traffic};
use crate::api::latency::Book;
use crate::convert;
use crate::vu::address::{Address, Part};
use crate::vu::backlog::Backlog;
use crate::vu::call::{self, Handled};

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

    /// Ends the session: close frame `wire` unless one has been sent, `close` handlers with `code`, and the
    /// TCP connection closed at once, without waiting for the server. Later calls do nothing.
    pub(super) fn close(self, scope: &mut v8::PinScope<'_, '_>, wire: Option<u16>, code: i64) -> Handled {
        if self.with(|session, _| std::mem::replace(&mut session.closed, true)) != Some(false) {
            return Handled::Returned;
        }
        let addresses = self.addresses();
        let written = self
            .with(|session, parts| {
                let Some(socket) = session.key.and_then(|key| parts.io.socket(key)) else { return Ok(()) };
                if let Some(code) = wire {
                    // An earlier close frame stands.
                    let _ = socket.close(if code == 1005 { None } else { Some((code, "")) });
                }
                socket.flush().map(drop)
            })
            .unwrap_or(Ok(()));
        let mut handled = Handled::Returned;
        if let Err(error) = written
            && wire.is_some()
        {
            handled = self.emit_error(scope, &SocketError::write(addresses, &error));
        }
        if matches!(handled, Handled::Returned) {
            let code = v8::Number::new(scope, code as f64).into();
            handled = self.emit(scope, On::Close, &[code]);
        }
        self.disconnect();
        handled
    }

    /// Ends the session without a word to the script.
    pub(super) fn hang_up(self, wire: Option<u16>) {
        self.with(|session, parts| {
            session.closed = true;
            if let Some(socket) = session.key.and_then(|key| parts.io.socket(key))
                && let Some(code) = wire
            {
                // An earlier close frame stands.
                let _ = socket.close(Some((code, "")));
            }
        });
        self.disconnect();
    }

    fn disconnect(self) {
        self.with(|session, parts| {
            session.backlog = Backlog::default();
            if let Some(mut tracker) = session.tracker.take()
                && let Some(connection) = session.key.and_then(|key| parts.io.connection(key))
            {
                let mut book =
                    Book { samples: parts.samples, tags: session.tags, metadata: session.metadata };
                tracker.end(connection, Instant::now(), &mut book);
            }
            if let Some(traffic) = session.key.take().and_then(|key| parts.io.finish(key)) {
                add_traffic(parts.traffic, traffic);
            }
            parts.timers.retain(|_, timer| {
                let mine = timer.serial == self.serial;
                if mine {
                    parts.io.cancel(timer.id);
                }
                !mine
            });
        });
    }

    /// Sends a text message. Counts as sent even if it cannot be.
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
            if let Some((sent, _)) = session.counters {
                parts.samples.count(sent, parts.io.now());
            }
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
            let id = session.pings.len().to_string();
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

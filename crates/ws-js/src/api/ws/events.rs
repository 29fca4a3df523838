//! What the server and the clock do to a session, and which handlers hear of it.

use std::time::{Duration, Instant};

use ws_loop::{Arrival, DialFailure, DialTimings};
use ws_metrics::builtin;
use ws_proto::{Ended, Incoming, Kind, Payload, UpgradeResponse};

use super::errors::{Failure, SocketError};
use super::session::{At, End, Event, On, Parts, Session};
use super::{socket, tags};
use crate::api::dial::outcome;
use crate::api::latency::{self, Book};
use crate::api::set_number;
use crate::faults::{self, FaultPhase, FaultReason};
use crate::vu::call::{self, Handled};
use crate::vu::leavers::add_traffic;

impl At {
    pub(super) fn handle(self, scope: &mut v8::PinScope<'_, '_>, event: Event) -> Handled {
        match event {
            Event::Opened { response, timings } => self.opened(scope, *response, &timings),
            Event::Failed(failure) => {
                self.refused(*failure);
                Handled::Returned
            }
            Event::Incoming(incoming, arrival) => self.incoming(scope, incoming, arrival),
            Event::WriteFailed(error) => {
                let addresses = self.addresses();
                self.emit_error(scope, &SocketError::write(addresses, &error))
            }
            Event::Left(left) => {
                let goodbye = self.with(|session, _| session.goodbye.take()).flatten();
                match goodbye {
                    Some(goodbye) => self.say_goodbye(scope, &left, &goodbye),
                    None => Handled::Returned,
                }
            }
            Event::Timer { slot } => self.timer(scope, slot),
        }
    }

    fn opened(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        response: UpgradeResponse,
        timings: &DialTimings,
    ) -> Handled {
        let shared = &self.inside.group().shared;
        let callback = self.with(|session, parts| {
            let peer = session.key.and_then(|key| parts.io.socket(key)).map(|socket| socket.peer_addr());
            session.tags = tags::complete(shared, session.tags, Some(&session.url), Some(&response), peer);
            outcome::book(shared, parts.samples, session.series(), timings);
            outcome::store_cookies(&session.jar, &session.url, &response);
            let (tags, metadata) = (session.tags, session.metadata);
            session.counters = Some((
                parts.samples.counter(builtin::WS_MSGS_SENT, tags, metadata),
                parts.samples.counter(builtin::WS_MSGS_RECEIVED, tags, metadata),
            ));
            session.response = Some(response);
            session.callback.take()
        });
        let Some(Some(callback)) = callback else { return Handled::Returned };
        let callback = v8::Local::new(scope, callback);
        let object = socket::new(scope, self.serial);
        match call::handler(scope, callback, &[object.into()]) {
            // Also if the callback has closed the socket already.
            Handled::Returned => self.emit(scope, On::Open, &[]),
            other => other,
        }
    }

    fn refused(self, failure: DialFailure) {
        let DialFailure { error, response, timings, traffic } = failure;
        let shared = &self.inside.group().shared;
        outcome::warn(shared, &error);
        self.with(|session, parts| {
            session.key = None;
            session.tags = tags::complete(shared, session.tags, Some(&session.url), response.as_ref(), None);
            outcome::book(shared, parts.samples, session.series(), &timings);
            // A failed dial counts as a session that lasted as long.
            let ms = timings.total.as_secs_f64() * 1e3;
            let (tags, metadata, at) = (session.tags, session.metadata, session.started);
            parts.samples.add(builtin::WS_SESSION_DURATION, tags, metadata, at, ms);
            if let Some(response) = &response {
                outcome::store_cookies(&session.jar, &session.url, response);
            }
            add_traffic(parts.traffic, traffic);
            session.closed = true;
            let failure = Failure::new(&error, response);
            shared.book_fault(faults::of_dial(&error), &failure.message, &session.url);
            session.end = Some(End::Refused(failure));
        });
    }

    fn incoming(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        incoming: Incoming,
        arrival: Option<Arrival>,
    ) -> Handled {
        match incoming {
            Incoming::Text(payload) => self.message(scope, On::Message, &payload, arrival),
            Incoming::Binary(payload) => self.message(scope, On::BinaryMessage, &payload, arrival),
            Incoming::Ping(_) => self.emit(scope, On::Ping, &[]),
            Incoming::Pong(payload) => {
                self.with(|session, parts| {
                    let id =
                        std::str::from_utf8(parts.io.payload(&payload)).ok().and_then(|id| id.parse().ok());
                    if let Some(sent) = id.and_then(|id| session.pings.sent(id)) {
                        let now = Instant::now();
                        let ms = now.duration_since(sent).as_secs_f64() * 1e3;
                        parts.samples.add(builtin::WS_PING, session.tags, session.metadata, now, ms);
                    }
                });
                self.emit(scope, On::Pong, &[])
            }
            Incoming::Close(frame) => {
                let code = frame.as_ref().map_or(1005, |frame| frame.code);
                if !matches!(code, 1000 | 1001) {
                    let reason = frame.map_or_else(String::new, |frame| frame.reason);
                    let error = SocketError::Close { code, reason };
                    if let Some(reason) = FaultReason::of_close(code) {
                        self.book_end(reason, &error);
                    }
                    match self.emit_error(scope, &error) {
                        Handled::Returned => (),
                        other => return other,
                    }
                }
                // The protocol layer has answered the frame already.
                self.close(scope, None, i64::from(code))
            }
            Incoming::Ended(Ended::Eof) => {
                let error = SocketError::unexpected_eof();
                self.book_end(FaultReason::NoCloseFrame, &error);
                match self.emit_error(scope, &error) {
                    Handled::Returned => self.close(scope, None, 1006),
                    other => other,
                }
            }
            Incoming::Ended(Ended::Violation(violation)) => {
                // The protocol layer has sent a close frame with the violation's text.
                if violation.close_code() == 1009 {
                    self.inside.group().shared.warn_of_limit(&violation.to_string());
                }
                let (error, code) = match violation.close_code() {
                    // What k6 checks, too: its scripts see its own attempt to close after that.
                    1002 => (SocketError::broken_rule(&violation), 1001),
                    code => (SocketError::Violation(violation.to_string()), code),
                };
                self.book_end(FaultReason::of_violation(&violation), &error);
                match self.emit_error(scope, &error) {
                    Handled::Returned => self.close(scope, None, i64::from(code)),
                    other => other,
                }
            }
            Incoming::Ended(Ended::Broken(error)) => {
                let text = SocketError::read(self.addresses(), &error);
                self.book_end(FaultReason::of_system(&error), &text);
                self.close(scope, Some(1001), 1001)
            }
        }
    }

    /// Books an end that is not as it should be.
    fn book_end(self, reason: FaultReason, error: &SocketError) {
        let shared = &self.inside.group().shared;
        self.with(|session, _| {
            shared.book_fault((FaultPhase::Session, reason), &error.text(), &session.url);
        });
    }

    fn message(
        self,
        scope: &mut v8::PinScope<'_, '_>,
        on: On,
        payload: &Payload,
        arrival: Option<Arrival>,
    ) -> Handled {
        let argument: Option<Option<v8::Local<'_, v8::Value>>> = self.with(|session, parts| {
            if let Some((_, received)) = session.counters {
                parts.samples.count(received, parts.io.now());
            }
            if let Some(arrival) = arrival {
                self.measure(session, parts, on, payload, arrival);
            }
            if session.handlers[on as usize].is_empty() {
                return None;
            }
            let bytes = parts.io.payload(payload);
            Some(match on {
                On::BinaryMessage => crate::convert::array_buffer(scope, bytes).into(),
                _ => crate::convert::js_string(scope, bytes).into(),
            })
        });
        let Some(argument) = argument.flatten() else { return Handled::Returned };
        match arrival {
            Some(arrival) if self.with(|session, _| session.tells_arrival) == Some(true) => {
                let event = v8::Object::new(scope);
                set_number(scope, event, "arrival", latency::epoch_ms(arrival));
                self.emit(scope, on, &[argument, event.into()])
            }
            _ => self.emit(scope, on, &[argument]),
        }
    }

    /// What a message says about the latency of the server, and about our own.
    fn measure(
        self,
        session: &mut Session,
        parts: &mut Parts<'_>,
        on: On,
        payload: &Payload,
        arrival: Arrival,
    ) {
        let connection = session.key.and_then(|key| parts.io.connection(key));
        let kind = if on == On::BinaryMessage { Kind::Binary } else { Kind::Text };
        let message = (kind, parts.io.payload(payload));
        let shared = &self.inside.group().shared;
        Book { samples: parts.samples, tags: session.tags, metadata: session.metadata }.received(
            shared,
            session.tracker.as_deref_mut(),
            connection,
            message,
            arrival,
        );
    }

    fn timer(self, scope: &mut v8::PinScope<'_, '_>, slot: u32) -> Handled {
        let callback = self.with(|_, parts| {
            let timer = parts.timers.get_mut(&slot)?;
            let callback = v8::Local::new(scope, &timer.callback);
            match &mut timer.every {
                None => {
                    parts.timers.remove(&slot);
                }
                Some((due, period)) => {
                    // Fixed rate; ticks that were missed meanwhile are dropped.
                    *due = next_tick(*due, *period, Instant::now());
                    let user = self.timer_user(slot);
                    timer.id = parts.io.timer(*due, user);
                }
            }
            Some(callback)
        });
        match callback.flatten() {
            Some(callback) => call::handler(scope, callback, &[]),
            None => Handled::Returned,
        }
    }
}

/// The first tick after `now` of a clock that ticked at `due`.
fn next_tick(due: Instant, period: Duration, now: Instant) -> Instant {
    if due > now {
        return due;
    }
    let (late, period_ns) = (now.saturating_duration_since(due).as_nanos(), period.as_nanos().max(1));
    let ahead = (late / period_ns + 1) * period_ns;
    due + Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
}

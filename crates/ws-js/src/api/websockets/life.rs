//! What the server and the clock do to a socket, and who hears of it.

use std::time::Instant;

use ws_loop::{Arrival, DialFailure, DialTimings, Leave, Left};
use ws_metrics::{SystemTag, builtin};
use ws_proto::{Ended, Incoming, Kind, Payload, UpgradeResponse, WsUrl};

use super::listeners::{self, On, dispatch};
use super::object::{self, field, shelf};
use super::sockets::{At, Parts, Ready, Socket};
use crate::api::dial::outcome::{self, Series};
use crate::api::latency::{self, Book};
use crate::api::ws::errors::{Ends, SocketError, dial_text, unsent_text};
use crate::api::ws::session::Event;
use crate::api::ws::tags;
use crate::api::{Caller, blob, set_text};
use crate::binding;
use crate::convert;
use crate::exception::JsException;
use crate::faults::{self, FaultPhase, FaultReason};
use crate::log::{Level, Record};
use crate::realm::Realm;
use crate::samples::Samples;
use crate::shared::Shared;
use crate::vu::call::Fault;

/// A socket's event, with what is needed to call its handlers.
struct Life<'a> {
    at: At,
    realm: &'a Realm,
}

/// How a socket ended, for its last events.
pub(super) struct Ending {
    /// The text of the `error` event, if there is one.
    error: Option<String>,
    /// What the server answered to a dial that failed.
    response: Option<UpgradeResponse>,
    code: u16,
    reason: String,
    was_clean: bool,
    /// Whether it is a session that counts.
    counts: bool,
    /// Where the connection was from and to, for error texts.
    ends: Ends,
    /// Why it is not as it should be.
    fault: Option<(FaultPhase, FaultReason)>,
}

/// RFC 6455 section 7.1.5: there was no close frame.
const ABNORMAL: u16 = 1006;

impl Ending {
    /// Without a close frame of the server.
    fn abnormal(error: Option<String>) -> Self {
        Self {
            error,
            response: None,
            code: ABNORMAL,
            reason: String::new(),
            was_clean: false,
            counts: true,
            ends: None,
            fault: None,
        }
    }

    /// As [`abnormal`](Self::abnormal), of an open socket.
    fn broken(reason: FaultReason, error: Option<String>) -> Self {
        Self { fault: Some((FaultPhase::Session, reason)), ..Self::abnormal(error) }
    }
}

/// Runs what an event of a socket asks for.
pub(crate) fn handle(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    serial: u32,
    event: Event,
) -> Result<(), Fault> {
    let life = Life { at: At { caller, serial }, realm };
    match event {
        Event::Opened { response, timings } => life.opened(scope, &response, &timings),
        Event::Failed(failure) => life.failed(scope, *failure),
        Event::Incoming(incoming, arrival) => life.incoming(scope, incoming, arrival),
        Event::WriteFailed(error) => {
            let text = SocketError::write(life.at.addresses(), &error).text();
            life.end(scope, Ending::broken(FaultReason::of_system(&error), Some(text)))
        }
        Event::Left(left) => {
            let ending = life.at.with(|socket, _| socket.ending.take()).flatten();
            ending.map_or(Ok(()), |ending| life.conclude(scope, &left, *ending))
        }
        // The server has not answered the close frame in time.
        Event::Timer { .. } => life.give_up(scope),
    }
}

/// A dial came to nothing before it began, or was cut off.
pub(crate) fn refused(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    serial: u32,
    text: &str,
) -> Result<(), Fault> {
    let life = Life { at: At { caller, serial }, realm };
    let shared = &caller.inside.group().shared;
    life.at.with(|socket, parts| {
        let total = socket.started.elapsed();
        socket.book_dial(shared, parts, &DialTimings { total, ..DialTimings::default() });
    });
    life.end(scope, Ending::abnormal(Some(text.to_owned())))
}

impl Life<'_> {
    fn opened(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        response: &UpgradeResponse,
        timings: &DialTimings,
    ) -> Result<(), Fault> {
        let Some(object) = self.at.object(scope) else { return Ok(()) };
        let shared = &self.at.caller.inside.group().shared;
        let is_open = self.at.with(|socket, parts| {
            let peer = socket.key.and_then(|key| parts.io.socket(key)).map(|open| open.peer_addr());
            socket.tags = tags::complete(shared, socket.tags, None, Some(response), peer);
            socket.book_dial(shared, parts, timings);
            outcome::store_cookies(&socket.jar, &socket.url, response);
            if let Some(samples) = parts.samples() {
                socket.counters = Some((
                    samples.counter(builtin::WS_MSGS_SENT, socket.tags, socket.metadata),
                    samples.counter(builtin::WS_MSGS_RECEIVED, socket.tags, socket.metadata),
                ));
            }
            if socket.ready == Ready::Closing {
                // The script has called `close` meanwhile.
                socket.send_close(self.at, parts);
                return false;
            }
            socket.ready = Ready::Open;
            true
        });
        if let Some(protocol) = response.headers.joined("Sec-Websocket-Protocol") {
            let protocol = binding::string(scope, &protocol);
            object.set_internal_field(field::PROTOCOL, protocol.into());
        }
        let extensions: Vec<v8::Local<'_, v8::Value>> = response
            .headers
            .get_all("Sec-Websocket-Extensions")
            .map(|extension| binding::string(scope, extension).into())
            .collect();
        if !extensions.is_empty() {
            let extensions = v8::Array::new_with_elements(scope, &extensions);
            object::set_rare(scope, object, shelf::EXTENSIONS, extensions.into());
        }
        if is_open != Some(true) {
            return Ok(());
        }
        dispatch(self.at.caller, scope, self.realm, object, On::Open, &[])
            .or_else(|fault| self.collapse(scope, fault))
    }

    fn failed(&self, scope: &mut v8::PinScope<'_, '_>, failure: DialFailure) -> Result<(), Fault> {
        let DialFailure { error, response, timings, traffic } = failure;
        let shared = &self.at.caller.inside.group().shared;
        outcome::warn(shared, &error);
        self.at.with(|socket, parts| {
            // The loop has forgotten it already.
            socket.key = None;
            parts.traffic.read += traffic.read;
            parts.traffic.written += traffic.written;
            socket.tags = tags::complete(shared, socket.tags, None, response.as_ref(), None);
            if response.is_some() && shared.settings.system_tags.has(SystemTag::Subproto) {
                // Nothing was chosen, whatever the answer says.
                socket.tags = shared.tag_sets.with(socket.tags, "subproto", "");
            }
            socket.book_dial(shared, parts, &timings);
            if let Some(response) = &response {
                outcome::store_cookies(&socket.jar, &socket.url, response);
            }
        });
        let text = dial_text(&error);
        let fault = Some(faults::of_dial(&error));
        self.end(scope, Ending { response, fault, ..Ending::abnormal(Some(text)) })
    }

    fn incoming(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        incoming: Incoming,
        arrival: Option<Arrival>,
    ) -> Result<(), Fault> {
        match incoming {
            Incoming::Text(payload) => self.message(scope, &payload, Kind::Text, arrival),
            Incoming::Binary(payload) => self.message(scope, &payload, Kind::Binary, arrival),
            Incoming::Ping(payload) => self.control(scope, On::Ping, &payload),
            Incoming::Pong(payload) => {
                self.pong(&payload);
                self.control(scope, On::Pong, &payload)
            }
            Incoming::Close(frame) => {
                let code = frame.as_ref().map_or(1005, |frame| frame.code);
                let reason = frame.map_or_else(String::new, |frame| frame.reason);
                let error = (!matches!(code, 1000 | 1001))
                    .then(|| SocketError::Close { code, reason: reason.clone() }.text());
                let fault = self.fault_of_close(code);
                self.end(scope, Ending { code, reason, was_clean: true, fault, ..Ending::abnormal(error) })
            }
            Incoming::Ended(Ended::Eof) => {
                let error = SocketError::unexpected_eof().text();
                let reason = "unexpected EOF".to_owned();
                let ending = Ending::broken(FaultReason::NoCloseFrame, Some(error));
                self.end(scope, Ending { reason, ..ending })
            }
            Incoming::Ended(Ended::Violation(violation)) => {
                // The server is told in the close frame.
                let error = match violation.close_code() {
                    1002 => SocketError::broken_rule(&violation).text(),
                    _ => violation.to_string(),
                };
                self.end(scope, Ending::broken(FaultReason::of_violation(&violation), Some(error)))
            }
            Incoming::Ended(Ended::Broken(error)) => {
                let text = SocketError::read(self.at.addresses(), &error).text();
                self.end(scope, Ending::broken(FaultReason::of_system(&error), Some(text)))
            }
        }
    }

    fn message(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        payload: &Payload,
        kind: Kind,
        arrival: Option<Arrival>,
    ) -> Result<(), Fault> {
        let is_binary = kind == Kind::Binary;
        let shared = &self.at.caller.inside.group().shared;
        let object = self.at.with(|socket, parts| {
            // What comes after `close()` is neither told nor counted.
            if socket.ready != Ready::Open {
                return None;
            }
            if let (Some((_, received)), false) = (socket.counters, parts.is_cancelled) {
                parts.samples.count(received, parts.io.now());
            }
            if let (Some(arrival), false) = (arrival, parts.is_cancelled) {
                let samples = &mut *parts.samples;
                let connection = socket.key.and_then(|key| parts.io.connection(key));
                let message = (kind, parts.io.payload(payload));
                let tracker = socket.tracker.as_deref_mut();
                Book { samples, tags: socket.tags, metadata: socket.metadata }
                    .received(shared, tracker, connection, message, arrival);
            }
            Some(v8::Local::new(scope, &socket.object))
        });
        let Some(object) = object.flatten() else { return Ok(()) };
        if !listeners::is_heard(scope, object, On::Message) {
            return Ok(());
        }
        let is_blob = is_binary && object::is_blob(scope, object);
        let data: v8::Local<'_, v8::Value> = {
            let state = self.at.caller.inside.state();
            let bytes = state.io.payload(payload);
            if is_blob {
                let media_type = v8::String::empty(scope);
                // Only refused while the isolate terminates: no message is longer than a string can be.
                let blob = blob::from_bytes(scope, bytes, media_type).map_err(|_| Fault::Interrupted)?;
                blob.into()
            } else if is_binary {
                convert::array_buffer(scope, bytes).into()
            } else {
                convert::js_string(scope, bytes).into()
            }
        };
        let origin = object::get(scope, object, field::URL);
        let arrival: v8::Local<'_, v8::Value> = match arrival {
            Some(arrival) => v8::Number::new(scope, latency::epoch_ms(arrival)).into(),
            None => v8::undefined(scope).into(),
        };
        dispatch(self.at.caller, scope, self.realm, object, On::Message, &[data, origin, arrival])
            .or_else(|fault| self.collapse(scope, fault))
    }

    /// `ping` and `pong`.
    fn control(&self, scope: &mut v8::PinScope<'_, '_>, on: On, payload: &Payload) -> Result<(), Fault> {
        let Some(object) = self.at.object(scope) else { return Ok(()) };
        if !listeners::is_heard(scope, object, on) {
            return Ok(());
        }
        let data = {
            let state = self.at.caller.inside.state();
            convert::js_string(scope, state.io.payload(payload)).into()
        };
        dispatch(self.at.caller, scope, self.realm, object, on, &[data])
    }

    /// Measures the round trip that a pong ends.
    fn pong(&self, payload: &Payload) {
        let unknown = self.at.with(|socket, parts| {
            let payload = String::from_utf8_lossy(parts.io.payload(payload)).into_owned();
            let sent = payload.parse().ok().and_then(|id| socket.pings.sent(id));
            let Some(sent) = sent else { return Some(payload) };
            let now = Instant::now();
            if let Some(samples) = parts.samples() {
                let ms = now.duration_since(sent).as_secs_f64() * 1e3;
                samples.add(builtin::WS_PING, socket.tags, socket.metadata, now, ms);
            }
            None
        });
        if let Some(Some(payload)) = unknown {
            let message = &format!("received pong for unknown ping ID {payload}");
            let shared = &self.at.caller.inside.group().shared;
            shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
        }
    }

    /// An `open` or `message` handler has thrown: the connection is dropped, and what went wrong is told to the
    /// socket's other handlers, too.
    fn collapse(&self, scope: &mut v8::PinScope<'_, '_>, fault: Fault) -> Result<(), Fault> {
        let exception = match fault {
            Fault::Threw(exception) => exception,
            Fault::Interrupted => return Err(Fault::Interrupted),
        };
        let text = with_place(&exception);
        match self.end(scope, Ending { counts: false, ..Ending::abnormal(Some(text)) }) {
            Err(Fault::Interrupted) => Err(Fault::Interrupted),
            // The first exception is the one that the iteration fails with.
            Ok(()) | Err(Fault::Threw(_)) => Err(Fault::Threw(exception)),
        }
    }

    /// The socket has come to its end: its last events follow when all that was sent before is written. Later ends
    /// are none.
    fn end(&self, scope: &mut v8::PinScope<'_, '_>, mut ending: Ending) -> Result<(), Fault> {
        ending.ends = self.at.addresses();
        let leave = self.at.with(|socket, parts| {
            (socket.ready != Ready::Closed && socket.ending.is_none()).then(|| socket.leave(parts))
        });
        match leave.flatten() {
            Some(Leave::Done(left)) => self.conclude(scope, &left, ending),
            Some(Leave::Later) => {
                self.at.with(|socket, _| {
                    socket.ready = Ready::Closing;
                    socket.ending = Some(Box::new(ending));
                });
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The time for the closing handshake is over.
    fn give_up(&self, scope: &mut v8::PinScope<'_, '_>) -> Result<(), Fault> {
        let ends = self.at.addresses();
        let left = self.at.with(|socket, parts| {
            // One that has ended meanwhile has a time limit of its own.
            (socket.ready == Ready::Closing && socket.ending.is_none()).then(|| socket.break_off(parts))
        });
        match left.flatten() {
            Some(left) => {
                let ending = Ending::broken(FaultReason::CloseTimeout, None);
                self.conclude(scope, &left, Ending { ends, ..ending })
            }
            None => Ok(()),
        }
    }

    /// The last events of a socket, whose connection is gone. Later ones find nobody.
    fn conclude(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        left: &Left,
        mut ending: Ending,
    ) -> Result<(), Fault> {
        let unsent = left.unsent.messages;
        let before = self.at.with(|socket, _| {
            socket.ready = Ready::Closed;
            socket.buffered = if unsent == 0 { 0 } else { socket.buffered };
            (socket.counters.is_some(), socket.buffered, v8::Local::new(scope, &socket.object))
        });
        let Some((was_open, buffered, object)) = before else { return Ok(()) };
        if unsent > 0 {
            ending.was_clean = false;
            ending.error = match ending.error {
                Some(error) => Some(format!("{error} ({})", unsent_text(unsent))),
                None => SocketError::of_left(left, ending.ends, false).map(|error| error.text()),
            };
        }
        self.book(&ending);
        let told = self.tell_end(scope, object, &ending);
        if buffered > 0 {
            let buffered = v8::Number::new(scope, buffered as f64);
            object::set_rare(scope, object, shelf::BUFFERED, buffered.into());
        }
        self.at.with(|socket, parts| {
            if was_open && ending.counts && !matches!(told, Err(Fault::Threw(_))) {
                socket.book_duration(parts.samples);
            }
        });
        let Caller { inside, vu } = self.at.caller;
        let removed = inside.state().vus[vu as usize].sockets.remove(self.at.serial);
        drop(removed);
        told
    }

    /// What there is to say against a close code of the server's; nothing if it is the script's own.
    fn fault_of_close(&self, code: u16) -> Option<(FaultPhase, FaultReason)> {
        let reason = FaultReason::of_close(code)?;
        let asked = |socket: &Socket| socket.closing.as_ref().is_some_and(|closing| closing.code == code);
        let is_answer = self.at.with(|socket, _| asked(socket)) == Some(true);
        (!is_answer).then_some((FaultPhase::Session, reason))
    }

    /// Books an end that is not as it should be.
    fn book(&self, ending: &Ending) {
        let Some(fault) = ending.fault else { return };
        let text = ending.error.as_deref().unwrap_or("the close frame was not answered in time");
        let shared = &self.at.caller.inside.group().shared;
        self.at.with(|socket, _| shared.book_fault(fault, text, &socket.url));
    }

    fn tell_end(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        ending: &Ending,
    ) -> Result<(), Fault> {
        if let Some(error) = &ending.error
            && listeners::is_heard(scope, object, On::Error)
        {
            let mut details = vec![binding::string(scope, error).into()];
            if let Some(response) = &ending.response {
                details.extend(answer(scope, response));
            }
            dispatch(self.at.caller, scope, self.realm, object, On::Error, &details)?;
        }
        if !listeners::is_heard(scope, object, On::Close) {
            return Ok(());
        }
        let code = v8::Integer::new(scope, ending.code.into()).into();
        let reason = binding::string(scope, &ending.reason).into();
        let was_clean = v8::Boolean::new(scope, ending.was_clean).into();
        dispatch(self.at.caller, scope, self.realm, object, On::Close, &[code, reason, was_clean])
    }
}

/// Status, headers and body of an answer, for an `error` event.
fn answer<'s>(scope: &mut v8::PinScope<'s, '_>, response: &UpgradeResponse) -> [v8::Local<'s, v8::Value>; 3] {
    let headers = v8::Object::new(scope);
    for (name, _) in response.headers.iter() {
        if let Some(value) = response.headers.joined(name) {
            set_text(scope, headers, name, &value);
        }
    }
    let body = binding::string(scope, &String::from_utf8_lossy(&response.body));
    [v8::Integer::new(scope, response.status.into()).into(), headers.into(), body.into()]
}

/// An exception and where it was thrown, in one line.
fn with_place(exception: &JsException) -> String {
    match exception.frames.first() {
        Some(frame) => format!("{} at {frame}", exception.text),
        None => exception.text.clone(),
    }
}

impl At {
    /// The addresses of the connection, for error texts.
    fn addresses(self) -> Ends {
        self.with(|socket, parts| {
            let open = socket.key.and_then(|key| parts.io.socket(key))?;
            Some((open.local_addr()?, open.peer_addr()))
        })
        .flatten()
    }
}

impl Socket {
    fn book_dial(&self, shared: &Shared, parts: &mut Parts<'_>, timings: &DialTimings) {
        let Some(samples) = parts.samples() else { return };
        let Self { tags, metadata, started, .. } = *self;
        outcome::book(shared, samples, Series { tags, metadata, started }, timings);
    }

    /// How long it lasted, from its construction on.
    pub(super) fn book_duration(&self, samples: &mut Samples) {
        let now = Instant::now();
        let ms = now.duration_since(self.started).as_secs_f64() * 1e3;
        samples.add(builtin::WS_SESSION_DURATION, self.tags, self.metadata, now, ms);
    }

    /// The address it was made for.
    pub(super) fn target(&self) -> Option<WsUrl> {
        WsUrl::parse(&self.url).ok()
    }
}

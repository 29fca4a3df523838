//! What a script does to its socket: `send`, `ping`, `close`.

use std::time::{Duration, Instant};

use ws_proto::Kind;

use super::construct::compat;
use super::object;
use super::sockets::{At, Closing, Parts, Ready, Socket};
use crate::api::blob;
use crate::api::latency::Book;
use crate::binding::{Native, Throw};
use crate::convert::{self, Bytes, Utf8};
use crate::shared::Compat;
use crate::vu::address::{Address, Part};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The longest close reason in bytes (RFC 6455 section 5.5: a control frame of 125, less the code).
const MAX_REASON: usize = 123;

/// `send(data)`.
pub(super) fn send<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native {
    let at = object::at(scope, arguments.this());
    if at.ready() != Ready::Open {
        return Err(Throw::Go("InvalidStateError".into()));
    }
    let data = arguments.get(0);
    let is_web = compat(at.caller) == Compat::Web;
    if data.is_string() || data.is_symbol() {
        let text = convert::to_js_text(scope, data)?;
        let text = Utf8::new(scope, text);
        at.send(Kind::Text, text.len(), |buffer| text.write(scope, buffer));
    } else if let Some(bytes) = Bytes::of(data).filter(|_| is_web || !data.is_data_view()) {
        at.send(Kind::Binary, bytes.len(), |buffer| bytes.write(buffer));
    } else if let Some(contents) = blob::contents(scope, data) {
        at.send(Kind::Binary, contents.len(), |buffer| contents.write(scope, buffer));
    } else if is_web {
        let text = data.to_string(scope).ok_or(Throw::Pending)?;
        let text = Utf8::new(scope, text);
        at.send(Kind::Text, text.len(), |buffer| text.write(scope, buffer));
    } else {
        return Err(Throw::Go(format!("unsupported send type {}", convert::go_type(data))));
    }
    Ok(())
}

/// `ping()`.
pub(super) fn ping(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let at = object::at(scope, arguments.this());
    if at.ready() != Ready::Open {
        return Err(Throw::Go("InvalidStateError".into()));
    }
    at.with(|socket, parts| {
        let id = socket.pings.next().to_string();
        socket.pings.push(Instant::now());
        // An open socket takes it.
        if let Some(connection) = socket.key.and_then(|key| parts.io.socket(key)) {
            let _ = connection.ping(id.as_bytes());
        }
    });
    Ok(())
}

/// `close([code], [reason])`.
pub(super) fn close(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let at = object::at(scope, arguments.this());
    if matches!(at.ready(), Ready::Closing | Ready::Closed) {
        return Ok(());
    }
    let code = arguments.get(0).integer_value(scope).ok_or(Throw::Pending)?;
    let code = match code {
        0 => 1000,
        1000 | 3000..=4999 => code as u16,
        _ => {
            return Err(Throw::Go(format!(
                "InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be either 1000, or between 3000 and 4999. {code} is neither"
            )));
        }
    };
    let reason = arguments.get(1);
    let reason = if reason.is_null_or_undefined() { String::new() } else { convert::to_text(scope, reason)? };
    if reason.len() > MAX_REASON {
        return Err(Throw::Go(format!(
            "SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be greater than {MAX_REASON} bytes"
        )));
    }
    at.close(code, reason);
    Ok(())
}

impl At {
    fn send(self, kind: Kind, len: usize, fill: impl FnOnce(&mut [u8])) {
        self.with(|socket, parts| {
            let now = parts.io.now();
            let Some(connection) = socket.key.and_then(|key| parts.io.socket(key)) else { return };
            if connection.queued_bytes() == 0 {
                // What was sent before is written.
                socket.buffered = 0;
            }
            socket.buffered += len;
            // An open socket has not sent a close frame, and nothing else refuses.
            let _ = match &mut socket.tracker {
                Some(tracker) if !parts.is_cancelled => {
                    let mut book =
                        Book { samples: parts.samples, tags: socket.tags, metadata: socket.metadata };
                    tracker.send(connection, (kind, len), fill, now, &mut book)
                }
                _ => connection.send_with(kind, len, fill),
            };
        });
    }

    /// Begins the closing handshake; when there is no connection yet, as soon as there is one.
    pub(super) fn close(self, code: u16, reason: String) {
        self.with(|socket, parts| {
            let is_open = socket.ready == Ready::Open;
            socket.ready = Ready::Closing;
            socket.closing = Some(Box::new(Closing { code, reason, limit: None }));
            if is_open {
                socket.send_close(self, parts);
            }
        });
    }
}

impl Socket {
    /// Sends the close frame, and gives the server a while to answer.
    pub(super) fn send_close(&mut self, at: At, parts: &mut Parts<'_>) {
        let Some(closing) = &mut self.closing else { return };
        if let Some(connection) = self.key.and_then(|key| parts.io.socket(key)) {
            // An earlier close frame stands.
            let _ = connection.close(Some((closing.code, &closing.reason)));
        }
        let due = Instant::now() + Duration::from_millis(self.close_timeout_ms.into());
        let address = Address::new(at.caller.vu, Part::Socket, at.serial);
        closing.limit = Some(parts.io.timer(due, address.to_user()));
    }
}

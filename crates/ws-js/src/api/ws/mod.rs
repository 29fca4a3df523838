//! `k6/ws`: blocking WebSocket sessions.
//!
//! `connect` starts a dial, parks its thread, and returns when the session is over; the handlers run on the
//! group's driver meanwhile (module [`session`]).

mod actions;
mod connect;
pub(in crate::api) mod errors;
mod events;
pub(crate) mod session;
mod socket;
pub(in crate::api) mod tags;
pub(in crate::api) mod tls_text;

use crate::binding;

/// The exports of `k6/ws`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    binding::set_function(scope, exports, "connect", connect::connect, None);
    exports
}

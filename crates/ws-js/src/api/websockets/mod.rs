//! `k6/websockets`: the `WebSocket` of the web, on the event loop of a VU.
//!
//! A socket is a small Rust struct while it is not closed ([`sockets`]), and a JavaScript object that holds its
//! listeners in internal fields ([`object`]). No closure is made for a socket, and no thread waits for one: the
//! group's driver brings its events ([`life`]).

mod actions;
mod construct;
mod ending;
mod event;
mod life;
mod listeners;
mod object;
mod sockets;

use super::blob;
use crate::binding;

pub(crate) use self::ending::{drain, drained, give_up, wind_down};
pub(crate) use self::life::{handle, refused};
pub(crate) use self::object::Shapes;
pub(crate) use self::sockets::Sockets;

/// The exports of `k6/websockets`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    let class = Shapes::class(scope);
    binding::set(scope, exports, "WebSocket", class.into());
    let blob = blob::constructor(scope);
    binding::set(scope, exports, "Blob", blob.into());
    exports
}

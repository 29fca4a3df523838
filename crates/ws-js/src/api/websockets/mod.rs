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

pub(crate) use self::ending::{drain, drained, give_up, undelivered, wind_down};
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

/// Makes sockets `EventTarget`s: to be called when the realm has got that class, which few scripts ever look at.
pub(crate) fn inherit<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    event_target: v8::Local<'s, v8::Object>,
) -> Option<()> {
    let name = binding::string(scope, "prototype").into();
    let parent = event_target.get(scope, name)?;
    let class = Shapes::class(scope);
    let prototype = v8::Local::<v8::Object>::try_from(class.get(scope, name)?).ok()?;
    prototype.set_prototype(scope, parent)?;
    class.set_prototype(scope, event_target.into()).map(|_| ())
}

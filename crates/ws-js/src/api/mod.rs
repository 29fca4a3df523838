//! The modules that scripts import, one file or folder each.

pub(crate) mod blob;
mod crypto;
pub(crate) mod data;
pub(crate) mod dial;
mod encoding;
mod host;
pub(crate) mod http;
mod k6;
pub(crate) mod latency;
mod metrics;
mod sleep;
mod tags;
pub(crate) mod timers;
pub(crate) mod websockets;
pub(crate) mod ws;

use std::sync::Arc;

use ws_proto::CookieJar;

use self::host::Running;
use crate::binding::{self, Native, Throw};
use crate::convert;
use crate::group::Inside;
use crate::log::{Level, Record};
use crate::modules;
use crate::realm;
use crate::vu::block;

/// The modules that come with the tool.
pub(crate) struct Builtins;

impl modules::Builtins for Builtins {
    fn make<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
    ) -> Native<Option<v8::Local<'s, v8::Object>>> {
        Ok(Some(match name {
            "k6/ws" => ws::exports(scope),
            "k6" => {
                let exports = v8::Object::new(scope);
                k6::add::<Running>(scope, exports);
                sleep::add(scope, exports);
                exports
            }
            "k6/crypto" => crypto::exports(scope),
            "k6/data" => data::exports(scope)?,
            "k6/encoding" => encoding::exports(scope),
            "k6/http" => http::exports(scope),
            // The name it had while it was experimental; old scripts import that.
            "k6/timers" | "k6/experimental/timers" => {
                let exports = v8::Object::new(scope);
                timers::install(scope, exports);
                exports
            }
            "k6/websockets" => websockets::exports(scope),
            "k6/experimental/websockets" => {
                let inside = Inside::current();
                // The first init stage runs all imports; the others would only say it again.
                if inside.group().shared.samples.is_none() {
                    self.warn(EXPERIMENTAL);
                }
                websockets::exports(scope)
            }
            "k6/metrics" => metrics::exports::<Running>(scope),
            _ if NOT_YET.contains(&name) => {
                return Err(Throw::Plain(format!("the module {name} is not supported yet")));
            }
            _ => return Ok(None),
        }))
    }

    fn warn(&self, message: &str) {
        let inside = Inside::current();
        inside.group().shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
    }
}

/// k6's words for the old name of a module.
const EXPERIMENTAL: &str = "k6/experimental/websockets is deprecated and will be removed in a future release. Please use k6/websockets instead.";

/// What k6 has and this tool does not yet.
const NOT_YET: &[&str] = &[
    "k6/execution",
    "k6/experimental/csv",
    "k6/experimental/fs",
    "k6/experimental/streams",
    "k6/html",
    "k6/secrets",
];

/// Whose script called the running native function.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) inside: Inside,
    pub(crate) vu: u32,
}

impl Caller {
    /// # Panics
    ///
    /// Outside of scripts.
    pub(crate) fn here() -> Self {
        let inside = Inside::current();
        let vu = inside.group().running_vu().expect("natives are called by the script of a VU");
        Self { inside, vu }
    }

    /// The VU whose script runs on this thread, if it was told to stop.
    pub(crate) fn told_to_stop() -> Option<Self> {
        let inside = crate::group::seat::inside()?;
        let vu = inside.group().running_vu()?;
        inside.group().must_end(vu).then_some(Self { inside, vu })
    }

    /// # Errors
    ///
    /// Throws `message` in the init stage.
    pub(crate) fn in_vu_code(message: &str) -> Result<Self, Throw> {
        if realm::in_init() { Err(Throw::Go(message.into())) } else { Ok(Self::here()) }
    }

    /// The jar that the caller's VU has now.
    pub(crate) fn jar(self) -> Arc<CookieJar> {
        Arc::clone(&self.inside.state().vus[self.vu as usize].jar)
    }

    /// Ends the script that called: it was told to stop.
    pub(crate) fn end_script(self, scope: &mut v8::PinScope<'_, '_>) {
        let noop = realm::noop(scope);
        block::end_script(self.inside.group(), scope, noop);
    }
}

/// The own enumerable properties of an object, in order.
///
/// # Errors
///
/// [`Throw::Pending`] if a getter throws.
pub(crate) fn entries<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
) -> Native<Vec<(String, v8::Local<'s, v8::Value>)>> {
    let names = convert::own_names(scope, object)?;
    (0..names.length())
        .map(|index| {
            let name = names.get_index(scope, index).ok_or(Throw::Pending)?;
            let value = object.get(scope, name).ok_or(Throw::Pending)?;
            Ok((name.to_rust_string_lossy(scope), value))
        })
        .collect()
}

/// Sets a property to a text.
pub(crate) fn set_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    text: &str,
) {
    let text = binding::string(scope, text).into();
    binding::set(scope, object, name, text);
}

/// Sets a property to a number.
pub(crate) fn set_number<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    number: f64,
) {
    let number = v8::Number::new(scope, number).into();
    binding::set(scope, object, name, number);
}

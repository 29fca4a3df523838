//! The web platform's globals, as far as scripts use them: `EventTarget`, `AbortController`, `Blob` and others.
//!
//! A realm that does not use them must not pay for them: the first look at one of the names makes what it stands for
//! ([`globals`](self::globals)). Most of them are JavaScript ([`FILES`]), compiled once per isolate; natives do what the language cannot.
//!
//! The code here is invisible: [`is_embedded`] tells its frames from a script's own, and no stack shows them.

mod base64;
pub(crate) mod clock;
mod clone;
mod encoding;
mod globals;
mod memory;
mod platform;
mod random;
mod stack;
mod url;

pub(crate) use self::random::{fill as random, uuid};
use crate::api::{self, blob, websockets};
use crate::binding::{self, Native, Throw, native, set_function, string};
use crate::convert::own_names;

/// What the names of our own files begin with where V8 wants one.
const PREFIX: &str = "ws:";

/// A piece of JavaScript: the expression of a function that takes an object of natives and a function that gives what
/// other files make, by name, and that gives an object of what this file makes.
struct File {
    name: &'static str,
    text: &'static str,
    /// Adds what the file wants of us.
    natives: for<'s> fn(&mut v8::PinScope<'s, '_>, v8::Local<'s, v8::Object>),
}

const EXCEPTION: usize = 0;
const EVENTS: usize = 1;
const ENCODING: usize = 2;
const URL: usize = 3;
const PLATFORM: usize = 4;
const STREAM: usize = 5;
const IDL: usize = 6;
const DATA: usize = 7;

static FILES: [File; 8] = [
    File { name: "ws:web/exception.js", text: include_str!("exception.js"), natives: |_, _| () },
    File { name: "ws:web/events.js", text: include_str!("events.js"), natives: event_natives },
    File { name: "ws:web/encoding.js", text: include_str!("encoding.js"), natives: encoding::natives },
    File { name: "ws:web/url.js", text: include_str!("url.js"), natives: url::natives },
    File { name: "ws:web/platform.js", text: include_str!("platform.js"), natives: platform::natives },
    File { name: "ws:web/stream.js", text: include_str!("stream.js"), natives: |_, _| () },
    File { name: "ws:web/idl.js", text: include_str!("idl.js"), natives: |_, _| () },
    File {
        name: "ws:data.js",
        text: include_str!("../api/data/shared_array.js"),
        natives: api::data::natives,
    },
];

/// Where something comes from.
#[derive(Clone, Copy)]
enum Origin {
    Blob,
    File(usize),
}

/// What files make for natives and each other only.
const HIDDEN: &[(&str, Origin)] =
    &[("idl", Origin::File(IDL)), ("streamOf", Origin::File(STREAM)), ("SharedArray", Origin::File(DATA))];

/// What an isolate keeps for its realms, in its slot.
struct Web {
    globals: v8::Global<v8::ObjectTemplate>,
    /// Under which a realm's global object keeps what the files have made in it.
    made: v8::Global<v8::Private>,
    compiled: [Option<v8::Global<v8::UnboundScript>>; FILES.len()],
}

/// Prepares `isolate` for realms with these globals.
pub(crate) fn install(isolate: &mut v8::Isolate) {
    clock::start();
    let (web, blob) = {
        v8::scope!(let scope, isolate);
        // Strings can be made without a context, but only inside one do they look like a script's own.
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        let scope = &mut v8::ContextScope::new(scope, context);
        let globals = globals::template(scope);
        let made = v8::Private::new(scope, None);
        let web = Web {
            globals: v8::Global::new(scope, globals),
            made: v8::Global::new(scope, made),
            compiled: [const { None }; FILES.len()],
        };
        (web, blob::class(scope))
    };
    isolate.set_slot(web);
    isolate.set_slot(blob);
}

/// What the global objects of an isolate's realms are made from.
pub(crate) fn global_template<'s>(scope: &v8::PinScope<'s, '_, ()>) -> v8::Local<'s, v8::ObjectTemplate> {
    v8::Local::new(scope, &web(scope).globals)
}

/// Whether a source of this name is ours.
pub(crate) fn is_embedded(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// From now on the stacks of errors are shown without our own files: to be called before one of them runs.
pub(crate) fn hide_embedded(isolate: &mut v8::Isolate) {
    isolate.set_prepare_stack_trace_callback(stack::prepare);
}

/// What a file has made in the current realm: a global, whatever the script may have put in its place, or one of
/// the hidden functions.
///
/// # Errors
///
/// [`Throw::Pending`] if the script is being ended.
///
/// # Panics
///
/// If there is nothing of this name.
pub(crate) fn get<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str) -> Native<v8::Local<'s, v8::Value>> {
    let (_, origin) =
        globals::TABLE.iter().chain(HIDDEN).find(|(known, _)| *known == name).expect("one of the tables");
    let file = match origin {
        Origin::Blob => return Ok(blob::constructor(scope).into()),
        Origin::File(file) => *file,
    };
    let made = made(scope)?;
    let key = string(scope, name).into();
    let known = made.get(scope, key).ok_or(Throw::Pending)?;
    if !known.is_undefined() {
        return Ok(known);
    }
    run(scope, file, made)?;
    made.get(scope, key).ok_or(Throw::Pending)
}

/// Runs a file in the current realm.
fn run(scope: &mut v8::PinScope<'_, '_>, file: usize, made: v8::Local<'_, v8::Object>) -> Native {
    let script = compiled(scope, file)?.bind_to_current_context(scope);
    let function = script.run(scope).ok_or(Throw::Pending)?;
    let function = v8::Local::<v8::Function>::try_from(function).expect("every file is a function");
    let natives = v8::Object::new(scope);
    (FILES[file].natives)(scope, natives);
    let this = v8::undefined(scope).into();
    let others = binding::function(scope, "web", native!(get_named), None);
    let exports = function.call(scope, this, &[natives.into(), others.into()]).ok_or(Throw::Pending)?;
    let exports = v8::Local::<v8::Object>::try_from(exports).expect("every file gives an object");
    let names = own_names(scope, exports)?;
    for index in 0..names.length() {
        let name = names.get_index(scope, index).ok_or(Throw::Pending)?;
        let value = exports.get(scope, name).ok_or(Throw::Pending)?;
        made.set(scope, name, value).ok_or(Throw::Pending)?;
    }
    if file == EVENTS {
        let name = string(scope, "EventTarget").into();
        let class = made.get(scope, name).ok_or(Throw::Pending)?;
        if let Ok(class) = class.try_into() {
            websockets::inherit(scope, class).ok_or(Throw::Pending)?;
        }
    }
    Ok(())
}

fn compiled<'s>(scope: &mut v8::PinScope<'s, '_>, file: usize) -> Native<v8::Local<'s, v8::UnboundScript>> {
    if let Some(known) = web(scope).compiled[file].clone() {
        return Ok(v8::Local::new(scope, known));
    }
    hide_embedded(scope);
    let File { name, text, .. } = &FILES[file];
    let text = string(scope, text);
    let name = string(scope, name).into();
    let origin = v8::ScriptOrigin::new(scope, name, 0, 0, false, 0, None, false, false, false, None);
    let script = v8::Script::compile(scope, text, Some(&origin)).ok_or(Throw::Pending)?;
    let script = script.get_unbound_script(scope);
    let kept = v8::Global::new(scope, script);
    if let Some(web) = scope.get_slot_mut::<Web>() {
        web.compiled[file] = Some(kept);
    }
    Ok(script)
}

/// What the files have made in the current realm, by name.
fn made<'s>(scope: &mut v8::PinScope<'s, '_>) -> Native<v8::Local<'s, v8::Object>> {
    let key = v8::Local::new(scope, &web(scope).made);
    let global = scope.get_current_context().global(scope);
    let known = global.get_private(scope, key).ok_or(Throw::Pending)?;
    if let Ok(known) = known.try_into() {
        return Ok(known);
    }
    let nothing = v8::null(scope).into();
    let made = v8::Object::with_prototype_and_properties(scope, nothing, &[], &[]);
    global.set_private(scope, key, made.into()).ok_or(Throw::Pending)?;
    Ok(made)
}

fn web(isolate: &v8::Isolate) -> &Web {
    isolate.get_slot().expect("put there with the isolate")
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// [`get`] for the files.
fn get_named<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let name = arguments.get(0).to_rust_string_lossy(scope);
    get(scope, &name)
}

fn event_natives<'s>(scope: &mut v8::PinScope<'s, '_>, natives: v8::Local<'s, v8::Object>) {
    set_function(scope, natives, "now", native!(platform::now), None);
    // The real ones, whatever the script may have made of the globals.
    api::timers::install(scope, natives);
}

#[cfg(test)]
mod tests;

//! Who hears of a socket's events: the `on` handler first, then the listeners in the order of their addition.
//!
//! The listeners of one kind are a function if there is one without options, else an array that is never
//! changed but replaced, so that an event which is under way goes on with those it began with.

use super::event;
use super::object::{self, field, shelf};
use crate::api::Caller;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::group::Inside;
use crate::log::{Level, Record};
use crate::realm::Realm;
use crate::vu::call::{self, Fault};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The kinds of events, in the order of the `on` properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Message,
    Error,
    Open,
    Close,
    Ping,
    Pong,
}

impl On {
    pub(super) const COUNT: usize = 6;
    pub(super) const ALL: [On; On::COUNT] = [On::Message, On::Error, On::Open, On::Close, On::Ping, On::Pong];

    pub(super) fn name(self) -> &'static str {
        match self {
            On::Message => "message",
            On::Error => "error",
            On::Open => "open",
            On::Close => "close",
            On::Ping => "ping",
            On::Pong => "pong",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.name() == name)
    }
}

/// One listener.
#[derive(Clone, Copy)]
struct Listener<'s> {
    function: v8::Local<'s, v8::Function>,
    once: bool,
}

/// The listeners of one kind, as they were at one moment.
struct List<'s> {
    field: v8::Local<'s, v8::Value>,
}

impl<'s> List<'s> {
    fn of(scope: &mut v8::PinScope<'s, '_>, socket: v8::Local<'_, v8::Object>, on: On) -> Self {
        Self { field: object::get_rare(scope, socket, shelf::LISTENERS + on as usize) }
    }

    fn len(&self) -> u32 {
        match v8::Local::<v8::Array>::try_from(self.field) {
            Ok(array) => array.length(),
            Err(_) => u32::from(self.field.is_function()),
        }
    }

    fn at(&self, scope: &mut v8::PinScope<'s, '_>, index: u32) -> Option<Listener<'s>> {
        let entry = match v8::Local::<v8::Array>::try_from(self.field) {
            Ok(array) => array.get_index(scope, index)?,
            Err(_) => self.field,
        };
        if let Ok(function) = v8::Local::<v8::Function>::try_from(entry) {
            return Some(Listener { function, once: false });
        }
        // One that is called once lies in an array of its own.
        let function = v8::Local::<v8::Array>::try_from(entry).ok()?.get_index(scope, 0)?;
        Some(Listener { function: function.try_into().ok()?, once: true })
    }

    fn all(&self, scope: &mut v8::PinScope<'s, '_>) -> Vec<Listener<'s>> {
        (0..self.len()).filter_map(|index| self.at(scope, index)).collect()
    }

    /// Makes these the listeners of a socket.
    fn store(
        scope: &mut v8::PinScope<'s, '_>,
        socket: v8::Local<'_, v8::Object>,
        on: On,
        listeners: &[Listener<'s>],
    ) {
        let value: v8::Local<'_, v8::Value> = match listeners {
            [] => v8::undefined(scope).into(),
            [Listener { function, once: false }] => (*function).into(),
            _ => {
                let entries: Vec<v8::Local<'_, v8::Value>> = listeners
                    .iter()
                    .map(|listener| match listener.once {
                        false => listener.function.into(),
                        true => v8::Array::new_with_elements(scope, &[listener.function.into()]).into(),
                    })
                    .collect();
                v8::Array::new_with_elements(scope, &entries).into()
            }
        };
        object::set_rare(scope, socket, shelf::LISTENERS + on as usize, value);
    }

    /// Takes a function off, however often it was added. Says whether it was there.
    fn remove(
        scope: &mut v8::PinScope<'s, '_>,
        socket: v8::Local<'_, v8::Object>,
        on: On,
        function: v8::Local<'s, v8::Value>,
    ) {
        let mut listeners = Self::of(scope, socket, on).all(scope);
        listeners.retain(|listener| !listener.function.strict_equals(function));
        Self::store(scope, socket, on, &listeners);
    }
}

/// Whether anybody listens.
pub(super) fn is_heard(scope: &mut v8::PinScope<'_, '_>, socket: v8::Local<'_, v8::Object>, on: On) -> bool {
    object::get(scope, socket, field::HANDLERS + on as usize).is_function()
        || List::of(scope, socket, on).len() > 0
}

/// Calls the handlers of `on`, each with the reactions of promises that it sets off. When one throws, the others
/// are not called. `details` are what the event says, see [`event::make`].
pub(super) fn dispatch(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    socket: v8::Local<'_, v8::Object>,
    on: On,
    details: &[v8::Local<'_, v8::Value>],
) -> Result<(), Fault> {
    let handler = object::get(scope, socket, field::HANDLERS + on as usize);
    let list = List::of(scope, socket, on);
    if !handler.is_function() && list.len() == 0 {
        return Ok(());
    }
    // Nothing but the end of the script can keep it from being made.
    let event = event::make(scope, caller.inside, on, socket, details).ok_or(Fault::Interrupted)?.into();
    let this = v8::undefined(scope).into();
    if let Ok(handler) = v8::Local::<v8::Function>::try_from(handler) {
        call::callback(caller, scope, realm, handler, this, &[event])?;
    }
    for index in 0..list.len() {
        let Some(Listener { function, once }) = list.at(scope, index) else { break };
        // One that another has removed meanwhile does not hear of it any more.
        let now = List::of(scope, socket, on);
        if !now.field.strict_equals(list.field)
            && !now.all(scope).iter().any(|listener| listener.function.strict_equals(function.into()))
        {
            continue;
        }
        if once {
            List::remove(scope, socket, on, function.into());
        }
        call::callback(caller, scope, realm, function, this, &[event])?;
    }
    Ok(())
}

/// `addEventListener(type, listener, {once, signal})`.
pub(super) fn add<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native {
    let name = convert::to_text(scope, arguments.get(0))?;
    let listener = arguments.get(1);
    if listener.is_null_or_undefined() {
        return Err(Throw::Go(format!("handler for event type \"{name}\" isn't a callable function")));
    }
    let Ok(function) = v8::Local::<v8::Function>::try_from(listener) else {
        let text = convert::to_text(scope, listener)?;
        return Err(Throw::Type(format!(
            "could not convert function call parameter 1: could not convert {text} to func(sobek.Value) (sobek.Value, error)"
        )));
    };
    let Some(on) = On::from_name(&name) else {
        let message = &format!("can't add event handler: unknown event type: {name}");
        let inside = Inside::current();
        inside.group().shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
        return Ok(());
    };
    let socket = arguments.this();
    let mut once = false;
    if let Ok(options) = v8::Local::<v8::Object>::try_from(arguments.get(2)) {
        once = property(scope, options, "once")?.boolean_value(scope);
        let signal = property(scope, options, "signal")?;
        if !signal.is_undefined() && !remove_on_abort(scope, socket, arguments.get(0), function, signal)? {
            return Ok(());
        }
    }
    let mut listeners = List::of(scope, socket, on).all(scope);
    listeners.push(Listener { function, once });
    List::store(scope, socket, on, &listeners);
    Ok(())
}

/// Has the listener removed when `signal` is aborted. Says whether it is not yet.
fn remove_on_abort<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    socket: v8::Local<'s, v8::Object>,
    name: v8::Local<'s, v8::Value>,
    function: v8::Local<'s, v8::Function>,
    signal: v8::Local<'s, v8::Value>,
) -> Native<bool> {
    let no_signal = || Throw::Type("the option 'signal' of addEventListener() is no AbortSignal".into());
    let signal = v8::Local::<v8::Object>::try_from(signal).map_err(|_| no_signal())?;
    if property(scope, signal, "aborted")?.boolean_value(scope) {
        return Ok(false);
    }
    let listen = property(scope, signal, "addEventListener")?;
    let listen = v8::Local::<v8::Function>::try_from(listen).map_err(|_| no_signal())?;
    let data = v8::Array::new_with_elements(scope, &[socket.into(), name, function.into()]);
    let remove = binding::function(scope, "remove", native!(removed_by_signal), Some(data.into()));
    let abort = binding::string(scope, "abort").into();
    listen.call(scope, signal.into(), &[abort, remove.into()]).ok_or(Throw::Pending)?;
    Ok(true)
}

fn removed_by_signal(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let Ok(data) = v8::Local::<v8::Array>::try_from(arguments.data()) else { return Ok(()) };
    let part = |index| data.get_index(scope, index).ok_or(Throw::Pending);
    let (socket, name, function) = (part(0)?, part(1)?, part(2)?);
    let name = convert::to_text(scope, name)?;
    if let (Some(on), Ok(socket)) = (On::from_name(&name), v8::Local::<v8::Object>::try_from(socket)) {
        List::remove(scope, socket, on, function);
    }
    Ok(())
}

/// `removeEventListener(type, listener)`.
pub(super) fn remove<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native {
    let name = convert::to_text(scope, arguments.get(0))?;
    if let Some(on) = On::from_name(&name) {
        List::remove(scope, arguments.this(), on, arguments.get(1));
    }
    Ok(())
}

/// `dispatchEvent(event)`: calls the handlers of the event's type, here and now.
pub(super) fn dispatch_event(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<bool> {
    let Ok(event) = v8::Local::<v8::Object>::try_from(arguments.get(0)) else {
        return Err(Throw::Type("dispatchEvent() wants an event".into()));
    };
    let name = property(scope, event, "type")?;
    let name = convert::to_text(scope, name)?;
    let socket = arguments.this();
    if let Some(on) = On::from_name(&name) {
        let handler = object::get(scope, socket, field::HANDLERS + on as usize);
        let list = List::of(scope, socket, on);
        let this = v8::undefined(scope).into();
        if let Ok(handler) = v8::Local::<v8::Function>::try_from(handler) {
            handler.call(scope, this, &[event.into()]).ok_or(Throw::Pending)?;
        }
        for Listener { function, once } in list.all(scope) {
            if once {
                List::remove(scope, socket, on, function.into());
            }
            function.call(scope, this, &[event.into()]).ok_or(Throw::Pending)?;
        }
    }
    Ok(!property(scope, event, "defaultPrevented")?.boolean_value(scope))
}

fn property<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'_, v8::Object>,
    name: &str,
) -> Native<v8::Local<'s, v8::Value>> {
    let name = binding::string(scope, name).into();
    object.get(scope, name).ok_or(Throw::Pending)
}

//! The socket object that scripts get: seven functions, which also work when taken off it.

use std::time::Duration;

use super::session::{At, On};
use crate::api::Caller;
use crate::binding::{self, Throw};
use crate::convert;
use crate::templates::Templates;
use crate::vu::call::Handled;

/// The longest delay that timers take, in nanoseconds: what an `i64` holds.
const MAX_DELAY_NS: f64 = 9_223_372_036_854_775_807.0;

/// Makes the object for the session `serial` of the VU whose script runs.
pub(super) fn new<'s>(scope: &mut v8::PinScope<'s, '_>, serial: u32) -> v8::Local<'s, v8::Object> {
    let object = Templates::host_object(scope);
    let data = v8::Integer::new_from_unsigned(scope, serial).into();
    // In the order in which k6 lists the keys.
    binding::set_function(scope, object, "close", close, Some(data));
    binding::set_function(scope, object, "on", on, Some(data));
    binding::set_function(scope, object, "ping", ping, Some(data));
    binding::set_function(scope, object, "send", send, Some(data));
    binding::set_function(scope, object, "sendBinary", send_binary, Some(data));
    binding::set_function(scope, object, "setInterval", set_interval, Some(data));
    binding::set_function(scope, object, "setTimeout", set_timeout, Some(data));
    object
}

/// Runs `f` for the session that the called function belongs to.
fn native<'a>(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: &v8::FunctionCallbackArguments<'a>,
    f: impl FnOnce(&mut v8::PinScope<'_, '_>, At) -> Result<Handled, Throw>,
) {
    let serial = arguments.data().uint32_value(scope).unwrap_or_default();
    binding::guard(scope, |scope| {
        let Caller { inside, vu, .. } = Caller::here();
        match f(scope, At { inside, vu, serial })? {
            Handled::Returned => Ok(()),
            Handled::Threw(exception) => {
                let exception = v8::Local::new(scope, exception);
                scope.throw_exception(exception);
                Err(Throw::Pending)
            }
            Handled::Interrupted => Err(Throw::Pending),
        }
    });
}

fn on(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| {
        let name = convert::to_text(scope, arguments.get(0))?;
        // Anything that cannot be called is ignored, and so is an event that never happens.
        let handler = v8::Local::<v8::Function>::try_from(arguments.get(1));
        if let (Some(on), Ok(handler)) = (On::from_name(&name), handler) {
            at.listen(on, v8::Global::new(scope, handler));
        }
        Ok(Handled::Returned)
    });
}

fn send(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| {
        let value = arguments.get(0);
        let text = if let Ok(text) = v8::Local::<v8::String>::try_from(value) {
            text
        } else if value.is_null_or_undefined() {
            v8::String::empty(scope)
        } else {
            convert::to_js_text(scope, value)?
        };
        Ok(at.send_text(scope, text))
    });
}

fn send_binary(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| {
        if arguments.length() == 0 {
            return Err(Throw::Go("missing argument, expected ArrayBuffer".into()));
        }
        let value = arguments.get(0);
        let Ok(buffer) = v8::Local::<v8::ArrayBuffer>::try_from(value) else {
            let kind = kind_of(scope, value)?;
            return Err(Throw::Go(format!("expected ArrayBuffer as argument, received: {kind}")));
        };
        Ok(at.send_binary(scope, convert::Bytes::Buffer(buffer)))
    });
}

/// The name of the value's constructor.
fn kind_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Result<String, Throw> {
    if value.is_undefined() {
        return Ok("undefined".to_owned());
    }
    if value.is_null() {
        return Ok("null".to_owned());
    }
    let Some(object) = value.to_object(scope) else { return Err(Throw::Pending) };
    let key = binding::string(scope, "constructor").into();
    let constructor = object.get(scope, key).ok_or(Throw::Pending)?;
    // An object without a prototype has none.
    let Ok(constructor) = v8::Local::<v8::Object>::try_from(constructor) else {
        return Ok("Object".to_owned());
    };
    let key = binding::string(scope, "name").into();
    let name = constructor.get(scope, key).ok_or(Throw::Pending)?;
    convert::to_text(scope, name)
}

fn ping(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| Ok(at.ping(scope)));
}

fn close(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| {
        let code = match arguments.length() {
            0 => 1001,
            _ => arguments.get(0).integer_value(scope).ok_or(Throw::Pending)?,
        };
        // No validation: scripts test servers with codes that must not be sent.
        Ok(at.close(scope, Some(code as u16), code))
    });
}

fn set_timeout(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| set_timer(scope, &arguments, at, "setTimeout", false));
}

fn set_interval(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    native(scope, &arguments, |scope, at| set_timer(scope, &arguments, at, "setInterval", true));
}

fn set_timer(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: &v8::FunctionCallbackArguments<'_>,
    at: At,
    name: &str,
    repeat: bool,
) -> Result<Handled, Throw> {
    let callback = arguments.get(0);
    let function = v8::Local::<v8::Function>::try_from(callback);
    if function.is_err() && !callback.is_null_or_undefined() {
        return Err(Throw::not_callable(scope, 0, callback));
    }
    // A delay that is not there is 0, one that is undefined is no number.
    let ms = if arguments.length() < 2 { 0.0 } else { convert::to_number(scope, arguments.get(1))? };
    let ns = ms * 1e6;
    if !(1.0..MAX_DELAY_NS).contains(&ns) {
        let shown = two_decimals(ms);
        return Err(Throw::Go(format!("{name} requires a >0 timeout parameter, received {shown}")));
    }
    // k6 takes a missing function and crashes when the timer is due.
    let function = function.map_err(|_| Throw::not_callable(scope, 0, callback))?;
    at.set_timer(v8::Global::new(scope, function), Duration::from_nanos(ns as u64), repeat);
    Ok(Handled::Returned)
}

/// A number as k6 shows a bad delay.
fn two_decimals(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        format!("{}Inf", if number > 0.0 { '+' } else { '-' })
    } else {
        format!("{number:.2}")
    }
}

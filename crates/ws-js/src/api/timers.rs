//! `setTimeout` and its kin: globals, and the exports of `k6/timers`.

use std::time::Duration;

use super::Caller;
use crate::binding::{self, Native, Throw, native};
use crate::convert;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The longest delay in nanoseconds: what an `i64` holds.
const MAX_DELAY_NS: f64 = 9_223_372_036_854_775_807.0;

/// Adds the four functions to an object; always the same ones in a realm.
pub(crate) fn install<'s>(scope: &mut v8::PinScope<'s, '_>, object: v8::Local<'s, v8::Object>) {
    binding::set_function(scope, object, "setTimeout", native!(set_timeout), None);
    binding::set_function(scope, object, "clearTimeout", native!(clear), None);
    binding::set_function(scope, object, "setInterval", native!(set_interval), None);
    binding::set_function(scope, object, "clearInterval", native!(clear), None);
}

fn set_timeout(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<f64> {
    set(scope, arguments, "setTimeout", false)
}

fn set_interval(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<f64> {
    set(scope, arguments, "setInterval", true)
}

fn set(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: &Arguments<'_>,
    name: &str,
    repeats: bool,
) -> Native<f64> {
    let Caller { inside, vu } = Caller::here();
    let value = arguments.get(0);
    let callback = v8::Local::<v8::Function>::try_from(value);
    if callback.is_err() && !value.is_null_or_undefined() {
        return Err(Throw::not_callable(scope, 0, value));
    }
    let delay = if arguments.length() < 2 { 0.0 } else { convert::to_number(scope, arguments.get(1))? };
    let id = inside.state().vus[vu as usize].timers.next_id();
    let Ok(callback) = callback else {
        return Err(Throw::Go(format!("{name}'s callback isn't a callable function")));
    };
    let callback = v8::Global::new(scope, callback);
    let more = (2..arguments.length()).map(|index| v8::Global::new(scope, arguments.get(index))).collect();
    let mut state = inside.state();
    let this = &mut state.vus[vu as usize];
    if !this.is_cancelled() {
        this.timers.add(id, delay_of(delay), repeats, callback, more);
    }
    Ok(f64::from(id))
}

/// `None`: no number, or none that the clock knows; such a timer comes before all others.
fn delay_of(ms: f64) -> Option<Duration> {
    let ns = ms * 1e6;
    if ns.is_nan() || ns.abs() >= MAX_DELAY_NS {
        None
    } else {
        Some(Duration::from_nanos(ns.max(0.0) as u64))
    }
}

fn clear(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let value = arguments.get(0);
    // What is no id is nobody's.
    if !value.is_number() && !value.is_string() {
        return Ok(());
    }
    let id = convert::to_number(scope, value)?;
    if id >= 1.0 && id <= f64::from(u32::MAX) {
        let Caller { inside, vu } = Caller::here();
        inside.state().vus[vu as usize].timers.clear(id as u32);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_never_negative_and_nonsense_has_none() {
        for (ms, delay) in [
            (0.0, Some(Duration::ZERO)),
            (-5.0, Some(Duration::ZERO)),
            (0.3, Some(Duration::from_micros(300))),
            (1500.5, Some(Duration::from_micros(1_500_500))),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (f64::NEG_INFINITY, None),
            (1e300, None),
        ] {
            assert_eq!(delay_of(ms), delay, "{ms}");
        }
    }
}

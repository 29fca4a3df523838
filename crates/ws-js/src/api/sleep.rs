//! `sleep` of the module `k6`.

use std::time::{Duration, Instant};

use crate::api::Caller;
use crate::binding::{self, Throw};
use crate::vu::block::{self, Kind};

/// As many seconds as an `i64` has nanoseconds for: k6 does not wait for more at all, `Infinity` included.
const TOO_LONG: f64 = i64::MAX as f64 / 1e9;

/// Nobody waits longer than this, ten years, for what is less.
const LONGEST: f64 = 315_360_000.0;

/// Adds `sleep` to the exports of `k6`.
pub(crate) fn add<'s>(scope: &mut v8::PinScope<'s, '_>, exports: v8::Local<'s, v8::Object>) {
    binding::set_function(scope, exports, "sleep", sleep, None);
}

fn sleep(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    binding::guard(scope, |scope| {
        let seconds = arguments.get(0).number_value(scope).ok_or(Throw::Pending)?;
        // Not a number, negative, nothing to wait for, or more than k6 can count.
        if seconds.is_nan() || seconds <= 0.0 || seconds >= TOO_LONG {
            return Ok(());
        }
        let deadline = Instant::now() + Duration::from_secs_f64(seconds.min(LONGEST));
        let caller = Caller::here();
        let stopped = block::wait(caller.inside, caller.vu, Kind::Sleep, Some(deadline))
            .map_err(|error| Throw::Go(format!("no thread for another blocked VU: {error}")))?;
        if stopped {
            caller.end_script(scope);
            return Err(Throw::Pending);
        }
        Ok(())
    });
}

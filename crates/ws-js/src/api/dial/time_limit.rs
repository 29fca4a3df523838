//! The params `connectTimeout` and `handshakeTimeout`, which k6 does not have.

use std::time::Duration;

use ws_metrics::duration::GoDuration;

use crate::binding::{Native, Throw};
use crate::convert;

/// Reads a time limit: milliseconds, or a text such as `10s`. `undefined` and `null` are none.
///
/// # Errors
///
/// What is wrong with it. Zero is no limit that a connection could keep.
pub(super) fn read(
    scope: &mut v8::PinScope<'_, '_>,
    key: &str,
    value: v8::Local<'_, v8::Value>,
) -> Native<Option<Duration>> {
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    let limit = if value.is_number() {
        value.number_value(scope).and_then(|millis| GoDuration::from_millis(millis).ok())
    } else if value.is_string() {
        GoDuration::parse_option(&convert::to_text(scope, value)?).ok()
    } else {
        None
    };
    if let Some(limit) = limit.filter(|limit| *limit > GoDuration::ZERO) {
        return Ok(Some(limit.to_std()));
    }
    let given = convert::to_text(scope, value)?;
    Err(Throw::Go(format!(
        "the param '{key}' must be a positive number of milliseconds or a duration like '10s', got '{given}'"
    )))
}

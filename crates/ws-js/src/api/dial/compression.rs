//! The params `compression`, which is k6's, and `compressionOptions`, which goes beyond it.

use ws_proto::{DeflateOffer, DeflatePolicy, WindowBits};

use crate::api::entries;
use crate::binding::{Native, Throw};
use crate::convert;

/// What to offer, and which answers to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) offer: DeflateOffer,
    pub(crate) policy: DeflatePolicy,
}

impl Compression {
    /// k6's offer, with k6's rule for the answer.
    const K6: Self = Self { offer: DeflateOffer::without_takeover(), policy: DeflatePolicy::K6 };
}

/// Reads `compression`: `deflate`, or nothing if `blank` says that this may be.
///
/// # Errors
///
/// k6's text for everything else.
pub(super) fn read(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    blank: bool,
) -> Native<Option<Compression>> {
    let text = convert::to_text(scope, value)?;
    match text.trim() {
        "" if blank => Ok(None),
        "deflate" => Ok(Some(Compression::K6)),
        other => Err(Throw::Go(format!(
            "unsupported compression algorithm '{other}', supported algorithm is 'deflate'"
        ))),
    }
}

/// Reads `compressionOptions`, which change what `compression` offers and have the answer judged by RFC 7692 instead
/// of by k6's rule.
///
/// # Errors
///
/// What is wrong with them, by name, value and range.
pub(super) fn read_options<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
    compression: Option<Compression>,
) -> Native<Compression> {
    if compression.is_none() {
        return Err(Throw::Go("the param 'compressionOptions' needs compression: 'deflate'".into()));
    }
    let Ok(object) = v8::Local::<v8::Object>::try_from(value) else {
        let shown = convert::to_text(scope, value)?;
        return Err(Throw::Go(format!("the param 'compressionOptions' must be an object, got {shown}")));
    };
    let (mut takeover, mut bits, mut level) = (None, None, None);
    for (key, value) in entries(scope, object)? {
        match key.as_str() {
            _ if value.is_undefined() => (),
            "contextTakeover" if value.is_boolean() => takeover = Some(value.is_true()),
            "contextTakeover" => return Err(bad(scope, &key, "true or false", value)),
            "windowBits" => bits = Some(whole(scope, &key, value, 9, 15)?),
            "level" => level = Some(whole(scope, &key, value, 0, 9)?),
            other => {
                return Err(Throw::Go(format!(
                    "unknown key '{other}' in the param 'compressionOptions', known are contextTakeover, windowBits and level"
                )));
            }
        }
    }
    let mut offer = match takeover {
        Some(true) => DeflateOffer::with_takeover(),
        Some(false) | None => DeflateOffer::without_takeover(),
    };
    // All of 15 bits is what everybody may use anyway.
    if let Some(bits) = bits.filter(|bits| *bits < WindowBits::MAX.get()) {
        offer.server_max_window_bits = WindowBits::new(bits);
        offer.client_max_window_bits = WindowBits::new(bits);
    }
    offer.level = level.unwrap_or(offer.level);
    Ok(Compression { offer, policy: DeflatePolicy::Strict })
}

/// A whole number from `least` to `most`.
fn whole(
    scope: &mut v8::PinScope<'_, '_>,
    key: &str,
    value: v8::Local<'_, v8::Value>,
    least: u8,
    most: u8,
) -> Native<u8> {
    let number = v8::Local::<v8::Number>::try_from(value).map_or(f64::NAN, |number| number.value());
    if number.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(&number) {
        return Ok(number as u8);
    }
    Err(bad(scope, key, &format!("a whole number from {least} to {most}"), value))
}

fn bad(
    scope: &mut v8::PinScope<'_, '_>,
    key: &str,
    expected: &str,
    value: v8::Local<'_, v8::Value>,
) -> Throw {
    let shown = match convert::to_text(scope, value) {
        Ok(text) if value.is_string() => format!("'{text}'"),
        Ok(text) => text,
        Err(throw) => return throw,
    };
    Throw::Go(format!("compressionOptions.{key} must be {expected}, got {shown}"))
}

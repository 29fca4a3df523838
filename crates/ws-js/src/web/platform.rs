//! What platform.js wants of us.

use super::memory::copy_into;
use super::{Arguments, base64, clock, clone, random};
use crate::binding::{Native, Throw, native, set_function, string};

pub(super) fn natives<'s>(scope: &mut v8::PinScope<'s, '_>, natives: v8::Local<'s, v8::Object>) {
    set_function(scope, natives, "now", native!(now), None);
    set_function(scope, natives, "timeOrigin", native!(time_origin), None);
    set_function(scope, natives, "fillRandom", native!(fill_random), None);
    set_function(scope, natives, "randomUuid", native!(random_uuid), None);
    set_function(scope, natives, "encodeBase64", native!(encode_base64), None);
    set_function(scope, natives, "decodeBase64", native!(decode_base64), None);
    set_function(scope, natives, "clone", native!(clone::structured), None);
}

pub(super) fn now(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native<f64> {
    Ok(clock::now())
}

fn time_origin(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native<f64> {
    Ok(clock::time_origin())
}

fn fill_random(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let view = v8::Local::<v8::ArrayBufferView>::try_from(arguments.get(0))
        .map_err(|_| Throw::Type("no array".into()))?;
    let mut bytes = vec![0; view.byte_length()];
    random::fill(&mut bytes)?;
    copy_into(scope, view, &bytes);
    Ok(())
}

fn random_uuid<'s>(scope: &mut v8::PinScope<'s, '_>, _: &Arguments<'s>) -> Native<v8::Local<'s, v8::String>> {
    Ok(string(scope, &random::uuid()?))
}

/// `encodeBase64(text)`: null if a character is no byte.
fn encode_base64<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let text = arguments.get(0).to_string(scope).ok_or(Throw::Pending)?;
    if !text.contains_only_onebyte() {
        return Ok(v8::null(scope).into());
    }
    let encoded = base64::encode(&one_byte(scope, text));
    if encoded.len() > v8::String::MAX_LENGTH {
        return Err(Throw::Plain("the text is too large for a string".into()));
    }
    Ok(string(scope, &encoded).into())
}

/// `decodeBase64(text)`: null if it is no Base64.
fn decode_base64<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let text = arguments.get(0).to_string(scope).ok_or(Throw::Pending)?;
    let decoded = if text.contains_only_onebyte() { base64::decode(&one_byte(scope, text)) } else { None };
    let Some(bytes) = decoded else { return Ok(v8::null(scope).into()) };
    let text = v8::String::new_from_one_byte(scope, &bytes, v8::NewStringType::Normal);
    Ok(text.ok_or(Throw::Pending)?.into())
}

fn one_byte(scope: &v8::Isolate, text: v8::Local<'_, v8::String>) -> Vec<u8> {
    let mut bytes = vec![0; text.length()];
    text.write_one_byte_v2(scope, 0, &mut bytes, v8::WriteFlags::empty());
    bytes
}

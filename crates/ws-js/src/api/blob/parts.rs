//! The arguments of `new Blob(parts, options)`.

use super::contents;
use crate::binding::{Native, Throw, string};
use crate::convert::{Bytes, Utf8, go_type, to_text};

/// All parts, one after the other: strings as UTF-8, binary objects and blobs as they are.
///
/// # Errors
///
/// [`Throw::Go`] for what is no list, and for parts of other kinds.
pub(super) fn concatenate(
    scope: &mut v8::PinScope<'_, '_>,
    parts: v8::Local<'_, v8::Value>,
) -> Native<Vec<u8>> {
    let mut bytes = Vec::new();
    if parts.is_null_or_undefined() {
        return Ok(bytes);
    }
    let Ok(list) = v8::Local::<v8::Object>::try_from(parts) else {
        let text = to_text(scope, parts)?;
        return Err(refused(&format!("could not convert {text} to []interface {{}}")));
    };
    if let Ok(array) = v8::Local::<v8::Array>::try_from(parts) {
        for index in 0..array.length() {
            v8::scope!(let scope, scope);
            let part = array.get_index(scope, index).ok_or(Throw::Pending)?;
            append(scope, part, &mut bytes)?;
        }
        return Ok(bytes);
    }
    let iterator = v8::Symbol::get_iterator(scope).into();
    let method = list.get(scope, iterator).ok_or(Throw::Pending)?;
    let Ok(method) = v8::Local::<v8::Function>::try_from(method) else {
        let text = to_text(scope, parts)?;
        return Err(refused(&format!("cannot convert {text} to []interface {{}}: not an array or iterable")));
    };
    let iterator = object(method.call(scope, parts, &[]).ok_or(Throw::Pending)?)?;
    let key = string(scope, "next").into();
    let next = iterator.get(scope, key).ok_or(Throw::Pending)?;
    let next = v8::Local::<v8::Function>::try_from(next).map_err(|_| not_an_iterator())?;
    loop {
        v8::scope!(let scope, scope);
        let step = object(next.call(scope, iterator.into(), &[]).ok_or(Throw::Pending)?)?;
        let key = string(scope, "done").into();
        if step.get(scope, key).ok_or(Throw::Pending)?.boolean_value(scope) {
            return Ok(bytes);
        }
        let key = string(scope, "value").into();
        let part = step.get(scope, key).ok_or(Throw::Pending)?;
        append(scope, part, &mut bytes)?;
    }
}

/// The `type` of the options, empty if there is none.
///
/// # Errors
///
/// [`Throw::Go`] if the options are no object.
pub(super) fn media_type<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    options: v8::Local<'_, v8::Value>,
) -> Native<v8::Local<'s, v8::String>> {
    if options.is_undefined() {
        return Ok(v8::String::empty(scope));
    }
    let options = v8::Local::<v8::Object>::try_from(options)
        .map_err(|_| Throw::Go("[options] must be an object".into()))?;
    let key = string(scope, "type").into();
    let given = options.get(scope, key).ok_or(Throw::Pending)?;
    if given.is_undefined() {
        return Ok(v8::String::empty(scope));
    }
    let text = to_text(scope, given)?;
    Ok(string(scope, &text))
}

fn append<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    part: v8::Local<'s, v8::Value>,
    bytes: &mut Vec<u8>,
) -> Native {
    let old = bytes.len();
    if part.is_string() || part.is_symbol() {
        let text = crate::convert::to_js_text(scope, part)?;
        let text = Utf8::new(scope, text);
        bytes.resize(old + text.len(), 0);
        text.write(scope, &mut bytes[old..]);
    } else if let Some(blob) = contents(scope, part) {
        bytes.resize(old + blob.len(), 0);
        blob.write(scope, &mut bytes[old..]);
    } else if let Some(binary) = binary(scope, part) {
        bytes.resize(old + binary.len(), 0);
        binary.write(&mut bytes[old..]);
    } else {
        return Err(refused(&format!("unsupported type: {}", go_type(part))));
    }
    Ok(())
}

/// Of a `DataView`, the whole buffer counts.
fn binary<'s>(scope: &mut v8::PinScope<'s, '_>, part: v8::Local<'s, v8::Value>) -> Option<Bytes<'s>> {
    match v8::Local::<v8::DataView>::try_from(part) {
        Ok(view) => view.buffer(scope).map(Bytes::Buffer),
        Err(_) => Bytes::of(part),
    }
}

fn object(value: v8::Local<'_, v8::Value>) -> Native<v8::Local<'_, v8::Object>> {
    value.try_into().map_err(|_| not_an_iterator())
}

fn not_an_iterator() -> Throw {
    Throw::Type("[blobParts] has an iterator that is none".into())
}

fn refused(why: &str) -> Throw {
    Throw::Go(format!("failed to process [blobParts]: {why}"))
}

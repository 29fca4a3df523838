//! JavaScript values as Rust values.

use std::cell::Cell;

use crate::binding::{Native, Throw};

/// A value as text, by JavaScript's own rules, except that a symbol gives its description instead of an
/// exception (k6 does so wherever it takes a string). Lone surrogates become U+FFFD.
///
/// # Errors
///
/// [`Throw::Pending`] if the value's own `toString` or `valueOf` throws.
pub(crate) fn to_text(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    Ok(to_js_text(scope, value)?.to_rust_string_lossy(scope))
}

/// Like [`to_text`], but leaves the text in JavaScript's memory.
///
/// # Errors
///
/// As [`to_text`].
pub(crate) fn to_js_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Native<v8::Local<'s, v8::String>> {
    if let Ok(symbol) = v8::Local::<v8::Symbol>::try_from(value) {
        let description = symbol.description(scope);
        return Ok(description.to_string(scope).filter(|_| description.is_string()).unwrap_or_else(|| {
            // Symbol() has no description.
            v8::String::empty(scope)
        }));
    }
    value.to_string(scope).ok_or(Throw::Pending)
}

/// A value as a number, by JavaScript's own rules.
///
/// # Errors
///
/// [`Throw::Pending`] for symbols, bigints, and objects whose conversion throws.
pub(crate) fn to_number(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<f64> {
    value.number_value(scope).ok_or(Throw::Pending)
}

/// The names of an object's own enumerable properties, as strings.
///
/// # Errors
///
/// [`Throw::Pending`] if the object is a proxy that refuses.
pub(crate) fn own_names<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'_, v8::Object>,
) -> Native<v8::Local<'s, v8::Array>> {
    let wanted =
        v8::GetPropertyNamesArgsBuilder::new().key_conversion(v8::KeyConversionMode::ConvertToString).build();
    object.get_own_property_names(scope, wanted).ok_or(Throw::Pending)
}

/// A string on its way into a buffer of bytes: first its length in UTF-8, then the bytes themselves, so
/// that the buffer can be reserved exactly and nothing is copied twice. Lone surrogates become U+FFFD.
#[derive(Clone, Copy)]
pub(crate) struct Utf8<'s> {
    string: v8::Local<'s, v8::String>,
    len: usize,
}

impl<'s> Utf8<'s> {
    pub(crate) fn new(scope: &v8::Isolate, string: v8::Local<'s, v8::String>) -> Self {
        Utf8 { string, len: string.utf8_length(scope) }
    }

    /// Bytes that [`Utf8::write`] fills.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Fills `buffer`, which is [`Utf8::len`] bytes long.
    pub(crate) fn write(&self, scope: &v8::Isolate, buffer: &mut [u8]) {
        assert_eq!(buffer.len(), self.len, "the buffer is as long as the text");
        if self.len == self.string.length() {
            // As many bytes as UTF-16 units: pure ASCII.
            self.string.write_one_byte_v2(scope, 0, buffer, v8::WriteFlags::empty());
        } else {
            let written = self.string.write_utf8_v2(scope, buffer, v8::WriteFlags::kReplaceInvalidUtf8, None);
            debug_assert_eq!(written, self.len);
        }
    }
}

/// The bytes of an `ArrayBuffer`, a typed array or a `DataView`.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'s> {
    Buffer(v8::Local<'s, v8::ArrayBuffer>),
    View(v8::Local<'s, v8::ArrayBufferView>),
}

impl<'s> Bytes<'s> {
    /// `None` if `value` is no such object.
    pub(crate) fn of(value: v8::Local<'s, v8::Value>) -> Option<Bytes<'s>> {
        if let Ok(buffer) = v8::Local::<v8::ArrayBuffer>::try_from(value) {
            return Some(Bytes::Buffer(buffer));
        }
        v8::Local::<v8::ArrayBufferView>::try_from(value).ok().map(Bytes::View)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Bytes::Buffer(buffer) => buffer.byte_length(),
            Bytes::View(view) => view.byte_length(),
        }
    }

    /// Fills `to`, which is [`Bytes::len`] bytes long.
    pub(crate) fn write(&self, to: &mut [u8]) {
        match self {
            Bytes::Buffer(buffer) => {
                let store = buffer.get_backing_store();
                let from: &[Cell<u8>] = &store;
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from.get();
                }
            }
            Bytes::View(view) => {
                view.copy_contents(to);
            }
        }
    }

    /// A copy of the bytes.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        let mut bytes = vec![0; self.len()];
        self.write(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    #[test]
    fn text_follows_javascript_except_for_symbols() {
        with_scope(|scope| {
            for (source, text) in [
                ("'é😀'", "é😀"),
                ("1.50", "1.5"),
                ("-0", "0"),
                ("null", "null"),
                ("undefined", "undefined"),
                ("10n", "10"),
                ("[1, [2, 3]]", "1,2,3"),
                ("({})", "[object Object]"),
                ("Symbol('d')", "d"),
                ("Symbol()", ""),
                ("'a\\ud800b'", "a\u{FFFD}b"),
            ] {
                let value = run(scope, source);
                assert_eq!(to_text(scope, value), Ok(text.into()), "{source}");
            }
        });
    }

    #[test]
    fn a_conversion_that_throws_leaves_its_exception_pending() {
        with_scope(|scope| {
            let value = run(scope, "({ toString() { throw 5 }, valueOf() { throw 6 } })");
            v8::tc_scope!(let tc, scope);
            assert_eq!(to_text(tc, value), Err(Throw::Pending));
            assert!(tc.exception().is_some_and(|e| e.number_value(tc) == Some(5.0)));
            tc.reset();
            assert_eq!(to_number(tc, value), Err(Throw::Pending));
            assert!(tc.exception().is_some_and(|e| e.number_value(tc) == Some(6.0)));
        });
    }

    #[test]
    fn numbers_follow_javascript() {
        with_scope(|scope| {
            for (source, number) in [("'30'", 30.0), ("null", 0.0), ("true", 1.0), ("[4]", 4.0), ("''", 0.0)]
            {
                let value = run(scope, source);
                assert_eq!(to_number(scope, value), Ok(number), "{source}");
            }
            let value = run(scope, "undefined");
            assert!(to_number(scope, value).is_ok_and(f64::is_nan));
        });
    }

    #[test]
    fn a_string_fills_a_buffer_of_its_own_length() {
        with_scope(|scope| {
            for (source, bytes) in [
                ("''", &b""[..]),
                ("'plain'", b"plain"),
                ("'caf\\xe9'", "café".as_bytes()),
                ("'😀 and é'", "😀 and é".as_bytes()),
                ("'\\ud800'", "\u{FFFD}".as_bytes()),
                ("'x\\udc00\\ud800y'", "x\u{FFFD}\u{FFFD}y".as_bytes()),
                (
                    "'ab'.repeat(50) + 'cd'.repeat(50)",
                    format!("{}{}", "ab".repeat(50), "cd".repeat(50)).as_bytes(),
                ),
            ] {
                let string = run(scope, source).to_string(scope).unwrap();
                let text = Utf8::new(scope, string);
                let mut buffer = vec![0; text.len()];
                text.write(scope, &mut buffer);
                assert_eq!(buffer, bytes, "{source}");
            }
        });
    }

    #[test]
    fn binary_objects_give_their_window_of_bytes() {
        with_scope(|scope| {
            for (source, bytes) in [
                ("new Uint8Array([1, 2, 255]).buffer", Some(vec![1, 2, 255])),
                ("new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", Some(vec![2, 3])),
                ("new Uint16Array([258])", Some(vec![2, 1])),
                ("new DataView(new Uint8Array([7, 8, 9]).buffer, 1)", Some(vec![8, 9])),
                ("new ArrayBuffer(0)", Some(vec![])),
                ("[1, 2]", None),
                ("'ab'", None),
            ] {
                let value = run(scope, source);
                assert_eq!(Bytes::of(value).map(Bytes::to_vec), bytes, "{source}");
            }
        });
    }
}

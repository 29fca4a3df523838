//! JSON of the data that `setup` hands to the other functions.
//!
//! Not JavaScript's own `JSON.stringify`: k6 passes the data through another encoder, and scripts see the
//! difference. `toJSON` is not called, numbers that JSON lacks are errors instead of `null`, a `Map` is a
//! list of pairs.

use std::fmt::Write as _;
use std::ops::Range;

use crate::binding::{Native, Throw};
use crate::convert::{Bytes, Nesting, Refused, js_string, own_names, to_number, to_text};

/// A value as JSON, or `None` for `undefined`.
///
/// Inside, `undefined` and invalid dates are null, dates RFC 3339 text, `Uint8Array`s base64, other typed
/// arrays lists of numbers, maps lists of pairs, sets lists, symbols their description, bigints numbers.
///
/// # Errors
///
/// [`Throw::Plain`] with `json: unsupported value: ...` for NaN, infinities and cycles, with
/// `json: unsupported type: ...` for functions; [`Throw::Pending`] if a getter throws.
pub(crate) fn json_stringify(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Native<Option<String>> {
    if value.is_undefined() {
        return Ok(None);
    }
    let mut encoder = Encoder::default();
    encoder.value(scope, value, None)?;
    Ok(Some(encoder.text))
}

/// Parses JSON text.
///
/// # Errors
///
/// [`Throw::Pending`] with a `SyntaxError` if it is not JSON.
pub(crate) fn json_parse<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    text: &str,
) -> Native<v8::Local<'s, v8::Value>> {
    let text = js_string(scope, text.as_bytes());
    v8::json::parse(scope, text).ok_or(Throw::Pending)
}

/// How deep objects may be nested. Setup data is encoded with nearly all of a thread's stack to go.
const MAX_DEPTH: usize = 100;

#[derive(Default)]
struct Encoder {
    text: String,
}

impl Encoder {
    fn value(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        value: v8::Local<'_, v8::Value>,
        outer: Option<&Nesting<'_>>,
    ) -> Native {
        if value.is_null_or_undefined() {
            self.text.push_str("null");
        } else if value.is_boolean() {
            self.text.push_str(if value.is_true() { "true" } else { "false" });
        } else if value.is_big_int() {
            self.text.push_str(&to_text(scope, value)?);
        } else if value.is_number() || value.is_number_object() {
            self.number(scope, value)?;
        } else if value.is_string() || value.is_symbol() || value.is_string_object() {
            let text = to_text(scope, value)?;
            self.string(&text);
        } else if value.is_function() {
            let text = "json: unsupported type: func(sobek.FunctionCall) sobek.Value";
            return Err(Throw::Plain(text.into()));
        } else if let Ok(date) = v8::Local::<v8::Date>::try_from(value) {
            self.date(scope, date)?;
        } else if let Some(bytes) = Bytes::of(value).filter(|_| value.is_uint8_array()) {
            self.base64(&bytes.to_vec());
        } else if let Ok(object) = v8::Local::<v8::Object>::try_from(value) {
            let inside = Nesting::enter(outer, object, MAX_DEPTH).map_err(|refused| {
                Throw::Plain(match refused {
                    Refused::Cycle => {
                        "json: unsupported value: encountered a cycle via map[string]interface {}".into()
                    }
                    Refused::TooDeep => "json: unsupported value: objects are nested too deeply".into(),
                })
            })?;
            self.object(scope, object, &inside)?;
        }
        Ok(())
    }

    fn number(&mut self, scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native {
        let number = to_number(scope, value)?;
        if !number.is_finite() {
            let name = if number.is_nan() { "NaN" } else { ["+Inf", "-Inf"][usize::from(number < 0.0)] };
            return Err(Throw::Plain(format!("json: unsupported value: {name}")));
        }
        let number = v8::Number::new(scope, number);
        self.text.push_str(&to_text(scope, number.into())?);
        Ok(())
    }

    fn date(&mut self, scope: &mut v8::PinScope<'_, '_>, date: v8::Local<'_, v8::Date>) -> Native {
        if date.value_of().is_nan() {
            self.text.push_str("null");
            return Ok(());
        }
        // The standard JSON form always has milliseconds; RFC 3339 as k6 writes it only the digits it needs.
        let text = v8::json::stringify(scope, date.into()).ok_or(Throw::Pending)?.to_rust_string_lossy(scope);
        let text = text.trim_matches('"').trim_end_matches('Z');
        let text = text.rsplit_once('.').map_or(text.to_owned(), |(seconds, fraction)| {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { seconds.to_owned() } else { format!("{seconds}.{fraction}") }
        });
        self.string(&format!("{text}Z"));
        Ok(())
    }

    fn object(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        inside: &Nesting<'_>,
    ) -> Native {
        if let Ok(array) = v8::Local::<v8::Array>::try_from(object) {
            return self.list(scope, object, 0..array.length(), inside);
        }
        if let Ok(array) = v8::Local::<v8::TypedArray>::try_from(object) {
            return self.list(scope, object, 0..array.length() as u32, inside);
        }
        if let Ok(set) = v8::Local::<v8::Set>::try_from(object) {
            let members = set.as_array(scope);
            return self.list(scope, members.into(), 0..members.length(), inside);
        }
        if let Ok(map) = v8::Local::<v8::Map>::try_from(object) {
            // Keys and values, one after the other.
            let entries = map.as_array(scope);
            self.text.push('[');
            for index in (0..entries.length()).step_by(2) {
                self.comma(index);
                self.list(scope, entries.into(), index..index + 2, inside)?;
            }
            self.text.push(']');
            return Ok(());
        }
        self.text.push('{');
        let names = own_names(scope, object)?;
        for index in 0..names.length() {
            let name = names.get_index(scope, index).ok_or(Throw::Pending)?;
            self.comma(index);
            let text = to_text(scope, name)?;
            self.string(&text);
            self.text.push(':');
            self.member(scope, object, name, inside)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn list(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        range: Range<u32>,
        inside: &Nesting<'_>,
    ) -> Native {
        self.text.push('[');
        for index in range.clone() {
            self.comma(index - range.start);
            let name = v8::Integer::new_from_unsigned(scope, index);
            self.member(scope, object, name.into(), inside)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn member(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        name: v8::Local<'_, v8::Value>,
        inside: &Nesting<'_>,
    ) -> Native {
        // A scope per member: an array of a million entries must not pile up a million handles.
        v8::scope!(let scope, scope);
        let value = object.get(scope, name).ok_or(Throw::Pending)?;
        self.value(scope, value, Some(inside))
    }

    fn comma(&mut self, index: u32) {
        if index > 0 {
            self.text.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{0}'..='\u{1F}' => {
                    let _ = write!(self.text, "\\u{:04x}", character as u32);
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    fn base64(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        self.text.push('"');
        for chunk in bytes.chunks(3) {
            let bits =
                chunk.iter().enumerate().fold(0, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
            for digit in 0..4 {
                let index = (bits >> (18 - 6 * digit)) & 63;
                self.text.push(if digit <= chunk.len() { DIGITS[index as usize] as char } else { '=' });
            }
        }
        self.text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{eval, run, with_scope};

    fn encode(source: &str) -> Result<Option<String>, Throw> {
        with_scope(|scope| {
            let value = run(scope, source);
            v8::tc_scope!(let tc, scope);
            json_stringify(tc, value)
        })
    }

    #[test]
    fn values_are_encoded_as_k6_does() {
        for (source, json) in [
            ("null", "null"),
            ("'str'", "\"str\""),
            ("5n", "5"),
            ("-0", "0"),
            ("[1e21, 0.1, true, undefined, null, , 2]", "[1e+21,0.1,true,null,null,null,2]"),
            ("({ z: 1, a: { u: undefined } })", "{\"z\":1,\"a\":{\"u\":null}}"),
            (
                "[new Date(0), new Date(1700000000123), new Date(NaN)]",
                "[\"1970-01-01T00:00:00Z\",\"2023-11-14T22:13:20.123Z\",null]",
            ),
            ("[new Uint8Array([1, 2]), new Int8Array([-1]), new ArrayBuffer(1)]", "[\"AQI=\",[-1],{}]"),
            ("[new Map([['k', 1], [2, 'v']]), new Set([1, 'a'])]", "[[[\"k\",1],[2,\"v\"]],[1,\"a\"]]"),
            ("[Symbol('q'), Object('s'), Object(1), /x/, new Error('e')]", "[\"q\",\"s\",1,{},{}]"),
            ("'<\"\\\\\\n\\u0001é\\ud800>'", "\"<\\\"\\\\\\u000a\\u0001é\u{FFFD}>\""),
            ("const o = { a: 1 }; [o, o]", "[{\"a\":1},{\"a\":1}]"),
            ("new (class { b = 1; get c() { return 2 } })()", "{\"b\":1}"),
        ] {
            assert_eq!(encode(source), Ok(Some(json.into())), "{source}");
        }
        assert_eq!(encode("undefined"), Ok(None));
    }

    #[test]
    fn base64_pads() {
        for (source, json) in
            [("[]", ""), ("[255]", "/w=="), ("[255, 254]", "//4="), ("[1, 2, 3, 4]", "AQIDBA==")]
        {
            let json = format!("\"{json}\"");
            assert_eq!(encode(&format!("new Uint8Array({source})")), Ok(Some(json)), "{source}");
        }
    }

    #[test]
    fn what_json_cannot_say_is_an_error() {
        let plain = |text: &str| Err(Throw::Plain(text.into()));
        assert_eq!(encode("NaN"), plain("json: unsupported value: NaN"));
        assert_eq!(encode("[1, Infinity]"), plain("json: unsupported value: +Inf"));
        assert_eq!(encode("[-Infinity]"), plain("json: unsupported value: -Inf"));
        assert_eq!(
            encode("({ toJSON() { return 5 } })"),
            plain("json: unsupported type: func(sobek.FunctionCall) sobek.Value")
        );
        assert_eq!(
            encode("const c = { d: {} }; c.d.c = c; c"),
            plain("json: unsupported value: encountered a cycle via map[string]interface {}")
        );
        assert_eq!(
            encode("let d = 1; for (let i = 0; i < 1e4; i++) d = [d]; d"),
            plain("json: unsupported value: objects are nested too deeply")
        );
        assert_eq!(encode("({ get a() { throw 1 } })"), Err(Throw::Pending));
    }

    #[test]
    fn json_is_parsed_by_v8() {
        with_scope(|scope| {
            let value = json_parse(scope, "{\"a\":[1,\"é\"]}").unwrap();
            let context = scope.get_current_context();
            let global = context.global(scope);
            crate::binding::set(scope, global, "parsed", value);
            assert_eq!(eval(scope, "parsed.a.join()"), "1,é");
            v8::tc_scope!(let tc, scope);
            assert_eq!(json_parse(tc, "{").err(), Some(Throw::Pending));
        });
    }
}

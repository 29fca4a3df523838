//! How `console` shows values, after k6 1.6 and later.
//!
//! Strings are raw at top level and in plain quotes inside (nothing is escaped), objects and arrays are on
//! one line, and what has no own enumerable property is `{}`. A getter that throws makes the console call
//! throw.

use std::fmt::Write as _;

use crate::binding::{Native, Throw};
use crate::convert::{Bytes, Nesting, Refused, own_names, to_text};

/// The line that `console.log(...arguments)` writes: the values joined by spaces.
///
/// # Errors
///
/// [`Throw::Pending`] if a getter or a `toString` of a value throws.
pub(crate) fn console_line(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: &[v8::Local<'_, v8::Value>],
) -> Native<String> {
    let texts: Vec<String> =
        arguments.iter().map(|argument| inspect(scope, *argument)).collect::<Native<_>>()?;
    Ok(texts.join(" "))
}

/// One value as the console shows it at top level.
///
/// # Errors
///
/// As [`console_line`].
pub(crate) fn inspect(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    if value.is_string() || value.is_symbol() || value.is_null_or_undefined() {
        return to_text(scope, value);
    }
    let mut printer = Printer::default();
    printer.value(scope, value, None)?;
    Ok(printer.text)
}

/// How deep objects are shown. Scripts call the console with what V8 leaves of the stack (`platform.rs`), and
/// one object takes up to 4.5 KB of it in a debug build.
const MAX_DEPTH: usize = 40;

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn value(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        value: v8::Local<'_, v8::Value>,
        outer: Option<&Nesting<'_>>,
    ) -> Native {
        if value.is_null_or_undefined() {
            self.text.push_str("null");
        } else if value.is_string() || value.is_symbol() {
            let text = to_text(scope, value)?;
            let _ = write!(self.text, "\"{text}\"");
        } else if value.is_function() {
            self.text.push_str("[object Function]");
        } else if value.is_native_error() {
            self.text.push_str(&to_text(scope, value)?);
        } else if let Ok(date) = v8::Local::<v8::Date>::try_from(value) {
            self.date(scope, date)?;
        } else if let Ok(object) = v8::Local::<v8::Object>::try_from(value) {
            match Nesting::enter(outer, object, MAX_DEPTH) {
                Ok(inside) => self.object(scope, object, &inside)?,
                Err(Refused::Cycle) => self.text.push_str("[Circular]"),
                Err(Refused::TooDeep) => self.text.push_str("[Object]"),
            }
        } else {
            // Numbers, bigints and booleans.
            self.text.push_str(&to_text(scope, value)?);
        }
        Ok(())
    }

    fn date(&mut self, scope: &mut v8::PinScope<'_, '_>, date: v8::Local<'_, v8::Date>) -> Native {
        if date.value_of().is_nan() {
            self.text.push_str("{}");
        } else {
            let json = v8::json::stringify(scope, date.into()).ok_or(Throw::Pending)?;
            self.text.push_str(&json.to_rust_string_lossy(scope));
        }
        Ok(())
    }

    fn object(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        inside: &Nesting<'_>,
    ) -> Native {
        if let Ok(array) = v8::Local::<v8::Array>::try_from(object) {
            return self.list(scope, object, array.length(), inside);
        }
        if let Ok(array) = v8::Local::<v8::TypedArray>::try_from(object) {
            let _ = write!(self.text, "{}({}) ", typed_array_name(array), array.length());
            return self.list(scope, object, array.length() as u32, inside);
        }
        if let Some(bytes) = Bytes::of(object.into()).filter(|_| object.is_array_buffer()) {
            self.text.push_str("ArrayBuffer { [Uint8Contents]: <");
            for (index, byte) in bytes.to_vec().iter().enumerate() {
                let space = if index == 0 { "" } else { " " };
                let _ = write!(self.text, "{space}{byte:02x}");
            }
            let _ = write!(self.text, ">, byteLength: {} }}", bytes.len());
            return Ok(());
        }
        let names = own_names(scope, object)?;
        if names.length() == 0 {
            self.text.push_str("{}");
            return Ok(());
        }
        for index in 0..names.length() {
            let name = names.get_index(scope, index).ok_or(Throw::Pending)?;
            let text = to_text(scope, name)?;
            let _ = write!(self.text, "{} {text}: ", if index == 0 { "{" } else { "," });
            self.member(scope, object, name, inside)?;
        }
        self.text.push_str(" }");
        Ok(())
    }

    fn list(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        length: u32,
        inside: &Nesting<'_>,
    ) -> Native {
        if length == 0 {
            self.text.push_str("[]");
            return Ok(());
        }
        for index in 0..length {
            self.text.push_str(if index == 0 { "[ " } else { ", " });
            let name = v8::Integer::new_from_unsigned(scope, index);
            self.member(scope, object, name.into(), inside)?;
        }
        self.text.push_str(" ]");
        Ok(())
    }

    fn member(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        object: v8::Local<'_, v8::Object>,
        name: v8::Local<'_, v8::Value>,
        inside: &Nesting<'_>,
    ) -> Native {
        // A scope per member: a large array must not pile up handles.
        v8::scope!(let scope, scope);
        let value = object.get(scope, name).ok_or(Throw::Pending)?;
        self.value(scope, value, Some(inside))
    }
}

fn typed_array_name(array: v8::Local<'_, v8::TypedArray>) -> &'static str {
    let name = array.type_repr();
    // A plain `TypedArray` would be a kind of array that is newer than the V8 bindings.
    if name.is_empty() { "TypedArray" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    fn shown(source: &str) -> String {
        with_scope(|scope| {
            let value = run(scope, source);
            inspect(scope, value).expect("nothing throws")
        })
    }

    fn table(rows: &[(&str, &str)]) {
        for (source, text) in rows {
            assert_eq!(shown(source), *text, "{source}");
        }
    }

    #[test]
    fn primitives_are_shown_raw() {
        table(&[
            (r#"'he"l\'lo'"#, "he\"l'lo"),
            ("''", ""),
            ("-0", "0"),
            ("1e21", "1e+21"),
            ("10n", "10"),
            ("true", "true"),
            ("null", "null"),
            ("undefined", "undefined"),
            ("Symbol('sy')", "sy"),
            ("Symbol()", ""),
            ("'\\ud800x'", "\u{FFFD}x"),
        ]);
    }

    #[test]
    fn objects_and_arrays_are_on_one_line() {
        table(&[
            ("({ a: 1, b: [1, 'x'] })", "{ a: 1, b: [ 1, \"x\" ] }"),
            ("({})", "{}"),
            ("[]", "[]"),
            ("({ a: { b: { c: { d: { e: { f: 1 } } } } } })", "{ a: { b: { c: { d: { e: { f: 1 } } } } } }"),
            ("({ 'a b': 1, 'c-d': 2, 3: 4, '': 6, 'q\"': 7 })", "{ 3: 4, a b: 1, c-d: 2, : 6, q\": 7 }"),
            ("[1, , 3, undefined, null]", "[ 1, null, 3, null, null ]"),
            ("[NaN, Infinity, -0, 5n]", "[ NaN, Infinity, 0, 5 ]"),
            (r#"['a"b', 'new\nline', '\\']"#, "[ \"a\"b\", \"new\nline\", \"\\\" ]"),
            ("Object.assign([1, 2], { x: 3 })", "[ 1, 2 ]"),
            ("Object.create({ p: 1 }, { q: { value: 2, enumerable: true }, r: { value: 3 } })", "{ q: 2 }"),
            ("({ [Symbol('s')]: 1, a: Symbol('t') })", "{ a: \"t\" }"),
            ("({ get a() { return 1 } })", "{ a: 1 }"),
            ("({ toJSON() { return 'TJ' } })", "{ toJSON: [object Function] }"),
            ("Object.assign(Object.create(null), { a: 1 })", "{ a: 1 }"),
            ("const s = { z: 1 }; [s, s]", "[ { z: 1 }, { z: 1 } ]"),
            (
                "const c = { a: 1 }; c.self = c; c.arr = [c]; c",
                "{ a: 1, self: [Circular], arr: [ [Circular] ] }",
            ),
        ]);
    }

    #[test]
    fn special_objects_are_shown_as_k6_does() {
        table(&[
            ("new Date(0)", "\"1970-01-01T00:00:00.000Z\""),
            ("({ d: new Date(0), bad: new Date(NaN) })", "{ d: \"1970-01-01T00:00:00.000Z\", bad: {} }"),
            ("(class {})", "[object Function]"),
            ("({ f() {}, g: async () => 1 })", "{ f: [object Function], g: [object Function] }"),
            ("new Error('boom')", "Error: boom"),
            (
                "const e = new Error('c'); e.extra = 1; e.name = 'My'; [e, new TypeError()]",
                "[ My: c, TypeError ]",
            ),
            (
                "[new Map([[1, 2]]), new Set([1]), /x/g, new WeakMap(), Promise.resolve(1)]",
                "[ {}, {}, {}, {}, {} ]",
            ),
            ("new (class { constructor() { this.x = 1 } get g() { return 5 } })()", "{ x: 1 }"),
            ("Object('str')", "{ 0: \"s\", 1: \"t\", 2: \"r\" }"),
            ("[Object(5), Object(false)]", "[ {}, {} ]"),
            ("new Proxy([1, 2], {})", "{ 0: 1, 1: 2 }"),
            ("(function () { return arguments })(1, 'a')", "{ 0: 1, 1: \"a\" }"),
        ]);
    }

    #[test]
    fn binary_objects_show_their_contents() {
        table(&[
            ("new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"),
            ("new Float64Array([1.5, NaN])", "Float64Array(2) [ 1.5, NaN ]"),
            ("new BigInt64Array([5n])", "BigInt64Array(1) [ 5 ]"),
            ("new Uint8Array(0)", "Uint8Array(0) []"),
            ("new Uint8ClampedArray(1)", "Uint8ClampedArray(1) [ 0 ]"),
            (
                "new Uint8Array([1, 2, 255]).buffer",
                "ArrayBuffer { [Uint8Contents]: <01 02 ff>, byteLength: 3 }",
            ),
            ("[new ArrayBuffer(0)]", "[ ArrayBuffer { [Uint8Contents]: <>, byteLength: 0 } ]"),
            ("new DataView(new ArrayBuffer(2))", "{}"),
        ]);
    }

    #[test]
    fn what_throws_while_shown_makes_the_call_throw() {
        for source in
            ["({ get a() { throw 1 }, b: 2 })", "const e = new Error(); e.toString = () => { throw 1 }; [e]"]
        {
            with_scope(|scope| {
                v8::tc_scope!(let tc, scope);
                let value = run(tc, source);
                assert_eq!(inspect(tc, value), Err(Throw::Pending), "{source}");
            });
        }
    }

    #[test]
    fn a_line_is_its_values_and_spaces() {
        with_scope(|scope| {
            let values = ["'%s'", "''", "1", "[undefined]", "undefined"].map(|source| run(scope, source));
            assert_eq!(console_line(scope, &values), Ok("%s  1 [ null ] undefined".into()));
            assert_eq!(console_line(scope, &[]), Ok(String::new()));
        });
    }

    #[test]
    fn the_depth_is_bounded() {
        let shown = shown("let d = 1; for (let i = 0; i < 1e4; i++) d = [d]; d");
        assert!(shown.contains("[ [Object] ]"), "{shown}");
    }
}

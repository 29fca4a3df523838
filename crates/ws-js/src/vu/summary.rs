//! `handleSummary(data)`: what the script wants to be written at the end of a run.

use std::sync::Arc;
use std::time::Duration;

use crate::api::entries;
use crate::binding;
use crate::convert::{Bytes, json_parse, to_number, to_text};
use crate::exception::JsException;
use crate::realm::Realm;

pub(super) const FUNCTION: &str = "handleSummary";

/// What `handleSummary()` made of the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// Nothing: there is no such function, or it returned `undefined` or `null`.
    Nothing,
    /// Contents by the name of the file they are for, or of a stream, in the order of the object.
    Files(Vec<(String, Vec<u8>)>),
}

/// Why `handleSummary()` gave nothing that can be written. The texts are k6's.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SummaryError {
    /// The init stage failed in the VU made for it.
    #[error("{0}")]
    Init(String),
    /// The script exports something else under this name.
    #[error("exported identifier handleSummary must be a function")]
    NotAFunction,
    /// The function threw.
    #[error("{0}")]
    Threw(JsException),
    /// It took too long.
    #[error("handleSummary() execution timed out after {:.0} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It was cut short by the end of the runtime.
    #[error("handleSummary() was interrupted")]
    Interrupted,
    /// What it returned is no object with names and contents.
    #[error("handleSummary() should return a map with string keys")]
    NotAMap,
    /// One of the contents is neither text nor bytes.
    #[error(
        "error handling summary object {name}: invalid type {kind}, it needs to be a string or ArrayBuffer"
    )]
    Content {
        /// The name it has in the object.
        name: String,
        /// What it is instead, in the words of k6.
        kind: &'static str,
    },
}

pub(crate) type SummaryResult = Result<Summary, SummaryError>;

/// What the function is called with.
pub(crate) struct Results {
    /// A JSON object. Figures that JSON has no numbers for are text: `Infinity`, `-Infinity` and `NaN`.
    pub(crate) data: String,
    /// Its property `setup_data`: JSON, or `None` for `undefined`.
    pub(crate) setup_data: Option<Arc<str>>,
}

/// The result, if there is no function to call.
pub(super) fn exported(scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Option<SummaryResult> {
    let name = binding::string(scope, FUNCTION).into();
    let exported = realm.exports(scope).and_then(|exports| exports.has_own_property(scope, name));
    if exported != Some(true) {
        return Some(Ok(Summary::Nothing));
    }
    realm.export(scope, FUNCTION).is_none().then_some(Err(SummaryError::NotAFunction))
}

/// What the function is called with.
pub(super) fn argument<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    results: &Results,
) -> Option<v8::Local<'s, v8::Value>> {
    let data = json_parse(scope, &results.data).ok()?;
    let setup_data = results.setup_data.as_deref().and_then(|json| json_parse(scope, json).ok());
    let setup_data = setup_data.unwrap_or_else(|| v8::undefined(scope).into());
    if let Ok(object) = v8::Local::<v8::Object>::try_from(data) {
        binding::set(scope, object, "setup_data", setup_data);
        restore_numbers(scope, object);
    }
    Some(data)
}

/// Makes numbers of the figures that came as text.
fn restore_numbers<'s>(scope: &mut v8::PinScope<'s, '_>, data: v8::Local<'s, v8::Object>) {
    let Some(metrics) = member(scope, data, "metrics") else { return };
    for (_, metric) in entries(scope, metrics).unwrap_or_default() {
        let metric = v8::Local::<v8::Object>::try_from(metric).ok();
        let Some(values) = metric.and_then(|metric| member(scope, metric, "values")) else { continue };
        for (name, figure) in entries(scope, values).unwrap_or_default() {
            if figure.is_string()
                && let Some(number) = figure.to_number(scope)
            {
                binding::set(scope, values, &name, number.into());
            }
        }
    }
}

fn member<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
) -> Option<v8::Local<'s, v8::Object>> {
    let name = binding::string(scope, name).into();
    object.get(scope, name)?.try_into().ok()
}

/// What the function returned.
pub(super) fn read(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> SummaryResult {
    if value.is_null_or_undefined() {
        return Ok(Summary::Nothing);
    }
    // A string in an object's clothes has no properties for k6.
    if value.is_string_object() {
        return Ok(Summary::Files(Vec::new()));
    }
    let value = v8::Local::new(scope, value);
    v8::tc_scope!(let tc, scope);
    let object = match v8::Local::<v8::Object>::try_from(value) {
        Ok(object) if kind(tc, value) == MAP => object,
        _ => return Err(SummaryError::NotAMap),
    };
    let Ok(entries) = entries(tc, object) else {
        return Err(SummaryError::Threw(JsException::from_try_catch(tc)));
    };
    let mut files = Vec::new();
    for (name, value) in entries {
        match content(tc, value) {
            Some(bytes) => files.push((name, bytes)),
            None => return Err(SummaryError::Content { name, kind: kind(tc, value) }),
        }
    }
    Ok(Summary::Files(files))
}

fn content(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Option<Vec<u8>> {
    if value.is_string() || value.is_symbol() {
        return to_text(scope, value).ok().map(String::into_bytes);
    }
    let is_bytes = value.is_array_buffer() || value.is_uint8_array() || value.is_uint8_clamped_array();
    Bytes::of(value).filter(|_| is_bytes).map(Bytes::to_vec)
}

/// What k6 calls an object that is nothing more special.
const MAP: &str = "map[string]interface {}";

/// The largest number up to which all whole numbers are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What k6 calls a value's type.
fn kind(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> &'static str {
    let is_whole = |number: f64| {
        number.fract() == 0.0 && number.abs() <= EXACT && !(number == 0.0 && number.is_sign_negative())
    };
    match value {
        _ if value.is_null_or_undefined() => "<nil>",
        _ if value.is_boolean() || value.is_boolean_object() => "bool",
        _ if value.is_number() || value.is_number_object() => match to_number(scope, value) {
            Ok(number) if is_whole(number) => "int64",
            _ => "float64",
        },
        _ if value.is_string() || value.is_symbol() || value.is_symbol_object() => "string",
        _ if value.is_big_int() || value.is_big_int_object() => "*big.Int",
        _ if value.is_function() => "func(sobek.FunctionCall) sobek.Value",
        _ if value.is_promise() => "*sobek.Promise",
        _ if value.is_proxy() => "sobek.Proxy",
        _ if value.is_date() => "time.Time",
        _ if value.is_map() => "[][2]interface {}",
        _ if value.is_array() || value.is_set() => "[]interface {}",
        _ if value.is_array_buffer() => "sobek.ArrayBuffer",
        _ if value.is_uint8_array() || value.is_uint8_clamped_array() => "[]uint8",
        _ if value.is_int8_array() => "[]int8",
        _ if value.is_int16_array() => "[]int16",
        _ if value.is_uint16_array() => "[]uint16",
        _ if value.is_int32_array() => "[]int32",
        _ if value.is_uint32_array() => "[]uint32",
        _ if value.is_big_int64_array() => "[]int64",
        _ if value.is_big_uint64_array() => "[]uint64",
        _ if value.is_float32_array() => "[]float32",
        _ if value.is_float64_array() => "[]float64",
        _ => MAP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    fn answer(source: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
        with_scope(|scope| {
            let value = run(scope, source);
            match read(scope, value) {
                Ok(Summary::Files(files)) => Ok(files),
                Ok(Summary::Nothing) => Err("nothing".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    #[test]
    fn contents_are_texts_or_bytes_in_order() {
        let files = answer(
            "({ stdout: 'é', 'b.bin': new Uint8Array([0, 255]).buffer, a: new Uint8Array([1, 2, 3]).subarray(1),
               s: Symbol('text'), get got() { return '' }, [Symbol('no key')]: 1, 5: 'five' })",
        );
        let expected: [(&str, &[u8]); 6] = [
            ("5", b"five"),
            ("stdout", "é".as_bytes()),
            ("b.bin", &[0, 255]),
            ("a", &[2, 3]),
            ("s", b"text"),
            ("got", b""),
        ];
        let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(files, Ok(expected.to_vec()));
        for source in ["({})", "Object.create({ stdout: 'x' })", "new Error('x')", "Object('abc')", "/x/"] {
            assert_eq!(answer(source), Ok(Vec::new()), "{source}");
        }
    }

    #[test]
    fn without_an_object_there_is_nothing_or_an_error() {
        for source in ["undefined", "null"] {
            assert_eq!(answer(source), Err("nothing".to_owned()));
        }
        for source in [
            "5",
            "'text'",
            "true",
            "10n",
            "Symbol('s')",
            "['a']",
            "() => 1",
            "new Map([['stdout', 'x']])",
            "new Set()",
            "new Date()",
            "new ArrayBuffer(1)",
            "new Uint8Array(1)",
            "Object(3)",
            "new Proxy({ stdout: 'x' }, {})",
        ] {
            let text = "handleSummary() should return a map with string keys";
            assert_eq!(answer(source), Err(text.to_owned()), "{source}");
        }
    }

    #[test]
    fn contents_of_other_types_are_named_as_k6_names_them() {
        for (value, kind) in [
            ("null", "<nil>"),
            ("undefined", "<nil>"),
            ("5", "int64"),
            ("2 ** 40", "int64"),
            ("Object(3)", "int64"),
            ("1.5", "float64"),
            ("-0", "float64"),
            ("NaN", "float64"),
            ("1e300", "float64"),
            ("true", "bool"),
            ("10n", "*big.Int"),
            ("{}", "map[string]interface {}"),
            ("Object('s')", "map[string]interface {}"),
            ("new DataView(new ArrayBuffer(1))", "map[string]interface {}"),
            ("[1]", "[]interface {}"),
            ("new Set()", "[]interface {}"),
            ("new Map()", "[][2]interface {}"),
            ("new Date(0)", "time.Time"),
            ("() => 1", "func(sobek.FunctionCall) sobek.Value"),
            ("Promise.resolve('x')", "*sobek.Promise"),
            ("new Proxy({}, {})", "sobek.Proxy"),
            ("new Int8Array(1)", "[]int8"),
            ("new BigUint64Array(1)", "[]uint64"),
            ("new Float32Array(1)", "[]float32"),
        ] {
            let text = format!(
                "error handling summary object out: invalid type {kind}, it needs to be a string or ArrayBuffer"
            );
            assert_eq!(answer(&format!("({{ ok: 'x', out: {value} }})")), Err(text), "{value}");
        }
    }

    #[test]
    fn a_getter_that_throws_is_an_exception() {
        let text = answer("({ get stdout() { throw new Error('no') } })").unwrap_err();
        assert!(text.starts_with("Error: no\n\tat get stdout ("), "{text}");
    }
}

//! `Response.json(selector?)`.

use crate::binding::{self, Native, Throw};
use crate::convert::{self, Bytes};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The body as a value, or what a GJSON path finds in it.
pub(super) fn json<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let name = binding::string(scope, "body").into();
    let body = arguments.this().get(scope, name).ok_or(Throw::Pending)?;
    if body.is_null_or_undefined() {
        return Err(Throw::Go(
            "the body is null so we can't transform it to JSON - this likely was because of a request error getting \
             the response"
                .into(),
        ));
    }
    let selector = arguments.get(0);
    let (text, bytes) = match Bytes::of(body) {
        Some(bytes) => {
            let bytes = bytes.to_vec();
            (convert::js_string(scope, &bytes), Some(bytes))
        }
        None => (convert::to_js_text(scope, body)?, None),
    };
    if selector.is_null_or_undefined() {
        v8::tc_scope!(let tc, scope);
        if let Some(value) = v8::json::parse(tc, text) {
            return Ok(value);
        }
        // V8 says where, but not as k6 does.
        tc.reset();
        let text = bytes.unwrap_or_else(|| text.to_rust_string_lossy(tc).into_bytes());
        return Err(Throw::Go(fault(&text)));
    }
    let selector = convert::to_text(scope, selector)?;
    let text = match bytes {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => text.to_rust_string_lossy(scope),
    };
    let found = if gjson::valid(&text) { Some(gjson::get(&text, &selector)) } else { None };
    match found.filter(gjson::Value::exists) {
        Some(found) => {
            let found = binding::string(scope, found.json());
            v8::json::parse(scope, found).ok_or(Throw::Pending)
        }
        None => Ok(v8::undefined(scope).into()),
    }
}

/// What is wrong with a text that is no JSON.
fn fault(text: &[u8]) -> String {
    let (line, column, why) = match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Ok(_) => (1, 1, "invalid JSON".to_owned()),
        Err(error) => {
            let (line, column) = (error.line().max(1), error.column());
            let why = if error.is_eof() {
                "unexpected end of JSON input".to_owned()
            } else {
                let at = text.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
                let at = String::from_utf8_lossy(at.get(column.saturating_sub(1)..).unwrap_or_default());
                let character = at.chars().next().unwrap_or(' ');
                format!("invalid character '{character}' {}", place(&error.to_string()))
            };
            (line, column, why)
        }
    };
    format!("cannot parse json due to an error at line {line}, character {column} , error: {why}")
}

/// Where a character stands that must not, in Go's words.
fn place(error: &str) -> &'static str {
    [
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
        ("expected `:`", "after object key"),
        ("key must be a string", "looking for beginning of object key string"),
        ("trailing characters", "after top-level value"),
    ]
    .into_iter()
    .find(|(words, _)| error.starts_with(words))
    .map_or("looking for beginning of value", |(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_place() {
        for (text, expected) in [
            ("ok", "line 1, character 1 , error: invalid character 'o' looking for beginning of value"),
            ("[1", "error: unexpected end of JSON input"),
            ("[1 2]", "line 1, character 4 , error: invalid character '2' after array element"),
            ("{\n\"a\" 1}", "line 2, character 5 , error: invalid character '1' after object key"),
            ("12 x", "line 1, character 4 , error: invalid character 'x' after top-level value"),
        ] {
            let fault = fault(text.as_bytes());
            assert!(fault.ends_with(expected), "{text}: {fault}");
        }
    }
}

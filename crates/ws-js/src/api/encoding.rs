//! `k6/encoding`: base64 (RFC 4648) in four spellings.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

use crate::binding::{self, Native, Throw, native};
use crate::convert::{self, Bytes};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type Value<'s> = v8::Local<'s, v8::Value>;

/// The exports of `k6/encoding`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    binding::set_function(scope, exports, "b64encode", native!(b64encode), None);
    binding::set_function(scope, exports, "b64decode", native!(b64decode), None);
    exports
}

const STANDARD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One spelling: its digits, and whether the end is filled up with `=`.
struct Spelling {
    digits: &'static str,
    is_padded: bool,
    encoding: Encoding,
}

impl Spelling {
    fn new(digits: &'static str, is_padded: bool) -> Self {
        let mut specification = Specification::new();
        specification.symbols.push_str(digits);
        specification.padding = is_padded.then_some('=');
        // Bits behind the last byte are nobody's, and k6 does not look at them.
        specification.check_trailing_bits = false;
        let encoding = specification.encoding().expect("64 digits make an encoding");
        Self { digits, is_padded, encoding }
    }
}

static SPELLINGS: LazyLock<[Spelling; 4]> = LazyLock::new(|| {
    [(STANDARD, true), (STANDARD, false), (URL, true), (URL, false)]
        .map(|(digits, is_padded)| Spelling::new(digits, is_padded))
});

/// The spelling with this name; unknown ones are the usual one, as in k6.
fn spelling(scope: &mut v8::PinScope<'_, '_>, name: Value<'_>) -> Native<&'static Spelling> {
    let name = if name.is_null_or_undefined() { String::new() } else { convert::to_text(scope, name)? };
    let [std, rawstd, url, rawurl] = &*SPELLINGS;
    Ok(match name.as_str() {
        "rawstd" => rawstd,
        "url" => url,
        "rawurl" => rawurl,
        _ => std,
    })
}

/// A text as UTF-8, or the bytes of a binary object.
///
/// # Errors
///
/// k6's text for anything else.
pub(crate) fn bytes_of(
    scope: &mut v8::PinScope<'_, '_>,
    value: Value<'_>,
) -> Native<Result<Vec<u8>, String>> {
    if value.is_string() {
        return Ok(Ok(convert::to_text(scope, value)?.into_bytes()));
    }
    Ok(match Bytes::of(value) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => {
            Err(format!("invalid type {}, expected string, []byte or ArrayBuffer", convert::go_type(value)))
        }
    })
}

/// `b64encode(data, spelling = 'std')`.
fn b64encode<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let bytes = bytes_of(scope, arguments.get(0))?.map_err(Throw::Go)?;
    let spelling = spelling(scope, arguments.get(1))?;
    Ok(binding::string(scope, &spelling.encoding.encode(&bytes)).into())
}

/// `b64decode(text, spelling = 'std', format?)`: an `ArrayBuffer`, or with the format `s` a text.
fn b64decode<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let text = convert::to_text(scope, arguments.get(0))?;
    let spelling = spelling(scope, arguments.get(1))?;
    let wants_text = arguments.get(2).is_string() && convert::to_text(scope, arguments.get(2))? == "s";
    let bytes = decode(spelling, text.as_bytes())
        .map_err(|at| Throw::Go(format!("illegal base64 data at input byte {at}")))?;
    Ok(if wants_text {
        convert::js_string(scope, &bytes).into()
    } else {
        convert::array_buffer(scope, &bytes).into()
    })
}

/// Line breaks are passed over (RFC 2045). The error is the place of the first byte that cannot be, or of the group that
/// is not complete.
fn decode(spelling: &Spelling, text: &[u8]) -> Result<Vec<u8>, usize> {
    let (places, digits): (Vec<usize>, Vec<u8>) = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .map(|(at, byte)| (at, *byte))
        .unzip();
    let padding = digits.iter().rev().take_while(|byte| **byte == b'=').count().min(2);
    let end = if spelling.is_padded { digits.len() - padding } else { digits.len() };
    let is_digit = |byte: &u8| spelling.digits.as_bytes().contains(byte);
    if let Some(at) = digits[..end].iter().position(|byte| !is_digit(byte)) {
        return Err(places[at]);
    }
    spelling
        .encoding
        .decode(&digits)
        .map_err(|_| places.get(digits.len().saturating_sub(1) / 4 * 4).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_the_places_that_k6_gives() {
        let [std, rawstd, url, rawurl] = &*SPELLINGS;
        for (spelling, text, expected) in [
            (std, "aGk=", Ok(&b"hi"[..])),
            (std, "aG\nk=", Ok(b"hi")),
            (rawstd, "aGk", Ok(b"hi")),
            (url, "-_8=", Ok(&[0xFB, 0xFF])),
            (std, "-_8=", Err(0)),
            (rawurl, "-_8=", Err(3)),
            (std, "a!k=", Err(1)),
            (std, "aGk", Err(0)),
            (std, "aGk=aGk", Err(3)),
            (std, "", Ok(b"")),
        ] {
            assert_eq!(decode(spelling, text.as_bytes()), expected.map(<[u8]>::to_vec), "{text}");
        }
    }
}

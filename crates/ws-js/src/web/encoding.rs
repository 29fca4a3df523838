//! What `TextEncoder` and `TextDecoder` want of us: bytes from text, and text from bytes in four encodings.

use super::Arguments;
use super::memory::copy_into;
use crate::binding::{Native, Throw, native, set_function, string};
use crate::convert::{Bytes, Utf8, array_buffer, js_string};

pub(super) fn natives<'s>(scope: &mut v8::PinScope<'s, '_>, natives: v8::Local<'s, v8::Object>) {
    set_function(scope, natives, "encode", native!(encode), None);
    set_function(scope, natives, "encodeInto", native!(encode_into), None);
    set_function(scope, natives, "encodingOf", native!(encoding_of), None);
    set_function(scope, natives, "decode", native!(decode), None);
}

/// The encodings, with the names that select them (Encoding standard, section 4.2).
const LABELS: &[(&str, &[&str])] = &[
    ("utf-8", &["unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "utf-8", "utf8", "x-unicode20utf8"]),
    (
        "windows-1252",
        &[
            "ansi_x3.4-1968",
            "ascii",
            "cp1252",
            "cp819",
            "csisolatin1",
            "ibm819",
            "iso-8859-1",
            "iso-ir-100",
            "iso8859-1",
            "iso88591",
            "iso_8859-1",
            "iso_8859-1:1987",
            "l1",
            "latin1",
            "us-ascii",
            "windows-1252",
            "x-cp1252",
        ],
    ),
    ("utf-16be", &["unicodefffe", "utf-16be"]),
    ("utf-16le", &["csunicode", "iso-10646-ucs-2", "ucs-2", "unicode", "unicodefeff", "utf-16", "utf-16le"]),
];

/// What windows-1252 has where Latin-1 has control characters, from 0x80.
const WINDOWS_1252: [u16; 32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161,
    0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
];

/// `encode(text)`: an `Uint8Array`.
fn encode<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Uint8Array>> {
    let text = arguments.get(0).to_string(scope).ok_or(Throw::Pending)?;
    let text = Utf8::new(scope, text);
    let mut bytes = vec![0; text.len()];
    text.write(scope, &mut bytes);
    uint8_array(scope, &bytes)
}

/// `encodeInto(text, array)`: how many UTF-16 units were read and bytes written, whole characters only.
fn encode_into<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Array>> {
    let text = arguments.get(0).to_string(scope).ok_or(Throw::Pending)?;
    let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(arguments.get(1)) else {
        return Err(Throw::Type("no array".into()));
    };
    // No unit of UTF-16 needs more than three bytes.
    let room = view.byte_length().min(text.length().saturating_mul(3));
    let mut bytes = vec![0; room];
    let mut read = 0;
    let flags = v8::WriteFlags::kReplaceInvalidUtf8;
    let written = text.write_utf8_v2(scope, &mut bytes, flags, Some(&mut read));
    copy_into(scope, view, &bytes[..written]);
    let counts = [read, written].map(|count| v8::Number::new(scope, count as f64).into());
    Ok(v8::Array::new_with_elements(scope, &counts))
}

/// `encodingOf(label)`: the encoding's name, or null.
fn encoding_of<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let label = arguments.get(0).to_rust_string_lossy(scope);
    let label = label.trim_matches(['\t', '\n', '\x0C', '\r', ' ']).to_ascii_lowercase();
    Ok(match LABELS.iter().find(|(_, labels)| labels.contains(&label.as_str())) {
        Some((name, _)) => string(scope, name).into(),
        None => v8::null(scope).into(),
    })
}

/// `decode(encoding, bytes, rest, fatal, stream)`: the text, and the bytes that are part of a character that is not
/// complete (null if there are none); or null for bytes that are not of the encoding where that is fatal.
fn decode<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let encoding = arguments.get(0).to_rust_string_lossy(scope);
    let mut bytes = Bytes::of(arguments.get(2)).map(Bytes::to_vec).unwrap_or_default();
    if let Some(more) = Bytes::of(arguments.get(1)) {
        let old = bytes.len();
        bytes.resize(old + more.len(), 0);
        more.write(&mut bytes[old..]);
    }
    let (is_fatal, is_stream) = (arguments.get(3).is_true(), arguments.get(4).is_true());
    let complete = if is_stream { bytes.len() - incomplete(&encoding, &bytes) } else { bytes.len() };
    let (whole, rest) = bytes.split_at(complete);
    if encoding == "utf-8" {
        if is_fatal && std::str::from_utf8(whole).is_err() {
            return Ok(v8::null(scope).into());
        }
        check_length(whole.len())?;
        let text = js_string(scope, whole);
        return answer(scope, text, rest);
    }
    let units: Vec<u16> = match encoding.as_str() {
        "windows-1252" => whole.iter().map(|&byte| windows_1252(byte)).collect(),
        _ => match utf_16(whole, encoding == "utf-16be") {
            (_, false) if is_fatal => return Ok(v8::null(scope).into()),
            (units, _) => units,
        },
    };
    check_length(units.len())?;
    let text =
        v8::String::new_from_two_byte(scope, &units, v8::NewStringType::Normal).ok_or(Throw::Pending)?;
    answer(scope, text, rest)
}

fn answer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    text: v8::Local<'s, v8::String>,
    rest: &[u8],
) -> Native<v8::Local<'s, v8::Value>> {
    let rest = if rest.is_empty() { v8::null(scope).into() } else { uint8_array(scope, rest)?.into() };
    Ok(v8::Array::new_with_elements(scope, &[text.into(), rest]).into())
}

fn check_length(units: usize) -> Native {
    if units <= v8::String::MAX_LENGTH {
        Ok(())
    } else {
        Err(Throw::Plain("the text is too large for a string".into()))
    }
}

fn windows_1252(byte: u8) -> u16 {
    match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => u16::from(byte),
    }
}

/// The units of UTF-16, with replacements, and whether there were none.
fn utf_16(bytes: &[u8], is_big_endian: bool) -> (Vec<u16>, bool) {
    let pairs = bytes.chunks_exact(2);
    let is_odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| {
        let pair = [pair[0], pair[1]];
        if is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    });
    let mut is_valid = !is_odd;
    let mut text = Vec::with_capacity(bytes.len() / 2 + 1);
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or_else(|_| {
            is_valid = false;
            char::REPLACEMENT_CHARACTER
        });
        text.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    if is_odd {
        text.push(0xFFFD);
    }
    (text, is_valid)
}

/// How many bytes at the end begin a character that may yet be completed.
fn incomplete(encoding: &str, bytes: &[u8]) -> usize {
    match encoding {
        "utf-8" => (1..=bytes.len().min(3))
            .find(|&count| {
                let end = &bytes[bytes.len() - count..];
                std::str::from_utf8(end)
                    .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
            })
            .unwrap_or(0),
        "windows-1252" => 0,
        _ => {
            let odd = bytes.len() % 2;
            let whole = &bytes[..bytes.len() - odd];
            let high = match whole {
                [.., first, second] => {
                    let byte = if encoding == "utf-16be" { first } else { second };
                    (0xD8..=0xDB).contains(byte)
                }
                _ => false,
            };
            odd + if high { 2 } else { 0 }
        }
    }
}

fn uint8_array<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: &[u8]) -> Native<v8::Local<'s, v8::Uint8Array>> {
    let buffer = array_buffer(scope, bytes);
    v8::Uint8Array::new(scope, buffer, 0, bytes.len()).ok_or(Throw::Pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_cut_are_known() {
        for (encoding, bytes, count) in [
            ("utf-8", &b""[..], 0),
            ("utf-8", b"abc", 0),
            ("utf-8", b"a\xC3", 1),
            ("utf-8", b"a\xE2\x82", 2),
            ("utf-8", b"a\xF0\x9F\x98", 3),
            ("utf-8", b"\xF0\x9F\x98\x80", 0),
            // Nothing can complete these.
            ("utf-8", b"a\xFF", 0),
            ("utf-8", b"\xE0\x80", 0),
            ("utf-8", b"\x80\x80", 0),
            ("windows-1252", b"\xC3", 0),
            ("utf-16le", b"a", 1),
            ("utf-16le", b"a\0", 0),
            ("utf-16le", b"\x3D\xD8", 2),
            ("utf-16le", b"\x3D\xD8\x00", 3),
            ("utf-16be", b"\xD8\x3D", 2),
        ] {
            assert_eq!(incomplete(encoding, bytes), count, "{encoding} {bytes:?}");
        }
    }
}

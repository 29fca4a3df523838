//! Percent-encoding, and texts in quotes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Leaves a path that is legal as it is alone, else decodes and escapes all of it.
pub(super) fn escape_path(path: &str) -> Result<String, String> {
    let decoded = unescape(path)?;
    if path.bytes().all(|b| stays_in_path(b) || b"!'()*[]%".contains(&b)) {
        return Ok(path.to_owned());
    }
    let mut escaped = String::with_capacity(path.len() + 16);
    for byte in decoded {
        if stays_in_path(byte) {
            escaped.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Ok(escaped)
}

/// Escapes what cannot stand in a request line: blanks, and what is not ASCII. All else is sent as it was written.
pub(super) fn encode_query(query: &str) -> Cow<'_, str> {
    if query.bytes().all(|b| b.is_ascii_graphic()) {
        return Cow::Borrowed(query);
    }
    let mut encoded = String::with_capacity(query.len() + 16);
    for byte in query.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    Cow::Owned(encoded)
}

fn stays_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte)
}

/// Replaces `%xx`; the error says what is no escape.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let Some(byte) = hex_pair(tail) else { return Err(bad_escape(tail)) };
            decoded.push(byte);
            rest = &tail[2..];
        } else {
            decoded.push(*first);
        }
    }
    Ok(decoded)
}

pub(super) fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let value = digit(text.first()?)? * 16 + digit(text.get(1)?)?;
    u8::try_from(value).ok()
}

pub(super) fn bad_escape(after_percent: &[u8]) -> String {
    let mut escape = vec![b'%'];
    escape.extend(after_percent.iter().take(2));
    format!("invalid URL escape {}", quote_bytes(&escape))
}

/// Text in double quotes with escapes for quotes, backslashes and what cannot be printed.
pub(crate) fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

fn quote_bytes(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\x07' => quoted.push_str("\\a"),
                '\x08' => quoted.push_str("\\b"),
                '\x0c' => quoted.push_str("\\f"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '\x0b' => quoted.push_str("\\v"),
                c if c.is_ascii_control() => _ = write!(quoted, "\\x{:02x}", u32::from(c)),
                c if c.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
                c => quoted.push(c),
            }
        }
        for byte in chunk.invalid() {
            _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

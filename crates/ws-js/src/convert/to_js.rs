//! Rust values as JavaScript values.

/// A string from UTF-8. Bytes that are not UTF-8 become U+FFFD, one for each maximal subpart, as
/// `TextDecoder` does. ASCII, the usual case, is copied as it is.
///
/// # Panics
///
/// If the text is longer than V8's longest string (`v8::String::MAX_LENGTH`, half a gigabyte).
pub(crate) fn js_string<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: &[u8]) -> v8::Local<'s, v8::String> {
    let string = if bytes.is_ascii() {
        v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal)
    } else {
        v8::String::new(scope, &String::from_utf8_lossy(bytes))
    };
    string.expect("a text of at most v8::String::MAX_LENGTH bytes")
}

/// An `ArrayBuffer` with a copy of `bytes`.
pub(crate) fn array_buffer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> v8::Local<'s, v8::ArrayBuffer> {
    let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes.to_vec()).make_shared();
    v8::ArrayBuffer::with_backing_store(scope, &store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Bytes;
    use crate::testing::with_scope;

    #[test]
    fn bytes_become_strings_with_replacements_as_in_text_decoder() {
        with_scope(|scope| {
            for (bytes, text) in [
                (&b""[..], ""),
                (b"plain", "plain"),
                ("é😀".as_bytes(), "é😀"),
                ("\u{FEFF}mark".as_bytes(), "\u{FEFF}mark"),
                (b"a\xFFb", "a\u{FFFD}b"),
                // A truncated sequence is one subpart, stray continuation bytes are one each.
                (b"\xF0\x9F\x98", "\u{FFFD}"),
                (b"\xF0\x9F\x98A", "\u{FFFD}A"),
                (b"\x80\x80", "\u{FFFD}\u{FFFD}"),
                // A surrogate in UTF-8 is none of it.
                (b"\xED\xA0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ] {
                let string = js_string(scope, bytes);
                assert_eq!(string.to_rust_string_lossy(scope), text, "{bytes:?}");
            }
        });
    }

    #[test]
    fn ascii_is_kept_in_one_byte_per_character() {
        with_scope(|scope| {
            assert!(js_string(scope, b"plain").is_onebyte());
            assert!(!js_string(scope, "\u{20AC}".as_bytes()).is_onebyte());
        });
    }

    #[test]
    fn array_buffers_hold_a_copy() {
        with_scope(|scope| {
            for bytes in [&b""[..], b"\x00\x01\xFF"] {
                let buffer = array_buffer(scope, bytes);
                assert_eq!(Bytes::of(buffer.into()).map(Bytes::to_vec), Some(bytes.to_vec()));
            }
        });
    }
}

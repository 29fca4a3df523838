//! Basic credentials, for servers and proxies (RFC 7617).

use std::fmt;

/// The value of a header `Authorization` or `Proxy-Authorization`. Does not show itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credentials(String);

impl Credentials {
    pub(crate) fn new(user: &[u8], password: &[u8]) -> Self {
        let pair = [user, b":", password].concat();
        Self(format!("Basic {}", base64(&pair)))
    }

    pub(crate) fn header(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("xxxxx")
    }
}

/// The value of an `Authorization` header that shows a user name and a password (RFC 7617).
///
/// ```
/// assert_eq!(ws_proto::basic_credentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// ```
pub fn basic_credentials(user: &str, password: &str) -> String {
    Credentials::new(user.as_bytes(), password.as_bytes()).0
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().enumerate().fold(0, |group, (at, byte)| group | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            text.push(if digit <= chunk.len() {
                char::from(DIGITS[(group >> (18 - 6 * digit) & 63) as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_rfc_4648() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded, "{text}");
        }
        assert_eq!(base64(&[0xFB, 0xFF]), "+/8=");
    }

    #[test]
    fn nothing_is_shown() {
        let credentials = Credentials::new(b"user", b"secret");
        assert_eq!(credentials.header(), "Basic dXNlcjpzZWNyZXQ=");
        assert_eq!(format!("{credentials:?}"), "xxxxx");
    }
}

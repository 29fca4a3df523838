//! HTTP proxies: which one, and how it is asked for a tunnel (CONNECT, RFC 9110 section 9.3.6).

use std::fmt;
use std::net::Ipv6Addr;

use url::Url;

use crate::url::{WsUrl, unescape};

/// An HTTP proxy that makes tunnels.
///
/// # Examples
///
/// ```
/// use ws_proto::Proxy;
///
/// let proxy = Proxy::parse("http://user:secret@proxy.example:3128")?;
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
/// assert_eq!(Proxy::parse("proxy.example")?.port(), 80);
/// # Ok::<(), ws_proto::ProxyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// Value of the header `Proxy-Authorization`.
    authorization: Option<String>,
}

/// Why a text names no proxy that can be used. It may hold a password, so it is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is no address.
    #[error("proxy: not an address like http://host:port")]
    Address,
    /// Only `http` is spoken to proxies.
    #[error("proxy: unknown scheme: {scheme}")]
    Scheme {
        /// The scheme, such as `https` or `socks5`.
        scheme: String,
    },
}

impl Proxy {
    /// Reads `[http://][user[:password]@]host[:port]`; the port is 80 unless given.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] for other schemes, and for what is no address.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|_| ProxyError::Address)?;
        if url.scheme() != "http" {
            return Err(ProxyError::Scheme { scheme: url.scheme().to_owned() });
        }
        let host = url.host_str().ok_or(ProxyError::Address)?.trim_matches(['[', ']']).to_owned();
        let plain = |text: &str| unescape(text).map_err(|_| ProxyError::Address);
        let authorization = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(basic(&plain(user)?, &plain(password.unwrap_or_default())?)),
        };
        Ok(Self { host, port: url.port().unwrap_or(80), authorization })
    }

    /// Its host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the header `Proxy-Authorization`, if the proxy wants one.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The request for a tunnel to the server of `url`.
    pub(crate) fn request(&self, url: &WsUrl) -> Vec<u8> {
        let host = match url.host().parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) => url.host().to_owned(),
        };
        let server = format!("{host}:{}", url.port());
        let mut head = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n");
        if let Some(authorization) = &self.authorization {
            head.extend(["Proxy-Authorization: ", authorization, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// Without the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// The value of an `Authorization` header that shows a user name and a password (RFC 7617).
///
/// ```
/// assert_eq!(ws_proto::basic_credentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// ```
pub fn basic_credentials(user: &str, password: &str) -> String {
    basic(user.as_bytes(), password.as_bytes())
}

fn basic(user: &[u8], password: &[u8]) -> String {
    format!("Basic {}", base64(&[user, b":", password].concat()))
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

    fn request(proxy: &str, url: &str) -> String {
        let request = Proxy::parse(proxy).unwrap().request(&WsUrl::parse(url).unwrap());
        String::from_utf8(request).unwrap()
    }

    #[test]
    fn addresses_of_proxies() {
        for (text, host, port) in [
            ("http://127.0.0.1:3128", "127.0.0.1", 3128),
            ("http://127.0.0.1:80/", "127.0.0.1", 80),
            ("localhost:1", "localhost", 1),
            ("proxy.example", "proxy.example", 80),
            ("http://[::1]:9", "::1", 9),
            ("HTTP://Proxy.Example", "proxy.example", 80),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((proxy.host(), proxy.port()), (host, port), "{text}");
        }
        for text in ["", "http://", "::bad", "http://a:99999", "http://us er@%zz:1"] {
            assert_eq!(Proxy::parse(text), Err(ProxyError::Address), "{text}");
        }
        for scheme in ["https", "socks5", "ftp"] {
            let error = Proxy::parse(&format!("{scheme}://127.0.0.1:1")).unwrap_err();
            assert_eq!(error.to_string(), format!("proxy: unknown scheme: {scheme}"));
        }
    }

    #[test]
    fn the_request_names_the_server_and_never_the_path() {
        assert_eq!(
            request("127.0.0.1:1", "ws://x.test/a?b"),
            "CONNECT x.test:80 HTTP/1.1\r\nHost: x.test:80\r\n\r\n"
        );
        assert_eq!(
            request("http://us%20er:p%40ss@127.0.0.1:1", "wss://[2001:db8::1]/"),
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\
             Proxy-Authorization: Basic dXMgZXI6cEBzcw==\r\n\r\n"
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        let proxy = Proxy::parse("http://user:secret@h:1").unwrap();
        assert!(!format!("{proxy:?}").contains(proxy.authorization.as_deref().unwrap()), "{proxy:?}");
    }

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
}

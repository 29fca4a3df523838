//! HTTP proxies: which one, and how it is asked for a tunnel (CONNECT, RFC 9110 section 9.3.6).

use std::net::Ipv6Addr;

use url::Url;

use crate::basic_auth::Credentials;
use crate::url::unescape;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<Credentials>,
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
            (user, password) => Some(Credentials::new(&plain(user)?, &plain(password.unwrap_or_default())?)),
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
        self.authorization.as_ref().map(Credentials::header)
    }

    /// The request for a tunnel to the server at `host` (an IPv6 address without brackets) and `port`.
    pub fn tunnel_request(&self, host: &str, port: u16) -> Vec<u8> {
        let host = match host.parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) => host.to_owned(),
        };
        let server = format!("{host}:{port}");
        let mut head = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n");
        if let Some(authorization) = &self.authorization {
            head.extend(["Proxy-Authorization: ", authorization.header(), "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::WsUrl;

    fn request(proxy: &str, url: &str) -> String {
        let request = {
            let url = WsUrl::parse(url).unwrap();
            Proxy::parse(proxy).unwrap().tunnel_request(url.host(), url.port())
        };
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
        let shown = format!("{proxy:?}");
        for secret in ["secret", "dXNlcjpzZWNyZXQ="] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

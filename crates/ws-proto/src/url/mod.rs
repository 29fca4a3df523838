//! `ws://` and `wss://` targets: host, port, request target, TLS or not.
//!
//! The grammar is the lenient one that k6 users know, not the WHATWG one: path and query are escaped only where they
//! must be, and host names are not normalised beyond IDNA.

mod escape;
mod mask;
mod parts;
mod spelling;

use std::net::Ipv6Addr;

use self::parts::Parts;
use crate::basic_auth::Credentials;

pub(crate) use self::escape::{quote, unescape};
pub use self::mask::{mask_password, mask_query};
pub use self::spelling::UrlSpelling;

/// A checked WebSocket address.
///
/// # Examples
///
/// ```
/// let url = ws_proto::WsUrl::parse("wss://[::1]:8443/a b?q=1 2#top")?;
/// assert!(url.is_tls());
/// assert_eq!((url.host(), url.port()), ("::1", 8443));
/// assert_eq!(url.host_header(), "[::1]:8443");
/// assert_eq!(url.request_target(), "/a%20b?q=1%202");
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WsUrl {
    tls: bool,
    host: String,
    port: u16,
    host_header: String,
    target: String,
    credentials: Option<Credentials>,
}

/// Why a text is not the address of a WebSocket service.
///
/// The messages begin as the ones that scripts see from k6. The texts that they hold are the ones given, but without
/// the [password](mask_password).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A well-formed URL, but not for a WebSocket.
    #[error("malformed ws or wss URL: {} {}", quote(url), scheme_fault(scheme))]
    Scheme {
        /// The text as given.
        url: String,
        /// Its scheme in lower case; empty if it has none.
        scheme: String,
    },
    /// There is nobody to connect to, as in `ws:/path`.
    #[error("malformed ws or wss URL: {} has no host", quote(url))]
    NoHost {
        /// The text as given.
        url: String,
    },
    /// Not a URL.
    #[error("parse {}: {reason}", quote(url))]
    Unparsable {
        /// The text as given (without its fragment, unless that is what is wrong).
        url: String,
        /// What is wrong with it, such as `invalid port ":99x11" after host`.
        reason: String,
    },
    /// More than one colon in a host that is not in brackets.
    #[error("address {address}: too many colons in address: {} (IPv6 goes in brackets)", quote(url))]
    TooManyColons {
        /// The text as given.
        url: String,
        /// Host and port as written.
        address: String,
    },
    /// A port above 65535.
    #[error("dial tcp: address {port}: invalid port: {}", quote(url))]
    PortOutOfRange {
        /// The text as given.
        url: String,
        /// The port as written.
        port: String,
    },
}

fn scheme_fault(scheme: &str) -> String {
    match scheme {
        "" => "has no scheme, ws:// or wss://".to_owned(),
        scheme => format!("has the scheme {}, not ws or wss", quote(scheme)),
    }
}

impl UrlError {
    /// The same without the values of the [query](mask_query).
    #[must_use]
    pub fn without_query(mut self) -> Self {
        let (Self::Scheme { url, .. }
        | Self::NoHost { url }
        | Self::Unparsable { url, .. }
        | Self::TooManyColons { url, .. }
        | Self::PortOutOfRange { url, .. }) = &mut self;
        *url = mask_query(url).into_owned();
        self
    }
}

impl WsUrl {
    /// Parses an address. A fragment is accepted and dropped; the scheme may be in any case. A user and password in
    /// it become the header `Authorization` of a request.
    ///
    /// # Errors
    ///
    /// [`UrlError`], whose text begins as what k6 prints for the same input.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let parts = Parts::parse(text)?;
        let url = || mask_password(text).into_owned();
        let tls = match parts.scheme.as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(UrlError::Scheme { url: url(), scheme: parts.scheme }),
        };
        let Some((host, port)) = split_port(&parts.host) else {
            return Err(UrlError::TooManyColons { url: url(), address: mask::piece(parts.host, text) });
        };
        if host.is_empty() {
            return Err(UrlError::NoHost { url: url() });
        }
        let port = match port {
            None if tls => 443,
            None => 80,
            Some("") => 0,
            Some(digits) => digits.parse().map_err(|_| UrlError::PortOutOfRange {
                url: url(),
                port: mask::piece(digits.to_owned(), text),
            })?,
        };
        let host = to_ascii(host);
        let host_header = match parts.host.rfind(':').filter(|&colon| parts.host[colon..].find(']').is_none())
        {
            Some(colon) => format!("{}{}", bracketed(&host), &parts.host[colon..]),
            None => bracketed(&host),
        };
        let is_named = |(user, password): &(Vec<u8>, Vec<u8>)| !user.is_empty() || !password.is_empty();
        let credentials =
            parts.user.filter(is_named).map(|(user, password)| Credentials::new(&user, &password));
        Ok(Self { tls, host, port, host_header, target: parts.target, credentials })
    }

    /// Whether the scheme is `wss`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host in ASCII form, an IPv6 address without brackets and zone; never empty.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: as written, or else 80 for `ws` and 443 for `wss`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header: an explicit port stays even if it is the scheme's own.
    pub fn host_header(&self) -> String {
        self.host_header.clone()
    }

    /// Path and query as they stand in the request line, never empty.
    pub fn request_target(&self) -> &str {
        &self.target
    }

    /// The value of the header `Authorization` that user and password of the address ask for.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.credentials.as_ref().map(Credentials::header)
    }

    /// The address with `ws` replaced by `http` (`wss` by `https`), which is how cookies see it.
    #[cfg(feature = "cookies")]
    pub(crate) fn as_http(&self) -> Option<url::Url> {
        let scheme = if self.tls { "https" } else { "http" };
        let url = url::Url::parse(&format!("{scheme}://{}{}", self.host_header, self.target)).ok()?;
        Some(for_cookies(&url))
    }
}

/// An `http` or `https` address as cookies see it; `None` for all others.
#[cfg(feature = "cookies")]
pub(crate) fn parse_http(text: &str) -> Result<Option<url::Url>, UrlError> {
    let Parts { scheme, host, target, .. } = Parts::parse(text)?;
    if !matches!(scheme.as_str(), "http" | "https") {
        return Ok(None);
    }
    let url = url::Url::parse(&format!("{scheme}://{host}{target}")).ok();
    Ok(url.as_ref().map(for_cookies))
}

/// Without the final dot that a full name may have, and with the names below `localhost` as safe as `localhost`
/// itself: they never leave the machine (RFC 6761 section 6.3).
#[cfg(feature = "cookies")]
pub(crate) fn for_cookies(url: &url::Url) -> url::Url {
    let mut url = url.clone();
    if let Some(name) = url.domain().and_then(|name| name.strip_suffix('.')).map(str::to_owned) {
        // Refused for the empty name only; then nothing changes.
        let _ = url.set_host(Some(&name));
    }
    if url.domain().is_some_and(|name| name.ends_with(".localhost")) {
        // Both are schemes of the web, between which there is a way.
        let _ = url.set_scheme("https");
    }
    url
}

/// Splits `host:port`, of which there is one at most; the host comes without brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some((literal, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((literal, port.strip_prefix(':')));
    }
    match authority.split_once(':') {
        None => Some((authority, None)),
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
    }
}

fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

/// The IDNA form of a host with characters beyond ASCII; a name that has none stays as it is.
fn to_ascii(host: &str) -> String {
    if host.is_ascii() {
        return host.to_owned();
    }
    match url::Host::parse(host) {
        Ok(url::Host::Domain(name)) => name,
        Ok(address) => address.to_string(),
        Err(_) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted() {
        // text, (tls, host, port, Host header, request target)
        let table = [
            ("ws://a", (false, "a", 80, "a", "/")),
            ("wss://a", (true, "a", 443, "a", "/")),
            ("WS://A.example:80/x", (false, "A.example", 80, "A.example:80", "/x")),
            ("ws://a?x", (false, "a", 80, "a", "/?x")),
            ("ws://a/?", (false, "a", 80, "a", "/?")),
            ("ws://a/p?a b#frag", (false, "a", 80, "a", "/p?a%20b")),
            ("ws://a/%41%2f", (false, "a", 80, "a", "/%41%2f")),
            ("ws://a/a b/%41%2f", (false, "a", 80, "a", "/a%20b/A/")),
            ("ws://a/ü", (false, "a", 80, "a", "/%C3%BC")),
            ("ws://a/[x]!'()*", (false, "a", 80, "a", "/[x]!'()*")),
            ("ws://a?%zz", (false, "a", 80, "a", "/?%zz")),
            ("ws://127.0.0.1:", (false, "127.0.0.1", 0, "127.0.0.1:", "/")),
            ("ws://127.0.0.1:01/", (false, "127.0.0.1", 1, "127.0.0.1:01", "/")),
            ("ws://[::1]:9/", (false, "::1", 9, "[::1]:9", "/")),
            ("wss://[::1]", (true, "::1", 443, "[::1]", "/")),
            ("ws://[fe80::1%25lo]:1/", (false, "fe80::1", 1, "[fe80::1]:1", "/")),
            ("ws://bücher.example:8/", (false, "xn--bcher-kva.example", 8, "xn--bcher-kva.example:8", "/")),
            ("ws://a/?ü=\"{}&%zz", (false, "a", 80, "a", "/?%C3%BC=\"{}&%zz")),
            ("ws://me:secret@a:1/", (false, "a", 1, "a:1", "/")),
            ("ws://a\"b:1/", (false, "a\"b", 1, "a\"b:1", "/")),
        ];
        for (text, (tls, host, port, header, target)) in table {
            let url = WsUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let found = (url.is_tls(), url.host(), url.port(), &*url.host_header(), url.request_target());
            assert_eq!(found, (tls, host, port, header, target), "{text}");
        }
    }

    #[test]
    fn refused() {
        let table = [
            ("", r#"malformed ws or wss URL: "" has no scheme, ws:// or wss://"#),
            ("http://x/", r#"malformed ws or wss URL: "http://x/" has the scheme "http", not ws or wss"#),
            ("/foo", r#"malformed ws or wss URL: "/foo" has no scheme, ws:// or wss://"#),
            ("foo:bar", r#"malformed ws or wss URL: "foo:bar" has the scheme "foo", not ws or wss"#),
            ("a:b/c", r#"malformed ws or wss URL: "a:b/c" has the scheme "a", not ws or wss"#),
            ("*", r#"malformed ws or wss URL: "*" has no scheme, ws:// or wss://"#),
            (
                "http://u:p@h/",
                r#"malformed ws or wss URL: "http://u:xxxxx@h/" has the scheme "http", not ws or wss"#,
            ),
            ("u:p@h", r#"malformed ws or wss URL: "u:xxxxx@h" has the scheme "u", not ws or wss"#),
            ("ws:/x", r#"malformed ws or wss URL: "ws:/x" has no host"#),
            ("ws:x", r#"malformed ws or wss URL: "ws:x" has no host"#),
            ("ws:///x", r#"malformed ws or wss URL: "ws:///x" has no host"#),
            ("wss://:80/#f", r#"malformed ws or wss URL: "wss://:80/#f" has no host"#),
            ("ws://u:p@", r#"malformed ws or wss URL: "ws://u:xxxxx@" has no host"#),
            (":foo", r#"parse ":foo": missing protocol scheme"#),
            ("1a:b", r#"parse "1a:b": first path segment in URL cannot contain colon"#),
            ("ws://u p@h/", r#"parse "ws://u p@h/": net/url: invalid userinfo"#),
            ("ws://u:p q@h/", r#"parse "ws://u:xxxxx@h/": net/url: invalid userinfo"#),
            ("ws://u:%zz@h/", r#"parse "ws://u:xxxxx@h/": invalid URL escape "xxxxx""#),
            ("ws://u:p/q@h/", r#"parse "ws://u:xxxxx@h/": invalid port "xxxxx" after host"#),
            ("ws://u:p#q@h/#f", r#"parse "ws://u:xxxxx@h/": invalid port "xxxxx" after host"#),
            ("ws://u:p@h:99x11/", r#"parse "ws://u:xxxxx@h:99x11/": invalid port ":99x11" after host"#),
            (
                "ws://u:1:2/x@h",
                r#"address xxxxx: too many colons in address: "ws://u:xxxxx@h" (IPv6 goes in brackets)"#,
            ),
            ("ws://u:77777/@h/", r#"dial tcp: address xxxxx: invalid port: "ws://u:xxxxx@h/""#),
            ("ws://h:99x11/", r#"parse "ws://h:99x11/": invalid port ":99x11" after host"#),
            ("ws://h:-1/", r#"parse "ws://h:-1/": invalid port ":-1" after host"#),
            ("ws://h:1\\x", r#"parse "ws://h:1\\x": invalid port ":1\\x" after host"#),
            ("ws://[::1/", r#"parse "ws://[::1/": missing ']' in host"#),
            ("ws://[::1]x/", r#"parse "ws://[::1]x/": invalid port "x" after host"#),
            ("ws://[zz]:1/", r#"parse "ws://[zz]:1/": invalid host: ParseAddr("zz"): unable to parse IP"#),
            ("ws://[127.0.0.1]:1/", r#"parse "ws://[127.0.0.1]:1/": invalid IP-literal"#),
            ("ws://h ost/", r#"parse "ws://h ost/": invalid character " " in host name"#),
            ("ws://x^y/", r#"parse "ws://x^y/": invalid character "^" in host name"#),
            ("ws://%41/", r#"parse "ws://%41/": invalid URL escape "%41""#),
            ("%zz", r#"parse "%zz": invalid URL escape "%zz""#),
            ("ws://h/%zz", r#"parse "ws://h/%zz": invalid URL escape "%zz""#),
            ("ws://h/%z#f", r#"parse "ws://h/%z": invalid URL escape "%z""#),
            ("ws://h/a%", r#"parse "ws://h/a%": invalid URL escape "%""#),
            ("ws://h/#%zz", r#"parse "ws://h/#%zz": invalid URL escape "%zz""#),
            ("ws://h/%aü", r#"parse "ws://h/%aü": invalid URL escape "%a\xc3""#),
            ("ws://h/\u{1}", r#"parse "ws://h/\x01": net/url: invalid control character in URL"#),
            ("ws://::1/", r#"address ::1: too many colons in address: "ws://::1/" (IPv6 goes in brackets)"#),
            (
                "ws://a:80:80/",
                r#"address a:80:80: too many colons in address: "ws://a:80:80/" (IPv6 goes in brackets)"#,
            ),
            ("ws://h:70000/", r#"dial tcp: address 70000: invalid port: "ws://h:70000/""#),
        ];
        for (text, message) in table {
            let error = WsUrl::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
        }
    }

    #[test]
    fn credentials() {
        for (text, header) in [
            ("ws://me:secret@h", Some("Basic bWU6c2VjcmV0")),
            ("ws://us%20er:p%40ss@h", Some("Basic dXMgZXI6cEBzcw==")),
            ("ws://me@h", Some("Basic bWU6")),
            ("ws://:secret@h", Some("Basic OnNlY3JldA==")),
            ("ws://@h", None),
            ("ws://:@h", None),
            ("ws://h/@x", None),
        ] {
            assert_eq!(WsUrl::parse(text).unwrap().authorization(), header, "{text}");
        }
        let url = format!("{:?}", WsUrl::parse("ws://me:secret@h").unwrap());
        assert!(!url.contains("secret") && !url.contains("bWU6"), "{url}");
    }

    #[test]
    fn errors_without_the_query() {
        let error = WsUrl::parse("http://h/?token=1").unwrap_err().without_query();
        assert_eq!(
            error.to_string(),
            r#"malformed ws or wss URL: "http://h/?token=xxxxx" has the scheme "http", not ws or wss"#
        );
    }
}

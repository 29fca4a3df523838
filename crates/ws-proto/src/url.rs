//! `ws://` and `wss://` targets: host, port, request target, TLS or not.
//!
//! The grammar is the lenient one that k6 users know, not the WHATWG one: a query is sent as it was written, a
//! path is escaped only where it must be, and host names are not normalised beyond IDNA.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

/// A checked WebSocket address.
///
/// # Examples
///
/// ```
/// let url = ws_proto::WsUrl::parse("wss://[::1]:8443/a b?q=1 2#top")?;
/// assert!(url.is_tls());
/// assert_eq!((url.host(), url.port()), ("::1", 8443));
/// assert_eq!(url.host_header(), "[::1]:8443");
/// assert_eq!(url.request_target(), "/a%20b?q=1 2");
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WsUrl {
    tls: bool,
    host: String,
    port: u16,
    host_header: String,
    target: String,
}

/// Why a text is not the address of a WebSocket service.
///
/// The messages are the ones scripts see from k6.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A well-formed URL, but not for a WebSocket: another scheme, none at all, or with a user name in it.
    #[error("malformed ws or wss URL")]
    NotWebSocket,
    /// Not a URL.
    #[error("parse {}: {reason}", quote(url))]
    Unparsable {
        /// The text as given (without its fragment, unless that is what is wrong).
        url: String,
        /// What is wrong with it, such as `invalid port ":99x11" after host`.
        reason: String,
    },
    /// More than one colon in a host that is not in brackets.
    #[error("address {address}: too many colons in address")]
    TooManyColons {
        /// Host and port as written.
        address: String,
    },
    /// A port above 65535.
    #[error("dial tcp: address {port}: invalid port")]
    PortOutOfRange {
        /// The port as written.
        port: String,
    },
}

impl WsUrl {
    /// Parses an address. A fragment is accepted and dropped; the scheme may be in any case.
    ///
    /// An empty host (`ws:///x`) is well-formed: it fails later, as a name that does not resolve.
    ///
    /// # Errors
    ///
    /// [`UrlError`], whose text is what k6 prints for the same input.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let parts = Parts::parse(text)?;
        let tls = match parts.scheme.as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(UrlError::NotWebSocket),
        };
        if parts.has_user {
            return Err(UrlError::NotWebSocket);
        }
        let (host, port) = split_port(&parts.host)?;
        let port = match port {
            None if tls => 443,
            None => 80,
            Some("") => 0,
            Some(digits) => {
                digits.parse().map_err(|_| UrlError::PortOutOfRange { port: digits.to_owned() })?
            }
        };
        let host = to_ascii(host);
        let host_header = match parts.host.rfind(':').filter(|&colon| parts.host[colon..].find(']').is_none())
        {
            Some(colon) => format!("{}{}", bracketed(&host), &parts.host[colon..]),
            None => bracketed(&host),
        };
        Ok(Self { tls, host, port, host_header, target: parts.target })
    }

    /// Whether the scheme is `wss`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host in ASCII form, an IPv6 address without brackets and zone; may be empty.
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

    /// The address with `ws` replaced by `http` (`wss` by `https`), which is how cookies see it.
    pub(crate) fn as_http(&self) -> Option<url::Url> {
        let scheme = if self.tls { "https" } else { "http" };
        let url = url::Url::parse(&format!("{scheme}://{}{}", self.host_header, self.target)).ok()?;
        Some(for_cookies(&url))
    }
}

/// An `http` or `https` address as cookies see it; `None` for all others.
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

/// A text that follows the generic grammar of URLs, whatever its scheme: for callers that judge its parts one by one
/// before they ask for a [`WsUrl`].
///
/// # Examples
///
/// ```
/// let url = ws_proto::UrlSpelling::parse("WS://host/a b?q=1 2#top")?;
/// assert_eq!((url.scheme.as_str(), url.fragment.as_str()), ("ws", "top"));
/// assert_eq!(url.text, "ws://host/a%20b?q=1 2");
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlSpelling {
    /// In lower case; empty for relative references.
    pub scheme: String,
    /// What follows the first `#`, decoded; empty if there is none.
    pub fragment: String,
    /// All but the fragment: scheme in lower case, path escaped where it must be, the rest as it was written.
    pub text: String,
}

impl UrlSpelling {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// [`UrlError::Unparsable`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let unparsable = |url: &str, reason| UrlError::Unparsable { url: url.to_owned(), reason };
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let parts = Parts::parse(url)?;
        let fragment = unescape(fragment).map_err(|reason| unparsable(text, reason))?;
        let (scheme, rest) = split_scheme(url).map_err(|reason| unparsable(url, reason))?;
        let (hierarchy, query) = rest.split_once('?').map_or((rest, None), |(h, q)| (h, Some(q)));
        let mut spelled = if scheme.is_empty() { String::new() } else { format!("{scheme}:") };
        match hierarchy.strip_prefix("//") {
            Some(authority) => {
                let path = authority.find('/').unwrap_or(authority.len());
                spelled.push_str("//");
                spelled.push_str(&authority[..path]);
                if path < authority.len() {
                    spelled.push_str(parts.target.split('?').next().unwrap_or_default());
                }
            }
            None => spelled.push_str(hierarchy),
        }
        if let Some(query) = query {
            spelled.push('?');
            spelled.push_str(query);
        }
        Ok(Self { scheme, fragment: String::from_utf8_lossy(&fragment).into_owned(), text: spelled })
    }
}

/// What the generic URL grammar finds in a text without fragment.
struct Parts {
    scheme: String,
    has_user: bool,
    /// Host and port with brackets, percent-decoded.
    host: String,
    target: String,
}

impl Parts {
    /// Parses a URL. A fragment is checked and dropped.
    fn parse(text: &str) -> Result<Self, UrlError> {
        let (url, fragment) = text.split_once('#').map_or((text, None), |(url, f)| (url, Some(f)));
        let parts = Self::read(url).map_err(|reason| UrlError::Unparsable { url: url.to_owned(), reason })?;
        if let Some(fragment) = fragment {
            unescape(fragment).map_err(|reason| UrlError::Unparsable { url: text.to_owned(), reason })?;
        }
        Ok(parts)
    }

    fn read(url: &str) -> Result<Self, String> {
        if url.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let (scheme, rest) = split_scheme(url)?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut parts = Self { scheme, has_user: false, host: String::new(), target: String::new() };
        if !rest.starts_with('/') {
            if parts.scheme.is_empty() && rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err("first path segment in URL cannot contain colon".into());
            }
            // `ws:foo`: what follows the colon is opaque.
            parts.target = if parts.scheme.is_empty() { escape_path(rest)? } else { rest.to_owned() };
        } else {
            let (authority, path) = match rest.strip_prefix("//") {
                Some(rest) if !parts.scheme.is_empty() || !rest.starts_with('/') => {
                    rest.split_at(rest.find('/').unwrap_or(rest.len()))
                }
                _ => ("", rest),
            };
            parts.authority(authority)?;
            parts.target = escape_path(path)?;
        }
        if parts.target.is_empty() {
            parts.target.push('/');
        }
        if let Some(query) = query {
            parts.target.push('?');
            parts.target.push_str(query);
        }
        Ok(parts)
    }

    fn authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
        self.host = parse_host(host)?;
        if let Some(user) = user {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
            if !user.bytes().all(legal) {
                return Err("net/url: invalid userinfo".into());
            }
            unescape(user)?;
            self.has_user = true;
        }
        Ok(())
    }
}

/// Cuts the scheme off and lower-cases it; a text that cannot start with one has the empty scheme.
fn split_scheme(url: &str) -> Result<(String, &str), String> {
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((url[..at].to_ascii_lowercase(), &url[at + 1..])),
            _ => break,
        }
    }
    Ok((String::new(), url))
}

/// Checks a host with optional port and decodes its escapes; the zone of an IPv6 address is dropped.
fn parse_host(host: &str) -> Result<String, String> {
    if let Some(open) = host.rfind('[') {
        let Some(close) = host.rfind(']') else { return Err("missing ']' in host".into()) };
        check_port(&host[close + 1..])?;
        if open != 0 || close < open {
            return Err("invalid IP-literal".into());
        }
        let literal = &host[1..close];
        let (address, _zone) = literal.split_once("%25").unwrap_or((literal, ""));
        match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V6(_)) => {}
            Ok(std::net::IpAddr::V4(_)) => return Err("invalid IP-literal".into()),
            Err(_) => {
                return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quote(address)));
            }
        }
        return Ok(format!("[{address}]{}", &host[close + 1..]));
    }
    if let Some(colon) = host.rfind(':') {
        check_port(&host[colon..])?;
    }
    let mut decoded = Vec::with_capacity(host.len());
    let mut rest = host.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match *first {
            b'%' => {
                let byte = hex_pair(tail).filter(|&b| b >= 0x80);
                let Some(byte) = byte else { return Err(bad_escape(tail)) };
                decoded.push(byte);
                rest = &tail[2..];
            }
            b if b >= 0x80 || b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&b) => {
                decoded.push(b)
            }
            b => return Err(format!("invalid character {} in host name", quote(&char::from(b).to_string()))),
        }
    }
    String::from_utf8(decoded)
        .map_err(|e| format!("invalid host: {}", quote(&String::from_utf8_lossy(e.as_bytes()))))
}

fn check_port(port: &str) -> Result<(), String> {
    let legal =
        port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    if legal { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
}

/// Splits `host:port`; the host comes without brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    if let Some((literal, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok((literal, port.strip_prefix(':')));
    }
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some((_, port)) if port.contains(':') => {
            Err(UrlError::TooManyColons { address: authority.to_owned() })
        }
        Some((host, port)) => Ok((host, Some(port))),
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

/// Leaves a path that is legal as it is alone, else decodes and escapes all of it.
fn escape_path(path: &str) -> Result<String, String> {
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

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let value = digit(text.first()?)? * 16 + digit(text.get(1)?)?;
    u8::try_from(value).ok()
}

fn bad_escape(after_percent: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_keep_what_was_written() {
        for (text, scheme, fragment, spelled) in [
            ("ws://h", "ws", "", "ws://h"),
            ("WS://h:1?q", "ws", "", "ws://h:1?q"),
            ("ws://h/a b/%41\u{e9}?x=%zz#", "ws", "", "ws://h/a%20b/A%C3%A9?x=%zz"),
            ("wss://me:pw@h/#t%20u", "wss", "t u", "wss://me:pw@h/"),
            ("/path?q", "", "", "/path?q"),
            ("5", "", "", "5"),
            ("", "", "", ""),
        ] {
            let url = UrlSpelling::parse(text).unwrap();
            assert_eq!(
                (url.scheme.as_str(), url.fragment.as_str(), url.text.as_str()),
                (scheme, fragment, spelled)
            );
        }
    }

    #[test]
    fn accepted() {
        // text, (tls, host, port, Host header, request target)
        let table = [
            ("ws://a", (false, "a", 80, "a", "/")),
            ("wss://a", (true, "a", 443, "a", "/")),
            ("WS://A.example:80/x", (false, "A.example", 80, "A.example:80", "/x")),
            ("ws://a?x", (false, "a", 80, "a", "/?x")),
            ("ws://a/?", (false, "a", 80, "a", "/?")),
            ("ws://a/p?a b#frag", (false, "a", 80, "a", "/p?a b")),
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
            ("ws:///x", (false, "", 80, "", "/x")),
            ("ws:foo", (false, "", 80, "", "foo")),
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
        let malformed = "malformed ws or wss URL";
        let table = [
            ("", malformed),
            ("http://x/", malformed),
            ("/foo", malformed),
            ("foo:bar", malformed),
            ("a:b/c", malformed),
            ("*", malformed),
            ("ws://u@127.0.0.1:1/", malformed),
            ("ws://u:p@127.0.0.1:1/", malformed),
            (":foo", r#"parse ":foo": missing protocol scheme"#),
            ("1a:b", r#"parse "1a:b": first path segment in URL cannot contain colon"#),
            ("ws://u p@h/", r#"parse "ws://u p@h/": net/url: invalid userinfo"#),
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
            ("ws://::1/", "address ::1: too many colons in address"),
            ("ws://a:80:80/", "address a:80:80: too many colons in address"),
            ("ws://h:70000/", "dial tcp: address 70000: invalid port"),
        ];
        for (text, message) in table {
            let error = WsUrl::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
        }
    }
}

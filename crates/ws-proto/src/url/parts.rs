//! The generic grammar of URLs, as lenient as k6's users know it.

use super::UrlError;
use super::escape::{bad_escape, encode_query, escape_path, hex_pair, quote, unescape};
use super::mask::{self, mask_password};

/// What the generic URL grammar finds in a text without fragment.
pub(super) struct Parts {
    pub(super) scheme: String,
    /// User and password, percent-decoded.
    pub(super) user: Option<(Vec<u8>, Vec<u8>)>,
    /// Host and port with brackets, percent-decoded.
    pub(super) host: String,
    /// Path and query as they stand in a request line.
    pub(super) target: String,
}

impl Parts {
    /// Parses a URL. A fragment is checked and dropped.
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let parts = Self::read(url).map_err(|reason| refused(text, false, reason))?;
        unescape(fragment).map_err(|reason| refused(text, true, reason))?;
        Ok(parts)
    }

    fn read(url: &str) -> Result<Self, String> {
        if url.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let (scheme, rest) = split_scheme(url)?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut parts = Self { scheme, user: None, host: String::new(), target: String::new() };
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
            parts.target.push_str(&encode_query(query));
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
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            self.user = Some((unescape(user)?, unescape(password)?));
        }
        Ok(())
    }
}

/// The error for a text, whose fragment is shown if it is to blame. No part of a password is.
fn refused(text: &str, whole: bool, reason: String) -> UrlError {
    let url = mask_password(text);
    // One that is part of the password has gone with it.
    let url = if whole { &*url } else { url.split('#').next().unwrap_or_default() };
    UrlError::Unparsable { url: url.to_owned(), reason: mask::reason(reason, text) }
}

/// Cuts the scheme off and lower-cases it; a text that cannot start with one has the empty scheme.
pub(super) fn split_scheme(url: &str) -> Result<(String, &str), String> {
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

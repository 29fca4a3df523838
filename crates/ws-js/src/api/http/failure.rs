//! What scripts are told when a request fails, in k6's words and with its codes.

use std::io;
use std::net::SocketAddr;

use ws_http::{Error, TlsFault};
use ws_loop::DnsError;
use ws_proto::rustls::CertificateError;

use crate::api::ws::errors::errno_text;
use crate::api::ws::tls_text;

/// A failure as scripts and metrics see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// `error` of the response, and the tag: short, without addresses.
    pub(super) error: String,
    /// `error_code`; 0 for what k6 gives none.
    pub(super) code: u16,
    /// What the log says, and an exception: with all details.
    pub(super) details: String,
}

/// k6's code for failures that have none of their own.
pub(super) const GENERIC: u16 = 1000;

impl Failure {
    /// A request that was refused before it was made.
    pub(super) fn refused(text: String) -> Self {
        Self { details: text.clone(), error: text, code: 0 }
    }

    /// What has become of the request `method` `url`.
    pub(super) fn of(error: &Error, method: &str, url: &str) -> Self {
        let (short, code, long) = words(error);
        // These are not about the exchange but about what came of it, or could not begin.
        let bare = matches!(
            error,
            Error::Url { .. } | Error::Truncated | Error::Decode { .. } | Error::TooLarge { .. }
        );
        let long = long.unwrap_or_else(|| short.clone());
        let details = if bare { long } else { format!("{} \"{url}\": {long}", capitalized(method)) };
        Self { error: short, code, details }
    }
}

/// As Go writes methods in its errors: `Get`.
fn capitalized(method: &str) -> String {
    let mut letters = method.chars();
    match letters.next() {
        Some(first) => first.to_string() + &letters.as_str().to_lowercase(),
        None => "Get".to_owned(),
    }
}

/// The short text, the code, and the long text if it is another one.
fn words(error: &Error) -> (String, u16, Option<String>) {
    let plain = |text: String| (text, GENERIC, None);
    let dial = |peer: &SocketAddr, why: &str| Some(format!("dial tcp {peer}: {why}"));
    match error {
        Error::Url { reason } => (format!("invalid URL: {reason}"), 1020, None),
        Error::NoHost => plain("http: no Host in request URL".to_owned()),
        Error::Method { .. } | Error::HeaderName { .. } | Error::HeaderValue { .. } => {
            plain(format!("net/http: {error}"))
        }
        Error::Port { port } => (format!("dial tcp: address {port}: invalid port"), 1210, None),
        Error::Dns(dns) => dns_words(dns),
        Error::Bind { local, peer, source } => {
            let why = errno_text(source);
            (format!("dial: bind: {why}"), 1210, Some(format!("dial tcp {local}:0->{peer}: bind: {why}")))
        }
        Error::Connect { peer, source } => match source.kind() {
            io::ErrorKind::ConnectionRefused => {
                ("dial: connection refused".to_owned(), 1212, dial(peer, "connect: connection refused"))
            }
            _ => {
                let why = errno_text(source);
                let code = if source.raw_os_error().is_some() { 1213 } else { 1210 };
                (format!("dial: {why}"), code, dial(peer, &format!("connect: {why}")))
            }
        },
        Error::ConnectTimeout { peer } => ("dial: i/o timeout".to_owned(), 1211, dial(peer, "i/o timeout")),
        Error::Tunnel { status, reason } if reason.is_empty() => plain(format!("proxy: status {status}")),
        Error::Tunnel { reason, .. } => plain(reason.clone()),
        Error::Tls(fault) => tls_words(fault),
        Error::Timeout => ("request timeout".to_owned(), 1050, None),
        Error::Closed => plain("EOF".to_owned()),
        Error::Truncated => plain("unexpected EOF".to_owned()),
        Error::Broken { reading, local, peer, source } => {
            let call = if *reading { "read" } else { "write" };
            let (why, code) = match source.kind() {
                io::ErrorKind::ConnectionReset => ("connection reset by peer".to_owned(), 1220),
                io::ErrorKind::BrokenPipe => ("broken pipe".to_owned(), 1201),
                _ => (errno_text(source), if source.raw_os_error().is_some() { 1202 } else { GENERIC }),
            };
            let ends = local.map_or_else(|| peer.to_string(), |local| format!("{local}->{peer}"));
            (format!("{call}: {why}"), code, Some(format!("{call} tcp {ends}: {call}: {why}")))
        }
        Error::Malformed { reason } => {
            let long = format!("net/http: HTTP/1.x transport connection broken: {reason}");
            (reason.clone(), GENERIC, Some(long))
        }
        Error::Http2 { code, connection, reason } => {
            // RFC 9113 section 7; k6 counts from these numbers.
            let code = u16::try_from(*code).unwrap_or(u16::MAX).min(13);
            let base = if *connection { 1610 } else { 1630 };
            (reason.clone(), base + code + 1, None)
        }
        Error::Decode { .. } => (error.to_string(), 1701, None),
        // The rest says in the library's own words what k6 has none for, or the same.
        other => plain(other.to_string()),
    }
}

fn dns_words(error: &DnsError) -> (String, u16, Option<String>) {
    let long = Some(error.to_string());
    match error {
        DnsError::NoSuchHost { .. } | DnsError::NoneAllowed { .. } => {
            ("lookup: no such host".to_owned(), 1101, long)
        }
        DnsError::Blacklisted { .. } => ("ip is blacklisted".to_owned(), 1110, long),
        DnsError::Blocked { .. } => ("hostname is blocked".to_owned(), 1111, long),
        _ => (error.to_string(), 1100, None),
    }
}

fn tls_words(fault: &TlsFault) -> (String, u16, Option<String>) {
    match fault {
        TlsFault::Certificate(fault) => {
            let long = format!("tls: failed to verify certificate: x509: {fault}");
            let (short, code) = match &fault.reason {
                CertificateError::UnknownIssuer => ("x509: unknown authority", 1310),
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    ("x509: certificate doesn't match hostname", 1311)
                }
                _ => return (long, 1300, None),
            };
            (short.to_owned(), code, Some(long))
        }
        TlsFault::Protocol(error) => {
            let text = tls_text::of(error);
            let code = if matches!(error, ws_proto::rustls::Error::InvalidMessage(_)) { 1301 } else { 1300 };
            (text, code, None)
        }
        other => (other.to_string(), 1300, None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn failures_read_as_in_k6() {
        let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let local: SocketAddr = "127.0.0.1:5".parse().unwrap();
        let io = |code| Arc::new(io::Error::from_raw_os_error(code));
        for (error, short, code, details) in [
            (
                Error::Connect { peer, source: io(111) },
                "dial: connection refused",
                1212,
                "Get \"u\": dial tcp 127.0.0.1:1: connect: connection refused",
            ),
            (
                Error::Broken { reading: true, local: Some(local), peer, source: io(104) },
                "read: connection reset by peer",
                1220,
                "Get \"u\": read tcp 127.0.0.1:5->127.0.0.1:1: read: connection reset by peer",
            ),
            (Error::Timeout, "request timeout", 1050, "Get \"u\": request timeout"),
            (Error::Closed, "EOF", 1000, "Get \"u\": EOF"),
            (Error::Truncated, "unexpected EOF", 1000, "unexpected EOF"),
            (
                Error::Scheme { scheme: "ftp".to_owned() },
                "unsupported protocol scheme \"ftp\"",
                1000,
                "Get \"u\": unsupported protocol scheme \"ftp\"",
            ),
            (
                Error::Dns(DnsError::NoSuchHost { host: "nope.invalid".to_owned() }),
                "lookup: no such host",
                1101,
                "Get \"u\": lookup nope.invalid: no such host",
            ),
            (
                Error::ConnectTimeout { peer },
                "dial: i/o timeout",
                1211,
                "Get \"u\": dial tcp 127.0.0.1:1: i/o timeout",
            ),
            (
                Error::Decode { reason: "unexpected EOF".to_owned() },
                "error decompressing response body (unexpected EOF)",
                1701,
                "error decompressing response body (unexpected EOF)",
            ),
        ] {
            let failure = Failure::of(&error, "GET", "u");
            let seen = (failure.error.as_str(), failure.code, failure.details.as_str());
            assert_eq!(seen, (short, code, details));
        }
    }
}

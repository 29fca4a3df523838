//! What scripts are told when something fails, in k6's words.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ws_loop::{DialError, DnsError, LeaveFailure, Left};
use ws_proto::{Direction, Error, ExtensionFault, PeerError, Phase, TimeLimit, UpgradeResponse, Violation};

use super::tls_text;
use crate::api::{set_number, set_text};
use crate::binding;

/// Why there was no session, for the return value of `connect` or the exception it throws.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The `error` of the returned object, and what is thrown with the option `throw`.
    pub(crate) message: String,
    /// What the server answered, if it was HTTP.
    pub(crate) response: Option<UpgradeResponse>,
}

impl Failure {
    pub(crate) fn new(error: &DialError, response: Option<UpgradeResponse>) -> Self {
        Self { message: dial_text(error), response }
    }

    /// A dial that failed before it began.
    pub(crate) fn early(message: String) -> Self {
        Self { message, response: None }
    }
}

/// Why a dial failed.
pub(in crate::api) fn dial_text(error: &DialError) -> String {
    match error {
        DialError::Handshake(error) => handshake_text(error),
        DialError::Lookup(error @ DnsError::Timeout { limit, after, .. }) => {
            format!("{error} ({})", expired("DNS", *limit, *after))
        }
        // Lookups speak k6's words already.
        other => other.to_string(),
    }
}

fn handshake_text(error: &Error) -> String {
    match error {
        Error::Connect { addr, local, source } => {
            let call = if is_out_of_descriptors(source) { "socket" } else { "connect" };
            let meaning = meaning(source, *local, *addr).map(|text| format!(": {text}")).unwrap_or_default();
            let ends = ends(local.map(any_port), *addr);
            format!("dial tcp {ends}: {call}: {}{meaning}", errno_text(source))
        }
        Error::Bind { local, addr, source } => {
            format!("dial tcp {}: bind: {}", ends(Some(any_port(*local)), *addr), errno_text(source))
        }
        Error::Timeout { phase, limit, after, local, addr } => {
            let (call, step) = match phase {
                Phase::Connect => ("dial", "TCP"),
                Phase::Tunnel => ("read", "proxy"),
                Phase::Tls => ("read", "TLS"),
                Phase::Upgrade => ("read", "upgrade"),
            };
            let why = expired(step, *limit, *after);
            format!("{call} tcp {}: i/o timeout ({why})", ends(*local, *addr))
        }
        Error::Broken { direction, local, addr, source, .. } => {
            let call = match direction {
                Direction::Read => "read",
                Direction::Write => "write",
            };
            format!("{call} tcp {}: {call}: {}", ends(*local, *addr), errno_text(source))
        }
        Error::Certificate { fault } => format!("tls: failed to verify certificate: x509: {fault}"),
        Error::Tls { source, .. } => tls_text::of(source),
        Error::Peer(PeerError::BadExtension { fault: ExtensionFault::TakesOver, .. }) => {
            "websocket: invalid compression negotiation".to_owned()
        }
        Error::Peer(error @ (PeerError::BadHandshake(_) | PeerError::BadExtension { .. })) => {
            format!("websocket: {error}")
        }
        Error::Proxy { status, reason } if reason.is_empty() => format!("proxy: status {status}"),
        Error::Proxy { reason, .. } => reason.clone(),
        Error::Request(error) => format!("websocket: {error}"),
        // The rest says in the library's own words what k6 has none for, or the same.
        other => other.to_string(),
    }
}

/// The step that a time limit ended in, and which limit it was.
fn expired(step: &str, limit: TimeLimit, after: Duration) -> String {
    let param = match limit {
        TimeLimit::Connect => "connectTimeout",
        TimeLimit::Handshake => "handshakeTimeout",
    };
    format!("{step}, {param} of {after:?}")
}

/// Whether the process, or the whole system, may open nothing more.
pub(in crate::api) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// What a failure to connect means, where the system's words do not say it.
fn meaning(error: &io::Error, local: Option<IpAddr>, addr: SocketAddr) -> Option<&'static str> {
    if is_out_of_descriptors(error) {
        return Some("no more file descriptors, see 'ulimit -n'");
    }
    if error.raw_os_error() != Some(libc::EADDRNOTAVAIL) {
        return None;
    }
    // Without any address of its kind, the system has the same words.
    Some(match local.is_none() && addr.is_ipv6() {
        false => {
            "all ports from this address to this server are in use; \
             more addresses (--local-ips) or ports (sysctl net.ipv4.ip_local_port_range) help"
        }
        true => {
            "this machine has no IPv6 address to connect from, or all its ports to this server are in use; \
             then more addresses (--local-ips) or ports (sysctl net.ipv4.ip_local_port_range) help"
        }
    })
}

/// An end whose port is not known.
fn any_port(ip: IpAddr) -> SocketAddr {
    SocketAddr::new(ip, 0)
}

fn ends(local: Option<SocketAddr>, remote: SocketAddr) -> String {
    match local {
        Some(local) => format!("{local}->{remote}"),
        None => remote.to_string(),
    }
}

/// An operating-system error as k6 words it: `connection refused`, not `Connection refused (os error 111)`.
pub(in crate::api) fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => text.to_owned(),
    }
}

/// How many messages are missing at the end of a session.
pub(in crate::api) fn unsent_text(messages: u32) -> String {
    match messages {
        1 => "1 message was not sent".to_owned(),
        _ => format!("{messages} messages were not sent"),
    }
}

/// Our address and the peer's, if they are known.
pub(in crate::api) type Ends = Option<(SocketAddr, SocketAddr)>;

/// What an `error` handler gets. Not a JavaScript `Error`.
pub(in crate::api) enum SocketError {
    /// The peer ended the session other than with 1000 or 1001.
    Close { code: u16, reason: String },
    /// A system call failed.
    Net { op: &'static str, ends: Ends, why: String, timeout: bool },
    /// The connection had broken before so many messages were written.
    Unsent(u32),
    /// Something was sent on a socket that is closed.
    CloseSent,
    /// The peer broke the protocol; the text says how.
    Violation(String),
}

impl SocketError {
    pub(in crate::api) fn unexpected_eof() -> Self {
        Self::Close { code: 1006, reason: "unexpected EOF".to_owned() }
    }

    pub(in crate::api) fn write(ends: Ends, error: &io::Error) -> Self {
        let why = format!("write: {}", errno_text(error));
        Self::Net { op: "write", ends, why, timeout: false }
    }

    pub(in crate::api) fn read(ends: Ends, error: &io::Error) -> Self {
        let why = format!("read: {}", errno_text(error));
        Self::Net { op: "read", ends, why, timeout: false }
    }

    /// The peer broke a rule that k6 enforces, too. k6 says what comes of it, we add the rule.
    pub(in crate::api) fn broken_rule(rule: &Violation) -> Self {
        Self::Violation(format!("close sent ({rule})"))
    }

    /// What is to be said of a socket that has not written everything; `own_close`: not even a close frame is to be
    /// missing.
    pub(in crate::api) fn of_left(left: &Left, ends: Ends, own_close: bool) -> Option<Self> {
        let unsent = left.unsent.messages;
        let missing = unsent > 0 || own_close;
        let (why, timeout) = match &left.failure {
            Some(LeaveFailure::Broken(error)) if missing => (format!("write: {}", errno_text(error)), false),
            Some(LeaveFailure::Timeout) if missing => ("i/o timeout".to_owned(), true),
            _ => return (unsent > 0).then_some(Self::Unsent(unsent)),
        };
        let why = match unsent {
            0 => why,
            unsent => format!("{why} ({})", unsent_text(unsent)),
        };
        Some(Self::Net { op: "write", ends, why, timeout })
    }

    /// What it says of itself.
    pub(in crate::api) fn text(&self) -> String {
        match self {
            Self::Close { code, reason } => {
                let label = close_label(*code).map(|label| format!(" ({label})")).unwrap_or_default();
                let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                format!("websocket: close {code}{label}{reason}")
            }
            Self::Net { op, ends: Some((local, remote)), why, .. } => {
                format!("{op} tcp {local}->{remote}: {why}")
            }
            Self::Net { op, ends: None, why, .. } => format!("{op} tcp: {why}"),
            Self::Unsent(messages) => format!("websocket: {}", unsent_text(*messages)),
            Self::CloseSent => "websocket: close sent".to_owned(),
            Self::Violation(text) => format!("websocket: {text}"),
        }
    }

    /// The host object: `error()` and `String(e)` say the text, properties give the details.
    pub(super) fn to_object<'s>(&self, scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Value> {
        let object = v8::Object::new(scope);
        match self {
            Self::Close { code, reason } => {
                set_number(scope, object, "code", f64::from(*code));
                set_text(scope, object, "text", reason);
            }
            Self::Net { op, ends, why, timeout } => {
                set_text(scope, object, "op", op);
                set_text(scope, object, "net", "tcp");
                let (source, addr) = ends
                    .map_or_else(Default::default, |(local, remote)| (local.to_string(), remote.to_string()));
                set_text(scope, object, "source", &source);
                set_text(scope, object, "addr", &addr);
                set_text(scope, object, "err", why);
                let no = v8::Boolean::new(scope, false).into();
                set_answer(scope, object, "temporary", no);
                let timeout = v8::Boolean::new(scope, *timeout).into();
                set_answer(scope, object, "timeout", timeout);
                let why = binding::string(scope, why).into();
                set_answer(scope, object, "unwrap", why);
            }
            Self::CloseSent | Self::Violation(_) | Self::Unsent(_) => (),
        }
        let text = binding::string(scope, &self.text()).into();
        binding::set_function(scope, object, "error", answer_data, Some(text));
        set_answer(scope, object, "toString", text);
        object.into()
    }
}

/// Adds a method that always answers the same.
fn set_answer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    answer: v8::Local<'s, v8::Value>,
) {
    let method = binding::function(scope, name, answer_data, Some(answer));
    binding::set_hidden(scope, object, name, method.into());
}

fn answer_data(
    _: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_>,
) {
    answer.set(arguments.data());
}

/// The name of a close code in error texts.
fn close_label(code: u16) -> Option<&'static str> {
    Some(match code {
        1000 => "normal",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no status",
        1006 => "abnormal closure",
        1007 => "invalid payload data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "mandatory extension missing",
        1011 => "internal server error",
        1015 => "TLS handshake error",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_errors_read_as_in_k6() {
        let text = |code, reason: &str| SocketError::Close { code, reason: reason.to_owned() }.text();
        assert_eq!(text(1011, "oops"), "websocket: close 1011 (internal server error): oops");
        assert_eq!(text(1005, ""), "websocket: close 1005 (no status)");
        assert_eq!(text(4000, "x"), "websocket: close 4000: x");
        assert_eq!(
            SocketError::unexpected_eof().text(),
            "websocket: close 1006 (abnormal closure): unexpected EOF"
        );
    }

    #[test]
    fn system_errors_lose_their_number_and_capital() {
        assert_eq!(errno_text(&io::Error::from_raw_os_error(111)), "connection refused");
        assert_eq!(errno_text(&io::Error::from_raw_os_error(32)), "broken pipe");
    }

    #[test]
    fn a_refused_connection_names_the_address() {
        let error = DialError::Handshake(Error::Connect {
            addr: "127.0.0.1:1".parse().unwrap(),
            local: None,
            source: io::Error::from_raw_os_error(111),
        });
        assert_eq!(dial_text(&error), "dial tcp 127.0.0.1:1: connect: connection refused");
        for (addr, code, meaning) in [
            (
                "127.0.0.1:1",
                libc::EADDRNOTAVAIL,
                "cannot assign requested address: all ports from this address",
            ),
            (
                "[::1]:1",
                libc::EADDRNOTAVAIL,
                "cannot assign requested address: this machine has no IPv6 address",
            ),
            ("127.0.0.1:1", libc::EMFILE, "too many open files: no more file descriptors, see 'ulimit -n'"),
        ] {
            let error = DialError::Handshake(Error::Connect {
                addr: addr.parse().unwrap(),
                local: None,
                source: io::Error::from_raw_os_error(code),
            });
            let call = if code == libc::EMFILE { "socket" } else { "connect" };
            let text = dial_text(&error);
            assert!(text.starts_with(&format!("dial tcp {addr}: {call}: {meaning}")), "{text}");
        }
        let error = DialError::Handshake(Error::Bind {
            addr: "127.0.0.1:1".parse().unwrap(),
            local: "192.0.2.77".parse().unwrap(),
            source: io::Error::from_raw_os_error(99),
        });
        assert_eq!(
            dial_text(&error),
            "dial tcp 192.0.2.77:0->127.0.0.1:1: bind: cannot assign requested address"
        );
    }
}

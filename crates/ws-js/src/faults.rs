//! Why connections fail: how often for which reason, with one example of each.
//!
//! Reasons have short names that never change, so that a report, or the tag of a metric, has a bounded number of them
//! however many addresses and texts there are.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use parking_lot::Mutex;
use ws_loop::{DialError, DnsError};
use ws_proto::{Error, PeerError, Phase, Refusal, Violation};

use crate::log::{Level, Record};
use crate::shared::Shared;

/// The step in which a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultPhase {
    /// The lookup of the host's name.
    Dns,
    /// The TCP connection.
    Tcp,
    /// The tunnel through a proxy.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The HTTP upgrade.
    Upgrade,
    /// Later, when the WebSocket was open.
    Session,
}

impl FaultPhase {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Upgrade => "upgrade",
            Self::Session => "session",
        }
    }
}

impl From<Phase> for FaultPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Connect => Self::Tcp,
            Phase::Tunnel => Self::Proxy,
            Phase::Tls => Self::Tls,
            Phase::Upgrade => Self::Upgrade,
        }
    }
}

/// What went wrong, without its particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultReason {
    /// The name has no address.
    NoSuchHost,
    /// The resolver could not say.
    LookupFailed,
    /// The host or its address is one that the run must not reach.
    Blocked,
    /// It took longer than it may.
    Timeout,
    /// Nobody listens there.
    Refused,
    /// The other side has reset the connection.
    Reset,
    /// There is no way to the address.
    Unreachable,
    /// All ports of this machine's address are in use.
    AddressesUsedUp,
    /// The process may have no more descriptors.
    Descriptors,
    /// Another failure of the system.
    System,
    /// The server's certificate cannot be trusted.
    Certificate,
    /// The TLS handshake failed otherwise.
    TlsHandshake,
    /// The answer had this HTTP status.
    Status(u16),
    /// The answer agreed to no WebSocket, or to another one than was asked for.
    BadHandshake,
    /// The answer was no HTTP.
    NotHttp,
    /// The answer was too long.
    AnswerTooLong,
    /// The connection ended before the answer.
    Eof,
    /// What the script asked for cannot be sent.
    BadRequest,
    /// The server ended the session with this close code.
    Closed(u16),
    /// The connection ended without a close frame.
    NoCloseFrame,
    /// The server did not answer the close frame in time.
    CloseTimeout,
    /// The server broke the protocol.
    Protocol,
    /// The server sent text or compressed data that is none.
    BadData,
    /// The server sent more than the limits allow.
    TooBig,
    /// One of so many reasons that they are not told apart.
    Other,
}

impl FaultReason {
    /// Its stable name. A status and a close code follow it as a number.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSuchHost => "no such host",
            Self::LookupFailed => "lookup failed",
            Self::Blocked => "blocked",
            Self::Timeout => "i/o timeout",
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::Unreachable => "unreachable",
            Self::AddressesUsedUp => "no free port",
            Self::Descriptors => "too many open files",
            Self::System => "system error",
            Self::Certificate => "bad certificate",
            Self::TlsHandshake => "handshake failed",
            Self::Status(_) => "status",
            Self::BadHandshake => "bad handshake",
            Self::NotHttp => "malformed answer",
            Self::AnswerTooLong => "answer too long",
            Self::Eof => "unexpected EOF",
            Self::BadRequest => "invalid request",
            Self::Closed(_) => "close",
            Self::NoCloseFrame => "closed without close frame",
            Self::CloseTimeout => "close not answered",
            Self::Protocol => "protocol error",
            Self::BadData => "invalid data",
            Self::TooBig => "message too big",
            Self::Other => "other",
        }
    }

    /// The status or the close code.
    pub fn code(self) -> Option<u16> {
        match self {
            Self::Status(code) | Self::Closed(code) => Some(code),
            _ => None,
        }
    }

    /// Of a failed system call.
    pub(crate) fn of_system(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => return Self::Descriptors,
            Some(libc::EADDRNOTAVAIL) => return Self::AddressesUsedUp,
            _ => {}
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Self::Reset,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::UnexpectedEof => Self::Eof,
            _ => Self::System,
        }
    }

    /// Of a rule that the server broke.
    pub(crate) fn of_violation(violation: &Violation) -> Self {
        match violation.close_code() {
            1007 => Self::BadData,
            1009 => Self::TooBig,
            _ => Self::Protocol,
        }
    }

    /// Of the close frame of a server; `None` if it says that all is well.
    pub(crate) fn of_close(code: u16) -> Option<Self> {
        // 1005: there is no code in it.
        (!matches!(code, 1000 | 1001 | 1005)).then_some(Self::Closed(code))
    }
}

/// In which step a dial failed, and why.
pub(crate) fn of_dial(error: &DialError) -> (FaultPhase, FaultReason) {
    use FaultPhase as At;
    use FaultReason as Why;
    let error = match error {
        DialError::Lookup(error) => {
            let why = match error {
                DnsError::NoSuchHost { .. } | DnsError::NoneAllowed { .. } => Why::NoSuchHost,
                DnsError::Failed { .. } => Why::LookupFailed,
                DnsError::Blocked { .. } | DnsError::Blacklisted { .. } => Why::Blocked,
                DnsError::Timeout { .. } => Why::Timeout,
                _ => Why::Other,
            };
            return (At::Dns, why);
        }
        DialError::Handshake(error) => error,
        _ => return (At::Tcp, Why::Other),
    };
    match error {
        Error::Connect { source, .. } | Error::Bind { source, .. } => (At::Tcp, Why::of_system(source)),
        Error::Timeout { phase, .. } => ((*phase).into(), Why::Timeout),
        Error::Broken { phase, source, .. } => ((*phase).into(), Why::of_system(source)),
        Error::Certificate { .. } => (At::Tls, Why::Certificate),
        Error::Tls { .. } => (At::Tls, Why::TlsHandshake),
        Error::TlsName { .. } | Error::TlsMissing | Error::TlsOptions(_) | Error::TlsRoot { .. } => {
            (At::Tls, Why::BadRequest)
        }
        Error::Proxy { status, .. } => (At::Proxy, Why::Status(*status)),
        Error::Peer(PeerError::ClosedEarly { phase, .. }) => ((*phase).into(), Why::Eof),
        Error::Peer(PeerError::BadHandshake(Refusal::Status(status))) => (At::Upgrade, Why::Status(*status)),
        Error::Peer(PeerError::BadHandshake(_) | PeerError::BadExtension { .. }) => {
            (At::Upgrade, Why::BadHandshake)
        }
        Error::Peer(_) => (At::Upgrade, Why::NotHttp),
        Error::Limit { .. } => (At::Upgrade, Why::AnswerTooLong),
        Error::Request(_) | Error::Url(_) => (At::Upgrade, Why::BadRequest),
        _ => (At::Upgrade, Why::Other),
    }
}

/// All failures of one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step.
    pub phase: FaultPhase,
    /// The reason.
    pub reason: FaultReason,
    /// How many there were.
    pub count: u64,
    /// What was said of the first, as a script is told.
    pub example: String,
    /// The address it was for, without its password.
    pub url: String,
}

/// So many reasons are told apart: servers choose close codes as they like.
const MOST: usize = 60;

/// Examples are cut here, in characters: some texts are a server's.
const LONGEST: usize = 300;

/// The failures of a run. A lock for each is no matter: a failure costs system calls.
#[derive(Default)]
pub(crate) struct Faults(Mutex<BTreeMap<(FaultPhase, FaultReason), Fault>>);

impl Faults {
    fn add(&self, at: (FaultPhase, FaultReason), example: &str, url: &str) {
        let mut faults = self.0.lock();
        let (phase, reason) = match faults.len() < MOST || faults.contains_key(&at) {
            true => at,
            false => (at.0, FaultReason::Other),
        };
        let cut = |text: &str| text.chars().take(LONGEST).collect();
        let first = || Fault { phase, reason, count: 0, example: cut(example), url: cut(url) };
        faults.entry((phase, reason)).or_insert_with(first).count += 1;
    }

    /// All of them, in the order of the steps, the most frequent ones first.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let mut list: Vec<_> = self.0.lock().values().cloned().collect();
        list.sort_by_key(|fault| (fault.phase, std::cmp::Reverse(fault.count)));
        list
    }
}

impl Shared {
    /// Books a connection that failed, and tells of it at debug level; `text` is what a script is told.
    pub(crate) fn book_fault(&self, at: (FaultPhase, FaultReason), text: &str, url: &str) {
        let url = &*self.presentable(url);
        self.faults.add(at, text, url);
        let message = match at.0 {
            FaultPhase::Session => "a connection ended abnormally",
            _ => "a connection could not be made",
        };
        let fields = &[("phase", at.0.name()), ("error", text), ("url", url)];
        self.log.write(&Record { level: Level::Debug, message, fields });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_bounded_and_nothing_is_lost() {
        let faults = Faults::default();
        for code in 3000..5000 {
            faults.add((FaultPhase::Session, FaultReason::Closed(code)), "text", "ws://h/");
        }
        let list = faults.list();
        assert_eq!(list.len(), MOST + 1);
        assert_eq!((list[0].reason, list[0].count), (FaultReason::Other, 2000 - MOST as u64));
        assert_eq!(list.iter().map(|fault| fault.count).sum::<u64>(), 2000);
    }

    #[test]
    fn the_first_is_the_example() {
        let faults = Faults::default();
        let at = (FaultPhase::Tcp, FaultReason::Refused);
        faults.add(at, &"x".repeat(10_000), "ws://a/");
        faults.add(at, "second", "ws://b/");
        faults.add((FaultPhase::Dns, FaultReason::Timeout), "third", "ws://c/");
        let [dns, tcp] = &faults.list()[..] else { panic!("two reasons") };
        assert_eq!((dns.phase, dns.count), (FaultPhase::Dns, 1));
        assert_eq!((tcp.count, tcp.example.len(), tcp.url.as_str()), (2, LONGEST, "ws://a/"));
    }

    #[test]
    fn dials_fail_in_a_step() {
        let addr = "127.0.0.1:1".parse().unwrap();
        let connect = |code| {
            let source = io::Error::from_raw_os_error(code);
            of_dial(&DialError::Handshake(Error::Connect { addr, local: None, source }))
        };
        assert_eq!(connect(libc::ECONNREFUSED), (FaultPhase::Tcp, FaultReason::Refused));
        assert_eq!(connect(libc::EMFILE), (FaultPhase::Tcp, FaultReason::Descriptors));
        assert_eq!(connect(libc::EPERM), (FaultPhase::Tcp, FaultReason::System));
        let refusal = Error::Peer(PeerError::BadHandshake(Refusal::Status(503)));
        assert_eq!(of_dial(&refusal.into()), (FaultPhase::Upgrade, FaultReason::Status(503)));
        let lookup = DnsError::NoSuchHost { host: "h".to_owned() };
        assert_eq!(of_dial(&lookup.into()), (FaultPhase::Dns, FaultReason::NoSuchHost));
    }
}

//! The answer to the upgrade request: status line, headers, and the checks of RFC 6455 section 4.1.

use tungstenite::handshake::derive_accept_key;

use crate::deflate::{self, DeflateAgreement, DeflateOffer, DeflatePolicy};
use crate::error::{Error, PeerError, Phase, Refusal};
use crate::headers::{Headers, is_token};
use crate::limits::Limits;

/// What a server answered to the upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeResponse {
    /// The status code, 101 for an upgrade.
    pub status: u16,
    /// What follows the status code in the first line, in the server's own words; may be empty.
    pub reason: String,
    /// All header lines.
    pub headers: Headers,
    /// The first bytes of a refusal's body, at most [`Limits::max_body`]; empty for an upgrade.
    pub body: Vec<u8>,
}

impl UpgradeResponse {
    /// Checks that this is an upgrade to the WebSocket that was asked for with `key`.
    pub(crate) fn check(&self, key: &str) -> Result<(), PeerError> {
        let accept = self.headers.get("Sec-WebSocket-Accept");
        let refusal = if self.status != 101 {
            Refusal::Status(self.status)
        } else if !self.headers.has_token("Upgrade", "websocket") {
            Refusal::Upgrade
        } else if !self.headers.has_token("Connection", "upgrade") {
            Refusal::Connection
        } else if accept != Some(&derive_accept_key(key.as_bytes())) {
            Refusal::Accept
        } else {
            return Ok(());
        };
        Err(PeerError::BadHandshake(refusal))
    }

    /// What the extensions of an upgrade come to.
    pub(crate) fn agreement(
        &self,
        offer: Option<&DeflateOffer>,
        policy: DeflatePolicy,
    ) -> Result<Option<DeflateAgreement>, PeerError> {
        let Some(header) = self.headers.joined("Sec-WebSocket-Extensions") else { return Ok(None) };
        deflate::agree(&header, offer, policy).map_err(|fault| PeerError::BadExtension { fault, header })
    }
}

/// Reads a response head that arrives in pieces; each byte is looked at once.
#[derive(Debug, Default)]
pub(crate) struct HeadParser {
    /// Where the line begins that has not ended yet.
    line: usize,
    /// How far there is known to be no line end.
    seen: usize,
    lines: usize,
    status: Option<(u16, String)>,
    headers: Headers,
    /// Header lines may be continued, so each is checked when the next one has begun.
    pending: Option<String>,
}

impl HeadParser {
    /// Looks at all that has arrived, `bytes` growing from call to call.
    ///
    /// Interim responses are passed over; they count against the same limits as the response that they precede.
    ///
    /// Gives the response and the number of bytes it took, or `None` if it is not complete.
    pub(crate) fn parse(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<(UpgradeResponse, usize)>, Error> {
        while let Some(end) = bytes[self.seen..].iter().position(|&b| b == b'\n') {
            let end = self.seen + end;
            if end >= limits.max_header_bytes {
                return Err(too_long(limits));
            }
            let line = &bytes[self.line..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (self.line, self.seen) = (end + 1, end + 1);
            if self.status.is_none() {
                self.status = Some(parse_status(line)?);
                continue;
            }
            if line.is_empty() {
                self.finish_line()?;
                let (status, reason) = self.status.take().unwrap_or_default();
                let headers = std::mem::take(&mut self.headers);
                if is_interim(status) {
                    continue;
                }
                let response = UpgradeResponse { status, reason, headers, body: Vec::new() };
                return Ok(Some((response, end + 1)));
            }
            self.lines += 1;
            if self.lines > limits.max_headers {
                return Err(Error::Limit { name: "max_headers", limit: limits.max_headers, unit: "lines" });
            }
            self.header_line(line)?;
        }
        self.seen = bytes.len();
        if bytes.len() >= limits.max_header_bytes {
            return Err(too_long(limits));
        }
        Ok(None)
    }

    /// What it means that the stream ended in the middle of the head.
    pub(crate) fn end(&self, phase: Phase, bytes: &[u8]) -> PeerError {
        let early = PeerError::ClosedEarly { phase, received: bytes.len() };
        if self.status.is_some() || bytes.is_empty() {
            return early;
        }
        // An unfinished first line can say already that this is no HTTP.
        let line = &bytes[self.line..];
        if line.is_empty() {
            return early;
        }
        parse_status(line).err().unwrap_or(early)
    }

    fn header_line(&mut self, line: &[u8]) -> Result<(), PeerError> {
        let text = String::from_utf8_lossy(line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let more = text.trim_matches([' ', '\t']);
            return match &mut self.pending {
                Some(pending) => {
                    pending.push(' ');
                    pending.push_str(more);
                    Ok(())
                }
                None => Err(PeerError::BadHeaderLine { line: text.into_owned() }),
            };
        }
        self.finish_line()?;
        self.pending = Some(text.trim_end_matches([' ', '\t']).to_owned());
        Ok(())
    }

    fn finish_line(&mut self) -> Result<(), PeerError> {
        let Some(line) = self.pending.take() else { return Ok(()) };
        let Some((name, value)) = line.split_once(':') else { return Err(PeerError::MissingColon { line }) };
        // Spaces in names are tolerated, as k6 does.
        let legal_name = is_token(&name.replace(' ', "_"));
        let legal_value = !value.chars().any(|c| c.is_ascii_control() && c != '\t');
        if !legal_name || !legal_value {
            return Err(PeerError::BadHeaderLine { line });
        }
        self.headers.push(name, value.trim_matches([' ', '\t']));
        Ok(())
    }
}

/// RFC 9110 section 15.2: any number of such responses may come before the one that counts, asked for or not. 101 is the
/// exception, it ends HTTP.
fn is_interim(status: u16) -> bool {
    matches!(status, 100..200) && status != 101
}

fn too_long(limits: &Limits) -> Error {
    Error::Limit { name: "max_header_bytes", limit: limits.max_header_bytes, unit: "bytes" }
}

/// Code and reason.
fn parse_status(line: &[u8]) -> Result<(u16, String), PeerError> {
    let line = String::from_utf8_lossy(line);
    let Some((version, status)) = line.split_once(' ') else {
        return Err(PeerError::NotHttp { first_line: line.into_owned() });
    };
    let status = status.trim_start_matches(' ');
    let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
    if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PeerError::BadStatusCode { code: code.to_owned() });
    }
    match version.as_bytes() {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() => {}
        _ => return Err(PeerError::BadVersion { version: version.to_owned() }),
    }
    let number = code.parse().map_err(|_| PeerError::BadStatusCode { code: code.to_owned() })?;
    Ok((number, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn parse(text: &str) -> Result<Option<(UpgradeResponse, usize)>, Error> {
        HeadParser::default().parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn an_upgrade_in_any_pieces() {
        let text = format!("{GOOD}after");
        for step in 1..text.len() {
            let mut parser = HeadParser::default();
            let mut found = None;
            for end in (0..=text.len()).step_by(step).chain([text.len()]) {
                found = parser.parse(&text.as_bytes()[..end], &Limits::default()).unwrap();
                if found.is_some() {
                    break;
                }
            }
            let (response, used) = found.expect("a complete head");
            assert_eq!(used, GOOD.len());
            assert_eq!((response.status, response.reason.as_str()), (101, "Switching Protocols"));
            assert_eq!(response.headers.len(), 3);
            assert_eq!(response.check(KEY), Ok(()));
        }
    }

    #[test]
    fn interim_responses_are_passed_over() {
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let text = format!("{early}{GOOD}after");
        let (response, used) = parse(&text).unwrap().unwrap();
        assert_eq!((response.status, response.headers.len(), used), (101, 3, early.len() + GOOD.len()));
        assert_eq!(parse(early).unwrap(), None);
        let mut parser = HeadParser::default();
        assert!(parser.parse(early.as_bytes(), &Limits::default()).unwrap().is_none());
        let end = parser.end(Phase::Upgrade, early.as_bytes());
        assert_eq!(end, PeerError::ClosedEarly { phase: Phase::Upgrade, received: early.len() });
    }

    #[test]
    fn refusals() {
        let table = [
            ("101 Sw", "200 OK", PeerError::BadHandshake(Refusal::Status(200))),
            ("Upgrade: WebSocket", "Upgrade: h2c", PeerError::BadHandshake(Refusal::Upgrade)),
            ("keep-alive, Upgrade", "close", PeerError::BadHandshake(Refusal::Connection)),
            ("s3pP", "t3pP", PeerError::BadHandshake(Refusal::Accept)),
        ];
        for (what, with, error) in table {
            let (response, _) = parse(&GOOD.replace(what, with)).unwrap().unwrap();
            assert_eq!(response.check(KEY), Err(error));
        }
    }

    #[test]
    fn extensions_may_stand_in_several_lines() {
        let lines =
            "\r\nSec-WebSocket-Extensions: permessage-deflate\r\nsec-websocket-extensions: x-foo\r\n\r\n";
        let (response, _) = parse(&GOOD.replace("\r\n\r\n", lines)).unwrap().unwrap();
        assert_eq!(response.check(KEY), Ok(()));
        let offer = DeflateOffer::with_takeover();
        let error = response.agreement(Some(&offer), DeflatePolicy::Strict).unwrap_err();
        assert_eq!(error.to_string(), "invalid compression negotiation: x-foo was not offered");
        let PeerError::BadExtension { header, .. } = error else { panic!("{error}") };
        assert_eq!(header, "permessage-deflate, x-foo");
    }

    #[test]
    fn malformed_heads() {
        let table = [
            ("hello\r\n", r#"malformed HTTP response "hello""#),
            ("\r\n", r#"malformed HTTP response """#),
            ("\x16\x03\x01\r\n", r#"malformed HTTP response "\x16\x03\x01""#),
            ("hello world\r\n", r#"malformed HTTP status code "world""#),
            ("HTTP/1.1 99 S\r\n", r#"malformed HTTP status code "99""#),
            ("HTTP/1.1 2000 S\r\n", r#"malformed HTTP status code "2000""#),
            ("HTTP/1.1 +10 S\r\n", r#"malformed HTTP status code "+10""#),
            ("HTTP/9 200 OK\r\n", r#"malformed HTTP version "HTTP/9""#),
            ("HTTP/1.1 200 OK\r\nfoo\r\n\r\n", r#"malformed MIME header: missing colon: "foo""#),
            ("HTTP/1.1 200 OK\r\n: 1\r\n\r\n", r#"malformed MIME header line: ": 1""#),
            ("HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", r#"malformed MIME header line: "A: \x01""#),
        ];
        for (head, message) in table {
            assert_eq!(parse(head).unwrap_err().to_string(), message, "{head:?}");
        }
    }

    #[test]
    fn lenient_heads() {
        let head = "HTTP/1.0 404\nA: b\n c \nA : x\nset-cookie: 1\nSet-Cookie:2\n\n";
        let (response, used) = parse(&format!("{head}body")).unwrap().unwrap();
        assert_eq!((response.status, used), (404, head.len()));
        assert_eq!(
            response.headers.iter().collect::<Vec<_>>(),
            [("A", "b c"), ("A ", "x"), ("Set-Cookie", "1"), ("Set-Cookie", "2")]
        );
    }

    #[test]
    fn an_end_in_the_middle() {
        let table = [
            ("", "unexpected EOF"),
            ("HTTP/1.1 2", r#"malformed HTTP status code "2""#),
            ("HTTP/1.1 200", "unexpected EOF"),
            ("HTTP/1.1 200 OK\r\nA: ", "unexpected EOF"),
            ("hello", r#"malformed HTTP response "hello""#),
        ];
        for (head, message) in table {
            let mut parser = HeadParser::default();
            assert!(parser.parse(head.as_bytes(), &Limits::default()).unwrap().is_none());
            assert_eq!(parser.end(Phase::Upgrade, head.as_bytes()).to_string(), message, "{head:?}");
        }
    }

    #[test]
    fn bounded_heads() {
        let limits = Limits { max_header_bytes: 64, max_headers: 2, ..Limits::default() };
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(64));
        let table = [
            (long.clone(), "response head exceeds max_header_bytes, 64 bytes"),
            (format!("{long}\r\n\r\n"), "response head exceeds max_header_bytes, 64 bytes"),
            ("HTTP/1.1 103\r\n\r\n".repeat(10), "response head exceeds max_header_bytes, 64 bytes"),
            ("HTTP/1.1 103\r\nA:\r\n\r\n".repeat(3), "response head exceeds max_headers, 2 lines"),
            (
                "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n".to_owned(),
                "response head exceeds max_headers, 2 lines",
            ),
        ];
        for (head, message) in table {
            let error = HeadParser::default().parse(head.as_bytes(), &limits).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}

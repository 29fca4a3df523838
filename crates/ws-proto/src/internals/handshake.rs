//! Property: the way a response is cut makes no difference to what becomes of the handshake.

use super::pieces::{cut, take};
use crate::body::BodyReader;
use crate::deflate::{DeflateAgreement, DeflateOffer, DeflatePolicy};
use crate::error::{PeerError, Phase};
use crate::limits::Limits;
use crate::response::{HeadParser, UpgradeResponse};

/// The key of the request: that of RFC 6455 section 1.3, so that `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=` accepts it.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What becomes of a handshake.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Open; the head was so many bytes.
    Open(UpgradeResponse, usize, Option<DeflateAgreement>),
    /// A refusal, with the part of its body that is kept.
    Refused(UpgradeResponse, PeerError),
    /// No proper response; the error's text.
    Failed(String),
    /// The stream ended before the response did.
    CutOff(String),
}

/// The property, with everything that it needs in the input of a fuzzer.
pub fn fuzz(mut input: &[u8]) {
    let [flags] = take(&mut input);
    let seed = u64::from_le_bytes(take(&mut input));
    let offer = (flags & 1 != 0).then(DeflateOffer::with_takeover);
    let policy = if flags & 2 != 0 { DeflatePolicy::K6 } else { DeflatePolicy::Strict };
    check(offer.as_ref(), policy, input, seed);
}

/// The property.
///
/// # Panics
///
/// If it does not hold.
pub fn check(offer: Option<&DeflateOffer>, policy: DeflatePolicy, response: &[u8], seed: u64) {
    let limits = Limits { max_header_bytes: 2000, max_headers: 20, ..Limits::default() };
    let outcome = |pieces| read(pieces, offer, policy, &limits);
    let whole = outcome(vec![response]);
    assert_eq!(outcome(response.chunks(1).collect()), whole, "byte by byte: {}", response.escape_ascii());
    assert_eq!(outcome(cut(response, seed)), whole, "cut by {seed}: {}", response.escape_ascii());
    match &whole {
        Outcome::Open(head, used, agreement) => {
            assert!(head.status == 101 && head.body.is_empty() && *used <= limits.max_header_bytes);
            assert!(response[..*used].ends_with(b"\n"));
            assert!(agreement.is_none() || head.headers.get("Sec-WebSocket-Extensions").is_some());
        }
        Outcome::Refused(head, _) => {
            assert!(head.body.len() <= limits.max_body && head.headers.len() <= limits.max_headers);
            assert!(
                head.headers.iter().all(|(name, value)| !format!("{name}{value}").contains(['\r', '\n']))
            );
        }
        Outcome::Failed(text) | Outcome::CutOff(text) => {
            assert!(!text.is_empty() && !text.contains(['\r', '\n']), "{text:?}");
        }
    }
}

/// As [`Handshaking`](crate::Handshaking) reads a response.
fn read(pieces: Vec<&[u8]>, offer: Option<&DeflateOffer>, policy: DeflatePolicy, limits: &Limits) -> Outcome {
    let (mut parser, mut received) = (HeadParser::default(), Vec::new());
    let mut body: Option<(BodyReader, UpgradeResponse, PeerError)> = None;
    for piece in pieces {
        if let Some((reader, ..)) = &mut body {
            if reader.feed(piece) {
                break;
            }
            continue;
        }
        received.extend_from_slice(piece);
        let (response, used) = match parser.parse(&received, limits) {
            Ok(Some(head)) => head,
            Ok(None) => continue,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        match response.check(KEY).and_then(|()| response.agreement(offer, policy)) {
            Ok(agreement) => return Outcome::Open(response, used, agreement),
            Err(error @ PeerError::BadHandshake(_)) => match BodyReader::new(&response, limits.max_body) {
                Ok(mut reader) => {
                    let done = reader.feed(&received[used..]);
                    body = Some((reader, response, error));
                    if done {
                        break;
                    }
                }
                Err(error) => return Outcome::Failed(error.to_string()),
            },
            Err(error) => return Outcome::Failed(error.to_string()),
        }
    }
    match body {
        Some((reader, mut response, error)) => {
            response.body = reader.into_body();
            Outcome::Refused(response, error)
        }
        None => Outcome::CutOff(parser.end(Phase::Upgrade, &received).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines that responses are made of, right and wrong.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => prop::sample::select(vec![
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                "Sec-WebSocket-Extensions: permessage-deflate",
                "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "Content-Length: 12",
                "Content-Length: +1",
                "Transfer-Encoding: chunked",
                " continued",
                "no colon",
                "Set-Cookie: a=b",
            ]).prop_map(|line| line.as_bytes().to_vec()),
            1 => "[a-zA-Z-]{1,9}: ?[ -~]{0,20}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..20),
            1 => (0_usize..1500).prop_map(|len| [b"Long: ".to_vec(), vec![b'x'; len]].concat()),
        ]
    }

    fn response() -> impl Strategy<Value = Vec<u8>> {
        let status = prop_oneof![
            4 => Just("HTTP/1.1 101 Switching Protocols"),
            2 => prop::sample::select(vec!["HTTP/1.1 404 Not Found", "HTTP/1.0 204", "HTTP/1.1 302 Found"]),
            1 => prop::sample::select(vec!["SSH-2.0-x", "HTTP/1 200 OK", "HTTP/1.1 20 OK", "", "\x16\x03\x01"]),
        ];
        let body = prop_oneof![
            Just(b"\x81\x05hello".to_vec()),
            Just(b"5\r\nhello\r\n3;x\nabc\r\n0\r\n\r\nrest".to_vec()),
            prop::collection::vec(any::<u8>(), 0..50),
            (900_usize..1200).prop_map(|len| vec![b'b'; len]),
        ];
        (status, prop::collection::vec((line(), any::<bool>()), 0..8), any::<bool>(), body).prop_map(
            |(status, lines, complete, body)| {
                let mut out = [status.as_bytes(), b"\r\n"].concat();
                for (line, carriage_return) in lines {
                    out.extend(line);
                    out.extend(if carriage_return { &b"\r\n"[..] } else { b"\n" });
                }
                if complete {
                    out.extend(b"\r\n");
                }
                out.extend(body);
                out
            },
        )
    }

    proptest! {
        #[test]
        fn responses_in_any_pieces(offered: bool, k6: bool, response in response(), seed: u64) {
            let offer = offered.then(DeflateOffer::without_takeover);
            check(offer.as_ref(), if k6 { DeflatePolicy::K6 } else { DeflatePolicy::Strict }, &response, seed);
        }

        #[test]
        fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&input);
        }
    }

    #[test]
    fn a_right_response_opens() {
        let response = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00";
        let outcome = read(vec![response], None, DeflatePolicy::Strict, &Limits::default());
        assert!(matches!(outcome, Outcome::Open(_, used, None) if used == response.len() - 2), "{outcome:?}");
    }
}

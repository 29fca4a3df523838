//! The server's half of the opening handshake (RFC 6455 section 4.2).

use tungstenite::handshake::derive_accept_key;

use super::deflate;

/// Longest request head that is read.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 100;

/// The answer to a request head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The head is not complete.
    Wait,
    /// The connection becomes a WebSocket; frames begin `head` bytes into the stream.
    Accept { response: Vec<u8>, head: usize, deflate: bool },
    /// It does not, and ends.
    Refuse(Vec<u8>),
}

/// Judges the first bytes of a connection.
pub(super) fn answer(bytes: &[u8]) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Answer::Wait,
        Ok(httparse::Status::Partial) | Err(_) => return refuse("400 Bad Request", "cannot be read\n"),
    };
    let value = |name: &str| {
        let mut headers = request.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    };
    let has = |name, token: &str| {
        value(name).is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    };
    if request.method != Some("GET") {
        return refuse("400 Bad Request", "only GET can be upgraded\n");
    }
    if !has("Upgrade", "websocket") || !has("Connection", "upgrade") {
        return refuse("426 Upgrade Required", "this is a WebSocket echo server\n");
    }
    if value("Sec-WebSocket-Version") != Some("13") {
        return refuse("426 Upgrade Required", "only WebSocket version 13 is spoken here\n");
    }
    let Some(key) = value("Sec-WebSocket-Key") else {
        return refuse("400 Bad Request", "Sec-WebSocket-Key is missing\n");
    };
    let accept = derive_accept_key(key.as_bytes());
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n"
    );
    let offered = value("Sec-WebSocket-Protocol").and_then(|list| list.split(',').next());
    if let Some(protocol) = offered.map(str::trim).filter(|protocol| !protocol.is_empty()) {
        response.push_str(&format!("Sec-WebSocket-Protocol: {protocol}\r\n"));
    }
    let deflate = value("Sec-WebSocket-Extensions").and_then(deflate::agree);
    if let Some(agreed) = &deflate {
        response.push_str(&format!("Sec-WebSocket-Extensions: {agreed}\r\n"));
    }
    response.push_str("\r\n");
    Answer::Accept { response: response.into_bytes(), head, deflate: deflate.is_some() }
}

fn refuse(status: &str, body: &str) -> Answer {
    let upgrade =
        if status.starts_with("426") { "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" } else { "" };
    let connection = if upgrade.is_empty() { "close" } else { "upgrade, close" };
    let response = format!(
        "HTTP/1.1 {status}\r\n{upgrade}Connection: {connection}\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Answer::Refuse(response.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 section 1.3, without its `Origin`.
    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn accepts_with_the_key_of_the_rfc_and_the_first_protocol() {
        let stream = [REQUEST.as_bytes(), b"\x81"].concat();
        let Answer::Accept { response, head, deflate: false } = answer(&stream) else { panic!("refused") };
        assert_eq!(head, REQUEST.len());
        let response = String::from_utf8(response).unwrap();
        assert!(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(response.ends_with("\r\nSec-WebSocket-Protocol: chat\r\n\r\n"));
    }

    #[test]
    fn waits_for_the_whole_head_but_not_for_ever() {
        for len in [0, 1, 50, REQUEST.len() - 1] {
            assert_eq!(answer(&REQUEST.as_bytes()[..len]), Answer::Wait);
        }
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD));
        assert!(matches!(answer(endless.as_bytes()), Answer::Refuse(_)));
    }

    #[test]
    fn refuses_with_the_fitting_status() {
        for (request, status) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "426"),
            (REQUEST.replace("Version: 13", "Version: 8"), "426"),
            (REQUEST.replace("GET", "POST"), "400"),
            (REQUEST.replace("Sec-WebSocket-Key", "X"), "400"),
            ("\x16\x03\x01\r\n\r\n".to_owned(), "400"),
        ] {
            let Answer::Refuse(response) = answer(request.as_bytes()) else { panic!("accepted {request}") };
            assert_eq!(std::str::from_utf8(&response[9..12]).unwrap(), status, "{request}");
        }
    }
}

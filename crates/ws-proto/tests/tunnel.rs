//! Handshakes through an HTTP proxy.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::{Client, Opening, accept, read_head, serve, url};
use ws_proto::{
    Error, HandshakeFailure, Handshaking, Limits, PeerError, Phase, Proxy, Step, UpgradeRequest,
    UpgradeResponse, WsUrl,
};

const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";

/// Opens `ws://far.test/x` through a proxy that is `peer`; also gives the head of the request for a tunnel.
fn through<T: Send + 'static>(
    limits: &Limits,
    peer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (Result<(Client, UpgradeResponse), Box<HandshakeFailure>>, T) {
    let (addr, proxy) = serve(peer);
    let mut opening = Opening::to(addr);
    opening.url = WsUrl::parse("ws://far.test/x").unwrap();
    opening.limits = limits.clone();
    let proxy_address = Proxy::parse(&format!("user:word@{addr}")).unwrap();
    let result = opening.run_with(|opening| opening.proxy = Some(&proxy_address));
    (result, proxy.join().unwrap())
}

fn refused(answer: &'static [u8], limits: &Limits) -> HandshakeFailure {
    let (result, ()) = through(limits, move |mut stream| {
        read_head(&mut stream);
        stream.write_all(answer).unwrap();
    });
    *result.map(|_| ()).unwrap_err()
}

#[test]
fn the_server_is_spoken_to_once_there_is_a_tunnel() {
    let (result, (connect, upgrade)) = through(&Limits::default(), |mut stream| {
        let connect = read_head(&mut stream);
        for byte in TUNNEL {
            stream.write_all(&[*byte]).unwrap();
        }
        let upgrade = read_head(&mut stream);
        stream.write_all(accept(&upgrade).as_bytes()).unwrap();
        stream.write_all(b"\x81\x02hi").unwrap();
        (connect, upgrade)
    });
    assert_eq!(
        connect,
        "CONNECT far.test:80 HTTP/1.1\r\nHost: far.test:80\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n\r\n"
    );
    assert!(upgrade.starts_with("GET /x HTTP/1.1\r\nHost: far.test\r\n"), "{upgrade}");
    assert!(!upgrade.contains("Proxy"), "the server is not told the password: {upgrade}");
    let (mut client, response) = result.unwrap();
    assert_eq!(response.status, 101);
    assert_eq!(client.connection.bytes_written(), (connect.len() + upgrade.len()) as u64);
    assert_eq!(client.receive(1)[0], "text hi");
}

#[test]
fn any_success_makes_a_tunnel() {
    let (result, ()) = through(&Limits::default(), |mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.0 204\r\n\r\n").unwrap();
        let upgrade = read_head(&mut stream);
        stream.write_all(accept(&upgrade).as_bytes()).unwrap();
    });
    assert_eq!(result.unwrap().1.status, 101);
}

#[test]
fn a_refusal_names_status_and_reason_and_is_no_answer_of_the_server() {
    let failure = refused(b"HTTP/1.1 403 Not this way\r\nContent-Length: 1\r\n\r\nx", &Limits::default());
    let Error::Proxy { status: 403, reason } = &failure.error else { panic!("{failure:?}") };
    assert_eq!(reason, "Not this way");
    assert_eq!(failure.error.to_string(), "the proxy refuses: 403 Not this way");
    assert!(failure.response.is_none());
    let timings = failure.timings;
    assert!(
        timings.connect.is_some() && timings.tunnel.is_some() && timings.upgrade.is_none(),
        "{timings:?}"
    );
}

#[test]
fn answers_that_are_none() {
    let limits = Limits::default();
    for (answer, message) in [
        (&b"SMTP\r\n\r\n"[..], "malformed HTTP response \"SMTP\""),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed MIME header: missing colon: \"nonsense\""),
        (b"HTTP/1.1 200 OK\r\n", "unexpected EOF"),
        (b"", "unexpected EOF"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101", "12 bytes before the first request"),
    ] {
        assert_eq!(refused(answer, &limits).error.to_string(), message, "{}", answer.escape_ascii());
    }
    let failure = refused(b"HTTP/1.1 200", &limits);
    let Error::Peer(PeerError::ClosedEarly { phase, received: 12 }) = failure.error else {
        panic!("{failure:?}")
    };
    assert_eq!(phase, Phase::Tunnel);
}

#[test]
fn a_proxy_cannot_send_without_end() {
    let limits = Limits { max_header_bytes: 64, max_headers: 3, ..Limits::default() };
    for answer in [
        &b"HTTP/1.1 200 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
        b"HTTP/1.1 200 OK\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\n",
    ] {
        assert!(matches!(refused(answer, &limits).error, Error::Limit { .. }));
    }
}

#[test]
fn the_tunnel_is_timed_and_its_time_limited() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let begin = || {
        let (request, limits) = (UpgradeRequest::new(), Limits::default());
        let (proxy, url) = (Proxy::parse(&addr.to_string()).unwrap(), url(addr));
        let opening = ws_proto::Opening {
            proxy: Some(&proxy),
            ..ws_proto::Opening::new(addr, &url, &request, &limits)
        };
        let opening = opening.start(start).unwrap();
        let (peer, _) = listener.accept().unwrap();
        (opening, peer)
    };
    let advance = |opening: Handshaking, seconds| match opening.advance(start + seconds * second) {
        Ok(Step::Pending(same)) => same,
        other => panic!("{other:?}"),
    };

    let (mut opening, mut peer) = begin();
    while opening.bytes_written() == 0 {
        opening = advance(opening, 1);
    }
    read_head(&mut peer);
    peer.write_all(TUNNEL).unwrap();
    let asked = opening.bytes_written();
    while opening.bytes_written() == asked {
        opening = advance(opening, 3);
    }
    let head = read_head(&mut peer);
    peer.write_all(accept(&head).as_bytes()).unwrap();
    let timings = loop {
        match opening.advance(start + 7 * second).unwrap() {
            Step::Pending(same) => opening = same,
            Step::Open(_, _, timings) => break timings,
        }
    };
    assert_eq!(
        (timings.connect, timings.tunnel, timings.tls, timings.upgrade),
        (Some(second), Some(2 * second), None, Some(4 * second))
    );

    let (mut opening, _peer) = begin();
    while opening.bytes_written() == 0 {
        opening = advance(opening, 1);
    }
    let failure = opening.advance(start + Limits::default().handshake_timeout).unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { phase: Phase::Tunnel, .. }), "{failure:?}");
}

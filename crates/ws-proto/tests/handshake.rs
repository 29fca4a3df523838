//! Opening handshakes over loopback: what is sent, what is accepted, how each failure shows.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use crate::common::{Client, Opening, accept, read_head, serve, url};
use ws_proto::{
    Error, HandshakeFailure, Limits, PeerError, Phase, Refusal, Step, TimeLimit, UpgradeRequest, WsUrl,
};

/// The failure of a handshake with a peer that answers `answer` and closes.
fn failure(answer: &'static [u8]) -> Box<HandshakeFailure> {
    let (addr, peer) = serve(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(answer).unwrap();
    });
    let failure = Opening::to(addr).run().map(|_| ()).unwrap_err();
    peer.join().unwrap();
    failure
}

#[test]
fn the_request_is_sent_and_its_answer_kept() {
    let (addr, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        let answer = accept(&head).replace("\r\n\r\n", "\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
        (head, answer.len())
    });
    let mut opening = Opening::to(addr);
    opening.url = WsUrl::parse(&format!("ws://{addr}/a?b=c#d")).unwrap();
    opening.request.user_agent(Some("test")).header("X-A", "1").unwrap();
    let (client, response) = opening.run().unwrap();
    let (head, answered) = peer.join().unwrap();
    let start = format!("GET /a?b=c HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: test\r\nConnection: Upgrade\r\n");
    assert!(head.starts_with(&start), "{head}");
    assert_eq!(response.status, 101);
    assert_eq!(response.headers.joined("Set-Cookie").as_deref(), Some("a=1, b=2"));
    assert_eq!(client.connection.bytes_written(), head.len() as u64);
    assert_eq!(client.connection.bytes_read(), answered as u64);
    assert_eq!(client.connection.peer_addr(), addr);
    assert!(client.connection.local_addr().is_some_and(|local| local.ip() == Ipv4Addr::LOCALHOST));
}

#[test]
fn keys_are_fresh() {
    let key = || {
        let (addr, peer) = serve(|mut stream| {
            let head = read_head(&mut stream);
            stream.write_all(accept(&head).as_bytes()).unwrap();
            head.lines().find(|line| line.starts_with("Sec-WebSocket-Key")).map(str::to_owned)
        });
        Client::open(addr);
        peer.join().unwrap().unwrap()
    };
    assert_ne!(key(), key());
}

#[test]
fn messages_in_the_same_segment_as_the_response_are_not_lost() {
    let (addr, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        let mut answer = accept(&head).into_bytes();
        answer.extend(b"\x81\x05early\x82\x00\x8a\x01p");
        stream.write_all(&answer).unwrap();
    });
    let mut client = Client::open(addr);
    // The peer has closed too, perhaps with the very event that completed the handshake.
    assert_eq!(client.receive(4), ["text early", "binary ", "pong p", "ended eof"]);
    peer.join().unwrap();
}

#[test]
fn one_byte_per_segment() {
    let (addr, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        let mut answer = accept(&head).into_bytes();
        answer.extend(b"\x81\x7e\x00\x80");
        answer.extend([b'x'; 128]);
        for byte in answer {
            stream.write_all(&[byte]).unwrap();
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    let mut client = Client::open(addr);
    assert_eq!(client.receive(2), [format!("text {}", "x".repeat(128)), "ended eof".into()]);
    peer.join().unwrap();
}

#[test]
fn refusals_come_with_their_response() {
    let failure = failure(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-Why: no\r\n\r\ngone");
    assert!(matches!(failure.error, Error::Peer(PeerError::BadHandshake(Refusal::Status(404)))));
    let response = failure.response.unwrap();
    assert_eq!((response.status, &response.body[..]), (404, &b"gone"[..]));
    assert_eq!(response.headers.get("x-why"), Some("no"));
    assert_eq!(failure.bytes_read, 60);
    assert!(failure.bytes_written > 100);
}

#[test]
fn a_refusal_ends_with_its_body_not_with_the_connection() {
    let (addr, peer) = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(b"1\r\nc\r\n0\r\n\r\n").unwrap();
        // Open until the client is done with it.
        let _ = stream.read(&mut [0]);
    });
    let response = Opening::to(addr).run().map(|_| ()).unwrap_err().response.unwrap();
    assert_eq!((response.status, &response.body[..]), (302, &b"abc"[..]));
    peer.join().unwrap();
}

#[test]
fn wrong_accept_key() {
    let failure = failure(
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nbody",
    );
    assert!(matches!(failure.error, Error::Peer(PeerError::BadHandshake(Refusal::Accept))));
    let response = failure.response.unwrap();
    assert_eq!((response.status, response.body.len()), (101, 0));
}

#[test]
fn an_extension_that_was_not_offered() {
    let (addr, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        assert!(!head.contains("Extensions"), "{head}");
        let header = "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
        stream.write_all(accept(&head).replace("\r\n\r\n", header).as_bytes()).unwrap();
    });
    let failure = Opening::to(addr).run().map(|_| ()).unwrap_err();
    assert!(
        matches!(&failure.error, Error::Peer(PeerError::BadExtension { header, .. }) if header.contains("deflate"))
    );
    assert_eq!(failure.response.unwrap().status, 101);
    peer.join().unwrap();
}

#[test]
fn answers_that_are_no_http() {
    let table: [(&[u8], &str); 6] = [
        (b"SSH-2.0-OpenSSH_9.6\r\n", r#"malformed HTTP response "SSH-2.0-OpenSSH_9.6""#),
        (b"hello", r#"malformed HTTP response "hello""#),
        (b"HTTP/1.1 abc\r\n\r\n", r#"malformed HTTP status code "abc""#),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", r#"bad Content-Length "x""#),
        (b"HTTP/1.1 101 OK\r\nUpgra", "unexpected EOF"),
        (b"", "unexpected EOF"),
    ];
    for (answer, message) in table {
        let failure = failure(answer);
        assert_eq!(failure.error.to_string(), message);
        assert!(failure.response.is_none());
    }
}

#[test]
fn a_head_over_the_limit() {
    let (addr, peer) = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 101 S\r\nA: ").unwrap();
        // Until the client hangs up.
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let mut opening = Opening::to(addr);
    opening.limits.max_header_bytes = 100_000;
    let failure = opening.run().map(|_| ()).unwrap_err();
    assert!(
        matches!(failure.error, Error::Limit { name: "max_header_bytes", limit: 100_000, .. }),
        "{failure}"
    );
    assert!(failure.bytes_read < 200_000);
    drop(failure);
    peer.join().unwrap();
}

#[test]
fn nobody_listens() {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = Opening::to(addr).run().map(|_| ()).unwrap_err();
    match failure.error {
        Error::Connect { addr: to, source, .. } => {
            assert_eq!((to, source.kind()), (addr, std::io::ErrorKind::ConnectionRefused));
            assert!(source.raw_os_error().is_some());
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_stalled_peer_hits_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let start = Instant::now();
    let limits = Limits::default();
    let mut opening = crate::common::start(addr, &limits, start);
    assert_eq!(
        opening.deadline(),
        start + Duration::from_secs(30),
        "TCP has less time than everything together"
    );
    let (_peer, _) = listener.accept().unwrap();
    while opening.deadline() < start + Duration::from_secs(60) {
        let Step::Pending(same) = opening.advance(start).unwrap() else { panic!("nobody answered") };
        opening = same;
    }
    assert!(opening.bytes_written() > 0);
    let almost = start + Duration::from_secs(60) - Duration::from_nanos(1);
    let Step::Pending(opening) = opening.advance(almost).unwrap() else { panic!("nobody answered") };
    let failure = opening.advance(start + Duration::from_secs(60)).unwrap_err();
    match failure.error {
        Error::Timeout {
            phase: Phase::Upgrade,
            limit: TimeLimit::Handshake,
            after,
            local: Some(_),
            addr: to,
        } => {
            assert_eq!((to, after), (addr, Duration::from_secs(60)));
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_refusal_with_a_stalled_body_is_still_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let start = Instant::now();
    let limits = Limits::default();
    let mut opening = crate::common::start(addr, &limits, start);
    let (mut peer, _) = listener.accept().unwrap();
    let answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\npart";
    peer.write_all(answer).unwrap();
    while opening.bytes_read() < answer.len() as u64 {
        let Step::Pending(same) = opening.advance(start).unwrap() else { panic!("refused") };
        opening = same;
    }
    let failure = opening.advance(start + Duration::from_secs(60)).unwrap_err();
    assert!(matches!(failure.error, Error::Peer(PeerError::BadHandshake(Refusal::Status(503)))));
    assert_eq!(failure.response.unwrap().body, b"part");
}

#[test]
fn phases_are_timed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let start = Instant::now();
    let limits = Limits::default();
    let mut opening = crate::common::start(addr, &limits, start);
    let (mut peer, _) = listener.accept().unwrap();
    while opening.bytes_written() == 0 {
        let Step::Pending(same) = opening.advance(start + Duration::from_secs(2)).unwrap() else { panic!() };
        opening = same;
    }
    let head = read_head(&mut peer);
    peer.write_all(accept(&head).as_bytes()).unwrap();
    let timings = loop {
        match opening.advance(start + Duration::from_secs(5)).unwrap() {
            Step::Pending(same) => opening = same,
            Step::Open(_, _, timings) => break timings,
        }
    };
    assert_eq!(timings.connect, Some(Duration::from_secs(2)));
    assert_eq!(timings.tls, None);
    assert_eq!(timings.upgrade, Some(Duration::from_secs(3)));
}

#[test]
fn the_local_address_can_be_chosen() {
    let (addr, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(accept(&head).as_bytes()).unwrap();
        stream.peer_addr().unwrap()
    });
    let request = UpgradeRequest::new();
    let local = Some(Ipv4Addr::LOCALHOST.into());
    let now = Instant::now();
    let (url, limits) = (url(addr), Limits::default());
    let opening = ws_proto::Opening { local, ..ws_proto::Opening::new(addr, &url, &request, &limits) };
    let mut opening = opening.start(now).unwrap();
    let connection = loop {
        match opening.advance(now).unwrap() {
            Step::Pending(same) => opening = same,
            Step::Open(connection, ..) => break connection,
        }
    };
    assert_eq!(Some(peer.join().unwrap()), connection.local_addr());
    // 192.0.2.0/24 is for documentation: no interface has an address of it.
    let foreign = Some(Ipv4Addr::new(192, 0, 2, 1).into());
    let opening =
        ws_proto::Opening { local: foreign, ..ws_proto::Opening::new(addr, &url, &request, &limits) };
    let error = opening.start(now);
    assert!(matches!(error, Err(Error::Bind { .. })), "{error:?}");
}

#[test]
fn steps_that_begin_and_end_in_one_call_take_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let start = Instant::now();
    let mut opening = crate::common::start(addr, &Limits::default(), start);
    let (mut peer, _) = listener.accept().unwrap();
    // It answers before it is asked, so connecting and the upgrade are one call.
    peer.write_all(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut now = start;
    let failure = loop {
        std::thread::sleep(Duration::from_millis(5));
        let mut clock = || {
            now += Duration::from_millis(1);
            now
        };
        match opening.advance_by(&mut clock) {
            Ok(Step::Pending(same)) => opening = same,
            Ok(Step::Open(..)) => panic!("open"),
            Err(failure) => break failure,
        }
    };
    assert!(failure.timings.connect.unwrap() >= Duration::from_millis(1), "{failure:?}");
    assert_eq!(failure.timings.upgrade, Some(Duration::from_millis(1)), "{failure:?}");
}

//! Peers that stop: in a handshake its limits end it; an open connection costs nothing and can be given up any time.
//!
//! Time is an argument, so nobody waits.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mio::Events;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::common::{Client, PATIENCE, accept, describe, read_frame, serve_open, url};
use ws_proto::{
    Flushed, Incoming, Kind, Limits, ReadProgress, Step, TlsConfig, TlsOptions, UpgradeRequest, WsUrl,
};

/// Of a handshake that the peer leaves after it has said `answer`: the text of the failure, and when it came.
fn handshake(tls: bool, answer: &[u8]) -> (String, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let config = TlsConfig::new(&TlsOptions::default()).unwrap();
    let url =
        if tls { WsUrl::parse(&format!("wss://localhost:{}/", addr.port())).unwrap() } else { url(addr) };
    let (request, limits, start) = (UpgradeRequest::new(), Limits::default(), Instant::now());
    let mut opening =
        ws_proto::Opening { tls: Some(&config), ..ws_proto::Opening::new(addr, &url, &request, &limits) }
            .start(start)
            .unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(answer).unwrap();
    // It has said all it will, and all of that has been taken.
    while opening.bytes_read() < answer.len() as u64 || opening.bytes_written() == 0 {
        let Step::Pending(same) = opening.advance(start).unwrap() else { panic!("open") };
        opening = same;
    }
    let deadline = opening.deadline();
    let just_before = deadline - Duration::from_nanos(1);
    let Step::Pending(opening) = opening.advance(just_before).unwrap() else { panic!("open") };
    let failure = opening.advance(deadline).unwrap_err();
    (failure.to_string().replace(&addr.to_string(), "PEER"), deadline - start)
}

#[test]
fn handshakes_end_by_their_limits() {
    let upgrade = "no answer from PEER in time (upgrade, handshake_timeout of 60s)";
    let tls = "no answer from PEER in time (TLS handshake, handshake_timeout of 60s)";
    let table: [(&str, bool, &[u8], &str); 8] = [
        ("says nothing", false, b"", upgrade),
        ("in the status line", false, b"HTTP/1.1 1", upgrade),
        ("in a header", false, b"HTTP/1.1 101 S\r\nUpgrade: w", upgrade),
        ("before the end of the head", false, b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n", upgrade),
        (
            "in a body",
            false,
            b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\npart",
            "bad handshake: status 503",
        ),
        (
            "in a chunk",
            false,
            b"HTTP/1.1 404 N\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "bad handshake: status 404",
        ),
        ("says nothing to TLS", true, b"", tls),
        ("in the TLS handshake", true, b"\x16\x03\x03\x00\x7a\x02\x00", tls),
    ];
    for (stalled, tls, answer, expected) in table {
        assert_eq!(handshake(tls, answer), (expected.to_owned(), Duration::from_secs(60)), "{stalled}");
    }
}

/// A listener whose queue is full drops what knocks, like a host that is gone.
#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_is_not_made_ends_by_its_limit() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    let _first = std::net::TcpStream::connect(addr).unwrap();
    let (limits, start) = (Limits::default(), Instant::now());
    let opening = crate::common::start(addr, &limits, start);
    let Step::Pending(opening) = opening.advance(start).unwrap() else { panic!("open") };
    assert_eq!((opening.deadline(), opening.bytes_written()), (start + limits.connect_timeout, 0));
    let failure = opening.advance(start + limits.connect_timeout).unwrap_err();
    assert_eq!(
        failure.to_string(),
        format!("no answer from {addr} in time (TCP connect, connect_timeout of 30s)")
    );
}

#[test]
fn a_peer_that_trickles_gets_no_more_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (limits, start) = (Limits::default(), Instant::now());
    let mut opening = crate::common::start(addr, &limits, start);
    let (mut peer, _) = listener.accept().unwrap();
    peer.set_nodelay(true).unwrap();
    let mut now = start;
    let failure = loop {
        peer.write_all(b"H").unwrap();
        match opening.advance(now) {
            Ok(Step::Pending(same)) => opening = same,
            Ok(Step::Open(..)) => panic!("open"),
            Err(failure) => break failure,
        }
        now += Duration::from_secs(1);
    };
    assert_eq!(
        (failure.to_string(), now - start),
        (
            format!("no answer from {addr} in time (upgrade, handshake_timeout of 60s)"),
            limits.handshake_timeout
        )
    );
}

/// The client's side of a session with a peer that has said `bytes` and is silent since then; whether it has closed.
fn open(bytes: &'static [u8], closes: bool) -> Vec<String> {
    let (addr, peer) = serve_open(move |mut stream| {
        stream.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        // The client gives up: everything it had queued, and the end.
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    let mut client = Client::open(addr);
    if closes {
        client.connection.close(Some((1000, ""))).unwrap();
        client.flush();
    }
    let mut seen = Vec::new();
    let all = accept("Sec-WebSocket-Key: any").len() + bytes.len();
    loop {
        client.turn(|incoming, arena| seen.push(describe(&incoming, arena)));
        if client.connection.bytes_read() == all as u64 {
            break;
        }
    }
    let progress = client.connection.read(&mut client.arena, false, &mut |incoming| panic!("{incoming:?}"));
    assert_eq!((progress, client.connection.queued_bytes()), (ReadProgress::Drained, 0));
    client.connection.shutdown();
    let after = client.connection.read(&mut client.arena, true, &mut |incoming| panic!("{incoming:?}"));
    assert_eq!(after, ReadProgress::Drained, "after the shutdown there is nothing");
    let sent = peer.join().unwrap();
    seen.push(format!("{} bytes sent", sent.len()));
    seen
}

#[test]
fn open_connections_can_be_given_up_in_any_state() {
    let table: [(&str, &[u8], bool, &[&str]); 6] = [
        ("idle", b"", false, &["0 bytes sent"]),
        ("in a header", b"\x81", false, &["0 bytes sent"]),
        ("in a payload", b"\x81\x05he", false, &["0 bytes sent"]),
        ("between fragments", b"\x01\x05hello", false, &["0 bytes sent"]),
        ("never answers our close frame", b"", true, &["8 bytes sent"]),
        ("after its close frame", b"\x88\x02\x03\xe8", false, &["close 1000 ", "8 bytes sent"]),
    ];
    for (stalled, bytes, closes, expected) in table {
        assert_eq!(open(bytes, closes), expected, "{stalled}");
    }
}

#[test]
fn a_close_frame_comes_after_all_that_was_queued_before_it() {
    const MESSAGES: usize = 64;
    let (addr, peer) = serve_open(|mut stream| {
        // While the client's writes are blocked, it still hears its peer.
        stream.write_all(b"\x81\x05hello").unwrap();
        let mut go = [0; 1];
        stream.peek(&mut go).unwrap();
        let frames: Vec<_> = (0..=MESSAGES).map(|_| read_frame(&mut stream)).collect();
        stream.write_all(b"\x88\x02\x03\xe8").unwrap();
        frames
    });
    let mut client = Client::open(addr);
    let quarter = vec![b'x'; 1 << 18];
    for _ in 0..MESSAGES {
        client.connection.send(Kind::Binary, &quarter).unwrap();
    }
    client.connection.close(Some((1001, "bye"))).unwrap();
    assert_eq!(client.connection.flush().unwrap(), Flushed::Blocked);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        // `turn` flushes as far as the peer reads.
        client.turn(|incoming, arena| seen.push(describe(&incoming, arena)));
    }
    assert_eq!(seen, ["text hello", "close 1000 ", "ended eof"]);
    let frames = peer.join().unwrap();
    assert!(frames[..MESSAGES].iter().all(|frame| *frame == (0x82, quarter.clone())));
    assert_eq!(frames[MESSAGES], (0x88, b"\x03\xe9bye".to_vec()));
}

#[test]
fn a_peer_that_pings_and_does_not_read_can_be_given_up() {
    let (addr, peer) = serve_open(|mut stream| {
        let pings = b"\x89\x7d".iter().copied().chain([b'p'; 125]).collect::<Vec<u8>>().repeat(100);
        // Until the client hangs up; nothing of what it answers is read.
        while stream.write_all(&pings).is_ok() {}
    });
    let mut client = Client::open(addr);
    let mut events = Events::with_capacity(8);
    let (mut pings, mut most) = (0, 0);
    while pings < 300_000 {
        client.arena.reset();
        let progress = client.connection.read(&mut client.arena, false, &mut |incoming| match incoming {
            Incoming::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        });
        let _: Flushed = client.connection.flush().unwrap();
        most = most.max(client.connection.queued_bytes());
        if progress == ReadProgress::Drained {
            client.poll.poll(&mut events, Some(PATIENCE)).unwrap();
        }
    }
    // 300,000 answers would be 39 MB.
    assert!(most < (2 << 20), "{most} bytes wait");
    client.connection.shutdown();
    drop(client);
    peer.join().unwrap();
}

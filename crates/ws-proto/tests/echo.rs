//! Messages to and fro over loopback.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::{Client, PATIENCE, read_frame, serve, serve_open};
use mio::Events;
use tungstenite::Message;
use ws_proto::{CloseSent, Flushed, Incoming, Kind, Payload, ReadProgress};

/// Tungstenite's server, echoing until the client is gone.
fn echo(stream: TcpStream) {
    let mut socket = tungstenite::accept(stream).unwrap();
    while let Ok(message) = socket.read() {
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            socket.send(message).unwrap();
        }
    }
}

#[test]
fn messages_of_many_sizes_come_back() {
    let (addr, server) = serve(echo);
    let mut client = Client::open(addr);
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000, 8_000_000] {
        let data: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        client.connection.send(Kind::Binary, &data).unwrap();
        let mut back = None;
        while back.is_none() {
            if client.connection.wants_write() {
                // The echo may fill both directions, so reading goes on while writing is blocked.
                let _: Flushed = client.connection.flush().unwrap();
            }
            client.turn(|incoming, arena| match incoming {
                Incoming::Binary(payload) => back = Some(payload.bytes(arena).to_vec()),
                other => panic!("{other:?}"),
            });
        }
        assert!(back.is_some_and(|back| back == data), "{len} bytes");
    }
    client.connection.send(Kind::Text, "grüße".as_bytes()).unwrap();
    client.flush();
    assert_eq!(client.receive(1), [r"text gr\xc3\xbc\xc3\x9fe"]);
    drop(client);
    server.join().unwrap();
}

#[test]
fn payloads_can_be_written_in_place() {
    let (addr, server) = serve_open(|mut stream| [(); 3].map(|()| read_frame(&mut stream)));
    let mut client = Client::open(addr);
    client.connection.send_with(Kind::Text, 5, |payload| payload.copy_from_slice(b"hello")).unwrap();
    client.connection.send_with(Kind::Binary, 3, |payload| assert_eq!(payload, [0; 3])).unwrap();
    client.connection.pong(&[b'x'; 200]).unwrap();
    assert_eq!(client.connection.queued_bytes(), (6 + 5) + (6 + 3) + (6 + 125));
    let before = client.connection.bytes_written();
    client.flush();
    assert_eq!(client.connection.bytes_written() - before, 151);
    assert_eq!(client.connection.queued_bytes(), 0);
    assert!(!client.connection.wants_write());
    let frames = server.join().unwrap();
    assert_eq!(frames, [(0x81, b"hello".to_vec()), (0x82, vec![0; 3]), (0x8A, vec![b'x'; 125])]);
}

#[test]
fn invalid_utf8_passes_through() {
    let (addr, server) = serve_open(|mut stream| stream.write_all(b"\x81\x02\xff\xfe").unwrap());
    assert_eq!(Client::open(addr).receive(2), [r"text \xff\xfe", "ended eof"]);
    server.join().unwrap();
}

#[test]
fn pings_are_answered_in_order_and_reported() {
    let (addr, server) = serve_open(|mut stream| {
        stream.write_all(b"\x89\x01a\x01\x01x\x89\x00\x80\x01y\x89\x01b").unwrap();
        [(); 3].map(|()| read_frame(&mut stream))
    });
    let mut client = Client::open(addr);
    assert_eq!(client.receive(4), ["ping a", "ping ", "text xy", "ping b"]);
    let pongs = server.join().unwrap();
    assert_eq!(pongs, [(0x8A, b"a".to_vec()), (0x8A, vec![]), (0x8A, b"b".to_vec())]);
}

#[test]
fn a_ping_in_two_segments_is_answered_whole() {
    let (addr, server) = serve_open(|mut stream| {
        for part in [&b"\x89\x04pi"[..], b"ng"] {
            stream.write_all(part).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        read_frame(&mut stream)
    });
    assert_eq!(Client::open(addr).receive(1), ["ping ping"]);
    assert_eq!(server.join().unwrap(), (0x8A, b"ping".to_vec()));
}

#[test]
fn a_flood_of_pings_costs_bounded_memory_and_the_last_is_answered() {
    const PINGS: usize = 400_000;
    let (addr, server) = serve_open(|mut stream| {
        stream.write_all(&b"\x89\x00".repeat(PINGS)).unwrap();
        stream.write_all(b"\x89\x04last").unwrap();
        let mut pongs = 1;
        let mut reader = std::io::BufReader::new(stream);
        while read_frame(&mut reader) != (0x8A, b"last".to_vec()) {
            pongs += 1;
        }
        pongs
    });
    let mut client = Client::open(addr);
    let mut events = Events::with_capacity(8);
    let mut seen = 0;
    while seen <= PINGS {
        client.arena.reset();
        // Nothing is flushed, as if the peer did not read.
        let progress = client.connection.read(&mut client.arena, false, &mut |_| seen += 1);
        if progress == ReadProgress::Drained && seen <= PINGS {
            client.poll.poll(&mut events, Some(PATIENCE)).unwrap();
        }
        assert!(client.connection.queued_bytes() < (1 << 20) + 200);
    }
    client.flush();
    let pongs = server.join().unwrap();
    assert!(pongs > 100_000 && pongs < PINGS, "{pongs}");
}

#[test]
fn a_million_tiny_frames_in_bounded_memory() {
    const FRAMES: usize = 1_000_000;
    let (addr, server) = serve_open(|mut stream| {
        let thousand = b"\x82\x01x".repeat(1000);
        for _ in 0..FRAMES / 1000 {
            stream.write_all(&thousand).unwrap();
        }
    });
    let mut client = Client::open(addr);
    let (mut seen, mut split, mut most) = (0, 0, 0);
    while seen < FRAMES {
        client.turn(|incoming, arena| {
            match incoming {
                Incoming::Binary(Payload::Span(_)) => {}
                // A frame that was cut by the end of a read.
                Incoming::Binary(Payload::Owned(_)) => split += 1,
                Incoming::Ended(_) => return,
                other => panic!("{other:?}"),
            }
            seen += 1;
            most = most.max(arena.len());
        });
    }
    assert_eq!(seen, FRAMES);
    assert!(split < FRAMES / 100, "{split} messages were copied");
    assert!(most < 512 * 1024, "one read took {most} bytes");
    server.join().unwrap();
}

#[test]
fn a_peer_that_does_not_read_blocks_the_flush_only() {
    let (addr, server) = serve_open(|mut stream| {
        let mut started = [0; 1];
        stream.read_exact(&mut started).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut total = 1;
        let mut buffer = vec![0; 65536];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            total += n;
        }
        total
    });
    let mut client = Client::open(addr);
    let upgrade = client.connection.bytes_written();
    let megabyte = vec![b'x'; 1 << 20];
    for _ in 0..16 {
        client.connection.send(Kind::Binary, &megabyte).unwrap();
    }
    let queued = client.connection.queued_bytes();
    assert_eq!(client.connection.flush().unwrap(), Flushed::Blocked);
    assert!(client.connection.wants_write());
    let written = client.connection.bytes_written() - upgrade;
    assert_eq!(client.connection.queued_bytes() as u64 + written, queued as u64);
    client.flush();
    client.connection.shutdown();
    assert_eq!(server.join().unwrap(), queued);
}

#[test]
fn nothing_is_sent_after_a_close_frame() {
    let (addr, server) = serve_open(|mut stream| {
        let close = read_frame(&mut stream);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        (close, rest)
    });
    let mut client = Client::open(addr);
    client.connection.close(Some((1001, ""))).unwrap();
    assert!(client.connection.close_sent());
    assert_eq!(client.connection.send(Kind::Text, b"x"), Err(CloseSent));
    assert_eq!(client.connection.send_with(Kind::Text, 1, |_| panic!("not called")), Err(CloseSent));
    assert_eq!(client.connection.ping(b"x"), Err(CloseSent));
    assert_eq!(client.connection.pong(b"x"), Err(CloseSent));
    assert_eq!(client.connection.close(None), Err(CloseSent));
    client.connection.shutdown();
    assert_eq!(server.join().unwrap(), ((0x88, vec![0x03, 0xE9]), vec![]));
}

#[test]
fn an_idle_connection_stays_open() {
    let (addr, server) = serve_open(|stream| stream);
    let mut client = Client::open(addr);
    let server = server.join().unwrap();
    client.turn(|incoming, _| panic!("{incoming:?}"));
    let mut events = Events::with_capacity(8);
    client.connection.send(Kind::Text, b"x").unwrap();
    client.flush();
    drop(server);
    client.poll.poll(&mut events, Some(PATIENCE)).unwrap();
    let mut seen = Vec::new();
    let _ = client.connection.read(&mut client.arena, true, &mut |incoming| seen.push(incoming));
    assert!(matches!(seen[..], [Incoming::Ended(_)]), "{seen:?}");
    seen.clear();
    let _ = client.connection.read(&mut client.arena, true, &mut |incoming| seen.push(incoming));
    assert!(seen.is_empty(), "the end is reported once");
}

//! The echo server, seen by our own sockets and by plain ones.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::common::{LONG, dial, new_loop, next, text};
use ws_loop::{EchoServer, Event};
use ws_proto::{CloseFrame, DeflateOffer, Ended, Incoming, Kind, WindowBits};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn raw(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(REQUEST).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}

#[test]
fn a_thousand_sockets_with_every_message_counted() {
    const SOCKETS: u64 = 1_000;
    const ROUNDS: u32 = 20;
    let server = EchoServer::with_threads("127.0.0.1:0", 2).unwrap();
    let mut l = new_loop();
    for user in 0..SOCKETS {
        l.connect(dial(server.local_addr()), user);
    }
    let mut counts = vec![0; SOCKETS as usize];
    let (mut open, mut traffic) = (0, 0);
    let end = Instant::now() + LONG;
    loop {
        assert!(Instant::now() < end, "{} open, {} messages", open, counts.iter().sum::<u32>());
        match l.next_event() {
            Some(Event::Opened { key, user, .. }) => {
                open += 1;
                l.socket(key).unwrap().send(Kind::Text, format!("{user}:0").as_bytes()).unwrap();
            }
            Some(Event::Incoming { key, user, incoming: Incoming::Text(payload) }) => {
                let count = &mut counts[user as usize];
                assert_eq!(l.payload(&payload), format!("{user}:{count}").as_bytes());
                *count += 1;
                let socket = l.socket(key).unwrap();
                if *count < ROUNDS {
                    socket.send(Kind::Text, format!("{user}:{count}").as_bytes()).unwrap();
                } else {
                    socket.close(Some((1000, ""))).unwrap();
                }
            }
            Some(Event::Incoming { incoming: Incoming::Close(frame), .. }) => {
                assert_eq!(frame, Some(CloseFrame { code: 1000, reason: String::new() }));
            }
            Some(Event::Incoming { key, incoming: Incoming::Ended(Ended::Eof), .. }) => {
                traffic += l.finish(key).unwrap().traffic.read;
                open -= 1;
            }
            Some(other) => panic!("unexpected {other:?}"),
            None if open == 0 && counts.iter().all(|&count| count == ROUNDS) => break,
            None => {
                l.flush();
                l.turn(Some(Duration::from_millis(100))).unwrap();
            }
        }
    }
    assert!(traffic > SOCKETS * u64::from(ROUNDS) * 5, "{traffic}");
    assert_eq!(l.sockets(), 0);
}

#[test]
fn large_messages_of_either_kind() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    let mut l = new_loop();
    let mut dial = dial(server.local_addr());
    dial.limits.max_frame = 64 << 20;
    dial.limits.max_message = 64 << 20;
    l.connect(dial, 0);
    let Event::Opened { key, .. } = next(&mut l) else { panic!("not opened") };
    for (kind, len) in
        [(Kind::Text, 0), (Kind::Binary, 65_535), (Kind::Binary, 65_536), (Kind::Text, 20 << 20)]
    {
        let message: Vec<u8> = (0..len).map(|n| (n % 90) as u8 + 0x20).collect();
        l.socket(key).unwrap().send(kind, &message).unwrap();
        let payload = match (kind, next(&mut l)) {
            (Kind::Text, Event::Incoming { incoming: Incoming::Text(payload), .. }) => payload,
            (Kind::Binary, Event::Incoming { incoming: Incoming::Binary(payload), .. }) => payload,
            (_, other) => panic!("unexpected {other:?}"),
        };
        assert!(l.payload(&payload) == message, "{len} bytes");
    }
}

#[test]
fn fragments_pings_and_close() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    let mut stream = raw(server.local_addr());
    // "ab" in two fragments around a ping, then close 1000; all masked with zeros.
    stream.write_all(b"\x01\x81\0\0\0\0a\x89\x81\0\0\0\0p\x80\x81\0\0\0\0b\x88\x82\0\0\0\0\x03\xe8").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"\x01\x01a\x8a\x01p\x80\x01b\x88\x02\x03\xe8");
}

#[test]
fn a_client_that_only_stops_sending_gets_everything_back_and_then_the_end() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    // Often enough that the server meets data and end in one edge, and in two.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.local_addr()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(&[REQUEST, b"\x81\x83\0\0\0\0abc"].concat()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(b"\r\n\r\n\x81\x03abc"), "{answer:x?}");
    }
}

#[test]
fn a_client_that_does_not_read_is_waited_for() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    let mut stream = raw(server.local_addr());
    let mut writer = stream.try_clone().unwrap();
    let frame = [&b"\x82\xfe\x80\0\0\0\0\0"[..], &[5; 0x8000]].concat();
    let frames = 1_000;
    let thread = std::thread::spawn(move || (0..frames).for_each(|_| writer.write_all(&frame).unwrap()));
    // Long enough for every buffer on the way to fill up.
    std::thread::sleep(Duration::from_millis(300));
    let expected = [&b"\x82\x7e\x80\0"[..], &[5; 0x8000]].concat();
    let mut got = vec![0; expected.len()];
    for _ in 0..frames {
        stream.read_exact(&mut got).unwrap();
        assert!(got == expected);
    }
    thread.join().unwrap();
}

#[test]
fn plain_http_is_told_to_upgrade() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    for (request, status) in [("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426"), ("nonsense\r\n\r\n", "400")] {
        let mut stream = TcpStream::connect(server.local_addr()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[test]
fn dropping_the_server_ends_its_connections_and_frees_the_port() {
    let server = EchoServer::with_threads("127.0.0.1:0", 3).unwrap();
    let addr = server.local_addr();
    let mut streams: Vec<TcpStream> = (0..6).map(|_| raw(addr)).collect();
    drop(server);
    for stream in &mut streams {
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).is_err() || rest.is_empty());
    }
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn compressed_messages_come_back_whatever_was_offered() {
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    let noise = |seed: u32| {
        let letters = (0..40_000u32).scan(seed, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(char::from(b'a' + (*state >> 24) as u8 % 26))
        });
        letters.collect::<String>()
    };
    let messages =
        [String::new(), "again ".repeat(1000), "again ".repeat(10), noise(1), noise(1), noise(2), noise(1)];
    let bits = WindowBits::new(9);
    for offer in [DeflateOffer::without_takeover(), DeflateOffer::with_takeover()] {
        for window in [None, bits] {
            let mut l = new_loop();
            let mut dial = dial(server.local_addr());
            let client_max_window_bits = window.or(offer.client_max_window_bits);
            let offer = DeflateOffer { server_max_window_bits: window, client_max_window_bits, ..offer };
            dial.request.deflate(Some(offer));
            let key = l.connect(dial, 7);
            assert!(matches!(next(&mut l), Event::Opened { .. }), "{offer}");
            let agreed = l.socket(key).unwrap().deflate().expect("the server takes the offer");
            assert_eq!(agreed.client_no_context_takeover, offer.client_no_context_takeover);
            assert_eq!(agreed.client_max_window_bits, window.unwrap_or(WindowBits::MAX));
            for message in &messages {
                l.socket(key).unwrap().send(Kind::Text, message.as_bytes()).unwrap();
            }
            l.flush();
            for message in &messages {
                let event = next(&mut l);
                assert_eq!(text(&l, event).1, *message, "{offer}");
            }
        }
    }
}

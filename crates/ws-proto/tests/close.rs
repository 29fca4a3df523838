//! How a session ends, seen from the client.

use std::io::{Read, Write};

use crate::common::{Client, read_frame, serve_open};
use ws_proto::Kind;

/// What the client reports for `bytes` from the server, and the frame it answers with.
fn exchange(bytes: Vec<u8>, count: usize) -> (Vec<String>, (u8, Vec<u8>)) {
    let (addr, server) = serve_open(move |mut stream| {
        stream.write_all(&bytes).unwrap();
        read_frame(&mut stream)
    });
    let mut client = Client::open(addr);
    let seen = client.receive(count);
    assert!(client.connection.close_sent());
    (seen, server.join().unwrap())
}

#[test]
fn a_close_frame_is_answered_with_its_code_and_no_reason() {
    for code in [1000_u16, 1001, 1002, 1011, 3000, 4999] {
        let mut bytes = vec![0x88, 5];
        bytes.extend(code.to_be_bytes());
        bytes.extend(b"bye");
        let (seen, answer) = exchange(bytes, 2);
        assert_eq!(seen, [format!("close {code} bye"), "ended eof".into()]);
        assert_eq!(answer, (0x88, code.to_be_bytes().to_vec()));
    }
}

#[test]
fn a_close_frame_without_code_is_answered_empty() {
    for bytes in [vec![0x88, 0], vec![0x88, 1, 3]] {
        let (seen, answer) = exchange(bytes, 2);
        assert_eq!(seen, ["close", "ended eof"]);
        assert_eq!(answer, (0x88, vec![]));
    }
}

#[test]
fn what_follows_a_close_frame_is_thrown_away() {
    let (seen, answer) = exchange(b"\x81\x01a\x88\x02\x03\xe8\x81\x01b\x89\x00\xff\xff".to_vec(), 3);
    assert_eq!(seen, ["text a", "close 1000 ", "ended eof"]);
    assert_eq!(answer, (0x88, vec![3, 0xE8]));
}

#[test]
fn messages_that_came_before_the_end_can_be_answered() {
    for (last, close) in
        [(&b"\x88\x02\x03\xe8"[..], b"\x03\xe8".to_vec()), (b"\xa1\x00", b"\x03\xeaRSV2 set".to_vec())]
    {
        let (addr, server) = serve_open(move |mut stream| {
            stream.write_all(&[b"\x81\x01a\x89\x01p\x81\x01b", last].concat()).unwrap();
            [(); 4].map(|()| read_frame(&mut stream))
        });
        let mut client = Client::open(addr);
        let mut batch = Vec::new();
        while batch.len() < 3 {
            let _ = client.connection.read(&mut client.arena, false, &mut |incoming| batch.push(incoming));
        }
        assert_eq!(batch.len(), 3, "the end waits for the next call: {batch:?}");
        assert!(!client.connection.close_sent());
        client.connection.send(Kind::Text, b"a").unwrap();
        client.connection.send(Kind::Text, b"b").unwrap();
        client.receive(1);
        let text = |bytes: &[u8]| (0x81, bytes.to_vec());
        let frames = [(0x8A, b"p".to_vec()), text(b"a"), text(b"b"), (0x88, close)];
        assert_eq!(server.join().unwrap(), frames);
    }
}

#[test]
fn our_close_frame_is_not_sent_twice() {
    let (addr, server) = serve_open(|mut stream| {
        let close = read_frame(&mut stream);
        stream.write_all(b"\x89\x00\x88\x02\x03\xe8").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        (close, rest)
    });
    let mut client = Client::open(addr);
    // Codes are not checked: a test may want to send any.
    client.connection.close(Some((4464, "why not"))).unwrap();
    client.flush();
    assert_eq!(client.receive(3), ["ping ", "close 1000 ", "ended eof"]);
    client.connection.shutdown();
    let (close, rest) = server.join().unwrap();
    assert_eq!(close, (0x88, b"\x11\x70why not".to_vec()));
    assert!(rest.is_empty(), "neither a pong nor a second close frame: {rest:?}");
}

#[test]
fn the_end_of_the_stream_without_a_close_frame() {
    let (addr, server) = serve_open(|mut stream| stream.write_all(b"\x81\x01a\x81\x06unfin").unwrap());
    let mut client = Client::open(addr);
    assert_eq!(client.receive(2), ["text a", "ended eof"]);
    server.join().unwrap();
    assert!(!client.connection.close_sent());
}

#[test]
fn a_reset() {
    let (addr, server) = serve_open(|mut stream| {
        read_frame(&mut stream);
        // Closing with unread data in the receive buffer makes the system send a reset.
        std::thread::sleep(std::time::Duration::from_millis(50));
    });
    let mut client = Client::open(addr);
    client.connection.send(Kind::Text, b"read").unwrap();
    client.connection.send(Kind::Text, b"never read").unwrap();
    client.flush();
    assert_eq!(client.receive(1), ["ended ConnectionReset"]);
    server.join().unwrap();
}

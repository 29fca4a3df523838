//! Compressed sessions: what is agreed on, what goes over the wire, what hostile servers send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::common::{Client, Opening, accept, read_frame, read_head, serve};
use ws_proto::{
    Arena, DeflateOffer, DeflatePolicy, Deflater, Error, Incoming, Kind, Payload, PeerError, WindowBits,
};

pub(crate) const K6: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A peer that agrees to `extensions` and sends `bytes` in the same segment.
pub(crate) fn serve_deflate<T: Send + 'static>(
    extensions: &'static str,
    bytes: Vec<u8>,
    peer: impl FnOnce(TcpStream, String) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        let header = format!("\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n");
        let mut answer = accept(&head).replace("\r\n\r\n", &header).into_bytes();
        answer.extend(bytes);
        stream.write_all(&answer).unwrap();
        peer(stream, head)
    })
}

pub(crate) fn opening(addr: SocketAddr, offer: DeflateOffer) -> Opening {
    let mut opening = Opening::to(addr);
    opening.request.deflate(Some(offer));
    opening
}

pub(crate) fn compress(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(message.len() + 100);
    let mut state = Compress::new(Compression::best(), false);
    state.compress_vec(message, &mut packed, FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

fn inflate(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(1000);
    let packed = [packed, &[0, 0, 0xFF, 0xFF]].concat();
    Decompress::new(false).decompress_vec(&packed, &mut plain, FlushDecompress::None).unwrap();
    plain
}

pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    let mut out = vec![first];
    if len < 126 {
        out.push(len as u8);
    } else {
        out.push(126);
        out.extend(len.to_be_bytes());
    }
    out.extend(payload);
    out
}

#[test]
fn messages_are_compressed_both_ways() {
    let hello = frame(0xC1, &compress(b"hello"));
    // In the segment of the response: a message, one in fragments with a ping between, one that is not compressed.
    let packed = compress(&b"long ".repeat(50));
    let sent = [
        hello.clone(),
        frame(0x42, &packed[..3]),
        frame(0x89, b"p"),
        frame(0x80, &packed[3..]),
        frame(0x81, b"plain"),
    ];
    let (addr, server) = serve_deflate(K6, sent.concat(), |mut stream, head| {
        (head, [(); 5].map(|()| read_frame(&mut stream)))
    });
    let (mut client, response) = opening(addr, DeflateOffer::without_takeover()).run().unwrap();
    assert_eq!(response.headers.get("Sec-WebSocket-Extensions"), Some(K6));
    let agreed = client.connection.deflate().unwrap();
    assert!(agreed.server_no_context_takeover && agreed.client_no_context_takeover);
    assert_eq!(
        (agreed.client_max_window_bits, agreed.server_max_window_bits),
        (WindowBits::MAX, WindowBits::MAX)
    );
    let long = format!("binary {}", "long ".repeat(50));
    assert_eq!(client.receive(4), ["text hello", "ping p", &long, "text plain"]);
    client.connection.send(Kind::Text, b"hello").unwrap();
    client.connection.send_with(Kind::Binary, 100, |payload| payload.fill(7)).unwrap();
    client.connection.send(Kind::Text, b"").unwrap();
    client.connection.ping(b"hello").unwrap();
    client.flush();
    let (head, frames) = server.join().unwrap();
    assert!(head.contains(&format!("\r\nSec-WebSocket-Extensions: {K6}\r\n")), "{head}");
    let [pong, text, binary, empty, ping] = frames;
    assert_eq!((pong, ping), ((0x8A, b"p".to_vec()), (0x89, b"hello".to_vec())));
    assert_eq!((text.0, inflate(&text.1)), (0xC1, b"hello".to_vec()));
    assert_eq!((binary.0, inflate(&binary.1)), (0xC2, vec![7; 100]));
    assert!(binary.1.len() < 30, "{}", binary.1.len());
    assert_eq!(empty, (0xC1, vec![0]));
}

#[test]
fn a_server_need_not_agree() {
    let (addr, server) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(accept(&head).as_bytes()).unwrap();
        read_frame(&mut stream)
    });
    let mut client = opening(addr, DeflateOffer::with_takeover()).run().unwrap().0;
    assert_eq!(client.connection.deflate(), None);
    client.connection.send(Kind::Text, b"hello").unwrap();
    client.flush();
    assert_eq!(server.join().unwrap(), (0x81, b"hello".to_vec()));
}

#[test]
fn the_smallest_window_means_uncompressed() {
    let answer = "permessage-deflate; client_max_window_bits=8; server_max_window_bits=8";
    let (addr, server) =
        serve_deflate(answer, frame(0xC1, &compress(b"hello")), |mut stream, _| read_frame(&mut stream));
    let mut client = opening(addr, DeflateOffer::with_takeover()).run().unwrap().0;
    assert_eq!(client.receive(1), ["text hello"]);
    client.connection.send(Kind::Text, b"hello").unwrap();
    client.flush();
    assert_eq!(server.join().unwrap(), (0x81, b"hello".to_vec()));
}

/// What comes of an answer: the text of the failure, or whether compression is on.
fn negotiate(
    extensions: &'static str,
    offer: Option<DeflateOffer>,
    policy: DeflatePolicy,
) -> Result<bool, String> {
    let (addr, server) = serve_deflate(extensions, Vec::new(), |_, _| ());
    let mut opening = Opening::to(addr);
    opening.request.deflate(offer).deflate_policy(policy);
    let outcome = match opening.run() {
        Ok((client, _)) => Ok(client.connection.deflate().is_some()),
        Err(failure) => {
            assert_eq!(failure.response.as_ref().unwrap().status, 101);
            let Error::Peer(PeerError::BadExtension { header, fault }) = &failure.error else {
                panic!("{failure}")
            };
            assert_eq!(header, extensions);
            Err(fault.to_string())
        }
    };
    server.join().unwrap();
    outcome
}

#[test]
fn policies() {
    let offer = Some(DeflateOffer::without_takeover());
    let strict = |extensions, offer| negotiate(extensions, offer, DeflatePolicy::Strict);
    let k6 = |extensions, offer| negotiate(extensions, offer, DeflatePolicy::K6);
    let half = "permessage-deflate; server_no_context_takeover";
    assert_eq!(strict(K6, offer), Ok(true));
    assert_eq!(k6(K6, offer), Ok(true));
    assert_eq!(strict(half, offer), Ok(true), "ours is a hint that needs no answer");
    assert_eq!(
        k6(half, offer),
        Err("server_no_context_takeover and client_no_context_takeover are not both there".into())
    );
    assert_eq!(strict(K6, None), Err("permessage-deflate was not offered".into()));
    assert_eq!(k6(K6, None), Ok(true));
    assert_eq!(strict("x-other", offer), Err("x-other was not offered".into()));
    assert_eq!(k6("x-other", offer), Ok(false));
}

#[test]
fn unsolicited_compression_works_with_states_that_are_shared() {
    let packed = frame(0xC1, &compress(b"hello"));
    let (addr, server) = serve_deflate(K6, packed, |mut stream, _| read_frame(&mut stream));
    let mut opening = Opening::to(addr);
    opening.request.deflate_policy(DeflatePolicy::K6);
    let deflater = Deflater::new();
    let mut client = opening.run_with(|opening| opening.deflater = Some(&deflater)).unwrap().0;
    assert_eq!(client.receive(1), ["text hello"]);
    client.connection.send(Kind::Text, b"hello").unwrap();
    client.flush();
    let (first, payload) = server.join().unwrap();
    assert_eq!((first, inflate(&payload)), (0xC1, b"hello".to_vec()));
}

/// The violation that `bytes` are, and the close frame that answers it.
fn violation(bytes: Vec<u8>, max_message: u64) -> (String, (u8, Vec<u8>)) {
    let (addr, server) = serve_deflate(K6, bytes, |mut stream, _| read_frame(&mut stream));
    let mut opening = opening(addr, DeflateOffer::without_takeover());
    opening.limits.max_message = max_message;
    let mut client = opening.run().unwrap().0;
    let seen = client.receive(1).remove(0);
    (seen, server.join().unwrap())
}

#[test]
fn hostile_servers() {
    let hello = compress(b"hello");
    let table = [
        (frame(0xC1, b"\xff\xff\xff"), 1007_u16, "invalid compressed data"),
        (frame(0xC1, &hello[..4]), 1007, "invalid compressed data"),
        (frame(0xC1, b""), 1007, "invalid compressed data"),
        (frame(0xC9, b""), 1002, "RSV1 set"),
        ([frame(0x41, &hello[..1]), frame(0xC0, &hello[1..])].concat(), 1002, "RSV1 set"),
        (frame(0xC0, b""), 1002, "RSV1 set, continuation after FIN"),
    ];
    for (bytes, code, text) in table {
        let (seen, answer) = violation(bytes, 1_000_000);
        assert_eq!(seen, format!("ended {text}"));
        assert_eq!(answer, (0x88, [&code.to_be_bytes()[..], text.as_bytes()].concat()));
    }
}

#[test]
fn long_messages_leave_the_arena_alone() {
    let long = vec![b'x'; 1_000_000];
    let bytes = [frame(0xC2, &compress(&long)), frame(0xC2, &compress(b"short"))].concat();
    let (addr, server) = serve_deflate(K6, bytes, |mut stream, _| _ = stream.read(&mut [0]));
    let Client { mut connection, .. } = opening(addr, DeflateOffer::without_takeover()).run().unwrap().0;
    let (mut arena, mut seen) = (Arena::new(), Vec::new());
    while seen.len() < 2 {
        let _ = connection.read(&mut arena, false, &mut |incoming| seen.push(incoming));
    }
    let [Incoming::Binary(first @ Payload::Owned(_)), Incoming::Binary(second @ Payload::Span(_))] =
        &seen[..]
    else {
        panic!("{} messages", seen.len());
    };
    assert!(first.bytes(&arena) == long);
    assert_eq!(second.bytes(&arena), b"short");
    assert!(arena.len() < 10_000, "{}", arena.len());
    drop(connection);
    server.join().unwrap();
}

//! What a connection makes of a network and a peer that fail: a table, one fault a row.
//!
//! Peers say each thing in one piece, and in another run every byte in a segment of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;

use crate::common::{Opening, accept, read_frame, read_head, serve};
use crate::tls::identity;
use ws_proto::rustls::{ServerConnection, StreamOwned};
use ws_proto::{Limits, TlsConfig, TlsOptions, WsUrl};

/// What the peer does, step by step.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Reads the upgrade request.
    Request,
    /// Reads it and accepts.
    Upgrade,
    /// Reads so many bytes of whatever comes.
    Take(usize),
    /// Reads a frame.
    Frame,
    Say(&'static [u8]),
    /// Says it below TLS.
    Raw(&'static [u8]),
    /// Closes its direction, and waits until the client has closed the other.
    Fin,
    /// Resets the connection.
    Rst,
    /// Reads until the client is gone.
    Wait,
}
use Act::*;

/// Who the peer is, and what the client does once the connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    Plain,
    /// The client closes first.
    Closing,
    /// The client wants TLS; the peer has none.
    NoTls,
    Tls,
}
use Setting::*;

/// The end of a head that goes on after it.
const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs";
const REFUSAL: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\npart";
/// The first bytes of a TLS record with a server's first message.
const SERVER_HELLO: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";
/// A record of application data that nobody has encrypted.
const FORGED: &[u8] = b"\x17\x03\x03\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const RESET_HEAD: &str = "read from PEER (upgrade): Connection reset by peer";
const RESET_TLS: &str = "read from PEER (TLS handshake): Connection reset by peer";
const RESET: &str = "ended ConnectionReset";

type Row = (&'static str, Setting, &'static [Act], &'static str);

const RESETS: &[Row] = &[
    ("after the request", Plain, &[Request, Rst], RESET_HEAD),
    ("in the head", Plain, &[Request, Say(HEAD), Rst], RESET_HEAD),
    ("in a refusal's body", Plain, &[Request, Say(REFUSAL), Rst], "bad handshake: status 503"),
    ("open and idle", Plain, &[Upgrade, Rst], RESET),
    ("after a message", Plain, &[Upgrade, Say(b"\x81\x02ok"), Rst], "text ok; ended ConnectionReset"),
    ("in a header", Plain, &[Upgrade, Say(b"\x81"), Rst], RESET),
    ("in a payload", Plain, &[Upgrade, Say(b"\x81\x05he"), Rst], RESET),
    ("between fragments", Plain, &[Upgrade, Say(b"\x01\x02he"), Rst], RESET),
    ("instead of a close frame", Closing, &[Upgrade, Frame, Rst], RESET),
    ("in its close frame", Closing, &[Upgrade, Frame, Say(b"\x88\x02\x03"), Rst], RESET),
    (
        "after our answer",
        Plain,
        &[Upgrade, Say(b"\x88\x02\x03\xe8"), Frame, Rst],
        "close 1000 ; ended ConnectionReset",
    ),
    ("before it speaks TLS", NoTls, &[Take(50), Rst], RESET_TLS),
    ("in the TLS handshake", NoTls, &[Take(50), Raw(SERVER_HELLO), Rst], RESET_TLS),
    ("after the request, TLS", Tls, &[Request, Rst], RESET_HEAD),
    ("open and idle, TLS", Tls, &[Upgrade, Rst], RESET),
    (
        "in a record",
        Tls,
        &[Upgrade, Say(b"\x81\x02ok"), Raw(b"\x17\x03\x03\x00"), Rst],
        "text ok; ended ConnectionReset",
    ),
];

const ENDS: &[Row] = &[
    ("after the request", Plain, &[Request, Fin], "unexpected EOF"),
    ("in the head", Plain, &[Request, Say(HEAD), Fin], "unexpected EOF"),
    ("in a refusal's body", Plain, &[Request, Say(REFUSAL), Fin], "bad handshake: status 503"),
    ("open and idle", Plain, &[Upgrade, Fin], "ended eof"),
    ("in a header", Plain, &[Upgrade, Say(b"\x81"), Fin], "ended eof"),
    ("in a long header", Plain, &[Upgrade, Say(b"\x82\x7f\0\0\0\0\0"), Fin], "ended eof"),
    ("after a header", Plain, &[Upgrade, Say(b"\x81\x05"), Fin], "ended eof"),
    ("in a payload", Plain, &[Upgrade, Say(b"\x82\x02ok\x81\x05he"), Fin], "binary ok; ended eof"),
    ("between fragments", Plain, &[Upgrade, Say(b"\x01\x02he"), Fin], "ended eof"),
    (
        "after a ping between fragments",
        Plain,
        &[Upgrade, Say(b"\x01\x02he\x89\x01p"), Frame, Fin],
        "ping p; ended eof",
    ),
    ("in a ping", Plain, &[Upgrade, Say(b"\x89\x05pi"), Fin], "ended eof"),
    ("in its close frame", Plain, &[Upgrade, Say(b"\x88\x02\x03"), Fin], "ended eof"),
    ("instead of a close frame", Closing, &[Upgrade, Frame, Fin], "ended eof"),
    ("after its close frame", Plain, &[Upgrade, Say(b"\x88\x02\x03\xe8"), Fin], "close 1000 ; ended eof"),
    ("before it speaks TLS", NoTls, &[Take(50), Fin], "unexpected EOF"),
    ("in the TLS handshake", NoTls, &[Take(50), Raw(SERVER_HELLO), Fin], "unexpected EOF"),
    ("after the request, TLS", Tls, &[Request, Fin], "unexpected EOF"),
    ("open and idle, TLS", Tls, &[Upgrade, Fin], "ended eof"),
    ("in a record", Tls, &[Upgrade, Say(b"\x81\x02ok"), Raw(b"\x17\x03\x03\x00"), Fin], "text ok; ended eof"),
];

const GARBAGE: &[Row] = &[
    (
        "instead of HTTP",
        Plain,
        &[Request, Say(b"\0\x01\xfe\xff\n"), Wait],
        "malformed HTTP response \"\\x00\\x01\u{fffd}\u{fffd}\"",
    ),
    (
        "before the request",
        Plain,
        &[Say(b"220 mail.example.com ESMTP\r\n"), Wait],
        "malformed HTTP status code \"mail.example.com\"",
    ),
    (
        "an endless line",
        Plain,
        &[Request, Say(&[b'x'; 5000]), Wait],
        "response head exceeds max_header_bytes, 4096 bytes",
    ),
    (
        "an endless header",
        Plain,
        &[Request, Say(HEAD), Say(&[b'x'; 5000]), Wait],
        "response head exceeds max_header_bytes, 4096 bytes",
    ),
    (
        "instead of frames",
        Plain,
        &[Upgrade, Say(b"HTTP/1.1 200 OK\r\n\r\n"), Wait],
        "ended RSV1 set, FIN not set on control",
    ),
    (
        "all bits set",
        Plain,
        &[Upgrade, Say(&[0xFF; 20]), Wait],
        "ended RSV1 set, RSV2 set, RSV3 set, bad opcode 15, bad MASK",
    ),
    (
        "HTTP instead of TLS",
        NoTls,
        &[Take(50), Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Wait],
        "tls with localhost: received corrupt message of type InvalidContentType",
    ),
    ("a forged record", Tls, &[Upgrade, Say(b"\x81\x02ok"), Raw(FORGED), Wait], "text ok; ended InvalidData"),
];

#[test]
fn resets() {
    // A reset overtakes what has not been sent, as it happens to the last of very many segments.
    run(RESETS, &[false]);
}

#[test]
fn ends() {
    run(ENDS, &[false, true]);
}

#[test]
fn garbage() {
    run(GARBAGE, &[false, true]);
}

fn run(table: &[Row], bytewise: &[bool]) {
    for (fault, setting, acts, expected) in table {
        for bytewise in bytewise {
            let seen = outcome(*setting, acts, *bytewise);
            assert_eq!(seen, *expected, "{fault} ({setting:?}, {acts:?}, bytewise: {bytewise})");
        }
    }
}

/// What the client reports from its first byte to the end, in one line, without addresses and numbers of errors.
fn outcome(setting: Setting, acts: &'static [Act], bytewise: bool) -> String {
    let (addr, peer, root) = match setting {
        Plain | Closing | NoTls => {
            let (addr, peer) = serve(move |tcp| {
                let stream = tcp.try_clone().unwrap();
                perform(Peer { stream: Box::new(stream), tcp, bytewise }, acts);
            });
            (addr, peer, None)
        }
        Tls => {
            let (config, certificate) = identity("localhost");
            let (addr, peer) = serve(move |tcp| {
                let connection = ServerConnection::new(Arc::new(config)).unwrap();
                let stream = StreamOwned::new(connection, tcp.try_clone().unwrap());
                perform(Peer { stream: Box::new(stream), tcp, bytewise }, acts);
            });
            (addr, peer, Some(certificate))
        }
    };
    let mut opening = Opening::to(addr);
    opening.limits.max_header_bytes = 4096;
    if matches!(setting, NoTls | Tls) {
        opening.url = WsUrl::parse(&format!("wss://localhost:{}/", addr.port())).unwrap();
        let options = TlsOptions { extra_roots: root.into_iter().collect(), ..TlsOptions::default() };
        opening.tls = Some(TlsConfig::new(&options).unwrap());
    }
    let seen = match opening.run() {
        Err(failure) => plain(&failure.to_string(), addr),
        Ok((mut client, _)) => {
            if setting == Closing {
                client.connection.close(Some((1000, ""))).unwrap();
                client.flush();
            }
            let mut seen: Vec<String> = Vec::new();
            while !seen.last().is_some_and(|last| last.starts_with("ended ")) {
                seen.extend(client.receive(1));
            }
            client.connection.shutdown();
            seen.join("; ")
        }
    };
    peer.join().unwrap();
    seen
}

fn plain(error: &str, addr: SocketAddr) -> String {
    let text = error.replace(&addr.to_string(), "PEER");
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Peer {
    stream: Box<dyn Stream>,
    /// The same stream, below TLS.
    tcp: TcpStream,
    bytewise: bool,
}

impl Peer {
    /// A client that has seen enough may be gone before the last byte.
    fn say(stream: &mut dyn Write, bytes: &[u8], bytewise: bool) {
        for piece in bytes.chunks(if bytewise { 1 } else { usize::MAX }) {
            if stream.write_all(piece).and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    }
}

fn perform(mut peer: Peer, acts: &[Act]) {
    for act in acts {
        let Peer { stream, tcp, bytewise } = &mut peer;
        match act {
            Request => _ = read_head(stream),
            Upgrade => {
                let head = read_head(stream);
                Peer::say(stream, accept(&head).as_bytes(), *bytewise);
            }
            Take(len) => stream.read_exact(&mut vec![0; *len]).unwrap(),
            Frame => _ = read_frame(stream),
            Say(bytes) => Peer::say(stream, bytes, *bytewise),
            Raw(bytes) => Peer::say(tcp, bytes, *bytewise),
            Fin => {
                tcp.shutdown(std::net::Shutdown::Write).unwrap();
                let _ = std::io::copy(tcp, &mut std::io::sink());
            }
            Wait => _ = std::io::copy(tcp, &mut std::io::sink()),
            // Takes effect when the last handle is dropped, right after this.
            Rst => SockRef::from(&*tcp).set_linger(Some(Duration::ZERO)).unwrap(),
        }
    }
}

#[test]
fn a_reset_before_the_connection_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (limits, now) = (Limits::default(), Instant::now());
    let mut opening = crate::common::start(addr, &limits, now);
    let (peer, _) = listener.accept().unwrap();
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let mut poll = Poll::new().unwrap();
    poll.registry().register(&mut opening, Token(0), Interest::READABLE | Interest::WRITABLE).unwrap();
    let mut events = Events::with_capacity(8);
    poll.poll(&mut events, Some(crate::common::PATIENCE)).unwrap();
    let failure = opening.advance(now).unwrap_err();
    assert_eq!(plain(&failure.to_string(), addr), "connect to PEER: Connection reset by peer");
}

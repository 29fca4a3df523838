//! A client driven by a poll of its own, and raw peers for it to talk to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use tungstenite::handshake::derive_accept_key;
use ws_proto::{
    Arena, Connection, Flushed, HandshakeFailure, Handshaking, Incoming, Limits, Payload, ReadProgress, Step,
    TlsConfig, UpgradeRequest, UpgradeResponse, WsUrl,
};

/// Longer than any test needs; a peer that misbehaves fails its test instead of hanging it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `peer` with the first connection to a new port of the loopback interface.
pub(crate) fn serve<T: Send + 'static>(
    peer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        peer(stream)
    });
    (addr, thread)
}

/// The bytes of an HTTP head, its end included.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// The response that upgrades the request with `head`.
pub(crate) fn accept(head: &str) -> String {
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )
}

/// Takes the upgrade and then runs `peer`.
pub(crate) fn serve_open<T: Send + 'static>(
    peer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(accept(&head).as_bytes()).unwrap();
        peer(stream)
    })
}

/// One frame from the client: first byte and unmasked payload.
pub(crate) fn read_frame(stream: &mut impl Read) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[1] & 0x80, 0x80, "client frames are masked");
    let len = match head[1] & 0x7F {
        126 => {
            let mut len = [0; 2];
            stream.read_exact(&mut len).unwrap();
            u16::from_be_bytes(len).into()
        }
        127 => {
            let mut len = [0; 8];
            stream.read_exact(&mut len).unwrap();
            u64::from_be_bytes(len)
        }
        len => len.into(),
    };
    let mut key = [0; 4];
    stream.read_exact(&mut key).unwrap();
    let mut payload = vec![0; len as usize];
    stream.read_exact(&mut payload).unwrap();
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= key[index % 4];
    }
    (head[0], payload)
}

pub(crate) fn url(addr: SocketAddr) -> WsUrl {
    WsUrl::parse(&format!("ws://{addr}/")).unwrap()
}

/// Begins to connect to `addr` with an upgrade request of nothing but the necessary.
pub(crate) fn start(addr: SocketAddr, limits: &Limits, now: Instant) -> Handshaking {
    ws_proto::Opening::new(addr, &url(addr), &UpgradeRequest::new(), limits).start(now).unwrap()
}

/// Opens a connection, waiting in a poll of its own.
pub(crate) struct Opening {
    pub(crate) url: WsUrl,
    pub(crate) addr: SocketAddr,
    pub(crate) request: UpgradeRequest,
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) limits: Limits,
}

impl Opening {
    pub(crate) fn to(addr: SocketAddr) -> Self {
        let request = UpgradeRequest::new();
        Self { url: url(addr), addr, request, tls: None, limits: Limits::default() }
    }

    /// To a path; with TLS as `wss://localhost`.
    pub(crate) fn at(addr: SocketAddr, path: &str, tls: Option<TlsConfig>) -> Self {
        let target = match tls {
            Some(_) => format!("wss://localhost:{}{path}", addr.port()),
            None => format!("ws://{addr}{path}"),
        };
        Self { url: WsUrl::parse(&target).unwrap(), tls, ..Self::to(addr) }
    }

    pub(crate) fn run(&self) -> Result<(Client, UpgradeResponse), Box<HandshakeFailure>> {
        self.run_with(|_| {})
    }

    pub(crate) fn run_with<'a>(
        &'a self,
        prepare: impl FnOnce(&mut ws_proto::Opening<'a>),
    ) -> Result<(Client, UpgradeResponse), Box<HandshakeFailure>> {
        let Self { url, addr, request, tls, limits } = self;
        let mut opening =
            ws_proto::Opening { tls: tls.as_ref(), ..ws_proto::Opening::new(*addr, url, request, limits) };
        prepare(&mut opening);
        let mut opening = opening.start(Instant::now()).unwrap();
        let mut poll = Poll::new().unwrap();
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut opening, Token(0), both).unwrap();
        let mut events = Events::with_capacity(8);
        loop {
            let wait = opening.deadline().saturating_duration_since(Instant::now());
            poll.poll(&mut events, Some(wait)).unwrap();
            match opening.advance(Instant::now())? {
                Step::Pending(same) => opening = same,
                Step::Open(connection, response, _) => {
                    return Ok((
                        Client { connection: *connection, poll, arena: Arena::new(), fresh: true },
                        response,
                    ));
                }
            }
        }
    }
}

/// An open connection with its poll.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) poll: Poll,
    pub(crate) arena: Arena,
    fresh: bool,
}

impl Client {
    pub(crate) fn open(addr: SocketAddr) -> Self {
        Opening::to(addr).run().unwrap().0
    }

    /// Waits for one readiness (not before the first call), reads until drained, flushes, and reports everything.
    /// The arena is reset before each read.
    pub(crate) fn turn(&mut self, mut sink: impl FnMut(Incoming, &Arena)) {
        let mut closed = false;
        if !std::mem::replace(&mut self.fresh, false) {
            let mut events = Events::with_capacity(8);
            self.poll.poll(&mut events, Some(PATIENCE)).unwrap();
            assert!(!events.is_empty(), "nothing happened for {PATIENCE:?}");
            closed = events.iter().any(mio::event::Event::is_read_closed);
        }
        loop {
            self.arena.reset();
            let mut batch = Vec::new();
            let progress =
                self.connection.read(&mut self.arena, closed, &mut |incoming| batch.push(incoming));
            for incoming in batch {
                sink(incoming, &self.arena);
            }
            if progress == ReadProgress::Drained {
                break;
            }
        }
        if self.connection.wants_write() {
            // A peer that is gone shows in what is read.
            let _ = self.connection.flush();
        }
    }

    /// Turns until `count` things have come in, each as text such as `text hello` or `ended eof`.
    pub(crate) fn receive(&mut self, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        while seen.len() < count {
            self.turn(|incoming, arena| seen.push(describe(&incoming, arena)));
        }
        seen
    }

    /// Flushes, waiting as often as the socket is full.
    pub(crate) fn flush(&mut self) {
        let mut events = Events::with_capacity(8);
        while self.connection.flush().unwrap() == Flushed::Blocked {
            self.poll.poll(&mut events, Some(PATIENCE)).unwrap();
        }
    }
}

pub(crate) fn describe(incoming: &Incoming, arena: &Arena) -> String {
    let text = |kind: &str, payload: &Payload| format!("{kind} {}", payload.bytes(arena).escape_ascii());
    match incoming {
        Incoming::Text(payload) => text("text", payload),
        Incoming::Binary(payload) => text("binary", payload),
        Incoming::Ping(payload) => text("ping", payload),
        Incoming::Pong(payload) => text("pong", payload),
        Incoming::Close(None) => "close".into(),
        Incoming::Close(Some(frame)) => format!("close {} {}", frame.code, frame.reason),
        Incoming::Ended(ws_proto::Ended::Eof) => "ended eof".into(),
        Incoming::Ended(ws_proto::Ended::Broken(error)) => format!("ended {:?}", error.kind()),
        Incoming::Ended(ws_proto::Ended::Violation(violation)) => format!("ended {violation}"),
    }
}

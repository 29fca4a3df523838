//! What the tests share: turning a loop until something happens, and a peer whose every byte the test decides.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use tungstenite::handshake::derive_accept_key;
use ws_loop::{Dial, Event, EventLoop, LoopConfig, SocketKey};
use ws_proto::{Incoming, WsUrl};

/// Longer than anything here takes, on the slowest machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn new_loop() -> EventLoop<u32> {
    EventLoop::new(LoopConfig::default()).unwrap()
}

pub(crate) fn dial(addr: SocketAddr) -> Dial {
    Dial::new(WsUrl::parse(&format!("ws://{addr}/")).unwrap())
}

/// Turns until there is an event.
pub(crate) fn next(event_loop: &mut EventLoop<u32>) -> Event<u32> {
    let end = Instant::now() + LONG;
    loop {
        if let Some(event) = event_loop.next_event() {
            return event;
        }
        assert!(Instant::now() < end, "nothing happens");
        event_loop.turn(Some(Duration::from_millis(100))).unwrap();
    }
}

/// Turns for a moment, and makes sure that nothing comes of it.
pub(crate) fn quiet(event_loop: &mut EventLoop<u32>) {
    for _ in 0..5 {
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
        assert!(event_loop.next_event().is_none());
    }
}

/// Turns without fetching anything until at least `events` wait.
pub(crate) fn fill(event_loop: &mut EventLoop<u32>, events: usize) {
    let end = Instant::now() + LONG;
    while event_loop.pending() < events {
        assert!(Instant::now() < end, "nothing happens");
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
    }
}

/// The text of an incoming text message, and for whom it is.
pub(crate) fn text(event_loop: &EventLoop<u32>, event: Event<u32>) -> (u64, String) {
    match event {
        Event::Incoming { user, incoming: Incoming::Text(payload), .. } => {
            (user, String::from_utf8(event_loop.payload(&payload).to_vec()).unwrap())
        }
        other => panic!("no text: {other:?}"),
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
}

impl Peer {
    /// Connects a loop to a listener and lets it open.
    pub(crate) fn open(
        event_loop: &mut EventLoop<u32>,
        listener: &TcpListener,
        user: u64,
    ) -> (SocketKey, Peer) {
        Self::open_with(event_loop, listener, user, b"")
    }

    /// As `open`, with frames that come in one piece with the response.
    pub(crate) fn open_with(
        event_loop: &mut EventLoop<u32>,
        listener: &TcpListener,
        user: u64,
        frames: &[u8],
    ) -> (SocketKey, Peer) {
        Self::open_dial(event_loop, listener, dial(listener.local_addr().unwrap()), user, frames)
    }

    /// As `open_with`, by a dial of the test's own.
    pub(crate) fn open_dial(
        event_loop: &mut EventLoop<u32>,
        listener: &TcpListener,
        dial: Dial,
        user: u64,
        frames: &[u8],
    ) -> (SocketKey, Peer) {
        let key = event_loop.connect(dial, user);
        let mut peer = Peer { stream: listener.accept().unwrap().0 };
        peer.upgrade(event_loop, frames);
        match next(event_loop) {
            Event::Opened { key: opened, user: whose, .. } => assert_eq!((opened, whose), (key, user)),
            other => panic!("not opened: {other:?}"),
        }
        (key, peer)
    }

    /// Reads the request while the loop writes it, and accepts.
    fn upgrade(&mut self, event_loop: &mut EventLoop<u32>, frames: &[u8]) {
        self.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut head = Vec::new();
        let end = Instant::now() + LONG;
        while !head.ends_with(b"\r\n\r\n") {
            assert!(Instant::now() < end, "no request");
            event_loop.turn(Some(Duration::from_millis(1))).unwrap();
            let mut buf = [0; 4096];
            let len = self.stream.read(&mut buf).unwrap_or(0);
            head.extend(&buf[..len]);
        }
        self.stream.set_read_timeout(Some(LONG)).unwrap();
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = derive_accept_key(key.as_bytes());
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.stream.write_all(&[response.as_bytes(), frames].concat()).unwrap();
    }

    /// Sends text messages of at most 125 bytes, all at once.
    pub(crate) fn send(&mut self, texts: &[&str]) {
        let frames: Vec<u8> =
            texts.iter().flat_map(|text| [&[0x81, text.len() as u8], text.as_bytes()].concat()).collect();
        self.stream.write_all(&frames).unwrap();
    }

    /// Everything the loop sent until it closed.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

pub(crate) fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

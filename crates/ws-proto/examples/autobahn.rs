//! The client that the Autobahn cases are run against: it echoes every message and closes when it is told to.
//!
//! `autobahn ADDRESS` runs all cases of the fuzzing server at `ADDRESS` (`127.0.0.1:9001`), one after the other, and
//! has it write its report. It offers compression; `autobahn ADDRESS alone` says in addition that its messages will
//! stand alone. `cargo xtask conformance` starts both sides.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use ws_proto::{
    Arena, Connection, DeflateOffer, Ended, Flushed, Incoming, Kind, Limits, Opening, ReadProgress, Step,
    UpgradeRequest, WsUrl,
};

/// The name under which the server reports.
const AGENT: &str = "ws-proto";

/// A case without any traffic for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let addr: SocketAddr = std::env::args().nth(1).ok_or("usage: autobahn ADDRESS [alone]")?.parse()?;
    let mut count = String::new();
    session(addr, "/getCaseCount", |_, _, bytes| count = String::from_utf8_lossy(bytes).into_owned())?;
    for case in 1..=count.parse::<u32>()? {
        let echo = |connection: &mut Connection, kind, bytes: &[u8]| {
            // Fails only after a close frame; then the echo has nobody to go to.
            let _ = connection.send(kind, bytes);
        };
        // How a case ends is for the server to judge.
        if let Err(error) = session(addr, &format!("/runCase?case={case}&agent={AGENT}"), echo) {
            eprintln!("case number {case}: {error}");
        }
    }
    session(addr, &format!("/updateReports?agent={AGENT}"), |_, _, _| {})
}

/// One connection, from the handshake to the end; `message` is called with each message.
fn session(
    addr: SocketAddr,
    path: &str,
    mut message: impl FnMut(&mut Connection, Kind, &[u8]),
) -> Result<(), Box<dyn Error>> {
    let mut poll = Poll::new()?;
    let mut connection = open(&mut poll, addr, path)?;
    let mut arena = Arena::new();
    let mut events = Events::with_capacity(8);
    let mut batch = Vec::new();
    let mut closed = false;
    loop {
        let progress = connection.read(&mut arena, closed, &mut |incoming| batch.push(incoming));
        for incoming in batch.drain(..) {
            match incoming {
                Incoming::Text(payload) => message(&mut connection, Kind::Text, payload.bytes(&arena)),
                Incoming::Binary(payload) => message(&mut connection, Kind::Binary, payload.bytes(&arena)),
                Incoming::Ping(_) | Incoming::Pong(_) => {}
                // Answered already. The server closes the stream first (RFC 6455 section 7.1.1).
                Incoming::Close(_) => {}
                Incoming::Ended(Ended::Violation(_)) => {
                    connection.shutdown();
                    return Ok(());
                }
                Incoming::Ended(_) => return Ok(()),
            }
        }
        arena.reset();
        // A peer that is gone shows in what is read.
        let flushed = connection.flush().unwrap_or(Flushed::Done);
        if progress == ReadProgress::More && flushed == Flushed::Done {
            continue;
        }
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err("the server has fallen silent".into());
        }
        closed = events.iter().any(mio::event::Event::is_read_closed);
    }
}

fn open(poll: &mut Poll, addr: SocketAddr, path: &str) -> Result<Connection, Box<dyn Error>> {
    let url = WsUrl::parse(&format!("ws://{addr}{path}"))?;
    let limits = Limits { strict_utf8: true, strict_close: true, ..Limits::default() };
    let mut request = UpgradeRequest::new();
    let client_no_context_takeover = std::env::args().nth(2).is_some_and(|word| word == "alone");
    request.deflate(Some(DeflateOffer { client_no_context_takeover, ..DeflateOffer::with_takeover() }));
    let mut opening = Opening::new(addr, &url, &request, &limits).start(Instant::now())?;
    poll.registry().register(&mut opening, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    let mut events = Events::with_capacity(8);
    loop {
        poll.poll(&mut events, Some(opening.deadline().saturating_duration_since(Instant::now())))?;
        match opening.advance(Instant::now())? {
            Step::Pending(same) => opening = same,
            Step::Open(connection, ..) => return Ok(*connection),
        }
    }
}

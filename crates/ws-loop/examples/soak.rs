//! Thousands of connections in one loop, to servers that nobody here wrote, with every message counted.
//!
//! `soak CONNECTIONS MESSAGES` opens the connections at Python's `websockets`, Node's `ws` and nginx in turn, holds all
//! of them at once, has each send its messages one after the other, the next when the one before has come back, and
//! closes them. It fails if a message is lost, changed or doubled, a connection ends otherwise than it should, or
//! nothing happens for a minute. `cargo xtask soak` runs it, with enough file descriptors.

use std::error::Error;
use std::time::{Duration, Instant};

use ws_loop::{Dial, Event, EventLoop, LoopConfig, SocketKey};
use ws_peers::{Peer, Server};
use ws_proto::{Ended, Incoming, Kind, WsUrl};

/// Nothing at all in so long is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Dials under way at the same time: fewer than the queue of any server for connections to be accepted.
const DIALS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let (Some(Ok(connections)), Some(Ok(messages)), None) = (args.next(), args.next(), args.next()) else {
        return Err("usage: soak CONNECTIONS MESSAGES".into());
    };
    for peer in [Peer::Websockets, Peer::Ws, Peer::Nginx] {
        if let Some(server) = peer.start() {
            let started = Instant::now();
            let mut soak = Soak::new(&server, connections, messages)?;
            soak.run().map_err(|error| format!("{peer:?}: {error} ({:?})", soak.counts))?;
            let Counts { echoed, bytes, .. } = soak.counts;
            let seconds = started.elapsed().as_secs_f64();
            println!(
                "{peer:?}: {connections} connections at once, {echoed} messages of {bytes} bytes, {seconds:.1} s"
            );
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Counts {
    dialled: u64,
    opened: u64,
    /// Messages that came back as they were sent.
    echoed: u64,
    /// What these had in them.
    bytes: u64,
    /// Connections whose messages have all come back.
    done: u64,
    closed: u64,
    ended: u64,
}

struct Soak {
    event_loop: EventLoop<()>,
    dial: Dial,
    connections: u64,
    messages: u64,
    /// By the connection's number: its key, and how many of its messages have come back.
    progress: Vec<(Option<SocketKey>, u64)>,
    counts: Counts,
}

impl Soak {
    fn new(server: &Server, connections: u64, messages: u64) -> Result<Self, Box<dyn Error>> {
        let dial = Dial::new(WsUrl::parse(&format!("ws://{}/echo/soak", server.plain))?);
        let event_loop = EventLoop::new(LoopConfig::default())?;
        let progress = vec![(None, 0); usize::try_from(connections)?];
        Ok(Self { event_loop, dial, connections, messages, progress, counts: Counts::default() })
    }

    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let mut heard = Instant::now();
        while self.counts.ended < self.connections {
            self.dial_more();
            // Comes back without events, too, when it could go on with a dial or with writing.
            self.event_loop.turn(Some(PATIENCE))?;
            while let Some(event) = self.event_loop.next_event() {
                heard = self.event_loop.now();
                self.handle(event)?;
            }
            if heard.elapsed() > PATIENCE {
                return Err("nothing happens any more".into());
            }
            self.event_loop.flush();
        }
        let Counts { opened, echoed, closed, .. } = self.counts;
        if (opened, echoed, closed) != (self.connections, self.connections * self.messages, self.connections)
        {
            return Err("something is missing".into());
        }
        Ok(())
    }

    fn dial_more(&mut self) {
        while self.counts.dialled < self.connections
            && self.counts.dialled - self.counts.opened < DIALS as u64
        {
            self.event_loop.connect(self.dial.clone(), self.counts.dialled);
            self.counts.dialled += 1;
        }
    }

    fn handle(&mut self, event: Event<()>) -> Result<(), Box<dyn Error>> {
        match event {
            Event::Opened { key, user, .. } => {
                self.counts.opened += 1;
                self.progress[usize::try_from(user)?].0 = Some(key);
                // All of them are held open before the first one says anything.
                if self.counts.opened == self.connections {
                    for user in 0..self.connections {
                        self.send(user)?;
                    }
                }
            }
            Event::Incoming { user, incoming: Incoming::Text(payload), .. } => {
                let number = self.progress[usize::try_from(user)?].1;
                let received = self.event_loop.payload(&payload);
                if received != message(user, number).as_bytes() {
                    return Err(format!("connection {user}: message {number} came back changed").into());
                }
                self.counts.echoed += 1;
                self.counts.bytes += received.len() as u64;
                self.progress[usize::try_from(user)?].1 += 1;
                self.send(user)?;
            }
            Event::Incoming { user, incoming: Incoming::Close(Some(frame)), .. } if frame.code == 1000 => {
                if self.progress[usize::try_from(user)?].1 < self.messages {
                    return Err(format!("connection {user}: closed early").into());
                }
                self.counts.closed += 1;
            }
            Event::Incoming { key, incoming: Incoming::Ended(Ended::Eof), .. } => {
                self.counts.ended += 1;
                self.event_loop.finish(key);
            }
            Event::Failed { user, failure, .. } => {
                return Err(format!("connection {user}: {}", failure.error).into());
            }
            other => return Err(format!("unexpected: {other:?}").into()),
        }
        Ok(())
    }

    /// Sends the connection's next message, or its close.
    fn send(&mut self, user: u64) -> Result<(), Box<dyn Error>> {
        let (key, number) = self.progress[usize::try_from(user)?];
        let socket = key.and_then(|key| self.event_loop.socket(key)).ok_or("a connection is gone")?;
        if number < self.messages {
            socket.send(Kind::Text, message(user, number).as_bytes())?;
        } else {
            self.counts.done += 1;
            socket.close(Some((1000, "")))?;
        }
        Ok(())
    }
}

/// Short and long ones, no two of them alike.
fn message(user: u64, number: u64) -> String {
    let rest = (user * 31 + number * 17) % 400;
    format!("message {number} of connection {user}{}", " …".repeat(usize::try_from(rest).unwrap_or(0)))
}

//! What an idle connection costs: opens many to one server and tells how much more memory the process takes then.
//!
//! `idle URL COUNT [resume]` opens `COUNT` connections to `ws://…` or `wss://…` (any certificate will do), waits for a second,
//! in which a server may send session tickets, and prints resident memory per connection, with the processor time of
//! the handshakes. With `resume` as third argument sessions are resumed. The host must be an IP address. Linux only: it
//! reads `/proc/self`.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use ws_proto::{
    Arena, Connection, Limits, Opening, ReadProgress, Step, TlsConfig, TlsOptions, UpgradeRequest, WsUrl,
};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: idle URL COUNT [resume]";
    let url = std::env::args().nth(1).ok_or(usage)?;
    let count: usize = std::env::args().nth(2).ok_or(usage)?.parse()?;
    let resumption = std::env::args().nth(3).is_some_and(|word| word == "resume");
    let url = WsUrl::parse(&url)?;
    let addr: SocketAddr = format!("{}:{}", url.host(), url.port()).parse()?;
    let tls = TlsConfig::new(&TlsOptions { skip_verify: true, resumption, ..TlsOptions::default() })?;

    // The first one pays for what all share.
    let mut poll = Poll::new()?;
    let mut arena = Arena::new();
    let mut connections = vec![open(&mut poll, addr, &url, &tls, 0)?];
    settle(&mut poll, &mut connections, &mut arena, Duration::from_millis(200))?;
    let (memory, time) = (resident()?, processor_time()?);
    for at in 1..=count {
        connections.push(open(&mut poll, addr, &url, &tls, at)?);
    }
    let handshakes = processor_time()? - time;
    settle(&mut poll, &mut connections, &mut arena, Duration::from_secs(1))?;
    let each = (resident()? - memory) * 1024 / count;
    println!(
        "{count} connections: {each} bytes each, {:?} of processor time each",
        handshakes / count as u32
    );
    Ok(())
}

fn open(
    poll: &mut Poll,
    addr: SocketAddr,
    url: &WsUrl,
    tls: &TlsConfig,
    at: usize,
) -> Result<Connection, Box<dyn Error>> {
    let (request, limits) = (UpgradeRequest::new(), Limits::default());
    let mut opening =
        Opening { tls: Some(tls), ..Opening::new(addr, url, &request, &limits) }.start(Instant::now())?;
    poll.registry().register(&mut opening, Token(at), Interest::READABLE | Interest::WRITABLE)?;
    let mut events = Events::with_capacity(64);
    loop {
        poll.poll(&mut events, Some(limits.handshake_timeout))?;
        match opening.advance(Instant::now())? {
            Step::Pending(same) => opening = same,
            Step::Open(connection, ..) => return Ok(*connection),
        }
    }
}

/// Reads what comes for a while.
fn settle(
    poll: &mut Poll,
    connections: &mut [Connection],
    arena: &mut Arena,
    time: Duration,
) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + time;
    let mut events = Events::with_capacity(1024);
    for connection in connections.iter_mut() {
        while connection.read(arena, false, &mut |_| {}) == ReadProgress::More {}
    }
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        poll.poll(&mut events, Some(left))?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            while connection.read(arena, false, &mut |_| {}) == ReadProgress::More {}
            arena.reset();
        }
    }
    Ok(())
}

/// KiB of this process in memory.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn processor_time() -> Result<Duration, Box<dyn Error>> {
    // Nanoseconds on a processor, the first number.
    let times = fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(times.split(' ').next().unwrap_or_default().parse()?))
}

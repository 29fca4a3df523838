//! What an idle connection costs: opens many, has one message echoed on each, and prints how much memory that took.
//!
//! ```console
//! $ ws echo --listen 127.0.0.1:9001 &
//! $ cargo run --release -p ws-loop --example idle_loop -- 127.0.0.1:9001 10000 deflate
//! ```
//!
//! The last argument is `plain`, `deflate` (messages that stand alone, as k6 asks for them) or `takeover` (messages
//! that may refer to earlier ones). Memory is what `/proc/self/status` calls `VmRSS`; the kernel's own is not part of
//! it.

use std::error::Error;
use std::time::Duration;

use ws_loop::{Dial, Event, EventLoop, LoopConfig};
use ws_proto::{DeflateOffer, Incoming, Kind, WsUrl};

/// Dials that are under way at the same time.
const AT_ONCE: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [addr, count, mode] = arguments.as_slice() else {
        return Err("usage: idle_loop ADDR COUNT plain|deflate|takeover".into());
    };
    let (url, count): (_, usize) = (WsUrl::parse(&format!("ws://{addr}/"))?, count.parse()?);
    let offer = match mode.as_str() {
        "plain" => None,
        "deflate" => Some(DeflateOffer::without_takeover()),
        "takeover" => Some(DeflateOffer::with_takeover()),
        other => return Err(format!("{other:?} is neither plain, deflate nor takeover").into()),
    };
    let mut event_loop = EventLoop::<()>::new(LoopConfig::default())?;
    let before = resident()?;
    let (mut dialled, mut echoed) = (0, 0);
    while echoed < count {
        while dialled < count.min(echoed + AT_ONCE) {
            let mut dial = Dial::new(url.clone());
            dial.addr = Some(addr.parse()?);
            dial.request.deflate(offer);
            event_loop.connect(dial, 0);
            dialled += 1;
        }
        match event_loop.next_event() {
            Some(Event::Opened { key, .. }) => {
                let socket = event_loop.socket(key).expect("it has just opened");
                if socket.deflate().is_some() != offer.is_some() {
                    return Err("the server does not take the offer".into());
                }
                socket.send(Kind::Text, &b"a message like many others. ".repeat(20))?;
            }
            Some(Event::Incoming { incoming: Incoming::Text(_), .. }) => echoed += 1,
            Some(other) => return Err(format!("{other:?}").into()),
            None => {
                event_loop.flush();
                event_loop.turn(Some(Duration::from_secs(10)))?;
            }
        }
    }
    let bytes = resident()?.saturating_sub(before);
    println!("{count} connections ({mode}): {} bytes each", bytes / count.max(1));
    Ok(())
}

/// Bytes of memory that the process has.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
}

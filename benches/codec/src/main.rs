//! What parsing and writing a frame costs in ws-proto, tungstenite, tokio-websockets and fastwebsockets.
//!
//! All of them work between pieces of memory, so that no system call hides the difference; the CPU time of the thread
//! is what counts. Their turns alternate, and of each the best round is taken: the others were disturbed.
//!
//! `cargo run --release [FILTER]` prints a table.
#![forbid(unsafe_code)]

mod asynchronous;
mod blocking;
mod memory;

use rustix::time::{ClockId, clock_gettime};

/// Bytes that a run of the long frames moves about.
const VOLUME: usize = 8 << 20;
const ROUNDS: usize = 15;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    name: &'static str,
    /// Payload bytes of a frame.
    len: usize,
    /// Whether the frames are text and must be checked for UTF-8.
    text: bool,
    /// Bytes that a read gives at most; 0: a frame.
    segment: usize,
    writes: bool,
}

impl Case {
    fn frames(&self) -> usize {
        (VOLUME / self.len).clamp(8, 50_000)
    }

    /// What a server sends.
    fn stream(&self) -> Vec<u8> {
        let mut frame = self.header();
        frame.extend(vec![b'x'; self.len]);
        frame.repeat(self.frames())
    }

    fn header(&self) -> Vec<u8> {
        let mut header = vec![if self.text { 0x81 } else { 0x82 }];
        match self.len {
            len @ 0..126 => header.push(len as u8),
            len @ 126..0x1_0000 => {
                header.push(126);
                header.extend((len as u16).to_be_bytes());
            }
            len => {
                header.push(127);
                header.extend((len as u64).to_be_bytes());
            }
        }
        header
    }

    fn segment(&self) -> usize {
        if self.segment == 0 { self.header().len() + self.len } else { self.segment }
    }
}

/// A library: receives the stream of a case, or sends its frames; gives the bytes of payload (or on the wire).
type Run = fn(&Case, &[u8]) -> usize;

const LIBRARIES: [(&str, Run); 4] = [
    ("ws-proto", blocking::ws_proto),
    ("tungstenite", blocking::tungstenite),
    ("tokio-websockets", asynchronous::tokio_websockets),
    ("fastwebsockets", asynchronous::fastwebsockets),
];

const CASES: [Case; 11] = [
    Case { name: "parse 20 B", len: 20, text: false, segment: usize::MAX, writes: false },
    Case { name: "parse 20 B, one a read", len: 20, text: false, segment: 0, writes: false },
    Case { name: "parse 20 B of text", len: 20, text: true, segment: usize::MAX, writes: false },
    Case { name: "parse 1 KB", len: 1 << 10, text: false, segment: usize::MAX, writes: false },
    Case { name: "parse 1 KB of text", len: 1 << 10, text: true, segment: usize::MAX, writes: false },
    Case { name: "parse 64 KB", len: 64 << 10, text: false, segment: usize::MAX, writes: false },
    Case { name: "parse 1 MB", len: 1 << 20, text: false, segment: usize::MAX, writes: false },
    Case { name: "write 20 B", len: 20, text: false, segment: 0, writes: true },
    Case { name: "write 1 KB", len: 1 << 10, text: false, segment: 0, writes: true },
    Case { name: "write 64 KB", len: 64 << 10, text: false, segment: 0, writes: true },
    Case { name: "write 1 MB", len: 1 << 20, text: false, segment: 0, writes: true },
];

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let names = LIBRARIES.map(|(name, _)| name).join(" | ");
    println!("| CPU time per frame | {names} | to tungstenite | to the fastest peer |");
    println!("|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| case.name.contains(&filter)) {
        let stream = case.stream();
        let mut best = [f64::INFINITY; LIBRARIES.len()];
        for _ in 0..ROUNDS {
            for (best, (name, run)) in best.iter_mut().zip(LIBRARIES) {
                let before = cpu_nanoseconds();
                let done = std::hint::black_box(run(case, &stream));
                let spent = cpu_nanoseconds() - before;
                let expected = case.len * case.frames();
                assert!(done >= expected, "{name}, {}: {done} bytes of {expected}", case.name);
                *best = best.min(spent / case.frames() as f64);
            }
        }
        let figures = best.map(time).join(" | ");
        let fastest = best[1..].iter().copied().fold(f64::INFINITY, f64::min);
        println!("| {} | {figures} | {:.2} | {:.2} |", case.name, best[0] / best[1], best[0] / fastest);
    }
}

fn cpu_nanoseconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1000.0 { format!("{nanoseconds:.1} ns") } else { format!("{:.1} us", nanoseconds / 1e3) }
}

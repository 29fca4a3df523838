//! The workloads: a script, how many VUs run it, for how long, and what of it is worth showing.

use std::time::Duration;

/// A script and how to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The script in `benches/scripts/`, without `.js`.
    pub script: &'static str,
    /// Number of VUs; each runs one iteration.
    pub vus: u32,
    /// How long each VU holds its connection.
    pub hold: Duration,
    /// Which figure it is about.
    pub about: About,
}

/// What a workload is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Processor time per message.
    Messages,
    /// Memory per VU.
    Memory,
    /// Pauses for garbage collection.
    Pauses,
}

/// All workloads, in the order of the table.
pub const ALL: &[Workload] = &[
    messages("echo_ws", 10),
    messages("echo_ws", 200),
    messages("json_ws", 10),
    messages("json_ws", 200),
    Workload { script: "idle_ws", vus: 1000, hold: Duration::from_secs(10), about: About::Memory },
    Workload { script: "parked_json_ws", vus: 5000, hold: Duration::from_secs(20), about: About::Pauses },
];

const fn messages(script: &'static str, vus: u32) -> Workload {
    Workload { script, vus, hold: Duration::from_secs(10), about: About::Messages }
}

impl Workload {
    /// The name in the table and on the command line: `echo_ws-200`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.script, self.vus)
    }

    /// The same with one VU and a short time: what the program weighs without its VUs.
    pub fn baseline(&self) -> Workload {
        Workload { vus: 1, hold: Duration::from_secs(2), ..*self }
    }
}

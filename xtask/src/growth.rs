//! `cargo xtask growth`: whether memory stays where it is while messages flow, for minutes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use ws_benches::growth::slope;
use ws_benches::runner::{Echo, Generator, run as run_once};
use ws_benches::workload::{About, Workload};

use crate::bench::build;
use crate::flags::Flags;

pub(crate) const FLAGS: &[&str] = &["seconds", "limit", "ws"];

/// What runs: plain messages, and messages with all that they may touch.
const SCRIPTS: [&str; 2] = ["echo_ws", "metrics_ws"];
/// In bytes per second. In a minute a few pages more or less are noise; a leak of 4 bytes per message is more than that.
const LIMIT: f64 = 40_000.0;

/// Runs the scripts one after the other, prints the table and fails if one grows.
pub(crate) fn run(workspace: &Path, flags: &Flags) -> Result<()> {
    let hold = Duration::from_secs_f64(flags.number::<f64>("seconds")?.unwrap_or(600.0));
    let limit = flags.number::<f64>("limit")?.unwrap_or(LIMIT);
    let ws = flags.text("ws").map_or_else(|| build(workspace, "release"), |path| Ok(PathBuf::from(path)))?;
    let generator = Generator::at(ws.clone())?;
    let echo = Echo::start(&ws)?;
    println!(
        "| workload | VUs | seconds | messages | memory at the end | growth |\n|---|---|---|---|---|---|"
    );
    let mut growing = Vec::new();
    for script in SCRIPTS {
        let workload = Workload { script, vus: 50, hold, about: About::Memory };
        let figures = run_once(&generator, &workload, &workspace.join("benches/scripts"), echo.address())?;
        let usage = &figures.usage;
        let growth = slope(&usage.series);
        let last = usage.series.last().map_or(0, |(_, bytes)| *bytes);
        println!(
            "| {script} | {} | {:.0} | {} | {:.1} MB | {:.1} kB/s |",
            workload.vus,
            hold.as_secs_f64(),
            figures.messages,
            last as f64 / 1e6,
            growth / 1e3
        );
        // Without a slope nothing is known, and that is a failure as well.
        if growth.is_nan() || growth > limit {
            growing.push(script);
        }
    }
    ensure!(growing.is_empty(), "memory grows by more than {:.1} kB/s: {}", limit / 1e3, growing.join(", "));
    Ok(())
}

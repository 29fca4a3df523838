//! `cargo xtask bench`: the workloads of `benches/` on `ws` and k6, alternating, as one table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use ws_benches::report::{Rounds, table};
use ws_benches::runner::{Echo, Generator, run as run_once};
use ws_benches::workload::{ALL, About, Workload};

use crate::flags::Flags;

pub(crate) const FLAGS: &[&str] = &["rounds", "seconds", "only", "ws", "k6"];

/// Runs the workloads and prints the table; progress goes to standard error.
pub(crate) fn run(workspace: &Path, flags: &Flags) -> Result<()> {
    let rounds = flags.number::<usize>("rounds")?.unwrap_or(3);
    let hold = flags.number::<f64>("seconds")?.map(Duration::from_secs_f64);
    let only = flags.all("only").collect::<Vec<_>>();
    let known = ALL.iter().map(Workload::name).collect::<Vec<_>>();
    for name in &only {
        ensure!(known.iter().any(|k| k == name), "no workload {name}; there are: {}", known.join(", "));
    }
    let workloads = ALL
        .iter()
        .filter(|workload| only.is_empty() || only.contains(&workload.name().as_str()))
        .map(|workload| Workload { hold: hold.unwrap_or(workload.hold), ..*workload });

    let ws = flags.text("ws").map_or_else(|| build(workspace, "dist"), |path| Ok(PathBuf::from(path)))?;
    let mut generators = vec![Generator::at(ws.clone())?];
    match peer(flags)? {
        Some(k6) => generators.push(k6),
        None => eprintln!("no k6 (WS_TEST_K6 or PATH): ws runs alone, without ratios"),
    }
    allow_open_files()?;
    let echo = Echo::start(&ws)?;
    let scripts = workspace.join("benches/scripts");
    let mut all = Vec::new();
    for workload in workloads {
        let mut measured = Rounds { workload, figures: Vec::new(), baseline: Vec::new() };
        if workload.about == About::Memory {
            for generator in &generators {
                let alone = run_once(generator, &workload.baseline(), &scripts, echo.address())?;
                measured.baseline.push(alone.usage.peak_rss);
            }
        }
        for round in 1..=rounds {
            let mut figures = Vec::new();
            for generator in &generators {
                let one = run_once(generator, &workload, &scripts, echo.address())?;
                eprintln!(
                    "{} round {round} {}: {:.0} messages/s, {:.2} us each, {:.2} cores, {:.1} MB",
                    workload.name(),
                    generator.name,
                    one.rate(),
                    one.cpu_per_message(),
                    one.usage.cores(),
                    one.usage.peak_rss as f64 / 1e6
                );
                figures.push(one);
            }
            measured.figures.push(figures);
        }
        all.push(measured);
    }
    println!("Measured on {}, medians of {rounds} rounds.\n", machine());
    print!("{}", table(&generators, &all));
    Ok(())
}

/// Builds `ws` with this profile.
pub(crate) fn build(workspace: &Path, profile: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["build", "--profile", profile, "--package", "ws-cli", "--bin", "ws"];
    let status = Command::new(cargo).current_dir(workspace).args(args).status()?;
    ensure!(status.success(), "cargo cannot build the binary ws");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    Ok(target.join(profile).join("ws"))
}

fn peer(flags: &Flags) -> Result<Option<Generator>> {
    let named =
        flags.text("k6").map(PathBuf::from).or_else(|| std::env::var_os("WS_TEST_K6").map(PathBuf::from));
    match named {
        Some(path) => Generator::at(path).map(Some),
        None => Ok(Generator::at("k6".into()).ok()),
    }
}

/// Five thousand connections need as many open files, on both sides. Gives how many are allowed now.
pub(crate) fn allow_open_files() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .context("cannot raise the open files")?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Processor, cores and memory, as far as the system tells.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = meminfo.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, {:.0} GB, Linux {}", kib / 1e6, kernel.trim())
}

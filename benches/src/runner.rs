//! Runs workloads: an echo server in a process of its own, and load generators against it, one at a time.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::process::{Usage, measure};
use crate::workload::Workload;

/// A load generator.
#[derive(Clone, Debug)]
pub struct Generator {
    /// What the table calls it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Generator {
    /// Asks the program for its version.
    ///
    /// # Errors
    ///
    /// If there is no such program.
    pub fn at(path: PathBuf) -> Result<Generator> {
        let output = Command::new(&path)
            .arg("version")
            .output()
            .with_context(|| format!("cannot run {}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let name = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        ensure!(!name.is_empty(), "{} prints no version", path.display());
        Ok(Generator { name, path })
    }

    /// k6 before version 2 starts a server on a fixed port unless told otherwise.
    fn has_fixed_port(&self) -> bool {
        self.name.starts_with("k6 v0.") || self.name.starts_with("k6 v1.")
    }
}

/// One run of a workload.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// What the generator used.
    pub usage: Usage,
    /// Messages sent, and echoed back.
    pub messages: u64,
    /// How long connections were held, in seconds; messages flow in this time.
    pub hold: f64,
    /// Pauses for garbage collection, where the program tells.
    pub pauses: Option<Pauses>,
}

impl Figures {
    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.hold
    }

    /// Microseconds of processor time per message; `NaN` without messages.
    pub fn cpu_per_message(&self) -> f64 {
        if self.messages == 0 { f64::NAN } else { self.usage.cpu.as_secs_f64() * 1e6 / self.messages as f64 }
    }

    /// Bytes of resident memory per VU, everything included.
    pub fn memory_per_vu(&self, workload: &Workload) -> f64 {
        self.usage.peak_rss as f64 / f64::from(workload.vus)
    }
}

/// Pauses for garbage collection, as `ws` prints them at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pauses {
    /// How many.
    pub count: u64,
    /// The middle one, in milliseconds.
    pub median: f64,
    /// One in a hundred is longer, in milliseconds.
    pub p99: f64,
    /// The longest, in milliseconds.
    pub max: f64,
}

impl Pauses {
    /// Finds the line `gc pauses: n=12 median=1.2ms p99=3.4ms max=5.6ms` in a program's output.
    pub fn find(output: &str) -> Option<Pauses> {
        let (_, after) = output.split_once("gc pauses: ")?;
        let line = after.lines().next()?;
        let field = |name: &str| {
            let value =
                line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
            value.trim_end_matches(['"', ',']).trim_end_matches("ms").parse::<f64>().ok()
        };
        Some(Pauses {
            count: field("n")? as u64,
            median: field("median")?,
            p99: field("p99")?,
            max: field("max")?,
        })
    }
}

/// The echo server; it ends with this value.
#[derive(Debug)]
pub struct Echo {
    child: Child,
    address: SocketAddr,
}

impl Echo {
    /// Starts `ws echo` on a free port and waits until it answers.
    ///
    /// # Errors
    ///
    /// If it does not within ten seconds.
    pub fn start(ws: &Path) -> Result<Echo> {
        // The port is free again when the listener is dropped; that somebody else takes it meanwhile is unlikely.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let child = Command::new(ws)
            .args(["echo", "--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {} echo", ws.display()))?;
        let mut echo = Echo { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = echo.child.try_wait()? {
                bail!("the echo server ended at once: {status}");
            }
            ensure!(started.elapsed() < Duration::from_secs(10), "the echo server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(echo)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a workload once.
///
/// # Errors
///
/// If the generator fails or takes a minute longer than its connections are held.
pub fn run(
    generator: &Generator,
    workload: &Workload,
    scripts: &Path,
    server: SocketAddr,
) -> Result<Figures> {
    let output = tempfile::tempdir()?;
    let summary = output.path().join("summary.json");
    let mut command = Command::new(&generator.path);
    command.args(["run", "--quiet", "--no-color", "--summary-export"]).arg(&summary);
    command.args(["--vus", &workload.vus.to_string(), "--iterations", &workload.vus.to_string()]);
    command.args(["--env", &format!("URL=ws://{server}")]);
    command.args(["--env", &format!("MS={}", workload.hold.as_millis())]);
    if generator.name.starts_with("ws ") {
        // For the figures of the garbage collector.
        command.args(["--verbose", "--log-format", "raw"]);
    }
    if generator.has_fixed_port() {
        command.args(["--address", ""]);
    }
    command.arg(scripts.join(format!("{}.js", workload.script)));
    let measured = measure(command, workload.hold + Duration::from_secs(60))?;
    ensure!(measured.success, "{} failed on {}:\n{}", generator.name, workload.name(), measured.stderr);
    let text = std::fs::read_to_string(&summary).context("no summary was exported")?;
    let summary: Value = serde_json::from_str(&text)?;
    let count = |metric: &str| summary["metrics"][metric]["count"].as_f64().unwrap_or(0.0) as u64;
    let sessions = count("ws_sessions");
    ensure!(
        sessions == u64::from(workload.vus),
        "{} opened {sessions} sessions instead of {} on {}",
        generator.name,
        workload.vus,
        workload.name()
    );
    Ok(Figures {
        usage: measured.usage,
        messages: count("ws_msgs_received"),
        hold: workload.hold.as_secs_f64(),
        pauses: Pauses::find(&measured.stderr),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_pauses_in_output() {
        let output = "something\ngc pauses: n=126 median=1.25ms p99=3.4ms max=56ms\nmore";
        let pauses = Pauses { count: 126, median: 1.25, p99: 3.4, max: 56.0 };
        assert_eq!(Pauses::find(output), Some(pauses));
        assert_eq!(Pauses::find("no such line"), None);
        assert_eq!(Pauses::find("gc pauses: n=1 median=x"), None);
    }
}

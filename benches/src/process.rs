//! A process and what the kernel counted for it: processor time, peak resident memory, threads.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::growth::Series;
use crate::resident::Resident;

/// How often the mappings are added up: with thousands of threads that takes milliseconds.
const LOOK: Duration = Duration::from_secs(1);

/// What a process used from its start to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time in user and kernel mode together.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
    /// Highest resident memory, in bytes.
    pub peak_rss: u64,
    /// Highest number of threads seen.
    pub threads: u64,
    /// Where the memory was when there was most of it, of the moments looked at.
    pub resident: Resident,
    /// Resident memory each second.
    pub series: Series,
}

impl Usage {
    /// Cores used on average.
    pub fn cores(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// A finished process.
#[derive(Debug)]
pub struct Measured {
    /// What it used.
    pub usage: Usage,
    /// Whether it ended with code 0.
    pub success: bool,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Runs a command to its end and measures it. Linux only: the figures are read from `/proc`.
///
/// # Errors
///
/// If it cannot be started, or still runs after `limit`; then it is stopped.
pub fn measure(mut command: Command, limit: Duration) -> Result<Measured> {
    let output = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(output.path())?);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let usage = watch(&mut child, started, limit).with_context(|| format!("while running {command:?}"));
    if usage.is_err() {
        // It may have ended by itself; either way it must not be left behind.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let stderr = String::from_utf8_lossy(&std::fs::read(output.path())?).into_owned();
    Ok(Measured { usage: usage?, success: status.success(), stderr })
}

fn watch(child: &mut Child, started: Instant, limit: Duration) -> Result<Usage> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
    let proc = format!("/proc/{}", child.id());
    let mut usage = Usage::default();
    let mut next_look = LOOK;
    loop {
        let looks = started.elapsed() >= next_look;
        if let Ok(status) = std::fs::read_to_string(format!("{proc}/status")) {
            // A process that has ended has none.
            if looks && let Some(kib) = status_field(&status, "VmRSS") {
                usage.series.push((started.elapsed(), kib * 1024));
            }
            usage.peak_rss = usage.peak_rss.max(status_field(&status, "VmHWM").unwrap_or(0) * 1024);
            usage.threads = usage.threads.max(status_field(&status, "Threads").unwrap_or(0));
        }
        if looks {
            next_look += LOOK;
            if let Some(resident) = Resident::of(child.id())
                && resident.total() > usage.resident.total()
            {
                usage.resident = resident;
            }
        }
        // Not yet reaped, so that its times can still be read when it has ended.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if waitid(WaitId::Pid(pid), options)?.is_some() {
            usage.wall = started.elapsed();
            let stat = std::fs::read_to_string(format!("{proc}/stat"))?;
            let ticks = cpu_ticks(&stat).context("/proc/PID/stat is not of the expected form")?;
            usage.cpu =
                Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
            return Ok(usage);
        }
        ensure!(started.elapsed() < limit, "still running after {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time in clock ticks: fields 14 and 15 of `/proc/PID/stat` (proc(5)), counted behind the
/// program's name, which may contain spaces.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 90 0 0 0 12 34 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(46));
        assert_eq!(status_field("Name:\tx\nVmHWM:\t  1234 kB\nThreads:\t7\n", "VmHWM"), Some(1234));
        assert_eq!(status_field("Name:\tx\n", "Threads"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn measures_a_busy_process() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done >&2"]);
        let measured = measure(command, Duration::from_secs(60)).unwrap();
        assert!(measured.success && measured.stderr == "done\n", "{measured:?}");
        assert!(measured.usage.cpu > Duration::from_millis(20), "{measured:?}");
        assert!(measured.usage.cpu <= measured.usage.wall + Duration::from_millis(20), "{measured:?}");
        assert!(measured.usage.peak_rss > 100 << 10 && measured.usage.threads >= 1, "{measured:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn stops_what_takes_too_long() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let started = Instant::now();
        let error = measure(command, Duration::from_millis(100)).unwrap_err();
        assert!(
            format!("{error:#}").contains("still running") && started.elapsed() < Duration::from_secs(30)
        );
    }
}

//! How many of the machine's cores are idle.

use std::fs;
use std::time::Duration;

/// Reads the idle time of all cores from the kernel (Linux: `/proc/stat`).
pub(crate) struct IdleCores {
    last: Option<u64>,
    ticks_per_second: f64,
}

impl IdleCores {
    pub(crate) fn new() -> Self {
        // SAFETY: sysconf only reads a constant of the system.
        let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Self { last: idle_ticks(), ticks_per_second: if ticks > 0 { ticks as f64 } else { 100.0 } }
    }

    /// Idle cores since the last call, `elapsed` ago: 1.5 means that one and a half were idle on average. All
    /// are taken for idle where the system does not say.
    pub(crate) fn since_last(&mut self, elapsed: Duration) -> f64 {
        let now = idle_ticks();
        let idle = match (self.last, now) {
            (Some(before), Some(now)) => {
                now.saturating_sub(before) as f64 / self.ticks_per_second / elapsed.as_secs_f64().max(1e-3)
            }
            _ => std::thread::available_parallelism().map_or(1.0, |cores| usize::from(cores) as f64),
        };
        self.last = now;
        idle
    }
}

fn idle_ticks() -> Option<u64> {
    parse_stat(&fs::read_to_string("/proc/stat").ok()?)
}

/// The idle and the io-wait column of the line for all cores.
fn parse_stat(text: &str) -> Option<u64> {
    let mut columns = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace().skip(3);
    let idle: u64 = columns.next()?.parse().ok()?;
    let io_wait: u64 = columns.next()?.parse().ok()?;
    Some(idle + io_wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_idle_plus_io_wait() {
        assert_eq!(parse_stat("cpu  10 20 30 4000 500 6 7 8 9 0\ncpu0 1 2 3 4 5\n"), Some(4500));
        assert_eq!(parse_stat("intr 1 2 3"), None);
    }
}

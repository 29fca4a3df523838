//! The only door to the process: arguments, variables, streams, clock, signals.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Instant, SystemTime};

use ws_engine::{Clock, SystemClock};
use ws_metrics::WallClock;

use crate::console::Stream;
use crate::crash::Crashes;
use crate::failpoint;
use crate::signal::{self, Signal};

/// Everything the program takes from its surroundings, so that a test can hand in its own.
pub struct Env {
    /// What the program calls itself: `ws`, or `k6` if it was called through a link of that name.
    pub name: &'static str,
    /// Arguments without the program's name.
    pub args: Vec<String>,
    /// Environment variables.
    pub vars: Vec<(String, String)>,
    /// What relative paths start from.
    pub cwd: PathBuf,
    /// Where `ws run -` reads the script from.
    pub stdin: Box<dyn Read + Send>,
    /// Description, progress, report.
    pub stdout: Stream,
    /// The log.
    pub stderr: Stream,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What time of day that is.
    pub wall: WallClock,
    /// SIGINT, SIGTERM and SIGHUP as they come in. A closed channel means that there are none.
    pub signals: Receiver<Signal>,
    /// Columns of the terminal, asked anew whenever something is drawn.
    pub columns: Box<dyn Fn() -> usize + Send>,
    /// Ends the process at once with this code: for the second signal, which waits for nothing.
    pub exit_now: Box<dyn Fn(u8) + Send + Sync>,
    /// Notes panics, wherever they happen.
    pub crashes: Crashes,
}

/// Columns to draw for when the terminal does not say how many it has.
const DEFAULT_COLUMNS: usize = 80;

impl Env {
    /// The surroundings of this process. Signals and panics are caught from here on.
    pub fn process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let vars: Vec<_> = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        failpoint::arm(&vars);
        let called = std::env::args_os().next().unwrap_or_default();
        let is_k6 = Path::new(&called).file_stem().is_some_and(|stem| stem == "k6");
        Self {
            name: if is_k6 { "k6" } else { "ws" },
            args: std::env::args_os().skip(1).map(text).collect(),
            vars,
            cwd: std::env::current_dir().unwrap_or_default(),
            stdin: Box::new(io::stdin()),
            stdout: Stream { is_tty: io::stdout().is_terminal(), write: Box::new(io::stdout()) },
            stderr: Stream { is_tty: io::stderr().is_terminal(), write: Box::new(io::stderr()) },
            clock: Arc::new(SystemClock),
            wall: WallClock::new(Instant::now(), SystemTime::now()),
            signals: signal::catch(),
            columns: Box::new(|| {
                rustix::termios::tcgetwinsize(io::stdout())
                    .map(|size| usize::from(size.ws_col))
                    .ok()
                    .filter(|columns| *columns > 0)
                    .unwrap_or(DEFAULT_COLUMNS)
            }),
            exit_now: Box::new(|code| std::process::exit(i32::from(code))),
            crashes: Crashes::catch(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use ws_engine::Bell;

    use super::*;

    /// A clock that stands still.
    pub(crate) struct FrozenClock(Instant);

    impl FrozenClock {
        pub(crate) fn new() -> Self {
            Self(Instant::now())
        }

        /// It is 2026-11-21, 02:17:18.
        pub(crate) fn wall(&self) -> WallClock {
            WallClock::new(self.0, UNIX_EPOCH + Duration::from_secs(1_795_227_438))
        }
    }

    impl Clock for FrozenClock {
        fn now(&self) -> Instant {
            self.0
        }

        fn wait(&self, bell: &Bell, until: Option<Instant>) {
            bell.wait(until);
        }
    }
}

//! SIGINT, SIGTERM and SIGHUP: the first ends the run in order, the second at once.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use ws_engine::{Cause, Control};

use crate::conclusion::text;
use crate::exit::ExitCode;
use crate::failpoint;
use crate::host::Interrupter;
use crate::logging::{Level, Logger};

/// How long a `handleSummary()` that was told to stop is waited for, and how long a last word may take to be written.
const PATIENCE: Duration = Duration::from_secs(3);
const LAST_WORD: Duration = Duration::from_millis(200);

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminated,
    /// SIGHUP: the terminal is gone.
    Hangup,
}

impl Signal {
    /// The word messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Terminated => "terminated",
            Self::Hangup => "hangup",
        }
    }

    fn cause(self) -> Cause {
        Cause::Signal(self.name().to_owned())
    }
}

/// Hands on the process's signals. If they cannot be caught the channel is closed and they act as they always do.
pub(crate) fn catch() -> Receiver<Signal> {
    let (sender, receiver) = mpsc::channel();
    // `nohup` has its programs ignore this one, and they are to go on.
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let thread = std::thread::Builder::new().name("signals".to_owned());
    if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup)) {
        // Without a thread they are lost, and the process ends as any other: by SIGKILL.
        let _ = thread.spawn(move || {
            for signal in signals.forever() {
                let signal = match signal {
                    SIGINT => Signal::Interrupt,
                    SIGHUP => Signal::Hangup,
                    _ => Signal::Terminated,
                };
                if sender.send(signal).is_err() {
                    // Nobody is left to end in order.
                    std::process::exit(i32::from(ExitCode::Interrupted.code()));
                }
            }
        });
    }
    receiver
}

/// Whether whoever started the process has had it ignore this signal. Where the system does not say, it has not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored >> (signal - 1) & 1 == 1
}

/// Turns signals into the end of a run.
pub(crate) struct Watch {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    moment: Moment,
    /// The first signal that the run itself has not heard of: it came when that was over.
    late: Option<Signal>,
}

/// What there is to end in order.
enum Moment {
    /// Nothing yet. The script's init code may be an endless loop.
    Before,
    Run(Control),
    /// `handleSummary()`.
    Summary(Interrupter),
    /// The report is being written.
    Report,
}

impl Watch {
    /// Listens from now on. Before a run exists already the first signal ends the process, through `exit_now`.
    pub(crate) fn start(
        name: &'static str,
        signals: Receiver<Signal>,
        log: Logger,
        exit_now: Box<dyn Fn(u8) + Send + Sync>,
    ) -> Self {
        let shared = Arc::new(Mutex::new(Shared { moment: Moment::Before, late: None }));
        let watch = Self { shared: Arc::clone(&shared) };
        let listener = Listener { name, shared, log, exit_now, stopping: false, give_up_at: None };
        // Without a thread for them signals do nothing; then there were none for the run either.
        let thread = std::thread::Builder::new().name("watch".to_owned());
        let _ = thread.spawn(move || listener.listen(&signals));
        watch
    }

    /// The first signal stops this run.
    pub(crate) fn run_with(&self, control: Control) {
        self.shared.lock().moment = Moment::Run(control);
    }

    /// The run is over. The first signal ends `handleSummary()`.
    pub(crate) fn summary_with(&self, interrupter: Interrupter) {
        self.shared.lock().moment = Moment::Summary(interrupter);
    }

    /// The first signal waits until the report is written.
    pub(crate) fn report(&self) {
        self.shared.lock().moment = Moment::Report;
    }

    /// What a signal that came after the run has ended.
    pub(crate) fn late_cause(&self) -> Option<Cause> {
        self.shared.lock().late.map(Signal::cause)
    }
}

/// The thread that hears the signals.
struct Listener {
    /// What the program calls itself.
    name: &'static str,
    shared: Arc<Mutex<Shared>>,
    log: Logger,
    exit_now: Box<dyn Fn(u8) + Send + Sync>,
    stopping: bool,
    /// When `handleSummary()`, told to stop, has had its time.
    give_up_at: Option<Instant>,
}

impl Listener {
    fn listen(mut self, signals: &Receiver<Signal>) {
        loop {
            let signal = match self.give_up_at {
                None => signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => signals.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match signal {
                Ok(signal) => self.hear(signal),
                Err(RecvTimeoutError::Timeout) => {
                    self.give_up_at = None;
                    if let Moment::Summary(interrupter) = &self.shared.lock().moment {
                        (interrupter.abandon)();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn hear(&mut self, signal: Signal) {
        failpoint::here("watch");
        if self.stopping {
            // The second one, whether or not the run has come to its end meanwhile.
            let message = format!("Aborting {} in response to signal", self.name);
            return self.exit(move |log| log.log(Level::Error, &message, &[("sig", signal.name())]));
        }
        self.stopping = true;
        let mut shared = self.shared.lock();
        match &shared.moment {
            Moment::Before => {
                drop(shared);
                let message = text(self.name, &signal.cause());
                self.exit(move |log| log.error(&message));
            }
            Moment::Run(control) => {
                control.stop(signal.cause());
                drop(shared);
                self.log.debug(&format!("stopping the run in response to signal '{}'", signal.name()));
            }
            Moment::Summary(interrupter) => {
                (interrupter.interrupt)();
                self.give_up_at = Some(Instant::now() + PATIENCE);
                shared.late = Some(signal);
            }
            Moment::Report => shared.late = Some(signal),
        }
    }

    /// Ends the process with a last word, if that can be said: whoever has the console may wait for a terminal that
    /// nobody reads.
    fn exit(&self, last_word: impl FnOnce(&Logger) + Send + 'static) {
        let (said, done) = mpsc::channel();
        let log = self.log.clone();
        let spawned = std::thread::Builder::new().name("last word".to_owned()).spawn(move || {
            last_word(&log);
            // The listener waits, or the process is ending.
            let _ = said.send(());
        });
        if spawned.is_ok() {
            let _ = done.recv_timeout(LAST_WORD);
        }
        (self.exit_now)(ExitCode::Interrupted.code());
    }
}

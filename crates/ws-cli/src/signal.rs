//! SIGINT and SIGTERM: the first ends the run in order, the second at once.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use parking_lot::Mutex;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use ws_engine::{Cause, Control};

use crate::exit::ExitCode;
use crate::logging::{Level, Logger};

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminated,
}

impl Signal {
    /// The word messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Terminated => "terminated",
        }
    }
}

/// Hands on the process's signals. If they cannot be caught the channel is closed and they act as they always do.
pub(crate) fn catch() -> Receiver<Signal> {
    let (sender, receiver) = mpsc::channel();
    if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let signal = if signal == SIGINT { Signal::Interrupt } else { Signal::Terminated };
                if sender.send(signal).is_err() {
                    // Nobody is left to end in order.
                    std::process::exit(i32::from(ExitCode::Interrupted.code()));
                }
            }
        });
    }
    receiver
}

/// Turns signals into the end of a run.
pub(crate) struct Watch {
    /// What the first signal goes to; nothing while there is no run to end in order.
    control: Arc<Mutex<Option<Control>>>,
}

impl Watch {
    /// Listens from now on. Before a run exists already the first signal ends the process, through `exit_now`: the
    /// script's init code may be an endless loop.
    pub(crate) fn start(
        signals: Receiver<Signal>,
        log: Logger,
        exit_now: Box<dyn Fn(u8) + Send + Sync>,
    ) -> Self {
        let control = Arc::new(Mutex::new(None::<Control>));
        let watched = Arc::clone(&control);
        std::thread::spawn(move || {
            let mut stopping = false;
            for signal in signals {
                let cause = Cause::Signal(signal.name().to_owned());
                match watched.lock().as_ref() {
                    // The second one, whether or not the run has come to its end meanwhile.
                    _ if stopping => {
                        log.log(Level::Error, "Aborting k6 in response to signal", &[("sig", signal.name())])
                    }
                    Some(control) => {
                        log.debug(&format!("stopping the run in response to signal '{}'", signal.name()));
                        control.stop(cause);
                        stopping = true;
                        continue;
                    }
                    None => log.error(&cause.to_string()),
                }
                exit_now(ExitCode::Interrupted.code());
            }
        });
        Self { control }
    }

    /// The first signal stops this run.
    pub(crate) fn run_with(&self, control: Control) {
        *self.control.lock() = Some(control);
    }

    /// There is nothing left to end in order: from now on a signal ends the process.
    pub(crate) fn run_is_over(&self) {
        *self.control.lock() = None;
    }
}

//! Ending a run early, from outside or from inside a script.

use std::time::Duration;

use crate::mailbox::{Mailbox, Note};
use crate::phases::PhaseError;

/// Why a run ended before its plan was done. The first cause of a run counts.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The process received this signal (`interrupt`, `terminated`).
    Signal(String),
    /// A threshold with `abortOnFail` failed; the text for the user.
    Thresholds(String),
    /// The script called `exec.test.abort()`; the text for the user.
    ScriptAbort(String),
    /// Stopped over the control interface.
    Stopped,
    /// The tool itself has failed; what and where. The run ends where it is, without `teardown`, and this is its cause
    /// whatever came before.
    Crashed(String),
    /// A VU could not be initialised.
    InitFailed(PhaseError),
    /// `setup()` threw.
    SetupFailed(PhaseError),
    /// `setup()` took longer than this limit.
    SetupTimeout(Duration),
    /// `teardown()` threw.
    TeardownFailed(PhaseError),
    /// `teardown()` took longer than this limit.
    TeardownTimeout(Duration),
}

impl std::fmt::Display for Cause {
    /// The texts of k6.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signal(name) => write!(f, "test run was aborted because k6 received a '{name}' signal"),
            Self::Thresholds(text) | Self::ScriptAbort(text) | Self::Crashed(text) => f.write_str(text),
            Self::Stopped => f.write_str("test run stopped from REST API"),
            Self::InitFailed(error) | Self::SetupFailed(error) | Self::TeardownFailed(error) => error.fmt(f),
            Self::SetupTimeout(limit) => timed_out(f, "setup", *limit),
            Self::TeardownTimeout(limit) => timed_out(f, "teardown", *limit),
        }
    }
}

fn timed_out(f: &mut std::fmt::Formatter<'_>, what: &str, limit: Duration) -> std::fmt::Result {
    write!(f, "{what}() execution timed out after {} seconds", limit.as_secs_f64())
}

/// Handle to end a run from any thread. Cheap to clone; calls after the end do nothing.
#[derive(Clone)]
pub struct Control {
    mail: Mailbox,
}

impl Control {
    pub(crate) fn new(mail: Mailbox) -> Self {
        Self { mail }
    }

    /// Ends the run: `setup` or the VUs are interrupted at once (graceful periods do not apply), nothing new starts,
    /// `teardown` runs if `setup` succeeded. A `teardown` in progress goes on to its end.
    pub fn stop(&self, cause: Cause) {
        self.mail.post(Note::Stop(cause));
    }
}

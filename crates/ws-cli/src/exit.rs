//! Exit codes: the numbers k6 users have in their pipelines.

/// What the process tells its parent.
///
/// The first error of a run decides; failed thresholds only decide when nothing else went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The run finished. Exceptions in iterations do not change that.
    Success = 0,
    /// A threshold failed, at the end of the run or through `abortOnFail`.
    ThresholdsFailed = 99,
    /// `setup()` took longer than `setupTimeout`.
    SetupTimeout = 100,
    /// `teardown()` took longer than `teardownTimeout`.
    TeardownTimeout = 101,
    /// The configuration is wrong: options, scenarios, thresholds, `K6_*` values, a missing `exec` function.
    InvalidConfig = 104,
    /// SIGINT, SIGTERM or SIGHUP, the first or the second, at any moment.
    Interrupted = 105,
    /// An address the user asked for (`--prometheus`, `ws echo --listen`) cannot be bound.
    CannotListen = 106,
    /// An exception in the init code, in `setup()` or in `teardown()`; a syntax error; an import that does not resolve.
    ScriptException = 107,
    /// The script called `exec.test.abort()`.
    ScriptAborted = 108,
    /// The tool itself has failed: a thread panicked.
    Crashed = 109,
    /// Everything else: unknown flag or command, unreadable script, bad flag value, unwritable output.
    Generic = 255,
}

impl ExitCode {
    /// The number itself.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

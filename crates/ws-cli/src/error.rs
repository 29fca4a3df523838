//! Failures that end the command: one line for the user and the exit code that goes with it.

use std::fmt;

use crate::exit::ExitCode;

/// An expected failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) code: ExitCode,
    pub(crate) message: String,
    /// Further facts of the log line, as `hint="script exception"`.
    pub(crate) fields: Vec<(String, String)>,
}

impl CliError {
    pub(crate) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new() }
    }

    /// Exit 104: the options are wrong.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ExitCode::InvalidConfig, message)
    }

    /// Exit 255: everything that has no code of its own.
    pub(crate) fn generic(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Generic, message)
    }

    pub(crate) fn field(mut self, key: &str, value: impl Into<String>) -> Self {
        self.fields.push((key.to_owned(), value.into()));
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

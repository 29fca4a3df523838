//! Failures of a run's machinery, apart from those of the script.

use std::io;

/// What can keep a run from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An event loop could not be made; most often, there are no file descriptors left.
    #[error("cannot set up an event loop: {0}")]
    Loop(#[from] ws_loop::Error),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// The script's init stage failed.
    #[error(transparent)]
    Script(#[from] crate::ScriptError),
}

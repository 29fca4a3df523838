//! `ws echo`: the other end for first experiments.

use std::sync::mpsc::Receiver;

use ws_loop::EchoServer;

use crate::console::{Console, Target};
use crate::error::CliError;
use crate::exit::ExitCode;
use crate::signal::Signal;

/// Starts the server, or says in one line why it cannot.
pub(crate) fn start(addr: &str) -> Result<EchoServer, CliError> {
    EchoServer::start(addr).map_err(|error| {
        CliError::new(ExitCode::CannotListen, format!("cannot start an echo server on '{addr}': {error}"))
    })
}

/// The server's address for scripts.
pub(crate) fn url(server: &EchoServer) -> String {
    format!("ws://{}/", server.local_addr())
}

/// Serves until a signal comes, which is how it is meant to end.
pub(crate) fn serve(addr: &str, console: &Console, signals: &Receiver<Signal>) -> Result<ExitCode, CliError> {
    let server = start(addr)?;
    console.print(Target::Stdout, &format!("echoing on {} until Ctrl-C\n", url(&server)));
    // A closed channel means that signals act as they always do: they end the process.
    if signals.recv().is_err() {
        loop {
            std::thread::park();
        }
    }
    Ok(ExitCode::Success)
}

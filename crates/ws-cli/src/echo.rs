//! `ws echo`: the other end for first experiments.

use std::sync::mpsc::{self, Receiver};

use ws_loop::EchoServer;

use crate::console::{Console, Target};
use crate::crash::Crashes;
use crate::error::CliError;
use crate::exit::ExitCode;
use crate::listen;
use crate::signal::Signal;

/// Starts the server, or says in one line why it cannot.
pub(crate) fn start(addr: &str) -> Result<EchoServer, CliError> {
    let started = listen::addresses(addr).and_then(|addrs| EchoServer::start(addrs.as_slice()));
    started.map_err(|error| {
        CliError::new(ExitCode::CannotListen, format!("cannot start an echo server on '{addr}': {error}"))
    })
}

/// The server's address for scripts.
pub(crate) fn url(server: &EchoServer) -> String {
    format!("ws://{}/", listen::reachable(server.local_addr()))
}

/// Serves until a signal comes, which is how it is meant to end, or a thread of the server panics.
pub(crate) fn serve(
    addr: &str,
    console: &Console,
    signals: Receiver<Signal>,
    crashes: &Crashes,
) -> Result<ExitCode, CliError> {
    let server = start(addr)?;
    console.print(Target::Stdout, &format!("echoing on {} until Ctrl-C\n", url(&server)));
    let (end, ended) = mpsc::channel();
    let crashed = end.clone();
    crashes.listen(move |_| _ = crashed.send(()));
    // A closed channel means that signals act as they always do: they end the process.
    let forward = move || signals.iter().for_each(|_| _ = end.send(()));
    let thread = std::thread::Builder::new().name("watch".to_owned());
    thread.spawn(forward).map_err(|error| CliError::generic(format!("cannot start a thread: {error}")))?;
    // Without senders nothing is left that could end it in order.
    if ended.recv().is_err() {
        loop {
            std::thread::park();
        }
    }
    Ok(ExitCode::Success)
}

//! A running server: its addresses, its certificate, and what it reports.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::{Peer, find};

/// Longer than anything takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it takes plain connections.
    pub plain: SocketAddr,
    /// Where it takes TLS.
    pub secure: SocketAddr,
    /// Its certificate for `localhost`, `127.0.0.1` and `::1` as PEM text; a root that clients must trust.
    pub certificate: String,
    reports: Receiver<String>,
    /// Read and not asked for yet.
    seen: Vec<String>,
    /// In the order in which they are stopped.
    _processes: Vec<Process>,
    _folder: TempDir,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    pub(crate) fn start(peer: Peer, command: Command, host: IpAddr, args: &[&str]) -> Result<Server> {
        let folder = tempfile::tempdir()?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names)?;
        let certificate = made.cert.pem();
        std::fs::write(folder.path().join("certificate.pem"), &certificate)?;
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        let (backend, ports, reports) = script(command, folder.path(), host, args)?;
        let (mut plain, mut secure) = (SocketAddr::new(host, ports[0]), SocketAddr::new(host, ports[1]));
        let mut processes = vec![backend];
        if peer == Peer::Nginx {
            let front;
            (front, plain, secure) = front_of(plain, folder.path())?;
            processes.insert(0, front);
        }
        let seen = Vec::new();
        Ok(Server { plain, secure, certificate, reports, seen, _processes: processes, _folder: folder })
    }

    /// Waits until the session with this path is over; gives the close code and the reason that its client sent, as
    /// `1000 done`.
    ///
    /// # Panics
    ///
    /// If the session does not end.
    pub fn closed(&mut self, path: &str) -> String {
        loop {
            let prefix = format!("{path} ");
            if let Some(found) = self.seen.iter().position(|line| line.starts_with(&prefix)) {
                return self.seen.swap_remove(found)[prefix.len()..].trim_end().to_owned();
            }
            match self.reports.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("the session {path} never ended; others: {:?}", self.seen),
            }
        }
    }
}

/// Starts a script, and a thread that reads what it reports; gives its two ports.
fn script(
    mut command: Command,
    folder: &Path,
    host: IpAddr,
    args: &[&str],
) -> Result<(Process, [u16; 2], Receiver<String>)> {
    command.arg(host.to_string());
    command.args([folder.join("certificate.pem"), folder.join("key.pem")]).args(args);
    // The end of its standard input ends it, even if this process is killed.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Process(command.spawn().with_context(|| format!("{command:?}"))?);
    let mut stdout = BufReader::new(process.0.stdout.take().context("its output is a pipe")?);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let ports = line.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>();
    let Ok([plain, secure]) = ports.as_deref() else {
        bail!("{command:?} says {line:?} instead of two ports")
    };
    let ports = [*plain, *secure];
    Ok((process, ports, follow(stdout)))
}

fn follow(stdout: BufReader<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in stdout.lines() {
            let Ok(line) = line else { return };
            // Even if nobody listens any more: the server would complain about a pipe that is closed.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Starts nginx before the server at `backend`; gives its two addresses.
fn front_of(backend: SocketAddr, folder: &Path) -> Result<(Process, SocketAddr, SocketAddr)> {
    let nginx = find::nginx().map_err(anyhow::Error::msg)?;
    // nginx cannot say which port it was given. One that is free now may be taken a moment later, but not every time.
    for _ in 0..5 {
        let free = [TcpListener::bind((backend.ip(), 0))?, TcpListener::bind((backend.ip(), 0))?];
        let [plain, secure] = [free[0].local_addr()?, free[1].local_addr()?];
        drop(free);
        let text = include_str!("../servers/nginx.conf")
            .replace("PLAIN", &plain.to_string())
            .replace("SECURE", &secure.to_string())
            .replace("BACKEND", &backend.to_string());
        std::fs::write(folder.join("nginx.conf"), text)?;
        let mut command = Command::new(&nginx);
        command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).args(["-e", "stderr"]);
        let mut process = Process(command.spawn()?);
        let mut waited = Duration::ZERO;
        while process.0.try_wait()?.is_none() {
            if TcpStream::connect(secure).is_ok() {
                return Ok((process, plain, secure));
            }
            ensure!(waited < PATIENCE, "nginx does not listen");
            let pause = Duration::from_millis(10);
            std::thread::sleep(pause);
            waited += pause;
        }
    }
    bail!("nginx ends at once")
}

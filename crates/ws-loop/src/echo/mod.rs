//! A WebSocket echo server: the other end of tests, benchmarks and first experiments.

mod deflate;
mod frames;
mod peer;
mod upgrade;
mod worker;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;

use mio::net::TcpListener;
use socket2::{Domain, Socket, Type};

use worker::{Inbox, Worker};

/// Sends every text and binary message back to where it came from, until it is dropped.
///
/// Frames are echoed as they come, fragments as fragments and without waiting for their end, so messages of any
/// size take no memory. Pings are answered, pongs swallowed, a close frame is sent back and ends the connection.
/// Requests that ask for no WebSocket get `426 Upgrade Required`, malformed ones `400 Bad Request`. Of the
/// subprotocols offered the first is chosen. An offer of compression (RFC 7692) is taken if both directions can have
/// the same parameters: then compressed messages go back as they came, which costs no more than plain ones.
///
/// It is made to cost little next to what it measures: one read and one write for all that has arrived on a
/// connection, no memory per message, about 100 bytes per idle connection. It checks no more of what it receives
/// than it needs to find the frames: masking, reserved bits, opcodes and sizes of control frames, but not UTF-8 nor
/// the order of fragments.
///
/// # Examples
///
/// ```
/// let server = ws_loop::EchoServer::start("127.0.0.1:0")?;
/// println!("ws://{}/", server.local_addr());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EchoServer {
    addr: SocketAddr,
    inboxes: Vec<Arc<Inbox>>,
    threads: Vec<JoinHandle<()>>,
}

impl EchoServer {
    /// Listens on the first of `addr`'s addresses that works (port 0: any free port), and serves on one thread.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot listen there or start a thread.
    pub fn start(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::with_threads(addr, 1)
    }

    /// As [`start`](Self::start), with connections dealt out to `threads` threads in turn. Zero counts as one.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn with_threads(addr: impl ToSocketAddrs, threads: usize) -> io::Result<Self> {
        let listener = listen(addr)?;
        let addr = listener.local_addr()?;
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            workers.push(Worker::new()?);
        }
        let inboxes: Vec<Arc<Inbox>> = workers.iter().map(Worker::inbox).collect();
        workers[0].listen(listener, inboxes.clone())?;
        let mut server = EchoServer { addr, inboxes, threads: Vec::new() };
        for worker in workers {
            let thread = std::thread::Builder::new().name("ws-echo".into());
            // On failure the server is dropped, which ends the threads there are already.
            server.threads.push(thread.spawn(move || worker.run())?);
        }
        Ok(server)
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for EchoServer {
    /// Closes all connections without ceremony and waits for the threads.
    fn drop(&mut self) {
        for inbox in &self.inboxes {
            inbox.stop();
        }
        for thread in self.threads.drain(..) {
            // A panic has been reported on its own thread already.
            let _ = thread.join();
        }
    }
}

/// Connections the system completes before they are accepted. A load test dials hundreds at once, and with the
/// standard library's 128 the rest would wait a second for their first retransmission.
const BACKLOG: i32 = 4096;

fn listen(addrs: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut error = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
    for addr in addrs.to_socket_addrs()? {
        match listen_on(addr) {
            Ok(listener) => return Ok(listener),
            Err(why) => error = why,
        }
    }
    Err(error)
}

fn listen_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    // Or a server could not be started again while old connections linger.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

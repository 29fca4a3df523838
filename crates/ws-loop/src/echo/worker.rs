//! One thread of the echo server: a poll, its connections, one buffer.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;

use super::frames::HEADROOM;
use super::peer::{Next, Peer};
use crate::key::{SocketKey, WAKER};
use crate::registry::Registry;

const LISTENER: Token = Token(usize::MAX - 1);
/// Read at once from one connection, in bytes. Large messages pay per system call, small ones do not care.
const BUFFER: usize = 256 << 10;
/// How long to wait before accepting again when the system is out of descriptors.
const BREATHER: Duration = Duration::from_millis(50);

/// The way to a worker from other threads.
#[derive(Debug)]
pub(super) struct Inbox {
    streams: Mutex<Vec<TcpStream>>,
    stop: AtomicBool,
    waker: Waker,
}

impl Inbox {
    /// Ends the worker.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    fn hand(&self, stream: TcpStream) {
        self.streams.lock().push(stream);
        self.wake();
    }

    fn wake(&self) {
        // It can only fail for want of kernel memory, and there is nobody to tell.
        let _ = self.waker.wake();
    }
}

#[derive(Debug)]
pub(super) struct Worker {
    poll: Poll,
    inbox: Arc<Inbox>,
    /// The first worker's: the listener, and everybody to deal connections to.
    door: Option<(TcpListener, Vec<Arc<Inbox>>)>,
    dealt: usize,
    accept_later: bool,
    peers: Registry<Peer>,
    again: Vec<SocketKey>,
}

impl Worker {
    pub(super) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let inbox = Arc::new(Inbox { streams: Mutex::default(), stop: AtomicBool::new(false), waker });
        Ok(Worker {
            poll,
            inbox,
            door: None,
            dealt: 0,
            accept_later: false,
            peers: Registry::new(),
            again: Vec::new(),
        })
    }

    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Makes this the worker that accepts, for itself and others.
    pub(super) fn listen(&mut self, mut listener: TcpListener, inboxes: Vec<Arc<Inbox>>) -> io::Result<()> {
        self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        self.door = Some((listener, inboxes));
        Ok(())
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut buf = vec![0; HEADROOM + BUFFER];
        loop {
            let timeout = match (self.again.is_empty(), self.accept_later) {
                (false, _) => Some(Duration::ZERO),
                (true, true) => Some(BREATHER),
                (true, false) => None,
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Without its poll the server cannot go on; whoever tests against it notices.
                Err(_) => return,
                Ok(()) => {}
            }
            if self.inbox.stop.load(Ordering::Acquire) {
                return;
            }
            // Taken before this round's readiness, so that whoever has more to read does not starve the others.
            let again = std::mem::take(&mut self.again);
            let mut accept = self.accept_later;
            for event in &events {
                match event.token() {
                    LISTENER => accept = true,
                    WAKER => self.take_streams(),
                    token => {
                        let key = SocketKey::from_token(token);
                        let Some(peer) = self.peers.get_mut(key) else { continue };
                        peer.read_closed |= event.is_read_closed() || event.is_error();
                        if !peer.scheduled {
                            self.serve(key, &mut buf);
                        }
                    }
                }
            }
            for key in again {
                self.serve(key, &mut buf);
            }
            if accept {
                self.accept();
            }
        }
    }

    fn serve(&mut self, key: SocketKey, buf: &mut [u8]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let next = peer.serve(buf);
        peer.scheduled = next == Next::Again;
        match next {
            Next::Wait => {}
            Next::Again => self.again.push(key),
            Next::Drop => drop(self.peers.remove(key)),
        }
    }

    fn accept(&mut self) {
        self.accept_later = false;
        let Some((listener, inboxes)) = self.door.take() else { return };
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let inbox = &inboxes[self.dealt % inboxes.len()];
                    self.dealt += 1;
                    match Arc::ptr_eq(inbox, &self.inbox) {
                        true => self.adopt(stream),
                        false => inbox.hand(stream),
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    self.accept_later = true;
                    break;
                }
            }
        }
        self.door = Some((listener, inboxes));
    }

    fn take_streams(&mut self) {
        let streams = std::mem::take(&mut *self.inbox.streams.lock());
        for stream in streams {
            self.adopt(stream);
        }
    }

    fn adopt(&mut self, stream: TcpStream) {
        // Without it a peer that writes less than a segment at a time would wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        let key = self.peers.insert(Peer::new(stream));
        let Some(peer) = self.peers.get_mut(key) else { return };
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(peer.stream(), key.token(), interest).is_err() {
            self.peers.remove(key);
        }
    }
}

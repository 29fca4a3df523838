//! Plain TCP or TLS behind one way to read and write; counts the raw bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::time::SystemTime;

use mio::net::TcpStream;

use crate::arena::Arena;
use crate::assembly::Assembler;
use crate::stamps::Stamps;
use crate::tls::TlsStream;

/// Ciphertext taken from the socket at once: one TLS record, so that a read is one system call.
const RECORD: usize = 16 * 1024 + 256;

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Transport {
    tcp: TcpStream,
    tls: Option<Box<TlsStream>>,
    /// If each read asks when its bytes arrived.
    stamps: Option<Stamps>,
    read: u64,
    written: u64,
}

/// What one read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The socket may hold more.
    More,
    /// The socket gave less than it was asked for: it is empty for now.
    Short,
    /// Nothing there.
    Blocked,
    /// Nothing will follow.
    Eof,
}

/// Whether everything queued has gone to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Flushed {
    /// All of it.
    Done,
    /// The socket takes no more for now; go on when it is writable.
    Blocked,
}

#[derive(Debug)]
pub(crate) enum StreamError {
    Io(io::Error),
    Tls(rustls::Error),
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(error) => error,
            StreamError::Tls(error) => Self::new(ErrorKind::InvalidData, error),
        }
    }
}

impl Transport {
    pub(crate) fn new(tcp: TcpStream, tls: Option<Box<TlsStream>>) -> Self {
        Self { tcp, tls, stamps: None, read: 0, written: 0 }
    }

    /// Speaks TLS from here on, if given.
    pub(crate) fn set_tls(&mut self, tls: Option<Box<TlsStream>>) {
        self.tls = tls;
    }

    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    pub(crate) fn tcp_ref(&self) -> &TcpStream {
        &self.tcp
    }

    /// From now on reads ask the kernel when what they bring arrived, where it can tell.
    pub(crate) fn stamp_arrivals(&mut self) {
        self.stamps = Some(Stamps::of(&self.tcp));
    }

    /// Whether they do.
    pub(crate) fn is_stamped(&self) -> bool {
        self.stamps.is_some()
    }

    /// When the last bytes of the last read arrived.
    pub(crate) fn arrival(&self) -> Option<SystemTime> {
        self.stamps.as_ref()?.last()
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Raw bytes read from the socket.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Raw bytes written to the socket.
    pub(crate) fn bytes_written(&self) -> u64 {
        self.written
    }

    /// One read from the socket; what it brings is appended to the arena, decrypted.
    ///
    /// Also on an error, what came before it is in the arena.
    pub(crate) fn read(&mut self, arena: &mut Arena) -> Result<Fill, StreamError> {
        if self.tls.is_some() {
            return self.read_tls(arena);
        }
        let result = arena.fill(|room| retry(|| receive(&mut self.tcp, &mut self.stamps, room)));
        self.filled(result)
    }

    /// One read from the socket straight into a long payload; `None` if there is none, and with TLS or stamps.
    pub(crate) fn read_long(&mut self, assembler: &mut Assembler) -> Option<Result<Fill, StreamError>> {
        if self.tls.is_some() || self.stamps.is_some() {
            return None;
        }
        let result = assembler.fill(|data| retry(|| append(&mut self.tcp, data)))?;
        Some(self.filled(result))
    }

    fn filled(&mut self, result: io::Result<(usize, bool)>) -> Result<Fill, StreamError> {
        match result {
            Ok((0, _)) => Ok(Fill::Eof),
            Ok((n, full)) => {
                self.read += n as u64;
                Ok(if full { Fill::More } else { Fill::Short })
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(Fill::Blocked),
            Err(e) => Err(e.into()),
        }
    }

    /// Kept out of [`read`](Self::read): the frame of a function is touched page by page on every call, and with
    /// the record in it each thread that ever read a socket would keep 16 KiB more of its stack resident.
    #[inline(never)]
    fn read_tls(&mut self, arena: &mut Arena) -> Result<Fill, StreamError> {
        let Some(tls) = &mut self.tls else { return Ok(Fill::Blocked) };
        if tls.has_ended() {
            return Ok(Fill::Eof);
        }
        // It may have come with bytes that completed a handshake, so every later read says it again.
        if let Some(error) = tls.failure() {
            return Err(StreamError::Tls(error.clone()));
        }
        let mut record = [0; RECORD];
        let n = match retry(|| receive(&mut self.tcp, &mut self.stamps, &mut record)) {
            Ok(0) => return Ok(Fill::Eof),
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Fill::Blocked),
            Err(e) => return Err(e.into()),
        };
        self.read += n as u64;
        tls.receive(&mut record[..n], arena).map_err(StreamError::Tls)?;
        Ok(if n == RECORD || tls.has_ended() { Fill::More } else { Fill::Short })
    }

    /// Writes `out[*at..]`, moving `at` forward by what the socket took (or TLS has encrypted).
    pub(crate) fn write(&mut self, out: &[u8], at: &mut usize) -> io::Result<Flushed> {
        loop {
            if let Some(tls) = &mut self.tls {
                // After a failure it encrypts nothing any more; an error even for no bytes would keep its alert from
                // being sent.
                if *at < out.len() {
                    *at += tls.encrypt(&out[*at..]).map_err(StreamError::Tls)?;
                }
                while tls.wants_write() {
                    match retry(|| self.tcp.write(tls.records())) {
                        Ok(0) => return Err(ErrorKind::WriteZero.into()),
                        Ok(n) => {
                            self.written += n as u64;
                            tls.sent(n);
                        }
                        Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                        Err(e) => return Err(e),
                    }
                }
            } else if *at < out.len() {
                match retry(|| self.tcp.write(&out[*at..])) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(n) => {
                        self.written += n as u64;
                        *at += n;
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                    Err(e) => return Err(e),
                }
            }
            if *at == out.len() {
                return Ok(Flushed::Done);
            }
        }
    }

    /// Of the bytes that [`write`](Self::write) took, those that TLS has encrypted and the socket has not taken.
    pub(crate) fn unconfirmed(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.unsent_payload())
    }

    /// One read whose bytes are thrown away, as they come. With TLS nothing can be read after it.
    pub(crate) fn discard(&mut self, arena: &mut Arena) -> Result<Fill, StreamError> {
        let start = arena.len();
        let result = arena.fill(|room| retry(|| self.tcp.read(room)));
        arena.truncate(start);
        self.filled(result)
    }

    /// Whether TLS itself has something to send (handshake, alert, key update).
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Queues the TLS closing alert; the next write sends it.
    pub(crate) fn close_notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.close_notify();
        }
    }
}

/// One read into the spare capacity of `data`, which need not be zeroed for it.
#[cfg(unix)]
fn append(tcp: &mut TcpStream, data: &mut Vec<u8>) -> io::Result<usize> {
    Ok(rustix::io::read(tcp, rustix::buffer::spare_capacity(data))?)
}

/// One read into the spare capacity of `data`, zeroed before.
#[cfg(not(unix))]
fn append(tcp: &mut TcpStream, data: &mut Vec<u8>) -> io::Result<usize> {
    const ROOM: usize = 64 * 1024;
    let len = data.len();
    data.resize(len + ROOM.min(data.capacity() - len), 0);
    let result = tcp.read(&mut data[len..]);
    data.truncate(len + *result.as_ref().unwrap_or(&0));
    result
}

/// One read from the socket.
fn receive(tcp: &mut TcpStream, stamps: &mut Option<Stamps>, room: &mut [u8]) -> io::Result<usize> {
    match stamps {
        None => tcp.read(room),
        Some(stamps) => stamps.receive(tcp, room),
    }
}

/// A system call interrupted by a signal has done nothing: it is made again.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

//! One connection of the echo server.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

use super::frames::{Echoed, Frames, HEADROOM};
use super::upgrade::{Answer, answer};

#[derive(Debug)]
pub(super) struct Peer {
    stream: TcpStream,
    stage: Stage,
    /// What the peer would not take yet. While there is any, nothing is read: TCP slows the peer down.
    unsent: Vec<u8>,
    /// The peer is to be dropped once everything is sent.
    last: bool,
    /// The end of the stream is known to be near: read on even after a short read.
    pub(super) read_closed: bool,
    /// In its worker's list of peers to come back to.
    pub(super) scheduled: bool,
}

#[derive(Debug)]
enum Stage {
    /// The request head so far.
    Upgrade(Vec<u8>),
    Frames(Frames),
}

/// What a peer needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To be called at the next readiness.
    Wait,
    /// To be called again without one.
    Again,
    /// To be dropped.
    Drop,
}

impl Peer {
    pub(super) fn new(stream: TcpStream) -> Self {
        Peer {
            stream,
            stage: Stage::Upgrade(Vec::new()),
            unsent: Vec::new(),
            last: false,
            read_closed: false,
            scheduled: false,
        }
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Reads once and answers with one write. `buf` is anybody's memory, of more than [`HEADROOM`] bytes.
    pub(super) fn serve(&mut self, buf: &mut [u8]) -> Next {
        // Whatever ends a connection of a load test, its other end counts it; here it just ends.
        self.try_serve(buf).unwrap_or(Next::Drop)
    }

    fn try_serve(&mut self, buf: &mut [u8]) -> io::Result<Next> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent)?;
            if !self.unsent.is_empty() {
                return Ok(Next::Wait);
            }
        }
        if self.last {
            return Ok(Next::Drop);
        }
        let len = match self.stream.read(&mut buf[HEADROOM..]) {
            Ok(0) => return Ok(Next::Drop),
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Next::Wait),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Next::Again),
            Err(error) => return Err(error),
        };
        let full = HEADROOM + len == buf.len();
        match &mut self.stage {
            Stage::Frames(frames) => {
                let echoed = frames.echo(buf, len);
                self.deliver(buf, echoed)?;
            }
            Stage::Upgrade(head) => {
                head.extend_from_slice(&buf[HEADROOM..HEADROOM + len]);
                let stream = std::mem::take(head);
                self.upgrade(stream)?;
            }
        }
        Ok(match () {
            () if !self.unsent.is_empty() => Next::Wait,
            () if self.last => Next::Drop,
            // A short read has emptied the socket: the next byte is a new edge. But an edge that told of the end
            // as well as of data will not tell again.
            () if full || self.read_closed => Next::Again,
            () => Next::Wait,
        })
    }

    fn upgrade(&mut self, stream: Vec<u8>) -> io::Result<()> {
        match answer(&stream) {
            Answer::Wait => self.stage = Stage::Upgrade(stream),
            Answer::Refuse(response) => {
                self.last = true;
                self.send(&response)?;
            }
            Answer::Accept { response, head, deflate } => {
                self.send(&response)?;
                let mut frames = Frames::new(deflate);
                let mut buf = vec![0; HEADROOM];
                buf.extend_from_slice(&stream[head..]);
                let echoed = frames.echo(&mut buf, stream.len() - head);
                self.stage = Stage::Frames(frames);
                self.deliver(&buf, echoed)?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self, buf: &[u8], echoed: Echoed) -> io::Result<()> {
        self.last = echoed.last;
        if echoed.len > 0 { self.send(&buf[..echoed.len]) } else { Ok(()) }
    }

    /// Sends what goes at once and keeps the rest.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = match self.unsent.is_empty() {
            false => 0,
            true => match self.stream.write(bytes) {
                Ok(sent) => sent,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
                Err(error) => return Err(error),
            },
        };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }
}

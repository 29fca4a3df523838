//! A socket that has received everything already and takes whatever is written.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) struct Memory<'a> {
    pub(crate) unread: &'a [u8],
    /// Bytes that a read gives at most.
    pub(crate) segment: usize,
    pub(crate) written: usize,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(unread: &'a [u8], segment: usize) -> Self {
        Self { unread, segment, written: 0 }
    }
}

impl Read for Memory<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(self.segment);
        self.unread.read(&mut buf[..most])
    }
}

impl ws_proto::internals::codec::Append for Memory<'_> {
    fn append(&mut self, data: &mut Vec<u8>) -> io::Result<usize> {
        let room = data.capacity() - data.len();
        let (now, later) = self.unread.split_at(self.unread.len().min(room).min(self.segment));
        data.extend_from_slice(now);
        self.unread = later;
        Ok(now.len())
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // Looked at, as a system call would: what nobody reads need not be computed.
        self.written += std::hint::black_box(buf).len();
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Memory<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.unread.split_at(self.unread.len().min(buf.remaining()).min(self.segment));
        buf.put_slice(now);
        self.unread = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(bufs.iter().map(|buf| self.write(buf)).sum())
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

//! A TCP stream that notes what goes over it, and when.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes over all connections of a user.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) read: AtomicU64,
    pub(crate) written: AtomicU64,
}

/// When something last went over a connection, for the request that has it. Below TLS: what is measured is when the
/// kernel had it.
#[derive(Debug)]
pub(crate) struct Marks {
    epoch: Instant,
    traffic: Arc<Traffic>,
    /// Nanoseconds since `epoch`, 0 for never.
    last_write: AtomicU64,
    first_read: AtomicU64,
    broke_reading: AtomicBool,
}

impl Marks {
    pub(crate) fn new(traffic: Arc<Traffic>) -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            traffic,
            last_write: AtomicU64::new(0),
            first_read: AtomicU64::new(0),
            broke_reading: AtomicBool::new(false),
        })
    }

    /// A request begins.
    pub(crate) fn reset(&self) {
        self.last_write.store(0, Relaxed);
        self.first_read.store(0, Relaxed);
    }

    pub(crate) fn last_write(&self) -> Option<Instant> {
        self.instant(&self.last_write)
    }

    /// The first read since [`reset`](Self::reset).
    pub(crate) fn first_read(&self) -> Option<Instant> {
        self.instant(&self.first_read)
    }

    /// Whether it was a read that has failed, if something has.
    pub(crate) fn broke_reading(&self) -> bool {
        self.broke_reading.load(Relaxed)
    }

    fn instant(&self, of: &AtomicU64) -> Option<Instant> {
        let nanos = of.load(Relaxed);
        (nanos > 0).then(|| self.epoch + std::time::Duration::from_nanos(nanos))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    fn wrote(&self, bytes: usize) {
        if bytes > 0 {
            self.traffic.written.fetch_add(bytes as u64, Relaxed);
            self.last_write.store(self.now(), Relaxed);
        }
    }

    fn has_read(&self, bytes: usize) {
        if bytes > 0 {
            self.traffic.read.fetch_add(bytes as u64, Relaxed);
            if self.first_read.load(Relaxed) == 0 {
                self.first_read.store(self.now(), Relaxed);
            }
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    marks: Arc<Marks>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, marks: Arc<Marks>) -> Self {
        Self { stream, marks }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(cx, to)) {
            self.marks.broke_reading.store(true, Relaxed);
            return Poll::Ready(Err(error));
        }
        self.marks.has_read(to.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.marks.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bytes))?;
        self.marks.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! One poll over many loops: what a driver of several loops waits on.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::{Error, EventLoop};

const WAKER: Token = Token(usize::MAX);

/// Waits for whichever of several loops has something to do.
///
/// Each loop is a poll of its own; the nest polls those polls. A loop is reported for *as long as* it has something
/// to do, as with a level-triggered poll: readiness that a turn has not taken, events that nobody has fetched,
/// sockets that are only partly read. So a driver may leave a reported loop for later, or leave it to another
/// driver altogether, and nothing is lost. Only timers are not reported: the timeout of [`wait`](Self::wait)
/// should be the earliest [`EventLoop::next_deadline`].
///
/// (The poll underneath is edge-triggered, and a nested edge says nothing about what was left over. The nest
/// therefore shares two flags with each loop: one for an edge that has arrived and was not yet followed by a turn, one
/// for what a turn left over.)
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use ws_loop::{Event, EventLoop, LoopConfig, Nest};
///
/// let mut loops = [EventLoop::<&str>::new(LoopConfig::default())?, EventLoop::new(LoopConfig::default())?];
/// let mut nest = Nest::new()?;
/// nest.add(&loops[0], 0)?;
/// nest.add(&loops[1], 1)?;
/// loops[1].handle().post("hello");
///
/// let mut ready = Vec::new();
/// nest.wait(None, &mut ready)?;
/// assert_eq!(ready, [1]);
/// loops[1].turn(Some(Duration::ZERO))?;
/// assert!(matches!(loops[1].next_event(), Some(Event::Posted("hello"))));
/// # Ok::<(), ws_loop::Error>(())
/// ```
#[derive(Debug)]
pub struct Nest {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    fd: RawFd,
    id: usize,
    heat: Arc<Heat>,
    muted: bool,
}

impl Member {
    fn is_loud(&self) -> bool {
        !self.muted && self.heat.is_hot()
    }
}

/// What a [`Nest`] has to know of an [`EventLoop`], for those who cannot reach the loop itself at the moment: see
/// [`EventLoop::nestling`].
#[derive(Clone, Debug)]
pub struct Nestling {
    fd: RawFd,
    heat: Arc<Heat>,
}

impl Nestling {
    pub(crate) fn new(fd: RawFd, heat: Arc<Heat>) -> Self {
        Self { fd, heat }
    }
}

/// What a loop and its nest tell each other.
#[derive(Debug, Default)]
pub(crate) struct Heat {
    /// Set by the nest when an edge arrives, cleared by a turn before it polls.
    edge: AtomicBool,
    /// Kept by the loop: there is something to do that the poll will not mention again.
    left: AtomicBool,
}

impl Heat {
    pub(crate) fn clear_edge(&self) {
        self.edge.store(false, Ordering::Release);
    }

    pub(crate) fn set_left(&self, left: bool) {
        self.left.store(left, Ordering::Release);
    }

    fn is_hot(&self) -> bool {
        self.edge.load(Ordering::Acquire) || self.left.load(Ordering::Acquire)
    }
}

impl Nest {
    /// An empty nest.
    ///
    /// # Errors
    ///
    /// [`Error::Poll`] if the system refuses another poll (too many open files).
    pub fn new() -> Result<Self, Error> {
        let poll = Poll::new().map_err(Error::Poll)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(Error::Poll)?);
        Ok(Nest { poll, events: Events::with_capacity(64), waker, members: Vec::new() })
    }

    /// Adds a loop that is to be reported as `id`. If it has something to do already, the next wait says so: a loop
    /// can be moved from one nest to another at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Nest`] if the loop is in this nest already, or the system has no room for it.
    ///
    /// # Panics
    ///
    /// If `id` is `usize::MAX`.
    pub fn add<T: Send + 'static>(&mut self, member: &EventLoop<T>, id: usize) -> Result<(), Error> {
        self.add_nestling(&member.nestling(), id)
    }

    /// As [`add`](Self::add), for a loop that is still there but out of reach.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    ///
    /// # Panics
    ///
    /// As [`add`](Self::add).
    pub fn add_nestling(&mut self, member: &Nestling, id: usize) -> Result<(), Error> {
        assert_ne!(Token(id), WAKER, "reserved");
        let fd = member.fd;
        self.poll
            .registry()
            .register(&mut SourceFd(&fd), Token(id), Interest::READABLE)
            .map_err(Error::Nest)?;
        // A loop dropped without `remove` has left its descriptor's number to this one.
        self.members.retain(|member| member.fd != fd);
        self.members.push(Member { fd, id, heat: Arc::clone(&member.heat), muted: false });
        Ok(())
    }

    /// Takes a loop out. To be called before the loop is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Nest`] if the loop is not in this nest.
    pub fn remove<T: Send + 'static>(&mut self, member: &EventLoop<T>) -> Result<(), Error> {
        self.remove_nestling(&member.nestling())
    }

    /// As [`remove`](Self::remove), for a loop that is still there but out of reach.
    ///
    /// # Errors
    ///
    /// As [`remove`](Self::remove).
    pub fn remove_nestling(&mut self, member: &Nestling) -> Result<(), Error> {
        let fd = member.fd;
        self.poll.registry().deregister(&mut SourceFd(&fd)).map_err(Error::Nest)?;
        self.members.retain(|member| member.fd != fd);
        Ok(())
    }

    /// Whether the loop `id` is passed over: muted, it is not reported and ends no wait, whatever it has to do, until
    /// it is muted no longer. For a loop that somebody else is busy with.
    pub fn set_muted(&mut self, id: usize, muted: bool) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            member.muted = muted;
        }
    }

    /// Waits until a loop has something to do, the nest is woken, or `timeout` has passed (`None`: for ever), and
    /// puts the ids of the loops with something to do into `ready`, which is emptied first, in order of addition.
    ///
    /// May return early with nothing ready. Timeouts are rounded up to milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Poll`] if polling fails. An interruption by a signal is not an error.
    pub fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<usize>) -> Result<(), Error> {
        ready.clear();
        let hot = self.members.iter().any(Member::is_loud);
        let timeout = if hot { Some(Duration::ZERO) } else { timeout };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => self.events.clear(),
            result => result.map_err(Error::Poll)?,
        }
        for event in &self.events {
            let member = self.members.iter().find(|member| Token(member.id) == event.token());
            if let Some(member) = member {
                member.heat.edge.store(true, Ordering::Release);
            }
        }
        ready.extend(self.members.iter().filter(|member| member.is_loud()).map(|member| member.id));
        Ok(())
    }

    /// A handle that ends the current or the next [`wait`](Self::wait) from another thread.
    pub fn waker(&self) -> NestWaker {
        NestWaker { waker: Arc::clone(&self.waker) }
    }
}

/// Wakes a [`Nest`] from any thread.
#[derive(Clone, Debug)]
pub struct NestWaker {
    waker: Arc<Waker>,
}

impl NestWaker {
    /// Ends the current or the next wait.
    ///
    /// # Errors
    ///
    /// [`Error::Poll`] if the system has no memory for the wake-up.
    pub fn wake(&self) -> Result<(), Error> {
        self.waker.wake().map_err(Error::Poll)
    }
}

//! A group: one shared isolate, one event loop's state, and the realms of many VUs.
//!
//! JavaScript of one group never runs in parallel, and groups never touch each other. Whoever runs a group
//! (a [`driver`], or a thread that returns from a blocking native) is [`Inside`] it; nothing of it can be
//! reached otherwise.

pub(crate) mod batch;
pub(crate) mod controller;
pub(crate) mod driver;
mod gate;
pub(crate) mod gc;
mod guarded;
mod inside;
pub(crate) mod park;
pub(crate) mod pool;
pub(crate) mod seat;
pub(crate) mod signal;
pub(crate) mod slice;
pub(crate) mod stint;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use ws_loop::{Clock, EventLoop, LoopConfig, LoopHandle, Nestling};

use self::gate::Gate;
use self::gc::GcClock;
use self::guarded::Guarded;
pub(crate) use self::inside::Inside;
use self::stint::{Running, Stint};
use crate::buffers::Budget;
use crate::error::Error;
use crate::isolate::{self, HeapShare};
use crate::samples::Samples;
use crate::shared::Shared;
use crate::vu::address::{Address, Part};
use crate::vu::{Job, Vu};

/// One isolate and everything that lives in it. See the module's documentation.
pub(crate) struct Group {
    /// Declared before what its callbacks use: fields are dropped in this order.
    isolate: v8::SharedIsolate,
    pub(crate) gc: Box<GcClock>,
    /// What `ArrayBuffer`s hold.
    pub(crate) buffers: Arc<Budget>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) handle: LoopHandle<Post>,
    /// What the driver's poll has to know.
    nestling: Nestling,
    /// Whose script runs right now. Read by V8's interrupt callback.
    pub(crate) running: Running,
    /// Whether the thread inside is a driver, or was one when it entered.
    is_led: AtomicBool,
    /// By VU: why its iteration is to be cut short, [`STOPPED`] and [`EXHAUSTED`]. Set from any thread, read
    /// where scripts begin and block, and by V8's interrupt callback.
    ends: Box<[AtomicU8]>,
    /// See [`Group::heap_limit`].
    heap_limit: AtomicUsize,
    gate: Gate,
    state: Guarded<State>,
}

/// The VU was told to stop.
const STOPPED: u8 = 1;

/// The VU's script has filled the heap, or has kept too large buffers.
const EXHAUSTED: u8 = 2;

/// What a group consists of, for whoever is inside.
pub(crate) struct State {
    pub(crate) io: EventLoop<Post>,
    pub(crate) vus: Vec<Vu>,
    /// VUs that want a turn: their next iteration may start, or a timer of theirs is due at once.
    pub(crate) runnable: VecDeque<u32>,
    /// While a batch is under way: how many of those may still have it.
    pub(crate) starts_left: Option<usize>,
    /// VUs that were busy when events came for them and may be ready for them now.
    pub(crate) catching_up: VecDeque<u32>,
    pub(crate) samples: Samples,
}

impl State {
    /// Writes what the scripts have queued, and counts what the system has taken of it.
    pub(crate) fn flush(&mut self) {
        self.io.flush();
        let now = self.io.now();
        while let Some((user, sent)) = self.io.next_sent() {
            let Address { vu, part, serial } = Address::from_user(user);
            let Some(vu) = self.vus.get_mut(vu as usize) else { continue };
            let counter = match part {
                Part::Session => vu.sessions.counter(serial),
                Part::Socket => vu.sockets.counter(serial, vu.is_cancelled()),
                Part::Timers | Part::Drain | Part::Leaver => None,
            };
            if let Some(counter) = counter {
                counter.count(&mut self.samples, sent, now);
            }
        }
    }
}

/// What other threads tell a group.
pub(crate) enum Post {
    /// Give this VU something to do.
    Start { vu: u32, job: Job },
    /// There may be an iteration for this VU.
    Wake { vu: u32 },
    /// Cut short what this VU is doing. [`Group::interrupt`] has set its stop flag.
    Interrupt { vu: u32 },
    /// Work that this VU has given to other threads is done.
    Done { vu: u32, serial: u32, result: Box<dyn Any + Send> },
    /// Look around: a thread that is not the driver has changed something.
    Look,
}

impl Group {
    /// Makes a group for up to `capacity` VUs; they are added from inside.
    pub(crate) fn new(shared: Arc<Shared>, capacity: usize, heap: HeapShare) -> Result<Arc<Self>, Error> {
        let io = EventLoop::new(LoopConfig {
            resolver: shared.settings.resolver.clone(),
            clock: Clock::default(),
        })?;
        let gc = Box::<GcClock>::default();
        let buffers = Budget::new(heap.limit);
        let isolate = isolate::new_shared(&gc, heap, &buffers, &shared.env, shared.settings.compat);
        let samples = Samples::new(&shared);
        Ok(Arc::new(Self {
            handle: io.handle(),
            gc,
            buffers,
            nestling: io.nestling(),
            running: Running::default(),
            is_led: AtomicBool::new(false),
            heap_limit: AtomicUsize::new(0),
            ends: (0..capacity).map(|_| AtomicU8::new(0)).collect(),
            gate: Gate::default(),
            state: Guarded::new(State {
                io,
                vus: Vec::with_capacity(capacity),
                runnable: VecDeque::new(),
                starts_left: None,
                catching_up: VecDeque::new(),
                samples,
            }),
            isolate,
            shared,
        }))
    }

    /// Cuts short what the VU is doing, whether its script computes or waits.
    pub(crate) fn interrupt(&self, vu: u32) {
        self.ends[vu as usize].fetch_or(STOPPED, Relaxed);
        self.handle.post(Post::Interrupt { vu });
        // A script that computes does not look into the mailbox.
        isolate::request_interrupt(self, &self.isolate);
    }

    /// Whether the VU's script must not go on: it was told to stop, or has filled the heap.
    pub(crate) fn must_end(&self, vu: u32) -> bool {
        self.ends[vu as usize].load(Relaxed) != 0
    }

    /// Forgets that the VU was told to stop: it is about to be given something new.
    pub(crate) fn clear_stop(&self, vu: u32) {
        self.ends[vu as usize].store(0, Relaxed);
    }

    /// Ends the script that runs now, without a chance to catch that.
    pub(crate) fn terminate(&self) {
        self.isolate.thread_safe_handle().terminate_execution();
    }

    /// The heap, or what buffers hold, has reached `limit`: ends the script that runs now, if any.
    pub(crate) fn exhausted(&self, limit: usize) {
        self.heap_limit.store(limit, Relaxed);
        if let Some(vu) = self.running_vu() {
            self.ends[vu as usize].fetch_or(EXHAUSTED, Relaxed);
            self.terminate();
        }
    }

    /// The limit that was reached before, in bytes, 0 if it never has.
    pub(crate) fn heap_limit(&self) -> usize {
        self.heap_limit.load(Relaxed)
    }

    /// Whether the VU's script was ended because there was no memory left.
    pub(crate) fn is_exhausted(&self, vu: u32) -> bool {
        self.ends[vu as usize].load(Relaxed) & EXHAUSTED != 0
    }

    /// Like [`is_exhausted`](Self::is_exhausted), and forgets it: the iteration is over.
    pub(crate) fn take_exhausted(&self, vu: u32) -> bool {
        self.ends[vu as usize].fetch_and(!EXHAUSTED, Relaxed) & EXHAUSTED != 0
    }

    /// The VU whose script runs now, if any.
    pub(crate) fn running_vu(&self) -> Option<u32> {
        self.running.stint().map(Stint::vu)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Realms hold handles and microtask queues, which are released through the isolate's heap.
        self.enter(|inside| {
            let mut state = inside.state();
            let vus = std::mem::take(&mut state.vus);
            state.samples.hand_over();
            drop(state);
            drop(vus);
        });
    }
}

/// How long an idle VU's events may be kept from a script that blocks, in bytes, before its sockets are no
/// longer read.
pub(crate) const BACKLOG_BYTES: usize = 256 << 10;

/// The longest time samples stay in a group.
pub(crate) const HAND_OVER: Duration = Duration::from_millis(50);

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
mod inside;
pub(crate) mod park;
pub(crate) mod pool;
pub(crate) mod seat;
pub(crate) mod signal;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use ws_loop::{Clock, EventLoop, LoopConfig, LoopHandle};

use self::gate::{Gate, Guarded};
use self::gc::GcClock;
pub(crate) use self::inside::Inside;
use crate::error::Error;
use crate::isolate::{self, HeapShare};
use crate::samples::Samples;
use crate::shared::Shared;
use crate::vu::{Job, Vu};

/// One isolate and everything that lives in it. See the module's documentation.
pub(crate) struct Group {
    /// Declared before what its callbacks use: fields are dropped in this order.
    isolate: v8::SharedIsolate,
    pub(crate) gc: Box<GcClock>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) handle: LoopHandle<Post>,
    /// The VU whose script runs right now, plus one; 0 for none. Read by V8's interrupt callback.
    running: AtomicU32,
    /// By VU: its iteration is to be cut short. Set from any thread, read where scripts block and by V8's
    /// interrupt callback.
    stops: Box<[AtomicBool]>,
    gate: Gate,
    state: Guarded<State>,
}

/// What a group consists of, for whoever is inside.
pub(crate) struct State {
    pub(crate) io: EventLoop<Post>,
    pub(crate) vus: Vec<Vu>,
    /// VUs whose next iteration may start.
    pub(crate) runnable: VecDeque<u32>,
    /// While a batch is under way: how many iterations may still start in it.
    pub(crate) starts_left: Option<usize>,
    /// VUs that were busy when events came for them and may be ready for them now.
    pub(crate) catching_up: VecDeque<u32>,
    pub(crate) samples: Samples,
}

/// What other threads tell a group.
pub(crate) enum Post {
    /// Give this VU something to do.
    Start { vu: u32, job: Job },
    /// Cut short what this VU is doing. [`Group::interrupt`] has set its stop flag.
    Interrupt { vu: u32 },
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
        let isolate = isolate::new_shared(&gc, heap, &shared.env);
        let samples = Samples::new(&shared);
        Ok(Arc::new(Self {
            handle: io.handle(),
            gc,
            running: AtomicU32::new(0),
            stops: (0..capacity).map(|_| AtomicBool::new(false)).collect(),
            gate: Gate::new(),
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
        self.stops[vu as usize].store(true, Relaxed);
        self.handle.post(Post::Interrupt { vu });
        // A script that computes does not look into the mailbox.
        isolate::request_interrupt(self, &self.isolate);
    }

    /// Whether the VU was told to stop.
    pub(crate) fn is_stopped(&self, vu: u32) -> bool {
        self.stops[vu as usize].load(Relaxed)
    }

    /// Forgets that the VU was told to stop: it is about to be given something new.
    pub(crate) fn clear_stop(&self, vu: u32) {
        self.stops[vu as usize].store(false, Relaxed);
    }

    /// Ends the script that runs now, without a chance to catch that.
    pub(crate) fn terminate(&self) {
        self.isolate.thread_safe_handle().terminate_execution();
    }

    /// The VU whose script runs now, if any.
    pub(crate) fn running_vu(&self) -> Option<u32> {
        self.running.load(Relaxed).checked_sub(1)
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

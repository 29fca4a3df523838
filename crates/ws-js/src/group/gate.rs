//! Who may touch a group: a fair lock, and cells that only its holder may open.

use std::cell::{RefCell, RefMut};
use std::time::Instant;

use parking_lot::RawFairMutex;
use parking_lot::lock_api::{RawMutex, RawMutexTimed};

/// The lock of a group, taken before the isolate's own.
///
/// V8's `Locker` is a plain mutex: a driver that releases it and takes it again at once nearly always
/// wins, and a thread that returns from `connect` starves. This one hands itself to the longest waiter
/// on every release.
pub(crate) struct Gate {
    raw: RawFairMutex,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { raw: RawFairMutex::INIT }
    }

    /// Waits for its turn. Not reentrant.
    pub(crate) fn acquire(&self) {
        self.raw.lock();
    }

    /// Waits for its turn until `deadline`. Says whether it has come.
    pub(crate) fn acquire_until(&self, deadline: Instant) -> bool {
        self.raw.try_lock_until(deadline)
    }

    /// Gives the gate to the longest waiter, or leaves it open.
    pub(crate) fn release(&self) {
        // SAFETY: every caller in this crate pairs `release` with its own earlier `acquire` on the same
        // thread (`Group::enter`, `park`).
        unsafe { self.raw.unlock() }
    }
}

/// A value that only the holder of the group's gate touches, whichever thread that is.
pub(crate) struct Guarded<T>(RefCell<T>);

// SAFETY: `borrow_mut` is reached through `Inside` only, which exists on a thread exactly while it holds
// the group's gate; so there is never more than one thread inside, and the gate orders their accesses.
// That also covers values that are not `Send` by type (`Rc`s of a realm): all their owners live in here.
unsafe impl<T> Sync for Guarded<T> {}
// SAFETY: as above; the value is moved between threads only together with the gate.
unsafe impl<T> Send for Guarded<T> {}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Opens the cell. The caller holds the gate, and holds the result only while no script runs:
    /// a native function called by the script opens it again.
    pub(super) fn borrow_mut(&self) -> RefMut<'_, T> {
        self.0.borrow_mut()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

    use super::*;

    /// A driver that takes the gate again and again lets a waiting thread in within two turns of its own.
    #[test]
    fn a_waiter_is_let_in_before_the_holder_comes_again() {
        let gate = Gate::new();
        let turns = AtomicU64::new(0);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    gate.acquire();
                    turns.fetch_add(1, SeqCst);
                    // Long enough for the other thread to queue up.
                    for _ in 0..1000 {
                        std::hint::spin_loop();
                    }
                    gate.release();
                }
            });
            while turns.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
            let mut waited = Vec::new();
            for _ in 0..100 {
                let before = turns.load(SeqCst);
                gate.acquire();
                waited.push(turns.load(SeqCst) - before);
                gate.release();
            }
            done.store(true, SeqCst);
            // The count is taken before the thread is in the queue, and it may lose its core in between: so the
            // median, not the maximum. An unfair lock gives hundreds.
            waited.sort_unstable();
            assert!(waited[50] <= 2, "{waited:?}");
        });
    }
}

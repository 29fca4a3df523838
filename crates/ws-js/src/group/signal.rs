//! What a parked thread waits for.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// A one-shot wake-up: set once, by whoever holds the group; waited for by the thread that parked.
#[derive(Default)]
pub(crate) struct Signal {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Wakes the waiter, now or when it starts to wait.
    pub(crate) fn set(&self) {
        *self.set.lock() = true;
        self.changed.notify_one();
    }

    /// Waits until [`set`](Self::set) was called or `deadline` has come.
    pub(super) fn wait(&self, deadline: Option<Instant>) {
        let mut set = self.set.lock();
        while !*set {
            match deadline {
                None => self.changed.wait(&mut set),
                Some(deadline) => {
                    if self.changed.wait_until(&mut set, deadline).timed_out() {
                        return;
                    }
                }
            }
        }
    }
}

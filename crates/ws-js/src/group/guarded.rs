//! A cell that only the holder of a group's gate may open.

use std::cell::{BorrowMutError, RefCell, RefMut};

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

    /// Whether someone has it open: a native function of ours that called V8 in the middle of its work.
    pub(super) fn is_open(&self) -> bool {
        let opened: Result<RefMut<'_, T>, BorrowMutError> = self.0.try_borrow_mut();
        opened.is_err()
    }
}

//! What this thread is doing: which group it is inside of, and whether it is a driver.

use std::cell::{Cell, RefCell};

use super::driver::Lead;
use super::inside::Inside;

thread_local! {
    static INSIDE: Cell<Option<Inside>> = const { Cell::new(None) };
    static LEAD: RefCell<Option<Lead>> = const { RefCell::new(None) };
}

/// The group this thread is inside of.
pub(crate) fn inside() -> Option<Inside> {
    INSIDE.get()
}

/// Sets what [`inside`] answers and returns what it was.
pub(super) fn set_inside(inside: Option<Inside>) -> Option<Inside> {
    INSIDE.replace(inside)
}

/// Takes the driver role off this thread, if it has it, to hand it to another.
pub(super) fn take_role() -> Option<Lead> {
    LEAD.take().and_then(Lead::hand_on)
}

/// Makes this thread a driver.
pub(super) fn put_role(lead: Lead) {
    LEAD.replace(Some(lead));
}

/// This thread is a driver no longer.
pub(super) fn drop_role() {
    LEAD.take();
}

/// Whether this thread is a driver. The role may be taken from it at any time while it runs a script.
pub(crate) fn has_role() -> bool {
    LEAD.with_borrow(|lead| lead.as_ref().is_some_and(Lead::is_valid))
}

/// Looks at the role of this thread. `None` if it has none.
pub(super) fn with_role<R>(f: impl FnOnce(&Lead) -> Option<R>) -> Option<R> {
    LEAD.with_borrow(|lead| lead.as_ref().and_then(f))
}

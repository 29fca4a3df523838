//! What this thread is doing: which group it is inside of, and whether it is a driver.

use std::cell::{Cell, RefCell};

use super::driver::Driver;
use super::inside::Inside;

thread_local! {
    static INSIDE: Cell<Option<Inside>> = const { Cell::new(None) };
    static ROLE: RefCell<Option<Box<Driver>>> = const { RefCell::new(None) };
}

/// The group this thread is inside of.
pub(crate) fn inside() -> Option<Inside> {
    INSIDE.get()
}

/// Sets what [`inside`] answers and returns what it was.
pub(super) fn set_inside(inside: Option<Inside>) -> Option<Inside> {
    INSIDE.replace(inside)
}

/// Takes the driver role off this thread, if it has it.
pub(super) fn take_role() -> Option<Box<Driver>> {
    ROLE.take()
}

/// Makes this thread a driver.
pub(super) fn put_role(role: Box<Driver>) {
    ROLE.replace(Some(role));
}

/// Whether this thread is a driver.
pub(crate) fn has_role() -> bool {
    ROLE.with_borrow(Option::is_some)
}

/// Looks into the role of this thread. `None` if it has none.
pub(super) fn with_role<R>(f: impl FnOnce(&mut Driver) -> R) -> Option<R> {
    ROLE.with_borrow_mut(|role| role.as_deref_mut().map(f))
}

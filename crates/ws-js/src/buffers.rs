//! The memory of `ArrayBuffer`s, which lies outside V8's heap: a group has a budget for it.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How much the buffers of a group hold, and may hold.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
    /// The size of the buffer that was refused last, until someone asks or one is granted; 0 for none.
    refused: AtomicUsize,
}

/// Why V8 did not get the memory of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The buffer alone is larger than all that there is.
    TooLarge,
    /// Other buffers hold too much.
    UsedUp,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0), refused: AtomicUsize::new(0) })
    }

    /// How much buffers may hold, in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether a buffer was refused, and why. Forgets it.
    pub(crate) fn take_refusal(&self) -> Option<Refusal> {
        match self.refused.swap(0, Relaxed) {
            0 => None,
            size if size > self.limit => Some(Refusal::TooLarge),
            _ => Some(Refusal::UsedUp),
        }
    }

    /// An allocator that spends this budget.
    pub(crate) fn allocator(self: &Arc<Self>) -> v8::UniqueRef<v8::Allocator> {
        // SAFETY: the handle is the strong count that `release` takes back, and the functions are made for its type.
        unsafe { v8::new_rust_allocator(Arc::into_raw(Arc::clone(self)), &VTABLE) }
    }

    fn take(&self, size: usize) -> bool {
        let fits = |held: usize| held.checked_add(size).filter(|&sum| sum <= self.limit);
        let is_taken = self.held.fetch_update(Relaxed, Relaxed, fits).is_ok();
        self.refused.store(if is_taken { 0 } else { size }, Relaxed);
        is_taken
    }

    fn give_back(&self, size: usize) {
        self.held.fetch_sub(size, Relaxed);
    }

    fn allocate(&self, size: usize, allocate: unsafe fn(Layout) -> *mut u8) -> *mut c_void {
        let Some(layout) = layout(size).filter(|_| self.take(size)) else { return ptr::null_mut() };
        // SAFETY: the layout is not empty.
        let data = unsafe { allocate(layout) };
        if data.is_null() {
            self.give_back(size);
            self.refused.store(size, Relaxed);
        }
        data.cast()
    }
}

/// Aligned as by `malloc`. `None`: no address space is that large.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), align_of::<u128>()).ok()
}

static VTABLE: v8::RustAllocatorVtable<Budget> =
    v8::RustAllocatorVtable { allocate: zeroed, allocate_uninitialized: uninitialized, free, drop: release };

unsafe extern "C" fn zeroed(budget: &Budget, size: usize) -> *mut c_void {
    budget.allocate(size, alloc_zeroed)
}

unsafe extern "C" fn uninitialized(budget: &Budget, size: usize) -> *mut c_void {
    budget.allocate(size, alloc)
}

unsafe extern "C" fn free(budget: &Budget, data: *mut c_void, size: usize) {
    let Some(layout) = layout(size).filter(|_| !data.is_null()) else { return };
    // SAFETY: V8 gives back what it got from one of the two above, with the size that it asked for.
    unsafe { dealloc(data.cast(), layout) };
    budget.give_back(size);
}

unsafe extern "C" fn release(budget: *const Budget) {
    // SAFETY: `Budget::allocator` has left this count to V8, which calls this once.
    drop(unsafe { Arc::from_raw(budget) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_budget_is_refused_and_named() {
        let budget = Budget::new(100);
        let data = budget.allocate(60, alloc_zeroed);
        assert!(!data.is_null());
        assert_eq!(budget.take_refusal(), None);
        assert!(budget.allocate(41, alloc).is_null());
        assert_eq!([budget.take_refusal(), budget.take_refusal()], [Some(Refusal::UsedUp), None]);
        for size in [101, usize::MAX - 20] {
            assert!(budget.allocate(size, alloc).is_null());
        }
        assert_eq!(budget.take_refusal(), Some(Refusal::TooLarge));
        // SAFETY: the block that was allocated above.
        unsafe { free(&budget, data, 60) };
        let data = budget.allocate(100, alloc);
        assert!(!data.is_null());
        // SAFETY: as before.
        unsafe { free(&budget, data, 100) };
        assert_eq!(budget.held.load(Relaxed), 0);
    }
}

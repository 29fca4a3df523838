//! Making the isolate of a group: heap limits, callbacks, interruption.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;

use crate::buffers::{Budget, Refusal};
use crate::group::gc::GcClock;
use crate::group::{Group, seat};
use crate::realm;
use crate::shared::Compat;
use crate::templates::Templates;
use crate::web;

/// What a group's heap may become, and what it is expected to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapShare {
    /// Its share of the machine's (or the control group's) memory, in bytes: for V8's heap, and as much for buffers
    /// outside of it.
    pub(crate) limit: usize,
    /// How many realms it is going to have.
    pub(crate) realms: usize,
}

/// Half of V8's young generation that is in use at a time. A scavenge costs by the number of parked
/// threads, not by the garbage, so fewer and larger ones are cheaper: 16 MiB instead of V8's 1 MiB start
/// size took 126 instead of 349 collections for the same work.
const SEMI_SPACE: usize = 16 << 20;

/// How many times its limit a heap may grow to while a script that has reached the limit is being ended.
const HEAP_SLACK: usize = 4;

/// What the heap of one realm is going to hold at least: its context and built-in objects.
pub(crate) const REALM_BYTES: usize = 160 << 10;

/// Makes an isolate that threads take in turns.
pub(crate) fn new_shared(
    gc: &GcClock,
    heap: HeapShare,
    buffers: &Arc<Budget>,
    env: &BTreeMap<String, String>,
    compat: Compat,
) -> v8::SharedIsolate {
    let expected = (heap.realms * REALM_BYTES * 2).min(heap.limit / 2).max(4 << 20);
    let params = v8::CreateParams::default()
        .array_buffer_allocator(buffers.allocator())
        .set_max_old_generation_size_in_bytes(heap.limit)
        // Realms alone would drive the heap through several mark-compacts of 30-60 ms at start-up.
        .set_initial_old_generation_size_in_bytes(expected)
        .set_max_young_generation_size_in_bytes(3 * SEMI_SPACE)
        .set_initial_young_generation_size_in_bytes(if heap.realms > 1 { 3 * SEMI_SPACE } else { 0 });
    let mut isolate = v8::Isolate::new(params);
    isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
    isolate.set_promise_reject_callback(realm::on_promise_reject);
    isolate.set_capture_stack_trace_for_uncaught_exceptions(true, 32);
    // It would hold the whole group up.
    isolate.set_allow_atomics_wait(false);
    isolate.add_near_heap_limit_callback(near_heap_limit, std::ptr::null_mut());
    gc.watch(&mut isolate);
    Templates::install(&mut isolate, env, compat);
    web::install(&mut isolate);
    // SAFETY: what hangs off the isolate is the clock above (its own lock, outlives the isolate) and
    // templates in slots, which only hold globals. Callbacks reach everything else through `Inside`.
    unsafe { isolate.try_into_shared() }
        .unwrap_or_else(|error| panic!("a new isolate can be shared: {error:?}"))
}

/// V8 cannot collect enough garbage to stay below the limit of a heap: the script that wants more memory is
/// ended, and gets some to end in. The alternative is that V8 ends the process.
unsafe extern "C" fn near_heap_limit(_: *mut c_void, current: usize, initial: usize) -> usize {
    // V8 calls this on the thread that holds the isolate's lock. There may be no script, or the group's state
    // may be borrowed: only flags are set.
    if let Some(inside) = seat::inside() {
        let group = inside.group();
        let used = inside.with_isolate(|isolate| isolate.get_heap_statistics().used_heap_size());
        // V8 calls for a buffer that it cannot have, too, after it has collected the garbage.
        let refusal = group.buffers.take_refusal().filter(|_| used < current / 2);
        match refusal {
            None => group.exhausted(initial),
            Some(Refusal::UsedUp) => group.exhausted(group.buffers.limit()),
            Some(Refusal::TooLarge) => (),
        }
        if refusal.is_some() {
            return current;
        }
    }
    // One allocation can be large; a native loop that goes on allocating is V8's again.
    if current < initial.saturating_mul(HEAP_SLACK) { current.saturating_add(initial) } else { current }
}

/// Collects what an ended script has left and makes `limit` the heap's limit again.
pub(crate) fn recover(isolate: &mut v8::Isolate, limit: usize) {
    isolate.low_memory_notification();
    isolate.remove_near_heap_limit_callback(near_heap_limit, limit);
    isolate.add_near_heap_limit_callback(near_heap_limit, std::ptr::null_mut());
}

/// Has V8 look, between two instructions of whatever script runs in the group, whether the VU it belongs
/// to was told to stop; if so, the script ends there.
pub(crate) fn request_interrupt(group: &Group, isolate: &v8::SharedIsolate) {
    let data = std::ptr::from_ref(group).cast_mut().cast::<c_void>();
    isolate.thread_safe_handle().request_interrupt(on_interrupt, data);
}

unsafe extern "C" fn on_interrupt(_: v8::UnsafeRawIsolatePtr, data: *mut c_void) {
    // SAFETY: V8 calls this from a running script only, and scripts of this isolate run inside
    // `Group::enter`, which borrows the group.
    let group = unsafe { &*data.cast::<Group>().cast_const() };
    if group.running_vu().is_some_and(|vu| group.must_end(vu)) {
        group.terminate();
    }
}

//! Making the isolate of a group: heap limits, callbacks, interruption.

use std::collections::BTreeMap;
use std::ffi::c_void;

use crate::group::Group;
use crate::group::gc::GcClock;
use crate::realm;
use crate::templates::Templates;

/// What a group's heap may become, and what it is expected to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapShare {
    /// Its share of the machine's (or the control group's) memory, in bytes.
    pub(crate) limit: usize,
    /// How many realms it is going to have.
    pub(crate) realms: usize,
}

/// Half of V8's young generation that is in use at a time. A scavenge costs by the number of parked
/// threads, not by the garbage, so fewer and larger ones are cheaper: 16 MiB instead of V8's 1 MiB start
/// size took 126 instead of 349 collections for the same work.
const SEMI_SPACE: usize = 16 << 20;

/// What the heap of one realm is going to hold at least: its context and built-in objects.
const REALM_BYTES: usize = 160 << 10;

/// Makes an isolate that threads take in turns.
pub(crate) fn new_shared(gc: &GcClock, heap: HeapShare, env: &BTreeMap<String, String>) -> v8::SharedIsolate {
    let expected = (heap.realms * REALM_BYTES * 2).min(heap.limit / 2).max(4 << 20);
    let params = v8::CreateParams::default()
        .set_max_old_generation_size_in_bytes(heap.limit)
        // Realms alone would drive the heap through several mark-compacts of 30-60 ms at start-up.
        .set_initial_old_generation_size_in_bytes(expected)
        .set_max_young_generation_size_in_bytes(3 * SEMI_SPACE)
        .set_initial_young_generation_size_in_bytes(if heap.realms > 1 { 3 * SEMI_SPACE } else { 0 });
    let mut isolate = v8::Isolate::new(params);
    isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
    isolate.set_promise_reject_callback(realm::on_promise_reject);
    isolate.set_capture_stack_trace_for_uncaught_exceptions(true, 32);
    gc.watch(&mut isolate);
    Templates::install(&mut isolate, env);
    // SAFETY: what hangs off the isolate is the clock above (its own lock, outlives the isolate) and
    // templates in a slot, which only hold globals. Callbacks reach everything else through `Inside`.
    unsafe { isolate.try_into_shared() }
        .unwrap_or_else(|error| panic!("a new isolate can be shared: {error:?}"))
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
    if group.running_vu().is_some_and(|vu| group.is_stopped(vu)) {
        group.terminate();
    }
}

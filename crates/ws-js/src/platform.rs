//! V8's flags and platform: once per process, before any thread that will lock an isolate exists.

use std::sync::Once;

/// Stack of every thread that may run JavaScript, in bytes. Only touched pages are resident, so a
/// parked thread costs what its frames need (about 30 KB), not this.
pub(crate) const THREAD_STACK: usize = 1 << 20;

/// What V8 may use of a stack, in KiB. V8 counts from the stack's start; the rest is for native functions
/// called at the deepest point of a script's recursion.
const V8_STACK_KIB: usize = 700;

/// Settings of the process-wide V8 platform.
#[derive(Debug, Clone, Default)]
pub struct PlatformOptions {
    /// Extra V8 flags, as on the command line of `d8` (`--gc-interval=500`). For tests and experts.
    pub flags: Vec<String>,
}

/// Initialises V8. Only the first call of a process has an effect: V8 cannot be configured twice.
///
/// Call it on the main thread before others are spawned: on machines with memory protection keys a
/// thread inherits V8's access to its own tables when it is created.
pub fn initialize(options: &PlatformOptions) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        limit_arenas();
        v8::V8::set_flags_from_string(&format!("--stack-size={V8_STACK_KIB}"));
        // This optimisation takes the check for requests to stop out of loops that it should not touch: an
        // endless loop around a short one (`for (;;) a.push(new Array(9).fill(0))`) could not be interrupted.
        v8::V8::set_flags_from_string("--no-turboshaft-loop-unrolling");
        for flag in &options.flags {
            v8::V8::set_flags_from_string(flag);
        }
        v8::icu::set_common_data_78(deno_core_icudata::ICU_DATA).expect("the ICU data fits V8's ICU version");
        // The default number of helper threads keeps garbage collection concurrent. "Unprotected":
        // VU threads come and go, and each must be able to enter any isolate.
        let platform = v8::new_unprotected_default_platform(0, false).make_shared();
        v8::V8::initialize_platform(platform);
        v8::V8::initialize();
    });
}

/// Has the C library share its allocator's arenas: by default there are eight for each core, and with
/// thousands of threads that take turns, each of them keeps free memory that another could use (6 KB for
/// each VU). Only as many threads as there are drivers allocate at the same time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn limit_arenas() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let arenas = i32::try_from(cores).unwrap_or(i32::MAX);
    // SAFETY: a setting of the allocator, changed under its own lock.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn limit_arenas() {}

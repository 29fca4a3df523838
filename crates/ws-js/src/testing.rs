//! Shared by the unit tests: a V8 isolate with one realm, and short ways to run scripts in it.

use crate::platform::{PlatformOptions, initialize};

/// Runs `f` in a new realm of a new isolate, set up as the isolates of a run are.
pub(crate) fn with_scope<R>(f: impl FnOnce(&mut v8::PinScope<'_, '_>) -> R) -> R {
    initialize(&PlatformOptions::default());
    let mut isolate = v8::Isolate::new(v8::CreateParams::default());
    isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
    isolate.set_capture_stack_trace_for_uncaught_exceptions(true, 32);
    crate::web::install(&mut isolate);
    crate::templates::Templates::install(&mut isolate, &Default::default(), Default::default());
    // Shared like the isolates of a run: some parts of V8's API refuse to work in those.
    // SAFETY: only templates hang off the isolate, in slots; they only hold globals.
    let shared = unsafe { isolate.try_into_shared() }.expect("a new isolate can be shared");
    let mut locker = shared.lock();
    v8::scope!(let scope, &mut *locker);
    let options = v8::ContextOptions {
        global_template: Some(crate::web::global_template(scope)),
        ..Default::default()
    };
    let context = v8::Context::new(scope, options);
    let scope = &mut v8::ContextScope::new(scope, context);
    f(scope)
}

/// Runs a classic script and returns its completion value.
///
/// # Panics
///
/// With the exception's text if it throws.
pub(crate) fn run<'s>(scope: &mut v8::PinScope<'s, '_>, source: &str) -> v8::Local<'s, v8::Value> {
    try_run(scope, source).unwrap_or_else(|text| panic!("{source}: {text}"))
}

/// The completion value of a script, as `String()` gives it.
pub(crate) fn eval(scope: &mut v8::PinScope<'_, '_>, source: &str) -> String {
    let value = run(scope, source);
    value.to_rust_string_lossy(scope)
}

/// The text of the exception that a script throws.
pub(crate) fn eval_error(scope: &mut v8::PinScope<'_, '_>, source: &str) -> String {
    match try_run(scope, source) {
        Ok(_) => panic!("{source} does not throw"),
        Err(text) => text,
    }
}

fn try_run<'s>(scope: &mut v8::PinScope<'s, '_>, source: &str) -> Result<v8::Local<'s, v8::Value>, String> {
    v8::tc_scope!(let tc, scope);
    let source = v8::String::new(tc, source).expect("a test's script is short");
    match v8::Script::compile(tc, source, None).and_then(|script| script.run(tc)) {
        Some(value) => Ok(value),
        None => {
            let exception = tc.exception().expect("nothing terminates a test");
            Err(exception.to_rust_string_lossy(tc))
        }
    }
}

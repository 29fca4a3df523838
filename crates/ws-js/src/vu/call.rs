//! Calling into a script.

use crate::api::Caller;
use crate::exception::JsException;
use crate::group::Group;
use crate::log::{Level, Record};
use crate::realm::Realm;

/// How a call of an exported function ended.
pub(crate) enum Called<R> {
    Returned(R),
    Threw(JsException),
    /// The VU was told to stop.
    Interrupted,
}

/// What becomes of a promise that is rejected during a call and that nobody handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// The call fails.
    Fails,
    /// It is logged, unless it is the very promise that the function returned: then the call fails.
    IsLogged,
}

/// How a call of a handler ended.
pub(crate) enum Handled {
    Returned,
    /// The thrown value itself.
    Threw(v8::Global<v8::Value>),
    /// The VU was told to stop.
    Interrupted,
}

/// Calls the exported function `name` and lets its promises settle. `finish` gets what it returned, or what
/// its promise was fulfilled with.
pub(crate) fn export<R>(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    name: &str,
    argument: Option<v8::Local<'_, v8::Value>>,
    stray: Stray,
    finish: impl FnOnce(&mut v8::PinScope<'_, '_>, v8::Local<'_, v8::Value>) -> R,
) -> Called<R> {
    let Caller { inside, vu } = caller;
    v8::tc_scope!(let tc, scope);
    let Some(function) = realm.export(tc, name) else {
        return Called::Threw(JsException::plain(format!("function '{name}' not found in exports")));
    };
    let receiver = v8::undefined(tc).into();
    let result = function.call(tc, receiver, argument.as_slice());
    // Reactions run when the outermost function has returned, and only then.
    if result.is_some() {
        realm.run_microtasks(tc);
    }
    let group = inside.group();
    if tc.has_terminated() {
        tc.reset();
        return abandon(group, vu, tc, realm);
    }
    let Some(result) = result else {
        let exception = JsException::from_try_catch(tc);
        // What the function had set off still has its turn.
        tc.reset();
        realm.run_microtasks(tc);
        realm.forget_rejections();
        // Scripts can be told to stop in their errors' toString, too.
        if group.must_end(vu) {
            tc.reset();
            return abandon(group, vu, tc, realm);
        }
        return Called::Threw(exception);
    };
    let promise = v8::Local::<v8::Promise>::try_from(result);
    if let Some(exception) = realm.take_rejection(tc) {
        if group.must_end(vu) {
            return abandon(group, vu, tc, realm);
        }
        let is_own = promise.is_ok_and(|promise| promise.state() == v8::PromiseState::Rejected);
        if stray == Stray::Fails || is_own {
            return Called::Threw(exception);
        }
        let message = &exception.stack_text();
        group.shared.log.write(&Record { level: Level::Error, message, fields: &[] });
    }
    match promise {
        Ok(promise) if promise.state() == v8::PromiseState::Fulfilled => {
            let value = promise.result(tc);
            Called::Returned(finish(tc, value))
        }
        // Nothing is left that could settle it.
        Ok(_) => {
            let nothing = v8::undefined(tc).into();
            Called::Returned(finish(tc, nothing))
        }
        Err(_) => Called::Returned(finish(tc, result)),
    }
}

/// Drops what a script that was ended has set off, so that nothing of it runs in the VU's next iteration.
fn abandon<R>(group: &Group, vu: u32, scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Called<R> {
    // V8 empties the queue of reactions when the first of them is ended.
    group.terminate();
    {
        v8::tc_scope!(let tc, scope);
        realm.run_microtasks(tc);
    }
    scope.cancel_terminate_execution();
    realm.forget_rejections();
    if group.is_exhausted(vu) {
        Called::Threw(JsException::plain(OUT_OF_MEMORY))
    } else {
        Called::Interrupted
    }
}

/// What becomes of a script that fills the heap.
pub(crate) const OUT_OF_MEMORY: &str = "script ran out of memory";

/// Calls a handler. `this` is undefined and what it returns is ignored.
pub(crate) fn handler(
    scope: &mut v8::PinScope<'_, '_>,
    function: v8::Local<'_, v8::Function>,
    arguments: &[v8::Local<'_, v8::Value>],
) -> Handled {
    v8::tc_scope!(let tc, scope);
    let receiver = v8::undefined(tc).into();
    if function.call(tc, receiver, arguments).is_some() {
        return Handled::Returned;
    }
    match tc.exception() {
        Some(exception) if !tc.has_terminated() => Handled::Threw(v8::Global::new(tc, exception)),
        _ => Handled::Interrupted,
    }
}

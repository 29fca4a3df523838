//! Calling into a script.

use crate::api::Caller;
use crate::binding::Native;
use crate::exception::JsException;
use crate::group::Group;
use crate::realm::Realm;

/// Why a script did not come to its end.
pub(crate) enum Fault {
    Threw(JsException),
    /// The VU was told to stop.
    Interrupted,
}

/// How a call of a handler ended.
pub(crate) enum Handled {
    Returned,
    /// The thrown value itself.
    Threw(v8::Global<v8::Value>),
    /// The VU was told to stop.
    Interrupted,
}

/// Calls the exported function `name`, and has the reactions of promises run that it sets off.
pub(crate) fn export<'s>(
    caller: Caller,
    scope: &mut v8::PinScope<'s, '_>,
    realm: &Realm,
    name: &str,
    argument: Option<v8::Local<'_, v8::Value>>,
) -> Result<v8::Local<'s, v8::Value>, Fault> {
    let Some(function) = realm.export(scope, name) else {
        return Err(Fault::Threw(JsException::plain(format!("function '{name}' not found in exports"))));
    };
    let receiver = v8::undefined(scope).into();
    callback(caller, scope, realm, function, receiver, argument.as_slice())
}

/// Calls a function from outside of all scripts. Reactions of promises run when it has returned, and only
/// then.
pub(crate) fn callback<'s>(
    caller: Caller,
    scope: &mut v8::PinScope<'s, '_>,
    realm: &Realm,
    function: v8::Local<'_, v8::Function>,
    receiver: v8::Local<'_, v8::Value>,
    arguments: &[v8::Local<'_, v8::Value>],
) -> Result<v8::Local<'s, v8::Value>, Fault> {
    let Caller { inside, vu } = caller;
    let group = inside.group();
    if group.must_end(vu) {
        // V8 was asked to look before this script began.
        return Err(abandon(group, vu, scope, realm));
    }
    v8::tc_scope!(let tc, scope);
    let result = function.call(tc, receiver, arguments);
    if result.is_some() {
        realm.run_microtasks(tc);
    }
    if tc.has_terminated() {
        tc.reset();
        return Err(abandon(group, vu, tc, realm));
    }
    if let Some(result) = result {
        return Ok(result);
    }
    let exception = JsException::from_try_catch(tc);
    // What the function had set off still has its turn.
    tc.reset();
    realm.run_microtasks(tc);
    realm.forget_rejections();
    // Scripts can be told to stop in their errors' toString, too.
    if group.must_end(vu) {
        tc.reset();
        return Err(abandon(group, vu, tc, realm));
    }
    Err(Fault::Threw(exception))
}

/// Settles a promise from outside of all scripts, and has its reactions run.
pub(crate) fn settle(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    resolver: v8::Local<'_, v8::PromiseResolver>,
    outcome: Result<v8::Local<'_, v8::Value>, v8::Local<'_, v8::Value>>,
) -> Result<(), Fault> {
    let Caller { inside, vu } = caller;
    let group = inside.group();
    if group.must_end(vu) {
        return Err(abandon(group, vu, scope, realm));
    }
    v8::tc_scope!(let tc, scope);
    match outcome {
        Ok(value) => resolver.resolve(tc, value),
        Err(error) => resolver.reject(tc, error),
    };
    realm.run_microtasks(tc);
    if tc.has_terminated() {
        tc.reset();
        return Err(abandon(group, vu, tc, realm));
    }
    Ok(())
}

/// Has a native read a value from outside of all scripts, which may run getters of it. Reactions of promises run
/// afterwards. What is thrown must be pending in V8.
pub(crate) fn native<R>(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    read: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Native<R>,
) -> Result<R, Fault> {
    let Caller { inside, vu } = caller;
    let group = inside.group();
    v8::tc_scope!(let tc, scope);
    let result = read(tc);
    let exception = tc.has_caught().then(|| JsException::from_try_catch(tc));
    tc.reset();
    if !group.must_end(vu) {
        realm.run_microtasks(tc);
    }
    if group.must_end(vu) {
        tc.reset();
        return Err(abandon(group, vu, tc, realm));
    }
    match (result, exception) {
        (Ok(result), _) => Ok(result),
        (Err(_), exception) => {
            realm.forget_rejections();
            let exception = exception.unwrap_or_else(|| JsException::plain("a value cannot be read"));
            Err(Fault::Threw(exception))
        }
    }
}

/// Takes what a promise was rejected with that nobody handles.
pub(crate) fn rejection(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
) -> Result<Option<JsException>, Fault> {
    let Caller { inside, vu } = caller;
    let rejection = realm.take_rejection(scope);
    if rejection.is_some() && inside.group().must_end(vu) {
        return Err(abandon(inside.group(), vu, scope, realm));
    }
    Ok(rejection)
}

/// Drops what a script that was ended has set off, so that nothing of it runs in the VU's next iteration.
fn abandon(group: &Group, vu: u32, scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Fault {
    // V8 empties the queue of reactions when the first of them is ended.
    group.terminate();
    {
        v8::tc_scope!(let tc, scope);
        realm.run_microtasks(tc);
    }
    scope.cancel_terminate_execution();
    realm.forget_rejections();
    if group.is_exhausted(vu) {
        Fault::Threw(out_of_memory(realm.number(), group.heap_limit()))
    } else {
        Fault::Interrupted
    }
}

/// What becomes of a script of the VU `number` (0: of none) that needs more memory than `limit` bytes.
pub(crate) fn out_of_memory(number: u32, limit: usize) -> JsException {
    let vu = if number == 0 { String::new() } else { format!("VU {number}, ") };
    JsException::plain(format!("script ran out of memory ({vu}limit {} MiB)", limit >> 20))
}

/// Calls a handler in the middle of a script. `this` is undefined and what it returns is ignored.
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

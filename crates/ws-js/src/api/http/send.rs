//! The functions that make requests: those that wait for the response, `batch`, and `asyncRequest`.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;
use ws_http::{BatchLimits, Client, Connections, Error, Outcome, Pending};

use super::debug;
use super::failure::Failure;
use super::plan::{self, Call, Plan, Planned, Refused, shown};
use super::response;
use super::samples::Labels;
use super::user::Awaited;
use crate::api::{Caller, entries};
use crate::binding::{self, Native, Throw};
use crate::convert;
use crate::group::Post;
use crate::group::signal::Signal;
use crate::log::{Level, Record};
use crate::realm::Realm;
use crate::vu::block::{self, Kind};
use crate::vu::call::{self, Fault};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type Object<'s> = v8::Local<'s, v8::Object>;

const IN_INIT: &str = "Making http requests in the init context is not supported";

/// `request(method, url, body?, params?)`.
pub(super) fn request<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Object<'s>> {
    let method = method_of(scope, arguments.get(0))?;
    let (url, body, params) = (arguments.get(1), arguments.get(2), arguments.get(3));
    make(scope, &method, Call { url, body, params })
}

/// `get(url, params?)` and `head(url, params?)`.
pub(super) fn without_body<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    method: &str,
    arguments: &Arguments<'s>,
) -> Native<Object<'s>> {
    let body = v8::undefined(scope).into();
    make(scope, method, Call { url: arguments.get(0), body, params: arguments.get(1) })
}

/// `post(url, body?, params?)` and its like.
pub(super) fn with_body<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    method: &str,
    arguments: &Arguments<'s>,
) -> Native<Object<'s>> {
    make(scope, method, Call { url: arguments.get(0), body: arguments.get(1), params: arguments.get(2) })
}

fn method_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    if value.is_null_or_undefined() { Ok("GET".to_owned()) } else { convert::to_text(scope, value) }
}

/// Makes a request and waits for what comes of it.
fn make<'s>(scope: &mut v8::PinScope<'s, '_>, method: &str, call: Call<'s>) -> Native<Object<'s>> {
    let caller = Caller::in_vu_code(IN_INIT)?;
    let plan = match plan::read(scope, caller, method, call)? {
        Ok(plan) => plan,
        Err(refused) => return refuse(scope, caller, refused),
    };
    let labels = Labels::new(caller, &plan);
    let request = plan.request.clone();
    let outcome = wait(scope, caller, |client, user, done| client.send(user, request, done))?;
    respond(scope, caller, &plan, &labels, &outcome)
}

/// What is given for a request that cannot be made.
fn refuse<'s>(scope: &mut v8::PinScope<'s, '_>, caller: Caller, refused: Refused) -> Native<Object<'s>> {
    let Refused { failure, throw } = refused;
    if throw {
        return Err(Throw::Go(failure.details));
    }
    warn(caller, "Request Failed", &failure.details);
    Ok(response::empty(scope, Some(&failure)))
}

/// Books a request, and makes what the script gets of it.
fn respond<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    plan: &Plan,
    labels: &Labels,
    outcome: &Outcome,
) -> Native<Object<'s>> {
    labels.record(caller, outcome);
    debug::log(caller, plan, outcome)?;
    let failure = failure_of(caller, plan, outcome);
    if let (Err(Error::Switched { .. }), Some(failure)) = (&outcome.result, &failure) {
        // Nothing can be done with such a connection.
        return Err(Throw::Go(failure.error.clone()));
    }
    if let Some(failure) = &failure {
        if plan.throw {
            return Err(Throw::Go(failure.details.clone()));
        }
        warn(caller, "Request Failed", &failure.details);
    }
    if outcome.hops.is_empty() {
        return Ok(response::empty(scope, failure.as_ref()));
    }
    if let Ok(response) = &outcome.result
        && response.redirects_used_up
        && !plan.minds_redirects
    {
        let message = &format!(
            "Stopped after {} redirects and returned the redirection; pass {{ redirects: n }} in request params or set \
             global maxRedirects to silence this",
            plan.request.redirects
        );
        let url = &shown(&caller.inside.group().shared, &plan.request.url);
        caller.inside.group().shared.log.write(&Record {
            level: Level::Warning,
            message,
            fields: &[("url", url)],
        });
    }
    Ok(response::to_object(scope, plan, outcome, failure.as_ref()))
}

fn failure_of(caller: Caller, plan: &Plan, outcome: &Outcome) -> Option<Failure> {
    let error = match &outcome.result {
        Ok(response) => response.fault.as_ref()?,
        Err(error) => error,
    };
    let last = outcome.hops.last();
    let (method, url) =
        last.map_or((&*plan.request.method, &*plan.request.url), |hop| (&*hop.method, &*hop.url));
    Some(Failure::of(error, method, &shown(&caller.inside.group().shared, url)))
}

fn warn(caller: Caller, message: &str, error: &str) {
    let fields = &[("error", error)];
    caller.inside.group().shared.log.write(&Record { level: Level::Warning, message, fields });
}

/// Waits in the middle of the script for what `begin` has begun.
fn wait<T: Send + 'static>(
    scope: &mut v8::PinScope<'_, '_>,
    caller: Caller,
    begin: impl FnOnce(&Client, &Connections, Box<dyn FnOnce(T) + Send>) -> Pending,
) -> Native<T> {
    let Caller { inside, vu } = caller;
    let shared = &inside.group().shared;
    let connections = connections(caller);
    let (result, signal) = (Arc::new(Mutex::new(None)), Arc::new(Signal::default()));
    let done = {
        let (result, signal) = (Arc::clone(&result), Arc::clone(&signal));
        Box::new(move |outcome| {
            *result.lock() = Some(outcome);
            signal.set();
        })
    };
    let pending = begin(shared.http(), &connections, done);
    let waited = block::wait_for(inside, vu, Kind::Sleep, &signal, None);
    let stopped = waited.map_err(|error| {
        pending.abort();
        Throw::Go(format!("no thread for another blocked VU: {error}"))
    })?;
    if stopped {
        pending.abort();
        caller.end_script(scope);
        return Err(Throw::Pending);
    }
    let result = result.lock().take();
    result.ok_or_else(|| Throw::Plain("a request has ended without an outcome".into()))
}

fn connections(caller: Caller) -> Connections {
    let Caller { inside, vu } = caller;
    let mut state = inside.state();
    let this = &mut state.vus[vu as usize];
    this.http.connections(&inside.group().shared, this.number)
}

/// `batch([…])` or `batch({…})`: several requests at the same time.
pub(super) fn batch<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Object<'s>> {
    let caller = Caller::in_vu_code("Using batch in the init context is not supported")?;
    let given = arguments.get(0);
    if given.is_null_or_undefined() {
        return Err(Throw::Go("no argument was provided to http.batch()".into()));
    }
    let Some(list) = v8::Local::<v8::Object>::try_from(given).ok().filter(|_| !given.is_function()) else {
        let kind = convert::go_type(given);
        return Err(Throw::Go(format!("invalid http.batch() argument type {kind}")));
    };
    let fields = entries(scope, list)?;
    let shared = &caller.inside.group().shared;
    let mut plans = Vec::new();
    for (key, entry) in &fields {
        match read_entry(scope, caller, key, *entry)? {
            Ok(plan) => plans.push(plan),
            Err(Refused { failure, throw }) => {
                if throw || shared.settings.throw {
                    return Err(Throw::Go(failure.error));
                }
                warn(caller, "A batch request failed", &failure.error);
                return collect(scope, given, &fields, |scope, _| Ok(response::empty(scope, None)));
            }
        }
    }
    let labels: Vec<Labels> = plans.iter().map(|plan| Labels::new(caller, plan)).collect();
    let requests = plans.iter().map(|plan| plan.request.clone()).collect();
    let options = &shared.settings.http;
    let limits = BatchLimits {
        together: Some(options.batch).filter(|limit| *limit > 0),
        per_host: Some(options.batch_per_host).filter(|limit| *limit > 0),
    };
    let outcomes: Vec<Outcome> =
        wait(scope, caller, |client, user, done| client.send_all(user, requests, limits, done))?;
    collect(scope, given, &fields, |scope, at| match outcomes.get(at) {
        Some(outcome) => respond(scope, caller, &plans[at], &labels[at], outcome),
        None => Ok(response::empty(scope, None)),
    })
}

/// A list or an object with the same keys.
fn collect<'s, 'i>(
    scope: &mut v8::PinScope<'s, 'i>,
    given: v8::Local<'s, v8::Value>,
    fields: &[(String, v8::Local<'s, v8::Value>)],
    mut item: impl FnMut(&mut v8::PinScope<'s, 'i>, usize) -> Native<Object<'s>>,
) -> Native<Object<'s>> {
    let items = (0..fields.len()).map(|at| item(scope, at)).collect::<Native<Vec<_>>>()?;
    if given.is_array() {
        let items: Vec<v8::Local<'_, v8::Value>> = items.into_iter().map(Into::into).collect();
        return Ok(v8::Array::new_with_elements(scope, &items).into());
    }
    let object = v8::Object::new(scope);
    for ((key, _), item) in fields.iter().zip(items) {
        binding::set(scope, object, key, item.into());
    }
    Ok(object)
}

fn read_entry<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    key: &str,
    entry: v8::Local<'s, v8::Value>,
) -> Native<Planned> {
    let undefined: v8::Local<'_, v8::Value> = v8::undefined(scope).into();
    let bad = |text: String| Ok(Err(Refused { failure: Failure::refused(text), throw: false }));
    if entry.is_string() {
        return plan::read(scope, caller, "GET", Call { url: entry, body: undefined, params: undefined });
    }
    let (method, mut call) = if let Ok(list) = v8::Local::<v8::Array>::try_from(entry) {
        if list.length() < 2 {
            return bad(format!("invalid batch request {key}: an array of method and url is expected"));
        }
        let item = |index| list.get_index(scope, index).ok_or(Throw::Pending);
        let (method, url, body, params) = (item(0)?, item(1)?, item(2)?, item(3)?);
        (method, Call { url, body, params })
    } else if let Ok(object) = v8::Local::<v8::Object>::try_from(entry) {
        let mut field = |name| {
            let name = binding::string(scope, name).into();
            object.get(scope, name).ok_or(Throw::Pending)
        };
        let (method, url, body, params) = (field("method")?, field("url")?, field("body")?, field("params")?);
        if url.is_undefined() {
            return bad(format!("batch request {key} doesn't have a url key"));
        }
        (method, Call { url, body, params })
    } else {
        let kind = convert::go_type(entry);
        return bad(format!(
            "invalid batch request {key}: a string, an array or an object is expected, got {kind}"
        ));
    };
    let method = method_of(scope, method)?;
    if method.eq_ignore_ascii_case("GET") || method.eq_ignore_ascii_case("HEAD") {
        call.body = undefined;
    }
    plan::read(scope, caller, &method, call)
}

/// `asyncRequest(method, url, body?, params?)`: a promise of the response.
pub(super) fn async_request<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let caller = Caller::in_vu_code(IN_INIT)?;
    let method = method_of(scope, arguments.get(0))?;
    let (url, body, params) = (arguments.get(1), arguments.get(2), arguments.get(3));
    let planned = plan::read(scope, caller, &method, Call { url, body, params })?;
    let resolver = v8::PromiseResolver::new(scope).ok_or(Throw::Pending)?;
    let promise = resolver.get_promise(scope);
    let plan = match planned {
        Ok(plan) => plan,
        Err(refused) => {
            match refuse(scope, caller, refused) {
                Ok(response) => resolver.resolve(scope, response.into()),
                Err(throw) => {
                    let error = throw.into_value(scope)?;
                    resolver.reject(scope, error)
                }
            };
            return Ok(promise);
        }
    };
    let Caller { inside, vu } = caller;
    let group = inside.group();
    let labels = Labels::new(caller, &plan);
    let request = plan.request.clone();
    let connections = connections(caller);
    let resolver = v8::Global::new(scope, resolver);
    let serial = {
        let mut state = inside.state();
        state.vus[vu as usize].http.expect(Awaited { resolver, plan, labels, pending: None })
    };
    let handle = group.handle.clone();
    let pending = group.shared.http().send(&connections, request, move |outcome: Outcome| {
        handle.post(Post::Done { vu, serial, result: Box::new(outcome) });
    });
    inside.state().vus[vu as usize].http.begun(serial, pending);
    Ok(promise)
}

/// A request that a promise stands for has come to its end.
pub(crate) fn done(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    serial: u32,
    result: Box<dyn Any + Send>,
) -> Result<(), Fault> {
    let Caller { inside, vu } = caller;
    let awaited = inside.state().vus[vu as usize].http.take(serial);
    let Some(Awaited { resolver, plan, labels, .. }) = awaited else { return Ok(()) };
    let Ok(outcome) = result.downcast::<Outcome>() else { return Ok(()) };
    let resolver = v8::Local::new(scope, resolver);
    let settled = match respond(scope, caller, &plan, &labels, &outcome) {
        Ok(response) => Ok(response.into()),
        // It has only just been made of a text.
        Err(throw) => Err(throw.into_value(scope).unwrap_or_else(|_| v8::undefined(scope).into())),
    };
    call::settle(caller, scope, realm, resolver, settled)
}

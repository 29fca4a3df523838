//! `connect(url, [params], callback)`.

use std::sync::Arc;
use std::time::Instant;

use ws_metrics::{Metadata, TagSetId, builtin};
use ws_proto::{UpgradeResponse, WsUrl, mask_password};

use super::errors::Failure;
use super::session::{self, End, Start};
use super::tags;
use crate::api::dial::{self, Dialect, Params};
use crate::api::latency::Tracker;
use crate::api::{Caller, set_number, set_text};
use crate::binding::{self, Throw};
use crate::convert;
use crate::faults::{FaultPhase, FaultReason};
use crate::group::Inside;
use crate::vu::address::{Address, Part};
use crate::vu::block::{self, Kind};

/// How this module reads its params.
const DIALECT: Dialect = Dialect { bad_tags: "invalid ws.connect() metric tags", blank_compression: true };

/// The native function.
pub(super) fn connect<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: v8::FunctionCallbackArguments<'s>,
    mut result: v8::ReturnValue<'s>,
) {
    binding::guard(scope, |scope| {
        let caller = Caller::in_vu_code("using websockets in the init context is not supported")?;
        let count = arguments.length();
        if count != 2 && count != 3 {
            return Err(Throw::Go("invalid number of arguments to ws.connect".into()));
        }
        let callback = v8::Local::<v8::Function>::try_from(arguments.get(count - 1))
            .map_err(|_| Throw::Go("last argument to ws.connect must be a function".into()))?;
        let url: Arc<str> = match arguments.get(0) {
            url if url.is_null_or_undefined() => "".into(),
            url => convert::to_text(scope, url)?.into(),
        };
        let params = match count {
            // Unknown params are ignored, as in k6.
            3 => Params::read(scope, arguments.get(1), DIALECT, |_, _, _| Ok(()))?,
            _ => Params::default(),
        };

        let begun = begin(scope, caller, &url, &params, callback);
        let end = match begun {
            Ok(serial) => {
                let Caller { inside, vu } = caller;
                let waited = block::wait(inside, vu, Kind::Session(serial), None);
                if !matches!(waited, Ok(false)) {
                    // Nobody waited for it to the end: the socket must not outlive the call.
                    session::interrupt(inside, vu, serial);
                }
                let end = inside.state().vus[vu as usize].sessions.take_end(serial);
                let stopped = waited
                    .map_err(|error| Throw::Go(format!("no thread for another blocked VU: {error}")))?;
                if stopped { End::Interrupted } else { end.unwrap_or(End::Interrupted) }
            }
            Err(failure) => End::Refused(failure),
        };
        match end {
            End::Closed(response) => {
                let url = mask_password(&url);
                let object = to_object(scope, &url, Some(&response), "");
                result.set(object.into());
                Ok(())
            }
            End::Refused(failure) => {
                if caller.inside.group().shared.settings.throw {
                    return Err(Throw::Go(failure.message));
                }
                let object = to_object(scope, "", failure.response.as_ref(), &failure.message);
                result.set(object.into());
                Ok(())
            }
            End::Threw(exception) => {
                let exception = v8::Local::new(scope, exception);
                scope.throw_exception(exception);
                Err(Throw::Pending)
            }
            End::Interrupted => {
                caller.end_script(scope);
                Err(Throw::Pending)
            }
        }
    });
}

/// Starts the dial and books the session in.
///
/// # Errors
///
/// What can be told without a network: a bad URL, headers that may not be given. Its samples have been
/// booked.
fn begin(
    scope: &mut v8::PinScope<'_, '_>,
    caller: Caller,
    url: &Arc<str>,
    params: &Params,
    callback: v8::Local<'_, v8::Function>,
) -> Result<u32, Failure> {
    let Caller { inside, vu, .. } = caller;
    let started = Instant::now();
    let shared = &inside.group().shared;
    let (base, metadata) = {
        let state = inside.state();
        let tags = &state.vus[vu as usize].tags;
        (tags.current(), tags.metadata())
    };
    let base = params.tags.iter().fold(base, |tags, (key, value)| shared.tag_sets.with(tags, key, value));
    let jar = params.jar.clone().unwrap_or_else(|| caller.jar());
    let dial = WsUrl::parse(url)
        .map_err(|error| shared.url_fault(error))
        .and_then(|url| dial::dial(caller, url, params, &jar))
        .map_err(|message| {
            book_early_failure(
                inside,
                tags::complete(shared, base, Some(url), None, None),
                metadata,
                started,
            );
            shared.book_fault((FaultPhase::Upgrade, FaultReason::BadRequest), &message, url);
            Failure::early(message)
        })?;

    let tracker = params.latency.as_ref().and_then(|latency| Tracker::new(shared, latency));
    let mut state = inside.state();
    let state = &mut *state;
    let sessions = &mut state.vus[vu as usize].sessions;
    let callback = v8::Global::new(scope, callback);
    let start = Start {
        callback,
        tags: base,
        metadata,
        started,
        url: Arc::clone(url),
        jar,
        tracker,
        tells_arrival: params.latency.is_some(),
        close_timeout_ms: params.close_timeout_ms(),
    };
    let serial = sessions.begin(start);
    let key = state.io.connect(dial, Address::new(vu, Part::Session, serial).to_user());
    state.vus[vu as usize].sessions.set_key(serial, key);
    Ok(serial)
}

/// The samples of a dial that failed before it began.
fn book_early_failure(inside: Inside, tags: TagSetId, metadata: Metadata, at: Instant) {
    let mut state = inside.state();
    let ms = at.elapsed().as_secs_f64() * 1e3;
    state.samples.add(builtin::WS_SESSIONS, tags, metadata, at, 1.0);
    state.samples.add(builtin::WS_CONNECTING, tags, metadata, at, ms);
    state.samples.add(builtin::WS_SESSION_DURATION, tags, metadata, at, ms);
}

/// What `connect` returns.
fn to_object<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    url: &str,
    response: Option<&UpgradeResponse>,
    error: &str,
) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    set_text(scope, object, "url", url);
    set_number(scope, object, "status", f64::from(response.map_or(0, |response| response.status)));
    let headers = v8::Object::new(scope);
    if let Some(response) = response {
        for (name, _) in response.headers.iter() {
            if let Some(value) = response.headers.joined(name) {
                set_text(scope, headers, name, &value);
            }
        }
    }
    binding::set(scope, object, "headers", headers.into());
    set_text(
        scope,
        object,
        "body",
        &String::from_utf8_lossy(response.map_or(&[], |response| &response.body)),
    );
    set_text(scope, object, "error", error);
    object
}

//! The event loop of the init stage, on the thread that runs it: top-level `await` may wait for timers.

use std::time::Instant;

use super::block::{self, Kind};
use super::call::{self, Fault};
use super::timers::{self, Due};
use crate::api::Caller;
use crate::exception::JsException;
use crate::realm::Realm;

/// Runs timers and reactions of promises until there are none. The group is free while this thread waits.
pub(crate) fn run_loop(caller: Caller, scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Result<(), Fault> {
    let Caller { inside, vu } = caller;
    realm.run_microtasks(scope);
    loop {
        if let Some(rejection) = call::rejection(caller, scope, realm)? {
            return Err(Fault::Threw(rejection));
        }
        let first = inside.state().vus[vu as usize].timers.first();
        let now = Instant::now();
        match first {
            None | Some(Due::Never) => return Ok(()),
            Some(Due::At(at)) if at > now => match block::wait(inside, vu, Kind::Sleep, Some(at)) {
                Ok(false) => (),
                Ok(true) => return Err(Fault::Interrupted),
                Err(error) => {
                    let text = format!("no thread for another blocked VU: {error}");
                    return Err(Fault::Threw(JsException::plain(text)));
                }
            },
            Some(_) => timers::run_due(caller, scope, realm, now)?,
        }
    }
}

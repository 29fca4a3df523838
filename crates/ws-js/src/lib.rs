//! k6 JavaScript APIs for WebSocket load tests on V8: shared isolates under few threads.
//!
//! A [`Script`] is loaded once ([`Script::load`] runs its init stage); a [`Runtime`] makes virtual users of it
//! and runs their iterations. Who decides when, and what becomes of the samples, is somebody else's business:
//! see [`Work`] and `ws_metrics`.
//!
//! # Threads
//!
//! VUs are dealt out to *groups*, each with one V8 isolate and one event loop. *Drivers* (one at first) wait
//! for the events of all groups they have and run the handlers, group by group. A script that blocks
//! (`ws.connect`, `sleep`) parks its thread, and another takes the driver's role. So there are as many threads
//! as scripts that block right now, plus the drivers.
//!
//! # Rules inside
//!
//! V8 handles other than globals live for one call. Nothing of a group's state is borrowed while a script
//! runs, because it may call back, or park and let another thread run the group.

mod api;
mod binding;
mod console;
mod convert;
mod cores;
mod error;
mod exception;
mod group;
mod inspect;
mod isolate;
mod log;
mod memory;
mod modules;
mod platform;
mod realm;
mod runtime;
mod samples;
mod script;
mod shared;
mod staff;
mod templates;
#[cfg(test)]
mod testing;
mod vu;

pub use error::Error;
pub use exception::{Frame, JsException};
pub use group::gc::GcPauses;
pub use log::{Level, Log, Record};
pub use modules::Main;
pub use platform::{PlatformOptions, initialize};
pub use runtime::{HeapUse, InitError, Runtime, RuntimeOptions};
pub use script::{Export, Script, ScriptError, ScriptOptions};
pub use shared::Settings;
pub use vu::job::{Assignment, Iteration, IterationOutcome, Phase, PhaseError, Work};
pub use vu::summary::{Summary, SummaryError};
/// Sizes and times that a connection must not exceed.
pub use ws_proto::Limits;

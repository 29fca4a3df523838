//! k6 JavaScript APIs for WebSocket load tests on V8: shared isolates under few threads.
//!
//! A [`Script`] is loaded once ([`Script::load`] runs its init stage); a [`Runtime`] makes virtual users of it
//! and runs their iterations. Who decides when, and what becomes of the samples, is somebody else's business:
//! see [`Work`] and `ws_metrics`.
//!
//! # Examples
//!
//! One VU runs a script three times:
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//! use std::sync::{Arc, mpsc};
//! use std::time::{Instant, SystemTime};
//! use ws_js::*;
//! use ws_metrics::{Pipeline, PipelineConfig, Registry, SinkValue, TagSets, WallClock};
//!
//! struct Stdout;
//! impl Log for Stdout {
//!     fn write(&self, record: &Record<'_>) {
//!         println!("{}", record.message);
//!     }
//! }
//!
//! struct Three(AtomicU64, mpsc::Sender<()>);
//! impl Work for Three {
//!     fn next(&self, _: usize) -> Next {
//!         let number = self.0.fetch_add(1, Relaxed);
//!         if number == 3 {
//!             return Next::Stop;
//!         }
//!         Next::Run(Iteration { in_instance: number, in_test: number, due: None })
//!     }
//!     fn ended(&self, _: usize, outcome: IterationOutcome) {
//!         assert_eq!(outcome, IterationOutcome::Complete);
//!     }
//!     fn stopped(&self, _: usize) {
//!         self.1.send(()).unwrap();
//!     }
//!     fn progress(&self) -> f64 {
//!         self.0.load(Relaxed) as f64 / 3.0
//!     }
//! }
//!
//! initialize(&PlatformOptions::default());
//! let (registry, tag_sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
//! let text = "export default function () { console.log(`hello from VU ${__VU}`); }";
//! let script = Script::load(ScriptOptions {
//!     main: Main::from_source(Path::new("hello.js"), text)?,
//!     env: Default::default(),
//!     mode: CompatibilityMode::Extended,
//!     registry: registry.clone(),
//!     tag_sets: tag_sets.clone(),
//!     log: Arc::new(Stdout),
//! })?;
//! let pipeline = Pipeline::start(PipelineConfig::new(registry, tag_sets))?;
//! let runtime = Runtime::new(&script, RuntimeOptions {
//!     vus: 1,
//!     max_vus: 1,
//!     drivers: None,
//!     settings: Settings::default(),
//!     samples: pipeline.sender(),
//!     wall: WallClock::new(Instant::now(), SystemTime::now()),
//! })?;
//! runtime.init_vus(&|| ())?;
//!
//! let started = Instant::now();
//! let (done, stopped) = mpsc::channel();
//! runtime.activate(0, Assignment {
//!     scenario: "default".into(),
//!     executor: "per-vu-iterations".into(),
//!     exec: "default".into(),
//!     tags: Arc::new([]),
//!     env: Arc::new([]),
//!     setup_data: None,
//!     started,
//!     slot: 0,
//!     vu_in_test: 1,
//!     work: Arc::new(Three(AtomicU64::new(0), done)),
//! });
//! stopped.recv()?;
//! runtime.flush_samples();
//! let report = pipeline.finish(started.elapsed());
//! let SinkValue::Counter { sum, .. } = report.metric("iterations").unwrap().value else { unreachable!() };
//! assert_eq!(sum, 3.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod buffers;
mod console;
mod convert;
mod cores;
mod env;
mod error;
mod exception;
mod faults;
mod group;
mod held;
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
mod web;

pub use error::Error;
pub use exception::{Frame, JsException};
pub use faults::{Fault, FaultPhase, FaultReason};
pub use group::gc::GcPauses;
pub use log::{Level, Log, Record};
pub use memory::most_vus;
pub use modules::Main;
pub use platform::{PlatformOptions, initialize};
pub use runtime::{HeapUse, HoldUp, InitError, Runtime, RuntimeOptions};
pub use script::{CompatibilityMode, Export, Script, ScriptError, ScriptOptions};
pub use shared::{Compat, HttpDebug, HttpOptions, Settings};
pub use vu::job::{Assignment, Iteration, IterationOutcome, Next, Phase, PhaseError, Work};
pub use vu::summary::{Summary, SummaryError};
/// Sizes and times that a connection must not exceed.
pub use ws_proto::{CipherSuite, ClientIdentity, KeyLog, Limits, TlsOptions, TlsVersion, TlsVersions};

//! Decides what runs when in a load test: scenarios, executors, VU lifecycle.
//!
//! A [`Plan`] is a validated set of scenarios. A [`Coordinator`] runs it: it asks the script's [`Phases`] for virtual
//! users, runs `setup`, activates VUs at the right times, stops them, and runs `teardown`. A [`Vu`] loops by itself,
//! taking iterations from a [`Work`]; the coordinator is not involved in an iteration.
//!
//! This crate knows no JavaScript, sockets, terminals, files or command lines, and it does not read the system's clock
//! except through a [`Clock`].
//!
//! # Examples
//!
//! Two VUs share ten iterations:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//! use ws_engine::*;
//!
//! struct Looper;
//!
//! impl Vu for Looper {
//!     fn activate(&self, activation: Activation) {
//!         std::thread::spawn(move || {
//!             while let Next::Run(_iteration) = activation.work.next(activation.slot) {
//!                 // An iteration of a real VU would do something here.
//!                 activation.work.ended(activation.slot, Outcome::Complete);
//!             }
//!             activation.work.stopped(activation.slot);
//!         });
//!     }
//!     fn interrupt(&self) {}
//!     fn wake(&self) {}
//! }
//!
//! struct Script;
//!
//! impl Phases for Script {
//!     fn init_vus(&mut self, count: usize, done: InitDone) {
//!         let vus = (0..count).map(|_| Arc::new(Looper) as Arc<dyn Vu>).collect();
//!         done.finish(Ok(vus));
//!     }
//!     fn add_vu(&mut self, _number: usize, done: VuDone) {
//!         done.finish(Ok(Arc::new(Looper)));
//!     }
//!     fn setup(&mut self, done: PhaseDone) {
//!         done.finish(Ok(()));
//!     }
//!     fn teardown(&mut self, done: PhaseDone) {
//!         done.finish(Ok(()));
//!     }
//!     fn interrupt(&mut self) {}
//! }
//!
//! struct NoSamples;
//!
//! impl Recorder for NoSamples {
//!     fn vus(&mut self, _: Instant, _: usize, _: usize) {}
//!     fn dropped(&mut self, _: Instant, _: &str, _: Option<usize>, _: u64) {}
//!     fn hand_over(&mut self) {}
//! }
//!
//! let shortcuts = Shortcuts { vus: Some(2), iterations: Some(10), ..Shortcuts::default() };
//! let plan = Plan::new(shortcuts.derive()?.scenarios, |_exported| true).expect("valid scenarios");
//! let config = RunConfig { setup: None, teardown: None, progress_every: None };
//! let coordinator = Coordinator::new(plan, config, Arc::new(SystemClock));
//! let outcome = coordinator.run(&mut Script, &mut NoSamples, &mut |_event| {});
//! assert_eq!(outcome.snapshot.complete, 10);
//! # Ok::<(), ShortcutError>(())
//! ```
#![forbid(unsafe_code)]

pub use ws_metrics::duration;

mod clock;
mod control;
mod coordinator;
mod event;
mod executor;
mod mailbox;
mod patience;
mod phases;
mod plan;
mod samples;
mod scenario;
mod segment;
mod shortcuts;
mod stage;
mod state;
mod vu;

pub use clock::{Bell, Clock, SystemClock};
pub use control::{Cause, Control};
pub use coordinator::{Coordinator, RunConfig, RunOutcome};
pub use event::{Phase, RunEvent, ScenarioSnapshot, ScenarioState, Snapshot};
pub use phases::{InitDone, PhaseDone, PhaseError, Phases, VuDone};
pub use plan::{Plan, PlannedVus, ScenarioProblem};
pub use samples::{MetricsRecorder, Recorder};
pub use scenario::{ExecutorConfig, ExecutorError, Problem, ScenarioConfig, StageConfig};
pub use segment::{Segment, SegmentError, SegmentSequence, Share};
pub use shortcuts::{Derived, ShortcutError, Shortcuts, Warning};
pub use state::Monitor;
pub use vu::{Activation, Iteration, Next, Outcome, Vu, Work};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExample;

//! What a VU is given to do.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use crate::exception::JsException;
use crate::vu::summary::{Results, SummaryResult};

/// Where a VU gets its iterations from. Called on the threads that run scripts, often: cheap, and never
/// waiting. `slot` is always [`Assignment::slot`].
pub trait Work: Send + Sync {
    /// The VU is ready for another iteration.
    fn next(&self, slot: usize) -> Next;
    /// The iteration begun last by this VU is over.
    fn ended(&self, slot: usize, outcome: IterationOutcome);
    /// The VU got [`Next::Stop`] and is idle.
    fn stopped(&self, slot: usize);
    /// How much of the scenario is done, from 0 to 1. Reads the clock.
    fn progress(&self) -> f64;
}

/// What a VU is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Run this iteration.
    Run(Iteration),
    /// Wait for [`Runtime::wake`](crate::Runtime::wake), then ask again.
    Wait,
    /// Stop.
    Stop,
}

/// One iteration, as numbered by its scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iteration {
    /// Its number among the iterations that this process runs of the scenario, from 0.
    pub in_instance: u64,
    /// Its number over all processes that run the scenario, from 0.
    pub in_test: u64,
    /// When it should begin, if it does not begin whenever a VU is ready.
    pub due: Option<Instant>,
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IterationOutcome {
    /// The function returned.
    Complete,
    /// The function threw. The iteration counts as complete all the same.
    Failed,
    /// It was cut short.
    Interrupted,
}

/// A scenario's order to one VU: run `exec` as often as `work` says.
#[derive(Clone)]
pub struct Assignment {
    /// Name of the scenario.
    pub scenario: Arc<str>,
    /// Kind of its executor, for log fields (`constant-vus`).
    pub executor: Arc<str>,
    /// The exported function to call.
    pub exec: Arc<str>,
    /// Tags of the scenario.
    pub tags: Arc<[(String, String)]>,
    /// Environment of the scenario, on top of the script's.
    pub env: Arc<[(String, String)]>,
    /// What `setup()` returned, as JSON text.
    pub setup_data: Option<Arc<str>>,
    /// When the scenario began.
    pub started: Instant,
    /// This VU's place in the scenario, from 0.
    pub slot: usize,
    /// This VU's number over all processes that run the test, from 1.
    pub vu_in_test: u64,
    /// Where the iterations come from.
    pub work: Arc<dyn Work>,
}

/// `setup()` or `teardown()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `setup()`: called without arguments; what it returns goes to every iteration.
    Setup,
    /// `teardown(data)`.
    Teardown,
}

impl Phase {
    /// The exported function's name.
    pub fn function(self) -> &'static str {
        match self {
            Phase::Setup => "setup",
            Phase::Teardown => "teardown",
        }
    }
}

/// Why a phase did not end well.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PhaseError {
    /// The function threw.
    #[error("{0}")]
    Threw(JsException),
    /// What `setup()` returned cannot be passed on.
    #[error("error marshaling setup() data to JSON: {0}")]
    Data(String),
    /// It was cut short: by the time limit or by the end of the run.
    #[error("interrupted")]
    Interrupted,
    /// The init stage failed in the VU made for it.
    #[error("{0}")]
    Init(String),
}

/// What [`Phase::Setup`] returned as JSON text, `None` if `undefined`.
pub(crate) type PhaseResult = Result<Option<String>, PhaseError>;

/// Anything a VU can be told to do.
pub(crate) enum Job {
    Iterate(Assignment),
    Phase { phase: Phase, data: Option<Arc<str>>, done: SyncSender<PhaseResult> },
    Summary { results: Results, done: SyncSender<SummaryResult> },
}

impl Job {
    /// There is no such VU. Whoever waits for the end of a phase learns it from the channel.
    pub(crate) fn refuse(self) {
        if let Job::Iterate(assignment) = self {
            assignment.work.stopped(assignment.slot);
        }
    }
}

//! The border between the engine and whatever runs iterations.

use std::sync::Arc;
use std::time::Instant;

/// A virtual user: something that can run iterations by itself.
///
/// An activated VU asks [`Work::next`] for an iteration, runs it, reports it with [`Work::ended`], and so on until `next`
/// says [`Next::Stop`]; then it reports [`Work::stopped`] and is idle. On [`Next::Wait`] it asks again when it is
/// [woken](Vu::wake). None of this involves the coordinator's thread.
///
/// The methods are called on the coordinator's thread and must not block it. They may call [`Work`] themselves.
pub trait Vu: Send + Sync {
    /// Starts the loop described above and returns at once. Called for idle VUs only.
    fn activate(&self, activation: Activation);

    /// Ends the iteration in progress, also one just taken from `next`, as fast as possible. It is reported as
    /// [`Outcome::Interrupted`] and the loop goes on (so that `next` ends it). For an idle VU this does nothing, and
    /// nothing of it may reach a later activation.
    fn interrupt(&self);

    /// Has a VU that was told [`Next::Wait`] ask again. Otherwise this does nothing. It may come before the VU has heard
    /// that it is to wait; then it must not be lost.
    fn wake(&self);
}

/// What an activated VU needs to know. Cheap to clone.
#[derive(Clone)]
pub struct Activation {
    /// Name of the scenario.
    pub scenario: Arc<str>,
    /// Kind of its executor as written in options, such as `constant-vus`.
    pub executor: &'static str,
    /// Exported function to call.
    pub exec: Arc<str>,
    /// Tags of the scenario, for all samples of its iterations.
    pub tags: Arc<[(String, String)]>,
    /// Variables of the scenario, on top of the script's environment.
    pub env: Arc<[(String, String)]>,
    /// When the scenario began.
    pub started: Instant,
    /// This VU's place in the scenario, from 0: the `vu` argument of [`Work`].
    pub slot: usize,
    /// This VU's number over all instances of the test, from 1.
    pub vu_in_test: u64,
    /// Where iterations come from and are reported to.
    pub work: Arc<dyn Work>,
}

/// Iterations of one scenario, handed out to its VUs. Called on their threads, so `next` and `ended` are a few atomic
/// operations: no lock, no clock. `vu` is always [`Activation::slot`].
pub trait Work: Send + Sync {
    /// The iteration to run now, if there is one.
    fn next(&self, vu: usize) -> Next;

    /// An iteration is over.
    fn ended(&self, vu: usize, outcome: Outcome);

    /// The VU left its loop and is idle. To be called exactly once per activation, after `next` said
    /// [`Next::Stop`].
    fn stopped(&self, vu: usize);

    /// How much of the scenario is done, from 0 to 1: iterations if their number is given, else time. Reads the clock.
    fn progress(&self) -> f64;
}

/// What a VU does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It runs this iteration.
    Run(Iteration),
    /// Nothing, until [`Vu::wake`]; then it asks again.
    Wait,
    /// It leaves its loop.
    Stop,
}

/// One iteration to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// When the plan wanted it to begin; `None` if it may begin whenever a VU is ready.
    pub due: Option<Instant>,
    /// Number within the scenario and this instance, from 0.
    pub in_instance: u64,
    /// Number within the scenario over all instances of the test, from 0.
    pub in_test: u64,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function returned and nothing was left to wait for.
    Complete,
    /// The function threw. Counts as complete.
    Failed,
    /// It was cut off by [`Vu::interrupt`] or by aborting the test from inside.
    Interrupted,
}

//! Executors: who may start an iteration, and what the coordinator does when.
//!
//! An executor has two halves. Its [`Rule`] is asked on VU threads and consists of atomics. Its timeline is a list of
//! [`Step`]s for the coordinator: activate these VUs, close the gate, interrupt the rest. Neither half waits for time
//! or knows threads, so a new kind of executor is one more rule and one more timeline.

mod constant_vus;
mod ledger;
mod per_vu_iterations;
mod shared_iterations;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use ledger::Ledger;

use crate::clock::Clock;
use crate::mailbox::{Mailbox, Note};
use crate::scenario::{ExecutorConfig, ScenarioConfig};
use crate::vu::{Iteration, Outcome, Work};
use constant_vus::ConstantVus;
use per_vu_iterations::PerVuIterations;
use shared_iterations::SharedIterations;

/// One thing the coordinator does at a given time after the scenario's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Let these VUs of the scenario loop.
    Activate(Range<usize>),
    /// No iteration starts from now on.
    Close,
    /// Whoever is still running has used up the graceful period.
    InterruptRest,
}

/// The half of an executor that VU threads ask.
pub(crate) trait Rule: Send + Sync {
    /// The number of the iteration that this VU may start now. `started` is the scenario's count of iterations handed
    /// out; a rule that has a limit may let it grow beyond.
    fn take(&self, slot: usize, started: &AtomicU64) -> Option<u64>;

    /// Number of iterations the scenario is to run, if it is known.
    fn total(&self) -> Option<u64>;

    /// Share of the work that is done, `complete` iterations and `time` (0 to 1) into the regular duration.
    fn progress(&self, complete: u64, time: f64) -> f64;

    /// Whether a scenario that ended like this did what it should.
    fn fulfilled(&self, complete: u64, timed_out: bool) -> bool;

    /// Iterations that were planned and never started, given the scenario's `started`.
    fn unstarted(&self, started: u64) -> Vec<Unstarted>;
}

/// Iterations that were never started, of one VU or of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unstarted {
    pub(crate) slot: Option<usize>,
    pub(crate) count: u64,
}

/// A scenario's executor as the coordinator holds it.
pub(crate) trait Executor: Work {
    fn ledger(&self) -> &Ledger;
    fn rule(&self) -> &dyn Rule;
}

/// Makes the two halves of a scenario's executor. `index` is the scenario's place in the plan.
pub(crate) fn build(
    scenario: &ScenarioConfig,
    index: usize,
    mail: &Mailbox,
    clock: &Arc<dyn Clock>,
) -> (Arc<dyn Executor>, Vec<Step>) {
    let vus = scenario.executor.max_vus();
    let regular = scenario.executor.regular_duration().to_std();
    let steps = looping(vus, regular, scenario.graceful_stop.to_std());
    let ledger = Ledger::new(regular);
    let (mail, clock) = (mail.clone(), Arc::clone(clock));
    let count = |iterations: i64| u64::try_from(iterations).unwrap_or(0);
    let executor: Arc<dyn Executor> = match scenario.executor {
        ExecutorConfig::SharedIterations { iterations, .. } => {
            let rule = SharedIterations::new(count(iterations));
            Arc::new(Gate { rule, ledger, mail, clock, index })
        }
        ExecutorConfig::PerVuIterations { iterations, .. } => {
            let rule = PerVuIterations::new(vus, count(iterations));
            Arc::new(Gate { rule, ledger, mail, clock, index })
        }
        ExecutorConfig::ConstantVus { .. } => {
            Arc::new(Gate { rule: ConstantVus, ledger, mail, clock, index })
        }
    };
    (executor, steps)
}

/// The timeline of all executors whose VUs loop from start to end.
fn looping(vus: usize, regular: Duration, graceful: Duration) -> Vec<Step> {
    vec![
        Step { at: Duration::ZERO, action: Action::Activate(0..vus) },
        Step { at: regular, action: Action::Close },
        Step { at: regular + graceful, action: Action::InterruptRest },
    ]
}

/// What VU threads see of a scenario: the rule, behind a gate that the coordinator closes.
struct Gate<R> {
    rule: R,
    ledger: Ledger,
    mail: Mailbox,
    clock: Arc<dyn Clock>,
    index: usize,
}

impl<R: Rule> Work for Gate<R> {
    fn next(&self, vu: usize) -> Option<Iteration> {
        if self.ledger.is_closed() {
            return None;
        }
        let number = self.rule.take(vu, &self.ledger.counts.started)?;
        Some(Iteration { in_instance: number, in_test: number })
    }

    fn ended(&self, _vu: usize, outcome: Outcome) {
        let count = match outcome {
            Outcome::Complete | Outcome::Failed => &self.ledger.counts.complete,
            Outcome::Interrupted => &self.ledger.counts.interrupted,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn stopped(&self, vu: usize) {
        self.mail.post(Note::Stopped { scenario: self.index, slot: vu });
    }

    fn progress(&self) -> f64 {
        self.rule.progress(self.ledger.complete(), self.ledger.time_share(self.clock.now()))
    }
}

impl<R: Rule> Executor for Gate<R> {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn rule(&self) -> &dyn Rule {
        &self.rule
    }
}

/// `done / total`, and all of nothing is done.
fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 1.0 } else { done as f64 / total as f64 }
}

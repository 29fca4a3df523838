//! Executors: who may start an iteration, and what the coordinator does when.
//!
//! An executor has two halves. Its [`Rule`] is asked on VU threads and consists of atomics. Its timeline is a list of
//! [`Step`]s for the coordinator: activate these VUs, close the gate, interrupt the rest. Neither half waits for time
//! or knows threads, so a new kind of executor is one more rule and one more timeline.

mod constant_vus;
mod ledger;
mod per_vu_iterations;
mod ramp;
mod ramping_vus;
mod shared_iterations;
mod timeline;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use ledger::Ledger;
pub(crate) use timeline::{Action, Roster, Step, Timeline, needs};

use crate::clock::Clock;
use crate::mailbox::{Mailbox, Note};
use crate::scenario::{ExecutorConfig, ScenarioConfig};
use crate::segment::Stripes;
use crate::vu::{Iteration, Outcome, Work};
use constant_vus::ConstantVus;
use per_vu_iterations::PerVuIterations;
use ramping_vus::RampingVus;
use shared_iterations::SharedIterations;
use timeline::Ramping;

/// The half of an executor that VU threads ask.
pub(crate) trait Rule: Send + Sync {
    /// The number of the iteration that this VU may start now. `started` is the scenario's count of iterations handed
    /// out; a rule that has a limit may let it grow beyond.
    fn take(&self, slot: usize, started: &AtomicU64) -> Option<u64>;

    /// The timeline wants the VU of this slot to loop, or no longer.
    fn want(&self, _slot: usize, _wanted: bool) {}

    /// Whether VUs that have stopped may be wanted again, so that a scenario without any has not ended.
    fn comes_back(&self) -> bool {
        false
    }

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

/// What VU threads ask. `index` is the scenario's place in the plan.
pub(crate) fn build(
    scenario: &ScenarioConfig,
    index: usize,
    mail: &Mailbox,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Executor> {
    let vus = scenario.executor.max_vus();
    let ledger = Ledger::new(scenario.executor.regular_duration().to_std());
    let (numbers, mail, clock) = (Stripes::whole(), mail.clone(), Arc::clone(clock));
    let count = |iterations: i64| u64::try_from(iterations).unwrap_or(0);
    match scenario.executor {
        ExecutorConfig::SharedIterations { iterations, .. } => {
            let rule = SharedIterations::new(count(iterations));
            Arc::new(Gate { rule, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::PerVuIterations { iterations, .. } => {
            let rule = PerVuIterations::new(vus, count(iterations));
            Arc::new(Gate { rule, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::ConstantVus { .. } => {
            Arc::new(Gate { rule: ConstantVus, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::RampingVus { .. } => {
            Arc::new(Gate { rule: RampingVus::new(vus), numbers, ledger, mail, clock, index })
        }
    }
}

/// What the coordinator does.
pub(crate) fn timeline(scenario: &ScenarioConfig) -> Timeline {
    let regular = scenario.executor.regular_duration().to_std();
    let graceful = scenario.graceful_stop.to_std();
    match &scenario.executor {
        ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down } => Ramping {
            start: u64::try_from(*start_vus).unwrap_or(0),
            stages,
            regular,
            ramp_down: graceful_ramp_down.to_std(),
            graceful,
            stripes: &Stripes::whole(),
        }
        .timeline(),
        executor => timeline::looping(executor.max_vus(), regular, graceful),
    }
}

/// What VU threads see of a scenario: the rule, behind a gate that the coordinator closes.
struct Gate<R> {
    rule: R,
    /// Which of the scenario's iterations are run here.
    numbers: Stripes,
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
        Some(Iteration { in_instance: number, in_test: self.numbers.nth(number) })
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

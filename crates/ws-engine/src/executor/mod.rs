//! Executors: who may start an iteration, and what the coordinator does when.
//!
//! An executor has two halves. Its [`Rule`] is asked on VU threads and consists of atomics. Its timeline is a list of
//! [`Step`]s for the coordinator: activate these VUs, close the gate, interrupt the rest. Neither half waits for time
//! or knows threads, so a new kind of executor is one more rule and one more timeline.

mod arrivals;
mod constant_vus;
mod ledger;
mod per_vu_iterations;
mod ramp;
mod ramping_vus;
mod schedule;
mod shared_iterations;
mod timeline;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) use ledger::Ledger;
pub(crate) use timeline::{Action, Roster, Step, Timeline, needs};

use crate::clock::Clock;
use crate::duration::GoDuration;
use crate::mailbox::{Mailbox, Note};
use crate::scenario::{ExecutorConfig, ScenarioConfig, StageConfig};
use crate::segment::{Share, Stripes};
use crate::vu::{Iteration, Next, Outcome, Work};
use arrivals::Arrivals;
use constant_vus::ConstantVus;
use per_vu_iterations::PerVuIterations;
use ramping_vus::RampingVus;
use shared_iterations::SharedIterations;
use timeline::Ramping;

/// The half of an executor that VU threads ask.
pub(crate) trait Rule: Send + Sync {
    /// The iteration that this VU may start now. `started` is the scenario's count of iterations handed out; a rule that
    /// has a limit may let it grow beyond.
    fn take(&self, slot: usize, started: &AtomicU64) -> Take;

    /// The VU of this slot has ended its iteration.
    fn ended(&self, _slot: usize) {}

    /// The scenario's time counts from here.
    fn begin(&self, _start: Instant) {}

    /// Gives an iteration that is due to a VU that waits, and names its slot.
    fn give(&self, _due: Duration) -> Option<usize> {
        None
    }

    /// Whether [`take`](Self::take) may say [`Take::Wait`], so that VUs have to be told when there is something new.
    fn waits(&self) -> bool {
        false
    }

    /// VUs at work, for the display and for `vus`.
    fn busy(&self, ledger: &Ledger) -> usize {
        ledger.active()
    }

    /// The timeline wants the VU of this slot to loop, or no longer.
    fn want(&self, _slot: usize, _wanted: bool) {}

    /// Whether VUs that have stopped may be wanted again, so that a scenario without any has not ended.
    fn comes_back(&self) -> bool {
        false
    }

    // The rest is, unless said otherwise, that of a rule by which VUs loop until the time is over.

    /// Number of iterations the scenario is to run, if it is known.
    fn total(&self) -> Option<u64> {
        None
    }

    /// Share of the work that is done, `complete` iterations and `time` (0 to 1) into the regular duration.
    fn progress(&self, _complete: u64, time: f64) -> f64 {
        time
    }

    /// Whether a scenario that ended like this did what it should.
    fn fulfilled(&self, _complete: u64, timed_out: bool) -> bool {
        timed_out
    }

    /// Iterations that were planned and never started, given the scenario's `started`.
    fn unstarted(&self, _started: u64) -> Vec<Unstarted> {
        Vec::new()
    }
}

/// What a VU that asks for an iteration is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// The iteration's number in the scenario, and when it is due, if that was planned.
    Number { number: u64, due: Option<Instant> },
    /// There may be one later.
    Wait,
    /// There is none.
    Stop,
}

impl Take {
    /// An iteration that may begin whenever the VU is ready.
    fn now(number: u64) -> Self {
        Self::Number { number, due: None }
    }
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
    share: &Share,
    index: usize,
    mail: &Mailbox,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Executor> {
    let Vus { most, .. } = vus(scenario, share);
    let (numbers, whole) = dealt(scenario, share);
    let ledger = Ledger::new(regular(scenario, share));
    let (mail, clock) = (mail.clone(), Arc::clone(clock));
    match scenario.executor {
        ExecutorConfig::SharedIterations { .. } => {
            let rule = SharedIterations::new(whole);
            Arc::new(Gate { rule, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::PerVuIterations { iterations, .. } => {
            let rule = PerVuIterations::new(most, unsigned(iterations));
            Arc::new(Gate { rule, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::ConstantVus { .. } => {
            Arc::new(Gate { rule: ConstantVus, numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::RampingVus { .. } => {
            Arc::new(Gate { rule: RampingVus::new(most), numbers, ledger, mail, clock, index })
        }
        ExecutorConfig::ConstantArrivalRate { .. } | ExecutorConfig::RampingArrivalRate { .. } => {
            Arc::new(Gate { rule: Arrivals::new(most), numbers, ledger, mail, clock, index })
        }
    }
}

/// What the coordinator does.
pub(crate) fn timeline(scenario: &ScenarioConfig, share: &Share) -> Timeline {
    let regular = regular(scenario, share);
    let graceful = scenario.graceful_stop.to_std();
    let Vus { first, most } = vus(scenario, share);
    // A part without VUs has nothing to do.
    if most == 0 {
        return Box::new(std::iter::empty());
    }
    let nanos = |duration: GoDuration| unsigned(duration.as_nanos());
    match &scenario.executor {
        ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down } => {
            ramping(scenario, share, *start_vus, stages, *graceful_ramp_down, false)
        }
        ExecutorConfig::ConstantArrivalRate { rate, time_unit, .. } => {
            let (rate, unit) = (unsigned(rate.unwrap_or(0)), nanos(*time_unit));
            let end = nanos(scenario.executor.regular_duration());
            let due = schedule::constant(rate, unit, end, &dealt(scenario, share).0);
            timeline::arriving(first, due, regular, graceful)
        }
        ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, .. } => {
            let (rate, unit) = (unsigned(*start_rate), nanos(*time_unit));
            let due = schedule::ramping(rate, unit, stages, &dealt(scenario, share).0);
            timeline::arriving(first, due, regular, graceful)
        }
        _ => timeline::looping(most, regular, graceful),
    }
}

/// Time after which no iteration starts here.
fn regular(scenario: &ScenarioConfig, share: &Share) -> Duration {
    let whole = scenario.executor.regular_duration().to_std();
    let ExecutorConfig::RampingVus { start_vus, stages, .. } = &scenario.executor else { return whole };
    // The part of a line may reach zero for good before the whole does.
    let mut wanted = share.scale(unsigned(*start_vus));
    let mut zero = Duration::ZERO;
    for crossing in ramp::crossings(unsigned(*start_vus), stages) {
        if share.stripes().rank(crossing.vu).is_some() {
            wanted = if crossing.up { wanted + 1 } else { wanted - 1 };
            zero = Duration::from_nanos(crossing.at);
        }
    }
    if wanted == 0 { zero } else { whole }
}

fn ramping(
    scenario: &ScenarioConfig,
    share: &Share,
    start: i64,
    stages: &[StageConfig],
    ramp_down: GoDuration,
    with_last: bool,
) -> Timeline {
    Ramping {
        start: unsigned(start),
        stages,
        regular: regular(scenario, share),
        ramp_down: ramp_down.to_std(),
        over: scenario.executor.regular_duration().to_std() + scenario.graceful_stop.to_std(),
        stripes: share.stripes(),
        with_last,
    }
    .timeline()
}

/// The steps that say how many VUs are needed when, of `vus` VUs.
pub(crate) fn reservation(scenario: &ScenarioConfig, share: &Share, vus: usize) -> Timeline {
    match &scenario.executor {
        ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down } => {
            ramping(scenario, share, *start_vus, stages, *graceful_ramp_down, true)
        }
        _ => {
            let regular = scenario.executor.regular_duration().to_std();
            timeline::looping(vus, regular, scenario.graceful_stop.to_std())
        }
    }
}

/// How many VUs this instance has of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vus {
    /// Made before the run; for looping executors all of them.
    pub(crate) first: usize,
    /// Together with those made when they are needed.
    pub(crate) most: usize,
}

pub(crate) fn vus(scenario: &ScenarioConfig, share: &Share) -> Vus {
    let own = |vus: usize| usize::try_from(share.scale(vus as u64)).unwrap_or(usize::MAX);
    let (first, most) = (scenario.executor.first_vus(), scenario.executor.max_vus());
    Vus { first: own(first), most: own(most) }
}

/// Which iterations this instance runs, and, if their number is given, how many.
pub(crate) fn dealt(scenario: &ScenarioConfig, share: &Share) -> (Stripes, u64) {
    match scenario.executor {
        ExecutorConfig::SharedIterations { vus, iterations, .. } => {
            let (stripes, ..) = share.weighted(unsigned(vus));
            let own = stripes.count(unsigned(iterations));
            (stripes, own)
        }
        ExecutorConfig::ConstantArrivalRate { .. } | ExecutorConfig::RampingArrivalRate { .. } => {
            (share.weighted(scenario.executor.max_vus() as u64).0, 0)
        }
        _ => (share.stripes().clone(), 0),
    }
}

/// Nonsense counts as none.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
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
    fn next(&self, vu: usize) -> Next {
        // Who was given an iteration that was due in time begins it even if the time is over by now.
        if self.ledger.is_closed() && (self.ledger.is_cut() || !self.rule.waits()) {
            return Next::Stop;
        }
        match self.rule.take(vu, &self.ledger.counts.started) {
            Take::Number { number, due } => {
                Next::Run(Iteration { in_instance: number, in_test: self.numbers.nth(number), due })
            }
            Take::Wait if self.ledger.is_closed() => Next::Stop,
            Take::Wait => Next::Wait,
            Take::Stop => Next::Stop,
        }
    }

    fn ended(&self, vu: usize, outcome: Outcome) {
        let count = match outcome {
            Outcome::Complete | Outcome::Failed => &self.ledger.counts.complete,
            Outcome::Interrupted => &self.ledger.counts.interrupted,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.rule.ended(vu);
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

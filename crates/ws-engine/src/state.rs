//! The state of a run that everybody may read at any time.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::event::{Phase, ScenarioSnapshot, ScenarioState, Snapshot};
use crate::executor::Executor;
use crate::plan::PlannedVus;
use crate::scenario::ScenarioConfig;

/// Written by the coordinator, read through [`Monitor`].
pub(crate) struct RunState {
    phase: AtomicU8,
    pub(crate) initialized: Arc<AtomicUsize>,
    pub(crate) planned: usize,
    pub(crate) started: OnceLock<Instant>,
    pub(crate) ended: OnceLock<Instant>,
    pub(crate) scenarios_began: OnceLock<Instant>,
    pub(crate) scenarios_ended: OnceLock<Instant>,
    pub(crate) scenarios: Vec<ScenarioView>,
}

/// What is read of one scenario.
pub(crate) struct ScenarioView {
    pub(crate) name: Arc<str>,
    pub(crate) kind: &'static str,
    pub(crate) vus: usize,
    pub(crate) start_time: Duration,
    pub(crate) executor: Arc<dyn Executor>,
}

const PHASES: [Phase; 6] =
    [Phase::Created, Phase::InitVus, Phase::Setup, Phase::Running, Phase::Teardown, Phase::Ended];

impl RunState {
    pub(crate) fn new(planned: usize, scenarios: Vec<ScenarioView>) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Created as u8),
            initialized: Arc::default(),
            planned,
            started: OnceLock::new(),
            ended: OnceLock::new(),
            scenarios_began: OnceLock::new(),
            scenarios_ended: OnceLock::new(),
            scenarios,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        PHASES[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    pub(crate) fn active(&self) -> usize {
        self.scenarios.iter().map(|s| s.executor.rule().busy(s.executor.ledger())).sum()
    }

    pub(crate) fn initialized(&self) -> usize {
        self.initialized.load(Ordering::Relaxed)
    }

    pub(crate) fn complete(&self) -> u64 {
        self.scenarios.iter().map(|s| s.executor.ledger().complete()).sum()
    }

    pub(crate) fn interrupted(&self) -> u64 {
        self.scenarios.iter().map(|s| s.executor.ledger().interrupted()).sum()
    }

    pub(crate) fn run_time(&self, now: Instant) -> Duration {
        span(&self.started, &self.ended, now)
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        Snapshot {
            phase: self.phase(),
            run_time: self.run_time(now),
            scenario_time: span(&self.scenarios_began, &self.scenarios_ended, now),
            vus_active: self.active(),
            vus_initialized: self.initialized(),
            vus_planned: self.planned,
            complete: self.complete(),
            interrupted: self.interrupted(),
            scenarios: self.scenarios.iter().map(|s| self.scenario(s, now)).collect(),
        }
    }

    fn scenario(&self, view: &ScenarioView, now: Instant) -> ScenarioSnapshot {
        let (ledger, rule) = (view.executor.ledger(), view.executor.rule());
        let complete = ledger.complete();
        let state = if ledger.ended() {
            if rule.fulfilled(complete, ledger.timed_out()) {
                ScenarioState::Done
            } else {
                ScenarioState::Interrupted
            }
        } else if ledger.began().is_none() {
            ScenarioState::Waiting
        } else if ledger.is_closed() {
            ScenarioState::Stopping
        } else {
            ScenarioState::Running
        };
        let waited = span(&self.scenarios_began, &self.scenarios_ended, now);
        let starts_in = match state {
            ScenarioState::Waiting => view.start_time.saturating_sub(waited),
            _ => Duration::ZERO,
        };
        ScenarioSnapshot {
            name: Arc::clone(&view.name),
            executor: view.kind,
            state,
            starts_in,
            elapsed: ledger.elapsed(now),
            duration: ledger.regular(),
            progress: rule.progress(complete, ledger.time_share(now)),
            vus_active: rule.busy(ledger),
            vus_present: ledger.present(),
            vus_planned: view.vus,
            complete,
            interrupted: ledger.interrupted(),
            total: rule.total(),
        }
    }
}

impl ScenarioView {
    pub(crate) fn new(config: &ScenarioConfig, vus: PlannedVus, executor: Arc<dyn Executor>) -> Self {
        Self {
            name: config.name.as_str().into(),
            kind: config.executor.type_name(),
            vus: vus.most,
            start_time: config.start_time.to_std(),
            executor,
        }
    }
}

fn span(from: &OnceLock<Instant>, to: &OnceLock<Instant>, now: Instant) -> Duration {
    let end = to.get().copied().unwrap_or(now);
    from.get().map_or(Duration::ZERO, |from| end.saturating_duration_since(*from))
}

/// Reads a run from any thread, before, during and after it. Cheap to clone.
#[derive(Clone)]
pub struct Monitor {
    state: Arc<RunState>,
    clock: Arc<dyn Clock>,
}

impl Monitor {
    pub(crate) fn new(state: Arc<RunState>, clock: Arc<dyn Clock>) -> Self {
        Self { state, clock }
    }

    /// Everything at this moment. The counts are read one by one, so they may differ by what happens meanwhile.
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot(self.clock.now())
    }

    /// Where the run is.
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// VUs in their loop.
    pub fn vus_active(&self) -> usize {
        self.state.active()
    }

    /// VUs initialised.
    pub fn vus_initialized(&self) -> usize {
        self.state.initialized()
    }

    /// Iterations that ended by themselves.
    pub fn iterations_completed(&self) -> u64 {
        self.state.complete()
    }

    /// Iterations that were cut off.
    pub fn iterations_interrupted(&self) -> u64 {
        self.state.interrupted()
    }

    /// Time since just before `setup`, until the end of `teardown`; zero before.
    pub fn run_time(&self) -> Duration {
        self.state.run_time(self.clock.now())
    }
}

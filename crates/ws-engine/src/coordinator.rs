//! The run from end to end: VUs, `setup`, scenarios, `teardown`; seconds, signals and limits in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::control::{Cause, Control};
use crate::event::{Phase, RunEvent, Snapshot};
use crate::executor;
use crate::mailbox::{Mailbox, Note};
use crate::patience::Patience;
use crate::phases::{InitDone, PhaseDone, PhaseError, Phases, VuDone};
use crate::plan::Plan;
use crate::samples::Recorder;
use crate::segment::Share;
use crate::stage::{Happened, Part, Stage};
use crate::state::{Monitor, RunState, ScenarioView};
use crate::vu::Vu;

/// What a run does apart from its scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunConfig {
    /// Time limit of `setup()`; `None` if there is none to run.
    pub setup: Option<Duration>,
    /// Time limit of `teardown()`; `None` if there is none to run.
    pub teardown: Option<Duration>,
    /// Time between two [`RunEvent::Progress`], or `None` for none.
    pub progress_every: Option<Duration>,
}

/// How a run went.
#[derive(Debug)]
pub struct RunOutcome {
    /// The first reason to end before the plan was done, or the failure of `teardown`; `None` for a regular run.
    pub cause: Option<Cause>,
    /// Time from just before `setup` until after `teardown`.
    pub run_time: Duration,
    /// The end state.
    pub snapshot: Snapshot,
    /// A script that was told to stop went on, and was not waited for any longer.
    pub gave_up: bool,
}

/// Conducts one run on the caller's thread.
///
/// It owns no VU's loop: it activates VUs, closes the gate that hands them iterations, and interrupts them. All it
/// hears arrives in one mailbox, and all its waiting goes through the [`Clock`].
pub struct Coordinator {
    config: RunConfig,
    clock: Arc<dyn Clock>,
    mail: Mailbox,
    state: Arc<RunState>,
    parts: Vec<Part>,
    share: Share,
    /// VUs that may be made during the run.
    spare: usize,
}

impl Coordinator {
    /// Prepares the run of a plan.
    pub fn new(plan: Plan, config: RunConfig, clock: Arc<dyn Clock>) -> Self {
        let mail = Mailbox::default();
        let (planned, possible) = (plan.max_vus(), plan.max_possible_vus());
        let parts: Vec<Part> = plan
            .scenarios()
            .iter()
            // A part of a test may have no VU of a scenario, and so nothing to do for it.
            .filter(|scenario| plan.vus_of(scenario).most > 0)
            .enumerate()
            .map(|(index, scenario)| {
                let executor = executor::build(scenario, plan.share(), index, &mail, &clock);
                let timeline = executor::timeline(scenario, plan.share());
                Part { config: scenario.clone(), executor, timeline }
            })
            .collect();
        let views = parts
            .iter()
            .map(|part| {
                ScenarioView::new(&part.config, plan.vus_of(&part.config), Arc::clone(&part.executor))
            })
            .collect();
        let state = Arc::new(RunState::new(planned, views));
        Self { config, clock, mail, state, parts, share: plan.share().clone(), spare: possible - planned }
    }

    /// A handle to end the run early.
    pub fn control(&self) -> Control {
        Control::new(self.mail.clone())
    }

    /// A handle to read the run's state.
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.state), Arc::clone(&self.clock))
    }

    /// Runs to the end and blocks until then. `events` is called on this thread and should return soon.
    pub fn run(
        self,
        phases: &mut dyn Phases,
        recorder: &mut dyn Recorder,
        events: &mut dyn FnMut(RunEvent<'_>),
    ) -> RunOutcome {
        let Self { config, clock, mail, state, parts, share, spare } = self;
        let begin = clock.now();
        let mut run = Run {
            next_sample: begin + SAMPLE_EVERY,
            progress: config.progress_every.map(|every| (every, begin + every)),
            clock: clock.as_ref(),
            mail: &mail,
            state: &state,
            phases,
            recorder,
            events,
            cause: None,
            gave_up: false,
            crashed: false,
            nursery: Nursery { spare, waiting: VecDeque::new(), busy: None, made: 0 },
        };
        if let Some(vus) = run.init_vus() {
            run.start();
            if run.setup(config.setup) {
                run.scenarios(vus, parts, share);
                if !run.crashed {
                    run.teardown(config.teardown);
                }
            }
        }
        run.end()
    }
}

const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// A run in progress.
struct Run<'a> {
    clock: &'a dyn Clock,
    mail: &'a Mailbox,
    state: &'a RunState,
    phases: &'a mut dyn Phases,
    recorder: &'a mut dyn Recorder,
    events: &'a mut dyn FnMut(RunEvent<'_>),
    next_sample: Instant,
    progress: Option<(Duration, Instant)>,
    cause: Option<Cause>,
    gave_up: bool,
    /// The cause is [`Cause::Crashed`].
    crashed: bool,
    nursery: Nursery,
}

/// VUs that are made during the run, one at a time.
struct Nursery {
    /// How many may still be made.
    spare: usize,
    /// Scenarios that want one.
    waiting: VecDeque<usize>,
    /// The scenario for which one is being made.
    busy: Option<usize>,
    /// VUs there are, including the one being made.
    made: usize,
}

/// Why the coordinator woke up.
enum Wake {
    Note(Note),
    Deadline,
}

impl Run<'_> {
    fn init_vus(&mut self) -> Option<Vec<Arc<dyn Vu>>> {
        self.enter(Phase::InitVus);
        let done = InitDone::new(self.mail.clone(), Arc::clone(&self.state.initialized));
        self.phases.init_vus(self.state.planned, done);
        let mut told = None;
        let mut patience = Patience::default();
        let result = loop {
            match self.next(told.map(|told| patience.due(told))) {
                Wake::Note(Note::Initialized(result)) => break result,
                Wake::Note(Note::Stop(cause)) => {
                    self.stop(cause);
                    self.phases.interrupt();
                    told = told.or(Some(self.clock.now()));
                    if self.crashed {
                        return None;
                    }
                }
                Wake::Deadline => {
                    if told.is_some_and(|told| self.gives_up(&mut patience, told)) {
                        return None;
                    }
                }
                // A phase that is not running or a VU that was never activated has nothing to say.
                Wake::Note(Note::Stopped { .. } | Note::PhaseDone(_) | Note::VuMade(_)) => {}
            }
        };
        match result {
            Ok(vus) if self.cause.is_none() => return Some(vus),
            Ok(_) => {}
            Err(error) => self.stop(Cause::InitFailed(error)),
        }
        None
    }

    fn start(&mut self) {
        let now = self.clock.now();
        let _ = self.state.started.set(now);
        (self.events)(RunEvent::Started(now));
    }

    /// Whether the run may go on: a `setup` that failed leaves nothing to do, not even `teardown`.
    fn setup(&mut self, limit: Option<Duration>) -> bool {
        let Some(limit) = limit else { return true };
        self.enter(Phase::Setup);
        self.phases.setup(PhaseDone::new(self.mail.clone()));
        self.await_phase(limit, true, Cause::SetupTimeout, Cause::SetupFailed)
    }

    fn scenarios(&mut self, vus: Vec<Arc<dyn Vu>>, parts: Vec<Part>, share: Share) {
        self.enter(Phase::Running);
        let origin = self.clock.now();
        let _ = self.state.scenarios_began.set(origin);
        self.nursery.made = vus.len();
        let mut stage = Stage::new(vus, parts, share, origin);
        let mut happened = Vec::new();
        if self.cause.is_some() {
            stage.abort(origin, &mut happened);
        }
        let mut patience = Patience::default();
        while !stage.is_over() && !self.crashed {
            let look = stage.waits_since().map(|told| patience.due(told));
            match self.next([stage.next_due(), look].into_iter().flatten().min()) {
                Wake::Deadline => {
                    let now = self.clock.now();
                    stage.advance(now, &mut happened);
                    if let Some(told) = stage.waits_since()
                        && patience.due(told) <= now
                        && self.gives_up(&mut patience, told)
                    {
                        stage.give_up(now, &mut happened);
                    }
                }
                Wake::Note(Note::Stopped { scenario, slot }) => {
                    stage.stopped(scenario, slot, self.clock.now(), &mut happened);
                }
                Wake::Note(Note::Stop(cause)) => {
                    self.stop(cause);
                    stage.abort(self.clock.now(), &mut happened);
                }
                Wake::Note(Note::VuMade(result)) => {
                    if let Some(scenario) = self.nursery.busy.take() {
                        stage.grow(scenario, self.made(scenario, result));
                    }
                }
                Wake::Note(Note::PhaseDone(_) | Note::Initialized(_)) => {}
            }
            for what in happened.drain(..) {
                self.tell(what);
            }
            self.make_vus(&mut stage);
            self.recorder.hand_over();
        }
        let _ = self.state.scenarios_ended.set(self.clock.now());
    }

    fn teardown(&mut self, limit: Option<Duration>) {
        let Some(limit) = limit else { return };
        self.enter(Phase::Teardown);
        self.phases.teardown(PhaseDone::new(self.mail.clone()));
        // A signal does not cut teardown: it is there to clean up after one.
        self.await_phase(limit, false, Cause::TeardownTimeout, Cause::TeardownFailed);
    }

    fn end(mut self) -> RunOutcome {
        let now = self.clock.now();
        let _ = self.state.ended.set(now);
        self.enter(Phase::Ended);
        let snapshot = self.state.snapshot(now);
        RunOutcome { cause: self.cause, run_time: snapshot.run_time, snapshot, gave_up: self.gave_up }
    }

    /// Waits for `setup` or `teardown`; says whether it succeeded in time.
    fn await_phase(
        &mut self,
        limit: Duration,
        can_be_stopped: bool,
        timeout: fn(Duration) -> Cause,
        failure: fn(PhaseError) -> Cause,
    ) -> bool {
        let mut deadline = self.clock.now().checked_add(limit);
        let mut in_time = true;
        let mut told = None;
        let mut patience = Patience::default();
        loop {
            let look = told.map(|told| patience.due(told));
            match self.next([deadline, look].into_iter().flatten().min()) {
                Wake::Deadline if deadline.is_some_and(|deadline| deadline <= self.clock.now()) => {
                    // What it reports after this interruption does not matter any more.
                    (deadline, in_time) = (None, false);
                    self.stop(timeout(limit));
                    self.phases.interrupt();
                    told = told.or(Some(self.clock.now()));
                }
                Wake::Deadline => {
                    if told.is_some_and(|told| self.gives_up(&mut patience, told)) {
                        return false;
                    }
                }
                Wake::Note(Note::Stop(cause)) => {
                    self.stop(cause);
                    if self.crashed {
                        return false;
                    }
                    if can_be_stopped {
                        self.phases.interrupt();
                        told = told.or(Some(self.clock.now()));
                    }
                }
                Wake::Note(Note::PhaseDone(Ok(()))) => return in_time,
                Wake::Note(Note::PhaseDone(Err(error))) => {
                    self.stop(failure(error));
                    return false;
                }
                Wake::Note(Note::Stopped { .. } | Note::Initialized(_) | Note::VuMade(_)) => {}
            }
        }
    }

    /// The next note, or the deadline. Seconds are counted and progress is shown meanwhile.
    fn next(&mut self, deadline: Option<Instant>) -> Wake {
        loop {
            let now = self.clock.now();
            self.sample(now);
            self.show(now);
            // Before the notes: a flood of them must not hold up what is due.
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Wake::Deadline;
            }
            if let Some(note) = self.mail.pop() {
                return Wake::Note(note);
            }
            let redraw = self.progress.map(|(_, at)| at);
            let until = [Some(self.next_sample), redraw, deadline].into_iter().flatten().min();
            self.clock.wait(self.mail.bell(), until);
        }
    }

    fn sample(&mut self, now: Instant) {
        if now < self.next_sample {
            return;
        }
        while self.next_sample <= now {
            self.next_sample += SAMPLE_EVERY;
        }
        // What is left of an aborted run is no load any more; k6 does not count it either.
        if self.cause.is_none() {
            self.recorder.vus(now, self.state.active(), self.state.initialized());
            self.recorder.hand_over();
        }
    }

    fn show(&mut self, now: Instant) {
        let Some((every, at)) = &mut self.progress else { return };
        if now < *at {
            return;
        }
        // Not `at + every`: a terminal that was slow once need not be redrawn several times.
        *at = now + *every;
        (self.events)(RunEvent::Progress(&self.state.snapshot(now)));
    }

    /// Whether to wait no longer for what was told to stop at `told`.
    fn gives_up(&mut self, patience: &mut Patience, told: Instant) -> bool {
        let now = self.clock.now();
        let is_over = patience.is_over(told, now, || self.phases.is_stuck());
        if is_over {
            self.phases.abandon();
            self.gave_up = true;
        }
        is_over
    }

    fn stop(&mut self, cause: Cause) {
        let crashes = matches!(cause, Cause::Crashed(_)) && !self.crashed;
        if crashes {
            self.crashed = true;
            self.phases.abandon();
        }
        if self.cause.is_none() || crashes {
            (self.events)(RunEvent::Stopping(&cause));
            self.cause = Some(cause);
        }
    }

    fn tell(&mut self, what: Happened) {
        let name = |scenario: usize| self.state.scenarios[scenario].name.as_ref();
        match what {
            Happened::Started { scenario } => (self.events)(RunEvent::ScenarioStarted(name(scenario))),
            Happened::Ended { scenario } => (self.events)(RunEvent::ScenarioEnded(name(scenario))),
            Happened::Dropped { scenario, vu, count } => {
                self.recorder.dropped(self.clock.now(), name(scenario), vu, count);
            }
            Happened::WantsVu { scenario } => self.nursery.waiting.push_back(scenario),
            Happened::Insufficient { scenario } => {
                let view = &self.state.scenarios[scenario];
                let active = view.executor.rule().busy(view.executor.ledger());
                let (scenario, executor) = (view.name.as_ref(), view.kind);
                (self.events)(RunEvent::InsufficientVus { scenario, executor, active });
            }
        }
    }

    /// Begins to make a VU if a scenario wants one and none is being made.
    fn make_vus(&mut self, stage: &mut Stage) {
        while self.nursery.busy.is_none()
            && let Some(scenario) = self.nursery.waiting.pop_front()
        {
            if self.nursery.spare == 0 {
                stage.grow(scenario, None);
                continue;
            }
            self.nursery.spare -= 1;
            self.nursery.made += 1;
            self.nursery.busy = Some(scenario);
            self.phases.add_vu(self.nursery.made, VuDone::new(self.mail.clone()));
        }
    }

    /// A VU has been made, or not: then the run goes on without.
    fn made(&mut self, scenario: usize, result: Result<Arc<dyn Vu>, PhaseError>) -> Option<Arc<dyn Vu>> {
        match result {
            Ok(vu) => {
                self.state.initialized.fetch_add(1, Ordering::Relaxed);
                Some(vu)
            }
            Err(error) => {
                let view = &self.state.scenarios[scenario];
                let (scenario, executor) = (view.name.as_ref(), view.kind);
                (self.events)(RunEvent::VuFailed { scenario, executor, error: &error });
                self.nursery.made -= 1;
                None
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.state.set_phase(phase);
        (self.events)(RunEvent::Phase(phase));
    }
}

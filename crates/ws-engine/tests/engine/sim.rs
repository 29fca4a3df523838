//! A world without wall time: a clock, VUs, a script, and a log of what happened when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ws_engine::duration::GoDuration;
use ws_engine::{
    Activation, Bell, Clock, Control, Coordinator, ExecutorConfig, InitDone, Monitor, Next, Outcome,
    PhaseDone, Phases, Plan, Recorder, RunConfig, RunEvent, RunOutcome, ScenarioConfig, Share, Vu, VuDone,
};

/// A span from text, for readable tests.
pub(crate) fn t(text: &str) -> Duration {
    GoDuration::parse(text).unwrap().to_std()
}

type Happening = Box<dyn FnOnce() + Send>;

/// Simulated time and what is due in it.
pub(crate) struct World {
    origin: Instant,
    now: AtomicU64,
    due: Mutex<Agenda>,
}

#[derive(Default)]
struct Agenda {
    order: BinaryHeap<Reverse<(u64, usize)>>,
    happenings: Vec<Option<Happening>>,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self { origin: Instant::now(), now: AtomicU64::new(0), due: Mutex::default() })
    }

    /// Time since the beginning.
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.load(Ordering::Relaxed))
    }

    fn after(&self, delay: Duration, happening: impl FnOnce() + Send + 'static) {
        let at = (self.elapsed() + delay).as_nanos() as u64;
        let mut due = self.due.lock().unwrap();
        let id = due.happenings.len();
        due.order.push(Reverse((at, id)));
        due.happenings.push(Some(Box::new(happening)));
    }

    /// The next happening not later than `until`, with the clock moved to it.
    fn take_due(&self, until: Option<u64>) -> Option<Happening> {
        let mut due = self.due.lock().unwrap();
        let Reverse((at, id)) = *due.order.peek()?;
        if until.is_some_and(|until| at > until) {
            return None;
        }
        due.order.pop();
        // A stall may have moved it beyond.
        self.now.fetch_max(at, Ordering::Relaxed);
        due.happenings[id].take()
    }
}

impl Clock for World {
    fn now(&self) -> Instant {
        self.origin + self.elapsed()
    }

    fn wait(&self, bell: &Bell, until: Option<Instant>) {
        if bell.take() {
            return;
        }
        let until = until.map(|until| until.duration_since(self.origin).as_nanos() as u64);
        match (self.take_due(until), until) {
            (Some(happening), _) => happening(),
            (None, Some(until)) => {
                self.now.fetch_max(until, Ordering::Relaxed);
            }
            (None, None) => panic!("nothing will ever happen again"),
        }
    }
}

/// How long iterations take, by VU number and iteration number; `None` ends only by interruption.
type Takes = dyn Fn(usize, u64) -> Option<Duration> + Send + Sync;

/// A VU whose iterations take simulated time.
struct FakeVu {
    number: usize,
    world: Arc<World>,
    takes: Arc<Takes>,
    /// Time between an interruption and its effect.
    lag: Duration,
    stops_twice: bool,
    log: Arc<Log>,
    current: Mutex<Option<Activation>>,
    waiting: AtomicBool,
    /// Tells a happening that its iteration is over already.
    turn: AtomicU64,
}

/// Handle to a fake VU; happenings need one of their own.
struct FakeVuHandle(Arc<FakeVu>);

impl FakeVu {
    fn step(self: &Arc<Self>) {
        let activation = self.current.lock().unwrap().clone().expect("an active VU");
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) + 1;
        let next = activation.work.next(activation.slot);
        self.waiting.store(next == Next::Wait, Ordering::Relaxed);
        let Next::Run(iteration) = next else {
            if next == Next::Wait {
                return;
            }
            *self.current.lock().unwrap() = None;
            activation.work.stopped(activation.slot);
            if self.stops_twice {
                activation.work.stopped(activation.slot);
            }
            return;
        };
        let late = iteration.due.map(|due| self.world.now().duration_since(due));
        self.log.lateness.lock().unwrap().extend(late);
        self.log.iterations.lock().unwrap().push((self.number, iteration.in_instance, self.world.elapsed()));
        if let Some(takes) = (self.takes)(self.number, iteration.in_instance) {
            let this = Arc::clone(self);
            self.world.after(takes, move || this.finish(turn, Outcome::Complete));
        }
    }

    fn finish(self: &Arc<Self>, turn: u64, outcome: Outcome) {
        if self.turn.load(Ordering::Relaxed) == turn {
            let activation = self.current.lock().unwrap().clone().expect("an active VU");
            activation.work.ended(activation.slot, outcome);
            self.step();
        }
    }
}

impl Vu for FakeVuHandle {
    fn activate(&self, activation: Activation) {
        let mut current = self.0.current.lock().unwrap();
        assert!(current.is_none(), "VU {} is activated twice", self.0.number);
        *current = Some(activation.clone());
        drop(current);
        self.0.log.activations.lock().unwrap().push(activation);
        self.0.step();
    }

    fn wake(&self) {
        if self.0.waiting.swap(false, Ordering::Relaxed) {
            self.0.step();
        }
    }

    fn interrupt(&self) {
        let this = Arc::clone(&self.0);
        let turn = this.turn.load(Ordering::Relaxed);
        if this.current.lock().unwrap().is_some() {
            let lag = this.lag;
            this.world.clone().after(lag, move || this.finish(turn, Outcome::Interrupted));
        }
    }
}

/// What a phase of the fake script does.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhaseScript {
    /// How long it takes; `None` ends only by interruption.
    pub(crate) takes: Option<Duration>,
    /// The exception it throws.
    pub(crate) throws: Option<&'static str>,
    /// Goes on when interrupted.
    pub(crate) deaf: bool,
}

impl PhaseScript {
    pub(crate) fn takes(text: &str) -> Self {
        Self { takes: Some(t(text)), ..Self::default() }
    }
}

/// The fake script. Its phases report once, by themselves or because of an interruption.
struct FakeScript {
    world: Arc<World>,
    init: PhaseScript,
    setup: PhaseScript,
    teardown: PhaseScript,
    vus: Vec<Arc<dyn Vu>>,
    /// How long a VU takes to be made during the run.
    late: PhaseScript,
    make_vu: Box<dyn Fn(usize) -> Arc<dyn Vu>>,
    running: Arc<Mutex<Option<PhaseReport>>>,
    deaf: Mutex<bool>,
    stuck: bool,
    log: Arc<Log>,
}

type PhaseReport = Box<dyn FnOnce(Result<(), &'static str>) + Send>;

impl FakeScript {
    fn begin(&self, script: &PhaseScript, report: PhaseReport) {
        *self.running.lock().unwrap() = Some(report);
        *self.deaf.lock().unwrap() = script.deaf;
        if let Some(takes) = script.takes {
            let (running, throws) = (Arc::clone(&self.running), script.throws);
            self.world.after(takes, move || {
                if let Some(report) = running.lock().unwrap().take() {
                    report(throws.map_or(Ok(()), Err));
                }
            });
        }
    }
}

impl Phases for FakeScript {
    fn init_vus(&mut self, count: usize, done: InitDone) {
        let vus: Vec<_> = self.vus.drain(..).take(count).collect();
        let report = move |result: Result<(), &'static str>| match result {
            Ok(()) => {
                vus.iter().for_each(|_| done.one());
                done.finish(Ok(vus));
            }
            Err(text) => done.finish(Err(text.into())),
        };
        self.begin(&self.init, Box::new(report));
    }

    fn add_vu(&mut self, number: usize, done: VuDone) {
        let (vu, throws) = ((self.make_vu)(number), self.late.throws);
        let takes = self.late.takes.expect("a VU is made some time");
        self.world.after(takes, move || done.finish(throws.map_or(Ok(vu), |text| Err(text.into()))));
    }

    fn setup(&mut self, done: PhaseDone) {
        self.begin(&self.setup, Box::new(move |result| done.finish(result.map_err(Into::into))));
    }

    fn teardown(&mut self, done: PhaseDone) {
        self.begin(&self.teardown, Box::new(move |result| done.finish(result.map_err(Into::into))));
    }

    fn interrupt(&mut self) {
        if *self.deaf.lock().unwrap() {
            return;
        }
        if let Some(report) = self.running.lock().unwrap().take() {
            report(Err("interrupted"));
        }
    }

    fn is_stuck(&mut self) -> bool {
        self.stuck
    }

    fn abandon(&mut self) {
        self.running.lock().unwrap().take();
        self.log.events.lock().unwrap().push(format!("{} abandoned", GoDuration::from(self.world.elapsed())));
    }
}

#[derive(Default)]
struct Log {
    activations: Mutex<Vec<Activation>>,
    /// VU number, number of the iteration in its scenario, start.
    iterations: Mutex<Vec<(usize, u64, Duration)>>,
    /// How late iterations began that were due.
    lateness: Mutex<Vec<Duration>>,
    events: Mutex<Vec<String>>,
    samples: Mutex<Vec<String>>,
}

struct LogRecorder {
    world: Arc<World>,
    log: Arc<Log>,
    /// Samples that have not been handed over.
    kept: Vec<String>,
}

impl LogRecorder {
    fn note(&mut self, at: Instant, text: String) {
        assert_eq!(at, self.world.now(), "samples carry the time they were made at");
        let time = GoDuration::from(self.world.elapsed());
        self.kept.push(format!("{time} {text}"));
    }
}

impl Recorder for LogRecorder {
    fn vus(&mut self, at: Instant, active: usize, initialized: usize) {
        self.note(at, format!("vus {active}/{initialized}"));
    }

    fn dropped(&mut self, at: Instant, scenario: &str, vu: Option<usize>, count: u64) {
        let of = vu.map_or(String::new(), |vu| format!(" of VU {vu}"));
        self.note(at, format!("dropped {count} of {scenario}{of}"));
    }

    fn hand_over(&mut self) {
        self.log.samples.lock().unwrap().append(&mut self.kept);
    }
}

type Visit = Box<dyn FnOnce(&Control, &Monitor) + Send>;

/// A run to be.
pub(crate) struct Sim {
    pub(crate) config: RunConfig,
    pub(crate) init: PhaseScript,
    pub(crate) setup: PhaseScript,
    pub(crate) teardown: PhaseScript,
    /// How long a VU takes to be made during the run.
    pub(crate) late: PhaseScript,
    /// Time between an interruption of a VU and its effect.
    pub(crate) lag: Duration,
    /// VUs that say that they stopped say it again.
    pub(crate) stops_twice: bool,
    /// What is told to stop and does not is said to be beyond help.
    pub(crate) stuck: bool,
    /// When nothing of the engine runs, and for how long, as if the process were stopped.
    pub(crate) stall: Option<(Duration, Duration)>,
    takes: Arc<Takes>,
    visits: Vec<(Duration, Visit)>,
}

/// A run that was.
pub(crate) struct Story {
    pub(crate) activations: Vec<Activation>,
    pub(crate) outcome: RunOutcome,
    /// VU number, number of the iteration in its scenario, start.
    pub(crate) iterations: Vec<(usize, u64, Duration)>,
    /// How late iterations began that were due.
    pub(crate) lateness: Vec<Duration>,
    pub(crate) events: Vec<String>,
    pub(crate) samples: Vec<String>,
}

impl Sim {
    /// A run whose iterations take as long as this, whose phases take no time, and without `setup` and `teardown`.
    pub(crate) fn new(takes: impl Fn(usize, u64) -> Option<Duration> + Send + Sync + 'static) -> Self {
        let at_once = PhaseScript::takes("0s");
        Self {
            config: RunConfig { setup: None, teardown: None, progress_every: None },
            init: at_once.clone(),
            setup: at_once.clone(),
            teardown: at_once.clone(),
            late: at_once,
            lag: Duration::ZERO,
            stops_twice: false,
            stall: None,
            stuck: false,
            takes: Arc::new(takes),
            visits: Vec::new(),
        }
    }

    /// Calls `visit` at this time from the beginning of the run.
    pub(crate) fn at(mut self, time: &str, visit: impl FnOnce(&Control, &Monitor) + Send + 'static) -> Self {
        self.visits.push((t(time), Box::new(visit)));
        self
    }

    pub(crate) fn run(self, scenarios: Vec<ScenarioConfig>) -> Story {
        self.run_share(scenarios, Share::whole())
    }

    /// Runs a part of a test that several instances share.
    pub(crate) fn run_share(self, scenarios: Vec<ScenarioConfig>, share: Share) -> Story {
        let plan = Plan::new(scenarios, |_| true).expect("a valid plan").shared(share);
        let (world, log) = (World::new(), Arc::new(Log::default()));
        let make_vu = {
            let (world, log, takes) = (Arc::clone(&world), Arc::clone(&log), Arc::clone(&self.takes));
            let (lag, stops_twice) = (self.lag, self.stops_twice);
            move |number| {
                Arc::new(FakeVuHandle(Arc::new(FakeVu {
                    number,
                    world: Arc::clone(&world),
                    takes: Arc::clone(&takes),
                    lag,
                    stops_twice,
                    log: Arc::clone(&log),
                    current: Mutex::default(),
                    waiting: AtomicBool::new(false),
                    turn: AtomicU64::new(0),
                }))) as Arc<dyn Vu>
            }
        };
        let vus = (1..=plan.max_vus()).map(&make_vu).collect();
        let mut script = FakeScript {
            world: Arc::clone(&world),
            init: self.init,
            setup: self.setup,
            teardown: self.teardown,
            vus,
            late: self.late,
            make_vu: Box::new(make_vu),
            running: Arc::default(),
            deaf: Mutex::default(),
            stuck: self.stuck,
            log: Arc::clone(&log),
        };
        let coordinator = Coordinator::new(plan, self.config, world.clone());
        if let Some((at, length)) = self.stall {
            let stalled = Arc::clone(&world);
            world.after(at, move || {
                stalled.now.fetch_add(length.as_nanos() as u64, Ordering::Relaxed);
            });
        }
        for (time, visit) in self.visits {
            let (control, monitor) = (coordinator.control(), coordinator.monitor());
            world.after(time, move || visit(&control, &monitor));
        }
        let mut recorder = LogRecorder { world: Arc::clone(&world), log: Arc::clone(&log), kept: Vec::new() };
        let note_event = |event: RunEvent<'_>| {
            let text = match event {
                RunEvent::Phase(phase) => format!("{phase:?}"),
                RunEvent::Started(at) => {
                    assert_eq!(at, world.now());
                    "run time starts".to_owned()
                }
                RunEvent::ScenarioStarted(name) => format!("{name} started"),
                RunEvent::ScenarioEnded(name) => format!("{name} ended"),
                RunEvent::Stopping(cause) => format!("stopping: {cause}"),
                RunEvent::InsufficientVus { scenario, active, .. } => {
                    format!("{scenario} lacks VUs at {active}")
                }
                RunEvent::VuFailed { scenario, error, .. } => format!("{scenario} gets no VU: {error}"),
                RunEvent::Progress(snapshot) => format!("{} complete", snapshot.complete),
                other => panic!("unexpected event {other:?}"),
            };
            log.events.lock().unwrap().push(format!("{} {text}", GoDuration::from(world.elapsed())));
        };
        let outcome = coordinator.run(&mut script, &mut recorder, &mut { note_event });
        let take = |list: &Mutex<Vec<String>>| std::mem::take(&mut *list.lock().unwrap());
        let iterations = std::mem::take(&mut *log.iterations.lock().unwrap());
        let activations = std::mem::take(&mut *log.activations.lock().unwrap());
        let lateness = std::mem::take(&mut *log.lateness.lock().unwrap());
        Story {
            outcome,
            activations,
            iterations,
            lateness,
            events: take(&log.events),
            samples: take(&log.samples),
        }
    }
}

impl Story {
    /// Complete and interrupted iterations.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.outcome.snapshot.complete, self.outcome.snapshot.interrupted)
    }

    pub(crate) fn run_time(&self) -> String {
        GoDuration::from(self.outcome.run_time).to_string()
    }

    pub(crate) fn cause(&self) -> Option<String> {
        self.outcome.cause.as_ref().map(ToString::to_string)
    }

    /// Sum of the dropped iterations.
    pub(crate) fn dropped_total(&self) -> u64 {
        let count = |sample: &&str| sample.split(' ').nth(2).and_then(|n| n.parse::<u64>().ok()).unwrap();
        self.dropped().iter().map(count).sum()
    }

    pub(crate) fn dropped(&self) -> Vec<&str> {
        self.samples.iter().map(String::as_str).filter(|s| s.contains("dropped")).collect()
    }
}

fn span(text: &str) -> GoDuration {
    GoDuration::parse(text).unwrap()
}

pub(crate) fn shared(vus: i64, iterations: i64, max_duration: &str) -> ScenarioConfig {
    let max_duration = span(max_duration);
    ScenarioConfig::new("sh", ExecutorConfig::SharedIterations { vus, iterations, max_duration })
}

pub(crate) fn per_vu(vus: i64, iterations: i64, max_duration: &str) -> ScenarioConfig {
    let max_duration = span(max_duration);
    ScenarioConfig::new("pv", ExecutorConfig::PerVuIterations { vus, iterations, max_duration })
}

pub(crate) fn constant(vus: i64, duration: &str) -> ScenarioConfig {
    ScenarioConfig::new("cv", ExecutorConfig::ConstantVus { vus, duration: Some(span(duration)) })
}

/// The scenario with other times than the default ones.
pub(crate) fn timed(mut scenario: ScenarioConfig, start_time: &str, graceful_stop: &str) -> ScenarioConfig {
    scenario.start_time = span(start_time);
    scenario.graceful_stop = span(graceful_stop);
    scenario
}

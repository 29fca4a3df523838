//! A script that is a table of answers.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use ws_engine::{Activation, InitDone, Next, Outcome, PhaseDone, Phases, Vu, VuDone};
use ws_js::HoldUp;
use ws_metrics::{Metadata, SampleBuffer, TagSetId, builtin};

use crate::error::CliError;
use crate::exit::ExitCode;
use crate::host::{Host, Interrupter, LoadRequest, RunRequest, Running, Script, SummaryFailure};
use crate::summary::files::Files;

/// What a script does. The default exports `default`, which returns at once.
pub(super) struct Fake {
    pub(super) options: Value,
    pub(super) exports: Vec<(&'static str, bool)>,
    pub(super) setup: Setup,
    pub(super) iteration: Iteration,
    pub(super) summary: Summary,
    /// Told when the init stage runs, which then waits for the word to go on.
    pub(super) load: Option<(Sender<()>, Mutex<Receiver<()>>)>,
    /// The script that was loaded.
    pub(super) seen: Mutex<Option<Loaded>>,
    /// What `handleSummary()` was called with.
    pub(super) results: Arc<Mutex<Vec<(Value, Duration)>>>,
}

/// Source and environment of a script.
pub(super) type Loaded = (String, Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setup {
    Returns(Value),
    Throws,
    Hangs,
}

#[derive(Clone)]
pub(super) enum Summary {
    Answers(Result<Option<Files>, SummaryFailure>),
    /// Until it is interrupted; says when it begins.
    Hangs(Sender<()>),
}

#[derive(Clone)]
pub(super) enum Iteration {
    Returns,
    /// Until it is interrupted; says when it begins.
    Hangs(Sender<()>),
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            options: json!(null),
            exports: vec![("default", true)],
            setup: Setup::Returns(json!(null)),
            iteration: Iteration::Returns,
            summary: Summary::Answers(Ok(None)),
            load: None,
            seen: Mutex::new(None),
            results: Arc::default(),
        }
    }
}

impl Fake {
    pub(super) fn loaded(&self) -> Loaded {
        self.seen.lock().clone().expect("a script was loaded")
    }
}

impl Host for Fake {
    fn load(&self, request: LoadRequest) -> Result<Box<dyn Script>, CliError> {
        assert!(request.path.is_absolute());
        *self.seen.lock() = Some((request.source, request.env));
        if let Some((loading, release)) = &self.load {
            loading.send(()).unwrap();
            release.lock().recv().unwrap();
        }
        Ok(Box::new(FakeScript {
            options: self.options.clone(),
            exports: self.exports.iter().map(|(name, callable)| ((*name).to_owned(), *callable)).collect(),
            setup: self.setup.clone(),
            iteration: self.iteration.clone(),
            summary: self.summary.clone(),
            results: Arc::clone(&self.results),
        }))
    }
}

struct FakeScript {
    options: Value,
    exports: Vec<(String, bool)>,
    setup: Setup,
    iteration: Iteration,
    summary: Summary,
    results: Arc<Mutex<Vec<(Value, Duration)>>>,
}

impl Script for FakeScript {
    fn options(&self) -> Option<Value> {
        (!self.options.is_null()).then(|| self.options.clone())
    }

    fn exports(&self) -> Vec<(String, bool)> {
        self.exports.clone()
    }

    fn start(self: Box<Self>, request: RunRequest) -> Result<Box<dyn Running>, CliError> {
        Ok(Box::new(FakeRun {
            script: *self,
            request: Arc::new(request),
            waiting: None,
            cut: Arc::default(),
        }))
    }
}

struct FakeRun {
    script: FakeScript,
    request: Arc<RunRequest>,
    /// The phase that hangs.
    waiting: Option<PhaseDone>,
    /// `handleSummary()` was told to stop.
    cut: Arc<(Mutex<bool>, Condvar)>,
}

impl Phases for FakeRun {
    fn init_vus(&mut self, count: usize, done: InitDone) {
        let vu = || {
            done.one();
            Arc::new(FakeVu {
                iteration: self.script.iteration.clone(),
                request: Arc::clone(&self.request),
                interrupted: Arc::default(),
            }) as Arc<dyn Vu>
        };
        let vus = std::iter::repeat_with(vu).take(count).collect();
        done.finish(Ok(vus));
    }

    fn add_vu(&mut self, _number: usize, _done: VuDone) {
        panic!("no test has VUs that are made during the run");
    }

    fn setup(&mut self, done: PhaseDone) {
        match self.script.setup {
            Setup::Returns(_) => done.finish(Ok(())),
            Setup::Throws => {
                let error = CliError::new(ExitCode::ScriptException, "Error: bad setup")
                    .field("hint", "script exception");
                done.finish(Err(Box::new(error)));
            }
            Setup::Hangs => self.waiting = Some(done),
        }
    }

    fn teardown(&mut self, done: PhaseDone) {
        done.finish(Ok(()));
    }

    fn interrupt(&mut self) {
        if let Some(done) = self.waiting.take() {
            done.finish(Ok(()));
        }
    }
}

impl Running for FakeRun {
    fn setup_data(&self) -> Option<Value> {
        match &self.script.setup {
            Setup::Returns(data) if !data.is_null() => Some(data.clone()),
            _ => None,
        }
    }

    fn finish(&mut self) {}

    fn faults(&self) -> Vec<ws_js::Fault> {
        Vec::new()
    }

    fn hold_ups(&self) -> Vec<HoldUp> {
        Vec::new()
    }

    fn summary_interrupter(&self) -> Interrupter {
        let cut = Arc::clone(&self.cut);
        let interrupt = move || {
            *cut.0.lock() = true;
            cut.1.notify_all();
        };
        Interrupter { interrupt: Box::new(interrupt), abandon: Box::new(|| ()) }
    }

    fn handle_summary(&mut self, data: Value, limit: Duration) -> Result<Option<Files>, SummaryFailure> {
        self.script.results.lock().push((data, limit));
        match &self.script.summary {
            Summary::Answers(answer) => answer.clone(),
            Summary::Hangs(started) => {
                started.send(()).unwrap();
                self.cut.1.wait_while(&mut self.cut.0.lock(), |cut| !*cut);
                Err(SummaryFailure::NoAnswer("interrupted".to_owned()))
            }
        }
    }
}

struct FakeVu {
    iteration: Iteration,
    request: Arc<RunRequest>,
    interrupted: Arc<(Mutex<bool>, Condvar)>,
}

impl Vu for FakeVu {
    fn activate(&self, activation: Activation) {
        let (iteration, request) = (self.iteration.clone(), Arc::clone(&self.request));
        let interrupted = Arc::clone(&self.interrupted);
        std::thread::spawn(move || {
            let mut buffer = SampleBuffer::new(request.detail);
            while let Next::Run(_) = activation.work.next(activation.slot) {
                let outcome = match &iteration {
                    Iteration::Returns => Outcome::Complete,
                    Iteration::Hangs(started) => {
                        // Only some tests want to know.
                        let _ = started.send(());
                        let (flag, bell) = &*interrupted;
                        let mut flag = flag.lock();
                        bell.wait_while(&mut flag, |interrupted| !*interrupted);
                        Outcome::Interrupted
                    }
                };
                if outcome == Outcome::Complete {
                    let now = request.wall.at(std::time::Instant::now());
                    buffer.add(builtin::ITERATIONS, TagSetId::EMPTY, Metadata::EMPTY, now, 1.0);
                    buffer.add(builtin::ITERATION_DURATION, TagSetId::EMPTY, Metadata::EMPTY, now, 0.5);
                }
                activation.work.ended(activation.slot, outcome);
            }
            request.samples.send(buffer.take()).unwrap();
            activation.work.stopped(activation.slot);
        });
    }

    fn wake(&self) {}

    fn interrupt(&self) {
        let (flag, bell) = &*self.interrupted;
        *flag.lock() = true;
        bell.notify_all();
    }
}

//! The engine's VUs over ws-js: the only place where the two meet.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use ws_engine::{Activation, InitDone, PhaseDone, Phases, Vu, VuDone};
use ws_js::{
    Assignment, HoldUp, InitError, IterationOutcome, Limits, Log, Main, Phase, PhaseError, PlatformOptions,
    Record, RuntimeOptions, ScriptError, ScriptOptions, Settings, Summary, SummaryError,
};
use ws_loop::{Resolver, ResolverConfig};

use crate::descriptors;
use crate::error::CliError;
use crate::exit::ExitCode;
use crate::failpoint;
use crate::host::{Host, Interrupter, LoadRequest, RunRequest, Running, Script, SummaryFailure};
use crate::logging::{Level, Logger};
use crate::summary::files::Files;

/// How long servers may take after a run to read what was sent to them, and to close.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs scripts with ws-js.
pub(crate) struct Engine;

impl Host for Engine {
    fn load(&self, request: LoadRequest) -> Result<Box<dyn Script>, CliError> {
        ws_js::initialize(&PlatformOptions::default());
        let main = Main::from_source(Path::new(&request.path), request.source)
            .map_err(|error| CliError::generic(error.to_string()))?;
        let script = ws_js::Script::load(ScriptOptions {
            main,
            env: request.env.into_iter().collect(),
            mode: request.mode,
            registry: request.registry,
            tag_sets: request.tag_sets,
            log: Arc::new(ScriptLog { log: request.log, console: request.console }),
        })
        .map_err(|error| match error {
            ws_js::Error::Script(error @ ScriptError::Options(_)) => CliError::generic(format!(
                "could not initialize '{}': could not load JS test 'file://{}': {error}",
                request.name,
                request.path.display()
            )),
            error => failure(error),
        })?;
        Ok(Box::new(Loaded(script)))
    }
}

/// What scripts say goes to the log.
struct ScriptLog {
    log: Logger,
    /// For what `console` says.
    console: Option<Logger>,
}

/// The field of what `console` says.
const FROM_CONSOLE: (&str, &str) = ("source", "console");

impl Log for ScriptLog {
    fn write(&self, record: &Record<'_>) {
        failpoint::here("script");
        let level = match record.level {
            ws_js::Level::Debug => Level::Debug,
            ws_js::Level::Info => Level::Info,
            ws_js::Level::Warning => Level::Warning,
            ws_js::Level::Error => Level::Error,
        };
        match &self.console {
            Some(console) if record.fields.contains(&FROM_CONSOLE) => {
                // There it need not be said.
                let fields: Vec<_> = record.fields.iter().copied().filter(|f| *f != FROM_CONSOLE).collect();
                console.log(level, record.message, &fields);
            }
            _ => self.log.log(level, record.message, record.fields),
        }
    }
}

fn failure(error: ws_js::Error) -> CliError {
    match error {
        ws_js::Error::Script(error) => script_failure(&error, "script exception".to_owned()),
        ws_js::Error::Loop(error) => {
            let hint = descriptors::remedy(error.system()).unwrap_or_default();
            CliError::generic(format!("{}{hint}", ws_js::Error::Loop(error)))
        }
        error => CliError::generic(error.to_string()),
    }
}

fn script_failure(error: &ScriptError, hint: String) -> CliError {
    match error {
        ScriptError::Exception(exception) => threw(&exception.stack_text(), hint),
        error => CliError::config(error.to_string()),
    }
}

fn threw(stack: &str, hint: String) -> CliError {
    CliError::new(ExitCode::ScriptException, stack).field("hint", hint).field("source", "stacktrace")
}

struct Loaded(ws_js::Script);

impl Script for Loaded {
    fn options(&self) -> Option<Value> {
        self.0.options().cloned()
    }

    fn exports(&self) -> Vec<(String, bool)> {
        self.0.exports().iter().map(|export| (export.name.clone(), export.is_function)).collect()
    }

    fn start(self: Box<Self>, request: RunRequest) -> Result<Box<dyn Running>, CliError> {
        let options = request.options;
        let lookup = ResolverConfig::default().lookup;
        let resolver = Resolver::new(ResolverConfig {
            ttl: options.dns.ttl,
            select: options.dns.select,
            policy: options.dns.policy,
            hosts: options.hosts,
            blocked: options.block_hostnames,
            blacklist: options.blacklist_ips,
            lookup: Arc::new(move |host| {
                failpoint::here("resolver");
                lookup(host)
            }),
        });
        let usual = Settings::default();
        let settings = Settings {
            user_agent: options.user_agent.unwrap_or(usual.user_agent),
            no_cookies_reset: options.no_cookies_reset,
            throw: options.throw,
            tls: options.tls,
            resolver,
            local_ips: options.local_ips,
            proxies: request.proxies,
            run_tags: options.tags.into_iter().collect(),
            system_tags: request.system_tags,
            limits: Limits { strict_utf8: options.strict_utf8, ..usual.limits },
            detail: request.detail,
            extended_metrics: request.extended_metrics,
            redact_query: options.redact_query,
            http: options.http,
            compat: options.compat,
        };
        let runtime = ws_js::Runtime::new(
            &self.0,
            RuntimeOptions {
                vus: options.plan.max_vus(),
                max_vus: options.plan.max_possible_vus(),
                drivers: request.drivers,
                settings,
                samples: request.samples,
                wall: request.wall,
            },
        )
        .map_err(failure)?;
        Ok(Box::new(Runtime {
            runtime: Arc::new(runtime),
            setup_data: Arc::default(),
            disobedient: Vec::new(),
            abandoned: false,
        }))
    }
}

/// A script in a run.
struct Runtime {
    runtime: Arc<ws_js::Runtime>,
    /// What `setup()` returned, as JSON.
    setup_data: SetupData,
    /// The scripts that went on though they were told to stop when that was last asked.
    disobedient: Vec<(usize, u32)>,
    abandoned: bool,
}

type SetupData = Arc<Mutex<Option<Arc<str>>>>;

impl Runtime {
    /// Phases take long, and the coordinator must not wait for them.
    fn in_background(&self, work: impl FnOnce(Arc<ws_js::Runtime>, SetupData) + Send + 'static) {
        let (runtime, data) = (Arc::clone(&self.runtime), Arc::clone(&self.setup_data));
        // Without a thread the work is dropped, which counts as its failure.
        let _ = std::thread::Builder::new().name("phase".to_owned()).spawn(move || work(runtime, data));
    }
}

impl Phases for Runtime {
    fn init_vus(&mut self, count: usize, done: InitDone) {
        self.in_background(move |runtime, setup_data| {
            let one = || {
                failpoint::here("init");
                done.one();
            };
            let result = runtime.init_vus(&one).map_err(|error| {
                let InitError { vu, source } = error;
                let hint = format!("error while initializing VU #{vu} (script exception)");
                script_failure(&source, hint).into()
            });
            done.finish(result.map(|()| {
                (0..count)
                    .map(|index| {
                        let (runtime, setup_data) = (Arc::clone(&runtime), Arc::clone(&setup_data));
                        Arc::new(JsVu { runtime, index, setup_data }) as Arc<dyn Vu>
                    })
                    .collect()
            }));
        });
    }

    fn add_vu(&mut self, number: usize, done: VuDone) {
        self.in_background(move |runtime, setup_data| {
            done.finish(match runtime.add_vu() {
                Ok(index) => {
                    debug_assert_eq!(index + 1, number);
                    Ok(Arc::new(JsVu { runtime, index, setup_data }))
                }
                Err(InitError { vu, source }) => {
                    let hint = format!("error while initializing VU #{vu} (script exception)");
                    Err(script_failure(&source, hint).into())
                }
            });
        });
    }

    fn setup(&mut self, done: PhaseDone) {
        self.in_background(|runtime, setup_data| {
            failpoint::here("phase");
            let result = runtime.run_phase(Phase::Setup, None);
            done.finish(result.map(|data| *setup_data.lock() = data.map(Arc::from)).map_err(phase_failure));
        });
    }

    fn teardown(&mut self, done: PhaseDone) {
        self.in_background(|runtime, setup_data| {
            let data = setup_data.lock().clone();
            done.finish(runtime.run_phase(Phase::Teardown, data).map(|_| ()).map_err(phase_failure));
        });
    }

    fn interrupt(&mut self) {
        self.runtime.interrupt_phase();
    }

    fn is_stuck(&mut self) -> bool {
        let now = self.runtime.disobedient();
        // Seen once it may have been about to stop.
        let is_stuck = now.iter().any(|script| self.disobedient.contains(script));
        self.disobedient = now;
        is_stuck
    }

    fn abandon(&mut self) {
        self.abandoned = true;
        self.runtime.abandon();
    }
}

fn phase_failure(error: PhaseError) -> ws_engine::PhaseError {
    let error = match error {
        PhaseError::Threw(exception) => threw(&exception.stack_text(), "script exception".to_owned()),
        PhaseError::Init(text) => threw(&text, "script exception".to_owned()),
        error => CliError::generic(error.to_string()),
    };
    Box::new(error)
}

impl Running for Runtime {
    fn setup_data(&self) -> Option<Value> {
        self.setup_data.lock().as_deref().and_then(|text| serde_json::from_str(text).ok())
    }

    fn finish(&mut self) {
        self.runtime.see_off(FAREWELL);
        self.runtime.flush_samples();
        if !self.abandoned {
            self.runtime.log_figures();
        }
    }

    fn faults(&self) -> Vec<ws_js::Fault> {
        self.runtime.faults()
    }

    fn hold_ups(&self) -> Vec<HoldUp> {
        self.runtime.hold_ups()
    }

    fn summary_interrupter(&self) -> Interrupter {
        let (told, left) = (Arc::clone(&self.runtime), Arc::clone(&self.runtime));
        Interrupter {
            interrupt: Box::new(move || told.interrupt_phase()),
            abandon: Box::new(move || left.abandon()),
        }
    }

    fn handle_summary(&mut self, data: Value, limit: Duration) -> Result<Option<Files>, SummaryFailure> {
        let setup_data = self.setup_data.lock().clone();
        match self.runtime.handle_summary(data.to_string(), setup_data, limit) {
            Ok(Summary::Nothing) => Ok(None),
            Ok(Summary::Files(files)) => Ok(Some(files)),
            Err(error) => Err(summary_failure(&error)),
        }
    }
}

fn summary_failure(error: &SummaryError) -> SummaryFailure {
    match error {
        // As k6: what a rejection says carries no such fields.
        SummaryError::Threw(exception) if exception.is_rejection() => {
            SummaryFailure::Threw(CliError::new(ExitCode::ScriptException, exception.stack_text()))
        }
        SummaryError::Threw(exception) => {
            SummaryFailure::Threw(threw(&exception.stack_text(), "script exception".to_owned()))
        }
        SummaryError::NotAFunction | SummaryError::NotAMap | SummaryError::Content { .. } => {
            SummaryFailure::BadAnswer(error.to_string())
        }
        SummaryError::Init(_) | SummaryError::TimedOut(_) | SummaryError::Interrupted => {
            SummaryFailure::NoAnswer(error.to_string())
        }
    }
}

/// A virtual user.
struct JsVu {
    runtime: Arc<ws_js::Runtime>,
    /// From 0.
    index: usize,
    setup_data: SetupData,
}

impl Vu for JsVu {
    fn activate(&self, activation: Activation) {
        self.runtime.activate(
            self.index,
            Assignment {
                scenario: activation.scenario,
                executor: activation.executor.into(),
                exec: activation.exec,
                tags: activation.tags,
                env: activation.env,
                setup_data: self.setup_data.lock().clone(),
                started: activation.started,
                slot: activation.slot,
                vu_in_test: activation.vu_in_test,
                work: Arc::new(Work(activation.work)),
            },
        );
    }

    fn interrupt(&self) {
        self.runtime.interrupt(self.index);
    }

    fn wake(&self) {
        self.runtime.wake(self.index);
    }
}

/// The engine's work in the words of ws-js.
struct Work(Arc<dyn ws_engine::Work>);

impl ws_js::Work for Work {
    fn next(&self, slot: usize) -> ws_js::Next {
        failpoint::here("iteration");
        match self.0.next(slot) {
            ws_engine::Next::Run(ws_engine::Iteration { in_instance, in_test, due }) => {
                ws_js::Next::Run(ws_js::Iteration { in_instance, in_test, due })
            }
            ws_engine::Next::Wait => ws_js::Next::Wait,
            ws_engine::Next::Stop => ws_js::Next::Stop,
        }
    }

    fn progress(&self) -> f64 {
        self.0.progress()
    }

    fn ended(&self, slot: usize, outcome: IterationOutcome) {
        self.0.ended(
            slot,
            match outcome {
                IterationOutcome::Complete => ws_engine::Outcome::Complete,
                IterationOutcome::Failed => ws_engine::Outcome::Failed,
                IterationOutcome::Interrupted => ws_engine::Outcome::Interrupted,
            },
        );
    }

    fn stopped(&self, slot: usize) {
        self.0.stopped(slot);
    }
}

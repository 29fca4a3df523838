//! `ws run`: parse, load, plan, run, report.

use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ws_engine::{Cause, Clock, Coordinator, MetricsRecorder, RunConfig, RunEvent, RunOutcome, Snapshot};
use ws_js::KeyLog;
use ws_loop::Proxies;
use ws_metrics::{
    Detail, Output, Pipeline, PipelineConfig, PrometheusView, Registry, Report, SystemTags, TagSets,
    ThresholdConfig, Thresholds, WallClock,
};

use crate::banner;
use crate::conclusion::conclude;
use crate::console::{Console, Target};
use crate::crash::Crashes;
use crate::descriptors;
use crate::echo;
use crate::error::CliError;
use crate::exit::ExitCode;
use crate::failpoint;
use crate::host::{Host, LoadRequest, RunRequest, Running, Script, SummaryFailure};
use crate::logging::{Level, Logger};
use crate::options::features::{self, Lookup};
use crate::options::flags::Run;
use crate::options::merge::{Layers, merge};
use crate::options::runtime::{self, CompatibilityMode, Globals, Runtime};
use crate::options::table::Layer;
use crate::options::validate::{Options, resolve};
use crate::options::{config, env, script};
use crate::output::json::JsonLines;
use crate::output::prometheus::Endpoint;
use crate::progress::Progress;
use crate::signal::Watch;
use crate::summary::data::Surroundings;
use crate::summary::number::TimeUnit;
use crate::summary::{self, Style};
use crate::wording;

/// How often bars are drawn, and how often lines are written where there is no terminal.
const REDRAW: Duration = Duration::from_millis(100);
const REPRINT: Duration = Duration::from_secs(1);

/// How long outputs may take when a signal had to end the process without the script's consent.
const NO_GRACE: Duration = Duration::from_millis(100);

/// What the command needs of its surroundings.
pub(crate) struct App<'a> {
    /// What the program calls itself.
    pub(crate) name: &'static str,
    pub(crate) console: Console,
    pub(crate) log: Logger,
    pub(crate) vars: Vec<(String, String)>,
    pub(crate) cwd: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wall: WallClock,
    pub(crate) columns: Box<dyn Fn() -> usize + Send>,
    pub(crate) globals: Globals,
    pub(crate) watch: Watch,
    pub(crate) crashes: Crashes,
    pub(crate) host: &'a dyn Host,
}

/// A test about which everything is known that can be known before it starts.
/// k6's words for the old name of a mode.
const ENHANCED: &str = "CompatibilityMode \"experimental_enhanced\" is deprecated. Types are stripped by default for `.ts` files. Please move to using \"base\" instead as \"experimental_enhanced\" will be removed in the future";

struct Test {
    /// As the user named it.
    name: String,
    script: Box<dyn Script>,
    options: Options,
    thresholds: Thresholds,
    system_tags: SystemTags,
    runtime: Runtime,
    registry: Arc<Registry>,
    tag_sets: Arc<TagSets>,
    /// Address of the echo server of this run.
    echo: Option<String>,
}

impl App<'_> {
    /// Runs a test. The error is the last line of the log.
    pub(crate) fn run(self, run: Run, stdin: Box<dyn Read + Send>) -> Result<ExitCode, CliError> {
        let env_layer = env::layer(&self.vars)?;
        let config = config::layer(self.globals.config.as_deref(), &self.vars, &self.cwd)?;
        let runtime = Runtime::new([&config, &env_layer, &run.flags]);
        self.features(&runtime.features)?;
        let console = runtime.console_output.as_deref();
        let console = console.map(|name| self.log.to_file(name, &self.cwd)).transpose()?;
        let server = if runtime.echo { Some(echo::start("127.0.0.1:0")?) } else { None };
        let mut script_env = runtime.script_env(&self.vars);
        let echo = server.as_ref().map(echo::url);
        if let Some(url) = &echo {
            script_env.retain(|(name, _)| name != "WS_URL");
            script_env.push(("WS_URL".to_owned(), url.clone()));
        }

        let (path, source) = self.read(&run.script, stdin)?;
        let mode = match runtime.compatibility_mode {
            CompatibilityMode::Extended => ws_js::CompatibilityMode::Extended,
            CompatibilityMode::Base => ws_js::CompatibilityMode::Base,
            CompatibilityMode::Enhanced => {
                self.log.warning(ENHANCED);
                ws_js::CompatibilityMode::Base
            }
        };
        let (registry, tag_sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
        let script = self.host.load(LoadRequest {
            name: run.script.clone(),
            path,
            source,
            env: script_env,
            mode,
            registry: Arc::clone(&registry),
            tag_sets: Arc::clone(&tag_sets),
            log: self.log.clone(),
            console,
        })?;
        let mut options = self.options(&*script, config, env_layer, run.flags)?;
        options.tls.key_log = self.key_log()?;
        let system_tags =
            options.system_tags.as_deref().map_or_else(SystemTags::default_set, SystemTags::parse_list);
        let thresholds = self
            .thresholds(&options, &registry, runtime.no_thresholds)?
            .with_default_submetrics(&registry, system_tags);
        let test = Test {
            name: run.script,
            script,
            options,
            thresholds,
            system_tags,
            runtime,
            registry,
            tag_sets,
            echo,
        };
        self.conduct(test)
    }

    /// Where the secrets of TLS connections go, if that is wanted.
    fn key_log(&self) -> Result<Option<KeyLog>, CliError> {
        let Some((_, name)) = self.vars.iter().find(|(key, name)| key == "SSLKEYLOGFILE" && !name.is_empty())
        else {
            return Ok(None);
        };
        let warning = format!("SSLKEYLOGFILE was specified, logging TLS connection keys to '{name}'...");
        self.log.warning(&warning);
        KeyLog::append_to(&self.cwd.join(name)).map(Some).map_err(|error| {
            CliError::generic(format!("could not open '{name}', the file of SSLKEYLOGFILE: {error}"))
        })
    }

    /// The script's absolute path and its text.
    fn read(&self, name: &str, mut stdin: Box<dyn Read + Send>) -> Result<(PathBuf, String), CliError> {
        let path = self.cwd.join(name);
        let source = if name == "-" {
            let mut source = String::new();
            stdin.read_to_string(&mut source).map(|_| source)
        } else {
            std::fs::read_to_string(&path)
        };
        match source {
            Ok(source) => Ok((path, source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CliError::generic(format!(
                "The moduleSpecifier \"{name}\" couldn't be found on local disk. \
                 Make sure that you've specified the right path to the file."
            ))),
            Err(error) => Err(CliError::generic(format!("could not read the script '{name}': {error}"))),
        }
    }

    /// Refuses features that are not there yet.
    fn features(&self, names: &[String]) -> Result<(), CliError> {
        for name in names {
            match features::find(name) {
                Lookup::Known => {}
                Lookup::NotYet => {
                    return Err(CliError::generic(format!("feature '{name}' is not supported yet")));
                }
                Lookup::Unknown => self.log.log(Level::Warning, "Unknown feature flag", &[("feature", name)]),
            }
        }
        Ok(())
    }

    fn options(
        &self,
        script: &dyn Script,
        config: Layer,
        env: Layer,
        cli: Layer,
    ) -> Result<Options, CliError> {
        let exports = script.exports();
        let is_function = |name: &str| exports.iter().any(|(export, callable)| export == name && *callable);
        if !exports.iter().any(|(_, callable)| *callable) {
            return Err(CliError::generic("no exported functions in script"));
        }
        for phase in ["setup", "teardown"] {
            if exports.iter().any(|(export, callable)| export == phase && !callable) {
                return Err(CliError::generic(format!("exported '{phase}' must be a function")));
            }
        }
        let (layer, unknown) = script::layer(script.options().as_ref())?;
        if let Some(key) = unknown {
            let error = format!("json: unknown field {key:?}");
            let message = "There were unknown fields in the options exported in the script";
            self.log.log(Level::Warning, message, &[("error", &error)]);
        }
        let (merged, overridden) = merge(Layers { config, script: layer, env, cli });
        overridden.iter().for_each(|warning| self.log.warning(warning));
        let mut options = resolve(merged, is_function, &mut |warning| self.log.warning(warning))?;
        options.setup = options.setup.filter(|_| is_function("setup"));
        options.teardown = options.teardown.filter(|_| is_function("teardown"));
        Ok(options)
    }

    fn thresholds(&self, options: &Options, registry: &Registry, off: bool) -> Result<Thresholds, CliError> {
        let wanted = options.thresholds.iter().map(|(metric, thresholds)| {
            let thresholds = thresholds
                .iter()
                .map(|threshold| ThresholdConfig {
                    source: threshold.source.clone(),
                    abort_on_fail: threshold.abort_on_fail,
                    delay_abort_eval: threshold.delay_abort_eval.map(|delay| delay.to_std()),
                })
                .collect();
            (metric.clone(), thresholds)
        });
        let thresholds =
            Thresholds::parse(wanted, registry, off).map_err(|error| CliError::config(error.to_string()))?;
        for warning in thresholds.warnings() {
            self.log.warning(&wording::metrics::threshold_warning(warning));
        }
        Ok(thresholds)
    }

    /// Runs the test and reports.
    fn conduct(&self, test: Test) -> Result<ExitCode, CliError> {
        let plan = &test.options.plan;
        let most = ws_js::most_vus();
        let fits = |vus| match vus {
            vus if vus > most => Err(CliError::config(format!(
                "the test needs {vus} VUs, but the memory that this process may use has room for {most} at most"
            ))),
            vus => Ok(vus),
        };
        // Before the plan is looked at in detail, which takes memory for each VU, too.
        fits(plan.vus_of_largest_scenario())?;
        let vus = fits(plan.max_possible_vus())?;
        if let Some(shortage) = descriptors::prepare(vus as u64, test.echo.is_some()) {
            self.log.warning(&shortage);
        }
        let outputs = test
            .runtime
            .outputs
            .iter()
            .map(|output| self.output(output, &test.thresholds))
            .collect::<Result<Vec<_>, _>>()?;
        let detail = if outputs.is_empty() { Detail::Summed } else { Detail::EverySample };
        let view = test.runtime.prometheus.as_ref().map(|_| PrometheusView::new());
        let endpoint = match (&test.runtime.prometheus, &view) {
            (Some(addr), Some(view)) => Some(Endpoint::start(addr, view.clone(), Arc::clone(&self.clock))?),
            _ => None,
        };
        self.show(&banner::logo(self.colours()));
        self.describe(&test, endpoint.as_ref());

        let config = RunConfig {
            setup: test.options.setup,
            teardown: test.options.teardown,
            progress_every: (!self.globals.quiet).then_some(if self.console.stdout_tty {
                REDRAW
            } else {
                REPRINT
            }),
        };
        let coordinator = Coordinator::new(test.options.plan.clone(), config, Arc::clone(&self.clock));
        let control = coordinator.control();
        self.watch.run_with(control.clone());
        let crashed = control.clone();
        self.crashes.listen(move |crash| crashed.stop(Cause::Crashed(crash.to_string())));
        let pipeline = {
            let log = self.log.clone();
            Pipeline::start(PipelineConfig {
                thresholds: test.thresholds.clone(),
                outputs,
                prometheus: view,
                on_abort: Box::new(move |crossed| {
                    failpoint::here("metrics");
                    control.stop(Cause::Thresholds(wording::metrics::abort(crossed)))
                }),
                on_warning: Box::new(move |warning| log.warning(&wording::metrics::warning(warning))),
                ..PipelineConfig::new(Arc::clone(&test.registry), Arc::clone(&test.tag_sets))
            })
            .map_err(|error| CliError::generic(format!("cannot start the thread for metrics: {error}")))?
        };
        let run_tags: Vec<_> = test.options.tags.iter().collect();
        let mut recorder = MetricsRecorder::new(
            pipeline.sender(),
            Arc::clone(&test.tag_sets),
            test.tag_sets.intern(&run_tags),
            test.system_tags,
            self.wall,
        );
        let mut running = test.script.start(RunRequest {
            options: test.options.clone(),
            system_tags: test.system_tags,
            proxies: self.proxies(),
            drivers: test.runtime.drivers,
            samples: pipeline.sender(),
            detail,
            extended_metrics: test.runtime.extended_metrics,
            wall: self.wall,
        })?;

        let progress = Progress::new(&test.options.plan, self.colours());
        let monitor = coordinator.monitor();
        let mut show = |event: RunEvent<'_>| match event {
            RunEvent::Started(at) => pipeline.run_started(at),
            RunEvent::InsufficientVus { scenario, executor, active } => {
                let message = wording::plan::insufficient(active);
                self.log.log(Level::Warning, &message, &[("executor", executor), ("scenario", scenario)]);
            }
            RunEvent::VuFailed { scenario, executor, error } => {
                let message = format!("Error while allocating unplanned VU: {error}");
                self.log.log(Level::Error, &message, &[("executor", executor), ("scenario", scenario)]);
            }
            RunEvent::Progress(snapshot) => {
                failpoint::here("progress");
                self.show_progress(&progress, snapshot);
            }
            _ => {}
        };
        let run = || coordinator.run(&mut *running, &mut recorder, &mut show);
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            // The words are those of whoever has noted the panic.
            let cause = Some(Cause::Crashed("internal error".to_owned()));
            RunOutcome { cause, run_time: monitor.run_time(), snapshot: monitor.snapshot(), gave_up: true }
        });
        let crashed = matches!(outcome.cause, Some(Cause::Crashed(_)));
        if crashed {
            running.abandon();
        }
        running.finish();
        let hold_ups = running.hold_ups();
        let report = match outcome.cause {
            Some(Cause::Signal(_)) if outcome.gave_up => pipeline.finish_within(outcome.run_time, NO_GRACE),
            _ => pipeline.finish(outcome.run_time),
        };
        self.report(&report, &test.options, &test.runtime, (!crashed).then_some(&mut *running));
        self.last_words(&outcome, &report, &progress);
        if let Some(warning) = summary::delay::held_up(&hold_ups, outcome.run_time) {
            self.log.warning(&warning);
        }
        conclude(self.name, outcome.cause.or_else(|| self.watch.late_cause()), &report)
            .map(|()| ExitCode::Success)
    }

    fn show_progress(&self, progress: &Progress, snapshot: &Snapshot) {
        if self.console.stdout_tty {
            self.console.set_bars(progress.bars(snapshot, (self.columns)()));
        } else {
            self.show_lines(&progress.plain(snapshot));
        }
    }

    fn proxies(&self) -> Proxies {
        Proxies::from_vars(|name| {
            let found = self.vars.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        })
    }

    fn output(&self, output: &runtime::Output, thresholds: &Thresholds) -> Result<Box<dyn Output>, CliError> {
        let runtime::Output::Json(target) = output;
        let file: Box<dyn Write + Send> = if target == "-" {
            Box::new(self.console.stdout())
        } else {
            let path = self.cwd.join(target);
            Box::new(File::create(path).map_err(|error| {
                CliError::generic(format!("could not open the output file '{target}': {error}"))
            })?)
        };
        let lines = JsonLines::new(output.describe(), file, thresholds.clone()).map_err(|error| {
            CliError::generic(format!("cannot start output '{}': {error}", output.describe()))
        })?;
        Ok(Box::new(lines))
    }

    fn describe(&self, test: &Test, endpoint: Option<&Endpoint>) {
        let outputs: Vec<_> = test.runtime.outputs.iter().map(runtime::Output::describe).collect();
        let outputs = if outputs.is_empty() { "-".to_owned() } else { outputs.join(", ") };
        let mut facts =
            vec![("execution", "local".to_owned()), ("script", test.name.clone()), ("output", outputs)];
        facts.extend(endpoint.map(|endpoint| ("prometheus", endpoint.url())));
        facts.extend(test.echo.clone().map(|url| ("echo", url)));
        self.show(&banner::description(&facts, &test.options.plan, self.colours()));
    }

    /// The figures at the end: what the script's `handleSummary()` makes of them, if there is a script to ask, else the
    /// usual text; and as a file.
    fn report(
        &self,
        report: &Report,
        options: &Options,
        runtime: &Runtime,
        mut running: Option<&mut dyn Running>,
    ) {
        if runtime.no_summary {
            self.watch.report();
            return;
        }
        failpoint::here("report");
        let style = Style {
            trend_stats: options.trend_stats.clone(),
            time_unit: TimeUnit::parse(&options.time_unit),
            colours: self.colours(),
        };
        let surroundings = Surroundings {
            no_color: self.globals.no_color,
            stdout_tty: self.console.stdout_tty,
            stderr_tty: self.console.stderr_tty,
            time_unit: options.time_unit.clone(),
        };
        let faults = running.as_deref().map_or_else(Vec::new, |running| running.faults());
        let data = summary::data::object(report, &style, &surroundings);
        let answer = running.as_deref_mut().map_or(Ok(None), |running| {
            // The script may take its time, and a signal has no run to end.
            self.watch.summary_with(running.summary_interrupter());
            let abandon = running.summary_interrupter().abandon;
            self.crashes.listen(move |_| abandon());
            running.handle_summary(data, options.handle_summary)
        });
        self.watch.report();
        let files = match answer {
            Ok(files) => files,
            Err(SummaryFailure::Threw(exception)) => {
                self.log.failure(&exception);
                None
            }
            Err(SummaryFailure::NoAnswer(reason)) => {
                self.summary_failed(&reason);
                None
            }
            Err(SummaryFailure::BadAnswer(reason)) => return self.summary_failed(&reason),
        };
        let mut files = files.unwrap_or_else(|| {
            vec![("stdout".to_owned(), summary::text::render(report, &faults, &style).into_bytes())]
        });
        if let Some(name) = &runtime.summary_export {
            let setup_data = running.and_then(|running| running.setup_data());
            let text = summary::json::render(report, &style, setup_data.as_ref());
            let name = if name == "-" { "stdout" } else { name };
            files.push((name.to_owned(), text.into_bytes()));
        }
        let failures = summary::files::write(&files, &self.console, &self.cwd);
        if !failures.is_empty() {
            let all = failures.join("\n\t- ");
            self.summary_failed(&format!("Could not save some summary information:\n\t- {all}"));
        }
    }

    fn summary_failed(&self, reason: &str) {
        self.log.log(Level::Error, "failed to handle the end-of-test summary", &[("error", reason)]);
    }

    /// The state at the end, and what else the user should know of.
    fn last_words(&self, outcome: &RunOutcome, report: &Report, progress: &Progress) {
        if !self.globals.quiet {
            if self.console.stdout_tty {
                self.console.set_bars(progress.bars(&outcome.snapshot, (self.columns)()));
                self.console.release_bars();
            } else {
                self.show_lines(&progress.plain(&outcome.snapshot));
            }
        }
        if outcome.gave_up && !matches!(outcome.cause, Some(Cause::Crashed(_))) {
            self.log.warning(
                "a script went on although it was told to stop, and was left behind: it is in a call of JavaScript's \
                 own that takes very long, or in a loop around such calls",
            );
        }
        if outcome.cause.is_none() && outcome.snapshot.complete == 0 {
            let advice = "consider making the test duration longer";
            self.log.warning(&format!("No script iterations fully finished, {advice}"));
        }
        if report.unrecorded > 0 {
            self.log.warning(&format!(
                "{} samples had tags of their own beyond the limit of {} time series and are only in the totals",
                report.unrecorded, report.series
            ));
        }
        if let Some(warning) = summary::delay::warning(report) {
            self.log.warning(&warning);
        }
    }

    fn colours(&self) -> bool {
        self.console.stdout_tty && !self.globals.no_color
    }

    /// Prints what `--quiet` leaves out.
    fn show(&self, text: &str) {
        if !self.globals.quiet {
            self.console.print(Target::Stdout, text);
        }
    }

    fn show_lines(&self, lines: &[String]) {
        self.show(&(lines.join("\n") + "\n"));
    }
}

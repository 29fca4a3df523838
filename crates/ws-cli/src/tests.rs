//! The whole program on an in-memory [`Env`], with scripts that need no JavaScript engine.

mod fake;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use ws_engine::SystemClock;
use ws_metrics::WallClock;

use crate::console::tests::Memory;
use crate::{Crashes, Env, ExitCode, Signal, Stream, main_on};
use fake::{Fake, Iteration, Setup};

/// Surroundings one can look into.
struct World {
    stdout: Memory,
    stderr: Memory,
    signals: Sender<Signal>,
    exits: Receiver<u8>,
    directory: tempfile::TempDir,
    vars: Vec<(String, String)>,
    tty: bool,
    env: Option<(Receiver<Signal>, Sender<u8>)>,
}

impl World {
    fn new() -> Self {
        let (signals, received) = mpsc::channel();
        let (exit, exits) = mpsc::channel();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("x.js"), "export default function () {}").unwrap();
        Self {
            stdout: Memory::default(),
            stderr: Memory::default(),
            signals,
            exits,
            directory,
            vars: Vec::new(),
            tty: false,
            env: Some((received, exit)),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&mut self, line: &str, fake: &Fake) -> ExitCode {
        let (signals, exit) = self.env.take().expect("a world runs once");
        let stream = |memory: &Memory| Stream { write: Box::new(memory.clone()), is_tty: self.tty };
        let env = Env {
            name: "ws",
            args: line.split_whitespace().map(str::to_owned).collect(),
            vars: self.vars.clone(),
            cwd: self.directory.path().to_owned(),
            stdin: Box::new("from standard input".as_bytes()),
            stdout: stream(&self.stdout),
            stderr: stream(&self.stderr),
            clock: Arc::new(SystemClock),
            wall: WallClock::new(Instant::now(), SystemTime::now()),
            signals,
            columns: Box::new(|| 100),
            exit_now: Box::new(move |code| exit.send(code).unwrap()),
            crashes: Crashes::default(),
        };
        main_on(env, fake)
    }

    /// The log without the times.
    fn log(&self) -> Vec<String> {
        let text = self.stderr.text();
        text.lines().map(|line| line.split_once("Z\" ").map_or(line, |(_, rest)| rest).to_owned()).collect()
    }
}

fn run(line: &str, fake: &Fake) -> (ExitCode, World) {
    let mut world = World::new();
    let code = world.run(line, fake);
    (code, world)
}

fn refused(line: &str, fake: &Fake) -> (u8, String) {
    let (code, world) = run(line, fake);
    let log = world.log();
    assert_eq!(log.len(), 1, "{log:?}");
    (code.code(), log[0].clone())
}

#[test]
fn a_run_from_banner_to_report() {
    let (code, world) = run("run x.js -u 2 -i 6", &Fake::default());
    assert_eq!((code, world.log()), (ExitCode::Success, Vec::new()));
    let text = world.stdout.text();
    let (before, after) = text.split_once("  █ TOTAL RESULTS\n").unwrap();
    assert!(before.contains(
        "     execution: local
        script: x.js
        output: -

     scenarios: (100.00%) 1 scenario, 2 max VUs, 10m30s max duration (incl. graceful stop):
              * default: 6 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)
"
    ));
    assert!(after.contains("    iterations...........: 6 "), "{after}");
    let mut last = after.lines().rev();
    assert!(last.next().unwrap().starts_with("default ✓ [ 100% ] 2 VUs  00m00."), "{after}");
    assert!(last.next().unwrap().ends_with("0/2 VUs, 6 complete and 0 interrupted iterations"), "{after}");
}

#[test]
fn quiet_leaves_the_report() {
    let (code, world) = run("run -q x.js", &Fake::default());
    assert_eq!(code, ExitCode::Success);
    let text = world.stdout.text();
    assert!(text.starts_with("\n\n  █ TOTAL RESULTS\n"), "{text}");
    assert!(!text.contains("running"), "{text}");
    let (_, world) = run("run -q --no-summary x.js", &Fake::default());
    assert_eq!(world.stdout.text(), "");
}

#[test]
fn bars_on_a_terminal() {
    let mut world = World::new();
    world.tty = true;
    assert_eq!(world.run("run x.js", &Fake::default()), ExitCode::Success);
    let text = world.stdout.text();
    assert!(
        text.contains("\x1b[32m✓\x1b[0m [======================================\x1b[2m\x1b[22m] 1 VUs"),
        "{text}"
    );
    assert!(text.ends_with("1 iters, 1 per VU\x1b[K\n"), "{text}");
    let mut plain = World::new();
    plain.tty = true;
    plain.run("run --no-color x.js", &Fake::default());
    assert!(!plain.stdout.text().contains("\x1b[3"), "{}", plain.stdout.text());
}

#[test]
fn the_script_sees_its_environment() {
    let mut world = World::new();
    world.vars = vec![("A".to_owned(), "system".to_owned()), ("B".to_owned(), "b".to_owned())];
    let fake = Fake::default();
    world.run("run -q -e A=flag --echo -", &fake);
    let (source, env) = fake.loaded();
    assert_eq!(source, "from standard input");
    let get = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!((get("A"), get("B")), (Some("flag"), Some("b")));
    assert!(get("WS_URL").unwrap().starts_with("ws://127.0.0.1:"), "{env:?}");
}

#[test]
fn flags_win_over_the_environment_over_the_script() {
    let mut world = World::new();
    world.vars = vec![("K6_ITERATIONS".to_owned(), "4".to_owned()), ("K6_VUS".to_owned(), "2".to_owned())];
    let fake = Fake { options: json!({"vus": 9, "duration": "1h", "tags": {"a": "b"}}), ..Fake::default() };
    assert_eq!(world.run("run x.js -i 3", &fake), ExitCode::Success);
    assert!(world.stdout.text().contains("* default: 3 iterations shared among 2 VUs"));
}

#[test]
fn failed_thresholds_are_the_last_line() {
    let options = json!({"thresholds": {"iterations": ["count>5"], "iteration_duration": ["max>=0"]}});
    let (code, world) = run("run -q x.js", &Fake { options: options.clone(), ..Fake::default() });
    assert_eq!(code, ExitCode::ThresholdsFailed);
    assert_eq!(world.log(), ["level=error msg=\"thresholds on metrics 'iterations' have been crossed\""]);
    assert!(world.stdout.text().contains("    iterations\n    ✗ 'count>5' count=1\n"));
    let (code, _) = run("run -q --no-thresholds x.js", &Fake { options, ..Fake::default() });
    assert_eq!(code, ExitCode::Success);
}

#[test]
fn configurations_that_are_refused() {
    let with = |options: Value| Fake { options, ..Fake::default() };
    for (fake, code, message) in [
        (
            with(json!({"stages": [{"duration": "1s"}]})),
            104,
            "There were problems with the specified script configuration:\\n\\t- scenario default has configuration \
             errors: stage 1 doesn't have a target",
        ),
        (
            with(json!({"vus": 3, "iterations": 1})),
            104,
            "There were problems with the specified script configuration:\\n\\t- scenario default has configuration \
             errors: the number of iterations (1) can't be less than the number of VUs (3)",
        ),
        (
            with(json!({"thresholds": {"nope": ["count>1"]}})),
            104,
            "invalid threshold defined on nope; reason: no metric name \\\"nope\\\" found",
        ),
        (with(json!({"summaryTrendStats": ["foo"]})), 255, "invalid trend stat 'foo', unknown format"),
        (Fake { exports: vec![("x", false)], ..Fake::default() }, 255, "no exported functions in script"),
        (
            Fake { exports: vec![("default", true), ("setup", false)], ..Fake::default() },
            255,
            "exported 'setup' must be a function",
        ),
        (
            Fake { exports: vec![("other", true)], ..Fake::default() },
            104,
            "There were problems with the specified script configuration:\\n\\t- executor default: function \
             'default' not found in exports",
        ),
    ] {
        assert_eq!(refused("run x.js", &fake), (code, format!("level=error msg=\"{message}\"")));
    }
}

#[test]
fn commands_that_are_refused() {
    let fake = Fake::default();
    for (line, code, message) in [
        ("run nofile.js", 255, "The moduleSpecifier \\\"nofile.js\\\" couldn't be found on local disk."),
        ("run x.js --stage :1", 255, "stage 0 doesn't have a specified duration"),
        ("run x.js --out json=/nodir/x.json", 255, "could not open the output file '/nodir/x.json': "),
        ("frobnicate", 255, "unknown command \\\"frobnicate\\\" for \\\"ws\\\""),
    ] {
        let (have, log) = refused(line, &fake);
        assert_eq!(have, code, "{line}");
        assert!(log.starts_with(&format!("level=error msg=\"{message}")), "{log}");
    }
}

#[test]
fn addresses_in_use_have_their_own_code() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    for line in [format!("run x.js --prometheus {addr}"), format!("echo --listen {addr}")] {
        let (code, log) = refused(&line, &Fake::default());
        assert_eq!(code, 106, "{log}");
        assert!(log.contains(&addr.to_string()), "{log}");
    }
}

#[test]
fn warnings_do_not_stop_a_run() {
    let options = json!({"bogusTop": 1, "scenarios": {"a": {"executor": "shared-iterations"}}});
    let (code, world) = run("run -q x.js -i 1", &Fake { options, ..Fake::default() });
    assert_eq!(code, ExitCode::Success);
    assert_eq!(
        world.log(),
        [
            "level=warning msg=\"There were unknown fields in the options exported in the script\" \
         error=\"json: unknown field \\\"bogusTop\\\"\"",
            "level=warning msg=\"\\\"cli\\\" level configuration overrode scenarios configuration entirely\"",
        ]
    );
}

#[test]
fn setup_data_and_all_samples_go_to_files() {
    let fake = Fake {
        setup: Setup::Returns(json!({"token": 7})),
        exports: vec![("default", true), ("setup", true)],
        ..Fake::default()
    };
    let (code, world) = run("run -q x.js -i 2 --summary-export s.json -o json=all.json", &fake);
    assert_eq!((code, world.log()), (ExitCode::Success, Vec::new()));
    let export: Value =
        serde_json::from_str(&std::fs::read_to_string(world.path("s.json")).unwrap()).unwrap();
    assert_eq!(export["setup_data"], json!({"token": 7}));
    assert_eq!(export["metrics"]["iterations"]["count"], 2);
    let lines = std::fs::read_to_string(world.path("all.json")).unwrap();
    let points: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(points[0]["type"], "Metric");
    let iterations = points.iter().filter(|p| p["type"] == "Point" && p["metric"] == "iterations");
    assert_eq!(iterations.count(), 2);
}

#[test]
fn samples_on_standard_output() {
    let (_, world) = run("run -q --no-summary x.js -o json", &Fake::default());
    let text = world.stdout.text();
    assert!(text.lines().all(|line| line.starts_with('{')) && text.contains("\"Point\""), "{text}");
}

#[test]
fn an_export_that_cannot_be_written_is_not_fatal() {
    let (code, world) = run("run -q x.js --summary-export /nodir/s.json", &Fake::default());
    assert_eq!(code, ExitCode::Success);
    assert!(world.log()[0].starts_with(
        "level=error msg=\"failed to handle the end-of-test summary\" error=\"Could not save some summary \
         information:\\n\\t- could not open '/nodir/s.json': "
    ));
}

#[test]
fn a_setup_that_fails_ends_the_run_with_a_report() {
    let exports = || vec![("default", true), ("setup", true)];
    let fake = Fake { setup: Setup::Throws, exports: exports(), ..Fake::default() };
    let (code, world) = run("run -q x.js", &fake);
    assert_eq!(code, ExitCode::ScriptException);
    assert_eq!(world.log(), ["level=error msg=\"Error: bad setup\" hint=\"script exception\""]);
    assert!(world.stdout.text().contains("TOTAL RESULTS"));
    let (code, _) =
        run("run -q --no-setup x.js", &Fake { setup: Setup::Throws, exports: exports(), ..Fake::default() });
    assert_eq!(code, ExitCode::Success);
}

#[test]
fn a_setup_that_takes_too_long() {
    let fake = Fake {
        setup: Setup::Hangs,
        exports: vec![("default", true), ("setup", true)],
        options: json!({"setupTimeout": 20}),
        ..Fake::default()
    };
    let (code, world) = run("run -q x.js", &fake);
    assert_eq!(code, ExitCode::SetupTimeout);
    assert!(world.log()[0].contains("hint=\"You can increase the time limit via the setupTimeout option\""));
}

#[test]
fn the_first_signal_ends_a_run_in_order() {
    let (started, begun) = mpsc::channel();
    let fake = Fake { iteration: Iteration::Hangs(started), ..Fake::default() };
    let mut world = World::new();
    let signals = world.signals.clone();
    let sender = std::thread::spawn(move || {
        begun.recv().unwrap();
        signals.send(Signal::Terminated).unwrap();
    });
    assert_eq!(world.run("run -q x.js -d 1h", &fake), ExitCode::Interrupted);
    sender.join().unwrap();
    assert!(world.stdout.text().contains("TOTAL RESULTS"));
    assert_eq!(
        world.log(),
        ["level=error msg=\"test run was aborted because ws received a 'terminated' signal\""]
    );
    assert!(world.exits.try_recv().is_err(), "one signal ends nothing by force");
}

#[test]
fn the_second_signal_ends_the_process() {
    let (started, begun) = mpsc::channel();
    let fake = Fake { iteration: Iteration::Hangs(started), ..Fake::default() };
    let mut world = World::new();
    let (signals, log) = (world.signals.clone(), world.stderr.clone());
    let sender = std::thread::spawn(move || {
        begun.recv().unwrap();
        signals.send(Signal::Interrupt).unwrap();
        signals.send(Signal::Interrupt).unwrap();
    });
    world.run("run -q x.js -d 1h", &fake);
    sender.join().unwrap();
    assert_eq!(world.exits.recv_timeout(Duration::from_secs(10)), Ok(105));
    assert!(log.text().contains("msg=\"Aborting ws in response to signal\" sig=interrupt"), "{}", log.text());
}

#[test]
fn a_signal_during_the_init_stage_waits_for_nothing() {
    let (loading, release) = (mpsc::channel(), mpsc::channel());
    let fake = Fake { load: Some((loading.0, release.1.into())), ..Fake::default() };
    let mut world = World::new();
    let signals = world.signals.clone();
    let exits = std::mem::replace(&mut world.exits, mpsc::channel().1);
    let sender = std::thread::spawn(move || {
        loading.1.recv().unwrap();
        signals.send(Signal::Interrupt).unwrap();
        let code = exits.recv_timeout(Duration::from_secs(10));
        release.0.send(()).unwrap();
        code
    });
    world.run("run -q x.js", &fake);
    assert_eq!(sender.join().unwrap(), Ok(105));
}

#[test]
fn a_run_without_a_finished_iteration_is_worth_a_warning() {
    let (started, _begun) = mpsc::channel();
    let fake = Fake {
        iteration: Iteration::Hangs(started),
        options: json!({"scenarios": {"a": {"executor": "constant-vus", "duration": "1s", "gracefulStop": 0}}}),
        ..Fake::default()
    };
    let (code, world) = run("run -q x.js", &fake);
    assert_eq!(code, ExitCode::Success);
    assert!(world.log()[0].contains("No script iterations fully finished"), "{:?}", world.log());
}

#[test]
fn versions_and_help_go_to_standard_output() {
    for line in ["version", "--version", "-v --version"] {
        let (code, world) = run(line, &Fake::default());
        assert_eq!(code, ExitCode::Success);
        assert!(world.stdout.text().starts_with("ws v"), "{line}");
    }
    for line in ["", "help", "run -h"] {
        let (code, world) = run(line, &Fake::default());
        assert_eq!(code, ExitCode::Success);
        assert!(world.stdout.text().contains("Usage: ws"), "{line}");
    }
}

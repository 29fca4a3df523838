//! Signals: the first one ends the run in order, the second one at once; at every moment of a run.

use std::time::Duration;

use rustix::process::Signal;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Running};
use ws_e2e::server::TestServer;
use ws_e2e::tool::{self, Kind};

const UNSEEN: &str = "must not be seen";

const SCRIPT: &str = "
    import ws from 'k6/ws';
    import { sleep } from 'k6';
    export default function () {
      ws.connect(`${__ENV.WS_URL}/echo?id=signal`, null, (socket) => {
        socket.on('open', () => console.log('open'));
        socket.on('close', () => console.log('must not be seen'));
      });
      console.log('must not be seen');
    }
    export function teardown() {
      console.log('teardown');
      sleep(Number(__ENV.TEARDOWN || 0));
      console.log('teardown ends');
    }";

fn start(server: &TestServer, fixture: &Fixture, teardown: &str) -> Running {
    let mut running = fixture
        .run()
        .args(["--duration", "60s"])
        .arg_value("--env", format!("WS_URL={}", server.url()))
        .arg_value("--env", format!("TEARDOWN={teardown}"))
        .limit(Duration::from_secs(40))
        .start()
        .unwrap();
    running.wait_for(|_, log| log.contains("open")).unwrap();
    running
}

/// What every run ended by one signal has in common.
fn ended_in_order(finished: &Finished, signal: &str) {
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    let mut console = finished.console();
    if tool::ws().kind != Kind::Ws {
        // In k6 the interruption races with the end of the session, so either may be seen there.
        console.retain(|line| line != UNSEEN);
    }
    assert_eq!(console, ["open", "teardown", "teardown ends"]);
    let errors = finished.errors();
    let last = errors.last().expect("the reason is logged last");
    assert!(last.starts_with("test run was aborted because") && last.contains(signal), "{last}");
    assert!(finished.stdout.contains("ws_sessions"), "the report is printed: {finished:#?}");
    let has_lasted = finished.stdout.contains("ws_session_duration");
    assert_eq!(has_lasted, tool::ws().kind == Kind::Ws, "k6 forgets what is interrupted: {finished:#?}");
    assert!(finished.elapsed < Duration::from_secs(20), "{finished:#?}");
}

#[test]
fn first_signal() {
    let hangup = is_ws("SIGHUP").then_some((Signal::HUP, "hangup"));
    for (signal, name) in [(Signal::INT, "interrupt"), (Signal::TERM, "terminated")].into_iter().chain(hangup)
    {
        let server = TestServer::start().unwrap();
        let fixture = Fixture::new(SCRIPT);
        let running = start(&server, &fixture, "0");
        running.signal(signal).unwrap();
        ended_in_order(&running.finish().unwrap(), name);
    }
}

#[test]
fn second_signal() {
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(SCRIPT);
    let mut running = start(&server, &fixture, "30");
    running.signal(Signal::INT).unwrap();
    running.wait_for(|_, log| log.contains("teardown")).unwrap();
    running.signal(Signal::INT).unwrap();
    let finished = running.finish().unwrap();
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    assert!(!finished.console().contains(&"teardown ends".to_owned()), "{finished:#?}");
    assert!(finished.elapsed < Duration::from_secs(20), "{finished:#?}");
}

/// Says where it is, and stays there if it is asked to.
const MOMENTS: &str = "
    import { sleep } from 'k6';
    const at = (moment) => {
      console.log(moment);
      if (__ENV.STAY === moment) {
        if (__ENV.COMPUTE) for (;;);
        sleep(moment === 'teardown' ? 2 : 1000);
      }
    };
    at(__VU ? 'init of a VU' : 'init');
    export const options = {
      scenarios: { a: { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '100s' } },
    };
    export const setup = () => at('setup');
    export default () => { at('iteration'); sleep(0.05); };
    export function teardown() { at('teardown'); console.log('teardown ends'); }
    export function handleSummary() { at('summary'); return { stdout: 'of the script' }; }";

/// What is seen of a run that is signalled when it is `stay`.
struct Seen {
    report: bool,
    of_the_script: bool,
    teardown: bool,
}

fn signalled(stay: &str, compute: bool, more: &[&str]) -> (Finished, Seen) {
    let fixture = Fixture::new(MOMENTS);
    let run = fixture.run().arg_value("--env", format!("STAY={stay}")).args(more);
    let run = if compute { run.arg_value("--env", "COMPUTE=1") } else { run };
    let mut running = run.limit(Duration::from_secs(50)).start().unwrap();
    // Later init stages say it, too.
    running
        .wait_for(|_, log| log.contains(&format!("msg=\"{stay}\"")) || log.contains(&format!("msg={stay} ")))
        .unwrap();
    if more.contains(&"GRACE=1") {
        std::thread::sleep(Duration::from_millis(1500));
    }
    running.signal(Signal::TERM).unwrap();
    let finished = running.finish().unwrap();
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    assert!(finished.errors().last().unwrap().contains("'terminated' signal"), "{finished:#?}");
    assert!(finished.elapsed < Duration::from_secs(30), "{finished:#?}");
    let seen = Seen {
        report: finished.stdout.contains("TOTAL RESULTS"),
        of_the_script: finished.stdout.contains("of the script"),
        teardown: finished.console().contains(&"teardown ends".to_owned()),
    };
    (finished, seen)
}

#[test]
fn at_every_moment() {
    if !is_ws("what ws does on signals") {
        return;
    }
    for compute in [false, true] {
        let (_, seen) = signalled("init", compute, &[]);
        assert!(!seen.report && !seen.of_the_script, "there is no run yet");
        let (_, seen) = signalled("init of a VU", compute, &[]);
        assert!(seen.of_the_script && !seen.teardown);
        let (_, seen) = signalled("setup", compute, &[]);
        assert!(seen.of_the_script && !seen.teardown);
        for more in [&[][..], &["--env", "GRACE=1"]] {
            let (_, seen) = signalled("iteration", compute, more);
            assert!(seen.of_the_script && seen.teardown, "also in the graceful period");
        }
        let (finished, seen) = signalled("summary", compute, &[]);
        assert!(seen.report && !seen.of_the_script && seen.teardown, "{finished:#?}");
    }
    let (_, seen) = signalled("teardown", false, &[]);
    assert!(seen.of_the_script && seen.teardown, "it goes on to its end");
}

#[test]
fn a_second_signal_in_the_summary_waits_for_nothing() {
    let script = "export default function () {}
        export function handleSummary() { console.log('summary'); [].indexOf.call({ length: 2 ** 50 }, 1); }";
    if !is_ws("what ws does on signals") {
        return;
    }
    let fixture = Fixture::new(script);
    let mut running = fixture.run().limit(Duration::from_secs(50)).start().unwrap();
    running.wait_for(|_, log| log.contains("summary")).unwrap();
    running.signal(Signal::INT).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    running.signal(Signal::INT).unwrap();
    let finished = running.finish().unwrap();
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    assert!(finished.stderr.contains("Aborting ws in response to signal"), "{finished:#?}");
}

#[test]
fn nohup_is_respected() {
    if !is_ws("SIGHUP") {
        return;
    }
    let fixture = Fixture::new("export default function () { console.log('here'); }");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" run --quiet -d 2s script.js"]).arg(&tool::ws().path);
    let log = std::fs::File::create(fixture.path("log")).unwrap();
    let mut child =
        shell.current_dir(fixture.folder()).stdout(std::process::Stdio::null()).stderr(log).spawn().unwrap();
    while !std::fs::read_to_string(fixture.path("log")).unwrap().contains("here") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let process = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, Signal::HUP).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

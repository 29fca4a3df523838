//! Signals: the first one ends the run in order, the second one at once.

use std::time::Duration;

use rustix::process::Signal;
use ws_e2e::fixture::Fixture;
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
    assert!(!finished.stdout.contains("ws_session_duration"), "the session was interrupted: {finished:#?}");
    assert!(finished.elapsed < Duration::from_secs(20), "{finished:#?}");
}

#[test]
fn first_signal() {
    for (signal, name) in [(Signal::INT, "interrupt"), (Signal::TERM, "terminated")] {
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

//! `--extended-metrics`: what is measured beyond k6.

use std::net::TcpListener;

use serde_json::Value;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::server::{Identity, TestServer};

/// One dial that goes through all steps, one that is refused by HTTP, one that fails in TLS, one that fails in TCP.
const DIALS: &str = "
    import ws from 'k6/ws';
    export const options = {
      insecureSkipTLSVerify: true,
      summaryTrendStats: ['count', 'max', 'min'],
      thresholds: { 'ws_handshake_tls{status:101}': ['max>0'] },
    };
    export default function () {
      const at = (url) => ws.connect(url, null, (socket) => socket.close()).status;
      console.log([
        at(`wss://localhost:${__ENV.TLS}/echo`),
        at(`ws://127.0.0.1:${__ENV.PLAIN}/status/404`),
        at(`wss://127.0.0.1:${__ENV.MUTE}/echo`),
        at(`ws://127.0.0.1:${__ENV.CLOSED}/echo`),
      ].join());
    }";

/// The report's metrics, and its text.
fn run(args: &[&str], variable: Option<&str>) -> (Value, String) {
    let (plain, fixture) = (TestServer::start().unwrap(), Fixture::new(DIALS));
    let tls = TestServer::start_tls(Identity::self_signed(&["localhost"]).unwrap()).unwrap();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_port = mute.local_addr().unwrap().port();
    // Answers no greeting.
    std::thread::spawn(move || drop(mute.accept()));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut run = fixture.run().args(["--summary-export", "report.json"]).args(args);
    for (name, port) in [
        ("TLS", tls.address().port()),
        ("PLAIN", plain.address().port()),
        ("MUTE", mute_port),
        ("CLOSED", closed.port()),
    ] {
        run = run.arg_value("--env", format!("{name}={port}"));
    }
    if let Some(value) = variable {
        run = run.env("K6_EXTENDED_METRICS", value);
    }
    let finished = run.finish().unwrap();
    assert_eq!(finished.console(), ["101,404,0,0"], "{finished:#?}");
    let report = std::fs::read_to_string(fixture.path("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    (report["metrics"].clone(), finished.stdout)
}

#[test]
fn each_step_that_a_dial_completed_is_counted() {
    if !is_ws("--extended-metrics") {
        return;
    }
    for (args, variable) in [(&["--extended-metrics"][..], None), (&[], Some("true"))] {
        let (metrics, text) = run(args, variable);
        for (metric, count) in [
            ("ws_connecting", 4),
            ("ws_handshake_dns", 1),
            ("ws_handshake_tcp", 3),
            ("ws_handshake_tls", 1),
            ("ws_handshake_tls{status:101}", 1),
            ("ws_handshake_upgrade", 2),
        ] {
            assert_eq!(metrics[metric]["count"], count, "{metric}: {metrics:#}");
            assert!(metrics[metric]["min"].as_f64().unwrap() > 0.0, "{metric}: {metrics:#}");
        }
        let whole = metrics["ws_connecting"]["max"].as_f64().unwrap();
        assert!(metrics["ws_handshake_tls"]["max"].as_f64().unwrap() < whole, "{metrics:#}");
        let section = text.split_once("WEBSOCKET").unwrap().1;
        assert!(section.contains("ws_handshake_dns.") && section.contains("ws_handshake_upgrade."), "{text}");
    }
}

#[test]
fn nothing_of_it_without_the_flag() {
    if !is_ws("--extended-metrics") {
        return;
    }
    for (args, variable) in [(&[][..], None), (&["--extended-metrics=false"], Some("true"))] {
        let (metrics, text) = run(args, variable);
        assert_eq!(metrics["ws_connecting"]["count"], 4, "{metrics:#}");
        assert_eq!(metrics["ws_handshake_tcp"], Value::Null, "{metrics:#}");
        assert!(!text.contains("ws_handshake_tcp"), "{text}");
    }
}

/// Two VUs share a thread; while one computes, the other's iteration is due.
const LATE: &str = "
    export const options = {
      summaryTrendStats: ['count', 'max'],
      scenarios: {
        a: { executor: 'constant-arrival-rate', rate: 10, duration: '1s', preAllocatedVUs: 2, exec: 'quick' },
        b: { executor: 'per-vu-iterations', vus: 1, iterations: 1, startTime: '150ms', exec: 'busy' },
      },
    };
    export function quick() {}
    export function busy() { for (const end = Date.now() + 400; Date.now() < end; ); }";

#[test]
fn late_iterations_are_known_to_be_late() {
    if !is_ws("--extended-metrics") {
        return;
    }
    let fixture = Fixture::new(LATE);
    let args = ["--extended-metrics", "--drivers", "1", "--summary-export", "report.json"];
    let finished = fixture.run().args(args).finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let report = std::fs::read_to_string(fixture.path("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let (late, iterations) =
        (&report["metrics"]["iteration_start_lateness"], &report["metrics"]["iterations"]["count"]);
    let began = late["count"].as_u64().unwrap();
    assert_eq!(began + 1, iterations.as_u64().unwrap(), "only those that were due: {report:#}");
    // One is due right after the loop began, and waits until that has used up its time slice.
    assert!(late["max"].as_f64().unwrap() > 10.0, "{late:#}");
    let section = finished.stdout.split_once("EXECUTION").unwrap().1.split_once("NETWORK").unwrap().0;
    assert!(section.contains("iteration_start_lateness."), "{section}");
}

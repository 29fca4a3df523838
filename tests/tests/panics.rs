//! A panic on any thread ends the process: the report of what was measured, one line that says where, exit code 109.
//! Builds for debugging panic on request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Running};
use ws_e2e::server::TestServer;

const SCRIPT: &str = "
    import { sleep } from 'k6';
    import ws from 'k6/ws';
    export const options = {
      thresholds: { iterations: [{ threshold: 'count<1', abortOnFail: true }] },
      hosts: { [__ENV.HOST || 'nobody']: '127.0.0.1' },
    };
    export function setup() {}
    export default function () {
      if (__VU > 20) {
        sleep(1000);
      }
      const url = `${__ENV.WS_URL.replace('127.0.0.1', 'localhost')}/echo?id=p`;
      ws.connect(url, null, (socket) => {
        socket.on('open', () => { sleep(0.05); socket.send('x'); });
        socket.on('message', () => { console.log('message'); socket.close(); });
      });
    }
    export function handleSummary(data) {
      console.log('summary');
      return __ENV.PLAIN ? {} : { stdout: 'TOTAL RESULTS of the script' };
    }";

fn start(place: &str) -> Option<(TestServer, Fixture, Running)> {
    if !cfg!(debug_assertions) || std::env::var_os("WS_TEST_BIN").is_some() || !is_ws("panics on request") {
        ws_e2e::skip("panics on request", "the program under test is no build for debugging");
        return None;
    }
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(SCRIPT);
    let running = fixture
        .run()
        .args(["--vus", "40", "--duration", "60s", "--out", "json=out.json"])
        .args(["--prometheus", "127.0.0.1:0"])
        .arg_value("--env", format!("WS_URL={}", server.url()))
        .env("WS_TEST_PANIC", place)
        .env("RUST_BACKTRACE", "0")
        .limit(Duration::from_secs(50))
        .start()
        .unwrap();
    Some((server, fixture, running))
}

#[track_caller]
fn crashed(finished: &Finished, thread: &str, place: &str) {
    assert_eq!(finished.code, Some(109), "{finished:#?}");
    let last = finished.stderr.lines().last().unwrap_or_default();
    assert!(last.contains(&format!("internal error, please report it: thread '{thread}")), "{last}");
    assert!(last.contains("panicked at crates/ws-cli/src/") && last.contains(".rs:"), "{last}");
    assert!(last.contains(&format!("asked for at '{place}'")), "{last}");
    assert_eq!(finished.stderr.matches("panicked").count(), 1, "once is enough: {}", finished.stderr);
}

#[test]
fn on_any_thread() {
    for (place, thread) in [
        ("init", "ws-init"),
        ("phase", "phase"),
        ("iteration", "ws-vu"),
        ("script", "ws-vu"),
        ("resolver", "ws-resolver"),
        ("metrics", "metrics"),
        ("output", "output json (out.json)"),
        ("json flush", "json flush"),
    ] {
        let Some((_server, fixture, running)) = start(place) else { return };
        let finished = running.finish().unwrap();
        crashed(&finished, thread, place);
        // Not by the script: nobody knows what else of it is true.
        assert!(finished.stdout.contains("TOTAL RESULTS"), "{place}: {finished:#?}");
        assert!(!finished.stdout.contains("of the script"), "{place}: {finished:#?}");
        let lines = std::fs::read_to_string(fixture.path("out.json")).unwrap();
        assert!(lines.is_empty() || lines.ends_with("}\n"), "{place}: the output is closed");
    }
}

#[test]
fn what_was_measured_is_reported() {
    let Some((_server, _fixture, running)) = start("metrics") else { return };
    let finished = running.finish().unwrap();
    let line =
        finished.stdout.lines().find(|line| line.contains(" ws_sessions")).expect("sessions were held");
    assert!(!line.contains(": 0 "), "{line}");
}

#[test]
fn of_a_scrape() {
    let Some((_server, _fixture, mut running)) = start("prometheus") else { return };
    // `--quiet` keeps the address to itself, so it is asked of the system.
    let port = wait_for_port(running.id());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let _ = stream.read(&mut [0; 1]);
    running.wait_for(|_, log| log.contains("internal error")).unwrap();
    crashed(&running.finish().unwrap(), "prometheus", "prometheus");
}

/// The port on which the process listens.
fn wait_for_port(process: u32) -> u16 {
    for _ in 0..2000 {
        let table = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
        let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{process}/fd"))
            .into_iter()
            .flatten()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .map(|target| target.to_string_lossy().into_owned())
            .collect();
        for line in table.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let (Some(local), Some(&"0A"), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9))
                && sockets.contains(&format!("socket:[{inode}]"))
                && let Some((_, port)) = local.split_once(':')
            {
                return u16::from_str_radix(port, 16).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it listens nowhere");
}

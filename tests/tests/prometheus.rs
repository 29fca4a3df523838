//! Live metrics: scraped by a real Prometheus server and judged by promtool while a test runs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Run, Running};
use ws_e2e::server::TestServer;
use ws_e2e::tool::{Kind, Tool};

const SCRIPT: &str = "
    import ws from 'k6/ws';
    import { check } from 'k6';
    import { Gauge } from 'k6/metrics';
    const gauge = new Gauge('my_level');
    export default function () {
      const res = ws.connect(`${__ENV.WS_URL}/echo`, { tags: { room: 'a \"quoted\" one' } }, (socket) => {
        socket.setInterval(() => { socket.send('x'); socket.ping(); gauge.add(42); }, 50);
        socket.setTimeout(() => socket.close(), 500);
      });
      check(res, { ok: (r) => r.status === 101 });
    }";

fn free_address() -> String {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string()
}

/// A body fetched over HTTP/1.1, or nothing if that fails in any way.
fn get(address: &str, path: &str) -> Option<String> {
    let mut tcp = TcpStream::connect(address).ok()?;
    tcp.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(tcp, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.split_whitespace().nth(1).filter(|status| *status == "200").map(|_| body.to_owned())
}

/// Asks again and again until there is an answer that will do.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{what}: not within 30 seconds");
}

/// A test that runs longer than anybody looks at it.
fn start(server: &TestServer, fixture: &Fixture, address: &str) -> Running {
    let run = fixture.run().args(["--vus", "2", "--duration", "60s", "--prometheus", address]);
    run.arg_value("--env", format!("WS_URL={}", server.url())).start().unwrap()
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        ws_e2e::skip(program, "it is not installed; .ci/run installs it");
    }
    found.is_ok()
}

#[test]
fn the_exposition_is_well_formed() {
    if !is_ws("--prometheus") {
        return;
    }
    let (server, fixture, address) = (TestServer::start().unwrap(), Fixture::new(SCRIPT), free_address());
    let running = start(&server, &fixture, &address);
    let text = wait_for("a sample of each kind", || {
        let text = get(&address, "/metrics")?;
        let wanted = [
            "# TYPE k6_ws_sessions_total counter",
            "# TYPE k6_ws_connecting_seconds histogram",
            "# HELP k6_ws_sessions_total ",
            "k6_ws_msgs_sent_total{",
            "k6_ws_connecting_seconds_bucket{",
            "k6_my_level{",
            "k6_checks",
            "room=\"a \\\"quoted\\\" one\"",
            "k6_vus{",
        ];
        wanted.iter().all(|part| text.contains(part.trim_end_matches('{'))).then_some(text)
    });
    drop(running);
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        assert!(line.starts_with("k6_"), "{line}");
    }
    if installed("promtool") {
        let mut child = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaints}\n{text}");
    }
}

#[test]
fn a_prometheus_server_scrapes_it() {
    if !is_ws("--prometheus") || !installed("prometheus") {
        return;
    }
    let (server, fixture) = (TestServer::start().unwrap(), Fixture::new(SCRIPT));
    let (metrics, web) = (free_address(), free_address());
    let settings = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: ws\n  static_configs:\n  - targets: ['{metrics}']\n"
    );
    std::fs::write(fixture.path("prometheus.yml"), settings).unwrap();
    let running = start(&server, &fixture, &metrics);
    let prometheus = Tool { path: "prometheus".into(), kind: Kind::Ws };
    let args = ["--config.file=prometheus.yml".to_owned(), format!("--web.listen-address={web}")];
    let scraping = Run::new(&prometheus, args)
        .arg_value("--storage.tsdb.path", fixture.path("data"))
        .directory(fixture.folder())
        .start()
        .unwrap();

    let query = |expression: &str| {
        let answer = get(&web, &format!("/api/v1/query?query={expression}"))?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse::<f64>().ok().filter(|value| *value > 0.0)
    };
    let sent = wait_for("messages sent", || query("sum(k6_ws_msgs_sent_total)"));
    let more = wait_for("more messages sent", || query("sum(k6_ws_msgs_sent_total)").filter(|n| *n > sent));
    assert!(more > sent);
    wait_for("a rate over time", || query("sum(rate(k6_ws_msgs_sent_total[10s]))"));
    let seconds = wait_for("a quantile", || {
        query("histogram_quantile(0.95,sum(rate(k6_ws_connecting_seconds_bucket[10s]))by(le))")
    });
    assert!(seconds < 10.0, "connecting on the loopback interface took {seconds} s");
    drop((running, scraping));
}

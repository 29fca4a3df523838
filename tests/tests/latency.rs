//! Message latency and generator delay, with `--extended-metrics` and without.

use serde_json::Value;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::Finished;
use ws_e2e::server::{Identity, TestServer};

/// The report's metrics, and the rest.
fn run(script: &str, url: &str, args: &[&str]) -> (Value, Finished) {
    let fixture = Fixture::new(script);
    let run = fixture.run().args(["--summary-export", "report.json"]).args(args);
    let finished = run.arg_value("--env", format!("URL={url}")).finish().unwrap();
    let report = std::fs::read_to_string(fixture.path("report.json"));
    let report = report.unwrap_or_else(|error| panic!("{error}: {finished:#?}"));
    let report: Value = serde_json::from_str(&report).unwrap();
    (report["metrics"].clone(), finished)
}

/// One session that sends what `open` sends, and is closed 150 ms later.
fn session(latency: &str, path: &str, open: &str) -> (Value, Finished) {
    let server = TestServer::start().unwrap();
    let script = format!(
        "import ws from 'k6/ws';
         export const options = {{ summaryTrendStats: ['count', 'max', 'p(99)'] }};
         export default function () {{
           ws.connect(__ENV.URL, {{ latency: {latency} }}, (socket) => {{
             socket.on('open', () => {{ {open}; socket.setTimeout(() => socket.close(), 150); }});
           }});
         }}"
    );
    run(&script, &format!("{}{path}", server.url()), &["--extended-metrics"])
}

/// How many latencies there were, and how many messages without one: unmatched, timed out, abandoned.
fn counts(metrics: &Value) -> [u64; 4] {
    let count = |name: &str| metrics[name]["count"].as_u64().unwrap_or(0);
    [
        count("ws_msg_latency"),
        count("ws_msg_latency_unmatched"),
        count("ws_msg_latency_timeouts"),
        count("ws_msg_latency_abandoned"),
    ]
}

#[test]
fn answers_are_found_by_each_rule() {
    if !is_ws("message latency") {
        return;
    }
    for (latency, path, open, expected) in [
        ("{id: 'echo'}", "/echo", "socket.send('a'); socket.send('b'); socket.send('a')", [3, 0, 0, 0]),
        ("{id: 'echo'}", "/echo", "socket.sendBinary(new Uint8Array([1, 2]).buffer)", [1, 0, 0, 0]),
        // The server's greeting is a message that nobody asked for.
        ("{id: 'echo'}", "/headers", "socket.send('a')", [1, 1, 0, 0]),
        ("{id: 'fifo'}", "/echo", "for (let i = 0; i < 9; i++) socket.send('a')", [9, 0, 0, 0]),
        ("{id: '/id'}", "/echo", r#"socket.send('{"id":7}'); socket.send('no id')"#, [1, 0, 0, 0]),
        (
            "{id: '/id', answer: '/re'}",
            "/echo",
            r#"socket.send('{"id":7}'); socket.send('{"re":7.0}'); socket.send('{"re":8}')"#,
            [1, 1, 0, 0],
        ),
        // Nothing answers these: the one in good time, the other before its time was over.
        ("{id: '/id', answer: '/re', timeout: 10}", "/echo", r#"socket.send('{"id":7}')"#, [0, 0, 1, 0]),
        ("{id: '/id', answer: '/re'}", "/echo", r#"socket.send('{"id":7}')"#, [0, 0, 0, 1]),
    ] {
        let (metrics, finished) = session(latency, path, open);
        assert_eq!(counts(&metrics), expected, "{latency} {open}: {finished:#?}");
        assert_eq!(metrics["ws_generator_delay"]["count"], metrics["ws_msgs_received"]["count"]);
    }
}

#[test]
fn handlers_are_told_when_a_message_arrived() {
    if !is_ws("message latency") {
        return;
    }
    let server = TestServer::start().unwrap();
    let script = "
        import ws from 'k6/ws';
        const echo = (params, see) => ws.connect(__ENV.URL, params, (socket) => {
          socket.on('open', () => socket.send('a'));
          socket.on('message', (...values) => { see(values); socket.close(); });
        });
        export default function () {
          const before = Date.now();
          echo({ latency: { id: 'echo' } }, ([text, event]) => {
            // Date.now() has no fraction.
            console.log(text, event.arrival >= before && event.arrival < Date.now() + 1);
          });
          echo(null, (values) => console.log(values.length));
        }";
    for (args, warnings) in [(&["--extended-metrics"][..], 0), (&["-u2", "-i2"], 1)] {
        let (metrics, finished) = run(script, &format!("{}/echo", server.url()), args);
        let mut console = finished.console();
        console.sort();
        console.dedup();
        assert_eq!(console, ["1", "a true"], "{finished:#?}");
        let warning = "the param 'latency' measures nothing without --extended-metrics";
        assert_eq!(finished.stderr.matches(warning).count(), warnings, "{finished:#?}");
        assert_eq!(metrics["ws_msg_latency"].is_null(), warnings > 0);
    }
}

#[test]
fn a_bad_param_is_an_error_of_the_script() {
    if !is_ws("message latency") {
        return;
    }
    let (_, finished) = session("'echo'", "/echo", "");
    let error = "the param 'latency' must be an object such as {id: 'echo'}, got 'echo'";
    assert!(finished.errors().concat().contains(error), "{finished:#?}");
}

/// VU 1 computes for 300 ms again and again on the driver that is VU 2's, too. The server answers at once.
const BURNING: &str = "
    import ws from 'k6/ws';
    export const options = {
      insecureSkipTLSVerify: true, summaryTrendStats: ['count', 'p(50)', 'p(99)', 'max'],
      scenarios: {
        burning: { executor: 'per-vu-iterations', vus: 1, exec: 'burning' },
        measured: { executor: 'per-vu-iterations', vus: 1, exec: 'measured' },
      },
      thresholds: {
        'ws_msg_latency{scenario:measured}': ['max>=0'], 'ws_generator_delay{scenario:measured}': ['max>=0'],
      },
    };
    export function burning() {
      ws.connect(__ENV.URL, null, (socket) => {
        // Longer than the other needs, which gets a turn between any two.
        let left = 12;
        socket.on('open', () => socket.setInterval(() => {
          const end = Date.now() + 300;
          while (Date.now() < end);
          if ((left -= 1) === 0) socket.close();
        }, 1));
      });
    }
    export function measured() {
      ws.connect(__ENV.URL, { latency: { id: 'echo' } }, (socket) => {
        socket.on('open', () => socket.send('a'));
        socket.on('message', () => socket.send('a'));
        socket.setTimeout(() => socket.close(), 1200);
      });
    }";

#[test]
fn a_busy_generator_is_not_taken_for_a_slow_server() {
    if !is_ws("message latency") {
        return;
    }
    let plain = TestServer::start().unwrap();
    let tls = TestServer::start_tls(Identity::self_signed(&["localhost"]).unwrap()).unwrap();
    let secure = format!("wss://localhost:{}", tls.address().port());
    for url in [plain.url(), secure] {
        let args = ["--extended-metrics", "--drivers", "1"];
        let (metrics, finished) = run(BURNING, &format!("{url}/echo"), &args);
        let figure = |metric: &str, stat| metrics[&format!("{metric}{{scenario:measured}}")][stat].as_f64();
        let latency = figure("ws_msg_latency", "p(50)").unwrap();
        // A time slice of the other VU's script, which is cut then.
        let delay = figure("ws_generator_delay", "max").unwrap();
        assert!(delay > 15.0, "{url}: waited {delay} ms: {finished:#?}");
        assert!(latency < delay / 5.0, "{url}: {latency} ms latency, {delay} ms wait: {finished:#?}");
    }
}

#[test]
fn web_sockets_are_measured_and_told_as_well() {
    if !is_ws("message latency") {
        return;
    }
    let server = TestServer::start().unwrap();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export const options = { summaryTrendStats: ['count'] };
        export default function () {
          const socket = new WebSocket(__ENV.URL, null, { latency: { id: '/id' } });
          const before = Date.now();
          socket.onopen = () => [1, 2, 3].forEach((id) => socket.send(JSON.stringify({ id })));
          socket.onmessage = ({ arrival, data }) => {
            console.log(arrival >= before && arrival < Date.now() + 1);
            if (data === '{\"id\":3}') {
              socket.send('{\"id\":4}');
              socket.close();
            }
          };
        }";
    let (metrics, finished) = run(script, &format!("{}/echo", server.url()), &["--extended-metrics"]);
    assert_eq!(finished.console(), ["true"; 3], "{finished:#?}");
    // What comes after close() is not looked at.
    assert_eq!(counts(&metrics), [3, 0, 0, 1], "{finished:#?}");
    assert_eq!(metrics["ws_generator_delay"]["count"], 3, "{finished:#?}");
}

#[test]
fn messages_that_wait_for_a_script_that_never_ends_count() {
    if !is_ws("the delay of messages that are never handled") {
        return;
    }
    let server = TestServer::start().unwrap();
    let options = "export const options = {
        scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '3s', gracefulStop: '0s' } },
        summaryTrendStats: ['count', 'max'],
    };";
    for script in [
        "import ws from 'k6/ws';
         export default () => ws.connect(__ENV.URL, (socket) => {
           socket.on('open', () => { socket.send('a'); socket.send('b'); });
           socket.on('message', () => { for (;;); });
         });",
        "import { WebSocket } from 'k6/websockets';
         export default () => {
           const socket = new WebSocket(__ENV.URL);
           socket.onopen = () => { socket.send('a'); socket.send('b'); };
           socket.onmessage = () => { for (;;); };
         };",
    ] {
        let url = format!("{}/echo", server.url());
        let (metrics, finished) = run(&format!("{script}{options}"), &url, &["--extended-metrics"]);
        let delay = &metrics["ws_generator_delay"];
        assert_eq!(delay["count"], 2, "{finished:#?}");
        assert!(delay["max"].as_f64().is_some_and(|max| max > 200.0), "{metrics}: {finished:#?}");
        assert!(finished.stderr.contains("received messages waited up to"), "{finished:#?}");
    }
}

//! How sessions end: what was sent before arrives, whoever ends them and however late the server reads, and
//! `ws_msgs_sent` is what the server has counted.

use serde_json::Value;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::Finished;
use ws_e2e::server::{Identity, TestServer};

/// `begin(url, params, stop)` sends `COUNT` messages of 10 KB, more than systems keep, and ends as `END` says; the server's own count is logged.
const WS: &str = "
    import ws from 'k6/ws';
    function begin(url) {
      const params = { closeTimeout: Number(__ENV.LIMIT || 30000), compression: __ENV.DEFLATE };
      if (!__ENV.DEFLATE) delete params.compression;
      ws.connect(url, params, (s) => {
        s.on('error', (e) => console.log(`error ${e.error()}`));
        s.on('close', (code) => console.log(`close ${code}`));
        s.on('open', () => {
          for (let i = 0; i < Number(__ENV.COUNT); i++) s.send(String(i % 10).repeat(1e4));
          if (__ENV.END === 'close') s.close();
          if (__ENV.END === 'throw') throw new Error('on purpose');
        });
      });
    }
    export function ask(id) {
      ws.connect(`${__ENV.WS_URL}/seen?id=${id}&wait=60`, null, (s) => {
        s.on('message', (m) => console.log(`server: ${m}`));
      });
    }";

const WEB: &str = "
    import ws from 'k6/ws';
    import { WebSocket } from 'k6/websockets';
    function begin(url) {
      const params = { closeTimeout: Number(__ENV.LIMIT || 30000) };
      const s = new WebSocket(url, null, params);
      s.onerror = (e) => console.log(`error ${e.error}`);
      s.onclose = (e) => { console.log(`close ${e.code} ${e.wasClean}`); };
      s.onopen = () => {
        for (let i = 0; i < Number(__ENV.COUNT); i++) s.send(String(i % 10).repeat(1e4));
        if (__ENV.END === 'close') s.close();
        if (__ENV.END === 'throw') throw new Error('on purpose');
      };
    }
    export function ask(id) {
      ws.connect(`${__ENV.WS_URL}/seen?id=${id}&wait=60`, null, (s) => {
        s.on('message', (m) => console.log(`server: ${m}`));
      });
    }";

/// One iteration against the path, then the server is asked in `teardown`.
fn script(module: &str, path: &str) -> String {
    format!(
        "{module}
        export const options = {{
          teardownTimeout: '90s',
          scenarios: {{ s: {{ executor: 'per-vu-iterations', vus: Number(__ENV.VUS || 1), iterations: 1,
            maxDuration: __ENV.END === 'interrupt' ? '1500ms' : '120s', gracefulStop: '0s' }} }},
        }};
        export default function () {{ begin(`${{__ENV.WS_URL}}{path}&id=s${{__VU}}`); }}
        export function teardown() {{
          for (let vu = 1; vu <= Number(__ENV.VUS || 1); vu++) ask(`s${{vu}}`);
        }}"
    )
}

struct Outcome {
    finished: Finished,
    sent: u64,
}

impl Outcome {
    fn run(module: &str, path: &str, env: &[(&str, &str)], tls: bool) -> Self {
        let server = match tls {
            false => TestServer::start().unwrap(),
            true => TestServer::start_tls(Identity::self_signed(&["localhost"]).unwrap()).unwrap(),
        };
        let fixture = Fixture::new(&script(module, path));
        let url = match tls {
            false => server.url(),
            true => format!("wss://localhost:{}", server.address().port()),
        };
        let mut run = fixture.run().arg_value("--env", format!("WS_URL={url}"));
        for (name, value) in env {
            run = run.arg_value("--env", format!("{name}={value}"));
        }
        let finished = run
            .args(["--insecure-skip-tls-verify", "--summary-export", "summary.json"])
            .limit(std::time::Duration::from_secs(240))
            .finish()
            .unwrap();
        let summary = std::fs::read_to_string(fixture.path("summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&summary).unwrap();
        let sent = summary["metrics"]["ws_msgs_sent"]["count"].as_u64().unwrap_or(0);
        Self { finished, sent }
    }

    fn server(&self) -> Vec<String> {
        let lines = self.finished.console();
        lines.iter().filter_map(|line| line.strip_prefix("server: ").map(str::to_owned)).collect()
    }

    fn client(&self) -> Vec<String> {
        self.finished.console().into_iter().filter(|line| !line.starts_with("server: ")).collect()
    }
}

/// Everything arrives, with this close code at the server and these events for the script.
fn all_arrives(module: &str, path: &str, env: &[(&str, &str)], tls: bool, close: &str, client: &[&str]) {
    if !is_ws("sessions that are flushed") {
        return;
    }
    let count = 1000;
    let env: Vec<_> = [("COUNT", "1000")].iter().chain(env).copied().collect();
    let outcome = Outcome::run(module, path, &env, tls);
    assert_eq!(outcome.server(), [format!("{count} messages, close {close}")], "{:#?}", outcome.finished);
    assert_eq!(outcome.client(), client, "{:#?}", outcome.finished);
    // A close frame of the script's own is one of the messages of k6/websockets.
    let own = u64::from(module == WEB && env.contains(&("END", "close")));
    assert_eq!(outcome.sent, count + own, "{:#?}", outcome.finished);
}

const LATE: &str = "/late?ms=700";
const TALKS: &str = "/late?ms=700&talk=200";

#[test]
fn close_of_a_session() {
    all_arrives(WS, LATE, &[("END", "close")], false, "1001 \"\"", &["close 1001"]);
}

#[test]
fn close_of_a_session_while_the_server_sends() {
    all_arrives(WS, TALKS, &[("END", "close")], false, "1001 \"\"", &["close 1001"]);
}

#[test]
fn close_of_a_session_over_tls() {
    all_arrives(WS, LATE, &[("END", "close")], true, "1001 \"\"", &["close 1001"]);
}

#[test]
fn exception_in_a_handler_of_a_session() {
    all_arrives(WS, LATE, &[("END", "throw")], false, "1001 \"\"", &["close 1001"]);
}

#[test]
fn interruption_of_a_session() {
    all_arrives(WS, "/late?ms=2500", &[("END", "interrupt")], false, "1001 \"\"", &[]);
}

#[test]
fn close_of_a_web_socket() {
    all_arrives(WEB, LATE, &[("END", "close")], false, "1000 \"\"", &["close 1000 true"]);
}

#[test]
fn close_of_a_web_socket_while_the_server_sends() {
    all_arrives(WEB, TALKS, &[("END", "close")], false, "1000 \"\"", &["close 1000 true"]);
}

#[test]
fn close_of_a_web_socket_over_tls() {
    all_arrives(WEB, LATE, &[("END", "close")], true, "1000 \"\"", &["close 1000 true"]);
}

#[test]
fn interruption_of_a_web_socket() {
    all_arrives(WEB, "/late?ms=2500", &[("END", "interrupt")], false, "1000 \"\"", &[]);
}

/// The number before ` messages`.
fn count_in(text: &str) -> u64 {
    let before = text.split_once(" message").unwrap_or_else(|| panic!("{text}")).0;
    before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// The server reads nothing in time: what it is not given is an error, and does not count.
#[test]
fn what_is_not_written_in_time_is_an_error() {
    if !is_ws("the param closeTimeout") {
        return;
    }
    for (module, close) in [(WS, "close 1001"), (WEB, "close 1006 false")] {
        let env = [("COUNT", "1500"), ("END", "close"), ("LIMIT", "300")];
        let outcome = Outcome::run(module, "/late?ms=3000", &env, false);
        let client = outcome.client();
        let [error, end] = &client[..] else { panic!("{:#?}", outcome.finished) };
        assert!(error.starts_with("error write tcp 127.0.0.1:"), "{error}");
        assert!(error.contains(": i/o timeout ("), "{error}");
        assert_eq!(end, close);
        let lost = count_in(error);
        assert_eq!(outcome.sent + lost, 1500, "{:#?}", outcome.finished);
        assert!(outcome.server()[0].ends_with(" messages, gone"), "{:#?}", outcome.finished);
        assert_eq!(count_in(&outcome.server()[0]), outcome.sent, "{:#?}", outcome.finished);
    }
}

/// Many at once, and servers that never answer the close frame: nothing hangs, and every message is there.
#[test]
fn many_sessions_that_end_at_once() {
    if !is_ws("sessions that are flushed") {
        return;
    }
    let env = [("COUNT", "100"), ("END", "close"), ("VUS", "50")];
    let outcome = Outcome::run(WS, "/late?ms=500&deaf=1", &env, false);
    assert_eq!(outcome.server(), vec!["100 messages, close 1001 \"\""; 50], "{:#?}", outcome.finished);
    assert_eq!(outcome.sent, 5000);
}

/// What is sent after `close()` is an error, too; k6 counts it.
#[test]
fn what_is_sent_after_the_end_does_not_count() {
    if !is_ws("the count of messages after close()") {
        return;
    }
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        export default function () {
          ws.connect(`${__ENV.WS_URL}/echo`, null, (s) => {
            s.on('error', (e) => console.log(e.error()));
            s.on('open', () => { s.send('x'); s.close(); s.send('late'); });
          });
        }",
    );
    let finished = fixture
        .run()
        .arg_value("--env", format!("WS_URL={}", server.url()))
        .args(["--summary-export", "summary.json"])
        .finish()
        .unwrap();
    assert_eq!(finished.console(), ["websocket: close sent"]);
    let summary = std::fs::read_to_string(fixture.path("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["metrics"]["ws_msgs_sent"]["count"], 1);
}

/// A broken rule is named behind k6's words, and a reset is an error of `k6/websockets`, too; k6 says neither.
#[test]
fn errors_name_the_rule_that_the_server_broke() {
    if !is_ws("the rule that a server broke") {
        return;
    }
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export default function () {
          ws.connect(`${__ENV.WS_URL}/violation/rsv2`, null, (s) => {
            s.on('error', (e) => console.log(e.error()));
            s.on('close', (code) => console.log(code));
          });
          for (const path of ['/violation/rsv2', '/rst']) {
            const s = new WebSocket(__ENV.WS_URL + path);
            s.onopen = () => s.send('x');
            s.onerror = (e) => console.log(path, e.error.replace(/127[^ ]*: /, ''));
            s.onclose = (e) => console.log(path, e.code, e.wasClean);
          }
        }",
    );
    let finished = fixture.run().arg_value("--env", format!("WS_URL={}", server.url())).finish().unwrap();
    let mut lines = finished.console();
    // The two sockets have no order.
    lines[2..].sort_by_key(|line| line.starts_with("/rst"));
    assert_eq!(
        lines,
        [
            "websocket: close sent (RSV2 set)",
            "1001",
            "/violation/rsv2 websocket: close sent (RSV2 set)",
            "/violation/rsv2 1006 false",
            "/rst read tcp read: connection reset by peer",
            "/rst 1006 false",
        ],
        "{finished:#?}"
    );
}

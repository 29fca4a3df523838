//! What sessions leave behind in the heap when they are over: nothing.

mod support;

use support::{Outcome, Plan, echo_server};

/// The bytes that stay for each session, above what engines differ in from run to run. The least that could be left
/// behind, an object of a session with its handlers, is several times this.
const LEFT: f64 = 40.0;

/// One session in each iteration but the last, which collects what the others have left.
fn run(script: &str, sessions: u64) -> Outcome {
    let (_server, url) = echo_server();
    let outcome = Plan::new(script).env("URL", &url).env("LAST", sessions).iterations(sessions + 1).run();
    assert!(outcome.text().is_empty(), "{:?}", outcome.text());
    assert_eq!(outcome.count("ws_sessions"), sessions as f64);
    assert_eq!(outcome.count("ws_msgs_received"), sessions as f64);
    outcome
}

fn nothing_is_left(script: &str) {
    // The first run also makes what a process has once.
    let [_, few, many] = [100, 300, 3000].map(|sessions| run(script, sessions).used_bytes as f64);
    let each = (many - few) / 2700.0;
    assert!(each < LEFT, "{each:.0} bytes for each session: {few} bytes after 300, {many} after 3000");
}

#[test]
fn a_session_of_k6_ws_leaves_nothing_in_the_heap() {
    nothing_is_left(
        "import ws from 'k6/ws';
        export default function () {
          if (__ITER === Number(__ENV.LAST)) return gc();
          ws.connect(__ENV.URL, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', () => socket.close());
            socket.setTimeout(() => {}, 60000);
          });
        }",
    );
}

#[test]
fn a_socket_of_k6_websockets_leaves_nothing_in_the_heap() {
    nothing_is_left(
        "import { WebSocket } from 'k6/websockets';
        export default function () {
          if (__ITER === Number(__ENV.LAST)) return gc();
          const socket = new WebSocket(__ENV.URL);
          socket.onopen = () => socket.send('x');
          socket.addEventListener('message', () => socket.close());
        }",
    );
}

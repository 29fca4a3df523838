//! What a user is told when the system gives no more file descriptors.

use std::process::Command;

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::server::TestServer;
use ws_e2e::tool;

/// Standard error of a run of `script` with so many descriptors.
fn run(script: &str, descriptors: u32, url: &str) -> String {
    let fixture = Fixture::new(script);
    let command = format!("ulimit -n {descriptors} && exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &command, "sh"])
        .arg(&tool::ws().path)
        .args(["run", "--quiet", "--no-color", "script.js", "-e"])
        .arg(format!("WS_URL={url}"))
        .current_dir(fixture.folder())
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_script_that_wants_more_sockets_than_there_can_be() {
    if !is_ws("the warning about descriptors") {
        return;
    }
    let server = TestServer::start().unwrap();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
          const open = [];
          for (let i = 0; i < 100; i++) {
            const socket = new WebSocket(`${__ENV.WS_URL}/echo`);
            open.push(socket);
            socket.onerror = (e) => { console.log(e.error); open.forEach((socket) => socket.close()); };
          }
        }";
    let log = run(script, 80, &server.url());
    let error =
        format!("dial tcp {}: socket: too many open files: no more file descriptors", server.address());
    assert!(log.contains(&error), "{log}");
    let warnings = log.lines().filter(|line| line.contains("for want of file descriptors")).count();
    assert_eq!(warnings, 1, "{log}");
}

#[test]
fn a_run_that_cannot_begin() {
    if !is_ws("what is said about descriptors") {
        return;
    }
    let log = run("export default function () {}", 7, "");
    assert!(log.contains("the system's event poll failed: Too many open files"), "{log}");
    assert!(
        log.contains("this process may have 7 file descriptors, raise the limit with 'ulimit -n'"),
        "{log}"
    );
}

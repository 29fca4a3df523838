//! Scripts found in the wild, run unmodified: their public echo server is this machine's, through `hosts`.
//!
//! They lie beside the repository, in `../shared/seeds`; where they are absent the tests are skipped.

use std::path::PathBuf;

use ws_e2e::fixture::Fixture;
use ws_e2e::process::{Finished, Run};
use ws_e2e::server::{Identity, TestServer};
use ws_e2e::tool::{self, Tool, workspace};

fn seed(name: &str) -> Option<PathBuf> {
    let path = workspace().parent()?.join("shared/seeds").join(name);
    if path.exists() {
        return Some(path);
    }
    ws_e2e::skip(name, "no seeds beside the repository");
    None
}

/// Runs a script with `hosts` set by a script of its own, which imports the other one and hands it on.
fn run(tool: &Tool, name: &str, server: &TestServer) -> Option<Finished> {
    run_after("", tool, name, server)
}

/// The same after the statements of `before`.
fn run_after(before: &str, tool: &Tool, name: &str, server: &TestServer) -> Option<Finished> {
    let seed = seed(name)?;
    let address = server.address();
    // Imports run in their order, before the script that has them.
    let before = Fixture::new(before);
    let fixture = Fixture::new(&format!(
        "import 'file://{}';
         export {{ default }} from 'file://{}';
         export const options = {{
           insecureSkipTLSVerify: true,
           hosts: {{
             'echo.websocket.org:80': '{address}',
             'echo.websocket.org:443': '{address}',
             'test-api.k6.io:443': '{address}',
           }},
         }};",
        before.path("script.js").display(),
        seed.display()
    ));
    Some(Run::script(tool, &fixture.path("script.js")).finish().unwrap())
}

fn plain(name: &str) {
    let server = TestServer::start().unwrap();
    for tool in tool::both(name) {
        let Some(finished) = run(tool, name, &server) else { return };
        assert_eq!(finished.code, Some(0), "{}: {finished:#?}", tool.name());
        let mut console = finished.console();
        // The second ping and the end fall into the same millisecond, so the second pong may come or not.
        let received = console.iter().position(|line| line.starts_with("Received message: 1"));
        let received = console.remove(received.expect("the time sent is echoed"));
        assert!(received["Received message: ".len()..].parse::<u64>().is_ok(), "{received}");
        let first = ["connected", "Pinging every 1sec (setInterval test)", "PONG!", "OTHER PONG!"];
        assert_eq!(console[..4], first, "{}", tool.name());
        let end = "2 seconds passed, closing the socket";
        assert!(console.iter().any(|line| line == end), "{}: {console:#?}", tool.name());
        assert!(console.iter().any(|line| line == "disconnected"), "{}: {console:#?}", tool.name());
        assert!(finished.stdout.contains("✓ status is 101"), "{}: {finished:#?}", tool.name());
    }
}

#[test]
fn k6_ws() {
    plain("000_k6_ws.js");
}

#[test]
fn socket() {
    plain("004_socket.js");
}

fn secure(name: &str, console: &[&str]) {
    let server = TestServer::start_tls(Identity::self_signed(&["echo.websocket.org"]).unwrap()).unwrap();
    for tool in tool::both(name) {
        let Some(finished) = run(tool, name, &server) else { return };
        assert_eq!(finished.code, Some(0), "{}: {finished:#?}", tool.name());
        assert_eq!(finished.console(), console, "{}", tool.name());
    }
}

#[test]
fn basic() {
    secure("001_basic.js", &["WebSocket connection established!"]);
}

#[test]
fn headers() {
    secure("001_headers.js", &["Connected with custom headers", "Received: Hello with custom headers!"]);
}

/// Four sockets of a chat, whose server gives every message back. k6 would have to fetch k6-utils from its site.
#[test]
fn websockets() {
    let name = "003_websockets.js";
    let server = TestServer::start_tls(Identity::self_signed(&["test-api.k6.io"]).unwrap()).unwrap();
    // The shortest of its sessions: a message every 2 s, LEAVE after 5 s, the end 3 s later.
    let Some(finished) = run_after("Math.random = () => 0;", tool::ws(), name, &server) else { return };
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let console = finished.console();
    for id in 0..4 {
        let own: Vec<&str> =
            console.iter().filter_map(|line| line.strip_prefix(&format!("VU 1:{id}"))).collect();
        let echo = " received unhandled message: undefined";
        let said = " received unhandled message: I'm saying aaaaa";
        let leaving = ": 5000ms passed, leaving the chat";
        assert_eq!(own, [echo, said, said, leaving, echo, ": disconnected"], "{console:#?}");
    }
    let closing = "Closing the socket forcefully 3s after graceful LEAVE";
    assert_eq!(console.iter().filter(|line| *line == closing).count(), 4, "{console:#?}");
    assert_eq!(console.len(), 4 * 7, "{console:#?}");
}

//! Bad input, wherever it comes from: one line that says what, where and how to mend it, and the documented exit
//! code. Never a panic, a hang or a silent success.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Run};
use ws_e2e::server::TestServer;
use ws_e2e::tool;

/// Expects this exit code and a single error, of one line, that contains all these words.
#[track_caller]
fn fails(finished: &Finished, code: i32, words: &[&str]) {
    let errors = finished.errors();
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    assert_eq!(errors.len(), 1, "one error is enough: {errors:#?}");
    for word in words {
        assert!(errors[0].contains(word), "{word:?} is missing in {:?}", errors[0]);
    }
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

fn script(text: &str, args: &[&str]) -> Finished {
    Fixture::new(text).run().args(args).finish().unwrap()
}

const NOTHING: &str = "export default function () {}";

#[test]
fn command_line() {
    let run = |args: &[&str]| Run::new(tool::ws(), args).finish().unwrap();
    fails(&run(&["run"]), 255, &["accepts 1 arg(s), received 0"]);
    fails(&run(&["nope"]), 255, &["unknown command \"nope\""]);
    fails(&script(NOTHING, &["--nope"]), 255, &["unknown flag: --nope"]);
    fails(&script(NOTHING, &["--duration", "5"]), 255, &["invalid argument \"5\"", "--duration"]);
    fails(&script(NOTHING, &["--env", "1A=2"]), 255, &["invalid environment variable name '1A'"]);
    fails(&script(NOTHING, &["--tag", "bad"]), 255, &["error parsing tag 'bad'"]);
    fails(
        &script(NOTHING, &["--compatibility-mode", "zz"]),
        255,
        &["invalid compatibility mode", "\"base\""],
    );
    fails(&script(NOTHING, &["--out", "nope"]), 255, &["invalid output type 'nope'"]);
}

#[test]
fn configuration() {
    let vus = script(NOTHING, &["--vus", "5", "--iterations", "2"]);
    fails(&vus, 104, &["the number of iterations (2) can't be less than the number of VUs (5)"]);
    fails(
        &script(NOTHING, &["--vus", "-1", "--iterations", "1"]),
        104,
        &["the number of VUs must be more than 0"],
    );
    let many =
        script("export const options = { vus: 1e12, duration: '1s' }; export default function () {}", &[]);
    fails(&many, 104, &["the test needs 1000000000000 VUs", "has room for "]);
    let duration = script("export const options = { duration: '0s' }; export default function () {}", &[]);
    fails(&duration, 104, &["`duration` option should be more than 0"]);
    let wrong_type = script("export const options = { vus: 'many' }; export default function () {}", &[]);
    fails(&wrong_type, 104, &["many"]);
    for (options, words) in [
        ("{ hosts: { 'a*': '127.0.0.1' } }", "invalid host pattern 'a*'"),
        ("{ blockHostnames: ['a*b'] }", "invalid hostname pattern 'a*b'"),
        ("{ blacklistIPs: ['1.2.3.4'] }", "invalid CIDR address: 1.2.3.4"),
        ("{ dns: { policy: 'v4' } }", "v4 does not belong to DNSPolicy values"),
    ] {
        let text = format!("export const options = {options}; export default function () {{}}");
        fails(&script(&text, &[]), 104, &[words]);
    }
    let env = Fixture::new(NOTHING).run().env("K6_ITERATIONS", "abc").finish().unwrap();
    fails(&env, 104, &["K6_ITERATIONS", "abc"]);
}

#[test]
fn missing_script() {
    fails(
        &Run::script(tool::ws(), Path::new("no-such-file.js")).finish().unwrap(),
        255,
        &["no-such-file.js"],
    );
}

#[test]
fn syntax_error() {
    fails(&script("export default function () {\n  let x = ;\n}\n", &[]), 107, &["script.js", "2:11"]);
}

#[test]
fn exception_in_init_code() {
    let finished =
        script("const a = 1;\nthrow new Error('init boom');\nexport default function () {}\n", &[]);
    fails(&finished, 107, &["Error: init boom", "script.js:2:7"]);
}

#[test]
fn unknown_modules() {
    fails(
        &script("import x from './missing.js';\nexport default function () {}\n", &[]),
        107,
        &["missing.js"],
    );
    if is_ws("an unknown module of k6") {
        fails(&script("import x from 'k6/nope';\nexport default function () {}\n", &[]), 107, &["k6/nope"]);
    }
}

#[test]
fn missing_functions() {
    fails(&script("export const a = 1;\n", &[]), 255, &["no exported functions in script"]);
    let other = script("export function other() {}\n", &[]);
    fails(&other, 104, &["function 'default' not found in exports"]);
    let setup = script("export const setup = 5;\nexport default function () {}\n", &[]);
    fails(&setup, 255, &["exported 'setup' must be a function"]);
}

#[test]
fn a_warning_comes_before_the_error_it_explains() {
    let text = "export const options = { scenarios: {
            a: { executor: 'shared-iterations', vus: 1, iterations: 1, exec: 'other' },
        } };
        export function other() {}";
    let finished = script(text, &["--vus", "1"]);
    fails(&finished, 104, &["function 'default' not found in exports"]);
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{finished:#?}");
    assert!(lines[0].contains("level=warning") && lines[0].contains("vus=1"), "{finished:#?}");
}

#[test]
fn missing_file_in_open() {
    fails(
        &script("open('nofile.txt');\nexport default function () {}\n", &[]),
        107,
        &["nofile.txt", "script.js:1"],
    );
}

#[test]
fn unwritable_output() {
    let finished = script(NOTHING, &["--out", "json=no-such-folder/points.json"]);
    assert_eq!(finished.code, Some(255), "{finished:#?}");
    assert!(finished.stderr.contains("no-such-folder/points.json"), "{finished:#?}");
}

/// What is not there yet is refused by name, wherever it is asked for; it must not be ignored.
#[test]
fn not_yet_there() {
    if !is_ws("refusing what is not there yet") {
        return;
    }
    for (text, args, name) in [
        ("import exec from 'k6/execution';", &[][..], "k6/execution"),
        ("", &["--out", "csv=points.csv"], "csv"),
    ] {
        let finished = script(&format!("{text}\n{NOTHING}\n"), args);
        assert!(finished.code.is_some_and(|code| code != 0), "{name}: {finished:#?}");
        let errors = finished.errors();
        assert!(errors.len() == 1 && errors[0].contains(name), "{name}: {errors:#?}");
    }
}

/// A session against one path of the test server; tells what the script saw.
fn session(path: &str, args: &[&str]) -> Finished {
    let server = TestServer::start().unwrap();
    let text = "
        import ws from 'k6/ws';
        export default function () {
          const res = ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('now'));
            socket.on('error', (e) => console.log(`error ${e.error()}`));
            socket.on('close', (code) => console.log(`closed ${code}`));
          });
          console.log(`status ${res.status} ${res.error}`);
        }";
    let fixture = Fixture::new(text);
    fixture.run().arg_value("--env", format!("URL={}{path}", server.url())).args(args).finish().unwrap()
}

#[test]
fn bad_peers_end_the_session_and_not_the_run() {
    for (path, expected) in [
        ("/status/500", "status 500"),
        ("/garbage", "status 0 malformed HTTP"),
        ("/drop", "status 0 unexpected EOF"),
        ("/rst-mid-message", "status 101"),
        ("/violation/mask", "status 101"),
    ] {
        let finished = session(path, &[]);
        assert_eq!(finished.code, Some(0), "{path}: {finished:#?}");
        let last = finished.console().pop().unwrap_or_default();
        assert!(last.starts_with(expected), "{path}: {finished:#?}");
    }
}

#[test]
fn frame_without_end_is_refused() {
    if !is_ws("a limit of frames") {
        return;
    }
    // 2^62 bytes: nobody may reserve as much, or wait for them.
    let finished = session("/bigframe?len=4611686018427387904", &[]);
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let console = finished.console();
    let what = "frame of 4611686018427387904 bytes exceeds max_frame, 536870912 bytes";
    let error = format!("error websocket: {what}");
    assert_eq!(console, [&*error, "closed 1009", "status 101 "], "{finished:#?}");
    assert_eq!(finished.stderr.matches("a connection was closed with code 1009").count(), 1, "{finished:#?}");
}

#[test]
fn stalled_handshake_ends_with_the_run() {
    // k6 waits for the handshake's own limit of a minute.
    if !is_ws("interrupting a handshake") {
        return;
    }
    let server = TestServer::start().unwrap();
    let text = "
        import ws from 'k6/ws';
        export default function () { ws.connect(__ENV.URL, null, () => {}); }";
    let fixture = Fixture::new(text);
    let run = fixture.run().arg_value("--env", format!("URL={}/stall", server.url()));
    let running = run.limit(Duration::from_secs(30)).start().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    running.signal(rustix::process::Signal::INT).unwrap();
    let finished = running.finish().unwrap();
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    assert!(finished.elapsed < Duration::from_secs(10), "{finished:#?}");
}

#[test]
fn port_of_prometheus_in_use() {
    if !is_ws("--prometheus") {
        return;
    }
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(&script(NOTHING, &["--prometheus", &address]), 106, &[&address]);
}

#[test]
fn too_few_file_descriptors() {
    if !is_ws("the limit of open files") {
        return;
    }
    let fixture = Fixture::new(NOTHING);
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 100; exec \"$0\" run --quiet --no-color --vus 500 --iterations 500 script.js",
        ])
        .arg(&tool::ws().path)
        .current_dir(fixture.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    // A warning: how many connections a script opens is known to itself alone, and this one opens none.
    assert_eq!(output.status.code(), Some(0), "{text}");
    let line = text.lines().find(|line| line.contains("level=warning")).unwrap_or_default();
    assert!(
        ["each VU (500)", "only have 100", "ulimit -n 5"].iter().all(|part| line.contains(part)),
        "{text}"
    );
}

//! The program with its JavaScript engine: scripts on disk, an echo server of the program's own.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use ws_cli::{Env, ExitCode, Stream, main_with};

/// A stream one can look into.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Exit code, standard output, log.
fn run(directory: &Path, script: &str, flags: &str) -> (ExitCode, String, String) {
    std::fs::write(directory.join("script.js"), script).unwrap();
    let (stdout, stderr) = (Memory::default(), Memory::default());
    let env = Env {
        args: ["run", "-q", "script.js"]
            .into_iter()
            .chain(flags.split_whitespace())
            .map(str::to_owned)
            .collect(),
        vars: Vec::new(),
        cwd: directory.to_owned(),
        stdout: Stream::new(stdout.clone()),
        stderr: Stream::new(stderr.clone()),
        ..Env::process()
    };
    (main_with(env), stdout.text(), stderr.text())
}

// One test, because V8 wants to be initialised before the threads that use it exist, and the test harness makes a
// thread for each test.
#[test]
fn scripts_from_start_to_report() {
    let directory = tempfile::tempdir().unwrap();
    let run = |script: &str, flags: &str| run(directory.path(), script, flags);

    let (code, out, log) = run(
        r#"
        import ws from 'k6/ws';
        import { check } from 'k6';
        export const options = { vus: 2, iterations: 6, thresholds: { checks: ['rate==1'] } };
        export function setup() { return { greeting: 'hi' }; }
        export default function (data) {
            let heard;
            const response = ws.connect(__ENV.WS_URL, {}, (socket) => {
                socket.on('open', () => socket.send(data.greeting));
                socket.on('message', (message) => { heard = message; socket.close(); });
            });
            check(response, { 'status is 101': (r) => r.status === 101 });
            check(heard, { 'echoed': (h) => h === __ENV.EXPECTED });
        }
        export function teardown(data) { console.log(`bye ${data.greeting}`); }
        "#,
        "--echo -e EXPECTED=hi --summary-export out.json",
    );
    assert_eq!(code, ExitCode::Success, "{log}");
    assert!(log.contains("msg=\"bye hi\" source=console"), "{log}");
    assert!(out.contains("    ✓ 'rate==1' rate=100.00%\n"), "{out}");
    assert!(out.contains("    ws_msgs_sent..........: 6 "), "{out}");
    let export = std::fs::read_to_string(directory.path().join("out.json")).unwrap();
    assert!(export.contains("\"greeting\": \"hi\""), "{export}");

    let throwing = "export function setup() { throw new Error('no'); } export default function () {}";
    let (code, out, log) = run(throwing, "");
    assert_eq!(code, ExitCode::ScriptException, "{log}");
    assert!(log.contains("level=error msg=\"Error: no\\n\\tat setup (file://"), "{log}");
    assert!(log.contains("hint=\"script exception\" source=stacktrace"), "{log}");
    assert!(out.contains("TOTAL RESULTS"), "{out}");

    let (code, out, log) = run("throw new Error('early')", "");
    assert_eq!((code, out.as_str()), (ExitCode::ScriptException, ""), "{log}");

    let second = "if (__VU === 2) throw new Error('late'); export default function () {}";
    let (code, _, log) = run(second, "-u 2 -i 2");
    assert_eq!(code, ExitCode::ScriptException, "{log}");
    assert!(log.contains("hint=\"error while initializing VU #2 (script exception)\""), "{log}");

    let slow = "import { sleep } from 'k6'; export const options = { setupTimeout: '50ms' };
        export function setup() { sleep(60); } export default function () {}";
    let (code, _, log) = run(slow, "");
    assert_eq!(code, ExitCode::SetupTimeout, "{log}");

    let broken = "export default function ( {";
    let (code, _, log) = run(broken, "");
    assert_eq!(code, ExitCode::ScriptException, "{log}");
    assert!(log.contains("SyntaxError"), "{log}");
}

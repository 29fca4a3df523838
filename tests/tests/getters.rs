//! Getters and `toJSON` that run while the tool reads `options` and the results of `setup()` and `handleSummary()`:
//! scripts under the rules of the function they belong to.

use std::time::Duration;

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::Finished;
use ws_e2e::server::TestServer;

fn run(script: &str) -> Finished {
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(script);
    let run = fixture.run().arg_value("--env", format!("WS_URL={}", server.url()));
    run.limit(Duration::from_secs(40)).finish().unwrap()
}

#[track_caller]
fn fails(script: &str, code: i32, words: &str) {
    let finished = run(script);
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    assert!(finished.errors().last().unwrap().contains(words), "{finished:#?}");
}

#[test]
fn of_options() {
    if !is_ws("getters of options") {
        return;
    }
    let options = |body: &str| {
        format!(
            "import ws from 'k6/ws'; import {{ sleep, check }} from 'k6';
             export const options = {{ get vus() {{ {body}; return 1; }} }};
             export default function () {{ console.log('iteration'); }}"
        )
    };
    let dial = "ws.connect(__ENV.WS_URL + '/echo?id=x', null, (s) => s.on('message', () => s.close()))";
    fails(&options(dial), 107, "in the init context is not supported");
    fails(&options("throw new Error('from a getter')"), 107, "Error: from a getter");
    fails(&options("Promise.reject(new Error('rejected'))"), 107, "Error: rejected");
    fails(&options("setTimeout(() => { throw new Error('later'); }, 20)"), 107, "Error: later");
    fails("export const options = {}; options.a = options; export default () => {};", 255, "a cycle");
    let finished = run(&options("sleep(0.1)"));
    assert_eq!((finished.code, finished.console()), (Some(0), vec!["iteration".to_owned()]), "{finished:#?}");
}

/// A script whose `setup` or `handleSummary` returns an object with this getter or `toJSON`.
fn phase(of: &str, method: &str) -> String {
    format!(
        "import {{ sleep, check }} from 'k6'; import ws from 'k6/ws';
         export function setup() {{ return {{ {} }}; }}
         export default function (data) {{ console.log('got ' + JSON.stringify(data)); }}
         export function handleSummary() {{ return {{ {} }}; }}",
        if of == "setup" { method } else { "" },
        if of == "summary" { method } else { "" },
    )
}

#[test]
fn of_what_setup_returns() {
    let finished =
        run(&phase("setup", "get a() { sleep(0.1); check(1, { 'in a getter': () => true }); return 7; }"));
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(finished.console(), ["got {\"a\":7}"]);
    if !is_ws("getters of setup's result") {
        return;
    }
    let session = "get a() {
        let seen;
        ws.connect(__ENV.WS_URL + '/echo?id=x', null, (s) => {
          s.on('open', () => s.send('hello'));
          s.on('message', (text) => { seen = text; s.close(); });
        });
        return { seen };
      }";
    let finished = run(&phase("setup", session));
    assert_eq!(finished.console(), ["got {\"a\":{\"seen\":\"hello\"}}"], "{finished:#?}");
    fails(&phase("setup", "get a() { throw new Error('from a getter'); }"), 107, "Error: from a getter");
}

#[test]
fn of_what_handle_summary_returns() {
    let finished = run(&phase("summary", "get stdout() { sleep(0.2); return 'of a getter'; }"));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "of a getter"), "{finished:#?}");
    let finished = run(&phase("summary", "get stdout() { throw new Error('from a getter'); }"));
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert!(finished.stderr.contains("Error: from a getter"), "{finished:#?}");
}

//! `handleSummary()` in a runtime.

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::Plan;
use ws_js::{Summary, SummaryError};

/// Calls the `handleSummary` of this script after a run; gives what came of it, and the log.
fn summary(script: &str, limit: Duration) -> (Result<Summary, SummaryError>, Vec<String>) {
    let running = Plan::new(format!("{script}\nexport default function () {{}}")).start();
    let setup_data = Some(Arc::from(r#"{"x": 0.1}"#));
    let result = running.runtime.handle_summary(r#"{"state": {"a": 1}}"#.to_owned(), setup_data, limit);
    let outcome = running.finish();
    (result, outcome.text().into_iter().map(str::to_owned).collect())
}

const ENOUGH: Duration = Duration::from_secs(60);

fn files(text: &str) -> Summary {
    Summary::Files(vec![("stdout".to_owned(), text.as_bytes().to_vec())])
}

#[test]
fn it_gets_the_results_and_may_wait_and_be_async() {
    let (result, log) = summary(
        "import { sleep } from 'k6';
        export async function handleSummary(...all) {
          sleep(0.01);
          const [data] = await Promise.resolve(all);
          return { stdout: JSON.stringify([__VU, all.length, data]) };
        }",
        ENOUGH,
    );
    assert_eq!(result.unwrap(), files(r#"[0,1,{"state":{"a":1},"setup_data":{"x":0.1}}]"#));
    assert_eq!(log, [""; 0]);
}

#[test]
fn its_init_code_runs_even_without_it() {
    let (result, log) = summary("console.log('init', __VU);", ENOUGH);
    assert_eq!(result.unwrap(), Summary::Nothing);
    assert_eq!(log, ["init 0", "init 1", "init 0"]);
}

#[test]
fn a_promise_that_is_not_its_own_fails_nothing() {
    let (result, log) = summary(
        "export function handleSummary() { Promise.reject('stray'); return { stdout: 'text' } }",
        ENOUGH,
    );
    assert_eq!(result.unwrap(), files("text"));
    assert_eq!(log, ["Uncaught (in promise) stray"]);
    let (result, log) = summary("export async function handleSummary() { throw 'own' }", ENOUGH);
    assert_eq!(result.unwrap_err().to_string(), "Uncaught (in promise) own");
    assert_eq!(log, [""; 0]);
}

#[test]
fn it_must_end_in_time() {
    for body in ["for (;;);", "sleep(3600);"] {
        let script = format!("import {{ sleep }} from 'k6'; export function handleSummary() {{ {body} }}");
        let (result, _) = summary(&script, Duration::from_millis(20));
        assert_eq!(
            result.unwrap_err().to_string(),
            "handleSummary() execution timed out after 0 seconds",
            "{body}"
        );
    }
}

#[test]
fn other_things_of_this_name_are_refused() {
    for value in ["5", "null", "undefined"] {
        let (result, _) = summary(&format!("export const handleSummary = {value};"), ENOUGH);
        assert_eq!(
            result.unwrap_err().to_string(),
            "exported identifier handleSummary must be a function",
            "{value}"
        );
    }
}

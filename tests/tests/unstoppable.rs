//! Scripts that compute whatever they are told: the run ends all the same, with its report.

use std::time::Duration;

use rustix::process::Signal;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::Finished;

/// `begins` in one call of JavaScript's own that takes hours, in a loop around long calls, and in one around natives of
/// the tool.
const BODIES: [&str; 3] = [
    "Array.prototype.indexOf.call({ length: 2 ** 50 }, 1);",
    "const a = Array.from({ length: 1e6 }, (_, i) => ({ a: i, b: 'x' })); for (;;) JSON.stringify(a);",
    "const u = new Uint8Array(1e7); for (;;) new Blob([u, u, u]);",
];

fn script(body: &str) -> String {
    format!(
        "export const options = {{
           scenarios: {{ a: {{ executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '500ms' }} }},
         }};
         export default function () {{ console.log('begins'); {body} }}
         export function teardown() {{ console.log('teardown'); }}
         export function handleSummary() {{ return {{ stdout: 'of the script' }}; }}"
    )
}

#[track_caller]
fn ended_in_order(finished: &Finished, code: i32) {
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    assert!(finished.stdout.contains("of the script"), "{finished:#?}");
    assert!(finished.console().contains(&"teardown".to_owned()), "{finished:#?}");
    // Three seconds, and what a busy machine adds.
    assert!(finished.elapsed < Duration::from_secs(25), "{finished:#?}");
}

#[test]
fn the_time_of_the_scenario_is_over() {
    for body in BODIES {
        let fixture = Fixture::new(&script(body));
        let finished = fixture.run().limit(Duration::from_secs(50)).finish().unwrap();
        if !is_ws("scripts that cannot be stopped") {
            return;
        }
        ended_in_order(&finished, 0);
        // V8 may see in a loop that it is to stop, or not in time.
        let left_behind = finished.stderr.contains("was left behind");
        assert!(left_behind || !body.contains("indexOf"), "{finished:#?}");
        assert!(!left_behind || !body.contains("Blob"), "natives of the tool see that: {finished:#?}");
    }
}

#[test]
fn a_signal_comes() {
    if !is_ws("scripts that cannot be stopped") {
        return;
    }
    for body in BODIES {
        let fixture = Fixture::new(&script(body));
        let run = fixture.run().args(["--out", "json=out.json"]).limit(Duration::from_secs(50));
        let mut running = run.start().unwrap();
        running.wait_for(|_, log| log.contains("begins")).unwrap();
        running.signal(Signal::TERM).unwrap();
        ended_in_order(&running.finish().unwrap(), 105);
        assert!(std::fs::read_to_string(fixture.path("out.json")).is_ok());
    }
}

//! Init code that fails or never ends in a virtual user, after it went well for the tool's own look at the script.

use std::time::Duration;

use rustix::process::Signal;
use ws_e2e::fixture::Fixture;
use ws_e2e::logfmt::Line;
use ws_e2e::process::Finished;

/// Runs the script, whose init code fails in each VU, in so many of them.
fn fails(script: &str, vus: &str) -> Finished {
    let fixture = Fixture::new(script);
    std::fs::write(fixture.path("other.txt"), "text").unwrap();
    fixture.run().args(["--vus", vus, "-i", vus]).limit(Duration::from_secs(50)).finish().unwrap()
}

/// The one error, whose hint names the VU.
#[track_caller]
fn names_the_vu(finished: &Finished, message: &str) {
    assert_eq!(finished.code, Some(107), "{finished:#?}");
    let errors: Vec<Line> =
        finished.stderr.lines().filter_map(Line::parse).filter(|line| line.level() == "error").collect();
    let [error] = &errors[..] else { panic!("{finished:#?}") };
    assert!(error.message().contains(message), "{finished:#?}");
    let hint = error.get("hint").unwrap_or_default();
    let number = hint.strip_prefix("error while initializing VU #").expect("a hint of k6's form");
    let number = number.strip_suffix(" (script exception)").expect("a hint of k6's form");
    assert!(number.parse::<u32>().is_ok_and(|number| number >= 1), "{hint}");
}

#[test]
fn an_exception() {
    let script = "if (__VU > 0) throw new Error('init of VU ' + __VU); export default function () {}";
    for vus in ["1", "6", "500"] {
        names_the_vu(&fails(script, vus), "Error: init of VU ");
    }
}

#[test]
fn a_file_that_was_not_opened_before() {
    let script = "if (__VU > 0) open('./other.txt'); export default function () {}";
    names_the_vu(&fails(script, "6"), "that weren't previously opened during initialization");
}

#[test]
fn a_rejected_promise() {
    let script = "if (__VU > 0) Promise.reject(new Error('rejected')); export default function () {}";
    names_the_vu(&fails(script, "6"), "Uncaught (in promise) Error: rejected");
}

#[test]
fn an_exception_after_a_wait() {
    let script =
        "if (__VU > 0) { await new Promise((done) => setTimeout(done, 50)); throw new Error('late'); }
        export default function () {}";
    names_the_vu(&fails(script, "6"), "Error: late");
}

#[test]
fn the_others_are_not_waited_for() {
    let script = "import { sleep } from 'k6';
        if (__VU === 2) throw new Error('only here');
        if (__VU > 0) { sleep(1000); for (;;); }
        export default function () {}";
    names_the_vu(&fails(script, "20"), "Error: only here");
}

#[test]
fn a_signal_ends_init_code_that_waits_or_computes() {
    for endless in ["sleep(1000)", "for (;;)", "await new Promise((done) => setTimeout(done, 1e6))"] {
        let script = format!(
            "import {{ sleep }} from 'k6';
             if (__VU > 0) {{ console.log('begins'); {endless}; }}
             export default function () {{}}"
        );
        let fixture = Fixture::new(&script);
        let run = fixture.run().args(["--vus", "20", "-i", "20"]).limit(Duration::from_secs(40));
        let mut running = run.start().unwrap();
        running.wait_for(|_, log| log.contains("begins")).unwrap();
        running.signal(Signal::TERM).unwrap();
        let finished = running.finish().unwrap();
        assert_eq!(finished.code, Some(105), "{finished:#?}");
        assert!(finished.errors()[0].contains("'terminated' signal"), "{finished:#?}");
        assert!(finished.elapsed < Duration::from_secs(20), "{finished:#?}");
    }
}

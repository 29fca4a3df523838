//! Scripts that compute without end beside scripts that do not: the others run, and the run ends when it should.

use std::time::Duration;

use rustix::process::Signal;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Run};

/// Even a very busy machine is not so slow.
const LIMIT: Duration = Duration::from_secs(60);

fn run(fixture: &Fixture, drivers: &str) -> Run {
    fixture.run().args(["--drivers", drivers]).limit(LIMIT)
}

fn ran(finished: &Finished, vu: u32) -> bool {
    finished.console().contains(&format!("VU {vu} ran"))
}

#[test]
fn a_threshold_ends_the_run() {
    if !is_ws("time slices with --drivers") {
        return;
    }
    for (computing, drivers) in [(1, "1"), (1, "4"), (3, "1"), (3, "4")] {
        let vus = computing + 1;
        let fixture = Fixture::new(&format!(
            "import {{ Counter }} from 'k6/metrics';
             const boom = new Counter('boom');
             export const options = {{
               scenarios: {{ s: {{ executor: 'constant-vus', vus: {vus}, duration: '50s', gracefulStop: '1s' }} }},
               thresholds: {{ boom: [{{ threshold: 'count<1', abortOnFail: true }}] }},
             }};
             export default async function () {{
               for (const begin = Date.now(); __VU <= {computing} && Date.now() - begin < 60000; );
               await new Promise((done) => setTimeout(done, 200));
               console.log(`VU ${{__VU}} ran`);
               boom.add(1);
               await new Promise((done) => setTimeout(done, 5000));
             }}"
        ));
        let finished = run(&fixture, drivers).finish().unwrap();
        assert_eq!(finished.code, Some(99), "{computing} {drivers}: {finished:#?}");
        assert!(ran(&finished, vus) && !ran(&finished, 1), "{computing} {drivers}: {finished:#?}");
        assert!(finished.elapsed < Duration::from_secs(30), "{computing} {drivers}: {finished:#?}");
    }
}

#[test]
fn a_signal_ends_the_run() {
    if !is_ws("time slices with --drivers") {
        return;
    }
    let fixture = Fixture::new(
        "export const options = { scenarios: {
           s: { executor: 'constant-vus', vus: 4, duration: '50s', gracefulStop: '50s' },
         } };
         export default function () {
           if (__VU == 4) console.log('VU 4 ran');
           for (;;);
         }
         export function teardown() { console.log('teardown'); }",
    );
    let mut running = run(&fixture, "1").start().unwrap();
    running.wait_for(|_, log| log.contains("VU 4 ran")).unwrap();
    running.signal(Signal::TERM).unwrap();
    let finished = running.finish().unwrap();
    assert_eq!(finished.code, Some(105), "{finished:#?}");
    assert!(finished.console().contains(&"teardown".to_owned()), "{finished:#?}");
    assert!(!finished.stderr.contains("was left behind"), "{finished:#?}");
}

#[test]
fn the_one_that_keeps_others_waiting_is_named() {
    if !is_ws("time slices with --drivers") {
        return;
    }
    // A single call of `JSON.parse` cannot be cut. There are so many VUs that VU 1 shares its isolate with some, and they
    // come back from their sleep again and again.
    let fixture = Fixture::new(
        "import { sleep } from 'k6';
         export const options = {
           scenarios: { s: { executor: 'per-vu-iterations', vus: 64, iterations: 1 } },
         };
         export default function () {
           if (__VU > 1) {
             for (let i = 0; i < 100; i++) sleep(0.01);
             return;
           }
           const text = `[${'1,'.repeat(3e6)}1]`;
           for (let i = 0; i < 10; i++) JSON.parse(text);
         }",
    );
    let finished = run(&fixture, "1").finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let text = "scripts that compute for long kept other VUs waiting: VU 1 for ";
    assert!(finished.stderr.contains(text), "{finished:#?}");
}

//! The event loop of a VU: timers, async functions, and what happens to them when the VU is told to stop.

mod support;

use support::{Plan, echo_server};
use ws_js::Level;

/// VUs that wait for timers wait on no thread of their own.
#[test]
fn vus_that_wait_for_timers_need_no_threads() {
    let script = "
        export default async function () {
            await new Promise((resolve) => setTimeout(resolve, 300));
            console.log('woken');
        }";
    let running = Plan::new(script).vus(100).drivers(1).start();
    running.wait_for_lines("woken", 1);
    let (_, threads) = running.runtime.threads();
    let outcome = running.finish();
    assert_eq!((outcome.complete, outcome.count("iterations")), (100, 100.0));
    assert!(threads <= 2, "{threads} threads");
}

/// A timer that blocks parks its thread; the other VUs of the group go on.
#[test]
fn a_timer_may_sleep() {
    let script = "
        import { sleep } from 'k6';
        export default function () {
            if (__VU === 1) {
                setTimeout(() => { console.log('sleeps'); sleep(0.4); console.log('slept'); }, 1);
                setTimeout(() => console.log('after the sleep'), 2);
            } else {
                setTimeout(() => console.log('meanwhile'), 200);
            }
        }";
    let outcome = Plan::new(script).vus(1 + support::groups()).drivers(1).run();
    let lines = outcome.text();
    let at = |text: &str| lines.iter().position(|line| *line == text).unwrap();
    assert!(at("sleeps") < at("meanwhile") && at("meanwhile") < at("slept"), "{lines:?}");
    assert!(at("slept") < at("after the sleep"), "{lines:?}");
    assert_eq!(outcome.complete, 1 + support::groups() as u64);
}

/// While a script sleeps its timers become due; they run in order when it has returned.
#[test]
fn timers_wait_for_a_script_that_blocks() {
    let (_server, url) = echo_server();
    let script = "
        import ws from 'k6/ws';
        import { sleep } from 'k6';
        export default function () {
            setTimeout(() => console.log('b'), 20);
            setTimeout(() => console.log('a'), 10);
            sleep(0.05);
            ws.connect(__ENV.URL, null, (socket) => {
                socket.setTimeout(() => { console.log('session'); socket.close(); }, 30);
                setTimeout(() => console.log('c'), 1);
            });
            console.log('returns');
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), ["session", "returns", "a", "b", "c"]);
}

/// Timers that are due at once do not keep the others, or sockets, from their turn.
#[test]
fn timers_without_a_delay_starve_nobody() {
    let script = "
        export default function () {
            let turns = 0;
            let over = false;
            const again = () => { turns += 1; if (!over) setTimeout(again, 0); };
            again();
            setTimeout(() => { over = true; console.log(turns > 10); }, 50);
        }";
    let outcome = Plan::new(script).run();
    assert_eq!(outcome.text(), ["true"]);
}

/// An iteration that never ends by itself ends with the order to stop, without another word of the script.
#[test]
fn a_waiting_event_loop_can_be_interrupted() {
    let script = "
        export default function () {
            setInterval(() => console.log('tick'), 5);
            setTimeout(() => console.log('never'), 60000);
        }";
    let running = Plan::new(script).vus(3).start();
    running.wait_for_lines("tick", 9);
    running.interrupt_all(3);
    let outcome = running.finish();
    assert_eq!((outcome.interrupted, outcome.count("iterations")), (3, 0.0));
    let warnings = outcome.lines.iter().filter(|(level, _)| *level == Level::Warning);
    let mut warnings: Vec<_> = warnings.map(|(_, line)| line.as_str()).collect();
    warnings.sort_unstable();
    let (interval, timeout) = (
        "setInterval 1 was stopped because the VU iteration was interrupted",
        "setTimeout 2 was stopped because the VU iteration was interrupted",
    );
    assert_eq!(warnings, [interval, interval, interval, timeout, timeout, timeout]);
}

/// A timer's endless loop ends with the order to stop, and the VU's next assignment starts afresh.
#[test]
fn a_vu_whose_timer_was_cut_short_works_again() {
    let script = "
        let runs = 0;
        export default async function () {
            runs += 1;
            if (runs > 1) {
                await new Promise((resolve) => setTimeout(resolve, 5));
                console.log('again');
                return;
            }
            setTimeout(() => { console.log('spins'); for (;;) {} }, 1);
            Promise.resolve().then(() => new Promise(() => {})).then(() => console.log('never'));
        }";
    let running = Plan::new(script).start();
    running.wait_for_lines("spins", 1);
    running.stop(0);
    running.again(0);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["spins", "again"]);
    assert_eq!((outcome.interrupted, outcome.complete), (1, 1));
}

/// The init stage waits for its timers, in every VU, and top-level `await` for theirs.
#[test]
fn init_code_waits_for_timers() {
    let script = "
        let late = 'no';
        setTimeout(() => { late = 'yes'; }, 20);
        const value = await new Promise((resolve) => setTimeout(() => resolve('awaited'), 5));
        export default function () { console.log(`${value} ${late}`); }";
    let outcome = Plan::new(script).vus(2).run();
    assert_eq!(outcome.text(), ["awaited yes", "awaited yes"]);
}

//! Runs that end before their scripts do. A file of its own: it counts the threads of its process.

mod support;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use support::{Plan, echo_server, stalled_server};

/// One at a time: each looks at the whole process.
static ALONE: Mutex<()> = Mutex::new(());

const BUSY: &str = r#"
    import ws from 'k6/ws';
    import { sleep } from 'k6';
    export default function () {
      console.log('here');
      switch (__VU % 5) {
        case 0: ws.connect(__ENV.URL, (s) => s.setInterval(() => s.send('x'), 1)); break;
        case 1: sleep(1000); break;
        case 2: ws.connect(__ENV.URL, (s) => s.on('open', () => sleep(1000))); break;
        case 3: ws.connect(__ENV.STALLED, () => {}); break;
        case 4: ws.connect(__ENV.URL, (s) => s.on('open', () => ws.connect(__ENV.URL, () => {}))); break;
      }
    }
"#;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn a_run_that_is_dropped_ends_its_scripts() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (_server, url) = echo_server();
    let (_listener, stalled) = stalled_server();
    for drivers in [None, Some(1)] {
        // It would go on with the next iteration at once, for ever.
        let mut plan = Plan::new(BUSY).vus(50).env("URL", &url).env("STALLED", &stalled).iterations(1 << 40);
        plan.drivers = drivers;
        let running = plan.start();
        running.wait_for_lines("here", 50);
        let began = Instant::now();
        drop(running);
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
}

#[test]
fn a_run_whose_vus_compute_is_dropped_soon() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let script = "export default function () { console.log('here'); for (;;); }";
    // All but one of each group wait for their turn, which never comes.
    let running = Plan::new(script).vus(20).iterations(1 << 40).start();
    running.wait_for_lines("here", 1);
    let began = Instant::now();
    drop(running);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_script_that_cannot_be_stopped_does_not_stop_the_run_from_ending() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // V8 walks along this without a look at requests to stop.
    let script = "export default function () {
        console.log('here');
        if (__VU === 1) Array.prototype.indexOf.call({ length: 2 ** 34 }, 1);
        for (;;);
    }";
    let running = Plan::new(script).vus(4).start();
    running.wait_for_lines("here", 1);
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    drop(running);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn a_sleep_in_the_init_stage_is_over_when_it_is_over() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let script = "import { sleep } from 'k6'; sleep(0.01); export default function () {}";
    let running = Plan::new(script).vus(4).iterations(0).start();
    let began = Instant::now();
    drop(running);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn many_short_runs_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (_server, url) = echo_server();
    let run = || {
        let script = "import ws from 'k6/ws'; import { sleep } from 'k6';
            export default function () {
              ws.connect(__ENV.URL, (s) => { s.on('open', () => s.send('x')); s.on('message', () => s.close()); });
              sleep(0.001);
            }";
        let outcome = Plan::new(script).vus(10).env("URL", &url).iterations(2).run();
        assert_eq!(outcome.complete, 20);
    };
    run();
    let (threads_before, descriptors_before) = (threads(), descriptors());
    for _ in 0..25 {
        run();
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while (threads() > threads_before || descriptors() > descriptors_before) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(threads() <= threads_before, "{} threads, {threads_before} before", threads());
    assert!(descriptors() <= descriptors_before, "{} files, {descriptors_before} before", descriptors());
}

//! Interruption at every point of a script.

mod support;

use std::time::Duration;

use support::{Plan, Running, echo_server, groups, stalled_server};

/// Lines that only a script that runs on after its interruption would write.
const TAIL: &str = "console.log('ran on')";

/// Runs `body` as the default function of VU 1, interrupts it when it has logged `here`, and expects that
/// nothing of it runs on, that nothing is counted as an iteration, and that the other VUs, one of which shares
/// its group, and the next activation of VU 1 are none the worse for it.
fn interrupted_in(name: &str, body: &str) {
    let (_server, url) = echo_server();
    let (_listener, stalled) = stalled_server();
    let script = format!(
        r#"
        import ws from 'k6/ws';
        import {{ sleep, check, group }} from 'k6';
        let second = false;
        function other() {{
          let got = 0;
          const res = ws.connect(__ENV.URL, null, (socket) => {{
            socket.on('open', () => socket.send('x'));
            socket.on('message', (m) => {{
              let sum = 0;
              for (let i = 0; i < 1000; i++) sum += i;
              if (++got === 50) socket.close(); else socket.send(m);
            }});
          }});
          if (res.status !== 101 || got !== 50) throw new Error('damaged');
        }}
        export default function () {{
          if (__VU !== 1 || second) return other();
          second = true;
          try {{ {body} }}
          catch (e) {{ console.log('caught', e); }}
          finally {{ console.log('finally'); }}
          {TAIL};
        }}
        "#
    );
    let vus = groups() + 1;
    let plan = Plan::new(script).vus(vus).drivers(1);
    let running = plan.env("URL", &url).env("STALLED", &stalled).iterations(1).start();
    running.wait_for_lines("here", 1);
    // Let it get to the point.
    std::thread::sleep(Duration::from_millis(if name.starts_with("hot") { 1000 } else { 30 }));
    running.runtime.interrupt(0);
    running.stop(0);
    running.again(0);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["here"], "{name}");
    assert_eq!((outcome.complete, outcome.failed, outcome.interrupted), (vus as u64, 0, 1), "{name}");
    assert_eq!(outcome.count("iterations"), vus as f64, "{name}");
    assert_eq!(outcome.trend_count("iteration_duration"), vus as u64, "{name}");
}

#[test]
fn in_a_loop() {
    interrupted_in("loop", "console.log('here'); while (true) {}");
}

/// Optimised code, which looks for requests to stop less often.
#[test]
fn in_a_hot_loop_of_builtins() {
    interrupted_in(
        "hot loop",
        "const a = []; console.log('here'); for (let i = 0; ; i++) a[i % 1000] = new Array(1000).fill(i);",
    );
    interrupted_in(
        "hot loop of pushes",
        "let a = []; console.log('here'); for (;;) { a.push(new Array(100).fill(1)); if (a.length > 1e4) a = []; }",
    );
}

#[test]
fn in_sleep() {
    interrupted_in("sleep", "console.log('here'); sleep(100);");
}

#[test]
fn in_a_dial() {
    interrupted_in("dial", "console.log('here'); ws.connect(__ENV.STALLED, null, () => {});");
}

#[test]
fn in_connect() {
    interrupted_in(
        "connect",
        "ws.connect(__ENV.URL, null, (s) => { s.on('open', () => console.log('here'));
           s.on('close', () => console.log('close')); s.on('error', () => console.log('error')); });",
    );
}

#[test]
fn in_a_nested_connect() {
    interrupted_in(
        "nested",
        "const close = () => console.log('close');
         ws.connect(__ENV.URL, null, (s) => { s.on('close', close); s.on('open', () => {
           try {
             ws.connect(__ENV.URL, null, (t) => { t.on('close', close); t.on('open', () => console.log('here')); });
           } finally { console.log('inner finally'); }
           console.log('after inner');
         }); });",
    );
}

#[test]
fn in_a_nested_dial() {
    interrupted_in(
        "nested dial",
        "ws.connect(__ENV.URL, null, (s) => { s.on('open', () => {
           console.log('here'); ws.connect(__ENV.STALLED, null, () => {}); console.log('after inner'); }); });",
    );
}

#[test]
fn in_a_handlers_sleep() {
    interrupted_in(
        "handler's sleep",
        "ws.connect(__ENV.URL, null, (s) => { s.on('open', () => {
           try { console.log('here'); sleep(100); } catch (e) { console.log('inner'); } console.log('after'); }); });",
    );
}

#[test]
fn in_a_handlers_loop() {
    interrupted_in(
        "handler's loop",
        "ws.connect(__ENV.URL, null, (s) => { s.on('open', () => {
           try { console.log('here'); for (;;); } finally { console.log('inner'); } }); });",
    );
}

#[test]
fn in_a_close_handlers_loop() {
    interrupted_in(
        "close handler's loop",
        "ws.connect(__ENV.URL, null, (s) => {
           s.on('open', () => { try { s.close(); } finally { console.log('inner'); } });
           s.on('close', () => { console.log('here'); for (;;); });
           s.on('close', () => console.log('second')); });",
    );
}

#[test]
fn in_a_close_handlers_sleep_after_an_exception() {
    interrupted_in(
        "close handler's sleep",
        "ws.connect(__ENV.URL, null, (s) => {
           s.on('open', () => { throw new Error('x') });
           s.on('close', () => { console.log('here'); sleep(100); }); });",
    );
}

#[test]
fn in_a_close_handlers_connect() {
    interrupted_in(
        "close handler's connect",
        "ws.connect(__ENV.URL, null, (s) => {
           s.on('open', () => s.close());
           s.on('close', () => ws.connect(__ENV.URL, null, (t) => t.on('open', () => console.log('here')))); });",
    );
}

#[test]
fn with_a_backlog() {
    interrupted_in(
        "backlog",
        "ws.connect(__ENV.URL, null, (s) => {
           s.on('open', () => { for (let i = 0; i < 500; i++) s.send('y'.repeat(1000)); s.setInterval(() => {}, 1);
             sleep(0.2); console.log('here'); sleep(100); });
           s.on('message', () => console.log('message')); });",
    );
}

#[test]
fn in_a_getter_of_the_params() {
    interrupted_in(
        "getter",
        "ws.connect(__ENV.URL, { get tags() { console.log('here'); sleep(100); return {}; } }, () => {});",
    );
}

#[test]
fn in_a_to_string_during_send() {
    interrupted_in(
        "toString",
        "ws.connect(__ENV.URL, null, (s) => { s.on('open', () => s.send({ toString() {
           console.log('here'); for (;;); } })); });",
    );
}

#[test]
fn in_a_check_in_a_group() {
    interrupted_in(
        "check",
        "group('g', () => { check(1, { c: () => { console.log('here'); for (;;); } }); console.log('after'); });",
    );
}

#[test]
fn in_a_comparator() {
    interrupted_in("comparator", "[3, 1, 2].sort(() => { console.log('here'); for (;;); });");
}

fn promise(name: &str, body: &str) {
    let (_server, url) = echo_server();
    let script = format!(
        r#"
        import ws from 'k6/ws';
        import {{ sleep }} from 'k6';
        let second = false;
        export default function () {{
          if (second) {{ console.log('second'); return; }}
          second = true;
          {body}
        }}
        "#
    );
    let running = Plan::new(script).env("URL", &url).start();
    running.wait_for_lines("here", 1);
    std::thread::sleep(Duration::from_millis(30));
    running.stop(0);
    running.again(0);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["here", "second"], "{name}");
    assert_eq!((outcome.complete, outcome.failed, outcome.interrupted), (1, 0, 1), "{name}");
}

#[test]
fn reactions_and_rejections_of_an_interrupted_iteration_are_dropped() {
    promise(
        "pending reaction",
        "Promise.resolve().then(() => console.log('stale')); console.log('here'); for (;;);",
    );
    promise("rejection", "Promise.reject(new Error('stale')); console.log('here'); for (;;);");
    promise(
        "a handler's reactions",
        "ws.connect(__ENV.URL, null, (s) => s.on('open', async () => {
           (async () => { await 1; throw new Error('stale'); })();
           Promise.reject(new Error('stale')); console.log('here'); }));",
    );
}

#[test]
fn in_reactions() {
    promise("endless reaction", "(async () => { await 1; console.log('here'); for (;;); })();");
    promise(
        "endless chain of reactions",
        "console.log('here'); const again = () => Promise.resolve().then(again); again();",
    );
    promise(
        "sleep in a reaction",
        "(async () => { await 1; console.log('here'); sleep(100); console.log('on'); })();",
    );
    promise(
        "connect in a reaction",
        "(async () => { await 1; ws.connect(__ENV.URL, null, (s) => s.on('open', () => console.log('here')));
           console.log('on'); })();",
    );
    promise(
        "endless reaction after an exception",
        "(async () => { await 1; console.log('here'); for (;;); })(); throw new Error('x');",
    );
    promise("text of an exception", "throw { toString() { console.log('here'); for (;;); } };");
    promise("text of a rejection", "Promise.reject({ toString() { console.log('here'); for (;;); } });");
}

/// Stops a VU at random moments of an iteration that is always doing something else.
#[test]
fn at_any_moment() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        import { sleep } from 'k6';
        export default function () {
          let got = 0;
          const res = ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', (m) => {
              if (__VU <= 2 && got % 3 === 0) sleep(0.001);
              if (__VU <= 2 && got === 2) ws.connect(__ENV.URL, null, (s) => s.on('open', () => s.close()));
              if (++got === 6) socket.close(); else socket.send(m);
            });
          });
          if (res.status !== 101 || got !== 6) throw new Error('damaged');
        }
    "#;
    let rounds = 60;
    let running = Plan::new(script).vus(8).drivers(1).env("URL", &url).iterations(1 << 40).start();
    for round in 0..rounds {
        let vu = round % 2;
        std::thread::sleep(Duration::from_micros(300 + (round as u64 * 7919) % 5000));
        running.stop(vu);
        running.again(vu);
    }
    stop_all(&running, 8);
    let outcome = running.finish();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!(outcome.failed, 0);
    assert!(outcome.interrupted <= rounds as u64 + 8, "{} interruptions", outcome.interrupted);
    assert_eq!(outcome.count("iterations"), outcome.complete as f64);
}

fn stop_all(running: &Running, vus: usize) {
    for vu in 0..vus {
        running.stop(vu);
    }
}

#[test]
fn of_an_idle_vu_does_nothing() {
    let running =
        Plan::new("export default function () { for (let i = 0; i < 1e5; i++); console.log('ran'); }")
            .start();
    running.wait_for_lines("ran", 1);
    while !running.is_done() {
        std::thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..3 {
        running.runtime.interrupt(0);
    }
    running.again(0);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["ran", "ran"]);
    assert_eq!((outcome.complete, outcome.interrupted), (2, 0));
}

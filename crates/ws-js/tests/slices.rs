//! A script that computes for long lets the others of its group in, wherever V8 finds it.

pub(crate) mod support;

use support::{Outcome, Plan, Running, echo_server, groups};

/// What all scripts have: `endless()` computes until it is interrupted and looks whether all it holds stays as it was.
/// Two VUs compute, a third is of their group and says `through` when it has had what it waits for; the VUs of other
/// groups do nothing.
const COMMON: &str = r#"
    import ws from 'k6/ws';
    import { WebSocket } from 'k6/websockets';
    import { sleep, check, group } from 'k6';
    import { Counter } from 'k6/metrics';
    const counter = new Counter('touched');
    const through = () => console.log('through');
    const collect = () => { if (typeof gc === 'function') gc(); };
    const endless = () => {
      let kept = { list: [], text: '', map: new Map() };
      for (let n = 0; ; n++) {
        const at = n % 1000;
        kept.list.push({ n });
        kept.text += at % 10;
        kept.map.set('k' + at, n);
        if (kept.list.length !== at + 1 || kept.list[at].n !== n || kept.map.get('k' + at) !== n) console.log('damage');
        if (at < 999) continue;
        if (kept.text !== '0123456789'.repeat(100) || kept.map.size !== 1000) console.log('damage');
        kept = { list: [], text: '', map: new Map() };
        if (n % 200000 === 199999) collect();
      }
    };
"#;

/// What the third VU may wait for; each needs the driver, or the gate of its group, again and again.
const TIMERS: &str =
    "let n = 0; const tick = () => { collect(); if (++n < 5) setTimeout(tick, 5); else through(); }; tick();";
const SOCKET: &str = "
    const socket = new WebSocket(__ENV.URL);
    let n = 0;
    socket.onopen = () => socket.send('x');
    socket.onmessage = () => { if (++n < 5) socket.send('x'); else { through(); socket.close(); } };";
const SESSION: &str = "
    let n = 0;
    const res = ws.connect(__ENV.URL, (s) => {
      s.on('open', () => s.send('x'));
      s.on('message', () => { if (++n < 5) s.send('x'); else s.close(); });
    });
    if (res.status === 101 && n === 5) through();";
const SLEEPS: &str = "for (let i = 0; i < 5; i++) { sleep(0.005); collect(); } through();";

fn start(computes: &str, other: &str, url: &str) -> (Running, usize) {
    let vus = 2 * groups() + 1;
    let script = format!(
        "{COMMON}
        export default function () {{
          if ((__VU - 1) % {groups} !== 0) return;
          if (__VU === 1) {{ sleep(0.03); {other} return; }}
          console.log('computes');
          {computes}
        }}",
        groups = groups(),
    );
    (Plan::new(script).vus(vus).drivers(1).env("URL", url).start(), vus)
}

/// Two VUs run `computes`, which must not end by itself. `other` gets through all the same, and then everyone can be
/// interrupted.
fn endless(computes: &str, other: &str) -> Outcome {
    let (_server, url) = echo_server();
    let (running, vus) = start(computes, other, &url);
    running.wait_for_lines("computes", 2);
    running.wait_for_lines("through", 1);
    running.interrupt_all(vus);
    let outcome = running.finish();
    let mut other_lines = outcome.text();
    other_lines.retain(|line| *line != "computes" && !line.contains("was stopped because"));
    assert_eq!(other_lines, ["through"], "{computes}");
    assert_eq!(outcome.failed, 0, "{computes}");
    assert!(outcome.interrupted >= 2, "{computes}");
    outcome
}

#[test]
fn in_the_iteration() {
    for other in [TIMERS, SOCKET, SESSION, SLEEPS] {
        endless("endless();", other);
    }
}

#[test]
fn in_asynchronous_code() {
    endless(
        "return (async () => { await null; await new Promise((r) => setTimeout(r, 1)); endless(); })();",
        SOCKET,
    );
    endless("Promise.resolve().then(() => Promise.reject(1)).catch(endless);", TIMERS);
    endless("queueMicrotask(endless);", SESSION);
    endless("setTimeout(endless, 1); setTimeout(() => console.log('its own timer'), 2);", SLEEPS);
}

#[test]
fn in_handlers_of_sockets() {
    endless(
        "const s = new WebSocket(__ENV.URL);
         s.onopen = () => { s.send('x'); s.send('y'); };
         let first = true;
         s.onmessage = () => { if (!first) console.log('its own message'); first = false; endless(); };",
        SOCKET,
    );
    endless(
        "ws.connect(__ENV.URL, (s) => {
           s.on('open', () => { s.setInterval(() => console.log('its own timer'), 1); s.send('x'); });
           s.on('message', endless); });",
        SESSION,
    );
    endless("ws.connect(__ENV.URL, endless);", SLEEPS);
    endless(
        "const e = new EventTarget(); e.addEventListener('x', endless); e.dispatchEvent(new Event('x'));",
        TIMERS,
    );
}

/// Our own functions call back into the script: nothing of theirs may be open meanwhile.
#[test]
fn in_what_our_functions_call() {
    endless("group('g', () => group('h', endless));", TIMERS);
    endless("check(1, { 'computes': endless });", SESSION);
    endless("check({ get a() { return endless(); } }, { 'computes': (v) => v.a });", SLEEPS);
    endless("sleep({ valueOf: endless });", SOCKET);
    endless("counter.add(1, { get tag() { endless(); } });", TIMERS);
    endless("counter.add({ valueOf: endless });", SLEEPS);
    endless("ws.connect(__ENV.URL, { get headers() { endless(); } }, () => {});", SESSION);
    endless("new WebSocket(__ENV.URL, null, { tags: { get a() { endless(); } } });", TIMERS);
    endless("structuredClone({ get a() { endless(); } });", SLEEPS);
    endless("new URL({ toString: endless });", TIMERS);
}

#[test]
fn in_what_built_in_functions_call() {
    endless("[3, 1, 2].sort(endless);", TIMERS);
    endless("'abc'.replace(/b/, endless);", SESSION);
    endless("JSON.stringify({ toJSON: endless });", SLEEPS);
    endless("JSON.parse('[1,[2]]', endless);", SOCKET);
    endless("Array.from({ length: 3 }, endless);", TIMERS);
    endless("new Proxy({}, { get: endless }).a;", SLEEPS);
    endless("Reflect.construct(class { constructor() { endless(); } }, []);", TIMERS);
    endless("for (const x of (function* () { endless(); yield 1; })()) ;", SOCKET);
    endless("new Function('f', 'for (;;) f()')(() => 0);", TIMERS);
    endless("class A { static { endless(); } }", SLEEPS);
}

/// No loop of the script's comes round here: V8 looks in the middle of the match.
#[test]
fn in_a_regular_expression() {
    endless("/^(a+)+$/.test('a'.repeat(60) + 'b');", TIMERS);
    endless("('a'.repeat(60) + 'b').replace(/(a|a)+$/g, 'c');", SESSION);
}

/// The stack is as good as used up when V8 calls.
#[test]
fn at_the_end_of_the_stack() {
    endless(
        "let deepest = 0;
         const spin = () => { const from = Date.now(); while (Date.now() - from < 60); };
         const down = (depth) => { try { down(depth + 1); } catch (e) { if (depth > deepest) deepest = depth; spin(); } };
         for (;;) { down(0); if (deepest < 100) console.log('damage'); }",
        TIMERS,
    );
}

/// What a script does after it was cut is what it would have done anyway: exceptions are caught where they should be,
/// results are right, and its own events come when it has returned.
#[test]
fn a_script_that_was_cut_goes_on_as_if_nothing_had_been() {
    let (_server, url) = echo_server();
    let computes = r#"
        const spin = (ms) => { const from = Date.now(); while (Date.now() - from < ms); };
        const told = [];
        setTimeout(() => told.push('timer'), 1);
        Promise.resolve().then(() => told.push('reaction'));
        let caught = 0;
        for (let i = 0; i < 4; i++) {
          try { spin(60); throw new RangeError('n' + i); }
          catch (e) { if (e instanceof RangeError && e.message === 'n' + i) caught += 1; }
        }
        const sorted = [5, 3, 4, 1, 2].sort((a, b) => { spin(40); return a - b; });
        const replaced = 'a-b-c'.replace(/[a-c]/g, (m) => { spin(40); return 'xyz'.replace(/y/, m); });
        const passed = check(7, { 'is seven': (n) => { spin(60); return n === 7; } });
        const inner = group('outer', () => { spin(60); return group('inner', () => { spin(60); return 'value'; }); });
        let thrown;
        try { group('fails', () => { spin(60); throw 'up'; }); } catch (e) { thrown = e; }
        counter.add(2, { get a() { spin(60); return 'b'; } });
        if (told.length) console.log('too early: ' + told);
        const seen = [caught, sorted.join(''), replaced, passed, inner, thrown].join(' ');
        if (seen !== '4 12345 xaz-xbz-xcz true value up') console.log('damage: ' + seen);
        setTimeout(() => { if (told.join() !== 'reaction,timer') console.log('damage: ' + told); }, 5);"#;
    let (running, vus) = start(computes, TIMERS, &url);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["computes", "computes", "through"]);
    assert_eq!((outcome.complete, outcome.failed, outcome.interrupted), (vus as u64, 0, 0));
    assert_eq!(outcome.count("touched"), 4.0);
}

/// An exception that nobody catches fails the iteration of the VU that threw it, and of no other.
#[test]
fn an_exception_after_a_slice_is_its_own_vus() {
    let (_server, url) = echo_server();
    let computes = "const from = Date.now(); while (Date.now() - from < 300); throw new Error('after');";
    let (running, vus) = start(computes, TIMERS, &url);
    let outcome = running.finish();
    assert_eq!((outcome.complete, outcome.failed), (vus as u64 - 2, 2), "{:?}", outcome.text());
    assert_eq!(outcome.text().iter().filter(|line| line.contains("Error: after")).count(), 2);
}

/// One VU is interrupted while others take their slices; they go on, and so does it with what it is given next.
#[test]
fn one_of_several_that_compute_is_interrupted() {
    let (_server, url) = echo_server();
    let (running, vus) = start("endless();", TIMERS, &url);
    running.wait_for_lines("through", 1);
    running.wait_for_lines("computes", 2);
    let victim = groups();
    running.stop(victim);
    assert!(!running.is_done());
    running.interrupt_all(vus);
    let outcome = running.finish();
    assert_eq!(outcome.failed, 0);
    assert!(outcome.interrupted >= 2);
    assert!(!outcome.text().contains(&"damage"), "{:?}", outcome.text());
}

/// Groups of one driver are served while scripts of all of them compute, and nobody piles threads up.
#[test]
fn many_compute_in_all_groups() {
    let (_server, url) = echo_server();
    let script = format!("{COMMON} export default function () {{ if (__VU <= 20) endless(); {SOCKET} }}");
    let running = Plan::new(script).vus(30).drivers(1).env("URL", &url).start();
    running.wait_for_lines("through", 10);
    let (drivers, threads) = running.runtime.threads();
    assert_eq!(drivers, 1);
    assert!(threads <= 20 + 10, "{threads} threads for 20 scripts and a driver");
    running.interrupt_all(30);
    let outcome = running.finish();
    assert_eq!(outcome.failed, 0);
    // Of the ten, some were still closing their sockets.
    assert!(outcome.interrupted >= 20 && outcome.complete + outcome.interrupted == 30);
}

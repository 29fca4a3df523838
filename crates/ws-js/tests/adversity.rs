//! Scripts that do what no script should.

mod support;

use std::time::Duration;

use support::{Outcome, Plan, echo_server};

/// Runs `body` as the default function: `ws`, `sleep` and `check` are there, and `__ENV.URL` echoes.
fn run(body: &str) -> Outcome {
    let (_server, url) = echo_server();
    plan(body, &url).run()
}

fn plan(body: &str, url: &str) -> Plan {
    let script = format!(
        "import ws from 'k6/ws'; import {{ sleep, check, group }} from 'k6';
         import {{ Counter }} from 'k6/metrics'; const counter = new Counter('mine'); let kept = [];
         export default function () {{ {body} }}"
    );
    Plan::new(script).env("URL", url)
}

#[test]
fn anything_can_be_thrown_anywhere_and_comes_out_of_connect() {
    // Where, as a body for a socket `s` that throws `it`.
    let places = [
        ("the callback", "throw it;"),
        ("open", "s.on('open', () => { throw it; });"),
        ("message", "s.on('open', () => s.send('x')); s.on('message', () => { throw it; });"),
        ("a timer", "s.setTimeout(() => { throw it; }, 1);"),
        ("an interval", "s.setInterval(() => { throw it; }, 1);"),
        ("toString", "s.on('open', () => s.send({ toString() { throw it; } }));"),
        ("a handler's name", "s.on({ toString() { throw it; } }, () => {});"),
        ("a delay", "s.setTimeout(() => {}, { valueOf() { throw it; } });"),
        ("a code", "s.close({ valueOf() { throw it; } });"),
        ("a close handler", "s.on('open', () => s.close()); s.on('close', () => { throw it; });"),
        ("an inner connect", "ws.connect(__ENV.URL, (t) => { throw it; });"),
        ("a check", "check(1, { c: () => { throw it; } });"),
        ("a group", "group('g', () => { throw it; });"),
    ];
    for (place, body) in places {
        let outcome = run(&format!(
            "const values = [undefined, null, 0, -1.5, '', 'text', true, 10n, Symbol('s'), {{ a: 1 }}, [], () => {{}},
               new Error('e'), Object.create(null), new Proxy({{}}, {{ get() {{ throw 1; }} }})];
             for (const it of values) {{
               let caught = false;
               try {{ ws.connect(__ENV.URL, (s) => {{ {body} }}); }}
               catch (e) {{ caught = Object.is(e, it); }}
               if (!caught) throw new Error('lost ' + typeof it);
             }}
             for (const it of values) {{
               let caught = false;
               try {{ ws.connect(__ENV.URL, {{ get tags() {{ throw it; }} }}, () => {{}}); }}
               catch (e) {{ caught = Object.is(e, it); }}
               if (!caught) throw new Error('lost in params: ' + typeof it);
             }}"
        ));
        assert_eq!(outcome.text(), Vec::<&str>::new(), "{place}");
        assert_eq!(outcome.complete, 1, "{place}");
    }
}

#[test]
fn what_is_thrown_and_not_caught_ends_the_iteration_with_its_text() {
    for (value, text) in [
        ("undefined", "undefined"),
        ("null", "null"),
        ("7", "7"),
        ("Object.create(null)", "exception without a text"),
        ("{ toString() { throw 1; } }", "exception without a text"),
    ] {
        let outcome = run(&format!("ws.connect(__ENV.URL, (s) => {{ throw ({value}); }});"));
        assert_eq!(outcome.failed, 1);
        assert_eq!(outcome.count("iterations"), 1.0);
        let text_seen = outcome.text().join("");
        assert!(text_seen.starts_with(text), "{text_seen}");
    }
}

#[test]
fn async_handlers_run_to_their_first_await_and_their_rejection_fails_the_iteration() {
    let outcome = run("ws.connect(__ENV.URL, (s) => {
           s.on('open', async () => { console.log('before'); await 1; console.log('after');
             s.on('error', (e) => console.log(e.error())); s.send('late'); throw new Error('rejected'); });
           s.setTimeout(() => s.close(), 20);
         });
         console.log('returned');");
    let text = outcome.text();
    assert_eq!(text[..4], ["before", "returned", "after", "websocket: close sent"]);
    assert!(text[4].starts_with("Uncaught (in promise) Error: rejected"), "{text:?}");
    assert_eq!((outcome.failed, outcome.complete), (1, 0));
}

#[test]
fn a_rejection_that_is_handled_later_is_none() {
    let outcome = run("const broken = [];
         ws.connect(__ENV.URL, (s) => { s.on('open', () => { broken.push(Promise.reject(1)); s.close(); }); });
         broken[0].catch(() => console.log('handled'));");
    assert_eq!(outcome.text(), ["handled"]);
    assert_eq!((outcome.failed, outcome.complete), (0, 1));
}

/// Everything that is still possible with no stack left.
const DEEPEST: &str = "
    let deep = 'leaf';
    for (let i = 0; i < 90; i++) deep = { k: [deep] };
    const brackets = '['.repeat(100000) + ']'.repeat(100000);
    let seen = {};
    function attempt(name, f) {
      try { f(); } catch (e) { // A regular expression without stack to be compiled on is a SyntaxError.
        if (!(e instanceof RangeError || e instanceof SyntaxError)) throw e;
        seen[name] = true; }
    }
    function natives(s) {
      attempt('json', () => JSON.parse(brackets));
      attempt('stringify', () => JSON.stringify(deep));
      attempt('regex', () => /(?:(a+)+)+b$/.test('aaaaaaaaaaaa'));
      attempt('nested regex', () => new RegExp('('.repeat(20000) + ')'.repeat(20000)));
      attempt('sort', () => [3, 2, 1].sort((a, b) => a - b));
      attempt('toString', () => s.send({ toString() { return 'text'; } }));
      attempt('send', () => s.send('text'));
      attempt('binary', () => s.sendBinary(new ArrayBuffer(8)));
      attempt('bad binary', () => { try { s.sendBinary([1]); } catch (e) { if (e instanceof RangeError) throw e; } });
      attempt('timer', () => s.setTimeout(() => {}, 1000));
      attempt('bad timer', () => { try { s.setTimeout(1, 1); } catch (e) { if (e instanceof RangeError) throw e; } });
      attempt('on', () => s.on('pong', () => {}));
      attempt('ping', () => s.ping());
      attempt('closed', () => kept[0].send('error handler'));
      attempt('console', () => console.debug(deep));
      attempt('check', () => check(deep, { c: (d) => d.k.length === 1 }, { t: 'v' }));
      attempt('group', () => group('g', () => 1));
      attempt('counter', () => counter.add(1, { t: 'v' }));
      attempt('bad connect', () => { try { ws.connect('x'); } catch (e) { if (e instanceof RangeError) throw e; } });
      attempt('bad url', () => ws.connect('http://x', () => {}));
      attempt('params', () => ws.connect('http://x', { tags: { a: '1' }, headers: { b: '2' } }, () => {}));
      attempt('eval', () => eval('1 + 1'));
      attempt('function', () => new Function('a', 'return a')(1));
      attempt('proxy', () => new Proxy({}, {}).x);
      attempt('locale', () => (1234.5).toLocaleString('de-DE') + new Date(0).toLocaleDateString('en-US'));
      attempt('normalize', () => 'a\\u0308'.repeat(1000).normalize('NFC').localeCompare('z'));
      attempt('error', () => new Error('x').stack.length);
    }
";

/// A recursion to the end of the stack; on its way back its frames try all natives, until twenty have come
/// through.
fn deepest(call: &str) -> Outcome {
    run(&format!(
        "{DEEPEST}
         ws.connect(__ENV.URL, (s) => {{ kept = [s]; s.on('error', () => {{}}); s.on('open', () => s.close()); }});
         let left = 20;
         function limited(s) {{
           try {{ limited(s); }} catch (e) {{ if (!(e instanceof RangeError)) throw e; }}
           // The next frames have no room for it, then it has some, then enough.
           if (left > 0) {{ natives(s); left -= 1; }}
         }}
         {call}
         console.log(Object.keys(seen).length > 5 ? 'reached the end' : 'did not: ' + Object.keys(seen));"
    ))
}

fn survives(outcome: &Outcome) {
    let text: Vec<_> = outcome.lines.iter().filter(|(level, _)| *level != ws_js::Level::Debug).collect();
    assert_eq!(text.len(), 1, "{text:?}");
    assert_eq!(text[0].1, "reached the end");
    assert_eq!(outcome.complete, 1);
}

#[test]
fn every_native_survives_the_end_of_the_stack_in_the_default_function() {
    survives(&deepest("limited(kept[0]);"));
}

#[test]
fn every_native_survives_the_end_of_the_stack_in_a_handler() {
    survives(&deepest("ws.connect(__ENV.URL, (s) => s.on('open', () => { limited(s); s.close(); }));"));
}

#[test]
fn every_native_survives_the_end_of_the_stack_of_a_thread_that_has_parked() {
    survives(&deepest("sleep(0.01); limited(kept[0]); sleep(0.01);"));
}

#[test]
fn a_session_at_the_end_of_the_stack_works() {
    let outcome = run("let opened = 0;
         function down() {
           try { down(); } catch (e) { if (!(e instanceof RangeError)) throw e; }
           if (opened > 5) return;
           try { ws.connect(__ENV.URL, (s) => { opened += 1; s.on('open', () => s.close()); }); sleep(0.001); }
           catch (e) { if (!(e instanceof RangeError)) throw e; }
         }
         down();
         console.log(opened);");
    assert_eq!(outcome.text(), ["6"]);
}

#[test]
fn endless_recursion_is_an_exception_wherever_it_happens() {
    for body in [
        "const f = () => f(); f();",
        "const f = () => [1, 2].sort(f); f();",
        "const o = { toString() { return `${o}`; } }; String(o);",
        "'x'.replace(/x/, function f() { return 'x'.replace(/x/, f); });",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;",
        "const s = (o) => o.s.send(o); ws.connect(__ENV.URL, (s) => { const o = { toString() { s.send(o); return ''; } };
           s.on('open', () => s.send(o)); });",
        "ws.connect(__ENV.URL, (s) => { s.on('open', () => { s.close(); s.send('x'); });
           s.on('error', () => s.send('again')); });",
        "ws.connect(__ENV.URL, (s) => { s.on('open', () => { const f = () => check(1, { f }); f(); }); });",
        "const g = () => group('g', g); g();",
        "ws.connect(__ENV.URL, (s) => { const f = () => f(); s.setTimeout(f, 1); });",
        "eval('('.repeat(1e5));",
        "new RegExp('('.repeat(1e5) + ')'.repeat(1e5));",
    ] {
        let outcome = run(body);
        let text = outcome.text().join("\n");
        let expected = ["RangeError: Maximum call stack size exceeded", "too large", "SyntaxError"];
        assert!(expected.iter().any(|expected| text.contains(expected)), "{body}: {text}");
        assert_eq!(outcome.failed, 1, "{body}");
    }
}

#[test]
fn fifty_sessions_inside_each_other() {
    let outcome = run("function nest(depth) {
           let order = '';
           const res = ws.connect(__ENV.URL, (s) => {
             s.on('open', () => s.send('m' + depth));
             s.on('message', (m) => {
               if (m !== 'm' + depth) throw new Error(m);
               if (depth > 0) nest(depth - 1);
               s.close(3000 + depth);
             });
             s.on('close', (code) => { order += code; });
           });
           if (res.status !== 101 || order !== String(3000 + depth)) throw new Error(order);
         }
         nest(50);
         console.log('out again');");
    assert_eq!(outcome.text(), ["out again"]);
    assert_eq!(outcome.count("ws_sessions"), 51.0);
    assert_eq!(outcome.trend_count("ws_session_duration"), 51);
}

#[test]
fn a_million_missed_ticks_are_dropped_at_once() {
    let outcome = run("let ticks = 0;
         const before = Date.now();
         ws.connect(__ENV.URL, (s) => {
           s.setInterval(() => { if (++ticks === 1) sleep(1); if (ticks === 5) s.close(); }, 0.000001);
         });
         console.log(ticks, Date.now() - before < 1900);");
    assert_eq!(outcome.text(), ["5 true"]);
}

#[test]
fn ten_thousand_timers_fire_once_each() {
    let outcome = run("let fired = 0, late = 0;
         ws.connect(__ENV.URL, (s) => {
           for (let i = 0; i < 10000; i++) s.setTimeout(() => { if (++fired === 10000) s.close(); }, 1 + i % 50);
           s.setTimeout(() => { late += 1; }, 60000);
         });
         console.log(fired, late);");
    assert_eq!(outcome.text(), ["10000 0"]);
}

#[test]
fn timers_of_a_closed_socket_are_discarded() {
    let outcome = run("let socket, fired = 0;
         ws.connect(__ENV.URL, (s) => {
           socket = s;
           s.setTimeout(() => { fired += 1; }, 5);
           s.setInterval(() => { fired += 1; }, 5);
           s.on('open', () => { s.close(); s.setTimeout(() => { fired += 1; }, 1); });
         });
         socket.setTimeout(() => { fired += 1; }, 1);
         ws.connect(__ENV.URL, (s) => {
           socket.setTimeout(() => { fired += 1; }, 1);
           s.setTimeout(() => s.close(), 50);
         });
         console.log(fired);");
    assert_eq!(outcome.text(), ["0"]);
}

#[test]
fn a_timers_callback_connects() {
    let outcome = run("let inner = 0, ticks = 0;
         ws.connect(__ENV.URL, (s) => {
           s.setInterval(() => {
             ws.connect(__ENV.URL, (t) => { t.setTimeout(() => t.close(), 5); inner += 1; });
             if (++ticks === 5) s.close();
           }, 1);
         });
         console.log(inner, ticks);");
    assert_eq!(outcome.text(), ["5 5"]);
}

#[test]
fn a_slow_interval_has_one_tick_waiting_at_most() {
    let outcome = run("let ticks = 0;
         ws.connect(__ENV.URL, (s) => {
           s.setInterval(() => { ticks += 1; sleep(0.05); }, 5);
           s.setTimeout(() => s.close(), 300);
         });
         console.log(ticks >= 2 && ticks <= 8 ? 'few' : ticks);");
    assert_eq!(outcome.text(), ["few"]);
}

#[test]
fn sockets_kept_for_a_later_iteration_touch_nothing() {
    let (_server, url) = echo_server();
    let body = "const old = kept.slice();
         let got = [], closes = 0;
         ws.connect(__ENV.URL, (s) => {
           kept.push(s);
           s.on('open', () => {
             for (const o of old) { o.send('wrong'); o.close(); o.ping(); o.on('message', () => { closes = -1e9; });
               o.setTimeout(() => { closes = -1e9; }, 1); o.sendBinary(new ArrayBuffer(1)); }
             s.send('right');
           });
           s.on('message', (m) => { got.push(m); s.setTimeout(() => s.close(), 5); });
           s.on('close', () => { closes += 1; });
         });
         if (got.join() !== 'right' || closes !== 1) throw new Error(got.join() + closes);";
    let outcome = plan(body, &url).iterations(5).run();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!((outcome.complete, outcome.count("ws_msgs_received")), (5, 5.0));
}

#[test]
fn a_handler_uses_the_socket_around_it() {
    let outcome = run("const seen = [];
         ws.connect(__ENV.URL, (outer) => {
           outer.on('message', (m) => { seen.push('outer ' + m); if (m === 'b') outer.close(); });
           outer.on('open', () => {
             ws.connect(__ENV.URL, (inner) => {
               inner.on('open', () => { outer.send('a'); outer.send('b'); inner.send('c'); });
               inner.on('message', (m) => { seen.push('inner ' + m); inner.setTimeout(() => inner.close(), 20); });
             });
             seen.push('between');
           });
         });
         console.log(seen.join());");
    assert_eq!(outcome.text(), ["inner c,between,outer a,outer b"]);
}

#[test]
fn a_handler_closes_the_socket_around_it() {
    let outcome = run("const seen = [];
         const res = ws.connect(__ENV.URL, (outer) => {
           outer.on('close', () => seen.push('outer closed'));
           outer.on('message', () => seen.push('never'));
           outer.on('open', () => {
             ws.connect(__ENV.URL, (inner) => {
               inner.on('open', () => { outer.send('x'); outer.close(); inner.send('y'); });
               inner.on('message', (m) => { seen.push(m); inner.close(); });
             });
             seen.push('between');
           });
         });
         console.log(res.status, seen.join());");
    assert_eq!(outcome.text(), ["101 outer closed,y,between"]);
}

#[test]
fn thousands_of_sessions_in_one_iteration_do_not_pile_up() {
    let (_server, url) = echo_server();
    // Each callback holds a megabyte.
    let body = "let got = 0;
         for (let i = 0; i < 2000; i++) {
           const ballast = new Uint8Array(1 << 20).fill(i);
           ws.connect(__ENV.URL, (s) => {
             s.on('open', () => s.send(String(ballast[7])));
             s.on('message', (m) => { got += 1; s.close(); });
             s.on('error', () => ballast.length);
           });
         }
         console.log(got);";
    let before = resident();
    let running = plan(body, &url).start();
    let mut most = before;
    while !running.is_done() {
        most = most.max(resident());
        std::thread::sleep(Duration::from_millis(20));
    }
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["2000"]);
    // Two gigabytes if they were kept.
    assert!(most - before.min(most) < 600 << 20, "{} MiB", (most - before) >> 20);
}

/// Resident memory of this process in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

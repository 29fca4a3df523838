//! Events for a VU that is not ready for them.

mod support;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use support::{Plan, Proxy, echo_server};

fn plan(body: &str, url: &str) -> Plan {
    let script = format!(
        "import ws from 'k6/ws'; import {{ sleep }} from 'k6';
         const kilobyte = 'y'.repeat(1000);
         // Has the server send `count` messages of a kilobyte.
         const flood = (socket, count) => {{ for (let i = 0; i < count; i++) socket.send(i + kilobyte); }};
         export default function () {{ {body} }}"
    );
    Plan::new(script).env("URL", url)
}

#[test]
fn what_comes_during_a_sleep_comes_in_order_afterwards() {
    let (_server, url) = echo_server();
    // Two megabytes: the socket is paused and resumed several times.
    let body = "const seen = []; let pongs = 0;
         ws.connect(__ENV.URL, (s) => {
           s.on('open', () => { flood(s, 2000); s.ping(); s.setTimeout(() => seen.push('timer'), 1); sleep(0.3); });
           s.on('message', (m) => {
             seen.push(parseInt(m));
             if (seen.length % 500 === 0) sleep(0.05);
             if (parseInt(m) === 1999) s.setTimeout(() => s.close(), 5);
           });
           s.on('pong', () => { pongs += 1; });
         });
         const numbers = seen.filter((n) => n !== 'timer');
         console.log(numbers.length, numbers.every((n, i) => n === i), seen.length, pongs);";
    let outcome = plan(body, &url).run();
    assert_eq!(outcome.text(), ["2000 true 2001 1"]);
    assert_eq!(outcome.count("ws_msgs_received"), 2000.0);
}

#[test]
fn a_flood_on_the_outer_socket_does_not_stop_the_inner_one() {
    let (_server, url) = echo_server();
    let body = "let outerGot = 0, innerGot = 0;
         ws.connect(__ENV.URL, (outer) => {
           outer.on('open', () => {
             flood(outer, 3000);
             ws.connect(__ENV.URL, (inner) => {
               inner.on('open', () => inner.setTimeout(() => inner.send('a'), 300));
               inner.on('message', (m) => { if (++innerGot === 10) inner.close(); else inner.send(m); });
             });
           });
           outer.on('message', () => { if (++outerGot === 3000) outer.close(); });
         });
         console.log(outerGot, innerGot);";
    let outcome = plan(body, &url).run();
    assert_eq!(outcome.text(), ["3000 10"]);
}

#[test]
fn a_socket_that_was_paused_with_another_is_read_again() {
    let (_server, url) = echo_server();
    // The inner session floods during a sleep and is closed with its backlog unread.
    let body = "let outerGot = 0;
         ws.connect(__ENV.URL, (outer) => {
           outer.on('open', () => {
             ws.connect(__ENV.URL, (inner) => {
               inner.on('open', () => { flood(inner, 3000); sleep(0.3); inner.close(); });
             });
             outer.send('x');
           });
           outer.on('message', (m) => { if (++outerGot === 10) outer.close(); else outer.send(m); });
         });
         console.log(outerGot);";
    let outcome = plan(body, &url).run();
    assert_eq!(outcome.text(), ["10"]);
}

#[test]
fn a_backlog_does_not_outlive_its_iteration() {
    let (_server, url) = echo_server();
    let body = "let got = 0;
         ws.connect(__ENV.URL, (s) => {
           s.on('open', () => { flood(s, __ITER === 0 ? 2000 : 5); sleep(0.2); if (__ITER === 0) throw new Error('x'); });
           s.on('message', () => { if (++got === 5) s.close(); });
         });
         console.log(got);";
    let outcome = plan(body, &url).iterations(3).run();
    assert_eq!(outcome.text()[1..], ["5", "5"]);
}

#[test]
fn a_server_that_floods_a_sleeper_is_slowed_down() {
    let (server, _) = echo_server();
    let proxy = Proxy::start(server.local_addr());
    // 64 MB come back.
    let body = "let got = 0;
         ws.connect(__ENV.URL, (s) => {
           s.on('open', () => { const m = 'x'.repeat(1 << 20); for (let i = 0; i < 64; i++) s.send(m);
             console.log('asleep'); sleep(1.5); console.log('awake'); });
           s.on('message', () => { if (++got === 64) s.close(); });
         });
         console.log(got);";
    let running = plan(body, &proxy.url).start();
    running.wait_for_lines("asleep", 1);
    let mut passed = 0;
    while running.lines().len() < 2 {
        passed = proxy.passed.to_client.load(Relaxed);
        std::thread::sleep(Duration::from_millis(20));
    }
    // What the backlog and the kernel's buffers hold.
    assert!(passed < 24 << 20, "{passed} bytes");
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["asleep", "awake", "64"]);
}

#[test]
fn pings_are_answered_while_the_script_sleeps() {
    let (server, _) = echo_server();
    let proxy = Proxy::start(server.local_addr());
    let body = "let pings = 0;
         ws.connect(__ENV.URL, (s) => {
           s.on('open', () => { s.send('x'); sleep(1); console.log(pings); });
           s.on('ping', () => { pings += 1; });
           s.on('message', () => s.setTimeout(() => s.close(), 10));
         });
         console.log(pings);";
    let running = plan(body, &proxy.url).start();
    // Behind the echo comes a ping with the payload `p!`.
    *proxy.inject.lock().unwrap() = b"\x89\x02p!".to_vec();
    std::thread::sleep(Duration::from_millis(600));
    assert!(running.lines().is_empty(), "the script sleeps");
    // A pong frame, masked, of two bytes.
    let heard = proxy.heard.lock().unwrap().clone();
    let pong = heard.windows(8).find(|bytes| bytes[..2] == [0x8A, 0x82]).expect("a pong");
    let payload = [pong[6] ^ pong[2], pong[7] ^ pong[3]];
    assert_eq!(&payload, b"p!");
    assert_eq!(running.finish().text(), ["0", "1"]);
}

//! `k6/websockets` beyond what the corpus compares with k6: many sockets, back-pressure, garbage collection,
//! interruption, servers that do not answer.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use support::{Plan, Proxy, echo_server, groups, stalled_server};
use ws_js::Compat;

/// The bytes of a text frame that a server sends.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, text.len() as u8];
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// A server that accepts a WebSocket, sends these bytes, and says nothing any more.
fn mute_server(then: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head);
            let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
                continue;
            };
            let accept = tungstenite::handshake::derive_accept_key(key.trim().as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            client.write_all(answer.as_bytes()).unwrap();
            client.write_all(&then).unwrap();
            // Kept open, and never read.
            std::mem::forget(client);
        }
    });
    url
}

/// One VU, many sockets, no threads; each gets its own answers in order.
#[test]
fn one_vu_holds_many_sockets() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        const COUNT = 1000;
        export default function () {
            let open = 0, wrong = 0, closed = 0;
            const sockets = [];
            for (let i = 0; i < COUNT; i++) {
                const ws = new WebSocket(__ENV.URL);
                let expected = 0;
                ws.onopen = () => {
                    sockets.push(ws);
                    open += 1;
                    if (open === COUNT) {
                        console.log('all open');
                        for (const each of sockets) for (let n = 0; n < 5; n++) each.send(`${n}`);
                    }
                };
                ws.onmessage = (e) => {
                    if (e.data !== `${expected}`) wrong += 1;
                    expected += 1;
                    if (expected === 5) ws.close();
                };
                ws.onclose = (e) => {
                    closed += 1;
                    if (!e.wasClean || e.code !== 1000) wrong += 1;
                    if (closed === COUNT) console.log(`closed, ${wrong} wrong`);
                };
            }
        }";
    let running = Plan::new(script).env("URL", url).drivers(1).start();
    running.wait_for_lines("all open", 1);
    let (_, threads) = running.runtime.threads();
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["all open", "closed, 0 wrong"]);
    assert!(threads <= 2, "{threads} threads");
    assert_eq!(outcome.count("ws_sessions"), 1000.0);
    assert_eq!(outcome.count("ws_msgs_received"), 5000.0);
    // Messages and close frames.
    assert_eq!(outcome.count("ws_msgs_sent"), 6000.0);
    assert_eq!(outcome.trend_count("ws_session_duration"), 1000);
}

/// A socket that nobody holds on to works on: its listeners and what they refer to are kept.
#[test]
fn a_forgotten_socket_outlives_garbage_collections() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        function forget(i) {
            const payload = { text: `socket ${i}`, ballast: new Array(1000).fill(i) };
            let rounds = 0;
            const ws = new WebSocket(__ENV.URL);
            ws.addEventListener('open', () => ws.send(payload.text));
            ws.addEventListener('message', (e) => {
                rounds += 1;
                if (e.target !== ws || e.data !== payload.text) throw new Error('mixed up');
                const garbage = [];
                for (let n = 0; n < 2000; n++) garbage.push({ n, text: `${n}` });
                if (rounds < 50) ws.send(payload.text); else ws.close();
            });
            ws.addEventListener('close', () => console.log('closed'));
        }
        export default function () { for (let i = 0; i < 20; i++) forget(i); }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), vec!["closed"; 20]);
    assert_eq!((outcome.complete, outcome.count("ws_msgs_received")), (1, 1000.0));
}

/// A server that never answers the close frame is given up after `closeTimeout`.
#[test]
fn a_closing_handshake_has_a_time_limit() {
    let url = mute_server(Vec::new());
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const ws = new WebSocket(__ENV.URL, null, { closeTimeout: 50 });
            ws.onopen = () => ws.close(3001, 'bye');
            ws.onerror = () => console.log('never');
            ws.onclose = (e) => console.log(`${e.code} '${e.reason}' ${e.wasClean} ${ws.readyState}`);
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), ["1006 '' false 3"]);
    assert_eq!(outcome.complete, 1);
}

/// The order to stop ends sockets whose servers say nothing, connecting ones at once, and no script runs.
#[test]
fn interruption_waits_for_no_server_for_ever() {
    let (_listener, stalled) = stalled_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const stalled = new WebSocket(__ENV.STALLED);
            const mute = new WebSocket(__ENV.MUTE);
            for (const ws of [stalled, mute]) {
                ws.onclose = () => console.log('never');
                ws.onerror = () => console.log('never');
            }
            mute.onopen = () => console.log('open');
        }";
    let running = Plan::new(script).env("STALLED", stalled).env("MUTE", mute_server(Vec::new())).start();
    running.wait_for_lines("open", 1);
    running.interrupt_all(1);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["open"]);
    assert_eq!((outcome.interrupted, outcome.complete), (1, 0));
    // The one that was open lasted for some time, too.
    assert_eq!(outcome.trend_count("ws_session_duration"), 1);
}

/// `close()` while the connection is being made: it is closed as soon as it is there, without an `open` event; and a
/// dial that fails afterwards says so.
#[test]
fn a_socket_can_be_closed_before_it_is_open() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            for (const url of [__ENV.URL, 'ws://127.0.0.1:1/']) {
                const ws = new WebSocket(url);
                ws.onopen = () => console.log('never');
                ws.onerror = (e) => console.log(e.error);
                ws.onclose = (e) => console.log(`${url === __ENV.URL} ${e.code} ${e.wasClean}`);
                ws.close(3002);
                console.log(ws.readyState);
            }
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    let mut lines = outcome.text();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "2",
            "2",
            "dial tcp 127.0.0.1:1: connect: connection refused",
            "false 1006 false",
            "true 3002 true",
            // The echo server answers with the same code.
            "websocket: close 3002",
        ]
    );
}

/// While the script sleeps, a server that keeps sending is slowed down; nothing is lost.
#[test]
fn a_script_that_sleeps_slows_the_server_down() {
    let (server, _url) = echo_server();
    let proxy = Proxy::start(server.local_addr());
    let text = "x".repeat(100);
    let flood: Vec<u8> = (0..40_000).flat_map(|_| frame(&text)).collect();
    *proxy.inject.lock().unwrap() = flood;
    let script = "
        import { WebSocket } from 'k6/websockets';
        import { sleep } from 'k6';
        export default function () {
            const ws = new WebSocket(__ENV.URL);
            let seen = 0;
            ws.onopen = () => { console.log('open'); sleep(1); console.log('slept'); };
            ws.onmessage = () => { seen += 1; if (seen === 40000) { console.log('all'); ws.close(); } };
        }";
    let running = Plan::new(script).env("URL", &proxy.url).start();
    running.wait_for_lines("open", 1);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["open", "slept", "all"]);
    assert_eq!(outcome.count("ws_msgs_received"), 40_000.0);
}

/// Events of other VUs go on while a handler blocks.
#[test]
fn a_handler_that_blocks_holds_up_its_vu_only() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        import { sleep } from 'k6';
        export default function () {
            const ws = new WebSocket(__ENV.URL);
            let rounds = 0;
            ws.onopen = () => ws.send('x');
            ws.onmessage = () => {
                rounds += 1;
                if (__VU === 1) { console.log('sleeps'); sleep(0.5); console.log('slept'); ws.close(); return; }
                if (rounds < 100) ws.send('x'); else { console.log('done'); ws.close(); }
            };
        }";
    let outcome = Plan::new(script).vus(1 + groups()).env("URL", url).drivers(1).run();
    let lines = outcome.text();
    let at = |text: &str| lines.iter().position(|line| *line == text).unwrap();
    assert!(at("done") < at("slept"), "{lines:?}");
    assert_eq!(outcome.complete, 1 + groups() as u64);
}

/// Listeners beyond k6: removal, `once`, `signal`, `dispatchEvent`.
#[test]
fn listeners_as_the_web_has_them() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const ws = new WebSocket(__ENV.URL);
            const say = (text) => () => console.log(text);
            const removed = say('removed');
            const controller = new AbortController();
            ws.addEventListener('message', removed);
            ws.addEventListener('message', say('once'), { once: true });
            ws.addEventListener('message', say('signal'), { signal: controller.signal });
            ws.addEventListener('message', say('aborted'), { signal: AbortSignal.abort() });
            ws.addEventListener('message', () => ws.removeEventListener('message', last));
            const last = say('removed meanwhile');
            ws.addEventListener('message', last);
            ws.removeEventListener('message', removed);
            ws.onopen = () => { ws.send('a'); ws.send('b'); };
            let seen = 0;
            ws.onmessage = () => {
                seen += 1;
                console.log(`message ${seen}`);
                if (seen === 2) { controller.abort(); ws.close(); }
            };
            ws.onclose = (e) => {
                console.log(ws instanceof WebSocket, WebSocket.OPEN, ws.CLOSED, e.wasClean);
                ws.addEventListener('ping', (event) => console.log(`${event.type} ${event.detail}`));
                console.log(ws.dispatchEvent(new CustomEvent('ping', { detail: 'mine' })));
            };
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(
        outcome.text(),
        ["message 1", "once", "signal", "message 2", "true 1 3 true", "ping mine", "true"]
    );
}

/// What an `error` event says of an answer that is no upgrade, and `ping`/`pong` of their payload.
#[test]
fn events_tell_more_than_in_k6() {
    let (server, url) = echo_server();
    let proxy = Proxy::start(server.local_addr());
    *proxy.inject.lock().unwrap() = vec![0x89, 2, b'h', b'i'];
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("ws://{}", refusing.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in refusing.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(
                b"HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
            );
        }
    });
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const no = new WebSocket(__ENV.REFUSED);
            no.onerror = (e) => {
                console.log(e.status, e.headers['X-Why'], e.body, e.error);
                const ws = new WebSocket(__ENV.URL);
                ws.onping = (e) => { console.log(`ping ${e.data}`); ws.ping(); };
                ws.onpong = (e) => { console.log(`pong ${e.data} ${e.timeStamp > 0}`); ws.close(); };
            };
        }";
    let outcome = Plan::new(script).env("REFUSED", refused).env("URL", &proxy.url).run();
    let _ = url;
    assert_eq!(
        outcome.text(),
        ["403 because no websocket: bad handshake: status 403", "ping hi", "pong 0 true"]
    );
}

/// `bufferedAmount` never goes below zero and falls when all is written.
#[test]
fn buffered_amount_counts_messages_only() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const ws = new WebSocket(__ENV.URL);
            ws.onopen = () => {
                ws.ping();
                ws.send('é');
                ws.send(new Uint8Array(3));
                console.log(ws.bufferedAmount);
                setTimeout(() => { console.log(ws.bufferedAmount); ws.close(); }, 20);
            };
            ws.onclose = () => console.log(ws.bufferedAmount);
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), ["5", "0", "0"]);
}

/// Binary messages are blobs unless the script wants buffers, and blobs can be sent.
#[test]
fn blobs_come_and_go() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket, Blob } from 'k6/websockets';
        export default async function () {
            const ws = new WebSocket(__ENV.URL);
            ws.onopen = () => ws.send(new Blob(['ab', new Uint8Array([99])]));
            const data = await new Promise((resolve) => { ws.onmessage = (e) => resolve(e.data); });
            console.log(data instanceof Blob, data.size, await data.text());
            ws.binaryType = 'arraybuffer';
            ws.send(new Uint8Array([7]));
            ws.onmessage = (e) => { console.log(e.data instanceof ArrayBuffer, e.data.byteLength); ws.close(); };
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), ["true 3 abc", "true 1"]);
}

/// A limit for what no test above should ever wait for.
#[test]
fn the_next_iteration_begins_when_all_sockets_are_closed() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        let open = 0;
        export default function () {
            if (open !== 0) throw new Error('sockets of another iteration');
            for (let i = 0; i < 10; i++) {
                const ws = new WebSocket(__ENV.URL);
                ws.onopen = () => { open += 1; setTimeout(() => ws.close(), i); };
                ws.onclose = () => { open -= 1; };
            }
        }";
    let outcome = Plan::new(script).vus(4).iterations(5).env("URL", url).run();
    assert_eq!((outcome.complete, outcome.failed), (20, 0));
    assert!(outcome.elapsed < Duration::from_secs(60));
}

const CONTRADICTIONS: &str = "
    import { WebSocket } from 'k6/websockets';
    export default function () {
        const ws = new WebSocket(__ENV.URL);
        console.log(ws.url.endsWith('/'));
        ws.onopen = () => {
            for (const value of [5, true, new DataView(new ArrayBuffer(2))]) {
                try { ws.send(value); } catch (e) { console.log(e.message); }
            }
            ws.send('last');
        };
        ws.binaryType = 'arraybuffer';
        ws.onmessage = (e) => {
            console.log(e.data.byteLength ?? e.data);
            if (e.data === 'last') { console.log(Object.keys(e).join()); ws.close(); }
        };
    }";

/// Where k6 and the web contradict each other, k6 is followed unless the user wants the web.
#[test]
fn k6_or_the_web() {
    let (_server, url) = echo_server();
    let run = |compat| {
        let mut plan = Plan::new(CONTRADICTIONS).env("URL", &url);
        plan.compat = compat;
        plan.run()
    };
    let keys = "type,target,timestamp,data,origin";
    assert_eq!(
        run(Compat::K6).text(),
        [
            "false",
            "unsupported send type int64",
            "unsupported send type bool",
            "unsupported send type map[string]interface {}",
            "last",
            keys
        ]
    );
    let keys = "type,target,timeStamp,data,origin";
    assert_eq!(run(Compat::Web).text(), ["true", "5", "true", "2", "last", keys]);
}

/// Sockets are event targets of the web, whichever of the two a script looks at first.
#[test]
fn sockets_are_event_targets() {
    let (_server, url) = echo_server();
    let script = "
        import { WebSocket } from 'k6/websockets';
        export default function () {
            const ws = new WebSocket(__ENV.URL);
            console.log(ws instanceof EventTarget, WebSocket.prototype instanceof EventTarget, ws instanceof WebSocket);
            ws.onopen = () => ws.close();
        }";
    let outcome = Plan::new(script).env("URL", url).run();
    assert_eq!(outcome.text(), ["true true true"]);
}

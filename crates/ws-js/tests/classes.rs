//! Every class that scripts get from us, made in every way the language has, and its methods on what is none of it.

mod support;

use support::{Plan, echo_server};
use ws_js::Compat;

/// How a script gets each class and what its constructor takes. `init` says whether it works in init code.
const CLASSES: &str = "
    import { WebSocket, Blob as ModuleBlob } from 'k6/websockets';
    import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
    import { CookieJar } from 'k6/http';
    let named = 0;
    const CLASSES = [
      [WebSocket, () => [__ENV.URL], 'vu'], [Blob, () => [['x']]], [ModuleBlob, () => [['x']]],
      [Counter, () => [`c${named++}`], 'init'], [Gauge, () => [`g${named++}`], 'init'],
      [Rate, () => [`r${named++}`], 'init'], [Trend, () => [`t${named++}`], 'init'],
      [CookieJar, () => []], [Event, () => ['e']], [CustomEvent, () => ['e']], [EventTarget, () => []],
      [AbortController, () => []], [AbortSignal, () => [], 'never'], [DOMException, () => ['m']],
      [TextEncoder, () => []], [TextDecoder, () => []], [URL, () => ['http://h/p?q=1']],
      [URLSearchParams, () => ['a=b']],
    ];
";

/// Runs `body` in init code and in VU code, with `made(Class, attempt)` for what must or must not work there.
fn run(body: &str, compat: Compat) -> Vec<String> {
    let (_server, url) = echo_server();
    let script = format!(
        "{CLASSES}
         const open = [];
         function all(stage) {{
           let works = 0;
           for (const [Class, args, when = 'both'] of CLASSES) {{
             const can = when === 'both' || when === stage;
             const keep = (made) => {{ if (Class === WebSocket) open.push(made); return made; }};
             {body}
           }}
           return works;
         }}
         const inInit = all('init');
         export default function () {{
           console.log(inInit, all('vu'));
           for (const made of open) try {{ WebSocket.prototype.close.call(made); }} catch {{ /* a subclass gave something else */ }}
         }}"
    );
    let mut plan = Plan::new(script).env("URL", url);
    plan.compat = compat;
    let outcome = plan.run();
    outcome.text().into_iter().map(str::to_owned).collect()
}

/// Ways to construct: each gives the object, or throws.
const WAYS: &str = "
    const ways = {
      plain: () => new Class(...args()),
      called: () => Class(...args()),
      subclass: () => { class Sub extends Class { more() { return 7; } } return new Sub(...args()); },
      constructor: () => {
        class Sub extends Class { constructor(...all) { super(...all); this.a = 1; this.b = 2; } more() { return 7; } }
        return new Sub(...args());
      },
      many: () => {
        class Sub extends Class {
          constructor(...all) { super(...all); for (let i = 0; i < 300; i++) this[`own${i}`] = i; }
        }
        return new Sub(...args());
      },
      fields: () => { class Sub extends Class { #p = 1; q = 2; get p() { return this.#p; } } return new Sub(...args()); },
      deep: () => {
        let Last = Class;
        for (let i = 0; i < 40; i++) Last = class extends Last { constructor(...all) { super(...all); this[`l${i}`] = i; } };
        return new Last(...args());
      },
      reflected: () => Reflect.construct(Class, args(), Class),
      bound: () => Reflect.construct(Class, args(), function () {}.bind(null)),
      boundSelf: () => new (Class.bind(null, ...args()))(),
      proxy: () => Reflect.construct(Class, args(), new Proxy(Class, {})),
      proxied: () => new (new Proxy(Class, {}))(...args()),
      nothing: () => Reflect.construct(Class, args(), Object.assign(function () {}, { prototype: null })),
      primitive: () => Reflect.construct(Class, args(), Object.assign(function () {}, { prototype: 5 })),
      throwing: () => Reflect.construct(Class, args(), new Proxy(function () {}, { get() { throw new RangeError('trap'); } })),
      foreign: () => Reflect.construct(Class, args(), Map),
      promise: () => Reflect.construct(Class, args(), Promise),
      other: () => Reflect.construct(Class, args(), CLASSES[(CLASSES.findIndex(([it]) => it === Class) + 1) % CLASSES.length][0]),
      arrowless: () => { class Sub extends Class { constructor() { return {}; } } return new Sub(); },
      early: () => { class Sub extends Class { constructor() { } } return new Sub(); },
      twice: () => { class Sub extends Class { constructor(...all) { super(...all); try { super(...all.map(() => 'ftp://h')); } catch { } } } return new Sub(...args()); },
      getting: () => {
        const made = Reflect.construct(Class, args(), new Proxy(Class, { get: (...all) => { gc?.(); return Reflect.get(...all); } }));
        return made;
      },
    };
";

#[test]
fn every_class_can_be_constructed_in_every_way() {
    for compat in [Compat::K6, Compat::Web] {
        let lines = run(
            &format!(
                "{} for (const [name, make] of Object.entries(ways)) {{
                   let made, error;
                   try {{ made = keep(make()); }} catch (e) {{ error = e; }}
                   if (made !== undefined) {{
                     if (typeof made !== 'object') console.log(stage, Class.name, name, typeof made);
                     // What was made can be looked at.
                     for (const key of Reflect.ownKeys(made)) made[key];
                     try {{ JSON.stringify(made); }} catch (e) {{ if (name !== 'other') throw e; }}
                     try {{ made.mine = 1; }} catch (e) {{ if (!String(e).includes('host object')) throw e; }}
                     works += 1;
                   }} else if (['plain', 'subclass', 'constructor', 'many', 'deep', 'reflected', 'proxied'].includes(name) && can
                     && !String(error).includes('host object')) {{
                     console.log(stage, Class.name, name, String(error));
                   }} else if (!(error instanceof Error)) console.log(stage, Class.name, name, 'threw', String(error));
                 }}",
                WAYS.replace("gc?.()", "globalThis.gc?.()")
            ),
            compat,
        );
        assert_eq!(lines.len(), 1, "{lines:?}");
        let works: Vec<u32> = lines[0].split(' ').map(|count| count.parse().unwrap()).collect();
        assert!(works.iter().all(|&works| works > 200), "{works:?}");
    }
}

#[test]
fn methods_on_what_is_none_of_their_class_are_type_errors_or_nothing() {
    for compat in [Compat::K6, Compat::Web] {
        let lines = run(
            "let sample;
             try { sample = keep(new Class(...args())); } catch { if (can) console.log(stage, Class.name); }
             const strangers = [undefined, null, 1, 'text', Symbol('s'), 1n, {}, [], () => 1, new Proxy({}, {}),
               Object.create(null), Class, Class.prototype, Object.create(Class.prototype), globalThis, console,
               new Map(), new Uint8Array(3), new Blob(['x']), new URL('http://h/'), new Event('e'), new EventTarget()];
             if (sample) strangers.push(new Proxy(sample, {}), Object.create(sample));
             const owners = [Class.prototype, Class, sample].filter((it) => it !== undefined && it !== null);
             for (const owner of owners) for (const key of Reflect.ownKeys(owner)) {
               if (key === 'caller' || key === 'arguments' || key === 'constructor' || key === 'close' || key === 'prototype') continue;
               const { value, get, set } = Object.getOwnPropertyDescriptor(owner, key);
               for (const method of [value, get, set]) for (const stranger of strangers) for (const given of [[], [{}], ['a', 'b', 1]]) {
                 if (typeof method !== 'function' || method === Class) continue;
                 try { const result = Reflect.apply(method, stranger, given); if (result?.catch) result.catch(() => {}); }
                 catch (e) { if (!(e instanceof Error)) console.log(Class.name, String(key), String(e)); }
                 works += 1;
               }
               for (const stranger of strangers) if (Object(stranger) === stranger) {
                 try { Reflect.get(owner, key, stranger); Reflect.set(owner, key, 1, stranger); }
                 catch (e) { if (!(e instanceof Error)) console.log(Class.name, String(key), String(e)); }
               }
             }",
            compat,
        );
        assert_eq!(lines.len(), 1, "{lines:?}");
        let works: Vec<u32> = lines[0].split(' ').map(|count| count.parse().unwrap()).collect();
        assert!(works.iter().all(|&works| works > 5000), "{works:?}");
    }
}

/// Runs a VU with `WebSocket` and an echo server.
fn socket(body: &str, compat: Compat) -> Vec<String> {
    let (_server, url) = echo_server();
    let script = format!(
        "import {{ WebSocket }} from 'k6/websockets';
         const log = (...all) => console.log(all.join(' '));
         export default function () {{ {body} }}"
    );
    let mut plan = Plan::new(script).env("URL", url);
    plan.compat = compat;
    plan.run().text().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_subclass_of_web_socket_talks() {
    for compat in [Compat::K6, Compat::Web] {
        let lines = socket(
            "class Chat extends WebSocket {
               #said = 0;
               constructor(url) { super(url); this.received = []; this.onmessage = (e) => this.received.push(e.data); }
               say(text) { this.#said += 1; this.send(JSON.stringify({ text })); return this.#said; }
               send(text) { super.send(text.toUpperCase()); }
               get last() { return this.received.at(-1); }
             }
             const chat = new Chat(__ENV.URL);
             chat.onopen = () => log('said', chat.say('hello'));
             chat.addEventListener('message', () => {
               log(chat instanceof Chat, chat instanceof WebSocket, chat.constructor.name, chat.received.length, chat.last);
               chat.close();
             });
             chat.onclose = (e) => log('closed', e.code, e.target === chat);",
            compat,
        );
        assert_eq!(lines, ["said 1", r#"true true Chat 1 {"TEXT":"HELLO"}"#, "closed 1000 true"]);
    }
}

#[test]
fn methods_of_sockets_work_without_them() {
    let lines = socket(
        "const socket = new WebSocket(__ENV.URL);
         const { send, close, ping, addEventListener } = socket;
         log(send === socket.send, Object.keys(socket).slice(0, 5), JSON.stringify(Object.getOwnPropertyDescriptor(socket, 'send')));
         addEventListener('open', () => { send('detached'); ping(); });
         addEventListener('pong', () => setTimeout(close, 10));
         addEventListener('message', (e) => log(e.data));
         addEventListener('close', (e) => log('closed', e.code));
         const other = new WebSocket(__ENV.URL);
         other.onopen = () => { other.close.call(socket, 3001); };
         other.onclose = (e) => log('other', e.code);
         try { (function () { 'use strict'; socket.send = 1; })(); } catch (e) { log(e.name); }
         try { delete socket.send; } catch (e) { log(e.name); }
         // What a script makes of the language's own functions changes nothing.
         Function.prototype.bind = () => { throw new Error('bind'); };",
        Compat::K6,
    );
    assert_eq!(
        lines[..3],
        [
            r#"true addEventListener,send,ping,close,url {"writable":false,"enumerable":true,"configurable":false}"#,
            "TypeError",
            "TypeError"
        ]
    );
    let mut rest = lines[3..].to_vec();
    rest.sort();
    assert_eq!(rest, ["closed 1000", "detached", "other 3001"]);
}

#[test]
fn on_the_web_methods_are_the_classs_own() {
    let lines = socket(
        "const socket = new WebSocket(__ENV.URL);
         log(Object.hasOwn(socket, 'send'), Object.hasOwn(WebSocket.prototype, 'send'));
         const { send } = socket;
         socket.onopen = () => { try { send('x'); } catch (e) { log(e.name); } socket.close(); };",
        Compat::Web,
    );
    assert_eq!(lines, ["false true", "TypeError"]);
}

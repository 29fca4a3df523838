//! Scripts against WebSocket servers that nobody here wrote, with and without TLS and compression.

use std::net::SocketAddr;

use ws_e2e::fixture::Fixture;
use ws_peers::{Peer, Server};

const SCRIPT: &str = "
    import ws from 'k6/ws';
    const params = JSON.parse(__ENV.PARAMS);
    const say = (...words) => console.log(words.join(' '));

    /** One session; each message that comes in is for the next of the steps. */
    function session(path, first, steps, headers = {}) {
      const res = ws.connect(__ENV.URL + path, { headers, ...params }, (socket) => {
        const next = (data) => steps.shift()(socket, data);
        socket.on('open', () => first(socket));
        socket.on('message', next);
        socket.on('binaryMessage', next);
        socket.on('ping', () => say('ping'));
        socket.on('pong', () => { say('pong'); socket.send('yours'); });
        socket.on('close', (code) => say('close', code));
        socket.on('error', (e) => say('error', e.error()));
      });
      const { 'Sec-Websocket-Protocol': protocol = '', 'Sec-Websocket-Extensions': extensions = '' } = res.headers;
      say(path, res.status, protocol, extensions.startsWith('permessage-deflate') === 'compression' in params);
    }

    const bytes = new Uint8Array(1 << 20).map((_, i) => i % 251);
    const words = 'grün, 漢字, 𝄞 '.repeat(50000);
    const same = (data) => new Uint8Array(data).every((byte, i) => byte === bytes[i]);

    export default function () {
      session('/echo/messages', (socket) => socket.send('hello'), [
        (socket, data) => { say('text', data); socket.send(''); },
        (socket, data) => { say('empty', data.length); socket.send(words); },
        (socket, data) => { say('words', data === words); socket.sendBinary(new ArrayBuffer(0)); },
        (socket, data) => { say('bytes', data.byteLength); socket.sendBinary(bytes.buffer); },
        (socket, data) => { say('bytes', data.byteLength, same(data)); socket.close(3999); },
      ], { 'Sec-WebSocket-Protocol': 'chat.v1' });
      session('/ping/both', (socket) => socket.ping(), [
        (socket, data) => { say('text', data); socket.close(); },
      ]);
      session('/close/theirs', (socket) => socket.send('4001 enough'), []);
      session('/cookie/kept', () => {}, [
        (socket, data) => { say('cookie', data); socket.close(); },
      ]);
    }";

const SEEN: [&str; 18] = [
    "text hello",
    "empty 0",
    "words true",
    "bytes 0",
    "bytes 1048576 true",
    "close 3999",
    "/echo/messages 101 chat.v1 true",
    // Ours is answered, then theirs.
    "pong",
    "ping",
    "text pong yours",
    "close 1001",
    "/ping/both 101  true",
    "error websocket: close 4001: enough",
    "close 4001",
    "/close/theirs 101  true",
    // Set by the server in each upgrade before.
    "cookie visit=7",
    "close 1001",
    "/cookie/kept 101  true",
];

/// Params of `connect`: as k6 has them, and with an offer judged by RFC 7692.
const PLAIN: &str = "{}";
const DEFLATE: &str = r#"{"compression": "deflate"}"#;
const TAKEOVER: &str = r#"{"compression": "deflate", "compressionOptions": {"contextTakeover": true}}"#;

fn run(server: &mut Server, scheme: &str, address: SocketAddr, params: &str) {
    let fixture = Fixture::new(SCRIPT);
    std::fs::write(fixture.path("roots.pem"), &server.certificate).unwrap();
    let run = fixture.run().arg_value("--env", format!("URL={scheme}://{address}"));
    let run = run.arg_value("--env", format!("PARAMS={params}"));
    let finished = run.env("SSL_CERT_FILE", fixture.path("roots.pem")).finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(finished.console(), SEEN, "{finished:#?}");
    // The other side's view of the same.
    assert!(server.closed("/echo/messages").starts_with("3999"));
    assert!(server.closed("/close/theirs").starts_with("4001"));
}

fn all(peer: Peer) {
    let Some(mut server) = peer.start() else { return };
    let (plain, secure) = (server.plain, server.secure);
    for params in [PLAIN, DEFLATE, TAKEOVER] {
        // aiohttp does not say that messages stand alone, and then k6's rule, kept for k6's offer, is to refuse.
        if (peer, params) != (Peer::Aiohttp, DEFLATE) {
            run(&mut server, "ws", plain, params);
            run(&mut server, "wss", secure, params);
        }
    }
}

#[test]
fn python_websockets() {
    all(Peer::Websockets);
}

#[test]
fn python_aiohttp() {
    all(Peer::Aiohttp);
}

#[test]
fn node_ws() {
    all(Peer::Ws);
}

#[test]
fn nginx() {
    all(Peer::Nginx);
}

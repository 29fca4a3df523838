//! The params `connectTimeout` and `handshakeTimeout` of `ws.connect`, which k6 does not have.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::server::TestServer;

#[test]
fn a_server_that_does_not_answer() {
    if !is_ws("the params connectTimeout and handshakeTimeout") {
        return;
    }
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        export default function () {
          for (const handshakeTimeout of [200, '200ms']) {
            const res = ws.connect(`${__ENV.WS_URL}/stall`, { handshakeTimeout }, () => {});
            console.log(`${res.status} ${res.error}`);
          }
        }",
    );
    let finished = fixture.run().arg_value("--env", format!("WS_URL={}", server.url())).finish().unwrap();
    let console = finished.console();
    assert_eq!(console.len(), 2, "{finished:#?}");
    for line in console {
        assert!(line.starts_with("0 read tcp 127.0.0.1:"), "{line}");
        let end = format!("->{}: i/o timeout (upgrade, handshakeTimeout of 200ms)", server.address());
        assert!(line.ends_with(&end), "{line}");
    }
}

#[test]
fn a_server_that_does_not_accept() {
    if !is_ws("the params connectTimeout and handshakeTimeout") {
        return;
    }
    // With its queue full, the system ignores who else knocks.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let patience = Duration::from_millis(200);
    let waiting: Vec<_> =
        (0..16).map_while(|_| TcpStream::connect_timeout(&address, patience).ok()).collect();
    assert!(waiting.len() < 16, "the queue is never full");
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        export default function () {
          const res = ws.connect(__ENV.WS_URL, { connectTimeout: 100 }, () => {});
          console.log(`${res.status} ${res.error}`);
        }",
    );
    let finished = fixture.run().arg_value("--env", format!("WS_URL=ws://{address}/")).finish().unwrap();
    assert_eq!(
        finished.console(),
        [format!("0 dial tcp {address}: i/o timeout (TCP, connectTimeout of 100ms)")],
        "{finished:#?}"
    );
}

#[test]
fn the_step_is_named() {
    if !is_ws("the params connectTimeout and handshakeTimeout") {
        return;
    }
    // Takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        export default function () {
          const limits = { connectTimeout: '500ms', handshakeTimeout: 300 };
          for (const url of [`wss://${__ENV.MUTE}/`, 'ws://x.test/']) {
            console.log(ws.connect(url, limits, () => {}).error);
          }
        }",
    );
    let mut run = fixture.run().arg_value("--env", format!("MUTE={address}"));
    for name in ["HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
        run = run.env(name, "");
    }
    let finished = run.env("HTTP_PROXY", address.to_string()).finish().unwrap();
    let console = finished.console();
    for (line, step) in console.iter().zip(["TLS", "proxy"]) {
        assert!(line.starts_with("read tcp 127.0.0.1:"), "{line}");
        let end = format!("->{address}: i/o timeout ({step}, handshakeTimeout of 300ms)");
        assert!(line.ends_with(&end), "{line}");
    }
    assert_eq!(console.len(), 2, "{finished:#?}");
}

#[test]
fn limits_that_are_none() {
    if !is_ws("the params connectTimeout and handshakeTimeout") {
        return;
    }
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        const attempt = (params) => {
          try {
            const res = ws.connect('ws://127.0.0.1:1/', params, () => {});
            console.log(`dialled: ${res.error}`);
          } catch (e) {
            console.log(`${e.name}: ${e.message}`);
          }
        };
        export default function () {
          for (const connectTimeout of [0, -1, NaN, Infinity, 'soon', '', '-1s', true, {}]) {
            attempt({ connectTimeout });
          }
          attempt({ handshakeTimeout: '0' });
          attempt({ connectTimeout: undefined, handshakeTimeout: null });
          attempt({ connectTimeout: 1e300 });
          attempt({ connectTimeout: '1d', handshakeTimeout: '1h30m' });
        }",
    );
    let finished = fixture.run().finish().unwrap();
    let refused = |key: &str, given: &str| {
        format!(
            "GoError: the param '{key}' must be a positive number of milliseconds or a duration like '10s', got '{given}'"
        )
    };
    let dialled = || "dialled: dial tcp 127.0.0.1:1: connect: connection refused".to_owned();
    let mut expected: Vec<_> = ["0", "-1", "NaN", "Infinity", "soon", "", "-1s", "true", "[object Object]"]
        .map(|given| refused("connectTimeout", given))
        .into();
    expected.extend([
        refused("handshakeTimeout", "0"),
        dialled(),
        refused("connectTimeout", "1e+300"),
        dialled(),
    ]);
    assert_eq!(finished.console(), expected, "{finished:#?}");
}

//! HTTP proxies from the environment: who goes through them, and what becomes of it.

use std::net::TcpListener;

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Run};
use ws_e2e::proxy::Proxy;
use ws_e2e::server::{Identity, TestServer};

/// Dials each URL of `__ENV.URLS` and says what came of it; a message carries the request line as the server saw it.
const SCRIPT: &str = "
    import ws from 'k6/ws';
    export const options = { hosts: JSON.parse(__ENV.HOSTS || '{}') };
    export default function () {
      for (const url of __ENV.URLS.split(' ')) {
        let first = '';
        const res = ws.connect(url, null, (socket) => {
          socket.on('message', (head) => { first = head.split('\\n').slice(0, 2).join(); socket.close(); });
        });
        console.log(`${res.status} ${res.error}${first}`);
      }
    }";

fn run(vars: &[(&str, &str)], urls: &[&str], prepare: impl FnOnce(&Fixture, Run) -> Run) -> Finished {
    let fixture = Fixture::new(SCRIPT);
    let mut run = fixture.run().arg_value("--env", format!("URLS={}", urls.join(" ")));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
        run = run.env(name, "");
    }
    for (name, value) in vars {
        run = run.env(name, value);
    }
    prepare(&fixture, run).finish().unwrap()
}

fn plain(vars: &[(&str, &str)], urls: &[&str]) -> Vec<String> {
    run(vars, urls, |_, run| run).console()
}

#[test]
fn a_tunnel_is_asked_for_by_name_and_with_the_password() {
    let server = TestServer::start().unwrap();
    let proxy = Proxy::to(server.address()).unwrap();
    let through = format!("http://us%20er:p%40ss@{}", proxy.address());
    let console =
        plain(&[("HTTP_PROXY", &through)], &["ws://x.test/headers", "ws://[2001:db8::1]:7/headers?q"]);
    assert_eq!(console, ["101 GET /headers,Host: x.test", "101 GET /headers?q,Host: [2001:db8::1]:7"]);
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT x.test:80 HTTP/1.1\r\nHost: x.test:80\r\n"), "{heads:?}");
    assert!(heads[1].starts_with("CONNECT [2001:db8::1]:7 HTTP/1.1\r\n"), "{heads:?}");
    for head in heads {
        assert!(head.contains("\r\nProxy-Authorization: Basic dXMgZXI6cEBzcw==\r\n"), "{head}");
    }
}

#[test]
fn wss_has_a_proxy_of_its_own_and_speaks_tls_to_the_server() {
    let identity = Identity::self_signed(&["x.test"]).unwrap();
    let pem = identity.pem().to_owned();
    let server = TestServer::start_tls(identity).unwrap();
    let proxy = Proxy::to(server.address()).unwrap();
    let through = proxy.address().to_string();
    let finished =
        run(&[("https_proxy", &through)], &["wss://x.test/headers", "wss://y.test/"], |fixture, run| {
            let roots = fixture.path("roots.pem");
            std::fs::write(&roots, pem).unwrap();
            run.env("SSL_CERT_FILE", roots)
        });
    let console = finished.console();
    assert_eq!(console[0], "101 GET /headers,Host: x.test", "{finished:#?}");
    assert!(console[1].starts_with("0 tls: failed to verify certificate"), "{finished:#?}");
    assert!(proxy.heads()[0].starts_with("CONNECT x.test:443 HTTP/1.1\r\n"));
}

#[test]
fn exceptions_and_loopback_go_directly() {
    let server = TestServer::start().unwrap();
    let proxy = Proxy::answering("HTTP/1.1 403 Not this way\r\n\r\n").unwrap();
    let (through, port) = (proxy.address().to_string(), server.address().port());
    let vars = [("HTTP_PROXY", through.as_str()), ("NO_PROXY", "intern.test, 10.0.0.0/8")];
    let local = format!("ws://127.0.0.1:{port}/headers");
    let urls =
        [local.as_str(), "ws://a.intern.test/headers", "ws://10.1.2.3/headers", "ws://extern.test/headers"];
    let hosts = format!("{{\"*.test\":\"127.0.0.1:{port}\",\"10.1.2.3\":\"127.0.0.1:{port}\"}}");
    let finished = run(&vars, &urls, |_, run| run.arg_value("--env", format!("HOSTS={hosts}")));
    assert_eq!(
        finished.console(),
        [
            format!("101 GET /headers,Host: 127.0.0.1:{port}").as_str(),
            "101 GET /headers,Host: a.intern.test",
            "101 GET /headers,Host: 10.1.2.3",
            "0 Not this way",
        ],
        "{finished:#?}"
    );
    assert_eq!(proxy.heads().len(), 1);
}

#[test]
fn a_proxy_that_does_otherwise() {
    for (answer, error) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nabc",
            "Proxy Authentication Required",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "Bad Gateway"),
        ("SMTP\r\n\r\n", "malformed HTTP response \"SMTP\""),
        ("HTTP/1.1 200 OK\r\n", "unexpected EOF"),
        ("", "unexpected EOF"),
    ] {
        let proxy = Proxy::answering(answer).unwrap();
        let console = plain(&[("HTTP_PROXY", &proxy.address().to_string())], &["ws://x.test/"]);
        assert_eq!(console, [format!("0 {error}")], "{answer:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let console = plain(&[("HTTP_PROXY", &format!("http://{closed}"))], &["ws://x.test/"]);
    assert_eq!(console, [format!("0 dial tcp {closed}: connect: connection refused")]);
    let console = plain(&[("HTTP_PROXY", "https://me:s3cr3t@127.0.0.1:1")], &["ws://x.test/"]);
    assert_eq!(console, ["0 proxy: unknown scheme: https (HTTP_PROXY=\"https://me:xxxxx@127.0.0.1:1\")"]);
}

#[test]
fn the_way_through_a_proxy_is_timed() {
    if !is_ws("--extended-metrics") {
        return;
    }
    let server = TestServer::start().unwrap();
    let proxy = Proxy::to(server.address()).unwrap();
    let through = proxy.address().to_string();
    let finished =
        run(&[("HTTP_PROXY", &through)], &["ws://x.test/headers"], |_, run| run.args(["--extended-metrics"]));
    for metric in ["ws_handshake_tcp", "ws_handshake_proxy", "ws_handshake_upgrade"] {
        assert!(finished.stdout.contains(&format!("    {metric}.")), "{metric}: {finished:#?}");
    }
}

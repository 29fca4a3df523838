//! `wss://`: certificates are checked unless told otherwise, and roots can be added.

use ws_e2e::fixture::Fixture;
use ws_e2e::process::Finished;
use ws_e2e::server::{Identity, TestServer};

const SCRIPT: &str = "
    export const options = { insecureSkipTLSVerify: __ENV.SKIP === 'yes' };
    import ws from 'k6/ws';
    export default function () {
      const res = ws.connect(`wss://localhost:${__ENV.PORT}/headers`, null, (socket) => {
        socket.on('message', (head) => { console.log(head.split('\\n')[0]); socket.close(); });
      });
      console.log(`${res.status} ${res.error}`);
    }";

fn run(trust: bool, skip: &str) -> Finished {
    let identity = Identity::self_signed(&["localhost"]).unwrap();
    let fixture = Fixture::new(SCRIPT);
    std::fs::write(fixture.path("roots.pem"), identity.pem()).unwrap();
    let server = TestServer::start_tls(identity).unwrap();
    let mut run = fixture.run().arg_value("--env", format!("PORT={}", server.address().port()));
    run = run.arg_value("--env", format!("SKIP={skip}"));
    if trust {
        run = run.env("SSL_CERT_FILE", fixture.path("roots.pem"));
    }
    run.finish().unwrap()
}

#[test]
fn unknown_certificate_is_refused() {
    let finished = run(false, "no");
    let console = finished.console();
    assert_eq!(console.len(), 1, "{finished:#?}");
    assert!(console[0].starts_with("0 tls: failed to verify certificate: x509: "), "{console:?}");
}

#[test]
fn unknown_certificate_is_accepted_on_request() {
    let finished = run(false, "yes");
    assert_eq!(finished.console(), ["GET /headers", "101 "], "{finished:#?}");
}

#[test]
fn root_from_the_environment_is_trusted() {
    let finished = run(true, "no");
    assert_eq!(finished.console(), ["GET /headers", "101 "], "{finished:#?}");
}

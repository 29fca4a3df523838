//! TLS options from a script to an OpenSSL server, `ws` next to k6 where there is one.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use serde_json::{Value, json};
use ws_e2e::fixture::Fixture;
use ws_e2e::process::{Finished, Run};
use ws_e2e::python_tls::PythonTls;
use ws_e2e::tool::{self, Tool};

const SCRIPT: &str = "
    import ws from 'k6/ws';
    export const options = JSON.parse(__ENV.OPTIONS);
    if (__ENV.AUTH) {
      const identity = { cert: open('client.pem'), key: open('client.key') };
      options.tlsAuth = [Object.assign(identity, JSON.parse(__ENV.AUTH))];
    }
    export default function () {
      for (let i = 0; i < Number(__ENV.TIMES || 1); i++) {
        const res = ws.connect(`wss://localhost:${__ENV.PORT}/`, null, (socket) => {
          socket.on('message', (text) => { console.log(text); socket.close(); });
        });
        console.log(`${res.status} ${res.error}`);
      }
    }";

/// The script, in a folder with a root, a server's certificate and a client's, and their keys.
fn fixture() -> Fixture {
    let fixture = Fixture::new(SCRIPT);
    let write = |name: &str, text: String| std::fs::write(fixture.path(name), text).unwrap();
    let params = |name: &str, hosts: &[&str]| {
        let mut params =
            CertificateParams::new(hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut root = params("Test Root", &[]);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    write("root.pem", root.pem());
    for (name, usage, hosts) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth, &["localhost"][..]),
        ("client", ExtendedKeyUsagePurpose::ClientAuth, &[]),
    ] {
        let mut params = params(name, hosts);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        write(&format!("{name}.pem"), params.signed_by(&key, &root).unwrap().pem());
        write(&format!("{name}.key"), key.serialize_pem());
    }
    fixture
}

fn server(fixture: &Fixture, test: &str, wanted: Value) -> Option<PythonTls> {
    let mut all = json!({"cert": "server.pem", "key": "server.key"});
    all.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
    let server = PythonTls::start(fixture.folder(), &all).unwrap();
    if server.is_none() {
        ws_e2e::skip(test, "no python3 with ssl");
    }
    server
}

fn run(tool: &Tool, fixture: &Fixture, port: u16, options: &Value, auth: Option<&Value>) -> Run {
    let mut run = Run::script(tool, Path::new("script.js"))
        .directory(fixture.folder())
        .env("SSL_CERT_FILE", fixture.path("root.pem"))
        .arg_value("--env", format!("PORT={port}"))
        .arg_value("--env", format!("OPTIONS={options}"));
    if let Some(auth) = auth {
        run = run.arg_value("--env", format!("AUTH={auth}"));
    }
    run
}

#[test]
fn versions_suites_and_client_certificates() {
    let fixture = fixture();
    let any = json!({});
    let tls12 = json!({"version": "TLSv1_2"});
    let clients = json!({"clients": "root.pem"});
    let ecdsa = "TLSv1.2 ECDHE-ECDSA";
    let table = [
        (&any, json!({}), None, "TLSv1.3 TLS_AES_256_GCM_SHA384 full nobody".to_owned()),
        (&any, json!({"tlsVersion": "tls1.2"}), None, format!("{ecdsa}-AES256-GCM-SHA384 full nobody")),
        (
            &any,
            json!({"tlsVersion": {"max": "tls1.2"}}),
            None,
            format!("{ecdsa}-AES256-GCM-SHA384 full nobody"),
        ),
        (
            &any,
            json!({"tlsVersion": {"min": "tls1.0", "max": "tls1.3"}}),
            None,
            "TLSv1.3 TLS_AES_256_GCM_SHA384 full nobody".to_owned(),
        ),
        (
            &tls12,
            json!({"tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}),
            None,
            format!("{ecdsa}-AES128-GCM-SHA256 full nobody"),
        ),
        (
            &tls12,
            json!({"tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"]}),
            None,
            format!("{ecdsa}-CHACHA20-POLY1305 full nobody"),
        ),
        (&clients, json!({}), Some(json!({})), "TLSv1.3 TLS_AES_256_GCM_SHA384 full client".to_owned()),
        (
            &clients,
            json!({"tlsVersion": "tls1.2"}),
            Some(json!({"domains": ["localhost"]})),
            format!("{ecdsa}-AES256-GCM-SHA384 full client"),
        ),
    ];
    for (wanted, options, auth, expected) in table {
        let Some(server) = server(&fixture, "versions_suites_and_client_certificates", wanted.clone()) else {
            return;
        };
        for tool in tool::both("TLS options") {
            let finished = run(tool, &fixture, server.port, &options, auth.as_ref()).finish().unwrap();
            let name = tool.name();
            assert_eq!(finished.console(), [&*expected, "101 "], "{name}, {options}: {finished:#?}");
        }
    }
}

#[test]
fn what_servers_refuse() {
    let fixture = fixture();
    let tls12 = json!({"version": "TLSv1_2"});
    let table = [
        (tls12.clone(), json!({"tlsVersion": "tls1.3"}), "protocol version not supported"),
        (
            json!({"version": "TLSv1_2", "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),
            json!({"tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}),
            "handshake failure",
        ),
        // With TLS 1.2: later versions say so only after the client has sent its request, which may not arrive.
        (json!({"version": "TLSv1_2", "clients": "root.pem"}), json!({}), "handshake failure"),
    ];
    for (wanted, options, expected) in table {
        let Some(server) = server(&fixture, "what_servers_refuse", wanted) else { return };
        for tool in tool::both("TLS options") {
            let finished = run(tool, &fixture, server.port, &options, None).finish().unwrap();
            let expected = format!("0 remote error: tls: {expected}");
            assert_eq!(finished.console(), [expected], "{}, {options}: {finished:#?}", tool.name());
        }
    }
}

/// The single error of a run that must not start.
fn refused(finished: &Finished) -> String {
    assert_eq!(finished.code, Some(104), "{finished:#?}");
    let errors = finished.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors[0].clone()
}

#[test]
fn bad_options_are_refused_at_the_start() {
    let fixture = fixture();
    let table = [
        (json!({"tlsVersion": {"min": "tls1.9"}}), None, "unknown TLS version 'tls1.9'"),
        (json!({"tlsCipherSuites": ["FOO"]}), None, "unknown cipher suite 'FOO'"),
        (json!({}), Some(json!({"cert": "x"})), "failed to find any PEM data in certificate input"),
        (json!({}), Some(json!({"key": "x"})), "failed to find any PEM data in key input"),
    ];
    for (options, auth, words) in table {
        for tool in tool::both("TLS options") {
            let error = refused(&run(tool, &fixture, 1, &options, auth.as_ref()).finish().unwrap());
            assert!(error.contains(words), "{}: {error}", tool.name());
        }
    }
    // k6 finds these when it dials, if at all.
    let only_ws = [
        (json!({"tlsVersion": {"max": "tls1.1"}}), "TLS versions from tls1.1 to tls1.1 are not supported"),
        (
            json!({"tlsCipherSuites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}),
            "cipher suite 'TLS_RSA_WITH_AES_128_CBC_SHA' is not supported; supported are TLS_AES_256_GCM_SHA384, ",
        ),
        (json!({"tlsAuth": [null]}), "option 'tlsAuth[0]' must be an object"),
    ];
    for (options, words) in only_ws {
        let error = refused(&run(tool::ws(), &fixture, 1, &options, None).finish().unwrap());
        assert!(error.contains(words), "{error}");
    }
    let run = run(tool::ws(), &fixture, 1, &json!({}), None).env("K6_TLS_CIPHER_SUITES", "FOO");
    assert!(refused(&run.finish().unwrap()).contains("unknown cipher suite 'FOO'"));
}

#[test]
fn variables_resumption_and_the_key_log() {
    let fixture = fixture();
    let wanted = json!({"clients": "root.pem"});
    let Some(server) = server(&fixture, "variables_resumption_and_the_key_log", wanted) else { return };
    let read = |name| std::fs::read_to_string(fixture.path(name)).unwrap();
    let auth = json!([{"cert": read("client.pem"), "key": read("client.key")}]);
    let finished = run(tool::ws(), &fixture, server.port, &json!({}), None)
        .env("K6_TLSAUTH", auth.to_string())
        .env("K6_TLS_VERSION", "tls1.2")
        .env("K6_TLS_CIPHER_SUITES", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
        .env("SSLKEYLOGFILE", "keys.txt")
        .args(["--env", "TIMES=2", "--tls-resumption"])
        .finish()
        .unwrap();
    let suite = "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256";
    let expected =
        [format!("{suite} full client"), "101 ".into(), format!("{suite} resumed client"), "101 ".into()];
    assert_eq!(finished.console(), expected, "{finished:#?}");
    let keys = read("keys.txt");
    assert_eq!(keys.lines().filter(|line| line.starts_with("CLIENT_RANDOM ")).count(), 2, "{keys}");
    let warning = "SSLKEYLOGFILE was specified, logging TLS connection keys to 'keys.txt'...";
    assert_eq!(finished.stderr.matches(warning).count(), 1, "{finished:#?}");
}

#[test]
fn a_certificate_file_that_is_not_there() {
    let fixture = fixture();
    let Some(server) = server(&fixture, "a_certificate_file_that_is_not_there", json!({})) else { return };
    let run =
        run(tool::ws(), &fixture, server.port, &json!({}), None).args(["--vus", "2", "--iterations", "4"]);
    let finished = run.env("SSL_CERT_FILE", "/no/such/file").finish().unwrap();
    assert_eq!(finished.stderr.matches("/no/such/file").count(), 1, "{finished:#?}");
    let console = finished.console();
    assert_eq!(console.len(), 4, "{finished:#?}");
    assert!(
        console[0].starts_with(
            "0 tls: failed to verify certificate: x509: certificate signed by unknown authority: no root for "
        ),
        "{console:?}"
    );
}

//! Certificates that do not verify: which one it is, and what is wrong with it.

use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use ws_proto::rustls::CertificateError;
use ws_proto::{Error, TlsConfig, TlsOptions};

use crate::authority::{Authority, Issued, named, opening, serve_each, trusting};

/// What is wrong with a server that shows `issued`, for a client that trusts `options`.
fn fault(issued: &Issued, host: &str, options: &TlsOptions) -> (String, CertificateError) {
    let (addr, server) = serve_each(issued.server(), 1, |_| ());
    let failure = opening(addr, host, &TlsConfig::new(options).unwrap()).run().map(|_| ()).unwrap_err();
    assert!(server.join().unwrap()[0].as_ref().unwrap_err().contains("alert"), "the server is told");
    match failure.error {
        Error::Certificate { fault } => {
            assert_eq!(failure.response, None);
            // The one thing in it that is different every time.
            let now = fault.to_string().find("current time ").map(|at| at + 13);
            let mut text = fault.to_string();
            if let Some(at) = now {
                text.replace_range(at..at + "2026-11-26T03:18:39Z".len(), "NOW");
            }
            (text, fault.reason)
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn each_fault_is_told_with_its_certificate() {
    let root = Authority::new("Test Root");
    let trusting = trusting(root.root());
    let mut past = named("old", &["localhost"]);
    (past.not_before, past.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let mut future = named("new", &["localhost"]);
    future.not_before = date_time_ymd(2222, 2, 2);
    let issued_by = |name: &str| format!("(certificate \"CN={name}\", issued by \"CN=Test Root\")");
    let table = [
        (
            root.issue(&past),
            "localhost",
            "certificate has expired or is not yet valid: current time NOW is after 2021-01-01T00:00:00Z",
            issued_by("old"),
        ),
        (
            root.issue(&future),
            "localhost",
            "certificate has expired or is not yet valid: current time NOW is before 2222-02-02T00:00:00Z",
            issued_by("new"),
        ),
        (
            root.issue(&named("other", &["other.test", "*.b.test"])),
            "localhost",
            "certificate is valid for other.test, *.b.test, not localhost",
            issued_by("other"),
        ),
        (
            root.issue(&named("other", &["127.0.0.9", "localhost"])),
            "127.0.0.1",
            "certificate is valid for 127.0.0.9, not 127.0.0.1",
            issued_by("other"),
        ),
        (
            root.issue(&named("other", &["localhost"])),
            "127.0.0.1",
            "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            issued_by("other"),
        ),
        (
            root.issue(&named("localhost", &[])),
            "localhost",
            "certificate relies on legacy Common Name field, use SANs instead",
            issued_by("localhost"),
        ),
        (
            Authority::new("Nobody").issue(&named("server", &["localhost"])),
            "localhost",
            "certificate signed by unknown authority: no root for \"CN=Nobody\" is trusted",
            "(certificate \"CN=server\", issued by \"CN=Nobody\")".to_owned(),
        ),
        (
            Issued::self_signed(&named("mine", &["localhost"])),
            "localhost",
            "certificate signed by unknown authority: it is self-signed",
            "(certificate \"CN=mine\")".to_owned(),
        ),
    ];
    for (issued, host, what, which) in table {
        assert_eq!(fault(&issued, host, &trusting).0, format!("{what} {which}"));
    }
}

#[test]
fn the_certificate_at_fault_need_not_be_the_servers() {
    let root = Authority::new("Test Root");
    let mut params = Authority::params("Old Middle");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let middle = root.sub(params);
    let mut issued = middle.issue(&named("server", &["localhost"]));
    issued.chain.push(middle.root());
    let (text, _) = fault(&issued, "localhost", &trusting(root.root()));
    assert!(text.ends_with("(certificate \"CN=Old Middle\", issued by \"CN=Test Root\")"), "{text}");

    let middle = root.sub(Authority::params("Middle"));
    let mut issued = middle.issue(&named("server", &["localhost"]));
    issued.chain.push(middle.root());
    let (text, reason) = fault(&issued, "localhost", &TlsOptions::default());
    assert!(text.contains("no root for \"CN=Test Root\" is trusted (certificate \"CN=Middle\""), "{text}");
    assert_eq!(reason, CertificateError::UnknownIssuer);
}

#[test]
fn a_root_may_be_the_servers_own_certificate() {
    // As `openssl req -x509` makes it.
    let mut params = named("localhost", &["localhost"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issued = Issued::self_signed(&params);
    let options = trusting(issued.chain[0].clone());
    let (addr, server) = serve_each(issued.server(), 1, |_| ());
    let mut client = opening(addr, "localhost", &TlsConfig::new(&options).unwrap()).run().unwrap().0;
    assert_eq!(client.receive(1)[0], "text ok");
    assert_eq!(server.join().unwrap(), [Ok(())]);

    let (text, _) = fault(&issued, "127.0.0.1", &options);
    assert!(text.starts_with("cannot validate certificate for 127.0.0.1"), "{text}");
    // Another certificate with the same names is not trusted.
    let (text, _) = fault(&Issued::self_signed(&params), "localhost", &options);
    assert!(text.starts_with("certificate signed by unknown authority"), "{text}");
}

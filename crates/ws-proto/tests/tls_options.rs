//! What options of TLS change on the wire, as the server sees it.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use ws_proto::rustls::crypto::ring::{self, Ticketer};
use ws_proto::rustls::server::WebPkiClientVerifier;
use ws_proto::rustls::version::{TLS12, TLS13};
use ws_proto::rustls::{
    AlertDescription, HandshakeKind, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};
use ws_proto::{
    CipherSuite, ClientIdentity, Error, IdentityError, KeyError, KeyLog, TlsConfig, TlsOptions,
    TlsOptionsError, TlsVersion, TlsVersions,
};

use crate::authority::{Authority, Issued, named, opening, serve_each, trusting};

fn version_and_suite(server: &ServerConnection) -> String {
    format!(
        "{:?} {:?}",
        server.protocol_version().unwrap(),
        server.negotiated_cipher_suite().unwrap().suite()
    )
}

/// A server that speaks these versions only.
fn speaking(issued: &Issued, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(issued.chain.clone(), issued.key())
        .unwrap()
}

#[test]
fn versions_and_suites() {
    let root = Authority::new("Test Root");
    let issued = root.issue(&named("server", &["localhost"]));
    let suite = |name: &str| name.parse::<CipherSuite>().unwrap();
    let only = TlsVersions::only;
    let any = TlsVersions { min: TlsVersion::Tls10, max: TlsVersion::Tls13 };
    let both = [&TLS12, &TLS13];
    let table = [
        (TlsVersions::default(), vec![], &both[..], "TLSv1_3 TLS13_AES_256_GCM_SHA384"),
        (any, vec![], &both, "TLSv1_3 TLS13_AES_256_GCM_SHA384"),
        (any, vec![], &both[..1], "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (only(TlsVersion::Tls12), vec![], &both, "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (
            only(TlsVersion::Tls12),
            vec![suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305")],
            &both,
            "TLSv1_2 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        // A choice among the suites of TLS 1.2 leaves TLS 1.3 as it is.
        (
            TlsVersions::default(),
            vec![suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")],
            &both,
            "TLSv1_3 TLS13_AES_256_GCM_SHA384",
        ),
        (
            TlsVersions::default(),
            vec![suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")],
            &both[..1],
            "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ),
        (
            TlsVersions::default(),
            vec![suite("TLS_AES_128_GCM_SHA256")],
            &both,
            "TLSv1_3 TLS13_AES_128_GCM_SHA256",
        ),
    ];
    for (versions, cipher_suites, server, expected) in table {
        let (addr, server) = serve_each(speaking(&issued, server), 1, version_and_suite);
        let options = TlsOptions { versions, cipher_suites, ..trusting(root.root()) };
        opening(addr, "localhost", &TlsConfig::new(&options).unwrap()).run().unwrap();
        assert_eq!(server.join().unwrap(), [Ok(expected.to_owned())]);
    }
}

#[test]
fn a_server_without_the_version() {
    let root = Authority::new("Test Root");
    let config = speaking(&root.issue(&named("server", &["localhost"])), &[&TLS12]);
    let (addr, server) = serve_each(config, 1, version_and_suite);
    let options = TlsOptions { versions: TlsVersions::only(TlsVersion::Tls13), ..trusting(root.root()) };
    let failure =
        opening(addr, "localhost", &TlsConfig::new(&options).unwrap()).run().map(|_| ()).unwrap_err();
    let Error::Tls { source, .. } = failure.error else { panic!("{:?}", failure.error) };
    assert_eq!(source, ws_proto::rustls::Error::AlertReceived(AlertDescription::ProtocolVersion));
    assert!(server.join().unwrap()[0].is_err());
}

#[test]
fn contradictions_are_found_before_anything_is_dialled() {
    use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
    let check = |min, max, suites: &[&str]| {
        let cipher_suites = suites.iter().map(|name| name.parse().unwrap()).collect();
        let options =
            TlsOptions { versions: TlsVersions { min, max }, cipher_suites, ..TlsOptions::default() };
        let checked = options.check();
        let made = TlsConfig::new(&options);
        assert_eq!(checked.is_ok(), made.is_ok());
        checked
    };
    assert_eq!(check(Tls10, Tls12, &[]), Ok(()));
    assert_eq!(check(Tls13, Tls12, &[]), Err(TlsOptionsError::EmptyRange { min: Tls13, max: Tls12 }));
    assert_eq!(
        check(Tls10, Tls11, &[]),
        Err(TlsOptionsError::UnsupportedVersions { min: Tls10, max: Tls11 })
    );
    assert_eq!(check(Tls12, Tls12, &["TLS_AES_128_GCM_SHA256"]), Err(TlsOptionsError::NoSuiteForVersions));
    assert_eq!(check(Tls13, Tls13, &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]), Ok(()));
}

#[test]
fn suites_that_are_not_there() {
    let error = |name: &str| name.parse::<CipherSuite>().unwrap_err().to_string();
    let supported = "supported are TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, \
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
         TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
         TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
    assert_eq!(
        error("TLS_RSA_WITH_AES_128_CBC_SHA"),
        format!("cipher suite 'TLS_RSA_WITH_AES_128_CBC_SHA' is not supported; {supported}")
    );
    assert_eq!(error("FOO"), format!("unknown cipher suite 'FOO'; {supported}"));
    assert_eq!(
        error("TLS_CHACHA20_POLY1305"),
        format!("unknown cipher suite 'TLS_CHACHA20_POLY1305'; {supported}")
    );
    for name in CipherSuite::names() {
        assert_eq!(name.parse::<CipherSuite>().unwrap().to_string(), name);
    }
}

/// Two authorities, a server that accepts clients of the first, and a client certificate of each.
struct Clients {
    root: Authority,
    good: Issued,
    bad: Issued,
}

impl Clients {
    fn new() -> Self {
        let (root, stranger) = (Authority::new("Test Root"), Authority::new("Stranger"));
        let mut params = named("client", &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (good, bad) = (root.issue(&params), stranger.issue(&params));
        Self { root, good, bad }
    }

    fn server(&self) -> ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.root.root()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        let issued = self.root.issue(&named("server", &["localhost", "a.test", "x.b.test"]));
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(issued.chain.clone(), issued.key())
            .unwrap()
    }
}

fn identity(issued: &Issued, domains: &[&str]) -> ClientIdentity {
    ClientIdentity::from_pem(&issued.pem, &issued.key.serialize_pem(), None, domains).unwrap()
}

#[test]
fn a_client_certificate_is_shown_where_it_is_for() {
    let clients = Clients::new();
    let Clients { good, bad, root } = &clients;
    let table = [
        (vec![identity(good, &[])], "localhost", true),
        (vec![], "localhost", false),
        (vec![identity(good, &["a.test"])], "localhost", false),
        (vec![identity(good, &["a.test"])], "a.test", true),
        (vec![identity(good, &["other.test", "*.B.test"])], "x.b.test", true),
        (vec![identity(good, &["*.test"])], "x.b.test", false),
        (vec![identity(good, &["*"])], "localhost", true),
        // The server says whom it knows, and gets the certificate that fits.
        (vec![identity(bad, &[]), identity(good, &[])], "localhost", true),
        (vec![identity(bad, &[]), identity(good, &["a.test"])], "localhost", false),
        (vec![identity(bad, &[])], "localhost", false),
    ];
    for (identities, host, accepted) in table {
        let shown = format!("{identities:?} at {host}");
        let (addr, server) = serve_each(clients.server(), 1, |server| {
            server.peer_certificates().map(|chain| chain[0].clone())
        });
        let options = TlsOptions { identities, ..trusting(root.root()) };
        let opened = opening(addr, host, &TlsConfig::new(&options).unwrap()).run();
        assert_eq!(opened.is_ok(), accepted, "{shown}");
        let told = server.join().unwrap().remove(0);
        assert_eq!(told.ok().flatten(), accepted.then(|| good.chain[0].clone()), "{shown}");
    }
}

#[test]
fn one_configuration_for_hosts_of_different_certificates() {
    let clients = Clients::new();
    let (addr, server) = serve_each(clients.server(), 4, |server| server.peer_certificates().is_some());
    let identities = vec![identity(&clients.good, &["a.test"])];
    let options = TlsOptions { identities, ..trusting(clients.root.root()) };
    let config = TlsConfig::new(&options).unwrap();
    let opened: Vec<_> = ["a.test", "localhost", "a.test", "localhost"]
        .iter()
        .map(|host| opening(addr, host, &config).run().is_ok())
        .collect();
    assert_eq!(opened, [true, false, true, false]);
    assert_eq!(server.join().unwrap().iter().filter(|told| told.is_ok()).count(), 2);
}

#[test]
fn keys_in_all_wrappings() {
    let certificate = include_str!("keys/certificate.pem");
    let read = |key: &str, password: Option<&str>| {
        ClientIdentity::from_pem(certificate, key, password, [""; 0])
            .map(|identity| identity.subject().to_owned())
    };
    let subject = "CN=client one,O=Tests";
    let plain = [include_str!("keys/ec-sec1.pem"), include_str!("keys/ec-pkcs8.pem")];
    for key in plain {
        assert_eq!(read(key, None).as_deref(), Ok(subject));
        assert_eq!(read(key, Some("not needed")).as_deref(), Ok(subject));
    }
    let encrypted = [
        include_str!("keys/pkcs8-aes256.pem"),
        include_str!("keys/pkcs8-des3-sha1.pem"),
        include_str!("keys/legacy-aes128.pem"),
        include_str!("keys/legacy-aes256.pem"),
        include_str!("keys/legacy-des3.pem"),
    ];
    for key in encrypted {
        assert_eq!(read(key, Some("secret")).as_deref(), Ok(subject), "{key}");
        assert_eq!(read(key, None), Err(KeyError::PasswordMissing.into()));
        let wrong = read(key, Some("wrong")).unwrap_err();
        // One wrong password in 256 looks right at the end of what it makes of a key.
        assert!(
            matches!(wrong, IdentityError::Key(KeyError::PasswordWrong | KeyError::Unusable { .. })),
            "{wrong:?}"
        );
    }
    for (key, text) in [
        (
            include_str!("keys/legacy-camellia.pem"),
            "the private key is encrypted with CAMELLIA-128-CBC, which is not supported",
        ),
        (
            include_str!("keys/pkcs8-pbe1.pem"),
            "the private key is encrypted with 1.2.840.113549.1.12.1.3, which is not supported",
        ),
        (
            include_str!("keys/other.pem"),
            "private key does not match public key of the certificate \"CN=client one,O=Tests\"",
        ),
        ("", "failed to find any PEM data in key input: there is no private key between BEGIN and END lines"),
    ] {
        assert_eq!(read(key, Some("secret")).unwrap_err().to_string(), text);
    }
    let unusable = read(include_str!("keys/p521.pem"), None).unwrap_err().to_string();
    assert!(unusable.ends_with("keys can be RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519"));
    let missing = ClientIdentity::from_pem("", plain[0], None, [""; 0]).unwrap_err();
    assert_eq!(missing, IdentityError::CertificateMissing);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    let broken = ClientIdentity::from_pem(broken, plain[0], None, [""; 0]).unwrap_err();
    assert!(matches!(broken, IdentityError::CertificateBroken { index: 0, .. }), "{broken:?}");
}

#[test]
fn sessions_are_resumed_only_on_request() {
    let root = Authority::new("Test Root");
    let issued = root.issue(&named("server", &["localhost"]));
    for version in [&TLS12, &TLS13] {
        for resumption in [false, true] {
            let mut config = speaking(&issued, &[version]);
            config.ticketer = Ticketer::new().unwrap();
            let (addr, server) = serve_each(config, 3, |server| server.handshake_kind().unwrap());
            let options = TlsOptions { resumption, ..trusting(root.root()) };
            let config = TlsConfig::new(&options).unwrap();
            for _ in 0..3 {
                let mut client = opening(addr, "localhost", &config).run().unwrap().0;
                // Tickets come after the handshake.
                assert_eq!(client.receive(1)[0], "text ok");
            }
            let later = if resumption { HandshakeKind::Resumed } else { HandshakeKind::Full };
            let told = server.join().unwrap();
            assert_eq!(told, [Ok(HandshakeKind::Full), Ok(later), Ok(later)], "{version:?}");
        }
    }
}

#[test]
fn the_key_log_is_added_to() {
    let path = std::env::temp_dir().join(format!("ws-proto-key-log-{}", std::process::id()));
    std::fs::write(&path, "# kept\n").unwrap();
    let root = Authority::new("Test Root");
    let (addr, server) = serve_each(root.server(), 1, |_| ());
    let key_log = Some(KeyLog::append_to(&path).unwrap());
    let options = TlsOptions { key_log, ..trusting(root.root()) };
    opening(addr, "localhost", &TlsConfig::new(&options).unwrap()).run().unwrap();
    server.join().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("# kept"));
    for line in lines.clone() {
        let words: Vec<_> = line.split(' ').collect();
        let [_, random, secret] = words[..] else { panic!("{line}") };
        assert!(random.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
    }
    assert!(lines.any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")), "{text}");
    assert!(KeyLog::append_to(&path.join("below")).is_err());
}

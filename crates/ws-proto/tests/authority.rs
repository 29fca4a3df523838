//! Certificates made for a test, and a TLS server that shows them.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use ws_proto::rustls::crypto::ring;
use ws_proto::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ws_proto::rustls::{ServerConfig, ServerConnection, StreamOwned};
use ws_proto::{TlsConfig, TlsOptions, WsUrl};

use crate::common::{Opening, PATIENCE, accept, read_head};

pub(crate) type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// Signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, those that link it to a root, and its key.
pub(crate) struct Issued {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
    pub(crate) pem: String,
}

/// The parameters of a certificate for these hosts.
pub(crate) fn named(common_name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let params = Self::params(name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn params(name: &str) -> CertificateParams {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// An authority below this one.
    pub(crate) fn sub(&self, params: CertificateParams) -> Self {
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.0.as_ref().der().clone()
    }

    pub(crate) fn issue(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { chain: vec![certificate.der().clone()], key, pem: certificate.pem() }
    }

    /// A configuration for a server on `localhost`.
    pub(crate) fn server(&self) -> ServerConfig {
        self.issue(&named("server", &["localhost"])).server()
    }
}

impl Issued {
    pub(crate) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key, pem: certificate.pem() }
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    /// A server that shows this, and asks for nothing.
    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key())
            .unwrap()
    }
}

/// Takes `count` connections one after the other, answers each upgrade, and tells what `ask` finds out about it; or
/// how its handshake failed.
pub(crate) fn serve_each<T: Send + 'static>(
    config: ServerConfig,
    count: usize,
    ask: impl Fn(&ServerConnection) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<Vec<Result<T, String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let config = Arc::new(config);
    let thread = std::thread::spawn(move || {
        let mut told = Vec::new();
        for _ in 0..count {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            while stream.conn.is_handshaking() {
                if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                    told.push(Err(error.to_string()));
                    break;
                }
            }
            if told.last().is_some_and(Result::is_err) && stream.conn.is_handshaking() {
                continue;
            }
            let head = read_head(&mut stream);
            stream.write_all(accept(&head).as_bytes()).unwrap();
            stream.write_all(b"\x81\x02ok").unwrap();
            told.push(Ok(ask(&stream.conn)));
        }
        told
    });
    (addr, thread)
}

/// A dial of `wss://host` at this address.
pub(crate) fn opening(addr: SocketAddr, host: &str, config: &TlsConfig) -> Opening {
    let mut opening = Opening::to(addr);
    opening.url = WsUrl::parse(&format!("wss://{host}:{}/", addr.port())).unwrap();
    opening.tls = Some(config.clone());
    opening
}

pub(crate) fn trusting(root: CertificateDer<'static>) -> TlsOptions {
    TlsOptions { extra_roots: vec![root], ..TlsOptions::default() }
}

//! TLS settings: one shared rustls configuration for any number of connections.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::Error;

/// What a [`TlsConfig`] is made from.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Accept any certificate, also an expired one or one for another name.
    pub skip_verify: bool,
    /// Roots to trust besides those of the system.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// TLS settings, cheap to clone: TLS 1.2 and 1.3 on ring, the system's roots, ALPN `http/1.1`.
///
/// Sessions are not resumed: each connection stands for another client, and pays for its own handshake.
#[derive(Debug, Clone)]
pub struct TlsConfig(Arc<ClientConfig>);

impl TlsConfig {
    /// Loads the system's roots (or those of the file in `SSL_CERT_FILE`) and builds a configuration.
    ///
    /// A system without usable roots is no error here: servers then fail to verify. With `skip_verify`, roots are
    /// not loaded at all.
    ///
    /// # Errors
    ///
    /// [`Error::TlsRoot`] if one of `extra_roots` is no certificate.
    pub fn new(options: &TlsOptions) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions");
        let mut config = if options.skip_verify {
            let verifier = Arc::new(AnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            for (index, root) in options.extra_roots.iter().enumerate() {
                roots.add(root.clone()).map_err(|source| Error::TlsRoot { index, source })?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn client(&self, host: &str) -> Result<Box<rustls::ClientConnection>, Error> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| Error::TlsName { host: host.to_owned() })?;
        rustls::ClientConnection::new(self.0.clone(), name)
            .map(Box::new)
            .map_err(|source| Error::Tls { host: host.to_owned(), source })
    }
}

/// Accepts any certificate, but not a peer that has not the key to it.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

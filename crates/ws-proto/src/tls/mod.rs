//! TLS settings: one shared rustls configuration for any number of connections.

mod certificate;
mod identity;
mod key;
mod key_log;
mod pem;
mod roots;
mod stream;
mod suites;
mod verify;
mod version;

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{CryptoProvider, ring};
use rustls_pki_types::{CertificateDer, ServerName};

pub use self::certificate::{CertificateFacts, CertificateFault};
use self::identity::Identities;
pub use self::identity::{ClientIdentity, IdentityError};
pub use self::key::KeyError;
pub use self::key_log::KeyLog;
pub(crate) use self::stream::TlsStream;
pub use self::suites::CipherSuite;
use self::verify::{Anybody, Rooted};
pub use self::version::{TlsVersion, TlsVersions};
use crate::Error;

/// What a [`TlsConfig`] is made from.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Accept any certificate, also an expired one or one for another name.
    pub skip_verify: bool,
    /// Roots to trust besides those of the system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The versions of TLS to offer.
    pub versions: TlsVersions,
    /// The cipher suites to offer; empty: all that are supported. If no suite of TLS 1.3 is among them, all of that
    /// version are offered, too, unless [`versions`](Self::versions) excludes it.
    pub cipher_suites: Vec<CipherSuite>,
    /// Certificates for servers that ask for one. A server is shown the first that is for its host, that comes from
    /// an authority it accepts (if it names any), and whose key it can verify; or none.
    pub identities: Vec<ClientIdentity>,
    /// Resume sessions: later connections to a host save the server, and themselves, most of the handshake's work.
    ///
    /// Off unless asked for: each connection stands for another client, and pays for its own handshake.
    pub resumption: bool,
    /// Where to write the secrets of all connections.
    pub key_log: Option<KeyLog>,
}

/// What is wrong with [`TlsOptions`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// No version of TLS has this name.
    #[error("unknown TLS version '{name}'; there are tls1.0, tls1.1, tls1.2, tls1.3")]
    UnknownVersion {
        /// The name.
        name: String,
    },
    /// The highest version is below the lowest.
    #[error("no TLS version is at least {min} and at most {max}")]
    EmptyRange {
        /// The lowest.
        min: TlsVersion,
        /// The highest.
        max: TlsVersion,
    },
    /// All versions of the range are too old to be supported.
    #[error("TLS versions from {min} to {max} are not supported; supported are tls1.2 and tls1.3")]
    UnsupportedVersions {
        /// The lowest.
        min: TlsVersion,
        /// The highest.
        max: TlsVersion,
    },
    /// There is no such cipher suite.
    #[error("unknown cipher suite '{name}'; supported are {}", join(CipherSuite::names()))]
    UnknownSuite {
        /// The name.
        name: String,
    },
    /// There is such a cipher suite, but it is not supported: it is a weak one, or a rare one.
    #[error("cipher suite '{name}' is not supported; supported are {}", join(CipherSuite::names()))]
    UnsupportedSuite {
        /// The name.
        name: String,
    },
    /// Suites of TLS 1.3 and versions without it, or the other way round.
    #[error("none of the chosen cipher suites can be used with the chosen TLS versions")]
    NoSuiteForVersions,
}

fn join(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl TlsOptions {
    /// Finds options that contradict each other, without reading any root.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), TlsOptionsError> {
        suites::offered(&self.cipher_suites, &self.versions.supported()?).map(|_| ())
    }
}

/// TLS settings, cheap to clone: rustls on ring, ALPN `http/1.1`, and what [`TlsOptions`] say.
///
/// All connections of a setting share it, so that it pays to make it once.
#[derive(Debug, Clone)]
pub struct TlsConfig(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// For hosts that may see every client certificate there is.
    common: Arc<ClientConfig>,
    identities: Vec<ClientIdentity>,
    /// For other hosts, by the identities (their places) that they may see. As many as there are different ones.
    limited: Mutex<Vec<(Vec<usize>, Arc<ClientConfig>)>>,
    warnings: Vec<String>,
}

impl TlsConfig {
    /// Loads the roots and builds a configuration. Reading the system's roots takes milliseconds; with `skip_verify`
    /// they are not read at all.
    ///
    /// Trusted are the system's roots, those of the file that `SSL_CERT_FILE` names, and `extra_roots`. `SSL_CERT_DIR`
    /// names directories that stand in for the system's. A system without usable roots is no error here: servers
    /// then fail to verify. Files that cannot be read are [`warnings`](Self::warnings).
    ///
    /// # Errors
    ///
    /// [`Error::TlsRoot`] if one of `extra_roots` is no certificate, [`Error::TlsOptions`] if options contradict each
    /// other.
    pub fn new(options: &TlsOptions) -> Result<Self, Error> {
        let versions = options.versions.supported()?;
        let cipher_suites = suites::offered(&options.cipher_suites, &versions)?;
        let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
        let mut warnings = Vec::new();
        let verifier: Arc<dyn ServerCertVerifier> = if options.skip_verify {
            Arc::new(Anybody(Arc::clone(&provider)))
        } else {
            let (mut roots, problems) = roots::load();
            warnings = problems;
            for (index, root) in options.extra_roots.iter().enumerate() {
                roots.add(root.clone()).map_err(|source| Error::TlsRoot { index, source })?;
            }
            Arc::new(Rooted::new(roots, Arc::clone(&provider)))
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .expect("there is a suite for one of the versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if !options.resumption {
            config.resumption = Resumption::disabled();
        }
        if let Some(log) = &options.key_log {
            config.key_log = Arc::new(log.clone());
        }
        let identities = options.identities.clone();
        let common = Arc::new(with_identities(config, identities.clone()));
        Ok(Self(Arc::new(Inner { common, identities, limited: Mutex::default(), warnings })))
    }

    /// What was wrong with files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name: their certificates are not trusted.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The configuration for connections to `host`, for a library that does TLS over other streams.
    pub fn client_config(&self, host: &str) -> Arc<ClientConfig> {
        self.config_for(host)
    }

    pub(crate) fn client(&self, host: &str) -> Result<Box<TlsStream>, Error> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| Error::TlsName { host: host.to_owned() })?;
        UnbufferedClientConnection::new(self.config_for(host), name)
            .and_then(TlsStream::new)
            .map(Box::new)
            .map_err(|source| Error::Tls { host: host.to_owned(), source })
    }

    /// rustls does not say which host it needs a client certificate for, so hosts that may see different ones have
    /// different configurations.
    fn config_for(&self, host: &str) -> Arc<ClientConfig> {
        let Inner { common, identities, limited, .. } = &*self.0;
        if !identities.iter().any(ClientIdentity::is_limited) {
            return Arc::clone(common);
        }
        let places: Vec<usize> = (0..identities.len()).filter(|&at| identities[at].is_for(host)).collect();
        let mut limited = limited.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = limited.iter().find(|(known, _)| *known == places) {
            return Arc::clone(config);
        }
        let visible = places.iter().map(|&at| identities[at].clone()).collect();
        let config = Arc::new(with_identities(ClientConfig::clone(common), visible));
        limited.push((places, Arc::clone(&config)));
        config
    }
}

fn with_identities(mut config: ClientConfig, identities: Vec<ClientIdentity>) -> ClientConfig {
    config.client_auth_cert_resolver = Arc::new(Identities(identities));
    config
}

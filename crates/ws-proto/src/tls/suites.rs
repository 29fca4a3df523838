//! Cipher suites by name.

use std::fmt;
use std::str::FromStr;

use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::TlsOptionsError;

/// What a name stands for and its IANA name, by preference.
const SUITES: [(&str, SupportedCipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", cipher_suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", cipher_suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// k6 knows two suites by a name without the hash function.
const SHORT: &str = "_WITH_CHACHA20_POLY1305";

/// A cipher suite that can be offered, named as by IANA, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
///
/// The two of TLS 1.2 with ChaCha20 also go by k6's shorter names, without `_SHA256`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CipherSuite(SupportedCipherSuite);

impl CipherSuite {
    /// The names of all that are supported.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SUITES.iter().map(|(name, _)| *name)
    }
}

impl FromStr for CipherSuite {
    type Err = TlsOptionsError;

    fn from_str(name: &str) -> Result<Self, TlsOptionsError> {
        let matches = |known: &str| {
            known == name || known.strip_suffix("_SHA256").is_some_and(|k| k == name && k.ends_with(SHORT))
        };
        if let Some((_, suite)) = SUITES.iter().find(|(known, _)| matches(known)) {
            return Ok(Self(*suite));
        }
        // All there are, as far as rustls knows their names.
        let exists = (0..=u16::MAX).any(|id| rustls::CipherSuite::from(id).as_str() == Some(name));
        let name = name.to_owned();
        Err(if exists {
            TlsOptionsError::UnsupportedSuite { name }
        } else {
            TlsOptionsError::UnknownSuite { name }
        })
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = SUITES.iter().find(|(_, suite)| suite == &self.0).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

/// What to offer if only `chosen` are wanted, and these `versions`.
///
/// A version of TLS that `chosen` says nothing about keeps all its suites, as in k6, where the choice is one among the
/// suites of TLS 1.2. But a choice of suites of TLS 1.3 alone leaves none for TLS 1.2.
pub(super) fn offered(
    chosen: &[CipherSuite],
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Vec<SupportedCipherSuite>, TlsOptionsError> {
    if chosen.is_empty() {
        return Ok(ALL_CIPHER_SUITES.to_vec());
    }
    let mut offered: Vec<_> = chosen.iter().map(|suite| suite.0).collect();
    if offered.iter().all(|suite| suite.tls13().is_none()) {
        offered.extend(ALL_CIPHER_SUITES.iter().filter(|suite| suite.tls13().is_some()));
    }
    if !offered.iter().any(|suite| versions.contains(&suite.version())) {
        return Err(TlsOptionsError::NoSuiteForVersions);
    }
    Ok(offered)
}

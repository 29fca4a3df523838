//! Client certificates: what they are made from, and which one a server gets to see.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::key::{self, KeyError};
use super::pem;

/// A client certificate with its chain and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    certified: Arc<CertifiedKey>,
    /// The issuers of the chain as DER, its leaf's first.
    issuers: Vec<Vec<u8>>,
    /// In lower case.
    domains: Vec<String>,
    subject: String,
}

/// Why a client certificate cannot be used. The texts begin as k6's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no certificate in the text.
    #[error("failed to find any PEM data in certificate input: there is no -----BEGIN CERTIFICATE----- line")]
    CertificateMissing,
    /// The text of the certificate cannot be read.
    #[error("certificate {index} of the chain cannot be read: {reason}")]
    CertificateBroken {
        /// Its place in the text, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is not that of the first certificate.
    #[error("private key does not match public key of the certificate {subject:?}")]
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
}

impl ClientIdentity {
    /// Reads a certificate, perhaps followed by those that link it to a root, and its private key, both as PEM text.
    ///
    /// `password` is for an encrypted key; one that needs none ignores it. `domains` are the hosts that may see the
    /// certificate: names, or `*.name` for all names with one label more, or `*`. If there are none, all hosts may.
    ///
    /// # Errors
    ///
    /// What is wrong with the texts.
    pub fn from_pem(
        certificates: &str,
        key: &str,
        password: Option<&str>,
        domains: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IdentityError> {
        let sections =
            pem::sections(certificates).into_iter().filter(|section| section.label == "CERTIFICATE");
        let mut chain = Vec::new();
        let mut read = Vec::new();
        for (index, section) in sections.enumerate() {
            let broken = |error: x509_cert::der::Error| IdentityError::CertificateBroken {
                index,
                reason: error.to_string(),
            };
            read.push(Certificate::from_der(&section.data).map_err(broken)?);
            chain.push(CertificateDer::from(section.data));
        }
        let leaf = read.first().ok_or(IdentityError::CertificateMissing)?.tbs_certificate();
        let subject = leaf.subject().to_string();
        let key = key::read(key, password)?;
        let key = any_supported_type(&key).map_err(|error| KeyError::Unusable { reason: reason(&error) })?;
        let expected = leaf.subject_public_key_info().to_der().ok();
        let actual = key.public_key().map(|key| key.to_vec());
        if expected.is_some() && actual.is_some() && expected != actual {
            return Err(IdentityError::KeyMismatch { subject });
        }
        let issuers = read.iter().filter_map(|it| it.tbs_certificate().issuer().to_der().ok()).collect();
        let domains = domains.into_iter().map(|domain| domain.as_ref().to_ascii_lowercase()).collect();
        Ok(Self { certified: Arc::new(CertifiedKey::new(chain, key)), issuers, domains, subject })
    }

    /// Who the certificate says its holder is, such as `CN=someone`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether it is for some hosts only.
    pub(super) fn is_limited(&self) -> bool {
        !self.domains.is_empty()
    }

    /// Whether `host` may see it. Hosts of addresses are in lower case.
    pub(super) fn is_for(&self, host: &str) -> bool {
        let matches = |domain: &str| match domain.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
            None => domain == "*" || domain == host,
        };
        !self.is_limited() || self.domains.iter().any(|domain| matches(domain))
    }
}

/// Without the `unexpected error: ` of rustls.
fn reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::General(reason) => reason.clone(),
        other => other.to_string(),
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, domains, .. } = self;
        f.debug_struct("ClientIdentity")
            .field("subject", subject)
            .field("domains", domains)
            .finish_non_exhaustive()
    }
}

/// Shows a server the first certificate that it can be expected to accept.
#[derive(Debug)]
pub(super) struct Identities(pub(super) Vec<ClientIdentity>);

impl ResolvesClientCert for Identities {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = |identity: &&ClientIdentity| {
            let accepted = issuers.is_empty() || identity.issuers.iter().any(|it| issuers.contains(&&**it));
            accepted && identity.certified.key.choose_scheme(schemes).is_some()
        };
        self.0.iter().find(fits).map(|identity| Arc::clone(&identity.certified))
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}

//! Private keys from PEM text, also encrypted ones.

#[cfg(feature = "encrypted-keys")]
mod encrypted;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::pem::{self, Section};

/// Why a private key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No section that holds a private key.
    #[error("failed to find any PEM data in key input: there is no private key between BEGIN and END lines")]
    Missing,
    /// It is encrypted, and there is no password.
    #[error("the private key is encrypted: it needs a password")]
    PasswordMissing,
    /// The password does not decrypt it.
    #[error("decryption password incorrect")]
    PasswordWrong,
    /// It is encrypted in a way that is not supported.
    #[error("the private key is encrypted with {algorithm}, which is not supported")]
    Encryption {
        /// A name or an object identifier.
        algorithm: String,
    },
    /// It is broken, or of a kind that is not supported.
    #[error("{reason}; keys can be RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519")]
    Unusable {
        /// In rustls' words.
        reason: String,
    },
}

/// The first private key of a text.
pub(super) fn read(text: &str, password: Option<&str>) -> Result<PrivateKeyDer<'static>, KeyError> {
    let sections = pem::sections(text);
    let section = sections
        .into_iter()
        .find(|section| section.label.ends_with("PRIVATE KEY"))
        .ok_or(KeyError::Missing)?;
    if section.label == "ENCRYPTED PRIVATE KEY" {
        return encrypted::pkcs8(&section.data, password);
    }
    let data = match section.header("DEK-Info") {
        Some(info) => encrypted::decrypt(&section, info, password.ok_or(KeyError::PasswordMissing)?)?,
        None => section.data,
    };
    Ok(match section.label.as_str() {
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(data).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(data).into(),
        _ => PrivatePkcs8KeyDer::from(data).into(),
    })
}

/// Without the feature `encrypted-keys` none can be decrypted.
#[cfg(not(feature = "encrypted-keys"))]
mod encrypted {
    use super::{KeyError, PrivateKeyDer, Section};

    pub(super) fn pkcs8(_: &[u8], _: Option<&str>) -> Result<PrivateKeyDer<'static>, KeyError> {
        Err(KeyError::Encryption { algorithm: "PKCS #8".to_owned() })
    }

    pub(super) fn decrypt(_: &Section, info: &str, _: &str) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Encryption { algorithm: info.split(',').next().unwrap_or_default().to_owned() })
    }
}

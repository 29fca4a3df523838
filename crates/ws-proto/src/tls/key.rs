//! Private keys from PEM text, also encrypted ones.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::HEXUPPER_PERMISSIVE;
use md5::{Digest, Md5};
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode, SliceReader};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef};
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
        return pkcs8(&section.data, password);
    }
    let data = match section.header("DEK-Info") {
        Some(info) => decrypt(&section, info, password.ok_or(KeyError::PasswordMissing)?)?,
        None => section.data,
    };
    Ok(match section.label.as_str() {
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(data).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(data).into(),
        _ => PrivatePkcs8KeyDer::from(data).into(),
    })
}

/// PKCS #8 with PBES2 (RFC 8018), which is what OpenSSL writes today.
fn pkcs8(data: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, KeyError> {
    let password = password.ok_or(KeyError::PasswordMissing)?;
    let key = EncryptedPrivateKeyInfoRef::try_from(data).map_err(|error| match algorithm(data) {
        Some(algorithm) => KeyError::Encryption { algorithm },
        None => KeyError::Unusable { reason: error.to_string() },
    })?;
    let plain = key.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid }) => {
            KeyError::Encryption { algorithm: oid.to_string() }
        }
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::NoPbes1CryptSupport) => {
            KeyError::Encryption { algorithm: algorithm(data).unwrap_or_default() }
        }
        // What a wrong password makes of it fails in its padding, or else as a key.
        _ => KeyError::PasswordWrong,
    })?;
    Ok(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec()).into())
}

/// The object identifier of the encryption of a PKCS #8 key.
fn algorithm(data: &[u8]) -> Option<String> {
    let whole = AnyRef::from_der(data).ok()?;
    let mut reader = SliceReader::new(whole.value()).ok()?;
    Some(AlgorithmIdentifierRef::decode(&mut reader).ok()?.oid.to_string())
}

/// The encryption of OpenSSL before PKCS #8: a header names cipher and salt, MD5 makes the key. It protects nothing,
/// but it is what there is in many a script, because k6 knows no other.
fn decrypt(section: &Section, info: &str, password: &str) -> Result<Vec<u8>, KeyError> {
    let (cipher, salt) = info.split_once(',').unwrap_or((info, ""));
    let iv = HEXUPPER_PERMISSIVE.decode(salt.as_bytes()).unwrap_or_default();
    let decrypt = match cipher {
        "AES-128-CBC" => cbc::<cbc::Decryptor<aes::Aes128>>,
        "AES-192-CBC" => cbc::<cbc::Decryptor<aes::Aes192>>,
        "AES-256-CBC" => cbc::<cbc::Decryptor<aes::Aes256>>,
        "DES-EDE3-CBC" => cbc::<cbc::Decryptor<des::TdesEde3>>,
        "DES-CBC" => cbc::<cbc::Decryptor<des::Des>>,
        _ => return Err(KeyError::Encryption { algorithm: cipher.to_owned() }),
    };
    decrypt(password.as_bytes(), &iv, &section.data).ok_or(KeyError::PasswordWrong)
}

fn cbc<D: BlockModeDecrypt + KeyIvInit>(password: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let salt = iv.get(..8)?;
    let (mut key, mut hash) = (Vec::new(), Vec::new());
    while key.len() < D::key_size() {
        hash = Md5::new().chain_update(&hash).chain_update(password).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&hash);
    }
    let cipher = D::new_from_slices(&key[..D::key_size()], iv).ok()?;
    cipher.decrypt_padded_vec::<Pkcs7>(data).ok()
}

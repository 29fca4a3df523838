//! Keys under a password: PKCS #8, and what OpenSSL wrote before.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::HEXUPPER_PERMISSIVE;
use md5::{Digest, Md5};
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode, SliceReader};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{KeyError, Section};

/// PKCS #8 with PBES2 (RFC 8018), which is what OpenSSL writes today.
pub(super) fn pkcs8(data: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, KeyError> {
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
pub(super) fn decrypt(section: &Section, info: &str, password: &str) -> Result<Vec<u8>, KeyError> {
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

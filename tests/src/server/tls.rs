//! `wss://` with a certificate made on the spot.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A self-signed certificate and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    config: Arc<ServerConfig>,
    pem: String,
}

impl Identity {
    /// Makes a certificate for these host names.
    ///
    /// # Errors
    ///
    /// A name that cannot stand in a certificate.
    pub fn self_signed(names: &[&str]) -> anyhow::Result<Identity> {
        let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        Ok(Identity { config: Arc::new(config), pem: made.cert.pem() })
    }

    /// The certificate as PEM text, to be trusted through `SSL_CERT_FILE`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn accept(&self, tcp: TcpStream) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, tcp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_certificate() {
        let identity = Identity::self_signed(&["localhost"]).unwrap();
        assert!(identity.pem().starts_with("-----BEGIN CERTIFICATE-----"), "{}", identity.pem());
    }
}

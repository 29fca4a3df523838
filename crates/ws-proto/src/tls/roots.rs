//! The roots that are trusted: the system's, and those that the environment names.

use std::path::Path;

use rustls::RootCertStore;
use rustls_native_certs::CertificateResult;

/// Reads the roots. Also gives what was wrong with files that the environment names.
///
/// As in k6, `SSL_CERT_FILE` adds to the directory of the system's certificates, while `SSL_CERT_DIR` stands in for
/// it. Where certificates are not kept in files (macOS, Windows), either variable stands in for the system's roots.
pub(super) fn load() -> (RootCertStore, Vec<String>) {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let named = is_set("SSL_CERT_FILE") || is_set("SSL_CERT_DIR");
    let mut store = RootCertStore::empty();
    let CertificateResult { certs, errors, .. } = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(certs);
    // Also an empty variable has kept the system's from being read.
    if std::env::var_os("SSL_CERT_FILE").is_some() && !is_set("SSL_CERT_DIR") {
        store.add_parsable_certificates(system());
    }
    // One certificate the system's own store has trouble with is no concern of the user's.
    let problems = if named { errors.iter().map(ToString::to_string).collect() } else { Vec::new() };
    (store, problems)
}

/// What [`rustls_native_certs::load_native_certs`] leaves out when a variable is set.
fn system() -> Vec<rustls_pki_types::CertificateDer<'static>> {
    // Where Linux distributions and BSDs keep them in one file, which is faster to read than the directory of the same.
    const BUNDLES: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    const DIRECTORIES: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];
    if cfg!(any(windows, target_os = "macos")) {
        return Vec::new();
    }
    let exists = |path: &&&str| Path::new(path).exists();
    let file = BUNDLES.iter().find(exists).map(Path::new);
    let directory = DIRECTORIES.iter().find(exists).map(Path::new).filter(|_| file.is_none());
    rustls_native_certs::load_certs_from_paths(file, directory).certs
}

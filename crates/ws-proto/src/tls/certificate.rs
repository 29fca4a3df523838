//! What is wrong with which certificate.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::CertificateError;
use rustls::OtherError;
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::Certificate;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whose it is, such as `CN=localhost,O=Some Company` (RFC 4514).
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when on it is valid, since the epoch.
    pub not_before: Duration,
    /// Until when it is valid, since the epoch.
    pub not_after: Duration,
    /// Host names it is valid for, some with a wildcard.
    pub dns_names: Vec<String>,
    /// Addresses it is valid for.
    pub addresses: Vec<IpAddr>,
}

impl CertificateFacts {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let (mut dns_names, mut addresses) = (Vec::new(), Vec::new());
        let names = body.get_extension::<SubjectAltName>().ok().flatten();
        for name in names.iter().flat_map(|(_, names)| &names.0) {
            match name {
                GeneralName::DnsName(name) => dns_names.push(name.as_str().to_owned()),
                GeneralName::IpAddress(bytes) => addresses.extend(address(bytes.as_bytes())),
                _ => {}
            }
        }
        Some(Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            not_before: body.validity().not_before.to_unix_duration(),
            not_after: body.validity().not_after.to_unix_duration(),
            dns_names,
            addresses,
        })
    }

    /// Whether it is signed with its own key, as far as its names tell.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// A certificate that does not verify.
///
/// The text is k6's as far as that goes, and then names the certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificateFault {
    /// What is wrong.
    pub reason: CertificateError,
    /// With which certificate; not known if it cannot be read.
    pub certificate: Option<Box<CertificateFacts>>,
    /// The host that was to be verified.
    pub host: String,
    /// When, since the epoch.
    pub time: Duration,
}

impl CertificateFault {
    /// What is wrong with a server's own certificate: its time, or its names.
    pub(super) fn of_leaf(leaf: &CertificateDer<'_>, host: &ServerName<'_>, now: UnixTime) -> Option<Self> {
        let facts = CertificateFacts::read(leaf)?;
        let reason = if now.as_secs() > facts.not_after.as_secs() {
            CertificateError::Expired
        } else if now.as_secs() < facts.not_before.as_secs() {
            CertificateError::NotValidYet
        } else if ParsedCertificate::try_from(leaf).is_ok_and(|leaf| verify_server_name(&leaf, host).is_err())
        {
            CertificateError::NotValidForName
        } else {
            return None;
        };
        Some(Self::new(reason, Some(facts), host, now))
    }

    /// Finds the certificate of a chain that `reason` is about: another one than the first that is too old, or the
    /// topmost, whose issuer nobody knows.
    pub(super) fn of_chain(
        reason: CertificateError,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Self {
        let leaf = CertificateFacts::read(leaf);
        // rustls looks first at whether it says that it is an authority; that would not matter if it were trusted.
        let self_signed = leaf.as_ref().is_some_and(CertificateFacts::is_self_signed);
        let reason = if self_signed { CertificateError::UnknownIssuer } else { reason };
        let mut others = chain.iter().filter_map(CertificateFacts::read);
        let found = match (&reason, &leaf) {
            (CertificateError::Expired | CertificateError::ExpiredContext { .. }, _) => {
                others.find(|facts| facts.not_after.as_secs() < now.as_secs())
            }
            (CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }, _) => {
                others.find(|facts| facts.not_before.as_secs() > now.as_secs())
            }
            (CertificateError::UnknownIssuer, Some(leaf)) if !self_signed => top(leaf, others.collect()),
            _ => None,
        };
        Self::new(reason, found.or(leaf), host, now)
    }

    fn new(
        reason: CertificateError,
        certificate: Option<CertificateFacts>,
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Self {
        let (host, time) = (host.to_str().into_owned(), Duration::from_secs(now.as_secs()));
        Self { reason, certificate: certificate.map(Box::new), host, time }
    }

    /// The fault that a verifier of this crate has put into an error of rustls.
    pub fn in_error(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(fault))) => {
                fault.downcast_ref().cloned()
            }
            _ => None,
        }
    }
}

/// Follows the chain from `leaf` to where it ends; `None` if that is the leaf.
fn top(leaf: &CertificateFacts, mut others: Vec<CertificateFacts>) -> Option<CertificateFacts> {
    let mut issuer = leaf.issuer.clone();
    let mut top = None;
    while let Some(index) = others.iter().position(|facts| facts.subject == issuer) {
        let next = others.swap_remove(index);
        issuer.clone_from(&next.issuer);
        top = Some(next);
    }
    top
}

impl From<CertificateFault> for rustls::Error {
    fn from(fault: CertificateFault) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
    }
}

impl std::error::Error for CertificateFault {}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CertificateError as Reason;
        let Self { reason, certificate, host, time } = self;
        let Some(facts) = certificate else { return write!(f, "{reason} (certificate for {host})") };
        let CertificateFacts { subject, issuer, .. } = &**facts;
        match reason {
            Reason::Expired | Reason::ExpiredContext { .. } => write!(
                f,
                "certificate has expired or is not yet valid: current time {} is after {}",
                Time(*time),
                Time(facts.not_after)
            )?,
            Reason::NotValidYet | Reason::NotValidYetContext { .. } => write!(
                f,
                "certificate has expired or is not yet valid: current time {} is before {}",
                Time(*time),
                Time(facts.not_before)
            )?,
            Reason::NotValidForName | Reason::NotValidForNameContext { .. } => names(f, facts, host)?,
            Reason::UnknownIssuer if facts.is_self_signed() => {
                f.write_str("certificate signed by unknown authority: it is self-signed")?;
            }
            Reason::UnknownIssuer => {
                write!(f, "certificate signed by unknown authority: no root for {issuer:?} is trusted")?;
            }
            other => write!(f, "{other}")?,
        }
        write!(f, " (certificate {subject:?}")?;
        if !facts.is_self_signed() {
            write!(f, ", issued by {issuer:?}")?;
        }
        f.write_str(")")
    }
}

/// Why a certificate is not one for `host`.
fn names(f: &mut fmt::Formatter<'_>, facts: &CertificateFacts, host: &str) -> fmt::Result {
    let CertificateFacts { subject, dns_names, addresses, .. } = facts;
    let is_address = host.parse::<IpAddr>().is_ok();
    let names: Vec<_> = match is_address {
        true => addresses.iter().map(ToString::to_string).collect(),
        false => dns_names.clone(),
    };
    if !names.is_empty() {
        write!(f, "certificate is valid for {}, not {host}", names.join(", "))
    } else if is_address {
        write!(f, "cannot validate certificate for {host} because it doesn't contain any IP SANs")
    } else if addresses.is_empty() && subject.contains("CN=") {
        f.write_str("certificate relies on legacy Common Name field, use SANs instead")
    } else {
        write!(f, "certificate is not valid for any names, but wanted to match {host}")
    }
}

/// Seconds since the epoch as `2026-11-26T03:18:39Z`.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0.as_secs())) {
            Ok(time) => time.fmt(f),
            // Beyond the year 9999.
            Err(_) => write!(f, "{} s after 1970", self.0.as_secs()),
        }
    }
}

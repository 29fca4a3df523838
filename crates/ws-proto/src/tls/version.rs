//! Which versions of TLS may be spoken.

use std::fmt;
use std::str::FromStr;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::TlsOptionsError;

/// A version of TLS, written as in k6: `tls1.0` to `tls1.3`.
///
/// Only the last two can be spoken. The others can bound a [`TlsVersions`] from below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Tls10, "tls1.0"), (Self::Tls11, "tls1.1"), (Self::Tls12, "tls1.2"), (Self::Tls13, "tls1.3")];
}

impl FromStr for TlsVersion {
    type Err = TlsOptionsError;

    fn from_str(name: &str) -> Result<Self, TlsOptionsError> {
        match Self::ALL.iter().find(|(_, known)| *known == name) {
            Some((version, _)) => Ok(*version),
            None => Err(TlsOptionsError::UnknownVersion { name: name.to_owned() }),
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL[*self as usize].1)
    }
}

/// A range of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsVersions {
    /// The lowest that will do.
    pub min: TlsVersion,
    /// The highest that will do.
    pub max: TlsVersion,
}

impl Default for TlsVersions {
    /// TLS 1.2 and 1.3.
    fn default() -> Self {
        Self { min: TlsVersion::Tls12, max: TlsVersion::Tls13 }
    }
}

impl TlsVersions {
    /// This version and no other.
    pub fn only(version: TlsVersion) -> Self {
        Self { min: version, max: version }
    }

    /// Those in the range that can be spoken.
    pub(super) fn supported(self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsOptionsError> {
        let Self { min, max } = self;
        if min > max {
            return Err(TlsOptionsError::EmptyRange { min, max });
        }
        let all = [(TlsVersion::Tls13, &TLS13), (TlsVersion::Tls12, &TLS12)];
        let supported: Vec<_> =
            all.into_iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, it)| it).collect();
        if supported.is_empty() {
            return Err(TlsOptionsError::UnsupportedVersions { min, max });
        }
        Ok(supported)
    }
}

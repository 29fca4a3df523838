//! The tags the tool itself sets, each of which can be switched off.

/// A tag that is set by the tool, not by the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SystemTag {
    /// Protocol of an HTTP response.
    Proto,
    /// WebSocket subprotocol of the response.
    Subproto,
    /// HTTP status of a response or handshake.
    Status,
    /// HTTP method.
    Method,
    /// Address of the request.
    Url,
    /// Name under which requests are put together.
    Name,
    /// Path of the group.
    Group,
    /// Name of the check.
    Check,
    /// Text of a network error.
    Error,
    /// Number of a network error.
    ErrorCode,
    /// TLS version of the connection.
    TlsVersion,
    /// Name of the scenario.
    Scenario,
    /// gRPC service.
    Service,
    /// Whether an HTTP response was expected.
    ExpectedResponse,
    /// Number of the iteration (metadata).
    Iter,
    /// Number of the virtual user (metadata).
    Vu,
    /// OCSP status of the connection.
    OcspStatus,
    /// Address of the peer.
    Ip,
}

impl SystemTag {
    /// All tags; the last four are off by default.
    pub const ALL: [Self; 18] = [
        Self::Proto,
        Self::Subproto,
        Self::Status,
        Self::Method,
        Self::Url,
        Self::Name,
        Self::Group,
        Self::Check,
        Self::Error,
        Self::ErrorCode,
        Self::TlsVersion,
        Self::Scenario,
        Self::Service,
        Self::ExpectedResponse,
        Self::Iter,
        Self::Vu,
        Self::OcspStatus,
        Self::Ip,
    ];

    /// The tag's key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proto => "proto",
            Self::Subproto => "subproto",
            Self::Status => "status",
            Self::Method => "method",
            Self::Url => "url",
            Self::Name => "name",
            Self::Group => "group",
            Self::Check => "check",
            Self::Error => "error",
            Self::ErrorCode => "error_code",
            Self::TlsVersion => "tls_version",
            Self::Scenario => "scenario",
            Self::Service => "service",
            Self::ExpectedResponse => "expected_response",
            Self::Iter => "iter",
            Self::Vu => "vu",
            Self::OcspStatus => "ocsp_status",
            Self::Ip => "ip",
        }
    }
}

/// The set of system tags in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemTags(u32);

impl SystemTags {
    /// No system tags at all.
    pub const NONE: Self = Self(0);

    /// k6's default: all but `iter`, `vu`, `ocsp_status` and `ip`.
    pub fn default_set() -> Self {
        SystemTag::ALL[..14].iter().fold(Self::NONE, |set, &tag| set.with(tag))
    }

    /// The tags of these names and no others; unknown names are ignored.
    pub fn parse_list<S: AsRef<str>>(names: &[S]) -> Self {
        SystemTag::ALL
            .into_iter()
            .filter(|tag| names.iter().any(|name| name.as_ref().trim() == tag.as_str()))
            .fold(Self::NONE, Self::with)
    }

    /// This set and one more tag.
    #[must_use]
    pub const fn with(self, tag: SystemTag) -> Self {
        Self(self.0 | 1 << tag as u32)
    }

    /// Whether a tag is in use.
    pub const fn has(self, tag: SystemTag) -> bool {
        self.0 & 1 << tag as u32 != 0
    }

    /// The tags in use, in the order of [`SystemTag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = SystemTag> {
        SystemTag::ALL.into_iter().filter(move |&tag| self.has(tag))
    }
}

impl Default for SystemTags {
    fn default() -> Self {
        Self::default_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_set_is_k6s() {
        let names: Vec<_> = SystemTags::default().iter().map(SystemTag::as_str).collect();
        assert_eq!(
            names.join(" "),
            "proto subproto status method url name group check error error_code tls_version scenario service \
             expected_response"
        );
    }

    #[test]
    fn a_list_replaces_the_set() {
        let tags = SystemTags::parse_list(&["vu", "url", "nonsense"]);
        assert_eq!(tags.iter().collect::<Vec<_>>(), [SystemTag::Url, SystemTag::Vu]);
        assert!(!tags.has(SystemTag::Group));
        assert_eq!(SystemTags::parse_list::<&str>(&[]), SystemTags::NONE);
    }

    #[test]
    fn each_tag_has_its_own_place() {
        for (index, tag) in SystemTag::ALL.into_iter().enumerate() {
            assert_eq!(tag as usize, index);
        }
    }
}

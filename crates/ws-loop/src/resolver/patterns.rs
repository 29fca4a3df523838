//! Names that must not be dialled.

/// Patterns of host names, as in the `blockHostnames` option of k6.
///
/// A pattern is a name in any case; a leading `*` stands for any beginning, so `*.example.com` matches
/// `a.example.com` and `*` every name. Addresses are no names: ranges of them are [`Cidr`](crate::Cidr)s.
///
/// # Examples
///
/// ```
/// use ws_loop::HostPatterns;
/// let patterns = HostPatterns::parse(["*.example.com", "Example.org"])?;
/// assert_eq!(patterns.find("a.example.com"), Some("*.example.com"));
/// assert_eq!(patterns.find("example.org"), Some("example.org"));
/// assert_eq!(patterns.find("example.com"), None);
/// # Ok::<(), ws_loop::PatternError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPatterns(Vec<String>);

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid hostname pattern '{pattern}'")]
pub struct PatternError {
    /// As given.
    pub pattern: String,
}

impl HostPatterns {
    /// Reads patterns.
    ///
    /// # Errors
    ///
    /// [`PatternError`] for the first one that is none.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let parse = |pattern: &str| match split(pattern) {
            Some(_) => Ok(pattern.to_ascii_lowercase()),
            None => Err(PatternError { pattern: pattern.to_owned() }),
        };
        patterns.into_iter().map(parse).collect::<Result<_, _>>().map(HostPatterns)
    }

    /// The first pattern that matches `host`, which must be in lower case.
    pub fn find(&self, host: &str) -> Option<&str> {
        let matches = |pattern: &&String| match pattern.strip_prefix('*') {
            Some(end) => host.ends_with(end),
            None => host == **pattern,
        };
        self.0.iter().find(matches).map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes a pattern apart: whether any beginning will do, and the name or its end. `None` if it is no pattern.
pub(super) fn split(pattern: &str) -> Option<(bool, &str)> {
    let (wildcard, name) = match pattern.strip_prefix('*') {
        Some(end) => (true, end),
        None => (false, pattern),
    };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let sound = name.bytes().all(legal) && !name.contains("..") && (wildcard || !name.is_empty());
    sound.then_some((wildcard, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_star_is_special() {
        let patterns = HostPatterns::parse(["blk.test", "*.x.test", "*FOO"]).unwrap();
        for (host, pattern) in [
            ("blk.test", Some("blk.test")),
            ("a.blk.test", None),
            ("a.x.test", Some("*.x.test")),
            ("x.test", None),
            ("myfoo", Some("*foo")),
            ("foo", Some("*foo")),
        ] {
            assert_eq!(patterns.find(host), pattern, "{host}");
        }
        for pattern in ["", "a*b", "a*", "**", "a b", "a:80", "..", "é"] {
            let error = HostPatterns::parse(["ok", pattern]).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid hostname pattern '{pattern}'"));
        }
    }
}

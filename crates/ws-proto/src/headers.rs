//! HTTP header lists: names in canonical spelling, values as text, order kept.

/// Header lines in the order in which they arrived, names in canonical spelling (`Sec-Websocket-Accept`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a line; the name is brought into canonical spelling.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((canonical_name(name), value.into()));
    }

    /// The first value of a header, its name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of a header, its name in any case.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header joined with `, `; `None` if it is absent.
    ///
    /// ```
    /// let mut headers = ws_proto::Headers::default();
    /// headers.push("set-cookie", "a=1");
    /// headers.push("Set-Cookie", "b=2");
    /// assert_eq!(headers.joined("Set-Cookie").as_deref(), Some("a=1, b=2"));
    /// ```
    pub fn joined(&self, name: &str) -> Option<String> {
        self.get(name)?;
        Some(self.get_all(name).collect::<Vec<_>>().join(", "))
    }

    /// Whether a comma-separated list header holds a token, in any case (RFC 9110 section 5.6.1).
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name).flat_map(|value| value.split(',')).any(|t| t.trim().eq_ignore_ascii_case(token))
    }

    /// Name and value of each line, in order; a repeated header comes up repeatedly.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The usual spelling of a header name: the first letter and every letter after a hyphen in upper case, the
/// others in lower case. A name with characters that are no token stays as it is.
///
/// ```
/// assert_eq!(ws_proto::canonical_name("x-my-hEader"), "X-My-Header");
/// assert_eq!(ws_proto::canonical_name("not a name"), "not a name");
/// ```
pub fn canonical_name(name: &str) -> String {
    if !is_token(name) {
        return name.to_owned();
    }
    let mut upper = true;
    name.chars()
        .map(|c| {
            let c = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            upper = c == '-';
            c
        })
        .collect()
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_spelling() {
        let table = [
            ("sec-websocket-accept", "Sec-Websocket-Accept"),
            ("HOST", "Host"),
            ("x_under-SCORE", "X_under-Score"),
            ("A ", "A "),
            ("", ""),
        ];
        for (name, canonical) in table {
            assert_eq!(canonical_name(name), canonical);
        }
    }

    #[test]
    fn tokens_in_lists() {
        let mut headers = Headers::default();
        headers.push("connection", "keep-alive, UPGRADE");
        headers.push("connection", "x");
        assert!(headers.has_token("Connection", "upgrade"));
        assert!(headers.has_token("Connection", "X"));
        assert!(!headers.has_token("Connection", "keep"));
        assert!(!headers.has_token("Upgrade", "websocket"));
        assert_eq!(headers.joined("upgrade"), None);
    }
}

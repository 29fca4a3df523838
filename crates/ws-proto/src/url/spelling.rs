//! Texts that are URLs, whatever for.

use super::UrlError;
use super::escape::unescape;
use super::parts::Parts;

/// A text that follows the generic grammar of URLs, whatever its scheme: for callers that judge its parts one by one
/// before they ask for a [`WsUrl`](crate::WsUrl).
///
/// # Examples
///
/// ```
/// let url = ws_proto::UrlSpelling::parse("WS://host/a b?q=1 2#top")?;
/// assert_eq!((url.scheme.as_str(), url.fragment.as_str()), ("ws", "top"));
/// assert_eq!(url.text, "ws://host/a%20b?q=1 2");
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlSpelling {
    /// In lower case; empty for relative references.
    pub scheme: String,
    /// What follows the first `#`, decoded; empty if there is none.
    pub fragment: String,
    /// All but the fragment: scheme in lower case, path escaped where it must be, the rest as it was written.
    pub text: String,
}

impl UrlSpelling {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// [`UrlError::Unparsable`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let parts = Parts::parse(text)?;
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let colon = parts.scheme.len() + usize::from(!parts.scheme.is_empty());
        let (scheme, rest) = (parts.scheme, &url[colon..]);
        // Checked with the rest of it.
        let fragment = unescape(fragment).unwrap_or_default();
        let (hierarchy, query) = rest.split_once('?').map_or((rest, None), |(h, q)| (h, Some(q)));
        let mut spelled = if scheme.is_empty() { String::new() } else { format!("{scheme}:") };
        match hierarchy.strip_prefix("//") {
            Some(authority) => {
                let path = authority.find('/').unwrap_or(authority.len());
                spelled.push_str("//");
                spelled.push_str(&authority[..path]);
                if path < authority.len() {
                    spelled.push_str(parts.target.split('?').next().unwrap_or_default());
                }
            }
            None => spelled.push_str(hierarchy),
        }
        if let Some(query) = query {
            spelled.push('?');
            spelled.push_str(query);
        }
        Ok(Self { scheme, fragment: String::from_utf8_lossy(&fragment).into_owned(), text: spelled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_keep_what_was_written() {
        for (text, scheme, fragment, spelled) in [
            ("ws://h", "ws", "", "ws://h"),
            ("WS://h:1?q", "ws", "", "ws://h:1?q"),
            ("ws://h/a b/%41\u{e9}?x=%zz#", "ws", "", "ws://h/a%20b/A%C3%A9?x=%zz"),
            ("wss://me:pw@h/#t%20u", "wss", "t u", "wss://me:pw@h/"),
            ("/path?q", "", "", "/path?q"),
            ("5", "", "", "5"),
            ("", "", "", ""),
        ] {
            let url = UrlSpelling::parse(text).unwrap();
            assert_eq!(
                (url.scheme.as_str(), url.fragment.as_str(), url.text.as_str()),
                (scheme, fragment, spelled)
            );
        }
    }
}

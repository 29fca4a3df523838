//! Keys of thresholds: `metric` or `metric{tag:value,tag2:value2}`.

/// A metric or a part of it, as thresholds name them.
///
/// # Examples
///
/// ```
/// use ws_metrics::MetricKey;
///
/// let key = MetricKey::parse("ws_connecting{url:ws://host/path, 'status':101}")?;
/// assert_eq!(key.metric, "ws_connecting");
/// assert_eq!(key.tags[1], ("status".to_owned(), "101".to_owned()));
/// # Ok::<(), ws_metrics::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricKey {
    /// The name of the metric.
    pub metric: String,
    /// What stands between the braces, trimmed; empty without braces.
    pub suffix: String,
    /// The tags a sample must have, in the order written; none for a whole metric.
    pub tags: Vec<(String, String)>,
}

impl MetricKey {
    /// Takes a key apart. Blanks and quotes around tag keys and values are dropped, the first colon divides.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with k6's text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (open, close) = (text.find('{'), text.rfind('}'));
        let (open, close) = match (open, close) {
            (None, None) => {
                return Ok(Self { metric: text.to_owned(), suffix: String::new(), tags: Vec::new() });
            }
            (Some(open), Some(close)) if open < close => (open, close),
            _ => return Err(KeyError::Unmatched { key: text.to_owned() }),
        };
        if close + 1 != text.len() {
            return Err(KeyError::NotClosed { key: text.to_owned() });
        }
        let suffix = text[open + 1..close].trim();
        let tags = suffix.split(',').map(parse_pair).collect::<Result<_, _>>()?;
        Ok(Self { metric: text[..open].to_owned(), suffix: suffix.to_owned(), tags })
    }
}

fn parse_pair(pair: &str) -> Result<(String, String), KeyError> {
    let pair = pair.trim();
    let unquoted =
        |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_owned();
    match pair.split_once(':') {
        Some((key, value)) if !unquoted(key).is_empty() && !value.is_empty() => {
            Ok((unquoted(key), unquoted(value)))
        }
        _ => Err(KeyError::Tag { pair: pair.to_owned() }),
    }
}

/// What is wrong with a key; the texts are k6's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// One brace is missing, or they are the wrong way round.
    #[error("metric \"{key}\" has unmatched opening/close curly brace")]
    Unmatched {
        /// The whole key.
        key: String,
    },
    /// Something follows the closing brace.
    #[error("metric \"{key}\" lacks a closing curly brace in its last position")]
    NotClosed {
        /// The whole key.
        key: String,
    },
    /// A tag has no key or no value.
    #[error("metric \"{pair}\" tag expression is malformed")]
    Tag {
        /// What stands between the commas.
        pair: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (text, metric, suffix, tags) in [
            ("iterations", "iterations", "", &[][..]),
            (" iterations ", " iterations ", "", &[]),
            ("tt{a:b}", "tt", "a:b", &[("a", "b")]),
            ("cc{ b : c , a:b }", "cc", "b : c , a:b", &[("b", "c"), ("a", "b")]),
            ("checks{group:::g}", "checks", "group:::g", &[("group", "::g")]),
            ("tt{url:ws://h/p}", "tt", "url:ws://h/p", &[("url", "ws://h/p")]),
            ("tt{\"a\":'b c'}", "tt", "\"a\":'b c'", &[("a", "b c")]),
            ("tt{a:\"\"}", "tt", "a:\"\"", &[("a", "")]),
            ("tt{a:b}{c:d}", "tt", "a:b}{c:d", &[("a", "b}{c:d")]),
            ("{a:b}", "", "a:b", &[("a", "b")]),
        ] {
            let key = MetricKey::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let found: Vec<_> = key.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!((key.metric.as_str(), key.suffix.as_str(), &found[..]), (metric, suffix, tags));
        }
    }

    /// Texts observed with k6 2.2.0, which does not survive `tt{:b}` at all.
    #[test]
    fn errors() {
        for (text, error) in [
            ("tt{a:b", "metric \"tt{a:b\" has unmatched opening/close curly brace"),
            ("tta:b}", "metric \"tta:b}\" has unmatched opening/close curly brace"),
            ("tt}a:b{", "metric \"tt}a:b{\" has unmatched opening/close curly brace"),
            ("tt{a:b}x", "metric \"tt{a:b}x\" lacks a closing curly brace in its last position"),
            ("tt{}", "metric \"\" tag expression is malformed"),
            ("tt{a}", "metric \"a\" tag expression is malformed"),
            ("tt{a:}", "metric \"a:\" tag expression is malformed"),
            ("tt{a:b,}", "metric \"\" tag expression is malformed"),
            ("tt{:b}", "metric \":b\" tag expression is malformed"),
        ] {
            assert_eq!(MetricKey::parse(text).unwrap_err().to_string(), error);
        }
    }
}

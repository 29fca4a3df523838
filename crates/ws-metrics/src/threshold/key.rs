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
    /// Takes a key apart. Blanks and quotes around tag keys and values are dropped, the first colon divides. A comma in
    /// a value that is quoted belongs to the value, which k6 does not allow.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with k6's text, and the whole key where that names a part only.
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
        let parse = |pair: &str| {
            parse_pair(pair)
                .ok_or_else(|| KeyError::Tag { pair: pair.trim().to_owned(), key: text.to_owned() })
        };
        let tags = pairs(suffix).into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { metric: text[..open].to_owned(), suffix: suffix.to_owned(), tags })
    }
}

/// What the commas divide.
fn pairs(suffix: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let mut rest = Some(suffix);
    while let Some(text) = rest {
        let end = quoted_end(text).or_else(|| text.find(','));
        pairs.push(&text[..end.unwrap_or(text.len())]);
        rest = end.and_then(|end| text[end..].strip_prefix(','));
    }
    pairs
}

/// Where the first pair ends if its value is quoted: at the first quote of the same kind that a comma or nothing
/// follows.
fn quoted_end(text: &str) -> Option<usize> {
    let colon = text.find([':', ',']).filter(|at| text[*at..].starts_with(':'))?;
    let value = text[colon + 1..].trim_start();
    let begin = text.len() - value.len();
    let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let ends = value.match_indices(quote).skip(1).map(|(at, _)| begin + at + 1);
    ends.filter_map(|at| {
        let rest = text[at..].trim_start();
        (rest.is_empty() || rest.starts_with(',')).then_some(text.len() - rest.len())
    })
    .next()
}

fn parse_pair(pair: &str) -> Option<(String, String)> {
    let pair = pair.trim();
    let unquoted =
        |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_owned();
    match pair.split_once(':') {
        Some((key, value)) if !unquoted(key).is_empty() && !value.is_empty() => {
            Some((unquoted(key), unquoted(value)))
        }
        _ => None,
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
    #[error("metric \"{pair}\" tag expression is malformed in \"{key}\"")]
    Tag {
        /// What stands between the commas.
        pair: String,
        /// The whole key.
        key: String,
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
            ("tt{url:\"ws://h/?a=1,2\"}", "tt", "url:\"ws://h/?a=1,2\"", &[("url", "ws://h/?a=1,2")]),
            ("tt{a: '1,b:2' , c:\"3,\"}", "tt", "a: '1,b:2' , c:\"3,\"", &[("a", "1,b:2"), ("c", "3,")]),
            ("tt{a:\"1\",b:\"2\"}", "tt", "a:\"1\",b:\"2\"", &[("a", "1"), ("b", "2")]),
            ("tt{a:\"1,b:2}", "tt", "a:\"1,b:2", &[("a", "1"), ("b", "2")]),
            ("tt{a:x\"1,b:\"2}", "tt", "a:x\"1,b:\"2", &[("a", "x\"1"), ("b", "2")]),
            ("tt{a:\"{1,2}\"}", "tt", "a:\"{1,2}\"", &[("a", "{1,2}")]),
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
            let expected = match error.strip_suffix(" is malformed") {
                Some(_) => format!("{error} in \"{text}\""),
                None => error.to_owned(),
            };
            assert_eq!(MetricKey::parse(text).unwrap_err().to_string(), expected);
        }
    }
}

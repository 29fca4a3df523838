//! Pieces that flags and variables share: numbers, truth values, tags, lists.

use indexmap::IndexMap;
use ws_js::Compat;
use ws_metrics::TrendStat;

pub(crate) fn integer(text: &str) -> Result<i64, String> {
    text.parse::<i64>().map_err(|_| format!("{text:?} is not an integer"))
}

/// What Go's `strconv.ParseBool` takes, which is what k6 users type.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(false),
        _ => Err(format!("{text:?} is not a boolean, use true or false")),
    }
}

/// Whom `k6/websockets` follows.
pub(crate) fn compat(text: &str) -> Result<Compat, String> {
    match text {
        "k6" => Ok(Compat::K6),
        "web" => Ok(Compat::Web),
        _ => Err(format!("expected k6 or web, got '{text}'")),
    }
}

/// A comma list. The two characters `""` stand for the empty list, since an empty value means "not set".
pub(crate) fn list(text: &str) -> Vec<String> {
    if text.is_empty() || text == "\"\"" {
        return Vec::new();
    }
    text.split(',').map(|item| item.trim().to_owned()).collect()
}

/// `name=value` of `--tag`.
pub(crate) fn tag(text: &str) -> Result<(String, String), String> {
    let fail = |why: &str| Err(format!("error parsing tag '{text}': invalid tag, empty {why}"));
    match text.split_once('=') {
        _ if text.is_empty() => fail("string"),
        Some(("", _)) => fail("name"),
        None | Some((_, "")) => fail("value"),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// `name:value,name2:value2` of `K6_TAGS`.
pub(crate) fn tag_map(text: &str) -> Result<IndexMap<String, String>, String> {
    text.split(',')
        .map(|item| match item.split_once(':') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(format!("invalid map item: {item:?}, expected name:value")),
        })
        .collect()
}

/// Columns of trends in the report.
pub(crate) fn trend_stats(names: &[String]) -> Result<Vec<TrendStat>, String> {
    names.iter().map(|name| TrendStat::parse(name).map_err(|error| error.to_string())).collect()
}

/// The empty string leaves the choice of the unit to the report.
pub(crate) fn time_unit(text: &str) -> Result<(), String> {
    match text {
        "" | "s" | "ms" | "us" => Ok(()),
        _ => Err(format!("invalid summary time unit '{text}', use 's', 'ms' or 'us'")),
    }
}

/// `^[a-zA-Z_][a-zA-Z0-9_]*$`.
pub(crate) fn is_variable_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_what_is_missing() {
        assert_eq!(tag("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for (text, what) in [("bad", "value"), ("a=", "value"), ("=b", "name"), ("", "string")] {
            assert_eq!(tag(text), Err(format!("error parsing tag '{text}': invalid tag, empty {what}")));
        }
    }

    #[test]
    fn lists_and_names() {
        assert_eq!(list("a, b,c"), ["a", "b", "c"]);
        assert!(list("\"\"").is_empty());
        assert!(is_variable_name("_A9") && is_variable_name("a"));
        assert!(!is_variable_name("1A") && !is_variable_name("") && !is_variable_name("A-B"));
    }
}

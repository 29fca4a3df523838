//! Typed access to the JSON a script exports, with k6's leniency and messages that name the option.

use indexmap::IndexMap;
use serde_json::Value;
use ws_engine::duration::GoDuration;

fn expected<T>(name: &str, what: &str, got: &Value) -> Result<T, String> {
    Err(format!("option '{name}' must be {what}, got {got}"))
}

/// An integer; numeric strings count, the empty string and `null` are "not set".
pub(crate) fn integer(name: &str, value: &Value) -> Result<Option<i64>, String> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e18).then_some(number as i64);
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => expected(name, "an integer", value),
        },
        Value::Number(number) => match number.as_i64().or_else(|| number.as_f64().and_then(whole)) {
            Some(number) => Ok(Some(number)),
            None => expected(name, "an integer", value),
        },
        _ => expected(name, "an integer", value),
    }
}

pub(crate) fn boolean(name: &str, value: &Value) -> Result<Option<bool>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        _ => expected(name, "a boolean", value),
    }
}

pub(crate) fn string(name: &str, value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => expected(name, "a string", value),
    }
}

/// A duration string, or a number of milliseconds.
pub(crate) fn duration(name: &str, value: &Value) -> Result<Option<GoDuration>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => match GoDuration::parse_option(text) {
            Ok(duration) => Ok(Some(duration)),
            Err(reason) => Err(format!("option '{name}': {reason}")),
        },
        Value::Number(number) => match GoDuration::from_millis(number.as_f64().unwrap_or(f64::NAN)) {
            Ok(duration) => Ok(Some(duration)),
            Err(_) => expected(name, "a duration", value),
        },
        _ => expected(name, "a duration", value),
    }
}

pub(crate) fn strings(name: &str, value: &Value) -> Result<Option<Vec<String>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(text.clone()),
                _ => expected(name, "a list of strings", value),
            })
            .collect::<Result<_, _>>()
            .map(Some),
        _ => expected(name, "a list of strings", value),
    }
}

pub(crate) fn string_map(name: &str, value: &Value) -> Result<Option<IndexMap<String, String>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, item)| match item {
                Value::String(text) => Ok((key.clone(), text.clone())),
                _ => expected(&format!("{name}.{key}"), "a string", item),
            })
            .collect::<Result<_, _>>()
            .map(Some),
        _ => expected(name, "an object of strings", value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_also_as_strings() {
        for (value, number) in [
            (json!(3), Some(3)),
            (json!("10"), Some(10)),
            (json!(""), None),
            (json!(null), None),
            (json!(4.0), Some(4)),
        ] {
            assert_eq!(integer("vus", &value), Ok(number), "{value}");
        }
        for value in [json!(1.5), json!(true), json!("x"), json!([])] {
            assert_eq!(integer("vus", &value), Err(format!("option 'vus' must be an integer, got {value}")));
        }
    }

    #[test]
    fn durations_in_three_notations() {
        for (value, micros) in [
            (json!("1d"), 86_400_000_000),
            (json!(1500), 1_500_000),
            (json!("250"), 250_000),
            (json!(0.5), 500),
        ] {
            let expected = GoDuration::from_nanos(micros * 1000);
            assert_eq!(duration("duration", &value), Ok(Some(expected)), "{value}");
        }
        assert_eq!(
            duration("duration", &json!("zz")),
            Err("option 'duration': time: invalid duration \"zz\"".to_owned())
        );
        assert_eq!(
            duration("duration", &json!([])),
            Err("option 'duration' must be a duration, got []".to_owned())
        );
    }

    #[test]
    fn maps_name_the_entry() {
        assert_eq!(
            string_map("tags", &json!({"a": 1})),
            Err("option 'tags.a' must be a string, got 1".to_owned())
        );
        assert_eq!(string_map("tags", &json!({})), Ok(Some(IndexMap::new())));
        assert_eq!(
            strings("systemTags", &json!("url")),
            Err("option 'systemTags' must be a list of strings, got \"url\"".to_owned())
        );
    }
}

//! `stages`: the legs of a line that VUs or rates follow.

use serde_json::Value;
use ws_engine::StageConfig;
use ws_engine::duration::GoDuration;

use super::form::{Form, Takes};
use super::{json, parse};

/// `--stage 10s:5`, repeatable and as a comma list; `10s:5,20s:0` in a variable; objects in JSON.
pub(crate) const STAGES: Form<Vec<StageConfig>> =
    Form::of(|text| list(text).map(Some), |name, value| from_json(name, value, Keys::Any))
        .flags(Takes::Many, |values| {
            // One that is empty says that there are none.
            let texts: Vec<_> = values.iter().filter(|text| !text.is_empty()).copied().collect();
            let stages = list(&texts.join(","))?;
            match stages.iter().position(|stage| stage.duration.is_none()) {
                Some(index) => Err(format!("stage {index} doesn't have a specified duration")),
                None => Ok(Some(stages)),
            }
        })
        .speaking();

fn list(text: &str) -> Result<Vec<StageConfig>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let stages = text.split(',').enumerate();
    stages.map(|(index, text)| stage(text).map_err(|why| format!("error for stage {index}: {why}"))).collect()
}

/// `10s:5`, of which both parts may be missing here.
fn stage(text: &str) -> Result<StageConfig, String> {
    let (duration, target) = text.split_once(':').unwrap_or((text, ""));
    let given = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    let duration = given(duration).map(|text| GoDuration::parse(&text)).transpose();
    Ok(StageConfig {
        duration: duration.map_err(|error| error.to_string())?,
        target: given(target).map(|text| parse::integer(&text)).transpose()?,
    })
}

/// What the objects may hold besides `duration` and `target`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Anything, as at the top level of options.
    Any,
    /// Nothing, as everywhere in a scenario.
    Known,
}

/// A list of objects; `null` is "not set".
pub(super) fn from_json(name: &str, value: &Value, keys: Keys) -> Result<Option<Vec<StageConfig>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Array(items) => {
            let item = |(index, item)| object(&format!("{name}[{index}]"), item, keys);
            items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
        }
        _ => Err(format!("option '{name}' must be a list of stages, got {value}")),
    }
}

fn object(path: &str, value: &Value, keys: Keys) -> Result<StageConfig, String> {
    let Value::Object(fields) = value else {
        return Err(format!("option '{path}' must be an object, got {value}"));
    };
    let mut stage = StageConfig::default();
    for (key, value) in fields {
        let path = format!("{path}.{key}");
        match key.as_str() {
            "duration" => stage.duration = json::duration(&path, value)?,
            "target" => stage.target = json::integer(&path, value)?,
            _ if keys == Keys::Any => {}
            _ => return Err(format!("option '{path}': json: unknown field {key:?}")),
        }
    }
    Ok(stage)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leg(seconds: i64, target: i64) -> StageConfig {
        StageConfig { duration: Some(GoDuration::from_secs(seconds)), target: Some(target) }
    }

    #[test]
    fn flags_and_variables() {
        let flags = |values: &[&str]| STAGES.read_flag(values);
        assert_eq!(flags(&["1s:5", "1m:0,2s:3"]), Ok(Some(vec![leg(1, 5), leg(60, 0), leg(2, 3)])));
        assert_eq!(flags(&[""]), Ok(Some(vec![])));
        let aimless = StageConfig { target: None, ..leg(1, 0) };
        assert_eq!(flags(&["1s:"]), Ok(Some(vec![aimless])));
        assert_eq!(flags(&["1s"]), Ok(Some(vec![aimless])));
        for (text, message) in [
            ("1s:1,:5", "stage 1 doesn't have a specified duration"),
            ("foo", "error for stage 0: time: invalid duration \"foo\""),
            ("1s:1,10:5", "error for stage 1: time: missing unit in duration \"10\""),
            ("1s:x", "error for stage 0: \"x\" is not an integer"),
        ] {
            assert_eq!(flags(&[text]), Err(message.to_owned()));
        }
        let timeless = StageConfig { duration: None, target: Some(5) };
        assert_eq!((STAGES.text)("1s:1,:5"), Ok(Some(vec![leg(1, 1), timeless])));
    }

    #[test]
    fn json_objects() {
        let both = json!([{"duration": "1s", "target": "5", "more": 1}, {"duration": 2000, "target": 0}]);
        assert_eq!(from_json("stages", &both, Keys::Any), Ok(Some(vec![leg(1, 5), leg(2, 0)])));
        assert_eq!(
            from_json("stages", &both, Keys::Known),
            Err("option 'stages[0].more': json: unknown field \"more\"".to_owned())
        );
        assert_eq!(from_json("s", &json!([{}]), Keys::Known), Ok(Some(vec![StageConfig::default()])));
        assert_eq!(from_json("s", &json!(null), Keys::Known), Ok(None));
        for (value, message) in [
            (json!({}), "option 's' must be a list of stages, got {}"),
            (json!([1]), "option 's[0]' must be an object, got 1"),
            (json!([{"target": 1.5}]), "option 's[0].target' must be an integer, got 1.5"),
        ] {
            assert_eq!(from_json("s", &value, Keys::Any), Err(message.to_owned()));
        }
    }
}

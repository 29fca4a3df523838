//! `thresholds`, as written.

use indexmap::IndexMap;
use serde_json::Value;
use ws_engine::duration::GoDuration;

use super::form::Form;
use super::json;

/// One threshold as written: the expression is parsed by the metrics, which know what it may say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawThreshold {
    pub(crate) source: String,
    pub(crate) abort_on_fail: bool,
    pub(crate) delay_abort_eval: Option<GoDuration>,
}

/// By metric: a list of expressions, or of objects with one.
pub(crate) const THRESHOLDS: Form<IndexMap<String, Vec<RawThreshold>>> =
    Form::only_json(|_, value| thresholds(value));

fn thresholds(value: &Value) -> Result<Option<IndexMap<String, Vec<RawThreshold>>>, String> {
    let fields = match value {
        Value::Null => return Ok(None),
        Value::Object(fields) => fields,
        _ => return Err(format!("option 'thresholds' must be an object, got {value}")),
    };
    let mut all = IndexMap::new();
    for (metric, list) in fields {
        let path = format!("thresholds.{metric}");
        let Value::Array(list) = list else {
            return Err(format!("option '{path}' must be a list of thresholds, got {list}"));
        };
        let list = list.iter().map(|item| threshold(&path, item)).collect::<Result<_, _>>()?;
        all.insert(metric.clone(), list);
    }
    Ok(Some(all))
}

fn threshold(path: &str, value: &Value) -> Result<RawThreshold, String> {
    let get = |key: &str| value.get(key).unwrap_or(&Value::Null);
    match value {
        Value::String(source) => {
            Ok(RawThreshold { source: source.clone(), abort_on_fail: false, delay_abort_eval: None })
        }
        Value::Object(_) => Ok(RawThreshold {
            source: json::string(&format!("{path}.threshold"), get("threshold"))?.unwrap_or_default(),
            abort_on_fail: json::boolean(&format!("{path}.abortOnFail"), get("abortOnFail"))?
                .unwrap_or(false),
            delay_abort_eval: json::duration(&format!("{path}.delayAbortEval"), get("delayAbortEval"))?,
        }),
        _ => Err(format!("option '{path}' must hold strings or objects, got {value}")),
    }
}

//! One entry of `scenarios`, as written.

use serde_json::{Map, Value};
use ws_engine::{ExecutorConfig, ScenarioConfig, StageConfig};

use super::form::Form;
use super::{json, stages};

/// `scenarios`: by name.
pub(crate) const SCENARIOS: Form<Vec<ScenarioConfig>> = Form::only_json(|_, value| scenarios(value));

fn scenarios(value: &Value) -> Result<Option<Vec<ScenarioConfig>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| parse(name, value)).collect::<Result<_, _>>().map(Some)
        }
        _ => Err(format!("option 'scenarios' must be an object, got {value}")),
    }
}

/// Reads a scenario; whether its values make sense is for the engine to say.
pub(crate) fn parse(name: &str, value: &Value) -> Result<ScenarioConfig, String> {
    let Value::Object(fields) = value else {
        return Err(format!("option 'scenarios.{name}' must be an object, got {value}"));
    };
    let mut scenario = ScenarioConfig::new(name, executor(name, fields)?);
    for (key, value) in fields {
        let path = format!("scenarios.{name}.{key}");
        match key.as_str() {
            "executor" => {}
            "exec" => put(&mut scenario.exec, json::string(&path, value)?),
            "startTime" => put(&mut scenario.start_time, json::duration(&path, value)?),
            "gracefulStop" => put(&mut scenario.graceful_stop, json::duration(&path, value)?),
            "env" => scenario.env = json::string_map(&path, value)?.into_iter().flatten().collect(),
            "tags" => scenario.tags = json::string_map(&path, value)?.into_iter().flatten().collect(),
            "options" => browser_only(&path, value)?,
            _ => executor_option(&mut scenario.executor, name, key, value)?,
        }
    }
    Ok(scenario)
}

fn executor(name: &str, fields: &Map<String, Value>) -> Result<ExecutorConfig, String> {
    let kind = match fields.get("executor") {
        Some(kind) => json::string(&format!("scenarios.{name}.executor"), kind)?.unwrap_or_default(),
        None => String::new(),
    };
    if kind.is_empty() {
        return Err(format!("scenario '{name}' doesn't have a specified executor type"));
    }
    ExecutorConfig::from_type(&kind).map_err(|error| error.to_string())
}

fn executor_option(
    executor: &mut ExecutorConfig,
    name: &str,
    key: &str,
    value: &Value,
) -> Result<(), String> {
    let path = format!("scenarios.{name}.{key}");
    match (executor, key) {
        (
            ExecutorConfig::SharedIterations { vus, .. }
            | ExecutorConfig::PerVuIterations { vus, .. }
            | ExecutorConfig::ConstantVus { vus, .. },
            "vus",
        ) => put(vus, json::integer(&path, value)?),
        (
            ExecutorConfig::SharedIterations { iterations, .. }
            | ExecutorConfig::PerVuIterations { iterations, .. },
            "iterations",
        ) => put(iterations, json::integer(&path, value)?),
        (
            ExecutorConfig::SharedIterations { max_duration, .. }
            | ExecutorConfig::PerVuIterations { max_duration, .. },
            "maxDuration",
        ) => put(max_duration, json::duration(&path, value)?),
        (ExecutorConfig::ConstantVus { duration, .. }, "duration") => {
            *duration = json::duration(&path, value)?
        }
        (ExecutorConfig::RampingVus { start_vus, .. }, "startVUs") => {
            put(start_vus, json::integer(&path, value)?)
        }
        (ExecutorConfig::RampingVus { stages, .. }, "stages") => put(stages, stages_of(&path, value)?),
        (ExecutorConfig::RampingVus { graceful_ramp_down, .. }, "gracefulRampDown") => {
            put(graceful_ramp_down, json::duration(&path, value)?)
        }
        (ExecutorConfig::ConstantArrivalRate { rate, .. }, "rate") => *rate = json::integer(&path, value)?,
        (ExecutorConfig::ConstantArrivalRate { duration, .. }, "duration") => {
            *duration = json::duration(&path, value)?
        }
        (ExecutorConfig::RampingArrivalRate { start_rate, .. }, "startRate") => {
            put(start_rate, json::integer(&path, value)?)
        }
        (ExecutorConfig::RampingArrivalRate { stages, .. }, "stages") => {
            put(stages, stages_of(&path, value)?)
        }
        (
            ExecutorConfig::ConstantArrivalRate { time_unit, .. }
            | ExecutorConfig::RampingArrivalRate { time_unit, .. },
            "timeUnit",
        ) => put(time_unit, json::duration(&path, value)?),
        (
            ExecutorConfig::ConstantArrivalRate { pre_allocated_vus, .. }
            | ExecutorConfig::RampingArrivalRate { pre_allocated_vus, .. },
            "preAllocatedVUs",
        ) => *pre_allocated_vus = json::integer(&path, value)?,
        (
            ExecutorConfig::ConstantArrivalRate { max_vus, .. }
            | ExecutorConfig::RampingArrivalRate { max_vus, .. },
            "maxVUs",
        ) => *max_vus = json::integer(&path, value)?,
        _ => return Err(unknown(&format!("scenario '{name}'"), key)),
    }
    Ok(())
}

fn stages_of(path: &str, value: &Value) -> Result<Option<Vec<StageConfig>>, String> {
    stages::from_json(path, value, stages::Keys::Known)
}

/// `options.browser` is for k6's browser module and changes nothing here; k6 knows no other key.
fn browser_only(path: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Null => Ok(()),
        Value::Object(fields) => match fields.keys().find(|key| *key != "browser") {
            Some(key) => Err(unknown(&format!("option '{path}'"), key)),
            None => Ok(()),
        },
        _ => Err(format!("option '{path}' must be an object, got {value}")),
    }
}

fn unknown(place: &str, key: &str) -> String {
    format!("{place}: json: unknown field {key:?}")
}

fn put<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ws_engine::duration::GoDuration;

    use super::*;

    #[test]
    fn all_keys_of_an_executor() {
        let value = json!({"executor": "shared-iterations", "vus": "3", "iterations": 9, "maxDuration": "1m",
            "exec": "f", "startTime": 500, "gracefulStop": "0s", "env": {"A": "b"}, "tags": {"t": "u"},
            "options": {"browser": {"type": "chromium"}}});
        let executor = ExecutorConfig::SharedIterations {
            vus: 3,
            iterations: 9,
            max_duration: GoDuration::from_secs(60),
        };
        assert_eq!(
            parse("a", &value),
            Ok(ScenarioConfig {
                exec: "f".to_owned(),
                start_time: GoDuration::from_nanos(500_000_000),
                graceful_stop: GoDuration::ZERO,
                env: vec![("A".to_owned(), "b".to_owned())],
                tags: vec![("t".to_owned(), "u".to_owned())],
                ..ScenarioConfig::new("a", executor)
            })
        );
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: Some(GoDuration::from_secs(1)) };
        assert_eq!(
            parse("b", &json!({"executor": "constant-vus", "duration": "1s", "vus": null})),
            Ok(ScenarioConfig::new("b", looping))
        );
    }

    #[test]
    fn ramping_vus() {
        let value = json!({"executor": "ramping-vus", "startVUs": 2, "gracefulRampDown": "1s",
            "stages": [{"duration": "1m", "target": 5}]});
        let executor = ExecutorConfig::RampingVus {
            start_vus: 2,
            stages: vec![StageConfig { duration: Some(GoDuration::from_secs(60)), target: Some(5) }],
            graceful_ramp_down: GoDuration::from_secs(1),
        };
        assert_eq!(parse("a", &value), Ok(ScenarioConfig::new("a", executor)));
    }

    #[test]
    fn arrival_rates() {
        let value = json!({"executor": "constant-arrival-rate", "rate": "20", "timeUnit": "1", "duration": "1m",
            "preAllocatedVUs": 2, "maxVUs": 5});
        let executor = ExecutorConfig::ConstantArrivalRate {
            rate: Some(20),
            time_unit: GoDuration::from_nanos(1_000_000),
            duration: Some(GoDuration::from_secs(60)),
            pre_allocated_vus: Some(2),
            max_vus: Some(5),
        };
        assert_eq!(parse("a", &value), Ok(ScenarioConfig::new("a", executor)));
        let value = json!({"executor": "ramping-arrival-rate", "startRate": 7,
            "stages": [{"duration": "1s", "target": 9}], "preAllocatedVUs": 2});
        let executor = ExecutorConfig::RampingArrivalRate {
            start_rate: 7,
            time_unit: GoDuration::from_secs(1),
            stages: vec![StageConfig { duration: Some(GoDuration::from_secs(1)), target: Some(9) }],
            pre_allocated_vus: Some(2),
            max_vus: None,
        };
        assert_eq!(parse("a", &value), Ok(ScenarioConfig::new("a", executor)));
    }

    #[test]
    fn refusals() {
        for (value, message) in [
            (json!(5), "option 'scenarios.a' must be an object, got 5"),
            (json!({}), "scenario 'a' doesn't have a specified executor type"),
            (json!({"executor": null}), "scenario 'a' doesn't have a specified executor type"),
            (json!({"executor": "nope"}), "unknown executor type 'nope'"),
            (json!({"executor": "ramping-vus", "vus": 1}), "scenario 'a': json: unknown field \"vus\""),
            (
                json!({"executor": "ramping-vus", "stages": [{"x": 1}]}),
                "option 'scenarios.a.stages[0].x': json: unknown field \"x\"",
            ),
            (json!({"executor": "constant-vus", "bogus": 1}), "scenario 'a': json: unknown field \"bogus\""),
            (
                json!({"executor": "constant-vus", "iterations": 1}),
                "scenario 'a': json: unknown field \"iterations\"",
            ),
            (
                json!({"executor": "constant-vus", "env": {"A": 1}}),
                "option 'scenarios.a.env.A' must be a string, got 1",
            ),
            (
                json!({"executor": "constant-vus", "options": {"foo": 1}}),
                "option 'scenarios.a.options': json: unknown field \"foo\"",
            ),
        ] {
            assert_eq!(parse("a", &value), Err(message.to_owned()));
        }
    }
}

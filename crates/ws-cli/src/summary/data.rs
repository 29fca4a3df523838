//! The report as `handleSummary(data)` gets it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use ws_metrics::{Contains, MetricKind, Report, SinkValue, ThresholdReport};

use super::json::{check, number};
use super::tree::{Group, Tree};
use super::{Style, md5};

/// What `data` says of the surroundings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Colours were switched off.
    pub(crate) no_color: bool,
    pub(crate) stdout_tty: bool,
    pub(crate) stderr_tty: bool,
    /// The option `summaryTimeUnit` as given.
    pub(crate) time_unit: String,
}

/// The object, except for `setup_data`.
pub(crate) fn object(report: &Report, style: &Style, surroundings: &Surroundings) -> Value {
    let trend_stats: Vec<_> = style.trend_stats.iter().map(ToString::to_string).collect();
    let tree = Tree::of(report);
    json!({
        "root_group": group(&tree, tree.root()),
        "options": {
            "summaryTrendStats": trend_stats,
            "summaryTimeUnit": surroundings.time_unit,
            "noColor": surroundings.no_color,
        },
        "state": {
            "isStdOutTTY": surroundings.stdout_tty,
            "isStdErrTTY": surroundings.stderr_tty,
            "testRunDurationMs": number(millis(report.run_time)),
        },
        "metrics": metrics(report, style),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

fn metrics(report: &Report, style: &Style) -> Value {
    let mut metrics = Map::new();
    for metric in &report.metrics {
        let entry = |value, thresholds| {
            let values = values(value, report, style);
            of_metric(metric.kind, metric.contains, values, thresholds)
        };
        metrics.insert(metric.name.to_string(), entry(&metric.value, &metric.thresholds));
        for sub in &metric.submetrics {
            metrics.insert(sub.name.clone(), entry(&sub.value, &sub.thresholds));
        }
    }
    metrics.into()
}

fn of_metric(kind: MetricKind, contains: Contains, values: Value, thresholds: &[ThresholdReport]) -> Value {
    let mut entry = json!({ "type": kind.as_str(), "contains": contains.as_str(), "values": values });
    if !thresholds.is_empty() {
        let verdicts: Map<_, _> = thresholds
            .iter()
            .map(|threshold| (threshold.source.clone(), json!({ "ok": threshold.ok })))
            .collect();
        entry["thresholds"] = verdicts.into();
    }
    entry
}

fn values(value: &SinkValue, report: &Report, style: &Style) -> Value {
    match value {
        SinkValue::Counter { sum, .. } => {
            json!({ "count": number(*sum), "rate": number(value.rate_over(report.run_time)) })
        }
        SinkValue::Gauge { value, min, max } => {
            json!({ "value": number(*value), "min": number(*min), "max": number(*max) })
        }
        SinkValue::Rate { trues, total } => {
            json!({ "rate": number(value.rate()), "passes": trues, "fails": total - trues })
        }
        SinkValue::Trend(trend) => {
            let stats = style.trend_stats.iter();
            stats.map(|stat| (stat.to_string(), number(stat.of(trend)))).collect::<Map<_, _>>().into()
        }
    }
}

fn group(tree: &Tree<'_>, of: &Group<'_>) -> Value {
    let groups: Vec<_> = tree.inner(of).map(|inner| group(tree, inner)).collect();
    let checks: Vec<_> = of.checks.iter().copied().map(check).collect();
    json!({
        "name": of.name,
        "path": of.path,
        "id": md5::hex(of.path.as_bytes()),
        "groups": groups,
        "checks": checks,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, style};
    use super::*;

    fn data() -> Value {
        let surroundings =
            Surroundings { stderr_tty: true, time_unit: "ms".to_owned(), ..Surroundings::default() };
        object(&report(), &style(), &surroundings)
    }

    #[test]
    fn options_and_state() {
        let data = data();
        let keys: Vec<_> = data.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["root_group", "options", "state", "metrics"]);
        assert_eq!(
            data["options"],
            json!({"summaryTrendStats": ["avg", "min", "med", "max", "p(90)", "p(95)"],
                "summaryTimeUnit": "ms", "noColor": false})
        );
        assert_eq!(
            data["state"],
            json!({"isStdOutTTY": false, "isStdErrTTY": true, "testRunDurationMs": 2000})
        );
    }

    #[test]
    fn metrics_of_each_kind() {
        let data = data();
        let metrics = &data["metrics"];
        assert_eq!(
            metrics["ws_sessions"],
            json!({"type": "counter", "contains": "default", "values": {"count": 8, "rate": 4}})
        );
        assert_eq!(
            metrics["my_gauge"]["values"],
            json!({"value": 4.493827156, "min": -1.5, "max": 4.493827156})
        );
        assert_eq!(metrics["my_rate"]["values"], json!({"rate": 0.25, "passes": 2, "fails": 6}));
        assert_eq!(
            metrics["ws_connecting"],
            json!({"type": "trend", "contains": "time", "values":
                {"avg": 1.5, "min": 1.5, "med": 1.5, "max": 1.5, "p(90)": 1.5, "p(95)": 1.5}})
        );
        assert_eq!(
            metrics["my_trend"]["thresholds"],
            json!({" p(99)<1000 ": {"ok": false}, "avg<1": {"ok": false}})
        );
        assert_eq!(
            metrics["my_counter{scenario:default}"],
            json!({"type": "counter", "contains": "default", "values": {"count": 12, "rate": 6},
                "thresholds": {"count>1": {"ok": true}}})
        );
        assert_eq!(metrics["my_counter{foo:bar}"]["thresholds"], Value::Null);
    }

    #[test]
    fn groups_and_checks_are_lists() {
        let data = data();
        let root = &data["root_group"];
        assert_eq!(root["id"], "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!((&root["name"], &root["path"]), (&json!(""), &json!("")));
        let names: Vec<_> = root["checks"].as_array().unwrap().iter().map(|check| &check["name"]).collect();
        assert_eq!(names, ["ok", "flaky one"]);
        assert_eq!(
            root["groups"],
            json!([{
                "name": "grp",
                "path": "::grp",
                "id": "844ddd4da11b9839551ce31a0d2ed622",
                "groups": [],
                "checks": [
                    {"name": "in group", "path": "::grp::in group", "id": "722a41e261c9bada114d0394683a495d",
                        "passes": 7, "fails": 0},
                    {"name": "ok", "path": "::grp::ok", "id": "8610725559843d4f5540021676c2685a",
                        "passes": 1, "fails": 0},
                ],
            }])
        );
    }
}

//! The report as a JSON file, in the shape of k6's `--summary-export`.

use serde::Serialize;
use serde_json::{Map, Value, json};
use ws_metrics::{CheckReport, Report, SinkValue, ThresholdReport};

use super::number::not_finite;
use super::tree::{Group, Tree};
use super::{Style, md5};

/// The text of the file: four blanks of indentation, no line end.
pub(crate) fn render(report: &Report, style: &Style, setup_data: Option<&Value>) -> String {
    let mut all = Map::new();
    all.insert("metrics".to_owned(), metrics(report, style).into());
    if let Some(data) = setup_data {
        all.insert("setup_data".to_owned(), data.clone());
    }
    let tree = Tree::of(report);
    all.insert("root_group".to_owned(), group(&tree, tree.root()).into());
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Values made of maps with text keys always serialise, and a vector takes everything.
    let _ = Value::Object(all).serialize(&mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

fn metrics(report: &Report, style: &Style) -> Map<String, Value> {
    let mut metrics = Map::new();
    for metric in &report.metrics {
        metrics.insert(metric.name.to_string(), figures(&metric.value, &metric.thresholds, report, style));
        for sub in &metric.submetrics {
            metrics.insert(sub.name.clone(), figures(&sub.value, &sub.thresholds, report, style));
        }
    }
    metrics
}

fn figures(value: &SinkValue, thresholds: &[ThresholdReport], report: &Report, style: &Style) -> Value {
    let mut figures = Map::new();
    let mut put = |key: &str, value: f64| figures.insert(key.to_owned(), number(value));
    match value {
        SinkValue::Counter { sum, .. } => {
            put("count", *sum);
            put("rate", value.rate_over(report.run_time));
        }
        SinkValue::Gauge { value, min, max } => {
            put("value", *value);
            put("min", *min);
            put("max", *max);
        }
        SinkValue::Rate { trues, total } => {
            put("passes", *trues as f64);
            put("fails", (total - trues) as f64);
            put("value", value.rate());
        }
        SinkValue::Trend(trend) => {
            for stat in &style.trend_stats {
                put(&stat.to_string(), stat.of(trend));
            }
        }
    }
    if !thresholds.is_empty() {
        // In this file true says that the threshold failed; that is how k6 writes it, and what its readers expect.
        let verdicts: Map<_, _> =
            thresholds.iter().map(|threshold| (threshold.source.clone(), (!threshold.ok).into())).collect();
        figures.insert("thresholds".to_owned(), verdicts.into());
    }
    figures.into()
}

fn group(tree: &Tree<'_>, of: &Group<'_>) -> Map<String, Value> {
    let groups: Map<_, _> =
        tree.inner(of).map(|inner| (inner.name.to_owned(), group(tree, inner).into())).collect();
    let checks: Map<_, _> =
        of.checks.iter().map(|of_group| (of_group.name.to_string(), check(of_group))).collect();
    let mut all = Map::new();
    all.insert("name".to_owned(), of.name.into());
    all.insert("path".to_owned(), of.path.into());
    all.insert("id".to_owned(), md5::hex(of.path.as_bytes()).into());
    all.insert("groups".to_owned(), groups.into());
    all.insert("checks".to_owned(), checks.into());
    all
}

/// A check's counts.
pub(super) fn check(check: &CheckReport) -> Value {
    let path = format!("{}::{}", check.group, check.name);
    json!({
        "name": &*check.name,
        "path": path,
        "id": md5::hex(path.as_bytes()),
        "passes": check.passes,
        "fails": check.fails,
    })
}

/// Whole numbers without a point; what JSON cannot say as a number is text: `"Infinity"`, `"-Infinity"`, `"NaN"`.
pub(super) fn number(value: f64) -> Value {
    if let Some(name) = not_finite(value) {
        return name.into();
    }
    if value.fract() == 0.0 && value.abs() < 9.0e15 { (value as i64).into() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, style};
    use super::*;

    #[test]
    fn figures_of_each_kind() {
        let text = render(&report(), &style(), Some(&json!({"a": 1})));
        assert!(text.starts_with("{\n    \"metrics\": {\n        \"group_duration\": {\n"), "{text}");
        let all: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(all["setup_data"], json!({"a": 1}));
        let metrics = &all["metrics"];
        assert_eq!(metrics["ws_sessions"], json!({"count": 8, "rate": 4}));
        assert_eq!(metrics["my_gauge"], json!({"value": 4.493827156, "min": -1.5, "max": 4.493827156}));
        assert_eq!(metrics["my_rate"], json!({"passes": 2, "fails": 6, "value": 0.25}));
        assert_eq!(metrics["checks"]["thresholds"], json!({"rate>0.9": false}));
        assert_eq!(
            metrics["ws_connecting"],
            json!({"avg": 1.5, "min": 1.5, "med": 1.5, "max": 1.5, "p(90)": 1.5, "p(95)": 1.5})
        );
        assert_eq!(metrics["my_trend"]["thresholds"], json!({" p(99)<1000 ": true, "avg<1": true}));
        assert_eq!(metrics["my_counter{foo:bar}"], json!({"count": 0, "rate": 0}));
        assert_eq!(
            metrics["my_counter{scenario:default}"],
            json!({"count": 12, "rate": 6, "thresholds": {"count>1": false}})
        );
    }

    #[test]
    fn what_is_no_number_in_json_is_text() {
        assert_eq!(number(f64::INFINITY), json!("Infinity"));
        assert_eq!(number(f64::NEG_INFINITY), json!("-Infinity"));
        assert_eq!(number(f64::NAN), json!("NaN"));
    }

    #[test]
    fn groups_and_checks_are_objects_by_name() {
        let all: Value = serde_json::from_str(&render(&report(), &style(), None)).unwrap();
        assert_eq!(all.get("setup_data"), None);
        let root = &all["root_group"];
        assert_eq!(root["id"], "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(root["checks"]["flaky one"]["fails"], 2);
        assert_eq!(root["checks"].as_object().unwrap().len(), 2);
        let grp = &root["groups"]["grp"];
        assert_eq!((grp["path"].as_str(), grp["name"].as_str()), (Some("::grp"), Some("grp")));
        assert_eq!(
            grp["checks"]["in group"],
            json!({"name": "in group", "path": "::grp::in group", "id": "722a41e261c9bada114d0394683a495d",
                "passes": 7, "fails": 0})
        );
        assert_eq!(grp["groups"], json!({}));
    }
}

//! The figures at the end of a test: as text for people ([`text`]), as JSON for programs ([`json`]), as an object for
//! the script's `handleSummary()` ([`data`]); where all that goes ([`files`]); and how far to trust it ([`delay`]).

pub(crate) mod data;
pub(crate) mod delay;
mod faults;
pub(crate) mod files;
pub(crate) mod json;
mod md5;
pub(crate) mod number;
pub(crate) mod text;
mod tree;

use ws_metrics::TrendStat;

use number::TimeUnit;

/// What the user may choose about the report.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// Columns of trends.
    pub(crate) trend_stats: Vec<TrendStat>,
    /// `None` lets each value choose.
    pub(crate) time_unit: Option<TimeUnit>,
    pub(crate) colours: bool,
}

/// Reports made by hand.
#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use ws_metrics::{
        CheckReport, Contains, GroupReport, MetricKind, MetricReport, Report, SinkValue, SubmetricReport,
        ThresholdReport, TrendSink,
    };

    use super::*;

    pub(crate) fn style() -> Style {
        let trend_stats = TrendStat::DEFAULT.iter().map(|stat| TrendStat::parse(stat).unwrap()).collect();
        Style { trend_stats, time_unit: None, colours: false }
    }

    pub(crate) fn counter(sum: f64) -> SinkValue {
        SinkValue::Counter { sum, count: 1 }
    }

    pub(crate) fn trend(values: &[f64]) -> SinkValue {
        let mut sink = TrendSink::new();
        values.iter().for_each(|value| sink.add(*value));
        SinkValue::Trend(sink.summary())
    }

    fn metric(name: &str, contains: Contains, value: SinkValue) -> MetricReport {
        let kind = match value {
            SinkValue::Counter { .. } => MetricKind::Counter,
            SinkValue::Gauge { .. } => MetricKind::Gauge,
            SinkValue::Rate { .. } => MetricKind::Rate,
            SinkValue::Trend(_) => MetricKind::Trend,
        };
        MetricReport {
            name: name.into(),
            kind,
            contains,
            value,
            has_samples: true,
            thresholds: Vec::new(),
            tainted: None,
            submetrics: Vec::new(),
        }
    }

    fn submetric(parent: &str, key: &str, value: &str, figures: SinkValue) -> SubmetricReport {
        SubmetricReport {
            name: format!("{parent}{{{key}:{value}}}"),
            suffix: format!("{key}:{value}"),
            tags: vec![(key.to_owned(), value.to_owned())],
            value: figures,
            has_samples: true,
            thresholds: Vec::new(),
            tainted: None,
        }
    }

    pub(crate) fn threshold(source: &str, aggregation: &str, actual: f64, ok: bool) -> ThresholdReport {
        ThresholdReport {
            source: source.to_owned(),
            ok,
            abort_on_fail: false,
            aggregation: aggregation.to_owned(),
            actual,
        }
    }

    fn check(group: &str, name: &str, passes: u64, fails: u64) -> CheckReport {
        CheckReport { group: group.into(), name: name.into(), passes, fails }
    }

    /// A run with something of everything.
    pub(crate) fn report() -> Report {
        let plain = |name, value| metric(name, Contains::Default, value);
        let mut checks = plain("checks", SinkValue::Rate { trues: 22, total: 24 });
        checks.thresholds = vec![threshold("rate>0.9", "rate", 22.0 / 24.0, true)];
        let mut counter_metric = plain("my_counter", counter(12.0));
        let mut of_default = submetric("my_counter", "scenario", "default", counter(12.0));
        of_default.thresholds = vec![threshold("count>1", "count", 12.0, true)];
        counter_metric.submetrics = vec![submetric("my_counter", "foo", "bar", counter(0.0)), of_default];
        let mut time = metric("my_time", Contains::Time, trend(&[0.000503, 0.5, 244_938.27]));
        time.submetrics = vec![submetric("my_time", "foo", "bar", trend(&[]))];
        let mut my_trend = plain("my_trend", trend(&[1234.5678912, 4938.2715648]));
        my_trend.thresholds = vec![
            threshold(" p(99)<1000 ", "p(99)", 4901.234528, false),
            threshold("avg<1", "avg", 3086.419728, false),
        ];
        let mut received = metric("data_received", Contains::Data, counter(4900.0));
        received.thresholds = vec![threshold("rate<5", "rate", 2450.0, false)];
        Report {
            metrics: vec![
                metric("group_duration", Contains::Time, trend(&[1.0])),
                plain("vus", SinkValue::Gauge { value: 2.0, min: 1.0, max: 2.0 }),
                plain("iterations", counter(8.0)),
                metric("iteration_duration", Contains::Time, trend(&[50.5, 51.26])),
                received,
                metric("data_sent", Contains::Data, counter(0.0)),
                metric("ws_connecting", Contains::Time, trend(&[1.5])),
                plain("ws_sessions", counter(8.0)),
                checks,
                plain("my_rate", SinkValue::Rate { trues: 2, total: 8 }),
                plain("my_gauge", SinkValue::Gauge { value: 4.493827156, min: -1.5, max: 4.493827156 }),
                counter_metric,
                time,
                my_trend,
            ],
            checks: vec![
                check("", "ok", 8, 0),
                check("", "flaky one", 6, 2),
                check("::grp", "in group", 7, 0),
                check("::grp", "ok", 1, 0),
            ],
            groups: vec![GroupReport { path: "::grp".into(), name: "grp".into(), parent: "".into() }],
            crossed: vec!["data_received".to_owned(), "my_trend".to_owned()],
            run_time: Duration::from_secs(2),
            ..Report::default()
        }
    }
}

//! What a run came to, as plain data for whoever writes it down.

use std::sync::Arc;
use std::time::Duration;

use crate::metric::{Contains, MetricKind};
use crate::sink::{SinkValue, per_second};

/// The results of a run, or of the run so far.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Metrics with a sample, a threshold or a named sub-metric, in order of registration.
    pub metrics: Vec<MetricReport>,
    /// Checks in order of first appearance.
    pub checks: Vec<CheckReport>,
    /// Groups in order of first appearance, a group after the one around it; the root is not among them.
    pub groups: Vec<GroupReport>,
    /// Names of metrics and sub-metrics with a threshold that does not hold, sorted.
    pub crossed: Vec<String>,
    /// Time since the run began, setup and teardown included.
    pub run_time: Duration,
    /// How many series (metric and tag set) were kept apart.
    pub series: usize,
    /// Observations that are in the totals but have no series of their own, because there were too many.
    pub unrecorded: u64,
    /// How often a tag was left out because there were too many tag sets.
    pub collapsed_tag_sets: u64,
    /// What became of the outputs.
    pub outputs: Vec<OutputReport>,
}

impl Report {
    /// The metric of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricReport> {
        self.metrics.iter().find(|metric| &*metric.name == name)
    }
}

/// A metric's results.
#[derive(Clone, Debug)]
pub struct MetricReport {
    /// The name.
    pub name: Arc<str>,
    /// How values are aggregated.
    pub kind: MetricKind,
    /// What values stand for.
    pub contains: Contains,
    /// The aggregate.
    pub value: SinkValue,
    /// Whether anything was observed; all figures are 0 if not.
    pub has_samples: bool,
    /// The thresholds on the whole metric, in the order given.
    pub thresholds: Vec<ThresholdReport>,
    /// Whether a threshold failed at the last evaluation; `None` before the first one and without thresholds.
    pub tainted: Option<bool>,
    /// The sub-metrics that were named, or have samples.
    pub submetrics: Vec<SubmetricReport>,
}

/// A sub-metric's results.
#[derive(Clone, Debug)]
pub struct SubmetricReport {
    /// The full name, `metric{tag:value}`.
    pub name: String,
    /// What stands between the braces, as the user wrote it.
    pub suffix: String,
    /// The tags a sample must have, sorted by key.
    pub tags: Vec<(String, String)>,
    /// The aggregate.
    pub value: SinkValue,
    /// Whether anything was observed.
    pub has_samples: bool,
    /// The thresholds, in the order given.
    pub thresholds: Vec<ThresholdReport>,
    /// As for a metric.
    pub tainted: Option<bool>,
}

/// A threshold's result.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdReport {
    /// The expression as the user wrote it.
    pub source: String,
    /// Whether it holds.
    pub ok: bool,
    /// Whether it ends the run when it does not hold.
    pub abort_on_fail: bool,
    /// The figure it is about, as written: `count`, `p(99)`, ...
    pub aggregation: String,
    /// The value of that figure; a rate is 0 to 1, times are milliseconds.
    pub actual: f64,
}

/// How often a check passed and failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Path of the group it is in, `::outer::inner`; empty at the root.
    pub group: Arc<str>,
    /// The check's name.
    pub name: Arc<str>,
    /// How often it passed.
    pub passes: u64,
    /// How often it failed.
    pub fails: u64,
}

/// A group that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReport {
    /// The path, `::outer::inner`.
    pub path: Arc<str>,
    /// The name, the last part of the path.
    pub name: Arc<str>,
    /// The path of the group around it; empty if that is the root.
    pub parent: Arc<str>,
}

/// What became of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputReport {
    /// The output's name.
    pub name: String,
    /// Observations it did not take: its queue was full, or it failed on them.
    pub dropped: u64,
    /// The first thing that went wrong.
    pub error: Option<String>,
}

impl SinkValue {
    /// Per second of a run of this length, for counters; the share of values that are not zero, for rates.
    pub fn rate_over(&self, run_time: Duration) -> f64 {
        match self {
            Self::Counter { sum, .. } => per_second(*sum, run_time.as_secs_f64()),
            other => other.rate(),
        }
    }
}

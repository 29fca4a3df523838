//! Metrics and the parts of them that thresholds speak of: judging them, and reporting them.

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::metric::{MetricInfo, MetricKind};
use crate::report::{MetricReport, SubmetricReport, ThresholdReport};
use crate::sink::Sink;
use crate::tags::TagSet;
use crate::threshold::Selector;

/// A metric at work.
pub(super) struct Metric {
    pub(super) info: MetricInfo,
    pub(super) sink: Sink,
    /// The selectors of this metric, by place.
    parts: Vec<u32>,
    /// Sub-metrics by the first tag that they ask for, key before value, so that a set of tags finds its few among
    /// thousands.
    by_tag: FxHashMap<String, FxHashMap<String, Vec<u32>>>,
}

/// A selector at work.
pub(super) struct Part {
    pub(super) selector: Selector,
    /// `None` if it speaks of the whole metric: then that one's sink counts.
    pub(super) sink: Option<Sink>,
    tainted: Option<bool>,
}

/// What an evaluation of all thresholds found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Names of metrics and sub-metrics with a threshold that does not hold, sorted.
    pub crossed: Vec<String>,
    /// Whether one of them asks for the end of the run.
    pub abort: bool,
}

impl Part {
    pub(super) fn new(selector: Selector, kind: MetricKind) -> Self {
        let sink = selector.is_submetric().then(|| Sink::new(kind));
        Self { selector, sink, tainted: None }
    }

    /// Judges the thresholds and adds what was found to `evaluation`.
    pub(super) fn judge(
        &mut self,
        metrics: &mut [Metric],
        elapsed: Duration,
        finally: bool,
        evaluation: &mut Evaluation,
    ) {
        let Selector { metric, name, thresholds, .. } = &self.selector;
        let sink = self.sink.as_mut().unwrap_or(&mut metrics[metric.index()].sink);
        if thresholds.is_empty() || (sink.is_empty() && !finally) {
            return;
        }
        let mut tainted = false;
        for threshold in thresholds {
            let actual = threshold.expression.aggregation().of(sink, elapsed.as_secs_f64());
            if holds(sink, threshold.expression.holds(actual)) {
                continue;
            }
            tainted = true;
            let due = threshold.delay_abort_eval.is_none_or(|delay| elapsed > delay);
            evaluation.abort |= threshold.abort_on_fail && due;
        }
        self.tainted = Some(tainted);
        if tainted {
            evaluation.crossed.push(name.clone());
        }
    }
}

impl Metric {
    pub(super) fn new(info: MetricInfo) -> Self {
        Self { sink: Sink::new(info.kind), info, parts: Vec::new(), by_tag: FxHashMap::default() }
    }

    /// Takes on the selector at this place.
    pub(super) fn add_part(&mut self, place: u32, selector: &Selector) {
        self.parts.push(place);
        if let Some((key, value)) = selector.tags.first() {
            let of_key = self.by_tag.entry(key.clone()).or_default();
            of_key.entry(value.clone()).or_default().push(place);
        }
    }

    /// The places of the sub-metrics that samples with these tags belong to.
    pub(super) fn parts_of(&self, tags: &TagSet, parts: &[Part]) -> Box<[u32]> {
        let of_tag = |(key, value): (&str, &str)| self.by_tag.get(key).and_then(|of_key| of_key.get(value));
        let candidates = tags.iter().filter_map(of_tag).flatten().copied();
        candidates.filter(|&place| parts[place as usize].selector.matches(tags)).collect()
    }

    /// `None` if there is nothing to tell.
    pub(super) fn report(&mut self, parts: &mut [Part], run_seconds: f64) -> Option<MetricReport> {
        let mut shown = !self.sink.is_empty();
        let mut submetrics = Vec::new();
        let (mut thresholds, mut tainted) = (Vec::new(), None);
        for &place in &self.parts {
            let Part { selector, sink, tainted: part_tainted } = &mut parts[place as usize];
            shown |= selector.named;
            let Some(sink) = sink else {
                thresholds = judged(selector, &mut self.sink, run_seconds);
                tainted = *part_tainted;
                continue;
            };
            let has_samples = !sink.is_empty();
            if selector.named || has_samples {
                submetrics.push(SubmetricReport {
                    name: selector.name.clone(),
                    suffix: selector.suffix.clone(),
                    tags: selector.tags.clone(),
                    thresholds: judged(selector, sink, run_seconds),
                    value: sink.value(),
                    has_samples,
                    tainted: *part_tainted,
                });
            }
        }
        shown.then(|| MetricReport {
            name: self.info.name.clone(),
            kind: self.info.kind,
            contains: self.info.contains,
            value: self.sink.value(),
            has_samples: !self.sink.is_empty(),
            thresholds,
            tainted,
            submetrics,
        })
    }
}

fn judged(selector: &Selector, sink: &mut Sink, run_seconds: f64) -> Vec<ThresholdReport> {
    let mut reports = Vec::with_capacity(selector.thresholds.len());
    for threshold in &selector.thresholds {
        let aggregation = threshold.expression.aggregation();
        let actual = aggregation.of(sink, run_seconds);
        reports.push(ThresholdReport {
            source: threshold.source.clone(),
            ok: holds(sink, threshold.expression.holds(actual)),
            abort_on_fail: threshold.abort_on_fail,
            aggregation: aggregation.to_string(),
            actual,
        });
    }
    reports
}

/// A rate of nothing passes whatever is asked of it.
fn holds(sink: &Sink, comparison: bool) -> bool {
    comparison || matches!(sink, Sink::Rate { total: 0, .. })
}

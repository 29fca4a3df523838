//! Samples to handles of the `metrics` facade, one set of handles per series.

use metrics::{Counter, Gauge, Histogram, Label};
use rustc_hash::FxHashMap;

use crate::aggregator::Observed;
use crate::metric::{Contains, MetricId, MetricInfo, MetricKind};
use crate::prometheus::PrometheusView;
use crate::tags::TagSet;
use crate::time::Timestamp;

/// Gives series a place in a [`PrometheusView`].
pub(crate) struct Bridge {
    view: PrometheusView,
    unrecorded: Counter,
    /// Names in use and who uses them, because a script may name its metrics so that two would become one.
    names: FxHashMap<String, Option<MetricId>>,
}

/// The handles of one series.
pub(crate) enum Exposed {
    Counter(Whole),
    Gauge { handle: Gauge, last: Option<Timestamp> },
    Rate { trues: Counter, total: Counter },
    Trend { handle: Histogram, factor: f64 },
}

/// A counter of whole numbers fed with any: it shows what has added up.
pub(crate) struct Whole {
    handle: Counter,
    sum: f64,
    shown: u64,
}

impl Bridge {
    pub(crate) fn new(view: PrometheusView) -> Self {
        let names = FxHashMap::from_iter([(PrometheusView::reserved().to_owned(), None)]);
        Self { unrecorded: view.unrecorded(), view, names }
    }

    pub(crate) fn expose(&mut self, metric: &MetricInfo, tags: &TagSet) -> Exposed {
        let labels = || labels(tags);
        let help = help(metric);
        match metric.kind {
            MetricKind::Counter => {
                let name = self.name(metric, "_total");
                Exposed::Counter(Whole::new(self.view.counter(&name, &help, labels())))
            }
            MetricKind::Gauge => {
                let name = self.name(metric, "");
                Exposed::Gauge { handle: self.view.gauge(&name, &help, labels()), last: None }
            }
            MetricKind::Rate => {
                let (trues, total) = (self.name(metric, "_trues_total"), self.name(metric, "_total"));
                Exposed::Rate {
                    trues: self.view.counter(&trues, &format!("{help}: how many were true"), labels()),
                    total: self.view.counter(&total, &format!("{help}: how many there were"), labels()),
                }
            }
            MetricKind::Trend => {
                let (suffix, factor) = match metric.contains {
                    Contains::Time => ("_seconds", 1e-3),
                    Contains::Data => ("_bytes", 1.0),
                    // The renderer takes such an ending for the suffix it was about to write.
                    Contains::Default
                        if ["sum", "count", "bucket"].iter().any(|end| metric.name.ends_with(end)) =>
                    {
                        ("_value", 1.0)
                    }
                    Contains::Default => ("", 1.0),
                };
                let name = self.name(metric, suffix);
                Exposed::Trend { handle: self.view.histogram(&name, &help, labels()), factor }
            }
        }
    }

    pub(crate) fn unrecorded(&self, observations: u64) {
        self.unrecorded.increment(observations);
    }

    pub(crate) fn upkeep(&self) {
        self.view.upkeep();
    }

    /// The metric's name with this suffix, made different if another metric has it already.
    fn name(&mut self, metric: &MetricInfo, suffix: &str) -> String {
        let mut stem = format!("k6_{}", metric.name);
        loop {
            let name = format!("{stem}{suffix}");
            let owner = self.names.entry(name.clone()).or_insert(Some(metric.id));
            if *owner == Some(metric.id) {
                return name;
            }
            stem.push('_');
        }
    }
}

impl Exposed {
    pub(crate) fn record(&mut self, observed: Observed) {
        match (self, observed) {
            (Self::Counter(whole), Observed::One { value, .. }) => whole.add(value),
            (Self::Counter(whole), Observed::Sum { sum, .. }) => whole.add(sum),
            (Self::Gauge { handle, last }, Observed::One { value, time }) => {
                if last.is_none_or(|last| last <= time) {
                    *last = Some(time);
                    handle.set(value);
                }
            }
            (Self::Rate { trues, total }, observed) => {
                trues.increment(observed.trues());
                total.increment(observed.count());
            }
            (Self::Trend { handle, factor }, Observed::One { value, .. }) => handle.record(value * *factor),
            (Self::Gauge { .. } | Self::Trend { .. }, Observed::Sum { .. }) => {
                debug_assert!(false, "gauges and trends are not summed");
            }
        }
    }
}

impl Whole {
    fn new(handle: Counter) -> Self {
        Self { handle, sum: 0.0, shown: 0 }
    }

    fn add(&mut self, value: f64) {
        self.sum += value;
        // Incremented, not set: tag sets that differ in empty tags only share a handle.
        let whole = self.sum.max(0.0) as u64;
        self.handle.increment(whole.saturating_sub(self.shown));
        self.shown = self.shown.max(whole);
    }
}

fn help(metric: &MetricInfo) -> String {
    let text = match metric.help {
        "" => format!("Metric {} of the script", metric.name),
        text => text.to_owned(),
    };
    match (metric.kind, metric.contains) {
        (MetricKind::Counter | MetricKind::Gauge, Contains::Time) => format!("{text}, in milliseconds"),
        (MetricKind::Counter | MetricKind::Gauge, Contains::Data) if metric.help.is_empty() => {
            format!("{text}, in bytes")
        }
        _ => text,
    }
}

/// Tags as labels. Keys become legal and stay different; values are prepared for a renderer that takes a single
/// backslash for the beginning of an escape.
fn labels(tags: &TagSet) -> Vec<Label> {
    let mut labels: Vec<(String, String)> = Vec::with_capacity(tags.len());
    for (key, value) in tags.iter().filter(|(_, value)| !value.is_empty()) {
        let mut key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        // `le` and `quantile` belong to histograms and summaries, two underscores to Prometheus itself.
        let taken = matches!(key.as_str(), "" | "le" | "quantile") || key.starts_with("__");
        if taken || key.as_bytes()[0].is_ascii_digit() {
            key.insert_str(0, "tag_");
        }
        while labels.iter().any(|(have, _)| *have == key) {
            key.push('_');
        }
        labels.push((key, value.replace('\\', "\\\\")));
    }
    labels.into_iter().map(|(key, value)| Label::new(key, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;
    use crate::tags::TagSets;

    fn one(value: f64) -> Observed {
        Observed::One { value, time: Timestamp::default() }
    }

    #[test]
    fn labels_are_legal_and_different() {
        let sets = TagSets::new();
        let id =
            sets.intern(&[("a-b", "1"), ("a_b", "2"), ("le", "3"), ("__x", "4"), ("9", "5"), ("empty", "")]);
        let labels: Vec<_> =
            labels(&sets.get(id)).iter().map(|l| format!("{}={}", l.key(), l.value())).collect();
        assert_eq!(labels, ["tag_9=5", "tag___x=4", "a_b=1", "a_b_=2", "tag_le=3"]);
    }

    #[test]
    fn metrics_that_would_share_a_name_do_not() {
        let registry = Registry::new();
        let mut bridge = Bridge::new(PrometheusView::new());
        for (name, kind) in [
            ("mine", MetricKind::Rate),
            ("mine_trues", MetricKind::Counter),
            ("unrecorded_observations", MetricKind::Counter),
            ("checksum", MetricKind::Trend),
        ] {
            let id = registry.register(name, kind, Contains::Default).unwrap();
            bridge.expose(&registry.info(id), &TagSet::default()).record(one(1.0));
        }
        let text = bridge.view.render();
        for line in [
            "k6_mine_total 1",
            "k6_mine_trues_total 1",
            "k6_mine_trues__total 1",
            "k6_unrecorded_observations_total 0",
            "k6_unrecorded_observations__total 1",
            "k6_checksum_value_sum 1",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn counters_show_what_has_added_up() {
        let registry = Registry::new();
        let id = registry.register("mine", MetricKind::Counter, Contains::Default).unwrap();
        let mut bridge = Bridge::new(PrometheusView::new());
        let mut series = bridge.expose(&registry.info(id), &TagSet::default());
        for (value, shown) in [(0.5, 0), (0.75, 1), (-1.0, 1), (0.5, 1), (2.25, 3)] {
            series.record(one(value));
            let line = format!("k6_mine_total {shown}\n");
            assert!(bridge.view.render().contains(&line), "after {value} not {line}");
        }
    }
}

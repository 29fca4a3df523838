//! Samples to handles of the `metrics` facade, one set of handles per series.

use metrics::{Counter, Gauge, Histogram, Label};
use rustc_hash::FxHashMap;

use crate::aggregator::Observed;
use crate::builtin;
use crate::metric::{Contains, MetricId, MetricInfo, MetricKind};
use crate::prometheus::PrometheusView;
use crate::tags::TagSet;
use crate::time::Timestamp;

/// Gives series a place in a [`PrometheusView`], until they fill it. What comes then is added up in one series per
/// metric, with the label `overflow="true"`, so that sums over all series stay right.
pub(crate) struct Bridge {
    view: PrometheusView,
    unrecorded: Counter,
    /// About how many bytes the series take when they are written out.
    size: usize,
    /// By metric index: where observations without a series of their own go; `None` until there is one.
    rest: Vec<Option<Rest>>,
    /// Names in use and who uses them, because a script may name its metrics so that two would become one.
    names: FxHashMap<String, Option<MetricId>>,
}

/// What there is for the observations of a metric that have no series of their own.
enum Rest {
    Shown(Exposed),
    /// They are only counted.
    Nothing,
}

/// The label of series for what has no series of its own.
const OVERFLOW: &str = "overflow";

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
        Self { unrecorded: view.unrecorded(), view, size: 0, rest: Vec::new(), names }
    }

    /// A series of its own for these tags; `None` if the view is full.
    pub(crate) fn expose(&mut self, metric: &MetricInfo, tags: &TagSet) -> Option<Exposed> {
        // A script that makes too many series of its own must not hide what is there without it.
        let is_builtin = metric.id.index() < builtin::TABLE.len();
        let room = if is_builtin { self.with_reserve() } else { self.view.max_size() };
        self.within(room, metric, labels(tags))
    }

    fn with_reserve(&self) -> usize {
        self.view.max_size() / 8 * 9
    }

    /// Takes an observation that has no series of its own.
    pub(crate) fn observe(&mut self, metric: &MetricInfo, observed: Observed) {
        self.unrecorded.increment(observed.count());
        let index = metric.id.index();
        if self.rest.len() <= index {
            self.rest.resize_with(index + 1, || None);
        }
        if self.rest[index].is_none() {
            // The last value of any of many gauges says nothing. A script may have very many metrics, too.
            let shown = (metric.kind != MetricKind::Gauge)
                .then(|| {
                    self.within(self.with_reserve(), metric, vec![Label::from_static_parts(OVERFLOW, "true")])
                })
                .flatten();
            self.rest[index] = Some(shown.map_or(Rest::Nothing, Rest::Shown));
        }
        if let Some(Rest::Shown(exposed)) = &mut self.rest[index] {
            exposed.record(observed);
        }
    }

    /// A series, if all of them stay within `room` bytes.
    fn within(&mut self, room: usize, metric: &MetricInfo, labels: Vec<Label>) -> Option<Exposed> {
        let labelled: usize =
            labels.iter().map(|label| label.key().len() + label.value().len() + "=\"\",".len()).sum();
        let (lines, suffix) = match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => (1, "_total"),
            MetricKind::Rate => (2, "_trues_total"),
            MetricKind::Trend => (self.view.lines_of_histogram(), "_seconds_bucketle=\"0.00025\","),
        };
        let unlabelled = metric.name.len() + suffix.len() + "k6_{} 12345\n".len();
        let size = self.size + lines * (unlabelled + labelled);
        if size > room {
            return None;
        }
        self.size = size;
        Some(self.series(metric, labels))
    }

    fn series(&mut self, metric: &MetricInfo, labels: Vec<Label>) -> Exposed {
        let labels = || labels.clone();
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
        let taken = matches!(key.as_str(), "" | "le" | "quantile" | OVERFLOW) || key.starts_with("__");
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
            bridge.expose(&registry.info(id), &TagSet::default()).unwrap().record(one(1.0));
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
    fn a_full_view_adds_up_the_rest() {
        let (registry, sets) = (Registry::new(), TagSets::new());
        let mut bridge = Bridge::new(PrometheusView::with_max_size(50_000));
        let kinds = [
            ("my_counter", MetricKind::Counter),
            ("my_rate", MetricKind::Rate),
            ("my_trend", MetricKind::Trend),
            ("my_gauge", MetricKind::Gauge),
        ];
        let metrics = kinds
            .map(|(name, kind)| registry.info(registry.register(name, kind, Contains::Default).unwrap()));
        let mut left_out = 0;
        for id in 0..500 {
            for metric in &metrics {
                let tags = sets.get(sets.intern(&[("id", id.to_string())]));
                match bridge.expose(metric, &tags) {
                    Some(mut series) => series.record(one(1.0)),
                    None => {
                        left_out += 1;
                        bridge.observe(metric, one(1.0));
                    }
                }
            }
        }
        assert!((500..2000).contains(&left_out), "{left_out}");
        let text = bridge.view.render();
        assert!((30_000..56_250).contains(&text.len()), "{}", text.len());
        assert!(text.contains(&format!("k6_unrecorded_observations_total {left_out}\n")), "{text}");
        for name in ["k6_my_counter_total", "k6_my_rate_total", "k6_my_rate_trues_total", "k6_my_trend_count"]
        {
            let of_name = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
            let sum: u64 = of_name.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
            assert_eq!(sum, 500, "{name}");
            assert!(text.contains(&format!("{name}{{overflow=\"true\"}}")), "{name}");
        }
        assert!(!text.contains("k6_my_gauge{overflow"), "{text}");
    }

    #[test]
    fn counters_show_what_has_added_up() {
        let registry = Registry::new();
        let id = registry.register("mine", MetricKind::Counter, Contains::Default).unwrap();
        let mut bridge = Bridge::new(PrometheusView::new());
        let mut series = bridge.expose(&registry.info(id), &TagSet::default()).unwrap();
        for (value, shown) in [(0.5, 0), (0.75, 1), (-1.0, 1), (0.5, 1), (2.25, 3)] {
            series.record(one(value));
            let line = format!("k6_mine_total {shown}\n");
            assert!(bridge.view.render().contains(&line), "after {value} not {line}");
        }
    }
}

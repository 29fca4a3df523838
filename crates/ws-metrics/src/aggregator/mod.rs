//! Samples to sinks: the one place where observations of all groups come together.

mod part;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

pub use self::part::Evaluation;
use self::part::{Metric, Part};
use crate::bridge::{Bridge, Exposed};
use crate::buffer::Batch;
use crate::builtin;
use crate::checks::CheckBook;
use crate::metric::MetricId;
#[cfg(feature = "prometheus")]
use crate::prometheus::PrometheusView;
use crate::registry::Registry;
use crate::report::Report;
use crate::sink::Sink;
use crate::system_tags::SystemTag;
use crate::tags::{TagSetId, TagSets};
use crate::threshold::Thresholds;
use crate::time::Timestamp;
use crate::warning::Warning;

/// Folds batches into aggregates and judges thresholds. It knows no clock and no thread;
/// [`Pipeline`](crate::Pipeline) gives it both.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use ws_metrics::*;
///
/// let registry = Arc::new(Registry::new());
/// let wanted = [("ws_msgs_sent".to_owned(), vec!["count > 2".into()])];
/// let thresholds = Thresholds::parse(wanted, &registry, false)?;
/// let mut aggregator = Aggregator::new(registry, Arc::new(TagSets::new()), thresholds, 100_000);
///
/// let mut buffer = SampleBuffer::new(Detail::Summed);
/// buffer.add(builtin::WS_MSGS_SENT, TagSetId::EMPTY, Metadata::EMPTY, Timestamp::from_nanos(1), 2.0);
/// aggregator.fold(&buffer.take());
/// assert_eq!(aggregator.evaluate(Duration::from_secs(2)).crossed, ["ws_msgs_sent"]);
/// # Ok::<(), ThresholdError>(())
/// ```
pub struct Aggregator {
    registry: Arc<Registry>,
    tag_sets: Arc<TagSets>,
    /// By metric index.
    metrics: Vec<Metric>,
    /// By place, as [`Metric::parts`] and [`Series::parts`] name them.
    parts: Vec<Part>,
    series: Vec<Series>,
    places: FxHashMap<(MetricId, TagSetId), u32>,
    /// The series of the observation before: the next one is often of the same.
    last: Option<((MetricId, TagSetId), u32)>,
    max_series: usize,
    unrecorded: u64,
    /// Not asked for yet.
    warnings: Vec<Warning>,
    /// Whether users know that tags were left out.
    told_of_collapse: bool,
    /// Whether users know that the view is full.
    told_of_full_view: bool,
    checks: CheckBook,
    bridge: Option<Bridge>,
}

/// What is known of a (metric, tag set), so that tags are looked at once.
struct Series {
    /// The sub-metrics its samples belong to.
    parts: Box<[u32]>,
    check: Option<usize>,
    exposed: Option<Exposed>,
}

/// One observation or several that were added up.
#[derive(Clone, Copy)]
pub(crate) enum Observed {
    One { value: f64, time: Timestamp },
    Sum { sum: f64, count: u64 },
}

impl Observed {
    fn fold_into(self, sink: &mut Sink) {
        match self {
            Self::One { value, time } => sink.add(value, time),
            Self::Sum { sum, count } => sink.add_sum(sum, count),
        }
    }

    pub(crate) fn count(self) -> u64 {
        match self {
            Self::One { .. } => 1,
            Self::Sum { count, .. } => count,
        }
    }

    /// Of a rate: how many were not zero.
    pub(crate) fn trues(self) -> u64 {
        match self {
            Self::One { value, .. } => u64::from(value != 0.0),
            Self::Sum { sum, .. } => sum as u64,
        }
    }
}

impl Aggregator {
    /// An aggregator for the metrics of `registry`. More than `max_series` different (metric, tag set) are
    /// still added up but no longer kept apart.
    pub fn new(
        registry: Arc<Registry>,
        tag_sets: Arc<TagSets>,
        thresholds: Thresholds,
        max_series: usize,
    ) -> Self {
        let mut aggregator = Self {
            registry,
            tag_sets,
            metrics: Vec::new(),
            parts: Vec::new(),
            series: Vec::new(),
            places: FxHashMap::default(),
            last: None,
            max_series,
            unrecorded: 0,
            warnings: Vec::new(),
            told_of_collapse: false,
            told_of_full_view: false,
            checks: CheckBook::new(max_series),
            bridge: None,
        };
        aggregator.learn_metrics();
        for selector in thresholds.into_selectors() {
            let place = aggregator.parts.len() as u32;
            let metric = &mut aggregator.metrics[selector.metric.index()];
            metric.add_part(place, &selector);
            let kind = metric.info.kind;
            aggregator.parts.push(Part::new(selector, kind));
        }
        aggregator
    }

    /// Shows every series in a Prometheus view as well.
    #[cfg(feature = "prometheus")]
    #[must_use]
    pub fn with_view(mut self, view: PrometheusView) -> Self {
        self.bridge = Some(Bridge::new(view));
        self
    }

    /// Takes in a batch.
    pub fn fold(&mut self, batch: &Batch) {
        for sum in batch.sums() {
            self.observe(sum.metric, sum.tags, Observed::Sum { sum: sum.sum, count: sum.count });
        }
        for sample in batch.samples() {
            let observed = Observed::One { value: sample.value, time: sample.time };
            self.observe(sample.metric, sample.tags, observed);
        }
        if !self.told_of_collapse && self.tag_sets.collapsed() > 0 {
            self.told_of_collapse = true;
            self.warnings.push(Warning::TooManyTagSets { limit: self.tag_sets.len() });
        }
    }

    /// Judges all thresholds during the run, `elapsed` after its beginning. Metrics without samples are left
    /// alone.
    pub fn evaluate(&mut self, elapsed: Duration) -> Evaluation {
        self.judge(elapsed, false)
    }

    /// Judges all thresholds at the end of the run. Of metrics without samples rates pass, the others count
    /// as 0.
    pub fn evaluate_finally(&mut self, run_time: Duration) -> Evaluation {
        self.judge(run_time, true)
    }

    /// What came out so far. [`Report::crossed`] and [`Report::outputs`] are left to the caller.
    pub fn report(&mut self, run_time: Duration) -> Report {
        let Self { metrics, parts, .. } = self;
        let seconds = run_time.as_secs_f64();
        let reports = metrics.iter_mut().filter_map(|metric| metric.report(parts, seconds)).collect();
        Report {
            metrics: reports,
            checks: self.checks.checks().to_vec(),
            groups: self.checks.groups().to_vec(),
            crossed: Vec::new(),
            run_time,
            series: self.series.len(),
            unrecorded: self.unrecorded,
            collapsed_tag_sets: self.tag_sets.collapsed(),
            outputs: Vec::new(),
        }
    }

    /// What users should know of. To be asked for after each batch until there is nothing more.
    pub fn take_warning(&mut self) -> Option<Warning> {
        self.warnings.pop()
    }

    /// Lets the Prometheus view digest what it was given. To be called every few seconds: without it, and
    /// without a scrape, the view holds on to every single value.
    pub fn upkeep(&self) {
        if let Some(bridge) = &self.bridge {
            bridge.upkeep();
        }
    }

    fn observe(&mut self, metric: MetricId, tags: TagSetId, observed: Observed) {
        if metric.index() >= self.metrics.len() {
            self.learn_metrics();
        }
        observed.fold_into(&mut self.metrics[metric.index()].sink);
        let key = (metric, tags);
        let place = match self.last {
            Some((last, place)) if last == key => Some(place),
            _ => self.places.get(&key).copied(),
        };
        let Some(place) = place.or_else(|| self.open_series(key)) else {
            let mut passing = self.describe(key, false);
            self.unrecorded += observed.count();
            passing.fold(observed, &mut self.parts, &mut self.checks);
            return self.expose_rest(metric, observed);
        };
        self.last = Some((key, place));
        let series = &mut self.series[place as usize];
        series.fold(observed, &mut self.parts, &mut self.checks);
        if series.exposed.is_none() {
            self.expose_rest(metric, observed);
        }
    }

    /// Shows an observation that has no series of its own in the view, if there is a view.
    fn expose_rest(&mut self, metric: MetricId, observed: Observed) {
        if let Some(bridge) = &mut self.bridge {
            bridge.observe(&self.metrics[metric.index()].info, observed);
        }
    }

    /// Makes a series of its own for the key, unless there are too many.
    fn open_series(&mut self, key: (MetricId, TagSetId)) -> Option<u32> {
        if self.series.len() >= self.max_series {
            if self.unrecorded == 0 {
                self.warnings.push(Warning::TooManySeries { limit: self.max_series });
            }
            return None;
        }
        let series = self.describe(key, true);
        let place = self.series.len() as u32;
        self.series.push(series);
        self.places.insert(key, place);
        Some(place)
    }

    /// Looks at the tags of a key: which sub-metrics, which check, which group.
    fn describe(&mut self, (metric, tags): (MetricId, TagSetId), keep: bool) -> Series {
        let set = self.tag_sets.get(tags);
        let known = &self.metrics[metric.index()];
        let parts = known.parts_of(&set, &self.parts);
        let mut check = None;
        if metric == builtin::CHECKS || metric == builtin::GROUP_DURATION {
            let group = set.get(SystemTag::Group.as_str()).cloned().unwrap_or_default();
            self.checks.group(&group);
            if metric == builtin::CHECKS
                && let Some(name) = set.get(SystemTag::Check.as_str())
            {
                check = self.checks.check(&group, name);
            }
        }
        let exposed = match &mut self.bridge {
            Some(bridge) if keep => {
                let exposed = bridge.expose(&known.info, &set);
                if exposed.is_none() && !self.told_of_full_view {
                    self.told_of_full_view = true;
                    self.warnings.push(Warning::PrometheusFull);
                }
                exposed
            }
            _ => None,
        };
        Series { parts, check, exposed }
    }

    fn judge(&mut self, elapsed: Duration, finally: bool) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for part in &mut self.parts {
            part.judge(&mut self.metrics, elapsed, finally, &mut evaluation);
        }
        evaluation.crossed.sort();
        evaluation
    }

    fn learn_metrics(&mut self) {
        for info in self.registry.all().into_iter().skip(self.metrics.len()) {
            self.metrics.push(Metric::new(info));
        }
    }
}

impl fmt::Debug for Aggregator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregator").field("series", &self.series.len()).finish_non_exhaustive()
    }
}

impl Series {
    fn fold(&mut self, observed: Observed, parts: &mut [Part], checks: &mut CheckBook) {
        for &place in &self.parts {
            if let Some(sink) = &mut parts[place as usize].sink {
                observed.fold_into(sink);
            }
        }
        if let Some(check) = self.check {
            checks.record(check, observed.trues(), observed.count());
        }
        if let Some(exposed) = &mut self.exposed {
            exposed.record(observed);
        }
    }
}

#[cfg(test)]
mod tests;

//! The Prometheus view: a recorder of our own, buckets per unit, rendered text.

use std::fmt;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Seconds: from the echo of a local server to a slow service.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
];
/// Seconds of what lasts: sessions and iterations.
const LONG_SECONDS: &[f64] =
    &[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
/// Bytes, from a short message to a large one.
const BYTES: &[f64] =
    &[64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0];
/// Numbers of unknown meaning.
const NUMBERS: &[f64] = &[
    0.001, 0.01, 0.1, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0,
    100000.0, 1000000.0,
];
/// Histograms that get [`LONG_SECONDS`].
const LONG: [&str; 3] = ["k6_ws_session_duration", "k6_iteration_duration", "k6_group_duration"];

/// About how many bytes the text may have before further series are added up: so much is written in some 0.2 s.
const MAX_SIZE: usize = 8 << 20;

const UNRECORDED: &str = "k6_unrecorded_observations_total";

/// A live view of all series for Prometheus to scrape. Cheap to clone; render it from any thread.
///
/// Names are `k6_` and the metric's name with a suffix: counters `_total`; rates two counters, `_total` for all
/// values and `_trues_total` for those that are not zero; trends histograms, in `_seconds` for times and
/// `_bytes` for data; gauges none. Tags are labels, those with an empty value left out, as in k6's remote write.
///
/// A text of about 8 MiB is full. Further series are added up in one per metric that has no label but
/// `overflow="true"`; sums over all series stay right, and `k6_unrecorded_observations_total` says how many
/// observations have no series of their own. Gauges are left out then.
///
/// The numbers of a counter are whole and never fall: fractions show when they have added up, what goes below
/// zero does not show.
///
/// # Examples
///
/// ```
/// let view = ws_metrics::PrometheusView::new();
/// assert!(view.render().contains("# TYPE k6_unrecorded_observations_total counter"));
/// ```
#[derive(Clone)]
pub struct PrometheusView {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    max_size: usize,
}

impl PrometheusView {
    /// A view without series, on a recorder that is not installed globally.
    pub fn new() -> Self {
        Self::with_max_size(MAX_SIZE)
    }

    /// As [`new`](Self::new), but full with about this many bytes of text.
    pub fn with_max_size(max_size: usize) -> Self {
        let mut builder = PrometheusBuilder::new().set_buckets(NUMBERS).expect("there are buckets");
        let by_unit = [("_seconds", SECONDS), ("_bytes", BYTES)];
        for (suffix, buckets) in by_unit {
            let matcher = Matcher::Suffix(suffix.to_owned());
            builder = builder.set_buckets_for_metric(matcher, buckets).expect("there are buckets");
        }
        for name in LONG {
            let matcher = Matcher::Full(format!("{name}_seconds"));
            builder = builder.set_buckets_for_metric(matcher, LONG_SECONDS).expect("there are buckets");
        }
        let recorder = Arc::new(builder.build_recorder());
        let view = Self { handle: recorder.handle(), recorder, max_size };
        // Shown from the beginning: a counter that appears with its first increment hides it from `rate()`.
        view.unrecorded().absolute(0);
        view
    }

    /// All series in the Prometheus text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    pub(crate) fn max_size(&self) -> usize {
        self.max_size
    }

    /// At most: buckets, the last of them without an end, sum and count.
    pub(crate) fn lines_of_histogram(&self) -> usize {
        [SECONDS, LONG_SECONDS, BYTES, NUMBERS].map(<[f64]>::len).into_iter().max().unwrap_or(0) + 3
    }

    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    pub(crate) fn unrecorded(&self) -> Counter {
        let help = "Observations without a series of their own, because there are too many series";
        self.counter(UNRECORDED, help, Vec::new())
    }

    pub(crate) fn counter(&self, name: &str, help: &str, labels: Vec<Label>) -> Counter {
        self.recorder.describe_counter(KeyName::from(name.to_owned()), None, help.to_owned().into());
        self.recorder.register_counter(&Key::from_parts(name.to_owned(), labels), &METADATA)
    }

    pub(crate) fn gauge(&self, name: &str, help: &str, labels: Vec<Label>) -> Gauge {
        self.recorder.describe_gauge(KeyName::from(name.to_owned()), None, help.to_owned().into());
        self.recorder.register_gauge(&Key::from_parts(name.to_owned(), labels), &METADATA)
    }

    pub(crate) fn histogram(&self, name: &str, help: &str, labels: Vec<Label>) -> Histogram {
        self.recorder.describe_histogram(KeyName::from(name.to_owned()), None, help.to_owned().into());
        self.recorder.register_histogram(&Key::from_parts(name.to_owned(), labels), &METADATA)
    }

    /// A name the view keeps for itself.
    pub(crate) const fn reserved() -> &'static str {
        UNRECORDED
    }
}

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, None);

impl Default for PrometheusView {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PrometheusView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusView").finish_non_exhaustive()
    }
}

//! All samples as JSON lines, in the shape of k6's `--out json`.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use ws_metrics::duration::GoDuration;
use ws_metrics::{
    Batch, MetricId, Output, Registry, Sample, TagSetId, TagSets, Threshold, Thresholds, Timestamp,
};

use crate::summary::number::not_finite;

use crate::failpoint;

/// What is written shows up in the file at the latest this much later.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Writes one line for each sample, and before the first of a metric one that describes the metric.
pub(crate) struct JsonLines {
    name: String,
    thresholds: Thresholds,
    described: HashSet<MetricId>,
    /// Tag sets as JSON; there are far fewer of them than samples.
    tags: HashMap<TagSetId, String>,
    file: Arc<Mutex<Destination>>,
    flusher: Option<(Sender<()>, JoinHandle<()>)>,
    line: String,
}

type Destination = BufWriter<Box<dyn Write + Send>>;

impl JsonLines {
    /// Writes to `file`; `name` is for messages.
    ///
    /// # Errors
    ///
    /// Those of starting a thread, which flushes when there is nothing to write.
    pub(crate) fn new(name: String, file: Box<dyn Write + Send>, thresholds: Thresholds) -> io::Result<Self> {
        let file = Arc::new(Mutex::new(BufWriter::with_capacity(64 << 10, file)));
        let (stop, stopped) = mpsc::channel();
        let flushed = Arc::clone(&file);
        let thread = std::thread::Builder::new().name("json flush".to_owned()).spawn(move || {
            while stopped.recv_timeout(FLUSH_EVERY) == Err(RecvTimeoutError::Timeout) {
                // A failure comes back with the next write, which can report it.
                let _ = flushed.lock().flush();
                failpoint::here("json flush");
            }
        })?;
        Ok(Self {
            name,
            thresholds,
            described: HashSet::new(),
            tags: HashMap::new(),
            file,
            flusher: Some((stop, thread)),
            line: String::new(),
        })
    }

    fn describe(&self, metric: MetricId, registry: &Registry) -> Value {
        let info = registry.info(metric);
        let thresholds: Vec<_> = self.thresholds.of_metric(metric).iter().map(threshold).collect();
        let submetrics: Vec<Value> = self
            .thresholds
            .submetrics(metric)
            .map(|sub| {
                let tags: Map<_, _> =
                    sub.tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
                json!({"name": sub.name, "suffix": sub.suffix, "tags": tags})
            })
            .collect();
        json!({
            "type": "Metric",
            "data": {
                "name": &*info.name,
                "type": info.kind.as_str(),
                "contains": info.contains.as_str(),
                "thresholds": thresholds,
                "submetrics": if submetrics.is_empty() { Value::Null } else { submetrics.into() },
            },
            "metric": &*info.name,
        })
    }

    fn point(&mut self, sample: &Sample, registry: &Registry, tag_sets: &TagSets) {
        use std::fmt::Write;
        let name = registry.info(sample.metric).name;
        let tags = self.tags.entry(sample.tags).or_insert_with(|| {
            let tags: Map<_, _> =
                tag_sets.get(sample.tags).iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
            Value::Object(tags).to_string()
        });
        // Writing to a string cannot fail. Names of metrics need no escaping: letters, digits, underscores.
        let _ = write!(
            self.line,
            "{{\"metric\":\"{name}\",\"type\":\"Point\",\"data\":{{\"time\":\"{}\",\"value\":{},\"tags\":{tags}",
            rfc3339(sample.time),
            number(sample.value),
        );
        if !sample.metadata.is_empty() {
            let pairs: Map<_, _> = sample
                .metadata
                .to_pairs(tag_sets)
                .into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect();
            let _ = write!(self.line, ",\"metadata\":{}", Value::Object(pairs));
        }
        self.line.push_str("}}\n");
    }
}

impl Output for JsonLines {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn batch(&mut self, batch: &Arc<Batch>, registry: &Registry, tag_sets: &TagSets) -> io::Result<()> {
        failpoint::here("output");
        self.line.clear();
        for sample in batch.samples() {
            if self.described.insert(sample.metric) {
                let description = self.describe(sample.metric, registry);
                self.line.push_str(&description.to_string());
                self.line.push('\n');
            }
            self.point(sample, registry, tag_sets);
        }
        self.file.lock().write_all(self.line.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some((stop, thread)) = self.flusher.take() {
            drop(stop);
            // A panic there has been reported where it happened, and this flush replaces its last one.
            let _ = thread.join();
        }
        self.file.lock().flush()
    }
}

/// As k6: one that ends the run has the form of an object.
fn threshold(threshold: &Threshold) -> Value {
    if !threshold.abort_on_fail {
        return threshold.source.as_str().into();
    }
    let delay = threshold
        .delay_abort_eval
        .map(|delay| GoDuration::from_nanos(i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX)).to_string());
    json!({"threshold": threshold.source, "abortOnFail": true, "delayAbortEval": delay})
}

/// With as many decimals as the time has, as Go writes it.
fn rfc3339(time: Timestamp) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).unwrap_or_default().to_string()
}

/// Whole numbers without a point; what JSON cannot say as a number is text: `"Infinity"`, `"-Infinity"`, `"NaN"`.
fn number(value: f64) -> String {
    if let Some(name) = not_finite(value) {
        format!("\"{name}\"")
    } else if value.fract() == 0.0 && value.abs() < 9.0e15 {
        (value as i64).to_string()
    } else {
        serde_json::Number::from_f64(value).map(|number| number.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use ws_metrics::{Metadata, ThresholdConfig, builtin};

    use super::*;
    use crate::console::tests::Memory;

    fn sample(metric: MetricId, tags: TagSetId, nanos: i64, value: f64) -> Sample {
        Sample { metric, tags, time: Timestamp::from_nanos(nanos), value, metadata: Metadata::EMPTY }
    }

    #[test]
    fn a_metric_is_described_before_its_first_point() {
        let (registry, sets) = (Registry::new(), TagSets::new());
        let tags = sets.intern(&[("url", "ws://a/?x=1&y=<2>"), ("group", "")]);
        let wanted = [
            ("checks".to_owned(), vec!["rate>0.9".into()]),
            ("checks{scenario:default}".to_owned(), Vec::new()),
        ];
        let thresholds = Thresholds::parse(wanted, &registry, false).unwrap();
        let file = Memory::default();
        let mut output = JsonLines::new("json".to_owned(), Box::new(file.clone()), thresholds).unwrap();

        let at = 1_795_227_502_054_756_410;
        let mut with_metadata = sample(builtin::WS_CONNECTING, TagSetId::EMPTY, at, 0.000503);
        with_metadata.metadata = Metadata { vu: Some(3), ..Metadata::EMPTY };
        let batch: Batch =
            [sample(builtin::CHECKS, tags, at, 1.0), sample(builtin::CHECKS, tags, at, 0.0), with_metadata]
                .into_iter()
                .collect();
        output.batch(&Arc::new(batch), &registry, &sets).unwrap();
        output.finish().unwrap();
        assert_eq!(
            file.text(),
            r#"{"type":"Metric","data":{"name":"checks","type":"rate","contains":"default","thresholds":["rate>0.9"],"submetrics":[{"name":"checks{scenario:default}","suffix":"scenario:default","tags":{"scenario":"default"}}]},"metric":"checks"}
{"metric":"checks","type":"Point","data":{"time":"2026-11-21T02:18:22.05475641Z","value":1,"tags":{"group":"","url":"ws://a/?x=1&y=<2>"}}}
{"metric":"checks","type":"Point","data":{"time":"2026-11-21T02:18:22.05475641Z","value":0,"tags":{"group":"","url":"ws://a/?x=1&y=<2>"}}}
{"type":"Metric","data":{"name":"ws_connecting","type":"trend","contains":"time","thresholds":[],"submetrics":null},"metric":"ws_connecting"}
{"metric":"ws_connecting","type":"Point","data":{"time":"2026-11-21T02:18:22.05475641Z","value":0.000503,"tags":{},"metadata":{"vu":"3"}}}
"#
        );
    }

    #[test]
    fn thresholds_that_end_the_run_keep_their_form() {
        let registry = Registry::new();
        let config = |source: &str, abort_on_fail, delay: Option<u64>| ThresholdConfig {
            source: source.to_owned(),
            abort_on_fail,
            delay_abort_eval: delay.map(Duration::from_millis),
        };
        let configs = vec![
            config("rate>0.1", false, Some(10_000)),
            config("rate>0.2", true, None),
            config("rate>0.3", true, Some(3_601_500)),
        ];
        let thresholds = Thresholds::parse([("checks".to_owned(), configs)], &registry, false).unwrap();
        let mut output = JsonLines::new("json".to_owned(), Box::new(Memory::default()), thresholds).unwrap();
        let description = output.describe(builtin::CHECKS, &registry);
        output.finish().unwrap();
        assert_eq!(
            description["data"]["thresholds"],
            json!([
                "rate>0.1",
                {"threshold": "rate>0.2", "abortOnFail": true, "delayAbortEval": null},
                {"threshold": "rate>0.3", "abortOnFail": true, "delayAbortEval": "1h0m1.5s"},
            ])
        );
    }

    #[test]
    fn samples_show_up_without_further_samples() {
        let (registry, sets) = (Registry::new(), TagSets::new());
        let file = Memory::default();
        let mut output =
            JsonLines::new("json".to_owned(), Box::new(file.clone()), Thresholds::default()).unwrap();
        let batch: Batch = [sample(builtin::VUS, TagSetId::EMPTY, 0, 1.0)].into_iter().collect();
        output.batch(&Arc::new(batch), &registry, &sets).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while file.text().is_empty() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(file.text().contains("\"time\":\"1970-01-01T00:00:00Z\""), "{}", file.text());
        output.finish().unwrap();
    }

    #[test]
    fn numbers() {
        for (value, text) in
            [(1.0, "1"), (-2.0, "-2"), (0.5, "0.5"), (f64::NAN, "\"NaN\""), (1e300, "1e+300")]
        {
            assert_eq!(number(value), text);
        }
    }
}

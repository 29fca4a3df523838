//! The few samples the engine itself makes: `vus`, `vus_max`, `dropped_iterations`.

use std::sync::Arc;
use std::time::Instant;

use ws_metrics::{
    BatchSender, Detail, Metadata, SampleBuffer, SystemTag, SystemTags, TagSetId, TagSets, WallClock, builtin,
};

/// Takes the engine's own samples. Called on the coordinator's thread.
pub trait Recorder {
    /// `vus` and `vus_max`: VUs in their loop and VUs initialised. Once a second.
    fn vus(&mut self, at: Instant, active: usize, initialized: usize);

    /// `dropped_iterations`: `count` iterations of the scenario were planned and never started; of VU number `vu` (from
    /// 1) if they belonged to one.
    fn dropped(&mut self, at: Instant, scenario: &str, vu: Option<usize>, count: u64);

    /// These were all samples for now.
    fn hand_over(&mut self);
}

/// Records into a metrics pipeline.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, Instant, SystemTime};
/// use ws_engine::{MetricsRecorder, Recorder};
/// use ws_metrics::{Pipeline, PipelineConfig, Registry, SystemTags, TagSetId, TagSets, WallClock};
///
/// let tag_sets = Arc::new(TagSets::new());
/// let pipeline = Pipeline::start(PipelineConfig::new(Arc::new(Registry::new()), Arc::clone(&tag_sets)))?;
/// let clock = WallClock::new(Instant::now(), SystemTime::now());
/// let system_tags = SystemTags::default_set();
/// let mut recorder = MetricsRecorder::new(pipeline.sender(), tag_sets, TagSetId::EMPTY, system_tags, clock);
/// recorder.vus(Instant::now(), 1, 2);
/// recorder.hand_over();
/// let report = pipeline.finish(Duration::from_secs(1));
/// assert!(report.metrics.iter().any(|metric| &*metric.name == "vus_max"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct MetricsRecorder {
    sender: BatchSender,
    buffer: SampleBuffer,
    tag_sets: Arc<TagSets>,
    run_tags: TagSetId,
    system_tags: SystemTags,
    clock: WallClock,
}

impl MetricsRecorder {
    /// `run_tags` are the tags of the whole run (`tags` in the options), `clock` is the one all samples of the run use.
    pub fn new(
        sender: BatchSender,
        tag_sets: Arc<TagSets>,
        run_tags: TagSetId,
        system_tags: SystemTags,
        clock: WallClock,
    ) -> Self {
        // Nothing here is frequent enough to be summed.
        let buffer = SampleBuffer::new(Detail::EverySample);
        Self { sender, buffer, tag_sets, run_tags, system_tags, clock }
    }
}

impl Recorder for MetricsRecorder {
    fn vus(&mut self, at: Instant, active: usize, initialized: usize) {
        let time = self.clock.at(at);
        for (metric, value) in [(builtin::VUS, active), (builtin::VUS_MAX, initialized)] {
            self.buffer.add(metric, self.run_tags, Metadata::EMPTY, time, value as f64);
        }
    }

    fn dropped(&mut self, at: Instant, scenario: &str, vu: Option<usize>, count: u64) {
        let mut tags = self.run_tags;
        if self.system_tags.has(SystemTag::Scenario) {
            tags = self.tag_sets.with(tags, "scenario", scenario);
        }
        // Here `vu` is a tag and not metadata: there is one sample for each VU, not one for each iteration.
        if let Some(vu) = vu.filter(|_| self.system_tags.has(SystemTag::Vu)) {
            tags = self.tag_sets.with(tags, "vu", &vu.to_string());
        }
        let time = self.clock.at(at);
        self.buffer.add(builtin::DROPPED_ITERATIONS, tags, Metadata::EMPTY, time, count as f64);
    }

    fn hand_over(&mut self) {
        if !self.buffer.is_empty() {
            // The pipeline ends after the run; whoever ended it earlier has no use for more.
            let _ = self.sender.send(self.buffer.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Sender, channel};
    use std::time::{Duration, UNIX_EPOCH};

    use ws_metrics::{Batch, Output, Pipeline, PipelineConfig, Registry};

    use super::*;

    /// Writes `seconds metric value tags` for each sample.
    struct Lines(Sender<String>);

    impl Output for Lines {
        fn name(&self) -> String {
            "lines".to_owned()
        }

        fn batch(&mut self, batch: &Arc<Batch>, registry: &Registry, tag_sets: &TagSets) -> io::Result<()> {
            for sample in batch.samples() {
                let tags: Vec<String> =
                    tag_sets.get(sample.tags).iter().map(|(key, value)| format!("{key}={value}")).collect();
                let name = registry.info(sample.metric).name;
                let line = format!("{} {name} {} {}", sample.time.as_millis(), sample.value, tags.join(","));
                self.0.send(line).map_err(io::Error::other)?;
            }
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn recorded(system_tags: &[&str], record: impl FnOnce(&mut MetricsRecorder, Instant)) -> Vec<String> {
        let (sender, lines) = channel();
        let tag_sets = Arc::new(TagSets::new());
        let mut config = PipelineConfig::new(Arc::new(Registry::new()), Arc::clone(&tag_sets));
        config.outputs.push(Box::new(Lines(sender)));
        let pipeline = Pipeline::start(config).unwrap();
        let run_tags = tag_sets.intern(&[("a", "b")]);
        let start = Instant::now();
        let clock = WallClock::new(start, UNIX_EPOCH);
        let system_tags = SystemTags::parse_list(system_tags);
        let mut recorder = MetricsRecorder::new(pipeline.sender(), tag_sets, run_tags, system_tags, clock);
        record(&mut recorder, start);
        recorder.hand_over();
        pipeline.finish(Duration::from_secs(1));
        lines.iter().collect()
    }

    #[test]
    fn vus_have_the_tags_of_the_run_only() {
        let lines = recorded(&["scenario", "vu"], |recorder, start| {
            recorder.vus(start + Duration::from_secs(1), 2, 3);
        });
        assert_eq!(lines, ["1000 vus 2 a=b", "1000 vus_max 3 a=b"]);
    }

    #[test]
    fn dropped_iterations_name_scenario_and_vu_if_wanted() {
        let record = |recorder: &mut MetricsRecorder, start: Instant| {
            recorder.dropped(start, "sh", None, 5);
            recorder.dropped(start, "pv", Some(1), 7);
        };
        assert_eq!(
            recorded(&["scenario", "vu"], record),
            ["0 dropped_iterations 5 a=b,scenario=sh", "0 dropped_iterations 7 a=b,scenario=pv,vu=1",]
        );
        assert_eq!(recorded(&["scenario"], record)[1], "0 dropped_iterations 7 a=b,scenario=pv");
        assert_eq!(recorded(&[], record)[1], "0 dropped_iterations 7 a=b");
    }
}

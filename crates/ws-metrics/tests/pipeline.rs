//! Batches through the pipeline's thread to verdicts, outputs and a report; time is told, never waited for.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use ws_metrics::*;

struct Run {
    pipeline: Pipeline,
    sets: Arc<TagSets>,
    began: Instant,
    aborts: Receiver<Vec<String>>,
    warnings: Receiver<Warning>,
}

impl Run {
    fn start(thresholds: &[(&str, ThresholdConfig)], change: impl FnOnce(&mut PipelineConfig)) -> Self {
        let (registry, sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
        let mut config = PipelineConfig::new(registry.clone(), sets.clone());
        let wanted = thresholds.iter().map(|(key, config)| ((*key).to_owned(), vec![config.clone()]));
        config.thresholds = Thresholds::parse(wanted, &registry, false).unwrap();
        config.clock = Clock::Manual;
        let (abort, aborts) = channel();
        config.on_abort = Box::new(move |crossed| abort.send(crossed.to_vec()).unwrap());
        let (warn, warnings) = channel();
        config.on_warning = Box::new(move |text| warn.send(text).unwrap());
        change(&mut config);
        let (pipeline, began) = (Pipeline::start(config).unwrap(), Instant::now());
        pipeline.run_started(began);
        Self { pipeline, sets, began, aborts, warnings }
    }

    fn send(&self, metric: MetricId, tags: &[(&str, &str)], values: &[f64]) {
        let tags = self.sets.intern(tags);
        let mut buffer = SampleBuffer::new(Detail::Summed);
        for value in values {
            buffer.add(metric, tags, Metadata::EMPTY, Timestamp::default(), *value);
        }
        self.pipeline.sender().send(buffer.take()).unwrap();
    }

    fn tick(&self, millis: u64) {
        self.pipeline.tick(self.began + Duration::from_millis(millis));
    }

    /// The state after everything sent so far.
    fn snapshot(&self) -> Report {
        self.pipeline.monitor().snapshot().unwrap()
    }
}

fn aborting(source: &str, delay: Option<Duration>) -> ThresholdConfig {
    ThresholdConfig { source: source.to_owned(), abort_on_fail: true, delay_abort_eval: delay }
}

#[test]
fn thresholds_are_judged_at_every_second_second() {
    let run = Run::start(&[("ws_msgs_sent", "count<2".into())], |_| {});
    run.send(builtin::WS_MSGS_SENT, &[], &[1.0, 1.0]);
    run.tick(1999);
    assert_eq!(run.snapshot().metric("ws_msgs_sent").unwrap().tainted, None);
    assert!(!run.pipeline.monitor().is_tainted());
    run.tick(2000);
    let report = run.snapshot();
    assert_eq!(report.crossed, ["ws_msgs_sent"]);
    assert_eq!(report.metric("ws_msgs_sent").unwrap().tainted, Some(true));
    assert_eq!(report.run_time, Duration::from_secs(2));
    assert!(run.pipeline.monitor().is_tainted());
    // The mark at 4 s is missed, the next one is at 6 s and not 2 s after the late one.
    run.tick(5500);
    run.send(builtin::WS_MSGS_SENT, &[], &[-9.0]);
    run.tick(5999);
    assert!(run.pipeline.monitor().is_tainted());
    run.tick(6000);
    assert_eq!(run.snapshot().crossed, [""; 0]);
    assert!(run.aborts.try_recv().is_err(), "nobody asked to abort");
}

#[test]
fn abort_is_asked_for_once_and_after_its_delay() {
    let delay = Some(Duration::from_secs(4));
    let run = Run::start(
        &[("iterations", aborting("count<1", delay)), ("checks{check:x}", "rate>0.5".into())],
        |_| {},
    );
    run.send(builtin::ITERATIONS, &[], &[1.0]);
    run.send(builtin::CHECKS, &[("check", "x")], &[0.0]);
    for millis in [2000, 4000] {
        run.tick(millis);
        assert_eq!(run.snapshot().crossed, ["checks{check:x}", "iterations"]);
        assert!(run.aborts.try_recv().is_err(), "the delay is not over at {millis} ms");
    }
    for millis in [6000, 8000] {
        run.tick(millis);
    }
    run.snapshot();
    assert_eq!(run.aborts.try_recv().unwrap(), ["checks{check:x}", "iterations"]);
    assert!(run.aborts.try_recv().is_err(), "once is enough");
    let report = run.pipeline.finish(Duration::from_secs(9));
    assert_eq!(report.crossed, ["checks{check:x}", "iterations"]);
}

#[test]
fn metrics_without_samples_wait_for_the_end() {
    let run = Run::start(
        &[
            ("ws_ping", aborting("max<0", None)),
            ("ws_connecting", "p(95)<1".into()),
            ("checks", "rate>0.9".into()),
            ("ws_sessions", "count>0".into()),
            ("vus", "value>0".into()),
        ],
        |_| {},
    );
    run.tick(2000);
    assert_eq!(run.snapshot().crossed, [""; 0]);
    let aborts = run.aborts;
    let report = run.pipeline.finish(Duration::from_secs(3));
    assert_eq!(report.crossed, ["vus", "ws_ping", "ws_sessions"]);
    assert!(aborts.try_recv().is_err(), "the run is over anyway");
    let ping = report.metric("ws_ping").unwrap();
    assert!(!ping.has_samples);
    let actual: Vec<_> =
        ["ws_connecting", "checks"].map(|name| report.metric(name).unwrap().thresholds[0].clone()).into();
    assert_eq!(
        actual[0],
        ThresholdReport {
            source: "p(95)<1".into(),
            ok: true,
            abort_on_fail: false,
            aggregation: "p(95)".into(),
            actual: 0.0
        }
    );
    assert!(actual[1].ok);
}

#[test]
fn the_report_has_rates_per_second_of_the_run() {
    let run =
        Run::start(&[("data_sent{group:}", "rate<1".into()), ("data_sent", "rate==50".into())][1..], |_| {});
    run.send(builtin::DATA_SENT, &[("group", "")], &[60.0, 40.0]);
    run.tick(2000);
    assert_eq!(run.snapshot().metric("data_sent").unwrap().thresholds[0].actual, 50.0);
    let report = run.pipeline.finish(Duration::from_secs(4));
    let sent = report.metric("data_sent").unwrap();
    assert_eq!((sent.thresholds[0].actual, sent.thresholds[0].ok), (25.0, false));
    assert_eq!(sent.value.rate_over(report.run_time), 25.0);
    assert_eq!(sent.value.rate_over(Duration::ZERO), 0.0);
}

#[test]
fn what_comes_after_the_end_is_refused() {
    let run = Run::start(&[], |_| {});
    let (sender, monitor) = (run.pipeline.sender(), run.pipeline.monitor());
    run.send(builtin::ITERATIONS, &[], &[1.0]);
    let report = run.pipeline.finish(Duration::ZERO);
    assert!(report.metric("iterations").unwrap().has_samples);
    assert_eq!(sender.send(Batch::default()), Ok(()), "nothing is not refused");
    let mut buffer = SampleBuffer::new(Detail::Summed);
    buffer.add(builtin::ITERATIONS, TagSetId::EMPTY, Metadata::EMPTY, Timestamp::default(), 1.0);
    assert_eq!(sender.send(buffer.take()), Err(Finished));
    assert!(monitor.snapshot().is_none());
}

#[test]
fn too_many_series_are_warned_of_once_and_counted() {
    #[cfg(feature = "prometheus")]
    let view = PrometheusView::new();
    #[cfg(feature = "prometheus")]
    let shown = view.clone();
    let run = Run::start(&[("ws_msgs_sent{id:7}", "count==1".into())], |config| {
        config.max_series = 3;
        #[cfg(feature = "prometheus")]
        {
            config.prometheus = Some(shown);
        }
    });
    for id in 0..10 {
        run.send(builtin::WS_MSGS_SENT, &[("id", &id.to_string())], &[1.0]);
    }
    run.send(builtin::WS_MSGS_SENT, &[("id", "2")], &[1.0]);
    let warnings = run.warnings;
    let report = run.pipeline.finish(Duration::from_secs(1));
    assert_eq!((report.series, report.unrecorded), (3, 7));
    let metric = report.metric("ws_msgs_sent").unwrap();
    assert!(matches!(metric.value, SinkValue::Counter { sum: 11.0, count: 11 }), "{:?}", metric.value);
    assert!(metric.submetrics[0].thresholds[0].ok, "sub-metrics are right even without a series");
    assert_eq!(warnings.recv(), Ok(Warning::TooManySeries { limit: 3 }));
    assert!(warnings.recv().is_err());
    #[cfg(feature = "prometheus")]
    {
        let text = view.render();
        assert!(text.contains("\nk6_unrecorded_observations_total 7\n"), "{text}");
        assert!(text.contains("\nk6_ws_msgs_sent_total{id=\"2\"} 2\n"), "{text}");
        assert!(text.contains("\nk6_ws_msgs_sent_total{overflow=\"true\"} 7\n"), "{text}");
    }
}

/// An output that says what it gets, and goes on when it is told to.
struct Slow {
    got: Sender<u64>,
    go: Receiver<io::Result<()>>,
}

impl Output for Slow {
    fn name(&self) -> String {
        "slow".into()
    }

    fn batch(&mut self, batch: &Arc<Batch>, _: &Registry, _: &TagSets) -> io::Result<()> {
        self.got.send(batch.observations()).unwrap();
        self.go.recv().unwrap_or(Ok(()))
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_output_blocks_nobody_and_its_drops_are_counted() {
    let ((got, gets), (go, goes)) = (channel(), channel());
    let run = Run::start(&[], |config| {
        config.output_queue = 2;
        config.outputs = vec![Box::new(Slow { got, go: goes })];
    });
    run.send(builtin::WS_PING, &[], &[1.0]);
    assert_eq!(gets.recv(), Ok(1), "it has the first and is stuck on it");
    for observations in [1, 1, 3, 4] {
        run.send(builtin::ITERATIONS, &[], &vec![1.0; observations]);
    }
    let SinkValue::Counter { sum, .. } = run.snapshot().metric("iterations").unwrap().value else {
        panic!("not a counter")
    };
    assert_eq!(sum, 9.0, "the aggregator goes on");
    go.send(Ok(())).unwrap();
    go.send(Err(io::Error::other("disk full"))).unwrap();
    drop(go);
    let report = run.pipeline.finish(Duration::from_secs(1));
    assert_eq!(gets.iter().collect::<Vec<_>>(), [1, 1], "two fitted into the queue");
    // 3 and 4 did not fit, and one of those that did was lost to the error.
    let expected = OutputReport { name: "slow".into(), dropped: 8, error: Some("disk full".into()) };
    assert_eq!(report.outputs, [expected]);
}

#[test]
fn an_output_that_never_ends_is_left_behind() {
    let ((got, gets), (go, goes)) = (channel(), channel());
    let run = Run::start(&[], |config| {
        config.output_grace = Duration::from_millis(1);
        config.outputs = vec![Box::new(Slow { got, go: goes })];
    });
    run.send(builtin::WS_PING, &[], &[1.0]);
    gets.recv().unwrap();
    run.send(builtin::WS_PING, &[], &[1.0, 2.0]);
    let report = run.pipeline.finish(Duration::from_secs(1));
    let expected =
        OutputReport { name: "slow".into(), dropped: 2, error: Some("did not finish within 0.001 s".into()) };
    assert_eq!(report.outputs, [expected]);
    drop(go);
}

#[test]
fn a_dropped_pipeline_lets_its_outputs_finish() {
    let ((got, gets), (_, goes)) = (channel(), channel());
    let run = Run::start(&[], |config| config.outputs = vec![Box::new(Slow { got, go: goes })]);
    run.send(builtin::WS_PING, &[], &[1.0]);
    drop(run.pipeline);
    assert_eq!(gets.iter().collect::<Vec<_>>(), [1], "and its sender is gone: the thread has ended");
}

#[test]
fn the_systems_clock_judges_by_itself() {
    let (abort, aborts) = channel();
    let run = Run::start(&[("iterations", aborting("count<1", None))], |config| {
        config.clock = Clock::System;
        config.on_abort = Box::new(move |crossed| abort.send(crossed.to_vec()).unwrap());
    });
    run.send(builtin::ITERATIONS, &[], &[1.0]);
    // The run began two seconds ago, so that the first mark is now.
    run.pipeline.run_started(run.began - EVALUATION_INTERVAL);
    assert_eq!(aborts.recv_timeout(Duration::from_secs(30)).unwrap(), ["iterations"]);
}

#[test]
fn many_senders_and_a_short_queue_lose_nothing() {
    let run = Run::start(&[("data_sent{vu:1}", "count==500".into())], |config| config.queue = 3);
    let sets = [0, 1, 2, 3].map(|vu| run.sets.intern(&[("vu", vu.to_string())]));
    std::thread::scope(|scope| {
        for tags in sets {
            let sender = run.pipeline.sender();
            scope.spawn(move || {
                let mut buffer = SampleBuffer::new(Detail::Summed);
                let sent = buffer.counter_slot(builtin::DATA_SENT, tags, Metadata::EMPTY);
                for _ in 0..250 {
                    buffer.count(sent, 2.0, Timestamp::default());
                    buffer.add(builtin::WS_PING, tags, Metadata::EMPTY, Timestamp::default(), 1.0);
                    sender.send(buffer.take()).unwrap();
                }
            });
        }
    });
    let report = run.pipeline.finish(Duration::from_secs(1));
    let SinkValue::Counter { sum, count } = report.metric("data_sent").unwrap().value else {
        panic!("not a counter")
    };
    assert_eq!((sum, count), (2000.0, 1000));
    let SinkValue::Trend(ping) = &report.metric("ws_ping").unwrap().value else { panic!("not a trend") };
    assert_eq!((ping.count(), ping.sum()), (1000, 1000.0));
    assert_eq!(report.crossed, [""; 0]);
}

/// An output with a bug.
struct Broken;

impl Output for Broken {
    fn name(&self) -> String {
        "broken".into()
    }

    fn batch(&mut self, _: &Arc<Batch>, _: &Registry, _: &TagSets) -> io::Result<()> {
        panic!("a bug in an output");
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_panics_is_named() {
    let run = Run::start(&[], |config| config.outputs = vec![Box::new(Broken)]);
    run.send(builtin::WS_PING, &[], &[1.0]);
    let report = run.pipeline.finish(Duration::from_secs(1));
    assert_eq!(report.outputs[0].error.as_deref(), Some("panicked"));
    assert!(report.metric("ws_ping").is_some());
}

#[test]
fn a_panic_costs_nothing_that_was_taken_in_before() {
    let run = Run::start(&[("ws_msgs_sent", aborting("count<2", None))], |config| {
        config.on_abort = Box::new(|_| panic!("this is a test"));
    });
    run.send(builtin::WS_MSGS_SENT, &[], &[1.0, 1.0]);
    run.tick(2000);
    run.send(builtin::WS_MSGS_SENT, &[], &[1.0]);
    let Run { pipeline, .. } = run;
    let report = pipeline.finish(Duration::from_secs(3));
    let SinkValue::Counter { sum, .. } = report.metric("ws_msgs_sent").unwrap().value else { unreachable!() };
    assert_eq!(sum, 2.0);
    assert_eq!(report.run_time, Duration::from_secs(3));
}

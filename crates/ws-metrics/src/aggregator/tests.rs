//! Batches in, reports and verdicts out, without any thread.

use proptest::prelude::*;

use super::*;
use crate::buffer::{Detail, SampleBuffer};
use crate::metric::{Contains, MetricKind};
use crate::sample::Metadata;
use crate::sink::SinkValue;

fn aggregator(keys: &[(&str, &[&str])]) -> Aggregator {
    let registry = Arc::new(Registry::new());
    for (name, kind) in [
        ("my_counter", MetricKind::Counter),
        ("my_gauge", MetricKind::Gauge),
        ("my_rate", MetricKind::Rate),
        ("my_trend", MetricKind::Trend),
    ] {
        registry.register(name, kind, Contains::Default).unwrap();
    }
    let wanted =
        keys.iter().map(|(key, sources)| ((*key).to_owned(), sources.iter().map(|s| (*s).into()).collect()));
    let thresholds = Thresholds::parse(wanted, &registry, false).unwrap();
    Aggregator::new(registry, Arc::new(TagSets::new()), thresholds, 1000)
}

/// Metric, tags, time and value of observations, in order.
type Observations<'a> = [(&'a str, &'a [(&'a str, &'a str)], i64, f64)];

fn feed(aggregator: &mut Aggregator, detail: Detail, observations: &Observations<'_>) {
    let mut buffer = SampleBuffer::new(detail);
    for (metric, tags, time, value) in observations {
        let metric = aggregator.registry.get(metric).unwrap();
        let tags = aggregator.tag_sets.intern(tags);
        buffer.add(metric, tags, Metadata::EMPTY, Timestamp::from_nanos(*time), *value);
    }
    aggregator.fold(&buffer.take());
}

fn text(value: &SinkValue) -> String {
    match value {
        SinkValue::Trend(t) => format!("{} {} {} {} {}", t.count(), t.sum(), t.min(), t.max(), t.med()),
        other => format!("{other:?}"),
    }
}

#[test]
fn submetrics_get_the_samples_with_all_their_tags() {
    let mut all = aggregator(&[
        ("my_counter{a:1}", &["count==3"]),
        ("my_counter{a:1,b:2}", &["count==2"]),
        ("my_counter{b:3}", &[]),
        ("my_trend{a:1}", &["max<5"]),
    ]);
    feed(
        &mut all,
        Detail::Summed,
        &[
            ("my_counter", &[("a", "1")], 0, 1.0),
            ("my_counter", &[("a", "1"), ("b", "2"), ("c", "")], 0, 2.0),
            ("my_counter", &[("a", "2")], 0, 4.0),
            ("my_counter", &[], 0, 8.0),
            ("my_trend", &[("a", "1")], 0, 6.0),
            ("my_trend", &[], 0, 1.0),
        ],
    );
    assert_eq!(all.evaluate_finally(Duration::from_secs(1)).crossed, ["my_trend{a:1}"]);
    let report = all.report(Duration::from_secs(1));
    let counter = report.metric("my_counter").unwrap();
    let SinkValue::Counter { sum, count } = counter.value else { panic!("not a counter") };
    assert_eq!((sum, count), (15.0, 4));
    let parts: Vec<_> =
        counter.submetrics.iter().map(|part| (part.name.as_str(), part.has_samples)).collect();
    assert_eq!(parts, [("my_counter{a:1}", true), ("my_counter{a:1,b:2}", true), ("my_counter{b:3}", false)]);
    assert!(counter.submetrics.iter().all(|part| part.thresholds.iter().all(|t| t.ok)));
    assert_eq!(report.metric("my_trend").unwrap().submetrics[0].thresholds[0].actual, 6.0);
}

#[test]
fn what_is_reported() {
    let mut all = aggregator(&[("my_rate{a:b}", &[]), ("my_trend", &["avg<1"])]);
    feed(&mut all, Detail::Summed, &[("iterations", &[], 0, 0.0)]);
    let report = all.report(Duration::from_secs(1));
    let names: Vec<_> = report.metrics.iter().map(|m| (&*m.name, m.has_samples)).collect();
    // Seen, parent of a named part, named; in order of registration.
    assert_eq!(names, [("iterations", true), ("my_rate", false), ("my_trend", false)]);
    assert_eq!(report.metric("my_rate").unwrap().submetrics[0].suffix, "a:b");
}

#[test]
fn default_submetrics_are_reported_once_they_have_samples() {
    let registry = Arc::new(Registry::new());
    let thresholds = Thresholds::default().with_default_submetrics(&registry, Default::default());
    let mut all = Aggregator::new(registry, Arc::new(TagSets::new()), thresholds, 10);
    for (tags, expected) in [(&[][..], 0), (&[("expected_response", "true")], 1)] {
        assert_eq!(all.report(Duration::ZERO).metric("http_req_duration").is_some(), expected == 1);
        feed(&mut all, Detail::Summed, &[("http_req_duration", tags, 0, 1.0)]);
        let report = all.report(Duration::ZERO);
        assert_eq!(report.metric("http_req_duration").unwrap().submetrics.len(), expected);
    }
}

#[test]
fn all_aggregations() {
    let mut all = aggregator(&[
        ("my_counter", &["count==6", "rate==3"]),
        ("my_gauge", &["value==2"]),
        ("my_rate", &["rate==0.75"]),
        ("my_trend", &["avg==2.5", "min==1", "max==4", "med==2.5", "p(0)==1", "p(90)==3.7"]),
    ]);
    let values = [4.0, 1.0, 3.0, 2.0];
    let observations: Vec<_> = values
        .iter()
        .enumerate()
        .flat_map(|(at, value)| {
            let time = at as i64;
            [
                ("my_counter", &[][..], time, *value - 1.0),
                ("my_gauge", &[], time, *value),
                ("my_rate", &[], time, *value - 1.0),
                ("my_trend", &[], time, *value),
            ]
        })
        .collect();
    feed(&mut all, Detail::EverySample, &observations);
    assert_eq!(all.evaluate(Duration::from_secs(2)), Evaluation::default());
    let report = all.report(Duration::from_secs(2));
    let trend = &report.metric("my_trend").unwrap().thresholds;
    let labels: Vec<_> = trend.iter().map(|t| t.aggregation.as_str()).collect();
    assert_eq!(labels, ["avg", "min", "max", "med", "p(0)", "p(90)"]);
}

#[test]
fn checks_and_groups_are_told_by_their_tags() {
    let mut all = aggregator(&[]);
    for detail in [Detail::Summed, Detail::EverySample] {
        feed(
            &mut all,
            detail,
            &[
                ("checks", &[("check", "two"), ("group", "::g")], 0, 0.0),
                ("checks", &[("check", "one"), ("group", "")], 0, 1.0),
                ("checks", &[("check", "two"), ("group", "::g"), ("x", "y")], 0, 1.0),
                ("group_duration", &[("group", "::g::h")], 0, 5.0),
            ],
        );
    }
    let report = all.report(Duration::ZERO);
    let checks: Vec<_> = report.checks.iter().map(|c| (&*c.group, &*c.name, c.passes, c.fails)).collect();
    assert_eq!(checks, [("::g", "two", 2, 2), ("", "one", 2, 0)]);
    let groups: Vec<_> = report.groups.iter().map(|g| &*g.path).collect();
    assert_eq!(groups, ["::g", "::g::h"]);
}

#[test]
fn tags_that_were_left_out_are_warned_of_once() {
    let registry = Arc::new(Registry::new());
    let mut all = Aggregator::new(registry, Arc::new(TagSets::with_limit(2)), Thresholds::default(), 10);
    for (id, warned) in [("1", false), ("2", true), ("3", false)] {
        feed(&mut all, Detail::Summed, &[("iterations", &[("id", id)], 0, 1.0)]);
        let warning = all.take_warning();
        assert_eq!(warning, warned.then_some(Warning::TooManyTagSets { limit: 2 }), "{id}");
    }
    assert_eq!(all.report(Duration::ZERO).collapsed_tag_sets, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn results_do_not_depend_on_the_detail_kept(
        observations in prop::collection::vec((0usize..4, 0usize..3, -20i32..20), 0..80),
        cut in 0usize..80,
    ) {
        let metrics = ["my_counter", "my_gauge", "my_rate", "my_trend"];
        let tags: [&[(&str, &str)]; 3] = [&[], &[("a", "1")], &[("a", "1"), ("b", "2")]];
        let observations: Vec<_> = observations
            .into_iter()
            .enumerate()
            .map(|(at, (metric, set, value))| (metrics[metric], tags[set], at as i64, f64::from(value)))
            .collect();
        let (early, late) = observations.split_at(cut.min(observations.len()));
        let results = [Detail::Summed, Detail::EverySample].map(|detail| {
            let mut all = aggregator(&[
                ("my_counter{a:1}", &[]),
                ("my_gauge{a:1}", &[]),
                ("my_rate{b:2}", &[]),
                ("my_trend{b:2}", &[]),
            ]);
            feed(&mut all, detail, early);
            feed(&mut all, detail, late);
            let report = all.report(Duration::from_secs(1));
            let mut lines = vec![format!("{} series", report.series)];
            for metric in &report.metrics {
                lines.push(format!("{} {}", metric.name, text(&metric.value)));
                lines.extend(metric.submetrics.iter().map(|p| format!("{} {}", p.name, text(&p.value))));
            }
            lines
        });
        prop_assert_eq!(&results[0], &results[1]);
    }
}

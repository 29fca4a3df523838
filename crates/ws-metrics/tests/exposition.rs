//! The text that Prometheus scrapes, against a golden file. `promtool check metrics < tests/exposition.txt` has no
//! complaint about it.

use std::sync::Arc;

use ws_metrics::*;

#[test]
fn text_is_the_golden_one() {
    let registry = Arc::new(Registry::new());
    let sets = Arc::new(TagSets::new());
    let view = PrometheusView::new();
    let mut aggregator =
        Aggregator::new(registry.clone(), sets.clone(), Thresholds::default(), 100).with_view(view.clone());
    let custom = |name, kind, contains| registry.register(name, kind, contains).unwrap();
    let size = custom("payload", MetricKind::Trend, Contains::Data);
    let score = custom("score", MetricKind::Trend, Contains::Default);
    let waited = custom("waited", MetricKind::Counter, Contains::Time);

    let base = sets.intern(&[("scenario", "default"), ("group", "")]);
    let hostile = sets.with(base, "url", "ws://h/\"q\"?a=\\n\\\\&b=\u{fc}\n");
    let failed = sets.with(sets.with(base, "url", "ws://h/"), "status", "404");
    let opened = sets.with(failed, "status", "101");
    let check = sets.with(base, "check", "status is 101");
    let mut buffer = SampleBuffer::new(Detail::Summed);
    for (metric, tags, values) in [
        (builtin::VUS, TagSetId::EMPTY, &[1.0, 2.0][..]),
        (builtin::WS_SESSIONS, failed, &[1.0]),
        (builtin::WS_SESSIONS, opened, &[1.0, 1.0]),
        (builtin::WS_CONNECTING, opened, &[0.2, 1.5, 7e4]),
        (builtin::WS_SESSION_DURATION, opened, &[1500.0]),
        (builtin::WS_MSGS_SENT, hostile, &[1.0, 1.0, 1.0]),
        (builtin::CHECKS, check, &[1.0, 0.0, 1.0]),
        (builtin::DATA_SENT, base, &[120.0]),
        (size, base, &[100.0]),
        (score, base, &[-1.0, 3.0]),
        (waited, base, &[2.5]),
    ] {
        for (time, value) in values.iter().enumerate() {
            buffer.add(metric, tags, Metadata::EMPTY, Timestamp::from_nanos(time as i64), *value);
        }
    }
    aggregator.fold(&buffer.take());
    let text = in_order(&view.render());
    let golden = include_str!("exposition.txt");
    assert!(text == golden, "the text has become:\n{text}");
}

/// The recorder keeps families and counters in hash maps: any order is right.
fn in_order(text: &str) -> String {
    let mut families: Vec<String> = text
        .split_terminator("\n\n")
        .map(|family| {
            let (head, mut series): (Vec<_>, Vec<_>) = family.lines().partition(|line| line.starts_with('#'));
            if !head[1].ends_with("histogram") {
                series.sort_unstable();
            }
            [head, series].concat().join("\n") + "\n"
        })
        .collect();
    families.sort_unstable();
    families.join("\n")
}

//! How far the figures can be trusted: whether the generator was quick enough for what it measured.

use ws_metrics::{Contains, Report, SinkValue};

use super::number;

/// Up to here, in milliseconds, 99 of 100 messages may wait for their handlers without a word about it.
const TOLERABLE: f64 = 10.0;

/// What to tell the user if messages had to wait.
pub(crate) fn warning(report: &Report) -> Option<String> {
    let metric = report.metric("ws_generator_delay").filter(|metric| metric.has_samples)?;
    let SinkValue::Trend(trend) = &metric.value else { return None };
    let p99 = trend.percentile(99.0);
    (p99 > TOLERABLE).then(|| {
        format!(
            "received messages waited up to {} for their handlers (p99 of ws_generator_delay): the machine is too \
             busy or the script blocks, and times that the script takes itself contain that wait",
            number::value(p99, Contains::Time, None)
        )
    })
}

#[cfg(test)]
mod tests {
    use ws_metrics::{MetricKind, MetricReport};

    use super::*;
    use crate::summary::tests::trend;

    fn report(name: &str, values: &[f64]) -> Report {
        let metric = MetricReport {
            name: name.into(),
            kind: MetricKind::Trend,
            contains: Contains::Time,
            value: trend(values),
            has_samples: !values.is_empty(),
            thresholds: Vec::new(),
            tainted: None,
            submetrics: Vec::new(),
        };
        Report { metrics: vec![metric], ..Report::default() }
    }

    #[test]
    fn only_a_wait_that_matters_is_worth_a_warning() {
        let delay = |values: &[f64]| warning(&report("ws_generator_delay", values));
        assert_eq!(warning(&Report::default()), None);
        assert_eq!(delay(&[]), None);
        assert_eq!(delay(&[10.0; 100]), None);
        assert_eq!(warning(&report("ws_ping", &[300.0])), None);
        let text = delay(&[305.0]).unwrap();
        assert!(text.starts_with("received messages waited up to 305ms for their handlers"), "{text}");
        let mut rarely = vec![0.1; 999];
        rarely.push(305.0);
        assert_eq!(delay(&rarely), None, "one of a thousand");
    }
}

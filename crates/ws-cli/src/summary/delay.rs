//! How far the figures can be trusted: whether the generator was quick enough for what it measured.

use std::time::Duration;

use ws_js::HoldUp;
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

/// A VU may keep others waiting up to here, be it once or (in a run of up to ten seconds) in all.
const NOTEWORTHY: Duration = Duration::from_millis(100);

/// In longer runs, the part of their time that is noteworthy: one in so many.
const PART: u32 = 100;

/// So many VUs are named.
const NAMED: usize = 3;

/// What to tell the user if VUs kept others waiting by computing. `hold_ups` has the worst first.
pub(crate) fn held_up(hold_ups: &[HoldUp], run_time: Duration) -> Option<String> {
    let in_all = NOTEWORTHY.max(run_time / PART);
    let noteworthy: Vec<_> =
        hold_ups.iter().filter(|hold_up| hold_up.longest >= NOTEWORTHY || hold_up.total >= in_all).collect();
    let named: Vec<_> = noteworthy.iter().take(NAMED).map(|hold_up| described(hold_up)).collect();
    let more = match noteworthy.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty())
        .then(|| format!("scripts that compute for long kept other VUs waiting: {}{more}", named.join(", ")))
}

fn described(hold_up: &HoldUp) -> String {
    let time = |time: Duration| number::value(time.as_millis() as f64, Contains::Time, None);
    let HoldUp { vu, total, longest } = *hold_up;
    format!("VU {vu} for {} in all ({} at a time at most)", time(total), time(longest))
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

    #[test]
    fn vus_that_keep_others_waiting_are_named() {
        let hold_up = |vu, total, longest| HoldUp {
            vu,
            total: Duration::from_millis(total),
            longest: Duration::from_millis(longest),
        };
        let seconds = Duration::from_secs;
        assert_eq!(held_up(&[], seconds(1)), None);
        assert_eq!(held_up(&[hold_up(1, 90, 30)], seconds(1)), None);
        assert_eq!(held_up(&[hold_up(1, 900, 30)], seconds(100)), None, "less than a hundredth of the run");
        let text = held_up(&[hold_up(7, 2300, 30), hold_up(1, 90, 30)], seconds(8)).unwrap();
        assert_eq!(
            text,
            "scripts that compute for long kept other VUs waiting: VU 7 for 2.3s in all (30ms at a time at most)"
        );
        let once = held_up(&[hold_up(1, 500, 30), hold_up(2, 120, 120)], seconds(3600)).unwrap();
        assert!(once.ends_with(": VU 2 for 120ms in all (120ms at a time at most)"), "{once}");
        let many: Vec<_> = (1..=9).map(|vu| hold_up(vu, 1000, 20)).collect();
        let many = held_up(&many, seconds(1)).unwrap();
        assert!(many.contains("VU 3 ") && !many.contains("VU 4 ") && many.ends_with(" and 6 more"), "{many}");
    }
}

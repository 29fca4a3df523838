//! Aggregates, one kind each: what is kept of all the values of a metric or sub-metric.

mod histogram;
mod trend;

pub use trend::{TrendSink, TrendSummary};

use crate::metric::MetricKind;
use crate::time::Timestamp;

/// The running aggregate of a metric or sub-metric.
#[derive(Clone, Debug)]
pub(crate) enum Sink {
    Counter { sum: f64, count: u64 },
    Gauge { value: f64, min: f64, max: f64, last: Option<Timestamp> },
    Rate { trues: u64, total: u64 },
    Trend(TrendSink),
}

impl Sink {
    pub(crate) fn new(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter { sum: 0.0, count: 0 },
            MetricKind::Gauge => Self::Gauge { value: 0.0, min: 0.0, max: 0.0, last: None },
            MetricKind::Rate => Self::Rate { trues: 0, total: 0 },
            MetricKind::Trend => Self::Trend(TrendSink::new()),
        }
    }

    pub(crate) fn add(&mut self, new: f64, time: Timestamp) {
        match self {
            Self::Counter { sum, count } => {
                *sum += new;
                *count += 1;
            }
            Self::Gauge { value, min, max, last } => {
                match *last {
                    None => (*min, *max) = (new, new),
                    Some(_) => (*min, *max) = (min.min(new), max.max(new)),
                }
                // Batches of several groups arrive in any order; the latest observation is the value.
                if last.is_none_or(|last| last <= time) {
                    (*value, *last) = (new, Some(time));
                }
            }
            Self::Rate { trues, total } => {
                *trues += u64::from(new != 0.0);
                *total += 1;
            }
            Self::Trend(trend) => trend.add(new),
        }
    }

    /// Takes over a sum of `more` observations; only counters and rates are ever summed.
    pub(crate) fn add_sum(&mut self, part: f64, more: u64) {
        match self {
            Self::Counter { sum, count } => {
                *sum += part;
                *count += more;
            }
            Self::Rate { trues, total } => {
                *trues += part as u64;
                *total += more;
            }
            Self::Gauge { .. } | Self::Trend(_) => {
                debug_assert!(false, "gauges and trends are not summed");
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Counter { count, .. } => *count == 0,
            Self::Gauge { last, .. } => last.is_none(),
            Self::Rate { total, .. } => *total == 0,
            Self::Trend(trend) => trend.is_empty(),
        }
    }

    pub(crate) fn value(&mut self) -> SinkValue {
        match self {
            Self::Counter { sum, count } => SinkValue::Counter { sum: *sum, count: *count },
            Self::Gauge { value, min, max, .. } => SinkValue::Gauge { value: *value, min: *min, max: *max },
            Self::Rate { trues, total } => SinkValue::Rate { trues: *trues, total: *total },
            Self::Trend(trend) => SinkValue::Trend(trend.summary()),
        }
    }
}

/// What a metric or sub-metric came to.
#[derive(Clone, Debug)]
pub enum SinkValue {
    /// A counter.
    Counter {
        /// The sum of the values; may be negative or fractional.
        sum: f64,
        /// How many values.
        count: u64,
    },
    /// A gauge.
    Gauge {
        /// The value of the latest time.
        value: f64,
        /// The smallest value.
        min: f64,
        /// The largest value.
        max: f64,
    },
    /// A rate.
    Rate {
        /// How many values were not zero.
        trues: u64,
        /// How many values.
        total: u64,
    },
    /// A trend.
    Trend(TrendSummary),
}

impl SinkValue {
    /// The share of values that were not zero, if this is a rate; else 0.
    pub fn rate(&self) -> f64 {
        match self {
            Self::Rate { trues, total } => ratio(*trues, *total),
            _ => 0.0,
        }
    }
}

/// The share of `part` in `total`, 0 of nothing.
pub(crate) fn ratio(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}

/// `sum` per second of the run, 0 before it began.
pub(crate) fn per_second(sum: f64, run_seconds: f64) -> f64 {
    if run_seconds > 0.0 { sum / run_seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(values: &[(i64, f64)]) -> SinkValue {
        let mut sink = Sink::new(MetricKind::Gauge);
        for (time, value) in values {
            sink.add(*value, Timestamp::from_nanos(*time));
        }
        sink.value()
    }

    #[test]
    fn a_gauge_keeps_the_latest_by_time() {
        for (values, expected) in [
            (&[(1, 4.0)][..], (4.0, 4.0, 4.0)),
            (&[(1, -5.0), (2, -3.0)], (-3.0, -5.0, -3.0)),
            (&[(2, 7.0), (1, 9.0)], (7.0, 7.0, 9.0)),
            (&[(1, 1.0), (1, 2.0)], (2.0, 1.0, 2.0)),
            (&[], (0.0, 0.0, 0.0)),
        ] {
            let SinkValue::Gauge { value, min, max } = gauge(values) else { panic!("not a gauge") };
            assert_eq!((value, min, max), expected, "{values:?}");
        }
    }

    #[test]
    fn sums_and_single_values_come_to_the_same() {
        for (kind, parts) in [(MetricKind::Counter, [2.0, -3.5]), (MetricKind::Rate, [1.0, 0.0])] {
            let (mut single, mut summed) = (Sink::new(kind), Sink::new(kind));
            for part in parts {
                single.add(part, Timestamp::default());
            }
            summed.add_sum(parts.iter().sum(), 2);
            assert_eq!(format!("{single:?}"), format!("{summed:?}"));
        }
    }

    #[test]
    fn shares_and_speeds_of_nothing_are_zero() {
        assert_eq!((ratio(0, 0), ratio(3, 4)), (0.0, 0.75));
        assert_eq!((per_second(5.0, 0.0), per_second(5.0, 2.0)), (0.0, 2.5));
        assert_eq!(SinkValue::Rate { trues: 1, total: 2 }.rate(), 0.5);
    }
}

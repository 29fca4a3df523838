//! Distributions: exact for the first values, then within a bounded error in constant memory.

use super::histogram::LogHistogram;
use crate::quantile;

/// The aggregate of a trend.
///
/// Up to [`TrendSink::EXACT`] values are kept as they are and percentiles are exact. After that they go into a
/// histogram: percentiles of values of one sign are then off by less than 0.05 %, while count, sum, minimum and
/// maximum stay exact.
///
/// # Examples
///
/// ```
/// use ws_metrics::TrendSink;
///
/// let mut trend = TrendSink::new();
/// for value in [10.0, 5.0] {
///     trend.add(value);
/// }
/// let summary = trend.summary();
/// assert_eq!((summary.avg(), summary.med(), summary.percentile(95.0)), (7.5, 7.5, 9.75));
/// ```
#[derive(Clone, Debug)]
pub struct TrendSink {
    exact: usize,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Exact { values: Vec<f64>, sorted: bool },
    Bounded(Box<LogHistogram>),
}

impl TrendSink {
    /// How many values are kept exactly: 800 KB of them.
    pub const EXACT: usize = 100_000;

    /// A trend without values.
    pub fn new() -> Self {
        Self::with_exact(Self::EXACT)
    }

    /// A trend that keeps `exact` values before it goes on with a histogram.
    pub fn with_exact(exact: usize) -> Self {
        Self {
            exact,
            count: 0,
            sum: 0.0,
            min: 0.0,
            max: 0.0,
            values: Values::Exact { values: Vec::new(), sorted: true },
        }
    }

    /// Adds a value. What is not a number is left out: it has no place in an order.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count += 1;
        self.sum += value;
        match &mut self.values {
            Values::Exact { values, sorted } if values.len() < self.exact => {
                *sorted = *sorted && values.last().is_none_or(|last| *last <= value);
                values.push(value);
            }
            Values::Exact { values, .. } => {
                let mut histogram = Box::new(LogHistogram::default());
                values.drain(..).for_each(|value| histogram.record(value));
                histogram.record(value);
                self.values = Values::Bounded(histogram);
            }
            Values::Bounded(histogram) => histogram.record(value),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Figures of the values so far.
    pub fn summary(&mut self) -> TrendSummary {
        TrendSummary {
            trend: {
                self.sort();
                self.clone()
            },
        }
    }

    /// Turns the trend into its figures.
    pub fn into_summary(mut self) -> TrendSummary {
        self.sort();
        TrendSummary { trend: self }
    }

    pub(crate) fn min(&self) -> f64 {
        self.min
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// The mean, the sum divided in order of arrival; 0 without values.
    pub(crate) fn avg(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    pub(crate) fn percentile(&mut self, p: f64) -> f64 {
        self.sort();
        self.percentile_sorted(p)
    }

    fn sort(&mut self) {
        if let Values::Exact { values, sorted } = &mut self.values
            && !*sorted
        {
            // Stable sort: what was sorted two seconds ago is one run, only the new values cost.
            values.sort_by(f64::total_cmp);
            *sorted = true;
        }
    }

    fn percentile_sorted(&self, p: f64) -> f64 {
        let q = p / 100.0;
        match &self.values {
            Values::Exact { values, .. } => quantile::of_sorted(values, q),
            Values::Bounded(histogram) => quantile::interpolate(self.count, q, |rank| match rank {
                0 => self.min,
                rank if rank == self.count - 1 => self.max,
                rank => histogram.value_at(rank).clamp(self.min, self.max),
            }),
        }
    }
}

impl Default for TrendSink {
    fn default() -> Self {
        Self::new()
    }
}

/// The figures of a trend. All are 0 without values.
#[derive(Clone, Debug)]
pub struct TrendSummary {
    trend: TrendSink,
}

impl TrendSummary {
    /// The number of values.
    pub fn count(&self) -> u64 {
        self.trend.count
    }

    /// The sum of the values in order of arrival.
    pub fn sum(&self) -> f64 {
        self.trend.sum
    }

    /// The smallest value, exactly.
    pub fn min(&self) -> f64 {
        self.trend.min
    }

    /// The largest value, exactly.
    pub fn max(&self) -> f64 {
        self.trend.max
    }

    /// The mean.
    pub fn avg(&self) -> f64 {
        self.trend.avg()
    }

    /// The median, `percentile(50.0)`.
    pub fn med(&self) -> f64 {
        self.percentile(50.0)
    }

    /// The percentile `p`, 0 to 100: with `x = p / 100 * (count - 1)`, linear between the values of the ranks
    /// `floor(x)` and `ceil(x)`.
    pub fn percentile(&self, p: f64) -> f64 {
        self.trend.percentile_sorted(p)
    }

    /// Whether the percentiles are exact, see [`TrendSink`].
    pub fn is_exact(&self) -> bool {
        matches!(self.trend.values, Values::Exact { .. })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trend(exact: usize, values: &[f64]) -> TrendSummary {
        let mut trend = TrendSink::with_exact(exact);
        values.iter().for_each(|value| trend.add(*value));
        trend.into_summary()
    }

    #[test]
    fn check_values() {
        let summary = trend(100, &[100., 20., 30., 40., 0., 50., 60., 70., 80., 90.]);
        assert_eq!((summary.avg(), summary.med()), (54.0, 55.0));
        assert_eq!((summary.min(), summary.max(), summary.count()), (0.0, 100.0, 10));
        for (p, expected) in [(90.0, 91.0), (95.0, 95.5), (99.0, 99.1), (100.0, 100.0)] {
            assert!((summary.percentile(p) - expected).abs() < 1e-9, "p({p})");
        }
        assert!(summary.is_exact());
    }

    #[test]
    fn nothing_gives_zero_and_one_value_gives_itself() {
        let none = trend(10, &[]);
        assert_eq!((none.count(), none.avg(), none.med(), none.min(), none.max()), (0, 0.0, 0.0, 0.0, 0.0));
        for exact in [0, 10] {
            let one = trend(exact, &[-3.5]);
            assert_eq!((one.min(), one.max(), one.med(), one.avg()), (-3.5, -3.5, -3.5, -3.5));
        }
        assert_eq!(trend(10, &[f64::NAN, 1.0]).count(), 1);
    }

    #[test]
    fn values_added_after_a_summary_are_in_the_next_one() {
        let mut trend = TrendSink::new();
        for (value, med) in [(3.0, 3.0), (1.0, 2.0), (2.0, 2.0), (9.0, 2.5)] {
            trend.add(value);
            assert_eq!(trend.summary().med(), med);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn histogram_percentiles_are_within_a_tenth_of_a_percent(
            values in prop::collection::vec(1e-6f64..1e7, 2..400),
            p in 0.0f64..=100.0,
        ) {
            let (exact, bounded) = (trend(usize::MAX, &values), trend(1, &values));
            prop_assert!(!bounded.is_exact());
            let (want, have) = (exact.percentile(p), bounded.percentile(p));
            prop_assert!((have - want).abs() <= want * 0.001, "p({p}): {have}, not {want}");
            prop_assert_eq!(exact.count(), bounded.count());
            prop_assert_eq!(exact.sum(), bounded.sum());
            prop_assert_eq!((exact.min(), exact.max()), (bounded.min(), bounded.max()));
        }

        #[test]
        fn values_of_both_signs_and_any_size_keep_the_bound_of_their_ranks(
            values in prop::collection::vec(prop::num::f64::NORMAL.prop_filter("sum", |v| v.abs() < 1e300), 2..20),
        ) {
            let (exact, bounded) = (trend(usize::MAX, &values), trend(0, &values));
            for rank in 0..values.len() {
                let p = rank as f64 * 100.0 / (values.len() - 1) as f64;
                let (want, have) = (exact.percentile(p), bounded.percentile(p));
                // p may fall a rounding error beside the rank; then a neighbour takes part a little.
                let room = want.abs().max(have.abs()) * 0.001 + exact.max().max(-exact.min()) * 1e-12;
                prop_assert!((have - want).abs() <= room, "rank {rank}: {have}, not {want}");
            }
        }
    }
}

//! A histogram of any finite numbers with a relative error below 0.05 %.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// Significant digits of the histograms inside: 2048 sub-buckets, so a bucket is at most 1/1024 of its value
/// wide, and its middle at most 1/2048 away from what fell into it.
const DIGITS: u8 = 3;
/// Values of a block are scaled to integers from here on, where buckets begin to be wider than one.
const BASE_BITS: i32 = 11;
/// Powers of two that one block spans.
const BLOCK_BITS: i32 = 40;
/// Exponent at which block 0 begins: 2^-20 to 2^20 milliseconds is a nanosecond to 17 minutes.
const FIRST_EXPONENT: i32 = -20;

/// Counts of values, kept in blocks of 40 powers of two so that the error bound holds from the smallest to the
/// largest `f64` and on both sides of zero. Nearly every metric lives in one block (at most 330 KiB).
#[derive(Clone, Debug, Default)]
pub(super) struct LogHistogram {
    negative: BTreeMap<i32, Histogram<u64>>,
    zeros: u64,
    positive: BTreeMap<i32, Histogram<u64>>,
}

impl LogHistogram {
    pub(super) fn record(&mut self, value: f64) {
        let magnitude = value.abs().min(f64::MAX);
        // Subnormal numbers have no exponent to go by, and nobody measures them.
        if magnitude < f64::MIN_POSITIVE {
            self.zeros += 1;
            return;
        }
        let block = (exponent(magnitude) - FIRST_EXPONENT).div_euclid(BLOCK_BITS);
        let side = if value < 0.0 { &mut self.negative } else { &mut self.positive };
        side.entry(block)
            .or_insert_with(|| {
                let mut histogram = Histogram::new(DIGITS).expect("three digits are allowed");
                histogram.auto(true);
                histogram
            })
            .record(shift(magnitude, scale_bits(block)) as u64)
            .expect("it grows up to any u64");
    }

    /// The value of rank `rank` (from 0) of the recorded values in order: the middle of its bucket.
    pub(super) fn value_at(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (&block, histogram) in self.negative.iter().rev() {
            if left < histogram.len() {
                // The largest magnitude comes first below zero.
                return -bucket_middle(histogram, block, histogram.len() - 1 - left);
            }
            left -= histogram.len();
        }
        if left < self.zeros {
            return 0.0;
        }
        left -= self.zeros;
        for (&block, histogram) in &self.positive {
            if left < histogram.len() {
                return bucket_middle(histogram, block, left);
            }
            left -= histogram.len();
        }
        0.0
    }
}

fn bucket_middle(histogram: &Histogram<u64>, block: i32, rank: u64) -> f64 {
    let mut passed = 0;
    for step in histogram.iter_recorded() {
        passed += step.count_since_last_iteration();
        if rank < passed {
            let low = histogram.lowest_equivalent(step.value_iterated_to());
            let width = histogram.equivalent_range(low);
            return shift(low as f64 + width as f64 / 2.0, -scale_bits(block));
        }
    }
    0.0
}

/// Powers of two that bring the values of a block to 2^11 and up.
fn scale_bits(block: i32) -> i32 {
    BASE_BITS - FIRST_EXPONENT - block * BLOCK_BITS
}

/// `value * 2^bits` in two steps, because the factor alone may be too large for a number.
fn shift(value: f64, bits: i32) -> f64 {
    value * 2f64.powi(bits / 2) * 2f64.powi(bits - bits / 2)
}

/// `e` with `2^e <= value < 2^(e + 1)`, for positive normal numbers.
fn exponent(value: f64) -> i32 {
    ((value.to_bits() >> 52) as i32 & 0x7ff) - 1023
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_bounded_over_the_whole_range() {
        let mut value = 1e-300;
        while value < 1e300 {
            for signed in [value, -value] {
                let mut histogram = LogHistogram::default();
                histogram.record(signed);
                let error = (histogram.value_at(0) - signed).abs() / value;
                assert!(error < 0.0005, "{signed}: {error}");
            }
            value *= 7.37;
        }
    }

    #[test]
    fn ranks_go_from_the_most_negative_to_the_largest() {
        let mut histogram = LogHistogram::default();
        let values = [-1e9, -3.0, -2.0, 0.0, 0.0, 1e-9, 2.0, 3.0, 1e12];
        for value in values.iter().rev() {
            histogram.record(*value);
        }
        for (rank, value) in values.into_iter().enumerate() {
            let found = histogram.value_at(rank as u64);
            assert!((found - value).abs() <= value.abs() * 0.0005, "rank {rank}: {found}, not {value}");
        }
    }

    #[test]
    fn infinities_do_not_break_it() {
        let mut histogram = LogHistogram::default();
        for value in [f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324] {
            histogram.record(value);
        }
        assert!(histogram.value_at(0) < -1e308);
        assert_eq!(histogram.value_at(1), 0.0);
        assert!(histogram.value_at(3) > 1e308);
    }
}

//! How fast a process grows, told by a slope that single jumps do not change.

use std::time::Duration;

use crate::report::median;

/// Resident memory over time: when, since the start, and how many bytes.
pub type Series = Vec<(Duration, u64)>;

/// Bytes per second, without the first half, in which caches fill and heaps find their size: the median of the slopes
/// between all pairs of points (Theil and Sen), so that one step up or a collection at the end does not decide. `NaN`
/// of fewer than four points.
pub fn slope(series: &[(Duration, u64)]) -> f64 {
    let Some((end, _)) = series.last() else { return f64::NAN };
    let late: Vec<_> = series.iter().filter(|(at, _)| *at * 2 >= *end).collect();
    if late.len() < 4 {
        return f64::NAN;
    }
    let mut slopes = Vec::with_capacity(late.len() * late.len() / 2);
    for (i, (from, before)) in late.iter().enumerate() {
        for (to, after) in &late[i + 1..] {
            let seconds = to.saturating_sub(*from).as_secs_f64();
            if seconds > 0.0 {
                slopes.push((*after as f64 - *before as f64) / seconds);
            }
        }
    }
    median(slopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: impl Fn(u64) -> u64) -> f64 {
        slope(&(0..100).map(|second| (Duration::from_secs(second), bytes(second))).collect::<Vec<_>>())
    }

    #[test]
    fn a_steady_rise_is_found_under_noise() {
        let noisy = of(|second| 50_000_000 + 20_000 * second + second * 7919 % 50_000);
        assert!((19_000.0..21_000.0).contains(&noisy), "{noisy}");
    }

    #[test]
    fn a_warm_up_and_single_jumps_are_no_slope() {
        assert_eq!(of(|second| 1_000_000 * second.min(40)), 0.0);
        assert_eq!(of(|second| 40_000_000 + if second > 70 { 4_000_000 } else { 0 }), 0.0);
        assert_eq!(of(|second| 40_000_000 - if second == 99 { 9_000_000 } else { 0 }), 0.0);
    }

    #[test]
    fn too_little_is_no_slope_either() {
        assert!(slope(&[]).is_nan());
        assert!(slope(&[(Duration::ZERO, 1), (Duration::from_secs(1), 2)]).is_nan());
    }
}

//! Percentiles with linear interpolation between the two nearest ranks.

/// The quantile `q` (0 to 1) of `count` sorted values, `value_at(rank)` giving the value of rank 0 to
/// `count - 1`.
///
/// With `x = q * (count - 1)` the result lies between the values of the ranks `floor(x)` and `ceil(x)`, in
/// proportion. No values give 0.
pub(crate) fn interpolate(count: u64, q: f64, mut value_at: impl FnMut(u64) -> f64) -> f64 {
    match count {
        0 => 0.0,
        1 => value_at(0),
        _ => {
            let x = q.clamp(0.0, 1.0) * (count - 1) as f64;
            let (low, high) = (x.floor(), x.ceil());
            let below = value_at(low as u64);
            if low == high {
                return below;
            }
            below + (value_at(high as u64) - below) * (x - low)
        }
    }
}

/// [`interpolate`] over a sorted slice.
pub(crate) fn of_sorted(values: &[f64], q: f64) -> f64 {
    interpolate(values.len() as u64, q, |rank| values[rank as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values() {
        let ten = [0., 20., 30., 40., 50., 60., 70., 80., 90., 100.];
        for (values, q, expected) in [
            (&ten[..], 0.5, 55.0),
            (&ten, 0.9, 91.0),
            (&ten, 0.95, 95.5),
            (&ten, 0.99, 99.1),
            (&ten, 1.0, 100.0),
            (&ten, 0.0, 0.0),
            (&[5., 10.], 0.5, 7.5),
            (&[5., 10.], 0.95, 9.75),
            (&[3.], 0.99, 3.0),
            (&[], 0.5, 0.0),
        ] {
            let result = of_sorted(values, q);
            assert!((result - expected).abs() < 1e-9, "q {q} of {values:?}: {result}, not {expected}");
        }
    }
}

//! Exact fractions, as far as segments need them.

use std::cmp::Ordering;
use std::fmt;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    numerator: i128,
    denominator: u64,
}

impl Ratio {
    pub(super) const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub(super) const ONE: Self = Self { numerator: 1, denominator: 1 };

    fn new(numerator: i128, denominator: u128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let (mut a, mut b) = (numerator.unsigned_abs(), denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1);
        let denominator = u64::try_from(denominator / divisor).ok()?;
        Some(Self { numerator: numerator / i128::try_from(divisor).ok()?, denominator })
    }

    /// Reads `1/3`, `0.25`, `50%`, `1e-1`. `None` for anything else, and for more digits than anybody needs.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_suffix('%') {
            let Self { numerator, denominator } = Self::parse(number)?;
            return Self::new(numerator, u128::from(denominator) * 100);
        }
        match text.split_once('/') {
            Some((numerator, denominator)) => {
                Self::new(numerator.parse::<i64>().ok()?.into(), denominator.parse::<u64>().ok()?.into())
            }
            None => Self::decimal(text),
        }
    }

    fn decimal(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        let plain = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
        if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let numerator: i64 = digits.parse().ok()?;
        let shift = exponent - i32::try_from(fraction.len()).ok()?;
        let scale =
            10i128.checked_pow(shift.unsigned_abs()).filter(|scale| *scale <= 1_000_000_000_000_000_000)?;
        if shift >= 0 {
            Self::new(i128::from(numerator) * scale, 1)
        } else {
            Self::new(numerator.into(), scale.unsigned_abs())
        }
    }

    /// Of ratios from 0 to 1; the difference of two that do not fit is as good as it gets.
    pub(super) fn minus(self, other: Self) -> Self {
        let (a, b) = (i128::from(self.denominator), i128::from(other.denominator));
        let numerator = self.numerator * b - other.numerator * a;
        Self::new(numerator, u128::from(self.denominator) * u128::from(other.denominator))
            .unwrap_or(Self { numerator: 1, denominator: u64::MAX })
    }

    pub(super) fn denominator(self) -> u64 {
        self.denominator
    }

    /// This part of a multiple of the denominator.
    pub(super) fn of(self, whole: u64) -> u64 {
        u64::try_from(self.numerator.max(0)).unwrap_or(u64::MAX).saturating_mul(whole / self.denominator)
    }

    pub(super) fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// With two decimals.
    pub(super) fn decimals(self) -> String {
        format!("{:.2}", self.as_f64())
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        // Numerators are below 2^63 times 10^18 at most where the denominator is 1, else below 2^63.
        let (left, right) = (i128::from(other.denominator), i128::from(self.denominator));
        self.numerator.saturating_mul(left).cmp(&other.numerator.saturating_mul(right))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => self.numerator.fmt(f),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `None` if it is too large.
pub(super) fn lcm(a: u64, b: u64) -> Option<u64> {
    (a / gcd(a, b)).checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_digits_are_refused_not_rounded() {
        assert_eq!(
            Ratio::parse("0.3333333333333333"),
            Ratio::new(3_333_333_333_333_333, 10_000_000_000_000_000)
        );
        for text in
            ["0.33333333333333333333333", "1e-30", "1e40", "99999999999999999999", "1/-2", ".", "-", "", "%"]
        {
            assert_eq!(Ratio::parse(text), None, "{text}");
        }
        assert_eq!(Ratio::parse(".5"), Ratio::new(1, 2));
        assert_eq!(Ratio::parse("-1/2").unwrap().decimals(), "-0.50");
    }
}

//! Spans of time as k6 users write and read them: `10m30s`, `1.5s`, `500ms`.
//!
//! Three kinds of input exist. A command line flag needs a unit ([`GoDuration::parse`]). Environment variables, JSON
//! and script options also take a bare number, which means milliseconds, and whole days in front (`1d12h`):
//! [`GoDuration::parse_option`] for text and [`GoDuration::from_millis`] for numbers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A signed span of time with nanosecond resolution, printed as Go prints it.
///
/// It is signed because options may hold a negative value until validation refuses it. The range is about ±292 years.
///
/// # Examples
///
/// ```
/// use ws_metrics::duration::GoDuration;
///
/// let d = GoDuration::parse("90m1.5s")?;
/// assert_eq!(d.to_string(), "1h30m1.5s");
/// assert_eq!(GoDuration::parse_option("1d12h")?.to_string(), "36h0m0s");
/// assert_eq!(GoDuration::parse_option("1500")?, GoDuration::parse("1.5s")?);
/// assert!(GoDuration::parse("1500").is_err());
/// # Ok::<(), ws_metrics::duration::DurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration {
    nanos: i64,
}

/// Text that is not a duration. The texts are those a Go program gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Empty, without digits, or out of range.
    #[error("time: invalid duration {}", quote(.0))]
    Invalid(String),
    /// A number without a unit where one is needed.
    #[error("time: missing unit in duration {}", quote(.0))]
    MissingUnit(String),
    /// A unit other than `h`, `m`, `s`, `ms`, `us`, `µs`, `ns`.
    #[error("time: unknown unit {} in duration {}", quote(.unit), quote(.text))]
    UnknownUnit {
        /// What stands where the unit should.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// What stands before `d` is not a whole number.
    #[error("invalid number of days {}", quote(.0))]
    Days(String),
    /// A minus between the days and the rest.
    #[error("invalid time format '{0}'")]
    Sign(String),
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 24 * 3600 * SECOND;

impl GoDuration {
    /// No time at all.
    pub const ZERO: Self = Self { nanos: 0 };

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// A span of whole seconds; saturates at the ends of the range.
    pub const fn from_secs(secs: i64) -> Self {
        Self { nanos: secs.saturating_mul(SECOND) }
    }

    /// A span given as a bare number of milliseconds, the meaning of numbers in script options. Fractions of a
    /// nanosecond are cut off.
    ///
    /// # Errors
    ///
    /// [`DurationError::Invalid`] if the value is not finite or out of range.
    pub fn from_millis(millis: f64) -> Result<Self, DurationError> {
        let nanos = millis * 1e6;
        // i64::MAX as f64 rounds up to 2^63, hence the strict comparison.
        if nanos.is_finite() && nanos >= i64::MIN as f64 && nanos < i64::MAX as f64 {
            Ok(Self { nanos: nanos as i64 })
        } else {
            Err(DurationError::Invalid(millis.to_string()))
        }
    }

    /// Reads a duration in which every number has a unit, as command line flags need it: `1h30m`, `1.5s`, `-3ms`.
    /// Only `0` may stand alone. Digits below a nanosecond are cut off.
    ///
    /// # Errors
    ///
    /// [`DurationError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (whole, after_whole) = split_digits(rest);
            let (fraction, after_number) = match after_whole.strip_prefix('.') {
                Some(after_point) => split_digits(after_point),
                None => ("", after_whole),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let end =
                after_number.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after_number.len());
            let (unit, after_unit) = after_number.split_at(end);
            if unit.is_empty() {
                return Err(DurationError::MissingUnit(text.to_owned()));
            }
            let Some(scale) = unit_nanos(unit) else {
                return Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() });
            };
            let term = scaled(whole, fraction, scale).ok_or_else(invalid)?;
            total = total.checked_add(term).ok_or_else(invalid)?;
            rest = after_unit;
        }
        let nanos =
            if negative { 0i64.checked_sub_unsigned(total) } else { 0i64.checked_add_unsigned(total) };
        nanos.map(Self::from_nanos).ok_or_else(invalid)
    }

    /// Reads a duration as environment variables, JSON and script options hold it: like [`parse`](Self::parse), and
    /// also a bare number of milliseconds (`1500`, `1.5`) and whole days in front (`1d`, `1d12h`).
    ///
    /// # Errors
    ///
    /// [`DurationError`] for anything else; the empty text is an error too, whoever takes it for "unset" asks first.
    pub fn parse_option(text: &str) -> Result<Self, DurationError> {
        // f64's own parser also takes "inf" and "nan".
        if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            && let Ok(millis) = text.parse::<f64>()
        {
            return Self::from_millis(millis).map_err(|_| DurationError::Invalid(text.to_owned()));
        }
        let Some((days, rest)) = text.split_once('d') else { return Self::parse(text) };
        let days: i64 = days.parse().map_err(|_| DurationError::Days(days.to_owned()))?;
        if rest.starts_with('-') {
            return Err(DurationError::Sign(rest.to_owned()));
        }
        let rest = if rest.is_empty() { Self::ZERO } else { Self::parse(rest)? };
        let nanos = days.checked_mul(DAY).and_then(|days| {
            if days < 0 { days.checked_sub(rest.nanos) } else { days.checked_add(rest.nanos) }
        });
        nanos.map(Self::from_nanos).ok_or_else(|| DurationError::Invalid(text.to_owned()))
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// The span in milliseconds, with fraction.
    pub fn as_millis_f64(self) -> f64 {
        self.nanos as f64 / 1e6
    }

    /// Whether the span is shorter than nothing.
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether the span is nothing.
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// The span for the standard library's arithmetic; negative spans become zero.
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.nanos).unwrap_or(0))
    }
}

impl From<Duration> for GoDuration {
    /// Saturates at about 292 years.
    fn from(d: Duration) -> Self {
        Self { nanos: i64::try_from(d.as_nanos()).unwrap_or(i64::MAX) }
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        Self::parse(text)
    }
}

impl fmt::Display for GoDuration {
    /// Hours, minutes and seconds without leading zero parts, no trailing zeros of the fraction: `1h0m0s`, `1.5s`. Below
    /// one second a smaller unit: `500ms`, `1.5µs`, `7ns`. Nothing is `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos.unsigned_abs();
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        const SECOND: u64 = 1_000_000_000;
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}µs", Decimal { nanos, unit: 1_000 }),
            1_000_000..SECOND => write!(f, "{}ms", Decimal { nanos, unit: 1_000_000 }),
            _ => {
                let minutes = nanos / (60 * SECOND);
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                write!(f, "{}s", Decimal { nanos: nanos % (60 * SECOND), unit: SECOND })
            }
        }
    }
}

/// `nanos / unit` as a decimal number without trailing zeros; `unit` is a power of ten.
struct Decimal {
    nanos: u64,
    unit: u64,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.nanos / self.unit)?;
        let fraction = self.nanos % self.unit;
        if fraction == 0 {
            return Ok(());
        }
        let digits = format!("{fraction:0width$}", width = self.unit.ilog10() as usize);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter look alike and both occur.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND as u64,
        "m" => 60 * SECOND as u64,
        "h" => 3600 * SECOND as u64,
        _ => return None,
    })
}

/// `whole.fraction * scale` in whole units, cut off; `None` if it does not fit.
fn scaled(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 digits are below a nanosecond for every unit and keep the product in range.
    let fraction = &fraction[..fraction.len().min(18)];
    let part = match fraction.parse::<u64>() {
        Ok(digits) => u128::from(digits) * u128::from(scale) / 10u128.pow(fraction.len() as u32),
        Err(_) => 0,
    };
    whole.checked_mul(scale)?.checked_add(u64::try_from(part).ok()?)
}

/// The text in double quotes, bytes outside printable ASCII escaped, so that an error stays one line.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_like_go() {
        let table: &[(i64, &str)] = &[
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1µs"),
            (1_500, "1.5µs"),
            (1_000_000, "1ms"),
            (100_000_000, "100ms"),
            (999_999_999, "999.999999ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (61_001_001_001, "1m1.001001001s"),
            (600_000_000_000, "10m0s"),
            (630_000_000_000, "10m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (5_401_500_000_000, "1h30m1.5s"),
            (129_600_000_000_000, "36h0m0s"),
            (-1_500_000_000, "-1.5s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for &(nanos, text) in table {
            assert_eq!(GoDuration::from_nanos(nanos).to_string(), text);
            assert_eq!(GoDuration::parse(text), Ok(GoDuration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn flags_need_a_unit() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("1.s", Ok("1s")),
            (".5s", Ok("500ms")),
            ("+2s", Ok("2s")),
            ("0", Ok("0s")),
            ("-0", Ok("0s")),
            ("0.000000001h", Ok("3.6µs")),
            ("1.123456789123s", Ok("1.123456789s")),
            ("1.9999999999999999999999999999s", Ok("1.999999999s")),
            ("5µs", Ok("5µs")),
            ("5μs", Ok("5µs")),
            ("9223372036s", Ok("2562047h47m16s")),
            ("1500", Err("time: missing unit in duration \"1500\"")),
            ("00", Err("time: missing unit in duration \"00\"")),
            ("1h30", Err("time: missing unit in duration \"1h30\"")),
            ("1.2.3s", Err("time: missing unit in duration \"1.2.3s\"")),
            ("1d", Err("time: unknown unit \"d\" in duration \"1d\"")),
            ("1 s", Err("time: unknown unit \" s\" in duration \"1 s\"")),
            ("1e3s", Err("time: unknown unit \"e\" in duration \"1e3s\"")),
            ("", Err("time: invalid duration \"\"")),
            ("-", Err("time: invalid duration \"-\"")),
            (".s", Err("time: invalid duration \".s\"")),
            ("s", Err("time: invalid duration \"s\"")),
            ("µ", Err("time: invalid duration \"\\xc2\\xb5\"")),
            ("9223372037s", Err("time: invalid duration \"9223372037s\"")),
            ("99999999999999999999s", Err("time: invalid duration \"99999999999999999999s\"")),
        ];
        for &(text, expected) in table {
            let got = GoDuration::parse(text).map(|d| d.to_string()).map_err(|e| e.to_string());
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn options_take_numbers_and_days() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("1500", Ok("1.5s")),
            ("1.5", Ok("1.5ms")),
            ("1e3", Ok("1s")),
            ("-1", Ok("-1ms")),
            ("90m", Ok("1h30m0s")),
            ("1d", Ok("24h0m0s")),
            ("1d12h", Ok("36h0m0s")),
            ("-1d", Ok("-24h0m0s")),
            ("9223372036854", Ok("2562047h47m16.853999616s")),
            ("", Err("time: invalid duration \"\"")),
            ("inf", Err("time: invalid duration \"inf\"")),
            ("99999999999999999", Err("time: invalid duration \"99999999999999999\"")),
            ("d", Err("invalid number of days \"\"")),
            ("1.5d", Err("invalid number of days \"1.5\"")),
            ("-1d2h", Ok("-26h0m0s")),
            ("1d+2h", Ok("26h0m0s")),
            ("1d-2h", Err("invalid time format '-2h'")),
            ("1d2d", Err("time: unknown unit \"d\" in duration \"2d\"")),
            ("1d1", Err("time: missing unit in duration \"1\"")),
            ("999999999d", Err("time: invalid duration \"999999999d\"")),
        ];
        for &(text, expected) in table {
            let got = GoDuration::parse_option(text).map(|d| d.to_string()).map_err(|e| e.to_string());
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn numbers_are_milliseconds() {
        assert_eq!(GoDuration::from_millis(1.5), Ok(GoDuration::from_nanos(1_500_000)));
        assert_eq!(GoDuration::from_millis(-2.0), Ok(GoDuration::from_nanos(-2_000_000)));
        assert!(GoDuration::from_millis(f64::NAN).is_err());
        assert!(GoDuration::from_millis(1e30).is_err());
        assert_eq!(GoDuration::from_secs(-1).to_std(), Duration::ZERO);
        assert_eq!(GoDuration::from(Duration::from_millis(250)).as_millis_f64(), 250.0);
    }
}

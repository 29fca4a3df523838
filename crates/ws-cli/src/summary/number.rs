//! How the report writes numbers: times, amounts of data, shares, everything else.

use ws_metrics::Contains;

/// The unit the user asked times to be shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Millis,
    Micros,
}

impl TimeUnit {
    /// Reads `summaryTimeUnit`; anything else leaves the choice to each value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "s" => Some(Self::Seconds),
            "ms" => Some(Self::Millis),
            "us" => Some(Self::Micros),
            _ => None,
        }
    }
}

/// A value of a metric.
pub(crate) fn value(value: f64, contains: Contains, unit: Option<TimeUnit>) -> String {
    if let Some(name) = not_finite(value) {
        return name.to_owned();
    }
    match contains {
        Contains::Time => time(value, unit),
        Contains::Data => data(value),
        Contains::Default => plain(value),
    }
}

/// What numbers are called that have no digits, here and in every file that cannot say them as numbers: as
/// JavaScript calls them.
pub(crate) fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ if value.is_nan() => Some("NaN"),
        _ => None,
    }
}

/// Up to six decimals.
pub(crate) fn plain(value: f64) -> String {
    if let Some(name) = not_finite(value) {
        return name.to_owned();
    }
    trim(format!("{value:.6}"))
}

/// `part` of `total` in percent, cut (not rounded) to two decimals: 99.99 % is not 100 %.
pub(crate) fn share(part: u64, total: u64) -> String {
    let hundredths = if total == 0 { 0 } else { u128::from(part) * 10_000 / u128::from(total) };
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// `part` of `total` in whole percent, rounded down.
pub(crate) fn percent(part: u64, total: u64) -> u64 {
    if total == 0 { 0 } else { u64::try_from(u128::from(part) * 100 / u128::from(total)).unwrap_or(100) }
}

fn time(millis: f64, unit: Option<TimeUnit>) -> String {
    match unit {
        Some(TimeUnit::Seconds) => format!("{:.2}s", millis / 1e3),
        Some(TimeUnit::Millis) => format!("{millis:.2}ms"),
        Some(TimeUnit::Micros) => format!("{:.2}µs", millis * 1e3),
        None => auto(millis),
    }
}

/// The largest unit that leaves a digit before the point, two decimals, cut; from a minute on whole seconds.
fn auto(millis: f64) -> String {
    // Values are whole nanoseconds that went through a float; rounding brings them back before anything is cut.
    let nanos = (millis * 1e6).round();
    let (sign, nanos) = if nanos < 0.0 { ("-", -nanos) } else { ("", nanos) };
    let nanos = nanos as u128;
    let cut = |unit: u128, name: &str| {
        let hundredths = nanos * 100 / unit;
        format!("{sign}{}{name}", trim(format!("{}.{:02}", hundredths / 100, hundredths % 100)))
    };
    let seconds = nanos / 1_000_000_000;
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => cut(1_000, "µs"),
        1_000_000..1_000_000_000 => cut(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => cut(1_000_000_000, "s"),
        _ if seconds < 3600 => format!("{sign}{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{sign}{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// Base 1000; one decimal below ten units.
fn data(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 10.0 {
        return format!("{} B", plain(bytes.trunc()));
    }
    let mut scaled = bytes;
    let mut unit = 0;
    while scaled >= 1000.0 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let tenths = (scaled * 10.0).round() / 10.0;
    let decimals = usize::from(tenths < 10.0);
    format!("{tenths:.decimals$} {}", UNITS[unit])
}

fn trim(text: String) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_by_themselves() {
        for (millis, text) in [
            (0.0, "0s"),
            (0.000503, "503ns"),
            (0.5, "500µs"),
            (0.50296, "502.96µs"),
            (1.15, "1.15ms"),
            (12.349, "12.34ms"),
            (999.999, "999.99ms"),
            (1500.0, "1.5s"),
            (5802.43, "5.8s"),
            (51_028.973_409, "51.02s"),
            (59_999.999, "59.99s"),
            (60_000.0, "1m0s"),
            (244_938.27, "4m4s"),
            (31_839_999.999_7, "8h50m39s"),
            (95_400_000.0, "26h30m0s"),
            (-12.345, "-12.34ms"),
        ] {
            assert_eq!(value(millis, Contains::Time, None), text);
        }
    }

    #[test]
    fn times_in_the_unit_asked_for() {
        let value = |millis, unit| value(millis, Contains::Time, TimeUnit::parse(unit));
        assert_eq!(value(12_345.678, "ms"), "12345.68ms");
        assert_eq!(value(0.5, "us"), "500.00µs");
        assert_eq!(value(0.000503, "us"), "0.50µs");
        assert_eq!(value(51_028.97, "s"), "51.03s");
        assert_eq!(value(0.0, "s"), "0.00s");
        assert_eq!(value(1500.0, ""), "1.5s");
    }

    #[test]
    fn amounts_of_data() {
        for (bytes, text) in [
            (0.0, "0 B"),
            (3.165, "3 B"),
            (38.0, "38 B"),
            (544.0, "544 B"),
            (1140.7, "1.1 kB"),
            (4_900.0, "4.9 kB"),
            (9_941.0, "9.9 kB"),
            (9_951.0, "10 kB"),
            (99_542.0, "100 kB"),
            (999_943.0, "1000 kB"),
            (1_234_611.0, "1.2 MB"),
            (12_345_723.0, "12 MB"),
            (2.5e15, "2.5 PB"),
            (1e21, "1000 EB"),
        ] {
            assert_eq!(value(bytes, Contains::Data, None), text);
        }
    }

    #[test]
    fn other_numbers() {
        for (number, text) in [
            (4.493827156, "4.493827"),
            (4938.2715648, "4938.271565"),
            (12.0, "12"),
            (-1.5, "-1.5"),
            (100.0, "100"),
            (-0.0000001, "0"),
            (1e15, "1000000000000000"),
        ] {
            assert_eq!(plain(number), text);
        }
    }

    #[test]
    fn shares_are_cut() {
        assert_eq!(
            (share(22, 24), share(2, 24), share(3, 4)),
            ("91.66%".into(), "8.33%".into(), "75.00%".into())
        );
        assert_eq!((share(0, 0), share(5, 5)), ("0.00%".into(), "100.00%".into()));
        assert_eq!((percent(199, 200), percent(1, 200), percent(0, 0)), (99, 0, 0));
    }
}

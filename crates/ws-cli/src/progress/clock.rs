//! Times that keep their width while they count.

use std::time::Duration;

/// `elapsed` to a tenth of a second, with the units and the width that `longest` needs: `00m01.0s` of ten minutes.
pub(crate) fn fixed(elapsed: Duration, longest: Duration) -> String {
    let (now, most) = (split(elapsed), split(longest));
    let width = |number: u64| number.to_string().len();
    let [days, hours, minutes, tenths] = now;
    let (seconds, tenths) = (tenths / 10, tenths % 10);
    match most {
        [0, 0, 0, most] => {
            let all = (days * 24 + hours) * 3600 + minutes * 60 + seconds;
            format!("{all:0w$}.{tenths}s", w = width(most / 10))
        }
        [0, 0, most, _] => {
            format!("{:0w$}m{seconds:02}.{tenths}s", (days * 24 + hours) * 60 + minutes, w = width(most))
        }
        [0, most, ..] => {
            format!("{:0w$}h{minutes:02}m{seconds:02}.{tenths}s", days * 24 + hours, w = width(most))
        }
        [most, ..] => format!("{days:0w$}d{hours:02}h{minutes:02}m{seconds:02}.{tenths}s", w = width(most)),
    }
}

/// Days, hours, minutes, tenths of a second.
fn split(duration: Duration) -> [u64; 4] {
    let tenths = u64::try_from((duration.as_millis() + 50) / 100).unwrap_or(u64::MAX);
    [tenths / 864_000, tenths / 36_000 % 24, tenths / 600 % 60, tenths % 600]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_follows_the_longest() {
        let second = Duration::from_secs(1);
        for (longest, expected) in [
            (2, "1.0s"),
            (20, "01.0s"),
            (60, "0m01.0s"),
            (300, "0m01.0s"),
            (630, "00m01.0s"),
            (3600, "0h00m01.0s"),
            (23 * 3600, "00h00m01.0s"),
            (30 * 3600, "0d00h00m01.0s"),
            (2400 * 3600, "000d00h00m01.0s"),
        ] {
            assert_eq!(fixed(second, Duration::from_secs(longest)), expected);
        }
        assert_eq!(fixed(second, Duration::from_millis(9990)), "01.0s");
    }

    #[test]
    fn all_parts_are_there() {
        let elapsed = Duration::from_millis(((5 * 24 + 23) * 3600 + 59 * 60 + 58) * 1000 + 940);
        assert_eq!(fixed(elapsed, Duration::from_secs(2400 * 3600)), "005d23h59m58.9s");
        assert_eq!(fixed(Duration::from_secs(75), Duration::from_secs(20)), "75.0s");
        assert_eq!(fixed(Duration::from_secs(3700), Duration::from_secs(60)), "61m40.0s");
    }
}

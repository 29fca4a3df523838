//! The dates of cookies as scripts write them, in the form of RFC 1123: `Mon, 02 Jan 2006 15:04:05 MST`.
//!
//! What is taken besides, and what is said of the rest, is as in k6: letters of any case, more spaces than needed,
//! fractions of a second, any weekday.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

const FORM: &str = "Mon, 02 Jan 2006 15:04:05 MST";
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date. A zone counts if it is `GMT` with a number of hours; every other one is taken for UTC.
///
/// # Errors
///
/// k6's text for what is no such date.
pub(super) fn parse(text: &str) -> Result<SystemTime, String> {
    let mut scanner = Scanner(text);
    date(&mut scanner).map_err(|fault| {
        let quoted = quote(text);
        match fault {
            Fault::Not(part) => format!(
                "parsing time {quoted} as {}: cannot parse {} as {}",
                quote(FORM),
                quote(scanner.0),
                quote(part)
            ),
            Fault::Range(part) => format!("parsing time {quoted}: {part} out of range"),
            Fault::Extra => format!("parsing time {quoted}: extra text: {}", quote(scanner.0)),
        }
    })
}

/// What is wrong with a date, at the place where the scanner stands.
enum Fault {
    /// It does not go on with this part of [`FORM`].
    Not(&'static str),
    /// This part's number is none that there is.
    Range(&'static str),
    /// It goes on after its end.
    Extra,
}

fn date(scanner: &mut Scanner<'_>) -> Result<SystemTime, Fault> {
    scanner.name(&WEEKDAYS, "Mon")?;
    scanner.literal(", ")?;
    let day = scanner.digits(2, "02")?;
    scanner.literal(" ")?;
    let month = scanner.name(&MONTHS, "Jan")?;
    scanner.literal(" ")?;
    let year = i64::from(scanner.digits(4, "2006")?);
    scanner.literal(" ")?;
    let hour = scanner.digits(2, "15").or_else(|_| scanner.digits(1, "15"))?;
    let hour = within(hour, 24, "hour")?;
    scanner.literal(":")?;
    let minute = within(scanner.digits(2, "04")?, 60, "minute")?;
    scanner.literal(":")?;
    let second = within(scanner.digits(2, "05")?, 60, "second")?;
    scanner.fraction();
    scanner.literal(" ")?;
    let offset = scanner.zone().ok_or(Fault::Not("MST"))?;
    if !scanner.0.is_empty() {
        return Err(Fault::Extra);
    }
    if !(1..=days_in(month, year)).contains(&day) {
        return Err(Fault::Range("day"));
    }
    let days = days_since_1970(year, month as i64 + 1, i64::from(day));
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset * 3600;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    // Four digits of a year are never too far away.
    let date = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    Ok(date.unwrap_or(epoch))
}

fn within(number: u32, end: u32, part: &'static str) -> Result<u32, Fault> {
    if number < end { Ok(number) } else { Err(Fault::Range(part)) }
}

fn days_in(month: usize, year: i64) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 if leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, the year beginning with March so that a leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The rest of a date. It stands still where something cannot be read.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn skip(&mut self, len: usize) {
        self.0 = &self.0[len..];
    }

    /// One of `names`, in any case; which one.
    fn name(&mut self, names: &[&str], part: &'static str) -> Result<usize, Fault> {
        let found =
            self.0.get(..3).and_then(|text| names.iter().position(|name| name.eq_ignore_ascii_case(text)));
        let found = found.ok_or(Fault::Not(part))?;
        self.skip(3);
        Ok(found)
    }

    /// A space stands for any number of spaces.
    fn literal(&mut self, literal: &'static str) -> Result<(), Fault> {
        let trimmed = literal.trim_end_matches(' ');
        let rest = self.0.strip_prefix(trimmed).ok_or(Fault::Not(literal))?;
        let spaces = literal.len() > trimmed.len();
        if spaces && !rest.is_empty() && !rest.starts_with(' ') {
            self.0 = rest;
            return Err(Fault::Not(literal));
        }
        self.0 = if spaces { rest.trim_start_matches(' ') } else { rest };
        Ok(())
    }

    fn digits(&mut self, count: usize, part: &'static str) -> Result<u32, Fault> {
        let digits = self.0.get(..count).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).ok_or(Fault::Not(part))?;
        self.skip(count);
        Ok(number)
    }

    fn fraction(&mut self) {
        if let Some(rest) = self.0.strip_prefix(['.', ',']) {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if after.len() < rest.len() {
                self.0 = after;
            }
        }
    }

    /// Hours ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        let text = self.0;
        if text.len() < 3 {
            return None;
        }
        if text.starts_with("GMT") {
            self.skip(3);
            let (hours, len) = signed_hours(self.0).unwrap_or((0, 0));
            self.skip(len);
            return Some(hours);
        }
        let capitals = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let len = match text.as_bytes() {
            [b'U', b'T', b'C', ..] => 3,
            [b'C', b'h', b'S', b'T', ..] | [b'M', b'e', b'S', b'T', ..] => 4,
            [b'+' | b'-', ..] => signed_hours(text)?.1,
            _ if capitals == 3 => 3,
            [_, _, _, b'T', ..] | [b'W', b'I', b'T', b'A', ..] if capitals == 4 => 4,
            [_, _, _, _, b'T', ..] if capitals == 5 => 5,
            _ => return None,
        };
        self.skip(len);
        Some(0)
    }
}

/// `+3` and the like up to 23, and its length.
fn signed_hours(text: &str) -> Option<(i64, usize)> {
    let digits = text.strip_prefix(['+', '-'])?;
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours: i64 = digits[..len].parse().ok().filter(|hours| *hours < 24)?;
    Some((if text.starts_with('-') { -hours } else { hours }, len + 1))
}

/// In quotes, with everything but printable ASCII as numbers.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=0x7f => quoted.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => _ = write!(quoted, "\\x{byte:02x}"),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        let date = parse(text).unwrap_or_else(|error| panic!("{error}"));
        match date.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => after.as_secs() as i64,
            Err(before) => -(before.duration().as_secs() as i64),
        }
    }

    #[test]
    fn dates() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Mon, 02 Jan 2006 15:04:05 GMT", 1_136_214_245),
            ("Sat, 29 Feb 2020 12:00:00 UTC", 1_582_977_600),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
            // The weekday need not be the right one, nor anything in the right case.
            ("TUE, 02 jan 2006 15:04:05 GMT", 1_136_214_245),
            ("Mon,   02 Jan  2006 15:04:05.25 CEST", 1_136_214_245),
            ("Mon, 02 Jan 2006 15:04:05 GMT+3", 1_136_214_245 - 3 * 3600),
            ("Mon, 02 Jan 2006 15:04:05 GMT-11", 1_136_214_245 + 11 * 3600),
            ("Mon, 02 Jan 2006 5:04:05 +03", 1_136_214_245 - 10 * 3600),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn zones() {
        for (zone, rest) in [
            ("UTC", Some("")),
            ("ChST", Some("")),
            ("WITA", Some("")),
            ("ABCT", Some("")),
            ("ABCDT", Some("")),
            ("-12", Some("")),
            ("UTC+1", Some("+1")),
            ("GMTX", Some("X")),
            ("GMT+24", Some("+24")),
            ("GMT+0100", Some("+0100")),
            ("GMT-", Some("-")),
            ("Z", None),
            ("AB", None),
            ("ABCD", None),
            ("ABCDE", None),
            ("ABCDEF", None),
            ("gmt", None),
            ("+1", None),
            ("+0100", None),
            ("", None),
        ] {
            let mut scanner = Scanner(zone);
            assert_eq!(scanner.zone().map(|_| scanner.0), rest, "{zone}");
        }
    }

    #[test]
    fn faults_are_told_as_in_k6() {
        let not = |rest: &str, part: &str| {
            format!("as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse {rest} as \"{part}\"")
        };
        for (text, expected) in [
            ("", not("\"\"", "Mon")),
            ("x", not("\"x\"", "Mon")),
            ("Mon", not("\"\"", ", ")),
            ("Mon,02", not("\"02\"", ", ")),
            ("Mon 02", not("\" 02\"", ", ")),
            ("Mon, 2 Jan", not("\"2 Jan\"", "02")),
            ("Mon, 02-Jan", not("\"-Jan\"", " ")),
            ("Mon, 02 Jax 2040", not("\"Jax 2040\"", "Jan")),
            ("Mon, 02 Jan 40 15", not("\"40 15\"", "2006")),
            ("Mon, 02 Jan 2040", not("\"\"", "15")),
            ("Mon, 02 Jan 2040 015:04", not("\"5:04\"", ":")),
            ("Mon, 02 Jan 2040 15:4:05", not("\"4:05\"", "04")),
            ("Mon, 02 Jan 2040 15:04 GMT", not("\" GMT\"", ":")),
            ("Mon, 02 Jan 2040 15:04:05. GMT", not("\". GMT\"", " ")),
            ("Mon, 02 Jan 2040 15:04:05GMT", not("\"GMT\"", " ")),
            ("Mon, 02 Jan 2040 15:04:05", not("\"\"", "MST")),
            ("Mon, \u{e9}2 Jan", not("\"\\xc3\\xa92 Jan\"", "02")),
            ("Mon, 02 Jan 2040 \"5", not("\"\\\"5\"", "15")),
            ("Mon, 02 Jan\n2040", not("\"\\x0a2040\"", " ")),
            ("Mon, 02 Jan 2040 25:04:05 GMT", "hour out of range".into()),
            ("Mon, 02 Jan 2040 15:60:05 GMT", "minute out of range".into()),
            ("Mon, 02 Jan 2040 15:04:60 GMT", "second out of range".into()),
            ("Mon, 00 Jan 2040 15:04:05 GMT", "day out of range".into()),
            ("Mon, 29 Feb 2100 15:04:05 GMT", "day out of range".into()),
            ("Mon, 31 Apr 2040 15:04:05 GMT", "day out of range".into()),
            ("Mon, 02 Jan 2040 15:04:05 GMT (x)", "extra text: \" (x)\"".into()),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(&format!("parsing time {}", quote(text))), "{error}");
            assert!(error.ends_with(&expected), "{error} instead of {expected}");
        }
    }
}

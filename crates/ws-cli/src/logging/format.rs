//! What a log line looks like: the formats existing pipelines parse.

use std::fmt::Write;
use std::time::Duration;

use ws_metrics::Timestamp;

use super::Level;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `time="..." level=info msg="..." key=value`
    Text,
    /// `INFO[0000] message    key=value`, coloured.
    Terminal,
    /// One JSON object a line.
    Json,
    /// Only the message.
    Raw,
}

/// One line to be.
pub(crate) struct Record<'a> {
    pub(crate) level: Level,
    pub(crate) message: &'a str,
    /// Sorted by name.
    pub(crate) fields: &'a [(&'a str, &'a str)],
    pub(crate) time: Timestamp,
    pub(crate) since_start: Duration,
}

/// The line, with its line end.
pub(crate) fn line(format: Format, record: &Record<'_>) -> String {
    let mut line = match format {
        Format::Text => text(record),
        Format::Terminal => terminal(record),
        Format::Json => json(record),
        Format::Raw => record.message.to_owned(),
    };
    line.push('\n');
    line
}

fn text(record: &Record<'_>) -> String {
    let mut line = format!("time=\"{}\" level={}", seconds(record.time), name(record.level));
    if !record.message.is_empty() {
        line.push_str(" msg=");
        push_value(&mut line, record.message);
    }
    for (key, value) in record.fields {
        let _ = write!(line, " {key}=");
        push_value(&mut line, value);
    }
    line
}

fn terminal(record: &Record<'_>) -> String {
    let (short, colour) = match record.level {
        Level::Error => ("ERRO", 31),
        Level::Warning => ("WARN", 33),
        Level::Info => ("INFO", 36),
        Level::Debug => ("DEBU", 37),
    };
    let message = record.message.strip_suffix('\n').unwrap_or(record.message);
    let mut line =
        format!("\x1b[{colour}m{short}\x1b[0m[{:04}] {message:<44} ", record.since_start.as_secs());
    for (key, value) in record.fields {
        let _ = write!(line, " \x1b[{colour}m{key}\x1b[0m=");
        push_value(&mut line, value);
    }
    line
}

fn json(record: &Record<'_>) -> String {
    let time = seconds(record.time);
    // A field named like one of the three fixed ones must not make the key ambiguous.
    let prefixed: Vec<_> = record
        .fields
        .iter()
        .map(|(key, value)| match *key {
            "level" | "msg" | "time" => (format!("fields.{key}"), *value),
            key => (key.to_owned(), *value),
        })
        .collect();
    let mut entries = vec![("level", name(record.level)), ("msg", record.message), ("time", &time)];
    entries.extend(prefixed.iter().map(|(key, value)| (key.as_str(), *value)));
    entries.sort_unstable_by_key(|(key, _)| *key);
    let object: serde_json::Map<_, _> =
        entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    serde_json::Value::Object(object).to_string()
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
    }
}

fn seconds(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Bare if it consists of harmless characters only, else in double quotes with Go's escapes.
fn push_value(line: &mut String, value: &str) {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-._/@^+".contains(c);
    if !value.is_empty() && value.chars().all(bare) {
        line.push_str(value);
        return;
    }
    line.push('"');
    for c in value.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\u{7}' => line.push_str("\\a"),
            '\u{8}' => line.push_str("\\b"),
            '\u{b}' => line.push_str("\\v"),
            '\u{c}' => line.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(line, "\\x{:02x}", c as u32);
            }
            c if c.is_control() => {
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(format: Format, level: Level, message: &str, fields: &[(&str, &str)]) -> String {
        line(
            format,
            &Record {
                level,
                message,
                fields,
                time: Timestamp::from_nanos(1_795_227_438_900_000_000),
                since_start: Duration::from_millis(2900),
            },
        )
    }

    #[test]
    fn text_quotes_only_when_needed() {
        let console: &[_] = &[("source", "console")];
        for (level, message, fields, rest) in [
            (Level::Info, "a", console, "level=info msg=a source=console"),
            (Level::Debug, "two words", console, "level=debug msg=\"two words\" source=console"),
            (Level::Info, "", console, "level=info source=console"),
            (Level::Warning, "k=v", &[], "level=warning msg=\"k=v\""),
            (Level::Info, "a-b._/@^+9", &[], "level=info msg=a-b._/@^+9"),
            (
                Level::Error,
                "err \"q\" \\ back\ttab\nnl é ☃ \u{1}",
                &[],
                "level=error msg=\"err \\\"q\\\" \\\\ back\\ttab\\nnl é ☃ \\x01\"",
            ),
            (
                Level::Error,
                "Error: boom\n\tat default (file:///x.js:1:36)\n",
                &[("hint", "script exception"), ("scenario", "default")],
                "level=error msg=\"Error: boom\\n\\tat default (file:///x.js:1:36)\\n\" \
                 hint=\"script exception\" scenario=default",
            ),
        ] {
            assert_eq!(
                show(Format::Text, level, message, fields),
                format!("time=\"2026-11-21T02:17:18Z\" {rest}\n")
            );
        }
    }

    #[test]
    fn terminal_pads_and_colours() {
        assert_eq!(
            show(Format::Terminal, Level::Info, "a", &[("source", "console")]),
            format!("\x1b[36mINFO\x1b[0m[0002] a{:45}\x1b[36msource\x1b[0m=console\n", "")
        );
        assert_eq!(
            show(Format::Terminal, Level::Error, "thresholds on metrics 'my_trend' have been crossed\n", &[]),
            "\x1b[31mERRO\x1b[0m[0002] thresholds on metrics 'my_trend' have been crossed \n"
        );
        assert!(show(Format::Terminal, Level::Warning, "", &[]).starts_with("\x1b[33mWARN"));
        assert!(show(Format::Terminal, Level::Debug, "", &[]).starts_with("\x1b[37mDEBU"));
    }

    #[test]
    fn json_sorts_its_keys() {
        assert_eq!(
            show(
                Format::Json,
                Level::Warning,
                "warn \"x\"\u{1}",
                &[("level", "mine"), ("source", "console")]
            ),
            "{\"fields.level\":\"mine\",\"level\":\"warning\",\"msg\":\"warn \\\"x\\\"\\u0001\",\
             \"source\":\"console\",\"time\":\"2026-11-21T02:17:18Z\"}\n"
        );
    }

    #[test]
    fn raw_is_the_message() {
        assert_eq!(show(Format::Raw, Level::Error, "a\tb", &[("source", "console")]), "a\tb\n");
    }
}

//! The report as text, in the shape k6 users know.

use std::borrow::Cow;
use std::fmt::Write;

use ws_js::Fault;
use ws_metrics::{CheckReport, Contains, MetricReport, Report, SinkValue, ThresholdReport};

use super::{Style, faults, number};

/// Sections in order, each with the beginnings of the names that belong there. What belongs nowhere is custom.
const SECTIONS: [(&str, &[&str]); 5] = [
    ("CUSTOM", &[]),
    ("HTTP", &["http_req"]),
    (
        "EXECUTION",
        &["vus", "iterations", "iteration_duration", "iteration_start_lateness", "dropped_iterations"],
    ),
    ("NETWORK", &["data_sent", "data_received"]),
    ("WEBSOCKET", &["ws_"]),
];

/// Metrics with a place of their own in the report, or none: the phases of an HTTP request are in its duration.
const HIDDEN: [&str; 8] = [
    "checks",
    "group_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
];

/// Dots between the longest name and its colon.
const DOTS: usize = 3;

/// The whole text, ending in blank lines.
pub(crate) fn render(report: &Report, faults: &[Fault], style: &Style) -> String {
    let mut page = Page { text: "\n\n".to_owned(), style };
    let thresholds = with_thresholds(report);
    if !thresholds.is_empty() {
        page.title("THRESHOLDS");
        for entry in &thresholds {
            page.thresholds(entry);
        }
        page.text.push('\n');
    }
    page.title("TOTAL RESULTS");
    if let Some(checks) = report.metric("checks") {
        page.checks_total(checks, report);
        page.checks(&report.checks);
    }
    page.sections(report);
    page.faults(faults);
    page.text.push_str("\n\n");
    page.text
}

/// A metric or sub-metric that has thresholds.
struct Judged<'a> {
    title: String,
    indent: &'static str,
    contains: Contains,
    value: &'a SinkValue,
    thresholds: &'a [ThresholdReport],
}

/// Sorted by name. Sub-metrics stand below their metric, with their braces alone, if that one has thresholds.
fn with_thresholds(report: &Report) -> Vec<Judged<'_>> {
    let mut metrics: Vec<_> = report.metrics.iter().collect();
    metrics.sort_by_key(|metric| &metric.name);
    let mut all = Vec::new();
    for metric in metrics {
        let contains = metric.contains;
        let (value, thresholds) = (&metric.value, metric.thresholds.as_slice());
        let title = metric.name.to_string();
        all.push(Judged { title, indent: "", contains, value, thresholds });
        let mut subs: Vec<_> = metric.submetrics.iter().collect();
        subs.sort_by_key(|sub| &sub.name);
        for sub in subs {
            let (title, indent) = match thresholds {
                [] => (sub.name.clone(), ""),
                _ => (format!("{{{}}}", sub.suffix), "  "),
            };
            let (value, thresholds) = (&sub.value, sub.thresholds.as_slice());
            all.push(Judged { title, indent, contains, value, thresholds });
        }
    }
    all.retain(|judged| !judged.thresholds.is_empty());
    all
}

/// One line of figures.
struct Row {
    name: String,
    cells: Cells,
}

enum Cells {
    /// A value and what more there is to say about it.
    Value(String, Vec<String>),
    /// Name and value of each column.
    Trend(Vec<(String, String)>),
}

impl Row {
    fn new(name: String, value: &SinkValue, contains: Contains, report: &Report, style: &Style) -> Self {
        let show = |number| number::value(number, contains, style.time_unit);
        let cells = match value {
            SinkValue::Counter { sum, .. } => {
                let rate = value.rate_over(report.run_time);
                Cells::Value(show(*sum), vec![format!("{}/s", show(rate))])
            }
            SinkValue::Gauge { value, min, max } => {
                Cells::Value(show(*value), vec![format!("min={}", show(*min)), format!("max={}", show(*max))])
            }
            SinkValue::Rate { trues, total } => {
                Cells::Value(number::share(*trues, *total), vec![format!("{trues} out of {total}")])
            }
            SinkValue::Trend(trend) => Cells::Trend(
                style
                    .trend_stats
                    .iter()
                    .map(|stat| {
                        let figure = stat.of(trend);
                        let text = if stat.is_count() { number::plain(figure) } else { show(figure) };
                        (stat.to_string(), text)
                    })
                    .collect(),
            ),
        };
        Self { name, cells }
    }

    fn of_metric<'a>(
        metric: &'a MetricReport,
        report: &'a Report,
        style: &'a Style,
    ) -> impl Iterator<Item = Self> + 'a {
        let mut subs: Vec<_> = metric.submetrics.iter().collect();
        subs.sort_by_key(|sub| &sub.suffix);
        let parts = subs.into_iter().map(move |sub| {
            Self::new(
                format!("  {{ {} }}", printable(&sub.suffix)),
                &sub.value,
                metric.contains,
                report,
                style,
            )
        });
        std::iter::once(Self::new(metric.name.to_string(), &metric.value, metric.contains, report, style))
            .chain(parts)
    }
}

/// A name with what would move the cursor, or the text around it, escaped as JavaScript does.
fn printable(name: &str) -> Cow<'_, str> {
    // Marks of direction turn around what follows them.
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !name.contains(harmful) {
        return name.into();
    }
    let mut text = String::with_capacity(name.len() + 8);
    for c in name.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if harmful(c) => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text.into()
}

/// Widths of the columns, shared by all sections.
#[derive(Default)]
struct Widths {
    name: usize,
    value: usize,
    extras: Vec<usize>,
    trend: Vec<usize>,
}

impl Widths {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut widths = Self::default();
        for row in rows {
            grow(&mut widths.name, &row.name);
            match &row.cells {
                Cells::Value(value, extras) => {
                    grow(&mut widths.value, value);
                    grow_all(&mut widths.extras, extras.iter().map(String::as_str));
                }
                Cells::Trend(columns) => {
                    grow_all(&mut widths.trend, columns.iter().map(|(_, value)| value.as_str()));
                }
            }
        }
        widths
    }
}

fn grow(width: &mut usize, text: &str) {
    *width = (*width).max(text.chars().count());
}

fn grow_all<'a>(widths: &mut Vec<usize>, texts: impl Iterator<Item = &'a str>) {
    for (column, text) in texts.enumerate() {
        if column == widths.len() {
            widths.push(0);
        }
        grow(&mut widths[column], text);
    }
}

/// The page being written.
struct Page<'a> {
    text: String,
    style: &'a Style,
}

const GREEN: &str = "32";
const RED: &str = "31";
const CYAN: &str = "36";
const WHITE: &str = "37";
const FAINT_CYAN: &str = "2;36";
const FAINT_WHITE: &str = "2;37";
const BOLD: &str = "1";

impl Page<'_> {
    fn paint(&self, text: &str, colour: &str) -> String {
        if self.style.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// As [`Self::paint`], with blanks after it up to `width` columns.
    fn padded(&self, text: &str, colour: &str, width: usize) -> String {
        let blanks = width.saturating_sub(text.chars().count());
        format!("{}{:blanks$}", self.paint(text, colour), "")
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        let title = self.paint(title, BOLD);
        self.line(&format!("  █ {title}"));
        self.line("");
    }

    fn mark(ok: bool) -> (&'static str, &'static str) {
        if ok { ("✓", GREEN) } else { ("✗", RED) }
    }

    fn thresholds(&mut self, judged: &Judged<'_>) {
        let indent = judged.indent;
        self.line(&format!("    {indent}{}", printable(&judged.title)));
        for threshold in judged.thresholds {
            let (mark, colour) = Self::mark(threshold.ok);
            let value = match (judged.value, threshold.aggregation.as_str()) {
                (SinkValue::Rate { trues, total }, _) => number::share(*trues, *total),
                (SinkValue::Counter { .. }, "rate") => {
                    format!("{}/s", number::value(threshold.actual, judged.contains, self.style.time_unit))
                }
                _ => number::value(threshold.actual, judged.contains, self.style.time_unit),
            };
            let line = format!(
                "    {indent}{} {} {}={}",
                self.paint(mark, colour),
                self.paint(&format!("'{}'", printable(threshold.source.trim())), WHITE),
                self.paint(&threshold.aggregation, WHITE),
                self.paint(&value, CYAN)
            );
            self.line(&line);
        }
        self.line("");
    }

    fn checks_total(&mut self, checks: &MetricReport, report: &Report) {
        let SinkValue::Rate { trues, total } = checks.value else { return };
        let seconds = report.run_time.as_secs_f64();
        let rate = if seconds > 0.0 { total as f64 / seconds } else { 0.0 };
        let part =
            |part: u64| Cells::Value(number::share(part, total), vec![format!("{part} out of {total}")]);
        let rows = [
            Row {
                name: "checks_total".to_owned(),
                cells: Cells::Value(total.to_string(), vec![format!("{}/s", number::plain(rate))]),
            },
            Row { name: "checks_succeeded".to_owned(), cells: part(trues) },
            Row { name: "checks_failed".to_owned(), cells: part(total - trues) },
        ];
        let widths = Widths::of(rows.iter());
        for row in &rows {
            self.row(row, &widths);
        }
        self.line("");
    }

    /// All checks of the same name are one, whatever group they are in.
    fn checks(&mut self, checks: &[CheckReport]) {
        let mut merged: indexmap::IndexMap<&str, (u64, u64)> = indexmap::IndexMap::new();
        for check in checks {
            let (passes, fails) = merged.entry(&check.name).or_default();
            *passes += check.passes;
            *fails += check.fails;
        }
        for (name, (passes, fails)) in &merged {
            let (mark, colour) = Self::mark(*fails == 0);
            let line = self.paint(&format!("{mark} {}", printable(name)), colour);
            self.line(&format!("    {line}"));
            if *fails > 0 {
                let percent = number::percent(*passes, passes + fails);
                let line = self.paint(&format!("↳  {percent}% — ✓ {passes} / ✗ {fails}"), colour);
                self.line(&format!("      {line}"));
            }
        }
        if !merged.is_empty() {
            self.line("");
        }
    }

    fn sections(&mut self, report: &Report) {
        let mut metrics: Vec<_> =
            report.metrics.iter().filter(|metric| !HIDDEN.contains(&&*metric.name)).collect();
        metrics.sort_by_key(|metric| &metric.name);
        let mut sections: [Vec<Row>; SECTIONS.len()] = Default::default();
        for metric in metrics {
            let belongs = |(_, starts): &(&str, &[&str])| starts.iter().any(|s| metric.name.starts_with(s));
            let section = SECTIONS.iter().position(belongs).unwrap_or(0);
            sections[section].extend(Row::of_metric(metric, report, self.style));
        }
        let widths = Widths::of(sections.iter().flatten());
        for ((title, _), rows) in SECTIONS.iter().zip(&sections) {
            if rows.is_empty() {
                continue;
            }
            let title = self.paint(title, BOLD);
            self.line(&format!("    {title}"));
            for row in rows {
                self.row(row, &widths);
            }
            self.line("");
        }
    }

    /// Why connections failed, with an example of each reason.
    fn faults(&mut self, faults: &[Fault]) {
        if faults.is_empty() {
            return;
        }
        let title = self.paint("FAILURES", BOLD);
        self.line(&format!("    {title}"));
        let row = |fault: &Fault| Row {
            name: faults::name(fault),
            cells: Cells::Value(
                fault.count.to_string(),
                vec![printable(&faults::example(fault)).into_owned()],
            ),
        };
        let rows: Vec<_> = faults.iter().map(row).collect();
        let widths = Widths::of(rows.iter());
        for row in &rows {
            self.row(row, &widths);
        }
        self.line("");
    }

    fn row(&mut self, row: &Row, widths: &Widths) {
        let dots = widths.name + DOTS - row.name.chars().count();
        let mut line =
            format!("    {}{} ", row.name, self.paint(&format!("{}:", ".".repeat(dots)), FAINT_WHITE));
        match &row.cells {
            Cells::Value(value, extras) => {
                line.push_str(&self.padded(value, CYAN, widths.value));
                // A single extra stands alone; several are columns.
                let columns = if extras.len() > 1 { widths.extras.as_slice() } else { &[0] };
                for (extra, width) in extras.iter().zip(columns) {
                    let _ = write!(line, " {}", self.padded(extra, FAINT_CYAN, *width));
                }
            }
            Cells::Trend(columns) => {
                let cells: Vec<_> = columns
                    .iter()
                    .zip(&widths.trend)
                    .map(|((stat, value), width)| format!("{stat}={}", self.padded(value, CYAN, *width)))
                    .collect();
                line.push_str(&cells.join(" "));
            }
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::TimeUnit;
    use super::super::tests::{counter, report, style, threshold, trend};
    use super::*;

    /// Compares line by line, so that a difference is readable.
    fn assert_text(actual: &str, expected: &str) {
        let (actual, expected): (Vec<_>, Vec<_>) = (actual.lines().collect(), expected.lines().collect());
        for (line, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
            assert_eq!(actual, expected, "line {}", line + 1);
        }
        assert_eq!(actual.len(), expected.len());
    }

    #[test]
    fn everything() {
        assert_text(&render(&report(), &[], &style()), EVERYTHING);
    }

    const EVERYTHING: &str = "

  █ THRESHOLDS

    checks
    ✓ 'rate>0.9' rate=91.66%

    data_received
    ✗ 'rate<5' rate=2.5 kB/s

    my_counter{scenario:default}
    ✓ 'count>1' count=12

    my_trend
    ✗ 'p(99)<1000' p(99)=4901.234528
    ✗ 'avg<1' avg=3086.419728


  █ TOTAL RESULTS

    checks_total.......: 24     12/s
    checks_succeeded...: 91.66% 22 out of 24
    checks_failed......: 8.33%  2 out of 24

    ✓ ok
    ✗ flaky one
      ↳  75% — ✓ 6 / ✗ 2
    ✓ in group

    CUSTOM
    my_counter...............: 12       6/s
      { foo:bar }............: 0        0/s
      { scenario:default }...: 12       6/s
    my_gauge.................: 4.493827 min=-1.5   max=4.493827
    my_rate..................: 25.00%   2 out of 8
    my_time..................: avg=1m21s       min=503ns       med=500µs       max=4m4s        p(90)=3m15s       p(95)=3m40s
      { foo:bar }............: avg=0s          min=0s          med=0s          max=0s          p(90)=0s          p(95)=0s
    my_trend.................: avg=3086.419728 min=1234.567891 med=3086.419728 max=4938.271565 p(90)=4567.901197 p(95)=4753.086381

    EXECUTION
    iteration_duration.......: avg=50.88ms     min=50.5ms      med=50.88ms     max=51.26ms     p(90)=51.18ms     p(95)=51.22ms
    iterations...............: 8        4/s
    vus......................: 2        min=1      max=2

    NETWORK
    data_received............: 4.9 kB   2.5 kB/s
    data_sent................: 0 B      0 B/s

    WEBSOCKET
    ws_connecting............: avg=1.5ms       min=1.5ms       med=1.5ms       max=1.5ms       p(90)=1.5ms       p(95)=1.5ms
    ws_sessions..............: 8        4/s



";

    #[test]
    fn thresholds_of_submetrics_stand_below_their_metric() {
        let mut report = report();
        let of_counter = report.metrics.iter_mut().find(|metric| &*metric.name == "my_counter").unwrap();
        of_counter.thresholds = vec![threshold("count<9", "count", 12.0, false)];
        of_counter.submetrics[0].thresholds = vec![threshold("count<1", "count", 0.0, true)];
        report.metrics.retain(|metric| &*metric.name == "my_counter");
        let text = render(&report, &[], &style());
        let expected = "    my_counter
    ✗ 'count<9' count=12

      {foo:bar}
      ✓ 'count<1' count=0

      {scenario:default}
      ✓ 'count>1' count=12

";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn names_stay_on_their_line() {
        let mut report = report();
        report.checks[0].name = "a\nb\t\u{1b}[31mc\r\u{85}\u{202e}\u{2028} ü✓".into();
        let text = render(&report, &[], &style());
        let line = "    ✓ a\\nb\\t\\u001b[31mc\\r\\u0085\\u202e\\u2028 ü✓";
        assert!(text.lines().any(|have| have == line), "{text}");
    }

    #[test]
    fn figures_without_end() {
        let mut report = report();
        report.metrics.retain(|metric| ["my_counter", "my_time"].contains(&&*metric.name));
        for metric in &mut report.metrics {
            metric.submetrics.clear();
        }
        report.metrics[0].value = counter(f64::NEG_INFINITY);
        report.metrics[1].value = trend(&[1.0, f64::INFINITY]);
        let text = render(&report, &[], &style());
        for line in [
            "    my_counter...: -Infinity -Infinity/s",
            "    my_time......: avg=Infinity min=1ms med=Infinity max=Infinity p(90)=Infinity p(95)=Infinity",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn a_fixed_unit_and_other_columns() {
        let mut report = report();
        report.metrics.retain(|metric| ["ws_connecting", "iterations"].contains(&&*metric.name));
        report.checks.clear();
        let trend_stats =
            ["p(99.9)", "count"].iter().map(|s| ws_metrics::TrendStat::parse(s).unwrap()).collect();
        let style = Style { trend_stats, time_unit: Some(TimeUnit::Micros), colours: false };
        assert_text(
            &render(&report, &[], &style),
            "

  █ TOTAL RESULTS

    EXECUTION
    iterations......: 8 4/s

    WEBSOCKET
    ws_connecting...: p(99.9)=1500.00µs count=1



",
        );
    }

    #[test]
    fn nothing_at_all() {
        assert_text(&render(&Report::default(), &[], &style()), "\n\n  █ TOTAL RESULTS\n\n\n\n");
    }

    #[test]
    fn colours() {
        let text = render(&report(), &[], &Style { colours: true, ..style() });
        for line in [
            "  █ \x1b[1mTHRESHOLDS\x1b[0m",
            "    \x1b[32m✓\x1b[0m \x1b[37m'rate>0.9'\x1b[0m \x1b[37mrate\x1b[0m=\x1b[36m91.66%\x1b[0m",
            "    checks_total\x1b[2;37m.......:\x1b[0m \x1b[36m24\x1b[0m     \x1b[2;36m12/s\x1b[0m",
            "    \x1b[31m✗ flaky one\x1b[0m",
            "      \x1b[31m↳  75% — ✓ 6 / ✗ 2\x1b[0m",
            "    ws_sessions\x1b[2;37m..............:\x1b[0m \x1b[36m8\x1b[0m        \x1b[2;36m4/s\x1b[0m",
        ] {
            assert!(text.lines().any(|have| have == line), "{line:?} in {text}");
        }
    }
}

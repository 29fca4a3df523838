//! What a script's author can see of a run: exit code, log, samples, exported summary and report.
//!
//! Times and byte counts are not part of it, nor are the gauges `vus` and `vus_max`, of which a short run may
//! have a sample or not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::lines::Substitutions;
use crate::logfmt::Line;
use crate::process::Finished;

/// All that is compared of a run; printed, it is what `.expected` files hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The exit code.
    pub exit: Option<i32>,
    /// The log in order; lines that start with `[N] `, N being a VU, are grouped by VU.
    pub log: Vec<String>,
    /// Samples by metric and tags.
    pub samples: Vec<String>,
    /// The exported summary.
    pub summary: Vec<String>,
    /// Names, marks and counts of the end-of-test report.
    pub report: Vec<String>,
}

impl Observation {
    /// Collects what a finished run left.
    ///
    /// # Errors
    ///
    /// Files that are not of the form they should have; a run that wrote none has none to show.
    pub fn read(
        finished: &Finished,
        summary: &Path,
        points: &Path,
        substitutions: &Substitutions,
    ) -> Result<Observation> {
        let mut samples = Samples::default();
        for line in std::fs::read_to_string(points).unwrap_or_default().lines() {
            samples.add(line, substitutions).with_context(|| format!("in {line}"))?;
        }
        let summary = match std::fs::read_to_string(summary) {
            Ok(text) => summary_lines(&serde_json::from_str(&text)?, &samples, substitutions)?,
            Err(_) => Vec::new(),
        };
        Ok(Observation {
            exit: finished.code,
            log: log_lines(&finished.stderr, substitutions),
            samples: samples.lines(),
            summary,
            report: report_lines(&finished.stdout, substitutions),
        })
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        let sections = [
            ("log", &self.log),
            ("samples", &self.samples),
            ("summary", &self.summary),
            ("report", &self.report),
        ];
        for (title, lines) in sections {
            writeln!(f, "\n{title}")?;
            for line in lines {
                // A message may have several lines; each of them stays below its title.
                writeln!(f, "    {}", line.replace('\n', "\n    "))?;
            }
        }
        Ok(())
    }
}

/// The log, with each VU's lines together: how VUs interleave is chance, the order within a VU is not.
fn log_lines(text: &str, substitutions: &Substitutions) -> Vec<String> {
    let mut lines = text
        .lines()
        .map(|line| match Line::parse(line) {
            Some(line) => substitutions.apply(&log_line(&line, substitutions)),
            None => substitutions.apply(line),
        })
        .collect::<Vec<_>>();
    lines.sort_by_key(|line| vu(line));
    lines
}

fn vu(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once(" [")?;
    rest.split_once("] ")?.0.parse().ok()
}

fn log_line(line: &Line, substitutions: &Substitutions) -> String {
    let message = line.message();
    if line.get("source") == Some("console") {
        return format!("{} {message}", line.level());
    }
    // A stack is the engine's own below its first frame, and so are columns.
    let (frames, words) = message.lines().partition::<Vec<_>, _>(|line| line.starts_with("\tat "));
    let words = words.iter().map(|line| line.trim()).collect::<Vec<_>>();
    let mut text = format!("{}: {}", line.level(), words.join(" | "));
    if let Some(place) = frames.iter().find_map(|frame| place(&substitutions.apply(frame))) {
        text.push_str(&format!(" at {place}"));
    }
    for (key, value) in line.extras() {
        // Which exceptions these two are given for differs between versions of k6; the first line says enough.
        if key != "hint" && value != "stacktrace" {
            text.push_str(&format!(" {key}={value:?}"));
        }
    }
    text
}

/// File and line of a stack frame of the script: `at default (corpus/x.js:4:9(2))`.
fn place(frame: &str) -> Option<String> {
    let from = frame.find("corpus/")?;
    let mut parts = frame[from..].split(':');
    Some(format!("{}:{}", parts.next()?, parts.next()?))
}

/// A metric without a sample series that can be relied on in a short run.
fn depends_on_time(metric: &str) -> bool {
    matches!(metric, "vus" | "vus_max")
}

/// The sum of a metric whose values are times or bytes says nothing; the number of its samples does.
fn measured(metric: &str, contains: &str) -> bool {
    contains != "default" || matches!(metric, "data_sent" | "data_received")
}

#[derive(Debug, Default)]
struct Samples {
    /// Type and content of each metric.
    metrics: BTreeMap<String, (String, String)>,
    /// Number and sum of the samples by metric and tags.
    series: BTreeMap<(String, String), (u64, f64)>,
}

impl Samples {
    fn add(&mut self, line: &str, substitutions: &Substitutions) -> Result<()> {
        let value: Value = serde_json::from_str(line)?;
        let metric = value["metric"].as_str().context("no metric")?.to_owned();
        let data = &value["data"];
        if value["type"] == "Metric" {
            let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
            self.metrics.insert(metric, (text("type"), text("contains")));
            return Ok(());
        }
        anyhow::ensure!(self.metrics.contains_key(&metric), "a point of {metric} before its metric line");
        let mut tags = pairs(&data["tags"]);
        if let Some(metadata) = data.get("metadata") {
            tags.push_str(&format!(" metadata {}", pairs(metadata)));
        }
        let key = (metric, substitutions.apply(&tags));
        let (count, sum) = self.series.entry(key).or_default();
        *count += 1;
        *sum += data["value"].as_f64().context("no value")?;
        Ok(())
    }

    fn contains(&self, metric: &str) -> &str {
        self.metrics.get(metric).map_or("", |(_, contains)| contains)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for ((metric, tags), (count, sum)) in &self.series {
            if depends_on_time(metric) {
                continue;
            }
            let (kind, contains) = &self.metrics[metric];
            let figures = match kind.as_str() {
                _ if measured(metric, contains) => format!("n={count}"),
                // Ten increments by one or one by ten are the same count.
                "counter" => format!("sum={sum}"),
                _ => format!("n={count} sum={sum}"),
            };
            lines.push(format!("{metric} {kind} {contains} {figures} {tags}"));
        }
        lines
    }
}

fn pairs(value: &Value) -> String {
    let empty = Map::new();
    let map = value.as_object().unwrap_or(&empty);
    let sorted = map.iter().collect::<BTreeMap<_, _>>();
    let pairs = sorted.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("?"))).collect::<Vec<_>>();
    format!("{{{}}}", pairs.join(" "))
}

fn summary_lines(summary: &Value, samples: &Samples, substitutions: &Substitutions) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let metrics = summary["metrics"].as_object().context("no metrics")?;
    for (name, figures) in metrics.iter().collect::<BTreeMap<_, _>>() {
        if depends_on_time(name) {
            continue;
        }
        let base = name.split('{').next().unwrap_or_default();
        let figures = figures.as_object().context("figures are no object")?;
        let mut words = Vec::new();
        for (key, value) in figures.iter().collect::<BTreeMap<_, _>>() {
            let hidden =
                measured(base, samples.contains(base)) || (key == "rate" && figures.contains_key("count"));
            words.push(match (key.as_str(), hidden) {
                ("thresholds", _) => format!("thresholds={}", ordered(value)),
                (_, true) => key.clone(),
                (_, false) => format!("{key}={}", value.as_f64().unwrap_or(f64::NAN)),
            });
        }
        lines.push(substitutions.apply(&format!("{name}: {}", words.join(" "))));
    }
    if let Some(data) = summary.get("setup_data") {
        lines.push(substitutions.apply(&format!("setup_data {}", ordered(data))));
    }
    group_lines(&summary["root_group"], &mut lines)?;
    Ok(lines)
}

/// JSON text with the keys of objects in order, which neither program promises.
fn ordered(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted = map.iter().collect::<BTreeMap<_, _>>();
            let pairs = sorted.iter().map(|(k, v)| format!("{k:?}:{}", ordered(v))).collect::<Vec<_>>();
            format!("{{{}}}", pairs.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(ordered).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn group_lines(group: &Value, lines: &mut Vec<String>) -> Result<()> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("?").to_owned();
    lines.push(format!(
        "group {:?} path={:?} id={}",
        text(group, "name"),
        text(group, "path"),
        text(group, "id")
    ));
    for check in sorted(&group["checks"]).context("checks are no object")? {
        let names = (text(check, "name"), text(check, "path"), text(check, "id"));
        let (passes, fails) = (&check["passes"], &check["fails"]);
        lines.push(format!("check {:?} path={:?} id={} {passes}/{fails}", names.0, names.1, names.2));
    }
    for inner in sorted(&group["groups"]).context("groups are no object")? {
        group_lines(inner, lines)?;
    }
    Ok(())
}

fn sorted(value: &Value) -> Option<Vec<&Value>> {
    Some(value.as_object()?.iter().collect::<BTreeMap<_, _>>().into_values().collect())
}

/// The end-of-test report without times and without the dots, whose number is nobody's business.
fn report_lines(text: &str, substitutions: &Substitutions) -> Vec<String> {
    let mut lines = Vec::new();
    // k6 says nothing of the kind.
    let compared = text.split("\n    FAILURES\n").next().unwrap_or_default();
    for line in compared.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = match line.split_once("...: ").or_else(|| line.split_once(".: ")) {
            Some((name, figures)) => {
                let name = name.trim_end_matches(['.', ' ']);
                let figures = figures.split_whitespace().collect::<Vec<_>>().join(" ");
                match name {
                    "vus" | "vus_max" => continue,
                    "checks_succeeded" | "checks_failed" => format!("{name} {figures}"),
                    _ => name.to_owned(),
                }
            }
            None => threshold(line),
        };
        lines.push(substitutions.apply(&line));
    }
    lines
}

/// `✓ 'p(95)<500' p(95)=1.2ms` without the value measured.
fn threshold(line: &str) -> String {
    match line.rsplit_once("' ") {
        Some((expression, _)) if line.starts_with(['✓', '✗']) => format!("{expression}'"),
        _ => line.to_owned(),
    }
}

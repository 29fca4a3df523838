//! Verdicts of the suite, and the table of them in the tree.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::suite::KOSOKU;

/// Where the table lies in the workspace.
pub(super) const TABLE: &str = "docs/conformance.md";

const ABOUT: &[(u32, &str)] = &[
    (1, "framing"),
    (2, "pings and pongs"),
    (3, "reserved bits"),
    (4, "opcodes"),
    (5, "fragmentation"),
    (6, "UTF-8"),
    (7, "closing"),
    (9, "limits and speed"),
    (10, "masking and payload sizes"),
    (12, "compression of various data"),
    (13, "compression with various parameters"),
];

/// How the server judges a case, the best first; a case is as good as the worse of its behaviour and its closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Ok,
    /// The RFC leaves open what is right.
    Informational,
    /// Allowed, but not what the RFC would like best.
    NonStrict,
    Failed,
}

const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Ok, "OK"),
    (Verdict::Informational, "INFORMATIONAL"),
    (Verdict::NonStrict, "NON-STRICT"),
    (Verdict::Failed, "FAILED"),
];

/// Verdicts by case, in the order of the numbers.
pub(super) type Results = BTreeMap<Vec<u32>, Verdict>;

/// Reads the index of the reports.
pub(super) fn read(index: &str) -> Result<Results> {
    let index: Value = serde_json::from_str(index)?;
    let agents = index.as_object().context("the index is no object")?;
    let mut results = Results::new();
    for (case, entry) in agents.values().filter_map(Value::as_object).flatten() {
        let judged = |key: &str| {
            let text = entry[key].as_str().unwrap_or_default();
            VERDICTS.iter().find(|(_, name)| *name == text).map_or(Verdict::Failed, |(verdict, _)| *verdict)
        };
        results.insert(number(case)?, judged("behavior").max(judged("behaviorClose")));
    }
    ensure!(!results.is_empty(), "no case was run");
    Ok(results)
}

fn number(case: &str) -> Result<Vec<u32>> {
    case.split('.').map(|part| part.parse().with_context(|| format!("no number of a case: {case}"))).collect()
}

fn name(case: &[u32]) -> String {
    case.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

/// What went down. Cases that did not run count if `all` were to run.
pub(super) fn worse(before: &Results, now: &Results, all: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (case, verdict) in now {
        let expected = before.get(case).copied().unwrap_or(Verdict::Informational);
        if *verdict > expected {
            found.push(format!("{}: {verdict:?} instead of {expected:?}", name(case)));
        }
    }
    if all {
        let gone = before.keys().filter(|case| !now.contains_key(*case));
        found.extend(gone.map(|case| format!("{}: was not run", name(case))));
    }
    found
}

/// One line for the cases that share all numbers but the last, as `1-8` and lists of these.
pub(super) fn render(results: &Results) -> String {
    let mut families: BTreeMap<&[u32], BTreeMap<Verdict, Vec<u32>>> = BTreeMap::new();
    for (case, verdict) in results {
        let (last, family) = case.split_last().expect("a case has a number");
        families.entry(family).or_default().entry(*verdict).or_default().push(*last);
    }
    let mut out = format!(
        "# Conformance\n\nWhat the fuzzing server of the [Autobahn test suite](https://github.com/crossbario/autobahn-testsuite), \
         run by\n[kosoku](https://pypi.org/project/kosoku/) {KOSOKU}, says of `ws-proto` with strict limits. The client is\n\
         [its example](../crates/ws-proto/examples/autobahn.rs).\n\n`cargo xtask conformance` writes this file; it fails, \
         and writes nothing, if a case is worse than it stands here.\n\n"
    );
    let count = |wanted| results.values().filter(|verdict| **verdict == wanted).count();
    let counts = VERDICTS.map(|(verdict, name)| format!("{} {name}", count(verdict)));
    write!(out, "{} cases: {}.\n\n", results.len(), counts.join(", ")).expect("a String takes every write");
    out.push_str("| cases | about | OK | INFORMATIONAL | NON-STRICT | FAILED |\n|---|---|---|---|---|---|\n");
    for (family, by_verdict) in families {
        let about = ABOUT.iter().find(|(group, _)| *group == family[0]).map_or("", |(_, about)| about);
        let cells =
            VERDICTS.map(|(verdict, _)| by_verdict.get(&verdict).map_or_else(String::new, |all| ranges(all)));
        writeln!(out, "| {} | {about} | {} |", name(family), cells.join(" | "))
            .expect("a String takes every write");
    }
    out
}

fn ranges(numbers: &[u32]) -> String {
    numbers
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| match run {
            [one] => one.to_string(),
            _ => format!("{}-{}", run[0], run[run.len() - 1]),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Reads what [`render`] has written.
pub(super) fn parse(text: &str) -> Result<Results> {
    let mut results = Results::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells = line.trim_end_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
        if cells[0] == "cases" {
            continue;
        }
        ensure!(cells.len() == 2 + VERDICTS.len(), "{TABLE}: not a line of the table: {line}");
        for (cell, (verdict, _)) in cells[2..].iter().zip(VERDICTS) {
            for range in cell.split_whitespace() {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let [first, last] = [first, last].map(|number| number.parse::<u32>());
                let (Ok(first), Ok(last)) = (first, last) else { bail!("{TABLE}: not a range: {range}") };
                for last in first..=last {
                    let mut case = number(cells[0])?;
                    case.push(last);
                    results.insert(case, verdict);
                }
            }
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(cases: &[(&str, Verdict)]) -> Results {
        cases.iter().map(|(case, verdict)| (number(case).unwrap(), *verdict)).collect()
    }

    #[test]
    fn the_index_is_read() {
        let index = r#"{"agent": {
            "2.1": {"behavior": "OK", "behaviorClose": "INFORMATIONAL"},
            "1.1.10": {"behavior": "NON-STRICT", "behaviorClose": "OK"},
            "1.1.9": {"behavior": "OK", "behaviorClose": "UNCLEAN"}
        }}"#;
        let expected =
            [("1.1.9", Verdict::Failed), ("1.1.10", Verdict::NonStrict), ("2.1", Verdict::Informational)];
        assert_eq!(read(index).unwrap(), results(&expected));
        assert!(read("{}").is_err());
    }

    #[test]
    fn the_table_says_what_it_was_told() {
        let all = [
            ("1.1.1", Verdict::Ok),
            ("1.1.2", Verdict::Ok),
            ("1.1.4", Verdict::Ok),
            ("1.1.3", Verdict::Failed),
            ("2.10", Verdict::NonStrict),
            ("10.1.1", Verdict::Informational),
        ];
        let text = render(&results(&all));
        assert_eq!(parse(&text).unwrap(), results(&all), "{text}");
        assert!(text.contains("| 1.1 | framing | 1-2 4 |  |  | 3 |\n"), "{text}");
        assert!(text.contains("6 cases: 3 OK, 1 INFORMATIONAL, 1 NON-STRICT, 1 FAILED."), "{text}");
    }

    #[test]
    fn only_what_went_down_is_worse() {
        let before = results(&[("1.1", Verdict::Ok), ("1.2", Verdict::NonStrict), ("1.3", Verdict::Ok)]);
        let now = results(&[("1.1", Verdict::NonStrict), ("1.2", Verdict::Ok), ("1.4", Verdict::Failed)]);
        let changed = ["1.1: NonStrict instead of Ok", "1.4: Failed instead of Informational"];
        assert_eq!(worse(&before, &now, false), changed);
        assert_eq!(worse(&before, &now, true)[2..], ["1.3: was not run"]);
    }

    #[test]
    fn the_table_in_the_tree_can_be_read() {
        let text = std::fs::read_to_string(crate::workspace().join(TABLE)).unwrap();
        let results = parse(&text).unwrap();
        assert!(results.len() > 300 && results.values().all(|verdict| *verdict < Verdict::NonStrict));
    }
}

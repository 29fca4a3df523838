//! `cargo xtask conformance`: `ws-proto` against the Autobahn cases, compared with the table in the tree.
//!
//! The cases are driven by [kosoku](https://pypi.org/project/kosoku/), which runs Autobahn's own case files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::flags::Flags;

pub(crate) const FLAGS: &[&str] = &["only", "python"];

/// The version whose cases the table is about.
const KOSOKU: &str = "0.1.0";

/// What is run without `--only`: all groups that Autobahn has.
const ALL: &[&str] = &["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.*", "13.*"];

/// Cases in which the server asks for messages that stand alone, which it does only of a client that says it can.
const ALONE: &[&str] = &["13.2.*", "13.5.*", "13.6.*"];

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

const TABLE: &str = "docs/conformance.md";

/// How the server judges a case, the best first; a case is as good as the worse of its behaviour and its closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
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
type Results = BTreeMap<Vec<u32>, Verdict>;

/// Runs the cases; writes the table, unless a case is worse than it says or `--only` was given.
pub(crate) fn run(workspace: &Path, flags: &Flags) -> Result<()> {
    let only = flags.all("only").collect::<Vec<_>>();
    let cases = if only.is_empty() { ALL.iter().chain(ALONE).copied().collect() } else { only.clone() };
    let group = |case: &str| case.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (alone, others): (Vec<_>, Vec<_>) =
        cases.iter().partition(|case| ALONE.iter().any(|of| group(of) == group(case)));
    let driver = build(workspace)?;
    let kosoku = install(workspace, flags.text("python").unwrap_or("python3"))?;
    let mut results = Results::new();
    for (include, exclude, alone) in [(&others, ALONE, false), (&alone, &[][..], true)] {
        if !include.is_empty() {
            let filters = Filters { include, exclude };
            results.extend(read(&run_cases(workspace, &kosoku, &driver, &filters, alone)?)?);
        }
    }
    let table = workspace.join(TABLE);
    let before = match std::fs::read_to_string(&table) {
        Ok(text) => parse(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Results::new(),
        Err(error) => return Err(error).context(TABLE),
    };
    let worse = worse(&before, &results, only.is_empty());
    ensure!(worse.is_empty(), "worse than {TABLE} says:\n{}", worse.join("\n"));
    eprintln!("{} cases, none worse than before", results.len());
    if only.is_empty() {
        std::fs::create_dir_all(workspace.join("docs"))?;
        std::fs::write(&table, render(&results))?;
    }
    Ok(())
}

/// Builds the client that echoes.
fn build(workspace: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["build", "--quiet", "--package", "ws-proto", "--example", "autobahn"];
    let status = Command::new(cargo).current_dir(workspace).args(args).status()?;
    ensure!(status.success(), "cargo cannot build the example autobahn");
    Ok(target(workspace).join("debug/examples/autobahn"))
}

fn target(workspace: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}

/// Makes a virtual environment with the suite, if it is not there yet.
fn install(workspace: &Path, python: &str) -> Result<PathBuf> {
    let venv = target(workspace).join(format!("kosoku-{KOSOKU}"));
    let kosoku = venv.join("bin/kosoku");
    if !kosoku.exists() {
        let status = Command::new(python).args(["-m", "venv"]).arg(&venv).status();
        let made = status.with_context(|| format!("cannot run {python}"))?.success();
        ensure!(made, "{python} cannot make a virtual environment (Debian: install python3-venv)");
        let args = ["install", "--quiet", "--disable-pip-version-check", &format!("kosoku=={KOSOKU}")];
        let installed = Command::new(venv.join("bin/pip")).args(args).status()?.success();
        ensure!(installed, "pip cannot install kosoku {KOSOKU}");
    }
    Ok(kosoku)
}

/// Kills the server if something goes wrong before it ends by itself.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Globs of cases.
struct Filters<'a> {
    include: &'a [&'a str],
    exclude: &'a [&'a str],
}

/// Runs both sides; with `alone` the client says that it can compress each message by itself. Gives the index of the
/// reports.
fn run_cases(
    workspace: &Path,
    kosoku: &Path,
    driver: &Path,
    filters: &Filters<'_>,
    alone: bool,
) -> Result<String> {
    let reports = target(workspace).join("conformance");
    if reports.exists() {
        std::fs::remove_dir_all(&reports)?;
    }
    // The port is free a moment before the server takes it.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut command = Command::new(kosoku);
    command.args(["-m", "fuzzingserver", &address, "-o"]).arg(&reports);
    command.args(filters.include.iter().flat_map(|case| ["-i", case]));
    command.args(filters.exclude.iter().flat_map(|case| ["-x", case])).stdout(Stdio::null());
    let mut server = Server(command.spawn().context("cannot run kosoku")?);
    let mut attempts = 0;
    while std::net::TcpStream::connect(&address).is_err() {
        ensure!(server.0.try_wait()?.is_none() && attempts < 200, "kosoku does not listen");
        attempts += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = Command::new(driver).arg(&address).args(alone.then_some("alone")).status()?;
    ensure!(status.success(), "the driver has failed");
    // It writes the reports and ends, with a failure if a case failed: that is for the comparison to say.
    server.0.wait()?;
    std::fs::read_to_string(reports.join("index.json")).context("kosoku has written no report")
}

fn read(index: &str) -> Result<Results> {
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
fn worse(before: &Results, now: &Results, all: bool) -> Vec<String> {
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
fn render(results: &Results) -> String {
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
fn parse(text: &str) -> Result<Results> {
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

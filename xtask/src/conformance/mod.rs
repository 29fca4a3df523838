//! `cargo xtask conformance`: `ws-proto` against the Autobahn cases, compared with the table in the tree.
//!
//! The cases are driven by [kosoku](https://pypi.org/project/kosoku/), which runs Autobahn's own case files.

mod suite;
mod table;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::flags::Flags;
use suite::{Filters, build, install, run_cases};
use table::{Results, TABLE, parse, read, render, worse};

pub(crate) const FLAGS: &[&str] = &["only", "python"];

/// What is run without `--only`: all groups that Autobahn has.
const ALL: &[&str] = &["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.*", "13.*"];

/// Cases in which the server asks for messages that stand alone, which it does only of a client that says it can.
const ALONE: &[&str] = &["13.2.*", "13.5.*", "13.6.*"];

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

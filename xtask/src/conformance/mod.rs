//! `cargo xtask conformance`: `ws-proto` against the Autobahn cases, compared with the table in the tree.
//!
//! The cases are driven by [kosoku](https://pypi.org/project/kosoku/), which runs Autobahn's own case files. One of its
//! processes keeps one core busy, so the cases are dealt out to as many as there are cores.

mod suite;
mod table;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::flags::Flags;
use suite::{Batch, Suite};
use table::{Results, TABLE, parse, read, render, worse};

pub(crate) const FLAGS: &[&str] = &["jobs", "only", "python"];

/// What is run without `--only`, all groups that Autobahn has: the long ones first, and apart, so that the processes
/// end at about the same time.
const ALL: &[&[&str]] = &[
    &["12.1.*"],
    &["12.2.*"],
    &["12.3.*"],
    &["12.4.*"],
    &["12.5.*"],
    &["13.1.*"],
    &["13.2.*"],
    &["13.3.*"],
    &["13.4.*"],
    &["13.5.*"],
    &["13.6.*"],
    &["13.7.*"],
    &["9.*"],
    &["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"],
];

/// Cases in which the server asks for messages that stand alone, which it does only of a client that says it can.
const ALONE: &[&str] = &["13.2.*", "13.5.*", "13.6.*"];

/// Runs the cases; writes the table, unless a case is worse than it says or `--only` was given.
pub(crate) fn run(workspace: &Path, flags: &Flags) -> Result<()> {
    let only = flags.all("only").collect::<Vec<_>>();
    let batches =
        if only.is_empty() { ALL.iter().map(|cases| batch(cases)).collect() } else { chosen(&only) };
    let jobs = match flags.number("jobs")? {
        Some(jobs) => jobs,
        None => std::thread::available_parallelism()?.get(),
    };
    let table = workspace.join(TABLE);
    let before = match std::fs::read_to_string(&table) {
        Ok(text) => parse(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Results::new(),
        Err(error) => return Err(error).context(TABLE),
    };
    let suite = Suite::prepare(workspace, flags.text("python").unwrap_or("python3"))?;
    let started = Instant::now();
    let results = run_all(&suite, &batches, jobs)?;
    let worse = worse(&before, &results, only.is_empty());
    eprintln!("{} cases in {:.0} s", results.len(), started.elapsed().as_secs_f64());
    for line in &worse {
        eprintln!("{line}");
    }
    if only.is_empty() && worse.is_empty() {
        std::fs::create_dir_all(workspace.join("docs"))?;
        std::fs::write(&table, render(&results))?;
    }
    let passed = results.len().saturating_sub(worse.len());
    println!("{passed} passed, {} failed", worse.len());
    ensure!(worse.is_empty(), "worse than {TABLE} says");
    Ok(())
}

/// Cases that are run together.
fn batch<'a>(cases: &[&'a str]) -> Batch<'a> {
    let alone = cases.iter().any(|case| stands_alone(case));
    Batch { include: cases.to_vec(), exclude: Vec::new(), alone }
}

fn stands_alone(case: &str) -> bool {
    let group = |case: &str| case.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    ALONE.iter().any(|of| group(of) == group(case))
}

/// The batches of `--only`: those that stand alone in one, all others in another.
fn chosen<'a>(only: &[&'a str]) -> Vec<Batch<'a>> {
    let (alone, others): (Vec<_>, Vec<_>) = only.iter().partition(|case| stands_alone(case));
    let mut batches = Vec::new();
    if !others.is_empty() {
        batches.push(Batch { include: others, exclude: ALONE.to_vec(), alone: false });
    }
    if !alone.is_empty() {
        batches.push(Batch { include: alone, exclude: Vec::new(), alone: true });
    }
    batches
}

/// Runs the batches in `jobs` threads, each taking the next one when it is done with one.
fn run_all(suite: &Suite, batches: &[Batch<'_>], jobs: usize) -> Result<Results> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Results::new();
        while let Some((number, batch)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            batches.get(number).map(|batch| (number, batch))
        } {
            results.extend(read(&suite.run(batch, number)?)?);
        }
        Ok(results)
    };
    std::thread::scope(|scope| {
        let threads = (0..jobs.clamp(1, batches.len())).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let mut all = Results::new();
        for thread in threads {
            let results: Result<Results> = thread.join().expect("a job does not panic");
            all.extend(results?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_stand_alone_are_run_by_themselves() {
        let alone = ALL.iter().map(|cases| batch(cases)).filter(|batch| batch.alone);
        assert_eq!(alone.flat_map(|batch| batch.include).collect::<Vec<_>>(), ALONE);
        let batches = chosen(&["13.*", "13.2.1", "9.*"]);
        let expected = [(vec!["13.*", "9.*"], ALONE.to_vec(), false), (vec!["13.2.1"], vec![], true)];
        let batches = batches.into_iter().map(|Batch { include, exclude, alone }| (include, exclude, alone));
        assert_eq!(batches.collect::<Vec<_>>(), expected);
    }
}

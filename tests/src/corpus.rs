//! The corpus: small k6 scripts, each with what running it must look like.
//!
//! `tests/corpus/NAME.js` is a script and `NAME.expected` the [`Observation`] of it. A script starts with
//! comment lines that say how to run it:
//!
//! - `// args: --vus 2` adds arguments of `run`;
//! - `// env: NAME=value` sets a variable of the process;
//! - `// since: 2.2.0` keeps older versions of k6 from being compared: they are known to differ;
//! - `// without k6: reason` keeps every k6 from it, where k6 crashes or hangs and this project does not;
//! - `// drop: text` leaves out log lines with this text, which may or may not come;
//! - `// by chance: metric …` leaves out metrics of which k6 may or may not have a sample;
//! - `// unordered` compares the log without its order.
//!
//! Every script is given the server's address as `__ENV.WS_URL` and a word that no other run has as `__ENV.RUN`.

use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::lines::Substitutions;
use crate::observation::Observation;
use crate::process::Run;
use crate::server::TestServer;
use crate::tool::{Kind, Tool, Version, workspace};

/// A script and how to run it.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file's name without `.js`.
    pub name: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    since: Option<Version>,
    without_k6: Option<String>,
    drop: Vec<String>,
    by_chance: Vec<String>,
    unordered: bool,
}

impl Script {
    /// Reads the script of this name.
    ///
    /// # Errors
    ///
    /// If there is none, or a comment of it cannot be understood.
    pub fn load(name: &str) -> Result<Script> {
        let mut script = Script {
            name: name.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            since: None,
            without_k6: None,
            drop: Vec::new(),
            by_chance: Vec::new(),
            unordered: false,
        };
        let text = std::fs::read_to_string(script.path()).with_context(|| format!("no script {name}"))?;
        for line in text.lines().map_while(|line| line.strip_prefix("// ")) {
            match line.split_once(": ") {
                Some(("args", args)) => script.args.extend(args.split(' ').map(str::to_owned)),
                Some(("env", pair)) => {
                    let (name, value) = pair.split_once('=').context("env: needs NAME=value")?;
                    script.env.push((name.to_owned(), value.to_owned()));
                }
                Some(("since", version)) => {
                    script.since = Some(Version::parse(version).context("since: needs a version")?);
                }
                Some(("without k6", reason)) => script.without_k6 = Some(reason.to_owned()),
                Some(("drop", text)) => script.drop.push(text.to_owned()),
                Some(("by chance", metrics)) => {
                    script.by_chance.extend(metrics.split(' ').map(str::to_owned))
                }
                _ => script.unordered |= line == "unordered",
            }
        }
        Ok(script)
    }

    /// The names of all scripts of the corpus, sorted.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn names() -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "js") {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Why this tool is not compared on this script, if it is not.
    pub fn excludes(&self, tool: &Tool) -> Option<String> {
        let Kind::K6(version) = tool.kind else { return None };
        match (self.since, &self.without_k6) {
            (Some(since), _) if version < since => Some(format!("k6 {version} is older than {since}")),
            (_, Some(reason)) => Some(reason.clone()),
            _ => None,
        }
    }

    /// Where the script is.
    pub fn path(&self) -> PathBuf {
        folder().join(format!("{}.js", self.name))
    }

    /// Where what it must look like is written down.
    pub fn expected_path(&self) -> PathBuf {
        folder().join(format!("{}.expected", self.name))
    }

    /// Runs the script.
    ///
    /// # Errors
    ///
    /// If the program cannot be started or leaves files that cannot be read.
    pub fn observe(&self, tool: &Tool, server: &TestServer) -> Result<Observation> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let id = format!("run-{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let output = tempfile::tempdir()?;
        let (summary, points) = (output.path().join("summary.json"), output.path().join("points.json"));
        let mut run = Run::script(tool, &self.path())
            .arg_value("--env", format!("WS_URL={}", server.url()))
            .arg_value("--env", format!("RUN={id}"))
            .arg_value("--summary-export", &summary)
            .arg_value("--out", format!("json={}", points.display()))
            .args(&self.args)
            .limit(Duration::from_secs(30));
        for (name, value) in &self.env {
            run = run.env(name, value);
        }
        let finished = run.finish()?;

        let mut substitutions = Substitutions::default();
        substitutions.add(format!("file://{}/", folder().display()), "corpus/");
        substitutions.add(format!("{}/", folder().display()), "corpus/");
        substitutions.add(server.address().to_string(), "SERVER");
        substitutions.add(format!(":{}", server.address().port()), ":SERVER");
        substitutions.add(id, "RUN");
        let mut observation = Observation::read(&finished, &summary, &points, &substitutions)
            .with_context(|| format!("{} left {finished:#?}", tool.name()))?;
        observation.log.retain(|line| !self.drop.iter().any(|text| line.contains(text.as_str())));
        for lines in [&mut observation.samples, &mut observation.summary, &mut observation.report] {
            lines.retain(|line| {
                !self.by_chance.iter().any(|metric| line.split([' ', ':']).next() == Some(metric))
            });
        }
        if self.unordered {
            observation.log.sort();
        }
        Ok(observation)
    }
}

fn folder() -> PathBuf {
    workspace().join("tests/corpus")
}

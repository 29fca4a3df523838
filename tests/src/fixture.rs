//! Scripts that a test writes for itself.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Finished, Run};
use crate::tool::{self, Kind};

/// A folder with a script `script.js`, deleted in the end.
#[derive(Debug)]
pub struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// Writes the script.
    ///
    /// # Panics
    ///
    /// If the system's folder for temporary files cannot be written.
    pub fn new(script: &str) -> Fixture {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("script.js"), script).expect("a temporary folder can be written");
        Fixture { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A run of the script by the program under test, in the folder.
    pub fn run(&self) -> Run {
        Run::script(tool::ws(), Path::new("script.js")).directory(self.folder())
    }
}

impl Finished {
    /// The messages logged as errors, in order; for lines that are no log lines, the line.
    pub fn errors(&self) -> Vec<String> {
        let lines = self.stderr.lines().map(|line| match crate::logfmt::Line::parse(line) {
            Some(line) if line.level() != "error" => None,
            Some(line) => Some(line.message().to_owned()),
            None => Some(line.to_owned()),
        });
        lines.flatten().collect()
    }

    /// What the script wrote with `console.*`, in order.
    pub fn console(&self) -> Vec<String> {
        let lines = self.stderr.lines().filter_map(crate::logfmt::Line::parse);
        lines
            .filter(|line| line.get("source") == Some("console"))
            .map(|line| line.message().to_owned())
            .collect()
    }
}

/// Whether the program under test is `ws`. With another in its place, tests of what only `ws` has are skipped.
pub fn is_ws(test: &str) -> bool {
    let is_ws = tool::ws().kind == Kind::Ws;
    if !is_ws {
        crate::skip(test, "the program under test is not ws");
    }
    is_ws
}

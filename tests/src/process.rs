//! Running a program: bounded in time, its output kept, signals on request.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::tool::{Kind, Tool, Version};

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// A command line being put together.
#[derive(Debug)]
pub struct Run {
    command: Command,
    limit: Duration,
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Instant,
    limit: Duration,
    output: TempDir,
}

/// What is left of a program.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it, be it that it was stopped for taking too long.
    pub code: Option<i32>,
    /// All it wrote to standard output.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
    /// How long it ran.
    pub elapsed: Duration,
}

impl Run {
    /// A run of `tool` with the environment cleared of all that would configure it.
    pub fn new(tool: &Tool, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        let mut command = Command::new(&tool.path);
        command.args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("K6_") {
                command.env_remove(name);
            }
        }
        if let Kind::K6(_) = tool.kind {
            command.env("K6_NO_USAGE_REPORT", "true");
        }
        Run { command, limit: Duration::from_secs(60) }
    }

    /// `tool run` with what makes output comparable: no banner, no colours; and, for the k6 that would start
    /// one on a fixed port, no REST server.
    pub fn script(tool: &Tool, script: &Path) -> Run {
        let mut run = Run::new(tool, ["run", "--quiet", "--no-color"]);
        if matches!(tool.kind, Kind::K6(version) if version < Version(2, 0, 0)) {
            run.command.args(["--address", ""]);
        }
        run.command.arg(script);
        run
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.command.args(args);
        self
    }

    /// Adds a flag and its value.
    pub fn arg_value(self, flag: &str, value: impl AsRef<OsStr>) -> Run {
        self.args([OsStr::new(flag), value.as_ref()])
    }

    /// Sets a variable of the process's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Run {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    pub fn directory(mut self, folder: &Path) -> Run {
        self.command.current_dir(folder);
        self
    }

    /// Stops the program after this time; a minute if not said.
    pub fn limit(mut self, limit: Duration) -> Run {
        self.limit = limit;
        self
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(mut self) -> Result<Running> {
        // Files instead of pipes: they need no thread that empties them.
        let output = tempfile::tempdir()?;
        self.command.stdout(File::create(output.path().join(STDOUT))?);
        self.command.stderr(File::create(output.path().join(STDERR))?);
        let child = self.command.spawn().with_context(|| format!("cannot start {:?}", self.command))?;
        Ok(Running { child, started: Instant::now(), limit: self.limit, output })
    }

    /// Starts the program and waits for its end.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn finish(self) -> Result<Finished> {
        self.start()?.finish()
    }
}

impl Running {
    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// If there is no such process any more.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `wanted` holds for what the program wrote so far (standard output, standard error).
    ///
    /// # Errors
    ///
    /// If it does not come to hold before the program ends or its time is over.
    pub fn wait_for(&mut self, wanted: impl Fn(&str, &str) -> bool) -> Result<()> {
        loop {
            let ended = self.child.try_wait()?.is_some() || self.started.elapsed() > self.limit;
            let (stdout, stderr) = self.written()?;
            if wanted(&stdout, &stderr) {
                return Ok(());
            }
            anyhow::ensure!(!ended, "never seen what was waited for in\n{stdout}\n{stderr}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end, and stops the program if its time is over.
    ///
    /// # Errors
    ///
    /// Those of reading its output.
    pub fn finish(mut self) -> Result<Finished> {
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if self.started.elapsed() > self.limit {
                self.child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let elapsed = self.started.elapsed();
        let (stdout, stderr) = self.written()?;
        Ok(Finished { code: status.code(), stdout, stderr, elapsed })
    }
}

impl Running {
    fn written(&self) -> Result<(String, String)> {
        let read = |name| std::fs::read(self.output.path().join(name));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((text(read(STDOUT)?), text(read(STDERR)?)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A failed test must not leave a load generator behind; one that has ended already does not mind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The suite and the client it judges: installing, building, and running one against the other.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// The version whose cases the table is about.
pub(super) const KOSOKU: &str = "0.1.0";

/// Both programs, ready to run.
pub(super) struct Suite {
    server: PathBuf,
    driver: PathBuf,
    reports: PathBuf,
}

/// Globs of cases that one server runs.
pub(super) struct Batch<'a> {
    pub(super) include: Vec<&'a str>,
    pub(super) exclude: Vec<&'a str>,
    /// Whether the client says that it can compress each message by itself.
    pub(super) alone: bool,
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

impl Suite {
    /// Builds the client and, where it is not there yet, makes a virtual environment with the suite.
    pub(super) fn prepare(workspace: &Path, python: &str) -> Result<Self> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let driver = build(workspace, &target)?;
        let server = install(&target.join(format!("kosoku-{KOSOKU}")), python)?;
        let reports = target.join("conformance");
        if reports.exists() {
            std::fs::remove_dir_all(&reports)?;
        }
        Ok(Self { server, driver, reports })
    }

    /// Runs both sides; gives the index of the reports. `number` tells the batches that run at the same time apart.
    pub(super) fn run(&self, batch: &Batch<'_>, number: usize) -> Result<String> {
        let reports = self.reports.join(number.to_string());
        let (mut server, address) = self.start(batch, &reports)?;
        let status =
            Command::new(&self.driver).arg(&address).args(batch.alone.then_some("alone")).status()?;
        ensure!(status.success(), "the driver has failed");
        // It writes the reports and ends, with a failure if a case failed: that is for the comparison to say.
        server.0.wait()?;
        std::fs::read_to_string(reports.join("index.json")).context("kosoku has written no report")
    }

    /// Starts a server and waits until it listens.
    fn start(&self, batch: &Batch<'_>, reports: &Path) -> Result<(Server, String)> {
        // A port is free a moment before the server takes it; somebody else may be quicker, but not every time.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
            let mut command = Command::new(&self.server);
            command.args(["-m", "fuzzingserver", &address, "-o"]).arg(reports);
            command.args(batch.include.iter().flat_map(|case| ["-i", case]));
            command.args(batch.exclude.iter().flat_map(|case| ["-x", case]));
            // It says there, and on standard error, no more than where it listens.
            command.stdout(Stdio::null());
            let mut server = Server(command.spawn().context("cannot run kosoku")?);
            // The first start of a new installation compiles Python for some seconds.
            for _ in 0..600 {
                if server.0.try_wait()?.is_some() {
                    break;
                }
                if std::net::TcpStream::connect(&address).is_ok() {
                    return Ok((server, address));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        bail!("kosoku does not listen")
    }
}

/// Builds the client that echoes; optimised, since compression takes most of the time of the suite.
fn build(workspace: &Path, target: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args =
        ["build", "--release", "--quiet", "--locked", "--package", "ws-proto", "--example", "autobahn"];
    let status = Command::new(cargo).current_dir(workspace).args(args).status()?;
    ensure!(status.success(), "cargo cannot build the example autobahn");
    Ok(target.join("release/examples/autobahn"))
}

/// Makes the virtual environment.
fn install(venv: &Path, python: &str) -> Result<PathBuf> {
    let kosoku = venv.join("bin/kosoku");
    if !kosoku.exists() {
        let status = Command::new(python).args(["-m", "venv"]).arg(venv).status();
        let made = status.with_context(|| format!("cannot run {python}"))?.success();
        ensure!(made, "{python} cannot make a virtual environment (Debian: install python3-venv)");
        let args = ["install", "--quiet", "--disable-pip-version-check", &format!("kosoku=={KOSOKU}")];
        let installed = Command::new(venv.join("bin/pip")).args(args).status()?.success();
        ensure!(installed, "pip cannot install kosoku {KOSOKU}");
    }
    Ok(kosoku)
}

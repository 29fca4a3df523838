//! The suite and the client it judges: installing, building, and running one against the other.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// The version whose cases the table is about.
pub(super) const KOSOKU: &str = "0.1.0";

/// Builds the client that echoes.
pub(super) fn build(workspace: &Path) -> Result<PathBuf> {
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
pub(super) fn install(workspace: &Path, python: &str) -> Result<PathBuf> {
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
pub(super) struct Filters<'a> {
    pub(super) include: &'a [&'a str],
    pub(super) exclude: &'a [&'a str],
}

/// Runs both sides; with `alone` the client says that it can compress each message by itself. Gives the index of the
/// reports.
pub(super) fn run_cases(
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

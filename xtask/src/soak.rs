//! `cargo xtask soak`: thousands of connections at once to servers that nobody here wrote, every message counted.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench::allow_open_files;
use crate::flags::Flags;

pub(crate) const FLAGS: &[&str] = &["connections", "messages"];

/// Builds and runs the example that does it.
pub(crate) fn run(workspace: &Path, flags: &Flags) -> Result<()> {
    let connections = flags.number::<u64>("connections")?.unwrap_or(5000);
    let messages = flags.number::<u64>("messages")?.unwrap_or(20);
    // The servers inherit them; nginx needs two for each connection.
    let needed = 2 * connections + 100;
    let allowed = allow_open_files()?;
    ensure!(
        allowed >= needed,
        "{connections} connections need {needed} open files, {allowed} are allowed (ulimit -Hn)"
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace);
    command.args([
        "run",
        "--release",
        "--quiet",
        "--locked",
        "--package",
        "ws-loop",
        "--example",
        "soak",
        "--",
    ]);
    let status = command.args([connections.to_string(), messages.to_string()]).status()?;
    ensure!(status.success(), "the soak has failed");
    Ok(())
}

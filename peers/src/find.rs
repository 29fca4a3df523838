//! Where the programs are: in `target/peers`, in what variables name, or on `PATH`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Peer;

/// What starts a peer, before its arguments; else what is missing.
pub(crate) fn command(peer: Peer) -> Result<Command, String> {
    match peer {
        Peer::Websockets => python("websockets.asyncio.server", "websockets_server.py"),
        Peer::Aiohttp => python("aiohttp", "aiohttp_server.py"),
        Peer::Ws => node(),
        Peer::Nginx => nginx().and_then(|_| command(Peer::Websockets)),
    }
}

/// Debian's is not on every user's `PATH`.
pub(crate) fn nginx() -> Result<PathBuf, String> {
    let found = ["nginx", "/usr/sbin/nginx"].into_iter().find(|path| runs(Command::new(path).arg("-v")));
    found.map(PathBuf::from).ok_or_else(|| "no nginx".to_owned())
}

fn python(module: &str, script: &str) -> Result<Command, String> {
    let installed = installed().join("bin/python");
    let python = match std::env::var_os("WS_TEST_PYTHON") {
        Some(python) => PathBuf::from(python),
        None if installed.exists() => installed,
        None => "python3".into(),
    };
    if !runs(Command::new(&python).args(["-c", &format!("import {module}")])) {
        return Err(format!("{} has no {module}", python.display()));
    }
    let mut command = Command::new(python);
    // Unbuffered, with the encoding that the tests expect whatever the locale.
    command.env("PYTHONUTF8", "1").arg(script_at(script));
    Ok(command)
}

fn node() -> Result<Command, String> {
    // Besides the modules that the variable names already.
    let mut paths = vec![installed().join("node_modules")];
    paths.extend(std::env::split_paths(&std::env::var_os("NODE_PATH").unwrap_or_default()));
    let paths = std::env::join_paths(paths).map_err(|error| error.to_string())?;
    if !runs(Command::new("node").env("NODE_PATH", &paths).args(["-e", "require('ws')"])) {
        return Err("no node with the module ws".to_owned());
    }
    let mut command = Command::new("node");
    command.env("NODE_PATH", paths).arg(script_at("ws_server.js"));
    Ok(command)
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn script_at(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(name)
}

/// Where `.ci/peers` puts what it installs.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers")
}

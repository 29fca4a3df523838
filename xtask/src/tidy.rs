//! `cargo xtask tidy`: rules of the tree that no compiler checks. Also run by `cargo test`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::v8::{metadata, sha256};

/// The layers: which crates of the workspace each crate may use. An arrow not named here is a mistake.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ws-proto", &[]),
    ("ws-metrics", &[]),
    ("ws-loop", &["ws-proto"]),
    ("ws-engine", &["ws-metrics"]),
    ("ws-http", &["ws-proto", "ws-loop"]),
    ("ws-js", &["ws-proto", "ws-loop", "ws-http", "ws-metrics"]),
    // Of ws-loop the command line uses the echo server alone.
    ("ws-cli", &["ws-engine", "ws-js", "ws-metrics", "ws-loop"]),
    // Around the crates: they run the binary as a process and link none of it.
    ("ws-benches", &[]),
    ("ws-e2e", &["ws-peers"]),
    ("ws-peers", &[]),
    ("xtask", &["ws-benches"]),
];

/// What the tests of every crate may use in addition: servers to talk to.
const IN_TESTS: &[&str] = &["ws-peers"];

/// Libraries that mark a layer: who may name them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("v8", &["ws-js"]),
    ("mio", &["ws-loop", "ws-proto"]),
    ("clap", &["ws-cli"]),
    // ws-loop: the server's half of the handshake, in the echo server.
    ("tungstenite", &["ws-proto", "ws-loop", "ws-e2e"]),
    // ws-js: it words the errors of TLS as scripts know them.
    ("rustls", &["ws-proto", "ws-http", "ws-js", "ws-e2e"]),
    // ws-cli: outputs and scrapes are compressed, and served.
    ("flate2", &["ws-proto", "ws-http", "ws-cli", "ws-e2e"]),
    ("hyper", &["ws-http", "ws-cli"]),
    ("tokio", &["ws-cli", "ws-http"]),
    ("metrics", &["ws-metrics"]),
    ("metrics-exporter-prometheus", &["ws-metrics"]),
];

/// Where unsafe code may be; every other crate forbids it.
const UNSAFE_IN: &[&str] = &["ws-js"];

/// A file of more lines than this is two files.
const MAX_LINES: usize = 600;

/// Texts that must not be in the tree, and why. Split, so that this table does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/main"), "a path of somebody's machine"),
    (concat!("/wo", "rk/shared"), "a path of somebody's machine"),
    (concat!("/wo", "rk/."), "a path of somebody's machine"),
    (concat!("/fa", "rm/"), "a path of somebody's machine"),
    (concat!("/ro", "ot/"), "a path of somebody's machine"),
    (concat!("/ho", "me/"), "a path of somebody's machine"),
    (concat!("/tmp/", "plan"), "a path of somebody's machine"),
    (concat!("/tmp/", "target"), "a path of somebody's machine"),
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimple", "mented!("), "unfinished code"),
    (concat!("TO", "DO"), "unfinished code"),
    (concat!("FIX", "ME"), "unfinished code"),
    (concat!("db", "g!("), "code for debugging"),
    (concat!("#[ig", "nore]"), "a test that never runs"),
    (concat!("allow(dead", "_code)"), "dead code"),
];

/// Checks everything and lists all that is wrong.
pub(crate) fn run(workspace: &Path) -> Result<()> {
    let mut found = layers(&metadata(workspace, false)?)?;
    let files = files(workspace)?;
    for file in &files {
        let Ok(text) = std::fs::read_to_string(workspace.join(file)) else { continue };
        found.extend(text_of(file, &text));
    }
    found.extend(checksums(workspace)?);
    if found.is_empty() {
        return Ok(());
    }
    bail!("the tree is not tidy:\n{}", found.join("\n"));
}

/// Compares the dependencies of every package of the workspace with the tables.
fn layers(metadata: &Value) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let names = packages.iter().filter_map(|package| package["name"].as_str()).collect::<Vec<_>>();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some((_, allowed)) = MAY_USE.iter().find(|(n, _)| *n == name) else {
            found.push(format!("{name}: not in the table of layers"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().context("a dependency without a name")?;
            // Tests may use what the layer itself must not: a peer to talk to, for example, or its own features.
            let in_tests = dependency["kind"] == "dev";
            let allowed = allowed.contains(&used) || in_tests && (IN_TESTS.contains(&used) || used == name);
            if names.contains(&used) && !allowed {
                found.push(format!("{name}: must not depend on {used}"));
            }
            if !in_tests && ONLY_IN.iter().any(|(library, users)| *library == used && !users.contains(&name))
            {
                found.push(format!("{name}: {used} belongs to another layer"));
            }
        }
    }
    Ok(found)
}

/// Text files of the tree: sources, scripts, documents, settings; not what was built or is vendored.
fn files(workspace: &Path) -> Result<Vec<PathBuf>> {
    let kinds = ["rs", "toml", "md", "js", "yml", "yaml", "sh", "txt", "expected"];
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(workspace.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if entry.file_type()?.is_dir() {
                // The fuzz targets have a workspace and so a target folder of their own.
                if !path.ends_with("target") && path != Path::new(".git") {
                    folders.push(path);
                }
            } else if kinds.contains(&&*extension) || path.starts_with(".ci") {
                // The binding is the v8 crate's own file.
                let vendored = path.starts_with("third_party") && extension == "rs";
                if !vendored {
                    files.push(path);
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong with the text of one file.
fn text_of(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut report = |line: usize, what: &str| found.push(format!("{}:{line}: {what}", path.display()));
    for (i, line) in text.lines().enumerate() {
        for (word, why) in FORBIDDEN {
            if line.contains(word) {
                report(i + 1, &format!("{why}: {word}"));
            }
        }
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!") {
            report(1, "a file opens with what it is about: //!");
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            report(lines, &format!("longer than {MAX_LINES} lines"));
        }
        if is_crate_root(path) && !may_be_unsafe(path) && !text.contains("#![forbid(unsafe_code)]") {
            report(1, "a crate root forbids unsafe code: #![forbid(unsafe_code)]");
        }
    }
    found
}

fn is_crate_root(path: &Path) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")
}

fn may_be_unsafe(path: &Path) -> bool {
    UNSAFE_IN.iter().any(|name| path.starts_with(Path::new("crates").join(name)))
}

/// The prebuilt library is the one whose checksum is written down.
fn checksums(workspace: &Path) -> Result<Vec<String>> {
    let folder = workspace.join("third_party/v8");
    let sums =
        std::fs::read_to_string(folder.join("SHA256SUMS")).context("no SHA256SUMS in third_party/v8")?;
    let mut found = Vec::new();
    for line in sums.lines() {
        let (expected, file) = line.split_once("  ").context("SHA256SUMS is not of the form of sha256sum")?;
        let path = folder.join(file.trim_start_matches('*'));
        match sha256(&path) {
            Ok(sum) if sum == expected => {}
            Ok(sum) => {
                found.push(format!("{}: has the checksum {sum} instead of {expected}", path.display()))
            }
            Err(error) => found.push(format!("{error:#}")),
        }
    }
    if found.is_empty() && sums.lines().count() < 2 {
        found.push("third_party/v8/SHA256SUMS: names fewer than two files".to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        if let Err(error) = run(crate::workspace()) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn a_wrong_arrow_is_found() {
        let package = |name: &str, uses: &[&str]| {
            let dependencies = uses.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>();
            json!({ "name": name, "dependencies": dependencies })
        };
        let packages = [
            package("ws-proto", &["ws-loop", "mio"]),
            package("ws-loop", &["ws-proto", "v8"]),
            package("ws-new", &[]),
        ];
        assert_eq!(
            layers(&json!({ "packages": packages })).unwrap(),
            [
                "ws-proto: must not depend on ws-loop",
                "ws-loop: v8 belongs to another layer",
                "ws-new: not in the table of layers"
            ]
        );
    }

    #[test]
    fn faults_of_a_file_are_found() {
        let check = |path: &str, text: &str| text_of(Path::new(path), text);
        let good = "//! About.\n#![forbid(unsafe_code)]\n";
        assert_eq!(check("crates/ws-loop/src/lib.rs", good), Vec::<String>::new());
        assert_eq!(check("crates/ws-js/src/lib.rs", "//! About.\n"), Vec::<String>::new());
        for (path, text, fault) in [
            ("crates/ws-loop/src/lib.rs", "//! About.\n", ":1: a crate root forbids"),
            ("crates/ws-loop/src/x.rs", "use a;\n", ":1: a file opens"),
            ("README.md", concat!("a\n/wo", "rk/main/b\n"), ":2: a path of somebody's machine"),
            ("x.rs", concat!("//! A.\nto", "do!()"), ":2: unfinished code"),
        ] {
            let found = check(path, text);
            assert!(found.len() == 1 && found[0].starts_with(&format!("{path}{fault}")), "{found:?}");
        }
        let long = "//! About.\n".repeat(MAX_LINES + 1);
        assert_eq!(check("x.rs", &long), ["x.rs:601: longer than 600 lines"]);
    }
}

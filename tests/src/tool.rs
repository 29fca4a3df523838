//! The programs under test: `ws`, built on first use, and a k6 to compare it with where there is one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail, ensure};

/// A program that runs k6 scripts.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// Which of the two it is.
    pub kind: Kind,
}

/// Which program, and for k6 which version: they differ in a few named places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This project's binary.
    Ws,
    /// k6 of this version.
    K6(Version),
}

/// Major, minor and patch number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `2.2.0`, with or without a leading `v`; what is missing is 0.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse);
        let major = parts.next()?.ok()?;
        let mut next = || parts.next().map_or(Some(0), Result::ok);
        Some(Version(major, next()?, next()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Tool {
    /// Looks at what `path version` prints.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it is neither of the two.
    pub fn at(path: PathBuf) -> Result<Tool> {
        let output = Command::new(&path)
            .arg("version")
            .output()
            .with_context(|| format!("cannot run {}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = text.split_whitespace();
        let kind = match (words.next(), words.next().and_then(Version::parse)) {
            (Some("k6"), Some(version)) => Kind::K6(version),
            (Some("ws"), Some(_)) => Kind::Ws,
            _ => bail!("{} prints {text:?} as its version", path.display()),
        };
        Ok(Tool { path, kind })
    }

    /// The name in messages: `ws`, `k6 2.2.0`.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Ws => "ws".to_owned(),
            Kind::K6(version) => format!("k6 {version}"),
        }
    }
}

/// The folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// The program under test: `WS_TEST_BIN` if set, else the workspace's `ws`, built in the profile of this test.
///
/// # Panics
///
/// If it cannot be built: no test here means anything without it.
pub fn ws() -> &'static Tool {
    static WS: OnceLock<Tool> = OnceLock::new();
    WS.get_or_init(|| {
        let path = std::env::var_os("WS_TEST_BIN").map_or_else(build, |path| Ok(PathBuf::from(path)));
        path.and_then(Tool::at).unwrap_or_else(|error| panic!("no program to test: {error:#}"))
    })
}

/// The k6 to compare with: `WS_TEST_K6` if set (empty means none), else the one on `PATH`.
///
/// # Panics
///
/// If `WS_TEST_K6` names something that is not k6.
pub fn k6() -> Option<&'static Tool> {
    static K6: OnceLock<Option<Tool>> = OnceLock::new();
    let found = K6.get_or_init(|| match std::env::var_os("WS_TEST_K6") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(Tool::at(path.into()).unwrap_or_else(|error| panic!("WS_TEST_K6: {error:#}"))),
        None => Tool::at("k6".into()).ok(),
    });
    found.as_ref()
}

/// Both, for what must be the same with each; without k6 the comparison is noted as skipped.
pub fn both(what: &str) -> impl Iterator<Item = &'static Tool> {
    if k6().is_none() {
        crate::skip_comparison(what, NO_K6);
    }
    std::iter::once(ws()).chain(k6())
}

/// Why comparisons with k6 are skipped where there is none.
pub const NO_K6: &str = "no k6; .ci/run installs one";

/// Builds `ws` where this test itself was built: in `TARGET/PROFILE/deps/test-hash`.
fn build() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("a test lies in TARGET/PROFILE/deps")?;
    let target = folder.parent().context("a profile's folder lies in the target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace()).args(["build", "--quiet", "--package", "ws-cli", "--bin", "ws"]);
    command.arg("--target-dir").arg(target);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    ensure!(command.status()?.success(), "cargo cannot build the binary ws");
    Ok(folder.join("ws"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        assert_eq!(Version::parse("v1.1.0"), Some(Version(1, 1, 0)));
        assert_eq!(Version::parse("2"), Some(Version(2, 0, 0)));
        assert_eq!(Version::parse("two"), None);
        assert!(Version(1, 10, 0) > Version(1, 9, 3));
    }
}

//! Writing what is to be written at the end of a test: to files, and to the streams `stdout` and `stderr`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::console::{Console, Target};

/// Contents by name, in the order in which they are written.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Writes all; names are relative to `cwd`. Gives k6's text for each that could not be written.
pub(crate) fn write(files: &Files, console: &Console, cwd: &Path) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, content) in files {
        let result = match name.as_str() {
            "stdout" => to_stream(console, Target::Stdout, name, content),
            "stderr" => to_stream(console, Target::Stderr, name, content),
            _ => to_file(cwd, name, content),
        };
        failures.extend(result.err());
    }
    failures
}

fn to_stream(console: &Console, target: Target, name: &str, content: &[u8]) -> Result<(), String> {
    console.write(target, content).map_err(|error| not_saved(name, 0, &error))
}

fn to_file(cwd: &Path, name: &str, content: &[u8]) -> Result<(), String> {
    let mut file = File::create(cwd.join(name))
        .map_err(|error| format!("could not open '{name}': open {name}: {}", reason(&error)))?;
    let mut rest = content;
    while !rest.is_empty() {
        let written = match file.write(rest) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            other => other,
        };
        rest = &rest[written.map_err(|error| not_saved(name, content.len() - rest.len(), &error))?..];
    }
    Ok(())
}

fn not_saved(name: &str, bytes: usize, error: &io::Error) -> String {
    format!("error saving summary to '{name}' after {bytes} bytes: write {name}: {}", reason(error))
}

/// As k6 words it: `permission denied`, not `Permission denied (os error 13)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::console::tests::Memory;

    fn written(files: &[(&str, &str)], cwd: &Path) -> (Vec<String>, String, String) {
        let (stdout, stderr) = (Memory::default(), Memory::default());
        let console = Console::new(Stream::new(stdout.clone()), Stream::new(stderr.clone()));
        let files: Files =
            files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect();
        (write(&files, &console, cwd), stdout.text(), stderr.text())
    }

    #[test]
    fn streams_and_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.txt");
        std::fs::write(&file, "what was there before").unwrap();
        let (failures, stdout, stderr) = written(
            &[("stdout", "out"), ("a.txt", "new"), ("stderr", "err"), ("stdout", "more")],
            directory.path(),
        );
        assert_eq!((failures, stdout.as_str(), stderr.as_str()), (Vec::new(), "outmore", "err"));
        assert_eq!(std::fs::read_to_string(file).unwrap(), "new");
    }

    #[test]
    fn what_fails_does_not_keep_the_rest() {
        let directory = tempfile::tempdir().unwrap();
        let (failures, stdout, _) =
            written(&[("no/dir", "x"), (".", "x"), ("stdout", "out")], directory.path());
        assert_eq!(
            failures,
            [
                "could not open 'no/dir': open no/dir: no such file or directory",
                "could not open '.': open .: is a directory",
            ]
        );
        assert_eq!(stdout, "out");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk() {
        let (failures, ..) = written(&[("/dev/full", "abc")], Path::new("/"));
        assert_eq!(
            failures,
            ["error saving summary to '/dev/full' after 0 bytes: write /dev/full: no space left on device"]
        );
    }
}

//! `ws new`: a script to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::console::{Console, Target};
use crate::error::CliError;
use crate::exit::ExitCode;

/// What the command was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct New {
    /// The file to write.
    pub(crate) file: String,
    /// A name, or the path of a file.
    pub(crate) template: String,
    /// Whether the file may be there already.
    pub(crate) force: bool,
}

/// Writes the script.
pub(crate) fn write(new: &New, console: &Console, cwd: &Path) -> Result<ExitCode, CliError> {
    let New { file, template, force } = new;
    // Before the file is opened: what fails must not leave an empty script.
    let text = template_text(template, cwd)?.replace("SCRIPT", file);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let mut script = options.open(cwd.join(file)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            CliError::generic(format!("{file} already exists. Use the `--force` flag to overwrite it"))
        }
        _ => CliError::generic(format!("could not write '{file}': {error}")),
    })?;
    script
        .write_all(text.as_bytes())
        .map_err(|error| CliError::generic(format!("could not write '{file}': {error}")))?;
    console.print(Target::Stdout, &format!("New script created: {file} ({template} template).\n"));
    Ok(ExitCode::Success)
}

fn template_text(template: &str, cwd: &Path) -> Result<String, CliError> {
    let fail = |why: String| Err(CliError::generic(format!("error retrieving template: {why}")));
    match template {
        "minimal" => Ok(include_str!("minimal.js").to_owned()),
        "protocol" => Ok(include_str!("protocol.js").to_owned()),
        "browser" => fail("template 'browser' is not supported: there is no browser module".to_owned()),
        path if path.contains(['/', '\\']) => match std::fs::read_to_string(cwd.join(path)) {
            Ok(text) => Ok(text),
            Err(error) => fail(format!("could not read '{path}': {error}")),
        },
        name => fail(format!("invalid template type \"{name}\"; there are minimal and protocol, or a path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::console::tests::Memory;

    fn new(cwd: &Path, file: &str, template: &str, force: bool) -> Result<String, String> {
        let out = Memory::default();
        let stream = |memory: &Memory| Stream { write: Box::new(memory.clone()), is_tty: false };
        let console = Console::new(stream(&out), stream(&Memory::default()));
        let new = New { file: file.to_owned(), template: template.to_owned(), force };
        write(&new, &console, cwd).map(|_| out.text()).map_err(|error| error.message)
    }

    #[test]
    fn a_script_is_not_overwritten_unless_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let made = |template| Ok(format!("New script created: a.js ({template} template).\n"));
        let read = || std::fs::read_to_string(directory.path().join("a.js")).unwrap();
        assert_eq!(new(directory.path(), "a.js", "minimal", false), made("minimal"));
        assert!(read().contains("//     ws run --echo a.js "));
        let refused = "a.js already exists. Use the `--force` flag to overwrite it";
        assert_eq!(new(directory.path(), "a.js", "protocol", false), Err(refused.to_owned()));
        assert_eq!(new(directory.path(), "a.js", "protocol", true), made("protocol"));
        assert!(read().contains("thresholds"));
    }

    #[test]
    fn templates_of_ones_own() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mine.js"), "// mine").unwrap();
        assert!(new(directory.path(), "a.js", "./mine.js", false).is_ok());
        assert_eq!(std::fs::read_to_string(directory.path().join("a.js")).unwrap(), "// mine");
        for (template, why) in [
            ("foo", "error retrieving template: invalid template type \"foo\"; there are minimal and"),
            ("./none.js", "error retrieving template: could not read './none.js': "),
            ("browser", "error retrieving template: template 'browser' is not supported"),
        ] {
            let error = new(directory.path(), "b.js", template, false).unwrap_err();
            assert!(error.starts_with(why), "{error}");
            assert!(!directory.path().join("b.js").exists());
        }
    }
}

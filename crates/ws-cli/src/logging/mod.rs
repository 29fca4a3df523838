//! The log: where lines go, which ones, and what they look like ([`format`]).

pub(crate) mod format;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use ws_engine::Clock;
use ws_metrics::WallClock;

use crate::console::{Console, Target};
use crate::error::CliError;
use crate::options::runtime::Globals;
use format::{Format, Record};

/// Severity, most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// Writes log lines from any thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logger {
    inner: Arc<Inner>,
}

struct Inner {
    sink: Sink,
    format: Format,
    max_level: Level,
    clock: Arc<dyn Clock>,
    wall: WallClock,
    start: Instant,
}

enum Sink {
    Console(Console, Target),
    File(Mutex<File>),
    Nowhere,
}

impl Logger {
    /// The log the flags ask for. `cwd` is what a relative file name starts from.
    pub(crate) fn new(
        globals: &Globals,
        cwd: &Path,
        console: &Console,
        clock: Arc<dyn Clock>,
        wall: WallClock,
    ) -> Result<Self, CliError> {
        let mut max_level = if globals.verbose { Level::Debug } else { Level::Info };
        let output = globals.log_output.as_deref().unwrap_or("stderr");
        let (sink, is_tty) = match output {
            "stderr" => (Sink::Console(console.clone(), Target::Stderr), console.stderr_tty),
            "stdout" => (Sink::Console(console.clone(), Target::Stdout), console.stdout_tty),
            "none" => (Sink::Nowhere, false),
            _ => match output.strip_prefix("file=") {
                Some(spec) => {
                    let (file, level) = open(spec, cwd)?;
                    max_level = level.unwrap_or(max_level);
                    (Sink::File(Mutex::new(file)), false)
                }
                None if output.split('=').next() == Some("loki") => {
                    return Err(CliError::generic("log output 'loki' is not supported yet"));
                }
                None => return Err(CliError::generic(format!("unsupported log output '{output}'"))),
            },
        };
        let format = match globals.log_format.as_deref() {
            Some("json") => Format::Json,
            Some("raw") => Format::Raw,
            _ if is_tty && !globals.no_color => Format::Terminal,
            _ => Format::Text,
        };
        let start = clock.now();
        Ok(Self { inner: Arc::new(Inner { sink, format, max_level, clock, wall, start }) })
    }

    /// Plain text on standard error: for failures that come before the flags are understood.
    pub(crate) fn fallback(console: &Console, clock: Arc<dyn Clock>, wall: WallClock) -> Self {
        let start = clock.now();
        let format = if console.stderr_tty { Format::Terminal } else { Format::Text };
        let sink = Sink::Console(console.clone(), Target::Stderr);
        Self { inner: Arc::new(Inner { sink, format, max_level: Level::Info, clock, wall, start }) }
    }

    /// The same log with lines that go to `name` instead, appended.
    pub(crate) fn to_file(&self, name: &str, cwd: &Path) -> Result<Self, CliError> {
        let file = OpenOptions::new().append(true).create(true).open(cwd.join(name));
        let file = file.map_err(|error| {
            CliError::generic(format!("could not open '{name}' for the console: {error}"))
        })?;
        let Inner { format, max_level, ref clock, wall, start, .. } = *self.inner;
        let format = if format == Format::Terminal { Format::Text } else { format };
        let sink = Sink::File(Mutex::new(file));
        Ok(Self { inner: Arc::new(Inner { sink, format, max_level, clock: clock.clone(), wall, start }) })
    }

    /// Logs one line; `fields` may come in any order.
    pub(crate) fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let inner = &*self.inner;
        if level > inner.max_level {
            return;
        }
        let now = inner.clock.now();
        let mut fields = fields.to_vec();
        fields.sort_unstable_by_key(|(key, _)| *key);
        let line = format::line(
            inner.format,
            &Record {
                level,
                message,
                fields: &fields,
                time: inner.wall.at(now),
                since_start: now.saturating_duration_since(inner.start),
            },
        );
        match &inner.sink {
            Sink::Console(console, target) => console.print(*target, &line),
            Sink::File(file) => {
                // Nobody is left to tell when the log itself cannot be written.
                let _ = file.lock().write_all(line.as_bytes());
            }
            Sink::Nowhere => {}
        }
    }

    pub(crate) fn error(&self, message: &str) {
        self.log(Level::Error, message, &[]);
    }

    pub(crate) fn warning(&self, message: &str) {
        self.log(Level::Warning, message, &[]);
    }

    pub(crate) fn debug(&self, message: &str) {
        self.log(Level::Debug, message, &[]);
    }

    /// Logs a failure with its fields; the last one ends the command.
    pub(crate) fn failure(&self, error: &CliError) {
        let fields: Vec<_> = error.fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.log(Level::Error, &error.message, &fields);
    }
}

/// Opens `path[,level=LEVEL]` for appending.
fn open(spec: &str, cwd: &Path) -> Result<(File, Option<Level>), CliError> {
    let mut parts = spec.split(',');
    let name = parts.next().unwrap_or_default();
    if name.is_empty() {
        return Err(CliError::generic("log output 'file' needs a path: file=PATH"));
    }
    let mut level = None;
    for part in parts {
        level = Some(match part.split_once('=') {
            Some(("level", "error" | "fatal" | "panic")) => Level::Error,
            Some(("level", "warning" | "warn")) => Level::Warning,
            Some(("level", "info")) => Level::Info,
            Some(("level", "debug" | "trace")) => Level::Debug,
            Some(("level", other)) => return Err(CliError::generic(format!("unknown log level {other:?}"))),
            _ => return Err(CliError::generic(format!("unknown logfile config key {part:?}"))),
        });
    }
    let path = cwd.join(name);
    if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
        let shown = Path::new(name).parent().filter(|p| p.is_absolute()).unwrap_or(directory);
        return Err(CliError::generic(format!("provided directory '{}' does not exist", shown.display())));
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .map(|file| (file, level))
        .map_err(|error| CliError::generic(format!("could not open log file '{name}': {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Stream;
    use crate::console::tests::Memory;
    use crate::env::tests::FrozenClock;

    fn logger(globals: &Globals, cwd: &Path) -> Result<(Logger, Memory, Memory), CliError> {
        let (out, err) = (Memory::default(), Memory::default());
        let console = Console::new(Stream::new(out.clone()), Stream::new(err.clone()));
        let clock = FrozenClock::new();
        let wall = clock.wall();
        Ok((Logger::new(globals, cwd, &console, Arc::new(clock), wall)?, out, err))
    }

    fn to(output: &str) -> Globals {
        Globals {
            log_output: Some(output.to_owned()),
            log_format: Some("raw".to_owned()),
            ..Globals::default()
        }
    }

    #[test]
    fn targets() {
        for (output, on_out, on_err) in [("stderr", "", "x\n"), ("stdout", "x\n", ""), ("none", "", "")] {
            let (logger, out, err) = logger(&to(output), Path::new("/")).unwrap();
            logger.error("x");
            assert_eq!((out.text().as_str(), err.text().as_str()), (on_out, on_err), "{output}");
        }
    }

    #[test]
    fn levels() {
        let (quiet, _, err) = logger(&to("stderr"), Path::new("/")).unwrap();
        quiet.debug("hidden");
        quiet.warning("shown");
        assert_eq!(err.text(), "shown\n");
        let globals = Globals { verbose: true, ..to("stderr") };
        let (verbose, _, err) = logger(&globals, Path::new("/")).unwrap();
        verbose.debug("shown");
        assert_eq!(err.text(), "shown\n");
    }

    #[test]
    fn files_are_appended_to_and_may_have_a_level() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.log"), "before\n").unwrap();
        let (logger, ..) = logger(&to("file=a.log,level=error"), directory.path()).unwrap();
        logger.warning("hidden");
        logger.error("shown");
        assert_eq!(std::fs::read_to_string(directory.path().join("a.log")).unwrap(), "before\nshown\n");
    }

    #[test]
    fn a_file_instead() {
        let directory = tempfile::tempdir().unwrap();
        let (logger, out, err) = logger(&to("stdout"), directory.path()).unwrap();
        logger.to_file("console.txt", directory.path()).unwrap().log(Level::Info, "hi", &[("vu", "1")]);
        assert_eq!((out.text(), err.text()), (String::new(), String::new()));
        let text = std::fs::read_to_string(directory.path().join("console.txt")).unwrap();
        assert_eq!(text, "hi\n");
        let error = logger.to_file("missing/x", directory.path()).err().unwrap();
        assert!(error.message.starts_with("could not open 'missing/x' for the console: "), "{error}");
    }

    #[test]
    fn targets_that_do_not_exist() {
        for (output, message) in [
            ("foo", "unsupported log output 'foo'"),
            ("file=/nodir/x", "provided directory '/nodir' does not exist"),
            ("file=x,foo=1", "unknown logfile config key \"foo=1\""),
            ("file=", "log output 'file' needs a path: file=PATH"),
            ("loki=http://x", "log output 'loki' is not supported yet"),
        ] {
            assert_eq!(logger(&to(output), Path::new("/")).err(), Some(CliError::generic(message)));
        }
    }
}

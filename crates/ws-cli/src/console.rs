//! Standard output and standard error, with the progress bars kept below everything else.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

/// One of the process's output streams.
pub struct Stream {
    /// Where the bytes go.
    pub write: Box<dyn Write + Send>,
    /// Whether a person is looking at it.
    pub is_tty: bool,
}

impl Stream {
    /// A stream that is not a terminal.
    pub fn new(write: impl Write + Send + 'static) -> Self {
        Self { write: Box::new(write), is_tty: false }
    }

    /// A stream that is a terminal.
    pub fn terminal(write: impl Write + Send + 'static) -> Self {
        Self { write: Box::new(write), is_tty: true }
    }
}

/// Both streams behind one lock. On a terminal they share the screen: text from either goes above the bars, which are
/// wiped before it and drawn again after it. Cheap to clone.
///
/// Failures to write are ignored, as a closed pipe behind `ws run | head` is no reason to end a load test.
#[derive(Clone)]
pub(crate) struct Console {
    inner: Arc<Mutex<Inner>>,
    pub(crate) stdout_tty: bool,
    pub(crate) stderr_tty: bool,
}

struct Inner {
    stdout: Stream,
    stderr: Stream,
    /// What is drawn at the bottom of the screen now. Invariant: empty unless stdout is a terminal.
    bars: Vec<String>,
    /// The last text on the screen has no line end.
    mid_line: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout,
    Stderr,
}

impl Console {
    pub(crate) fn new(stdout: Stream, stderr: Stream) -> Self {
        let (stdout_tty, stderr_tty) = (stdout.is_tty, stderr.is_tty);
        let inner = Arc::new(Mutex::new(Inner { stdout, stderr, bars: Vec::new(), mid_line: false }));
        Self { inner, stdout_tty, stderr_tty }
    }

    /// Writes above the bars: whole lines, or bars will end the last one.
    pub(crate) fn print(&self, target: Target, text: &str) {
        let _ = self.write(target, text.as_bytes());
    }

    /// As [`Self::print`], for those who must know about a failure.
    pub(crate) fn write(&self, target: Target, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner.lock();
        // Text that goes to a file does not touch the screen.
        let shares_screen = match target {
            Target::Stdout => self.stdout_tty,
            Target::Stderr => self.stderr_tty,
        };
        if shares_screen {
            inner.wipe();
        }
        let stream = match target {
            Target::Stdout => &mut inner.stdout,
            Target::Stderr => &mut inner.stderr,
        };
        let result = stream.write.write_all(bytes).and_then(|()| stream.write.flush());
        if shares_screen {
            inner.mid_line = bytes.last().map_or(inner.mid_line, |last| *last != b'\n');
            inner.draw();
        }
        result
    }

    /// Standard output for those who only know how to write.
    pub(crate) fn stdout(&self) -> impl Write + Send + 'static {
        Lines(self.clone())
    }

    /// Replaces the bars. Only for a standard output that is a terminal.
    pub(crate) fn set_bars(&self, bars: Vec<String>) {
        let mut inner = self.inner.lock();
        inner.wipe();
        inner.bars = bars;
        inner.draw();
    }

    /// Leaves the bars on the screen as ordinary lines.
    pub(crate) fn release_bars(&self) {
        self.inner.lock().bars.clear();
    }
}

struct Lines(Console);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(Target::Stdout, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inner {
    /// Puts the cursor where the bars begin and clears from there.
    fn wipe(&mut self) {
        if !self.bars.is_empty() {
            let _ = write!(self.stdout.write, "\x1b[{}A\r\x1b[J", self.bars.len());
            let _ = self.stdout.write.flush();
        }
    }

    fn draw(&mut self) {
        if !self.bars.is_empty() {
            let mut text = String::new();
            if std::mem::take(&mut self.mid_line) {
                text.push('\n');
            }
            for bar in &self.bars {
                text.push_str(bar);
                text.push_str("\x1b[K\n");
            }
            let _ = self.stdout.write.write_all(text.as_bytes());
            let _ = self.stdout.write.flush();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stream one can look into.
    #[derive(Clone, Default)]
    pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn text_goes_above_the_bars() {
        let screen = Memory::default();
        let console = Console::new(Stream::terminal(screen.clone()), Stream::terminal(screen.clone()));
        console.set_bars(vec!["a".to_owned(), "b".to_owned()]);
        console.print(Target::Stderr, "log\n");
        console.set_bars(vec!["c".to_owned()]);
        console.release_bars();
        console.print(Target::Stdout, "end\n");
        assert_eq!(
            screen.text(),
            "a\x1b[K\nb\x1b[K\n\
             \x1b[2A\r\x1b[Jlog\na\x1b[K\nb\x1b[K\n\
             \x1b[2A\r\x1b[Jc\x1b[K\n\
             end\n"
        );
    }

    #[test]
    fn bars_begin_a_line() {
        let screen = Memory::default();
        let console = Console::new(Stream::terminal(screen.clone()), Stream::new(Memory::default()));
        console.print(Target::Stdout, "text");
        console.print(Target::Stdout, "");
        console.set_bars(vec!["a".to_owned()]);
        console.print(Target::Stdout, "more");
        assert_eq!(screen.text(), "text\na\x1b[K\n\x1b[1A\r\x1b[Jmore\na\x1b[K\n");
    }

    #[test]
    fn a_redirected_log_leaves_the_screen_alone() {
        let (screen, file) = (Memory::default(), Memory::default());
        let console = Console::new(Stream::terminal(screen.clone()), Stream::new(file.clone()));
        console.set_bars(vec!["a".to_owned()]);
        console.print(Target::Stderr, "log\n");
        assert_eq!((screen.text().as_str(), file.text().as_str()), ("a\x1b[K\n", "log\n"));
    }
}

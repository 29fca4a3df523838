//! A panic, on whichever thread: the process ends in order, and says where it happened.

use std::cell::Cell;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::CliError;
use crate::exit::ExitCode;

/// How long the process may take to report and end after a panic.
const LAST_RESORT: Duration = Duration::from_secs(20);

/// Where the tool itself has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crash {
    thread: String,
    /// File, line and column.
    place: String,
    message: String,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, place, message } = self;
        write!(f, "internal error, please report it: thread '{thread}' panicked at {place}: {message}")
    }
}

impl From<Crash> for CliError {
    fn from(crash: Crash) -> Self {
        Self::new(ExitCode::Crashed, crash.to_string())
    }
}

/// The first panic of the process, and who is to hear of it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Crashes {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    first: Option<Crash>,
    listener: Option<Listener>,
}

type Listener = Box<dyn FnOnce(&Crash) + Send>;

impl Crashes {
    /// Notes the panics of this process from here on, instead of the usual words about them; these come with
    /// `RUST_BACKTRACE`. A process that has not come to its end some seconds later is ended.
    pub(crate) fn catch() -> Self {
        thread_local! {
            static PANICKED: Cell<bool> = const { Cell::new(false) };
        }
        let crashes = Self::default();
        let noted = crashes.clone();
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if PANICKED.replace(true) {
                // On its way out of the first panic the thread met another one, or frames that are not Rust's: what
                // follows is an abort. The report is on its way.
                loop {
                    std::thread::park();
                }
            }
            if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
                usual(info);
            }
            noted.note(Crash::new(info));
        }));
        crashes
    }

    /// Notes a panic, and ends the process if nobody else does.
    fn note(&self, crash: Crash) {
        let listener = {
            let mut inner = self.inner.lock();
            if inner.first.is_some() {
                return;
            }
            inner.first = Some(crash.clone());
            inner.listener.take()
        };
        let text = crash.to_string();
        // Without a thread for it there is nothing more to be done.
        let _ = std::thread::Builder::new().name("last resort".to_owned()).spawn(move || {
            std::thread::sleep(LAST_RESORT);
            eprintln!("{text}");
            std::process::exit(i32::from(ExitCode::Crashed.code()));
        });
        if let Some(listener) = listener {
            listener(&crash);
        }
    }

    /// The first panic, if there was one.
    pub(crate) fn first(&self) -> Option<Crash> {
        self.inner.lock().first.clone()
    }

    /// Who is told of it, on the thread that panics: at once if it has happened already. Takes the place of whoever
    /// was to be told before.
    pub(crate) fn listen(&self, listener: impl FnOnce(&Crash) + Send + 'static) {
        let mut inner = self.inner.lock();
        match inner.first.clone() {
            None => inner.listener = Some(Box::new(listener)),
            Some(crash) => {
                drop(inner);
                listener(&crash);
            }
        }
    }
}

impl Crash {
    fn new(info: &PanicHookInfo<'_>) -> Self {
        Self {
            thread: std::thread::current().name().unwrap_or("without a name").to_owned(),
            place: info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string),
            message: info.payload_as_str().unwrap_or("no message").to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(message: &str) -> Crash {
        Crash { thread: "ws-vu".to_owned(), place: "a.rs:1:2".to_owned(), message: message.to_owned() }
    }

    #[test]
    fn only_the_first_counts_and_late_listeners_hear_of_it() {
        let crashes = Crashes::default();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listen = |name: &'static str| {
            let heard = Arc::clone(&heard);
            crashes.listen(move |crash| heard.lock().push((name, crash.message.clone())));
        };
        listen("replaced");
        listen("before");
        crashes.note(crash("first"));
        crashes.note(crash("second"));
        listen("after");
        assert_eq!(*heard.lock(), [("before", "first".to_owned()), ("after", "first".to_owned())]);
        let error = CliError::from(crashes.first().unwrap());
        assert_eq!(error.code.code(), 109);
        assert_eq!(
            error.message,
            "internal error, please report it: thread 'ws-vu' panicked at a.rs:1:2: first"
        );
    }
}

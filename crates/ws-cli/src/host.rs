//! The script behind a run, as the command sees it. What a script is made of is somebody else's business, so that the
//! command can be tested without a JavaScript engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ws_engine::Phases;
use ws_js::HoldUp;
use ws_loop::Proxies;
use ws_metrics::{BatchSender, Detail, Registry, SystemTags, TagSets, WallClock};

use crate::error::CliError;
use crate::logging::Logger;
use crate::options::validate::Options;
use crate::summary::files::Files;

/// Loads scripts.
pub(crate) trait Host {
    /// Runs the script's init stage once.
    fn load(&self, request: LoadRequest) -> Result<Box<dyn Script>, CliError>;
}

/// What the init stage needs.
pub(crate) struct LoadRequest {
    /// The script as the user named it.
    pub(crate) name: String,
    /// The script's absolute path; of standard input, `-` in the working directory.
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    /// `__ENV`.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) mode: ws_js::CompatibilityMode,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tag_sets: Arc<TagSets>,
    pub(crate) log: Logger,
    /// Where `console` goes instead of the log.
    pub(crate) console: Option<Logger>,
}

/// A script after its first init stage.
pub(crate) trait Script {
    /// The exported `options`.
    fn options(&self) -> Option<Value>;

    /// What is exported besides `options`: names, and whether they can be called.
    fn exports(&self) -> Vec<(String, bool)>;

    /// Makes what runs VUs, `setup` and `teardown`. Its failures are [`CliError`]s.
    fn start(self: Box<Self>, request: RunRequest) -> Result<Box<dyn Running>, CliError>;
}

/// What a run needs.
pub(crate) struct RunRequest {
    pub(crate) options: Options,
    pub(crate) system_tags: SystemTags,
    /// From the variables of the process.
    pub(crate) proxies: Proxies,
    /// Threads that run scripts; `None` for as many as the load needs.
    pub(crate) drivers: Option<usize>,
    pub(crate) samples: BatchSender,
    pub(crate) detail: Detail,
    pub(crate) extended_metrics: bool,
    pub(crate) wall: WallClock,
}

/// A script in a run.
pub(crate) trait Running: Phases {
    /// What `setup()` returned, if it returned something.
    fn setup_data(&self) -> Option<Value>;

    /// Hands over the last samples.
    fn finish(&mut self);

    /// Why connections have failed.
    fn faults(&self) -> Vec<ws_js::Fault>;

    /// Which VUs have kept others waiting by computing; the worst first.
    fn hold_ups(&self) -> Vec<HoldUp>;

    /// Ends `handleSummary()` from another thread.
    fn summary_interrupter(&self) -> Interrupter;

    /// Calls `handleSummary()` with `data`, to which it adds `setup_data`; blocks for `limit` at most. The script's init
    /// code runs for it once more, even if there is no such function. `None`: nothing else than usual is wanted.
    fn handle_summary(&mut self, data: Value, limit: Duration) -> Result<Option<Files>, SummaryFailure>;
}

/// Two ways to end `handleSummary()`, which then has no answer.
pub(crate) struct Interrupter {
    /// Tells it to stop.
    pub(crate) interrupt: Box<dyn Fn() + Send>,
    /// Waits for it no longer.
    pub(crate) abandon: Box<dyn Fn() + Send>,
}

/// Why `handleSummary()` has nothing to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SummaryFailure {
    /// It threw.
    Threw(CliError),
    /// It never came to an answer.
    NoAnswer(String),
    /// Its answer makes no sense.
    BadAnswer(String),
}

//! What a user may configure about a scenario.

mod executor;
mod problem;

pub use executor::{ExecutorConfig, ExecutorError, StageConfig};
pub use problem::Problem;

use crate::duration::GoDuration;

/// One scenario as configured, not yet validated: that is why numbers are signed and wide.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioConfig {
    /// Key in the `scenarios` object.
    pub name: String,
    /// How VUs and iterations are scheduled.
    pub executor: ExecutorConfig,
    /// Exported function to call; `default` unless given.
    pub exec: String,
    /// Offset from the end of `setup`.
    pub start_time: GoDuration,
    /// How long iterations may go on after the regular end; 30 s unless given.
    pub graceful_stop: GoDuration,
    /// Variables on top of the script's environment.
    pub env: Vec<(String, String)>,
    /// Tags on all samples of this scenario's iterations.
    pub tags: Vec<(String, String)>,
}

impl ScenarioConfig {
    /// A scenario with default values for everything but its name and executor.
    pub fn new(name: impl Into<String>, executor: ExecutorConfig) -> Self {
        Self {
            name: name.into(),
            executor,
            exec: "default".to_owned(),
            start_time: GoDuration::ZERO,
            graceful_stop: GoDuration::from_secs(30),
            env: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Latest possible end, from the end of `setup`: regular end and graceful period.
    pub(crate) fn latest_end(&self) -> GoDuration {
        let regular = self.executor.regular_duration().as_nanos();
        let grace = self.graceful_stop.as_nanos();
        GoDuration::from_nanos(self.start_time.as_nanos().saturating_add(regular).saturating_add(grace))
    }
}

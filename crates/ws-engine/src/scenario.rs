//! What a user may configure about a scenario, and what is wrong with it.

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

/// The options of one executor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutorConfig {
    /// VUs share a number of iterations.
    SharedIterations {
        /// Looping VUs.
        vus: i64,
        /// Iterations of all VUs together.
        iterations: i64,
        /// No iteration starts later than this.
        max_duration: GoDuration,
    },
    /// Each VU runs the same number of iterations.
    PerVuIterations {
        /// Looping VUs.
        vus: i64,
        /// Iterations of each VU.
        iterations: i64,
        /// No iteration starts later than this.
        max_duration: GoDuration,
    },
    /// VUs loop for a time.
    ConstantVus {
        /// Looping VUs.
        vus: i64,
        /// For how long; there is no default.
        duration: Option<GoDuration>,
    },
}

/// An `executor` value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// k6 has this executor, this engine does not.
    #[error("executor '{0}' is not supported yet")]
    Unsupported(String),
    /// Nobody has this executor.
    #[error("unknown executor type '{0}'")]
    Unknown(String),
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

    /// What is wrong with this scenario, in a fixed order; empty if nothing is.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut refuse_if = |wrong: bool, text: &str| {
            if wrong {
                problems.push(text.to_owned());
            }
        };
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        refuse_if(
            self.name.is_empty() || !self.name.bytes().all(legal),
            "the scenario name should contain only numbers, latin letters, underscores, and dashes",
        );
        refuse_if(self.exec.is_empty(), "exec value cannot be empty");
        refuse_if(self.start_time.is_negative(), "the startTime can't be negative");
        refuse_if(self.graceful_stop.is_negative(), "the gracefulStop timeout can't be negative");
        problems.extend(self.executor.validate());
        problems
    }
}

const DEFAULT_MAX_DURATION: GoDuration = GoDuration::from_secs(600);
const SHORTEST: GoDuration = GoDuration::from_secs(1);
const NO_VUS: &str = "the number of VUs must be more than 0";

impl ExecutorConfig {
    /// The executor of this type (as in the `executor` option) with its default options.
    ///
    /// # Errors
    ///
    /// [`ExecutorError`] for types that do not exist or are not built yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_engine::ExecutorConfig;
    ///
    /// assert!(ExecutorConfig::from_type("constant-vus").is_ok());
    /// let error = ExecutorConfig::from_type("ramping-vus").unwrap_err();
    /// assert_eq!(error.to_string(), "executor 'ramping-vus' is not supported yet");
    /// ```
    pub fn from_type(name: &str) -> Result<Self, ExecutorError> {
        match name {
            "shared-iterations" => {
                Ok(Self::SharedIterations { vus: 1, iterations: 1, max_duration: DEFAULT_MAX_DURATION })
            }
            "per-vu-iterations" => {
                Ok(Self::PerVuIterations { vus: 1, iterations: 1, max_duration: DEFAULT_MAX_DURATION })
            }
            "constant-vus" => Ok(Self::ConstantVus { vus: 1, duration: None }),
            "ramping-vus" | "constant-arrival-rate" | "ramping-arrival-rate" | "externally-controlled" => {
                Err(ExecutorError::Unsupported(name.to_owned()))
            }
            _ => Err(ExecutorError::Unknown(name.to_owned())),
        }
    }

    /// The type as written in the `executor` option.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
            Self::ConstantVus { .. } => "constant-vus",
        }
    }

    /// VUs this executor needs at most; nonsense counts as none.
    pub fn max_vus(&self) -> usize {
        let (Self::SharedIterations { vus, .. }
        | Self::PerVuIterations { vus, .. }
        | Self::ConstantVus { vus, .. }) = self;
        usize::try_from(*vus).unwrap_or(0)
    }

    /// Time after which no iteration starts.
    pub fn regular_duration(&self) -> GoDuration {
        match self {
            Self::SharedIterations { max_duration, .. } | Self::PerVuIterations { max_duration, .. } => {
                *max_duration
            }
            Self::ConstantVus { duration, .. } => duration.unwrap_or_default(),
        }
    }

    fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match *self {
            Self::SharedIterations { vus, iterations, max_duration } => {
                if vus <= 0 {
                    problems.push(NO_VUS.to_owned());
                } else if iterations < vus {
                    problems.push(format!(
                        "the number of iterations ({iterations}) can't be less than the number of VUs ({vus})"
                    ));
                }
                problems.extend(too_short("maxDuration", max_duration));
            }
            Self::PerVuIterations { vus, iterations, max_duration } => {
                if vus <= 0 {
                    problems.push(NO_VUS.to_owned());
                }
                if iterations <= 0 {
                    problems.push("the number of iterations must be more than 0".to_owned());
                }
                problems.extend(too_short("maxDuration", max_duration));
            }
            Self::ConstantVus { vus, duration } => {
                if vus <= 0 {
                    problems.push(NO_VUS.to_owned());
                }
                match duration {
                    None => problems.push("the duration is unspecified".to_owned()),
                    Some(duration) => problems.extend(too_short("duration", duration)),
                }
            }
        }
        problems
    }
}

fn too_short(key: &str, given: GoDuration) -> Option<String> {
    (given < SHORTEST).then(|| format!("the {key} must be at least {SHORTEST}, but is {given}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: i64) -> GoDuration {
        GoDuration::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn defaults() {
        let scenario = ScenarioConfig::new("a", ExecutorConfig::from_type("shared-iterations").unwrap());
        assert_eq!(scenario.exec, "default");
        assert_eq!(scenario.graceful_stop.to_string(), "30s");
        assert_eq!(scenario.executor.regular_duration().to_string(), "10m0s");
        assert_eq!(scenario.validate(), Vec::<String>::new());
    }

    #[test]
    fn unusable_executors_are_named() {
        for name in ["ramping-vus", "constant-arrival-rate", "ramping-arrival-rate", "externally-controlled"]
        {
            let error = ExecutorConfig::from_type(name).unwrap_err();
            assert_eq!(error.to_string(), format!("executor '{name}' is not supported yet"));
        }
        assert_eq!(
            ExecutorConfig::from_type("nope").unwrap_err().to_string(),
            "unknown executor type 'nope'"
        );
    }

    #[test]
    fn executor_problems() {
        use ExecutorConfig::{ConstantVus, PerVuIterations, SharedIterations};
        let no_vus = "the number of VUs must be more than 0";
        let no_iterations = "the number of iterations must be more than 0";
        let table: &[(ExecutorConfig, &[&str])] = &[
            (
                SharedIterations { vus: 5, iterations: 2, max_duration: ms(1000) },
                &["the number of iterations (2) can't be less than the number of VUs (5)"],
            ),
            (
                SharedIterations { vus: 0, iterations: 0, max_duration: ms(-1000) },
                &[no_vus, "the maxDuration must be at least 1s, but is -1s"],
            ),
            (SharedIterations { vus: -2, iterations: -2, max_duration: ms(1000) }, &[no_vus]),
            (
                PerVuIterations { vus: 0, iterations: 0, max_duration: ms(500) },
                &[no_vus, no_iterations, "the maxDuration must be at least 1s, but is 500ms"],
            ),
            (PerVuIterations { vus: 2, iterations: 1, max_duration: ms(1000) }, &[]),
            (ConstantVus { vus: 1, duration: None }, &["the duration is unspecified"]),
            (
                ConstantVus { vus: -1, duration: Some(ms(0)) },
                &[no_vus, "the duration must be at least 1s, but is 0s"],
            ),
            (ConstantVus { vus: 1, duration: Some(ms(1000)) }, &[]),
        ];
        for (executor, problems) in table {
            assert_eq!(ScenarioConfig::new("a", executor.clone()).validate(), *problems, "{executor:?}");
        }
    }

    #[test]
    fn common_problems_come_first() {
        let mut scenario =
            ScenarioConfig::new("bad name", ExecutorConfig::ConstantVus { vus: 0, duration: None });
        scenario.exec.clear();
        scenario.start_time = ms(-3000);
        scenario.graceful_stop = ms(-1);
        assert_eq!(
            scenario.validate(),
            [
                "the scenario name should contain only numbers, latin letters, underscores, and dashes",
                "exec value cannot be empty",
                "the startTime can't be negative",
                "the gracefulStop timeout can't be negative",
                "the number of VUs must be more than 0",
                "the duration is unspecified",
            ]
        );
        let empty = ScenarioConfig::new("", ExecutorConfig::ConstantVus { vus: 1, duration: Some(ms(1000)) });
        assert_eq!(empty.validate().len(), 1);
    }
}

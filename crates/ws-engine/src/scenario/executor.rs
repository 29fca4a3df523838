//! The kinds of executor and their options.

use crate::duration::GoDuration;

/// The options of one executor.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The number of looping VUs follows a line.
    RampingVus {
        /// Looping VUs at the start.
        start_vus: i64,
        /// Where the line goes from there; targets are numbers of VUs.
        stages: Vec<StageConfig>,
        /// How long a VU that is to stop may go on with its iteration.
        graceful_ramp_down: GoDuration,
    },
    /// Iterations start at a fixed rate, whether or not earlier ones have ended.
    ConstantArrivalRate {
        /// Iterations to start in each `time_unit`; there is no default.
        rate: Option<i64>,
        /// What `rate` refers to.
        time_unit: GoDuration,
        /// For how long; there is no default.
        duration: Option<GoDuration>,
        /// VUs made before the run; there is no default.
        pre_allocated_vus: Option<i64>,
        /// VUs together with those made when none is free; as many as `pre_allocated_vus` unless given.
        max_vus: Option<i64>,
    },
    /// Iterations start at a rate that follows a line.
    RampingArrivalRate {
        /// Iterations to start in each `time_unit`, at first.
        start_rate: i64,
        /// What rates refer to.
        time_unit: GoDuration,
        /// Where the line goes from there; targets are rates.
        stages: Vec<StageConfig>,
        /// VUs made before the run; there is no default.
        pre_allocated_vus: Option<i64>,
        /// VUs together with those made when none is free; as many as `pre_allocated_vus` unless given.
        max_vus: Option<i64>,
    },
}

/// One leg of a line that VUs or rates follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageConfig {
    /// How long it takes to get there; required.
    pub duration: Option<GoDuration>,
    /// Where the line is at the end; required.
    pub target: Option<i64>,
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

impl ExecutorConfig {
    pub(crate) const DEFAULT_MAX_DURATION: GoDuration = GoDuration::from_secs(600);

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
    /// assert!(ExecutorConfig::from_type("ramping-vus").is_ok());
    /// let error = ExecutorConfig::from_type("nope").unwrap_err();
    /// assert_eq!(error.to_string(), "unknown executor type 'nope'");
    /// ```
    pub fn from_type(name: &str) -> Result<Self, ExecutorError> {
        match name {
            "shared-iterations" => {
                Ok(Self::SharedIterations { vus: 1, iterations: 1, max_duration: Self::DEFAULT_MAX_DURATION })
            }
            "per-vu-iterations" => Ok(Self::once()),
            "constant-vus" => Ok(Self::ConstantVus { vus: 1, duration: None }),
            "ramping-vus" => Ok(Self::ramping_vus(1, Vec::new())),
            "constant-arrival-rate" => Ok(Self::ConstantArrivalRate {
                rate: None,
                time_unit: GoDuration::from_secs(1),
                duration: None,
                pre_allocated_vus: None,
                max_vus: None,
            }),
            "ramping-arrival-rate" => Ok(Self::RampingArrivalRate {
                start_rate: 0,
                time_unit: GoDuration::from_secs(1),
                stages: Vec::new(),
                pre_allocated_vus: None,
                max_vus: None,
            }),
            "externally-controlled" => Err(ExecutorError::Unsupported(name.to_owned())),
            _ => Err(ExecutorError::Unknown(name.to_owned())),
        }
    }

    /// One iteration of one VU.
    pub(crate) const fn once() -> Self {
        Self::PerVuIterations { vus: 1, iterations: 1, max_duration: Self::DEFAULT_MAX_DURATION }
    }

    /// `ramping-vus` with the usual time to ramp down.
    pub(crate) fn ramping_vus(start_vus: i64, stages: Vec<StageConfig>) -> Self {
        Self::RampingVus { start_vus, stages, graceful_ramp_down: GoDuration::from_secs(30) }
    }

    /// The type as written in the `executor` option.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::SharedIterations { .. } => "shared-iterations",
            Self::PerVuIterations { .. } => "per-vu-iterations",
            Self::ConstantVus { .. } => "constant-vus",
            Self::RampingVus { .. } => "ramping-vus",
            Self::ConstantArrivalRate { .. } => "constant-arrival-rate",
            Self::RampingArrivalRate { .. } => "ramping-arrival-rate",
        }
    }

    /// VUs this executor has at most; nonsense counts as none.
    pub fn max_vus(&self) -> usize {
        let most = match self {
            Self::SharedIterations { vus, .. }
            | Self::PerVuIterations { vus, .. }
            | Self::ConstantVus { vus, .. } => *vus,
            Self::RampingVus { start_vus, stages, .. } => {
                let targets = stages.iter().filter_map(|stage| stage.target);
                targets.chain([*start_vus]).max().unwrap_or(0)
            }
            Self::ConstantArrivalRate { pre_allocated_vus, max_vus, .. }
            | Self::RampingArrivalRate { pre_allocated_vus, max_vus, .. } => {
                max_vus.or(*pre_allocated_vus).unwrap_or(0)
            }
        };
        usize::try_from(most).unwrap_or(0)
    }

    /// VUs to make before the run; the others up to [`max_vus`](Self::max_vus) are made when they are needed.
    pub fn first_vus(&self) -> usize {
        match self {
            Self::ConstantArrivalRate { pre_allocated_vus, .. }
            | Self::RampingArrivalRate { pre_allocated_vus, .. } => {
                usize::try_from(pre_allocated_vus.unwrap_or(0)).unwrap_or(0)
            }
            _ => self.max_vus(),
        }
    }

    /// Time after which no iteration starts.
    pub fn regular_duration(&self) -> GoDuration {
        match self {
            Self::SharedIterations { max_duration, .. } | Self::PerVuIterations { max_duration, .. } => {
                *max_duration
            }
            Self::ConstantVus { duration, .. } | Self::ConstantArrivalRate { duration, .. } => {
                duration.unwrap_or_default()
            }
            Self::RampingArrivalRate { stages, .. } => sum(stages),
            // What comes after the line has reached nothing for good is nothing.
            Self::RampingVus { start_vus, stages, .. } => {
                let from = std::iter::once(*start_vus).chain(stages.iter().filter_map(|stage| stage.target));
                let legs: Vec<_> = from.zip(stages).collect();
                let idle = legs.iter().rev().take_while(|(from, to)| *from == 0 && to.target == Some(0));
                let idle = idle.count();
                sum(&stages[..stages.len() - idle])
            }
        }
    }
}

/// How long all of these take.
pub(crate) fn sum(stages: &[StageConfig]) -> GoDuration {
    let nanos = stages.iter().filter_map(|stage| stage.duration).map(GoDuration::as_nanos);
    GoDuration::from_nanos(nanos.fold(0, i64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(legs: &[(i64, i64)]) -> Vec<StageConfig> {
        let stage = |&(seconds, target): &(i64, i64)| StageConfig {
            duration: Some(GoDuration::from_secs(seconds)),
            target: Some(target),
        };
        legs.iter().map(stage).collect()
    }

    #[test]
    fn defaults() {
        let regular = |name| ExecutorConfig::from_type(name).unwrap().regular_duration().to_string();
        assert_eq!(regular("shared-iterations"), "10m0s");
        assert_eq!(regular("per-vu-iterations"), "10m0s");
        assert_eq!(regular("constant-vus"), "0s");
        assert_eq!(ExecutorConfig::from_type("ramping-vus").unwrap().max_vus(), 1);
    }

    #[test]
    fn unusable_executors_are_named() {
        let error = ExecutorConfig::from_type("externally-controlled").unwrap_err();
        assert_eq!(error.to_string(), "executor 'externally-controlled' is not supported yet");
    }

    #[test]
    fn a_line_that_stays_at_zero_has_ended() {
        for (start, legs, regular) in [
            (0, &[(1, 2), (1, 0)][..], "2s"),
            (0, &[(1, 2), (1, 0), (3, 0), (2, 0)], "2s"),
            (0, &[(1, 0), (1, 2), (1, 2)], "3s"),
            (1, &[(4, 0), (5, 0), (1, 1)], "10s"),
        ] {
            let executor = ExecutorConfig::ramping_vus(start, stages(legs));
            assert_eq!(executor.regular_duration().to_string(), regular, "{legs:?}");
        }
    }

    #[test]
    fn the_line_never_needs_more_vus_than_its_highest_point() {
        assert_eq!(ExecutorConfig::ramping_vus(7, stages(&[(1, 3), (1, 5)])).max_vus(), 7);
        assert_eq!(ExecutorConfig::ramping_vus(1, stages(&[(1, 3), (1, 0)])).max_vus(), 3);
    }
}

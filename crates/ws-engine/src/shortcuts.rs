//! The short way to say what to run: `vus`, `iterations`, `duration` at the top level of the options.

use crate::duration::GoDuration;
use crate::scenario::{ExecutorConfig, ExecutorError, ScenarioConfig};

/// The execution options as they are after merging all layers; `None` means not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shortcuts {
    /// `vus`.
    pub vus: Option<i64>,
    /// `iterations`.
    pub iterations: Option<i64>,
    /// `duration`.
    pub duration: Option<GoDuration>,
    /// Number of entries in `stages`; an explicitly empty list is `Some(0)`.
    pub stages: Option<usize>,
    /// `scenarios`; an explicitly empty object is `Some(vec![])`.
    pub scenarios: Option<Vec<ScenarioConfig>>,
}

/// The scenarios to run and what the user should be warned of.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// Never empty.
    pub scenarios: Vec<ScenarioConfig>,
    /// Warnings, in order.
    pub warnings: Vec<String>,
}

/// Execution options that do not go together, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShortcutError {
    /// Two options that exclude each other.
    #[error("using `{0}` and `{1}` options simultaneously is not allowed")]
    Conflict(&'static str, &'static str),
    /// `duration` without `iterations` must be positive.
    #[error(
        "`duration` option should be more than 0, for infinite duration use the externally-controlled executor"
    )]
    NoDuration,
    /// `stages` needs an executor that is not built yet.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
}

impl Shortcuts {
    /// Turns shortcuts into a scenario named `default`, or passes the given scenarios on.
    ///
    /// # Errors
    ///
    /// [`ShortcutError`] for combinations that are not allowed.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_engine::Shortcuts;
    ///
    /// let derived = Shortcuts { vus: Some(2), iterations: Some(4), ..Shortcuts::default() }.derive()?;
    /// assert_eq!(derived.scenarios[0].name, "default");
    /// assert_eq!(derived.scenarios[0].executor.type_name(), "shared-iterations");
    /// # Ok::<(), ws_engine::ShortcutError>(())
    /// ```
    pub fn derive(self) -> Result<Derived, ShortcutError> {
        self.refuse_conflicts()?;
        let Self { vus, iterations, duration, stages, scenarios } = self;
        let mut warnings = Vec::new();
        if let Some(iterations) = iterations {
            return Ok(alone(shared(vus.unwrap_or(1), iterations, duration)?, warnings));
        }
        if let Some(duration) = duration {
            if duration <= GoDuration::ZERO {
                return Err(ShortcutError::NoDuration);
            }
            let executor = ExecutorConfig::ConstantVus { vus: vus.unwrap_or(1), duration: Some(duration) };
            return Ok(alone(executor, warnings));
        }
        match stages {
            Some(0) => {
                warnings.push(explicitly_empty("stages"));
                return Ok(alone(ExecutorConfig::from_type("per-vu-iterations")?, warnings));
            }
            Some(_) => return Err(ExecutorError::Unsupported("ramping-vus".to_owned()).into()),
            None => {}
        }
        if let Some(vus) = vus {
            if scenarios.is_some() {
                warnings.push(format!("`vus={vus}` overrides scenarios configuration"));
            }
            return Ok(alone(shared(vus, vus, None)?, warnings));
        }
        match scenarios {
            Some(scenarios) if !scenarios.is_empty() => Ok(Derived { scenarios, warnings }),
            given => {
                if given.is_some() {
                    warnings.push(explicitly_empty("scenarios"));
                }
                Ok(alone(ExecutorConfig::from_type("per-vu-iterations")?, warnings))
            }
        }
    }

    fn refuse_conflicts(&self) -> Result<(), ShortcutError> {
        let stages = self.stages.is_some_and(|n| n > 0);
        let scenarios = self.scenarios.as_ref().is_some_and(|s| !s.is_empty());
        let given = [
            ("iterations", self.iterations.is_some()),
            ("duration", self.duration.is_some()),
            ("stages", stages),
        ];
        for (option, present) in given {
            if present && stages && option != "stages" {
                return Err(ShortcutError::Conflict(option, "stages"));
            }
            if present && scenarios {
                return Err(ShortcutError::Conflict(option, "scenarios"));
            }
        }
        Ok(())
    }
}

fn alone(executor: ExecutorConfig, warnings: Vec<String>) -> Derived {
    Derived { scenarios: vec![ScenarioConfig::new("default", executor)], warnings }
}

fn shared(vus: i64, iterations: i64, limit: Option<GoDuration>) -> Result<ExecutorConfig, ExecutorError> {
    let defaults = ExecutorConfig::from_type("shared-iterations")?;
    let max_duration = limit.unwrap_or_else(|| defaults.regular_duration());
    Ok(ExecutorConfig::SharedIterations { vus, iterations, max_duration })
}

fn explicitly_empty(option: &str) -> String {
    format!("`{option}` was explicitly set to an empty value, running the script with 1 iteration in 1 VU")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn scenario() -> Option<Vec<ScenarioConfig>> {
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: Some(GoDuration::from_secs(1)) };
        Some(vec![ScenarioConfig::new("a", looping)])
    }

    /// The description line of the only scenario, then the warnings.
    fn derived(shortcuts: Shortcuts) -> Vec<String> {
        let Derived { scenarios, warnings } = shortcuts.derive().unwrap();
        let plan = Plan::new(scenarios, |_| true).unwrap();
        plan.describe().into_iter().skip(1).chain(warnings).collect()
    }

    #[test]
    fn one_scenario_from_each_shortcut() {
        let none = Shortcuts::default;
        assert_eq!(
            derived(none()),
            ["* default: 1 iterations for each of 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)"]
        );
        assert_eq!(
            derived(Shortcuts { iterations: Some(3), ..none() }),
            ["* default: 3 iterations shared among 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)"]
        );
        let timed = Some(GoDuration::from_nanos(1_500_000_000));
        assert_eq!(
            derived(Shortcuts { vus: Some(2), iterations: Some(4), duration: timed, ..none() }),
            ["* default: 4 iterations shared among 2 VUs (maxDuration: 1.5s, gracefulStop: 30s)"]
        );
        assert_eq!(
            derived(Shortcuts { vus: Some(2), duration: timed, ..none() }),
            ["* default: 2 looping VUs for 1.5s (gracefulStop: 30s)"]
        );
        assert_eq!(
            derived(Shortcuts { vus: Some(3), ..none() }),
            ["* default: 3 iterations shared among 3 VUs (maxDuration: 10m0s, gracefulStop: 30s)"]
        );
    }

    #[test]
    fn scenarios_and_what_overrides_them() {
        let none = Shortcuts::default;
        assert_eq!(
            derived(Shortcuts { scenarios: scenario(), ..none() }),
            ["* a: 1 looping VUs for 1s (gracefulStop: 30s)"]
        );
        assert_eq!(
            derived(Shortcuts { vus: Some(3), scenarios: scenario(), ..none() }),
            [
                "* default: 3 iterations shared among 3 VUs (maxDuration: 10m0s, gracefulStop: 30s)",
                "`vus=3` overrides scenarios configuration",
            ]
        );
        for (option, shortcuts) in [
            ("scenarios", Shortcuts { scenarios: Some(Vec::new()), ..none() }),
            ("stages", Shortcuts { vus: Some(3), stages: Some(0), ..none() }),
        ] {
            assert_eq!(
                derived(shortcuts),
                [
                    "* default: 1 iterations for each of 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)"
                        .to_owned(),
                    format!(
                        "`{option}` was explicitly set to an empty value, \
                         running the script with 1 iteration in 1 VU"
                    ),
                ]
            );
        }
    }

    #[test]
    fn refusals() {
        let none = Shortcuts::default;
        let second = Some(GoDuration::from_secs(1));
        let no_duration = "`duration` option should be more than 0, for infinite duration use the externally-controlled executor";
        let table = [
            (
                Shortcuts { iterations: Some(2), duration: second, stages: Some(1), ..none() },
                "using `iterations` and `stages` options simultaneously is not allowed",
            ),
            (
                Shortcuts { duration: second, stages: Some(1), ..none() },
                "using `duration` and `stages` options simultaneously is not allowed",
            ),
            (
                Shortcuts { iterations: Some(3), duration: second, scenarios: scenario(), ..none() },
                "using `iterations` and `scenarios` options simultaneously is not allowed",
            ),
            (
                Shortcuts { duration: second, scenarios: scenario(), ..none() },
                "using `duration` and `scenarios` options simultaneously is not allowed",
            ),
            (
                Shortcuts { stages: Some(1), scenarios: scenario(), ..none() },
                "using `stages` and `scenarios` options simultaneously is not allowed",
            ),
            (Shortcuts { duration: Some(GoDuration::ZERO), ..none() }, no_duration),
            (Shortcuts { duration: Some(GoDuration::from_secs(-5)), ..none() }, no_duration),
            (Shortcuts { stages: Some(2), ..none() }, "executor 'ramping-vus' is not supported yet"),
        ];
        for (shortcuts, text) in table {
            assert_eq!(shortcuts.derive().unwrap_err().to_string(), text);
        }
    }
}

//! The short way to say what to run: `vus`, `iterations`, `duration`, `stages` at the top level of the options.

use crate::duration::GoDuration;
use crate::scenario::{ExecutorConfig, ScenarioConfig, StageConfig};

/// The execution options as they are after merging all layers; `None` means not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shortcuts {
    /// `vus`.
    pub vus: Option<i64>,
    /// `iterations`.
    pub iterations: Option<i64>,
    /// `duration`.
    pub duration: Option<GoDuration>,
    /// `stages`; an explicitly empty list is `Some(vec![])`. A stage without duration does not count.
    pub stages: Option<Vec<StageConfig>>,
    /// `scenarios`; an explicitly empty object is `Some(vec![])`.
    pub scenarios: Option<Vec<ScenarioConfig>>,
}

/// The scenarios to run and what the user should be warned of.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// Never empty.
    pub scenarios: Vec<ScenarioConfig>,
    /// Warnings, in order.
    pub warnings: Vec<Warning>,
}

/// Something about the options that the user may not have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// `vus` stands alone, and `scenarios` counts for nothing.
    VusOverridesScenarios(i64),
    /// This option is there and empty, so one VU runs one iteration.
    ExplicitlyEmpty(&'static str),
}

/// Execution options that do not go together, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortcutError {
    /// Two options that exclude each other.
    #[error("`{0}` and `{1}` exclude each other")]
    Conflict(&'static str, &'static str),
    /// `duration` without `iterations` must be positive.
    #[error("`duration` is not positive")]
    NoDuration,
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
        if let Some(iterations) = iterations {
            return Ok(alone(shared(vus.unwrap_or(1), iterations, duration), None));
        }
        if let Some(duration) = duration {
            if duration <= GoDuration::ZERO {
                return Err(ShortcutError::NoDuration);
            }
            let executor = ExecutorConfig::ConstantVus { vus: vus.unwrap_or(1), duration: Some(duration) };
            return Ok(alone(executor, None));
        }
        if let Some(mut stages) = stages {
            stages.retain(|stage| stage.duration.is_some());
            return Ok(if stages.is_empty() {
                alone(ExecutorConfig::once(), Some(Warning::ExplicitlyEmpty("stages")))
            } else {
                alone(ExecutorConfig::ramping_vus(vus.unwrap_or(1), stages), None)
            });
        }
        if let Some(vus) = vus {
            let overrides = scenarios.is_some().then_some(Warning::VusOverridesScenarios(vus));
            return Ok(alone(shared(vus, vus, None), overrides));
        }
        match scenarios {
            Some(scenarios) if !scenarios.is_empty() => Ok(Derived { scenarios, warnings: Vec::new() }),
            given => {
                let empty = given.map(|_| Warning::ExplicitlyEmpty("scenarios"));
                Ok(alone(ExecutorConfig::once(), empty))
            }
        }
    }

    fn refuse_conflicts(&self) -> Result<(), ShortcutError> {
        let stages = self.stages.as_ref().is_some_and(|s| !s.is_empty());
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

fn alone(executor: ExecutorConfig, warning: Option<Warning>) -> Derived {
    let scenarios = vec![ScenarioConfig::new("default", executor)];
    Derived { scenarios, warnings: warning.into_iter().collect() }
}

fn shared(vus: i64, iterations: i64, limit: Option<GoDuration>) -> ExecutorConfig {
    let max_duration = limit.unwrap_or(ExecutorConfig::DEFAULT_MAX_DURATION);
    ExecutorConfig::SharedIterations { vus, iterations, max_duration }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Option<Vec<ScenarioConfig>> {
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: Some(GoDuration::from_secs(1)) };
        Some(vec![ScenarioConfig::new("a", looping)])
    }

    fn stage(seconds: Option<i64>, target: i64) -> StageConfig {
        StageConfig { duration: seconds.map(GoDuration::from_secs), target: Some(target) }
    }

    /// The only scenario's executor, and the warnings.
    fn derived(shortcuts: Shortcuts) -> (ExecutorConfig, Vec<Warning>) {
        let Derived { mut scenarios, warnings } = shortcuts.derive().unwrap();
        assert_eq!(scenarios.len(), 1);
        (scenarios.remove(0).executor, warnings)
    }

    #[test]
    fn one_scenario_from_each_shortcut() {
        let none = Shortcuts::default;
        let timed = Some(GoDuration::from_nanos(1_500_000_000));
        let stages = vec![stage(Some(1), 5)];
        for (shortcuts, executor) in [
            (none(), ExecutorConfig::once()),
            (Shortcuts { iterations: Some(3), ..none() }, shared(1, 3, None)),
            (Shortcuts { vus: Some(2), iterations: Some(4), duration: timed, ..none() }, shared(2, 4, timed)),
            (
                Shortcuts { vus: Some(2), duration: timed, ..none() },
                ExecutorConfig::ConstantVus { vus: 2, duration: timed },
            ),
            (Shortcuts { vus: Some(3), ..none() }, shared(3, 3, None)),
            (
                Shortcuts { stages: Some(stages.clone()), ..none() },
                ExecutorConfig::ramping_vus(1, stages.clone()),
            ),
            (
                Shortcuts { vus: Some(4), stages: Some(vec![stage(None, 9), stages[0]]), ..none() },
                ExecutorConfig::ramping_vus(4, stages),
            ),
        ] {
            assert_eq!(derived(shortcuts.clone()), (executor, vec![]), "{shortcuts:?}");
        }
    }

    #[test]
    fn scenarios_and_what_overrides_them() {
        let none = Shortcuts::default;
        let given = Shortcuts { scenarios: scenario(), ..none() }.derive().unwrap();
        assert_eq!(given, Derived { scenarios: scenario().unwrap(), warnings: vec![] });
        assert_eq!(
            derived(Shortcuts { vus: Some(3), scenarios: scenario(), ..none() }),
            (shared(3, 3, None), vec![Warning::VusOverridesScenarios(3)])
        );
        for (option, shortcuts) in [
            ("scenarios", Shortcuts { scenarios: Some(Vec::new()), ..none() }),
            ("stages", Shortcuts { vus: Some(3), stages: Some(Vec::new()), ..none() }),
            ("stages", Shortcuts { stages: Some(vec![stage(None, 2)]), ..none() }),
        ] {
            let warnings = vec![Warning::ExplicitlyEmpty(option)];
            assert_eq!(derived(shortcuts), (ExecutorConfig::once(), warnings));
        }
    }

    #[test]
    fn refusals() {
        use ShortcutError::{Conflict, NoDuration};
        let none = Shortcuts::default;
        let second = Some(GoDuration::from_secs(1));
        let stages = || Some(vec![stage(Some(1), 1)]);
        for (shortcuts, error) in [
            (
                Shortcuts { iterations: Some(2), duration: second, stages: stages(), ..none() },
                Conflict("iterations", "stages"),
            ),
            (Shortcuts { duration: second, stages: stages(), ..none() }, Conflict("duration", "stages")),
            (
                Shortcuts { iterations: Some(3), duration: second, scenarios: scenario(), ..none() },
                Conflict("iterations", "scenarios"),
            ),
            (
                Shortcuts { duration: second, scenarios: scenario(), ..none() },
                Conflict("duration", "scenarios"),
            ),
            (
                Shortcuts { stages: stages(), scenarios: scenario(), ..none() },
                Conflict("stages", "scenarios"),
            ),
            (Shortcuts { duration: Some(GoDuration::ZERO), ..none() }, NoDuration),
            (Shortcuts { duration: Some(GoDuration::from_secs(-5)), ..none() }, NoDuration),
        ] {
            assert_eq!(shortcuts.derive(), Err(error));
        }
    }
}

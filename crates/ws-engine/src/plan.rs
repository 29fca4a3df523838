//! A validated set of scenarios, what it needs, and how it is described to the user.

use crate::duration::GoDuration;
use crate::scenario::{ExecutorConfig, ScenarioConfig};

/// Scenarios that can run, ordered by start time, then name.
///
/// # Examples
///
/// ```
/// use ws_engine::{ExecutorConfig, Plan, ScenarioConfig, duration::GoDuration};
///
/// let looping = ExecutorConfig::ConstantVus { vus: 2, duration: Some(GoDuration::from_secs(600)) };
/// let plan = Plan::new(vec![ScenarioConfig::new("default", looping)], |name| name == "default").unwrap();
/// assert_eq!(
///     plan.describe(),
///     [
///         "(100.00%) 1 scenario, 2 max VUs, 10m30s max duration (incl. graceful stop):",
///         "* default: 2 looping VUs for 10m0s (gracefulStop: 30s)",
///     ]
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    scenarios: Vec<ScenarioConfig>,
}

impl Plan {
    /// Validates the scenarios; `exported` says whether the script exports a function of that name.
    ///
    /// # Errors
    ///
    /// All problems found, one text for each scenario that has any.
    pub fn new(
        mut scenarios: Vec<ScenarioConfig>,
        exported: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<String>> {
        scenarios.sort_by(|a, b| (a.start_time, &a.name).cmp(&(b.start_time, &b.name)));
        let mut problems = Vec::new();
        for scenario in &scenarios {
            let wrong = scenario.validate();
            if !wrong.is_empty() {
                problems.push(format!(
                    "scenario {} has configuration errors: {}",
                    scenario.name,
                    wrong.join(", ")
                ));
            }
        }
        for ScenarioConfig { name, exec, .. } in &scenarios {
            if !exec.is_empty() && !exported(exec) {
                problems.push(format!("executor {name}: function '{exec}' not found in exports"));
            }
        }
        if problems.is_empty() { Ok(Self { scenarios }) } else { Err(problems) }
    }

    /// The scenarios, by start time, then name.
    pub fn scenarios(&self) -> &[ScenarioConfig] {
        &self.scenarios
    }

    /// VUs to initialise: the largest number reserved at any one time. A scenario reserves its VUs from its start to
    /// its latest possible end, graceful period included; scenarios that cannot overlap share VUs.
    pub fn max_vus(&self) -> usize {
        let mut changes: Vec<(i64, bool, usize)> = Vec::with_capacity(2 * self.scenarios.len());
        for scenario in &self.scenarios {
            let vus = scenario.executor.max_vus();
            changes.push((scenario.start_time.as_nanos(), true, vus));
            changes.push((latest_end(scenario), false, vus));
        }
        // `false` sorts first: what ends at an instant is free for what starts then.
        changes.sort_unstable();
        let (mut reserved, mut most) = (0usize, 0usize);
        for (_, starts, vus) in changes {
            reserved = if starts { reserved.saturating_add(vus) } else { reserved.saturating_sub(vus) };
            most = most.max(reserved);
        }
        most
    }

    /// The latest possible end of all scenarios, from the first possible start, graceful periods included.
    pub fn max_duration(&self) -> GoDuration {
        GoDuration::from_nanos(self.scenarios.iter().map(latest_end).max().unwrap_or(0))
    }

    /// The plan in words: a headline, then one line for each scenario.
    pub fn describe(&self) -> Vec<String> {
        let count = self.scenarios.len();
        let headline = format!(
            "(100.00%) {count} scenario{}, {} max VUs, {} max duration (incl. graceful stop):",
            if count == 1 { "" } else { "s" },
            self.max_vus(),
            self.max_duration(),
        );
        let each = self.scenarios.iter().map(|s| format!("* {}: {}", s.name, describe(s)));
        std::iter::once(headline).chain(each).collect()
    }
}

fn latest_end(scenario: &ScenarioConfig) -> i64 {
    let regular = scenario.executor.regular_duration().as_nanos();
    scenario.start_time.as_nanos().saturating_add(regular).saturating_add(scenario.graceful_stop.as_nanos())
}

/// What the scenario does, with the facts that are not at their usual zero.
fn describe(scenario: &ScenarioConfig) -> String {
    let mut facts = Vec::new();
    let what = match &scenario.executor {
        ExecutorConfig::SharedIterations { vus, iterations, max_duration } => {
            facts.push(format!("maxDuration: {max_duration}"));
            format!("{iterations} iterations shared among {vus} VUs")
        }
        ExecutorConfig::PerVuIterations { vus, iterations, max_duration } => {
            facts.push(format!("maxDuration: {max_duration}"));
            format!("{iterations} iterations for each of {vus} VUs")
        }
        ExecutorConfig::ConstantVus { vus, duration } => {
            format!("{vus} looping VUs for {}", duration.unwrap_or_default())
        }
    };
    if scenario.exec != "default" {
        facts.push(format!("exec: {}", scenario.exec));
    }
    if !scenario.start_time.is_zero() {
        facts.push(format!("startTime: {}", scenario.start_time));
    }
    if !scenario.graceful_stop.is_zero() {
        facts.push(format!("gracefulStop: {}", scenario.graceful_stop));
    }
    if facts.is_empty() { what } else { format!("{what} ({})", facts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> GoDuration {
        GoDuration::parse(text).unwrap()
    }

    fn constant(name: &str, vus: i64, start: &str, duration: &str, graceful: &str) -> ScenarioConfig {
        let mut s =
            ScenarioConfig::new(name, ExecutorConfig::ConstantVus { vus, duration: Some(at(duration)) });
        s.start_time = at(start);
        s.graceful_stop = at(graceful);
        s
    }

    #[test]
    fn describes_every_executor() {
        let mut shared = ScenarioConfig::new(
            "sh",
            ExecutorConfig::SharedIterations { vus: 3, iterations: 10, max_duration: at("2s") },
        );
        shared.exec = "foo".to_owned();
        shared.graceful_stop = at("1s");
        let mut per_vu = ScenarioConfig::new(
            "p",
            ExecutorConfig::PerVuIterations { vus: 2, iterations: 5, max_duration: at("1s") },
        );
        per_vu.start_time = at("1.5s");
        per_vu.graceful_stop = at("500ms");
        let plan = Plan::new(vec![per_vu, shared, constant("c", 2, "0s", "3s", "0s")], |_| true).unwrap();
        assert_eq!(
            plan.describe(),
            [
                "(100.00%) 3 scenarios, 7 max VUs, 3s max duration (incl. graceful stop):",
                "* c: 2 looping VUs for 3s",
                "* sh: 10 iterations shared among 3 VUs (maxDuration: 2s, exec: foo, gracefulStop: 1s)",
                "* p: 5 iterations for each of 2 VUs (maxDuration: 1s, startTime: 1.5s, gracefulStop: 500ms)",
            ]
        );
    }

    #[test]
    fn problems_are_joined_per_scenario() {
        let mut nofn = constant("nofn", 1, "0s", "1s", "0s");
        nofn.exec = "nofn".to_owned();
        let mut empty = constant("c", 0, "0s", "100ms", "0s");
        empty.exec = String::new();
        let problems = Plan::new(vec![nofn, empty], |name| name == "default").unwrap_err();
        assert_eq!(
            problems,
            [
                "scenario c has configuration errors: exec value cannot be empty, the number of VUs must be more \
                 than 0, the duration must be at least 1s, but is 100ms",
                "executor nofn: function 'nofn' not found in exports",
            ]
        );
    }

    #[test]
    fn vus_are_shared_by_scenarios_that_cannot_overlap() {
        let need = |scenarios: Vec<ScenarioConfig>| Plan::new(scenarios, |_| true).unwrap().max_vus();
        let a = constant("a", 2, "0s", "10s", "5s");
        assert_eq!(need(vec![a.clone(), constant("b", 2, "15s", "1s", "0s")]), 2);
        assert_eq!(need(vec![a.clone(), constant("b", 2, "14.999s", "1s", "0s")]), 4);
        assert_eq!(
            need(vec![a, constant("b", 3, "15s", "5s", "0s"), constant("c", 1, "16s", "1s", "0s")]),
            4,
            "b and c overlap, a and b do not"
        );
    }

    #[test]
    fn longest_end_counts_everything() {
        let plan = Plan::new(
            vec![constant("a", 1, "1s", "10s", "30s"), constant("b", 1, "20s", "5s", "0s")],
            |_| true,
        );
        assert_eq!(plan.unwrap().max_duration().to_string(), "41s");
    }
}

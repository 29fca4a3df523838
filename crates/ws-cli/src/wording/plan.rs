//! What is going to run, in words.

use ws_engine::duration::GoDuration;
use ws_engine::{ExecutorConfig, Plan, ScenarioConfig, StageConfig};

/// A headline, then one line for each scenario.
pub(crate) fn describe(plan: &Plan) -> Vec<String> {
    let count = plan.scenarios().len();
    let headline = format!(
        "(100.00%) {count} scenario{}, {} max VUs, {} max duration (incl. graceful stop):",
        if count == 1 { "" } else { "s" },
        plan.max_vus(),
        plan.max_duration(),
    );
    let each = plan.scenarios().iter().map(|s| format!("* {}: {}", s.name, scenario(s)));
    std::iter::once(headline).chain(each).collect()
}

/// What the scenario does, with the facts that are not at their usual zero.
fn scenario(scenario: &ScenarioConfig) -> String {
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
        ExecutorConfig::RampingVus { stages, graceful_ramp_down, .. } => {
            facts.push(format!("gracefulRampDown: {graceful_ramp_down}"));
            let (vus, time, count) = (scenario.executor.max_vus(), all_of(stages), stages.len());
            format!("Up to {vus} looping VUs for {time} over {count} stages")
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

/// How long all stages take, those at the end in which nothing runs included.
fn all_of(stages: &[StageConfig]) -> GoDuration {
    let nanos = stages.iter().filter_map(|stage| stage.duration).map(GoDuration::as_nanos);
    GoDuration::from_nanos(nanos.fold(0, i64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> GoDuration {
        GoDuration::parse(text).unwrap()
    }

    fn lines(scenarios: Vec<ScenarioConfig>) -> Vec<String> {
        describe(&Plan::new(scenarios, |_| true).unwrap())
    }

    #[test]
    fn executors_with_looping_vus() {
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
        let looping = ExecutorConfig::ConstantVus { vus: 2, duration: Some(at("3s")) };
        let mut constant = ScenarioConfig::new("c", looping);
        constant.graceful_stop = at("0s");
        assert_eq!(
            lines(vec![per_vu, shared, constant]),
            [
                "(100.00%) 3 scenarios, 7 max VUs, 3s max duration (incl. graceful stop):",
                "* c: 2 looping VUs for 3s",
                "* sh: 10 iterations shared among 3 VUs (maxDuration: 2s, exec: foo, gracefulStop: 1s)",
                "* p: 5 iterations for each of 2 VUs (maxDuration: 1s, startTime: 1.5s, gracefulStop: 500ms)",
            ]
        );
    }

    #[test]
    fn ramping_vus_that_end_at_zero() {
        let stage = |time, target| StageConfig { duration: Some(at(time)), target: Some(target) };
        let ramping = ExecutorConfig::RampingVus {
            start_vus: 1,
            stages: vec![stage("1s", 2), stage("1s", 0), stage("3s", 0)],
            graceful_ramp_down: at("0s"),
        };
        assert_eq!(
            lines(vec![ScenarioConfig::new("tr", ramping)]),
            [
                "(100.00%) 1 scenario, 2 max VUs, 32s max duration (incl. graceful stop):",
                "* tr: Up to 2 looping VUs for 5s over 3 stages (gracefulRampDown: 0s, gracefulStop: 30s)",
            ]
        );
    }
}

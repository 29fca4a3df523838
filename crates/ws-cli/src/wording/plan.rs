//! What is going to run, in words.

use ws_engine::duration::GoDuration;
use ws_engine::{ExecutorConfig, Plan, PlannedVus, ScenarioConfig, StageConfig};

/// A headline, then one line for each scenario: what this instance runs of it.
pub(crate) fn describe(plan: &Plan) -> Vec<String> {
    let count = plan.scenarios().len();
    let headline = format!(
        "({:.2}%) {count} scenario{}, {} max VUs, {} max duration (incl. graceful stop):",
        plan.share().segment().length() * 100.0,
        if count == 1 { "" } else { "s" },
        plan.max_possible_vus(),
        plan.max_duration(),
    );
    let each = plan.scenarios().iter().map(|s| format!("* {}: {}", s.name, scenario(plan, s)));
    std::iter::once(headline).chain(each).collect()
}

/// What the scenario does, with the facts that are not at their usual zero.
fn scenario(plan: &Plan, scenario: &ScenarioConfig) -> String {
    let mut facts = Vec::new();
    let PlannedVus { first, most } = plan.vus_of(scenario);
    let arriving = |grows| if grows { format!("maxVUs: {first}-{most}") } else { format!("maxVUs: {most}") };
    let what = match &scenario.executor {
        ExecutorConfig::SharedIterations { max_duration, .. } => {
            facts.push(format!("maxDuration: {max_duration}"));
            format!("{} iterations shared among {most} VUs", plan.iterations_of(scenario))
        }
        ExecutorConfig::PerVuIterations { iterations, max_duration, .. } => {
            facts.push(format!("maxDuration: {max_duration}"));
            format!("{iterations} iterations for each of {most} VUs")
        }
        ExecutorConfig::ConstantVus { duration, .. } => {
            format!("{most} looping VUs for {}", duration.unwrap_or_default())
        }
        ExecutorConfig::RampingVus { stages, graceful_ramp_down, .. } => {
            facts.push(format!("gracefulRampDown: {graceful_ramp_down}"));
            format!("Up to {most} looping VUs for {} over {} stages", all_of(stages), stages.len())
        }
        ExecutorConfig::ConstantArrivalRate { rate, time_unit, duration, .. } => {
            facts.push(arriving(first < most));
            let (own, total) = plan.rate_share(scenario);
            let part = own as f64 / total.max(1) as f64;
            let rate = per_second(rate.unwrap_or(0), *time_unit) * part;
            format!("{rate:.2} iterations/s for {}", duration.unwrap_or_default())
        }
        ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, .. } => {
            // As k6: here whether there may be more is a question of the whole test.
            facts.push(arriving(scenario.executor.first_vus() < scenario.executor.max_vus()));
            let targets = stages.iter().filter_map(|stage| stage.target);
            let highest = targets.chain([*start_rate]).max().unwrap_or(0);
            let rate = per_second(highest, *time_unit) * plan.share().segment().length();
            format!("Up to {rate:.2} iterations/s for {} over {} stages", all_of(stages), stages.len())
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

/// A scenario has this many VUs and could do with more.
pub(crate) fn insufficient(active: usize) -> String {
    format!("Insufficient VUs, reached {active} active VUs and cannot initialize more")
}

fn per_second(rate: i64, unit: GoDuration) -> f64 {
    rate as f64 * 1e9 / unit.as_nanos() as f64
}

/// How long all stages take, those at the end in which nothing runs included.
fn all_of(stages: &[StageConfig]) -> GoDuration {
    let nanos = stages.iter().filter_map(|stage| stage.duration).map(GoDuration::as_nanos);
    GoDuration::from_nanos(nanos.fold(0, i64::saturating_add))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use ws_engine::{Segment, SegmentSequence, Share};

    use super::*;
    use crate::options::scenario::parse;

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
    fn arrival_rates() {
        let constant = ExecutorConfig::ConstantArrivalRate {
            rate: Some(7),
            time_unit: at("3s"),
            duration: Some(at("3s")),
            pre_allocated_vus: Some(2),
            max_vus: None,
        };
        let ramping = ExecutorConfig::RampingArrivalRate {
            start_rate: 2,
            time_unit: at("1m"),
            stages: vec![StageConfig { duration: Some(at("1s")), target: Some(600) }],
            pre_allocated_vus: Some(2),
            max_vus: Some(4),
        };
        assert_eq!(
            lines(vec![ScenarioConfig::new("c", constant), ScenarioConfig::new("r", ramping)]),
            [
                "(100.00%) 2 scenarios, 6 max VUs, 33s max duration (incl. graceful stop):",
                "* c: 2.33 iterations/s for 3s (maxVUs: 2, gracefulStop: 30s)",
                "* r: Up to 10.00 iterations/s for 1s over 1 stages (maxVUs: 2-4, gracefulStop: 30s)",
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
                "(100.00%) 1 scenario, 2 max VUs, 2s max duration (incl. graceful stop):",
                "* tr: Up to 2 looping VUs for 5s over 3 stages (gracefulRampDown: 0s, gracefulStop: 30s)",
            ]
        );
    }

    /// What k6 says of random scenarios and segments; `tests/segments/make.py` has asked it.
    #[test]
    fn every_share_of_every_plan_is_that_of_k6() {
        let cases = include_str!("../../../../tests/segments/cases.json");
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() >= 200);
        for case in cases {
            let scenarios = case["scenarios"].as_object().unwrap();
            let scenarios = scenarios.iter().map(|(name, value)| parse(name, value).unwrap()).collect();
            let segment = Segment::parse(case["segment"].as_str().unwrap_or_default()).unwrap();
            let sequence = case["sequence"].as_str().map(|text| SegmentSequence::parse(text).unwrap());
            let share = Share::new(segment, sequence).unwrap();
            let plan = Plan::new(scenarios, |_| true).unwrap().shared(share);
            let expected: Vec<_> =
                case["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            assert_eq!(describe(&plan), expected, "{case:#}");
        }
    }
}

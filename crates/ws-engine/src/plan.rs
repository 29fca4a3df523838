//! A validated set of scenarios, and what it needs.

use std::time::Duration;

use crate::duration::GoDuration;
use crate::executor;
use crate::scenario::{ExecutorConfig, Problem, ScenarioConfig};
use crate::segment::Share;

/// Scenarios that can run, ordered by start time, then name.
///
/// # Examples
///
/// ```
/// use ws_engine::{ExecutorConfig, Plan, ScenarioConfig, duration::GoDuration};
///
/// let looping = ExecutorConfig::ConstantVus { vus: 2, duration: Some(GoDuration::from_secs(600)) };
/// let plan = Plan::new(vec![ScenarioConfig::new("default", looping)], |name| name == "default").unwrap();
/// assert_eq!(plan.max_vus(), 2);
/// assert_eq!(plan.max_duration().to_string(), "10m30s");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    scenarios: Vec<ScenarioConfig>,
    share: Share,
}

/// How many VUs of a scenario this instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedVus {
    /// Made before the run.
    pub first: usize,
    /// Together with those made when they are needed.
    pub most: usize,
}

/// All that is wrong with one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioProblem {
    /// Its name.
    pub scenario: String,
    /// What is wrong, at least one thing.
    pub problems: Vec<Problem>,
}

impl Plan {
    /// Validates the scenarios; `exported` says whether the script exports a function of that name.
    ///
    /// # Errors
    ///
    /// All problems found: first what each scenario's options say, then what the script does not export.
    pub fn new(
        mut scenarios: Vec<ScenarioConfig>,
        exported: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<ScenarioProblem>> {
        scenarios.sort_by(|a, b| (a.start_time, &a.name).cmp(&(b.start_time, &b.name)));
        let mut wrong = Vec::new();
        for scenario in &scenarios {
            let problems = scenario.validate();
            if !problems.is_empty() {
                wrong.push(ScenarioProblem { scenario: scenario.name.clone(), problems });
            }
        }
        for ScenarioConfig { name, exec, .. } in &scenarios {
            if !exec.is_empty() && !exported(exec) {
                let problems = vec![Problem::NotExported(exec.clone())];
                wrong.push(ScenarioProblem { scenario: name.clone(), problems });
            }
        }
        if wrong.is_empty() { Ok(Self { scenarios, share: Share::whole() }) } else { Err(wrong) }
    }

    /// The scenarios, by start time, then name.
    pub fn scenarios(&self) -> &[ScenarioConfig] {
        &self.scenarios
    }

    /// The part of the plan that this instance runs. Other instances run the others, and together they do what one would
    /// do alone.
    pub fn shared(self, share: Share) -> Self {
        Self { share, ..self }
    }

    /// This instance's place among those that share the test.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// VUs of this instance for a scenario.
    pub fn vus_of(&self, scenario: &ScenarioConfig) -> PlannedVus {
        let executor::Vus { first, most } = executor::vus(scenario, &self.share);
        PlannedVus { first, most }
    }

    /// Iterations of this instance for a scenario whose VUs share a number of them; else 0.
    pub fn iterations_of(&self, scenario: &ScenarioConfig) -> u64 {
        executor::dealt(scenario, &self.share).1
    }

    /// The part of an arrival rate that is this instance's: a numerator and a denominator.
    pub fn rate_share(&self, scenario: &ScenarioConfig) -> (u64, u64) {
        let (_, own, total) = self.share.weighted(scenario.executor.max_vus() as u64);
        (own, total)
    }

    /// VUs to initialise: the largest number reserved at any one time. A scenario reserves its VUs to its latest possible
    /// end, graceful periods included; scenarios that cannot overlap share VUs.
    pub fn max_vus(&self) -> usize {
        self.reserved(|vus| vus.first)
    }

    /// Like [`max_vus`](Self::max_vus), together with the VUs that are made when they are needed.
    pub fn max_possible_vus(&self) -> usize {
        self.reserved(|vus| vus.most)
    }

    /// How many VUs the scenario with the most of them may have: at most [`max_possible_vus`](Self::max_possible_vus), and
    /// found without going through all that happens in a run, which takes time and memory for each VU.
    pub fn vus_of_largest_scenario(&self) -> usize {
        self.scenarios.iter().map(|scenario| executor::vus(scenario, &self.share).most).max().unwrap_or(0)
    }

    fn reserved(&self, count: impl Fn(executor::Vus) -> usize) -> usize {
        let mut scenarios: Vec<_> = self
            .scenarios
            .iter()
            .map(|scenario| {
                let start = scenario.start_time.to_std();
                let vus = count(executor::vus(scenario, &self.share));
                let needs = executor::needs(executor::reservation(scenario, &self.share, vus));
                needs.map(move |(at, vus)| (start + at, vus)).peekable()
            })
            .collect();
        let mut reserved = vec![0; scenarios.len()];
        let mut most = 0;
        // Whatever changes at an instant changes at once: what ends then is free for what starts then.
        while let Some(now) = scenarios.iter_mut().filter_map(|needs| Some(needs.peek()?.0)).min() {
            let mut sum = 0;
            for (needs, reserved) in scenarios.iter_mut().zip(&mut reserved) {
                let mut peak = 0;
                while let Some((_, vus)) = needs.next_if(|(at, _)| *at == now) {
                    // A line may reach one more VU at the instant at which it ends.
                    if vus > *reserved {
                        peak = vus;
                    }
                    *reserved = vus;
                }
                sum += peak.max(*reserved);
            }
            most = most.max(sum);
        }
        most
    }

    /// When no VU is needed for the scenario any more.
    fn latest_end(&self, scenario: &ScenarioConfig) -> GoDuration {
        if !matches!(scenario.executor, ExecutorConfig::RampingVus { .. }) {
            return scenario.latest_end();
        }
        let (mut before, mut end) = (0, Duration::ZERO);
        for (at, vus) in executor::needs(executor::reservation(scenario, &self.share, 0)) {
            if vus != before {
                (before, end) = (vus, at);
            }
        }
        GoDuration::from(scenario.start_time.to_std() + end)
    }

    /// The latest possible end of all scenarios, from the first possible start, graceful periods included.
    pub fn max_duration(&self) -> GoDuration {
        // Of a scenario in which this instance has no part the start counts, as in k6.
        let end = |scenario: &ScenarioConfig| match self.vus_of(scenario).most {
            0 => scenario.start_time,
            _ => self.latest_end(scenario),
        };
        self.scenarios.iter().map(end).max().unwrap_or_default()
    }
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
    fn problems_are_listed_by_scenario() {
        let mut nofn = constant("nofn", 1, "0s", "1s", "0s");
        nofn.exec = "nofn".to_owned();
        let mut empty = constant("c", 0, "0s", "100ms", "0s");
        empty.exec = String::new();
        let wrong = Plan::new(vec![nofn, empty], |name| name == "default").unwrap_err();
        let problems: Vec<_> = wrong.iter().map(|w| (w.scenario.as_str(), w.problems.as_slice())).collect();
        let short = Problem::TooShort { option: "duration", given: at("100ms") };
        assert_eq!(
            problems,
            [
                ("c", &[Problem::NoExec, Problem::NoVus, short][..]),
                ("nofn", &[Problem::NotExported("nofn".to_owned())]),
            ]
        );
    }

    #[test]
    fn vus_that_ramp_down_are_shared_while_others_still_loop() {
        let stages = [(2, 4), (10, 0)].map(|(seconds, target)| crate::StageConfig {
            duration: Some(GoDuration::from_secs(seconds)),
            target: Some(target),
        });
        let mut ramp = ScenarioConfig::new("ramp", ExecutorConfig::ramping_vus(0, stages.to_vec()));
        if let ExecutorConfig::RampingVus { graceful_ramp_down, .. } = &mut ramp.executor {
            *graceful_ramp_down = at("1s");
        }
        // The line is down to 3, 2, 1 VUs at 4.5, 7, 9.5 s; those that stop are free a second later.
        let with = |start| Plan::new(vec![ramp.clone(), constant("b", 2, start, "1s", "0s")], |_| true);
        assert_eq!(with("5.4s").unwrap().max_vus(), 6);
        assert_eq!(with("5.5s").unwrap().max_vus(), 5);
        assert_eq!(with("8s").unwrap().max_vus(), 4);
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

//! What is wrong with a scenario.

use super::{ExecutorConfig, ScenarioConfig, StageConfig};
use crate::duration::GoDuration;

/// Something that a scenario's options must not say, or fail to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A scenario's name may consist of `0-9a-zA-Z_-`, at least one of them.
    Name,
    /// `exec` is the empty string.
    NoExec,
    /// `exec` names nothing that the script exports as a function.
    NotExported(String),
    /// This option is negative.
    Negative(&'static str),
    /// There must be at least one VU.
    NoVus,
    /// There must be at least one iteration.
    NoIterations,
    /// Each VU is to have at least one iteration.
    FewerIterationsThanVus {
        /// As configured.
        iterations: i64,
        /// As configured.
        vus: i64,
    },
    /// This option has no default.
    Missing(&'static str),
    /// This option is less than a second.
    TooShort {
        /// Its name.
        option: &'static str,
        /// As configured.
        given: GoDuration,
    },
    /// There are no `stages`.
    NoStages,
    /// A stage, counted from 1, without this key.
    StageWithout(usize, &'static str),
    /// A stage, counted from 1, whose value of this key is negative.
    StageNegative(usize, &'static str),
    /// A stage, counted from 1, with a target beyond [`MAX_TARGET`](Problem::MAX_TARGET).
    TargetTooHigh(usize),
    /// The line that VUs follow stays at zero.
    NeverAnyVu,
    /// This option must be more than zero.
    NotPositive(&'static str),
    /// `maxVUs` is less than `preAllocatedVUs`.
    MaxBelowPreAllocated,
}

const SHORTEST: GoDuration = GoDuration::from_secs(1);

impl Problem {
    /// The most VUs that a stage of `ramping-vus` may ask for.
    pub const MAX_TARGET: i64 = 100_000_000;

    fn too_short(option: &'static str, given: GoDuration) -> Option<Self> {
        (given < SHORTEST).then_some(Self::TooShort { option, given })
    }
}

impl ScenarioConfig {
    /// What is wrong with this scenario, in a fixed order; empty if nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let mut problems = Vec::new();
        if self.name.is_empty() || !self.name.bytes().all(legal) {
            problems.push(Problem::Name);
        }
        if self.exec.is_empty() {
            problems.push(Problem::NoExec);
        }
        for (option, value) in [("startTime", self.start_time), ("gracefulStop", self.graceful_stop)] {
            if value.is_negative() {
                problems.push(Problem::Negative(option));
            }
        }
        self.executor.validate(&mut problems);
        problems
    }
}

impl ExecutorConfig {
    fn validate(&self, problems: &mut Vec<Problem>) {
        match self {
            &Self::SharedIterations { vus, iterations, max_duration } => {
                if vus <= 0 {
                    problems.push(Problem::NoVus);
                } else if iterations < vus {
                    problems.push(Problem::FewerIterationsThanVus { iterations, vus });
                }
                problems.extend(Problem::too_short("maxDuration", max_duration));
            }
            &Self::PerVuIterations { vus, iterations, max_duration } => {
                if vus <= 0 {
                    problems.push(Problem::NoVus);
                }
                if iterations <= 0 {
                    problems.push(Problem::NoIterations);
                }
                problems.extend(Problem::too_short("maxDuration", max_duration));
            }
            &Self::ConstantVus { vus, duration } => {
                if vus <= 0 {
                    problems.push(Problem::NoVus);
                }
                problems.extend(required_duration(duration));
            }
            Self::RampingVus { start_vus, stages, .. } => {
                if *start_vus < 0 {
                    problems.push(Problem::Negative("startVUs"));
                }
                if *start_vus <= 0 && stages.iter().all(|stage| stage.target.unwrap_or(0) <= 0) {
                    // Without any stage that is what is wrong.
                    problems.extend((!stages.is_empty()).then_some(Problem::NeverAnyVu));
                }
                validate_stages(stages, Some(Problem::MAX_TARGET), problems);
            }
            &Self::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                match rate {
                    None => problems.push(Problem::Missing("rate")),
                    Some(rate) if rate <= 0 => problems.push(Problem::NotPositive("rate")),
                    Some(_) => {}
                }
                if time_unit <= GoDuration::ZERO {
                    problems.push(Problem::NotPositive("timeUnit"));
                }
                problems.extend(required_duration(duration));
                validate_vus(pre_allocated_vus, max_vus, problems);
            }
            Self::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                if *start_rate < 0 {
                    problems.push(Problem::Negative("startRate"));
                }
                if *time_unit <= GoDuration::ZERO {
                    problems.push(Problem::NotPositive("timeUnit"));
                }
                validate_stages(stages, None, problems);
                validate_vus(*pre_allocated_vus, *max_vus, problems);
            }
        }
    }
}

fn required_duration(duration: Option<GoDuration>) -> Option<Problem> {
    match duration {
        None => Some(Problem::Missing("duration")),
        Some(duration) => Problem::too_short("duration", duration),
    }
}

fn validate_vus(pre_allocated: Option<i64>, max: Option<i64>, problems: &mut Vec<Problem>) {
    match pre_allocated {
        None => problems.push(Problem::Missing("preAllocatedVUs")),
        Some(vus) if vus < 0 => problems.push(Problem::Negative("preAllocatedVUs")),
        Some(_) => {}
    }
    if max.is_some_and(|max| max < pre_allocated.unwrap_or(0)) {
        problems.push(Problem::MaxBelowPreAllocated);
    }
}

fn validate_stages(stages: &[StageConfig], most: Option<i64>, problems: &mut Vec<Problem>) {
    if stages.is_empty() {
        problems.push(Problem::NoStages);
    }
    for (number, stage) in (1..).zip(stages) {
        match stage.duration {
            None => problems.push(Problem::StageWithout(number, "duration")),
            Some(duration) if duration.is_negative() => {
                problems.push(Problem::StageNegative(number, "duration"));
            }
            Some(_) => {}
        }
        match stage.target {
            None => problems.push(Problem::StageWithout(number, "target")),
            Some(target) if target < 0 => problems.push(Problem::StageNegative(number, "target")),
            Some(target) if most.is_some_and(|most| target > most) => {
                problems.push(Problem::TargetTooHigh(number));
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: i64) -> GoDuration {
        GoDuration::from_nanos(millis * 1_000_000)
    }

    fn problems(executor: ExecutorConfig) -> Vec<Problem> {
        ScenarioConfig::new("a", executor).validate()
    }

    #[test]
    fn looping_executors() {
        use ExecutorConfig::{ConstantVus, PerVuIterations, SharedIterations};
        let short = |option, given| Problem::TooShort { option, given: ms(given) };
        let table: &[(ExecutorConfig, &[Problem])] = &[
            (
                SharedIterations { vus: 5, iterations: 2, max_duration: ms(1000) },
                &[Problem::FewerIterationsThanVus { iterations: 2, vus: 5 }],
            ),
            (
                SharedIterations { vus: 0, iterations: 0, max_duration: ms(-1000) },
                &[Problem::NoVus, short("maxDuration", -1000)],
            ),
            (SharedIterations { vus: -2, iterations: -2, max_duration: ms(1000) }, &[Problem::NoVus]),
            (
                PerVuIterations { vus: 0, iterations: 0, max_duration: ms(500) },
                &[Problem::NoVus, Problem::NoIterations, short("maxDuration", 500)],
            ),
            (PerVuIterations { vus: 2, iterations: 1, max_duration: ms(1000) }, &[]),
            (ConstantVus { vus: 1, duration: None }, &[Problem::Missing("duration")]),
            (ConstantVus { vus: -1, duration: Some(ms(0)) }, &[Problem::NoVus, short("duration", 0)]),
            (ConstantVus { vus: 1, duration: Some(ms(1000)) }, &[]),
        ];
        for (executor, expected) in table {
            assert_eq!(problems(executor.clone()), *expected, "{executor:?}");
        }
    }

    fn stage(duration: Option<i64>, target: Option<i64>) -> StageConfig {
        StageConfig { duration: duration.map(ms), target }
    }

    #[test]
    fn ramping_vus() {
        let ramping = |start, stages: &[StageConfig]| ExecutorConfig::ramping_vus(start, stages.to_vec());
        assert_eq!(problems(ramping(1, &[])), [Problem::NoStages]);
        assert_eq!(problems(ramping(0, &[])), [Problem::NoStages]);
        let nothing = [Problem::StageWithout(1, "duration"), Problem::StageWithout(1, "target")];
        assert_eq!(problems(ramping(1, &[stage(None, None)])), nothing);
        assert_eq!(problems(ramping(0, &[stage(Some(1), Some(0))])), [Problem::NeverAnyVu]);
        let high = [stage(Some(1), Some(100_000_000)), stage(Some(1), Some(100_000_001))];
        assert_eq!(problems(ramping(0, &high)), [Problem::TargetTooHigh(2)]);
        let all_wrong =
            ramping(-1, &[stage(Some(1), Some(1)), stage(Some(-1), Some(-1)), stage(None, Some(3))]);
        assert_eq!(
            problems(all_wrong),
            [
                Problem::Negative("startVUs"),
                Problem::StageNegative(2, "duration"),
                Problem::StageNegative(2, "target"),
                Problem::StageWithout(3, "duration"),
            ]
        );
    }

    #[test]
    fn arrival_rates() {
        let constant = |rate, unit, duration: Option<i64>, pre, max| {
            problems(ExecutorConfig::ConstantArrivalRate {
                rate,
                time_unit: ms(unit),
                duration: duration.map(ms),
                pre_allocated_vus: pre,
                max_vus: max,
            })
        };
        let missing = ["rate", "duration", "preAllocatedVUs"].map(Problem::Missing);
        assert_eq!(constant(None, 1000, None, None, None), missing);
        let short = Problem::TooShort { option: "duration", given: ms(500) };
        assert_eq!(
            constant(Some(-1), -1, Some(500), Some(3), Some(2)),
            [
                Problem::NotPositive("rate"),
                Problem::NotPositive("timeUnit"),
                short,
                Problem::MaxBelowPreAllocated
            ]
        );
        assert_eq!(constant(Some(1), 1, Some(1000), Some(0), None), []);
        let ramping = ExecutorConfig::RampingArrivalRate {
            start_rate: -1,
            time_unit: ms(0),
            stages: vec![stage(Some(1), Some(-1)), stage(Some(1), Some(200_000_000))],
            pre_allocated_vus: Some(-1),
            max_vus: Some(-2),
        };
        assert_eq!(
            problems(ramping),
            [
                Problem::Negative("startRate"),
                Problem::NotPositive("timeUnit"),
                Problem::StageNegative(1, "target"),
                Problem::Negative("preAllocatedVUs"),
                Problem::MaxBelowPreAllocated,
            ]
        );
        let empty = ExecutorConfig::from_type("ramping-arrival-rate").unwrap();
        assert_eq!(problems(empty), [Problem::NoStages, Problem::Missing("preAllocatedVUs")]);
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
                Problem::Name,
                Problem::NoExec,
                Problem::Negative("startTime"),
                Problem::Negative("gracefulStop"),
                Problem::NoVus,
                Problem::Missing("duration"),
            ]
        );
        let empty = ScenarioConfig::new("", ExecutorConfig::ConstantVus { vus: 1, duration: Some(ms(1000)) });
        assert_eq!(empty.validate(), [Problem::Name]);
    }
}

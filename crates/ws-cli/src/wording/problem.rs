//! What is wrong with the options that say what runs, and what may be meant otherwise.

use ws_engine::{Problem, ScenarioProblem, SegmentError, ShortcutError, Warning};

/// All that is wrong with a scenario.
pub(crate) fn problem(wrong: &ScenarioProblem) -> String {
    let ScenarioProblem { scenario, problems } = wrong;
    if let [Problem::NotExported(function)] = problems.as_slice() {
        return format!("executor {scenario}: function '{function}' not found in exports");
    }
    let texts: Vec<_> = problems.iter().map(text).collect();
    format!("scenario {scenario} has configuration errors: {}", texts.join(", "))
}

fn text(problem: &Problem) -> String {
    match problem {
        Problem::Name => {
            "the scenario name should contain only numbers, latin letters, underscores, and dashes".to_owned()
        }
        Problem::NoExec => "exec value cannot be empty".to_owned(),
        Problem::NotExported(function) => format!("function '{function}' not found in exports"),
        Problem::Negative("gracefulStop") => "the gracefulStop timeout can't be negative".to_owned(),
        Problem::Negative("startVUs") => "the number of start VUs can't be negative".to_owned(),
        Problem::NoVus => "the number of VUs must be more than 0".to_owned(),
        Problem::NoIterations => "the number of iterations must be more than 0".to_owned(),
        Problem::FewerIterationsThanVus { iterations, vus } => {
            format!("the number of iterations ({iterations}) can't be less than the number of VUs ({vus})")
        }
        Problem::Negative("startRate") => "the startRate value can't be negative".to_owned(),
        Problem::Negative("preAllocatedVUs") => "the number of preAllocatedVUs can't be negative".to_owned(),
        Problem::Negative(option) => format!("the {option} can't be negative"),
        Problem::Missing("rate") => "the iteration rate isn't specified".to_owned(),
        Problem::Missing("preAllocatedVUs") => "the number of preAllocatedVUs isn't specified".to_owned(),
        Problem::NotPositive("rate") => "the iteration rate must be more than 0".to_owned(),
        Problem::NotPositive(option) => format!("the {option} must be more than 0"),
        Problem::MaxBelowPreAllocated => "maxVUs can't be less than preAllocatedVUs".to_owned(),
        Problem::Missing(option) => format!("the {option} is unspecified"),
        Problem::TooShort { option, given } => format!("the {option} must be at least 1s, but is {given}"),
        Problem::NoStages => "at least one stage has to be specified".to_owned(),
        Problem::StageWithout(stage, key) => format!("stage {stage} doesn't have a {key}"),
        Problem::StageNegative(stage, key) => format!("the {key} for stage {stage} can't be negative"),
        Problem::TargetTooHigh(stage) => {
            format!("target for stage {stage} exceeds max limit of {}", Problem::MAX_TARGET)
        }
        Problem::NeverAnyVu => {
            "either startVUs or one of the stages' target values must be greater than 0".to_owned()
        }
    }
}

/// Why the shortcuts do not go together.
pub(crate) fn shortcut(error: &ShortcutError) -> String {
    match error {
        ShortcutError::Conflict(one, other) => {
            format!("using `{one}` and `{other}` options simultaneously is not allowed")
        }
        ShortcutError::NoDuration => {
            "`duration` option should be more than 0, for infinite duration use the \
                                      externally-controlled executor"
                .to_owned()
        }
    }
}

/// Why there is no such part of a test.
pub(crate) fn segment(error: &SegmentError) -> String {
    match error {
        SegmentError::Value(text) => {
            format!("'{text}' is not a valid percentage, decimal, fraction or interval value")
        }
        SegmentError::Start(start) => format!("segment start value must be at least 0 but was {start}"),
        SegmentError::End(end) => format!("segment end value can't be more than 1 but was {end}"),
        SegmentError::Order(start, end) => format!("segment start({start}) must be less than its end({end})"),
        SegmentError::TooFewPoints(points) => {
            format!("at least 2 points are needed for an execution segment sequence, {points} given")
        }
        SegmentError::NotInSequence(segment, sequence) => {
            format!("provided segment {segment} can't be found in sequence {sequence}")
        }
        SegmentError::TooFine => "the execution segments divide the test too finely".to_owned(),
    }
}

/// What the user may have meant otherwise.
pub(crate) fn warning(warning: Warning) -> String {
    match warning {
        Warning::VusOverridesScenarios(vus) => format!("`vus={vus}` overrides scenarios configuration"),
        Warning::ExplicitlyEmpty(option) => format!(
            "`{option}` was explicitly set to an empty value, running the script with 1 iteration in 1 VU"
        ),
    }
}

#[cfg(test)]
mod tests {
    use ws_engine::duration::GoDuration;

    use super::*;

    #[test]
    fn problems_in_the_words_of_k6() {
        let half = GoDuration::from_nanos(500_000_000);
        for (problem, expected) in [
            (Problem::NoExec, "exec value cannot be empty"),
            (Problem::Negative("startTime"), "the startTime can't be negative"),
            (Problem::Negative("gracefulStop"), "the gracefulStop timeout can't be negative"),
            (Problem::Negative("startVUs"), "the number of start VUs can't be negative"),
            (Problem::NoVus, "the number of VUs must be more than 0"),
            (Problem::NoIterations, "the number of iterations must be more than 0"),
            (Problem::Missing("duration"), "the duration is unspecified"),
            (
                Problem::TooShort { option: "maxDuration", given: half },
                "the maxDuration must be at least 1s, but is 500ms",
            ),
            (Problem::Missing("rate"), "the iteration rate isn't specified"),
            (Problem::NotPositive("rate"), "the iteration rate must be more than 0"),
            (Problem::NotPositive("timeUnit"), "the timeUnit must be more than 0"),
            (Problem::Missing("preAllocatedVUs"), "the number of preAllocatedVUs isn't specified"),
            (Problem::Negative("preAllocatedVUs"), "the number of preAllocatedVUs can't be negative"),
            (Problem::Negative("startRate"), "the startRate value can't be negative"),
            (Problem::MaxBelowPreAllocated, "maxVUs can't be less than preAllocatedVUs"),
            (Problem::NoStages, "at least one stage has to be specified"),
            (Problem::StageWithout(1, "target"), "stage 1 doesn't have a target"),
            (Problem::StageNegative(2, "duration"), "the duration for stage 2 can't be negative"),
            (Problem::TargetTooHigh(3), "target for stage 3 exceeds max limit of 100000000"),
            (
                Problem::NeverAnyVu,
                "either startVUs or one of the stages' target values must be greater than 0",
            ),
        ] {
            assert_eq!(text(&problem), expected);
        }
    }

    #[test]
    fn problems_are_joined_per_scenario() {
        let few = Problem::FewerIterationsThanVus { iterations: 2, vus: 5 };
        let wrong = ScenarioProblem { scenario: "a b".to_owned(), problems: vec![Problem::Name, few] };
        assert_eq!(
            problem(&wrong),
            "scenario a b has configuration errors: the scenario name should contain only numbers, latin letters, \
             underscores, and dashes, the number of iterations (2) can't be less than the number of VUs (5)"
        );
        let missing = Problem::NotExported("nofn".to_owned());
        let wrong = ScenarioProblem { scenario: "b".to_owned(), problems: vec![missing] };
        assert_eq!(problem(&wrong), "executor b: function 'nofn' not found in exports");
    }

    #[test]
    fn shortcuts_and_warnings() {
        assert_eq!(
            shortcut(&ShortcutError::Conflict("duration", "stages")),
            "using `duration` and `stages` options simultaneously is not allowed"
        );
        assert_eq!(
            shortcut(&ShortcutError::NoDuration),
            "`duration` option should be more than 0, for infinite duration use the externally-controlled executor"
        );
        assert_eq!(warning(Warning::VusOverridesScenarios(3)), "`vus=3` overrides scenarios configuration");
        assert_eq!(
            warning(Warning::ExplicitlyEmpty("stages")),
            "`stages` was explicitly set to an empty value, running the script with 1 iteration in 1 VU"
        );
    }
}

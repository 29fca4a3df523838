//! What k6 has and we do not have yet: refused by name, so that nobody measures something else than they asked for.

use clap::Arg;

use super::form::Takes;
use super::row::Heading::{Global as AllCommands, Load, Results, Script};
use super::row::Scope::{Global, Run, Runtime, Test};
use super::row::{Names, argument, of};

/// Commands of k6 that are not there yet.
const COMMANDS: &[&str] = &[
    "archive", "cloud", "deps", "features", "inspect", "login", "pause", "resume", "scale", "stats",
    "status", "x",
];

/// What a value has to be for an option we do not have to change nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Harmless {
    /// Any value: we have nothing the option could change.
    Always,
    /// No value at all (or an empty string).
    Never,
    False,
    /// k6's own default, which leaves things as they are.
    Number(i64),
    Text(&'static str),
}

/// An option of k6 that is not there yet.
pub(crate) struct NotYet {
    pub(crate) names: Names,
    /// With this value it changes nothing, and is taken.
    pub(crate) harmless: Harmless,
}

const fn refuse(names: Names, harmless: Harmless) -> NotYet {
    NotYet { names, harmless }
}

/// Options of k6 that are not there yet.
#[rustfmt::skip]
pub(crate) static NOT_YET: &[NotYet] = &[
    refuse(of(Global, AllCommands).flag("address", "ADDR").letter('a').variable("K6_ADDRESS"), Harmless::Never),
    refuse(of(Test, Load).key("cloud"), Harmless::Always),
    refuse(of(Test, Load).key("ext"), Harmless::Always),
    refuse(of(Run, Load).switch("linger").letter('l').variable("K6_LINGER").key("linger"), Harmless::False),
    // Sizes a buffer of k6; ours are sized by themselves.
    refuse(of(Test, Results).key("metricSamplesBufferSize"), Harmless::Always),
    refuse(of(Test, Load).flag("min-iteration-duration", "DURATION").variable("K6_MIN_ITERATION_DURATION").key("minIterationDuration"), Harmless::Number(0)),
    refuse(of(Runtime, Results).switch("new-machine-readable-summary").variable("K6_NEW_MACHINE_READABLE_SUMMARY"), Harmless::False),
    refuse(of(Test, Load).switch("paused").letter('p').variable("K6_PAUSED").key("paused"), Harmless::False),
    refuse(of(Global, AllCommands).switch("profiling-enabled").variable("K6_PROFILING_ENABLED"), Harmless::False),
    refuse(of(Global, AllCommands).flag("secret-source", "SOURCE").variable("K6_SECRET_SOURCE"), Harmless::Never),
    refuse(of(Runtime, Results).flag("traces-output", "WHERE").variable("K6_TRACES_OUTPUT"), Harmless::Text("none")),
    refuse(of(Runtime, Script).flag("type", "TYPE").letter('t').variable("K6_TYPE"), Harmless::Text("js")),
    refuse(of(Run, Results).variable("K6_WEB_DASHBOARD").key("webDashboard"), Harmless::False),
    // What a configuration file says to outputs that are not there.
    refuse(of(Run, Results).key("collectors"), Harmless::Always),
];

impl Harmless {
    /// Whether the text of a variable changes nothing. An empty variable is an unset one.
    pub(crate) fn allows_text(self, text: &str) -> bool {
        text.is_empty()
            || match self {
                Self::Always => true,
                Self::Never => false,
                Self::False => super::parse::boolean(text) == Ok(false),
                Self::Number(number) => text.parse() == Ok(number),
                Self::Text(default) => text == default,
            }
    }

    /// Whether a script's value changes nothing. `null` is "not set".
    pub(crate) fn allows_json(self, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (self, value) {
            (_, Value::Null) | (Self::Always, _) => true,
            (Self::False, Value::Bool(value)) => !value,
            (Self::Number(number), Value::Number(value)) => value.as_f64() == Some(number as f64),
            (_, Value::String(text)) => self.allows_text(text),
            _ => false,
        }
    }
}

impl NotYet {
    /// The flag for the command-line parser, which help does not show.
    pub(super) fn arg(&self) -> Option<Arg> {
        let takes = if self.harmless == Harmless::False { Takes::Nothing } else { Takes::Many };
        let arg = argument(self.names.flag?, takes).hide(true);
        Some(arg.global(self.names.scope == Global))
    }
}

pub(crate) fn is_command(name: &str) -> bool {
    COMMANDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_harmless() {
        assert!(Harmless::Number(20).allows_json(&json!(20)));
        assert!(!Harmless::Number(20).allows_json(&json!(21)));
        assert!(Harmless::False.allows_json(&json!(false)));
        assert!(!Harmless::False.allows_json(&json!(true)));
        assert!(Harmless::Never.allows_json(&json!(null)));
        assert!(Harmless::Never.allows_json(&json!("")));
        assert!(!Harmless::Never.allows_json(&json!([])));
        assert!(Harmless::Always.allows_json(&json!({"a": 1})));
        assert!(Harmless::Text("js").allows_text("js") && !Harmless::Text("js").allows_text("archive"));
        assert!(Harmless::False.allows_text("0") && !Harmless::False.allows_text("yes"));
    }
}

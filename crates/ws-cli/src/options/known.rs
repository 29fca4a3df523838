//! What k6 has and we do not have yet: refused by name, so that nobody measures something else than they asked for.

/// Flags of `k6 run` that are not there yet, long name and letter.
const FLAGS: &[(&str, Option<char>)] = &[
    ("address", Some('a')),
    ("batch", None),
    ("batch-per-host", None),
    ("compatibility-mode", None),
    ("config", Some('c')),
    ("console-output", None),
    ("discard-response-bodies", None),
    ("execution-segment", None),
    ("execution-segment-sequence", None),
    ("features", None),
    ("http-debug", None),
    ("linger", Some('l')),
    ("max-redirects", None),
    ("min-iteration-duration", None),
    ("new-machine-readable-summary", None),
    ("no-connection-reuse", None),
    ("no-usage-report", None),
    ("no-vu-connection-reuse", None),
    ("paused", Some('p')),
    ("profiling-enabled", None),
    ("rps", None),
    ("secret-source", None),
    ("stage", Some('s')),
    ("summary-mode", None),
    ("traces-output", None),
    ("type", Some('t')),
];

/// Commands of k6 that are not there yet.
const COMMANDS: &[&str] = &[
    "archive",
    "cloud",
    "completion",
    "deps",
    "features",
    "inspect",
    "login",
    "new",
    "pause",
    "resume",
    "scale",
    "stats",
    "status",
    "x",
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

/// Script options of k6 that are not there yet. The options of HTTP are harmless at their defaults: there is no HTTP.
pub(crate) const SCRIPT_OPTIONS: &[(&str, Harmless)] = &[
    ("batch", Harmless::Number(20)),
    ("batchPerHost", Harmless::Number(6)),
    ("cloud", Harmless::Always),
    ("discardResponseBodies", Harmless::False),
    ("executionSegment", Harmless::Never),
    ("executionSegmentSequence", Harmless::Never),
    ("ext", Harmless::Always),
    ("httpDebug", Harmless::Never),
    ("maxRedirects", Harmless::Number(10)),
    // Sizes a buffer of k6; ours are sized by themselves.
    ("metricSamplesBufferSize", Harmless::Always),
    ("minIterationDuration", Harmless::Number(0)),
    ("noConnectionReuse", Harmless::False),
    ("noVUConnectionReuse", Harmless::False),
    ("paused", Harmless::False),
    ("rps", Harmless::Number(0)),
    ("stages", Harmless::Never),
];

/// Variables of k6 that are not there yet, with the value that changes nothing.
pub(crate) const VARIABLES: &[(&str, Harmless)] = &[
    ("K6_ADDRESS", Harmless::Never),
    ("K6_BATCH", Harmless::Number(20)),
    ("K6_BATCH_PER_HOST", Harmless::Number(6)),
    ("K6_COMPATIBILITY_MODE", Harmless::Text("extended")),
    ("K6_CONFIG", Harmless::Never),
    ("K6_CONSOLE_OUTPUT", Harmless::Never),
    ("K6_DISCARD_RESPONSE_BODIES", Harmless::False),
    ("K6_EXECUTION_SEGMENT", Harmless::Never),
    ("K6_EXECUTION_SEGMENT_SEQUENCE", Harmless::Never),
    ("K6_FEATURES", Harmless::Never),
    ("K6_HTTP_DEBUG", Harmless::Never),
    ("K6_LINGER", Harmless::False),
    ("K6_MAX_REDIRECTS", Harmless::Number(10)),
    ("K6_MIN_ITERATION_DURATION", Harmless::Never),
    ("K6_NEW_MACHINE_READABLE_SUMMARY", Harmless::False),
    ("K6_NO_CONNECTION_REUSE", Harmless::False),
    ("K6_NO_VU_CONNECTION_REUSE", Harmless::False),
    ("K6_PAUSED", Harmless::False),
    ("K6_PROFILING_ENABLED", Harmless::False),
    ("K6_RPS", Harmless::Number(0)),
    ("K6_SECRET_SOURCE", Harmless::Never),
    ("K6_STAGES", Harmless::Never),
    ("K6_TRACES_OUTPUT", Harmless::Text("none")),
    ("K6_TYPE", Harmless::Text("js")),
    ("K6_WEB_DASHBOARD", Harmless::False),
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

/// Whether `flag` (`--stage` or `-s`) is one of k6's that we do not have; gives its long name.
pub(crate) fn flag(flag: &str) -> Option<&'static str> {
    let long = flag.strip_prefix("--");
    let letter = flag.strip_prefix('-').and_then(|rest| rest.chars().next());
    FLAGS
        .iter()
        .find(|(name, short)| match long {
            Some(long) => long == *name,
            None => short.is_some() && *short == letter,
        })
        .map(|(name, _)| *name)
}

pub(crate) fn is_command(name: &str) -> bool {
    COMMANDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_by_name_and_letter() {
        assert_eq!(flag("--stage"), Some("stage"));
        assert_eq!(flag("-s"), Some("stage"));
        assert_eq!(flag("-a"), Some("address"));
        assert_eq!(flag("--nonsense"), None);
        assert_eq!(flag("-x"), None);
        assert_eq!(flag("--"), None);
    }

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

//! What is not an option of the script: how to log, what to write where, which variables the script sees.

use super::parse;
use crate::error::CliError;

/// Flags that every command takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globals {
    pub(crate) quiet: bool,
    pub(crate) no_color: bool,
    pub(crate) verbose: bool,
    pub(crate) log_output: Option<String>,
    pub(crate) log_format: Option<String>,
}

impl Globals {
    /// Fills from the environment what the flags leave open.
    pub(crate) fn with_env(mut self, vars: &[(String, String)]) -> Self {
        let get = |name: &str| vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let non_empty = |name: &str| get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        // NO_COLOR counts even when empty, K6_NO_COLOR does not: as in k6.
        self.no_color |= get("NO_COLOR").is_some() || non_empty("K6_NO_COLOR").is_some();
        self.log_output = self.log_output.or_else(|| non_empty("K6_LOG_OUTPUT"));
        self.log_format = self.log_format.or_else(|| non_empty("K6_LOG_FORMAT"));
        self
    }
}

/// Flags of `ws run` that are not options.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runtime {
    /// `-e`, in order.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) include_system_env_vars: Option<bool>,
    pub(crate) no_thresholds: Option<bool>,
    pub(crate) no_summary: Option<bool>,
    pub(crate) summary_export: Option<String>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) prometheus: Option<String>,
    pub(crate) extended_metrics: Option<bool>,
    pub(crate) drivers: Option<usize>,
    pub(crate) echo: bool,
}

impl Runtime {
    /// Fills from the environment what the flags leave open.
    pub(crate) fn with_env(mut self, vars: &[(String, String)]) -> Result<Self, CliError> {
        for (name, value) in vars.iter().filter(|(_, value)| !value.is_empty()) {
            let boolean = || {
                parse::boolean(value).map_err(|_| {
                    CliError::generic(format!("env var '{name}' is not a valid boolean value: {value:?}"))
                })
            };
            match name.as_str() {
                "K6_INCLUDE_SYSTEM_ENV_VARS" if self.include_system_env_vars.is_none() => {
                    self.include_system_env_vars = Some(boolean()?);
                }
                "K6_EXTENDED_METRICS" if self.extended_metrics.is_none() => {
                    self.extended_metrics = Some(boolean()?);
                }
                "K6_NO_THRESHOLDS" if self.no_thresholds.is_none() => self.no_thresholds = Some(boolean()?),
                "K6_NO_SUMMARY" if self.no_summary.is_none() => self.no_summary = Some(boolean()?),
                "K6_SUMMARY_MODE" => match value.as_str() {
                    "compact" => {}
                    "disabled" => self.no_summary = self.no_summary.or(Some(true)),
                    "full" | "legacy" => {
                        return Err(CliError::generic(format!(
                            "summary mode '{value}' is not supported yet"
                        )));
                    }
                    _ => return Err(CliError::generic("invalid summary mode")),
                },
                "K6_SUMMARY_EXPORT" if self.summary_export.is_none() => {
                    self.summary_export = Some(value.clone());
                }
                "K6_OUT" if self.outputs.is_empty() => {
                    self.outputs = value.split(',').map(Output::parse).collect::<Result<_, _>>()?;
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// The script's `__ENV`: the environment unless switched off, and `-e` on top.
    pub(crate) fn script_env(&self, vars: &[(String, String)]) -> Vec<(String, String)> {
        let system = if self.include_system_env_vars.unwrap_or(true) { vars } else { &[] };
        let mut all: indexmap::IndexMap<String, String> = system.iter().cloned().collect();
        all.extend(self.env.iter().cloned());
        all.into_iter().collect()
    }
}

/// Where all samples go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// JSON lines to this file, or to standard output for `-`.
    Json(String),
}

/// k6's outputs that are not there yet.
const NOT_YET: &[&str] = &[
    "cloud",
    "csv",
    "datadog",
    "experimental-opentelemetry",
    "experimental-prometheus-rw",
    "influxdb",
    "kafka",
    "opentelemetry",
    "statsd",
    "web-dashboard",
];

impl Output {
    /// Reads `json=file` of `--out`.
    pub(crate) fn parse(text: &str) -> Result<Self, CliError> {
        let (kind, arg) = text.split_once('=').unwrap_or((text, ""));
        match kind {
            "json" if arg.ends_with(".gz") => Err(CliError::generic(format!(
                "output 'json={arg}': compressed output (.gz) is not supported yet"
            ))),
            "json" => Ok(Self::Json(if arg.is_empty() { "-".to_owned() } else { arg.to_owned() })),
            kind if NOT_YET.contains(&kind) => Err(CliError::generic(format!(
                "output type '{kind}' is not supported yet, available types are: json"
            ))),
            kind => {
                Err(CliError::generic(format!("invalid output type '{kind}', available types are: json")))
            }
        }
    }

    /// As the description shows it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Json(target) if target == "-" => "json (stdout)".to_owned(),
            Self::Json(target) => format!("json ({target})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn outputs() {
        assert_eq!(Output::parse("json=a.json"), Ok(Output::Json("a.json".to_owned())));
        assert_eq!(Output::parse("json"), Ok(Output::Json("-".to_owned())));
        assert_eq!(Output::parse("json=-"), Ok(Output::Json("-".to_owned())));
        for (text, message) in [
            ("json=a.json.gz", "output 'json=a.json.gz': compressed output (.gz) is not supported yet"),
            ("csv=a.csv", "output type 'csv' is not supported yet, available types are: json"),
            ("nope", "invalid output type 'nope', available types are: json"),
        ] {
            assert_eq!(Output::parse(text), Err(CliError::generic(message)));
        }
    }

    #[test]
    fn flags_win_over_variables() {
        let set = vars(&[
            ("K6_NO_SUMMARY", "true"),
            ("K6_OUT", "json=a,json=b"),
            ("K6_SUMMARY_EXPORT", "e.json"),
            ("K6_EXTENDED_METRICS", "1"),
        ]);
        let from_env = Runtime::default().with_env(&set).unwrap();
        assert_eq!(from_env.extended_metrics, Some(true));
        assert_eq!(from_env.no_summary, Some(true));
        assert_eq!(from_env.outputs, [Output::Json("a".to_owned()), Output::Json("b".to_owned())]);
        assert_eq!(from_env.summary_export.as_deref(), Some("e.json"));
        let flags = Runtime {
            no_summary: Some(false),
            extended_metrics: Some(false),
            outputs: vec![Output::Json("c".to_owned())],
            summary_export: Some("f.json".to_owned()),
            ..Runtime::default()
        };
        assert_eq!(flags.clone().with_env(&set), Ok(flags));
    }

    #[test]
    fn variables_that_make_no_sense() {
        for (name, value, message) in [
            ("K6_NO_THRESHOLDS", "hm", "env var 'K6_NO_THRESHOLDS' is not a valid boolean value: \"hm\""),
            ("K6_SUMMARY_MODE", "foo", "invalid summary mode"),
            ("K6_SUMMARY_MODE", "full", "summary mode 'full' is not supported yet"),
            ("K6_OUT", "nope", "invalid output type 'nope', available types are: json"),
        ] {
            assert_eq!(Runtime::default().with_env(&vars(&[(name, value)])), Err(CliError::generic(message)));
        }
    }

    #[test]
    fn colours_and_logs_from_the_environment() {
        assert!(Globals::default().with_env(&vars(&[("NO_COLOR", "")])).no_color);
        assert!(!Globals::default().with_env(&vars(&[("K6_NO_COLOR", "")])).no_color);
        assert!(Globals::default().with_env(&vars(&[("K6_NO_COLOR", "0")])).no_color);
        let globals = Globals { log_output: Some("none".to_owned()), ..Globals::default() }
            .with_env(&vars(&[("K6_LOG_OUTPUT", "stdout"), ("K6_LOG_FORMAT", "raw")]));
        assert_eq!(globals.log_output.as_deref(), Some("none"));
        assert_eq!(globals.log_format.as_deref(), Some("raw"));
    }

    #[test]
    fn script_env_is_the_environment_and_the_flags_on_top() {
        let runtime = Runtime { env: vars(&[("A", "flag"), ("B", "new")]), ..Runtime::default() };
        assert_eq!(
            runtime.script_env(&vars(&[("A", "system"), ("Z", "z")])),
            vars(&[("A", "flag"), ("Z", "z"), ("B", "new")])
        );
        let alone = Runtime { include_system_env_vars: Some(false), ..runtime };
        assert_eq!(alone.script_env(&vars(&[("Z", "z")])), vars(&[("A", "flag"), ("B", "new")]));
    }
}

//! What is not an option of the script: how to log, what to write where, which variables the script sees.

use super::env;
use super::form::{Form, Takes};
use super::table::Layer;
use super::{json, parse};

/// How the tool itself behaves, whatever the command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globals {
    pub(crate) quiet: bool,
    pub(crate) no_color: bool,
    pub(crate) verbose: bool,
    /// A configuration file, if one is named.
    pub(crate) config: Option<String>,
    pub(crate) log_output: Option<String>,
    pub(crate) log_format: Option<String>,
}

impl Globals {
    /// What the flags say, and the environment where they say nothing.
    pub(crate) fn new(flags: Layer, vars: &[(String, String)]) -> Self {
        let mut said = env::globals(vars);
        said.put(flags);
        Self {
            quiet: said.quiet.unwrap_or(false),
            // NO_COLOR counts even when empty, K6_NO_COLOR does not: as in k6.
            no_color: said.no_color.unwrap_or(false) || vars.iter().any(|(name, _)| name == "NO_COLOR"),
            verbose: said.verbose.unwrap_or(false),
            config: said.config,
            log_output: said.log_output,
            log_format: said.log_format,
        }
    }
}

/// What has to be known of a run before its script is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runtime {
    /// `-e`, in order.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) include_system_env_vars: bool,
    pub(crate) compatibility_mode: CompatibilityMode,
    pub(crate) no_thresholds: bool,
    pub(crate) no_summary: bool,
    pub(crate) summary_export: Option<String>,
    /// Of k6, as named.
    pub(crate) features: Vec<String>,
    /// Where `console` goes instead of the log.
    pub(crate) console_output: Option<String>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) prometheus: Option<String>,
    pub(crate) extended_metrics: bool,
    pub(crate) drivers: Option<usize>,
    pub(crate) echo: bool,
}

impl Runtime {
    /// What these sources say, the last one first.
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a Layer>) -> Self {
        let mut said = Layer::default();
        for source in sources {
            said.put(source.clone());
        }
        let disabled = said.summary_mode == Some(SummaryMode::Disabled);
        Self {
            env: said.env.unwrap_or_default(),
            include_system_env_vars: said.include_system_env_vars.unwrap_or(true),
            compatibility_mode: said.compatibility_mode.unwrap_or_default(),
            no_thresholds: said.no_thresholds.unwrap_or(false),
            no_summary: said.no_summary.unwrap_or(disabled),
            summary_export: said.summary_export,
            features: said.features.unwrap_or_default(),
            console_output: said.console_output,
            outputs: said.outputs.unwrap_or_default(),
            prometheus: said.prometheus,
            extended_metrics: said.extended_metrics.unwrap_or(false),
            drivers: said.drivers,
            echo: said.echo.unwrap_or(false),
        }
    }

    /// The script's `__ENV`: the environment unless switched off, and `-e` on top.
    pub(crate) fn script_env(&self, vars: &[(String, String)]) -> Vec<(String, String)> {
        let system = if self.include_system_env_vars { vars } else { &[] };
        let mut all: indexmap::IndexMap<String, String> = system.iter().cloned().collect();
        all.extend(self.env.iter().cloned());
        all.into_iter().collect()
    }
}

/// What scripts have beyond the language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CompatibilityMode {
    #[default]
    Extended,
    Base,
    /// k6's former name for what its base mode has become.
    Enhanced,
}

/// `--compatibility-mode`.
pub(crate) const COMPATIBILITY_MODE: Form<CompatibilityMode> = Form::only_text(|text| match text {
    "extended" => Ok(Some(CompatibilityMode::Extended)),
    "base" => Ok(Some(CompatibilityMode::Base)),
    "experimental_enhanced" => Ok(Some(CompatibilityMode::Enhanced)),
    _ => Err(format!(
        "invalid compatibility mode {text:?}. Use: \"extended\", \"base\", \"experimental_enhanced\""
    )),
})
.speaking();

/// `-e`: `NAME=value`, or `NAME` for an empty one.
pub(crate) const VARIABLES: Form<Vec<(String, String)>> =
    Form::only_text(|text| variable(text).map(|variable| Some(vec![variable])))
        .flags(Takes::Many, |texts| {
            texts.iter().map(|text| variable(text)).collect::<Result<_, _>>().map(Some)
        })
        .speaking();

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if !parse::is_variable_name(name) {
        return Err(format!("invalid environment variable name '{name}'"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `--drivers`.
pub(crate) const DRIVERS: Form<usize> = Form::only_text(|text| match text.parse() {
    Ok(number @ 1..=1024) => Ok(Some(number)),
    _ => Err("expected a number from 1 to 1024".to_owned()),
});

/// `--out`, once for each; a comma list in a variable.
pub(crate) const OUTPUTS: Form<Vec<Output>> = Form::of(
    |text| text.split(',').map(Output::parse).collect::<Result<_, _>>().map(Some),
    |name, value| {
        let texts = json::strings(name, value)?;
        texts.map(|texts| texts.iter().map(|text| Output::parse(text)).collect()).transpose()
    },
)
.flags(Takes::Many, |texts| texts.iter().map(|text| Output::parse(text)).collect::<Result<_, _>>().map(Some))
.speaking();

/// How much the report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SummaryMode {
    Compact,
    Disabled,
}

/// `--summary-mode`.
pub(crate) const SUMMARY_MODE: Form<SummaryMode> = Form::only_text(|text| match text {
    "compact" => Ok(Some(SummaryMode::Compact)),
    "disabled" => Ok(Some(SummaryMode::Disabled)),
    "full" | "legacy" => Err(format!("summary mode '{text}' is not supported yet")),
    _ => Err("invalid summary mode".to_owned()),
})
.speaking();

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
    fn parse(text: &str) -> Result<Self, String> {
        let (kind, arg) = text.split_once('=').unwrap_or((text, ""));
        match kind {
            "json" if arg.ends_with(".gz") => {
                Err(format!("output 'json={arg}': compressed output (.gz) is not supported yet"))
            }
            "json" => Ok(Self::Json(if arg.is_empty() { "-".to_owned() } else { arg.to_owned() })),
            kind if NOT_YET.contains(&kind) => {
                Err(format!("output type '{kind}' is not supported yet, available types are: json"))
            }
            kind => Err(format!("invalid output type '{kind}', available types are: json")),
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
            assert_eq!(Output::parse(text), Err(message.to_owned()));
        }
    }

    #[test]
    fn flags_win_over_variables() {
        let env = Layer {
            no_summary: Some(true),
            extended_metrics: Some(true),
            outputs: Some(vec![Output::Json("a".to_owned())]),
            ..Layer::default()
        };
        let runtime = Runtime::new([&env]);
        assert!(runtime.no_summary && runtime.extended_metrics && runtime.include_system_env_vars);
        assert_eq!(runtime.outputs, [Output::Json("a".to_owned())]);
        let flags = Layer {
            no_summary: Some(false),
            extended_metrics: Some(false),
            outputs: Some(vec![Output::Json("c".to_owned())]),
            ..Layer::default()
        };
        let runtime = Runtime::new([&env, &flags]);
        assert!(!runtime.no_summary && !runtime.extended_metrics);
        assert_eq!(runtime.outputs, [Output::Json("c".to_owned())]);
        let disabled = Layer { summary_mode: Some(SummaryMode::Disabled), ..Layer::default() };
        assert!(Runtime::new([&disabled]).no_summary);
        assert!(!Runtime::new([&disabled, &flags]).no_summary);
    }

    #[test]
    fn colours_and_logs_from_the_environment() {
        let from = |pairs| Globals::new(Layer::default(), &vars(pairs));
        assert!(from(&[("NO_COLOR", "")]).no_color);
        assert!(!from(&[("K6_NO_COLOR", "")]).no_color);
        assert!(from(&[("K6_NO_COLOR", "0")]).no_color);
        let flags = Layer { log_output: Some("none".to_owned()), ..Layer::default() };
        let globals = Globals::new(flags, &vars(&[("K6_LOG_OUTPUT", "stdout"), ("K6_LOG_FORMAT", "raw")]));
        assert_eq!(globals.log_output.as_deref(), Some("none"));
        assert_eq!(globals.log_format.as_deref(), Some("raw"));
    }

    #[test]
    fn script_env_is_the_environment_and_the_flags_on_top() {
        let runtime = Runtime {
            env: vars(&[("A", "flag"), ("B", "new")]),
            include_system_env_vars: true,
            ..Runtime::default()
        };
        assert_eq!(
            runtime.script_env(&vars(&[("A", "system"), ("Z", "z")])),
            vars(&[("A", "flag"), ("Z", "z"), ("B", "new")])
        );
        let alone = Runtime { include_system_env_vars: false, ..runtime };
        assert_eq!(alone.script_env(&vars(&[("Z", "z")])), vars(&[("A", "flag"), ("B", "new")]));
    }
}

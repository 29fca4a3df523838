//! Options in JSON: what a script exports as `options`, what a configuration file says.

use serde_json::Value;

use super::known::NOT_YET;
use super::row::{Names, Scope};
use super::table::{Layer, OPTIONS};
use crate::error::CliError;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Script,
    /// A configuration file, which may say more.
    Config,
}

/// Reads the exported `options`.
///
/// Also gives the first key that is not an option at all, which is worth a warning only.
pub(crate) fn layer(options: Option<&Value>) -> Result<(Layer, Option<String>), CliError> {
    match options {
        None | Some(Value::Null) => Ok((Layer::default(), None)),
        Some(value) => read(value, From::Script)
            .map_err(|why| CliError::config(format!("could not read the script's options: {why}"))),
    }
}

/// Reads options by their keys in JSON. Fails with what is wrong with the first bad one.
pub(crate) fn read(value: &Value, from: From) -> Result<(Layer, Option<String>), String> {
    let Value::Object(fields) = value else {
        return Err(format!("expected an object, got {value}"));
    };
    let (mut layer, mut unknown) = (Layer::default(), None);
    for (key, value) in fields {
        // k6 takes option names in any case.
        let is_it = |names: &Names| {
            (from == From::Config || names.scope == Scope::Test)
                && names.key.is_some_and(|name| name.eq_ignore_ascii_case(key))
        };
        if let Some(row) = OPTIONS.iter().find(|row| is_it(&row.names)) {
            (row.set_from_json)(&mut layer, row.names.key.unwrap_or_default(), value)?;
        } else if let Some(option) = NOT_YET.iter().find(|option| is_it(&option.names)) {
            if !option.harmless.allows_json(value) {
                let name = option.names.key.unwrap_or_default();
                return Err(format!("option '{name}' is not supported yet"));
            }
        } else {
            unknown = unknown.or_else(|| Some(key.clone()));
        }
    }
    Ok((layer, unknown))
}

#[cfg(test)]
mod tests {
    use ws_engine::duration::GoDuration;

    use super::super::network::Dns;
    use super::*;

    fn parse(text: &str) -> Result<(Layer, Option<String>), CliError> {
        layer(Some(&serde_json::from_str(text).unwrap()))
    }

    fn read(text: &str) -> Layer {
        let (layer, unknown) = parse(text).unwrap();
        assert_eq!(unknown, None);
        layer
    }

    #[test]
    fn every_option() {
        let layer = read(
            r#"{"vus": 2, "iterations": "4", "duration": "1m", "thresholds": {"checks": ["rate>0.9",
                {"threshold": "rate>0.5", "abortOnFail": true, "delayAbortEval": "10s"}]},
                "tags": {"a": "b"}, "systemTags": ["url"], "hosts": {"a.test": "127.0.0.1"}, "userAgent": "me",
                "insecureSkipTLSVerify": true, "noCookiesReset": true, "strictUtf8": true, "throw": true, "noSetup": true,
                "noTeardown": false, "setupTimeout": 500, "teardownTimeout": "2s",
                "summaryTrendStats": ["avg"], "summaryTimeUnit": "ms", "batch": 20, "dns": {"select": "first"},
                "blockHostnames": ["*.x"], "blacklistIPs": ["10.0.0.0/8"], "ext": {"x": 1}, "rps": null, "batchPerHost": "3",
                "maxRedirects": 2, "noVUConnectionReuse": true, "httpDebug": "full"}"#,
        );
        assert_eq!((layer.vus, layer.iterations), (Some(2), Some(4)));
        assert_eq!(layer.duration, Some(GoDuration::from_secs(60)));
        let checks = &layer.thresholds.unwrap()["checks"];
        assert_eq!(checks[0].source, "rate>0.9");
        assert!(checks[1].abort_on_fail);
        assert_eq!(checks[1].delay_abort_eval, Some(GoDuration::from_secs(10)));
        assert_eq!((layer.strict_utf8, layer.no_teardown), (Some(true), Some(false)));
        assert_eq!(layer.setup_timeout, Some(GoDuration::from_nanos(500_000_000)));
        assert_eq!(layer.summary_time_unit.as_deref(), Some("ms"));
        assert_eq!((layer.batch, layer.batch_per_host, layer.max_redirects), (Some(20), Some(3), Some(2)));
        assert_eq!(layer.no_vu_connection_reuse, Some(true));
        assert_eq!(layer.http_debug.as_deref(), Some("full"));
        assert_eq!(layer.dns, Some(Dns::parse("select=first").unwrap()));
        assert_eq!(layer.block_hostnames.unwrap().find("a.x"), Some("*.x"));
        assert_eq!(layer.blacklist_ips.unwrap()[0].to_string(), "10.0.0.0/8");
    }

    #[test]
    fn case_does_not_matter_and_null_is_unset() {
        assert_eq!(read(r#"{"VUS": 2, "Duration": null}"#), Layer { vus: Some(2), ..Layer::default() });
        assert_eq!(layer(None), Ok((Layer::default(), None)));
        assert_eq!(read("null"), Layer::default());
    }

    #[test]
    fn unknown_keys_are_reported_not_refused() {
        let (layer, unknown) = parse(r#"{"iterations": 1, "bogusTop": 1, "another": 2}"#).unwrap();
        assert_eq!(layer.iterations, Some(1));
        assert_eq!(unknown.as_deref(), Some("bogusTop"));
        // Of configuration files alone.
        assert_eq!(parse(r#"{"linger": true}"#).unwrap().1.as_deref(), Some("linger"));
    }

    #[test]
    fn refusals_are_configuration_errors() {
        for (text, message) in [
            ("5", "could not read the script's options: expected an object, got 5"),
            (
                r#"{"vus": 1.5}"#,
                "could not read the script's options: option 'vus' must be an integer, got 1.5",
            ),
            (
                r#"{"thresholds": {"iterations": "count>1"}}"#,
                "could not read the script's options: option 'thresholds.iterations' must be a list of thresholds, got \"count>1\"",
            ),
            (
                r#"{"scenarios": {"a": {}}}"#,
                "could not read the script's options: scenario 'a' doesn't have a specified executor type",
            ),
            (
                r#"{"stages": [3]}"#,
                "could not read the script's options: option 'stages[0]' must be an object, got 3",
            ),
            (r#"{"dns": {"ttl": "foo"}}"#, "could not read the script's options: invalid DNS TTL: foo"),
            (
                r#"{"blacklistIPs": ["1.2.3.4"]}"#,
                "could not read the script's options: error parsing blacklist-ip '1.2.3.4': invalid CIDR address: 1.2.3.4",
            ),
            (
                r#"{"rps": 1.5}"#,
                "could not read the script's options: option 'rps' must be an integer, got 1.5",
            ),
        ] {
            assert_eq!(parse(text), Err(CliError::config(message)), "{text}");
        }
    }
}

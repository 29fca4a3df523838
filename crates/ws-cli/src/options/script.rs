//! The `options` a script exports.

use indexmap::IndexMap;
use serde_json::Value;

use ws_engine::ScenarioConfig;

use super::network::{self, Dns};
use super::{Layer, RawThreshold, json, known, parse, scenario, tls};
use crate::error::CliError;

/// Reads the exported `options`.
///
/// Also gives the first key that is not an option at all, which is worth a warning only.
pub(crate) fn layer(options: Option<&Value>) -> Result<(Layer, Option<String>), CliError> {
    let wrong = |message: String| CliError::config(format!("could not read the script's options: {message}"));
    match options {
        None | Some(Value::Null) => Ok((Layer::default(), None)),
        Some(Value::Object(fields)) => {
            let mut layer = Layer::default();
            let mut unknown = None;
            for (key, value) in fields {
                match set(&mut layer, key, value).map_err(wrong)? {
                    Known::Yes => {}
                    Known::NotYet(name) => {
                        return Err(CliError::config(format!("option '{name}' is not supported yet")));
                    }
                    Known::No => unknown = unknown.or_else(|| Some(key.clone())),
                }
            }
            Ok((layer, unknown))
        }
        Some(value) => Err(wrong(format!("expected an object, got {value}"))),
    }
}

enum Known {
    Yes,
    NotYet(&'static str),
    No,
}

fn set(layer: &mut Layer, key: &str, value: &Value) -> Result<Known, String> {
    // k6 takes option names in any case.
    match key.to_ascii_lowercase().as_str() {
        "vus" => layer.vus = json::integer("vus", value)?,
        "iterations" => layer.iterations = json::integer("iterations", value)?,
        "duration" => layer.duration = json::duration("duration", value)?,
        "scenarios" => layer.scenarios = scenarios(value)?,
        "thresholds" => layer.thresholds = thresholds(value)?,
        "tags" => layer.tags = json::string_map("tags", value)?,
        "systemtags" => layer.system_tags = json::strings("systemTags", value)?,
        "hosts" => layer.hosts = json::string_map("hosts", value)?,
        "dns" => layer.dns = Dns::read(value)?,
        "blockhostnames" => {
            let list = json::strings("blockHostnames", value)?;
            layer.block_hostnames = list.as_deref().map(network::patterns).transpose()?;
        }
        "blacklistips" => {
            let list = json::strings("blacklistIPs", value)?;
            layer.blacklist_ips = list.as_deref().map(network::ranges).transpose()?;
        }
        "useragent" => layer.user_agent = json::string("userAgent", value)?,
        "insecureskiptlsverify" => {
            layer.insecure_skip_tls_verify = json::boolean("insecureSkipTLSVerify", value)?;
        }
        "tlsauth" => layer.tls_auth = tls::identities(value)?,
        "tlsciphersuites" => layer.tls_cipher_suites = json::strings("tlsCipherSuites", value)?,
        "tlsversion" => layer.tls_version = tls::versions(value)?,
        "tlsresumption" => layer.tls_resumption = json::boolean("tlsResumption", value)?,
        "nocookiesreset" => layer.no_cookies_reset = json::boolean("noCookiesReset", value)?,
        "strictutf8" => layer.strict_utf8 = json::boolean("strictUtf8", value)?,
        "throw" => layer.throw = json::boolean("throw", value)?,
        "nosetup" => layer.no_setup = json::boolean("noSetup", value)?,
        "noteardown" => layer.no_teardown = json::boolean("noTeardown", value)?,
        "setuptimeout" => layer.setup_timeout = json::duration("setupTimeout", value)?,
        "teardowntimeout" => layer.teardown_timeout = json::duration("teardownTimeout", value)?,
        "handlesummarytimeout" => {
            layer.handle_summary_timeout = json::duration("handleSummaryTimeout", value)?;
        }
        "summarytrendstats" => layer.summary_trend_stats = json::strings("summaryTrendStats", value)?,
        "compat" => {
            let whom = json::string("compat", value)?;
            layer.compat = whom
                .as_deref()
                .map(parse::compat)
                .transpose()
                .map_err(|why| format!("option 'compat': {why}"))?;
        }
        "summarytimeunit" => layer.summary_time_unit = json::string("summaryTimeUnit", value)?,
        lower => {
            let known = known::SCRIPT_OPTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(lower));
            return Ok(match known {
                Some((_, harmless)) if harmless.allows_json(value) => Known::Yes,
                Some((name, _)) => Known::NotYet(name),
                None => Known::No,
            });
        }
    }
    Ok(Known::Yes)
}

fn scenarios(value: &Value) -> Result<Option<Vec<ScenarioConfig>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| scenario::parse(name, value))
            .collect::<Result<_, _>>()
            .map(Some),
        _ => Err(format!("option 'scenarios' must be an object, got {value}")),
    }
}

fn thresholds(value: &Value) -> Result<Option<IndexMap<String, Vec<RawThreshold>>>, String> {
    let fields = match value {
        Value::Null => return Ok(None),
        Value::Object(fields) => fields,
        _ => return Err(format!("option 'thresholds' must be an object, got {value}")),
    };
    let mut all = IndexMap::new();
    for (metric, list) in fields {
        let path = format!("thresholds.{metric}");
        let Value::Array(list) = list else {
            return Err(format!("option '{path}' must be a list of thresholds, got {list}"));
        };
        let list = list.iter().map(|item| threshold(&path, item)).collect::<Result<_, _>>()?;
        all.insert(metric.clone(), list);
    }
    Ok(Some(all))
}

fn threshold(path: &str, value: &Value) -> Result<RawThreshold, String> {
    let get = |key: &str| value.get(key).unwrap_or(&Value::Null);
    match value {
        Value::String(source) => {
            Ok(RawThreshold { source: source.clone(), abort_on_fail: false, delay_abort_eval: None })
        }
        Value::Object(_) => Ok(RawThreshold {
            source: json::string(&format!("{path}.threshold"), get("threshold"))?.unwrap_or_default(),
            abort_on_fail: json::boolean(&format!("{path}.abortOnFail"), get("abortOnFail"))?
                .unwrap_or(false),
            delay_abort_eval: json::duration(&format!("{path}.delayAbortEval"), get("delayAbortEval"))?,
        }),
        _ => Err(format!("option '{path}' must hold strings or objects, got {value}")),
    }
}

#[cfg(test)]
mod tests {
    use ws_engine::duration::GoDuration;

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
                "blockHostnames": ["*.x"], "blacklistIPs": ["10.0.0.0/8"], "ext": {"x": 1}, "rps": null}"#,
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
            (r#"{"stages": []}"#, "option 'stages' is not supported yet"),
            (r#"{"dns": {"ttl": "foo"}}"#, "could not read the script's options: invalid DNS TTL: foo"),
            (
                r#"{"blacklistIPs": ["1.2.3.4"]}"#,
                "could not read the script's options: error parsing blacklist-ip '1.2.3.4': invalid CIDR address: 1.2.3.4",
            ),
            (r#"{"batch": 3}"#, "option 'batch' is not supported yet"),
            (r#"{"discardResponseBodies": true}"#, "option 'discardResponseBodies' is not supported yet"),
        ] {
            assert_eq!(parse(text), Err(CliError::config(message)), "{text}");
        }
    }
}

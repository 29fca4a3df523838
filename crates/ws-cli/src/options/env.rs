//! Options from `K6_*` variables; the names are k6's, since existing pipelines set them.

use super::known::NOT_YET;
use super::row::{Row, Scope};
use super::table::{Layer, OPTIONS};
use crate::error::CliError;

/// Reads all options of the environment. Empty variables count as unset.
pub(crate) fn layer(vars: &[(String, String)]) -> Result<Layer, CliError> {
    let mut layer = Layer::default();
    for (name, value) in vars.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(row) = row(name) {
            (row.set_from_variable)(&mut layer, value).map_err(|why| refusal(row, name, &why))?;
        } else if let Some(option) = NOT_YET.iter().find(|option| option.names.variable == Some(name))
            && !option.harmless.allows_text(value)
        {
            return Err(CliError::config(format!("environment variable {name} is not supported yet")));
        }
    }
    Ok(layer)
}

/// Reads the options of all commands. What is wrong there is reported by [`layer`].
pub(crate) fn globals(vars: &[(String, String)]) -> Layer {
    let mut layer = Layer::default();
    for (name, value) in vars.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(row) = row(name).filter(|row| row.names.scope == Scope::Global) {
            // As if it had not been set: a command that takes no options has nothing to do with it.
            let _ = (row.set_from_variable)(&mut layer, value);
        }
    }
    layer
}

fn row(variable: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.names.variable == Some(variable))
}

fn refusal(row: &Row, name: &str, why: &str) -> CliError {
    let message = format!("environment variable {name}: {why}");
    // As k6: only what a script can say as well is a matter of configuration.
    if row.names.scope == Scope::Test { CliError::config(message) } else { CliError::generic(message) }
}

#[cfg(test)]
mod tests {
    use indexmap::indexmap;
    use ws_engine::duration::GoDuration;
    use ws_loop::{AddressPool, HostPatterns};

    use super::super::network::Dns;
    use super::super::runtime::{Output, SummaryMode};
    use super::*;

    fn read(name: &str, value: &str) -> Result<Layer, CliError> {
        layer(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn every_variable() {
        let none = Layer::default;
        let second = Some(GoDuration::from_secs(1));
        let tags = indexmap! { "a".to_owned() => "b".to_owned(), "c".to_owned() => "d".to_owned() };
        for (name, value, expected) in [
            ("K6_VUS", "3", Layer { vus: Some(3), ..none() }),
            ("K6_ITERATIONS", "7", Layer { iterations: Some(7), ..none() }),
            ("K6_DURATION", "1000", Layer { duration: second, ..none() }),
            ("K6_TAGS", "a:b,c:d", Layer { tags: Some(tags), ..none() }),
            (
                "K6_SYSTEM_TAGS",
                "url,name",
                Layer { system_tags: Some(vec!["url".to_owned(), "name".to_owned()]), ..none() },
            ),
            ("K6_SYSTEM_TAGS", "\"\"", Layer { system_tags: Some(Vec::new()), ..none() }),
            (
                "K6_LOCAL_IPS",
                "10.0.0.0/30",
                Layer { local_ips: Some(AddressPool::parse("10.0.0.1-10.0.0.2").unwrap()), ..none() },
            ),
            ("K6_DNS", "ttl=0", Layer { dns: Some(Dns::parse("ttl=0").unwrap()), ..none() }),
            (
                "K6_BLOCK_HOSTNAMES",
                "a,*.b",
                Layer { block_hostnames: Some(HostPatterns::parse(["a", "*.b"]).unwrap()), ..none() },
            ),
            (
                "K6_BLACKLIST_IPS",
                "10.0.0.0/8",
                Layer { blacklist_ips: Some(vec!["10.0.0.0/8".parse().unwrap()]), ..none() },
            ),
            ("K6_USER_AGENT", "me", Layer { user_agent: Some("me".to_owned()), ..none() }),
            ("K6_INSECURE_SKIP_TLS_VERIFY", "true", Layer { insecure_skip_tls_verify: Some(true), ..none() }),
            ("K6_NO_COOKIES_RESET", "true", Layer { no_cookies_reset: Some(true), ..none() }),
            ("K6_COMPAT", "web", Layer { compat: Some(ws_js::Compat::Web), ..none() }),
            ("K6_STRICT_UTF8", "1", Layer { strict_utf8: Some(true), ..none() }),
            ("K6_REDACT_QUERY", "true", Layer { redact_query: Some(true), ..none() }),
            ("K6_THROW", "false", Layer { throw: Some(false), ..none() }),
            ("K6_NO_SETUP", "1", Layer { no_setup: Some(true), ..none() }),
            ("K6_NO_TEARDOWN", "true", Layer { no_teardown: Some(true), ..none() }),
            ("K6_SETUP_TIMEOUT", "1s", Layer { setup_timeout: second, ..none() }),
            ("K6_TEARDOWN_TIMEOUT", "1s", Layer { teardown_timeout: second, ..none() }),
            ("K6_HANDLE_SUMMARY_TIMEOUT", "1s", Layer { handle_summary_timeout: second, ..none() }),
            (
                "K6_SUMMARY_TREND_STATS",
                "avg",
                Layer { summary_trend_stats: Some(vec!["avg".to_owned()]), ..none() },
            ),
            ("K6_SUMMARY_TIME_UNIT", "ms", Layer { summary_time_unit: Some("ms".to_owned()), ..none() }),
            ("K6_TLS_RESUMPTION", "true", Layer { tls_resumption: Some(true), ..none() }),
            (
                "K6_TLS_CIPHER_SUITES",
                "A,B",
                Layer { tls_cipher_suites: Some(vec!["A".to_owned(), "B".to_owned()]), ..none() },
            ),
            ("K6_NO_SUMMARY", "true", Layer { no_summary: Some(true), ..none() }),
            ("K6_SUMMARY_MODE", "disabled", Layer { summary_mode: Some(SummaryMode::Disabled), ..none() }),
            ("K6_SUMMARY_EXPORT", "e.json", Layer { summary_export: Some("e.json".to_owned()), ..none() }),
            ("K6_EXTENDED_METRICS", "1", Layer { extended_metrics: Some(true), ..none() }),
            (
                "K6_OUT",
                "json=a,json",
                Layer {
                    outputs: Some(vec![Output::Json("a".to_owned()), Output::Json("-".to_owned())]),
                    ..none()
                },
            ),
            ("K6_NO_COLOR", "0", Layer { no_color: Some(true), ..none() }),
            ("K6_LOG_FORMAT", "raw", Layer { log_format: Some("raw".to_owned()), ..none() }),
            ("K6_VUS", "", none()),
            ("K6_STAGES", "", none()),
            ("K6_BATCH", "3", Layer { batch: Some(3), ..none() }),
            ("K6_BATCH_PER_HOST", "3", Layer { batch_per_host: Some(3), ..none() }),
            ("K6_RPS", "3", Layer { rps: Some(3), ..none() }),
            ("K6_MAX_REDIRECTS", "3", Layer { max_redirects: Some(3), ..none() }),
            ("K6_DISCARD_RESPONSE_BODIES", "1", Layer { discard_response_bodies: Some(true), ..none() }),
            ("K6_NO_CONNECTION_REUSE", "1", Layer { no_connection_reuse: Some(true), ..none() }),
            ("K6_NO_VU_CONNECTION_REUSE", "1", Layer { no_vu_connection_reuse: Some(true), ..none() }),
            ("K6_HTTP_DEBUG", "x", Layer { http_debug: Some("x".to_owned()), ..none() }),
            ("K6_CONSOLE_OUTPUT", "c.txt", Layer { console_output: Some("c.txt".to_owned()), ..none() }),
            ("K6_CONFIG", "c.json", Layer { config: Some("c.json".to_owned()), ..none() }),
            ("K6_FEATURES", "a,b", Layer { features: Some(vec!["a".to_owned(), "b".to_owned()]), ..none() }),
            ("K6_NO_USAGE_REPORT", "true", Layer { no_usage_report: Some(true), ..none() }),
            ("VUS", "x", none()),
            ("K6_SOMETHING_OF_A_SCRIPT", "x", none()),
        ] {
            assert_eq!(read(name, value), Ok(expected), "{name}");
        }
    }

    #[test]
    fn a_bad_value_names_the_variable() {
        for (name, value, message) in [
            ("K6_ITERATIONS", "abc", "environment variable K6_ITERATIONS: \"abc\" is not an integer"),
            ("K6_DURATION", "zz", "environment variable K6_DURATION: time: invalid duration \"zz\""),
            (
                "K6_TAGS",
                "bad",
                "environment variable K6_TAGS: invalid map item: \"bad\", expected name:value",
            ),
            (
                "K6_NO_SETUP",
                "maybe",
                "environment variable K6_NO_SETUP: \"maybe\" is not a boolean, use true or false",
            ),
            (
                "K6_LOCAL_IPS",
                "foo",
                "environment variable K6_LOCAL_IPS: foo is not a valid IP, IP range or CIDR",
            ),
            ("K6_DNS", "ttl", "environment variable K6_DNS: no value for key ttl"),
            (
                "K6_BLOCK_HOSTNAMES",
                "a*b",
                "environment variable K6_BLOCK_HOSTNAMES: invalid hostname pattern 'a*b'",
            ),
            (
                "K6_BLACKLIST_IPS",
                "1.2.3",
                "environment variable K6_BLACKLIST_IPS: error parsing blacklist-ip '1.2.3': invalid CIDR address: 1.2.3",
            ),
            (
                "K6_STAGES",
                "foo",
                "environment variable K6_STAGES: error for stage 0: time: invalid duration \"foo\"",
            ),
            ("K6_PAUSED", "true", "environment variable K6_PAUSED is not supported yet"),
        ] {
            assert_eq!(read(name, value), Err(CliError::config(message)));
        }
    }

    #[test]
    fn what_no_script_can_say_is_no_matter_of_configuration() {
        for (name, value, message) in [
            ("K6_NO_THRESHOLDS", "hm", "\"hm\" is not a boolean, use true or false"),
            ("K6_SUMMARY_MODE", "foo", "invalid summary mode"),
            ("K6_SUMMARY_MODE", "full", "summary mode 'full' is not supported yet"),
            ("K6_OUT", "nope", "invalid output type 'nope', available types are: json"),
        ] {
            let message = format!("environment variable {name}: {message}");
            assert_eq!(read(name, value), Err(CliError::generic(message)));
        }
    }

    #[test]
    fn options_of_all_commands_can_be_read_alone() {
        let vars = [("K6_VUS", "x"), ("K6_LOG_OUTPUT", "none")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(globals(&vars), Layer { log_output: Some("none".to_owned()), ..Layer::default() });
    }
}

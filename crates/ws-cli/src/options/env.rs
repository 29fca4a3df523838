//! Options from `K6_*` variables; the names are k6's, since existing pipelines set them.

use ws_engine::duration::GoDuration;

use super::network::{self, Dns};
use super::{Layer, known, parse, tls};
use crate::error::CliError;

/// Reads the options of the environment. Empty variables count as unset.
pub(crate) fn layer(vars: &[(String, String)]) -> Result<Layer, CliError> {
    let mut layer = Layer::default();
    for (name, value) in vars {
        if value.is_empty() || !name.starts_with("K6_") {
            continue;
        }
        if let Some((_, harmless)) = known::VARIABLES.iter().find(|(known, _)| known == name) {
            if !harmless.allows_text(value) {
                return Err(CliError::config(format!("environment variable {name} is not supported yet")));
            }
            continue;
        }
        set(&mut layer, name, value)
            .map_err(|reason| CliError::config(format!("environment variable {name}: {reason}")))?;
    }
    Ok(layer)
}

fn duration(text: &str) -> Result<GoDuration, String> {
    GoDuration::parse_option(text).map_err(|error| error.to_string())
}

fn set(layer: &mut Layer, name: &str, value: &str) -> Result<(), String> {
    if tls::set_from_env(layer, name, value)? {
        return Ok(());
    }
    match name {
        "K6_VUS" => layer.vus = Some(parse::integer(value)?),
        "K6_ITERATIONS" => layer.iterations = Some(parse::integer(value)?),
        "K6_DURATION" => layer.duration = Some(duration(value)?),
        "K6_TAGS" => layer.tags = Some(parse::tag_map(value)?),
        "K6_SYSTEM_TAGS" => layer.system_tags = Some(parse::list(value)),
        "K6_DNS" => layer.dns = Some(Dns::parse(value)?),
        "K6_BLOCK_HOSTNAMES" => layer.block_hostnames = Some(network::patterns(&parse::list(value))?),
        "K6_BLACKLIST_IPS" => layer.blacklist_ips = Some(network::ranges(&parse::list(value))?),
        "K6_LOCAL_IPS" => layer.local_ips = Some(network::local_ips(value)?),
        "K6_USER_AGENT" => layer.user_agent = Some(value.to_owned()),
        "K6_INSECURE_SKIP_TLS_VERIFY" => layer.insecure_skip_tls_verify = Some(parse::boolean(value)?),
        "K6_NO_COOKIES_RESET" => layer.no_cookies_reset = Some(parse::boolean(value)?),
        "K6_STRICT_UTF8" => layer.strict_utf8 = Some(parse::boolean(value)?),
        "K6_THROW" => layer.throw = Some(parse::boolean(value)?),
        "K6_NO_SETUP" => layer.no_setup = Some(parse::boolean(value)?),
        "K6_NO_TEARDOWN" => layer.no_teardown = Some(parse::boolean(value)?),
        "K6_SETUP_TIMEOUT" => layer.setup_timeout = Some(duration(value)?),
        "K6_TEARDOWN_TIMEOUT" => layer.teardown_timeout = Some(duration(value)?),
        "K6_HANDLE_SUMMARY_TIMEOUT" => layer.handle_summary_timeout = Some(duration(value)?),
        "K6_SUMMARY_TREND_STATS" => layer.summary_trend_stats = Some(parse::list(value)),
        "K6_COMPAT" => layer.compat = Some(parse::compat(value)?),
        "K6_SUMMARY_TIME_UNIT" => layer.summary_time_unit = Some(value.to_owned()),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use indexmap::indexmap;
    use ws_loop::{AddressPool, HostPatterns};

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
            ("K6_VUS", "", none()),
            ("K6_STAGES", "", none()),
            ("K6_BATCH", "20", none()),
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
            ("K6_STAGES", "10s:5", "environment variable K6_STAGES is not supported yet"),
            ("K6_PAUSED", "true", "environment variable K6_PAUSED is not supported yet"),
        ] {
            assert_eq!(read(name, value), Err(CliError::config(message)));
        }
    }
}

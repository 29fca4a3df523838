//! Options that say how servers are reached: how names are looked up, what must not be dialled, where from.

use std::time::Duration;

use serde_json::Value;
use ws_engine::duration::GoDuration;
use ws_loop::{AddressPool, Cidr, HostPatterns, Policy, ResolverConfig, Select};

use super::form::{Form, Takes};
use super::{json, parse};

/// `dns`.
pub(crate) const DNS: Form<Dns> =
    Form::of(|text| Dns::parse(text).map(Some), |_, value| Dns::read(value)).speaking();

/// `blockHostnames`: comma lists.
pub(crate) const PATTERNS: Form<HostPatterns> = Form::of(
    |text| patterns(&parse::list(text)).map(Some),
    |name, value| json::strings(name, value)?.as_deref().map(patterns).transpose(),
)
.flags(Takes::Many, |lists| patterns(&items(lists)).map(Some))
.speaking();

/// `blacklistIPs`: comma lists.
pub(crate) const RANGES: Form<Vec<Cidr>> = Form::of(
    |text| ranges(&parse::list(text)).map(Some),
    |name, value| json::strings(name, value)?.as_deref().map(ranges).transpose(),
)
.flags(Takes::Many, |lists| ranges(&items(lists)).map(Some))
.speaking();

/// `--local-ips`; an empty list is none.
pub(crate) const LOCAL_IPS: Form<AddressPool> = Form::only_text(|text| match text {
    "" => Ok(None),
    list => AddressPool::parse(list).map(Some).map_err(|error| error.to_string()),
})
.speaking();

/// What all comma lists hold together.
fn items(lists: &[&str]) -> Vec<String> {
    lists.iter().flat_map(|list| parse::list(list)).collect()
}

/// `dns`: how names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dns {
    /// How long an answer is used; `None` for ever.
    pub(crate) ttl: Option<Duration>,
    pub(crate) select: Select,
    pub(crate) policy: Policy,
}

impl Default for Dns {
    fn default() -> Self {
        let ResolverConfig { ttl, select, policy, .. } = ResolverConfig::default();
        Self { ttl, select, policy }
    }
}

impl Dns {
    /// Reads `ttl=5m,select=random,policy=preferIPv4`, where each part may be missing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut dns = Self::default();
        for item in text.split(',').filter(|_| !text.is_empty()) {
            match item.trim().split_once('=') {
                Some((key, value)) if !value.is_empty() => dns.set(key, value)?,
                _ => return Err(format!("no value for key {item}")),
            }
        }
        Ok(dns)
    }

    /// Reads the same as an object.
    pub(crate) fn read(value: &Value) -> Result<Option<Self>, String> {
        let fields = match value {
            Value::Null => return Ok(None),
            Value::Object(fields) => fields,
            _ => return Err(format!("option 'dns' must be an object, got {value}")),
        };
        let mut dns = Self::default();
        for (key, value) in fields {
            let text = json::string(&format!("dns.{key}"), value)?.unwrap_or_default();
            if !text.is_empty() {
                dns.set(key, &text)?;
            }
        }
        Ok(Some(dns))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "ttl" => self.ttl = time_to_live(value).ok_or_else(|| format!("invalid DNS TTL: {value}"))?,
            "select" => {
                self.select = match value {
                    "first" => Select::First,
                    "random" => Select::Random,
                    "roundRobin" => Select::RoundRobin,
                    _ => {
                        let known = "first, random, roundRobin";
                        return Err(format!("{value} does not belong to DNSSelect values: {known}"));
                    }
                };
            }
            "policy" => {
                self.policy = match value {
                    "preferIPv4" => Policy::PreferIpv4,
                    "preferIPv6" => Policy::PreferIpv6,
                    "onlyIPv4" => Policy::OnlyIpv4,
                    "onlyIPv6" => Policy::OnlyIpv6,
                    "any" => Policy::Any,
                    _ => {
                        let known = "preferIPv4, preferIPv6, onlyIPv4, onlyIPv6, any";
                        return Err(format!("{value} does not belong to DNSPolicy values: {known}"));
                    }
                };
            }
            _ => return Err(format!("unknown DNS configuration field: {key}")),
        }
        Ok(())
    }
}

/// `inf`, or a duration of zero or more.
fn time_to_live(text: &str) -> Option<Option<Duration>> {
    if text == "inf" {
        return Some(None);
    }
    let ttl = GoDuration::parse_option(text).ok().filter(|ttl| !ttl.is_negative())?;
    Some(Some(ttl.to_std()))
}

fn patterns(list: &[String]) -> Result<HostPatterns, String> {
    HostPatterns::parse(list.iter().map(String::as_str)).map_err(|error| error.to_string())
}

fn ranges(list: &[String]) -> Result<Vec<Cidr>, String> {
    let parse =
        |text: &String| text.parse().map_err(|error| format!("error parsing blacklist-ip '{text}': {error}"));
    list.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dns_as_text() {
        let usual = Dns::default();
        let minute = Some(Duration::from_secs(60));
        for (text, expected) in [
            ("", usual.clone()),
            ("ttl=1m", Dns { ttl: minute, ..usual.clone() }),
            ("ttl=60000", Dns { ttl: minute, ..usual.clone() }),
            ("ttl=inf", Dns { ttl: None, ..usual.clone() }),
            ("ttl=0", Dns { ttl: Some(Duration::ZERO), ..usual.clone() }),
            ("ttl=5m, ttl=1m", Dns { ttl: minute, ..usual.clone() }),
            (
                "ttl=1m,select=first,policy=any",
                Dns { ttl: minute, select: Select::First, policy: Policy::Any },
            ),
        ] {
            assert_eq!(Dns::parse(text), Ok(expected), "{text}");
        }
        for (text, error) in [
            ("ttl=foo", "invalid DNS TTL: foo"),
            ("ttl=-1s", "invalid DNS TTL: -1s"),
            ("ttl=1m,x=1", "unknown DNS configuration field: x"),
            ("TTL=1m", "unknown DNS configuration field: TTL"),
            ("ttl", "no value for key ttl"),
            ("policy=", "no value for key policy="),
            (
                "select=roundrobin",
                "roundrobin does not belong to DNSSelect values: first, random, roundRobin",
            ),
            (
                "policy=v4",
                "v4 does not belong to DNSPolicy values: preferIPv4, preferIPv6, onlyIPv4, onlyIPv6, any",
            ),
        ] {
            assert_eq!(Dns::parse(text), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn dns_as_an_object() {
        assert_eq!(Dns::read(&json!(null)), Ok(None));
        assert_eq!(Dns::read(&json!({"ttl": "", "select": null})), Ok(Some(Dns::default())));
        assert_eq!(
            Dns::read(&json!({"policy": "onlyIPv6", "ttl": "5m"})),
            Dns::parse("policy=onlyIPv6").map(Some)
        );
        for (value, error) in [
            (json!("ttl=1m"), "option 'dns' must be an object, got \"ttl=1m\""),
            (json!({"ttl": 5}), "option 'dns.ttl' must be a string, got 5"),
            (json!({"ttl": "foo"}), "invalid DNS TTL: foo"),
            (json!({"server": "1.1.1.1"}), "unknown DNS configuration field: server"),
        ] {
            assert_eq!(Dns::read(&value), Err(error.to_owned()), "{value}");
        }
    }

    #[test]
    fn what_must_not_be_dialled() {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        assert_eq!(patterns(&list(&["a*b"])), Err("invalid hostname pattern 'a*b'".to_owned()));
        assert_eq!(
            ranges(&list(&["10.0.0.0/8", "1.2.3"])),
            Err("error parsing blacklist-ip '1.2.3': invalid CIDR address: 1.2.3".to_owned())
        );
        assert_eq!(ranges(&list(&["::1/128"])).unwrap()[0].to_string(), "::1/128");
    }
}

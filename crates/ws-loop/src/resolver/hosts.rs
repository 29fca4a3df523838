//! Names whose addresses are given rather than looked up.

use std::net::{IpAddr, SocketAddr};

use super::patterns;

/// A table from host patterns to addresses, as the `hosts` option of k6.
///
/// A pattern is `name` or `name:port`, in any case; a leading `*` stands for any beginning, so `*.example.com`
/// matches `a.example.com` and `*` every name. An address is `ip` or `ip:port`, IPv6 with a port in brackets;
/// without a port, or with port 0, the one asked for stays. A pattern with a port goes before one without, then an
/// exact one before one with `*`, then the longer one before the shorter.
///
/// # Examples
///
/// ```
/// use ws_loop::Hosts;
/// let hosts = Hosts::parse([("example.com:443", "127.0.0.1:8443"), ("*.example.com", "10.0.0.1")])?;
/// assert_eq!(hosts.find("example.com", 443), Some("127.0.0.1:8443".parse().unwrap()));
/// assert_eq!(hosts.find("a.example.com", 80), Some("10.0.0.1:80".parse().unwrap()));
/// assert_eq!(hosts.find("example.org", 80), None);
/// # Ok::<(), ws_loop::HostsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Best first, so that the first match is the one.
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    wildcard: bool,
    /// The name, or what follows the `*`.
    name: String,
    port: Option<u16>,
    ip: IpAddr,
    to_port: Option<u16>,
}

/// Why a table of hosts cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostsError {
    /// The pattern is none.
    #[error("invalid host pattern '{pattern}'")]
    Pattern {
        /// As given.
        pattern: String,
    },
    /// The address is none.
    #[error("invalid address '{address}' for host pattern '{pattern}'")]
    Address {
        /// As given.
        pattern: String,
        /// As given.
        address: String,
    },
}

impl Hosts {
    /// Reads pairs of pattern and address.
    ///
    /// # Errors
    ///
    /// [`HostsError`] for the first pair that is not one.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, HostsError> {
        let rules: Result<Vec<Rule>, HostsError> = pairs.into_iter().map(Rule::parse).collect();
        let mut rules = rules?;
        rules.sort_by_key(|rule| (rule.port.is_none(), rule.wildcard, std::cmp::Reverse(rule.name.len())));
        Ok(Hosts { rules })
    }

    /// The address for `host`, which must be in lower case, and `port`.
    pub fn find(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let rule = self.rules.iter().find(|rule| rule.matches(host, port))?;
        Some(SocketAddr::new(rule.ip, rule.to_port.unwrap_or(port)))
    }
}

impl Rule {
    fn parse((pattern, address): (&str, &str)) -> Result<Self, HostsError> {
        let bad_pattern = || HostsError::Pattern { pattern: pattern.to_owned() };
        let bad_address = || HostsError::Address { pattern: pattern.to_owned(), address: address.to_owned() };
        let (ip, to_port) = match (address.parse::<SocketAddr>(), address.parse::<IpAddr>()) {
            (Ok(addr), _) => (addr.ip(), Some(addr.port()).filter(|&port| port != 0)),
            (_, Ok(ip)) => (ip, None),
            _ => return Err(bad_address()),
        };
        let lower = pattern.to_ascii_lowercase();
        if let Some((name, port)) = literal(&lower) {
            return Ok(Rule { wildcard: false, name, port, ip, to_port });
        }
        let (name, port) = match lower.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| bad_pattern())?)),
            None => (lower.as_str(), None),
        };
        let (wildcard, name) = patterns::split(name).ok_or_else(bad_pattern)?;
        Ok(Rule { wildcard, name: name.to_owned(), port, ip, to_port })
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        let name = if self.wildcard { host.ends_with(&self.name) } else { host == self.name };
        name && self.port.is_none_or(|wanted| wanted == port)
    }
}

/// An IP address, perhaps with a port, written as the name of a host.
fn literal(pattern: &str) -> Option<(String, Option<u16>)> {
    if let Ok(ip) = pattern.parse::<IpAddr>() {
        return Some((ip.to_string(), None));
    }
    let addr = pattern.parse::<SocketAddr>().ok()?;
    Some((addr.ip().to_string(), Some(addr.port())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_pattern_wins() {
        let hosts = Hosts::parse([
            ("*", "10.0.0.1"),
            ("*.example.com", "10.0.0.2"),
            ("*.b.Example.com", "10.0.0.3"),
            ("a.b.example.com", "10.0.0.4"),
            ("a.b.example.com:81", "10.0.0.5:9"),
            ("*.example.com:82", "10.0.0.6:0"),
            ("::1", "[::2]:7"),
            ("[::1]:90", "::3"),
        ])
        .unwrap();
        for (host, port, expected) in [
            ("other", 80, "10.0.0.1:80"),
            ("x.example.com", 80, "10.0.0.2:80"),
            ("x.b.example.com", 80, "10.0.0.3:80"),
            ("a.b.example.com", 80, "10.0.0.4:80"),
            ("a.b.example.com", 81, "10.0.0.5:9"),
            ("a.b.example.com", 82, "10.0.0.6:82"),
            ("x.b.example.com", 82, "10.0.0.6:82"),
            ("::1", 80, "[::2]:7"),
            ("::1", 90, "[::3]:90"),
        ] {
            assert_eq!(hosts.find(host, port), Some(expected.parse().unwrap()), "{host}:{port}");
        }
    }

    #[test]
    fn bad_pairs_are_named() {
        for pattern in ["", "a*", "*a*", "a b", "a:x", "a:99999", "http://a"] {
            let error = Hosts::parse([(pattern, "10.0.0.1")]).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid host pattern '{pattern}'"));
        }
        let error = Hosts::parse([("a", "b")]).unwrap_err();
        assert_eq!(error.to_string(), "invalid address 'b' for host pattern 'a'");
    }
}

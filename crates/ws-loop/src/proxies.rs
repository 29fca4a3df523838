//! Which servers are reached through which proxy.

use std::net::{IpAddr, SocketAddr};

use ws_proto::{Proxy, ProxyError, WsUrl, mask_password};

use crate::Cidr;

/// The HTTP proxies of a run, as the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` give them.
///
/// `ws` goes through the proxy for HTTP, `wss` through the one for HTTPS; `localhost` and loopback addresses through
/// none. `NO_PROXY` is a comma list of further exceptions, in any case:
///
/// - `example.com` and all names that end with `.example.com`; `.example.com` and `*.example.com` only these;
/// - `10.1.2.3`, `10.0.0.0/8`: addresses as they stand in the URL, not those a name turns out to have;
/// - either with a port, which must be the URL's, or its scheme's if it has none: `example.com:8080`;
/// - `*`: everything.
///
/// # Examples
///
/// ```
/// use ws_loop::Proxies;
/// use ws_proto::WsUrl;
///
/// let proxies = Proxies::from_vars(|name| match name {
///     "HTTP_PROXY" => Some("http://proxy.example:3128".to_owned()),
///     "NO_PROXY" => Some("intern.example".to_owned()),
///     _ => None,
/// });
/// let through = |url| proxies.find(&WsUrl::parse(url).unwrap()).unwrap().map(|proxy| proxy.host());
/// assert_eq!(through("ws://example.org/"), Some("proxy.example"));
/// assert_eq!(through("ws://chat.intern.example/"), None);
/// assert_eq!(through("wss://example.org/"), None);
/// assert_eq!(through("ws://localhost:9001/"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Result<Proxy, BadProxy>>,
    https: Option<Result<Proxy, BadProxy>>,
    exceptions: Vec<Exception>,
}

/// A variable whose value names no proxy that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source} ({variable}={value:?})")]
pub struct BadProxy {
    /// The variable, in the spelling that was found.
    pub variable: String,
    /// Its value, but for the password.
    pub value: String,
    /// What is wrong with it.
    pub source: ProxyError,
}

#[derive(Clone, Debug)]
enum Exception {
    All,
    Address {
        ip: IpAddr,
        port: Option<u16>,
    },
    Range(Cidr),
    Name {
        name: String,
        port: Option<u16>,
    },
    /// Names with this end, which begins with a dot.
    End {
        end: String,
        port: Option<u16>,
    },
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; where one is missing or empty, its name in lower case.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let value =
                |name: String| get(&name).filter(|value| !value.is_empty()).map(|value| (name, value));
            value(name.to_owned()).or_else(|| value(name.to_ascii_lowercase()))
        };
        let proxy = |name| {
            let (variable, text) = get(name)?;
            let value = mask_password(&text).into_owned();
            Some(Proxy::parse(&text).map_err(|source| BadProxy { variable, value, source }))
        };
        let (_, exceptions) = get("NO_PROXY").unwrap_or_default();
        Proxies {
            http: proxy("HTTP_PROXY"),
            https: proxy("HTTPS_PROXY"),
            exceptions: exceptions.split(',').filter_map(|item| Exception::parse(item.trim())).collect(),
        }
    }

    /// The proxy on the way to a server, if there is one.
    ///
    /// # Errors
    ///
    /// [`BadProxy`] if there is one and it cannot be used.
    pub fn find(&self, url: &WsUrl) -> Result<Option<&Proxy>, &BadProxy> {
        let Some(proxy) = (if url.is_tls() { &self.https } else { &self.http }) else { return Ok(None) };
        let host = url.host().to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return Ok(None);
        }
        if self.exceptions.iter().any(|exception| exception.covers(&host, ip, url.port())) {
            return Ok(None);
        }
        proxy.as_ref().map(Some)
    }
}

impl Exception {
    fn parse(item: &str) -> Option<Self> {
        if item == "*" {
            return Some(Exception::All);
        }
        if let Ok(range) = item.parse() {
            return Some(Exception::Range(range));
        }
        if let Ok(ip) = item.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Exception::Address { ip: ip.to_canonical(), port: None });
        }
        if let Ok(addr) = item.parse::<SocketAddr>() {
            return Some(Exception::Address { ip: addr.ip().to_canonical(), port: Some(addr.port()) });
        }
        let (name, port) = match item.rsplit_once(':') {
            // With a port that is none it cannot be meant for any server.
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (item, None),
        };
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix('*').filter(|end| end.starts_with('.')).unwrap_or(&name).to_owned();
        match name.as_str() {
            "" => None,
            end if end.starts_with('.') => Some(Exception::End { end: name, port }),
            _ => Some(Exception::Name { name, port }),
        }
    }

    /// `host` in lower case, `ip` if it is an address.
    fn covers(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Exception::All => true,
            Exception::Address { ip: wanted, port } => ip == Some(*wanted) && same_port(port),
            Exception::Range(range) => ip.is_some_and(|ip| range.contains(ip)),
            Exception::Name { name, port } => {
                let before = host.strip_suffix(name.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.')) && same_port(port)
            }
            Exception::End { end, port } => host.ends_with(end.as_str()) && same_port(port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Proxies {
        let vars: Vec<(String, String)> =
            vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Proxies::from_vars(|name| vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    fn port(proxies: &Proxies, url: &str) -> Option<u16> {
        proxies.find(&WsUrl::parse(url).unwrap()).unwrap().map(Proxy::port)
    }

    #[test]
    fn the_scheme_chooses_and_upper_case_wins() {
        let both = proxies(&[("HTTP_PROXY", "p:1"), ("https_proxy", "p:2")]);
        assert_eq!((port(&both, "ws://x.test"), port(&both, "wss://x.test")), (Some(1), Some(2)));
        let twice = proxies(&[("HTTP_PROXY", "p:1"), ("http_proxy", "p:2")]);
        assert_eq!((port(&twice, "ws://x.test"), port(&twice, "wss://x.test")), (Some(1), None));
        assert_eq!(port(&proxies(&[("HTTP_PROXY", ""), ("http_proxy", "p:2")]), "ws://x.test"), Some(2));
        assert_eq!(port(&proxies(&[]), "ws://x.test"), None);
    }

    #[test]
    fn loopback_is_reached_directly() {
        let all = proxies(&[("HTTP_PROXY", "https://p:1")]);
        for url in [
            "ws://localhost:7",
            "ws://LOCALHOST",
            "ws://127.9.9.9",
            "ws://[::1]:7",
            "ws://[::ffff:127.0.0.1]",
        ] {
            assert_eq!(port(&all, url), None, "{url}");
        }
        let error = all.find(&WsUrl::parse("ws://x.test").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "proxy: unknown scheme: https (HTTP_PROXY=\"https://p:1\")");
        let hidden = proxies(&[("https_proxy", "me:s3cr3t@:x")]);
        let error = hidden.find(&WsUrl::parse("wss://x.test").unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "proxy: not an address like http://host:port (https_proxy=\"me:xxxxx@:x\")"
        );
    }

    #[test]
    fn exceptions() {
        for (list, direct, through) in [
            ("foo.test", "foo.test bar.foo.test FOO.test", "xfoo.test foo.test.x"),
            (".foo.test", "bar.foo.test", "foo.test"),
            ("*.foo.test", "a.bar.foo.test", "foo.test"),
            ("*foo.test", "", "foo.test xfoo.test"),
            ("a.test,*", "foo.test 10.1.2.3", ""),
            ("foo.test:81", "foo.test:81", "foo.test foo.test:82"),
            ("foo.test:80", "foo.test foo.test:80", "foo.test:81"),
            ("foo.test:x", "", "foo.test"),
            (" foo.test , , b.test ", "foo.test b.test", "c.test"),
            ("10.0.0.0/8", "10.1.2.3", "11.1.2.3 foo.test"),
            ("10.1.2.3", "10.1.2.3 10.1.2.3:81", "10.1.2.4"),
            ("10.1.2.3:81", "10.1.2.3:81", "10.1.2.3"),
            ("2001:db8::1,[2001:db8::2]:7", "[2001:db8::1] [2001:db8::2]:7", "[2001:db8::2]"),
            ("http://foo.test", "", "foo.test"),
        ] {
            let all = proxies(&[("HTTP_PROXY", "p:1"), ("no_proxy", list)]);
            for (hosts, expected) in [(direct, None), (through, Some(1))] {
                for host in hosts.split(' ').filter(|host| !host.is_empty()) {
                    assert_eq!(port(&all, &format!("ws://{host}/")), expected, "{host} with {list}");
                }
            }
        }
    }
}

//! Cookies (RFC 6265): what a server set is sent back to where it belongs.

use cookie_store::CookieStore;

use crate::url::WsUrl;

/// The cookies of one client.
///
/// For matching, `ws` counts as `http` and `wss` as `https`; ports make no difference. A cookie marked `Secure` is
/// sent over `wss` only, except to loopback addresses and `localhost`.
///
/// # Examples
///
/// ```
/// use ws_proto::{CookieJar, WsUrl};
///
/// let url = WsUrl::parse("ws://example.test/chat")?;
/// let mut jar = CookieJar::new();
/// jar.store(&url, ["sid=1; Path=/", "theme=dark; Path=/chat"]);
/// assert_eq!(jar.header_for(&url).as_deref(), Some("theme=dark; sid=1"));
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CookieJar(CookieStore);

impl CookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores the values of `Set-Cookie` headers that came from `url`. What is no valid cookie, or not for this
    /// host, is dropped.
    pub fn store<'a>(&mut self, url: &WsUrl, set_cookie_headers: impl IntoIterator<Item = &'a str>) {
        let Some(url) = url.as_http() else { return };
        for header in set_cookie_headers {
            // RFC 6265 section 5.2: a client ignores what it cannot use.
            let _ = self.0.parse(header, &url);
        }
    }

    /// The value of the `Cookie` header for `url`: longer paths first, else in the order they were set (RFC 6265
    /// section 5.4). `None` if no cookie matches.
    pub fn header_for(&self, url: &WsUrl) -> Option<String> {
        let url = url.as_http()?;
        let mut cookies = self.0.matches(&url);
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.as_ref().len()));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(set: &[(&str, &str)], get: &str) -> Option<String> {
        let mut jar = CookieJar::new();
        for (url, cookie) in set {
            jar.store(&WsUrl::parse(url).unwrap(), [*cookie]);
        }
        jar.header_for(&WsUrl::parse(get).unwrap())
    }

    #[test]
    fn where_cookies_go() {
        let from = "ws://a.test:9001/dir/x";
        let table = [
            ("a=1", "ws://a.test/dir/y", true),
            ("a=1", "wss://a.test:1/dir/", true),
            ("a=1", "ws://a.test/other", false),
            ("a=1; Path=/", "ws://a.test/other", true),
            ("a=1; Path=/", "ws://sub.a.test/", false),
            ("a=1; Path=/; Domain=a.test", "ws://sub.a.test/", true),
            ("a=1; Path=/; Domain=b.test", "ws://b.test/", false),
            ("a=1; Path=/; Secure", "ws://a.test/", false),
            ("a=1; Path=/; Secure", "wss://a.test/", true),
            ("a=1; Path=/; HttpOnly", "ws://a.test/", true),
            ("a=1; Path=/; Max-Age=0", "ws://a.test/", false),
            ("no cookie", "ws://a.test/dir/x", false),
        ];
        for (cookie, to, sent) in table {
            let expected = sent.then(|| "a=1".to_owned());
            assert_eq!(header(&[(from, cookie)], to), expected, "{cookie} to {to}");
        }
    }

    #[test]
    fn secure_cookies_reach_loopback_hosts() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let url = format!("ws://{host}:8/");
            assert_eq!(header(&[(&url, "s=1; Secure")], &url).as_deref(), Some("s=1"), "{host}");
        }
    }

    #[test]
    fn the_last_value_wins_and_order_is_stable() {
        let url = "ws://a.test/x/y";
        let set = [(url, "b=1; Path=/"), (url, "a=2; Path=/"), (url, "c=3; Path=/x"), (url, "b=4; Path=/")];
        assert_eq!(header(&set, url).as_deref(), Some("c=3; b=4; a=2"));
        let expired = [(url, "b=1; Path=/"), (url, "b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")];
        assert_eq!(header(&expired, url), None);
    }
}

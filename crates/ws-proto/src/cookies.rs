//! Cookies (RFC 6265): what a server set is sent back to where it belongs.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ::url::Url;
use cookie::time::{Duration, OffsetDateTime};
use cookie_store::{Cookie, CookieDomain, CookiePath, CookieStore, RawCookie};

use crate::headers::is_token;
use crate::url::{UrlError, WsUrl, parse_http};

/// The cookies of one client. Shared by reference: whoever has one may read and change it at any time.
///
/// For matching, `ws` counts as `http` and `wss` as `https`; ports make no difference. A cookie marked `Secure` is
/// sent over `wss` only, except to loopback addresses and `localhost`.
///
/// What goes in and out is what k6 lets through: a `Set-Cookie` counts if its name is a token and its value consists
/// of the characters that RFC 6265 section 4.1.1 allows, spaces or commas. A value with one of the last two goes out
/// in quotes.
///
/// With the feature `reqwest` it is a [`reqwest::cookie::CookieStore`], so that an HTTP client can have the same jar.
///
/// [`reqwest::cookie::CookieStore`]: https://docs.rs/reqwest/latest/reqwest/cookie/trait.CookieStore.html
///
/// # Examples
///
/// ```
/// use ws_proto::{CookieJar, WsUrl};
///
/// let url = WsUrl::parse("ws://example.test/chat")?;
/// let jar = CookieJar::new();
/// jar.store(&url, ["sid=1; Path=/", "theme=dark; Path=/chat"]);
/// assert_eq!(jar.header_for(&url).as_deref(), Some("theme=dark; sid=1"));
/// # Ok::<(), ws_proto::UrlError>(())
/// ```
#[derive(Debug, Default)]
pub struct CookieJar(Mutex<CookieStore>);

/// The `http` or `https` address that a cookie comes from or goes to; of any other address, there are no cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieUrl(Option<Url>);

/// What a cookie has besides its name and value. The default is a cookie for the host and the folder that set it,
/// without an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CookieAttributes {
    /// Subdomains of it get the cookie, too. It must be the host that sets the cookie, or a parent of it.
    pub domain: Option<String>,
    /// Only addresses below it get the cookie; ignored unless it begins with a slash.
    pub path: Option<String>,
    /// When it ends.
    pub expires: Option<SystemTime>,
    /// After how many seconds it ends, which counts more than `expires`; at once if there are none.
    pub max_age: Option<i64>,
    /// Not for connections that anybody can listen to.
    pub secure: bool,
    /// Not for scripts of a web page, which makes no difference here.
    pub http_only: bool,
}

/// A cookie as a `Set-Cookie` header tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value, without quotes.
    pub value: String,
    /// What else the header says.
    pub attributes: CookieAttributes,
}

impl SetCookie {
    /// Reads the value of a `Set-Cookie` header; `None` for one that [`CookieJar::store`] would drop.
    ///
    /// ```
    /// let cookie = ws_proto::SetCookie::parse("sid=31; Path=/; Max-Age=60; HttpOnly").unwrap();
    /// assert_eq!((cookie.name.as_str(), cookie.value.as_str()), ("sid", "31"));
    /// assert_eq!((cookie.attributes.max_age, cookie.attributes.http_only), (Some(60), true));
    /// ```
    pub fn parse(header: &str) -> Option<Self> {
        let cookie = parse(header)?;
        Some(Self {
            name: cookie.name().to_owned(),
            value: cookie.value_trimmed().to_owned(),
            attributes: CookieAttributes {
                domain: cookie.domain().map(str::to_owned),
                path: cookie.path().map(str::to_owned),
                expires: cookie.expires_datetime().map(SystemTime::from),
                max_age: cookie.max_age().map(|age| age.whole_seconds()),
                secure: cookie.secure().unwrap_or_default(),
                http_only: cookie.http_only().unwrap_or_default(),
            },
        })
    }
}

/// RFC 6265 section 5.2: a client ignores what it cannot use.
fn parse(header: &str) -> Option<RawCookie<'_>> {
    let cookie = RawCookie::parse(header).ok()?;
    let is_valid = is_token(cookie.name()) && cookie.value_trimmed().bytes().all(may_be_in_value);
    is_valid.then_some(cookie)
}

impl CookieUrl {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// [`UrlError::Unparsable`] for what is no URL at all.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Ok(Self(parse_http(text)?))
    }
}

impl CookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing in it, not even an expired cookie.
    pub fn is_empty(&self) -> bool {
        self.cookies().iter_any().next().is_none()
    }

    /// Stores the values of `Set-Cookie` headers that came from `url`. What is no valid cookie, or not for this
    /// host, is dropped.
    pub fn store<'a>(&self, url: &WsUrl, set_cookie_headers: impl IntoIterator<Item = &'a str>) {
        if let Some(url) = url.as_http() {
            self.store_from(&url, set_cookie_headers);
        }
    }

    /// The same for headers that came from an `http` or `https` address.
    pub fn store_for<'a>(&self, url: &CookieUrl, set_cookie_headers: impl IntoIterator<Item = &'a str>) {
        if let Some(url) = &url.0 {
            self.store_from(url, set_cookie_headers);
        }
    }

    /// The cookies for an `http` or `https` address, in the order of [`header_for`](Self::header_for): each name, and
    /// the pair as it stands in the header.
    pub fn pairs_for(&self, url: &CookieUrl) -> Vec<(String, String)> {
        let Some(url) = &url.0 else { return Vec::new() };
        let cookies = self.cookies();
        matches(&cookies, url).into_iter().map(|cookie| (cookie.name().to_owned(), pair(cookie))).collect()
    }

    /// The value of the `Cookie` header for `url`: longer paths first, else in the order they were set (RFC 6265
    /// section 5.4). `None` if no cookie matches.
    pub fn header_for(&self, url: &WsUrl) -> Option<String> {
        // Most jars of a load test are empty, and a URL takes longer to parse.
        if self.is_empty() {
            return None;
        }
        self.header(&url.as_http()?)
    }

    /// Sets a cookie as if `url` had, with any name and value. Dropped if it is not for this host; one that has ended
    /// already takes the place of its predecessor.
    pub fn set(&self, url: &CookieUrl, name: &str, value: &str, attributes: &CookieAttributes) {
        let Some(url) = &url.0 else { return };
        let mut cookie = RawCookie::new(name, value);
        if let Some(domain) = &attributes.domain {
            cookie.set_domain(domain);
        }
        if let Some(path) = &attributes.path {
            cookie.set_path(path);
        }
        if let Some(expires) = attributes.expires {
            cookie.set_expires(OffsetDateTime::from(expires));
        }
        if let Some(seconds) = attributes.max_age {
            cookie.set_max_age(Duration::seconds(seconds.max(0)));
        }
        cookie.set_secure(attributes.secure);
        cookie.set_http_only(attributes.http_only);
        put(&mut self.cookies(), &cookie, url);
    }

    /// Names and values of the cookies that `url` would be sent, in that order.
    pub fn cookies_for(&self, url: &CookieUrl) -> Vec<(String, String)> {
        let Some(url) = &url.0 else { return Vec::new() };
        let cookies = self.cookies();
        let matches = matches(&cookies, url);
        matches.iter().map(|cookie| (cookie.name().to_owned(), cookie.value_trimmed().to_owned())).collect()
    }

    /// Removes the cookie `name` that `url` itself could have set without a path of its own.
    pub fn delete(&self, url: &CookieUrl, name: &str) {
        if let Some(url) = &url.0 {
            delete(&mut self.cookies(), url, name);
        }
    }

    /// Does the same for all names.
    pub fn clear(&self, url: &CookieUrl) {
        let Some(url) = &url.0 else { return };
        let mut cookies = self.cookies();
        let names: Vec<String> =
            matches(&cookies, url).iter().map(|cookie| cookie.name().to_owned()).collect();
        for name in names {
            delete(&mut cookies, url, &name);
        }
    }

    fn store_from<'a>(&self, url: &Url, set_cookie_headers: impl IntoIterator<Item = &'a str>) {
        let mut cookies = self.cookies();
        for header in set_cookie_headers {
            if let Some(cookie) = parse(header) {
                put(&mut cookies, &cookie, url);
            }
        }
    }

    fn header(&self, url: &Url) -> Option<String> {
        let cookies = self.cookies();
        let pairs: Vec<String> = matches(&cookies, url).into_iter().map(pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn cookies(&self) -> MutexGuard<'_, CookieStore> {
        // Each change is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "reqwest")]
impl reqwest::cookie::CookieStore for CookieJar {
    fn set_cookies(
        &self,
        headers: &mut dyn Iterator<Item = &reqwest::header::HeaderValue>,
        url: &reqwest::Url,
    ) {
        self.store_from(
            &crate::url::for_cookies(url),
            headers.filter_map(|header| str::from_utf8(header.as_bytes()).ok()),
        );
    }

    fn cookies(&self, url: &reqwest::Url) -> Option<reqwest::header::HeaderValue> {
        let header = self.header(&crate::url::for_cookies(url))?;
        // Names may be anything that scripts say.
        reqwest::header::HeaderValue::from_bytes(header.as_bytes()).ok()
    }
}

/// Puts a cookie in its place, or leaves the place empty if it has ended already.
fn put(cookies: &mut CookieStore, cookie: &RawCookie<'_>, url: &Url) {
    let Ok(mut cookie) = Cookie::try_from_raw_cookie(cookie, url) else { return };
    if let (CookieDomain::Suffix(domain), Some(host)) = (&cookie.domain, url.domain())
        && !domain.contains('.')
    {
        // No cookie is for all of a top-level domain, but at the most for a domain in it.
        let mut dots = host.rmatch_indices('.').skip(1);
        let start = dots.next().map_or(0, |(dot, _)| dot + 1);
        cookie.domain = CookieDomain::Suffix(host[start..].to_owned());
    }
    if cookie.is_expired() {
        if let Some(domain) = cookie.domain.as_cow() {
            cookies.remove(&domain, &cookie.path, cookie.name());
        }
    } else {
        // Refused if it is not for this host.
        let _ = cookies.insert(cookie.into_owned(), url);
    }
}

fn delete(cookies: &mut CookieStore, url: &Url, name: &str) {
    if let Some(host) = url.host_str() {
        cookies.remove(host, &CookiePath::default_path(url), name);
    }
}

/// The cookies for `url` in the order in which they are sent.
fn matches<'a>(cookies: &'a CookieStore, url: &Url) -> Vec<&'a Cookie<'static>> {
    let mut matches = cookies.matches(url);
    matches.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.as_ref().len()));
    matches
}

/// A cookie as it stands in the header.
fn pair(cookie: &Cookie<'_>) -> String {
    let mut pair: String =
        cookie.name().chars().map(|c| if matches!(c, '\r' | '\n') { '-' } else { c }).collect();
    pair.push('=');
    pair.push_str(&value_on_the_wire(cookie));
    pair
}

fn value_on_the_wire<'a>(cookie: &'a RawCookie<'_>) -> Cow<'a, str> {
    let (value, trimmed) = (cookie.value(), cookie.value_trimmed());
    let legal = trimmed.bytes().all(may_be_in_value);
    match legal {
        // With the quotes that its server has given it.
        true if trimmed.len() < value.len() => Cow::Borrowed(value),
        true if !value.contains([' ', ',']) => Cow::Borrowed(value),
        _ => {
            let rest: String =
                value.chars().filter(|&c| u8::try_from(c).is_ok_and(may_be_in_value)).collect();
            Cow::Owned(if rest.contains([' ', ',']) { format!("\"{rest}\"") } else { rest })
        }
    }
}

/// RFC 6265 section 4.1.1, and space and comma.
fn may_be_in_value(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b';' | b'\\')
}

#[cfg(test)]
mod tests;

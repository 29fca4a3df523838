//! Where a request goes.

use std::sync::Arc;

use url::Url;
use ws_proto::UrlSpelling;

use crate::error::Error;

/// A checked `http` or `https` address.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// As it is shown: as written, the path escaped where it must be.
    pub(crate) text: Arc<str>,
    url: Url,
    /// Host and port as written, for the `Host` header.
    authority: String,
}

/// What connections to servers have in common that can serve each other's requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// In ASCII, an IPv6 address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// # Errors
    ///
    /// [`Error::Url`], [`Error::Scheme`], [`Error::NoHost`], [`Error::Port`].
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let spelled = UrlSpelling::parse(text).map_err(|error| Error::Url { reason: error.to_string() })?;
        if !matches!(spelled.scheme.as_str(), "http" | "https") {
            return Err(Error::Scheme { scheme: spelled.scheme });
        }
        let rest = &spelled.text[spelled.scheme.len() + 1..];
        let authority =
            rest.strip_prefix("//").map(|rest| &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]);
        let authority = authority.and_then(|text| text.rsplit('@').next()).unwrap_or_default().to_owned();
        if authority.is_empty() || authority.starts_with(':') {
            return Err(Error::NoHost);
        }
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        if let Some(port) = port
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && !port.is_empty()
            && port.parse::<u16>().is_err()
        {
            return Err(Error::Port { port: port.to_owned() });
        }
        let url = Url::parse(&spelled.text)
            .map_err(|error| Error::Url { reason: format!("parse \"{}\": {error}", spelled.text) })?;
        let shown = match text.split_once('#') {
            Some((_, fragment)) => format!("{}#{fragment}", spelled.text),
            None => spelled.text,
        };
        Self::new(shown.into(), url, &authority)
    }

    fn new(text: Arc<str>, url: Url, authority: &str) -> Result<Self, Error> {
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Error::NoHost)?;
        // Names in ASCII, the port as it was written.
        let authority = match authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((_, port)) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { text, url, authority })
    }

    /// Where a redirect to `location` leads (RFC 9110 section 10.2.2).
    ///
    /// # Errors
    ///
    /// [`Error::Location`] for what is no address, or as [`parse`](Self::parse).
    pub(crate) fn join(&self, location: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Location { location: location.to_owned(), reason };
        let mut url = self.url.join(location).map_err(|error| bad(error.to_string()))?;
        if url.fragment().is_none() {
            url.set_fragment(self.url.fragment());
        }
        match url.scheme() {
            "http" | "https" => Self::parse(url.as_str()),
            scheme => Err(Error::Scheme { scheme: scheme.to_owned() }),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            tls: self.is_tls(),
            host: self.host().trim_matches(['[', ']']).to_owned(),
            port: self.url.port_or_known_default().unwrap_or(80),
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// In ASCII, an IPv6 address in brackets.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The value of the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    pub(crate) fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The address without user, password and fragment, as a proxy wants it and a `Referer` shows it.
    pub(crate) fn absolute(&self) -> String {
        format!("{}://{}{}", self.url.scheme(), self.authority, self.path())
    }

    /// User name and password, if the address has them.
    pub(crate) fn credentials(&self) -> Option<(String, String)> {
        if self.url.username().is_empty() && self.url.password().is_none() {
            return None;
        }
        Some((unescape(self.url.username()), unescape(self.url.password().unwrap_or_default())))
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| byte == b'%') {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &tail[2..];
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_what_is_sent_of_them() {
        for (text, authority, path, port) in [
            ("http://h", "h", "/", 80),
            ("HTTP://H:80/a b?c d#f", "h:80", "/a%20b?c%20d", 80),
            ("https://u:p@h.test/x", "h.test", "/x", 443),
            ("http://[::1]:81/", "[::1]:81", "/", 81),
            ("http://h?q", "h", "/?q", 80),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(
                (target.authority(), target.path().as_str(), target.origin().port),
                (authority, path, port),
                "{text}"
            );
        }
        assert_eq!(&*Target::parse("http://u:p@h/a b?c d#f").unwrap().text, "http://u:p@h/a%20b?c d#f");
    }

    #[test]
    fn what_is_no_address_for_a_request() {
        for (text, error) in [
            ("", "unsupported protocol scheme \"\""),
            ("nope", "unsupported protocol scheme \"\""),
            ("ftp://x/", "unsupported protocol scheme \"ftp\""),
            ("//h/", "unsupported protocol scheme \"\""),
            ("http://", "no host in the URL"),
            ("http:///x", "no host in the URL"),
            ("http://h:99999/", "address 99999: invalid port"),
        ] {
            assert_eq!(Target::parse(text).unwrap_err().to_string(), error, "{text}");
        }
        for text in ["http://a b/", "http://[::1", "http://h/%zz"] {
            let error = Target::parse(text).unwrap_err();
            assert!(matches!(error, Error::Url { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn redirects_lead_to_absolute_and_relative_places() {
        let from = Target::parse("http://h.test:81/a/b?c").unwrap();
        for (location, to) in [
            ("/x", "http://h.test:81/x"),
            ("d", "http://h.test:81/a/d"),
            ("?e", "http://h.test:81/a/b?e"),
            ("//other/", "http://other/"),
            ("https://s.test/", "https://s.test/"),
        ] {
            assert_eq!(&*from.join(location).unwrap().text, to, "{location}");
        }
        assert!(matches!(from.join("ftp://x/"), Err(Error::Scheme { .. })));
        assert!(matches!(from.join("http://[x"), Err(Error::Location { .. })));
    }

    #[test]
    fn credentials_are_unescaped() {
        let target = Target::parse("http://a%40b:c%3ad%zz@h/")
            .unwrap_or_else(|_| Target::parse("http://a%40b:c%3ad@h/").unwrap());
        assert_eq!(target.credentials().unwrap().0, "a@b");
        assert_eq!(Target::parse("http://h/").unwrap().credentials(), None);
    }
}

//! Which request follows a redirect, by the rules that browsers and Go's client share.

use crate::request::Request;
use crate::target::Target;

/// What is asked for now: the request as given, or as redirects have changed it.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) target: Target,
    /// Without those of [`Request::cookies`] and its jar, which depend on the address.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<bytes::Bytes>,
    /// Whether credentials and cookies that the caller has set himself still go along.
    pub(crate) trusted: bool,
}

/// What describes a body, and goes with it.
const OF_BODY: [&str; 5] =
    ["Content-Type", "Content-Encoding", "Content-Language", "Content-Length", "Transfer-Encoding"];

/// What is meant for one server only.
const SECRET: [&str; 4] = ["Authorization", "Www-Authenticate", "Cookie", "Cookie2"];

impl Ask {
    pub(crate) fn first(request: &Request, target: Target) -> Self {
        let mut body = request.body.clone();
        let mut headers = request.headers.clone();
        if let Some(plain) = &body
            && !request.codings.is_empty()
        {
            let coded =
                request.codings.iter().fold(plain.clone(), |body, coding| coding.encode(&body).into());
            body = Some(coded);
            if !has(&headers, "Content-Encoding") {
                let names: Vec<&str> = request.codings.iter().map(|coding| coding.name()).collect();
                headers.push(("Content-Encoding".to_owned(), names.join(", ")));
            }
        }
        Self { method: request.method.clone(), target, headers, body, trusted: true }
    }

    /// The request for the place a response with `status` points to.
    pub(crate) fn redirected(&self, status: u16, target: Target, is_relative: bool) -> Self {
        let mut next = self.clone();
        let keeps_method = matches!(status, 307 | 308) || matches!(self.method.as_str(), "GET" | "HEAD");
        if !keeps_method {
            next.method = "GET".to_owned();
        }
        if !matches!(status, 307 | 308) {
            next.body = None;
            next.headers.retain(|(name, _)| !is_one_of(name, &OF_BODY));
        }
        if !is_relative {
            // It names the server that has sent us away.
            next.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Host"));
        }
        next.trusted = self.trusted && is_same_party(&self.target, &target);
        if !next.trusted {
            next.headers.retain(|(name, _)| !is_one_of(name, &SECRET));
        }
        next.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Referer"));
        if target.is_tls() || !self.target.is_tls() {
            next.headers.push(("Referer".to_owned(), self.target.absolute()));
        }
        next.target = target;
        next
    }
}

/// Whether a response with this status and a `Location` leads elsewhere.
pub(crate) fn leads_on(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

pub(crate) fn has(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The same host, or one below it.
fn is_same_party(from: &Target, to: &Target) -> bool {
    let (from, to) = (from.host(), to.host());
    from == to || to.strip_suffix(from).is_some_and(|sub| sub.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, url: &str) -> Ask {
        let mut request = Request::new(method, url);
        request.body = Some("b".into());
        request.headers = ["Content-Type", "Authorization", "X-Mine", "Host"]
            .map(|name| (name.to_owned(), "v".to_owned()))
            .to_vec();
        Ask::first(&request, Target::parse(url).unwrap())
    }

    fn names(ask: &Ask) -> Vec<&str> {
        ask.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn methods_and_bodies_after_each_status() {
        let to = || Target::parse("http://h.test/x").unwrap();
        for (method, status, then, body) in [
            ("POST", 301, "GET", false),
            ("POST", 302, "GET", false),
            ("PUT", 303, "GET", false),
            ("HEAD", 302, "HEAD", false),
            ("POST", 307, "POST", true),
            ("PATCH", 308, "PATCH", true),
        ] {
            let next = ask(method, "http://h.test/").redirected(status, to(), true);
            assert_eq!((next.method.as_str(), next.body.is_some()), (then, body), "{method} {status}");
            assert_eq!(has(&next.headers, "Content-Type"), body, "{method} {status}");
        }
    }

    #[test]
    fn secrets_stay_with_their_host_and_those_below_it() {
        for (to, kept) in [
            ("http://h.test/x", true),
            ("http://sub.h.test/x", true),
            ("http://other.test/", false),
            ("http://xh.test/", false),
        ] {
            let next = ask("GET", "http://h.test/").redirected(302, Target::parse(to).unwrap(), false);
            assert_eq!(has(&next.headers, "Authorization"), kept, "{to}");
            assert!(has(&next.headers, "X-Mine"), "{to}");
            let again = next.redirected(302, Target::parse(to).unwrap(), false);
            assert_eq!(again.trusted, kept, "{to}: what was dropped is not had again");
        }
    }

    #[test]
    fn the_host_header_goes_along_with_relative_redirects_only() {
        let to = || Target::parse("http://h.test/x").unwrap();
        assert!(names(&ask("GET", "http://h.test/").redirected(302, to(), true)).contains(&"Host"));
        assert!(!names(&ask("GET", "http://h.test/").redirected(302, to(), false)).contains(&"Host"));
    }

    #[test]
    fn the_referer_is_the_last_address_without_secrets() {
        let next = ask("GET", "https://u:p@h.test/a?b#c").redirected(
            302,
            Target::parse("https://o.test/").unwrap(),
            false,
        );
        assert!(next.headers.contains(&("Referer".to_owned(), "https://h.test/a?b".to_owned())), "{next:?}");
        let down =
            ask("GET", "https://h.test/").redirected(302, Target::parse("http://o.test/").unwrap(), false);
        assert!(!has(&down.headers, "Referer"));
    }
}

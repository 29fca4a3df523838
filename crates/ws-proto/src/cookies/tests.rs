//! What is kept, where it goes, and in which form.

use super::*;

/// The `Cookie` header for an address.
fn header(set: &[(&str, &str)], get: &str) -> Option<String> {
    let jar = CookieJar::new();
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
    for host in ["localhost", "x.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
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

#[test]
fn what_a_server_may_set() {
    let url = WsUrl::parse("ws://a.test/").unwrap();
    for (set, sent) in [
        ("a=b", Some("a=b")),
        ("a=\"b\"", Some("a=\"b\"")),
        ("a=\"b c\"", Some("a=\"b c\"")),
        ("a=b c", Some("a=\"b c\"")),
        ("a=b,c", Some("a=\"b,c\"")),
        ("a=b=c", Some("a=b=c")),
        ("a=", Some("a=")),
        ("a=b; Max-Age=x; Expires=x; Path=x; SameSite=x; X=x", Some("a=b")),
        ("a=b; Max-Age=99999999999999999999", Some("a=b")),
        ("a=b; Max-Age=1000; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some("a=b")),
        ("a", None),
        ("=b", None),
        ("a b=c", None),
        ("a[0]=c", None),
        ("a=b\"c", None),
        ("a={\"b\":1}", None),
        ("a=b\\c", None),
        ("a=\u{e9}", None),
    ] {
        let jar = CookieJar::new();
        jar.store(&url, [set]);
        assert_eq!(jar.header_for(&url).as_deref(), sent, "{set}");
    }
}

fn at(url: &str) -> CookieUrl {
    CookieUrl::parse(url).unwrap()
}

fn texts(jar: &CookieJar, url: &str) -> String {
    let cookies = jar.cookies_for(&at(url)).into_iter();
    cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn set_by_hand_any_text_goes_but_not_onto_the_wire() {
    for (name, value, sent) in [
        ("n", "v w", "n=\"v w\""),
        ("n", " v", "n=\" v\""),
        ("n", "a\"b", "n=ab"),
        ("n", "{\"a\":1, 2}", "n=\"{a:1, 2}\""),
        ("n", "a;b\\\u{7f}\t\n", "n=ab"),
        ("n", "\u{e4}\u{65e5}", "n="),
        ("a;b", "v", "a;b=v"),
        ("a\r\nb", "v", "a--b=v"),
        ("\u{e4}", "v", "\u{e4}=v"),
        ("", "v", "=v"),
    ] {
        let jar = CookieJar::new();
        jar.set(&at("http://a.test/"), name, value, &CookieAttributes::default());
        assert_eq!(jar.cookies_for(&at("https://a.test:8/")), [(name.to_owned(), value.to_owned())]);
        assert_eq!(jar.header_for(&WsUrl::parse("ws://a.test/").unwrap()).as_deref(), Some(sent));
    }
}

#[test]
fn attributes() {
    use std::time::{Duration, SystemTime};
    let none = CookieAttributes::default;
    let text = |text: &str| Some(text.to_owned());
    let (past, future) = (SystemTime::UNIX_EPOCH, SystemTime::now() + Duration::from_secs(1000));
    for (attributes, to, sent) in [
        (none(), "http://a.test/x/z", true),
        (none(), "http://a.test/", false),
        (none(), "https://a.test/x/", true),
        (none(), "http://a.test./x/", true),
        (none(), "ws://a.test/x/", false),
        (none(), "a.test/x/", false),
        (CookieAttributes { path: text("/"), ..none() }, "http://a.test/", true),
        (CookieAttributes { path: text("z"), ..none() }, "http://a.test/x/", true),
        (CookieAttributes { domain: text("a.test"), ..none() }, "http://sub.a.test/x/", true),
        (CookieAttributes { domain: text(".A.test"), ..none() }, "http://a.test/x/", true),
        (CookieAttributes { domain: text("b.test"), ..none() }, "http://b.test/x/", false),
        (CookieAttributes { domain: text("test"), ..none() }, "http://sub.a.test/x/", true),
        (CookieAttributes { domain: text("test"), ..none() }, "http://b.test/x/", false),
        (CookieAttributes { domain: text(""), ..none() }, "http://sub.a.test/x/", false),
        (CookieAttributes { secure: true, ..none() }, "http://a.test/x/", false),
        (CookieAttributes { secure: true, ..none() }, "https://a.test/x/", true),
        (CookieAttributes { http_only: true, ..none() }, "http://a.test/x/", true),
        (CookieAttributes { expires: Some(past), ..none() }, "http://a.test/x/", false),
        (CookieAttributes { expires: Some(future), ..none() }, "http://a.test/x/", true),
        (CookieAttributes { expires: Some(past), max_age: Some(1000), ..none() }, "http://a.test/x/", true),
        (CookieAttributes { max_age: Some(0), ..none() }, "http://a.test/x/", false),
        (CookieAttributes { max_age: Some(i64::MIN), ..none() }, "http://a.test/x/", false),
        (CookieAttributes { max_age: Some(i64::MAX), ..none() }, "http://a.test/x/", true),
    ] {
        let jar = CookieJar::new();
        jar.set(&at("http://a.test/x/y"), "a", "1", &attributes);
        assert_eq!(texts(&jar, to), if sent { "a=1" } else { "" }, "{attributes:?} to {to}");
    }
}

#[test]
fn what_ends_is_gone_and_comes_back_last() {
    let url = at("http://a.test/");
    let jar = CookieJar::new();
    for name in ["a", "b", "c"] {
        jar.set(&url, name, "1", &CookieAttributes::default());
    }
    let ended = CookieAttributes { max_age: Some(-1), ..CookieAttributes::default() };
    jar.set(&url, "a", "", &ended);
    assert_eq!(texts(&jar, "http://a.test/"), "b=1 c=1");
    jar.set(&url, "a", "2", &CookieAttributes::default());
    jar.set(&url, "b", "2", &CookieAttributes::default());
    assert_eq!(texts(&jar, "http://a.test/"), "b=2 c=1 a=2");
    for name in ["a", "b", "c"] {
        jar.set(&url, name, "", &ended);
    }
    assert!(jar.is_empty());
}

#[test]
fn deleting_and_clearing_follow_the_folder_of_the_address() {
    let filled = || {
        let jar = CookieJar::new();
        for (name, path, domain) in
            [("r", "/", None), ("p", "/x", None), ("p", "/", None), ("d", "/", Some("a.test"))]
        {
            let attributes = CookieAttributes {
                path: Some(path.to_owned()),
                domain: domain.map(str::to_owned),
                ..CookieAttributes::default()
            };
            jar.set(&at("http://a.test/"), name, path, &attributes);
        }
        jar
    };
    let all = "p=/x r=/ p=/ d=/";
    for (url, name, left) in [
        ("http://a.test/", "p", "p=/x r=/ d=/"),
        ("http://a.test/x", "p", "p=/x r=/ d=/"),
        ("https://a.test:8/x/y", "p", "r=/ p=/ d=/"),
        ("http://a.test/", "d", "p=/x r=/ p=/"),
        ("http://sub.a.test/", "d", all),
        ("http://a.test/", "q", all),
        ("ws://a.test/", "p", all),
    ] {
        let jar = filled();
        jar.delete(&at(url), name);
        assert_eq!(texts(&jar, "http://a.test/x"), left, "{name} of {url}");
    }
    for (url, left) in [
        ("http://a.test/", "p=/x"),
        ("http://a.test/x", "p=/x"),
        ("http://a.test/x/", "r=/ p=/ d=/"),
        ("http://a.test/x/y/z", all),
        ("http://sub.a.test/", all),
    ] {
        let jar = filled();
        jar.clear(&at(url));
        assert_eq!(texts(&jar, "http://a.test/x"), left, "{url}");
    }
}

#[test]
fn what_is_no_url() {
    let error = CookieUrl::parse("http://a b/").unwrap_err();
    assert_eq!(error.to_string(), "parse \"http://a b/\": invalid character \" \" in host name");
    for nowhere in ["", "nope", "ftp://a.test/", "http://"] {
        assert_eq!(at(nowhere), CookieUrl(None), "{nowhere}");
    }
}

#[cfg(feature = "reqwest")]
#[test]
fn an_http_client_shares_the_jar() {
    use reqwest::header::HeaderValue;
    let jar = std::sync::Arc::new(CookieJar::new());
    let client: std::sync::Arc<dyn reqwest::cookie::CookieStore> = jar.clone();
    let url = reqwest::Url::parse("http://x.localhost:8/dir/").unwrap();
    let headers = [HeaderValue::from_static("a=1; Secure"), HeaderValue::from_bytes(b"b=\xff").unwrap()];
    client.set_cookies(&mut headers.iter(), &url);
    let seen = WsUrl::parse("ws://x.localhost/dir/ws").unwrap();
    assert_eq!(jar.header_for(&seen).as_deref(), Some("a=1"));
    jar.store(&seen, ["c=2"]);
    assert_eq!(client.cookies(&url), Some(HeaderValue::from_static("a=1; c=2")));
    assert_eq!(client.cookies(&reqwest::Url::parse("http://b.test/").unwrap()), None);
}

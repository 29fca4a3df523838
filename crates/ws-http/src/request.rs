//! What is asked for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ws_proto::CookieJar;

use crate::coding::Coding;

/// A request, with the rules by which it is made and its redirects are followed.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, or any other token.
    pub method: String,
    /// The address, `http` or `https`; user name and password in it become basic credentials.
    pub url: String,
    /// In this order; a name may come twice. `Host` replaces the one of the URL.
    pub headers: Vec<(String, String)>,
    /// What is sent after the head. `None`: nothing, not even a length of zero for methods that do without.
    pub body: Option<Bytes>,
    /// Codings to send the body in, the first one first.
    pub codings: Vec<Coding>,
    /// How the credentials of the URL are shown.
    pub auth: Auth,
    /// Cookies of this request alone, in front of the jar's.
    pub cookies: Vec<RequestCookie>,
    /// Where cookies come from and go to; `None`: nowhere.
    pub jar: Option<Arc<CookieJar>>,
    /// How many redirects are followed.
    pub redirects: u32,
    /// For everything, from the lookup of the name to the last byte of the last response.
    pub timeout: Duration,
    /// Whether the body of the response is wanted. It is read in any case.
    pub keep_body: bool,
    /// Whether bodies and responses are wanted as they were sent and received, for each hop.
    pub keep_transcript: bool,
}

/// A cookie of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it takes the place of the jar's cookies of that name; else it comes in front of them.
    pub replaces: bool,
}

/// How credentials are shown to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// In every request, as they are (RFC 7617).
    #[default]
    Basic,
    /// As the answer to the server's challenge (RFC 7616): the request is made twice.
    Digest,
}

impl Request {
    /// A request with nothing but a method and an address: up to 10 redirects, one minute.
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            codings: Vec::new(),
            auth: Auth::Basic,
            cookies: Vec::new(),
            jar: None,
            redirects: 10,
            timeout: Duration::from_secs(60),
            keep_body: true,
            keep_transcript: false,
        }
    }
}

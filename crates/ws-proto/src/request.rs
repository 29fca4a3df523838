//! The upgrade request (RFC 6455 section 4.1), line for line as k6 sends it.

use std::collections::BTreeMap;

use crate::WsUrl;
use crate::deflate::{DeflateOffer, DeflatePolicy};
use crate::headers::{canonical_name, is_token};

/// Headers that the handshake sets itself.
const RESERVED: [&str; 5] =
    ["Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions"];

/// Headers that would announce a body, which an upgrade request has not.
const BODY: [&str; 3] = ["Content-Length", "Transfer-Encoding", "Trailer"];

/// What a client asks for: a user agent, cookies and headers of its own.
///
/// # Examples
///
/// ```
/// use ws_proto::{UpgradeRequest, WsUrl};
///
/// let mut request = UpgradeRequest::new();
/// request.user_agent(Some("demo/1")).cookie("sid=1");
/// request.header("x-trace", "7")?;
/// let bytes = request.encode(&WsUrl::parse("ws://localhost:9001/chat")?, "AQIDBAUGBwgJCgsMDQ4PEC==");
/// assert_eq!(
///     String::from_utf8(bytes)?,
///     "GET /chat HTTP/1.1\r\nHost: localhost:9001\r\nUser-Agent: demo/1\r\nConnection: Upgrade\r\n\
///      Cookie: sid=1\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\nSec-WebSocket-Version: 13\r\n\
///      Upgrade: websocket\r\nX-Trace: 7\r\n\r\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeRequest {
    user_agent: Option<String>,
    cookie: Option<String>,
    /// By canonical name; the map's order is the order on the wire.
    headers: BTreeMap<String, String>,
    offer: Option<DeflateOffer>,
    policy: DeflatePolicy,
}

/// Why a header cannot be part of an upgrade request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The handshake itself sets this header; holds its canonical name.
    #[error("duplicate header not allowed: {0}")]
    Reserved(String),
}

impl UpgradeRequest {
    /// A request without headers of its own and without a user agent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the `User-Agent` that is sent unless [`header`](Self::header) gives one; `None` sends none.
    pub fn user_agent(&mut self, agent: Option<&str>) -> &mut Self {
        self.user_agent = agent.map(one_line);
        self
    }

    /// Sets the `Cookie` line that is sent unless [`header`](Self::header) gives one; empty sends none.
    pub fn cookie(&mut self, cookie: impl AsRef<str>) -> &mut Self {
        self.cookie = Some(one_line(cookie.as_ref())).filter(|c| !c.is_empty());
        self
    }

    /// Adds a header; of two spellings of one name the last wins.
    ///
    /// `Host` changes the `Host` line only, an empty `User-Agent` sends none. A name with illegal characters and
    /// headers that announce a body are dropped; line breaks in a value become spaces.
    ///
    /// # Errors
    ///
    /// [`RequestError::Reserved`] for a header that the handshake sets itself.
    pub fn header(&mut self, name: &str, value: &str) -> Result<&mut Self, RequestError> {
        let name = canonical_name(name);
        if RESERVED.contains(&name.as_str()) {
            return Err(RequestError::Reserved(name));
        }
        if is_token(&name) && !BODY.contains(&name.as_str()) {
            self.headers.insert(name, one_line(value));
        }
        Ok(self)
    }

    /// Offers to compress messages (RFC 7692); `None`, as from the start, offers nothing.
    pub fn deflate(&mut self, offer: Option<DeflateOffer>) -> &mut Self {
        self.offer = offer;
        self
    }

    /// Sets which answers make compression an agreement; [`Strict`](DeflatePolicy::Strict) from the start.
    pub fn deflate_policy(&mut self, policy: DeflatePolicy) -> &mut Self {
        self.policy = policy;
        self
    }

    pub(crate) fn deflate_terms(&self) -> (Option<DeflateOffer>, DeflatePolicy) {
        (self.offer, self.policy)
    }

    /// The value that was given for a header, by its canonical name.
    pub fn get(&self, canonical: &str) -> Option<&str> {
        self.headers.get(canonical).map(String::as_str)
    }

    /// The request as bytes: `Host`, `User-Agent`, then all others sorted by name. Of the address, user and password
    /// are sent as well, unless there is a header `Authorization`.
    pub fn encode(&self, url: &WsUrl, key: &str) -> Vec<u8> {
        let given = |name| self.get(name).filter(|value| !value.is_empty());
        let host = given("Host").map_or_else(|| url.host_header(), str::to_owned);
        let mut out = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n", url.request_target());
        let mut line = |name: &str, value: &str| {
            out.extend([name, ": ", value, "\r\n"]);
        };
        if let Some(agent) = self.get("User-Agent").or(self.user_agent.as_deref()).filter(|a| !a.is_empty()) {
            line("User-Agent", agent);
        }
        // Sorted by the spelling on the wire; these have fixed ones.
        let mut lines: BTreeMap<&str, &str> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        lines.remove("Host");
        lines.remove("User-Agent");
        if let Some(protocol) = lines.remove("Sec-Websocket-Protocol") {
            lines.insert("Sec-WebSocket-Protocol", protocol);
        }
        if let Some(cookie) = &self.cookie {
            lines.entry("Cookie").or_insert(cookie);
        }
        if let Some(credentials) = url.authorization() {
            lines.entry("Authorization").or_insert(credentials);
        }
        let offer = self.offer.map(|offer| offer.to_string());
        if let Some(offer) = &offer {
            lines.insert("Sec-WebSocket-Extensions", offer);
        }
        lines.extend([
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Version", "13"),
            ("Upgrade", "websocket"),
        ]);
        for (name, value) in lines {
            line(name, value);
        }
        out.push_str("\r\n");
        out.into_bytes()
    }
}

/// A value that cannot end its header line.
fn one_line(value: &str) -> String {
    value.replace(['\r', '\n'], " ").trim_matches([' ', '\t']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(headers: &[(&str, &str)], prepare: impl FnOnce(&mut UpgradeRequest)) -> String {
        let mut request = UpgradeRequest::new();
        prepare(&mut request);
        for (name, value) in headers {
            request.header(name, value).unwrap();
        }
        let url = WsUrl::parse("ws://h:1/a b?q=1 2").unwrap();
        String::from_utf8(request.encode(&url, "KEY")).unwrap()
    }

    #[test]
    fn order_and_spelling_on_the_wire() {
        let text = encoded(
            &[
                ("x-my-hEader", "1"),
                ("X-MY-header", "2"),
                ("foo bar", "x"),
                ("X_under", "q"),
                ("X-Break", "a\r\nb"),
                ("X-Empty", ""),
                ("X-Space", " s\t"),
                ("content-length", "5"),
                ("sec-websocket-protocol", "chat, v2"),
                ("Accept", "ü"),
            ],
            |r| _ = r.user_agent(Some("agent")).cookie("a=1; b=2"),
        );
        assert_eq!(
            text,
            "GET /a%20b?q=1%202 HTTP/1.1\r\nHost: h:1\r\nUser-Agent: agent\r\nAccept: ü\r\nConnection: Upgrade\r\n\
             Cookie: a=1; b=2\r\nSec-WebSocket-Key: KEY\r\nSec-WebSocket-Protocol: chat, v2\r\n\
             Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nX-Break: a  b\r\nX-Empty: \r\nX-My-Header: 2\r\n\
             X-Space: s\r\nX_under: q\r\n\r\n"
        );
    }

    #[test]
    fn an_offer_of_compression() {
        let text = encoded(&[], |r| _ = r.deflate(Some(DeflateOffer::without_takeover())));
        assert!(
            text.contains(
                "\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate; \
                 server_no_context_takeover; client_no_context_takeover\r\nSec-WebSocket-Key: KEY\r\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn own_host_agent_and_cookie_win() {
        let text = encoded(&[("HOST", "other:9"), ("user-agent", "mine"), ("cookie", "z=1")], |r| {
            _ = r.user_agent(Some("agent")).cookie("a=1")
        });
        assert!(text.contains("\r\nHost: other:9\r\nUser-Agent: mine\r\n"), "{text}");
        assert!(text.contains("\r\nCookie: z=1\r\n") && !text.contains("a=1"), "{text}");
    }

    #[test]
    fn empty_agent_is_not_sent() {
        let text = encoded(&[("User-Agent", ""), ("Host", "")], |r| _ = r.user_agent(Some("agent")));
        assert!(!text.contains("User-Agent"), "{text}");
        assert!(text.contains("\r\nHost: h:1\r\n"), "{text}");
    }

    #[test]
    fn credentials_of_the_address_unless_there_is_a_header() {
        let url = WsUrl::parse("ws://me:secret@h/").unwrap();
        let text = |request: &UpgradeRequest| String::from_utf8(request.encode(&url, "KEY")).unwrap();
        let mut request = UpgradeRequest::new();
        assert!(text(&request).starts_with(
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic bWU6c2VjcmV0\r\nConnection: Upgrade\r\n"
        ));
        request.header("authorization", "Bearer 1").unwrap();
        assert!(text(&request).contains("\r\nAuthorization: Bearer 1\r\n"));
        assert!(!text(&request).contains("Basic"));
    }

    #[test]
    fn no_value_ends_its_line() {
        let text = encoded(&[("A", "x\r\nB: 1")], |r| _ = r.user_agent(Some("y\nC: 1")).cookie("z\r\nD: 1"));
        for injected in ["\nB:", "\nC:", "\nD:"] {
            assert!(!text.contains(injected), "{text}");
        }
    }

    #[test]
    fn reserved_names() {
        for name in [
            "upgrade",
            "CONNECTION",
            "sec-websocket-key",
            "Sec-WebSocket-Version",
            "sec-WebSocket-Extensions",
        ] {
            let error = UpgradeRequest::new().header(name, "x").unwrap_err();
            assert_eq!(error, RequestError::Reserved(canonical_name(name)));
        }
        let error = RequestError::Reserved("Upgrade".into());
        assert_eq!(error.to_string(), "duplicate header not allowed: Upgrade");
    }
}

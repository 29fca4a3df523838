//! One request from its begin to its last response: hop by hop, and what was measured of each.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use ws_proto::{CookieUrl, Headers};

use crate::client::Core;
use crate::coding;
use crate::connections::{Connection, Connections, Sender};
use crate::digest;
use crate::error::Error;
use crate::redirect::{self, Ask, has};
use crate::request::{Auth, Request};
use crate::response::{Hop, Outcome, Protocol, Response, SentRequest, Timings};
use crate::target::Target;

/// Makes the request, and those that follow from its responses.
pub(crate) async fn run(core: &Core, connections: &Connections, request: &Request) -> Outcome {
    let mut hops = Vec::new();
    let result = follow(core, connections, request, &mut hops).await;
    Outcome { hops, result }
}

async fn follow(
    core: &Core,
    connections: &Connections,
    request: &Request,
    hops: &mut Vec<Hop>,
) -> Result<Response, Error> {
    let deadline = tokio::time::Instant::now() + request.timeout;
    let target = Target::parse(&request.url).inspect_err(|error| {
        if !matches!(error, Error::Url { .. }) {
            let mut progress = Progress::new(&request.method, &request.url);
            progress.sent = Some(SentRequest::of(&request.headers));
            hops.push(progress.failed(error));
        }
    })?;
    let mut ask = Ask::first(request, target);
    let mut authorization = None;
    let mut left = request.redirects;
    loop {
        let mut progress = Progress::new(&ask.method, &ask.target.text);
        let asked = one(core, connections, request, &ask, authorization.as_deref(), &mut progress);
        let received = match tokio::time::timeout_at(deadline, asked).await {
            Ok(received) => received,
            Err(_) => Err(Error::Timeout),
        };
        match &received {
            Ok(received) => hops.push(progress.received(received, request.keep_transcript)),
            // It is no response to the request, but the begin of something else.
            Err(Error::Switched { .. }) => {}
            Err(error) => hops.push(progress.failed(error)),
        }
        let received = received?;
        keep_cookies(request, &ask.target, &received.response.headers);
        if let Some(answer) = answer_to_challenge(request, &ask, &received.response, authorization.is_some())?
        {
            authorization = Some(answer);
            continue;
        }
        let mut response = received.response;
        let location = response.headers.get("Location").filter(|_| redirect::leads_on(response.status));
        let Some(location) = location.filter(|location| !location.is_empty()) else { return Ok(response) };
        if left == 0 {
            response.redirects_used_up = true;
            return Ok(response);
        }
        left -= 1;
        let is_relative = !location.contains("://");
        let next = ask.target.join(location).inspect_err(|error| {
            if matches!(error, Error::Scheme { .. }) {
                hops.push(Progress::new("GET", location).failed(error));
            }
        })?;
        ask = ask.redirected(response.status, next, is_relative);
        authorization = None;
    }
}

fn keep_cookies(request: &Request, from: &Target, headers: &Headers) {
    let Some(jar) = &request.jar else { return };
    let mut lines = headers.get_all("Set-Cookie").peekable();
    if lines.peek().is_some()
        && let Ok(url) = CookieUrl::parse(&from.absolute())
    {
        jar.store_for(&url, lines);
    }
}

/// The value of `Authorization` for another try.
fn answer_to_challenge(
    request: &Request,
    ask: &Ask,
    response: &Response,
    tried: bool,
) -> Result<Option<String>, Error> {
    if request.auth != Auth::Digest || response.status != 401 || tried || !ask.trusted {
        return Ok(None);
    }
    let is_digest =
        |challenge: &&str| challenge.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest"));
    let challenge = response.headers.get_all("Www-Authenticate").find(is_digest);
    let Some((challenge, credentials)) = challenge.zip(ask.target.credentials()) else { return Ok(None) };
    let body = ask.body.as_deref().unwrap_or_default();
    digest::answer(challenge, &credentials, &ask.method, &ask.target.path(), body).map(Some)
}

/// A response, and what it took to get it.
struct Received {
    response: Response,
    raw: Bytes,
}

/// One request and its response.
async fn one(
    core: &Core,
    connections: &Connections,
    request: &Request,
    ask: &Ask,
    authorization: Option<&str>,
    progress: &mut Progress,
) -> Result<Received, Error> {
    let headers = headers_of(request, ask, authorization);
    progress.sent = Some(SentRequest {
        headers: headers.clone(),
        body: ask.body.clone().filter(|_| request.keep_transcript).unwrap_or_default(),
    });
    check(&headers)?;
    let method = hyper::Method::from_bytes(ask.method.as_bytes())
        .map_err(|_| Error::Method { method: ask.method.clone() })?;
    let origin = ask.target.origin();
    loop {
        let (mut connection, is_reused) = connections.take(core, &origin).await?;
        if let Some(shared) = connection.share() {
            connections.give_back(shared);
        }
        connection.marks.reset();
        progress.connected(&connection, is_reused);
        let message = message(&method, ask, &headers, &connection)?;
        match talk(core, &mut connection, message, request, progress).await {
            Ok((response, raw, is_whole)) => {
                let stays =
                    core.config.keep_alive && is_whole && !response.headers.has_token("Connection", "close");
                if stays {
                    connections.give_back(connection);
                }
                let response = Response { url: Arc::clone(&ask.target.text), ..response };
                return Ok(Received { response, raw });
            }
            // The server has closed an idle connection just as it was to be used.
            Err(_) if is_reused && may_be_repeated(&connection, &ask.method) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether a request that a connection used before did not take can go over another one: nothing of it was sent, or
/// nothing came back and it may be made twice (RFC 9110 section 9.2.2).
fn may_be_repeated(connection: &Connection, method: &str) -> bool {
    let marks = &connection.marks;
    marks.last_write().is_none()
        || (marks.first_read().is_none() && matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE"))
}

/// Finds what cannot be a header line.
fn check(headers: &Headers) -> Result<(), Error> {
    for (name, value) in headers.iter() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Error::HeaderName { name: name.to_owned() });
        }
        if HeaderValue::from_bytes(value.as_bytes()).is_err() {
            return Err(Error::HeaderValue { name: name.to_owned() });
        }
    }
    Ok(())
}

/// The header lines, but those that tell how long the body is.
fn headers_of(request: &Request, ask: &Ask, authorization: Option<&str>) -> Headers {
    let mut headers = Headers::default();
    let mut own_cookies = Vec::new();
    for (name, value) in &ask.headers {
        // A header without a value is one that is not wanted; lengths are told by what is sent.
        if value.is_empty() && name.eq_ignore_ascii_case("User-Agent") || is_framing(name) {
            continue;
        }
        if name.eq_ignore_ascii_case("Cookie") {
            own_cookies.push(value.clone());
            continue;
        }
        headers.push(name, value.as_str());
    }
    if !has(&ask.headers, "Authorization") && ask.trusted {
        match (request.auth, ask.target.credentials(), authorization) {
            (_, _, Some(answer)) => headers.push("Authorization", answer),
            (Auth::Basic, Some((user, password)), None) => {
                headers.push("Authorization", ws_proto::basic_credentials(&user, &password));
            }
            _ => {}
        }
    }
    if let Some(cookies) = cookies_of(request, ask, own_cookies) {
        headers.push("Cookie", cookies);
    }
    headers
}

fn is_framing(name: &str) -> bool {
    ["Content-Length", "Transfer-Encoding"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn cookies_of(request: &Request, ask: &Ask, mut pairs: Vec<String>) -> Option<String> {
    if ask.trusted {
        pairs.extend(request.cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)));
    }
    if let Some(jar) = &request.jar
        && let Ok(url) = CookieUrl::parse(&ask.target.absolute())
    {
        let replaced =
            |name: &str| request.cookies.iter().any(|cookie| cookie.replaces && cookie.name == name);
        pairs.extend(
            jar.pairs_for(&url).into_iter().filter(|(name, _)| !replaced(name)).map(|(_, pair)| pair),
        );
    }
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

/// The message as hyper wants it.
fn message(
    method: &hyper::Method,
    ask: &Ask,
    headers: &Headers,
    connection: &Connection,
) -> Result<hyper::Request<Full<Bytes>>, Error> {
    let bad = |error: &dyn std::fmt::Display| Error::Url { reason: error.to_string() };
    let host = ask.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Host"));
    let host = host.map_or(ask.target.authority(), |(_, value)| value);
    let is_http2 = matches!(connection.sender, Some(Sender::Http2(_)));
    let uri = if is_http2 {
        format!("https://{host}{}", ask.target.path())
    } else if connection.plain_proxy.is_some() {
        ask.target.absolute()
    } else {
        ask.target.path()
    };
    let mut message = hyper::Request::builder().method(method).uri(uri);
    if !is_http2 {
        message = message.header("Host", host);
    }
    for (name, value) in headers.iter().filter(|(name, _)| *name != "Host") {
        message = message.header(name, value);
    }
    if let Some(Some(authorization)) = &connection.plain_proxy {
        message = message.header("Proxy-Authorization", &**authorization);
    }
    let body = ask.body.clone();
    // RFC 9110 section 8.6: where a body is usual, its absence is told.
    if body.is_some() || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        message = message.header("Content-Length", body.as_ref().map_or(0, Bytes::len));
    }
    message.body(Full::new(body.unwrap_or_default())).map_err(|error| bad(&error))
}

/// Sends the message and reads all of the response. Says whether it was whole, and gives the body as it was sent, too.
async fn talk(
    core: &Core,
    connection: &mut Connection,
    message: hyper::Request<Full<Bytes>>,
    request: &Request,
    progress: &mut Progress,
) -> Result<(Response, Bytes, bool), Error> {
    let Some(sender) = &mut connection.sender else { return Err(Error::Closed) };
    let response = match sender {
        Sender::Http1(sender) => match sender.ready().await {
            Ok(()) => sender.send_request(message).await,
            Err(error) => Err(error),
        },
        Sender::Http2(sender) => match sender.ready().await {
            Ok(()) => sender.send_request(message).await,
            Err(error) => Err(error),
        },
    };
    let response = response.map_err(|error| fault(&error, connection, false))?;
    progress.head = Some(Instant::now());
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let reason = match parts.extensions.get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => parts.status.canonical_reason().unwrap_or_default().to_owned(),
    };
    if status == 101 {
        return Err(Error::Switched { status, reason });
    }
    let protocol = match parts.version {
        hyper::Version::HTTP_10 => Protocol::Http10,
        hyper::Version::HTTP_2 => Protocol::Http2,
        _ => Protocol::Http11,
    };
    progress.protocol = Some(protocol);
    let mut headers = Headers::default();
    for (name, value) in &parts.headers {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let (raw, cut) = read(body, core.config.body_limit).await;
    let cut = cut.map(|cut| match cut {
        Cut::Limit => Error::TooLarge { limit: core.config.body_limit },
        Cut::Broken(error) => fault(&error, connection, true),
    });
    let is_whole = cut.is_none();
    let (body, fault) = match (&cut, headers.joined("Content-Encoding")) {
        (None, Some(codings)) if request.keep_body => {
            match coding::decode(raw.clone(), &codings, core.config.body_limit) {
                Ok(body) => (body, None),
                Err(error) => (Bytes::new(), Some(error)),
            }
        }
        _ if request.keep_body => (raw.clone(), cut),
        _ => (Bytes::new(), cut),
    };
    let url = Arc::default();
    let response = Response { status, reason, protocol, headers, body, url, fault, redirects_used_up: false };
    Ok((response, raw, is_whole))
}

/// Why a body ended too soon.
enum Cut {
    Limit,
    Broken(hyper::Error),
}

async fn read(mut body: Incoming, limit: u64) -> (Bytes, Option<Cut>) {
    // Most bodies are one piece, which then need not be copied.
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    let mut cut = None;
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) => {
                cut = Some(Cut::Broken(error));
                break;
            }
        };
        if (first.len() + all.len() + data.len()) as u64 > limit {
            cut = Some(Cut::Limit);
            break;
        }
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    (if all.is_empty() { first } else { all.freeze() }, cut)
}

/// What hyper's error says, as a fact.
fn fault(error: &hyper::Error, connection: &Connection, in_body: bool) -> Error {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<h2::Error>()
            && let Some(reason) = error.reason()
        {
            let connection = error.is_go_away();
            return Error::Http2 { code: reason.into(), connection, reason: error.to_string() };
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                return if in_body { Error::Truncated } else { Error::Closed };
            }
            let source = Arc::new(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            });
            let reading = connection.marks.broke_reading();
            return Error::Broken { reading, local: connection.local, peer: connection.peer, source };
        }
        source = inner.source();
    }
    if error.is_parse() {
        return Error::Malformed { reason: error.to_string() };
    }
    if in_body { Error::Truncated } else { Error::Closed }
}

/// What is known of a hop while it is under way.
struct Progress {
    method: Arc<str>,
    url: Arc<str>,
    started: Instant,
    connected: Option<Instant>,
    connection: Option<Facts>,
    head: Option<Instant>,
    protocol: Option<Protocol>,
    sent: Option<SentRequest>,
}

struct Facts {
    peer: std::net::SocketAddr,
    tls: Option<crate::response::TlsFacts>,
    connecting: Duration,
    tls_handshaking: Duration,
    marks: Arc<crate::wire::Marks>,
    /// Whether the first byte that comes in belongs to the response.
    is_plain: bool,
}

impl Progress {
    fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            started: Instant::now(),
            connected: None,
            connection: None,
            head: None,
            protocol: None,
            sent: None,
        }
    }

    fn connected(&mut self, connection: &Connection, is_reused: bool) {
        self.connected = Some(Instant::now());
        let phase = |phase| if is_reused { Duration::ZERO } else { phase };
        self.connection = Some(Facts {
            peer: connection.peer,
            tls: connection.tls,
            connecting: phase(connection.connecting),
            tls_handshaking: phase(connection.tls_handshaking),
            marks: Arc::clone(&connection.marks),
            is_plain: connection.tls.is_none(),
        });
    }

    fn timings(&self, ended: Instant) -> Timings {
        let (Some(connected), Some(facts)) = (self.connected, &self.connection) else {
            return Timings::default();
        };
        let first_read = facts.marks.first_read().filter(|_| facts.is_plain && self.head.is_some());
        let first = first_read.or(self.head).unwrap_or(ended).clamp(connected, ended);
        // A server may answer before it has heard everything.
        let wrote = facts.marks.last_write().unwrap_or(connected).clamp(connected, first);
        Timings {
            blocked: connected - self.started,
            connecting: facts.connecting,
            tls_handshaking: facts.tls_handshaking,
            sending: wrote - connected,
            waiting: first - wrote,
            receiving: ended - first,
        }
    }

    fn hop(self) -> Hop {
        let ended = Instant::now();
        Hop {
            timings: self.timings(ended),
            method: self.method,
            url: self.url,
            started: self.started,
            ended,
            status: None,
            protocol: self.protocol,
            peer: self.connection.as_ref().map(|facts| facts.peer),
            tls: self.connection.as_ref().and_then(|facts| facts.tls),
            error: None,
            sent: self.sent,
            received: None,
        }
    }

    fn failed(self, error: &Error) -> Hop {
        Hop { error: Some(error.clone()), protocol: None, ..self.hop() }
    }

    fn received(self, received: &Received, keep_transcript: bool) -> Hop {
        let Received { response, raw } = received;
        let hop = self.hop();
        Hop {
            status: response.fault.is_none().then_some(response.status),
            error: response.fault.clone(),
            received: keep_transcript.then(|| (response.headers.clone(), raw.clone())),
            ..hop
        }
    }
}

//! From an address to an open connection: TCP connect, tunnel, TLS, upgrade; never blocks.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Interest, Registry, Token};
use tungstenite::handshake::client::generate_key;

use crate::arena::Arena;
use crate::body::BodyReader;
use crate::connection::{Connection, Deflate};
use crate::deflate::{DeflateAgreement, DeflateOffer, DeflatePolicy, Deflater};
use crate::error::{Direction, Error, PeerError, Phase};
use crate::limits::{Limits, TimeLimit};
use crate::opening::Opening;
use crate::response::{HeadParser, UpgradeResponse};
use crate::tcp;
use crate::tls::TlsStream;
use crate::transport::{Fill, Flushed, StreamError, Transport};

/// A connection that is being opened.
///
/// Register it for reading and writing, call [`advance`](Self::advance) on any readiness and at the
/// [`deadline`](Self::deadline). The open [`Connection`] is the same socket and stays registered.
#[derive(Debug)]
pub struct Handshaking(Box<Inner>);

/// What [`Handshaking::advance`] came to.
#[derive(Debug)]
pub enum Step {
    /// Not done: wait for the next readiness.
    Pending(Handshaking),
    /// Open. What came right after the response is in the connection already: read it once without waiting.
    Open(Box<Connection>, UpgradeResponse, HandshakeTimings),
}

/// How long each part of an opening handshake took; `None` for a part that was not needed, or did not come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HandshakeTimings {
    /// The TCP connection.
    pub connect: Option<Duration>,
    /// The request for a tunnel and the proxy's answer, whatever it says.
    pub tunnel: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request's first byte to the end of the response's head, whatever it says.
    pub upgrade: Option<Duration>,
}

/// A connection that did not open.
#[derive(Debug)]
pub struct HandshakeFailure {
    /// Why.
    pub error: Error,
    /// The HTTP response that refused the upgrade, if there was one.
    pub response: Option<UpgradeResponse>,
    /// How long the parts took that came to their end.
    pub timings: HandshakeTimings,
    /// Raw bytes read from the socket.
    pub bytes_read: u64,
    /// Raw bytes written to the socket.
    pub bytes_written: u64,
}

impl fmt::Display for HandshakeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for HandshakeFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    state: State,
    addr: SocketAddr,
    /// Where it was to leave from.
    from: Option<IpAddr>,
    local: Option<SocketAddr>,
    host: String,
    key: String,
    /// The request to the proxy, if there is one, and what waits for its answer.
    tunnel: Option<Tunnel>,
    request: Vec<u8>,
    sent: usize,
    offer: Option<DeflateOffer>,
    policy: DeflatePolicy,
    deflater: Option<Deflater>,
    /// The response as it arrives, decrypted.
    arena: Arena,
    limits: Limits,
    started: Instant,
    /// When the current phase began.
    since: Instant,
    timings: HandshakeTimings,
}

#[derive(Debug)]
struct Tunnel {
    request: Vec<u8>,
    /// For `wss`: begun at the far end of the tunnel.
    tls: Option<Box<TlsStream>>,
}

#[derive(Debug)]
enum State {
    Connect,
    Tunnel(HeadParser),
    Tls,
    Head(HeadParser),
    /// The response is no upgrade; its body is collected.
    Body(BodyReader, UpgradeResponse, PeerError),
}

/// Where a pass over the state machine ended.
enum Outcome {
    Blocked,
    /// The head is complete, in so many bytes, and fine; perhaps it agrees to compression.
    Open(UpgradeResponse, usize, Option<DeflateAgreement>),
}

struct Failed {
    error: Error,
    response: Option<Box<UpgradeResponse>>,
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), response: None }
    }
}

impl Handshaking {
    /// Begins to connect; `now` starts the clock of the first step.
    pub(crate) fn start(opening: &Opening<'_>, now: Instant) -> Result<Self, Error> {
        let Opening { addr, local, url, request, limits, .. } = *opening;
        let tls = match (url.is_tls(), opening.tls) {
            (true, Some(config)) => Some(config.client(url.host())?),
            (true, None) => return Err(Error::TlsMissing),
            (false, _) => None,
        };
        let tcp = tcp::connect(addr, local)?;
        let key = generate_key();
        let (offer, policy) = request.deflate_terms();
        let (tls, tunnel) = match opening.proxy {
            Some(proxy) => {
                (None, Some(Tunnel { request: proxy.tunnel_request(url.host(), url.port()), tls }))
            }
            None => (tls, None),
        };
        let mut transport = Transport::new(tcp, tls);
        if opening.stamp_arrivals {
            // From the first read on: messages that come with the response have a time as well.
            transport.stamp_arrivals();
        }
        Ok(Self(Box::new(Inner {
            transport,
            state: State::Connect,
            addr,
            from: local,
            // The port is chosen on the way.
            local: local.map(|ip| SocketAddr::new(ip, 0)),
            host: url.host().to_owned(),
            request: request.encode(url, &key),
            key,
            tunnel,
            sent: 0,
            offer,
            policy,
            deflater: opening.deflater.cloned(),
            arena: Arena::small(),
            limits: limits.clone(),
            started: opening.began.unwrap_or(now),
            since: now,
            timings: HandshakeTimings::default(),
        })))
    }

    /// Goes on as far as the socket allows.
    ///
    /// # Errors
    ///
    /// The [`HandshakeFailure`] that ended it, a timeout if `now` is past the deadline.
    pub fn advance(self, now: Instant) -> Result<Step, Box<HandshakeFailure>> {
        self.advance_by(&mut || now)
    }

    /// The same with a clock that is read at the end of each step, so that a step that begins and ends in one call
    /// has a duration: a server on the same machine may answer at once.
    ///
    /// # Errors
    ///
    /// As [`advance`](Self::advance).
    pub fn advance_by(mut self, clock: &mut dyn FnMut() -> Instant) -> Result<Step, Box<HandshakeFailure>> {
        match self.0.run(clock) {
            Ok(Outcome::Open(response, used, agreement)) => {
                let Inner { transport, addr, arena, limits, timings, offer, deflater, .. } = *self.0;
                let early = arena.since(used).to_vec();
                let deflate = agreement.map(|agreement| {
                    let level = offer.unwrap_or(DeflateOffer::without_takeover()).level;
                    Deflate { agreement, level, deflater: deflater.unwrap_or_default() }
                });
                let connection = Connection::new(transport, addr, early, &limits, deflate);
                Ok(Step::Open(Box::new(connection), response, timings))
            }
            Ok(Outcome::Blocked) if clock() < self.deadline() => Ok(Step::Pending(self)),
            Ok(Outcome::Blocked) => {
                let failed = self.0.out_of_time();
                Err(self.0.failure(failed))
            }
            Err(failed) => Err(self.0.failure(failed)),
        }
    }

    /// When to call [`advance`](Self::advance) without readiness; changes once TCP is connected.
    pub fn deadline(&self) -> Instant {
        let all = self.0.started + self.0.limits.handshake_timeout;
        match self.0.state {
            State::Connect => self.0.started + self.0.limits.first_to_connect().1,
            _ => all,
        }
    }

    /// Raw bytes read from the socket so far.
    pub fn bytes_read(&self) -> u64 {
        self.0.transport.bytes_read()
    }

    /// Raw bytes written to the socket so far.
    pub fn bytes_written(&self) -> u64 {
        self.0.transport.bytes_written()
    }
}

impl Inner {
    fn run(&mut self, clock: &mut dyn FnMut() -> Instant) -> Result<Outcome, Failed> {
        if matches!(self.state, State::Connect) {
            if !self.connected()? {
                return Ok(Outcome::Blocked);
            }
            self.timings.connect = Some(self.lap(clock()));
            self.state = match self.tunnel {
                Some(_) => State::Tunnel(HeadParser::default()),
                None => State::Tls,
            };
        }
        if matches!(self.state, State::Tunnel(_)) {
            if !self.tunnelled(clock)? {
                return Ok(Outcome::Blocked);
            }
            self.state = State::Tls;
        }
        if matches!(self.state, State::Tls) {
            if !self.tls_done()? {
                return Ok(Outcome::Blocked);
            }
            if self.transport.is_tls() {
                self.timings.tls = Some(self.lap(clock()));
            }
            self.state = State::Head(HeadParser::default());
        }
        // A socket that takes no more now may still have the answer to read: a server may refuse early.
        let _: Flushed = self
            .transport
            .write(&self.request, &mut self.sent)
            .map_err(|e| self.broken(Phase::Upgrade, Direction::Write, e))?;
        loop {
            let fill = self.transport.read(&mut self.arena);
            if let Some(opened) = self.digest(clock)? {
                return Ok(opened);
            }
            match fill {
                Ok(Fill::Blocked) => return Ok(Outcome::Blocked),
                Ok(Fill::Short | Fill::More) => {}
                Ok(Fill::Eof) => return Err(self.cut_off(None)),
                Err(error) => return Err(self.cut_off(Some(error))),
            }
        }
    }

    /// The time since the last phase ended.
    fn lap(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(std::mem::replace(&mut self.since, now))
    }

    fn connected(&mut self) -> Result<bool, Error> {
        let (addr, local) = (self.addr, self.from);
        let refused = |source| Error::Connect { addr, local, source };
        let tcp = self.transport.tcp();
        if let Some(source) = tcp.take_error().map_err(refused)? {
            return Err(refused(source));
        }
        match tcp.peer_addr() {
            Ok(_) => {}
            // Not writable yet; which of the two it is depends on the system.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotConnected | io::ErrorKind::InvalidInput) => {
                return Ok(false);
            }
            Err(e) => return Err(refused(e)),
        }
        tcp.set_nodelay(true).map_err(refused)?;
        self.local = tcp.local_addr().ok();
        Ok(true)
    }

    /// Asks the proxy for a tunnel. True once there is one, and TLS may begin.
    fn tunnelled(&mut self, clock: &mut dyn FnMut() -> Instant) -> Result<bool, Error> {
        let (Some(tunnel), State::Tunnel(parser)) = (&mut self.tunnel, &mut self.state) else {
            return Ok(true);
        };
        let (local, addr) = (self.local, self.addr);
        let broken =
            |direction, source| Error::Broken { phase: Phase::Tunnel, direction, local, addr, source };
        let wrote = self.transport.write(&tunnel.request, &mut self.sent);
        let _: Flushed = wrote.map_err(|error| broken(Direction::Write, error))?;
        let (response, used) = loop {
            let fill = self.transport.read(&mut self.arena);
            if let Some(complete) = parser.parse(self.arena.since(0), &self.limits)? {
                break complete;
            }
            match fill {
                Ok(Fill::Blocked) => return Ok(false),
                Ok(Fill::Short | Fill::More) => {}
                Ok(Fill::Eof) => return Err(parser.end(Phase::Tunnel, self.arena.since(0)).into()),
                Err(error) => return Err(broken(Direction::Read, error.into())),
            }
        };
        let tls = tunnel.tls.take();
        self.timings.tunnel = Some(self.lap(clock()));
        if !(200..300).contains(&response.status) {
            return Err(Error::Proxy { status: response.status, reason: response.reason });
        }
        // The server speaks when it is spoken to: whoever says something now stands between.
        if self.arena.len() > used {
            return Err(PeerError::Unasked { bytes: self.arena.len() - used }.into());
        }
        self.arena.reset();
        self.sent = 0;
        self.transport.set_tls(tls);
        Ok(true)
    }

    fn tls_done(&mut self) -> Result<bool, Error> {
        loop {
            let _: Flushed = self
                .transport
                .write(&[], &mut 0)
                .map_err(|e| self.broken(Phase::Tls, Direction::Write, e))?;
            if !self.transport.is_handshaking() {
                return Ok(true);
            }
            match self.transport.read(&mut self.arena) {
                Ok(Fill::Blocked) => return Ok(false),
                Ok(Fill::Short | Fill::More) => {}
                Ok(Fill::Eof) => {
                    let received = self.transport.bytes_read() as usize;
                    return Err(PeerError::ClosedEarly { phase: Phase::Tls, received }.into());
                }
                Err(StreamError::Io(e)) => return Err(self.broken(Phase::Tls, Direction::Read, e)),
                Err(StreamError::Tls(source)) => {
                    // The alert tells the server why; whether it still arrives does not matter.
                    let _ = self.transport.write(&[], &mut 0);
                    return Err(Error::tls(&self.host, source));
                }
            }
        }
    }

    /// Looks at what the arena holds of the response.
    fn digest(&mut self, clock: &mut dyn FnMut() -> Instant) -> Result<Option<Outcome>, Failed> {
        if let State::Head(parser) = &mut self.state {
            let Some((response, used)) = parser.parse(self.arena.since(0), &self.limits)? else {
                return Ok(None);
            };
            self.timings.upgrade = Some(self.lap(clock()));
            let checked =
                response.check(&self.key).and_then(|()| response.agreement(self.offer.as_ref(), self.policy));
            match checked {
                Ok(agreement) => return Ok(Some(Outcome::Open(response, used, agreement))),
                Err(error @ PeerError::BadHandshake(_)) => {
                    let mut body = BodyReader::new(&response, self.limits.max_body)?;
                    let done = body.feed(self.arena.since(used));
                    self.arena.reset();
                    self.state = State::Body(body, response, error);
                    return if done { Err(self.refused()) } else { Ok(None) };
                }
                Err(error) => return Err(Failed { error: error.into(), response: Some(Box::new(response)) }),
            }
        }
        if let State::Body(body, ..) = &mut self.state {
            let done = body.feed(self.arena.since(0));
            self.arena.reset();
            if done {
                return Err(self.refused());
            }
        }
        Ok(None)
    }

    /// The refusal, with as much of its body as there is.
    fn refused(&mut self) -> Failed {
        match std::mem::replace(&mut self.state, State::Connect) {
            State::Body(body, mut response, error) => {
                response.body = body.into_body();
                Failed { error: error.into(), response: Some(Box::new(response)) }
            }
            State::Head(parser) => parser.end(Phase::Upgrade, self.arena.since(0)).into(),
            State::Connect | State::Tunnel(_) | State::Tls => {
                PeerError::ClosedEarly { phase: Phase::Connect, received: 0 }.into()
            }
        }
    }

    /// The stream ended, or broke, before the response did.
    fn cut_off(&mut self, error: Option<StreamError>) -> Failed {
        match error {
            // A body that the peer cuts short is still a refusal, and so is one that ends with the connection.
            _ if matches!(self.state, State::Body(..)) => self.refused(),
            None => self.refused(),
            Some(StreamError::Io(e)) => self.broken(Phase::Upgrade, Direction::Read, e).into(),
            Some(StreamError::Tls(source)) => Error::tls(&self.host, source).into(),
        }
    }

    fn out_of_time(&mut self) -> Failed {
        let phase = match self.state {
            State::Connect => Phase::Connect,
            State::Tunnel(_) => Phase::Tunnel,
            State::Tls => Phase::Tls,
            State::Head(_) => Phase::Upgrade,
            State::Body(..) => return self.refused(),
        };
        let (limit, after) = match self.limits.first_to_connect() {
            (TimeLimit::Connect, after) if phase == Phase::Connect => (TimeLimit::Connect, after),
            _ => (TimeLimit::Handshake, self.limits.handshake_timeout),
        };
        Error::Timeout { phase, limit, after, local: self.local, addr: self.addr }.into()
    }

    fn broken(&self, phase: Phase, direction: Direction, source: io::Error) -> Error {
        Error::Broken { phase, direction, local: self.local, addr: self.addr, source }
    }

    fn failure(&self, failed: Failed) -> Box<HandshakeFailure> {
        Box::new(HandshakeFailure {
            error: failed.error,
            response: failed.response.map(|response| *response),
            timings: self.timings,
            bytes_read: self.transport.bytes_read(),
            bytes_written: self.transport.bytes_written(),
        })
    }
}

impl Source for Handshaking {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.transport.tcp().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.transport.tcp().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.transport.tcp().deregister(registry)
    }
}

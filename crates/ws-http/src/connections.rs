//! The connections of one user.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use parking_lot::Mutex;

use crate::client::{Client, Core};
use crate::connect::connect;
use crate::error::Error;
use crate::response::TlsFacts;
use crate::target::Origin;
use crate::wire::{Marks, Traffic};

/// An idle connection is closed after this time: most servers do so even sooner.
const IDLE: Duration = Duration::from_secs(90);

/// The connections of one user, kept from one request to the next. Cheap until the first request; clones are the same.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    idle: Mutex<Vec<Connection>>,
    traffic: Arc<Traffic>,
    local: Option<IpAddr>,
    keep: usize,
}

/// One connection, with all that is known of it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) origin: Origin,
    pub(crate) peer: SocketAddr,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) connecting: Duration,
    pub(crate) tls_handshaking: Duration,
    pub(crate) marks: Arc<Marks>,
    /// To a proxy that is sent whole addresses, with the credentials it wants.
    pub(crate) plain_proxy: Option<Option<Box<str>>>,
    pub(crate) idle_since: Instant,
    /// Always there, but while the connection is being made.
    pub(crate) sender: Option<Sender>,
}

/// How requests are put on a connection.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    /// Any number at a time.
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connections {
    /// A user without connections, who connects from `local` if that is given.
    pub fn new(client: &Client, local: Option<IpAddr>) -> Self {
        Self(Arc::new(Shared {
            idle: Mutex::default(),
            traffic: Arc::default(),
            local,
            keep: client.core().config.idle_per_host,
        }))
    }

    /// Bytes read and written since the last call, TLS and all.
    pub fn take_traffic(&self) -> (u64, u64) {
        (self.0.traffic.read.swap(0, Relaxed), self.0.traffic.written.swap(0, Relaxed))
    }

    /// Closes what is idle.
    pub fn close_idle(&self) {
        self.0.idle.lock().clear();
    }

    /// A connection to `origin`, and whether it served another request before.
    pub(crate) async fn take(&self, core: &Core, origin: &Origin) -> Result<(Connection, bool), Error> {
        if let Some(connection) = self.take_idle(origin) {
            return Ok((connection, true));
        }
        let connection = connect(core, origin, self.0.local, &self.0.traffic).await?;
        Ok((connection, false))
    }

    fn take_idle(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.0.idle.lock();
        idle.retain(|connection| !connection.is_closed() && connection.idle_since.elapsed() < IDLE);
        // The one used last is the least likely to be closed by the server just now.
        let at = idle.iter().rposition(|connection| connection.origin == *origin)?;
        if let Some(shared) = idle[at].share() {
            return Some(shared);
        }
        Some(idle.swap_remove(at))
    }

    /// Keeps a connection for the next request.
    pub(crate) fn give_back(&self, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.0.idle.lock();
        let same = idle.iter().filter(|other| other.origin == connection.origin).count();
        // All requests of an origin share one connection of HTTP/2.
        let enough = if connection.is_shared() { 1 } else { self.0.keep };
        if same < enough {
            idle.push(Connection { idle_since: Instant::now(), ..connection });
        }
    }
}

impl Connection {
    fn is_closed(&self) -> bool {
        match &self.sender {
            Some(Sender::Http1(sender)) => sender.is_closed(),
            Some(Sender::Http2(sender)) => sender.is_closed(),
            None => true,
        }
    }

    fn is_shared(&self) -> bool {
        matches!(self.sender, Some(Sender::Http2(_)))
    }

    /// The same connection for another request at the same time.
    pub(crate) fn share(&self) -> Option<Self> {
        let Some(Sender::Http2(sender)) = &self.sender else { return None };
        Some(Self {
            origin: self.origin.clone(),
            marks: Arc::clone(&self.marks),
            plain_proxy: self.plain_proxy.clone(),
            sender: Some(Sender::Http2(sender.clone())),
            ..*self
        })
    }
}

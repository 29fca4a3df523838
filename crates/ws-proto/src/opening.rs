//! What a connection is opened with.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::deflate::Deflater;
use crate::error::Error;
use crate::handshake::Handshaking;
use crate::limits::Limits;
use crate::proxy::Proxy;
use crate::request::UpgradeRequest;
use crate::tls::TlsConfig;
use crate::url::WsUrl;

/// A connection to be opened: where to, and how.
///
/// # Examples
///
/// ```no_run
/// use std::time::Instant;
/// use ws_proto::{Limits, Opening, TlsConfig, TlsOptions, UpgradeRequest, WsUrl};
///
/// let url = WsUrl::parse("wss://127.0.0.1:8443/chat")?;
/// let (request, limits) = (UpgradeRequest::new(), Limits::default());
/// let tls = TlsConfig::new(&TlsOptions::default())?;
/// let opening = Opening {
///     tls: Some(&tls),
///     ..Opening::new("127.0.0.1:8443".parse()?, &url, &request, &limits)
/// };
/// let handshaking = opening.start(Instant::now())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Whom to connect to: the server, or the proxy.
    pub addr: SocketAddr,
    /// The address to connect from, if it matters.
    pub local: Option<IpAddr>,
    /// The target; names the host for TLS and the request.
    pub url: &'a WsUrl,
    /// The request to send.
    pub request: &'a UpgradeRequest,
    /// Needed for `wss` only.
    pub tls: Option<&'a TlsConfig>,
    /// What `addr` is, if it is not the server: a proxy, that is asked for a tunnel to the server of `url`.
    pub proxy: Option<&'a Proxy>,
    /// What must not be exceeded.
    pub limits: &'a Limits,
    /// When the time limits began to run; `None`: at the start. A lookup may count, too.
    pub began: Option<Instant>,
    /// States to share for compressed messages that stand alone; `None`: the connection has its own, if it needs any.
    pub deflater: Option<&'a Deflater>,
    /// Ask the kernel with every read when what it brings arrived: see
    /// [`Connection::arrival`](crate::Connection::arrival). Costs 0.2-0.35 us a read.
    pub stamp_arrivals: bool,
}

impl<'a> Opening<'a> {
    /// A connection straight to `addr`, without TLS.
    pub fn new(addr: SocketAddr, url: &'a WsUrl, request: &'a UpgradeRequest, limits: &'a Limits) -> Self {
        Self {
            addr,
            local: None,
            url,
            request,
            tls: None,
            proxy: None,
            limits,
            began: None,
            deflater: None,
            stamp_arrivals: false,
        }
    }

    /// Begins to connect.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] or [`Error::Bind`] if the system refuses at once, [`Error::TlsName`] or
    /// [`Error::TlsMissing`] if TLS cannot be done.
    pub fn start(&self, now: Instant) -> Result<Handshaking, Error> {
        Handshaking::start(self, now)
    }
}

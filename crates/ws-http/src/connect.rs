//! From an origin to a connection that speaks HTTP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use ws_loop::DnsError;
use ws_proto::{CertificateFault, Proxy, TimeLimit, TlsVersion, WsUrl};

use crate::client::Core;
use crate::connections::{Connection, Sender};
use crate::error::{Error, TlsFault};
use crate::response::TlsFacts;
use crate::target::Origin;
use crate::wire::{Marks, Traffic, Wire};

/// A proxy's answer to CONNECT may be no longer.
const TUNNEL_HEAD: usize = 16 << 10;

/// How long a server may be silent before the kernel asks whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Makes a connection to `origin`, through a proxy if that is how it is reached.
pub(crate) async fn connect(
    core: &Core,
    origin: &Origin,
    local: Option<IpAddr>,
    traffic: &Arc<Traffic>,
) -> Result<Connection, Error> {
    let proxy = proxy_for(core, origin)?;
    let (host, port) = match &proxy {
        Some(proxy) => (proxy.host(), proxy.port()),
        None => (origin.host.as_str(), origin.port),
    };
    let peer = lookup(core, host, port).await?;
    let begun = Instant::now();
    let stream = match tokio::time::timeout(core.config.connect_timeout, tcp(peer, local)).await {
        Ok(stream) => stream?,
        Err(_) => return Err(Error::ConnectTimeout { peer }),
    };
    let connecting = begun.elapsed();
    let near = stream.local_addr().ok();
    let marks = Marks::new(Arc::clone(traffic));
    let mut wire = Wire::new(stream, Arc::clone(&marks));
    let mut plain_proxy = None;
    if let Some(proxy) = &proxy {
        if origin.tls {
            tunnel(&mut wire, proxy, origin).await?;
        } else {
            plain_proxy = Some(proxy.authorization().map(Into::into));
        }
    }
    let facts = Connection {
        origin: origin.clone(),
        peer,
        local: near,
        tls: None,
        connecting,
        tls_handshaking: Duration::ZERO,
        marks,
        plain_proxy,
        idle_since: begun,
        sender: None,
    };
    if !origin.tls {
        return Ok(Connection { sender: Some(speak_http1(wire).await?), ..facts });
    }
    let begun = Instant::now();
    let stream = tls(core, &origin.host, wire, peer, near).await?;
    let session = stream.get_ref().1;
    let tls = tls_facts(session);
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let facts = Connection { tls, tls_handshaking: begun.elapsed(), ..facts };
    let sender = if is_http2 { speak_http2(stream).await? } else { speak_http1(stream).await? };
    Ok(Connection { sender: Some(sender), ..facts })
}

fn proxy_for(core: &Core, origin: &Origin) -> Result<Option<Proxy>, Error> {
    let host = if origin.host.contains(':') { format!("[{}]", origin.host) } else { origin.host.clone() };
    let scheme = if origin.tls { "wss" } else { "ws" };
    // The rules are the same for both kinds of address; what is no address of a WebSocket is nothing for a proxy.
    let Ok(url) = WsUrl::parse(&format!("{scheme}://{host}:{}/", origin.port)) else { return Ok(None) };
    match core.config.proxies.find(&url) {
        Ok(proxy) => Ok(proxy.cloned()),
        Err(error) => Err(Error::BadProxy(error.clone())),
    }
}

async fn lookup(core: &Core, host: &str, port: u16) -> Result<SocketAddr, Error> {
    let (reply, answer) = oneshot::channel();
    let at_once = core.config.resolver.lookup(host, port, Instant::now(), |lookup| {
        // Whoever asked may have given up.
        let _ = reply.send(lookup);
    });
    let lookup = match at_once {
        Some(lookup) => lookup,
        None => match tokio::time::timeout(core.config.connect_timeout, answer).await {
            Ok(Ok(lookup)) => lookup,
            _ => Err(DnsError::Timeout {
                host: host.to_owned(),
                limit: TimeLimit::Connect,
                after: core.config.connect_timeout,
            }),
        },
    };
    lookup.map_err(Error::Dns)
}

async fn tcp(peer: SocketAddr, local: Option<IpAddr>) -> Result<TcpStream, Error> {
    let failed = |source: io::Error| Error::Connect { peer, source: Arc::new(source) };
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    if let Some(local) = local {
        ws_proto::leave_port_open(&SockRef::from(&socket));
        let bound = if local.is_ipv4() == peer.is_ipv4() {
            socket.bind(SocketAddr::new(local, 0))
        } else {
            Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no suitable address found"))
        };
        bound.map_err(|source| Error::Bind { local, peer, source: Arc::new(source) })?;
    }
    let stream = socket.connect(peer).await.map_err(failed)?;
    // Requests are written whole; a connection works without these, too.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(KEEP_ALIVE));
    Ok(stream)
}

/// Has the proxy make a tunnel to `origin` (RFC 9110 section 9.3.6).
async fn tunnel(wire: &mut Wire, proxy: &Proxy, origin: &Origin) -> Result<(), Error> {
    let broken = |error: io::Error| Error::Malformed { reason: format!("proxy: {error}") };
    wire.write_all(&proxy.tunnel_request(&origin.host, origin.port)).await.map_err(broken)?;
    // Byte by byte: what follows the head belongs to TLS.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == TUNNEL_HEAD {
            return Err(Error::Malformed { reason: "proxy: its answer is too long".to_owned() });
        }
        answer.push(wire.read_u8().await.map_err(broken)?);
    }
    let line =
        String::from_utf8_lossy(answer.split(|&byte| byte == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = line.splitn(3, ' ').skip(1);
    let status = words.next().and_then(|status| status.parse().ok()).unwrap_or(0);
    match status {
        200..=299 => Ok(()),
        _ => Err(Error::Tunnel { status, reason: words.next().unwrap_or_default().to_owned() }),
    }
}

async fn tls(
    core: &Core,
    host: &str,
    wire: Wire,
    peer: SocketAddr,
    local: Option<SocketAddr>,
) -> Result<tokio_rustls::client::TlsStream<Wire>, Error> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Error::Tls(TlsFault::Name { host: host.to_owned() }))?;
    let mut config = rustls::ClientConfig::clone(&*core.tls()?.client_config(host));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config)).connect(name, wire).await.map_err(|error| {
        let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match fault {
            Some(fault) => Error::Tls(match CertificateFault::in_error(fault) {
                Some(fault) => TlsFault::Certificate(Box::new(fault)),
                None => TlsFault::Protocol(fault.clone()),
            }),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Error::Closed,
            None => Error::Broken { reading: true, local, peer, source: Arc::new(error) },
        }
    })
}

fn tls_facts(session: &rustls::ClientConnection) -> Option<TlsFacts> {
    let version = match session.protocol_version()? {
        rustls::ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
        _ => TlsVersion::Tls12,
    };
    let suite = session.negotiated_cipher_suite()?.suite().as_str()?;
    // rustls marks those of TLS 1.3, whose names do not need it.
    let cipher_suite = match suite {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    };
    Some(TlsFacts { version, cipher_suite })
}

async fn speak_http1(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Error> {
    let (sender, connection) = http1::Builder::new()
        // As it is usual; some servers look for it.
        .title_case_headers(true)
        .preserve_header_case(false)
        .max_headers(1000)
        .handshake::<_, Full<Bytes>>(TokioIo::new(io))
        .await
        .map_err(|error| Error::Malformed { reason: error.to_string() })?;
    // What goes wrong is told to the request that has the connection.
    tokio::spawn(async move { drop(connection.await) });
    Ok(Sender::Http1(sender))
}

async fn speak_http2(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Error> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Full<Bytes>>(TokioIo::new(io))
        .await
        .map_err(|error| Error::Malformed { reason: error.to_string() })?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(Sender::Http2(sender))
}

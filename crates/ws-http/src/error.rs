//! Why there is no response.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ws_loop::{BadProxy, DnsError};
use ws_proto::CertificateFault;

/// Why a request came to nothing. The parties and the facts are named; words for users are others' business.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no URL.
    #[error("invalid URL: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// Neither `http` nor `https`.
    #[error("unsupported protocol scheme \"{scheme}\"")]
    Scheme {
        /// The scheme, in lower case; empty if there is none.
        scheme: String,
    },
    /// A URL without a host.
    #[error("no host in the URL")]
    NoHost,
    /// A port above 65535.
    #[error("address {port}: invalid port")]
    Port {
        /// As written.
        port: String,
    },
    /// A method that is no token.
    #[error("invalid method \"{method}\"")]
    Method {
        /// As given.
        method: String,
    },
    /// A header name that is no token.
    #[error("invalid header field name \"{name}\"")]
    HeaderName {
        /// As given.
        name: String,
    },
    /// A header value with a line break or another control character in it.
    #[error("invalid header field value for \"{name}\"")]
    HeaderValue {
        /// The header's name.
        name: String,
    },
    /// The TLS options of the run cannot be used.
    #[error("{0}")]
    TlsOptions(String),
    /// The proxy that the environment names cannot be used.
    #[error("{0}")]
    BadProxy(BadProxy),
    /// The host has no address.
    #[error("{0}")]
    Dns(DnsError),
    /// The local address cannot be used.
    #[error("bind {local}: {source}")]
    Bind {
        /// The address to connect from.
        local: IpAddr,
        /// The server.
        peer: SocketAddr,
        /// The system's words.
        source: Arc<io::Error>,
    },
    /// There was no connection.
    #[error("connect {peer}: {source}")]
    Connect {
        /// The server, or the proxy.
        peer: SocketAddr,
        /// The system's words.
        source: Arc<io::Error>,
    },
    /// There was no connection in time.
    #[error("connect {peer}: timed out")]
    ConnectTimeout {
        /// The server, or the proxy.
        peer: SocketAddr,
    },
    /// The proxy makes no tunnel.
    #[error("proxy: {status} {reason}")]
    Tunnel {
        /// The status of its answer.
        status: u16,
        /// What follows it.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("{0}")]
    Tls(TlsFault),
    /// Everything together took too long.
    #[error("request timeout")]
    Timeout,
    /// The server closed the connection before it had answered at all.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The server closed the connection in the middle of its answer.
    #[error("the server closed the connection in the middle of its answer")]
    Truncated,
    /// The connection broke.
    #[error("{} {peer}: {source}", if *.reading { "read" } else { "write" })]
    Broken {
        /// While reading, else while writing.
        reading: bool,
        /// This end.
        local: Option<SocketAddr>,
        /// The other end.
        peer: SocketAddr,
        /// The system's words.
        source: Arc<io::Error>,
    },
    /// What the server sent is no HTTP.
    #[error("malformed response: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The server ended an HTTP/2 stream or connection with an error.
    #[error("HTTP/2: {reason}")]
    Http2 {
        /// Its code (RFC 9113 section 7).
        code: u32,
        /// Whether all of the connection ended, or this request alone.
        connection: bool,
        /// In words.
        reason: String,
    },
    /// The server switches to another protocol, for which nobody asked.
    #[error("unsupported response status: {status} {reason}")]
    Switched {
        /// 101.
        status: u16,
        /// What follows it.
        reason: String,
    },
    /// A redirect to an address that is none.
    #[error("failed to parse Location header \"{location}\": {reason}")]
    Location {
        /// As the server wrote it.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The body cannot be decoded.
    #[error("error decompressing response body ({reason})")]
    Decode {
        /// What is wrong with it.
        reason: String,
    },
    /// The body is larger than the limit, decoded or not.
    #[error("the response body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The request was given up before it had an outcome.
    #[error("the request was given up")]
    Aborted,
    /// The challenge to answer with a digest cannot be used.
    #[error("digest authentication: {reason}")]
    Digest {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why there is no TLS.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server's certificate is not acceptable.
    #[error("{0}")]
    Certificate(Box<CertificateFault>),
    /// The handshake failed.
    #[error("{0}")]
    Protocol(rustls::Error),
    /// The host can be no server's name.
    #[error("{host} cannot be the name of a TLS server")]
    Name {
        /// The host.
        host: String,
    },
}

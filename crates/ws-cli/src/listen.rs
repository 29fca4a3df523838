//! Addresses to listen on, as users write them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

/// The addresses `text` (`host:port`) stands for. Without a host it is all of this machine's: those of IPv6, which are
/// those of IPv4 as well, or of IPv4 where there is no IPv6.
pub(crate) fn addresses(text: &str) -> io::Result<Vec<SocketAddr>> {
    let Some(port) = text.strip_prefix(':') else { return Ok(text.to_socket_addrs()?.collect()) };
    let port: u16 = port
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("'{port}' is not a port")))?;
    Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()])
}

/// Listens on the first of them that works.
pub(crate) fn bind(text: &str) -> io::Result<TcpListener> {
    TcpListener::bind(addresses(text)?.as_slice())
}

/// Where a server that listens on `addr` is reached from this machine.
pub(crate) fn reachable(addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() { format!("localhost:{}", addr.port()) } else { addr.to_string() }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn without_a_host_it_is_all_addresses() {
        let listener = bind(":0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        let one = bind("127.0.0.1:0").unwrap();
        let addr = one.local_addr().unwrap();
        assert!(addr.ip().is_loopback());
        assert_eq!(reachable(addr), addr.to_string());
        assert_eq!(reachable(listener.local_addr().unwrap()), format!("localhost:{port}"));
    }

    #[test]
    fn nonsense() {
        for text in ["", ":", ":x", ":70000", "nohost"] {
            assert!(bind(text).is_err(), "{text}");
        }
        assert_eq!(bind(":x").unwrap_err().to_string(), "'x' is not a port");
    }
}

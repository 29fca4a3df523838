//! TCP connections on their way, from any address or a given one.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
#[cfg(target_os = "linux")]
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{Domain, Socket, Type};

use crate::error::Error;

/// Begins to connect to `addr`, from `local` if given; does not wait.
pub(crate) fn connect(addr: SocketAddr, local: Option<IpAddr>) -> Result<TcpStream, Error> {
    let refused = |source| Error::Connect { addr, local, source };
    let Some(local) = local else { return TcpStream::connect(addr).map_err(refused) };
    let socket = bound(addr, local).map_err(|source| Error::Bind { local, addr, source })?;
    match socket.connect(&addr.into()) {
        Ok(()) => {}
        Err(error) if in_progress(&error) => {}
        Err(source) => return Err(refused(source)),
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// A socket that leaves from `local`, for a connection to `addr`.
fn bound(addr: SocketAddr, local: IpAddr) -> io::Result<Socket> {
    if local.is_ipv4() != addr.is_ipv4() {
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no suitable address found"));
    }
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    leave_port_open(&socket);
    socket.bind(&SocketAddr::new(local, 0).into())?;
    Ok(socket)
}

/// Has the port chosen by `connect` instead of `bind`, which does not know the other end and must therefore choose one
/// that no connection uses at all: some 28,000 for each address. So there are as many for each address and server.
pub fn leave_port_open(socket: &Socket) {
    // A kernel without it (Linux before 4.2) runs out of ports sooner; that is no reason to fail now.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::socket::setsockopt(socket, IpBindAddressNoPort, &true);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

#[cfg(target_os = "linux")]
sockopt_impl!(
    /// `IP_BIND_ADDRESS_NO_PORT`, for IPv6, too; see `ip(7)`.
    IpBindAddressNoPort,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_BIND_ADDRESS_NO_PORT,
    bool
);

/// A connect that goes on in the background: `EINPROGRESS`, or "would block" on Windows.
fn in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_port_is_left_for_connect_to_choose() {
        for (addr, local) in [("127.0.0.1:80", "127.0.0.2"), ("[::1]:80", "::1")] {
            let socket = match bound(addr.parse().unwrap(), ip(local)) {
                Ok(socket) => socket,
                // A machine without IPv6.
                Err(error) if local == "::1" => {
                    assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            let given = socket.local_addr().unwrap().as_socket().unwrap();
            assert_eq!((given.ip(), given.port()), (ip(local), 0));
        }
    }

    #[test]
    fn an_address_of_the_other_family_cannot_be_used() {
        for (addr, local) in [("127.0.0.1:80", "::1"), ("[::1]:80", "127.0.0.1")] {
            let error = connect(addr.parse().unwrap(), Some(ip(local))).unwrap_err();
            assert!(matches!(error, Error::Bind { .. }), "{error:?}");
            assert!(error.to_string().ends_with("no suitable address found"), "{error}");
        }
    }
}

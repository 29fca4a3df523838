//! When received bytes arrived, by the kernel's clock and not by ours.
//!
//! Linux stamps every segment as it comes in and hands the stamp out with `recvmsg` (`SO_TIMESTAMPNS`). Other systems
//! do so for datagrams only; there the time is unknown, and whoever wants one takes the time of the read.
//!
//! The kernel stamps nothing while no socket of the whole machine asks for it, and needs a moment to begin when the
//! first one does. So a process that has asked once goes on asking.

use std::io;
use std::time::SystemTime;

use mio::net::TcpStream;

/// Has the system stamp what arrives from now on, for as long as the process lives. Costs one descriptor.
///
/// [`stamp_arrivals`](crate::Opening::stamp_arrivals) does so, too. But a system that does not stamp yet takes some
/// milliseconds to begin, and what arrives before has no time: who needs one from the first message on calls this
/// early. Nothing happens on systems that do not know when something arrived.
pub fn start_stamping() {
    system::keep_stamping();
}

/// Reads from a socket with the time of arrival.
#[derive(Debug)]
pub(crate) struct Stamps {
    last: Option<SystemTime>,
}

impl Stamps {
    /// Asks for stamps. A system that refuses gives none: the reads work all the same.
    pub(crate) fn of(tcp: &TcpStream) -> Self {
        system::keep_stamping();
        system::enable(tcp);
        Self { last: None }
    }

    /// When the last bytes of the last read that brought some arrived, if the system knows.
    pub(crate) fn last(&self) -> Option<SystemTime> {
        self.last
    }

    /// As [`Read::read`](std::io::Read::read) of the stream.
    pub(crate) fn receive(&mut self, tcp: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        let (n, stamp) = system::receive(tcp, room)?;
        // The end of the stream has no time, and what was reported before keeps its own.
        if n > 0 {
            self.last = stamp;
        }
        Ok(n)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::os::fd::{AsFd, AsRawFd};
    use std::sync::OnceLock;
    use std::time::{Duration, SystemTime};

    use mio::net::TcpStream;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;
    use socket2::{Domain, Socket, Type};

    /// Room for one stamp with its header, aligned as the kernel's structures are.
    #[repr(align(8))]
    struct Control([u8; 64]);

    /// The socket that only asks. If there is none, the others still do.
    static ASKING: OnceLock<Option<Socket>> = OnceLock::new();

    pub(super) fn keep_stamping() {
        ASKING.get_or_init(|| {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
            enable(&socket);
            Some(socket)
        });
    }

    pub(super) fn enable(socket: &impl AsFd) {
        // No stamps then; see `Stamps::of`.
        let _ = setsockopt(socket, sockopt::ReceiveTimestampns, &true);
    }

    pub(super) fn receive(tcp: &TcpStream, room: &mut [u8]) -> io::Result<(usize, Option<SystemTime>)> {
        let mut control = Control([0; 64]);
        tcp.try_io(|| {
            let mut parts = [IoSliceMut::new(room)];
            let received =
                recvmsg::<()>(tcp.as_raw_fd(), &mut parts, Some(&mut control.0), MsgFlags::empty())?;
            let stamp = received.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                _ => None,
            });
            Ok((received.bytes, stamp.and_then(since_epoch)))
        })
    }

    /// `None` for a clock that says it is before 1970, or a time that is none.
    fn since_epoch(stamp: TimeSpec) -> Option<SystemTime> {
        let (seconds, nanos) = (u64::try_from(stamp.tv_sec()).ok()?, u32::try_from(stamp.tv_nsec()).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io::{self, Read};
    use std::time::SystemTime;

    use mio::net::TcpStream;

    pub(super) fn keep_stamping() {}

    pub(super) fn enable(_: &TcpStream) {}

    pub(super) fn receive(tcp: &mut TcpStream, room: &mut [u8]) -> io::Result<(usize, Option<SystemTime>)> {
        Ok((tcp.read(room)?, None))
    }
}

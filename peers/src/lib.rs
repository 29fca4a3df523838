//! WebSocket servers that nobody here wrote, to test clients against: Python's `websockets` and `aiohttp`, Node's
//! `ws`, and nginx in front of the first.
//!
//! The scripts in `servers/` make them all behave alike. Each offers the subprotocols `chat.v2` and `chat.v1`, in this
//! order, takes permessage-deflate where the client offers it, and sets the cookie `visit=7`. The first part of a
//! URL's path says what else a session does:
//!
//! | path | behaviour |
//! |---|---|
//! | `/echo/…` | sends each message back |
//! | `/twice/…` | sends each message back whole and then in three fragments (not `aiohttp`) |
//! | `/ping/…` | sends a ping with the message's text, and the text `pong …` when it is answered |
//! | `/close/…` | closes with the code and the reason of the message `4001 reason` |
//! | `/room/…` | says `joined N` to all in the room, the Nth included, then sends them each message of each (`websockets` and nginx) |
//! | `/cookie/…` | begins with the value of the request's `Cookie` header, or `-` |
//!
//! How a session was closed, as the server saw it, is told by [`Server::closed`]; the rest of the path makes sessions
//! distinct.
//!
//! `.ci/peers` installs them into `target/peers`. A test whose peer is missing is skipped, and the end of the tests
//! says how many were and why ([`skip`]); where `WS_TEST_PEERS` is `all`, it fails instead.
#![forbid(unsafe_code)]

mod find;
mod server;
mod skipped;

use std::net::{IpAddr, Ipv4Addr};

pub use server::Server;
pub use skipped::{skip, skip_comparison};

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Python's `websockets`.
    Websockets,
    /// Python's `aiohttp`.
    Aiohttp,
    /// Node's `ws`.
    Ws,
    /// nginx, in front of Python's `websockets`.
    Nginx,
}

impl Peer {
    /// Whether it can send a message in several frames.
    pub fn fragments(self) -> bool {
        self != Peer::Aiohttp
    }

    /// Starts it on the loopback interface; `None`, and counted as skipped, where it is not installed.
    ///
    /// # Panics
    ///
    /// If it is installed and does not start, or is not installed and `WS_TEST_PEERS` is `all`.
    pub fn start(self) -> Option<Server> {
        self.start_on(Ipv4Addr::LOCALHOST.into(), &[])
    }

    /// Starts it on this address, with more arguments for its script: `websockets` takes its parameters of
    /// permessage-deflate as JSON.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_on(self, host: IpAddr, args: &[&str]) -> Option<Server> {
        match find::command(self) {
            Ok(command) => match Server::start(self, command, host, args) {
                Ok(server) => Some(server),
                Err(error) => panic!("{self:?} does not start: {error:#}"),
            },
            Err(missing) => {
                let required = std::env::var_os("WS_TEST_PEERS").is_some_and(|value| value == "all");
                assert!(!required, "{missing}, and WS_TEST_PEERS is all");
                skip(&format!("{self:?}"), &format!("{missing}; .ci/peers installs it"));
                None
            }
        }
    }
}

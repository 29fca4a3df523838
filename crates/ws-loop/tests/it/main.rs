//! The loop against real sockets, and the echo server. One binary: the tests share their helpers, and link once.

mod arrivals;
mod common;
mod dial;
mod echo_server;
mod leaving;
mod nest;
mod sockets;
mod timers;

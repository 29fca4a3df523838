//! Whole sessions over the loopback interface, each against a peer written for its test.

mod close;
mod common;
mod deflate;
mod echo;
mod handshake;
mod interop;
mod tls;
mod violations;

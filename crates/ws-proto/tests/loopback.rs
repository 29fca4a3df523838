//! Whole sessions over the loopback interface, each against a peer written for its test.

mod close;
mod common;
mod deflate;
mod echo;
mod handshake;
mod interop;
mod stamps;
mod tls;
mod violations;

//! Whole sessions over the loopback interface, each against a peer written for its test.

mod close;
mod common;
mod echo;
mod handshake;
mod tls;
mod violations;

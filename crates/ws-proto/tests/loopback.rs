//! Whole sessions over the loopback interface, each against a peer written for its test.

mod authority;
mod certificates;
mod close;
mod common;
mod deflate;
mod echo;
mod faults;
mod handshake;
mod interop;
mod limits;
#[cfg(target_os = "linux")]
mod memory;
mod sent;
mod stalls;
mod stamps;
mod tls;
mod tls_options;
mod tunnel;
mod violations;

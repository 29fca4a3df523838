//! Whole-process tests of the binary `ws`.
//!
//! The library half of this package is what those tests share: a WebSocket server whose behaviour is chosen by
//! the path of the URL ([`server`]), ways to find and run `ws` and k6 ([`tool`], [`process`]), and the
//! [`observation`] of a run: all that a script's author can see of it, in a form that two programs can be
//! compared in.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod fixture;
pub mod lines;
pub mod logfmt;
pub mod observation;
pub mod process;
pub mod proxy;
pub mod python_tls;
pub mod server;
pub mod tool;

pub use ws_peers::{skip, skip_comparison};

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
pub mod server;
pub mod tool;

use std::io::Write as _;

/// Says on the terminal that a test does not run here, and why.
///
/// The text goes to the process's standard error itself, because the test harness shows the output of
/// `eprintln!` for failed tests only, and a skipped test must be seen.
pub fn skip(test: &str, why: &str) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

//! Where samples go while a test runs.

pub(crate) mod json;
pub(crate) mod prometheus;
mod server;

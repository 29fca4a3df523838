//! The facts of the libraries in words for the user, which are k6's where k6 has some.

pub(crate) mod metrics;
pub(crate) mod plan;
pub(crate) mod problem;

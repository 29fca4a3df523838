//! Which part of a test this instance runs, when several share it.

mod stripes;

pub(crate) use stripes::Stripes;

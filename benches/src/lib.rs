//! Benchmarks of whole load generators: the same k6 scripts run by `ws` and by k6, in turn, against the same echo
//! server in a process of its own.
//!
//! Each script of `benches/scripts/` is a [`workload`]; a [`process`] is measured from outside, by what the
//! kernel counts for it; [`report`] sets the figures side by side. `cargo xtask bench` puts it together.
#![forbid(unsafe_code)]

pub mod growth;
pub mod process;
pub mod report;
pub mod resident;
pub mod runner;
pub mod workload;

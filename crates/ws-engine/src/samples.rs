//! The few samples the engine itself makes.

use std::time::Instant;

/// Takes the engine's own samples. Called on the coordinator's thread.
pub trait Recorder {
    /// `vus` and `vus_max`: VUs in their loop and VUs initialised. Once a second.
    fn vus(&mut self, at: Instant, active: usize, initialized: usize);

    /// `dropped_iterations`: `count` iterations of the scenario were planned and never started; of VU number `vu` (from
    /// 1) if they belonged to one.
    fn dropped(&mut self, at: Instant, scenario: &str, vu: Option<usize>, count: u64);
}

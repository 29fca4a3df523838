//! Whole runs with VUs that finish at simulated times, on a clock that jumps from one event to the next.

mod executors;
mod lifecycle;
mod sim;
mod timing;

//! Whole runs, mostly with VUs that finish at simulated times on a clock that jumps from one event to the next.

mod accounting;
mod arrivals;
mod executors;
mod lifecycle;
mod ramping_vus;
mod sim;
mod stuck;
mod threads;
mod timing;

//! What a run tells while it goes on: the border between running and showing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::control::Cause;
use crate::phases::PhaseError;

/// Something that happened in a run, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// The run entered this phase.
    Phase(Phase),
    /// Run time counts from this instant, just before `setup`.
    Started(Instant),
    /// A scenario's start time has come.
    ScenarioStarted(&'a str),
    /// The last VU of a scenario is idle and none will be started.
    ScenarioEnded(&'a str),
    /// The run ends early; sent for the first cause, and again if the tool fails meanwhile.
    Stopping(&'a Cause),
    /// A scenario has all the VUs it may have, and iterations are dropped for want of more. Told once for each scenario.
    InsufficientVus {
        /// Its name.
        scenario: &'a str,
        /// Kind of its executor.
        executor: &'static str,
        /// VUs at work.
        active: usize,
    },
    /// A VU that a scenario needed could not be made. The run goes on without it.
    VuFailed {
        /// The scenario's name.
        scenario: &'a str,
        /// Kind of its executor.
        executor: &'static str,
        /// What went wrong.
        error: &'a PhaseError,
    },
    /// Time to redraw.
    Progress(&'a Snapshot),
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Nothing happened yet.
    Created,
    /// VUs are being initialised.
    InitVus,
    /// `setup()` runs.
    Setup,
    /// Scenarios run.
    Running,
    /// `teardown()` runs.
    Teardown,
    /// All is over.
    Ended,
}

/// A run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Where the run is.
    pub phase: Phase,
    /// Run time so far, from just before `setup`; zero before.
    pub run_time: Duration,
    /// Time since the scenarios began to run, frozen when the last one ended; zero before.
    pub scenario_time: Duration,
    /// VUs in their loop.
    pub vus_active: usize,
    /// VUs initialised.
    pub vus_initialized: usize,
    /// VUs the plan needs.
    pub vus_planned: usize,
    /// Iterations that ended by themselves, with or without an exception.
    pub complete: u64,
    /// Iterations that were cut off.
    pub interrupted: u64,
    /// The scenarios, by start time, then name.
    pub scenarios: Vec<ScenarioSnapshot>,
}

/// A scenario at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioSnapshot {
    /// Its name.
    pub name: Arc<str>,
    /// Kind of its executor, such as `constant-vus`.
    pub executor: &'static str,
    /// What it does now.
    pub state: ScenarioState,
    /// Time until its start, while it waits.
    pub starts_in: Duration,
    /// Time since its start, frozen at its end. Includes the graceful period.
    pub elapsed: Duration,
    /// `duration` or `maxDuration`.
    pub duration: Duration,
    /// Share that is done, from 0 to 1.
    pub progress: f64,
    /// VUs in their loop.
    pub vus_active: usize,
    /// VUs that have been given to it, at work or not.
    pub vus_present: usize,
    /// VUs planned at most.
    pub vus_planned: usize,
    /// Complete iterations.
    pub complete: u64,
    /// Interrupted iterations.
    pub interrupted: u64,
    /// Iterations of all VUs together, if the number is given.
    pub total: Option<u64>,
}

/// What a scenario does at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioState {
    /// Its start time has not come.
    Waiting,
    /// Iterations start.
    Running,
    /// No iteration starts, some still run.
    Stopping,
    /// Over, and it did what it should.
    Done,
    /// Over before it did what it should.
    Interrupted,
}

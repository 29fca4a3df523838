//! What is told while a run goes on: samples each second, snapshots, readings from other threads.

use std::sync::{Arc, Mutex};

use ws_engine::ScenarioState::{Done, Running, Stopping, Waiting};
use ws_engine::{Phase, Snapshot};

use crate::sim::{PhaseScript, Sim, constant, per_vu, t, timed};

#[test]
fn vus_are_sampled_every_second_from_the_start_of_init() {
    let mut sim = Sim::new(|_, _| Some(t("400ms")));
    sim.config.setup = Some(t("60s"));
    sim.config.teardown = Some(t("60s"));
    sim.init = PhaseScript::takes("1.5s");
    sim.setup = PhaseScript::takes("1s");
    sim.teardown = PhaseScript::takes("2s");
    let story = sim.run(vec![constant(3, "1s")]);
    // init until 1.5, setup until 2.5, scenario until 3.7, teardown until 5.7
    assert_eq!(story.samples, ["1s vus 0/0", "2s vus 0/3", "3s vus 3/3", "4s vus 0/3", "5s vus 0/3"]);
}

#[test]
fn a_short_run_has_no_sample() {
    let story = Sim::new(|_, _| Some(t("400ms"))).run(vec![per_vu(1, 2, "10s")]);
    assert_eq!(story.samples, [""; 0]);
}

#[test]
fn progress_is_told_in_its_own_rhythm() {
    let mut sim = Sim::new(|_, _| Some(t("400ms")));
    sim.config.progress_every = Some(t("500ms"));
    let story = sim.run(vec![per_vu(1, 4, "10s")]);
    let told: Vec<_> = story.events.iter().filter(|e| e.ends_with("complete")).collect();
    assert_eq!(told, ["500ms 1 complete", "1s 2 complete", "1.5s 3 complete"]);
}

/// Snapshots of the run at these times, taken through the monitor.
fn snapshots(
    sim: Sim,
    times: &'static [&'static str],
    scenarios: Vec<ws_engine::ScenarioConfig>,
) -> Vec<Snapshot> {
    let seen: Arc<Mutex<Vec<Snapshot>>> = Arc::default();
    let sim = times.iter().fold(sim, |sim, time| {
        let seen = Arc::clone(&seen);
        sim.at(time, move |_, monitor| seen.lock().unwrap().push(monitor.snapshot()))
    });
    sim.run(scenarios);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen.len(), times.len());
    seen
}

#[test]
fn a_scenario_waits_runs_stops_and_is_done() {
    let sim = Sim::new(|_, _| Some(t("700ms")));
    let seen = snapshots(
        sim,
        &["500ms", "1.8s", "3.1s", "3.9s"],
        vec![timed(constant(2, "2s"), "1s", "30s"), timed(constant(1, "4s"), "0s", "30s")],
    );
    let of = |at: usize| &seen[at].scenarios[1];
    assert_eq!((of(0).state, of(0).starts_in, of(0).vus_active), (Waiting, t("500ms"), 0));
    assert_eq!((of(1).state, of(1).elapsed, of(1).vus_active), (Running, t("800ms"), 2));
    assert_eq!((of(1).complete, of(1).progress), (2, 0.4));
    assert_eq!((of(2).state, of(2).elapsed, of(2).progress), (Stopping, t("2.1s"), 1.0));
    assert_eq!((of(3).state, of(3).elapsed, of(3).vus_active), (Done, t("2.1s"), 0));
    assert_eq!((seen[1].vus_active, seen[1].vus_initialized, seen[1].vus_planned), (3, 3, 3));
    assert_eq!(seen[3].complete, 6 + 5);
}

#[test]
fn the_monitor_follows_the_run() {
    let mut sim = Sim::new(|_, _| Some(t("3s")));
    sim.config.setup = Some(t("60s"));
    sim.init = PhaseScript::takes("1s");
    sim.setup = PhaseScript::takes("1s");
    let story = sim
        .at("500ms", |_, monitor| {
            assert_eq!((monitor.phase(), monitor.run_time()), (Phase::InitVus, t("0s")));
            assert_eq!(monitor.vus_initialized(), 0);
        })
        .at("1.5s", |_, monitor| {
            assert_eq!((monitor.phase(), monitor.run_time()), (Phase::Setup, t("500ms")));
            assert_eq!(monitor.vus_initialized(), 4);
        })
        .at("3.5s", |_, monitor| {
            assert_eq!((monitor.phase(), monitor.run_time()), (Phase::Running, t("2.5s")));
            assert_eq!(monitor.vus_active(), 4);
        })
        .at("4.6s", |_, monitor| assert_eq!(monitor.iterations_interrupted(), 2))
        .run(vec![timed(constant(2, "1s"), "0s", "1.5s"), timed(constant(2, "1s"), "1s", "5s")]);
    assert_eq!(story.counts(), (2, 2));
}

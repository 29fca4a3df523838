//! Scripts that do not stop when they are told to, and the failure of the tool itself.

use std::time::Duration;

use ws_engine::Cause;

use crate::sim::{PhaseScript, Sim, constant, per_vu, t, timed};

/// VUs whose only iteration goes on for this long after it was interrupted.
fn deaf(lag: &str) -> Sim {
    let mut sim = Sim::new(|_, _| None);
    sim.lag = t(lag);
    sim.config.teardown = Some(t("60s"));
    sim.teardown = PhaseScript::takes("1s");
    sim
}

fn crash() -> Cause {
    Cause::Crashed("internal error".to_owned())
}

fn signal() -> Cause {
    Cause::Signal("terminated".to_owned())
}

#[test]
fn a_stuck_script_is_given_up_and_teardown_runs() {
    let mut sim = deaf("1h");
    sim.stuck = true;
    let story = sim.run(vec![timed(constant(2, "1s"), "0s", "1s")]);
    assert_eq!(story.events[4..], ["4.5s abandoned", "4.5s cv ended", "4.5s Teardown", "5.5s Ended"]);
    assert!(story.outcome.gave_up);
    assert!(story.outcome.cause.is_none(), "its time was over anyway");
    assert_eq!(story.counts(), (0, 2));
    assert_eq!(story.outcome.snapshot.vus_active, 0);
}

#[test]
fn a_signal_gives_a_stuck_script_as_long() {
    let mut sim = deaf("1h");
    sim.stuck = true;
    let story = sim.at("1s", |control, _| control.stop(signal())).run(vec![constant(2, "60s")]);
    assert_eq!(story.run_time(), "4.5s");
    assert!(story.outcome.gave_up && matches!(story.outcome.cause, Some(Cause::Signal(_))));
}

#[test]
fn slow_ones_are_waited_for() {
    let story = deaf("20s").run(vec![timed(constant(2, "1s"), "0s", "1s")]);
    assert_eq!(story.run_time(), "23s");
    assert!(!story.outcome.gave_up);
}

#[test]
fn but_not_for_ever() {
    let story = deaf("1h").run(vec![timed(constant(2, "1s"), "0s", "1s")]);
    assert_eq!(story.run_time(), "33s");
    assert!(story.outcome.gave_up);
}

#[test]
fn a_stuck_script_does_not_end_another_scenario() {
    let mut sim = Sim::new(|vu, _| (vu == 2).then_some(t("2s")));
    sim.lag = t("1h");
    sim.stuck = true;
    let story = sim.run(vec![timed(constant(1, "1s"), "0s", "0s"), per_vu(1, 10, "60s")]);
    assert_eq!(story.counts(), (10, 1));
    assert_eq!(story.run_time(), "20s", "given up when nothing else was left");
}

#[test]
fn scenarios_that_lack_a_lost_vu_end_with_their_time() {
    let mut sim = Sim::new(|_, _| None);
    sim.lag = t("1h");
    sim.stuck = true;
    let later = timed(constant(1, "5s"), "2s", "1s");
    let story = sim.run(vec![timed(constant(1, "1s"), "0s", "0s"), later]);
    assert!(story.outcome.gave_up);
    assert!(story.outcome.run_time < Duration::from_secs(12), "{:?}", story.events);
}

#[test]
fn phases_that_are_stuck_are_given_up() {
    let stuck = || PhaseScript { takes: None, deaf: true, throws: None };
    let mut sim = deaf("0s");
    (sim.stuck, sim.init) = (true, stuck());
    let story = sim.at("1s", |control, _| control.stop(signal())).run(vec![constant(1, "5s")]);
    assert_eq!(story.events[2..], ["3.5s abandoned", "3.5s Ended"]);

    let mut sim = deaf("0s");
    (sim.stuck, sim.setup, sim.config.setup) = (true, stuck(), Some(t("10s")));
    let story = sim.run(vec![constant(1, "5s")]);
    assert_eq!(story.run_time(), "12.5s");
    assert!(matches!(story.outcome.cause, Some(Cause::SetupTimeout(_))));

    let mut sim = Sim::new(|_, _| Some(t("1s")));
    (sim.stuck, sim.teardown, sim.config.teardown) = (true, stuck(), Some(t("10s")));
    let story = sim.run(vec![per_vu(1, 1, "5s")]);
    assert_eq!(story.run_time(), "13.5s");
    assert!(matches!(story.outcome.cause, Some(Cause::TeardownTimeout(_))));
}

#[test]
fn a_crash_ends_the_run_where_it_is() {
    for (at, phases) in [
        ("500ms", &["0s InitVus", "500ms Ended"][..]),
        ("1.5s", &["0s InitVus", "1s Setup", "1.5s Ended"]),
        ("2.5s", &["0s InitVus", "1s Setup", "2s Running", "2.5s Ended"]),
        ("7.5s", &["0s InitVus", "1s Setup", "2s Running", "7s Teardown", "7.5s Ended"]),
    ] {
        let mut sim = deaf("0s");
        sim.init = PhaseScript::takes("1s");
        (sim.setup, sim.config.setup) = (PhaseScript::takes("1s"), Some(t("60s")));
        let story =
            sim.at(at, |control, _| control.stop(crash())).run(vec![timed(constant(1, "5s"), "0s", "0s")]);
        let seen: Vec<&String> = story
            .events
            .iter()
            .filter(|event| {
                ["InitVus", "Setup", "Running", "Teardown", "Ended"].iter().any(|p| event.ends_with(p))
            })
            .collect();
        assert_eq!(seen, phases, "{at}");
        assert!(matches!(story.outcome.cause, Some(Cause::Crashed(_))));
    }
}

#[test]
fn a_crash_is_the_cause_whatever_came_before() {
    let story = deaf("1h")
        .at("1s", |control, _| control.stop(signal()))
        .at("2s", |control, _| control.stop(crash()))
        .run(vec![constant(1, "60s")]);
    assert_eq!(story.cause().unwrap(), "internal error");
    assert_eq!(story.run_time(), "2s");
}

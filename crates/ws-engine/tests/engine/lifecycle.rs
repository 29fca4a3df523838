//! Phases of a run, and every way to end it early.

use ws_engine::{Cause, ScenarioState};

use crate::sim::{PhaseScript, Sim, Story, constant, per_vu, shared, t, timed};

fn with_phases(setup: &str, teardown: &str) -> Sim {
    let mut sim = Sim::new(|_, _| Some(t("400ms")));
    sim.config.setup = Some(t("60s"));
    sim.config.teardown = Some(t("60s"));
    sim.setup = PhaseScript::takes(setup);
    sim.teardown = PhaseScript::takes(teardown);
    sim
}

fn signal() -> Cause {
    Cause::Signal("interrupt".to_owned())
}

fn phases(story: &Story) -> Vec<&str> {
    let phase = |event: &&str| {
        ["InitVus", "Setup", "Running", "Teardown", "Ended"].iter().any(|p| event.ends_with(p))
    };
    story.events.iter().map(String::as_str).filter(phase).collect()
}

const BY_SIGNAL: &str = "test run was aborted because k6 received a 'interrupt' signal";

#[test]
fn phases_in_order_and_run_time_from_setup_to_teardown() {
    let mut sim = with_phases("1s", "2s");
    sim.init = PhaseScript::takes("3s");
    let story = sim.run(vec![shared(1, 2, "10s")]);
    assert_eq!(
        story.events,
        [
            "0s InitVus",
            "3s run time starts",
            "3s Setup",
            "4s Running",
            "4s sh started",
            "4.8s sh ended",
            "4.8s Teardown",
            "6.8s Ended",
        ]
    );
    assert_eq!(story.run_time(), "3.8s");
    assert_eq!(story.outcome.snapshot.scenario_time, t("800ms"));
    assert!(story.outcome.cause.is_none());
}

#[test]
fn failed_setup_ends_the_run_without_teardown() {
    let mut sim = with_phases("1s", "1s");
    sim.setup.throws = Some("Error: boom");
    let story = sim.run(vec![constant(1, "5s")]);
    assert_eq!(phases(&story), ["0s InitVus", "0s Setup", "1s Ended"]);
    assert!(matches!(story.outcome.cause, Some(Cause::SetupFailed(_))));
    assert_eq!(story.cause().unwrap(), "Error: boom");
    assert_eq!(story.counts(), (0, 0));
    assert_eq!(story.outcome.snapshot.scenarios[0].state, ScenarioState::Waiting);
}

#[test]
fn setup_over_its_limit_ends_the_run_without_teardown() {
    for takes in [None, Some(t("1s"))] {
        let mut sim = with_phases("0s", "1s");
        sim.config.setup = Some(t("999ms"));
        sim.setup.takes = takes;
        let story = sim.run(vec![constant(1, "5s")]);
        assert_eq!(phases(&story), ["0s InitVus", "0s Setup", "999ms Ended"]);
        assert!(matches!(story.outcome.cause, Some(Cause::SetupTimeout(limit)) if limit == t("999ms")));
    }
}

#[test]
fn timeout_text() {
    assert_eq!(Cause::SetupTimeout(t("1s")).to_string(), "setup() execution timed out after 1 seconds");
    assert_eq!(
        Cause::TeardownTimeout(t("1.5s")).to_string(),
        "teardown() execution timed out after 1.5 seconds"
    );
}

#[test]
fn stop_during_setup_interrupts_it_and_skips_teardown() {
    let story =
        with_phases("10s", "1s").at("2s", |control, _| control.stop(signal())).run(vec![constant(1, "5s")]);
    assert_eq!(phases(&story), ["0s InitVus", "0s Setup", "2s Ended"]);
    assert_eq!(story.cause().unwrap(), BY_SIGNAL, "not the failure of the interrupted setup");
}

#[test]
fn stop_that_setup_survives_skips_the_scenarios_but_not_teardown() {
    let mut sim = with_phases("2s", "1s");
    sim.setup.deaf = true;
    let story = sim.at("1s", |control, _| control.stop(Cause::Stopped)).run(vec![constant(1, "5s")]);
    assert_eq!(phases(&story), ["0s InitVus", "0s Setup", "2s Running", "2s Teardown", "3s Ended"]);
    assert!(matches!(story.outcome.cause, Some(Cause::Stopped)));
    assert_eq!(story.iterations, []);
}

#[test]
fn setup_that_ends_well_but_too_late_has_still_failed() {
    let mut sim = with_phases("2s", "1s");
    sim.config.setup = Some(t("1s"));
    sim.setup.deaf = true;
    let story = sim.run(vec![constant(1, "5s")]);
    assert_eq!(phases(&story), ["0s InitVus", "0s Setup", "2s Ended"]);
    assert!(matches!(story.outcome.cause, Some(Cause::SetupTimeout(_))));
}

#[test]
fn signal_interrupts_all_vus_at_once_and_teardown_runs() {
    let mut sim = with_phases("0s", "1.5s");
    sim.lag = t("10ms");
    let later = timed(per_vu(2, 5, "5s"), "3s", "30s");
    let story = sim.at("1.1s", |control, _| control.stop(signal())).run(vec![
        constant(2, "5s"),
        shared(2, 100, "5s"),
        later,
    ]);
    assert_eq!(
        story.events[3..],
        [
            "0s Running",
            "0s cv started",
            "0s sh started",
            &format!("1.1s stopping: {BY_SIGNAL}"),
            "1.11s cv ended",
            "1.11s sh ended",
            "1.11s Teardown",
            "2.61s Ended",
        ]
    );
    assert_eq!(story.counts(), (8, 4));
    assert_eq!(story.samples, ["1s vus 4/6"], "no dropped iterations, and no VUs counted after the abort");
    let states: Vec<_> = story.outcome.snapshot.scenarios.iter().map(|s| s.state).collect();
    assert_eq!(states, [ScenarioState::Interrupted; 3]);
    assert_eq!(story.outcome.snapshot.scenarios[0].elapsed, t("1.11s"));
    assert_eq!(story.outcome.snapshot.scenarios[2].elapsed, t("0s"));
}

#[test]
fn only_the_first_cause_counts() {
    let aborted = "thresholds on metrics 'checks' were crossed";
    let story = with_phases("0s", "1s")
        .at("1.1s", move |control, _| control.stop(Cause::Thresholds(aborted.to_owned())))
        .at("1.5s", |control, _| control.stop(signal()))
        .run(vec![constant(1, "5s")]);
    assert_eq!(story.cause().unwrap(), aborted);
    assert_eq!(story.events.iter().filter(|e| e.contains("stopping")).count(), 1);
    assert_eq!(story.run_time(), "2.1s", "the second one does not cut teardown");
}

#[test]
fn script_abort_ends_like_a_signal() {
    let story = with_phases("0s", "0s")
        .at("500ms", |control, _| control.stop(Cause::ScriptAbort("test aborted: x".to_owned())))
        .run(vec![shared(1, 5, "5s")]);
    assert_eq!(story.cause().unwrap(), "test aborted: x");
    assert_eq!(story.counts(), (1, 1));
    assert_eq!(phases(&story).last(), Some(&"500ms Ended"));
    assert!(story.events.contains(&"500ms Teardown".to_owned()));
}

#[test]
fn stop_in_the_graceful_period_interrupts_at_once() {
    let story = Sim::new(|_, _| Some(t("10s")))
        .at("2s", |control, _| control.stop(signal()))
        .run(vec![constant(1, "1s")]);
    assert_eq!(story.counts(), (0, 1));
    assert_eq!(story.run_time(), "2s");
    assert_eq!(story.outcome.snapshot.scenarios[0].state, ScenarioState::Done, "its own time was over");
}

#[test]
fn stop_during_teardown_is_remembered_but_teardown_goes_on() {
    let story =
        with_phases("0s", "3s").at("2s", |control, _| control.stop(signal())).run(vec![shared(1, 1, "5s")]);
    assert_eq!(story.cause().unwrap(), BY_SIGNAL);
    assert_eq!(story.run_time(), "3.4s");
}

#[test]
fn teardown_that_fails_or_lasts_too_long() {
    let mut sim = with_phases("0s", "1s");
    sim.teardown.throws = Some("Error: td");
    let story = sim.run(vec![shared(1, 1, "5s")]);
    assert!(matches!(&story.outcome.cause, Some(Cause::TeardownFailed(e)) if e.to_string() == "Error: td"));
    assert_eq!(story.counts(), (1, 0));

    let mut sim = with_phases("0s", "0s");
    sim.config.teardown = Some(t("2s"));
    sim.teardown.takes = None;
    let story = sim.run(vec![shared(1, 1, "5s")]);
    assert!(matches!(story.outcome.cause, Some(Cause::TeardownTimeout(limit)) if limit == t("2s")));
    assert_eq!(story.run_time(), "2.4s");
}

#[test]
fn failed_init_ends_the_run_before_it_starts() {
    let mut sim = with_phases("1s", "1s");
    sim.init = PhaseScript { throws: Some("Error: in VU #2"), ..PhaseScript::takes("2.5s") };
    let story = sim.run(vec![constant(3, "5s")]);
    assert_eq!(
        story.events,
        ["0s InitVus", "2.5s stopping: Error: in VU #2", "2.5s Ended"],
        "run time never started"
    );
    assert!(matches!(story.outcome.cause, Some(Cause::InitFailed(_))));
    assert_eq!(story.run_time(), "0s");
    assert_eq!(story.samples, ["1s vus 0/0", "2s vus 0/0"]);
}

#[test]
fn stop_during_init_interrupts_it() {
    let mut sim = with_phases("1s", "1s");
    sim.init.takes = None;
    let story = sim.at("700ms", |control, _| control.stop(signal())).run(vec![constant(3, "5s")]);
    assert_eq!(phases(&story), ["0s InitVus", "700ms Ended"]);
    assert_eq!(story.cause().unwrap(), BY_SIGNAL);
}

//! The arrival-rate executors: what is due, what begins, what is dropped.

use std::time::Duration;

use ws_engine::ScenarioState::Done;
use ws_engine::duration::GoDuration;
use ws_engine::{ExecutorConfig, ScenarioConfig, Segment, SegmentSequence, Share, StageConfig};

use crate::sim::{Sim, Story, t, timed};

fn span(text: &str) -> GoDuration {
    GoDuration::parse(text).unwrap()
}

fn constant(rate: i64, unit: &str, duration: &str, vus: (i64, i64)) -> ScenarioConfig {
    ScenarioConfig::new(
        "ca",
        ExecutorConfig::ConstantArrivalRate {
            rate: Some(rate),
            time_unit: span(unit),
            duration: Some(span(duration)),
            pre_allocated_vus: Some(vus.0),
            max_vus: Some(vus.1),
        },
    )
}

fn ramping(start: i64, stages: &[(&str, i64)], vus: (i64, i64)) -> ScenarioConfig {
    let stage =
        |&(time, target): &(&str, i64)| StageConfig { duration: Some(span(time)), target: Some(target) };
    ScenarioConfig::new(
        "ra",
        ExecutorConfig::RampingArrivalRate {
            start_rate: start,
            time_unit: span("1s"),
            stages: stages.iter().map(stage).collect(),
            pre_allocated_vus: Some(vus.0),
            max_vus: Some(vus.1),
        },
    )
}

fn starts(story: &Story) -> Vec<Duration> {
    story.iterations.iter().map(|i| i.2).collect()
}

#[test]
fn iterations_start_by_the_clock_whoever_is_busy() {
    let story = Sim::new(|_, n| Some(t(if n == 0 { "2s" } else { "10ms" }))).run(vec![constant(
        4,
        "1s",
        "1s",
        (2, 2),
    )]);
    assert_eq!(starts(&story), ["0s", "250ms", "500ms", "750ms"].map(t));
    let vus: Vec<_> = story.iterations.iter().map(|i| i.0).collect();
    assert_eq!(vus, [1, 2, 2, 2]);
    assert_eq!(story.counts(), (4, 0));
    assert_eq!(story.run_time(), "2s");
    assert_eq!(story.dropped(), [""; 0]);
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.vus_planned, scenario.total), (Done, 2, None));
}

#[test]
fn vus_take_turns() {
    let story = Sim::new(|_, _| Some(t("10ms"))).run(vec![constant(8, "1s", "1s", (3, 3))]);
    let vus: Vec<_> = story.iterations.iter().map(|i| i.0).collect();
    assert_eq!(vus, [1, 2, 3, 1, 2, 3, 1, 2]);
    assert_eq!(story.activations.len(), 3, "each VU keeps its activation");
}

#[test]
fn what_nobody_is_free_for_is_dropped_and_one_more_vu_made() {
    let mut sim = Sim::new(|_, _| Some(t("1s")));
    sim.late = crate::sim::PhaseScript::takes("150ms");
    let story = sim.run(vec![timed(constant(10, "1s", "3s", (1, 3)), "0s", "0s")]);
    // 0: VU 1. 0.1: dropped, VU 2 there at 0.25. 0.2: dropped. 0.3: VU 2. 0.4: dropped, VU 3 there at 0.55. 0.5: dropped.
    // 0.6: VU 3. Then all three once in a second.
    let at = ["0s", "300ms", "600ms", "1s", "1.3s", "1.6s", "2s", "2.3s", "2.6s"];
    assert_eq!(starts(&story), at.map(t));
    assert_eq!(story.counts(), (7, 2), "the one that began at 2 s just makes it");
    assert_eq!(story.dropped_total(), 30 - 9);
    assert_eq!(story.dropped()[..2], ["100ms dropped 1 of ca", "200ms dropped 1 of ca"]);
    let lacks: Vec<_> = story.events.iter().filter(|event| event.contains("lacks")).collect();
    assert_eq!(lacks, ["700ms ca lacks VUs at 3"], "once");
    assert_eq!(story.outcome.snapshot.vus_initialized, 3);
    assert_eq!(
        story.samples.iter().filter(|s| s.contains("vus")).collect::<Vec<_>>(),
        ["1s vus 2/3", "2s vus 2/3", "3s vus 2/3"]
    );
}

#[test]
fn a_vu_that_cannot_be_made_is_tried_again() {
    let mut sim = Sim::new(|_, _| Some(t("10s")));
    sim.late.throws = Some("Error: in the init code");
    let story = sim.run(vec![timed(constant(1, "1s", "4s", (1, 2)), "0s", "0s")]);
    let failures: Vec<_> = story.events.iter().filter(|event| event.contains("gets no VU")).collect();
    assert_eq!(failures[0], "1s ca gets no VU: Error: in the init code");
    assert_eq!(story.dropped_total(), 3);
    assert_eq!(story.counts(), (0, 1));
}

#[test]
fn without_any_vu_at_first() {
    let story = Sim::new(|_, _| Some(t("10ms"))).run(vec![constant(2, "1s", "2s", (0, 1))]);
    assert_eq!(starts(&story), ["500ms", "1s", "1.5s"].map(t));
    assert_eq!(story.dropped(), ["0s dropped 1 of ca"]);
}

#[test]
fn scenarios_one_after_the_other_share_vus_made_late() {
    let mut second = timed(constant(2, "1s", "1s", (1, 2)), "40s", "0s");
    second.name = "later".to_owned();
    let first = timed(constant(2, "1s", "1s", (1, 2)), "0s", "0s");
    let story = Sim::new(|_, _| Some(t("700ms"))).run(vec![first, second]);
    assert_eq!(story.outcome.snapshot.vus_initialized, 2, "there is never need for a third");
    assert_eq!(story.dropped_total(), 2);
}

#[test]
fn vus_count_as_active_while_they_have_an_iteration() {
    let story = Sim::new(|_, _| Some(t("600ms"))).run(vec![constant(1, "800ms", "2.2s", (5, 5))]);
    // At work from 0 to 0.6, 0.8 to 1.4, 1.6 to 2.2 s.
    assert_eq!(story.samples, ["1s vus 1/5", "2s vus 1/5"]);
    let story = Sim::new(|_, _| Some(t("100ms"))).run(vec![constant(1, "800ms", "2.2s", (5, 5))]);
    assert_eq!(story.samples, ["1s vus 0/5", "2s vus 0/5"]);
}

#[test]
fn a_stall_is_caught_up_with_and_its_lateness_known() {
    let mut sim = Sim::new(|_, _| Some(t("1ms")));
    sim.stall = Some((t("2.05s"), t("1s")));
    let story = sim.run(vec![constant(10, "1s", "4s", (2, 20))]);
    // Ten are due during the stall: two VUs begin at once, and nobody is left for the others.
    let late: Vec<_> = story.lateness.iter().filter(|late| !late.is_zero()).copied().collect();
    assert_eq!(late, [t("950ms"), t("850ms")]);
    assert_eq!(story.dropped_total(), 8);
    assert_eq!(story.counts(), (40 - 8, 0), "every iteration that was due is in one account");
    assert_eq!(story.outcome.snapshot.vus_initialized, 3, "one more was made meanwhile");
}

#[test]
fn rates_follow_the_line() {
    let stages = [("5s", 1), ("1s", 1), ("5s", 0)];
    let story = Sim::new(|_, _| Some(t("1ms"))).run(vec![ramping(0, &stages, (1, 1))]);
    let at: Vec<_> = starts(&story).iter().map(|at| format!("{:.3}", at.as_secs_f64())).collect();
    assert_eq!(at, ["3.162", "4.472", "5.500", "6.528", "7.838", "11.000"]);
}

#[test]
fn an_abort_ends_those_that_wait() {
    let story = Sim::new(|vu, _| (vu == 1).then(|| t("10ms")))
        .at("1.2s", |control, _| control.stop(ws_engine::Cause::Stopped))
        .run(vec![constant(1, "1s", "1h", (3, 3))]);
    assert_eq!(story.run_time(), "1.2s");
    assert_eq!(story.counts(), (1, 1));
}

#[test]
fn parts_of_a_test_add_up_to_the_whole() {
    let scenario = || constant(20, "950ms", "1s", (5, 5));
    let sequence = SegmentSequence::parse("0,1/4,3/4,1").unwrap();
    let mut all = Vec::new();
    for (segment, first) in [("0:1/4", 1), ("1/4:3/4", 0), ("3/4:1", 3)] {
        let share = Share::new(Segment::parse(segment).unwrap(), Some(sequence.clone())).unwrap();
        let story = Sim::new(|_, _| Some(t("1ms"))).run_share(vec![scenario()], share);
        assert_eq!(starts(&story)[0], t("47.5ms") * first);
        all.extend(starts(&story));
    }
    all.sort();
    let whole = Sim::new(|_, _| Some(t("1ms"))).run(vec![scenario()]);
    assert_eq!(all, starts(&whole));
}

#[test]
fn an_hour_of_many_starts() {
    let story = Sim::new(|_, _| Some(t("50us"))).run(vec![constant(100, "1s", "1h", (2, 2))]);
    assert_eq!(story.counts(), (360_000, 0));
    assert_eq!(story.dropped_total(), 0);
}

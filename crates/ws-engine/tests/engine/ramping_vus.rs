//! `ramping-vus`: VUs come and go with the line.

use std::time::Duration;

use ws_engine::ScenarioState::Done;
use ws_engine::duration::GoDuration;
use ws_engine::{ExecutorConfig, ScenarioConfig, StageConfig};

use crate::sim::{Sim, Story, constant, t, timed};

fn ramping(start_vus: i64, stages: &[(&str, i64)], ramp_down: &str) -> ScenarioConfig {
    let span = |text: &str| GoDuration::parse(text).unwrap();
    let stage =
        |&(time, target): &(&str, i64)| StageConfig { duration: Some(span(time)), target: Some(target) };
    let stages = stages.iter().map(stage).collect();
    ScenarioConfig::new(
        "rv",
        ExecutorConfig::RampingVus { start_vus, stages, graceful_ramp_down: span(ramp_down) },
    )
}

/// When each VU began its first iteration.
fn first_starts(story: &Story) -> Vec<(usize, Duration)> {
    let mut seen = Vec::new();
    for &(vu, _, at) in &story.iterations {
        if !seen.iter().any(|(known, _)| *known == vu) {
            seen.push((vu, at));
        }
    }
    seen
}

#[test]
fn vus_start_when_the_line_reaches_them() {
    let story = Sim::new(|_, _| Some(t("99ms"))).run(vec![ramping(0, &[("2s", 4), ("1s", 4)], "0s")]);
    assert_eq!(first_starts(&story), [(1, t("500ms")), (2, t("1s")), (3, t("1.5s")), (4, t("2s"))]);
    assert_eq!(story.counts(), (26 + 21 + 16 + 11, 0));
    assert_eq!(story.run_time(), "3.089s", "with the last iteration of VU 4");
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.vus_planned, scenario.progress), (Done, 4, 1.0));
}

#[test]
fn who_would_start_at_the_end_does_not() {
    let story = Sim::new(|_, _| Some(t("99ms"))).run(vec![ramping(1, &[("1200ms", 2)], "30s")]);
    assert_eq!(first_starts(&story), [(1, t("0s"))]);
    assert_eq!(story.counts(), (13, 0));
}

#[test]
fn the_last_to_come_goes_first_and_may_end_its_iteration() {
    let scenario = timed(ramping(3, &[("3s", 0)], "500ms"), "0s", "10s");
    let takes =
        |vu: usize, n: u64| if vu == 2 { None } else { Some(t(if n < 3 { "1.4s" } else { "210ms" })) };
    let story = Sim::new(takes).run(vec![scenario]);
    // The line is down to 2, 1, 0 VUs at 1, 2, 3 s. VU 3 ends its iteration at 1.4, VU 2 is cut off at 2.5; VU 1 has ended
    // one at 1.4, and then goes on until after 3.
    let of = |vu| story.iterations.iter().filter(move |i| i.0 == vu).map(|i| i.2).collect::<Vec<_>>();
    assert_eq!(of(3), [t("0s")]);
    assert_eq!(of(2), [t("0s")]);
    assert_eq!(of(1).last(), Some(&t("2.87s")));
    assert_eq!(story.counts(), (1 + 9, 1));
    assert_eq!(story.run_time(), "3.08s");
}

#[test]
fn a_vu_that_is_wanted_again_goes_on() {
    // Down to one VU and at once up again, within the time to ramp down.
    let stages = [("1s", 2), ("0s", 1), ("500ms", 1), ("0s", 2), ("1s", 2)];
    let story = Sim::new(|_, _| Some(t("2s"))).run(vec![ramping(2, &stages, "30s")]);
    assert_eq!(story.activations.len(), 2, "nobody had to be activated again");
    let starts: Vec<_> = story.iterations.iter().map(|i| (i.0, i.2)).collect();
    assert_eq!(starts, [(1, t("0s")), (2, t("0s")), (1, t("2s")), (2, t("2s"))]);
    assert_eq!(story.counts(), (4, 0));
    // With short iterations it has stopped meanwhile.
    let story = Sim::new(|_, _| Some(t("200ms"))).run(vec![ramping(2, &stages, "30s")]);
    assert_eq!(story.activations.len(), 3);
    let of_2: Vec<_> = story.iterations.iter().filter(|i| i.0 == 2).map(|i| i.2).collect();
    assert!(of_2.contains(&t("800ms")) && of_2.contains(&t("1.5s")), "{of_2:?}");
    assert!(!of_2.iter().any(|at| (t("1s")..t("1.5s")).contains(at)), "{of_2:?}");
}

#[test]
fn a_vu_that_stops_just_when_it_is_wanted_again_is_activated_again() {
    let stages = [("1s", 2), ("0s", 1), ("500ms", 1), ("0s", 2), ("1s", 2)];
    let takes = |vu, n: u64| {
        Some(t(if n > 1 {
            "300ms"
        } else if vu == 1 {
            "1.7s"
        } else {
            "1.5s"
        }))
    };
    let story = Sim::new(takes).run(vec![ramping(2, &stages, "30s")]);
    assert_eq!(story.activations.len(), 3);
    let of_2: Vec<_> = story.iterations.iter().filter(|i| i.0 == 2).map(|i| i.2).collect();
    assert_eq!(of_2, ["0s", "1.5s", "1.8s", "2.1s", "2.4s"].map(t));
}

#[test]
fn the_end_cuts_the_time_to_ramp_down() {
    let scenario = timed(ramping(2, &[("1s", 0), ("1s", 1)], "30s"), "0s", "300ms");
    let story = Sim::new(|_, _| None).run(vec![scenario]);
    assert_eq!(story.counts(), (0, 2));
    assert_eq!(story.run_time(), "2.3s");
}

#[test]
fn it_ends_when_the_line_has_reached_zero_for_good() {
    let scenario = ramping(1, &[("1s", 2), ("1s", 0), ("3s", 0)], "30s");
    let story = Sim::new(|_, _| Some(t("95ms"))).run(vec![scenario]);
    assert_eq!(story.run_time(), "2.09s", "with the last iteration");
    assert_eq!(story.outcome.snapshot.scenarios[0].duration, t("2s"));
}

#[test]
fn a_line_may_rest_at_zero_in_between() {
    let stages = [("0s", 1), ("1s", 1), ("0s", 0), ("10s", 0), ("0s", 1), ("1s", 1)];
    let story = Sim::new(|_, _| Some(t("400ms"))).run(vec![ramping(0, &stages, "30s")]);
    let starts: Vec<_> = story.iterations.iter().map(|i| i.2).collect();
    assert_eq!(starts, ["0s", "400ms", "800ms", "11s", "11.4s", "11.8s"].map(t));
    assert_eq!(story.run_time(), "12.2s");
}

#[test]
fn vus_that_have_ramped_down_serve_others() {
    let scenario = ramping(3, &[("3s", 0)], "0s");
    let story = Sim::new(|_, _| Some(t("100ms"))).run(vec![scenario, timed(constant(1, "1s"), "1s", "0s")]);
    assert_eq!(story.outcome.snapshot.vus_initialized, 3);
    let cv = story.activations.iter().find(|a| &*a.scenario == "cv").unwrap();
    assert_eq!(cv.started - story.activations[0].started, t("1s"));
}

#[test]
fn hours_of_ramping_pass_in_no_time() {
    let legs = [("2h", 50), ("3h", 5), ("30m", 20), ("4h", 0)];
    let story = Sim::new(|_, _| Some(t("7s"))).run(vec![ramping(1, &legs, "30s")]);
    let starts = first_starts(&story);
    assert_eq!(starts.len(), 50);
    for (vu, at) in starts {
        let exact = t("2h").as_nanos() - t("2h").as_nanos() * (50 - vu as u128) / 49;
        assert_eq!(at.as_nanos(), if vu == 1 { 0 } else { exact }, "VU {vu}");
    }
    assert_eq!(story.counts().1, 0);
    assert!(story.outcome.run_time >= t("9h30m") && story.outcome.run_time < t("9h30m7s"));
}

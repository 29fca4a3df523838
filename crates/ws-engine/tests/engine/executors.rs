//! Each executor: who runs what when, and what is left over.

use ws_engine::ScenarioState::{Done, Interrupted};

use crate::sim::{Sim, constant, per_vu, shared, t, timed};

#[test]
fn shared_iterations_go_to_whoever_is_free() {
    let story =
        Sim::new(|vu, _| Some(t(if vu == 1 { "100ms" } else { "250ms" }))).run(vec![shared(2, 6, "10s")]);
    let by_vu_1: Vec<u64> = story.iterations.iter().filter(|i| i.0 == 1).map(|i| i.1).collect();
    assert_eq!(by_vu_1, [0, 2, 3, 5], "the fast VU takes more");
    assert_eq!(story.counts(), (6, 0));
    assert_eq!(story.run_time(), "500ms", "ends with the last iteration, not with maxDuration");
    assert_eq!(story.dropped(), [""; 0]);
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.progress, scenario.total), (Done, 1.0, Some(6)));
}

#[test]
fn shared_iterations_that_never_started_are_one_sum() {
    // As observed with k6: three VUs, 0.9 s each, 2 s and 1 s of grace.
    let story = Sim::new(|_, _| Some(t("900ms"))).run(vec![timed(shared(3, 10, "2s"), "0s", "1s")]);
    assert_eq!(story.counts(), (9, 0));
    assert_eq!(story.dropped(), ["2.7s dropped 1 of sh"]);
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.progress), (Interrupted, 0.9));
    assert_eq!(scenario.elapsed, t("2.7s"));
    assert_eq!(scenario.duration, t("2s"));
}

#[test]
fn per_vu_iterations_are_each_vus_own() {
    let story =
        Sim::new(|vu, _| Some(t(if vu == 1 { "100ms" } else { "250ms" }))).run(vec![per_vu(2, 3, "10s")]);
    let of = |vu: usize| story.iterations.iter().filter(move |i| i.0 == vu).map(|i| i.1);
    assert_eq!(of(1).collect::<Vec<_>>(), [0, 2, 3]);
    assert_eq!(of(2).collect::<Vec<_>>(), [1, 4, 5]);
    assert_eq!(story.counts(), (6, 0));
    assert_eq!(story.run_time(), "750ms");
    assert_eq!(story.outcome.snapshot.scenarios[0].total, Some(6));
}

#[test]
fn per_vu_iterations_that_never_started_are_counted_per_vu() {
    let scenario = timed(per_vu(2, 5, "1s"), "1.5s", "500ms");
    let story = Sim::new(|vu, _| Some(t(if vu == 1 { "700ms" } else { "300ms" }))).run(vec![scenario]);
    // VU 1 starts at 1.5, 2.2 and ends at 2.9; VU 2 starts at 1.5, 1.8, 2.1, 2.4 and ends at 2.7.
    assert_eq!(story.counts(), (6, 0));
    assert_eq!(story.dropped(), ["2.9s dropped 3 of pv of VU 1", "2.9s dropped 1 of pv of VU 2"]);
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.progress), (Done, 1.0), "time is over, so nothing is left to do");
}

#[test]
fn constant_vus_loop_until_time_is_over() {
    let story = Sim::new(|_, _| Some(t("400ms"))).run(vec![constant(2, "1s")]);
    let starts: Vec<_> = story.iterations.iter().map(|i| (i.0, i.2)).collect();
    let expected = ["0s", "400ms", "800ms"].map(t).map(|at| [(1, at), (2, at)]).concat();
    assert_eq!(starts, expected);
    assert_eq!(story.counts(), (6, 0), "the last ones finish within the graceful period");
    assert_eq!(story.run_time(), "1.2s");
    let scenario = &story.outcome.snapshot.scenarios[0];
    assert_eq!((scenario.state, scenario.progress, scenario.total), (Done, 1.0, None));
}

#[test]
fn iterations_that_outlast_the_graceful_period_are_interrupted() {
    for (scenario, dropped) in [
        (timed(constant(2, "1s"), "0s", "500ms"), vec![]),
        (timed(shared(2, 5, "1s"), "0s", "500ms"), vec!["1.5s dropped 3 of sh"]),
        (
            timed(per_vu(2, 2, "1s"), "0s", "500ms"),
            vec!["1.5s dropped 1 of pv of VU 1", "1.5s dropped 1 of pv of VU 2"],
        ),
    ] {
        let story = Sim::new(|vu, _| (vu == 1).then(|| t("1.2s"))).run(vec![scenario]);
        assert_eq!(story.counts(), (1, 1), "VU 1 finishes in time, VU 2 never would");
        assert_eq!(story.run_time(), "1.5s");
        assert_eq!(story.dropped(), dropped);
    }
}

#[test]
fn no_graceful_period_cuts_at_once() {
    let story = Sim::new(|_, _| Some(t("400ms"))).run(vec![timed(constant(3, "1s"), "0s", "0s")]);
    assert_eq!(story.counts(), (6, 3));
    assert_eq!(story.run_time(), "1s");
}

#[test]
fn a_slow_interruption_is_waited_for() {
    let mut sim = Sim::new(|_, _| None);
    sim.lag = t("70ms");
    let story = sim.run(vec![timed(constant(1, "1s"), "0s", "0s")]);
    assert_eq!(story.counts(), (0, 1));
    assert_eq!(story.run_time(), "1.07s");
}

#[test]
fn iterations_without_duration_do_not_stop_time() {
    let story = Sim::new(|_, _| Some(t("0s"))).run(vec![shared(4, 100_000, "10s")]);
    assert_eq!(story.counts(), (100_000, 0));
    assert_eq!(story.run_time(), "0s");
}

#[test]
fn scenarios_run_side_by_side() {
    let story = Sim::new(|_, _| Some(t("600ms"))).run(vec![
        timed(constant(1, "2s"), "0s", "1s"),
        timed(shared(2, 5, "2s"), "0s", "1s"),
        timed(per_vu(2, 3, "2s"), "900ms", "1s"),
    ]);
    assert_eq!(story.counts(), (4 + 5 + 6, 0));
    assert_eq!(
        story.events,
        [
            "0s InitVus",
            "0s run time starts",
            "0s Running",
            "0s cv started",
            "0s sh started",
            "900ms pv started",
            "1.8s sh ended",
            "2.4s cv ended",
            "2.7s pv ended",
            "2.7s Ended",
        ]
    );
    assert_eq!(story.samples, ["1s vus 5/5", "2s vus 3/5"]);
}

#[test]
fn a_later_scenario_uses_the_same_vus() {
    let story = Sim::new(|_, _| Some(t("400ms")))
        .run(vec![timed(constant(2, "1s"), "0s", "0s"), timed(shared(2, 2, "1s"), "1s", "0s")]);
    assert_eq!(story.outcome.snapshot.vus_initialized, 2);
    assert_eq!(story.counts(), (4 + 2, 2));
    assert_eq!(
        story.iterations[6..].iter().map(|i| (i.0, i.2)).collect::<Vec<_>>(),
        [(1, t("1s")), (2, t("1s"))]
    );
}

#[test]
fn a_vu_that_is_late_is_waited_for() {
    let mut sim = Sim::new(|_, n| if n == 0 { None } else { Some(t("100ms")) });
    sim.lag = t("300ms");
    let mut first = timed(constant(1, "1s"), "0s", "0s");
    first.name = "first".to_owned();
    let story = sim.run(vec![first, timed(constant(1, "1s"), "1s", "0s")]);
    // The second scenario's only VU comes back at 1.3 s.
    assert_eq!(story.iterations[1].2, t("1.3s"));
    assert_eq!(story.run_time(), "2.3s", "0 never ends by itself, in the second scenario neither");
    assert_eq!(story.counts(), (0, 2));
}

#[test]
fn vus_are_told_all_about_their_scenario() {
    let mut scenario = timed(per_vu(2, 1, "2s"), "1.5s", "0s");
    scenario.exec = "chat".to_owned();
    scenario.tags = vec![("team".to_owned(), "a".to_owned())];
    scenario.env = vec![("ROOM".to_owned(), "7".to_owned())];
    let story = Sim::new(|vu, _| (vu == 1).then(|| t("1s"))).run(vec![scenario, constant(1, "1s")]);
    let [_, first, second] = &story.activations[..] else { panic!("three activations") };
    for activation in [first, second] {
        assert_eq!((&*activation.scenario, activation.executor), ("pv", "per-vu-iterations"));
        assert_eq!(&*activation.exec, "chat");
        assert_eq!(&*activation.tags, [("team".to_owned(), "a".to_owned())]);
        assert_eq!(&*activation.env, [("ROOM".to_owned(), "7".to_owned())]);
    }
    assert_eq!((first.slot, second.slot), (0, 1));
    assert_eq!(first.started - story.activations[0].started, t("1.5s"));
}

#[test]
fn a_scenario_that_ended_hands_out_nothing() {
    let story = Sim::new(|_, _| Some(t("700ms"))).run(vec![timed(per_vu(1, 5, "2s"), "0s", "0s")]);
    let work = &story.activations[0].work;
    assert_eq!(work.next(0), ws_engine::Next::Stop);
    assert_eq!(work.progress(), 1.0, "time is over");
    let story = Sim::new(|_, _| Some(t("900ms"))).run(vec![shared(1, 4, "2s")]);
    assert_eq!(story.activations[0].work.progress(), 0.75);
}

#[test]
fn a_vu_that_says_twice_that_it_stopped_is_counted_once() {
    let mut sim = Sim::new(|vu, _| Some(t(if vu == 1 { "100ms" } else { "300ms" })));
    sim.stops_twice = true;
    let story = sim.run(vec![per_vu(2, 1, "10s")]);
    assert_eq!(story.counts(), (2, 0));
    assert_eq!(story.run_time(), "300ms");
}

//! Whatever the times are, every planned iteration ends up in exactly one account.

use proptest::prelude::*;

use crate::sim::{Sim, constant, per_vu, shared, t, timed};

proptest! {
    #[test]
    fn complete_interrupted_and_dropped_add_up(
        vus in 1..5i64,
        iterations in 1..12i64,
        millis in proptest::collection::vec(proptest::option::weighted(0.9, 0..2_000u64), 1..8),
        starts in (0..3u64, 0..3u64),
        graceful in 0..3u64,
        lag in 0..50u64,
    ) {
        let takes = move |vu: usize, n: u64| {
            millis[(vu * 7 + n as usize) % millis.len()].map(std::time::Duration::from_millis)
        };
        let mut sim = Sim::new(takes);
        sim.lag = std::time::Duration::from_millis(lag);
        let graceful = format!("{graceful}s");
        let start = |seconds: u64| format!("{seconds}s");
        let (shared_total, per_vu_total) = (iterations + vus, iterations * vus);
        let story = sim.run(vec![
            timed(shared(vus, shared_total, "2s"), &start(starts.0), &graceful),
            timed(per_vu(vus, iterations, "1s"), &start(starts.1), &graceful),
        ]);
        let planned = (shared_total + per_vu_total) as u64;
        let (complete, interrupted) = story.counts();
        prop_assert_eq!(complete + interrupted + story.dropped_total(), planned);
        prop_assert_eq!(complete + interrupted, story.iterations.len() as u64);
        // Each interrupted scenario may add its VUs' lag, and hold up the start of a later one by it.
        let latest = 2_000 + 2_000 + 2_000 + 2 * lag;
        prop_assert!(story.outcome.run_time.as_millis() as u64 <= latest);
        prop_assert!(story.outcome.cause.is_none());
    }
}

#[test]
fn hours_pass_in_no_time() {
    let story = Sim::new(|_, _| Some(t("1s"))).run(vec![timed(constant(3, "5h500ms"), "0s", "30s")]);
    assert_eq!(story.counts(), (3 * 18_001, 0));
    assert_eq!(story.run_time(), "5h0m1s");
    assert_eq!(story.samples.len(), 18_001);
}

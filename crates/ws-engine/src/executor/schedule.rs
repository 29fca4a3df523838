//! When iterations of the arrival-rate executors are due. The rate is that of the whole test; an instance has its part
//! of the schedule, at the same times.

use crate::scenario::StageConfig;
use crate::segment::Stripes;

/// Nanoseconds from the start of the scenario, in order.
pub(super) type Schedule = Box<dyn Iterator<Item = u64> + Send>;

/// `rate` iterations in `unit` nanoseconds, the first at once, until `end`. The time between two of them is whole
/// nanoseconds, as in k6.
pub(super) fn constant(rate: u64, unit: u64, end: u64, stripes: &Stripes) -> Schedule {
    let every = (unit / rate.max(1)).max(1);
    let own = own(stripes);
    Box::new(own.map(move |index| index.saturating_mul(every)).take_while(move |&at| at < end))
}

/// The rate goes from `start` along the stages, in iterations in `unit` nanoseconds; one is due whenever the integral of
/// the rate reaches the next whole number.
pub(super) fn ramping(start: u64, unit: u64, stages: &[StageConfig], stripes: &Stripes) -> Schedule {
    let mut legs = Vec::new();
    let (mut from, mut begin, mut before) = (start, 0u64, 0u128);
    for stage in stages {
        let nanos = stage.duration.map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or(0));
        let to = stage.target.and_then(|target| u64::try_from(target).ok()).unwrap_or(0);
        let area = (u128::from(from) + u128::from(to)) * u128::from(nanos);
        legs.push(Leg { from, to, nanos, begin, before, after: before.saturating_add(area) });
        (from, begin, before) = (to, begin.saturating_add(nanos), before.saturating_add(area));
    }
    let mut legs = legs.into_iter();
    let mut leg = legs.next();
    Box::new(own(stripes).map_while(move |index| {
        let wanted = (u128::from(index) + 1).checked_mul(2 * u128::from(unit))?;
        while leg.is_some_and(|leg| leg.after < wanted) {
            leg = legs.next();
        }
        leg.map(|leg| leg.reaches(wanted))
    }))
}

fn own(stripes: &Stripes) -> impl Iterator<Item = u64> + use<> {
    let stripes = stripes.clone();
    let most = stripes.count(u64::MAX);
    (0..most).map(move |own| stripes.nth(own))
}

/// A straight piece of the rate's line.
#[derive(Clone, Copy)]
struct Leg {
    from: u64,
    to: u64,
    nanos: u64,
    begin: u64,
    /// Twice the integral up to the leg's begin and end, in iterations per unit times nanoseconds: whole numbers.
    before: u128,
    after: u128,
}

impl Leg {
    /// When twice the integral reaches `wanted`, which it does within this leg.
    fn reaches(self, wanted: u128) -> u64 {
        let rest = (wanted - self.before) as f64;
        let (from, to, nanos) = (self.from as f64, self.to as f64, self.nanos as f64);
        // The root of (to - from)·x²/nanos + 2·from·x = rest, in the form that does not cancel.
        let root = (from * from + (to - from) * rest / nanos).max(0.0).sqrt();
        let x = rest / (from + root);
        self.begin + (x.min(nanos) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::GoDuration;
    use crate::segment::{Segment, SegmentSequence, Share};

    const SECOND: u64 = 1_000_000_000;

    fn seconds(schedule: Schedule) -> Vec<String> {
        schedule.map(|at| format!("{:.3}", at as f64 / 1e9)).collect()
    }

    fn stages(legs: &[(i64, i64)]) -> Vec<StageConfig> {
        let stage = |&(seconds, target): &(i64, i64)| StageConfig {
            duration: Some(GoDuration::from_secs(seconds)),
            target: Some(target),
        };
        legs.iter().map(stage).collect()
    }

    fn parts(sequence: &str) -> Vec<Share> {
        let borders: Vec<_> = sequence.split(',').collect();
        let all = SegmentSequence::parse(sequence).unwrap();
        let segment = |pair: &[&str]| Segment::parse(&pair.join(":")).unwrap();
        borders.windows(2).map(|pair| Share::new(segment(pair), Some(all.clone())).unwrap()).collect()
    }

    #[test]
    fn constant_rate() {
        let whole = Stripes::whole();
        assert_eq!(seconds(constant(4, SECOND, SECOND, &whole)), ["0.000", "0.250", "0.500", "0.750"]);
        let odd: Vec<u64> = constant(3, SECOND, SECOND, &whole).collect();
        assert_eq!(odd, [0, 333_333_333, 666_666_666, 999_999_999], "k6 has four of them, too");
        assert_eq!(constant(5 * SECOND, SECOND, 10, &whole).count(), 10, "at most one in a nanosecond");
    }

    #[test]
    fn ramping_rate() {
        let of =
            |start, legs: &[(i64, i64)]| seconds(ramping(start, SECOND, &stages(legs), &Stripes::whole()));
        assert_eq!(of(0, &[(5, 1), (1, 1), (5, 0)]), ["3.162", "4.472", "5.500", "6.528", "7.838", "11.000"]);
        assert_eq!(
            of(0, &[(2, 8), (1, 8), (0, 2), (1, 2)]).join(" "),
            "0.707 1.000 1.225 1.414 1.581 1.732 1.871 2.000 2.125 2.250 2.375 2.500 2.625 2.750 2.875 3.000 3.500 4.000"
        );
        assert_eq!(of(5, &[(1, 5)]), ["0.200", "0.400", "0.600", "0.800", "1.000"]);
        assert_eq!(of(0, &[(3, 0), (1, 0)]), [""; 0]);
    }

    #[test]
    fn parts_of_a_schedule_keep_its_times() {
        let legs = stages(&[(5, 1), (1, 1), (5, 0)]);
        let thirds: Vec<_> = parts("0,1/3,2/3,1")
            .iter()
            .map(|share| seconds(ramping(0, SECOND, &legs, share.stripes())).join(" "))
            .collect();
        assert_eq!(thirds, ["3.162 6.528", "4.472 7.838", "5.500 11.000"]);
        let every = 950_000_000 / 20;
        let slots: Vec<Vec<u64>> = parts("0,1/4,3/4,1")
            .iter()
            .map(|share| {
                constant(20, 950_000_000, SECOND, &share.weighted(5).0).map(|at| at / every).collect()
            })
            .collect();
        assert_eq!(slots[0], [1, 6, 11, 16, 21]);
        assert_eq!(slots[1], [0, 2, 4, 5, 7, 9, 10, 12, 14, 15, 17, 19, 20]);
        assert_eq!(slots[2], [3, 8, 13, 18]);
    }

    #[test]
    fn rates_at_the_edge_do_not_overflow() {
        let long =
            vec![StageConfig { duration: Some(GoDuration::from_nanos(i64::MAX)), target: Some(i64::MAX) }];
        let first: Vec<u64> = ramping(0, 1, &long, &Stripes::whole()).take(3).collect();
        assert!(first.is_sorted(), "{first:?}");
    }
}

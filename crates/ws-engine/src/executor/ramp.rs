//! The line that `ramping-vus` follows: when it reaches which whole number of VUs. Exact to the nanosecond.

use crate::scenario::StageConfig;

/// The line reaches a whole number of VUs on its way up, or leaves one on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// Nanoseconds from the start of the line.
    pub(crate) at: u64,
    /// The VU that starts or stops, from 0.
    pub(crate) vu: u64,
    pub(crate) up: bool,
}

/// All crossings of the line that begins at `start` VUs, in order of their times. A stage without duration is a jump.
pub(crate) fn crossings(start: u64, stages: &[StageConfig]) -> impl Iterator<Item = Crossing> + use<> {
    let (mut from, mut end) = (start, 0u64);
    let legs: Vec<Leg> = stages
        .iter()
        .map(|stage| {
            let nanos = stage.duration.map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or(0));
            end = end.saturating_add(nanos);
            let to = stage.target.and_then(|target| u64::try_from(target).ok()).unwrap_or(0);
            let leg = Leg { from, to, nanos, end };
            from = to;
            leg
        })
        .collect();
    legs.into_iter().flat_map(Leg::crossings)
}

/// A straight piece of the line.
#[derive(Clone, Copy)]
struct Leg {
    from: u64,
    to: u64,
    nanos: u64,
    end: u64,
}

impl Leg {
    fn crossings(self) -> impl Iterator<Item = Crossing> {
        let Self { from, to, .. } = self;
        // The VU that is added last starts at the end of the leg; the first one to go stops when the line has come down
        // to one less.
        let up = (from..to).map(move |vu| Crossing { at: self.at(to - vu - 1), vu, up: true });
        let down = (to..from).rev().map(move |vu| Crossing { at: self.at(vu - to), vu, up: false });
        up.chain(down)
    }

    /// When the line is this many VUs away from its target.
    fn at(&self, distance: u64) -> u64 {
        let whole = u128::from(self.to.abs_diff(self.from));
        let before = u128::from(self.nanos) * u128::from(distance) / whole;
        self.end - u64::try_from(before).unwrap_or(self.nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::GoDuration;

    /// The number of VUs each time it changes.
    fn counts(start: u64, legs: &[(i64, i64)]) -> Vec<(f64, u64)> {
        let stage = |&(millis, target): &(i64, i64)| StageConfig {
            duration: Some(GoDuration::from_nanos(millis * 1_000_000)),
            target: Some(target),
        };
        let stages: Vec<_> = legs.iter().map(stage).collect();
        let mut counts = vec![(0.0, start)];
        for Crossing { at, vu, up } in crossings(start, &stages) {
            let now = if up { vu + 1 } else { vu };
            let at = at as f64 / 1e9;
            match counts.last_mut() {
                Some(last) if last.0 == at => last.1 = now,
                _ => counts.push((at, now)),
            }
        }
        counts
    }

    #[test]
    fn up_down_and_jumps() {
        let legs = [(2000, 6), (5000, 1), (4000, 5), (4000, 1), (3000, 4), (2000, 4), (0, 1), (3000, 1)];
        let expected =
            "4@0 5@1 6@2 5@3 4@4 3@5 2@6 1@7 2@8 3@9 4@10 5@11 4@12 3@13 2@14 1@15 2@16 3@17 4@18 1@20";
        let found: Vec<_> = counts(4, &legs).iter().map(|(at, vus)| format!("{vus}@{at}")).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn whole_vus_start_when_the_line_reaches_them() {
        assert_eq!(counts(0, &[(2000, 4)]), [(0.0, 0), (0.5, 1), (1.0, 2), (1.5, 3), (2.0, 4)]);
    }

    #[test]
    fn fractions_of_a_nanosecond_are_cut_off_before_the_end() {
        let third = counts(0, &[(1000, 3)]);
        assert_eq!(third[1].0, 0.333_333_334);
        assert_eq!(third[2].0, 0.666_666_667);
    }

    #[test]
    fn numbers_at_the_edge_do_not_overflow() {
        let stages =
            [StageConfig { duration: Some(GoDuration::from_nanos(i64::MAX)), target: Some(100_000_000) }];
        let first = crossings(0, &stages).next().unwrap();
        assert_eq!((first.vu, first.up), (0, true));
        assert!(first.at < i64::MAX as u64 / 1000);
    }
}

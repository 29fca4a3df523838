//! How many drivers there should be: busy fractions and idle cores in, a decision out.
//!
//! One driver with large batches is cheaper per message and faster than several with small ones, so a
//! driver is added only when the busiest is saturated while a core is idle, and one is retired as soon as
//! two could do their work together with room to spare.

use std::time::Duration;

/// How often the figures are taken.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);

/// The busiest driver must have been over this for [`GROW_PERIODS`].
const SATURATED: f64 = 0.90;
const GROW_PERIODS: u32 = 2;

/// The two least busy together must have been under this for [`SHRINK_PERIODS`].
const SLACK: f64 = 0.50;
const SHRINK_PERIODS: u32 = 20;

/// An idle core is one that was idle for at least this much of the period.
const IDLE_CORE: f64 = 0.50;

/// What was measured in one period.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// For each driver: the share of the period it was not waiting, and how many groups it has.
    pub(crate) drivers: Vec<Load>,
    /// Idle time of all cores together, in cores (1.5 = one and a half cores were idle).
    pub(crate) idle_cores: f64,
}

/// One driver's part of [`Figures`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    pub(crate) busy: f64,
    pub(crate) groups: usize,
}

/// What to do now. Drivers are named by their index in [`Figures::drivers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Keep,
    /// Start a driver and give it half of the groups of `from`.
    Split {
        from: usize,
    },
    /// Give all groups of `from` to `into` and end `from`.
    Merge {
        from: usize,
        into: usize,
    },
}

/// Remembers for how long the figures have asked for a change.
#[derive(Debug, Default)]
pub(crate) struct Controller {
    saturated_for: u32,
    slack_for: u32,
}

impl Controller {
    /// Judges one period.
    pub(crate) fn decide(&mut self, figures: &Figures) -> Decision {
        let busiest = figures
            .drivers
            .iter()
            .enumerate()
            .filter(|(_, load)| load.groups > 1)
            .max_by(|a, b| a.1.busy.total_cmp(&b.1.busy));
        let saturated = busiest.is_some_and(|(_, load)| load.busy > SATURATED);
        self.saturated_for =
            if saturated && figures.idle_cores >= IDLE_CORE { self.saturated_for + 1 } else { 0 };
        if let Some((from, _)) = busiest
            && self.saturated_for >= GROW_PERIODS
        {
            *self = Self::default();
            return Decision::Split { from };
        }

        let mut by_load: Vec<usize> = (0..figures.drivers.len()).collect();
        by_load.sort_by(|&a, &b| figures.drivers[a].busy.total_cmp(&figures.drivers[b].busy));
        let slack = match by_load[..] {
            [least, next, ..] => figures.drivers[least].busy + figures.drivers[next].busy < SLACK,
            _ => false,
        };
        self.slack_for = if slack { self.slack_for + 1 } else { 0 };
        if self.slack_for >= SHRINK_PERIODS {
            *self = Self::default();
            return Decision::Merge { from: by_load[0], into: by_load[1] };
        }
        Decision::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(loads: &[(f64, usize)], idle_cores: f64) -> Figures {
        Figures { drivers: loads.iter().map(|&(busy, groups)| Load { busy, groups }).collect(), idle_cores }
    }

    /// The decision after the same figures were seen `periods` times, `Keep` having been the answer before.
    fn after(periods: u32, figures: &Figures) -> Decision {
        let mut controller = Controller::default();
        for _ in 1..periods {
            assert_eq!(controller.decide(figures), Decision::Keep);
        }
        controller.decide(figures)
    }

    #[test]
    fn decisions_from_a_table_of_figures() {
        let split = |from| Decision::Split { from };
        let cases: &[(&str, Figures, u32, Decision)] = &[
            ("one busy driver, an idle core", figures(&[(0.95, 2)], 1.0), 2, split(0)),
            ("busy for one period only", figures(&[(0.95, 2)], 1.0), 1, Decision::Keep),
            ("no idle core", figures(&[(0.99, 4)], 0.1), 50, Decision::Keep),
            ("not saturated", figures(&[(0.85, 4)], 3.0), 50, Decision::Keep),
            ("a single group cannot be split", figures(&[(0.99, 1)], 3.0), 50, Decision::Keep),
            ("the busiest that can be split", figures(&[(0.95, 3), (0.99, 1)], 1.0), 2, split(0)),
            (
                "two with little to do",
                figures(&[(0.30, 2), (0.10, 2)], 1.6),
                20,
                Decision::Merge { from: 1, into: 0 },
            ),
            ("little to do, but not for long", figures(&[(0.2, 2), (0.1, 2)], 1.6), 19, Decision::Keep),
            ("together too much for one", figures(&[(0.30, 2), (0.25, 2)], 1.4), 50, Decision::Keep),
            ("the last driver stays", figures(&[(0.0, 4)], 2.0), 50, Decision::Keep),
            (
                "the two least busy of three",
                figures(&[(0.8, 2), (0.1, 1), (0.2, 1)], 0.9),
                20,
                Decision::Merge { from: 1, into: 2 },
            ),
        ];
        for (name, figures, periods, expected) in cases {
            assert_eq!(after(*periods, figures), *expected, "{name}");
        }
    }

    #[test]
    fn a_calm_period_starts_the_count_anew() {
        let mut controller = Controller::default();
        let busy = figures(&[(0.95, 2)], 1.0);
        let calm = figures(&[(0.5, 2)], 1.0);
        assert_eq!(controller.decide(&busy), Decision::Keep);
        assert_eq!(controller.decide(&calm), Decision::Keep);
        assert_eq!(controller.decide(&busy), Decision::Keep);
        assert_eq!(controller.decide(&busy), Decision::Split { from: 0 });
        assert_eq!(controller.decide(&busy), Decision::Keep, "a change is given time to work");
    }
}

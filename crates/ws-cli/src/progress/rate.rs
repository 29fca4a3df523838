//! The rate at which iterations start, as it goes up and down.

use std::time::Duration;

use ws_engine::duration::GoDuration;
use ws_engine::{ExecutorConfig, Plan, ScenarioConfig};

/// A line through times and rates, in iterations of this instance per second.
pub(super) struct Rate {
    points: Vec<(Duration, f64)>,
}

impl Rate {
    /// The rate of a scenario that has one.
    pub(super) fn of(plan: &Plan, scenario: &ScenarioConfig) -> Option<Self> {
        let per_second = |rate: i64, unit: GoDuration| rate as f64 * 1e9 / unit.as_nanos() as f64;
        let points = match &scenario.executor {
            ExecutorConfig::ConstantArrivalRate { rate, time_unit, .. } => {
                let (own, total) = plan.rate_share(scenario);
                let part = own as f64 / total.max(1) as f64;
                vec![(Duration::ZERO, per_second(rate.unwrap_or(0), *time_unit) * part)]
            }
            ExecutorConfig::RampingArrivalRate { start_rate, time_unit, stages, .. } => {
                let part = plan.share().segment().length();
                let mut at = Duration::ZERO;
                let start = (at, per_second(*start_rate, *time_unit) * part);
                let rest = stages.iter().map(|stage| {
                    at += stage.duration.unwrap_or_default().to_std();
                    (at, per_second(stage.target.unwrap_or(0), *time_unit) * part)
                });
                std::iter::once(start).chain(rest).collect()
            }
            _ => return None,
        };
        Some(Self { points })
    }

    /// `09.46 iters/s`, with the width of the highest rate.
    pub(super) fn show(&self, elapsed: Duration) -> String {
        let most = self.points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let width = format!("{most:.2}").len();
        format!("{:0width$.2} iters/s", self.at(elapsed))
    }

    fn at(&self, elapsed: Duration) -> f64 {
        let next = self.points.iter().position(|(at, _)| *at > elapsed);
        match next {
            Some(0) => 0.0,
            Some(next) => {
                let ((from, low), (to, high)) = (self.points[next - 1], self.points[next]);
                low + (high - low) * (elapsed - from).as_secs_f64() / (to - from).as_secs_f64()
            }
            None => self.points.last().map_or(0.0, |(_, rate)| *rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_at_a_moment() {
        let seconds = Duration::from_secs;
        let rate = Rate {
            points: vec![(seconds(0), 2.0), (seconds(4), 10.0), (seconds(4), 1.0), (seconds(6), 0.0)],
        };
        let shown: Vec<_> = [0, 2, 4, 5, 9].map(seconds).map(|at| rate.show(at)).to_vec();
        let expected = ["02.00", "06.00", "01.00", "00.50", "00.00"];
        assert_eq!(shown, expected.map(|rate| format!("{rate} iters/s")));
        assert_eq!(Rate { points: vec![(seconds(0), 7.0 / 3.0)] }.show(seconds(3)), "2.33 iters/s");
    }
}

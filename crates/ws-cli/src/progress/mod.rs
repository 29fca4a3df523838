//! What is seen of a run while it goes on: bars on a terminal, a few lines a second elsewhere.

mod bar;
mod clock;
mod fit;
mod rate;

use std::time::Duration;

use ws_engine::duration::GoDuration;
use ws_engine::{Phase, Plan, ScenarioSnapshot, ScenarioState, Snapshot};

use bar::{BAR_COLUMNS, bar, percent};
use clock::fixed;
use fit::fit;
use rate::Rate;

/// Names longer than this are cut.
const NAME_COLUMNS: usize = 30;

/// Draws snapshots of one plan.
pub(crate) struct Progress {
    /// The longest the run can take.
    longest: Duration,
    /// By the order of the plan, which is the snapshots' order, too.
    scenarios: Vec<Shape>,
    colours: bool,
}

/// What is known of a scenario beforehand.
struct Shape {
    start_time: Duration,
    name: String,
    rate: Option<Rate>,
}

impl Progress {
    pub(crate) fn new(plan: &Plan, colours: bool) -> Self {
        let scenarios = plan
            .scenarios()
            .iter()
            // Of what this instance has no part in there is nothing to be seen.
            .filter(|scenario| plan.vus_of(scenario).most > 0)
            .map(|scenario| Shape {
                start_time: scenario.start_time.to_std(),
                name: cut(&scenario.name),
                rate: Rate::of(plan, scenario),
            })
            .collect();
        Self { longest: plan.max_duration().to_std(), scenarios, colours }
    }

    /// The lines for a log file: percentages instead of bars.
    pub(crate) fn plain(&self, snapshot: &Snapshot) -> Vec<String> {
        self.lines(snapshot, 0)
    }

    /// The lines for a terminal of this many columns.
    pub(crate) fn bars(&self, snapshot: &Snapshot, columns: usize) -> Vec<String> {
        // One column stays free, since some terminals wrap when the last one is written to.
        let usable = columns.saturating_sub(1);
        self.lines(snapshot, columns).into_iter().map(|line| fit(line, usable)).collect()
    }

    fn lines(&self, snapshot: &Snapshot, columns: usize) -> Vec<String> {
        let rows: Vec<Vec<String>> =
            snapshot.scenarios.iter().zip(&self.scenarios).map(|(now, shape)| facts(now, shape)).collect();
        let name_width = self.scenarios.iter().map(|shape| shape.name.chars().count()).max().unwrap_or(0);
        let rights = align(&rows);
        let right_width = rights.iter().map(|right| right.chars().count()).max().unwrap_or(0);
        // One column stays free; name, mark and bar are followed by a blank each.
        let bar_width = columns.saturating_sub(1 + name_width + 3 + 1 + right_width).min(BAR_COLUMNS);

        let mut lines = vec![String::new(), self.head(snapshot, name_width, bar_width)];
        for ((now, shape), right) in snapshot.scenarios.iter().zip(&self.scenarios).zip(&rights) {
            let name = &shape.name;
            let mark = self.mark(now.state);
            let bar = self.bar(now.progress, bar_width);
            lines.push(format!("{name:<name_width$} {mark} {bar} {right}").trim_end().to_owned());
        }
        lines
    }

    fn head(&self, snapshot: &Snapshot, name_width: usize, bar_width: usize) -> String {
        let Snapshot { vus_active, vus_initialized, vus_planned, complete, interrupted, .. } = snapshot;
        let name_width = name_width.max("Init".len());
        match snapshot.phase {
            Phase::Created | Phase::InitVus => {
                let share =
                    if *vus_planned == 0 { 1.0 } else { *vus_initialized as f64 / *vus_planned as f64 };
                let bar = self.bar(share, bar_width);
                format!("{:<name_width$}   {bar} {vus_initialized}/{vus_planned} VUs initialized", "Init")
            }
            Phase::Setup => format!("{:<name_width$}   {} setup()", "Run", self.bar(1.0, bar_width)),
            Phase::Running | Phase::Teardown | Phase::Ended => format!(
                "running ({}), {}, {complete} complete and {interrupted} interrupted iterations",
                fixed(snapshot.run_time, self.longest),
                part(*vus_active, *vus_initialized),
            ),
        }
    }

    fn bar(&self, progress: f64, width: usize) -> String {
        bar(progress, width, self.colours).unwrap_or_else(|| percent(progress))
    }

    fn mark(&self, state: ScenarioState) -> String {
        let (mark, colour) = match state {
            ScenarioState::Waiting => ('•', "\x1b[2m"),
            ScenarioState::Running => return " ".to_owned(),
            ScenarioState::Stopping => return "↓".to_owned(),
            ScenarioState::Done => ('✓', "\x1b[32m"),
            ScenarioState::Interrupted => ('✗', "\x1b[31m"),
        };
        if self.colours { format!("{colour}{mark}\x1b[0m") } else { mark.to_string() }
    }
}

/// The columns to the right of a scenario's bar.
fn facts(now: &ScenarioSnapshot, shape: &Shape) -> Vec<String> {
    if now.state == ScenarioState::Waiting {
        return vec!["waiting".to_owned(), fixed(now.starts_in, shape.start_time)];
    }
    let longest = GoDuration::from_nanos(i64::try_from(now.duration.as_nanos()).unwrap_or(i64::MAX));
    let time = if now.elapsed >= now.duration && now.executor != "shared-iterations" {
        longest.to_string()
    } else {
        format!("{}/{longest}", fixed(now.elapsed, now.duration))
    };
    let (vus, time) = match now.executor {
        "ramping-vus" if now.elapsed < now.duration => {
            let all = fixed(now.duration, now.duration);
            (part(now.vus_active, now.vus_planned), format!("{}/{all}", fixed(now.elapsed, now.duration)))
        }
        "ramping-vus" => (part(now.vus_active, now.vus_planned), time),
        _ if shape.rate.is_some() => (part_of(now.vus_active, now.vus_present, now.vus_planned), time),
        _ => (format!("{} VUs", now.vus_planned), time),
    };
    let mut facts = vec![vus, time];
    facts.extend(shape.rate.as_ref().map(|rate| rate.show(now.elapsed)));
    if let Some(total) = now.total {
        let width = total.to_string().len();
        let count = format!("{:0width$}/{total}", now.complete);
        facts.push(if now.executor == "per-vu-iterations" {
            let each = total / (now.vus_planned as u64).max(1);
            format!("{count} iters, {each} per VU")
        } else {
            format!("{count} shared iters")
        });
    }
    facts
}

/// `03/12 VUs`.
fn part(active: usize, of: usize) -> String {
    part_of(active, of, of)
}

/// The same with the width of `most`, which there may be later.
fn part_of(active: usize, of: usize, most: usize) -> String {
    let width = most.to_string().len();
    format!("{active:0width$}/{of:0width$} VUs")
}

/// Pads each column to its widest entry, with two blanks between columns and none at the end.
fn align(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<_> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_COLUMNS {
        return name.to_owned();
    }
    name.chars().take(NAME_COLUMNS - 3).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use ws_engine::{ExecutorConfig, ScenarioConfig, StageConfig};

    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn plan() -> Plan {
        let seconds = GoDuration::from_secs;
        let constant = ExecutorConfig::ConstantVus { vus: 3, duration: Some(seconds(2)) };
        let shared = ExecutorConfig::SharedIterations { vus: 2, iterations: 12, max_duration: seconds(600) };
        let per_vu = ExecutorConfig::PerVuIterations { vus: 2, iterations: 5, max_duration: seconds(1) };
        let mut shared = ScenarioConfig::new("shared", shared);
        shared.start_time = GoDuration::from_nanos(500_000_000);
        let mut long = ScenarioConfig::new("per_a_very_long_name_of_a_scenario_indeed", per_vu);
        long.start_time = seconds(1);
        Plan::new(vec![ScenarioConfig::new("con", constant), shared, long], |_| true).unwrap()
    }

    fn scenario(name: &str, executor: &'static str, state: ScenarioState) -> ScenarioSnapshot {
        ScenarioSnapshot {
            name: name.into(),
            executor,
            state,
            starts_in: Duration::ZERO,
            elapsed: Duration::ZERO,
            duration: millis(1000),
            progress: 0.0,
            vus_active: 0,
            vus_present: 0,
            vus_planned: 2,
            complete: 0,
            interrupted: 0,
            total: None,
        }
    }

    fn snapshot() -> Snapshot {
        let running = ScenarioState::Running;
        Snapshot {
            phase: Phase::Running,
            run_time: millis(1000),
            scenario_time: millis(700),
            vus_active: 5,
            vus_initialized: 7,
            vus_planned: 7,
            complete: 9,
            interrupted: 0,
            scenarios: vec![
                ScenarioSnapshot {
                    elapsed: millis(700),
                    duration: millis(2000),
                    progress: 0.35,
                    vus_planned: 3,
                    ..scenario("con", "constant-vus", running)
                },
                ScenarioSnapshot {
                    elapsed: millis(200),
                    duration: millis(600_000),
                    total: Some(12),
                    ..scenario("shared", "shared-iterations", running)
                },
                ScenarioSnapshot {
                    starts_in: millis(300),
                    total: Some(10),
                    ..scenario(
                        "per_a_very_long_name_of_a_scenario_indeed",
                        "per-vu-iterations",
                        ScenarioState::Waiting,
                    )
                },
            ],
        }
    }

    #[test]
    fn plain_lines() {
        assert_eq!(
            Progress::new(&plan(), false).plain(&snapshot()),
            [
                "",
                "running (00m01.0s), 5/7 VUs, 9 complete and 0 interrupted iterations",
                "con                              [  35% ] 3 VUs    0.7s/2s",
                "shared                           [   0% ] 2 VUs    00m00.2s/10m0s  00/12 shared iters",
                "per_a_very_long_name_of_a_s... • [   0% ] waiting  0.3s",
            ]
        );
    }

    #[test]
    fn the_end_of_each_kind() {
        let mut snapshot = snapshot();
        snapshot.phase = Phase::Ended;
        snapshot.run_time = millis(2700);
        snapshot.vus_active = 0;
        (snapshot.complete, snapshot.interrupted) = (47, 2);
        let [con, shared, long] = snapshot.scenarios.as_mut_slice() else { panic!("three scenarios") };
        (con.state, con.elapsed, con.progress) = (ScenarioState::Done, millis(2100), 1.0);
        (shared.state, shared.elapsed, shared.progress) = (ScenarioState::Stopping, millis(1400), 0.83);
        shared.complete = 10;
        (long.state, long.elapsed, long.progress) = (ScenarioState::Interrupted, millis(1100), 0.9);
        long.complete = 9;
        assert_eq!(
            Progress::new(&plan(), false).plain(&snapshot),
            [
                "",
                "running (00m02.7s), 0/7 VUs, 47 complete and 2 interrupted iterations",
                "con                            ✓ [ 100% ] 3 VUs  2s",
                "shared                         ↓ [  83% ] 2 VUs  00m01.4s/10m0s  10/12 shared iters",
                "per_a_very_long_name_of_a_s... ✗ [  90% ] 2 VUs  1s              09/10 iters, 5 per VU",
            ]
        );
    }

    #[test]
    fn ramping_vus_are_counted() {
        let stage =
            |time, target| StageConfig { duration: Some(GoDuration::from_secs(time)), target: Some(target) };
        let ramping = ExecutorConfig::RampingVus {
            start_vus: 0,
            stages: vec![stage(2, 12)],
            graceful_ramp_down: GoDuration::ZERO,
        };
        let plan = Plan::new(vec![ScenarioConfig::new("r", ramping)], |_| true).unwrap();
        let ramping = |elapsed, progress| ScenarioSnapshot {
            elapsed: millis(elapsed),
            duration: millis(2000),
            progress,
            vus_active: 6,
            vus_planned: 12,
            ..scenario("r", "ramping-vus", ScenarioState::Running)
        };
        let mut snapshot =
            Snapshot { scenarios: vec![ramping(1000, 0.5)], vus_initialized: 12, ..snapshot() };
        let lines = Progress::new(&plan, false).plain(&snapshot);
        assert_eq!(lines[1], "running (01.0s), 05/12 VUs, 9 complete and 0 interrupted iterations");
        assert_eq!(lines[2], "r   [  50% ] 06/12 VUs  1.0s/2.0s");
        snapshot.scenarios = vec![ramping(2100, 1.0)];
        assert_eq!(Progress::new(&plan, false).plain(&snapshot)[2], "r   [ 100% ] 06/12 VUs  2s");
    }

    #[test]
    fn bars_shrink_with_the_terminal() {
        let progress = Progress::new(&plan(), false);
        let third = |columns| progress.bars(&snapshot(), columns).swap_remove(2);
        assert_eq!(
            third(200),
            "con                              [============>-------------------------] 3 VUs    0.7s/2s"
        );
        assert_eq!(third(100), "con                              [======>-------------] 3 VUs    0.7s/2s");
        assert_eq!(third(60), "con                              [  35% ] 3 VUs    0.7s/2s");
        let widest = progress.bars(&snapshot(), 100).iter().map(|line| line.chars().count()).max();
        assert_eq!(widest, Some(99));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut snapshot = snapshot();
        let progress = Progress::new(&plan(), false);
        for phase in [Phase::InitVus, Phase::Setup, Phase::Running] {
            snapshot.phase = phase;
            for columns in 1..100 {
                let lines = progress.bars(&snapshot, columns);
                assert_eq!(lines.len(), 5);
                let widest = lines.iter().map(|line| line.chars().count()).max();
                assert!(widest < Some(columns), "{columns}: {lines:?}");
            }
        }
        assert_eq!(
            progress.bars(&snapshot, 60)[3],
            "shared                           [   0% ] 2 VUs    00m00.2s"
        );
    }

    #[test]
    fn colours() {
        let mut snapshot = snapshot();
        snapshot.scenarios[0].state = ScenarioState::Done;
        snapshot.scenarios[1].state = ScenarioState::Interrupted;
        let lines = Progress::new(&plan(), true).bars(&snapshot, 200);
        assert!(lines[2].contains(" \x1b[32m✓\x1b[0m [============>\x1b[2m---"), "{}", lines[2]);
        assert!(lines[3].contains(" \x1b[31m✗\x1b[0m ["), "{}", lines[3]);
        assert!(lines[4].contains(" \x1b[2m•\x1b[0m ["), "{}", lines[4]);
    }

    #[test]
    fn before_the_scenarios_run() {
        let mut snapshot = snapshot();
        let progress = Progress::new(&plan(), false);
        (snapshot.phase, snapshot.vus_initialized) = (Phase::InitVus, 4);
        assert_eq!(
            progress.plain(&snapshot)[1],
            "Init                             [  57% ] 4/7 VUs initialized"
        );
        snapshot.phase = Phase::Setup;
        assert_eq!(progress.plain(&snapshot)[1], "Run                              [ 100% ] setup()");
    }
}

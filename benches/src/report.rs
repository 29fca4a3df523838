//! Figures side by side, as one Markdown table.

use std::fmt::Write as _;

use crate::resident::Resident;
use crate::runner::{Figures, Generator};
use crate::workload::{About, Workload};

/// The runs of one workload: for each round, one run of every generator, in the order of the generators.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// What was run.
    pub workload: Workload,
    /// Runs by round and generator.
    pub figures: Vec<Vec<Figures>>,
    /// For memory: what each generator weighs with one VU, in bytes.
    pub baseline: Vec<u64>,
}

impl Rounds {
    fn median(&self, generator: usize, figure: impl Fn(&Figures) -> f64) -> f64 {
        median(self.figures.iter().map(|round| figure(&round[generator])).collect())
    }

    /// The figure that this workload is about, of the first generator relative to that of the second, for each
    /// round; runs of one round share what else the machine was doing.
    pub fn ratios(&self) -> Vec<f64> {
        let ratio = |round: &Vec<Figures>| self.main(round.first()?).zip(self.main(round.get(1)?));
        self.figures.iter().filter_map(ratio).map(|(first, second)| first / second).collect()
    }

    fn main(&self, figures: &Figures) -> Option<f64> {
        Some(match self.workload.about {
            About::Messages | About::Pauses => figures.cpu_per_message(),
            About::Memory => figures.memory_per_vu(&self.workload),
        })
    }
}

/// The middle value, or the mean of the two in the middle; `NaN` of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The table: medians over the rounds.
pub fn table(generators: &[Generator], all: &[Rounds]) -> String {
    let mut text = String::from(
        "| workload | VUs | program | messages/s | CPU s per 1000 messages | cores used | threads | peak memory | \
         memory per VU | ratio to k6 |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for rounds in all {
        let workload = rounds.workload;
        for (i, generator) in generators.iter().enumerate() {
            let talks = workload.about != About::Memory;
            let rate = rounds.median(i, Figures::rate);
            let cpu = rounds.median(i, Figures::cpu_per_message);
            let peak = rounds.median(i, |figures| figures.usage.peak_rss as f64);
            let ratio = match (i, rounds.ratios()) {
                (0, ratios) if !ratios.is_empty() => {
                    let each = ratios.iter().map(|r| format!("{r:.2}")).collect::<Vec<_>>().join(", ");
                    format!("**{:.2}** ({each})", median(ratios))
                }
                _ => String::new(),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.2} | {:.0} | {} | {} | {ratio} |",
                workload.script,
                workload.vus,
                generator.name,
                if talks { format!("{rate:.0}") } else { String::new() },
                if talks { format!("{:.4} ({cpu:.1} us each)", cpu / 1000.0) } else { String::new() },
                rounds.median(i, |figures| figures.usage.cores()),
                rounds.median(i, |figures| figures.usage.threads as f64),
                bytes(peak),
                per_vu(rounds, i, peak),
            );
        }
    }
    text + &breakdown(generators, all) + &pauses(generators, all)
}

fn per_vu(rounds: &Rounds, generator: usize, peak: f64) -> String {
    let vus = f64::from(rounds.workload.vus);
    match (rounds.workload.about, rounds.baseline.get(generator)) {
        (About::Messages, _) => String::new(),
        (_, Some(&base)) => {
            let more = (peak - base as f64) / (vus - 1.0);
            format!("{} ({} for one more)", bytes(peak / vus), bytes(more))
        }
        (_, None) => bytes(peak / vus),
    }
}

/// Where the memory of each VU is, in lines of their own below the table.
fn breakdown(generators: &[Generator], all: &[Rounds]) -> String {
    let mut text = String::new();
    for rounds in all.iter().filter(|rounds| rounds.workload.about == About::Memory) {
        for (i, generator) in generators.iter().enumerate().filter(|(_, one)| one.name.starts_with("ws ")) {
            let per_vu = |kind: fn(&Resident) -> u64| {
                rounds.median(i, |figures| kind(&figures.usage.resident) as f64)
                    / f64::from(rounds.workload.vus)
                    / 1e3
            };
            let _ = writeln!(
                text,
                "\nMemory of {} on {}, per VU: V8 heap {:.0} kB, thread stack {:.0} kB, V8's new space and malloc \
                 (sockets, sessions, V8's structs) {:.0} kB, program {:.0} kB.",
                generator.name,
                rounds.workload.name(),
                per_vu(|resident| resident.heap),
                per_vu(|resident| resident.stacks),
                per_vu(|resident| resident.rest),
                per_vu(|resident| resident.files),
            );
        }
    }
    text
}

/// Pauses for garbage collection, in lines of their own below the table.
fn pauses(generators: &[Generator], all: &[Rounds]) -> String {
    let mut text = String::new();
    for rounds in all {
        for (i, generator) in generators.iter().enumerate() {
            let all = rounds.figures.iter().filter_map(|round| round[i].pauses).collect::<Vec<_>>();
            if all.is_empty() {
                continue;
            }
            let middle = |figure: fn(&crate::runner::Pauses) -> f64| median(all.iter().map(figure).collect());
            let _ = writeln!(
                text,
                "\nGarbage collection of {} on {}: {:.0} pauses, median {:.2} ms, p99 {:.2} ms, longest {:.2} ms.",
                generator.name,
                rounds.workload.name(),
                middle(|p| p.count as f64),
                middle(|p| p.median),
                middle(|p| p.p99),
                middle(|p| p.max),
            );
        }
    }
    text
}

fn bytes(n: f64) -> String {
    if n >= 10e6 { format!("{:.0} MB", n / 1e6) } else { format!("{:.3} MB", n / 1e6) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::Usage;
    use crate::workload::ALL;

    fn figures(cpu: f64) -> Figures {
        let usage = Usage {
            cpu: Duration::from_secs_f64(cpu),
            wall: Duration::from_secs(10),
            peak_rss: 50_000_000,
            resident: Resident::default(),
            threads: 4,
            series: Vec::new(),
        };
        Figures { usage, messages: 1_000_000, hold: 10.0, pauses: None }
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn ratios_are_those_of_pairs() {
        let figures = vec![vec![figures(6.0), figures(15.0)], vec![figures(8.0), figures(16.0)]];
        let rounds = Rounds { workload: ALL[0], figures, baseline: vec![] };
        assert_eq!(rounds.ratios(), [0.4, 0.5]);
        let generators =
            ["ws v0.1.0", "k6 v2.2.0"].map(|name| Generator { name: name.into(), path: name.into() });
        let table = table(&generators, &[rounds]);
        let row = "| echo_ws | 10 | ws v0.1.0 | 100000 | 0.0070 (7.0 us each) | 0.70 | 4 | 50 MB |  | \
                   **0.45** (0.40, 0.50) |";
        assert!(table.contains(row), "{table}");
    }

    #[test]
    fn one_generator_alone_has_no_ratio() {
        let rounds = Rounds { workload: ALL[0], figures: vec![vec![figures(6.0)]], baseline: vec![] };
        assert!(rounds.ratios().is_empty());
    }
}

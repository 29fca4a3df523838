//! What the coordinator does for a scenario and when, in order.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;
use std::time::Duration;

use super::ramp::{Crossing, crossings};
use super::schedule::Schedule;
use crate::scenario::StageConfig;
use crate::segment::Stripes;

/// One thing the coordinator does at a given time after the scenario's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Let these slots of the scenario loop.
    Activate(Range<usize>),
    /// The VU of this slot begins no further iteration.
    Release(usize),
    /// The VU of this slot, released a while ago, has used up the time it had to end its iteration.
    Retire(usize),
    /// An iteration is due.
    Start,
    /// No iteration starts from now on.
    Close,
    /// Whoever is still running has used up the graceful period.
    InterruptRest,
}

/// Steps in order of their times. They are made as they are needed: there may be millions.
pub(crate) type Timeline = Box<dyn Iterator<Item = Step> + Send>;

/// The timeline of all executors whose VUs loop from start to end.
pub(crate) fn looping(vus: usize, regular: Duration, graceful: Duration) -> Timeline {
    let steps = [
        Step { at: Duration::ZERO, action: Action::Activate(0..vus) },
        Step { at: regular, action: Action::Close },
        Step { at: regular + graceful, action: Action::InterruptRest },
    ];
    Box::new(steps.into_iter())
}

/// The timeline of executors whose iterations are due by the clock, for `vus` VUs at the start.
pub(super) fn arriving(vus: usize, due: Schedule, regular: Duration, graceful: Duration) -> Timeline {
    let first = Step { at: Duration::ZERO, action: Action::Activate(0..vus) };
    let starts = due.map(|at| Step { at: Duration::from_nanos(at), action: Action::Start });
    let starts = starts.take_while(move |step| step.at <= regular);
    let last = [
        Step { at: regular, action: Action::Close },
        Step { at: regular + graceful, action: Action::InterruptRest },
    ];
    Box::new(std::iter::once(first).chain(starts).chain(last))
}

/// What `ramping-vus` is configured to do.
pub(crate) struct Ramping<'a> {
    pub(crate) start: u64,
    pub(crate) stages: &'a [StageConfig],
    pub(crate) regular: Duration,
    pub(crate) ramp_down: Duration,
    /// When the time of the whole line and its graceful period are over.
    pub(crate) over: Duration,
    pub(crate) stripes: &'a Stripes,
    /// Whether VUs that the line reaches at its very end count. They are made, as in k6, but have no time to begin.
    pub(crate) with_last: bool,
}

impl Ramping<'_> {
    /// The part of the line that belongs to this instance: a VU starts and stops when the whole line says so.
    pub(crate) fn timeline(self) -> Timeline {
        let Self { start, stages, regular, ramp_down, over, stripes, with_last } = self;
        let end = u64::try_from(regular.as_nanos()).unwrap_or(u64::MAX);
        let own = stripes.clone();
        let crossings = crossings(start, stages)
            .take_while(move |crossing| {
                crossing.at < end || (crossing.at == end && (with_last || !crossing.up))
            })
            .filter_map(move |crossing| Some((own.rank(crossing.vu)?, crossing)));
        let first = Step { at: Duration::ZERO, action: Action::Activate(0..stripes.count(start) as usize) };
        let last =
            [Step { at: regular, action: Action::Close }, Step { at: over, action: Action::InterruptRest }];
        let line = Line { crossings: crossings.peekable(), retiring: VecDeque::new(), ramp_down };
        Box::new(std::iter::once(first).chain(merged(line, last, over)))
    }
}

/// The steps of a line, then those of its end; what the line has to say later than `over` nobody hears.
fn merged(line: impl Iterator<Item = Step>, last: [Step; 2], over: Duration) -> impl Iterator<Item = Step> {
    let mut line = line.take_while(move |step| step.at <= over).peekable();
    let mut last = last.into_iter().peekable();
    std::iter::from_fn(move || match (line.peek(), last.peek()) {
        (Some(step), Some(end)) if step.at <= end.at => line.next(),
        (Some(_), None) | (None, None) => None,
        (_, Some(_)) => last.next(),
    })
}

/// Activations and releases as the line says, and the retirements that follow from the releases.
struct Line<I: Iterator<Item = (u64, Crossing)>> {
    crossings: Peekable<I>,
    /// In order of their times, since all released VUs have the same time left.
    retiring: VecDeque<(Duration, usize)>,
    ramp_down: Duration,
}

impl<I: Iterator<Item = (u64, Crossing)>> Iterator for Line<I> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let crossing = self.crossings.peek().map(|(_, crossing)| Duration::from_nanos(crossing.at));
        // At the same time the line comes first: a VU that is wanted again need not go.
        let retires = self.retiring.front().is_some_and(|(at, _)| crossing.is_none_or(|next| *at < next));
        if retires {
            let (at, slot) = self.retiring.pop_front()?;
            return Some(Step { at, action: Action::Retire(slot) });
        }
        let (slot, crossing) = self.crossings.next()?;
        let (at, slot) = (Duration::from_nanos(crossing.at), slot as usize);
        if crossing.up {
            return Some(Step { at, action: Action::Activate(slot..slot + 1) });
        }
        self.retiring.push_back((at + self.ramp_down, slot));
        Some(Step { at, action: Action::Release(slot) })
    }
}

/// Which slots a timeline wants to loop, and which may still have an iteration to end.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    wanted: bool,
    /// Releases whose retirement is still to come.
    releases: u32,
}

impl Roster {
    pub(crate) fn activate(&mut self, slot: usize) {
        self.slot(slot).wanted = true;
    }

    pub(crate) fn release(&mut self, slot: usize) {
        let slot = self.slot(slot);
        slot.wanted = false;
        slot.releases += 1;
    }

    /// Whether the slot's VU must go: it was not wanted again, and not released again later either.
    pub(crate) fn retire(&mut self, slot: usize) -> bool {
        let slot = self.slot(slot);
        slot.releases = slot.releases.saturating_sub(1);
        !slot.wanted && slot.releases == 0
    }

    pub(crate) fn wants(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.wanted)
    }

    fn slot(&mut self, slot: usize) -> &mut Slot {
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, Slot::default());
        }
        &mut self.slots[slot]
    }
}

/// How many VUs a timeline may need from which time on, iterations that are being ended included. In order; of several
/// entries with the same time the last one counts.
pub(crate) fn needs(steps: Timeline) -> impl Iterator<Item = (Duration, usize)> {
    let mut roster = Roster::default();
    let mut seated: Vec<bool> = Vec::new();
    let mut needed = 0;
    steps.map(move |Step { at, action }| {
        match action {
            Action::Activate(slots) => {
                seated.resize(seated.len().max(slots.end), false);
                for slot in slots {
                    roster.activate(slot);
                    needed += usize::from(!std::mem::replace(&mut seated[slot], true));
                }
            }
            Action::Release(slot) => roster.release(slot),
            Action::Retire(slot) => {
                if roster.retire(slot) && std::mem::replace(&mut seated[slot], false) {
                    needed -= 1;
                }
            }
            Action::Close | Action::Start => {}
            Action::InterruptRest => needed = 0,
        }
        (at, needed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::GoDuration;

    /// The line that goes everywhere.
    fn ramping(ramp_down: u64, graceful: u64) -> Timeline {
        let legs = [(2, 6), (5, 1), (4, 5), (4, 1), (3, 4), (2, 4), (0, 1), (3, 1)];
        let stages = legs.map(|(s, target)| StageConfig {
            duration: Some(GoDuration::from_secs(s)),
            target: Some(target),
        });
        Ramping {
            start: 4,
            stages: &stages,
            regular: Duration::from_secs(23),
            ramp_down: Duration::from_secs(ramp_down),
            over: Duration::from_secs(23 + graceful),
            stripes: &Stripes::whole(),
            with_last: false,
        }
        .timeline()
    }

    fn needed(timeline: Timeline) -> String {
        let mut found: Vec<(Duration, usize)> = Vec::new();
        for (at, vus) in needs(timeline) {
            match found.last_mut() {
                Some(last) if last.0 == at => last.1 = vus,
                Some(last) if last.1 == vus => {}
                _ => found.push((at, vus)),
            }
        }
        found.iter().map(|(at, vus)| format!("{vus}@{}", at.as_secs_f64())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn vus_are_needed_until_their_iterations_have_ended() {
        assert_eq!(needed(ramping(30, 30)), "4@0 5@1 6@2 5@33 4@42 1@50 0@53");
        assert_eq!(needed(ramping(30, 3)), "4@0 5@1 6@2 0@26");
        let line =
            "4@0 5@1 6@2 5@3 4@4 3@5 2@6 1@7 2@8 3@9 4@10 5@11 4@12 3@13 2@14 1@15 2@16 3@17 4@18 1@20 0@23";
        assert_eq!(needed(ramping(0, 0)), line);
    }

    #[test]
    fn looping_vus_are_needed_to_the_end() {
        assert_eq!(needed(looping(3, Duration::from_secs(5), Duration::from_secs(2))), "3@0 0@7");
    }

    #[test]
    fn steps_are_in_order_of_their_times() {
        for (ramp_down, graceful) in [(0, 0), (1, 0), (2, 1), (5, 30), (30, 5)] {
            let times: Vec<_> = ramping(ramp_down, graceful).map(|step| step.at).collect();
            assert!(times.is_sorted(), "{times:?}");
            assert_eq!(times.last(), Some(&Duration::from_secs(23 + graceful)));
        }
    }

    #[test]
    fn a_vu_that_is_wanted_again_does_not_retire() {
        let mut roster = Roster::default();
        roster.activate(2);
        roster.release(2);
        roster.activate(2);
        assert!(!roster.retire(2), "wanted again");
        roster.release(2);
        roster.activate(2);
        roster.release(2);
        assert!(!roster.retire(2), "released again later");
        assert!(roster.retire(2));
        assert!(!roster.wants(2) && !roster.wants(7));
    }
}

//! Scenarios in progress: whose step is due, which VU is where.

use std::collections::{BTreeSet, VecDeque};
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::executor::{self, Action, Executor, Roster, Step, Timeline};
use crate::scenario::ScenarioConfig;
use crate::segment::Share;
use crate::vu::{Activation, Vu, Work};

/// A scenario before the run: its executor and what the coordinator will do for it.
pub(crate) struct Part {
    pub(crate) config: ScenarioConfig,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) timeline: Timeline,
}

/// Something the stage did or saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Started {
        scenario: usize,
    },
    Ended {
        scenario: usize,
    },
    /// `vu` is a VU's number, from 1.
    Dropped {
        scenario: usize,
        vu: Option<usize>,
        count: u64,
    },
    /// The scenario could do with one more VU.
    WantsVu {
        scenario: usize,
    },
    /// The scenario has all the VUs it may have, and they do not suffice.
    Insufficient {
        scenario: usize,
    },
}

pub(crate) struct Stage {
    vus: Vec<Arc<dyn Vu>>,
    /// Idle VUs. The lowest number goes first, so that numbers are the same from run to run.
    free: BTreeSet<usize>,
    /// Slots that are due and wait for a VU: one that should be idle by plan has not said so yet.
    wanted: VecDeque<(usize, usize)>,
    lanes: Vec<Lane>,
    share: Share,
    aborted: bool,
}

/// The timeline of a scenario about which nothing is left to say.
fn no_more() -> Peekable<Timeline> {
    let none: Timeline = Box::new(std::iter::empty::<Step>());
    none.peekable()
}

/// One scenario.
struct Lane {
    activation: Activation,
    executor: Arc<dyn Executor>,
    timeline: Peekable<Timeline>,
    roster: Roster,
    start: Instant,
    /// When its VUs were told to stop.
    interrupted: Option<Instant>,
    /// By slot, the VU that serves it or did so last.
    seats: Vec<Option<Seat>>,
    /// Slots that have been activated; those beyond need a VU that is not made yet.
    opened: usize,
    growth: Growth,
}

/// Whether a scenario gets more VUs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Possible,
    /// One is being made.
    UnderWay,
    /// It has all it may have, which was said.
    Over,
}

#[derive(Clone, Copy)]
struct Seat {
    vu: usize,
    busy: bool,
}

impl Stage {
    /// Sets the scenarios' times relative to `origin`.
    pub(crate) fn new(vus: Vec<Arc<dyn Vu>>, parts: Vec<Part>, share: Share, origin: Instant) -> Self {
        let lanes = parts.into_iter().map(|part| Lane::new(part, &share, origin)).collect();
        let free = (0..vus.len()).collect();
        Self { vus, free, wanted: VecDeque::new(), lanes, share, aborted: false }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.executor.ledger().ended())
    }

    /// When the next step is due.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        self.lanes.iter_mut().filter_map(Lane::next_due).min()
    }

    /// Does the steps that are due, in order of their times.
    pub(crate) fn advance(&mut self, now: Instant, happened: &mut Vec<Happened>) {
        loop {
            let lanes = self.lanes.iter_mut().enumerate();
            let due = lanes.filter_map(|(i, lane)| Some((lane.next_due()?, i))).min();
            let Some((at, scenario)) = due else { return };
            if at > now {
                return;
            }
            if let Some(step) = self.lanes[scenario].timeline.next() {
                self.act(scenario, step, now, happened);
            }
        }
    }

    /// A VU is idle again.
    pub(crate) fn stopped(
        &mut self,
        scenario: usize,
        slot: usize,
        now: Instant,
        happened: &mut Vec<Happened>,
    ) {
        let lane = &mut self.lanes[scenario];
        // A VU that says it twice must not be counted twice.
        let Some(seat) = lane.seats.get_mut(slot).and_then(Option::as_mut).filter(|seat| seat.busy) else {
            return;
        };
        seat.busy = false;
        self.free.insert(seat.vu);
        let ledger = lane.executor.ledger();
        ledger.set_active(ledger.active() - 1);
        // Wanted again after it had been told that there is nothing to do.
        if lane.executor.rule().comes_back() && lane.misses(slot) && !ledger.is_closed() {
            self.wanted.push_back((scenario, slot));
        }
        self.end_if_idle(scenario, now, happened);
        self.serve();
    }

    /// Interrupts all VUs and forgets what is still to come.
    pub(crate) fn abort(&mut self, now: Instant, happened: &mut Vec<Happened>) {
        self.aborted = true;
        self.wanted.clear();
        for scenario in 0..self.lanes.len() {
            let lane = &mut self.lanes[scenario];
            lane.timeline = no_more();
            lane.growth = Growth::Over;
            lane.executor.ledger().cut();
            self.interrupt(scenario, now);
            self.end_if_idle(scenario, now, happened);
        }
    }

    /// When those were told to stop for whom alone the stage waits; `None` while there is something else to wait for.
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        let left = || self.lanes.iter().filter(|lane| !lane.executor.ledger().ended());
        // The last of them: each is to have its time.
        if left().all(|lane| lane.interrupted.is_some()) {
            left().filter_map(|lane| lane.interrupted).max()
        } else {
            None
        }
    }

    /// Waits for no VU any longer. Those that are not back are never used again, and their iterations count as
    /// interrupted.
    pub(crate) fn give_up(&mut self, now: Instant, happened: &mut Vec<Happened>) {
        self.wanted.clear();
        for scenario in 0..self.lanes.len() {
            let lane = &mut self.lanes[scenario];
            let lost = lane.seats.iter_mut().flatten().filter(|seat| seat.busy);
            let lost = lost.map(|seat| seat.busy = false).count();
            let ledger = lane.executor.ledger();
            // One that waits for an iteration has none to lose.
            let cut = lost.min(lane.executor.rule().busy(ledger)) as u64;
            ledger.counts.interrupted.fetch_add(cut, Ordering::Relaxed);
            ledger.set_active(ledger.active() - lost);
            self.end_if_idle(scenario, now, happened);
        }
    }

    fn act(&mut self, scenario: usize, step: Step, now: Instant, happened: &mut Vec<Happened>) {
        let Step { at: due, action } = step;
        match action {
            Action::Start => self.start(scenario, due, happened),
            Action::Activate(slots) => {
                let ledger = self.lanes[scenario].executor.ledger();
                if ledger.began().is_none() {
                    ledger.begin(now);
                    happened.push(Happened::Started { scenario });
                }
                let lane = &mut self.lanes[scenario];
                lane.opened = lane.opened.max(slots.end);
                lane.executor.ledger().set_present(lane.opened);
                for slot in slots {
                    lane.roster.activate(slot);
                    lane.executor.rule().want(slot, true);
                    // Who is still at it just goes on.
                    if lane.misses(slot) {
                        self.wanted.push_back((scenario, slot));
                    }
                }
                self.serve();
            }
            Action::Release(slot) => {
                let lane = &mut self.lanes[scenario];
                lane.roster.release(slot);
                lane.executor.rule().want(slot, false);
                self.wanted.retain(|wanting| *wanting != (scenario, slot));
            }
            Action::Retire(slot) => {
                let lane = &mut self.lanes[scenario];
                let seat = lane.seats[slot].filter(|seat| seat.busy);
                if lane.roster.retire(slot)
                    && let Some(seat) = seat
                {
                    self.vus[seat.vu].interrupt();
                }
            }
            Action::Close => {
                self.lanes[scenario].executor.ledger().time_out();
                self.wanted.retain(|(wanting, _)| *wanting != scenario);
                self.wake(scenario);
                self.end_if_idle(scenario, now, happened);
            }
            Action::InterruptRest => {
                self.lanes[scenario].executor.ledger().cut();
                self.interrupt(scenario, now);
            }
        }
    }

    /// An iteration is due: a VU that waits gets it, or it is dropped.
    fn start(&mut self, scenario: usize, due: Duration, happened: &mut Vec<Happened>) {
        let lane = &mut self.lanes[scenario];
        if let Some(slot) = lane.executor.rule().give(due) {
            // A VU that is still to come asks by itself.
            if let Some(seat) = lane.seats[slot].filter(|seat| seat.busy) {
                self.vus[seat.vu].wake();
            }
            return;
        }
        happened.push(Happened::Dropped { scenario, vu: None, count: 1 });
        if lane.growth != Growth::Possible {
            return;
        }
        if lane.opened < lane.seats.len() {
            lane.growth = Growth::UnderWay;
            happened.push(Happened::WantsVu { scenario });
        } else {
            lane.growth = Growth::Over;
            happened.push(Happened::Insufficient { scenario });
        }
    }

    /// A VU that a scenario wanted is there. `None`: it is not made, but one that is free may serve.
    pub(crate) fn grow(&mut self, scenario: usize, vu: Option<Arc<dyn Vu>>) {
        let made = vu.is_some();
        if let Some(vu) = vu {
            self.free.insert(self.vus.len());
            self.vus.push(vu);
        }
        let lane = &mut self.lanes[scenario];
        if lane.growth != Growth::UnderWay {
            return self.serve();
        }
        lane.growth = Growth::Possible;
        let open = !lane.executor.ledger().is_closed();
        if open && (made || !self.free.is_empty()) {
            let slot = lane.opened;
            lane.opened += 1;
            lane.executor.ledger().set_present(lane.opened);
            lane.roster.activate(slot);
            lane.executor.rule().want(slot, true);
            self.wanted.push_back((scenario, slot));
        }
        self.serve();
    }

    /// Has the VUs that wait ask again.
    fn wake(&self, scenario: usize) {
        let lane = &self.lanes[scenario];
        if lane.executor.rule().waits() {
            for seat in lane.seats.iter().flatten().filter(|seat| seat.busy) {
                self.vus[seat.vu].wake();
            }
        }
    }

    fn serve(&mut self) {
        while let Some(vu) = self.free.first().copied() {
            let Some((scenario, slot)) = self.wanted.pop_front() else { return };
            self.free.remove(&vu);
            let lane = &mut self.lanes[scenario];
            lane.seats[slot] = Some(Seat { vu, busy: true });
            let ledger = lane.executor.ledger();
            ledger.set_active(ledger.active() + 1);
            let vu_in_test = self.share.nth(vu as u64) + 1;
            self.vus[vu].activate(Activation { slot, vu_in_test, ..lane.activation.clone() });
        }
    }

    fn interrupt(&mut self, scenario: usize, now: Instant) {
        let lane = &mut self.lanes[scenario];
        lane.interrupted = lane.interrupted.or(Some(now));
        for seat in lane.seats.iter().flatten().filter(|seat| seat.busy) {
            self.vus[seat.vu].interrupt();
        }
        self.wake(scenario);
    }

    /// A scenario whose VUs have all left their loops is over: they leave only when there is nothing to do.
    fn end_if_idle(&mut self, scenario: usize, now: Instant, happened: &mut Vec<Happened>) {
        let lane = &mut self.lanes[scenario];
        let ledger = lane.executor.ledger();
        let waiting = self.wanted.iter().any(|(wanting, _)| *wanting == scenario);
        let to_come = !ledger.is_closed() && (ledger.began().is_none() || lane.executor.rule().comes_back());
        if ledger.ended() || ledger.active() > 0 || waiting || to_come {
            return;
        }
        lane.timeline = no_more();
        ledger.end(now);
        if ledger.began().is_none() {
            return;
        }
        // After an abort nobody wants to know what else there would have been to do.
        if !self.aborted {
            for rest in lane.executor.rule().unstarted(ledger.started()) {
                let vu = rest.slot.and_then(|slot| lane.seats[slot]).map(|seat| seat.vu + 1);
                happened.push(Happened::Dropped { scenario, vu, count: rest.count });
            }
        }
        happened.push(Happened::Ended { scenario });
    }
}

impl Lane {
    fn new(part: Part, share: &Share, origin: Instant) -> Self {
        let Part { config, executor, timeline } = part;
        let start = origin + config.start_time.to_std();
        let vus = executor::vus(&config, share).most;
        executor.rule().begin(start);
        let work: Arc<dyn Work> = executor.clone();
        Self {
            activation: Activation {
                scenario: config.name.as_str().into(),
                executor: config.executor.type_name(),
                exec: config.exec.as_str().into(),
                tags: config.tags.into(),
                env: config.env.into(),
                started: start,
                slot: 0,
                vu_in_test: 0,
                work,
            },
            executor,
            timeline: timeline.peekable(),
            roster: Roster::default(),
            start,
            interrupted: None,
            seats: vec![None; vus],
            opened: 0,
            growth: Growth::Possible,
        }
    }

    fn next_due(&mut self) -> Option<Instant> {
        self.timeline.peek().map(|step| self.start + step.at)
    }

    /// Whether this slot is to loop and does not.
    fn misses(&self, slot: usize) -> bool {
        self.roster.wants(slot) && !self.seats[slot].is_some_and(|seat| seat.busy)
    }
}

//! The global timers of a VU: `setTimeout` and `setInterval`.
//!
//! Kept in order of their due times, exactly as asked for; the group's timer wheel, whose ticks are whole
//! milliseconds, only ever holds one of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use ws_loop::{EventLoop, TimerId};

use super::address::{Address, Part};
use super::call::{self, Fault};
use crate::api::Caller;
use crate::group::Post;
use crate::realm::Realm;

/// All global timers of a VU.
#[derive(Default)]
pub(crate) struct Timers {
    /// The id given out last. Ids are never used again, over iterations.
    last: u32,
    pending: FxHashMap<u32, Timer>,
    /// Those that wait; an interval whose callback runs does not.
    order: BTreeSet<(Due, u32)>,
    alarm: Alarm,
}

/// When a timer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// Before all others. As in k6 for a delay that is no number.
    AtOnce,
    At(Instant),
    Never,
}

impl Due {
    /// `delay` from `now`; `None`: see [`Due::AtOnce`].
    pub(crate) fn after(delay: Option<Duration>, now: Instant) -> Self {
        match delay {
            None => Due::AtOnce,
            // Later than any clock can say.
            Some(delay) => now.checked_add(delay).map_or(Due::Never, Due::At),
        }
    }
}

struct Timer {
    due: Due,
    callback: v8::Global<v8::Function>,
    arguments: Box<[v8::Global<v8::Value>]>,
    /// For intervals: the delay (`None` as in [`Due::after`]).
    every: Option<Option<Duration>>,
}

/// What will bring the earliest timer up.
#[derive(Default)]
enum Alarm {
    #[default]
    None,
    /// The group's wheel.
    Wheel(Instant, TimerId),
    /// The VU has been put on the list of those that get a turn.
    Turn,
}

impl Timers {
    /// Uses an id up.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(crate) fn add(
        &mut self,
        id: u32,
        delay: Option<Duration>,
        repeats: bool,
        callback: v8::Global<v8::Function>,
        arguments: Box<[v8::Global<v8::Value>]>,
    ) {
        let due = Due::after(delay, Instant::now());
        self.order.insert((due, id));
        self.pending.insert(id, Timer { due, callback, arguments, every: repeats.then_some(delay) });
    }

    pub(crate) fn clear(&mut self, id: u32) {
        if let Some(timer) = self.pending.remove(&id) {
            self.order.remove(&(timer.due, id));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// When the earliest timer is due.
    pub(crate) fn first(&self) -> Option<Due> {
        self.order.first().map(|(due, _)| *due)
    }

    /// Whether a timer has become due after `from` and up to `to`.
    pub(super) fn has_due(&self, from: Option<Instant>, to: Instant) -> bool {
        let from = from.map_or((Due::AtOnce, 0), |from| (Due::At(from), u32::MAX));
        self.order.range(from..).next().is_some_and(|(due, _)| *due <= Due::At(to))
    }

    /// Drops all timers, and tells which there were, in the order in which they would have been due, and
    /// whether they are intervals.
    pub(super) fn drop_all(&mut self, io: &mut EventLoop<Post>) -> Vec<(u32, bool)> {
        if let Alarm::Wheel(_, id) = std::mem::take(&mut self.alarm) {
            io.cancel(id);
        }
        self.order.clear();
        let mut dropped: Vec<_> =
            std::mem::take(&mut self.pending).into_iter().map(|(id, timer)| (timer.due, id, timer)).collect();
        dropped.sort_unstable_by_key(|(due, id, _)| (*due, *id));
        dropped.into_iter().map(|(_, id, timer)| (id, timer.every.is_some())).collect()
    }

    /// The alarm has gone off.
    pub(super) fn rung(&mut self) {
        self.alarm = Alarm::None;
    }

    /// Sees to it that the earliest timer is brought up when it is due. Says whether that is now, so that the
    /// VU wants a turn.
    pub(super) fn arm(&mut self, io: &mut EventLoop<Post>, vu: u32) -> bool {
        let Some(first) = self.first() else { return false };
        let due = match (first, &self.alarm) {
            (Due::Never, _) | (_, Alarm::Turn) => return false,
            // It may have been cleared; then nothing is due when the alarm goes off.
            (Due::At(due), Alarm::Wheel(at, _)) if *at <= due => return false,
            (due, _) => due,
        };
        if let Alarm::Wheel(_, id) = std::mem::take(&mut self.alarm) {
            io.cancel(id);
        }
        match due {
            // The loop's own reading may be older than the timer.
            Due::At(at) if at > Instant::now() => {
                let id = io.timer(at, Address::new(vu, Part::Timers, 0).to_user());
                self.alarm = Alarm::Wheel(at, id);
                false
            }
            _ => {
                self.alarm = Alarm::Turn;
                true
            }
        }
    }
}

/// Runs the timers that are due at `now`, each with the reactions of the promises it settles. Timers that
/// come up meanwhile are left for later, so that they cannot keep everything else from happening.
pub(crate) fn run_due(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
    now: Instant,
) -> Result<(), Fault> {
    let Caller { inside, vu } = caller;
    let due: Vec<(Due, u32)> = {
        let state = inside.state();
        let order = &state.vus[vu as usize].timers.order;
        order.iter().take_while(|(due, _)| *due <= Due::At(now)).copied().collect()
    };
    for (due, id) in due {
        v8::scope!(let scope, scope);
        let found = {
            let mut state = inside.state();
            let timers = &mut state.vus[vu as usize].timers;
            // An earlier one may have cleared it.
            if !timers.order.remove(&(due, id)) {
                continue;
            }
            let Some(timer) = timers.pending.get(&id) else { continue };
            let callback = v8::Local::new(scope, &timer.callback);
            let arguments: Vec<_> =
                timer.arguments.iter().map(|value| v8::Local::new(scope, value)).collect();
            let every = timer.every;
            if every.is_none() {
                timers.pending.remove(&id);
            }
            (callback, arguments, every)
        };
        let (callback, arguments, every) = found;
        let receiver = scope.get_current_context().global(scope).into();
        call::callback(caller, scope, realm, callback, receiver, &arguments)?;
        if let Some(delay) = every {
            let mut state = inside.state();
            let timers = &mut state.vus[vu as usize].timers;
            // The period begins when the callback has returned.
            if let Some(timer) = timers.pending.get_mut(&id) {
                timer.due = Due::after(delay, Instant::now());
                timers.order.insert((timer.due, id));
            }
        }
    }
    Ok(())
}

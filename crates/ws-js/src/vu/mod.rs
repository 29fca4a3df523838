//! A virtual user: its world, what it waits for, and its iterations.

pub(crate) mod address;
pub(crate) mod backlog;
pub(crate) mod block;
pub(crate) mod call;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod job;
pub(crate) mod leavers;
pub(crate) mod run;
pub(crate) mod summary;
pub(crate) mod tags;
pub(crate) mod timers;

use std::rc::Rc;
use std::sync::Arc;

use ws_loop::Traffic;
use ws_proto::CookieJar;

use self::block::Block;
use self::inbox::{Inbox, LoopEvent};
use self::job::Assignment;
pub(crate) use self::job::Job;
use self::leavers::Leavers;
use self::run::Run;
use self::tags::VuTags;
use self::timers::Timers;
use crate::api::http;
use crate::api::websockets::Sockets;
use crate::api::ws::session::{self, Sessions};
use crate::group::Inside;
use crate::realm::Realm;

/// One VU of a group, named by its index there.
pub(crate) struct Vu {
    /// Its number over the whole run: `__VU`, from 1. 0 is for the phases.
    pub(crate) number: u32,
    pub(crate) realm: Rc<Realm>,
    /// A thread has it: its script runs, or is about to go on after a wait.
    pub(crate) busy: bool,
    /// What its script waits for, innermost last.
    pub(crate) blocks: Vec<Block>,
    pub(crate) sessions: Sessions,
    /// What it is doing, from the beginning until nothing of it is left.
    pub(crate) run: Option<Run>,
    pub(crate) timers: Timers,
    pub(crate) sockets: Sockets,
    pub(crate) http: http::User,
    pub(crate) leavers: Leavers,
    /// What is kept for its event loop.
    inbox: Inbox,
    pub(crate) tags: VuTags,
    /// The cookies of its sessions that have no jar of their own.
    pub(crate) jar: Arc<CookieJar>,
    /// How many addresses further on than its own it has last connected from.
    addresses: u32,
    /// Socket bytes since they were last reported.
    pub(crate) traffic: Traffic,
    assignment: Option<Assignment>,
    /// It has no iteration at present, and asks for one when it is woken.
    waiting: bool,
    /// Iterations begun: the next `__ITER`.
    iterations: u64,
}

impl Vu {
    /// A VU whose init stage has run in `realm`.
    pub(crate) fn new(number: u32, realm: Rc<Realm>, tags: VuTags) -> Self {
        Self {
            number,
            realm,
            busy: false,
            blocks: Vec::new(),
            sessions: Sessions::default(),
            run: None,
            timers: Timers::default(),
            sockets: Sockets::default(),
            http: http::User::default(),
            leavers: Leavers::default(),
            inbox: Inbox::default(),
            tags,
            jar: Arc::default(),
            addresses: 0,
            traffic: Traffic::default(),
            assignment: None,
            waiting: false,
            iterations: 0,
        }
    }

    /// Which address it connects from now, counted from its own. That is its own, as in k6, while it has no other
    /// connection; many sockets of one VU go around all addresses, or those of one port would run out.
    pub(crate) fn next_address(&mut self) -> u32 {
        let is_connected = self.sockets.is_connected() || self.sessions.is_connected();
        self.addresses = if is_connected { self.addresses.wrapping_add(1) } else { 0 };
        self.addresses
    }

    /// The scenario it works for, if it does.
    pub(crate) fn scenario(&self) -> Option<Arc<str>> {
        self.assignment.as_ref().map(|assignment| Arc::clone(&assignment.scenario))
    }

    /// The number of its iteration, `__ITER`, from 0.
    pub(crate) fn iteration(&self) -> Option<u64> {
        self.iterations.checked_sub(1)
    }

    /// Whether the run has failed or was told to stop: nothing new begins, and nothing of it is measured.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_cancelled)
    }

    /// Whether callbacks of its event loop may run now.
    fn hears(&self) -> bool {
        !self.busy && self.blocks.is_empty() && self.run.as_ref().is_some_and(Run::hears)
    }
}

impl Vu {
    /// Gives the VU an empty jar. Whoever still has the last one keeps its cookies.
    fn renew_jar(&mut self) {
        // Most scripts have no use for cookies.
        let untouched = Arc::get_mut(&mut self.jar).is_some_and(|jar| jar.is_empty());
        if !untouched {
            self.jar = Arc::default();
        }
    }
}

/// Gives an idle VU a job.
pub(crate) fn start(inside: Inside, vu: u32, job: Job) {
    match job {
        Job::Iterate(assignment) => {
            let realm = {
                let mut state = inside.state();
                let state = &mut *state;
                let this = &mut state.vus[vu as usize];
                this.tags.begin_scenario(&inside.group().shared, &assignment.scenario, &assignment.tags);
                this.assignment = Some(assignment.clone());
                this.waiting = false;
                state.runnable.push_back(vu);
                Rc::clone(&this.realm)
            };
            inside.with_realm(vu, &realm, |scope| realm.set_env(scope, &assignment.env));
        }
        Job::Phase { phase, data, done } => {
            run::phase(inside, vu, phase, data.as_deref(), done);
        }
        Job::Summary { results, done } => run::summary(inside, vu, &results, done),
    }
}

/// There may be an iteration for the VU, which has waited for one.
pub(crate) fn wake(inside: Inside, vu: u32) {
    let mut state = inside.state();
    let state = &mut *state;
    // Whoever does not wait has asked since, or will.
    if std::mem::take(&mut state.vus[vu as usize].waiting) {
        state.runnable.push_back(vu);
    }
}

/// The VU's turn: the next iteration, or timers that are due at once.
pub(crate) fn take_turn(inside: Inside, vu: u32) {
    if inside.state().vus[vu as usize].run.is_some() {
        return timers_due(inside, vu);
    }
    run::iterate(inside, vu);
}

/// The alarm of the VU's global timers has gone off.
pub(crate) fn timers_due(inside: Inside, vu: u32) {
    let until = {
        let mut state = inside.state();
        state.vus[vu as usize].timers.rung();
        state.io.now()
    };
    inbox::deliver(inside, vu, LoopEvent::Timers { until });
}

/// Events came for the VU while it was not ready, and it may be now.
pub(crate) fn catch_up(inside: Inside, vu: u32) {
    let in_session = {
        let state = inside.state();
        let block = state.vus[vu as usize].blocks.last();
        block.is_some_and(|block| matches!(block.kind, block::Kind::Session(_)))
    };
    if in_session { backlog::catch_up(inside, vu) } else { inbox::catch_up(inside, vu) }
}

/// The VU must end: if its script or its event loop waits, the wait ends now. (If it computes, V8 was told; if it
/// is idle, it will get no further iteration.)
pub(crate) fn interrupt_waiting(inside: Inside, vu: u32) {
    if !inside.group().must_end(vu) {
        return;
    }
    let (is_blocked, is_looping) = {
        let state = inside.state();
        let this = &state.vus[vu as usize];
        (!this.busy && !this.blocks.is_empty(), this.hears())
    };
    if is_blocked {
        block::interrupt(inside, vu);
    } else if is_looping {
        run::interrupt(inside, vu);
    }
}

/// A timer of a session is due.
pub(crate) fn session_timer_due(inside: Inside, vu: u32, slot: u32) {
    let serial = inside.state().vus[vu as usize].sessions.owner_of_timer(slot);
    if let Some(serial) = serial {
        backlog::deliver(inside, vu, serial, session::Event::Timer { slot });
    }
}

//! A virtual user: its world, what it waits for, and its iterations.

pub(crate) mod backlog;
pub(crate) mod block;
pub(crate) mod call;
pub(crate) mod job;
pub(crate) mod summary;
pub(crate) mod tags;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use ws_loop::Traffic;
use ws_metrics::builtin;
use ws_proto::CookieJar;

use self::block::Block;
use self::call::{Called, Stray};
pub(crate) use self::job::Job;
use self::job::{Assignment, IterationOutcome, Phase, PhaseError, PhaseResult};
use self::tags::VuTags;
use crate::api::Caller;
use crate::api::ws::session::{self, Sessions};
use crate::binding::Throw;
use crate::group::Inside;
use crate::isolate;
use crate::log::{Level, Record};
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
    pub(crate) tags: VuTags,
    /// The cookies of its sessions that have no jar of their own.
    pub(crate) jar: Arc<CookieJar>,
    /// Socket bytes since they were last reported.
    pub(crate) traffic: Traffic,
    assignment: Option<Assignment>,
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
            tags,
            jar: Arc::default(),
            traffic: Traffic::default(),
            assignment: None,
            iterations: 0,
        }
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
                state.runnable.push_back(vu);
                Rc::clone(&this.realm)
            };
            inside.with_realm(vu, &realm, |scope| realm.set_env(scope, &assignment.env));
        }
        Job::Phase { phase, data, done } => {
            let result = run_phase(inside, vu, phase, data.as_deref());
            // The receiver has gone if the time limit has passed; then nobody wants the result.
            let _ = done.send(result);
        }
        Job::Summary { results, done } => {
            // As above.
            let _ = done.send(summary::run(inside, vu, &results));
        }
    }
}

/// Runs one iteration of the VU, if its scenario has one for it. May block in the middle: then it returns
/// on a thread that is no longer the driver.
pub(crate) fn iterate(inside: Inside, vu: u32) {
    let group = inside.group();
    let (assignment, number, realm) = {
        let state = inside.state();
        let this = &state.vus[vu as usize];
        let Some(assignment) = this.assignment.clone() else { return };
        (assignment, this.number, Rc::clone(&this.realm))
    };
    let slot = assignment.slot;
    if assignment.work.next(slot).is_none() {
        inside.state().vus[vu as usize].assignment = None;
        assignment.work.stopped(slot);
        return;
    }

    let iteration = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        this.busy = true;
        if !group.shared.settings.no_cookies_reset {
            this.renew_jar();
        }
        let iteration = this.iterations;
        this.iterations += 1;
        this.tags.begin_iteration(&group.shared, number, iteration);
        iteration
    };
    let started = Instant::now();
    let called = inside.with_realm(vu, &realm, |scope| {
        if group.must_end(vu) {
            // V8 was asked to look before this script began.
            return Called::Interrupted;
        }
        realm.set_iteration(scope, iteration);
        let data = realm.setup_data(scope, assignment.setup_data.as_deref());
        call::export(Caller { inside, vu }, scope, &realm, &assignment.exec, data, Stray::Fails, |_, _| ())
    });
    let outcome = match &called {
        Called::Returned(()) => IterationOutcome::Complete,
        Called::Threw(exception) => {
            let fields = [
                ("executor", &*assignment.executor),
                ("scenario", &*assignment.scenario),
                ("source", "stacktrace"),
            ];
            // As k6: what an unhandled rejection says carries no such field.
            let fields = if exception.is_rejection() { &fields[..2] } else { &fields[..] };
            group.shared.log.write(&Record { level: Level::Error, message: &exception.stack_text(), fields });
            IterationOutcome::Failed
        }
        Called::Interrupted => IterationOutcome::Interrupted,
    };
    finish(inside, vu, started, outcome);
    assignment.work.ended(slot, outcome);
    inside.state().runnable.push_back(vu);
}

/// Books what an iteration leaves behind.
fn finish(inside: Inside, vu: u32, started: Instant, outcome: IterationOutcome) {
    let now = Instant::now();
    let mut guard = inside.state();
    let state = &mut *guard;
    let this = &mut state.vus[vu as usize];
    session::forget_all(this, &mut state.io);
    let traffic = std::mem::take(&mut this.traffic);
    let (tags, meta) = (this.tags.current(), this.tags.metadata());
    state.samples.add(builtin::DATA_SENT, tags, meta, now, traffic.written as f64);
    state.samples.add(builtin::DATA_RECEIVED, tags, meta, now, traffic.read as f64);
    if outcome != IterationOutcome::Interrupted {
        let ms = now.duration_since(started).as_secs_f64() * 1e3;
        state.samples.add(builtin::ITERATION_DURATION, tags, meta, now, ms);
        state.samples.add(builtin::ITERATIONS, tags, meta, now, 1.0);
    }
    this.busy = false;
    drop(guard);
    if inside.group().take_exhausted(vu) {
        // What filled the heap is garbage by now.
        inside.with_isolate(|isolate| isolate::recover(isolate, inside.group().heap_limit()));
    }
}

fn run_phase(inside: Inside, vu: u32, phase: Phase, data: Option<&str>) -> PhaseResult {
    let group = inside.group();
    let realm = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        this.busy = true;
        this.tags.begin_phase(&group.shared, phase);
        Rc::clone(&this.realm)
    };
    let started = Instant::now();
    let called = inside.with_realm(vu, &realm, |scope| {
        let data = realm.setup_data(scope, data);
        let function = phase.function();
        call::export(Caller { inside, vu }, scope, &realm, function, data, Stray::Fails, |scope, value| {
            match phase {
                Phase::Setup => crate::convert::json_stringify(scope, value),
                Phase::Teardown => Ok(None),
            }
        })
    });
    // A phase is no iteration: of an iteration's samples it has the bytes only.
    finish(inside, vu, started, IterationOutcome::Interrupted);
    match called {
        Called::Returned(Ok(json)) => Ok(json),
        Called::Returned(Err(Throw::Plain(text))) => Err(PhaseError::Data(text)),
        Called::Returned(Err(_)) => Err(PhaseError::Data("a getter throws".to_owned())),
        Called::Threw(exception) => Err(PhaseError::Threw(exception)),
        Called::Interrupted => Err(PhaseError::Interrupted),
    }
}

/// The VU must end: if its script waits, the wait ends now. (If it computes, V8 was told; if it is
/// idle, it will get no further iteration.)
pub(crate) fn interrupt_blocked(inside: Inside, vu: u32) {
    let waiting = {
        let state = inside.state();
        let this = &state.vus[vu as usize];
        !this.busy && !this.blocks.is_empty() && inside.group().must_end(vu)
    };
    if waiting {
        block::interrupt(inside, vu);
    }
}

/// A timer of a VU is due.
pub(crate) fn timer_due(inside: Inside, user: u64) {
    let address = session::Address::from_user(user);
    let serial = inside.state().vus[address.vu as usize].sessions.owner_of_timer(address.serial);
    if let Some(serial) = serial {
        let event = session::Event::Timer { slot: address.serial };
        backlog::deliver(inside, session::Address { vu: address.vu, serial }, event);
    }
}

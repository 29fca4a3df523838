//! What a VU is doing: a call of an exported function, from its start until nothing of it is left.
//!
//! A run is over when the function has returned, the promises it set off have settled, and no global timer
//! and no web socket is left. Until then the VU waits on no thread: the group's driver brings the events.

use std::rc::Rc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use ws_loop::Traffic;
use ws_metrics::builtin;

use super::call::{self, Fault};
use super::inbox::LoopEvent;
use super::job::{Assignment, IterationOutcome, Next, Phase, PhaseError, PhaseResult};
use super::summary::{self, Results, Summary, SummaryError, SummaryResult};
use crate::api::ws::session;
use crate::api::{Caller, websockets};
use crate::binding::Throw;
use crate::convert::json_stringify;
use crate::exception::JsException;
use crate::group::{Inside, State};
use crate::isolate;
use crate::log::{Level, Record};
use crate::realm::Realm;

/// See the module's documentation.
pub(crate) struct Run {
    errand: Errand,
    started: Instant,
    stage: Stage,
    /// What the function returned, where that matters: a promise, or a phase's value.
    returned: Option<v8::Global<v8::Value>>,
    /// What that was, once it has been read.
    read: Option<Read>,
}

/// A phase's value.
enum Read {
    Setup(PhaseResult),
    Summary(SummaryResult),
}

/// On whose behalf.
pub(super) enum Errand {
    Iteration(Assignment),
    Phase { phase: Phase, done: SyncSender<PhaseResult> },
    Summary { done: SyncSender<SummaryResult> },
}

/// How far it is.
enum Stage {
    /// The function has not returned.
    Calling,
    /// It has, and there may be events to come.
    Looping,
    /// It has failed: nothing new begins. Sockets are being closed, and hear of that.
    WindingDown(JsException),
    /// No script runs any more. Sockets are being closed.
    Draining(Verdict),
}

/// How it ends.
enum Verdict {
    Returned,
    Failed(JsException),
    Interrupted,
}

impl Run {
    /// Whether callbacks may run: the function has returned, and nobody has told the VU to stop.
    pub(super) fn hears(&self) -> bool {
        matches!(self.stage, Stage::Looping | Stage::WindingDown(_))
    }

    /// Whether it has failed or was told to stop: nothing new begins, and nothing of it is measured.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self.stage, Stage::WindingDown(_) | Stage::Draining(_))
    }

    pub(super) fn is_draining(&self) -> bool {
        matches!(self.stage, Stage::Draining(_))
    }

    /// Whether its function has returned a value that is to be read.
    fn is_unread(&self) -> bool {
        let has_value = match &self.errand {
            Errand::Iteration(_) => false,
            Errand::Phase { phase, .. } => *phase == Phase::Setup,
            Errand::Summary { .. } => true,
        };
        has_value && self.read.is_none() && matches!(self.stage, Stage::Looping)
    }
}

/// Runs one iteration of the VU, if its scenario has one for it. May block in the middle: then it returns
/// on a thread that is no longer the driver.
pub(crate) fn iterate(inside: Inside, vu: u32) {
    let group = inside.group();
    let (assignment, number) = {
        let state = inside.state();
        let this = &state.vus[vu as usize];
        let Some(assignment) = this.assignment.clone() else { return };
        (assignment, this.number)
    };
    let slot = assignment.slot;
    let due = match assignment.work.next(slot) {
        Next::Run(iteration) => iteration.due,
        Next::Wait => {
            inside.state().vus[vu as usize].waiting = true;
            return;
        }
        Next::Stop => {
            inside.state().vus[vu as usize].assignment = None;
            assignment.work.stopped(slot);
            return;
        }
    };
    let iteration = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        if !group.shared.settings.no_cookies_reset {
            this.renew_jar();
        }
        let iteration = this.iterations;
        this.iterations += 1;
        this.tags.begin_iteration(&group.shared, number, iteration);
        if let Some(due) = due.filter(|_| group.shared.settings.extended_metrics) {
            let (tags, meta, now) = (this.tags.current(), this.tags.metadata(), Instant::now());
            let late = now.saturating_duration_since(due).as_secs_f64() * 1e3;
            state.samples.add(builtin::ITERATION_START_LATENESS, tags, meta, now, late);
        }
        iteration
    };
    begin(inside, vu, Errand::Iteration(assignment.clone()), |scope, realm| {
        realm.set_iteration(scope, iteration);
        let data = realm.setup_data(scope, assignment.setup_data.as_deref());
        let returned = call::export(Caller { inside, vu }, scope, realm, &assignment.exec, data)?;
        // Of other values nothing is wanted.
        Ok(returned.is_promise().then(|| v8::Global::new(scope, returned)))
    });
}

/// Runs `setup()` or `teardown(data)`; `done` gets the result.
pub(super) fn phase(
    inside: Inside,
    vu: u32,
    phase: Phase,
    data: Option<&str>,
    done: SyncSender<PhaseResult>,
) {
    inside.state().vus[vu as usize].tags.begin_phase(&inside.group().shared, phase);
    begin(inside, vu, Errand::Phase { phase, done }, |scope, realm| {
        let data = realm.setup_data(scope, data);
        let returned = call::export(Caller { inside, vu }, scope, realm, phase.function(), data)?;
        Ok(Some(v8::Global::new(scope, returned)))
    });
}

/// Runs `handleSummary(data)`; `done` gets the result.
pub(super) fn summary(inside: Inside, vu: u32, results: &Results, done: SyncSender<SummaryResult>) {
    let realm = Rc::clone(&inside.state().vus[vu as usize].realm);
    let exported = inside.with_realm(vu, &realm, |scope| summary::exported(scope, &realm));
    if let Some(result) = exported {
        let _ = done.send(result);
        return;
    }
    begin(inside, vu, Errand::Summary { done }, |scope, realm| {
        let argument = summary::argument(scope, results);
        let returned = call::export(Caller { inside, vu }, scope, realm, summary::FUNCTION, argument)?;
        Ok(Some(v8::Global::new(scope, returned)))
    });
}

fn begin(
    inside: Inside,
    vu: u32,
    errand: Errand,
    call: impl FnOnce(&mut v8::PinScope<'_, '_>, &Realm) -> Result<Option<v8::Global<v8::Value>>, Fault>,
) {
    let realm = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        this.busy = true;
        this.run =
            Some(Run { errand, started: Instant::now(), stage: Stage::Calling, returned: None, read: None });
        Rc::clone(&this.realm)
    };
    let called = inside.with_realm(vu, &realm, |scope| {
        let returned = call(scope, &realm)?;
        if let Some(run) = &mut inside.state().vus[vu as usize].run {
            run.returned = returned;
            run.stage = Stage::Looping;
        }
        check_rejections(Caller { inside, vu }, scope, &realm)
    });
    settle(inside, vu, called);
}

/// Runs a callback of the VU's event loop; nothing else of the VU runs now.
pub(super) fn callback(
    inside: Inside,
    vu: u32,
    call: impl FnOnce(&mut v8::PinScope<'_, '_>, &Realm) -> Result<(), Fault>,
) {
    let realm = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        this.busy = true;
        Rc::clone(&this.realm)
    };
    let called = inside.with_realm(vu, &realm, |scope| {
        call(scope, &realm)?;
        check_rejections(Caller { inside, vu }, scope, &realm)
    });
    settle(inside, vu, called);
}

/// What becomes of promises that were rejected and that nobody handles.
fn check_rejections(caller: Caller, scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Result<(), Fault> {
    let Caller { inside, vu } = caller;
    let Some(exception) = call::rejection(caller, scope, realm)? else { return Ok(()) };
    let is_summary = {
        let state = inside.state();
        let run = state.vus[vu as usize].run.as_ref();
        run.is_some_and(|run| matches!(run.errand, Errand::Summary { .. }))
    };
    // handleSummary() fails with its own promise only; of others it is told.
    if is_summary && !own_promise_is_rejected(caller, scope) {
        let message = &exception.stack_text();
        inside.group().shared.log.write(&Record { level: Level::Error, message, fields: &[] });
        return Ok(());
    }
    Err(Fault::Threw(exception))
}

/// Whether the function returned a promise that is rejected now.
fn own_promise_is_rejected(caller: Caller, scope: &mut v8::PinScope<'_, '_>) -> bool {
    let state = caller.inside.state();
    let run = state.vus[caller.vu as usize].run.as_ref();
    let Some(returned) = run.and_then(|run| run.returned.as_ref()) else { return false };
    v8::Local::<v8::Promise>::try_from(v8::Local::new(scope, returned))
        .is_ok_and(|promise| promise.state() == v8::PromiseState::Rejected)
}

/// Draws the consequences of what a script did: the run goes on, fails, or is over.
fn settle(inside: Inside, vu: u32, called: Result<(), Fault>) {
    inside.state().vus[vu as usize].busy = false;
    match called {
        Ok(()) => (),
        Err(Fault::Threw(exception)) => fail(inside, vu, exception),
        Err(Fault::Interrupted) => drain(inside, vu, Verdict::Interrupted),
    }
    proceed(inside, vu);
}

/// Reads what the function of a phase has returned, or its promise was fulfilled with: undefined if nothing is left that
/// could settle it. Getters and `toJSON` are scripts, and a part of the phase.
fn read(inside: Inside, vu: u32) {
    let (realm, returned, is_summary) = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        let Some(run) = &mut this.run else { return };
        run.stage = Stage::Calling;
        this.busy = true;
        (Rc::clone(&this.realm), run.returned.clone(), matches!(run.errand, Errand::Summary { .. }))
    };
    let caller = Caller { inside, vu };
    let called = inside.with_realm(vu, &realm, |scope| {
        let mut value = match &returned {
            Some(returned) => v8::Local::new(scope, returned),
            None => v8::undefined(scope).into(),
        };
        if let Ok(promise) = v8::Local::<v8::Promise>::try_from(value) {
            value = match promise.state() {
                v8::PromiseState::Fulfilled => promise.result(scope),
                _ => v8::undefined(scope).into(),
            };
        }
        let read = call::native(caller, scope, &realm, |scope| {
            if is_summary {
                return Ok(Read::Summary(summary::read(scope, value)));
            }
            match json_stringify(scope, value) {
                Ok(json) => Ok(Read::Setup(Ok(json))),
                Err(Throw::Plain(text)) => Ok(Read::Setup(Err(PhaseError::Data(text)))),
                Err(throw) => Err(throw),
            }
        })?;
        if let Some(run) = &mut inside.state().vus[vu as usize].run {
            run.read = Some(read);
            run.stage = Stage::Looping;
        }
        check_rejections(caller, scope, &realm)
    });
    settle(inside, vu, called);
}

/// Ends the run if nothing is left of it, else sees to it that its next event is brought up.
pub(super) fn proceed(inside: Inside, vu: u32) {
    let is_unread = {
        let mut state = inside.state();
        let State { io, vus, catching_up, runnable, .. } = &mut *state;
        let this = &mut vus[vu as usize];
        let is_idle = this.timers.is_empty() && this.sockets.is_empty() && this.http.is_idle();
        if !is_idle || !this.inbox.is_empty() {
            if !this.inbox.is_empty() {
                catching_up.push_back(vu);
            }
            if this.timers.arm(io, vu) {
                runnable.push_back(vu);
            }
            return;
        }
        this.run.as_ref().is_some_and(Run::is_unread)
    };
    if is_unread { read(inside, vu) } else { finish(inside, vu) }
}

/// The run has failed: nothing new begins, what is open is closed.
fn fail(inside: Inside, vu: u32, exception: JsException) {
    if inside.group().must_end(vu) {
        return drain(inside, vu, Verdict::Failed(exception));
    }
    {
        let mut state = inside.state();
        let Some(run) = &mut state.vus[vu as usize].run else { return };
        // What goes wrong on the way down is of no interest any more.
        if run.is_cancelled() {
            return;
        }
        run.stage = Stage::WindingDown(exception);
    }
    drop_timers(inside, vu);
    inside.state().vus[vu as usize].http.give_up();
    websockets::wind_down(inside, vu);
}

/// Ends the run without a further word to its script.
fn drain(inside: Inside, vu: u32, verdict: Verdict) {
    let waiting: Vec<_> = inside.state().vus[vu as usize].inbox.arrivals().collect();
    for (serial, arrival) in waiting {
        websockets::undelivered(inside, vu, serial, arrival);
    }
    {
        let mut state = inside.state();
        let Some(run) = &mut state.vus[vu as usize].run else { return };
        if run.is_draining() {
            return;
        }
        run.stage = Stage::Draining(verdict);
    }
    drop_timers(inside, vu);
    inside.state().vus[vu as usize].http.give_up();
    websockets::drain(inside, vu);
    let events = {
        let mut state = inside.state();
        let State { io, vus, .. } = &mut *state;
        vus[vu as usize].inbox.take(io)
    };
    for event in events {
        if let LoopEvent::Socket { serial, event } = event {
            websockets::drained(inside, vu, serial, &event);
        }
    }
}

/// The sockets of a VU that was told to stop have had their time.
pub(crate) fn drain_limit(inside: Inside, vu: u32) {
    let is_draining = inside.state().vus[vu as usize].run.as_ref().is_some_and(Run::is_draining);
    if is_draining {
        websockets::give_up(inside, vu);
        proceed(inside, vu);
    }
}

/// The VU was told to stop while nothing of it ran.
pub(super) fn interrupt(inside: Inside, vu: u32) {
    drain(inside, vu, Verdict::Interrupted);
    proceed(inside, vu);
}

fn drop_timers(inside: Inside, vu: u32) {
    let dropped = {
        let mut state = inside.state();
        let State { io, vus, .. } = &mut *state;
        vus[vu as usize].timers.drop_all(io)
    };
    for (id, repeats) in dropped {
        let name = if repeats { "setInterval" } else { "setTimeout" };
        let message = &format!("{name} {id} was stopped because the VU iteration was interrupted");
        inside.group().shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
    }
}

/// Nothing of the run is left.
fn finish(inside: Inside, vu: u32) {
    let Some(run) = inside.state().vus[vu as usize].run.take() else { return };
    let Run { errand, started, stage, read, .. } = run;
    let verdict = match stage {
        Stage::Calling | Stage::Looping => Verdict::Returned,
        Stage::WindingDown(exception) => Verdict::Failed(exception),
        Stage::Draining(verdict) => verdict,
    };
    match errand {
        Errand::Iteration(assignment) => {
            let outcome = match verdict {
                Verdict::Returned => IterationOutcome::Complete,
                Verdict::Failed(exception) => {
                    log_failure(inside, &assignment, &exception);
                    IterationOutcome::Failed
                }
                Verdict::Interrupted => IterationOutcome::Interrupted,
            };
            book(inside, vu, started, outcome != IterationOutcome::Interrupted);
            assignment.work.ended(assignment.slot, outcome);
            inside.state().runnable.push_back(vu);
        }
        Errand::Phase { done, .. } => {
            let result = match verdict {
                Verdict::Returned => match read {
                    Some(Read::Setup(result)) => result,
                    _ => Ok(None),
                },
                Verdict::Failed(exception) => Err(PhaseError::Threw(exception)),
                Verdict::Interrupted => Err(PhaseError::Interrupted),
            };
            // A phase is no iteration: of an iteration's samples it has the bytes only.
            book(inside, vu, started, false);
            // The receiver has gone if the time limit has passed; then nobody wants the result.
            let _ = done.send(result);
        }
        Errand::Summary { done } => {
            let result = match verdict {
                Verdict::Returned => match read {
                    Some(Read::Summary(result)) => result,
                    _ => Ok(Summary::Nothing),
                },
                Verdict::Failed(exception) => Err(SummaryError::Threw(exception)),
                Verdict::Interrupted => Err(SummaryError::Interrupted),
            };
            // The run is over: nobody takes the samples.
            book(inside, vu, started, false);
            // As above.
            let _ = done.send(result);
        }
    }
}

fn log_failure(inside: Inside, assignment: &Assignment, exception: &JsException) {
    let fields =
        [("executor", &*assignment.executor), ("scenario", &*assignment.scenario), ("source", "stacktrace")];
    // As k6: what an unhandled rejection says carries no such field.
    let fields = if exception.is_rejection() { &fields[..2] } else { &fields[..] };
    let message = &exception.stack_text();
    inside.group().shared.log.write(&Record { level: Level::Error, message, fields });
}

/// Books what a run leaves behind. `is_iteration`: one that counts.
fn book(inside: Inside, vu: u32, started: Instant, is_iteration: bool) {
    let now = Instant::now();
    let mut guard = inside.state();
    let state = &mut *guard;
    let this = &mut state.vus[vu as usize];
    session::forget_all(this, &mut state.io, &mut state.samples);
    let Traffic { read, written } = std::mem::take(&mut this.traffic);
    let (read_by_http, written_by_http) = this.http.take_traffic();
    let (read, written) = (read + read_by_http, written + written_by_http);
    this.http.end_iteration(&inside.group().shared);
    let (tags, meta) = (this.tags.current(), this.tags.metadata());
    state.samples.add(builtin::DATA_SENT, tags, meta, now, written as f64);
    state.samples.add(builtin::DATA_RECEIVED, tags, meta, now, read as f64);
    if is_iteration {
        let ms = now.duration_since(started).as_secs_f64() * 1e3;
        state.samples.add(builtin::ITERATION_DURATION, tags, meta, now, ms);
        state.samples.add(builtin::ITERATIONS, tags, meta, now, 1.0);
    }
    drop(guard);
    if inside.group().take_exhausted(vu) {
        // What filled the heap is garbage by now.
        inside.with_isolate(|isolate| isolate::recover(isolate, inside.group().heap_limit()));
    }
}

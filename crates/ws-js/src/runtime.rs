//! A run's groups, drivers and VUs, for whoever decides what runs when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ws_metrics::{BatchSender, WallClock};

use crate::error::Error;
use crate::faults::Fault;
use crate::group::gc::{GcClock, GcPauses};
use crate::group::{Group, Post, State, slice};
use crate::isolate::HeapShare;
use crate::log::{Level, Record};
use crate::script::{self, Script, ScriptError};
use crate::shared::{Parts, Settings, Shared};
use crate::staff::Staff;
use crate::vu::Job;
use crate::vu::job::{Assignment, Phase, PhaseError};
use crate::vu::summary::{Results, Summary, SummaryError};

/// The most VUs of one group: a scavenge costs 2.4 us for each parked one, so 1-2 ms at this number.
const MAX_GROUP: usize = 500;

/// The phases use a group of their own, each a VU of its own.
const PHASE_VUS: usize = 8;

/// How long a run that is dropped waits for scripts to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How long each group is waited for whose scripts are over, and where one goes on that was given up.
const SOON: Duration = Duration::from_secs(5);
const AT_ONCE: Duration = Duration::from_millis(20);

/// What a [`Runtime`] needs to know.
pub struct RuntimeOptions {
    /// How many VUs there will be at the start.
    pub vus: usize,
    /// How many there may be together with those [added](Runtime::add_vu) later.
    pub max_vus: usize,
    /// How many drivers; `None`: as many as the load asks for, beginning with one.
    pub drivers: Option<usize>,
    /// Options of the run.
    pub settings: Settings,
    /// Where samples go.
    pub samples: BatchSender,
    /// What time it is for samples.
    pub wall: WallClock,
}

/// The JavaScript side of a run.
pub struct Runtime {
    shared: Arc<Shared>,
    groups: Vec<Arc<Group>>,
    heap_share: usize,
    phase: Mutex<PhasePlace>,
    staff: Staff,
    vus: AtomicUsize,
    max_vus: usize,
    /// The VUs are being made, and are to be told if that is to stop.
    initializing: AtomicBool,
    /// A thread was given up: it may have groups for ever.
    abandoned: AtomicBool,
}

/// What V8's heaps hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeapUse {
    /// JavaScript worlds, one for each VU.
    pub realms: usize,
    /// Bytes of objects, garbage that is not yet collected included.
    pub used_bytes: usize,
    /// Bytes of memory that back them.
    pub resident_bytes: usize,
    /// Bytes that V8 has from the system's allocator beside its heaps.
    pub malloced_bytes: usize,
}

/// How long others had to wait while the script of one VU ran. Counted are stretches of more than 10 ms, to 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldUp {
    /// Its `__VU`.
    pub vu: u32,
    /// Over the whole run.
    pub total: Duration,
    /// At a time: for one time slice, or for one call of a built-in function that could not be cut.
    pub longest: Duration,
}

#[derive(Default)]
struct PhasePlace {
    group: Option<Arc<Group>>,
    /// How many VUs the group has had.
    made: u32,
    current: Option<Current>,
}

/// The phase that runs now.
struct Current {
    vu: u32,
    /// Tells whoever waits for its end not to.
    give_up: Box<dyn Fn() + Send>,
}

/// A VU whose init stage failed.
#[derive(Debug, thiserror::Error)]
#[error("error while initializing VU #{vu}: {source}")]
pub struct InitError {
    /// Its number, from 1.
    pub vu: usize,
    /// What went wrong.
    #[source]
    pub source: ScriptError,
}

impl Runtime {
    /// Makes the groups and starts the first driver. There are no VUs yet.
    pub fn new(script: &Script, options: RuntimeOptions) -> Result<Self, Error> {
        let RuntimeOptions { vus, max_vus, drivers, settings, samples, wall } = options;
        let max_vus = max_vus.max(vus);
        if settings.extended_metrics {
            // It takes a moment, and the VUs are made meanwhile.
            ws_proto::start_stamping();
        }
        let shared = Shared::new(Parts {
            settings,
            sources: Arc::clone(&script.sources),
            env: script.env.clone(),
            mode: script.mode,
            registry: Arc::clone(&script.registry),
            tag_sets: Arc::clone(&script.tag_sets),
            arrays: Arc::clone(&script.arrays),
            log: Arc::clone(&script.log),
            samples: Some(samples),
            wall,
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = max_vus.div_ceil(MAX_GROUP).max(cores.min(max_vus)).max(1);
        let heap_share = script::heap_limit() / (count + 1);
        let groups = (0..count)
            .map(|index| {
                let members = members(max_vus, count, index);
                Group::new(Arc::clone(&shared), members, HeapShare { limit: heap_share, realms: members })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let staff = Staff::start(&shared.pool, &groups, drivers)?;
        Ok(Self {
            shared,
            groups,
            heap_share,
            phase: Mutex::default(),
            staff,
            vus: AtomicUsize::new(vus),
            max_vus,
            initializing: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        })
    }

    /// How many VUs there are.
    pub fn vus(&self) -> usize {
        self.vus.load(Relaxed)
    }

    /// Makes the VUs, several groups at a time. `on_each` is called for each that is ready.
    ///
    /// # Errors
    ///
    /// The first failure of an init stage; the others are cut short, as they all are by
    /// [`interrupt_phase`](Self::interrupt_phase).
    pub fn init_vus(&self, on_each: &(dyn Fn() + Sync)) -> Result<(), InitError> {
        let failure = Mutex::new(None);
        let next = AtomicUsize::new(0);
        self.initializing.store(true, Relaxed);
        let work = || {
            loop {
                let index = next.fetch_add(1, Relaxed);
                let Some(group) = self.groups.get(index) else { return };
                for local in 0..members(self.vus(), self.groups.len(), index) {
                    if failure.lock().is_some() {
                        return;
                    }
                    let vu = local * self.groups.len() + index + 1;
                    match script::add_vu(group, vu as u32) {
                        Ok(_) => on_each(),
                        Err(source) => {
                            failure.lock().get_or_insert(InitError { vu, source });
                            // Another's may wait for a timer that is far away.
                            self.interrupt_all();
                            return;
                        }
                    }
                }
                // The init stages leave garbage behind, 25 KB for each VU, that a heap sized for its VUs would
                // not collect before the run is long under way.
                group.enter(|inside| inside.with_isolate(v8::Isolate::low_memory_notification));
                group.gc.reset();
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(self.groups.len());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let spawned = std::thread::Builder::new()
                    .name("ws-init".into())
                    .stack_size(crate::platform::THREAD_STACK)
                    .spawn_scoped(scope, work);
                // With one thread the rest takes longer, with none this one does it.
                if spawned.is_err() {
                    work();
                    break;
                }
            }
        });
        self.initializing.store(false, Relaxed);
        failure.into_inner().map_or(Ok(()), Err)
    }

    /// Makes one more VU and runs its init stage. Returns its index, from 0. One at a time.
    ///
    /// # Errors
    ///
    /// The failure of its init stage. Its place is taken by the next one.
    ///
    /// # Panics
    ///
    /// If there are [`max_vus`](RuntimeOptions::max_vus) already.
    pub fn add_vu(&self) -> Result<usize, InitError> {
        let index = self.vus();
        assert!(index < self.max_vus, "no place for another VU");
        let (group, _) = self.place(index);
        script::add_vu(group, index as u32 + 1).map_err(|source| {
            // What is left of it must not take the place of the next one.
            group.enter(|inside| {
                let failed = inside.state().vus.pop();
                drop(failed);
            });
            InitError { vu: index + 1, source }
        })?;
        self.vus.store(index + 1, Relaxed);
        Ok(index)
    }

    /// Has a VU (0-based) that was told to [wait](crate::Next::Wait) ask for its next iteration.
    pub fn wake(&self, vu: usize) {
        let (group, vu) = self.place(vu);
        group.handle.post(Post::Wake { vu });
    }

    /// Gives an idle VU (0-based) iterations to run. Returns at once.
    pub fn activate(&self, vu: usize, assignment: Assignment) {
        let (group, local) = self.place(vu);
        group.clear_stop(local);
        group.handle.post(Post::Start { vu: local, job: Job::Iterate(assignment) });
    }

    /// Cuts the VU's iteration short. Nothing happens to an idle VU.
    pub fn interrupt(&self, vu: usize) {
        let (group, local) = self.place(vu);
        group.interrupt(local);
    }

    /// Runs `setup()` or `teardown(data)` in a VU of its own, and waits for its end. `data` and the result
    /// are JSON texts; no result means `undefined`.
    pub fn run_phase(&self, phase: Phase, data: Option<Arc<str>>) -> Result<Option<String>, PhaseError> {
        let (done, result) = sync_channel(1);
        let give_up = done.clone();
        let (group, vu) = self
            .phase_vu(move || _ = give_up.try_send(Err(PhaseError::Interrupted)))
            .map_err(|error| PhaseError::Init(error.to_string()))?;
        group.handle.post(Post::Start { vu, job: Job::Phase { phase, data, done } });
        let result = result.recv().unwrap_or(Err(PhaseError::Interrupted));
        self.phase.lock().current = None;
        result
    }

    /// Runs `handleSummary(data)` in a VU of its own, and waits for its end, but no longer than `limit`. The
    /// VU is made even if the script exports no such function: its init code may count on it.
    ///
    /// `data` is a JSON object, whose `metrics.*.values.*` may be the texts `Infinity`, `-Infinity` and `NaN` for the
    /// numbers that JSON has not; `setup_data`, what `setup()` returned, becomes a property of it.
    pub fn handle_summary(
        &self,
        data: String,
        setup_data: Option<Arc<str>>,
        limit: Duration,
    ) -> Result<Summary, SummaryError> {
        let (done, result) = sync_channel(1);
        let give_up = done.clone();
        let (group, vu) = self
            .phase_vu(move || _ = give_up.try_send(Err(SummaryError::Interrupted)))
            .map_err(|error| SummaryError::Init(error.to_string()))?;
        let results = Results { data, setup_data };
        group.handle.post(Post::Start { vu, job: Job::Summary { results, done } });
        let result = match result.recv_timeout(limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                group.interrupt(vu);
                Err(SummaryError::TimedOut(limit))
            }
            Err(RecvTimeoutError::Disconnected) => Err(SummaryError::Interrupted),
        };
        self.phase.lock().current = None;
        result
    }

    /// A new VU 0 whose init stage has run, for a phase that can be interrupted from here on.
    fn phase_vu(&self, give_up: impl Fn() + Send + 'static) -> Result<(Arc<Group>, u32), Error> {
        let group = {
            let mut place = self.phase.lock();
            let group = match &place.group {
                Some(group) => Arc::clone(group),
                None => {
                    let heap = HeapShare { limit: self.heap_share, realms: 1 };
                    let group = Group::new(Arc::clone(&self.shared), PHASE_VUS, heap)?;
                    if self.abandoned.load(Relaxed) {
                        self.staff.take_apart(&group)?;
                    } else {
                        self.staff.take(&group);
                    }
                    place.group = Some(Arc::clone(&group));
                    group
                }
            };
            place.current = Some(Current { vu: place.made, give_up: Box::new(give_up) });
            place.made += 1;
            group
        };
        let made = script::add_vu(&group, 0);
        if made.is_err() {
            self.phase.lock().current = None;
        }
        Ok((group, made?))
    }

    /// Cuts short what happens once per run and happens now: the making of VUs, or a phase.
    pub fn interrupt_phase(&self) {
        if self.initializing.load(Relaxed) {
            self.interrupt_all();
        }
        let place = self.phase.lock();
        if let (Some(group), Some(current)) = (&place.group, &place.current) {
            group.interrupt(current.vu);
        }
    }

    fn interrupt_all(&self) {
        (0..self.vus()).for_each(|vu| self.interrupt(vu));
    }

    /// The scripts that go on now although they were told to stop, by places that mean nothing outside. One that is
    /// here again half a second later cannot be stopped: it is in a call of V8's own that has no end, or in a
    /// loop around long ones.
    pub fn disobedient(&self) -> Vec<(usize, u32)> {
        let phase = self.phase.lock().group.clone();
        let groups = self.groups.iter().chain(&phase).enumerate();
        groups
            .filter_map(|(index, group)| {
                let vu = group.running_vu().filter(|&vu| group.must_end(vu))?;
                Some((index, vu))
            })
            .collect()
    }

    /// Waits no longer for what was told to stop, here or when the run is dropped. Whoever waits for a phase hears that
    /// it was interrupted, and the next phase gets a group and a driver of its own.
    pub fn abandon(&self) {
        self.abandoned.store(true, Relaxed);
        let mut place = self.phase.lock();
        if let Some(current) = place.current.take() {
            (current.give_up)();
        }
        if let Some(group) = place.group.take() {
            // Its thread may have it for ever.
            std::mem::forget(group);
        }
        place.made = 0;
    }

    /// Which VUs have kept others of their group waiting by computing, and for how long; the worst first.
    pub fn hold_ups(&self) -> Vec<HoldUp> {
        let mut hold_ups = Vec::new();
        for (group, vu, slice::HoldUp { total, longest }) in self.staff.hold_ups() {
            // A group that a script keeps even now is not asked.
            let deadline = Instant::now() + Duration::from_millis(100);
            let numbers = |state: &mut State| (state.vus[vu as usize].number, state.vus.len());
            let Some((number, vus)) = group.with_state_until(deadline, numbers) else { continue };
            // The phases have their group to themselves, and so has the only VU of a group.
            if number > 0 && vus > 1 {
                hold_ups.push(HoldUp { vu: number, total, longest });
            }
        }
        hold_ups.sort_by_key(|held_up| std::cmp::Reverse(held_up.total));
        hold_ups
    }

    /// Why connections have failed up to now, by step and reason.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.faults.list()
    }

    /// The pauses for garbage collection since the VUs were made.
    pub fn gc_pauses(&self) -> GcPauses {
        GcClock::sum(self.groups.iter().map(|group| &*group.gc))
    }

    /// Writes what the machinery has measured of itself to the log, at debug level.
    pub fn log_figures(&self) {
        let (heap, pauses) = (self.heap(), self.gc_pauses());
        for message in [
            format!(
                "heap: realms={} used={} resident={} malloced={}",
                heap.realms, heap.used_bytes, heap.resident_bytes, heap.malloced_bytes
            ),
            format!(
                "gc pauses: n={} median={:.2}ms p99={:.2}ms max={:.2}ms",
                pauses.count, pauses.median_ms, pauses.p99_ms, pauses.max_ms
            ),
        ] {
            self.shared.log.write(&Record { level: Level::Debug, message: &message, fields: &[] });
        }
    }

    /// What the isolates' heaps hold now. Waits for each group's present batch.
    pub fn heap(&self) -> HeapUse {
        let mut all = HeapUse::default();
        for group in &self.groups {
            group.enter(|inside| {
                inside.with_isolate(|isolate| {
                    let heap = isolate.get_heap_statistics();
                    all.realms += heap.number_of_native_contexts();
                    all.used_bytes += heap.used_heap_size();
                    all.resident_bytes += heap.total_physical_size();
                    all.malloced_bytes += heap.malloced_memory();
                });
            });
        }
        all
    }

    /// How many drivers there are now, and how many threads for scripts (drivers included).
    pub fn threads(&self) -> (usize, usize) {
        (self.staff.drivers(), self.shared.pool.threads())
    }

    /// Gives the newest groups of driver `from` (half of them, at least one) to driver `to`; drivers count
    /// from 0. Nothing happens if there is no such driver. The controller does the same by itself when the
    /// number of drivers is not fixed.
    pub fn rebalance(&self, from: usize, to: usize) {
        self.staff.rebalance(from, to);
    }

    /// Waits until the sockets that scripts are through with are closed by their servers, too, but no longer than
    /// `limit`: what they had sent is still on its way, and the end of the process would reset connections on which
    /// something unread comes in.
    pub fn see_off(&self, limit: Duration) {
        let deadline = Instant::now() + if self.is_abandoned() { AT_ONCE } else { limit };
        let phase = self.phase.lock().group.clone();
        let all_gone = |group: &Arc<Group>| {
            group.with_state_until(deadline, |state| state.io.leaving() == 0).unwrap_or(true)
        };
        while !self.groups.iter().chain(&phase).all(all_gone) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Hands all samples over that the groups still have, those excepted in which a script goes on that cannot be
    /// stopped.
    pub fn flush_samples(&self) {
        let phase = self.phase.lock().group.clone();
        let limit = if self.is_abandoned() { AT_ONCE } else { SOON };
        for group in self.groups.iter().chain(&phase) {
            group.with_state_until(Instant::now() + limit, |state| {
                state.flush();
                state.samples.hand_over();
            });
        }
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Relaxed)
    }

    fn place(&self, vu: usize) -> (&Arc<Group>, u32) {
        (&self.groups[vu % self.groups.len()], (vu / self.groups.len()) as u32)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.is_abandoned() {
            self.staff.end();
            // A thread that does not end may be inside of them.
            std::mem::forget(std::mem::take(&mut self.groups));
            return;
        }
        self.interrupt_all();
        self.interrupt_phase();
        let deadline = Instant::now() + SHUTDOWN;
        let quiet = |group: &Arc<Group>| {
            let quiet = |state: &mut State| {
                state.vus.iter().all(|vu| !vu.busy && vu.blocks.is_empty() && vu.run.is_none())
            };
            group.with_state_until(deadline, quiet).unwrap_or(false)
        };
        let phase = self.phase.lock().group.clone();
        let all_quiet = loop {
            let all_quiet = self.groups.iter().chain(&phase).all(quiet);
            if all_quiet || Instant::now() > deadline {
                break all_quiet;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        self.staff.end();
        // A script that cannot be stopped keeps its thread, and that keeps its group.
        if all_quiet {
            self.shared.pool.close();
        }
    }
}

/// How many of `vus`, dealt out round robin, group `index` of `groups` gets.
fn members(vus: usize, groups: usize, index: usize) -> usize {
    vus / groups + usize::from(index < vus % groups)
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn vus_are_dealt_out_evenly() {
        assert_eq!((0..3).map(|index| members(7, 3, index)).collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!((0..2).map(|index| members(1000, 2, index)).sum::<usize>(), 1000);
    }
}

//! The same on real threads and the real clock: nothing is lost or counted twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ws_engine::{
    Activation, Cause, Control, Coordinator, InitDone, Next, Outcome, PhaseDone, Phases, Plan, Recorder,
    RunConfig, RunOutcome, ScenarioConfig, SystemClock, Vu, VuDone,
};

use crate::sim::{constant, per_vu, shared};

/// Runs empty iterations on a thread and stops the run at the one with this number.
struct ThreadVu {
    interrupted: Arc<AtomicBool>,
    numbers: Arc<Mutex<Vec<u64>>>,
    stop_at: u64,
    control: Control,
}

impl Vu for ThreadVu {
    fn activate(&self, activation: Activation) {
        let (interrupted, numbers) = (Arc::clone(&self.interrupted), Arc::clone(&self.numbers));
        let (stop_at, control) = (self.stop_at, self.control.clone());
        std::thread::spawn(move || {
            let mut mine = Vec::new();
            while let Next::Run(iteration) = activation.work.next(activation.slot) {
                mine.push(iteration.in_instance);
                if iteration.in_instance == stop_at {
                    control.stop(Cause::Stopped);
                }
                let outcome = match interrupted.swap(false, Ordering::Relaxed) {
                    true => Outcome::Interrupted,
                    false => Outcome::Complete,
                };
                activation.work.ended(activation.slot, outcome);
            }
            numbers.lock().unwrap().append(&mut mine);
            activation.work.stopped(activation.slot);
        });
    }

    fn wake(&self) {}

    fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }
}

struct ThreadScript {
    numbers: Arc<Mutex<Vec<u64>>>,
    stop_at: u64,
    control: Control,
}

impl Phases for ThreadScript {
    fn init_vus(&mut self, count: usize, done: InitDone) {
        let vu = || -> Arc<dyn Vu> {
            done.one();
            Arc::new(ThreadVu {
                interrupted: Arc::default(),
                numbers: Arc::clone(&self.numbers),
                stop_at: self.stop_at,
                control: self.control.clone(),
            })
        };
        let vus = (0..count).map(|_| vu()).collect();
        done.finish(Ok(vus));
    }

    fn add_vu(&mut self, _number: usize, _done: VuDone) {
        panic!("looping executors have all their VUs");
    }

    fn setup(&mut self, done: PhaseDone) {
        std::thread::spawn(move || done.finish(Ok(())));
    }

    fn teardown(&mut self, done: PhaseDone) {
        drop(done);
    }

    fn interrupt(&mut self) {}
}

struct NoSamples;

impl Recorder for NoSamples {
    fn vus(&mut self, _: Instant, _: usize, _: usize) {}
    fn dropped(&mut self, _: Instant, _: &str, _: Option<usize>, _: u64) {}
    fn hand_over(&mut self) {}
}

/// The run and the numbers of all iterations handed out, sorted.
fn run(scenario: ScenarioConfig, stop_at: u64, teardown: Option<Duration>) -> (RunOutcome, Vec<u64>) {
    let plan = Plan::new(vec![scenario], |_| true).unwrap();
    let config = RunConfig { setup: Some(Duration::from_secs(60)), teardown, progress_every: None };
    let coordinator = Coordinator::new(plan, config, Arc::new(SystemClock));
    let numbers: Arc<Mutex<Vec<u64>>> = Arc::default();
    let mut script = ThreadScript { numbers: Arc::clone(&numbers), stop_at, control: coordinator.control() };
    let outcome = coordinator.run(&mut script, &mut NoSamples, &mut |_| {});
    let mut numbers = std::mem::take(&mut *numbers.lock().unwrap());
    numbers.sort_unstable();
    (outcome, numbers)
}

#[test]
fn all_iterations_run_exactly_once() {
    for scenario in [shared(4, 20_000, "10m"), per_vu(4, 5_000, "10m")] {
        let (outcome, numbers) = run(scenario, u64::MAX, None);
        assert_eq!(numbers, (0..20_000).collect::<Vec<_>>());
        assert_eq!((outcome.snapshot.complete, outcome.snapshot.interrupted), (20_000, 0));
        assert!(outcome.cause.is_none());
    }
}

#[test]
fn a_stopped_run_accounts_for_every_iteration() {
    let (outcome, numbers) = run(constant(4, "10m"), 10_000, None);
    assert!(matches!(outcome.cause, Some(Cause::Stopped)));
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let counted = outcome.snapshot.complete + outcome.snapshot.interrupted;
    assert_eq!(counted, numbers.len() as u64);
    assert!(counted > 10_000);
    assert_eq!(outcome.snapshot.vus_active, 0);
}

#[test]
fn a_phase_that_vanishes_has_failed() {
    let (outcome, _) = run(shared(1, 1, "10m"), u64::MAX, Some(Duration::from_secs(60)));
    assert!(matches!(&outcome.cause, Some(Cause::TeardownFailed(_))));
}

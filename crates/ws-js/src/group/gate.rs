//! Who may enter a group: a lock that is fair, and fair to those that compute little.
//!
//! The lock of a group is taken before the isolate's own. V8's `Locker` is a plain mutex: a driver that releases it
//! and takes it again at once nearly always wins, and a thread that returns from `connect` starves. This one hands
//! itself to the longest waiter on every release. Beyond that it knows two parties:
//!
//! - **Scripts that have used up their time slice** wait on a *bench*, and only one of them at a time is in the line
//!   with the others. However many compute, there is never more than one slice between two turns of the rest.
//! - **The driver** has other groups to serve. When the gate is not free soon, it goes away and is called when its
//!   place in the line has come; until it comes the gate is kept for it. When a slice ends, it is next.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// How long a driver waits at a gate before it looks after its other groups.
const PATIENCE: Duration = Duration::from_millis(1);

/// See the module's documentation. Not reentrant.
#[derive(Default)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
    /// Whether someone waits, for those who only want to know.
    wanted: AtomicBool,
}

/// A driver that has gone away from a gate.
pub(crate) trait Listener: Send + Sync {
    /// Its turn has come. The gate is kept for it.
    fn call(&self);
}

#[derive(Default)]
struct Inner {
    /// Someone is inside, or has been let in and is on the way.
    held: bool,
    /// It is kept for the driver.
    kept: bool,
    /// Whoever is inside came from the bench.
    slice_inside: bool,
    line: VecDeque<Waiter>,
    bench: VecDeque<Arc<Place>>,
    /// One of the bench is in the line or inside.
    bench_is_served: bool,
}

enum Waiter {
    Thread { place: Arc<Place>, from_bench: bool },
    Driver(Arc<dyn Listener>),
}

/// Where one thread waits.
#[derive(Default)]
struct Place {
    /// Only touched under the gate's lock. It is one thread's, at one gate at a time.
    granted: AtomicBool,
    changed: Condvar,
}

thread_local! {
    static PLACE: Cell<Option<Arc<Place>>> = const { Cell::new(None) };
}

impl Gate {
    /// Waits for its turn.
    pub(crate) fn acquire(&self) {
        let mut inner = self.inner.lock();
        if !inner.enter_if_free() {
            let place = inner.line_up();
            let _entered = self.wait(inner, place, None);
        }
    }

    /// Waits for its turn until `deadline`. Says whether it has come.
    pub(crate) fn acquire_until(&self, deadline: Instant) -> bool {
        let mut inner = self.inner.lock();
        if inner.enter_if_free() {
            return true;
        }
        let place = inner.line_up();
        match self.wait(inner, place, Some(deadline)) {
            Ok(()) => true,
            Err((mut inner, at)) => {
                inner.line.remove(at);
                self.note(&inner);
                false
            }
        }
    }

    /// Enters for the driver, if that is possible soon. If not, the `listener` (`None`: the thread has lost the role)
    /// hears when it is, until [`withdraw`](Self::withdraw).
    pub(crate) fn enter_or_call(&self, listener: impl FnOnce() -> Option<Arc<dyn Listener>>) -> bool {
        let mut inner = self.inner.lock();
        if std::mem::take(&mut inner.kept) {
            inner.held = true;
            self.note(&inner);
            return true;
        }
        if inner.enter_if_free() {
            return true;
        }
        let place = inner.line_up();
        let Err((mut inner, at)) = self.wait(inner, place, Some(Instant::now() + PATIENCE)) else {
            // Another thread may have had the role before, and asked for a call.
            self.withdraw();
            return true;
        };
        // One call is enough, even if the role has gone to another thread in between.
        let is_called = inner.kept || inner.line.iter().any(|waiter| matches!(waiter, Waiter::Driver(_)));
        match listener().filter(|_| !is_called) {
            Some(listener) => inner.line[at] = Waiter::Driver(listener),
            None => {
                inner.line.remove(at);
            }
        }
        self.note(&inner);
        false
    }

    /// The driver that may have asked to be called does not come.
    pub(crate) fn withdraw(&self) {
        let mut inner = self.inner.lock();
        inner.line.retain(|waiter| matches!(waiter, Waiter::Thread { .. }));
        if std::mem::take(&mut inner.kept) {
            self.pass_on(inner);
        } else {
            self.note(&inner);
        }
    }

    /// Gives the gate to the longest waiter, or leaves it open.
    pub(crate) fn release(&self) {
        self.pass_on(self.inner.lock());
    }

    /// The script of the holder has used up its slice: lets others in, the driver first, and waits until it may go
    /// on.
    pub(crate) fn give_way(&self) {
        let mut inner = self.inner.lock();
        if let Some(at) = inner.line.iter().position(|waiter| matches!(waiter, Waiter::Driver(_)))
            && let Some(driver) = inner.line.remove(at)
        {
            inner.line.push_front(driver);
        }
        let place = Place::of_this_thread();
        inner.bench.push_back(Arc::clone(&place));
        self.pass_on(inner);
        let _entered = self.wait(self.inner.lock(), place, None);
    }

    /// Whether the gate is kept for the driver.
    pub(crate) fn is_kept(&self) -> bool {
        self.inner.lock().kept
    }

    /// Whether someone waits. May be a moment old.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Relaxed)
    }

    fn pass_on(&self, mut inner: MutexGuard<'_, Inner>) {
        let next = inner.leave();
        self.note(&inner);
        drop(inner);
        match next {
            Some(Waiter::Thread { place, .. }) => {
                place.changed.notify_one();
            }
            Some(Waiter::Driver(listener)) => listener.call(),
            None => (),
        }
    }

    /// Waits until the gate was given to `place`, which is in the line or on the bench. When the time is over: where
    /// in the line it still is.
    fn wait<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        place: Arc<Place>,
        deadline: Option<Instant>,
    ) -> Result<(), (MutexGuard<'a, Inner>, usize)> {
        self.note(&inner);
        let mut late = false;
        while !place.granted.load(Relaxed) {
            if late && let Some(at) = inner.line.iter().position(
                |waiter| matches!(waiter, Waiter::Thread { place: other, .. } if Arc::ptr_eq(other, &place)),
            ) {
                place.put_back();
                return Err((inner, at));
            }
            match deadline {
                None => place.changed.wait(&mut inner),
                Some(deadline) => late = place.changed.wait_until(&mut inner, deadline).timed_out(),
            }
        }
        self.note(&inner);
        drop(inner);
        place.put_back();
        Ok(())
    }

    fn note(&self, inner: &Inner) {
        let wanted = inner.kept || !inner.line.is_empty() || !inner.bench.is_empty();
        if self.wanted.load(Relaxed) != wanted {
            self.wanted.store(wanted, Relaxed);
        }
    }
}

impl Inner {
    fn enter_if_free(&mut self) -> bool {
        if self.held || self.kept {
            return false;
        }
        self.held = true;
        true
    }

    fn line_up(&mut self) -> Arc<Place> {
        let place = Place::of_this_thread();
        self.line.push_back(Waiter::Thread { place: Arc::clone(&place), from_bench: false });
        place
    }

    /// Whoever is inside leaves; the next one is let in and has to be told.
    fn leave(&mut self) -> Option<Waiter> {
        self.held = false;
        if std::mem::take(&mut self.slice_inside) {
            self.bench_is_served = false;
        }
        if !self.bench_is_served
            && let Some(place) = self.bench.pop_front()
        {
            self.bench_is_served = true;
            self.line.push_back(Waiter::Thread { place, from_bench: true });
        }
        let next = self.line.pop_front()?;
        match &next {
            Waiter::Thread { place, from_bench } => {
                self.held = true;
                self.slice_inside = *from_bench;
                place.granted.store(true, Relaxed);
            }
            Waiter::Driver(_) => self.kept = true,
        }
        Some(next)
    }
}

impl Place {
    fn of_this_thread() -> Arc<Self> {
        let place = PLACE.take().unwrap_or_default();
        place.granted.store(false, Relaxed);
        place
    }

    fn put_back(self: Arc<Self>) {
        PLACE.set(Some(self));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
    use std::thread::{Scope, sleep, yield_now};

    use super::*;

    /// A driver that takes the gate again and again lets a waiting thread in within two turns of its own.
    #[test]
    fn a_waiter_is_let_in_before_the_holder_comes_again() {
        let gate = Gate::default();
        let turns = AtomicU64::new(0);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    gate.acquire();
                    turns.fetch_add(1, SeqCst);
                    // Long enough for the other thread to queue up.
                    for _ in 0..1000 {
                        std::hint::spin_loop();
                    }
                    gate.release();
                }
            });
            while turns.load(SeqCst) == 0 {
                yield_now();
            }
            let mut waited = Vec::new();
            for _ in 0..100 {
                let before = turns.load(SeqCst);
                gate.acquire();
                waited.push(turns.load(SeqCst) - before);
                gate.release();
            }
            done.store(true, SeqCst);
            // The count is taken before the thread is in the queue, and it may lose its core in between: so the
            // median, not the maximum. An unfair lock gives hundreds.
            waited.sort_unstable();
            assert!(waited[50] <= 2, "{waited:?}");
        });
    }

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Listener for Calls {
        fn call(&self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    /// What happens at a gate, in order, one thread at a time.
    struct Story<'scope, 'env> {
        scope: &'scope Scope<'scope, 'env>,
        gate: &'env Gate,
        said: &'env Mutex<Vec<&'static str>>,
    }

    impl Story<'_, '_> {
        /// Has a thread queue up that says its name when it is inside, and waits until it is in the line.
        fn comes(&self, name: &'static str, slices: usize) {
            let (gate, said) = (self.gate, self.said);
            let before = gate.waiters();
            self.scope.spawn(move || {
                gate.acquire();
                said.lock().push(name);
                for _ in 0..slices {
                    gate.give_way();
                    said.lock().push(name);
                }
                gate.release();
            });
            while gate.waiters() == before {
                yield_now();
            }
        }

        /// Waits until as much has been said.
        fn hears(&self, count: usize) {
            while self.said.lock().len() < count {
                yield_now();
            }
        }
    }

    impl Gate {
        fn waiters(&self) -> usize {
            let inner = self.inner.lock();
            inner.line.len() + inner.bench.len()
        }
    }

    fn story(tell: impl FnOnce(&Story<'_, '_>)) -> Vec<&'static str> {
        let (gate, said) = (Gate::default(), Mutex::default());
        std::thread::scope(|scope| tell(&Story { scope, gate: &gate, said: &said }));
        assert!(!gate.is_wanted() && gate.enter_or_call(|| unreachable!()), "it is free in the end");
        said.into_inner()
    }

    #[test]
    fn one_slice_at_a_time_comes_between_the_others() {
        let said = story(|story| {
            story.gate.acquire();
            story.comes("A", 2);
            story.comes("B", 2);
            story.comes("C", 0);
            assert!(story.gate.is_wanted());
            story.gate.release();
            story.hears(7);
        });
        // A has its slice, then B; both are on the bench when C comes, and only A in the line before it.
        assert_eq!(said[..3], ["A", "B", "C"]);
        let mut rest = said[3..].to_vec();
        assert_eq!(rest, ["A", "B", "A", "B"], "in turns");
        rest.clear();
    }

    #[test]
    fn a_newcomer_waits_for_one_slice_however_many_compute() {
        let said = story(|story| {
            story.gate.acquire();
            for name in ["A", "B", "C", "D"] {
                story.comes(name, 1);
            }
            story.comes("driver", 0);
            story.gate.release();
            story.hears(9);
        });
        // All four were in the line before the driver; after that it would have waited for one of them only.
        assert_eq!(said, ["A", "B", "C", "D", "driver", "A", "B", "C", "D"]);
    }

    #[test]
    fn the_driver_goes_away_and_is_called() {
        let calls = Arc::new(Calls::default());
        let called = Arc::clone(&calls);
        let said = story(|story| {
            story.gate.acquire();
            assert!(!story.gate.enter_or_call(|| Some(called.clone())), "it is held");
            assert!(!story.gate.enter_or_call(|| Some(called.clone())), "another thread has the role");
            story.comes("A", 0);
            story.gate.release();
            assert_eq!(called.0.load(SeqCst), 1, "it was first, and is called once");
            assert!(story.gate.is_kept());
            sleep(Duration::from_millis(5));
            assert!(story.said.lock().is_empty(), "A waits for it");
            assert!(story.gate.enter_or_call(|| unreachable!()));
            story.gate.release();
        });
        assert_eq!(said, ["A"]);
    }

    #[test]
    fn the_driver_is_first_when_a_slice_ends() {
        let calls = Arc::new(Calls::default());
        let said = story(|story| {
            story.gate.acquire();
            story.comes("A", 1);
            story.gate.release();
            story.hears(1);
            // A may have gone on at once, there was nobody else.
            story.hears(2);
        });
        assert_eq!(said, ["A", "A"]);
        let said = story(|story| {
            story.gate.acquire();
            story.comes("A", 0);
            assert!(!story.gate.enter_or_call(|| Some(calls.clone())), "A is before it");
            let gate = story.gate;
            story.scope.spawn(move || {
                // Another thread is inside in our place, and its slice ends.
                gate.give_way();
                gate.release();
            });
            while !gate.is_kept() {
                yield_now();
            }
            assert_eq!(calls.0.load(SeqCst), 1);
            assert!(story.said.lock().is_empty());
            gate.withdraw();
            story.hears(1);
        });
        assert_eq!(said, ["A"], "without a driver the others go on");
    }

    #[test]
    fn who_gives_up_leaves_the_line() {
        let gate = Gate::default();
        gate.acquire();
        assert!(!gate.acquire_until(Instant::now() + Duration::from_millis(2)));
        assert!(!gate.is_wanted());
        gate.release();
        assert!(gate.acquire_until(Instant::now() + Duration::from_secs(60)));
        gate.release();
    }
}

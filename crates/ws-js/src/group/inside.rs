//! Being inside a group: proof that this thread holds the group's gate and its isolate's lock.

use std::cell::RefMut;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::gate::Gate;
use super::{Group, State, seat};
use crate::realm::Realm;

/// A thread's presence inside a group. Made by [`Group::enter`] only; natives find it through
/// [`Inside::current`].
#[derive(Clone, Copy)]
pub(crate) struct Inside {
    group: NonNull<Group>,
    locker: NonNull<v8::Locker<'static>>,
    /// Not to be sent: it speaks of this thread.
    _thread: PhantomData<*const ()>,
}

impl Inside {
    /// Where the running native function is.
    ///
    /// # Panics
    ///
    /// Outside of [`Group::enter`]; scripts only ever run inside of it.
    pub(crate) fn current() -> Inside {
        seat::inside().expect("natives are called inside a group")
    }

    pub(crate) fn group(&self) -> &Group {
        // SAFETY: `Group::enter` borrows the group for as long as `Inside` exists on this thread.
        unsafe { self.group.as_ref() }
    }

    /// The state of the group. Held only while no script runs.
    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.group().state.borrow_mut()
    }

    /// Runs `f` in a scope of `realm`, on behalf of the VU `vu` of this group: the one door into V8.
    pub(crate) fn with_realm<R>(
        &self,
        vu: u32,
        realm: &Realm,
        f: impl FnOnce(&mut v8::PinScope<'_, '_>) -> R,
    ) -> R {
        let group = self.group();
        let before = group.running.begin(vu);
        let _realm = realm.enter();
        let result = {
            v8::scope!(let scope, self.isolate());
            let context = v8::Local::new(scope, realm.context());
            let scope = &mut v8::ContextScope::new(scope, context);
            f(scope)
        };
        if group.must_end(vu) {
            // V8 may have been asked to end a script that has come to its end by itself. The next script on
            // this thread is another's.
            self.isolate().cancel_terminate_execution();
        }
        group.running.resume(before);
        result
    }

    /// Runs `f` in a scope of the isolate without a realm: for making and dropping realms.
    pub(crate) fn with_isolate<R>(&self, f: impl FnOnce(&mut v8::Isolate) -> R) -> R {
        f(self.isolate())
    }

    /// Gives the isolate up, runs `f`, which gives the gate up and takes it again, and waits for the isolate.
    pub(super) fn unlocked(&self, f: impl FnOnce(&Gate)) {
        let gate = &self.group().gate;
        // Whoever comes next is a guest, unless it says otherwise.
        self.group().is_led.store(false, Relaxed);
        // SAFETY: the locker lives in `Group::enter`'s frame below us on this stack. No reference derived
        // from it is used until `unlock` returns: this thread is inside `f` all the while. The scopes of the
        // frames below stay valid, V8 archives them with the thread (`v8::Unlocker`).
        let locker = unsafe { &mut *self.locker.as_ptr() };
        locker.unlock(|| {
            let before = seat::set_inside(None);
            f(gate);
            seat::set_inside(before);
        });
    }

    #[allow(clippy::mut_from_ref)]
    fn isolate(&self) -> &mut v8::Isolate {
        // SAFETY: this thread holds the lock. Scopes nest on the stack like in a native callback, which also
        // derives its own `&mut Isolate` below those of outer frames.
        unsafe { &mut *self.locker.as_ptr() }
    }
}

impl Group {
    /// Waits for the gate, locks the isolate, and runs `f` inside.
    ///
    /// # Panics
    ///
    /// If this thread is inside a group already.
    pub(crate) fn enter<R>(&self, f: impl FnOnce(Inside) -> R) -> R {
        self.gate.acquire();
        self.entered(f)
    }

    /// As [`enter`](Self::enter), for the driver whose turn it is. `None` if the gate is not free; it calls when it
    /// is.
    pub(super) fn enter_as_driver<R>(&self, f: impl FnOnce(Inside) -> R) -> Option<R> {
        let lead = || seat::with_role(|lead| Some(lead.listener()));
        if !self.gate.enter_or_call(lead) {
            return None;
        }
        self.is_led.store(true, Relaxed);
        Some(self.entered(f))
    }

    fn entered<R>(&self, f: impl FnOnce(Inside) -> R) -> R {
        struct Stand;
        impl Drop for Stand {
            fn drop(&mut self) {
                seat::set_inside(None);
            }
        }

        let _leave = Leave(self);
        let mut locker = self.isolate.lock();
        let inside = Inside {
            group: NonNull::from(self),
            locker: NonNull::from(&mut locker).cast(),
            _thread: PhantomData,
        };
        assert!(seat::set_inside(Some(inside)).is_none(), "a thread enters one group at a time");
        let _stand = Stand;
        f(inside)
    }

    /// Waits for the gate, but not beyond `deadline`, and runs `f` on the state, without V8.
    pub(crate) fn with_state_until<R>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&mut State) -> R,
    ) -> Option<R> {
        let _leave = self.gate.acquire_until(deadline).then(|| Leave(self))?;
        Some(f(&mut self.state.borrow_mut()))
    }
}

/// Lets the next one in.
struct Leave<'a>(&'a Group);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.is_led.store(false, Relaxed);
        self.0.gate.release();
    }
}

//! The threads that run scripts: drivers, and those that wait to become one.
//!
//! A thread is spawned when a driver has to hand its role on and nobody is idle. So there are as many
//! threads as VUs were blocked at once, plus the drivers.

use std::io;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::driver::{self, Lead};
use crate::platform::THREAD_STACK;

/// The run's worker threads.
#[derive(Default)]
pub(crate) struct Pool {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    idle: Vec<Arc<Seat>>,
    /// Threads that exist, idle or not.
    threads: usize,
    closing: bool,
}

/// Where an idle thread waits for its next role.
#[derive(Default)]
struct Seat {
    offer: Mutex<Option<Offer>>,
    changed: Condvar,
}

enum Offer {
    Lead(Lead),
    Quit,
}

impl Pool {
    /// Gives the role to an idle thread, or to a new one.
    ///
    /// # Errors
    ///
    /// Hands the role back with the reason why no thread could be spawned.
    pub(crate) fn lead(self: &Arc<Self>, role: Lead) -> Result<(), (Lead, io::Error)> {
        match self.thread() {
            Ok(thread) => {
                thread.lead(role);
                Ok(())
            }
            Err(error) => Err((role, error)),
        }
    }

    /// An idle thread, or a new one.
    ///
    /// # Errors
    ///
    /// The reason why no thread could be spawned.
    pub(crate) fn thread(self: &Arc<Self>) -> io::Result<IdleThread> {
        let idle = {
            let mut inner = self.inner.lock();
            let idle = inner.idle.pop();
            if idle.is_none() {
                inner.threads += 1;
            }
            idle
        };
        if let Some(seat) = idle {
            return Ok(IdleThread { pool: Arc::clone(self), seat: Some(seat) });
        }
        let seat = Arc::new(Seat::default());
        let spawned = {
            let (pool, seat) = (Arc::clone(self), Arc::clone(&seat));
            std::thread::Builder::new()
                .name("ws-vu".into())
                .stack_size(THREAD_STACK)
                .spawn(move || pool.work(&seat))
        };
        match spawned {
            Ok(_detached) => Ok(IdleThread { pool: Arc::clone(self), seat: Some(seat) }),
            Err(error) => {
                self.inner.lock().threads -= 1;
                Err(error)
            }
        }
    }

    /// Ends the idle threads, and the others as they become idle; returns when none is left.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closing = true;
        for seat in inner.idle.drain(..) {
            seat.give(Offer::Quit);
        }
        while inner.threads > 0 {
            self.changed.wait(&mut inner);
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.inner.lock().threads
    }

    fn put_back(&self, seat: Arc<Seat>) {
        let mut inner = self.inner.lock();
        if inner.closing {
            seat.give(Offer::Quit);
        } else {
            inner.idle.push(seat);
        }
    }

    fn work(self: Arc<Self>, seat: &Arc<Seat>) {
        let _count = Counted(&self);
        while let Offer::Lead(role) = seat.take() {
            driver::drive(role);
            let mut inner = self.inner.lock();
            if inner.closing {
                break;
            }
            inner.idle.push(Arc::clone(seat));
        }
    }
}

/// A thread that exists, until it ends, be it by a panic: [`Pool::close`] must not wait for a dead one.
struct Counted<'a>(&'a Pool);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.inner.lock().threads -= 1;
        self.0.changed.notify_all();
    }
}

/// A thread that waits for a role. If it gets none, it is idle again.
pub(crate) struct IdleThread {
    pool: Arc<Pool>,
    seat: Option<Arc<Seat>>,
}

impl IdleThread {
    /// Makes it lead.
    pub(crate) fn lead(mut self, role: Lead) {
        if let Some(seat) = self.seat.take() {
            seat.give(Offer::Lead(role));
        }
    }
}

impl Drop for IdleThread {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.pool.put_back(seat);
        }
    }
}

impl Seat {
    fn give(&self, offer: Offer) {
        *self.offer.lock() = Some(offer);
        self.changed.notify_one();
    }

    fn take(&self) -> Offer {
        let mut offer = self.offer.lock();
        loop {
            if let Some(offer) = offer.take() {
                return offer;
            }
            self.changed.wait(&mut offer);
        }
    }
}

//! The drivers of a run, and the thread that watches them: it adds and retires drivers, and sees to it that no script
//! keeps one.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::cores::IdleCores;
use crate::error::Error;
use crate::group::Group;
use crate::group::controller::{Controller, Decision, Figures, PERIOD};
use crate::group::driver::{DriverPost, Lead, Order};
use crate::group::pool::Pool;
use crate::group::slice::{HoldUp, TICK, Watch};

/// All drivers of a run.
pub(crate) struct Staff {
    inner: Arc<Inner>,
    watch: Option<JoinHandle<()>>,
}

struct Inner {
    pool: Arc<Pool>,
    drivers: Mutex<Vec<Arc<DriverPost>>>,
    /// Those that the controller leaves alone.
    apart: Mutex<Vec<Arc<DriverPost>>>,
    watched: Mutex<Vec<(Arc<Group>, Watch)>>,
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Staff {
    /// Starts the drivers and deals the groups out. With a fixed number of them nothing changes later.
    pub(crate) fn start(
        pool: &Arc<Pool>,
        groups: &[Arc<Group>],
        fixed: Option<usize>,
    ) -> Result<Self, Error> {
        let inner = Arc::new(Inner {
            pool: Arc::clone(pool),
            drivers: Mutex::default(),
            apart: Mutex::default(),
            watched: Mutex::new(groups.iter().map(|group| (Arc::clone(group), Watch::default())).collect()),
            ended: Mutex::new(false),
            changed: Condvar::new(),
        });
        let count = fixed.unwrap_or(1).clamp(1, groups.len());
        for _ in 0..count {
            inner.hire()?;
        }
        {
            let drivers = inner.drivers.lock();
            for (index, group) in groups.iter().enumerate() {
                drivers[index % count].order(Order::Take(Arc::clone(group)));
            }
        }
        let watch = {
            let inner = Arc::clone(&inner);
            let follows_load = fixed.is_none() && groups.len() > 1;
            let thread = std::thread::Builder::new().name("ws-staff".into());
            thread.spawn(move || inner.watch(follows_load)).map_err(Error::Thread)?
        };
        Ok(Self { inner, watch: Some(watch) })
    }

    /// Gives one more group to the first driver.
    pub(crate) fn take(&self, group: &Arc<Group>) {
        self.inner.watched.lock().push((Arc::clone(group), Watch::default()));
        self.inner.drivers.lock()[0].order(Order::Take(Arc::clone(group)));
    }

    /// Gives one more group to a new driver that never has another: the others may be stuck in a script.
    pub(crate) fn take_apart(&self, group: &Arc<Group>) -> Result<(), Error> {
        let driver = self.inner.lead_new()?;
        driver.order(Order::Take(Arc::clone(group)));
        self.inner.watched.lock().push((Arc::clone(group), Watch::default()));
        self.inner.apart.lock().push(driver);
        Ok(())
    }

    /// How many drivers there are.
    pub(crate) fn drivers(&self) -> usize {
        self.inner.drivers.lock().len()
    }

    /// How long each VU, by group and index, has kept others waiting.
    pub(crate) fn hold_ups(&self) -> Vec<(Arc<Group>, u32, HoldUp)> {
        let watched = self.inner.watched.lock();
        let of_group = |(group, watch): &(Arc<Group>, Watch)| {
            watch.hold_ups().map(|(vu, held_up)| (Arc::clone(group), vu, held_up)).collect::<Vec<_>>()
        };
        watched.iter().flat_map(of_group).collect()
    }

    /// See [`Runtime::rebalance`](crate::Runtime::rebalance).
    pub(crate) fn rebalance(&self, from: usize, to: usize) {
        let drivers = self.inner.drivers.lock();
        if let (Some(giver), Some(taker)) = (drivers.get(from), drivers.get(to))
            && from != to
        {
            giver.order(Order::GiveHalf(Arc::clone(taker)));
        }
    }

    /// Ends all drivers when their present batches are done.
    pub(crate) fn end(&mut self) {
        *self.inner.ended.lock() = true;
        self.inner.changed.notify_all();
        if let Some(watch) = self.watch.take() {
            // It panics only if the machinery is broken, and then the drivers have said so.
            let _ = watch.join();
        }
        for drivers in [&self.inner.drivers, &self.inner.apart] {
            drivers.lock().drain(..).for_each(|driver| driver.order(Order::End));
        }
    }
}

impl Inner {
    fn hire(&self) -> Result<Arc<DriverPost>, Error> {
        let post = self.lead_new()?;
        self.drivers.lock().push(Arc::clone(&post));
        Ok(post)
    }

    fn lead_new(&self) -> Result<Arc<DriverPost>, Error> {
        let (post, lead) = DriverPost::new()?;
        self.pool.lead(lead).map_err(|(_, error): (Lead, io::Error)| Error::Thread(error))?;
        Ok(post)
    }

    /// Until the end: looks at each group every [`TICK`], and, if the number of drivers `follows_load`, at the drivers
    /// every [`PERIOD`].
    fn watch(&self, follows_load: bool) {
        let mut balance = follows_load.then(|| Balance::new(self));
        let mut before = Instant::now();
        while !self.has_ended_after(TICK) {
            let now = Instant::now();
            self.watch_scripts(now.duration_since(before));
            before = now;
            if let Some(balance) =
                balance.as_mut().filter(|balance| now.duration_since(balance.before) >= PERIOD)
            {
                balance.judge(self, now);
            }
        }
    }

    fn has_ended_after(&self, pause: Duration) -> bool {
        let mut ended = self.ended.lock();
        if !*ended {
            self.changed.wait_for(&mut ended, pause);
        }
        *ended
    }

    fn watch_scripts(&self, elapsed: Duration) {
        for (group, watch) in &mut *self.watched.lock() {
            let step = watch.judge(group.sight(), elapsed);
            if step.replace_driver && self.replace_driver(group) {
                watch.replaced();
            }
            if let Some(stint) = step.cut {
                group.cut(stint);
            }
        }
    }

    /// Has another thread be the driver that works through `group`'s batch. Without a thread for it, all stays as
    /// it is.
    fn replace_driver(&self, group: &Arc<Group>) -> bool {
        let Ok(thread) = self.pool.thread() else { return false };
        let lead_of = |drivers: &[Arc<DriverPost>]| drivers.iter().find_map(|driver| driver.take_over(group));
        let lead = lead_of(&self.drivers.lock()).or_else(|| lead_of(&self.apart.lock()));
        let is_found = lead.is_some();
        if let Some(lead) = lead {
            thread.lead(lead);
        }
        is_found
    }

    fn waited(&self, now: Instant) -> Vec<u64> {
        self.drivers.lock().iter().map(|driver| driver.waited_ns(now)).collect()
    }
}

/// What the number of drivers depends on, from period to period.
struct Balance {
    controller: Controller,
    cores: IdleCores,
    before: Instant,
    waited: Vec<u64>,
}

impl Balance {
    fn new(staff: &Inner) -> Self {
        let now = Instant::now();
        Self {
            controller: Controller::default(),
            cores: IdleCores::new(),
            before: now,
            waited: staff.waited(now),
        }
    }

    fn judge(&mut self, staff: &Inner, now: Instant) {
        let elapsed = now.duration_since(self.before);
        let waited = staff.waited(now);
        let figures = {
            let drivers = staff.drivers.lock();
            let loads = drivers.iter().zip(&self.waited).zip(&waited);
            Figures {
                drivers: loads.map(|((driver, &from), &to)| driver.load(from, to, elapsed)).collect(),
                idle_cores: self.cores.since_last(elapsed),
            }
        };
        match self.controller.decide(&figures) {
            Decision::Keep => (),
            Decision::Split { from } => {
                // Without a thread for it, the load stays where it is.
                if let Ok(new) = staff.hire() {
                    staff.drivers.lock()[from].order(Order::GiveHalf(new));
                }
            }
            Decision::Merge { from, into } => {
                let mut drivers = staff.drivers.lock();
                let into = Arc::clone(&drivers[into]);
                drivers.remove(from).order(Order::GiveAll(into));
            }
        }
        self.before = now;
        self.waited = staff.waited(now);
    }
}

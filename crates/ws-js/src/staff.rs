//! The drivers of a run, and the thread that adds and retires them.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::cores::IdleCores;
use crate::error::Error;
use crate::group::Group;
use crate::group::controller::{Controller, Decision, Figures, PERIOD};
use crate::group::driver::{Driver, DriverPost, Order};
use crate::group::pool::Pool;

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
        let watch = match fixed {
            None if groups.len() > 1 => {
                let inner = Arc::clone(&inner);
                let thread = std::thread::Builder::new().name("ws-staff".into());
                Some(thread.spawn(move || inner.watch()).map_err(Error::Thread)?)
            }
            _ => None,
        };
        Ok(Self { inner, watch })
    }

    /// Gives one more group to the first driver.
    pub(crate) fn take(&self, group: &Arc<Group>) {
        self.inner.drivers.lock()[0].order(Order::Take(Arc::clone(group)));
    }

    /// Gives one more group to a new driver that never has another: the others may be stuck in a script.
    pub(crate) fn take_apart(&self, group: &Arc<Group>) -> Result<(), Error> {
        let driver = self.inner.lead_new()?;
        driver.order(Order::Take(Arc::clone(group)));
        self.inner.apart.lock().push(driver);
        Ok(())
    }

    /// How many drivers there are.
    pub(crate) fn drivers(&self) -> usize {
        self.inner.drivers.lock().len()
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
        let (driver, post) = Driver::new()?;
        self.pool.lead(driver).map_err(|(_, error): (_, io::Error)| Error::Thread(error))?;
        Ok(post)
    }

    fn watch(&self) {
        let mut controller = Controller::default();
        let mut cores = IdleCores::new();
        let mut before = Instant::now();
        let mut waited = self.waited(before);
        loop {
            {
                let mut ended = self.ended.lock();
                if *ended {
                    return;
                }
                self.changed.wait_for(&mut ended, PERIOD);
                if *ended {
                    return;
                }
            }
            let now = Instant::now();
            let waited_now = self.waited(now);
            let elapsed = now.duration_since(before);
            let figures = {
                let drivers = self.drivers.lock();
                let loads = drivers.iter().zip(&waited).zip(&waited_now);
                Figures {
                    drivers: loads.map(|((driver, &from), &to)| driver.load(from, to, elapsed)).collect(),
                    idle_cores: cores.since_last(elapsed),
                }
            };
            match controller.decide(&figures) {
                Decision::Keep => (),
                Decision::Split { from } => {
                    // Without a thread for it, the load stays where it is.
                    if let Ok(new) = self.hire() {
                        self.drivers.lock()[from].order(Order::GiveHalf(new));
                    }
                }
                Decision::Merge { from, into } => {
                    let mut drivers = self.drivers.lock();
                    let into = Arc::clone(&drivers[into]);
                    drivers.remove(from).order(Order::GiveAll(into));
                }
            }
            before = now;
            waited = self.waited(now);
        }
    }

    fn waited(&self, now: Instant) -> Vec<u64> {
        self.drivers.lock().iter().map(|driver| driver.waited_ns(now)).collect()
    }
}

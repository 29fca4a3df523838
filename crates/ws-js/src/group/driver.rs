//! The driver role: wait for the events of all its groups, and run them group by group.
//!
//! A driver is data that threads hand to each other. The thread that has it may lose it in the middle of a
//! batch, when a script blocks ([`park`](super::park::park)): then another thread is in [`drive`] with the
//! same role, and goes on with the same group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ws_loop::{Nest, NestWaker};

use super::controller::Load;
use super::{Group, batch, seat};

/// The role itself.
pub(crate) struct Driver {
    nest: Nest,
    /// The groups, by the number they have in `nest`.
    members: Vec<Option<Member>>,
    /// Groups with something to do, in the order in which they get their turn.
    ready: VecDeque<usize>,
    /// The group whose batch is under way.
    current: Option<usize>,
    scratch: Vec<usize>,
    post: Arc<DriverPost>,
    ended: bool,
}

struct Member {
    group: Arc<Group>,
    /// When the group wants a turn even if nothing happens.
    deadline: Option<Instant>,
}

/// How others reach a driver, whichever thread it is on.
pub(crate) struct DriverPost {
    orders: Mutex<Orders>,
    waker: NestWaker,
    /// Nanoseconds spent waiting since the driver began, whole waits only.
    waited_ns: AtomicU64,
    /// When the wait under way began, in nanoseconds since `began`; 0 while there is none.
    waiting_since_ns: AtomicU64,
    groups: AtomicUsize,
    began: Instant,
}

#[derive(Default)]
struct Orders {
    list: Vec<Order>,
    /// Who has all groups of this driver, which has ended: gets what still comes for it.
    successor: Option<Arc<DriverPost>>,
}

/// What a driver can be told to do between two batches.
pub(crate) enum Order {
    /// Serve this group from now on.
    Take(Arc<Group>),
    /// Give half of the groups (rounded up) to another driver.
    GiveHalf(Arc<DriverPost>),
    /// Give all groups to another driver and end.
    GiveAll(Arc<DriverPost>),
    /// End. The groups are left without a driver.
    End,
}

impl Driver {
    /// A driver without groups; give it some with [`Order::Take`].
    pub(crate) fn new() -> Result<(Box<Self>, Arc<DriverPost>), ws_loop::Error> {
        let nest = Nest::new()?;
        let post = Arc::new(DriverPost {
            orders: Mutex::default(),
            waker: nest.waker(),
            waited_ns: AtomicU64::new(0),
            waiting_since_ns: AtomicU64::new(0),
            groups: AtomicUsize::new(0),
            began: Instant::now(),
        });
        let driver = Self {
            nest,
            members: Vec::new(),
            ready: VecDeque::new(),
            current: None,
            scratch: Vec::new(),
            post: Arc::clone(&post),
            ended: false,
        };
        Ok((Box::new(driver), post))
    }

    /// The group to run next, waiting for one if need be. `None`: the role has ended.
    fn next_group(&mut self) -> Option<Arc<Group>> {
        loop {
            if let Some(index) = self.current {
                return self.members[index].as_ref().map(|member| Arc::clone(&member.group));
            }
            self.follow_orders();
            if self.ended {
                return None;
            }
            self.current = self.ready.pop_front();
            if self.current.is_none() {
                self.wait();
            }
        }
    }

    /// The batch of the current group is done; its next turn is due at `deadline`.
    fn done(&mut self, deadline: Option<Instant>) {
        if let Some(member) = self.current.take().and_then(|index| self.members[index].as_mut()) {
            member.deadline = deadline;
        }
    }

    fn wait(&mut self) {
        let deadline = self.members.iter().flatten().filter_map(|member| member.deadline).min();
        let start = Instant::now();
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(start));
        let since = nanos(start.duration_since(self.post.began)).max(1);
        self.post.waiting_since_ns.store(since, Relaxed);
        self.scratch.clear();
        self.nest.wait(timeout, &mut self.scratch).expect("epoll on descriptors that are open");
        let now = Instant::now();
        self.post.waiting_since_ns.store(0, Relaxed);
        self.post.waited_ns.fetch_add(nanos(now.duration_since(start)), Relaxed);

        self.ready.extend(self.scratch.drain(..));
        for (index, member) in self.members.iter().enumerate() {
            let due = member.as_ref().and_then(|member| member.deadline).is_some_and(|at| at <= now);
            if due && !self.ready.contains(&index) {
                self.ready.push_back(index);
            }
        }
        // A group that was given away while its readiness was on the way has no member any more.
        self.ready.retain(|&index| self.members[index].is_some());
    }

    fn follow_orders(&mut self) {
        let orders = std::mem::take(&mut self.post.orders.lock().list);
        for order in orders {
            if self.ended {
                self.post.order(order);
                continue;
            }
            match order {
                Order::Take(group) => self.take(group),
                Order::GiveHalf(to) => {
                    let half = self.members.iter().flatten().count().div_ceil(2);
                    self.give(half, &to);
                }
                Order::GiveAll(to) => {
                    self.give(usize::MAX, &to);
                    self.retire(to);
                }
                Order::End => {
                    self.give_up(usize::MAX, |_| ());
                    self.ended = true;
                }
            }
        }
    }

    /// Ends in favour of `successor`. A driver that was told to give its groups to this one may still be busy.
    fn retire(&mut self, successor: Arc<DriverPost>) {
        self.ended = true;
        let late = {
            let mut orders = self.post.orders.lock();
            orders.successor = Some(Arc::clone(&successor));
            std::mem::take(&mut orders.list)
        };
        for order in late {
            successor.order(order);
        }
    }

    fn take(&mut self, group: Arc<Group>) {
        let index = self.members.iter().position(Option::is_none).unwrap_or_else(|| {
            self.members.push(None);
            self.members.len() - 1
        });
        group.with_state(|state| self.nest.add(&state.io, index)).expect("a poll can be nested");
        self.members[index] = Some(Member { group, deadline: None });
        self.post.groups.fetch_add(1, Relaxed);
        // What happened while nobody watched raises no edge any more.
        self.ready.push_back(index);
    }

    fn give(&mut self, count: usize, to: &Arc<DriverPost>) {
        self.give_up(count, |group| to.order(Order::Take(group)));
    }

    /// Takes up to `count` groups off this driver, the newest first.
    fn give_up(&mut self, count: usize, mut receiver: impl FnMut(Arc<Group>)) {
        let leaving: Vec<usize> = (0..self.members.len())
            .rev()
            .filter(|&index| self.members[index].is_some())
            .take(count)
            .collect();
        for index in leaving {
            let Some(member) = self.members[index].take() else { continue };
            member.group.with_state(|state| self.nest.remove(&state.io)).expect("it was added");
            self.ready.retain(|&ready| ready != index);
            self.post.groups.fetch_sub(1, Relaxed);
            receiver(member.group);
        }
    }
}

impl DriverPost {
    /// Tells the driver to do something when its present batch is done.
    pub(crate) fn order(&self, order: Order) {
        let successor = {
            let mut orders = self.orders.lock();
            let Some(successor) = &orders.successor else {
                orders.list.push(order);
                drop(orders);
                self.waker.wake().expect("a descriptor that is open");
                return;
            };
            Arc::clone(successor)
        };
        successor.order(order);
    }

    /// Nanoseconds since the driver began in which it waited, a wait under way included.
    pub(crate) fn waited_ns(&self, now: Instant) -> u64 {
        let waited = self.waited_ns.load(Relaxed);
        match self.waiting_since_ns.load(Relaxed) {
            0 => waited,
            since => waited + nanos(now.saturating_duration_since(self.began)).saturating_sub(since),
        }
    }

    /// The load of a period of `elapsed`, given what [`waited_ns`](Self::waited_ns) said at both ends.
    pub(crate) fn load(&self, before_ns: u64, after_ns: u64, elapsed: Duration) -> Load {
        let waited = after_ns.saturating_sub(before_ns) as f64 / elapsed.as_nanos().max(1) as f64;
        Load { busy: (1.0 - waited).clamp(0.0, 1.0), groups: self.groups.load(Relaxed) }
    }
}

/// Drives with `role` until the thread loses it in a batch or it ends.
pub(crate) fn drive(role: Box<Driver>) {
    seat::put_role(role);
    while let Some(group) = seat::with_role(Driver::next_group).flatten() {
        match batch::run(&group) {
            batch::End::Done { deadline } => {
                seat::with_role(|role| role.done(deadline));
            }
            batch::End::RoleLost => return,
        }
    }
    drop(seat::take_role());
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_for_a_driver_that_has_ended_go_to_its_successor() {
        let (mut driver, post) = Driver::new().unwrap();
        let (_successor, heir) = Driver::new().unwrap();
        post.order(Order::GiveAll(Arc::clone(&heir)));
        post.order(Order::End);
        driver.follow_orders();
        assert!(driver.ended);
        assert_eq!(heir.orders.lock().list.len(), 1, "what came with the order to end");
        post.order(Order::End);
        assert_eq!(heir.orders.lock().list.len(), 2, "what came later");
    }
}

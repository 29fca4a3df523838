//! The driver role: wait for the events of all its groups, and run them group by group.
//!
//! The role is not bound to a thread. The thread that has it gives it away in the middle of a batch when a script
//! blocks ([`park`](super::park::park)), and it is taken from a thread whose script computes for long
//! ([`DriverPost::take_over`]): then another thread is in [`drive`] and goes on with the same groups.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use ws_loop::{Nest, NestWaker};

use super::controller::Load;
use super::gate::Listener;
use super::{Group, batch, seat};

/// What a driver knows. Only the thread that leads has it open.
struct Driver {
    nest: Nest,
    /// The groups, by the number they have in `nest`.
    members: Vec<Option<Member>>,
    /// Groups with something to do, in the order in which they get their turn.
    ready: VecDeque<usize>,
    /// The group whose batch is under way.
    current: Option<usize>,
    scratch: Vec<usize>,
    ended: bool,
}

struct Member {
    group: Arc<Group>,
    /// When the group wants a turn even if nothing happens.
    deadline: Option<Instant>,
    /// Its gate was not free. It is passed over until the gate is kept for this driver.
    is_held: bool,
}

/// A thread's hold on the role: good until it is handed on.
pub(crate) struct Lead {
    post: Arc<DriverPost>,
    term: u64,
}

/// How others reach a driver, whichever thread it is on.
pub(crate) struct DriverPost {
    driver: Mutex<Driver>,
    /// How often the role was handed on. Changed by whoever has `driver` open.
    term: AtomicU64,
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

impl Lead {
    /// Whether the thread still leads.
    pub(super) fn is_valid(&self) -> bool {
        self.post.term.load(Acquire) == self.term
    }

    /// For another thread. `None` if this one has lost the role.
    pub(super) fn hand_on(self) -> Option<Self> {
        let driver = self.open()?;
        let term = self.post.next_term(&driver);
        Some(Self { post: Arc::clone(&self.post), term })
    }

    /// How the gate of a group tells the driver that its turn has come.
    pub(super) fn listener(&self) -> Arc<dyn Listener> {
        Arc::clone(&self.post) as Arc<dyn Listener>
    }

    /// Nobody else opens the driver for longer than a moment, unless this thread has lost the role.
    fn open(&self) -> Option<MutexGuard<'_, Driver>> {
        while self.is_valid() {
            if let Some(driver) = self.post.driver.try_lock_for(Duration::from_millis(1)) {
                return self.is_valid().then_some(driver);
            }
        }
        None
    }

    /// The group to run next, waiting for one if need be. `None`: the role has ended or is another's.
    fn next_group(&self) -> Option<Arc<Group>> {
        self.open()?.next_group(&self.post)
    }

    /// How the batch of the current group has ended for this thread. `None` if the role is another's.
    fn done(&self, end: &batch::End) -> Option<()> {
        let mut driver = self.open()?;
        match *end {
            batch::End::Done { deadline } => driver.done(deadline),
            batch::End::Held => driver.held(),
            batch::End::RoleLost => (),
        }
        Some(())
    }
}

impl Driver {
    fn next_group(&mut self, post: &Arc<DriverPost>) -> Option<Arc<Group>> {
        loop {
            if let Some(group) = self.current_group() {
                return Some(Arc::clone(group));
            }
            self.follow_orders(post);
            if self.ended {
                return None;
            }
            self.current = self.ready.pop_front();
            if self.current.is_none() {
                self.wait(post);
            }
        }
    }

    fn current_group(&self) -> Option<&Arc<Group>> {
        self.members[self.current?].as_ref().map(|member| &member.group)
    }

    /// The batch of the current group is done; its next turn is due at `deadline`.
    fn done(&mut self, deadline: Option<Instant>) {
        if let Some(member) = self.current.take().and_then(|index| self.members[index].as_mut()) {
            member.deadline = deadline;
        }
    }

    /// Someone is inside the current group, and its gate will call.
    fn held(&mut self) {
        let Some(index) = self.current.take() else { return };
        if let Some(member) = &mut self.members[index] {
            member.is_held = true;
            member.deadline = None;
            self.nest.set_muted(index, true);
        }
    }

    fn wait(&mut self, post: &DriverPost) {
        let deadline = self.members.iter().flatten().filter_map(|member| member.deadline).min();
        let start = Instant::now();
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(start));
        let since = nanos(start.duration_since(post.began)).max(1);
        post.waiting_since_ns.store(since, Relaxed);
        self.scratch.clear();
        self.nest.wait(timeout, &mut self.scratch).expect("epoll on descriptors that are open");
        let now = Instant::now();
        post.waiting_since_ns.store(0, Relaxed);
        post.waited_ns.fetch_add(nanos(now.duration_since(start)), Relaxed);

        self.ready.extend(self.scratch.drain(..));
        for (index, member) in self.members.iter_mut().enumerate() {
            let Some(member) = member else { continue };
            let due = if member.is_held {
                let is_kept = member.group.gate.is_kept();
                if is_kept {
                    member.is_held = false;
                    self.nest.set_muted(index, false);
                }
                is_kept
            } else {
                member.deadline.is_some_and(|at| at <= now)
            };
            if due && !self.ready.contains(&index) {
                self.ready.push_back(index);
            }
        }
        // A group that was given away while its readiness was on the way has no member any more.
        self.ready.retain(|&index| self.members[index].is_some());
    }

    fn follow_orders(&mut self, post: &DriverPost) {
        let orders = std::mem::take(&mut post.orders.lock().list);
        for order in orders {
            if self.ended {
                post.order(order);
                continue;
            }
            match order {
                Order::Take(group) => self.take(group, post),
                Order::GiveHalf(to) => {
                    let half = self.members.iter().flatten().count().div_ceil(2);
                    self.give(half, &to, post);
                }
                Order::GiveAll(to) => {
                    self.give(usize::MAX, &to, post);
                    self.retire(to, post);
                }
                Order::End => {
                    self.give_up(usize::MAX, post, |_| ());
                    self.ended = true;
                }
            }
        }
    }

    /// Ends in favour of `successor`. A driver that was told to give its groups to this one may still be busy.
    fn retire(&mut self, successor: Arc<DriverPost>, post: &DriverPost) {
        self.ended = true;
        let late = {
            let mut orders = post.orders.lock();
            orders.successor = Some(Arc::clone(&successor));
            std::mem::take(&mut orders.list)
        };
        for order in late {
            successor.order(order);
        }
    }

    /// Takes a group, whoever is inside of it now.
    fn take(&mut self, group: Arc<Group>, post: &DriverPost) {
        let index = self.members.iter().position(Option::is_none).unwrap_or_else(|| {
            self.members.push(None);
            self.members.len() - 1
        });
        self.nest.add_nestling(&group.nestling, index).expect("a poll can be nested");
        self.members[index] = Some(Member { group, deadline: None, is_held: false });
        post.groups.fetch_add(1, Relaxed);
        // What happened while nobody watched raises no edge any more.
        self.ready.push_back(index);
    }

    fn give(&mut self, count: usize, to: &Arc<DriverPost>, post: &DriverPost) {
        self.give_up(count, post, |group| to.order(Order::Take(group)));
    }

    /// Takes up to `count` groups off this driver, the newest first.
    fn give_up(&mut self, count: usize, post: &DriverPost, mut receiver: impl FnMut(Arc<Group>)) {
        let leaving: Vec<usize> = (0..self.members.len())
            .rev()
            .filter(|&index| self.members[index].is_some())
            .take(count)
            .collect();
        for index in leaving {
            let Some(member) = self.members[index].take() else { continue };
            self.nest.remove_nestling(&member.group.nestling).expect("it was added");
            member.group.gate.withdraw();
            self.ready.retain(|&ready| ready != index);
            post.groups.fetch_sub(1, Relaxed);
            receiver(member.group);
        }
    }
}

impl DriverPost {
    /// A driver without groups, and the hold on it for the first thread; give it some groups with [`Order::Take`].
    pub(crate) fn new() -> Result<(Arc<Self>, Lead), ws_loop::Error> {
        let nest = Nest::new()?;
        let waker = nest.waker();
        let driver = Driver {
            nest,
            members: Vec::new(),
            ready: VecDeque::new(),
            current: None,
            scratch: Vec::new(),
            ended: false,
        };
        let post = Arc::new(Self {
            driver: Mutex::new(driver),
            term: AtomicU64::new(0),
            orders: Mutex::default(),
            waker,
            waited_ns: AtomicU64::new(0),
            waiting_since_ns: AtomicU64::new(0),
            groups: AtomicUsize::new(0),
            began: Instant::now(),
        });
        let lead = Lead { post: Arc::clone(&post), term: 0 };
        Ok((post, lead))
    }

    /// Takes the role off the thread that leads, provided that `group`'s batch is under way. That thread finds out
    /// when the script it runs has come to its end.
    pub(crate) fn take_over(self: &Arc<Self>, group: &Arc<Group>) -> Option<Lead> {
        let driver = self.driver.try_lock()?;
        let is_current = driver.current_group().is_some_and(|current| Arc::ptr_eq(current, group));
        is_current.then(|| Lead { post: Arc::clone(self), term: self.next_term(&driver) })
    }

    fn next_term(&self, _open: &Driver) -> u64 {
        let term = self.term.load(Relaxed) + 1;
        self.term.store(term, Release);
        term
    }

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

impl Listener for DriverPost {
    fn call(&self) {
        self.waker.wake().expect("a descriptor that is open");
    }
}

/// Drives until the role ends or is another thread's.
pub(crate) fn drive(lead: Lead) {
    seat::put_role(lead);
    while let Some(group) = seat::with_role(Lead::next_group) {
        let end = batch::run(&group);
        if seat::with_role(|lead| lead.done(&end)).is_none() {
            break;
        }
    }
    seat::drop_role();
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_for_a_driver_that_has_ended_go_to_its_successor() {
        let (post, lead) = DriverPost::new().unwrap();
        let (heir, _) = DriverPost::new().unwrap();
        post.order(Order::GiveAll(Arc::clone(&heir)));
        post.order(Order::End);
        assert!(lead.next_group().is_none());
        assert_eq!(heir.orders.lock().list.len(), 1, "what came with the order to end");
        post.order(Order::End);
        assert_eq!(heir.orders.lock().list.len(), 2, "what came later");
    }

    #[test]
    fn a_hold_on_the_role_is_good_until_it_is_handed_on() {
        let (post, first) = DriverPost::new().unwrap();
        assert!(first.is_valid());
        let stale = Lead { post: Arc::clone(&post), term: first.term };
        let second = first.hand_on().unwrap();
        assert!(second.is_valid() && !stale.is_valid());
        assert!(stale.done(&batch::End::Held).is_none());
        assert!(stale.next_group().is_none() && stale.hand_on().is_none());
        post.order(Order::End);
        assert!(second.next_group().is_none(), "it has ended");
    }
}

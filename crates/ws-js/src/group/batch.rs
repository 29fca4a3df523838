//! One group's turn: take what has happened, run the handlers of all its VUs, flush, hand samples over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ws_loop::Event;

use super::{Group, Inside, Post, seat};
use crate::api::ws::session;
use crate::vu;
use crate::vu::address::{Address, Part};
use crate::vu::inbox::LoopEvent;

/// How a turn ended.
pub(crate) enum End {
    /// All is done; the next turn is due at `deadline` at the latest.
    Done { deadline: Option<Instant> },
    /// A script blocked or computed for long, and the thread that runs it (this one) is no longer the driver.
    /// Another thread has gone on with the group.
    RoleLost,
    /// Someone is inside the group. Its gate calls the driver when it is free.
    Held,
}

/// Runs a turn of `group` as its driver, or the rest of one.
///
/// The batch belongs to the group and not to this stack: after a script has blocked, the successor's `run`
/// goes on with what is left of it, and takes nothing new. Otherwise a group whose scripts block again and
/// again would keep the driver, and the driver's other groups would wait for seconds.
pub(crate) fn run(group: &Arc<Group>) -> End {
    let end = group.enter_as_driver(|inside| {
        {
            let mut state = inside.state();
            if state.starts_left.is_none() {
                state.io.turn(Some(Duration::ZERO)).expect("epoll on descriptors that are open");
                // Iterations that become startable from here on wait for the next turn, so that a script
                // which never blocks lets the other groups and the sockets have theirs.
                state.starts_left = Some(state.runnable.len());
            }
        }
        while let Some(task) = next_task(inside) {
            perform(inside, task);
            if !seat::has_role() {
                leave_as_guest(inside);
                return End::RoleLost;
            }
        }
        let mut state = inside.state();
        state.starts_left = None;
        state.flush();
        let now = state.io.now();
        state.samples.hand_over_if_due(now);
        let mut deadline = [state.io.next_deadline(), state.samples.due()].into_iter().flatten().min();
        if !state.runnable.is_empty() || !state.catching_up.is_empty() || state.io.pending() > 0 {
            deadline = Some(now);
        }
        End::Done { deadline }
    });
    end.unwrap_or(End::Held)
}

/// What a thread that is not the driver does before it leaves the group: what the script wrote goes out,
/// and the driver learns of new timers, sockets and runnable VUs.
pub(crate) fn leave_as_guest(inside: Inside) {
    inside.state().flush();
    inside.group().handle.post(Post::Look);
}

enum Task {
    Event(Event<Post>),
    CatchUp(u32),
    Turn(u32),
}

fn next_task(inside: Inside) -> Option<Task> {
    let mut state = inside.state();
    // Older than anything the loop has.
    if let Some(vu) = state.catching_up.pop_front() {
        return Some(Task::CatchUp(vu));
    }
    if let Some(event) = state.io.next_event() {
        return Some(Task::Event(event));
    }
    let starts = state.starts_left.as_mut().filter(|starts| **starts > 0)?;
    *starts -= 1;
    state.runnable.pop_front().map(Task::Turn)
}

fn perform(inside: Inside, task: Task) {
    let (user, event) = match task {
        Task::CatchUp(vu) => return vu::catch_up(inside, vu),
        Task::Turn(vu) => return vu::take_turn(inside, vu),
        Task::Event(event) => match event {
            Event::Posted(Post::Done { vu, serial, result }) if is_here(inside, vu) => {
                return vu::inbox::deliver(inside, vu, LoopEvent::Done { serial, result });
            }
            Event::Posted(Post::Done { .. }) => return,
            Event::Posted(Post::Look) => return,
            // A run that ends while its VUs are made tells all of them to stop, made or not.
            Event::Posted(Post::Interrupt { vu }) if is_here(inside, vu) => {
                return vu::interrupt_waiting(inside, vu);
            }
            Event::Posted(Post::Interrupt { .. }) => return,
            Event::Posted(Post::Wake { vu }) if is_here(inside, vu) => return vu::wake(inside, vu),
            Event::Posted(Post::Wake { .. }) => return,
            Event::Posted(Post::Start { vu, job }) if is_here(inside, vu) => {
                return vu::start(inside, vu, job);
            }
            Event::Posted(Post::Start { job, .. }) => return job.refuse(),
            Event::Timer { user, .. } => return timer_due(inside, Address::from_user(user)),
            Event::Opened { user, response, timings, .. } => {
                (user, session::Event::Opened { response, timings })
            }
            Event::Failed { user, failure, .. } => (user, session::Event::Failed(failure)),
            Event::Incoming { user, incoming, .. } => {
                let arrival = inside.state().io.arrival();
                (user, session::Event::Incoming(incoming, arrival))
            }
            Event::WriteFailed { user, error, .. } => (user, session::Event::WriteFailed(error)),
            Event::Left { user, left, .. } => {
                vu::leavers::account(inside, Address::from_user(user), &left);
                (user, session::Event::Left(left))
            }
        },
    };
    let Address { vu, part, serial } = Address::from_user(user);
    if !is_here(inside, vu) {
        return;
    }
    match part {
        Part::Session => vu::backlog::deliver(inside, vu, serial, event),
        Part::Socket | Part::Timers | Part::Drain => {
            vu::inbox::deliver(inside, vu, LoopEvent::Socket { serial, event });
        }
        Part::Leaver => {}
    }
}

/// Whether there is such a VU. What comes from outside may speak of one whose turn to be made has not come.
fn is_here(inside: Inside, vu: u32) -> bool {
    (vu as usize) < inside.state().vus.len()
}

fn timer_due(inside: Inside, address: Address) {
    let Address { vu, part, serial } = address;
    if !is_here(inside, vu) {
        return;
    }
    match part {
        Part::Session => vu::session_timer_due(inside, vu, serial),
        Part::Timers => vu::timers_due(inside, vu),
        Part::Socket => {
            let event = session::Event::Timer { slot: serial };
            vu::inbox::deliver(inside, vu, LoopEvent::Socket { serial, event });
        }
        Part::Drain => vu::run::drain_limit(inside, vu),
        Part::Leaver => {}
    }
}

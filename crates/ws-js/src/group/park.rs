//! The one function through which every blocking native waits.

use std::io;
use std::time::Instant;

use super::Post;
use super::inside::Inside;
use super::seat;
use super::signal::Signal;

/// Waits for `signal` or `deadline` in the middle of a native function, with the script's frames on this
/// thread's stack, while other threads run the rest of the group.
///
/// If this thread is a driver, a follower takes the role first and goes on with the batch where it stands;
/// else the group's driver is woken, because what the script did since this thread entered (new sockets,
/// timers, queued writes) is news to it. No part of the group's state may be borrowed by the caller.
///
/// # Errors
///
/// The operating system gave no thread to lead in this one's place. Nothing has happened then.
pub(crate) fn park(here: Inside, signal: &Signal, deadline: Option<Instant>) -> io::Result<()> {
    let group = here.group();
    match seat::take_role() {
        Some(role) => {
            if let Err((role, error)) = group.shared.pool.lead(role) {
                seat::put_role(role);
                return Err(error);
            }
        }
        None => group.handle.post(Post::Look),
    }
    let vu = group.running.pause();
    here.unlocked(|gate| {
        gate.release();
        signal.wait(deadline);
        gate.acquire();
    });
    if let Some(vu) = vu {
        group.running.begin(vu);
    }
    Ok(())
}

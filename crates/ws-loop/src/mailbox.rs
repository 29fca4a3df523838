//! The way into a loop from other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;
use parking_lot::Mutex;

use crate::SocketKey;
use crate::resolver::Lookup;

/// What lies in the mailbox.
#[derive(Debug)]
pub(crate) enum Mail<T> {
    /// From [`LoopHandle::post`].
    Posted(T),
    /// A lookup that a socket waits for.
    Resolved(SocketKey, Lookup),
}

#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    /// `None` once the loop is gone.
    mail: Mutex<Option<Vec<Mail<T>>>>,
    /// Set by the first post since the loop last looked, cleared by the loop before it takes the mail: whoever
    /// finds it set knows that the loop is awake, or will be, and has not looked yet.
    flagged: AtomicBool,
    waker: Waker,
}

impl<T> Mailbox<T> {
    pub(crate) fn new(waker: Waker) -> Self {
        Mailbox { mail: Mutex::new(Some(Vec::new())), flagged: AtomicBool::new(false), waker }
    }

    pub(crate) fn send(&self, mail: Mail<T>) {
        match &mut *self.mail.lock() {
            Some(waiting) => waiting.push(mail),
            None => return,
        }
        if !self.flagged.swap(true, Ordering::AcqRel) {
            // It can only fail for want of kernel memory; the mail then waits for the next turn's own reasons.
            let _ = self.waker.wake();
        }
    }

    /// Swaps the mail with `spare`, which must be empty. Without mail it costs one atomic load and no lock.
    pub(crate) fn take(&self, spare: &mut Vec<Mail<T>>) {
        debug_assert!(spare.is_empty());
        if self.flagged.load(Ordering::Acquire) {
            self.flagged.store(false, Ordering::Release);
            if let Some(waiting) = &mut *self.mail.lock() {
                std::mem::swap(waiting, spare);
            }
        }
    }

    /// Drops what lies here and whatever comes later.
    pub(crate) fn close(&self) {
        let waiting = self.mail.lock().take();
        // After the lock is released: a message may do anything when it is dropped, even post.
        drop(waiting);
    }
}

/// Reaches a loop from any thread. Clones reach the same loop.
///
/// A handle does not keep its loop alive: what is posted to a loop that is gone is dropped.
#[derive(Debug)]
pub struct LoopHandle<T> {
    pub(crate) mailbox: Arc<Mailbox<T>>,
}

impl<T> LoopHandle<T> {
    /// Leaves a message, which comes out as [`Event::Posted`](crate::Event::Posted), and wakes the loop.
    ///
    /// Messages of one thread arrive in order. However many are posted between two turns, the loop is woken once:
    /// one system call, not one per message.
    pub fn post(&self, message: T) {
        self.mailbox.send(Mail::Posted(message));
    }
}

impl<T> Clone for LoopHandle<T> {
    fn clone(&self) -> Self {
        LoopHandle { mailbox: Arc::clone(&self.mailbox) }
    }
}

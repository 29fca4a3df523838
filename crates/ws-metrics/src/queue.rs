//! A queue between threads that is bounded by what its items weigh, not by their number.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// First in, first out; once closed it takes nothing more and gives out what is left.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
    closed: bool,
}

/// What a wait for an item ended with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped<T> {
    Item(T),
    TimedOut,
    Closed,
}

impl<T> Queue<T> {
    /// A queue for items that weigh up to `capacity` together. A single heavier one is let in alone.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), weight: 0, closed: false }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            capacity,
        }
    }

    /// Appends an item, waiting for room.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), T> {
        let mut state = self.state.lock();
        while !state.closed && !state.fits(weight, self.capacity) {
            self.emptied.wait(&mut state);
        }
        self.append(state, item, weight)
    }

    /// Appends an item if there is room now.
    pub(crate) fn try_push(&self, item: T, weight: usize) -> Result<(), T> {
        let state = self.state.lock();
        if !state.fits(weight, self.capacity) {
            return Err(item);
        }
        self.append(state, item, weight)
    }

    /// Takes the first item, waiting until `deadline` or forever.
    pub(crate) fn pop(&self, deadline: Option<Instant>) -> Popped<T> {
        let mut state = self.state.lock();
        loop {
            if let Some((item, weight)) = state.items.pop_front() {
                state.weight -= weight;
                self.emptied.notify_all();
                return Popped::Item(item);
            }
            if state.closed {
                return Popped::Closed;
            }
            match deadline {
                None => self.filled.wait(&mut state),
                Some(deadline) => {
                    if self.filled.wait_until(&mut state, deadline).timed_out() && state.items.is_empty() {
                        return if state.closed { Popped::Closed } else { Popped::TimedOut };
                    }
                }
            }
        }
    }

    /// Takes nothing more and wakes everybody who waits.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Closes the queue and takes out what is left.
    pub(crate) fn abandon(&self) -> Vec<T> {
        self.close();
        let mut state = self.state.lock();
        state.weight = 0;
        state.items.drain(..).map(|(item, _)| item).collect()
    }

    fn append(
        &self,
        mut state: parking_lot::MutexGuard<'_, State<T>>,
        item: T,
        weight: usize,
    ) -> Result<(), T> {
        if state.closed {
            return Err(item);
        }
        state.weight += weight;
        state.items.push_back((item, weight));
        self.filled.notify_one();
        Ok(())
    }
}

impl<T> State<T> {
    fn fits(&self, weight: usize, capacity: usize) -> bool {
        self.items.is_empty() || self.weight + weight <= capacity
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn weight_bounds_it_and_a_heavy_item_goes_alone() {
        let queue = Queue::new(3);
        assert_eq!(queue.try_push('a', 9), Ok(()));
        assert_eq!(queue.try_push('b', 1), Err('b'));
        assert_eq!(queue.pop(None), Popped::Item('a'));
        assert_eq!(queue.try_push('c', 1), Ok(()));
        assert_eq!(queue.try_push('d', 2), Ok(()));
        assert_eq!(queue.try_push('e', 1), Err('e'));
        assert_eq!(queue.abandon(), ['c', 'd']);
        assert_eq!(queue.try_push('f', 1), Err('f'));
    }

    #[test]
    fn what_is_left_comes_out_after_closing() {
        let queue = Queue::new(3);
        queue.push(1, 1).unwrap();
        queue.close();
        assert_eq!(queue.push(2, 1), Err(2));
        assert_eq!(queue.pop(None), Popped::Item(1));
        assert_eq!(queue.pop(None), Popped::Closed);
        let open = Queue::<u8>::new(1);
        assert_eq!(open.pop(Some(Instant::now())), Popped::TimedOut);
    }

    #[test]
    fn a_full_queue_holds_the_pusher_until_there_is_room() {
        let queue = Arc::new(Queue::new(1));
        queue.push(1, 1).unwrap();
        let pusher = thread::spawn({
            let queue = queue.clone();
            move || (queue.push(2, 1), queue.push(3, 1))
        });
        assert_eq!(queue.pop(None), Popped::Item(1));
        assert_eq!(queue.pop(None), Popped::Item(2));
        assert_eq!(queue.pop(None), Popped::Item(3));
        assert_eq!(pusher.join().unwrap(), (Ok(()), Ok(())));
    }
}

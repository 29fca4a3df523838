//! Which message answers which request. Knows nothing of sockets and scripts: ids are numbers, times are arguments.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

/// How many requests of a socket may wait for their answers. A server that never answers does not fill our memory.
pub(super) const MAX_OPEN: usize = 4096;

/// How far two readings of the clock may be off: an answer that arrived so much before its request is still one.
const JITTER: Duration = Duration::from_micros(100);

/// What a received message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The answer to a request that was written so long before it arrived.
    After(Duration),
    /// The answer to a request that was given up before.
    Late,
    /// To nothing that was asked.
    Unmatched,
}

/// Requests that were given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Because the time for their answer was over.
    pub(super) timeouts: u64,
    /// For another reason: the socket closed, or too many others were waiting.
    pub(super) abandoned: u64,
}

/// The open requests of one socket. `M` names the moment when a request was written.
#[derive(Debug)]
pub(super) struct Matcher<M> {
    timeout: Duration,
    /// Oldest first.
    open: VecDeque<Request<M>>,
    /// The number of the first of them, counted over all.
    first: u64,
    /// How many of them wait for an answer.
    waiting: usize,
    order: Order,
}

#[derive(Debug)]
enum Order {
    /// Answers come in the order of the requests. Of those given up, as many are still to be passed over.
    Same { given_up: u64 },
    /// Answers come in any order. By id: the oldest and the newest request that has it.
    ById(FxHashMap<u64, (u64, u64)>),
}

#[derive(Debug)]
struct Request<M> {
    id: u64,
    written: M,
    answered: bool,
    /// The number of the next request with the same id.
    next: Option<u64>,
}

impl<M: Copy> Matcher<M> {
    /// The n-th answer belongs to the n-th request, whatever their ids.
    pub(super) fn in_order(timeout: Duration) -> Self {
        Self::new(timeout, Order::Same { given_up: 0 })
    }

    /// An answer belongs to the oldest open request with its id.
    pub(super) fn by_id(timeout: Duration) -> Self {
        Self::new(timeout, Order::ById(FxHashMap::default()))
    }

    fn new(timeout: Duration, order: Order) -> Self {
        Self { timeout, open: VecDeque::new(), first: 0, waiting: 0, order }
    }

    /// When the oldest open request was written.
    pub(super) fn oldest(&self) -> Option<M> {
        self.open.front().map(|request| request.written)
    }

    /// Takes a request. Gives the one that had to make room for it, if there were too many.
    pub(super) fn sent(&mut self, id: u64, written: M) -> Lost {
        let mut lost = Lost::default();
        if self.open.len() >= MAX_OPEN {
            lost.abandoned = u64::from(self.give_up_oldest());
            self.trim();
        }
        let number = self.first + self.open.len() as u64;
        self.open.push_back(Request { id, written, answered: false, next: None });
        self.waiting += 1;
        if let Order::ById(ids) = &mut self.order {
            let (_, newest) = ids
                .entry(id)
                .and_modify(|(_, newest)| {
                    if let Some(before) = self.open.get_mut((*newest - self.first) as usize) {
                        before.next = Some(number);
                    }
                })
                .or_insert((number, number));
            *newest = number;
        }
        lost
    }

    /// Takes a message with an id. `written_at` tells when a request was written, `None` if it was not yet.
    pub(super) fn received(
        &mut self,
        id: u64,
        arrival: Instant,
        written_at: impl Fn(M) -> Option<Instant>,
    ) -> (Answer, Lost) {
        let answer = self.answer(id, arrival, &written_at);
        // Whatever comes now arrives later still.
        let lost = Lost { timeouts: self.expire(arrival, &written_at), abandoned: 0 };
        match answer {
            // Too late, but nobody had looked.
            Answer::After(latency) if latency > self.timeout => {
                (Answer::Late, Lost { timeouts: lost.timeouts + 1, ..lost })
            }
            answer => (answer, lost),
        }
    }

    /// Gives up all requests, because no answer can come any more.
    pub(super) fn end(&mut self, now: Instant, written_at: impl Fn(M) -> Option<Instant>) -> Lost {
        let timeouts = self.expire(now, &written_at);
        let abandoned = self.waiting as u64;
        self.open.clear();
        self.waiting = 0;
        if let Order::ById(ids) = &mut self.order {
            ids.clear();
        }
        Lost { timeouts, abandoned }
    }

    fn answer(&mut self, id: u64, arrival: Instant, written_at: &impl Fn(M) -> Option<Instant>) -> Answer {
        let number = match &mut self.order {
            Order::Same { given_up } if *given_up > 0 => {
                *given_up -= 1;
                return Answer::Late;
            }
            Order::Same { .. } => self.first,
            Order::ById(ids) => match ids.get(&id) {
                Some((oldest, _)) => *oldest,
                None => return Answer::Unmatched,
            },
        };
        let Some(request) = self.open.get(number.wrapping_sub(self.first) as usize) else {
            return Answer::Unmatched;
        };
        // What arrived before the request was written does not answer it.
        let Some(written) = written_at(request.written).filter(|written| *written <= arrival + JITTER) else {
            return Answer::Unmatched;
        };
        self.settle(number);
        self.trim();
        Answer::After(arrival.saturating_duration_since(written))
    }

    /// Gives up what has waited for longer than the timeout at `now`, and counts it.
    fn expire(&mut self, now: Instant, written_at: &impl Fn(M) -> Option<Instant>) -> u64 {
        let mut count = 0;
        while let Some(oldest) = self.open.front() {
            let written = written_at(oldest.written);
            if written.is_none_or(|written| now.saturating_duration_since(written) <= self.timeout) {
                break;
            }
            count += u64::from(self.give_up_oldest());
            self.trim();
        }
        count
    }

    /// Says whether the oldest request still waited.
    fn give_up_oldest(&mut self) -> bool {
        let waited = self.open.front().is_some_and(|request| !request.answered);
        if waited {
            self.settle(self.first);
            if let Order::Same { given_up } = &mut self.order {
                *given_up += 1;
            }
        }
        waited
    }

    /// The request `number`, the oldest of its id, waits no more.
    fn settle(&mut self, number: u64) {
        let Some(request) = self.open.get_mut((number - self.first) as usize) else { return };
        request.answered = true;
        self.waiting -= 1;
        if let Order::ById(ids) = &mut self.order {
            match (request.next, ids.get_mut(&request.id)) {
                (Some(next), Some((oldest, _))) => *oldest = next,
                _ => {
                    ids.remove(&request.id);
                }
            }
        }
    }

    /// Forgets the oldest requests that wait no more.
    fn trim(&mut self) {
        while self.open.pop_front_if(|request| request.answered).is_some() {
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Requests are written at the millisecond that names them.
    struct Clock(Instant);

    impl Clock {
        fn ms(&self, ms: u64) -> Instant {
            self.0 + Duration::from_millis(ms)
        }

        fn receive(&self, matcher: &mut Matcher<u64>, id: u64, ms: u64) -> (Answer, Lost) {
            matcher.received(id, self.ms(ms), |written| Some(self.ms(written)))
        }

        fn end(&self, matcher: &mut Matcher<u64>, ms: u64) -> Lost {
            matcher.end(self.ms(ms), |written| Some(self.ms(written)))
        }
    }

    fn after(ms: u64) -> (Answer, Lost) {
        (Answer::After(Duration::from_millis(ms)), Lost::default())
    }

    const UNMATCHED: (Answer, Lost) = (Answer::Unmatched, Lost { timeouts: 0, abandoned: 0 });

    #[test]
    fn ids_are_matched_in_any_order() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::by_id(SECOND));
        for (id, ms) in [(7, 0), (8, 10), (9, 20)] {
            assert_eq!(matcher.sent(id, ms), Lost::default());
        }
        assert_eq!(clock.receive(&mut matcher, 8, 30), after(20));
        assert_eq!(clock.receive(&mut matcher, 8, 31), UNMATCHED);
        assert_eq!(matcher.oldest(), Some(0));
        assert_eq!(clock.receive(&mut matcher, 7, 40), after(40));
        assert_eq!(matcher.oldest(), Some(20), "what is answered is forgotten");
        assert_eq!(clock.receive(&mut matcher, 9, 50), after(30));
        assert_eq!(clock.end(&mut matcher, 60), Lost::default());
    }

    #[test]
    fn requests_with_the_same_id_are_answered_oldest_first() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::by_id(SECOND));
        for (id, ms) in [(7, 0), (8, 1), (7, 2), (7, 3)] {
            matcher.sent(id, ms);
        }
        assert_eq!(clock.receive(&mut matcher, 7, 10), after(10));
        assert_eq!(clock.receive(&mut matcher, 7, 10), after(8));
        matcher.sent(7, 9);
        assert_eq!(clock.receive(&mut matcher, 7, 10), after(7));
        assert_eq!(clock.receive(&mut matcher, 7, 10), after(1));
        assert_eq!(clock.receive(&mut matcher, 7, 10), UNMATCHED);
        assert_eq!(clock.end(&mut matcher, 11), Lost { timeouts: 0, abandoned: 1 });
    }

    #[test]
    fn in_order_each_message_answers_the_oldest_request() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::in_order(SECOND));
        matcher.sent(0, 0);
        matcher.sent(0, 5);
        assert_eq!(clock.receive(&mut matcher, 0, 10), after(10));
        assert_eq!(clock.receive(&mut matcher, 0, 10), after(5));
        assert_eq!(clock.receive(&mut matcher, 0, 10), UNMATCHED);
    }

    #[test]
    fn the_order_survives_a_timeout() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::in_order(SECOND));
        for ms in [0, 100, 1500] {
            matcher.sent(0, ms);
        }
        // The answer to the first: too late, and the second has run out of time with it.
        let late = |timeouts| (Answer::Late, Lost { timeouts, abandoned: 0 });
        assert_eq!(clock.receive(&mut matcher, 0, 1600), late(2));
        assert_eq!(clock.receive(&mut matcher, 0, 1601), late(0));
        assert_eq!(clock.receive(&mut matcher, 0, 1602), after(102));
    }

    #[test]
    fn an_id_that_ran_out_of_time_is_unknown() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::by_id(SECOND));
        matcher.sent(7, 0);
        matcher.sent(7, 900);
        matcher.sent(8, 950);
        let (answer, lost) = clock.receive(&mut matcher, 8, 1500);
        assert_eq!((answer, lost.timeouts), (Answer::After(Duration::from_millis(550)), 1));
        assert_eq!(clock.receive(&mut matcher, 7, 1600), after(700), "the second of that id");
        assert_eq!(clock.receive(&mut matcher, 7, 1600), UNMATCHED);
    }

    #[test]
    fn what_arrived_before_a_request_was_written_does_not_answer_it() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::in_order(SECOND));
        matcher.sent(0, 10);
        assert_eq!(clock.receive(&mut matcher, 0, 5), UNMATCHED);
        let unwritten = matcher.received(0, clock.ms(20), |_| None);
        assert_eq!(unwritten, UNMATCHED);
        assert_eq!(clock.receive(&mut matcher, 0, 30), after(20));
        // Clocks are not read to the nanosecond.
        matcher.sent(0, 40);
        let arrival = clock.ms(40) - JITTER / 2;
        assert_eq!(matcher.received(0, arrival, |ms| Some(clock.ms(ms))), after(0));
    }

    #[test]
    fn at_the_end_timeouts_and_the_rest_are_told_apart() {
        for mut matcher in [Matcher::in_order(SECOND), Matcher::by_id(SECOND)] {
            let clock = Clock(Instant::now());
            for (id, ms) in [(1, 0), (2, 100), (3, 1500)] {
                matcher.sent(id, ms);
            }
            assert_eq!(clock.end(&mut matcher, 1600), Lost { timeouts: 2, abandoned: 1 });
            assert_eq!(clock.end(&mut matcher, 9000), Lost::default());
        }
    }

    #[test]
    fn no_server_makes_the_list_grow_without_bound() {
        for mut matcher in [Matcher::in_order(SECOND), Matcher::by_id(SECOND)] {
            let clock = Clock(Instant::now());
            let sent = MAX_OPEN as u64 + 10;
            let abandoned: u64 = (0..sent).map(|id| matcher.sent(id, 0).abandoned).sum();
            assert_eq!((abandoned, matcher.open.len()), (10, MAX_OPEN));
            // In order, the answers to those ten are still expected first.
            let answers: Vec<Answer> = (0..sent).map(|id| clock.receive(&mut matcher, id, 1).0).collect();
            let late = |answer: &&Answer| matches!(answer, Answer::Late | Answer::Unmatched);
            assert_eq!(answers.iter().filter(late).count(), 10);
            assert!(answers[..10].iter().all(|answer| late(&answer)));
            assert_eq!(clock.end(&mut matcher, 2), Lost::default());
        }
    }

    #[test]
    fn an_old_request_behind_answered_ones_does_not_pile_them_up() {
        let (clock, mut matcher) = (Clock(Instant::now()), Matcher::by_id(SECOND));
        matcher.sent(0, 0);
        let mut lost = Lost::default();
        for id in 1..=2 * MAX_OPEN as u64 {
            lost.abandoned += matcher.sent(id, 1).abandoned;
            assert_eq!(clock.receive(&mut matcher, id, 2).0, Answer::After(Duration::from_millis(1)));
        }
        assert!(matcher.open.len() < MAX_OPEN);
        assert_eq!(lost.abandoned, 1, "the old one made room");
    }
}

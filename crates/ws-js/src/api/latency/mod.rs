//! Message latency without script code: from the write of a message to the arrival of its answer.
//!
//! Neither end depends on how busy this process is. A request is written when its bytes are offered to the system,
//! after the handlers of a batch have run; an answer arrives when the kernel says so, however late it is read. What a
//! message then waits for its handler is [`ws_generator_delay`](builtin::WS_GENERATOR_DELAY).
//!
//! A socket that measures [sends](Tracker::send) through its [`Tracker`], and all show their [`Book`] what they
//! [received](Book::received).

mod matcher;
mod params;
mod pointer;
mod rule;

use std::time::Instant;

use ws_loop::Arrival;
use ws_metrics::{Metadata, TagSetId, builtin};
use ws_proto::{CloseSent, Connection, Kind, Mark};

use self::matcher::{Answer, Lost, Matcher};
pub(crate) use self::params::Latency;
use self::rule::Rule;
use crate::log::{Level, Record};
use crate::samples::Samples;
use crate::shared::Shared;

/// What of a socket's messages is measured.
#[derive(Debug)]
pub(crate) struct Tracker {
    rule: Rule,
    matcher: Matcher<Mark>,
}

/// Where the samples of a socket go.
pub(crate) struct Book<'a> {
    pub(crate) samples: &'a mut Samples,
    pub(crate) tags: TagSetId,
    pub(crate) metadata: Metadata,
}

impl Tracker {
    /// For a socket whose params say so. `None` without `--extended-metrics`; then the run is told once that nothing
    /// is measured.
    pub(crate) fn new(shared: &Shared, latency: &Latency) -> Option<Box<Self>> {
        if !shared.settings.extended_metrics {
            shared.unmeasured_latency.call_once(|| {
                let message = "the param 'latency' measures nothing without --extended-metrics";
                shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
            });
            return None;
        }
        let Latency { rule, timeout } = latency.clone();
        let matcher = match rule {
            Rule::Fifo => Matcher::in_order(timeout),
            Rule::Echo | Rule::Pointer { .. } => Matcher::by_id(timeout),
        };
        Some(Box::new(Self { rule, matcher }))
    }

    /// As [`Connection::send_with`]; and what was sent waits for its answer, if it asks for one.
    ///
    /// # Errors
    ///
    /// [`CloseSent`] if nothing can be sent any more.
    pub(crate) fn send(
        &mut self,
        connection: &mut Connection,
        message: (Kind, usize),
        fill: impl FnOnce(&mut [u8]),
        at: Instant,
        book: &mut Book<'_>,
    ) -> Result<(), CloseSent> {
        let (kind, len) = message;
        let mut id = None;
        connection.send_with(kind, len, |buffer| {
            fill(buffer);
            id = self.rule.request(kind, buffer);
        })?;
        if let Some(id) = id {
            let mark = connection.mark();
            connection.forget_marks(self.matcher.oldest().unwrap_or(mark));
            book.lost(self.matcher.sent(id, mark), at);
        }
        Ok(())
    }

    fn received(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        arrival: Arrival,
        connection: &Connection,
        book: &mut Book<'_>,
    ) {
        let Some(id) = self.rule.answer(kind, bytes) else { return };
        let at = arrival.at;
        let (answer, lost) = self.matcher.received(id, at, |mark| connection.offered_at(mark));
        match answer {
            Answer::After(latency) => book.add(builtin::WS_MSG_LATENCY, at, latency.as_secs_f64() * 1e3),
            Answer::Unmatched => book.add(builtin::WS_MSG_LATENCY_UNMATCHED, at, 1.0),
            Answer::Late => (),
        }
        book.lost(lost, at);
    }

    /// Nothing more will be received on `connection`.
    pub(crate) fn end(&mut self, connection: &Connection, now: Instant, book: &mut Book<'_>) {
        let lost = self.matcher.end(now, |mark| connection.offered_at(mark));
        book.lost(lost, now);
    }
}

impl Book<'_> {
    /// A message that arrived then is about to be handled: how long it waited, and what it answers.
    pub(crate) fn received(
        &mut self,
        shared: &Shared,
        tracker: Option<&mut Tracker>,
        connection: Option<&Connection>,
        (kind, bytes): (Kind, &[u8]),
        arrival: Arrival,
    ) {
        if shared.settings.extended_metrics {
            self.generator_delay(arrival);
        }
        if let (Some(tracker), Some(connection)) = (tracker, connection) {
            tracker.received(kind, bytes, arrival, connection, self);
        }
    }

    /// A message that arrived then is not handled any more, because its VU was told to stop: so long it has waited.
    pub(crate) fn undelivered(&mut self, shared: &Shared, arrival: Arrival) {
        if shared.settings.extended_metrics {
            self.generator_delay(arrival);
        }
    }

    fn generator_delay(&mut self, arrival: Arrival) {
        let now = Instant::now();
        let ms = now.saturating_duration_since(arrival.at).as_secs_f64() * 1e3;
        self.add(builtin::WS_GENERATOR_DELAY, now, ms);
    }

    fn lost(&mut self, lost: Lost, at: Instant) {
        let Lost { timeouts, abandoned } = lost;
        for (metric, count) in
            [(builtin::WS_MSG_LATENCY_TIMEOUTS, timeouts), (builtin::WS_MSG_LATENCY_ABANDONED, abandoned)]
        {
            if count > 0 {
                self.add(metric, at, count as f64);
            }
        }
    }

    fn add(&mut self, metric: ws_metrics::MetricId, at: Instant, value: f64) {
        self.samples.add(metric, self.tags, self.metadata, at, value);
    }
}

/// A time of arrival as scripts see it: milliseconds since the epoch, with their fraction.
pub(crate) fn epoch_ms(arrival: Arrival) -> f64 {
    match arrival.wall.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as f64 / 1e6,
        Err(before) => -(before.duration().as_nanos() as f64) / 1e6,
    }
}

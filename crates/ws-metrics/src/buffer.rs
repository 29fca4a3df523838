//! The samples of one group of VUs until they are handed over.

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::metric::{MetricId, MetricKind};
use crate::sample::{Metadata, Sample, Sum};
use crate::tags::TagSetId;
use crate::time::Timestamp;

/// How much of each observation is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Counters and rates are added up before they leave the buffer, and metadata is left out. All results are
    /// the same.
    Summed,
    /// Every observation keeps its own time, tags and metadata, in order of emission: for outputs that want
    /// each point.
    EverySample,
}

/// Where a counter adds up, so that counting needs no lookup. Valid for the buffer that made it.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    place: u32,
    metric: MetricId,
    tags: TagSetId,
    metadata: Metadata,
}

/// The sample buffer of a group: plain memory without a lock, owned by whoever drives the group.
///
/// # Examples
///
/// ```
/// use ws_metrics::{Detail, Metadata, SampleBuffer, TagSets, Timestamp, builtin};
///
/// let sets = TagSets::new();
/// let tags = sets.intern(&[("url", "ws://localhost")]);
/// let mut buffer = SampleBuffer::new(Detail::Summed);
/// let sent = buffer.counter_slot(builtin::WS_MSGS_SENT, tags, Metadata::EMPTY);
/// let now = Timestamp::from_nanos(1);
/// buffer.count(sent, 1.0, now);
/// buffer.count(sent, 1.0, now);
/// buffer.add(builtin::WS_PING, tags, Metadata::EMPTY, now, 0.25);
///
/// let batch = buffer.take();
/// assert_eq!(batch.sums()[0].sum, 2.0);
/// assert_eq!(batch.samples()[0].value, 0.25);
/// assert!(buffer.is_empty());
/// ```
#[derive(Debug)]
pub struct SampleBuffer {
    detail: Detail,
    /// One per (metric, tags) that was ever counted; `count` is zero while nothing is pending.
    sums: Vec<Sum>,
    places: FxHashMap<(MetricId, TagSetId), u32>,
    /// Places with something pending, in order of their first observation.
    pending: Vec<u32>,
    samples: Vec<Sample>,
}

impl SampleBuffer {
    /// Hand the buffer over when its length reaches this.
    pub const FULL: usize = 4096;
    /// Hand the buffer over when its oldest observation has waited this long.
    pub const MAX_AGE: Duration = Duration::from_millis(50);

    /// An empty buffer.
    pub fn new(detail: Detail) -> Self {
        Self {
            detail,
            sums: Vec::new(),
            places: FxHashMap::default(),
            pending: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// How much this buffer keeps of each observation.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// The slot of a counter under these tags; the same one when asked again.
    ///
    /// Slots are never given back: one (metric, tags) takes 40 bytes for as long as the buffer lives.
    pub fn counter_slot(&mut self, metric: MetricId, tags: TagSetId, metadata: impl Into<Metadata>) -> Slot {
        debug_assert_eq!(metric.kind(), MetricKind::Counter);
        let place = match self.detail {
            Detail::Summed => self.place(metric, tags),
            Detail::EverySample => 0,
        };
        Slot { place, metric, tags, metadata: metadata.into() }
    }

    /// Adds `n` to a counter.
    #[inline]
    pub fn count(&mut self, slot: Slot, n: f64, time: Timestamp) {
        match self.detail {
            Detail::Summed => self.sum_up(slot.place, n, time),
            Detail::EverySample => self.samples.push(Sample {
                metric: slot.metric,
                tags: slot.tags,
                time,
                value: n,
                metadata: slot.metadata,
            }),
        }
    }

    /// Records one observation of a metric of any kind.
    #[inline]
    pub fn add(
        &mut self,
        metric: MetricId,
        tags: TagSetId,
        metadata: impl Into<Metadata>,
        time: Timestamp,
        value: f64,
    ) {
        if self.detail == Detail::Summed {
            let n = match metric.kind() {
                MetricKind::Counter => Some(value),
                MetricKind::Rate => Some(f64::from(u8::from(value != 0.0))),
                MetricKind::Gauge | MetricKind::Trend => None,
            };
            if let Some(n) = n {
                let place = self.place(metric, tags);
                self.sum_up(place, n, time);
                return;
            }
        }
        let metadata = match self.detail {
            Detail::Summed => Metadata::EMPTY,
            Detail::EverySample => metadata.into(),
        };
        self.samples.push(Sample { metric, tags, time, value, metadata });
    }

    /// The number of entries waiting: sums and samples.
    pub fn len(&self) -> usize {
        self.pending.len() + self.samples.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes out everything that waits. Slots stay valid.
    pub fn take(&mut self) -> Batch {
        let sums = self
            .pending
            .drain(..)
            .map(|place| {
                let sum = &mut self.sums[place as usize];
                let taken = *sum;
                (sum.sum, sum.count) = (0.0, 0);
                taken
            })
            .collect();
        // The next batch is likely to be as long as this one.
        let room = self.samples.len();
        Batch { sums, samples: std::mem::replace(&mut self.samples, Vec::with_capacity(room)) }
    }

    #[inline]
    fn sum_up(&mut self, place: u32, n: f64, time: Timestamp) {
        let sum = &mut self.sums[place as usize];
        if sum.count == 0 {
            self.pending.push(place);
        }
        sum.sum += n;
        sum.count += 1;
        sum.time = time;
    }

    fn place(&mut self, metric: MetricId, tags: TagSetId) -> u32 {
        *self.places.entry((metric, tags)).or_insert_with(|| {
            let place = u32::try_from(self.sums.len()).expect("fewer than 2^32 slots");
            self.sums.push(Sum { metric, tags, time: Timestamp::default(), sum: 0.0, count: 0 });
            place
        })
    }
}

/// What a buffer hands over at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    sums: Vec<Sum>,
    samples: Vec<Sample>,
}

impl Batch {
    /// Sums in order of their first observation; none in [`Detail::EverySample`].
    pub fn sums(&self) -> &[Sum] {
        &self.sums
    }

    /// Samples in order of emission.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The number of entries: sums and samples.
    pub fn len(&self) -> usize {
        self.sums.len() + self.samples.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of observations, each part of a sum counted.
    pub fn observations(&self) -> u64 {
        self.sums.iter().map(|sum| sum.count).sum::<u64>() + self.samples.len() as u64
    }
}

impl FromIterator<Sample> for Batch {
    fn from_iter<I: IntoIterator<Item = Sample>>(samples: I) -> Self {
        Self { sums: Vec::new(), samples: samples.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn a_slot_that_counted_nothing_is_not_handed_over() {
        let mut buffer = SampleBuffer::new(Detail::Summed);
        let idle = buffer.counter_slot(builtin::WS_MSGS_SENT, TagSetId::EMPTY, Metadata::EMPTY);
        let zero = buffer.counter_slot(builtin::DATA_SENT, TagSetId::EMPTY, Metadata::EMPTY);
        buffer.count(zero, 0.0, at(1));
        let batch = buffer.take();
        assert_eq!(batch.sums().len(), 1, "a zero is an observation, silence is none");
        assert_eq!((batch.sums()[0].metric, batch.sums()[0].count), (builtin::DATA_SENT, 1));
        assert!(buffer.take().is_empty());
        buffer.count(idle, 2.0, at(2));
        buffer.count(idle, 3.0, at(3));
        let batch = buffer.take();
        assert_eq!((batch.sums()[0].sum, batch.sums()[0].count, batch.sums()[0].time), (5.0, 2, at(3)));
    }

    #[test]
    fn rates_count_what_is_not_zero() {
        let mut buffer = SampleBuffer::new(Detail::Summed);
        for value in [0.0, 1.0, 0.5, -1.0] {
            buffer.add(builtin::CHECKS, TagSetId::EMPTY, Metadata::EMPTY, at(1), value);
        }
        let batch = buffer.take();
        assert_eq!((batch.sums()[0].sum, batch.sums()[0].count), (3.0, 4));
        assert_eq!((batch.len(), batch.observations()), (1, 4));
    }

    #[test]
    fn every_sample_keeps_time_metadata_and_order() {
        let mut buffer = SampleBuffer::new(Detail::EverySample);
        let metadata = Metadata { vu: Some(1), iter: Some(7), ..Metadata::EMPTY };
        let slot = buffer.counter_slot(builtin::WS_MSGS_SENT, TagSetId::EMPTY, metadata);
        buffer.count(slot, 1.0, at(1));
        buffer.add(builtin::WS_PING, TagSetId::EMPTY, metadata, at(2), 0.5);
        buffer.add(builtin::CHECKS, TagSetId::EMPTY, TagSetId::EMPTY, at(3), 1.0);
        buffer.count(slot, 1.0, at(4));
        assert_eq!(buffer.len(), 4);
        let batch = buffer.take();
        assert!(batch.sums().is_empty());
        let seen: Vec<_> = batch.samples().iter().map(|s| (s.metric, s.time.as_nanos())).collect();
        assert_eq!(
            seen,
            [
                (builtin::WS_MSGS_SENT, 1),
                (builtin::WS_PING, 2),
                (builtin::CHECKS, 3),
                (builtin::WS_MSGS_SENT, 4)
            ]
        );
        assert_eq!(batch.samples()[3].metadata, metadata);
        assert!(batch.samples()[2].metadata.is_empty());
    }

    #[test]
    fn metadata_makes_no_slots_of_its_own_when_summing() {
        let mut buffer = SampleBuffer::new(Detail::Summed);
        for iter in 0..3 {
            let metadata = Metadata { iter: Some(iter), ..Metadata::EMPTY };
            let slot = buffer.counter_slot(builtin::ITERATIONS, TagSetId::EMPTY, metadata);
            buffer.count(slot, 1.0, at(1));
            buffer.add(builtin::ITERATIONS, TagSetId::EMPTY, metadata, at(2), 1.0);
        }
        assert_eq!(buffer.take().sums()[0].sum, 6.0);
    }
}

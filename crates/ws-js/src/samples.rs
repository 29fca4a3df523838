//! A group's samples: collected without a lock, handed over in batches.

use std::time::Instant;

use ws_metrics::{BatchSender, Metadata, MetricId, SampleBuffer, Slot, TagSetId, WallClock};

use crate::group::HAND_OVER;
use crate::shared::Shared;

/// The sample buffer of a group.
pub(crate) struct Samples {
    buffer: SampleBuffer,
    sender: Option<BatchSender>,
    wall: WallClock,
    due: Option<Instant>,
    /// The script's own metrics, in the order in which this group's realms declared them.
    custom: Vec<MetricId>,
}

impl Samples {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            buffer: SampleBuffer::new(shared.settings.detail),
            sender: shared.samples.clone(),
            wall: shared.wall,
            due: None,
            custom: Vec::new(),
        }
    }

    /// The number by which this group's scripts know a metric of their own.
    pub(crate) fn number_of(&mut self, metric: MetricId) -> u32 {
        let at = self.custom.iter().position(|known| *known == metric).unwrap_or_else(|| {
            self.custom.push(metric);
            self.custom.len() - 1
        });
        at as u32
    }

    /// The metric with this number.
    pub(crate) fn custom(&self, number: u32) -> MetricId {
        self.custom[number as usize]
    }

    /// Where a counter adds up.
    pub(crate) fn counter(&mut self, metric: MetricId, tags: TagSetId, metadata: Metadata) -> Slot {
        self.buffer.counter_slot(metric, tags, metadata)
    }

    /// Adds one to a counter.
    pub(crate) fn count(&mut self, slot: Slot, at: Instant) {
        self.mark(at);
        self.buffer.count(slot, 1.0, self.wall.at(at));
    }

    /// Takes one observation.
    pub(crate) fn add(
        &mut self,
        metric: MetricId,
        tags: TagSetId,
        metadata: Metadata,
        at: Instant,
        value: f64,
    ) {
        self.mark(at);
        self.buffer.add(metric, tags, metadata, self.wall.at(at), value);
    }

    /// When the buffer should be handed over, if there is anything in it.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Hands the buffer over if it is full or has waited long enough.
    pub(crate) fn hand_over_if_due(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) || self.buffer.len() >= SampleBuffer::FULL {
            self.hand_over();
        }
    }

    /// Hands the buffer over.
    pub(crate) fn hand_over(&mut self) {
        self.due = None;
        if self.buffer.is_empty() {
            return;
        }
        let batch = self.buffer.take();
        if let Some(sender) = &self.sender {
            // The pipeline ends after the run; then nobody wants these.
            let _ = sender.send(batch);
        }
    }

    fn mark(&mut self, at: Instant) {
        if self.due.is_none() {
            self.due = Some(at + HAND_OVER);
        }
    }
}

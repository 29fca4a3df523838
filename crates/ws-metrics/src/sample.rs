//! One observation.

use crate::metric::MetricId;
use crate::tags::{TagSetId, TagSets};
use crate::time::Timestamp;

/// What is written beside a sample but never selects it: the VU and iteration numbers, if they are wanted, and
/// what the script adds.
///
/// Made of numbers, because interning a set per iteration would grow for as long as the run lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// Pairs set by the script.
    pub pairs: TagSetId,
    /// Number of the VU, if `vu` is among the system tags.
    pub vu: Option<u32>,
    /// Number of the VU's iteration, if `iter` is among the system tags.
    pub iter: Option<u32>,
}

impl Metadata {
    /// No metadata.
    pub const EMPTY: Self = Self { pairs: TagSetId::EMPTY, vu: None, iter: None };

    /// Whether there is nothing to write.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// All pairs sorted by key, as text.
    pub fn to_pairs(self, sets: &TagSets) -> Vec<(String, String)> {
        let set = sets.get(self.pairs);
        let mut pairs: Vec<_> = set.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        for (key, number) in [("vu", self.vu), ("iter", self.iter)] {
            if let Some(number) = number {
                pairs.retain(|(have, _)| have != key);
                pairs.push((key.to_owned(), number.to_string()));
            }
        }
        pairs.sort();
        pairs
    }
}

impl From<TagSetId> for Metadata {
    fn from(pairs: TagSetId) -> Self {
        Self { pairs, ..Self::EMPTY }
    }
}

/// One observation of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What was observed.
    pub metric: MetricId,
    /// The tags that place it.
    pub tags: TagSetId,
    /// When.
    pub time: Timestamp,
    /// How much: milliseconds for times, bytes for data.
    pub value: f64,
    /// What else is known.
    pub metadata: Metadata,
}

/// Observations of one counter or rate that were added up where they were made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// What was observed.
    pub metric: MetricId,
    /// The tags that place it.
    pub tags: TagSetId,
    /// Time of the last observation.
    pub time: Timestamp,
    /// Sum of the values; for a rate the number of values that were not zero.
    pub sum: f64,
    /// How many observations.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_numbers_are_written_beside_the_scripts_pairs() {
        let sets = TagSets::new();
        let pairs = sets.intern(&[("trace", "x"), ("vu", "shadowed")]);
        let metadata = Metadata { pairs, vu: Some(3), iter: Some(0) };
        let text: Vec<_> = metadata.to_pairs(&sets).into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(text, ["iter=0", "trace=x", "vu=3"]);
        assert!(Metadata::from(TagSetId::EMPTY).is_empty());
        assert!(!metadata.is_empty());
    }
}

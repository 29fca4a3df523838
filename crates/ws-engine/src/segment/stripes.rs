//! Who owns which of the indices 0, 1, 2, …

use std::sync::Arc;

/// The indices that belong to one instance: a pattern that repeats. Sums and orders over all instances are exactly those
/// of one alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stripes {
    period: u64,
    /// Own indices within a period, in order.
    offsets: Arc<[u64]>,
}

impl Stripes {
    /// All indices.
    pub(crate) fn whole() -> Self {
        Self::new(1, vec![0])
    }

    /// No index.
    pub(crate) fn none() -> Self {
        Self::new(1, Vec::new())
    }

    /// Those of segment `own`, when segments own as many of each so many indices as `lengths` say.
    pub(super) fn of(lengths: &[u64], own: usize) -> Self {
        let offsets = (0..).zip(owners(lengths)).filter(|(_, owner)| *owner == own).map(|(index, _)| index);
        Self::new(lengths.iter().sum(), offsets.collect())
    }

    /// These of each `period` indices.
    pub(crate) fn new(period: u64, offsets: Vec<u64>) -> Self {
        debug_assert!(offsets.is_sorted() && offsets.iter().all(|&offset| offset < period));
        Self { period, offsets: offsets.into() }
    }

    /// How many of the indices below `total` are own ones.
    pub(crate) fn count(&self, total: u64) -> u64 {
        let own = self.offsets.len() as u64;
        let rest = self.offsets.partition_point(|&offset| offset < total % self.period) as u64;
        total / self.period * own + rest
    }

    /// The index that is the own one number `own`, from 0.
    ///
    /// # Panics
    ///
    /// If no index is an own one.
    pub(crate) fn nth(&self, own: u64) -> u64 {
        let each = self.offsets.len() as u64;
        let offset = self.offsets[(own % each) as usize];
        (own / each).saturating_mul(self.period).saturating_add(offset)
    }

    /// The number that an index has among the own ones, if it is one.
    pub(crate) fn rank(&self, index: u64) -> Option<u64> {
        let place = self.offsets.binary_search(&(index % self.period)).ok()? as u64;
        Some(index / self.period * self.offsets.len() as u64 + place)
    }
}

/// Who owns each index of a period: the longest segment that has not yet had its part so far, of equally long ones the
/// first.
fn owners(lengths: &[u64]) -> impl Iterator<Item = usize> {
    let period: u64 = lengths.iter().sum();
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&segment| std::cmp::Reverse(lengths[segment]));
    let mut taken = vec![0u64; lengths.len()];
    (0..period).map(move |index| {
        let behind = |&&segment: &&usize| {
            u128::from(taken[segment]) * u128::from(period)
                <= u128::from(index) * u128::from(lengths[segment])
        };
        // There always is one: otherwise all would have had more than their part.
        let owner = order.iter().find(behind).copied().unwrap_or(0);
        taken[owner] += 1;
        owner
    })
}

/// How many of the indices below `total` each segment owns.
pub(super) fn counts(lengths: &[u64], total: u64) -> Vec<u64> {
    let period: u64 = lengths.iter().sum();
    let mut counts: Vec<u64> = lengths.iter().map(|length| total / period * length).collect();
    for owner in owners(lengths).take((total % period) as usize) {
        counts[owner] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_owns_everything() {
        let whole = Stripes::whole();
        assert_eq!((whole.count(17), whole.nth(17), whole.rank(17)), (17, 17, Some(17)));
    }

    #[test]
    fn counting_and_ranking_agree() {
        let stripes = Stripes::new(7, vec![1, 2, 5]);
        let own: Vec<u64> = (0..30).filter(|index| stripes.rank(*index).is_some()).collect();
        assert_eq!(own, [1, 2, 5, 8, 9, 12, 15, 16, 19, 22, 23, 26, 29]);
        for (rank, &index) in (0..).zip(&own) {
            assert_eq!(stripes.nth(rank), index);
            assert_eq!(stripes.rank(index), Some(rank));
            assert_eq!((stripes.count(index), stripes.count(index + 1)), (rank, rank + 1));
        }
        assert_eq!(Stripes::new(3, Vec::new()).count(100), 0);
    }
}

//! Interned tag sets: a sample carries a number instead of strings.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use parking_lot::RwLock;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// An interned set of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagSetId(u32);

impl TagSetId {
    /// The set without any tag.
    pub const EMPTY: Self = Self(0);

    /// The place in the order of interning, from 0 (the empty set).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Tags sorted by key; every key occurs once, values may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TagSet {
    pairs: Box<[(Arc<str>, Arc<str>)]>,
}

impl TagSet {
    /// The value of a tag.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        self.position(key).ok().map(|at| &self.pairs[at].1)
    }

    /// The tags in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The number of tags.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(have, _)| (**have).cmp(key))
    }
}

/// The table of all tag sets of a run. Shared as an `Arc`; sets live as long as the table.
///
/// Interning happens when tags change (a socket is made, a group is entered), not per message. Still
/// [`with`](Self::with) remembers what it did, because a check per message asks for the same set each time.
///
/// The table is bounded. When it is full, an operation that would need a new set returns the set it started
/// from, and [`collapsed`](Self::collapsed) counts it: the one tag with endless values is given up, what else
/// is known of the sample stays.
///
/// # Examples
///
/// ```
/// use ws_metrics::{TagSetId, TagSets};
///
/// let sets = TagSets::new();
/// let base = sets.intern(&[("scenario", "default"), ("group", "")]);
/// let inner = sets.with(base, "group", "::login");
/// assert_eq!(sets.get(inner).get("group").map(|v| &**v), Some("::login"));
/// assert_eq!(sets.with(inner, "group", ""), base);
/// assert_eq!(sets.without(base, "nothing"), base);
/// assert_eq!(sets.intern::<&str, &str>(&[]), TagSetId::EMPTY);
/// ```
pub struct TagSets {
    table: RwLock<Table>,
    limit: usize,
}

struct Table {
    sets: Vec<Arc<TagSet>>,
    ids: FxHashMap<Arc<TagSet>, TagSetId>,
    /// Keys and values seen, so that sets share their strings.
    strings: FxHashMap<Arc<str>, ()>,
    /// Hash of (base, key, value) to (base, result). A hit is checked against both sets, so a collision costs
    /// a second look and nothing else.
    steps: FxHashMap<u64, (TagSetId, TagSetId)>,
    collapsed: u64,
}

impl TagSets {
    /// The number of sets a table holds unless told otherwise.
    pub const DEFAULT_LIMIT: usize = 500_000;

    /// A table that holds only the empty set.
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A table for at most `limit` sets, the empty one included.
    pub fn with_limit(limit: usize) -> Self {
        let empty = Arc::new(TagSet::default());
        Self {
            table: RwLock::new(Table {
                sets: vec![empty.clone()],
                ids: FxHashMap::from_iter([(empty, TagSetId::EMPTY)]),
                strings: FxHashMap::default(),
                steps: FxHashMap::default(),
                collapsed: 0,
            }),
            limit: limit.clamp(1, u32::MAX as usize),
        }
    }

    /// The set of these tags; of equal keys the last one counts.
    pub fn intern<K: AsRef<str>, V: AsRef<str>>(&self, pairs: &[(K, V)]) -> TagSetId {
        self.merge(TagSetId::EMPTY, pairs)
    }

    /// The set `base` with one tag added or replaced.
    pub fn with(&self, base: TagSetId, key: &str, value: &str) -> TagSetId {
        let step = step(base, key, value);
        {
            let table = self.table.read();
            if let Some(&(from, to)) = table.steps.get(&step)
                && from == base
                && table.sets[to.index()].get(key).is_some_and(|have| **have == *value)
                && differ_only_in(&table.sets[base.index()], &table.sets[to.index()], key)
            {
                return to;
            }
        }
        let id = self.merge(base, &[(key, value)]);
        let mut table = self.table.write();
        if table.sets[id.index()].get(key).is_some_and(|have| **have == *value) {
            // Every entry can be found again by merging, so forgetting all of them now and then is cheap.
            if table.steps.len() >= self.limit {
                table.steps.clear();
            }
            table.steps.insert(step, (base, id));
        }
        id
    }

    /// The set `base` without a tag.
    pub fn without(&self, base: TagSetId, key: &str) -> TagSetId {
        let set = self.get(base);
        let Ok(at) = set.position(key) else { return base };
        let mut pairs = set.pairs.to_vec();
        pairs.remove(at);
        self.insert(base, pairs)
    }

    /// The set `base` with tags added or replaced; of equal keys the last one counts.
    pub fn merge<K: AsRef<str>, V: AsRef<str>>(&self, base: TagSetId, pairs: &[(K, V)]) -> TagSetId {
        if pairs.is_empty() {
            return base;
        }
        let mut merged = self.get(base).pairs.to_vec();
        for (key, value) in pairs {
            let (key, value) = (key.as_ref(), value.as_ref());
            match merged.binary_search_by(|(have, _)| (**have).cmp(key)) {
                Ok(at) if *merged[at].1 == *value => {}
                Ok(at) => merged[at].1 = value.into(),
                Err(at) => merged.insert(at, (key.into(), value.into())),
            }
        }
        self.insert(base, merged)
    }

    /// The tags of a set.
    ///
    /// # Panics
    ///
    /// If the id comes from another table that has more sets.
    pub fn get(&self, id: TagSetId) -> Arc<TagSet> {
        self.table.read().sets[id.index()].clone()
    }

    /// The number of sets, the empty one included.
    pub fn len(&self) -> usize {
        self.table.read().sets.len()
    }

    /// Never true: the empty set is always there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a set was not made because the table was full.
    pub fn collapsed(&self) -> u64 {
        self.table.read().collapsed
    }

    fn insert(&self, base: TagSetId, pairs: Vec<(Arc<str>, Arc<str>)>) -> TagSetId {
        let set = TagSet { pairs: pairs.into() };
        if let Some(&id) = self.table.read().ids.get(&set) {
            return id;
        }
        let mut table = self.table.write();
        if let Some(&id) = table.ids.get(&set) {
            return id;
        }
        if table.sets.len() >= self.limit {
            table.collapsed += 1;
            return base;
        }
        let pairs = set.pairs.iter().map(|(key, value)| (table.share(key), table.share(value))).collect();
        let set = Arc::new(TagSet { pairs });
        let id = TagSetId(u32::try_from(table.sets.len()).expect("the limit is below 2^32"));
        table.sets.push(set.clone());
        table.ids.insert(set, id);
        id
    }
}

impl Default for TagSets {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TagSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagSets").field("len", &self.len()).field("limit", &self.limit).finish()
    }
}

impl Table {
    fn share(&mut self, string: &Arc<str>) -> Arc<str> {
        if let Some((known, ())) = self.strings.get_key_value(string) {
            return known.clone();
        }
        self.strings.insert(string.clone(), ());
        string.clone()
    }
}

fn step(base: TagSetId, key: &str, value: &str) -> u64 {
    FxBuildHasher.hash_one((base, key, value))
}

/// Guards against a hash collision of two steps from one base that end in the same value of `key`.
fn differ_only_in(base: &TagSet, result: &TagSet, key: &str) -> bool {
    result.len() == base.len() + usize::from(base.get(key).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sets: &TagSets, id: TagSetId) -> String {
        sets.get(id).iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn equal_sets_have_one_id() {
        let sets = TagSets::new();
        let a = sets.intern(&[("b", "2"), ("a", "1")]);
        let b = sets.intern(&[("a", "0"), ("b", "2"), ("a", "1")]);
        assert_eq!(a, b);
        assert_eq!(text(&sets, a), "a=1,b=2");
        assert_eq!(sets.len(), 2);
    }

    #[test]
    fn steps_add_replace_and_remove() {
        let sets = TagSets::new();
        let base = sets.intern(&[("a", "1"), ("c", "3")]);
        for _ in 0..2 {
            assert_eq!(text(&sets, sets.with(base, "b", "2")), "a=1,b=2,c=3");
            assert_eq!(text(&sets, sets.with(base, "a", "")), "a=,c=3");
            assert_eq!(sets.with(base, "a", "1"), base);
        }
        assert_eq!(text(&sets, sets.without(base, "a")), "c=3");
        assert_eq!(text(&sets, sets.merge(base, &[("c", "4"), ("d", "5")])), "a=1,c=4,d=5");
        assert_eq!(sets.without(sets.without(base, "a"), "c"), TagSetId::EMPTY);
    }

    #[test]
    fn a_full_table_gives_up_the_newest_tag_and_says_so() {
        let sets = TagSets::with_limit(3);
        let base = sets.intern(&[("a", "1")]);
        let known = sets.with(base, "b", "2");
        assert_eq!(sets.with(base, "id", "17"), base);
        assert_eq!(sets.with(base, "id", "18"), base);
        assert_eq!(sets.with(base, "b", "2"), known);
        assert_eq!(sets.len(), 3);
        assert_eq!(sets.collapsed(), 2);
    }

    #[test]
    fn strings_are_shared_between_sets() {
        let sets = TagSets::new();
        let one = sets.get(sets.intern(&[("key", "value")]));
        let two = sets.get(sets.intern(&[("key", "value"), ("more", "value")]));
        assert!(Arc::ptr_eq(one.get("key").unwrap(), two.get("more").unwrap()));
    }
}

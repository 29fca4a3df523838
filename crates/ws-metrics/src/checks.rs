//! Checks and groups for the report, from the tags of samples.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::report::{CheckReport, GroupReport};

/// How deep groups are nested in reports. What is deeper is one group with the rest of the path for a name: a tag of
/// a script may be of any depth, and readers of JSON stop at 128 levels, two of which are a group's.
const MAX_DEPTH: usize = 50;

/// Counts per (group path, check name), and the groups seen, both in order of first appearance.
#[derive(Debug)]
pub(crate) struct CheckBook {
    checks: Vec<CheckReport>,
    by_name: FxHashMap<(Arc<str>, Arc<str>), usize>,
    groups: Vec<GroupReport>,
    by_path: FxHashMap<Arc<str>, ()>,
    /// Most checks and most groups that are kept; names made of unique values must not eat all memory. It is the
    /// limit of series too, and a check needs a series of its own, so what is left out here is counted there.
    limit: usize,
}

impl CheckBook {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            checks: Vec::new(),
            by_name: FxHashMap::default(),
            groups: Vec::new(),
            by_path: FxHashMap::default(),
            limit,
        }
    }

    /// The place of a check, made if needed; `None` if there are too many.
    pub(crate) fn check(&mut self, group: &Arc<str>, name: &Arc<str>) -> Option<usize> {
        if let Some(place) = self.by_name.get(&(group.clone(), name.clone())) {
            return Some(*place);
        }
        if self.checks.len() >= self.limit {
            return None;
        }
        self.group(group);
        let place = self.checks.len();
        self.checks.push(CheckReport { group: group.clone(), name: name.clone(), passes: 0, fails: 0 });
        self.by_name.insert((group.clone(), name.clone()), place);
        Some(place)
    }

    pub(crate) fn record(&mut self, place: usize, passes: u64, total: u64) {
        let check = &mut self.checks[place];
        check.passes += passes;
        check.fails += total - passes;
    }

    /// Notes a group and the groups around it.
    pub(crate) fn group(&mut self, path: &Arc<str>) {
        if path.is_empty() || self.by_path.contains_key(path) {
            return;
        }
        let ends = path.match_indices("::").map(|(at, _)| at).filter(|at| *at > 0).take(MAX_DEPTH - 1);
        let mut parent: Arc<str> = "".into();
        for end in ends.chain([path.len()]) {
            if self.groups.len() >= self.limit {
                return;
            }
            let whole: Arc<str> = if end == path.len() { path.clone() } else { path[..end].into() };
            if self.by_path.insert(whole.clone(), ()).is_none() {
                let inner = &whole[parent.len()..];
                let name = inner.strip_prefix("::").unwrap_or(inner).into();
                self.groups.push(GroupReport { path: whole.clone(), name, parent });
            }
            parent = whole;
        }
    }

    pub(crate) fn checks(&self) -> &[CheckReport] {
        &self.checks
    }

    pub(crate) fn groups(&self) -> &[GroupReport] {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_after_the_ones_around_them() {
        let mut book = CheckBook::new(100);
        for path in ["::a::b", "", "::a", "::c", "::a::b"] {
            book.group(&path.into());
        }
        let seen: Vec<_> = book.groups().iter().map(|g| (&*g.path, &*g.name, &*g.parent)).collect();
        assert_eq!(seen, [("::a", "a", ""), ("::a::b", "b", "::a"), ("::c", "c", "")]);
    }

    #[test]
    fn depth_is_bounded() {
        let mut book = CheckBook::new(1000);
        book.group(&"::a".repeat(100_000).into());
        assert_eq!(book.groups().len(), 50);
        let last = book.groups().last().unwrap();
        assert_eq!((&*last.parent, last.name.len()), (&*"::a".repeat(49), 3 * 100_000 - 3 * 49 - 2));
        assert_eq!(last.path.len(), 300_000);
    }

    #[test]
    fn checks_are_merged_per_group_and_name() {
        let mut book = CheckBook::new(2);
        for (group, name, passes, total) in [("", "x", 1, 1), ("::g", "x", 0, 2), ("", "x", 2, 3)] {
            let place = book.check(&group.into(), &name.into()).unwrap();
            book.record(place, passes, total);
        }
        let seen: Vec<_> = book.checks().iter().map(|c| (&*c.group, &*c.name, c.passes, c.fails)).collect();
        assert_eq!(seen, [("", "x", 3, 1), ("::g", "x", 0, 2)]);
        assert_eq!(book.check(&"".into(), &"one too many".into()), None);
    }
}

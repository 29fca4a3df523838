//! Checks and groups for the report, from the tags of samples.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::report::{CheckReport, GroupReport};

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
        if path.is_empty() || self.by_path.contains_key(path) || self.groups.len() >= self.limit {
            return;
        }
        let (parent, name) = path.rsplit_once("::").unwrap_or(("", path));
        let parent: Arc<str> = parent.into();
        self.group(&parent);
        self.by_path.insert(path.clone(), ());
        self.groups.push(GroupReport { path: path.clone(), name: name.into(), parent });
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

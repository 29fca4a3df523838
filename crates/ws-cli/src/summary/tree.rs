//! Groups and checks as the tree that both JSON forms show, made in one pass over each list.

use std::collections::HashMap;

use ws_metrics::{CheckReport, Report};

/// All groups of a report, the root among them.
pub(super) struct Tree<'a> {
    /// The root first.
    groups: Vec<Group<'a>>,
}

/// A group with what is directly inside it.
pub(super) struct Group<'a> {
    pub(super) path: &'a str,
    pub(super) name: &'a str,
    pub(super) checks: Vec<&'a CheckReport>,
    inner: Vec<usize>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut groups = vec![Group::new("", "")];
        groups.extend(report.groups.iter().map(|group| Group::new(&group.path, &group.name)));
        let places: HashMap<&str, usize> =
            groups.iter().enumerate().map(|(place, group)| (group.path, place)).collect();
        for (group, place) in report.groups.iter().zip(1..) {
            if let Some(&parent) = places.get(&*group.parent) {
                groups[parent].inner.push(place);
            }
        }
        for check in &report.checks {
            if let Some(&group) = places.get(&*check.group) {
                groups[group].checks.push(check);
            }
        }
        Self { groups }
    }

    pub(super) fn root(&self) -> &Group<'a> {
        &self.groups[0]
    }

    /// The groups directly inside `group`, in order of first appearance.
    pub(super) fn inner<'t>(&'t self, group: &'t Group<'a>) -> impl Iterator<Item = &'t Group<'a>> {
        group.inner.iter().map(|&place| &self.groups[place])
    }
}

impl<'a> Group<'a> {
    fn new(path: &'a str, name: &'a str) -> Self {
        Self { path, name, checks: Vec::new(), inner: Vec::new() }
    }
}

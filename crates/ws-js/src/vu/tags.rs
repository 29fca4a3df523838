//! The tags that a VU's samples carry at a moment: run, scenario, group.

use ws_metrics::{Metadata, SystemTag, TagSetId};

use crate::shared::Shared;
use crate::vu::job::Phase;

/// Current tags of one VU, interned.
#[derive(Default)]
pub(crate) struct VuTags {
    /// Without a group.
    base: TagSetId,
    current: TagSetId,
    metadata: Metadata,
    /// `::outer::inner`; empty at the top.
    group: String,
}

impl VuTags {
    /// Tags of samples that are taken now.
    pub(crate) fn current(&self) -> TagSetId {
        self.current
    }

    /// What goes with samples without being part of their series (`vu`, `iter`).
    pub(crate) fn metadata(&self) -> Metadata {
        self.metadata
    }

    pub(super) fn begin_scenario(&mut self, shared: &Shared, scenario: &str, tags: &[(String, String)]) {
        let mut base = shared.run_tags();
        for (key, value) in tags {
            base = shared.tag_sets.with(base, key, value);
        }
        if shared.settings.system_tags.has(SystemTag::Scenario) {
            base = shared.tag_sets.with(base, "scenario", scenario);
        }
        self.base = base;
        self.enter(shared, String::new());
    }

    pub(super) fn begin_phase(&mut self, shared: &Shared, phase: Phase) {
        self.base = shared.run_tags();
        self.enter(shared, format!("::{}", phase.function()));
    }

    pub(super) fn begin_iteration(&mut self, shared: &Shared, vu: u32, iteration: u64) {
        let system = shared.settings.system_tags;
        self.metadata = Metadata {
            vu: system.has(SystemTag::Vu).then_some(vu),
            iter: system.has(SystemTag::Iter).then_some(u32::try_from(iteration).unwrap_or(u32::MAX)),
            ..Metadata::EMPTY
        };
        if !self.group.is_empty() {
            self.enter(shared, String::new());
        }
    }

    /// The group's path: `::outer::inner`, empty at the top.
    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    /// Enters the group `name` and returns what [`leave_group`](Self::leave_group) wants.
    pub(crate) fn enter_group(&mut self, shared: &Shared, name: &str) -> String {
        let outer = self.group.clone();
        // Without a name it is the top itself, as long as there is nothing around it.
        let is_top = outer.is_empty() && name.is_empty();
        self.enter(shared, if is_top { String::new() } else { format!("{outer}::{name}") });
        outer
    }

    pub(crate) fn leave_group(&mut self, shared: &Shared, outer: String) {
        self.enter(shared, outer);
    }

    fn enter(&mut self, shared: &Shared, group: String) {
        self.current = if shared.settings.system_tags.has(SystemTag::Group) {
            shared.tag_sets.with(self.base, "group", &group)
        } else {
            self.base
        };
        self.group = group;
    }
}

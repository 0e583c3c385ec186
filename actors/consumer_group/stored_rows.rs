//! For tests: the rows of a group as storage has them, which are all that a restart finds.

use super::member::Member;
use super::patterns::Scope;
use super::state::{Changes, ConsumerGroupState};
use crate::broker::topics::Topics;
use crate::config::GroupSettings;
use crate::group::state::Now;
use crate::names::MemberId;
use callboard_storage::values::{ClassicGroupRow, ConsumerMemberRow, GroupRow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The group's own row and those of its members, as they are read back from the bytes that were written.
#[derive(Debug, Default)]
pub(super) struct StoredRows {
    group: Option<GroupRow>,
    members: BTreeMap<MemberId, Member>,
}

impl StoredRows {
    /// The end of a message: what the group says that it changed is written, as its actor does it. That
    /// must be all that has changed.
    pub(super) fn write(&mut self, group: &mut ConsumerGroupState) {
        let Changes { group: is_changed, members } = std::mem::take(&mut group.changes);
        if is_changed || !members.is_empty() {
            self.put(GroupRow::Consumer(group.to_row()));
        }
        for id in members {
            self.put_member(&id, group.members.get(&id));
        }
        self.check(group);
    }

    /// The group is a classic one from now on, whose members have no rows of their own.
    pub(super) fn become_classic(&mut self, group: &mut ConsumerGroupState, row: ClassicGroupRow) {
        let changes = std::mem::take(&mut group.changes);
        for id in group.members.keys().chain(&changes.members) {
            self.put_member(id, None);
        }
        assert!(self.members.is_empty(), "a classic group has rows of members that it does not know");
        self.put(GroupRow::Classic(row));
    }

    /// A classic group is this one from now on.
    pub(super) fn become_consumer(&mut self, group: &ConsumerGroupState) {
        self.put(GroupRow::Consumer(group.to_row()));
        group.members.iter().for_each(|(id, member)| self.put_member(id, Some(member)));
        self.check(group);
    }

    /// The group that a restart finds.
    pub(super) fn load(&self, settings: Arc<GroupSettings>, topics: &Topics, now: Now) -> ConsumerGroupState {
        let mut group = ConsumerGroupState::new(settings);
        if let Some(GroupRow::Consumer(row)) = &self.group {
            group.restore(row);
        }
        for (id, member) in &self.members {
            group.restore_member(id, ConsumerMemberRow::from(member), now);
        }
        group.changes = Changes::default();
        group.patterns.resolve(topics, Scope::All);
        self.check(&group);
        group
    }

    /// What is stored is what the group has in memory: no change is left out.
    fn check(&self, group: &ConsumerGroupState) {
        let row = match &self.group {
            Some(GroupRow::Consumer(row)) => row.clone(),
            Some(GroupRow::Classic(_)) | None => ConsumerGroupState::new(group.settings.clone()).to_row(),
        };
        assert_eq!(row, group.to_row(), "the group's row is not what the group is");
        assert_eq!(self.members, group.members, "the members' rows are not what the members are");
    }

    fn put(&mut self, row: GroupRow) {
        self.group = Some(GroupRow::decode(&row.encode().unwrap()).unwrap());
    }

    fn put_member(&mut self, id: &MemberId, member: Option<&Member>) {
        let read_back = |member: &Member| {
            let value = ConsumerMemberRow::from(member).encode().unwrap();
            Member::from(ConsumerMemberRow::decode_any(&value).unwrap())
        };
        match member.map(read_back) {
            Some(member) => drop(self.members.insert(id.clone(), member)),
            None => drop(self.members.remove(id)),
        }
    }
}

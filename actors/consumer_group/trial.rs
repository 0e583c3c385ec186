//! For tests: a group that the broker assigns to, whose time passes when it is told to, and what holds at
//! the end of each message that it gets.

use super::downgrade::Downgrade;
use super::heartbeat::{Beat, BeatError, Beaten};
use super::leave::Absence;
use super::member::GONE_FOR_A_WHILE;
use super::state::ConsumerGroupState;
use super::stored_rows::StoredRows;
use crate::broker::topics::{self, Topics};
use crate::config::Settings;
use crate::group::state::Now;
use crate::names::{InstanceId, MemberId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Trial {
    pub(super) group: ConsumerGroupState,
    pub(super) topics: Arc<Topics>,
    pub(super) now: Now,
    rows: StoredRows,
    seen: Epochs,
}

/// The epochs at the end of the last message. They are kept apart from the rows, so that a restart does not
/// take them back.
#[derive(Debug, Default)]
struct Epochs {
    group: i32,
    assignment: i32,
    members: BTreeMap<MemberId, i32>,
}

impl Trial {
    /// A group beside topics of those numbers, names and partitions, with those settings.
    pub(super) fn new(topics: &[(u128, &str, u32)], settings: &[(&str, &str)]) -> Self {
        let settings = Settings::from_pairs(settings.iter().copied()).unwrap();
        Self {
            group: ConsumerGroupState::new(settings.groups),
            topics: topics::tests::topics(topics),
            now: Now { instant: crate::clock::now(), wall_ms: 1_000_000 },
            rows: StoredRows::default(),
            seen: Epochs::default(),
        }
    }

    pub(super) fn beat(&mut self, beat: &Beat) -> Result<Beaten, BeatError> {
        let beaten = self.group.heartbeat(beat, &self.topics, self.now);
        self.settle();
        beaten
    }

    pub(super) fn leave(
        &mut self,
        id: &MemberId,
        instance: Option<&InstanceId>,
        absence: Absence,
    ) -> Result<(), BeatError> {
        let left = self.group.leave(id, instance, absence, &self.topics);
        self.settle();
        left
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall_ms += i64::try_from(time.as_millis()).unwrap();
        self.group.pass(&self.topics, self.now);
        self.settle();
    }

    /// The end of a message, as the group's actor has it.
    pub(super) fn settle(&mut self) {
        match self.group.downgrade.take() {
            Some(downgrade) => self.go_over(downgrade),
            None => self.rows.write(&mut self.group),
        }
        self.check();
    }

    /// What was written is what a restart finds, and nothing else.
    pub(super) fn restart(&mut self) {
        let settings = Arc::clone(&self.group.settings);
        self.group = self.rows.load(settings, &self.topics, self.now);
        self.check();
    }

    /// A group that is to be a classic one is made one, and with the next newer member it is one of
    /// these again.
    fn go_over(&mut self, downgrade: Downgrade) {
        let row = self.group.to_classic(downgrade, &self.topics, self.now.wall_ms);
        assert_eq!(row.members.len(), self.group.members.len());
        self.rows.become_classic(&mut self.group, row.clone());
        let settings = Arc::clone(&self.group.settings);
        let group = ConsumerGroupState::from_classic(row, settings, &self.topics).unwrap();
        assert_eq!(group.epoch, downgrade.generation);
        self.rows.become_consumer(&group);
        self.restart();
    }

    /// A partition has one owner, and no epoch goes back.
    fn check(&mut self) {
        let (group, seen) = (&self.group, &mut self.seen);
        group.check_owners();
        assert!(group.epoch >= seen.group, "the group's epoch went back to {}", group.epoch);
        assert!(group.assignment_epoch >= seen.assignment, "an older assignment is back");
        assert!(group.assignment_epoch <= group.epoch);
        for (id, member) in &group.members {
            // Who has gone for a while says so in its epoch.
            let before = seen.members.get(id).filter(|_| member.epoch != GONE_FOR_A_WHILE);
            assert!(
                before.is_none_or(|before| member.epoch >= *before),
                "{id} went back to {}",
                member.epoch
            );
        }
        (seen.group, seen.assignment) = (group.epoch, group.assignment_epoch);
        seen.members = group.members.iter().map(|(id, member)| (id.clone(), member.epoch)).collect();
    }
}

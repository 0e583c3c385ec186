//! For tests: what the members of a group have committed, as its actor has it and as it is stored.

use super::super::state::{ClassicGroup, Now};
use crate::offsets::Offsets;
use crate::offsets::commit::{CommitOffsetsError, CommitRules, Committing, NewOffset};
use crate::offsets::tests::topic;
use std::collections::BTreeMap;

pub(crate) struct Commits {
    offsets: Offsets,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Commits {
    pub(crate) fn new() -> Self {
        Self { offsets: Offsets::new("group".into()), rows: BTreeMap::new() }
    }

    /// Commits offsets of one topic's partitions, if the group lets that member.
    pub(crate) fn commit(
        &mut self,
        group: &mut ClassicGroup,
        from: &Committing,
        positions: &BTreeMap<i32, i64>,
        now: Now,
    ) -> Result<(), CommitOffsetsError> {
        group.check_commit(from, now)?;
        let new = |(partition, offset): (&i32, &i64)| NewOffset {
            partition: (topic(1), *partition),
            offset: *offset,
            leader_epoch: -1,
            metadata: String::new(),
        };
        let offsets: Vec<_> = positions.iter().map(new).collect();
        let rules = CommitRules::new(now.wall_ms, None, group.settings.offset_metadata_max);
        let (_, changes) = self.offsets.commit(&offsets, rules);
        for change in changes {
            match change.value {
                Some(value) => drop(self.rows.insert(change.key, value)),
                None => drop(self.rows.remove(&change.key)),
            }
        }
        Ok(())
    }

    /// What is stored is what a restart finds.
    pub(crate) fn restart(&mut self) {
        let rows: Vec<_> = self.rows.clone().into_iter().collect();
        self.offsets = Offsets::load("group".into(), &rows).unwrap();
    }

    /// What is committed for a partition, if anything.
    pub(crate) fn offset(&self, partition: i32) -> Option<i64> {
        let fetched = self.offsets.fetch(Some(&[(topic(1), partition)]));
        fetched.into_iter().find_map(|it| it.committed).map(|row| row.offset)
    }
}

//! A consumer group of one member that reads on from what it committed: what was read stays as it was,
//! no committed offset goes back, and the group outlives the broker.

use crate::chance::Chance;
use crate::client::{Client, accept};
use crate::history::{Histories, Place};
use crate::log::Topic;
use crate::membership::{Kind, Membership};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;

/// The member, and what its group must remember.
#[derive(Debug)]
pub(crate) struct Member {
    membership: Membership,
    /// Where it reads on.
    positions: HashMap<Place, i64>,
    commits: HashMap<Place, Committed>,
    chance: Chance,
}

/// Offsets of a partition; -1 before the first.
#[derive(Debug, Clone, Copy)]
struct Committed {
    acknowledged: i64,
    tried: i64,
}

impl Member {
    pub(crate) fn new(number: usize, kind: Kind, chance: Chance) -> Self {
        Self {
            membership: Membership::new(format!("group-{number}"), kind),
            positions: HashMap::new(),
            commits: HashMap::new(),
            chance,
        }
    }

    /// Reads and commits until the connection breaks.
    pub(crate) fn read(
        &mut self,
        address: &str,
        topic: &Topic,
        histories: &Histories,
        told: &Sender<()>,
    ) -> io::Result<Infallible> {
        let mut client = Client::connect(address)?;
        self.membership.beat(&mut client)?;
        self.membership.enter(&mut client, topic)?;
        loop {
            if self.chance.is_one_in(20) {
                self.membership.join(&mut client, topic)?;
            }
            let partition = self.chance.below(topic.partitions as usize) as i32;
            let place = topic.place(partition);
            let position = self.positions.entry(place).or_default();
            // What was read before is looked at again now and then.
            let from = if self.chance.is_one_in(8) { *position / 2 } else { *position };
            let (entries, next) = topic.read(&mut client, partition, from)?;
            entries.iter().for_each(|(offset, entry)| histories.see(place, *offset, *entry));
            *position = next.max(*position);
            if self.chance.is_one_in(2) {
                self.commit(&mut client, topic, partition)?;
            }
            let _ = told.send(());
        }
    }

    fn commit(&mut self, client: &mut Client, topic: &Topic, partition: i32) -> io::Result<()> {
        let place = topic.place(partition);
        let offset = self.positions[&place];
        let committed = self.commits.entry(place).or_insert(Committed { acknowledged: -1, tried: -1 });
        committed.tried = offset;
        let asked = OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: offset,
            ..Default::default()
        };
        let asked = OffsetCommitRequestTopic {
            name: topic.name.as_str().into(),
            partitions: vec![asked],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: self.membership.group.as_str().into(),
            generation_id_or_member_epoch: self.membership.generation,
            member_id: self.membership.id.as_str().into(),
            topics: vec![asked],
            ..Default::default()
        };
        let answer: OffsetCommitResponse = client.call(9, &request)?;
        accept(answer.topics[0].partitions[0].error_code, || format!("committing {offset}"))?;
        committed.acknowledged = offset;
        Ok(())
    }

    /// After a restart: committed is what was acknowledged, or what was on its way.
    pub(crate) fn check(&mut self, client: &mut Client, topic: &Topic) -> io::Result<()> {
        let asked = OffsetFetchRequestTopics {
            name: topic.name.as_str().into(),
            partition_indexes: (0..topic.partitions).collect(),
            ..Default::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: self.membership.group.as_str().into(),
            topics: Some(vec![asked]),
            ..Default::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer: OffsetFetchResponse = client.call(9, &request)?;
        assert_eq!(answer.groups[0].error_code, ErrorCode::NONE);
        for found in &answer.groups[0].topics[0].partitions {
            assert_eq!(found.error_code, ErrorCode::NONE);
            let Some(committed) = self.commits.get_mut(&topic.place(found.partition_index)) else {
                assert_eq!(found.committed_offset, -1, "{} has committed nothing", self.membership.group);
                continue;
            };
            let found = found.committed_offset;
            let is_right = found == committed.acknowledged || found == committed.tried;
            let group = &self.membership.group;
            assert!(is_right, "{group} committed {committed:?} of {topic:?}, found is {found}");
            *committed = Committed { acknowledged: found, tried: found };
        }
        Ok(())
    }
}

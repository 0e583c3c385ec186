//! A consumer group of one member that reads on from what it committed: what was read stays as it was,
//! no committed offset goes back, and the group outlives the broker.

use crate::chance::Chance;
use crate::client::Client;
use crate::history::{Histories, Place};
use crate::log::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;

/// Longer than all that a broker takes to start again.
const SESSION_MS: i32 = 60_000;

/// The member, and what its group must remember.
#[derive(Debug)]
pub(crate) struct Member {
    group: String,
    id: String,
    generation: i32,
    /// Whether the group is stable as far as the member was told.
    is_in: bool,
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
    pub(crate) fn new(number: usize, chance: Chance) -> Self {
        Self {
            group: format!("group-{number}"),
            id: String::new(),
            generation: -1,
            is_in: false,
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
        self.beat(&mut client)?;
        loop {
            if !self.is_in || self.chance.is_one_in(20) {
                self.join(&mut client)?;
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

    /// The group knows its member after a restart as before.
    fn beat(&mut self, client: &mut Client) -> io::Result<()> {
        if !self.is_in {
            return Ok(());
        }
        let request = HeartbeatRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.generation,
            member_id: self.id.as_str().into(),
            ..Default::default()
        };
        let answer: HeartbeatResponse = client.call(4, &request)?;
        assert_eq!(answer.error_code, ErrorCode::NONE, "{self:?} is not known any more");
        Ok(())
    }

    fn join(&mut self, client: &mut Client) -> io::Result<()> {
        self.is_in = false;
        if self.id.is_empty() {
            let answer = self.ask_to_join(client)?;
            assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
            self.id = answer.member_id.to_string();
        }
        let answer = self.ask_to_join(client)?;
        if answer.error_code == ErrorCode::UNKNOWN_MEMBER_ID && self.generation < 0 {
            // An id that was given and not used yet is nothing that a group keeps.
            self.id.clear();
            return self.join(client);
        }
        assert_eq!(answer.error_code, ErrorCode::NONE, "{self:?} cannot join");
        let generation = answer.generation_id;
        assert!(generation >= self.generation, "{self:?} was given the older generation {generation}");
        self.generation = generation;
        let assignment = SyncGroupRequestAssignment {
            member_id: self.id.as_str().into(),
            assignment: b"all".to_vec().into(),
        };
        let request = SyncGroupRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.generation,
            member_id: self.id.as_str().into(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: vec![assignment],
            ..Default::default()
        };
        let answer: SyncGroupResponse = client.call(5, &request)?;
        assert_eq!(answer.error_code, ErrorCode::NONE, "{self:?} is not assigned anything");
        self.is_in = true;
        Ok(())
    }

    fn ask_to_join(&self, client: &mut Client) -> io::Result<JoinGroupResponse> {
        let request = JoinGroupRequest {
            group_id: self.group.as_str().into(),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: SESSION_MS,
            member_id: self.id.as_str().into(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".into(),
                metadata: vec![0, 1, 0, 0, 0, 0, 255, 255, 255, 255].into(),
            }],
            ..Default::default()
        };
        client.call(9, &request)
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
            group_id: self.group.as_str().into(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.as_str().into(),
            topics: vec![asked],
            ..Default::default()
        };
        let answer: OffsetCommitResponse = client.call(9, &request)?;
        assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::NONE, "committing {offset}");
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
            group_id: self.group.as_str().into(),
            topics: Some(vec![asked]),
            ..Default::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer: OffsetFetchResponse = client.call(9, &request)?;
        assert_eq!(answer.groups[0].error_code, ErrorCode::NONE);
        for found in &answer.groups[0].topics[0].partitions {
            assert_eq!(found.error_code, ErrorCode::NONE);
            let Some(committed) = self.commits.get_mut(&topic.place(found.partition_index)) else {
                assert_eq!(found.committed_offset, -1, "{} has committed nothing", self.group);
                continue;
            };
            let found = found.committed_offset;
            let is_right = found == committed.acknowledged || found == committed.tried;
            assert!(is_right, "{} committed {committed:?} of {topic:?}, found is {found}", self.group);
            *committed = Committed { acknowledged: found, tried: found };
        }
        Ok(())
    }
}

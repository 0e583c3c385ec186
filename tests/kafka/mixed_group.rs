//! For tests: a group with members of both protocols, and what they say.

use crate::client::Client;
use crate::group::{Group, join_request, sync_request};
use crate::support::broker::Broker;
use crate::topic::Topic;
use bytes::{BufMut, Bytes};
use callboard_protocol::assignment;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use callboard_protocol::kafka::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use callboard_protocol::kafka::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use callboard_protocol::kafka::join_group::JoinGroupRequest;
use callboard_protocol::kafka::list_groups::{ListGroupsRequest, ListGroupsResponse};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse,
};
use callboard_protocol::kafka::sync_group::SyncGroupResponse;

/// A group, and a topic of three partitions.
pub(crate) struct Trial {
    pub(crate) group: Group,
    pub(crate) topic: Topic,
}

/// A subscription to topics of a consumer that has partitions of the first of them.
pub(crate) fn subscription(version: i16, topics: &[&str], owned: &[i32]) -> Bytes {
    let mut bytes = Vec::new();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.put_i16(text.len() as i16);
        bytes.put_slice(text.as_bytes());
    };
    bytes.put_i16(version);
    bytes.put_i32(topics.len() as i32);
    topics.iter().for_each(|topic| text(&mut bytes, topic));
    bytes.put_i32(-1);
    if version >= 1 {
        bytes.put_i32(i32::from(!owned.is_empty()));
        if !owned.is_empty() {
            text(&mut bytes, topics[0]);
            bytes.put_i32(owned.len() as i32);
            owned.iter().for_each(|partition| bytes.put_i32(*partition));
        }
    }
    if version >= 2 {
        bytes.put_i32(-1);
    }
    if version >= 3 {
        bytes.put_i16(-1);
    }
    bytes.into()
}

impl Trial {
    pub(crate) fn begin(broker: &Broker) -> Self {
        let mut client = Client::connect(broker);
        let topic = Topic::create(&mut client, 3);
        Self { group: Group::new(client), topic }
    }

    /// The same group and topic by another connection.
    pub(crate) fn elsewhere(&self, broker: &Broker) -> Self {
        let group = Group { name: self.group.name.clone(), client: Client::connect(broker) };
        Self { group, topic: Topic { name: self.topic.name.clone(), id: self.topic.id } }
    }

    pub(crate) fn joins(&self, member: &str, owned: &[i32]) -> JoinGroupRequest {
        self.joins_with(member, subscription(3, &[&self.topic.name], owned))
    }

    pub(crate) fn joins_with(&self, member: &str, metadata: Bytes) -> JoinGroupRequest {
        let mut request = join_request(&self.group.name, member);
        request.protocols[0].metadata = metadata;
        request
    }

    /// The generation that a member joins.
    pub(crate) fn join(&mut self, request: &JoinGroupRequest) -> i32 {
        let joined = self.group.join(request);
        assert_eq!(joined.error_code, ErrorCode::NONE);
        joined.generation_id
    }

    /// A classic group with that member, in generation 1, which reads some partitions.
    pub(crate) fn classic(&mut self, joins: JoinGroupRequest, partitions: &[i32]) -> String {
        self.classic_with(joins, assignment::write(3, &vec![self.named(partitions)]).into())
    }

    pub(crate) fn classic_with(&mut self, mut joins: JoinGroupRequest, assignment: Bytes) -> String {
        if joins.group_instance_id.is_none() {
            joins.member_id = self.group.id().into();
        }
        let joined = self.group.join(&joins);
        assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 1));
        let id = joined.member_id.as_str().to_owned();
        let mut syncs = sync_request(&self.group.name, &id, 1, &[&id]);
        syncs.protocol_type = Some(joins.protocol_type.clone());
        syncs.assignments[0].assignment = assignment;
        assert_eq!(self.group.sync(&syncs).error_code, ErrorCode::NONE);
        id
    }

    pub(crate) fn named(&self, partitions: &[i32]) -> (String, Vec<i32>) {
        (self.topic.name.as_str().to_owned(), partitions.to_vec())
    }

    /// What a classic member is told to read, in its order, or the code.
    pub(crate) fn sync(&mut self, member: &str, generation: i32) -> Result<Vec<i32>, i16> {
        self.sync_versioned(member, generation).map(|(_, partitions)| partitions)
    }

    pub(crate) fn sync_versioned(&mut self, member: &str, generation: i32) -> Result<(u8, Vec<i32>), i16> {
        let synced: SyncGroupResponse =
            self.group.sync(&sync_request(&self.group.name, member, generation, &[]));
        if synced.error_code.is_error() {
            return Err(synced.error_code.0);
        }
        let read = assignment::read(&synced.assignment).unwrap();
        let mut partitions: Vec<_> = read.partitions.into_iter().flat_map(|(_, numbers)| numbers).collect();
        partitions.sort_unstable();
        Ok((synced.assignment[1], partitions))
    }

    pub(crate) fn alive(&mut self, member: &str, generation: i32) -> i16 {
        self.group.beat(member, generation).0
    }

    pub(crate) fn enters(&self, member: &str) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            rebalance_timeout_ms: 10_000,
            subscribed_topic_names: Some(vec![self.topic.name.clone()]),
            topic_partitions: Some(Vec::new()),
            ..self.says(member, 0)
        }
    }

    pub(crate) fn says(&self, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: self.group.name.as_str().into(),
            member_id: member.into(),
            member_epoch: epoch,
            ..Default::default()
        }
    }

    /// The epoch of a member that the broker assigns to, and what it is told to have; or the code.
    pub(crate) fn beat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<(i32, Option<Vec<i32>>), i16> {
        let answer: ConsumerGroupHeartbeatResponse = self.group.client.call(1, request);
        if answer.error_code.is_error() {
            return Err(answer.error_code.0);
        }
        let assignment = answer.assignment.map(|assignment| {
            let mut all: Vec<_> =
                assignment.topic_partitions.into_iter().flat_map(|topic| topic.partitions).collect();
            all.sort_unstable();
            all
        });
        Ok((answer.member_epoch, assignment))
    }

    pub(crate) fn describe(&mut self) -> DescribedGroup {
        let group_ids = vec![self.group.name.as_str().into()];
        let request = ConsumerGroupDescribeRequest { group_ids, include_authorized_operations: false };
        let mut answer: ConsumerGroupDescribeResponse = self.group.client.call(1, &request);
        answer.groups.remove(0)
    }

    /// The state and the type that lists tell.
    pub(crate) fn listed(&mut self) -> (String, String) {
        let listed: ListGroupsResponse = self.group.client.call(5, &ListGroupsRequest::default());
        let group = listed.groups.into_iter().find(|it| it.group_id.as_str() == self.group.name).unwrap();
        (group.group_state.into(), group.group_type.into())
    }

    pub(crate) fn classic_state(&mut self) -> String {
        let groups = vec![self.group.name.as_str().into()];
        let request = DescribeGroupsRequest { groups, include_authorized_operations: false };
        let mut answer: DescribeGroupsResponse = self.group.client.call(5, &request);
        answer.groups.remove(0).group_state.into()
    }

    pub(crate) fn commit(&mut self, member: &str, generation: i32, partition: i32) -> i16 {
        let partition = OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: 7,
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: self.topic.name.clone(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: self.group.name.as_str().into(),
            generation_id_or_member_epoch: generation,
            member_id: member.into(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer: OffsetCommitResponse = self.group.client.call(9, &request);
        answer.topics[0].partitions[0].error_code.0
    }

    pub(crate) fn fetch(&mut self, member: &str, epoch: i32) -> i16 {
        let group = OffsetFetchRequestGroup {
            group_id: self.group.name.as_str().into(),
            member_id: Some(member.into()),
            member_epoch: epoch,
            ..Default::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer: OffsetFetchResponse = self.group.client.call(9, &request);
        answer.groups[0].error_code.0
    }
}

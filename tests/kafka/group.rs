//! For tests: a group and the requests of its members, in the newest versions unless a test says otherwise.

use crate::client::Client;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const JOIN: i16 = 9;
pub(crate) const SYNC: i16 = 5;
pub(crate) const COMMIT: i16 = 9;
pub(crate) const FETCH: i16 = 9;

/// A name that no other test has.
pub(crate) fn group_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("group-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What a consumer says of itself: it reads one topic.
pub(crate) fn subscription(topic: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0, 1];
    bytes.extend((topic.len() as u16).to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend([255, 255, 255, 255, 0, 0, 0, 0]);
    bytes
}

pub(crate) fn join_request(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: subscription("orders").into(),
        }],
        ..Default::default()
    }
}

pub(crate) fn sync_request(
    group: &str,
    member: &str,
    generation: i32,
    assigned: &[&str],
) -> SyncGroupRequest {
    let assignment = |member: &&str| SyncGroupRequestAssignment {
        member_id: (*member).into(),
        assignment: format!("for {member}").into_bytes().into(),
    };
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: generation,
        member_id: member.into(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: assigned.iter().map(assignment).collect(),
        ..Default::default()
    }
}

/// A group and a connection to its broker.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) client: Client,
}

impl Group {
    pub(crate) fn new(mut client: Client) -> Self {
        let name = group_name();
        let coordinator_keys = vec![name.as_str().into()];
        let request = FindCoordinatorRequest { coordinator_keys, ..Default::default() };
        // Kafka takes a moment to make the topic behind it.
        let is_found = |answer: FindCoordinatorResponse| !answer.coordinators[0].error_code.is_error();
        while !is_found(client.call(6, &request)) {}
        Self { name, client }
    }

    /// An id that a new member is given.
    pub(crate) fn id(&mut self) -> String {
        let answer = self.join(&join_request(&self.name, ""));
        assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
        answer.member_id.into()
    }

    pub(crate) fn join(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        self.client.call(JOIN, request)
    }

    pub(crate) fn sync(&mut self, request: &SyncGroupRequest) -> SyncGroupResponse {
        self.client.call(SYNC, request)
    }

    /// A stable group of one member. Answers its id; the generation is 1.
    pub(crate) fn stable(&mut self) -> String {
        let id = self.id();
        let joined = self.join(&join_request(&self.name, &id));
        assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 1));
        let synced = self.sync(&sync_request(&self.name, &id, 1, &[&id]));
        assert_eq!(synced.error_code, ErrorCode::NONE);
        id
    }

    pub(crate) fn beat(&mut self, member: &str, generation: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: self.name.as_str().into(),
            generation_id: generation,
            member_id: member.into(),
            ..Default::default()
        };
        self.client.call::<_, HeartbeatResponse>(4, &request).error_code
    }

    pub(crate) fn leave(&mut self, member: &str) -> ErrorCode {
        let members = vec![MemberIdentity { member_id: member.into(), ..Default::default() }];
        let request =
            LeaveGroupRequest { group_id: self.name.as_str().into(), members, ..Default::default() };
        let answer: LeaveGroupResponse = self.client.call(5, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        answer.members[0].error_code
    }

    pub(crate) fn commit(&mut self, member: &str, generation: i32, topic: &str, offset: i64) -> ErrorCode {
        self.commit_in(COMMIT, member, generation, topic, offset)
    }

    pub(crate) fn commit_in(
        &mut self,
        version: i16,
        member: &str,
        generation: i32,
        topic: &str,
        offset: i64,
    ) -> ErrorCode {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topic = OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: self.name.as_str().into(),
            generation_id_or_member_epoch: generation,
            member_id: member.into(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer: OffsetCommitResponse = self.client.call(version, &request);
        answer.topics[0].partitions[0].error_code
    }

    /// The committed offset of partition 0 of a topic.
    pub(crate) fn committed(&mut self, topic: &str) -> i64 {
        let topics = vec![OffsetFetchRequestTopics {
            name: topic.into(),
            partition_indexes: vec![0],
            ..Default::default()
        }];
        let group = OffsetFetchRequestGroup {
            group_id: self.name.as_str().into(),
            topics: Some(topics),
            ..Default::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer: OffsetFetchResponse = self.client.call(FETCH, &request);
        assert_eq!(answer.groups[0].error_code, ErrorCode::NONE);
        answer.groups[0].topics[0].partitions[0].committed_offset
    }
}

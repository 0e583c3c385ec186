//! A client of groups in a few lines, for members that cost the machine little.

use crate::connection::Connection;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};

const JOIN: i16 = 9;
const SYNC: i16 = 5;
const HEARTBEAT: i16 = 4;
const COMMIT: i16 = 9;

/// Bytes that a leader assigns to each member: as many as a handful of partitions take.
const ASSIGNMENT: &[u8] = &[0; 64];

/// A client of groups.
#[derive(Debug)]
pub struct Client(Connection);

/// A member of a group in a generation.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// The group's generation in which it is a member.
    pub generation: i32,
    /// All members' ids, for the leader.
    pub all: Vec<String>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn connect(address: &str) -> Result<Self> {
        Connection::open(address).map(Self)
    }

    /// Asks for the coordinator, by which other brokers make the topic behind it.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn find_coordinator(&mut self, group: &str) -> Result<()> {
        let request = FindCoordinatorRequest { coordinator_keys: vec![group.into()], ..Default::default() };
        self.0.call::<_, FindCoordinatorResponse>(6, &request).map(drop)
    }

    /// An id for a new member.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn id(&mut self, group: &str) -> Result<String> {
        let answer: JoinGroupResponse = self.0.call(JOIN, &join(group, ""))?;
        ensure!(answer.error_code == ErrorCode::MEMBER_ID_REQUIRED, "{}", answer.error_code);
        Ok(answer.member_id.into())
    }

    /// Waits until all have joined.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn join(&mut self, group: &str, id: &str) -> Result<Member> {
        let answer: JoinGroupResponse = self.0.call(JOIN, &join(group, id))?;
        ensure!(answer.error_code == ErrorCode::NONE, "join: {}", answer.error_code);
        let all = answer.members.iter().map(|member| String::from(&member.member_id)).collect();
        Ok(Member { id: id.to_owned(), generation: answer.generation_id, all })
    }

    /// Waits for the leader's assignment; the leader makes it.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn sync(&mut self, group: &str, member: &Member) -> Result<()> {
        let assignment = |id: &String| SyncGroupRequestAssignment {
            member_id: id.as_str().into(),
            assignment: Bytes::from_static(ASSIGNMENT),
        };
        let request = SyncGroupRequest {
            group_id: group.into(),
            generation_id: member.generation,
            member_id: member.id.as_str().into(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: member.all.iter().map(assignment).collect(),
            ..Default::default()
        };
        let answer: SyncGroupResponse = self.0.call(SYNC, &request)?;
        ensure!(answer.error_code == ErrorCode::NONE, "sync: {}", answer.error_code);
        Ok(())
    }

    /// Whether the group is as it was.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn beat(&mut self, group: &str, member: &Member) -> Result<bool> {
        let request = HeartbeatRequest {
            group_id: group.into(),
            generation_id: member.generation,
            member_id: member.id.as_str().into(),
            ..Default::default()
        };
        let answer: HeartbeatResponse = self.0.call(HEARTBEAT, &request)?;
        Ok(answer.error_code == ErrorCode::NONE)
    }

    /// Commits an offset from outside of any group.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn commit(&mut self, group: &str, topic: &str, offset: i64) -> Result<()> {
        self.send_commit(group, topic, offset)?;
        self.committed()
    }

    /// Commits an offset, and does not wait.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn send_commit(&mut self, group: &str, topic: &str, offset: i64) -> Result<()> {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topic = OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request =
            OffsetCommitRequest { group_id: group.into(), topics: vec![topic], ..Default::default() };
        self.0.send(COMMIT, &request)
    }

    /// Waits until what was sent is committed.
    ///
    /// # Errors
    /// When the connection ends, or the broker refuses.
    pub fn committed(&mut self) -> Result<()> {
        let answer: OffsetCommitResponse = self.0.receive(COMMIT)?;
        let code = answer.topics.first().and_then(|topic| topic.partitions.first()).context("no answer")?;
        ensure!(code.error_code == ErrorCode::NONE, "commit: {}", code.error_code);
        Ok(())
    }
}

fn join(group: &str, id: &str) -> JoinGroupRequest {
    let metadata = Bytes::from_static(b"\0\x01\0\0\0\x01\0\x06groups\xff\xff\xff\xff\0\0\0\0");
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 300_000,
        rebalance_timeout_ms: 300_000,
        member_id: id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), metadata }],
        ..Default::default()
    }
}

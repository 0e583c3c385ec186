//! A Kafka client in a few lines, for members that cost the machine little.

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
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use std::io::{Read, Write};
use std::net::TcpStream;

const JOIN: i16 = 9;
const SYNC: i16 = 5;
const HEARTBEAT: i16 = 4;
const COMMIT: i16 = 9;

/// Bytes that a leader assigns to each member: as many as a handful of partitions take.
const ASSIGNMENT: &[u8] = &[0; 64];

/// A connection.
pub struct Client(TcpStream);

/// A member of a group in a generation.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: String,
    pub generation: i32,
    /// All members' ids, for the leader.
    pub all: Vec<String>,
}

impl Client {
    pub fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    fn call<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> Result<A> {
        self.send(version, request)?;
        self.receive(version)
    }

    fn send<Q: Message>(&mut self, version: i16, request: &Q) -> Result<()> {
        let header =
            RequestHeader { api_key: Q::API_KEY, api_version: version, correlation_id: 1, client_id: None };
        let mut writer = Writer::frame();
        header.encode(&mut writer, Q::is_flexible(version))?;
        request.encode(&mut writer, version)?;
        Ok(self.0.write_all(&writer.finish_frame()?.concat())?)
    }

    fn receive<A: Message>(&mut self, version: i16) -> Result<A> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length))?];
        self.0.read_exact(&mut frame)?;
        let mut reader = Reader::new(frame.into());
        ResponseHeader::decode(
            &mut reader,
            ResponseHeader::is_flexible(A::API_KEY, A::is_flexible(version)),
        )?;
        Ok(A::decode(&mut reader, version)?)
    }

    /// Asks for the coordinator, by which other brokers make the topic behind it.
    pub fn find_coordinator(&mut self, group: &str) -> Result<()> {
        let request = FindCoordinatorRequest { coordinator_keys: vec![group.into()], ..Default::default() };
        self.call::<_, FindCoordinatorResponse>(6, &request).map(drop)
    }

    /// An id for a new member.
    pub fn id(&mut self, group: &str) -> Result<String> {
        let answer: JoinGroupResponse = self.call(JOIN, &join(group, ""))?;
        ensure!(answer.error_code == ErrorCode::MEMBER_ID_REQUIRED, "{}", answer.error_code);
        Ok(answer.member_id.into())
    }

    /// Waits until all have joined.
    pub fn join(&mut self, group: &str, id: &str) -> Result<Member> {
        let answer: JoinGroupResponse = self.call(JOIN, &join(group, id))?;
        ensure!(answer.error_code == ErrorCode::NONE, "join: {}", answer.error_code);
        let all = answer.members.iter().map(|member| String::from(&member.member_id)).collect();
        Ok(Member { id: id.to_owned(), generation: answer.generation_id, all })
    }

    /// Waits for the leader's assignment; the leader makes it.
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
        let answer: SyncGroupResponse = self.call(SYNC, &request)?;
        ensure!(answer.error_code == ErrorCode::NONE, "sync: {}", answer.error_code);
        Ok(())
    }

    /// Whether the group is as it was.
    pub fn beat(&mut self, group: &str, member: &Member) -> Result<bool> {
        let request = HeartbeatRequest {
            group_id: group.into(),
            generation_id: member.generation,
            member_id: member.id.as_str().into(),
            ..Default::default()
        };
        let answer: HeartbeatResponse = self.call(HEARTBEAT, &request)?;
        Ok(answer.error_code == ErrorCode::NONE)
    }

    /// Commits an offset from outside of any group.
    pub fn commit(&mut self, group: &str, topic: &str, offset: i64) -> Result<()> {
        self.send_commit(group, topic, offset)?;
        self.committed()
    }

    /// Commits an offset, and does not wait.
    pub fn send_commit(&mut self, group: &str, topic: &str, offset: i64) -> Result<()> {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topic = OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request =
            OffsetCommitRequest { group_id: group.into(), topics: vec![topic], ..Default::default() };
        self.send(COMMIT, &request)
    }

    /// Waits until what was sent is committed.
    pub fn committed(&mut self) -> Result<()> {
        let answer: OffsetCommitResponse = self.receive(COMMIT)?;
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

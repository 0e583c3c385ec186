//! Being the one member of a group, of either kind: what the group told its member holds after a restart.

use crate::client::{Client, accept};
use crate::log::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use std::io;

/// Longer than all that a broker takes to start again.
const SESSION_MS: i32 = 60_000;

/// Who assigns partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A member.
    Classic,
    /// The broker.
    Consumer,
}

/// What a member and its group know of each other.
#[derive(Debug)]
pub(crate) struct Membership {
    kind: Kind,
    pub(crate) group: String,
    pub(crate) id: String,
    /// Or the member's epoch.
    pub(crate) generation: i32,
    /// Whether the member is in the group as far as it was told.
    is_in: bool,
}

impl Membership {
    pub(crate) fn new(group: String, kind: Kind) -> Self {
        Self { kind, group, id: String::new(), generation: -1, is_in: false }
    }

    /// Is in the group, without a word if it is already.
    pub(crate) fn enter(&mut self, client: &mut Client, topic: &Topic) -> io::Result<()> {
        if self.is_in { Ok(()) } else { self.join(client, topic) }
    }

    /// Joins, again if it is in already.
    pub(crate) fn join(&mut self, client: &mut Client, topic: &Topic) -> io::Result<()> {
        self.is_in = false;
        let generation = match self.kind {
            Kind::Classic => self.join_classic(client)?,
            Kind::Consumer => self.join_consumer(client, topic)?,
        };
        assert!(generation >= self.generation, "{self:?} was given the older generation {generation}");
        self.generation = generation;
        if self.kind == Kind::Classic {
            self.sync(client)?;
        }
        self.is_in = true;
        Ok(())
    }

    /// The group knows its member after a restart as before.
    pub(crate) fn beat(&mut self, client: &mut Client) -> io::Result<()> {
        if !self.is_in {
            return Ok(());
        }
        match self.kind {
            Kind::Classic => self.beat_classic(client),
            Kind::Consumer => self.beat_consumer(client),
        }
    }

    fn beat_classic(&self, client: &mut Client) -> io::Result<()> {
        let request = HeartbeatRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.generation,
            member_id: self.id.as_str().into(),
            ..Default::default()
        };
        let answer: HeartbeatResponse = client.call(4, &request)?;
        accept(answer.error_code, || format!("{self:?} is not known any more"))
    }

    fn beat_consumer(&mut self, client: &mut Client) -> io::Result<()> {
        let request = ConsumerGroupHeartbeatRequest {
            group_id: self.group.as_str().into(),
            member_id: self.id.as_str().into(),
            member_epoch: self.generation,
            ..Default::default()
        };
        let answer: ConsumerGroupHeartbeatResponse = client.call(1, &request)?;
        accept(answer.error_code, || format!("{self:?} is not known any more"))?;
        assert!(answer.member_epoch >= self.generation, "{self:?} was given an older epoch: {answer:?}");
        self.generation = answer.member_epoch;
        Ok(())
    }

    fn join_consumer(&mut self, client: &mut Client, topic: &Topic) -> io::Result<i32> {
        self.id = format!("{}-member", self.group);
        let request = ConsumerGroupHeartbeatRequest {
            group_id: self.group.as_str().into(),
            member_id: self.id.as_str().into(),
            rebalance_timeout_ms: SESSION_MS,
            subscribed_topic_names: Some(vec![topic.name.as_str().into()]),
            topic_partitions: Some(Vec::new()),
            ..Default::default()
        };
        let answer: ConsumerGroupHeartbeatResponse = client.call(1, &request)?;
        accept(answer.error_code, || format!("{self:?} cannot join"))?;
        Ok(answer.member_epoch)
    }

    fn join_classic(&mut self, client: &mut Client) -> io::Result<i32> {
        if self.id.is_empty() {
            let answer = self.ask_to_join(client)?;
            if answer.error_code != ErrorCode::MEMBER_ID_REQUIRED {
                accept(answer.error_code, || format!("{self:?} asks for an id"))?;
            }
            self.id = answer.member_id.to_string();
        }
        let answer = self.ask_to_join(client)?;
        if answer.error_code == ErrorCode::UNKNOWN_MEMBER_ID && self.generation < 0 {
            // An id that was given and not used yet is nothing that a group keeps.
            self.id.clear();
            return self.join_classic(client);
        }
        accept(answer.error_code, || format!("{self:?} cannot join"))?;
        Ok(answer.generation_id)
    }

    fn sync(&self, client: &mut Client) -> io::Result<()> {
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
        accept(answer.error_code, || format!("{self:?} is not assigned anything"))
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
}

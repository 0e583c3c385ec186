//! Rows of groups: members and what they agreed on, and committed offsets.

use super::damaged;
use crate::error::Result;
use crate::keys::Table;
use bytes::{Buf, BufMut};

/// How far a group has read in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetRow {
    /// The offset as it was committed; nobody checks it.
    pub offset: i64,
    /// The leader epoch that came with it, or -1.
    pub leader_epoch: i32,
    /// What the client wrote beside it.
    pub metadata: String,
    /// When it was committed, in milliseconds since 1970.
    pub committed_at_ms: i64,
    /// When it may be forgotten, where the client said so.
    pub expires_at_ms: Option<i64>,
}

/// The format byte before a committed offset.
const OFFSET_FORMAT: u8 = 1;

impl OffsetRow {
    /// The row of [`Table::Offsets`].
    pub fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(30 + self.metadata.len());
        value.put_u8(OFFSET_FORMAT);
        value.put_i64(self.offset);
        value.put_i32(self.leader_epoch);
        value.put_i64(self.committed_at_ms);
        value.put_u8(self.expires_at_ms.is_some().into());
        value.put_i64(self.expires_at_ms.unwrap_or_default());
        value.put_slice(self.metadata.as_bytes());
        value
    }

    /// Reads a row of [`Table::Offsets`].
    ///
    /// # Errors
    /// [`crate::Error::Value`] when it is damaged or of another format.
    pub fn decode(mut value: &[u8]) -> Result<Self> {
        let mut read = || -> Option<Self> {
            let format = value.try_get_u8().ok()?;
            let (offset, leader_epoch) = (value.try_get_i64().ok()?, value.try_get_i32().ok()?);
            let committed_at_ms = value.try_get_i64().ok()?;
            let expires = value.try_get_u8().ok()? == 1;
            let expires_at_ms = Some(value.try_get_i64().ok()?).filter(|_| expires);
            let metadata = str::from_utf8(value).ok()?.to_owned();
            let row = Self { offset, leader_epoch, metadata, committed_at_ms, expires_at_ms };
            (format == OFFSET_FORMAT).then_some(row)
        };
        read().ok_or(damaged(Table::Offsets))
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum GroupRow {
    /// One of the classic protocol, or one that has nothing but committed offsets.
    Classic(ClassicGroupRow),
    /// One whose members the broker assigns to (KIP-848). Each has a row of its own.
    Consumer(ConsumerGroupRow),
}

/// A group whose members the broker assigns to.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ConsumerGroupRow {
    /// How often something changed that asks for another assignment.
    pub epoch: i32,
    /// What the subscribed topics are, in short.
    pub topics_hash: u64,
    /// The epoch for which there is a target assignment.
    pub assignment_epoch: i32,
    /// When that was made, in milliseconds since 1970; 0 for never.
    pub assigned_at_ms: i64,
    /// Whether it has members.
    pub has_members: bool,
}

/// Partitions of a topic, by the topic's id: each with the epoch in which its member got it.
pub type OwnedRow = Vec<(u128, Vec<(i32, i32)>)>;

/// A member of a group that the broker assigns to.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ConsumerMemberRow {
    /// The name that a static member keeps.
    pub instance: Option<String>,
    /// The place that it stands in.
    pub rack: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// The topics that it subscribes to by name.
    pub topics: Vec<String>,
    /// The pattern of those that it subscribes to beside them.
    pub pattern: Option<String>,
    /// How long it may take to give partitions up, in milliseconds.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it wants.
    pub assignor: Option<String>,
    /// The epoch that it has come to.
    pub epoch: i32,
    /// The one before.
    pub previous_epoch: i32,
    /// How far it is on the way to its target: 0 there, 1 giving up, 2 waiting for others.
    pub progress: u8,
    /// What it has.
    pub assigned: OwnedRow,
    /// What it is to give up.
    pub revoking: OwnedRow,
    /// What it is to have.
    pub target: Vec<(u128, Vec<i32>)>,
    /// What it says as a member of the classic protocol; none where it is not.
    pub classic: Option<ClassicRow>,
}

/// What a member of the classic protocol says in a group that the broker assigns to.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ClassicRow {
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: u64,
    /// The assignment protocols that it knows, with its data for each; the best one first.
    pub protocols: Vec<(String, Vec<u8>)>,
}

/// A member of a group that the broker assigns to, as it was written before members of the classic
/// protocol could be in such a group.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ConsumerMemberRowV1 {
    /// The name that a static member keeps.
    pub instance: Option<String>,
    /// The place that it stands in.
    pub rack: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// The topics that it subscribes to by name.
    pub topics: Vec<String>,
    /// The pattern of those that it subscribes to beside them.
    pub pattern: Option<String>,
    /// How long it may take to give partitions up, in milliseconds.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it wants.
    pub assignor: Option<String>,
    /// The epoch that it has come to.
    pub epoch: i32,
    /// The one before.
    pub previous_epoch: i32,
    /// How far it is on the way to its target: 0 there, 1 giving up, 2 waiting for others.
    pub progress: u8,
    /// What it has.
    pub assigned: OwnedRow,
    /// What it is to give up.
    pub revoking: OwnedRow,
    /// What it is to have.
    pub target: Vec<(u128, Vec<i32>)>,
}

impl From<ConsumerMemberRowV1> for ConsumerMemberRow {
    fn from(row: ConsumerMemberRowV1) -> Self {
        Self {
            instance: row.instance,
            rack: row.rack,
            client_id: row.client_id,
            client_host: row.client_host,
            topics: row.topics,
            pattern: row.pattern,
            rebalance_timeout_ms: row.rebalance_timeout_ms,
            assignor: row.assignor,
            epoch: row.epoch,
            previous_epoch: row.previous_epoch,
            progress: row.progress,
            assigned: row.assigned,
            revoking: row.revoking,
            target: row.target,
            classic: None,
        }
    }
}

impl ConsumerMemberRow {
    /// Reads a stored value of any format.
    ///
    /// # Errors
    /// [`crate::Error::Value`](crate::Error::Value) when it is damaged or of a format that is not known.
    pub fn decode_any(value: &[u8]) -> Result<Self> {
        match value.first() {
            Some(&ConsumerMemberRowV1::FORMAT) => ConsumerMemberRowV1::decode(value).map(Self::from),
            Some(_) | None => Self::decode(value),
        }
    }
}

/// How far the members of a classic group have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Phase {
    /// There are none.
    Empty,
    /// They have joined, and wait for the leader's assignment.
    Completing,
    /// They have their assignments.
    Stable,
    /// They have assignments of before, and are to join again.
    Preparing,
}

/// A group of the classic protocol.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ClassicGroupRow {
    /// What its members are, as `consumer`; none when it never had any.
    pub protocol_type: Option<String>,
    /// How often it was joined.
    pub generation: i32,
    /// The assignment protocol that was chosen.
    pub protocol: Option<String>,
    /// The member that assigns.
    pub leader: Option<String>,
    /// How far the members have come.
    pub phase: Phase,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// The members.
    pub members: Vec<ClassicMemberRow>,
}

/// A member of a classic group.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ClassicMemberRow {
    /// Its id.
    pub id: String,
    /// The name that a static member keeps.
    pub instance: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// How long it may be silent, in milliseconds.
    pub session_timeout_ms: u64,
    /// How long it may take to join again, in milliseconds.
    pub rebalance_timeout_ms: u64,
    /// The assignment protocols that it knows, with its data for each; the best one first.
    pub protocols: Vec<(String, Vec<u8>)>,
    /// What the leader assigned to it.
    pub assignment: Vec<u8>,
}

rkyv_value!(GroupRow, Table::Groups, 1);
rkyv_value!(ConsumerMemberRowV1, Table::Groups, 1);
rkyv_value!(ConsumerMemberRow, Table::Groups, 2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_offsets() {
        let metadata = "hi".to_owned();
        let offset =
            OffsetRow { offset: 7, leader_epoch: -1, metadata, committed_at_ms: 5, expires_at_ms: None };
        let bytes = [
            1, 0, 0, 0, 0, 0, 0, 0, 7, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            b'h', b'i',
        ];
        assert_eq!(offset.encode(), bytes);
        assert_eq!(OffsetRow::decode(&bytes).unwrap(), offset);
        let expiring = OffsetRow { expires_at_ms: Some(0), ..offset };
        assert_eq!(OffsetRow::decode(&expiring.encode()).unwrap(), expiring);
        assert!(OffsetRow::decode(&bytes[..29]).is_err() && OffsetRow::decode(&bytes[1..]).is_err());
    }

    #[test]
    fn a_member_of_the_first_format_is_read_as_one_that_is_not_classic() {
        let old = ConsumerMemberRowV1 {
            instance: None,
            rack: Some("r".into()),
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            topics: vec!["t".into()],
            pattern: None,
            rebalance_timeout_ms: 1,
            assignor: None,
            epoch: 2,
            previous_epoch: 1,
            progress: 0,
            assigned: vec![(7, vec![(0, 2)])],
            revoking: Vec::new(),
            target: vec![(7, vec![0])],
        };
        let row = ConsumerMemberRow::decode_any(&old.encode().unwrap()).unwrap();
        assert_eq!(row, ConsumerMemberRow::from(old));
        assert_eq!(row.classic, None);
        let new = ConsumerMemberRow {
            classic: Some(ClassicRow { session_timeout_ms: 3, protocols: vec![("range".into(), vec![1])] }),
            ..row
        };
        assert_eq!(ConsumerMemberRow::decode_any(&new.encode().unwrap()).unwrap(), new);
        assert!(ConsumerMemberRow::decode_any(&[3]).is_err() && ConsumerMemberRow::decode_any(&[]).is_err());
    }

    #[test]
    fn rows_of_groups_read_back() {
        let member = ClassicMemberRow {
            id: "m".into(),
            instance: Some("i".into()),
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            session_timeout_ms: 1,
            rebalance_timeout_ms: 2,
            protocols: vec![("range".into(), vec![0, 1])],
            assignment: vec![2],
        };
        let group = GroupRow::Classic(ClassicGroupRow {
            protocol_type: Some("consumer".into()),
            generation: 3,
            protocol: Some("range".into()),
            leader: Some("m".into()),
            phase: Phase::Stable,
            since_ms: 4,
            members: vec![member],
        });
        let value = group.encode().unwrap();
        assert_eq!(GroupRow::decode(&value).unwrap(), group);
        assert!(GroupRow::decode(&value[1..]).is_err());
    }
}

//! A group as rows, and back after a restart: members go on in their epochs, with their whole session
//! timeouts before them.

use super::member::{ClassicPart, Member, Progress};
use super::state::{ConsumerGroupState, Owned, Timer};
use crate::group::members::Protocol;
use crate::group::state::Now;
use crate::names::MemberId;
use bytes::Bytes;
use callboard_storage::TopicId;
use callboard_storage::values::{ClassicRow, ConsumerGroupRow, ConsumerMemberRow, OwnedRow};
use std::time::Duration;
use uuid::Uuid;

impl ConsumerGroupState {
    pub(crate) fn to_row(&self) -> ConsumerGroupRow {
        ConsumerGroupRow {
            epoch: self.epoch,
            topics_hash: self.topics_hash,
            assignment_epoch: self.assignment_epoch,
            assigned_at_ms: self.assigned_at_ms,
            has_members: !self.members.is_empty(),
        }
    }

    pub(super) fn restore(&mut self, row: &ConsumerGroupRow) {
        self.epoch = row.epoch;
        self.topics_hash = row.topics_hash;
        self.assignment_epoch = row.assignment_epoch;
        self.assigned_at_ms = row.assigned_at_ms;
    }

    pub(super) fn restore_member(&mut self, id: &MemberId, row: ConsumerMemberRow, now: Now) {
        let member = Member::from(row);
        if let Some(pattern) = &member.pattern {
            // It was one when its member came with it, by the rules of then.
            if let Err(error) = self.patterns.take(pattern) {
                tracing::warn!(member = %id, pattern, ?error, "a stored pattern of topics is none any more");
            }
        }
        let (progress, epoch) = (member.progress, member.epoch);
        let (is_classic, timeout_ms) = (member.classic.is_some(), member.rebalance_timeout_ms);
        self.put(id, member);
        if progress == Progress::Revoking {
            let end = now.instant + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
            if is_classic {
                self.deadlines.set(Timer::Join(id.clone()), end);
            } else {
                self.deadlines.set(Timer::Revocation(id.clone()), end);
                self.revoking_since.insert(id.clone(), epoch);
            }
        }
        self.start_session(id, now);
    }
}

impl From<&Member> for ConsumerMemberRow {
    fn from(member: &Member) -> Self {
        Self {
            instance: member.instance.as_deref().map(str::to_owned),
            rack: member.rack.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            topics: member.topics.iter().cloned().collect(),
            pattern: member.pattern.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            assignor: member.assignor.clone(),
            epoch: member.epoch,
            previous_epoch: member.previous_epoch,
            progress: match member.progress {
                Progress::Stable => 0,
                Progress::Revoking => 1,
                Progress::Waiting => 2,
            },
            assigned: owned_row(&member.assigned),
            revoking: owned_row(&member.revoking),
            target: member
                .target
                .iter()
                .map(|(topic, partitions)| (topic.0.as_u128(), partitions.iter().copied().collect()))
                .collect(),
            classic: member.classic.as_ref().map(ClassicRow::from),
        }
    }
}

impl From<ConsumerMemberRow> for Member {
    fn from(row: ConsumerMemberRow) -> Self {
        Self {
            instance: row.instance.as_deref().map(Into::into),
            rack: row.rack,
            client_id: row.client_id,
            client_host: row.client_host,
            topics: row.topics.into_iter().collect(),
            pattern: row.pattern,
            rebalance_timeout_ms: row.rebalance_timeout_ms,
            assignor: row.assignor,
            epoch: row.epoch,
            previous_epoch: row.previous_epoch,
            progress: match row.progress {
                1 => Progress::Revoking,
                2 => Progress::Waiting,
                _ => Progress::Stable,
            },
            assigned: owned(row.assigned),
            revoking: owned(row.revoking),
            target: row
                .target
                .into_iter()
                .map(|(topic, partitions)| (id(topic), partitions.into_iter().collect()))
                .collect(),
            classic: row.classic.map(ClassicPart::from),
        }
    }
}

impl From<&ClassicPart> for ClassicRow {
    fn from(part: &ClassicPart) -> Self {
        let protocol = |protocol: &Protocol| (protocol.name.clone(), protocol.metadata.to_vec());
        Self {
            session_timeout_ms: u64::try_from(part.session_timeout.as_millis()).unwrap_or(u64::MAX),
            protocols: part.protocols.iter().map(protocol).collect(),
        }
    }
}

impl From<ClassicRow> for ClassicPart {
    fn from(row: ClassicRow) -> Self {
        let protocol = |(name, metadata)| Protocol { name, metadata: Bytes::from(metadata) };
        Self {
            session_timeout: Duration::from_millis(row.session_timeout_ms),
            protocols: row.protocols.into_iter().map(protocol).collect(),
        }
    }
}

fn id(topic: u128) -> TopicId {
    TopicId(Uuid::from_u128(topic))
}

fn owned_row(owned: &Owned) -> OwnedRow {
    let of_topic = |(topic, partitions): (&TopicId, &std::collections::BTreeMap<i32, i32>)| {
        (topic.0.as_u128(), partitions.iter().map(|(partition, epoch)| (*partition, *epoch)).collect())
    };
    owned.iter().map(of_topic).collect()
}

fn owned(row: OwnedRow) -> Owned {
    row.into_iter().map(|(topic, partitions)| (id(topic), partitions.into_iter().collect())).collect()
}

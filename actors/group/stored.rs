//! A group as a row, and back after a restart.
//!
//! A generation is stored when it begins and when its assignments are there; a restart finds a group that
//! prepares a rebalance as it was before. After a restart its members are as they were, with their
//! whole session timeouts before them.

use super::members::{Member, Protocol};
use super::state::{ClassicGroup, Now, State, Timer};
use crate::config::GroupSettings;
use crate::names::MemberId;
use bytes::Bytes;
use callboard_storage::values::{ClassicGroupRow, ClassicMemberRow, Phase};
use std::sync::Arc;
use std::time::Duration;

impl ClassicGroup {
    /// The group as a row.
    pub(super) fn to_row(&self) -> ClassicGroupRow {
        // In its first join phase it is stored when somebody commits, as if nobody were in it.
        let is_forming = self.state() == State::PreparingRebalance && self.generation == 0;
        let members = self.members.iter().filter(|_| !is_forming).map(|(id, member)| ClassicMemberRow {
            id: id.to_string(),
            instance: member.instance.as_deref().map(str::to_owned),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            session_timeout_ms: millis(member.session_timeout),
            rebalance_timeout_ms: millis(member.rebalance_timeout),
            protocols: member.protocols.iter().map(|it| (it.name.clone(), it.metadata.to_vec())).collect(),
            assignment: member.assignment.to_vec(),
        });
        ClassicGroupRow {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.as_deref().map(str::to_owned),
            phase: match self.state() {
                State::Empty => Phase::Empty,
                _ if is_forming => Phase::Empty,
                State::PreparingRebalance | State::CompletingRebalance => Phase::Completing,
                State::Stable => Phase::Stable,
            },
            since_ms: self.since_ms(),
            members: members.collect(),
        }
    }

    /// A group from its row.
    pub(super) fn from_row(row: ClassicGroupRow, settings: Arc<GroupSettings>, now: Now) -> Self {
        // Preparing is a move that begins with what was stable.
        let is_preparing = row.phase == Phase::Preparing;
        let state = if is_preparing { State::Stable } else { State::from(row.phase) };
        let mut group = Self::in_state(settings, state, row.since_ms);
        group.protocol_type = row.protocol_type;
        group.generation = row.generation;
        group.leader = row.leader.as_deref().map(Into::into);
        for member in row.members {
            group.restore(member, now);
        }
        group.protocol = row.protocol.or_else(|| group.members.vote());
        if state == State::CompletingRebalance {
            group.unsynced = group.members.ids().into_iter().collect();
            group.deadlines.set(Timer::Sync, now.instant + group.members.rebalance_timeout());
        }
        group.read_subscriptions();
        if group.members.len() > group.settings.members_max {
            group.rebalance(now, "the group has more members than it may");
        }
        if is_preparing {
            group.rebalance(now, "the broker has assigned until now");
        }
        group
    }

    fn restore(&mut self, row: ClassicMemberRow, now: Now) {
        let protocol = |(name, metadata)| Protocol { name, metadata: Bytes::from(metadata) };
        let id = MemberId::from(row.id.as_str());
        let member = Member {
            instance: row.instance.as_deref().map(Into::into),
            client_id: row.client_id,
            client_host: row.client_host,
            session_timeout: Duration::from_millis(row.session_timeout_ms),
            rebalance_timeout: Duration::from_millis(row.rebalance_timeout_ms),
            protocols: row.protocols.into_iter().map(protocol).collect(),
            assignment: Bytes::from(row.assignment),
            join: None,
            sync: None,
            is_new: false,
        };
        self.members.insert(id.clone(), member);
        self.hear(&id, now);
    }
}

impl From<Phase> for State {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Empty => Self::Empty,
            Phase::Completing => Self::CompletingRebalance,
            Phase::Stable => Self::Stable,
            Phase::Preparing => Self::PreparingRebalance,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

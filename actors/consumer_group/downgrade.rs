//! Downgrade: a group that the broker assigned to becomes a classic one, when only classic members are left.

use super::ConsumerGroup;
use super::assignors::Target;
use super::member::{ClassicPart, Member};
use super::state::ConsumerGroupState;
use crate::broker::topics::Topics;
use crate::clock;
use crate::coordinator::groups::Summary;
use crate::group::CONSUMER;
use crate::group_store;
use crate::names::MemberId;
use actix::{ActorContext, Context};
use callboard_protocol::subscription::NamedPartitions;
use callboard_protocol::{assignment, subscription};
use callboard_storage::values::{ClassicGroupRow, ClassicMemberRow, ClassicRow, GroupRow, Phase};

/// How the classic group begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Downgrade {
    /// Its generation.
    pub(super) generation: i32,
    /// Whether its members go on with what they are to have, or join again.
    pub(super) phase: Phase,
}

impl ConsumerGroup {
    /// Ends the actor in favour of one of a classic group with the same members.
    pub(super) fn become_classic(&mut self, downgrade: Downgrade, ctx: &mut Context<Self>) {
        let row = GroupRow::Classic(self.state.to_classic(downgrade, &self.topics.load(), clock::wall_ms()));
        let value = match row.encode() {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(%error, group = %self.store.slot.id, "the group cannot be stored");
                ctx.stop();
                return;
            }
        };
        tracing::info!(group = %self.store.slot.id, "only classic members are left: the group is a classic one");
        let changes = std::mem::take(&mut self.state.changes);
        for id in self.state.members.keys().chain(&changes.members) {
            self.store.put_member(id, None);
        }
        self.store.put(Some(value));
        let answers = std::mem::take(&mut self.state.answers);
        group_store::hand_over(self, Summary::of(&row), answers, (), ctx);
    }
}

impl ConsumerGroupState {
    /// Whether the group is to become a classic one, now that members have gone.
    pub(super) fn is_to_downgrade(&self) -> bool {
        !self.members.is_empty()
            && self.settings.migration.downgrade
            && self.members.len() <= self.settings.members_max
            && self.members.values().all(|member| member.classic.is_some())
    }

    /// The classic group that this one becomes.
    pub(super) fn to_classic(&self, downgrade: Downgrade, topics: &Topics, now_ms: i64) -> ClassicGroupRow {
        let classic = |(id, member): (&MemberId, &Member)| {
            let has = match downgrade.phase {
                Phase::Preparing => in_hand(member),
                Phase::Empty | Phase::Completing | Phase::Stable => member.target.clone(),
            };
            member.classic.as_ref().map(|part| downgraded(id, member, part, &by_name(&has, topics)))
        };
        let members: Vec<_> = self.members.iter().filter_map(classic).collect();
        ClassicGroupRow {
            protocol_type: Some(CONSUMER.to_owned()),
            generation: downgrade.generation,
            // The members vote when the group begins.
            protocol: None,
            leader: members.first().map(|member| member.id.clone()),
            phase: downgrade.phase,
            since_ms: now_ms,
            members,
        }
    }
}

/// What a member may be reading still. Before it has joined again nobody else may have that, also when a newer
/// member makes the group one of the other kind again meanwhile.
fn in_hand(member: &Member) -> Target {
    let mut all = Target::new();
    for (topic, partition) in member.in_hand() {
        all.entry(topic).or_default().insert(partition);
    }
    all
}

fn downgraded(
    id: &MemberId,
    member: &Member,
    part: &ClassicPart,
    assigned: &NamedPartitions,
) -> ClassicMemberRow {
    let ClassicRow { session_timeout_ms, protocols } = part.into();
    ClassicMemberRow {
        id: id.to_string(),
        instance: member.instance.as_deref().map(str::to_owned),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        session_timeout_ms,
        rebalance_timeout_ms: u64::try_from(member.rebalance_timeout_ms).unwrap_or(0),
        protocols,
        assignment: assignment::write(part.version(), assigned),
    }
}

impl ClassicPart {
    /// The version in which the member reads assignments.
    pub(super) fn version(&self) -> i16 {
        self.protocols.first().and_then(|protocol| subscription::version(&protocol.metadata)).unwrap_or(0)
    }
}

/// Partitions by the names of their topics; those of topics that are gone are left out.
pub(super) fn by_name(target: &Target, topics: &Topics) -> NamedPartitions {
    let name = |topic| topics.get_by_id(topic).map(|view| view.name.to_string());
    let named =
        target.iter().map(|(topic, numbers)| Some((name(*topic)?, numbers.iter().copied().collect())));
    named.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::heartbeat::{Beat, ConsumerHeartbeat};
    use super::super::leave::{Absence, ConsumerLeave};
    use crate::broker::BrokerHandle;
    use crate::coordinator::groups::Kind;
    use crate::coordinator::locate::Missing;
    use crate::coordinator::tick::tests::broker;
    use crate::group::heartbeat::{Beating, Heartbeat, HeartbeatError};
    use crate::group::join::{Entrance, Join, Joining, ReturningLeader};
    use crate::group::members::Protocol;
    use crate::names::GroupId;
    use bytes::Bytes;
    use std::sync::Arc;
    use std::time::Duration;

    async fn enter(broker: &BrokerHandle, group: &GroupId, member: &str) {
        let topics = Some(vec!["orders".to_owned()]);
        let beat = Arc::new(Beat { member: Some(member.into()), topics, ..Beat::default() });
        let message = |reply| ConsumerHeartbeat { beat: Arc::clone(&beat), reply };
        broker.ask_group(group, Missing::Create(Kind::Consumer), message).await.unwrap().unwrap();
    }

    async fn leave(broker: &BrokerHandle, group: &GroupId, member: &str) {
        let absence = Absence::ForGood;
        let message = |reply| ConsumerLeave { member: member.into(), instance: None, absence, reply };
        broker.ask_group(group, Missing::Refuse, message).await.unwrap().unwrap();
    }

    #[actix::test]
    async fn two_who_leave_at_once_leave_a_classic_group_with_its_members() {
        let folder = tempfile::tempdir().unwrap();
        let broker = broker(&folder);
        let group = GroupId::from("group");
        enter(&broker, &group, "a").await;
        enter(&broker, &group, "b").await;
        let metadata = Bytes::from_static(b"\0\0\0\0\0\x01\0\x06orders\xff\xff\xff\xff");
        let joining = Joining {
            member: Some("classic".into()),
            instance: None,
            client_id: String::new(),
            client_host: String::new(),
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(10),
            protocol_type: "consumer".to_owned(),
            protocols: vec![Protocol { name: "range".to_owned(), metadata }],
            entrance: Entrance::IdFirst,
            returning_leader: ReturningLeader::Leads,
        };
        let message = |reply| Join { joining: joining.clone(), reply };
        let joined = broker.ask_group(&group, Missing::Refuse, message).await.unwrap().unwrap();
        // What the first changes is on its way to the disk when the second goes.
        tokio::join!(leave(&broker, &group, "a"), leave(&broker, &group, "b"));
        assert_eq!(broker.groups().get(&group).unwrap().summary().kind, Kind::Classic);
        let beating = |generation| Beating { member: "classic".into(), instance: None, generation };
        let mut told = Vec::new();
        for generation in joined.generation..joined.generation + 3 {
            let message = |reply| Heartbeat { beating: beating(generation), reply };
            told.push(broker.ask_group(&group, Missing::Refuse, message).await.unwrap());
        }
        assert!(told.contains(&Err(HeartbeatError::Rebalancing)), "it is known: {told:?}");
        broker.shutdown().await;
    }
}

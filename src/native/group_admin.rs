//! Groups as those who look after them see them: listing, describing, forgetting.

use super::Native;
use super::members::ask;
use super::refusals::Refused;
use callboard_actors::broker::topics::Topics;
use callboard_actors::consumer_group::describe::{ConsumerDescribe, DescribedConsumer};
use callboard_actors::coordinator::groups::{GroupSlot, Kind};
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::delete::Delete;
use callboard_actors::group::describe::{self, Describe};
use callboard_protocol::assignment;
use callboard_protocol::native::Refusal;
use callboard_protocol::native::groups::{
    DeleteGroups, DescribedMember, GroupDescribed, GroupsListed, ListedGroup,
};
use callboard_protocol::native::topics::Outcomes;
use std::sync::Arc;

pub(super) fn list(native: &Native) -> GroupsListed {
    let groups = native.broker.groups();
    let listed = |slot: &Arc<GroupSlot>| {
        let summary = slot.summary();
        ListedGroup {
            group: slot.id.to_string(),
            protocol: summary.kind.name().to_owned(),
            state: summary.state.name().to_owned(),
        }
    };
    GroupsListed { groups: groups.iter().filter(|slot| slot.exists()).map(listed).collect() }
}

pub(super) async fn describe(native: &Native, group: &str) -> Result<GroupDescribed, Refusal> {
    let slot = native.broker.groups().get(group).filter(|slot| slot.exists()).cloned();
    let slot = slot.ok_or_else(|| LocateGroupError::Unknown.refusal())?;
    match slot.summary().kind {
        Kind::Classic => describe_classic(native, &slot).await,
        Kind::Consumer => describe_consumers(native, &slot).await,
    }
}

async fn describe_classic(native: &Native, slot: &GroupSlot) -> Result<GroupDescribed, Refusal> {
    let described = ask(native, &slot.id, Missing::Refuse, |reply| Describe { reply }).await?;
    let described = described.map_err(|error| error.refusal())?;
    Ok(GroupDescribed {
        protocol: Kind::Classic.name().to_owned(),
        state: described.state.name().to_owned(),
        epoch: 0,
        assignor: described.protocol.unwrap_or_default(),
        members: described.members.into_iter().map(classic_member).collect(),
    })
}

fn classic_member(member: describe::DescribedMember) -> DescribedMember {
    // What members assign among themselves is only theirs where it is not that of consumers.
    let assigned = assignment::read(&member.assignment).map(|it| it.partitions).unwrap_or_default();
    DescribedMember {
        member: member.id.to_string(),
        instance: member.instance.map(|it| it.to_string()),
        client_id: member.client_id,
        client_host: member.client_host,
        assigned: assigned.into_iter().collect(),
    }
}

async fn describe_consumers(native: &Native, slot: &GroupSlot) -> Result<GroupDescribed, Refusal> {
    let described = ask(native, &slot.id, Missing::Refuse, |reply| ConsumerDescribe { reply }).await?;
    let described = described.map_err(|error| error.refusal())?;
    let topics = native.broker.topics();
    Ok(GroupDescribed {
        protocol: Kind::Consumer.name().to_owned(),
        state: described.state.name().to_owned(),
        epoch: described.epoch,
        assignor: described.assignor.to_owned(),
        members: described.members.into_iter().map(|member| consumer(member, &topics)).collect(),
    })
}

fn consumer(member: DescribedConsumer, topics: &Topics) -> DescribedMember {
    let assigned = member.assigned.into_iter().filter_map(|(topic, partitions)| {
        // Of a topic that was deleted nobody has anything any more.
        Some((topics.get_by_id(topic)?.name.to_string(), partitions))
    });
    DescribedMember {
        member: member.id.to_string(),
        instance: member.instance.map(|it| it.to_string()),
        client_id: member.client_id,
        client_host: member.client_host,
        assigned: assigned.collect(),
    }
}

pub(super) async fn delete(native: &Native, delete: DeleteGroups) -> Result<Outcomes, Refusal> {
    native.check_count(delete.groups.len())?;
    let mut outcomes = Vec::with_capacity(delete.groups.len());
    for group in &delete.groups {
        outcomes.push(delete_one(native, group).await);
    }
    Ok(Outcomes { outcomes })
}

async fn delete_one(native: &Native, group: &str) -> Result<(), Refusal> {
    if !native.broker.groups().exists(group) {
        return Err(LocateGroupError::Unknown.refusal());
    }
    let deleted = ask(native, &group.into(), Missing::Refuse, |reply| Delete { reply }).await?;
    deleted.map_err(|error| error.refusal())
}

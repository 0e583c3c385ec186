//! ConsumerGroupDescribe, versions 0 to 1: groups that the broker assigns to (KIP-848), and their members.

use super::error_code::Code;
use super::groups::{self, GROUP_OPERATIONS};
use super::{Caller, Edge, Refused};
use callboard_actors::broker::topics::Topics;
use callboard_actors::consumer_group::describe::{ConsumerDescribe, DescribedConsumer, DescribedConsumers};
use callboard_actors::consumer_group::heartbeat::TopicPartitions as Owned;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::describe::DescribeError;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
    TopicPartitions,
};
use callboard_protocol::wire::Str;
use std::collections::HashSet;
use std::sync::Arc;

/// The type of a member that speaks the classic protocol.
const CLASSIC: i8 = 0;
/// The type of a member that speaks this protocol.
const CONSUMER: i8 = 1;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: ConsumerGroupDescribeRequest,
) -> Result<ConsumerGroupDescribeResponse, Refused> {
    caller.check_partitions(request.group_ids.len())?;
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    // Each once: the descriptions of a large group in one answer would be without bound.
    for group in request.group_ids.into_iter().filter(|group| seen.insert(group.clone())) {
        let mut described = describe(&edge, group).await;
        if request.include_authorized_operations && !described.error_code.is_error() {
            described.authorized_operations = GROUP_OPERATIONS;
        }
        groups.push(described);
    }
    Ok(ConsumerGroupDescribeResponse { groups, ..Default::default() })
}

async fn describe(edge: &Edge, group: Str) -> DescribedGroup {
    if group.is_empty() {
        return refusal(group, ErrorCode::INVALID_GROUP_ID, None);
    }
    let unknown = LocateGroupError::Unknown.code();
    let described = if edge.broker.groups().exists(&group) {
        groups::ask(edge, &group, Missing::Refuse, unknown, |reply| ConsumerDescribe { reply }).await
    } else {
        Err(unknown)
    };
    match described {
        Ok(Ok(described)) => answer(group, described, &edge.broker.topics()),
        Ok(Err(DescribeError::OtherKind)) => {
            let message = format!("Group {group} is not a consumer group.");
            refusal(group, ErrorCode::GROUP_ID_NOT_FOUND, Some(message))
        }
        Err(code) if code == unknown => {
            let message = format!("Group {group} not found.");
            refusal(group, code, Some(message))
        }
        Ok(Err(error)) => refusal(group, error.code(), None),
        Err(code) => refusal(group, code, None),
    }
}

fn answer(group_id: Str, described: DescribedConsumers, topics: &Topics) -> DescribedGroup {
    DescribedGroup {
        group_id,
        group_state: described.state.name().into(),
        group_epoch: described.epoch,
        assignment_epoch: described.assignment_epoch,
        assignor_name: described.assignor.into(),
        members: described.members.into_iter().map(|one| member(one, topics)).collect(),
        ..Default::default()
    }
}

fn member(member: DescribedConsumer, topics: &Topics) -> Member {
    Member {
        member_id: (&*member.id).into(),
        instance_id: member.instance.as_deref().map(Str::from),
        rack_id: member.rack.map(Str::from),
        member_epoch: member.epoch,
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        subscribed_topic_names: member.topics.into_iter().map(Str::from).collect(),
        subscribed_topic_regex: Some(member.pattern.unwrap_or_default().into()),
        assignment: assignment(member.assigned, topics),
        target_assignment: assignment(member.target, topics),
        member_type: if member.is_classic { CLASSIC } else { CONSUMER },
    }
}

/// Topics that are gone are left out.
fn assignment(owned: Owned, topics: &Topics) -> Assignment {
    let topic = |(id, partitions)| {
        let topic = topics.get_by_id(id)?;
        Some(TopicPartitions { topic_id: id.0, topic_name: (&*topic.name).into(), partitions })
    };
    Assignment { topic_partitions: owned.into_iter().filter_map(topic).collect() }
}

fn refusal(group_id: Str, error_code: ErrorCode, message: Option<String>) -> DescribedGroup {
    DescribedGroup { error_code, error_message: message.map(Str::from), group_id, ..Default::default() }
}

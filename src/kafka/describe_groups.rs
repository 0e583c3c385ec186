//! DescribeGroups, versions 0 to 6: groups with their members.

use super::error_code::Code;
use super::groups::{self, GROUP_OPERATIONS};
use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::describe::{Describe, DescribeError, Described, DescribedMember};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use callboard_protocol::wire::Str;
use std::collections::HashSet;
use std::sync::Arc;

/// The first version that says that a group is not there; before it, it is dead.
const UNKNOWN_SINCE: i16 = 6;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: DescribeGroupsRequest,
) -> Result<DescribeGroupsResponse, Refused> {
    caller.check_partitions(request.groups.len())?;
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    // Each once: the descriptions of a large group in one answer would be without bound.
    for group in request.groups.into_iter().filter(|group| seen.insert(group.clone())) {
        let mut described = describe(&edge, group, caller.version).await;
        if request.include_authorized_operations && !described.error_code.is_error() {
            described.authorized_operations = GROUP_OPERATIONS;
        }
        groups.push(described);
    }
    Ok(DescribeGroupsResponse { groups, ..Default::default() })
}

async fn describe(edge: &Edge, group: Str, version: i16) -> DescribedGroup {
    let unknown = LocateGroupError::Unknown.code();
    let described = if edge.broker.groups().exists(&group) {
        groups::ask(edge, &group, Missing::Refuse, unknown, |reply| Describe { reply }).await
    } else {
        Err(unknown)
    };
    match described {
        Ok(Ok(described)) => answer(group, described),
        Err(code) if code == unknown => dead(group, version),
        Ok(Err(DescribeError::OtherKind)) => dead(group, version),
        Ok(Err(error)) => refusal(group, error.code()),
        Err(code) => refusal(group, code),
    }
}

fn answer(group_id: Str, described: Described) -> DescribedGroup {
    let member = |member: DescribedMember| DescribedGroupMember {
        member_id: (&*member.id).into(),
        group_instance_id: member.instance.as_deref().map(Str::from),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    };
    DescribedGroup {
        group_id,
        group_state: described.state.name().into(),
        protocol_type: described.protocol_type.unwrap_or_default().into(),
        protocol_data: described.protocol.unwrap_or_default().into(),
        members: described.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn dead(group_id: Str, version: i16) -> DescribedGroup {
    let message = format!("Group {group_id} not found.");
    let is_told = version >= UNKNOWN_SINCE;
    DescribedGroup {
        error_code: if is_told { ErrorCode::GROUP_ID_NOT_FOUND } else { ErrorCode::NONE },
        error_message: is_told.then(|| message.into()),
        group_id,
        group_state: Str::from_static("Dead"),
        ..Default::default()
    }
}

fn refusal(group_id: Str, error_code: ErrorCode) -> DescribedGroup {
    DescribedGroup { error_code, group_id, ..Default::default() }
}

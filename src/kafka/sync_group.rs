//! SyncGroup, versions 0 to 5: a member asks for its assignment; the leader brings those of all.
//!
//! The answer comes when the leader has assigned.

use super::groups::{self, code_of, detached};
use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::group::sync::{Sync, Syncing};
use callboard_actors::names::MemberId;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;

/// The first version in which a member says what it takes the group for.
const PROTOCOL_SINCE: i16 = 5;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: SyncGroupRequest,
) -> Result<SyncGroupResponse, Refused> {
    let says_all = request.protocol_type.is_some() && request.protocol_name.is_some();
    if caller.version >= PROTOCOL_SINCE && !says_all {
        return Ok(refusal(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
    }
    if request.group_id.is_empty() {
        return Ok(refusal(ErrorCode::INVALID_GROUP_ID));
    }
    let group = request.group_id.detached();
    let syncing = syncing(request);
    let message = |reply| Sync { syncing: syncing.clone(), reply };
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    let synced = groups::ask(&edge, &group, Missing::Refuse, unknown, message).await;
    let error_code = code_of(&synced);
    Ok(match synced {
        Ok(Ok(synced)) => SyncGroupResponse {
            protocol_type: synced.protocol_type.map(Str::from),
            protocol_name: synced.protocol.map(Str::from),
            assignment: synced.assignment,
            ..Default::default()
        },
        Ok(Err(_)) | Err(_) => refusal(error_code),
    })
}

/// A copy of what the request says, which does not keep its frame in memory.
fn syncing(request: SyncGroupRequest) -> Syncing {
    let assignment = |one: &SyncGroupRequestAssignment| {
        (MemberId::from(one.member_id.as_str()), detached(&one.assignment))
    };
    Syncing {
        // One without an id may still have the name of a static member, which is looked at first.
        member: MemberId::from(request.member_id.as_str()),
        instance: groups::instance(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: request.protocol_type.map(String::from),
        protocol: request.protocol_name.map(String::from),
        assignments: request.assignments.iter().map(assignment).collect(),
    }
}

fn refusal(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code, ..Default::default() }
}

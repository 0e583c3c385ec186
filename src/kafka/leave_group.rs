//! LeaveGroup, versions 0 to 5: members go; several at once from version 3.

use super::error_code::Code;
use super::groups;
use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::leave::{Leave, Leaving};
use callboard_actors::group::member_check::MemberError;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};
use std::sync::Arc;

/// The first version that names several members.
const MANY_SINCE: i16 = 3;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: LeaveGroupRequest,
) -> Result<LeaveGroupResponse, Refused> {
    let LeaveGroupRequest { group_id, member_id, members } = request;
    if group_id.is_empty() {
        return Ok(LeaveGroupResponse { error_code: ErrorCode::INVALID_GROUP_ID, ..Default::default() });
    }
    let members = if caller.version >= MANY_SINCE {
        members
    } else {
        vec![MemberIdentity { member_id, ..Default::default() }]
    };
    caller.check_partitions(members.len())?;
    let leaving = |member: &MemberIdentity| Leaving {
        member: groups::member(&member.member_id),
        instance: groups::instance(member.group_instance_id.as_ref()),
    };
    let leaving = Arc::new(members.iter().map(leaving).collect::<Vec<_>>());
    let message = |reply| Leave { members: Arc::clone(&leaving), reply };
    let unknown = LocateGroupError::Unknown.code();
    let outcomes = match groups::ask(&edge, &group_id, Missing::Refuse, unknown, message).await {
        Ok(Ok(outcomes)) => outcomes,
        // Nobody is in a group that is not there.
        Err(code) if code == unknown => vec![Err(MemberError::Unknown); members.len()],
        Ok(Err(unavailable)) => {
            let error_code = LocateGroupError::from(unavailable).code();
            return Ok(LeaveGroupResponse { error_code, ..Default::default() });
        }
        Err(error_code) => return Ok(LeaveGroupResponse { error_code, ..Default::default() }),
    };
    Ok(answer(members, &outcomes, caller.version))
}

/// In the versions that name one member its code is the answer's.
fn answer(
    members: Vec<MemberIdentity>,
    outcomes: &[Result<(), MemberError>],
    version: i16,
) -> LeaveGroupResponse {
    let code =
        |outcome: &Result<(), MemberError>| outcome.as_ref().err().map_or(ErrorCode::NONE, MemberError::code);
    if version < MANY_SINCE {
        let error_code = outcomes.first().map_or(ErrorCode::NONE, code);
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    let members = members.into_iter().zip(outcomes).map(|(member, outcome)| MemberResponse {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code: code(outcome),
    });
    LeaveGroupResponse { members: members.collect(), ..Default::default() }
}

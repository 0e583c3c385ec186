//! JoinGroup, versions 0 to 9: a consumer enters its group, or stays in it through a rebalance.
//!
//! The answer comes when all members have joined.

use super::error_code::Code;
use super::groups::{self, detached};
use super::{Caller, Edge, Refused};
use callboard_actors::consumer_group::heartbeat::NAMES_BYTES_MAX;
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::group::join::{
    Entrance, Join, JoinRefused, Joined, JoinedMember, Joining, ReturningLeader, is_session_timeout,
};
use callboard_actors::group::members::Protocol;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse, JoinGroupResponseMember,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;
use std::time::Duration;

/// The first version that says how long the member may take to join again.
const REBALANCE_TIMEOUT_SINCE: i16 = 1;
/// The first version in which a new member is given its id first.
const ID_FIRST_SINCE: i16 = 4;
/// The first version in which an answer without a protocol says so by null.
const NULL_PROTOCOL_SINCE: i16 = 7;
/// The first version in which a leader may be told to keep the assignments.
const SKIP_SINCE: i16 = 9;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: JoinGroupRequest,
) -> Result<JoinGroupResponse, Refused> {
    let version = caller.version;
    let said = request.member_id.detached();
    if request.group_id.is_empty() {
        return Ok(refusal(ErrorCode::INVALID_GROUP_ID, said, version));
    }
    if !is_session_timeout(request.session_timeout_ms, &edge.broker.settings().groups) {
        return Ok(refusal(ErrorCode::INVALID_SESSION_TIMEOUT, said, version));
    }
    if request.group_id.len() + said.len() > NAMES_BYTES_MAX {
        // The key of a member's row has both.
        return Ok(refusal(ErrorCode::INVALID_REQUEST, said, version));
    }
    let group = request.group_id.detached();
    let joining = joining(request, &caller);
    let missing = if joining.member.is_none() { Missing::Create(Kind::Classic) } else { Missing::Refuse };
    let message = |reply| Join { joining: joining.clone(), reply };
    let joined = groups::ask(&edge, &group, missing, ErrorCode::UNKNOWN_MEMBER_ID, message).await;
    Ok(match joined {
        Ok(Ok(joined)) => answer(joined, version),
        Ok(Err(JoinRefused { error, member })) => {
            refusal(error.code(), member.as_deref().map(Str::from).unwrap_or_default(), version)
        }
        Err(code) => refusal(code, said, version),
    })
}

fn joining(request: JoinGroupRequest, caller: &Caller) -> Joining {
    let version = caller.version;
    let rebalance_timeout_ms = if version >= REBALANCE_TIMEOUT_SINCE {
        request.rebalance_timeout_ms
    } else {
        request.session_timeout_ms
    };
    let protocol = |protocol: &JoinGroupRequestProtocol| Protocol {
        name: (&protocol.name).into(),
        metadata: detached(&protocol.metadata),
    };
    if let Some(reason) = request.reason.as_ref().filter(|reason| !reason.is_empty()) {
        tracing::debug!(group = %request.group_id, member = %request.member_id, %reason, "join");
    }
    Joining {
        member: groups::member(&request.member_id),
        instance: groups::instance(request.group_instance_id.as_ref()),
        client_id: caller.client_id.as_ref().map(String::from).unwrap_or_default(),
        client_host: groups::host(caller.peer),
        session_timeout: millis(request.session_timeout_ms),
        rebalance_timeout: millis(rebalance_timeout_ms),
        protocol_type: (&request.protocol_type).into(),
        protocols: request.protocols.iter().map(protocol).collect(),
        entrance: if version >= ID_FIRST_SINCE { Entrance::IdFirst } else { Entrance::Direct },
        returning_leader: if version >= SKIP_SINCE {
            ReturningLeader::Leads
        } else {
            ReturningLeader::Follows
        },
    }
}

/// What is less than nothing is nothing.
fn millis(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

fn answer(joined: Joined, version: i16) -> JoinGroupResponse {
    let member = |JoinedMember { id, instance, metadata }| JoinGroupResponseMember {
        member_id: (&*id).into(),
        group_instance_id: instance.as_deref().map(Str::from),
        metadata,
    };
    JoinGroupResponse {
        generation_id: joined.generation,
        protocol_type: joined.protocol_type.map(Str::from),
        protocol_name: protocol_name(joined.protocol.into(), version),
        leader: joined.leader.into(),
        skip_assignment: joined.skip_assignment,
        member_id: (&*joined.member).into(),
        members: joined.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn refusal(error_code: ErrorCode, member_id: Str, version: i16) -> JoinGroupResponse {
    let protocol_name = protocol_name(Str::default(), version);
    JoinGroupResponse { error_code, member_id, protocol_name, ..Default::default() }
}

fn protocol_name(name: Str, version: i16) -> Option<Str> {
    Some(name).filter(|name| version < NULL_PROTOCOL_SINCE || !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_protocol_is_an_empty_name_or_null_by_version() {
        assert_eq!(refusal(ErrorCode::UNKNOWN_MEMBER_ID, "m".into(), 6).protocol_name, Some("".into()));
        assert_eq!(refusal(ErrorCode::UNKNOWN_MEMBER_ID, "m".into(), 7).protocol_name, None);
    }
}

//! Heartbeat, versions 0 to 4: a member is alive, and asks whether it is to join again.

use super::groups::{self, code_of};
use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::group::heartbeat::{Beating, Heartbeat};
use callboard_actors::names::MemberId;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    _caller: Caller,
    request: HeartbeatRequest,
) -> Result<HeartbeatResponse, Refused> {
    Ok(HeartbeatResponse { error_code: beat(&edge, &request).await, ..Default::default() })
}

async fn beat(edge: &Edge, request: &HeartbeatRequest) -> ErrorCode {
    if request.group_id.is_empty() {
        return ErrorCode::INVALID_GROUP_ID;
    }
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    // One without an id may still have the name of a static member, which is looked at first.
    let member = MemberId::from(request.member_id.as_str());
    let instance = groups::instance(request.group_instance_id.as_ref());
    let beating = Beating { member, instance, generation: request.generation_id };
    let message = |reply| Heartbeat { beating: beating.clone(), reply };
    code_of(&groups::ask(edge, &request.group_id, Missing::Refuse, unknown, message).await)
}

//! What the operations on groups share: the way to a group, and names as clients write them.

use super::Edge;
use super::error_code::Code;
use actix::{Handler, Message};
use bytes::Bytes;
use callboard_actors::consumer_group::ConsumerGroup;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::Group;
use callboard_actors::names::{GroupId, InstanceId, MemberId};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::wire::Str;
use std::net::IpAddr;
use tokio::sync::oneshot;

/// One bit for each operation on a group that Kafka knows: a client may do all of them.
pub(super) const GROUP_OPERATIONS: i32 = 3400;

/// Sends a message to a group and waits for the answer, or until the broker stops. A group that is
/// not there is the code `unknown`.
pub(super) async fn ask<M, T, E>(
    edge: &Edge,
    group: &Str,
    missing: Missing,
    unknown: ErrorCode,
    message: impl Fn(oneshot::Sender<Result<T, E>>) -> M,
) -> Result<Result<T, E>, ErrorCode>
where
    Group: Handler<M>,
    ConsumerGroup: Handler<M>,
    M: Message<Result = ()> + Send + 'static,
    T: 'static,
    E: 'static,
{
    let group = GroupId::from(group.as_str());
    let answer = edge.broker.ask_group(&group, missing, message);
    let answer = tokio::select! {
        biased;
        answer = answer => answer,
        // Who waits for other members is sent to find the coordinator anew.
        () = edge.stopping.cancelled() => return Err(ErrorCode::NOT_COORDINATOR),
    };
    answer.map_err(|error| match error {
        LocateGroupError::Unknown => unknown,
        LocateGroupError::TooMany | LocateGroupError::Unavailable(_) => error.code(),
    })
}

/// A member's id; an empty one is none.
pub(super) fn member(id: &Str) -> Option<MemberId> {
    (!id.is_empty()).then(|| MemberId::from(id.as_str()))
}

/// The name of a static member.
pub(super) fn instance(id: Option<&Str>) -> Option<InstanceId> {
    id.map(|id| InstanceId::from(id.as_str()))
}

/// Where a client is, as Kafka writes it.
pub(super) fn host(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        // Java never shortens.
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            format!("/{}", groups.join(":"))
        }
    }
}

/// A copy that does not keep its request's frame in memory.
pub(super) fn detached(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// The code of an outcome that may have failed on the way to the group or in it.
pub(super) fn code_of<T, E: Code>(outcome: &Result<Result<T, E>, ErrorCode>) -> ErrorCode {
    match outcome {
        Ok(Ok(_)) => ErrorCode::NONE,
        Ok(Err(error)) => error.code(),
        Err(code) => *code,
    }
}

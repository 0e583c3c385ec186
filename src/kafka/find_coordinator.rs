//! FindCoordinator, versions 0 to 6: who coordinates a group or a transactional id; always this broker.

use super::{Caller, Edge, Refused};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// What a client is told of a request that makes no sense.
const MALFORMED: &str = "The request is not one that a client of this version sends.";

/// The first version that takes several keys.
const MANY_SINCE: i16 = 4;
/// The first version that knows share groups.
const SHARE_SINCE: i16 = 6;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: FindCoordinatorRequest,
) -> Result<FindCoordinatorResponse, Refused> {
    let version = caller.version;
    let is_known = matches!(request.key_type, GROUP | TRANSACTION)
        || (request.key_type == SHARE && version >= SHARE_SINCE);
    caller.check_partitions(request.coordinator_keys.len())?;
    let keys = if version >= MANY_SINCE { request.coordinator_keys } else { vec![request.key] };
    let coordinators: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let is_good = is_known && (request.key_type != SHARE || is_share_key(&key));
            // A type that nobody knows is a fault of the whole request, and says more.
            let message = if is_known || request.key_type == SHARE { "" } else { MALFORMED };
            if is_good { found(&edge, key) } else { refused(key, message) }
        })
        .collect();
    if version >= MANY_SINCE {
        return Ok(FindCoordinatorResponse { coordinators, ..Default::default() });
    }
    let only = coordinators.into_iter().next().unwrap_or_default();
    let error_message = if only.error_code.is_error() { MALFORMED } else { "NONE" };
    Ok(FindCoordinatorResponse {
        error_code: only.error_code,
        // Kafka says so too.
        error_message: Some(Str::from_static(error_message)),
        node_id: only.node_id,
        host: only.host,
        port: only.port,
        ..Default::default()
    })
}

fn found(edge: &Edge, key: Str) -> Coordinator {
    Coordinator {
        key,
        node_id: edge.node_id(),
        host: edge.host.clone(),
        port: edge.port.into(),
        error_message: Some(Str::default()),
        ..Default::default()
    }
}

fn refused(key: Str, message: &'static str) -> Coordinator {
    Coordinator {
        key,
        node_id: -1,
        port: -1,
        error_code: ErrorCode::INVALID_REQUEST,
        error_message: Some(Str::from_static(message)),
        ..Default::default()
    }
}

/// `GROUP:TOPIC-ID:PARTITION`; the group's name may have colons too.
fn is_share_key(key: &str) -> bool {
    let mut parts = key.rsplitn(3, ':');
    let is_partition = parts.next().is_some_and(|part| part.parse::<i32>().is_ok());
    let is_digit = |digit: u8| digit.is_ascii_alphanumeric() || digit == b'-' || digit == b'_';
    let is_topic = |part: &str| {
        let digits = part.trim_end_matches('=');
        digits.len() == 22 && part.len() <= 24 && digits.bytes().all(is_digit)
    };
    let is_topic = parts.next().is_some_and(is_topic);
    is_partition && is_topic && parts.next().is_some_and(|group| !group.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_share_group_names_group_topic_and_partition() {
        assert!(is_share_key("a:b:AAAAAAAAAAAAAAAAAAAAAQ:0"));
        assert!(is_share_key("g:AAAAAAAAAAAAAAAAAAAAAQ==:12"));
        for key in [
            "",
            "g",
            "g:AAAAAAAAAAAAAAAAAAAAAQ",
            "g:AAAAAAAAAAAAAAAAAAAAAQ:x",
            " :AAAAAAAAAAAAAAAAAAAAAQ:0",
            "g:AAA:0",
        ] {
            assert!(!is_share_key(key), "{key}");
        }
    }
}

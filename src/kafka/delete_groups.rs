//! DeleteGroups, versions 0 to 2: groups without members are forgotten with their offsets.

use super::error_code::Code;
use super::groups::{self, code_of};
use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::delete::Delete;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use callboard_protocol::wire::Str;
use std::collections::HashSet;
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: DeleteGroupsRequest,
) -> Result<DeleteGroupsResponse, Refused> {
    caller.check_partitions(request.groups_names.len())?;
    let mut seen = HashSet::new();
    let mut results = Vec::new();
    for group_id in request.groups_names.into_iter().filter(|group| seen.insert(group.clone())) {
        let error_code = delete(&edge, &group_id).await;
        results.push(DeletableGroupResult { group_id, error_code });
    }
    Ok(DeleteGroupsResponse { results, ..Default::default() })
}

async fn delete(edge: &Edge, group: &Str) -> ErrorCode {
    let unknown = LocateGroupError::Unknown.code();
    if !edge.broker.groups().exists(group) {
        return unknown;
    }
    code_of(&groups::ask(edge, group, Missing::Refuse, unknown, |reply| Delete { reply }).await)
}

//! ListGroups, versions 0 to 5: the groups, by state from version 4 and by type from version 5.

use super::{Caller, Edge, Refused};
use callboard_actors::coordinator::groups::GroupSlot;
use callboard_protocol::kafka::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use callboard_protocol::wire::Str;
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: ListGroupsRequest,
) -> Result<ListGroupsResponse, Refused> {
    caller.check_partitions(request.states_filter.len().saturating_add(request.types_filter.len()))?;
    let groups = edge.broker.groups();
    let groups = groups.iter().filter(|slot| slot.exists()).map(|slot| listed(slot));
    let groups = groups.filter(|group| is_wanted(group, &request)).collect();
    Ok(ListGroupsResponse { groups, ..Default::default() })
}

fn listed(slot: &GroupSlot) -> ListedGroup {
    let summary = slot.summary();
    ListedGroup {
        group_id: (&*slot.id).into(),
        protocol_type: summary.protocol_type.as_deref().unwrap_or_default().into(),
        group_state: summary.state.name().into(),
        group_type: summary.kind.name().into(),
    }
}

/// Names of states and types are taken in any case; a name that there is not lets nothing through.
fn is_wanted(group: &ListedGroup, request: &ListGroupsRequest) -> bool {
    let ListGroupsRequest { states_filter, types_filter } = request;
    let is_state = |state: &Str| state.trim().eq_ignore_ascii_case(&group.group_state);
    let is_type = |kind: &Str| kind.eq_ignore_ascii_case(&group.group_type);
    (states_filter.is_empty() || states_filter.iter().any(is_state))
        && (types_filter.is_empty() || types_filter.iter().any(is_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_ignore_case_and_both_must_let_a_group_through() {
        let group = ListedGroup {
            group_state: "PreparingRebalance".into(),
            group_type: "classic".into(),
            ..Default::default()
        };
        let wanted = |states: &[&str], types: &[&str]| {
            let list = |names: &[&str]| names.iter().map(|name| Str::from(*name)).collect();
            is_wanted(&group, &ListGroupsRequest { states_filter: list(states), types_filter: list(types) })
        };
        assert!(wanted(&[], &[]));
        assert!(wanted(&["stable", " preparingrebalance "], &["CLASSIC"]));
        assert!(!wanted(&["stable"], &[]) && !wanted(&["", "no state"], &[]));
        assert!(!wanted(&["preparingrebalance"], &["consumer"]));
        assert!(!wanted(&[], &[" classic "]), "types are not trimmed, as in Kafka");
    }
}

//! ListConfigResources, versions 0 to 1: what has settings.

use super::config_resource::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use super::{Caller, Edge, Refused};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;

/// In the order of the answer.
const TYPES: [i8; 5] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC];

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: ListConfigResourcesRequest,
) -> Result<ListConfigResourcesResponse, Refused> {
    let types = if caller.version == 0 { vec![CLIENT_METRICS] } else { request.resource_types };
    if types.iter().any(|kind| !TYPES.contains(kind)) {
        let error_code = ErrorCode::UNSUPPORTED_VERSION;
        return Ok(ListConfigResourcesResponse { error_code, ..Default::default() });
    }
    let is_wanted = |kind: &i8| types.is_empty() || types.contains(kind);
    let mut config_resources = Vec::new();
    for resource_type in TYPES.into_iter().filter(is_wanted) {
        let resource = |resource_name| ConfigResource { resource_name, resource_type };
        config_resources.extend(names(&edge, resource_type).into_iter().map(resource));
    }
    Ok(ListConfigResourcesResponse { config_resources, ..Default::default() })
}

/// Groups are those for which something was configured; client metrics are not collected.
fn names(edge: &Edge, resource_type: i8) -> Vec<Str> {
    match resource_type {
        GROUP => {
            let settings = edge.broker.settings();
            settings.overrides.groups.keys().map(|group| Str::from(&**group)).collect()
        }
        BROKER | BROKER_LOGGER => vec![edge.node_id().to_string().into()],
        TOPIC => edge.broker.topics().iter().map(|topic| Str::from(&*topic.name)).collect(),
        _ => Vec::new(),
    }
}

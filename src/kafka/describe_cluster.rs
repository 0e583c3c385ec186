//! DescribeCluster, versions 0 to 2: the one broker of the cluster, which is its controller too.

use super::{Caller, Edge, Refused};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use std::sync::Arc;

/// What [`DescribeClusterRequest::endpoint_type`] may ask for.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;
/// One bit for each operation on a cluster that Kafka knows: a client may do all of them.
const ALL_OPERATIONS: i32 = 8096;

pub(super) async fn handle(
    edge: Arc<Edge>,
    _caller: Caller,
    request: DescribeClusterRequest,
) -> Result<DescribeClusterResponse, Refused> {
    Ok(match request.endpoint_type {
        BROKERS => describe(&edge, &request),
        CONTROLLERS => refuse(
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "This is an endpoint of brokers, and the request is for one of controllers".to_owned(),
        ),
        other => refuse(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, format!("There is no endpoint type {other}")),
    })
}

fn describe(edge: &Edge, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    let identity = edge.broker.identity();
    let node_id = edge.node_id();
    let broker = DescribeClusterBroker {
        broker_id: node_id,
        host: edge.host.clone(),
        port: edge.port.into(),
        rack: edge.broker.settings().rack.as_deref().map(Into::into),
        is_fenced: false,
    };
    let asked = request.include_cluster_authorized_operations;
    DescribeClusterResponse {
        cluster_id: identity.cluster_id.as_str().into(),
        controller_id: node_id,
        brokers: vec![broker],
        cluster_authorized_operations: if asked { ALL_OPERATIONS } else { i32::MIN },
        ..Default::default()
    }
}

fn refuse(error_code: ErrorCode, message: String) -> DescribeClusterResponse {
    DescribeClusterResponse { error_code, error_message: Some(message.into()), ..Default::default() }
}

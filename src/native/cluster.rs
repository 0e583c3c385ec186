//! The cluster and its brokers.

use super::Native;
use callboard_protocol::native::admin::{BrokerDescribed, ClusterDescribed};

pub(super) fn describe(native: &Native) -> ClusterDescribed {
    let identity = native.broker.identity();
    let broker = BrokerDescribed {
        node_id: identity.node_id,
        kafka: native.addresses.kafka.as_ref().map(ToString::to_string),
        native: native.addresses.native.map(|address| address.to_string()),
        rack: native.broker.settings().rack.clone(),
    };
    ClusterDescribed {
        cluster_id: identity.cluster_id.clone(),
        // A broker that stands alone controls itself.
        controller_id: identity.node_id,
        brokers: vec![broker],
    }
}

//! The one table of operations: which are served, in which versions, and by what.
//!
//! The versions are those that Apache Kafka 4.3 serves, so that a client behaves as it does there.

use super::{
    Answering, Caller, Edge, Incoming, Refused, Started, alter_configs, api_versions,
    consumer_group_describe, consumer_group_heartbeat, create_partitions, create_topics, decode,
    delete_groups, delete_topics, describe_cluster, describe_configs, describe_groups,
    describe_topic_partitions, encode, fetch, find_coordinator, heartbeat, incremental_alter_configs,
    init_producer_id, join_group, leave_group, list_config_resources, list_groups, list_offsets, metadata,
    offset_commit, offset_delete, offset_fetch, offset_for_leader_epoch, produce, sync_group,
};
use crate::connection::door::{Keeps, Order, Size};
use callboard_protocol::kafka::ApiKey;
use callboard_protocol::wire::Message;
use futures_util::FutureExt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// An operation.
#[derive(Debug)]
pub struct Api {
    /// Its number.
    pub key: ApiKey,
    /// The versions that clients are told of.
    pub advertised: RangeInclusive<i16>,
    /// The versions that are served.
    served: RangeInclusive<i16>,
    /// How requests of it share a connection with others.
    pub order: Order,
    /// What is kept of a request until it is answered.
    pub keeps: Keeps,
    /// How large its answer may be.
    pub size: Size,
    pub(super) start: fn(Arc<Edge>, Incoming) -> Result<Started, Refused>,
}

impl Api {
    /// Whether a version is served. All are of the operation that tells a client the versions.
    pub fn serves(&self, version: i16) -> bool {
        self.key == ApiKey::API_VERSIONS || self.served.contains(&version)
    }
}

/// All operations, in the order of their numbers.
pub const APIS: &[Api] = &[
    // Advertised from 0 because librdkafka compresses nothing otherwise; 0 to 2 are refused, as
    // Kafka does.
    Api {
        key: ApiKey::PRODUCE,
        advertised: 0..=13,
        served: 3..=13,
        order: Order::Overlapping,
        keeps: Keeps::Frame,
        size: Size::Bounded,
        start: produce::start,
    },
    api(ApiKey::FETCH, 4..=18, |edge, incoming| run(edge, incoming, fetch::handle)),
    api(ApiKey::LIST_OFFSETS, 1..=11, |edge, incoming| run(edge, incoming, list_offsets::handle)),
    growing(ApiKey::METADATA, 0..=13, |edge, incoming| run_in_turn(edge, incoming, metadata::handle)),
    api(ApiKey::OFFSET_COMMIT, 2..=10, |edge, incoming| run(edge, incoming, offset_commit::handle)),
    growing(ApiKey::OFFSET_FETCH, 1..=10, |edge, incoming| run(edge, incoming, offset_fetch::handle)),
    api(ApiKey::FIND_COORDINATOR, 0..=6, |edge, incoming| run(edge, incoming, find_coordinator::handle)),
    waiting(ApiKey::JOIN_GROUP, 0..=9, |edge, incoming| run(edge, incoming, join_group::handle)),
    api(ApiKey::HEARTBEAT, 0..=4, |edge, incoming| run(edge, incoming, heartbeat::handle)),
    api(ApiKey::LEAVE_GROUP, 0..=5, |edge, incoming| run(edge, incoming, leave_group::handle)),
    waiting(ApiKey::SYNC_GROUP, 0..=5, |edge, incoming| run(edge, incoming, sync_group::handle)),
    growing(ApiKey::DESCRIBE_GROUPS, 0..=6, |edge, incoming| run(edge, incoming, describe_groups::handle)),
    growing(ApiKey::LIST_GROUPS, 0..=5, |edge, incoming| run(edge, incoming, list_groups::handle)),
    api(ApiKey::API_VERSIONS, 0..=4, api_versions::start),
    api(ApiKey::CREATE_TOPICS, 2..=7, |edge, incoming| run(edge, incoming, create_topics::handle)),
    api(ApiKey::DELETE_TOPICS, 1..=6, |edge, incoming| run(edge, incoming, delete_topics::handle)),
    api(ApiKey::INIT_PRODUCER_ID, 0..=5, |edge, incoming| run(edge, incoming, init_producer_id::handle)),
    api(ApiKey::OFFSET_FOR_LEADER_EPOCH, 2..=4, |edge, incoming| {
        run(edge, incoming, offset_for_leader_epoch::handle)
    }),
    growing(ApiKey::DESCRIBE_CONFIGS, 1..=4, |edge, incoming| run(edge, incoming, describe_configs::handle)),
    api(ApiKey::ALTER_CONFIGS, 0..=2, |edge, incoming| run(edge, incoming, alter_configs::handle)),
    api(ApiKey::CREATE_PARTITIONS, 0..=3, |edge, incoming| run(edge, incoming, create_partitions::handle)),
    api(ApiKey::DELETE_GROUPS, 0..=2, |edge, incoming| run(edge, incoming, delete_groups::handle)),
    api(ApiKey::INCREMENTAL_ALTER_CONFIGS, 0..=1, |edge, incoming| {
        run(edge, incoming, incremental_alter_configs::handle)
    }),
    api(ApiKey::OFFSET_DELETE, 0..=0, |edge, incoming| run(edge, incoming, offset_delete::handle)),
    api(ApiKey::DESCRIBE_CLUSTER, 0..=2, |edge, incoming| run(edge, incoming, describe_cluster::handle)),
    api(ApiKey::CONSUMER_GROUP_HEARTBEAT, 0..=1, |edge, incoming| {
        run(edge, incoming, consumer_group_heartbeat::handle)
    }),
    growing(ApiKey::CONSUMER_GROUP_DESCRIBE, 0..=1, |edge, incoming| {
        run(edge, incoming, consumer_group_describe::handle)
    }),
    growing(ApiKey::LIST_CONFIG_RESOURCES, 0..=1, |edge, incoming| {
        run(edge, incoming, list_config_resources::handle)
    }),
    growing(ApiKey::DESCRIBE_TOPIC_PARTITIONS, 0..=0, |edge, incoming| {
        run(edge, incoming, describe_topic_partitions::handle)
    }),
];

const fn api(
    key: ApiKey,
    versions: RangeInclusive<i16>,
    start: fn(Arc<Edge>, Incoming) -> Result<Started, Refused>,
) -> Api {
    let (first, last) = (*versions.start(), *versions.end());
    let order = Order::OneAtATime;
    Api {
        key,
        advertised: first..=last,
        served: versions,
        order,
        keeps: Keeps::Frame,
        size: Size::Bounded,
        start,
    }
}

/// An operation that waits for what other clients do.
const fn waiting(
    key: ApiKey,
    versions: RangeInclusive<i16>,
    start: fn(Arc<Edge>, Incoming) -> Result<Started, Refused>,
) -> Api {
    Api { keeps: Keeps::Copy, ..api(key, versions, start) }
}

/// An operation that tells of what there is in the broker.
const fn growing(
    key: ApiKey,
    versions: RangeInclusive<i16>,
    start: fn(Arc<Edge>, Incoming) -> Result<Started, Refused>,
) -> Api {
    Api { size: Size::Growing, ..api(key, versions, start) }
}

/// The operation with that number.
pub fn find(key: ApiKey) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key == key)
}

/// Decodes a request, and leaves its handling and the encoding of its answer to the future.
pub(super) fn run<Q, A, H>(
    edge: Arc<Edge>,
    incoming: Incoming,
    handle: impl FnOnce(Arc<Edge>, Caller, Q) -> H + 'static,
) -> Result<Started, Refused>
where
    Q: Message + 'static,
    A: Message,
    H: Future<Output = Result<A, Refused>> + 'static,
{
    let (header, caller, request) = decode::<Q>(&edge, incoming)?;
    let version = caller.version;
    let answering: Answering = Box::pin(async move {
        let answer = handle(edge, caller, request).await?;
        encode(header.correlation_id, version, &answer)
    });
    Ok(Started::Answering(answering))
}

/// The same where handling ends with what makes the answer, which only then waits for its turn.
pub(super) fn run_in_turn<Q, A, P, M>(
    edge: Arc<Edge>,
    incoming: Incoming,
    handle: impl FnOnce(Arc<Edge>, Caller, Q) -> P + 'static,
) -> Result<Started, Refused>
where
    Q: Message + 'static,
    A: Message,
    P: Future<Output = Result<M, Refused>> + 'static,
    M: FnOnce() -> A + 'static,
{
    let (header, caller, request) = decode::<Q>(&edge, incoming)?;
    let version = caller.version;
    let answering = move |make: Result<M, Refused>| -> Answering {
        Box::pin(async move { encode(header.correlation_id, version, &make?()) })
    };
    Ok(Started::Preparing(handle(edge, caller, request).map(answering).boxed_local()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Apache Kafka 4.3.0 was seen to advertise.
    const KAFKA: &[(i16, i16, i16)] = &[
        (0, 0, 13),
        (1, 4, 18),
        (2, 1, 11),
        (3, 0, 13),
        (8, 2, 10),
        (9, 1, 10),
        (10, 0, 6),
        (11, 0, 9),
        (12, 0, 4),
        (13, 0, 5),
        (14, 0, 5),
        (15, 0, 6),
        (16, 0, 5),
        (18, 0, 4),
        (19, 2, 7),
        (20, 1, 6),
        (22, 0, 5),
        (23, 2, 4),
        (32, 1, 4),
        (33, 0, 2),
        (37, 0, 3),
        (42, 0, 2),
        (44, 0, 1),
        (47, 0, 0),
        (60, 0, 2),
        (68, 0, 1),
        (69, 0, 1),
        (74, 0, 1),
        (75, 0, 0),
    ];

    #[test]
    fn the_versions_are_those_of_kafka() {
        let ours: Vec<_> =
            APIS.iter().map(|api| (api.key.0, *api.advertised.start(), *api.advertised.end())).collect();
        assert_eq!(ours, KAFKA);
    }
}

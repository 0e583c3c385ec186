//! Refusing: the answer of an operation when it is not done, with a code for all that it was about.
//!
//! Only brokers for tests answer so, by the faults that a test asks for.

use super::apis::{Api, run};
use super::{Edge, Incoming, Refused, Started};
use callboard_protocol::kafka::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use callboard_protocol::kafka::create_topics::{
    CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use callboard_protocol::kafka::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupResponse};
use callboard_protocol::kafka::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use callboard_protocol::kafka::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataResponse, MetadataResponseTopic};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponseGroup,
};
use callboard_protocol::kafka::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use callboard_protocol::kafka::sync_group::{SyncGroupRequest, SyncGroupResponse};
use callboard_protocol::kafka::{ApiKey, ErrorCode};
use callboard_protocol::wire::{Message, Records};
use std::sync::Arc;

/// Answers a request with a code, and does nothing of it; none for an operation that cannot be
/// refused so.
pub(crate) fn refuse(
    edge: &Arc<Edge>,
    api: &Api,
    incoming: Incoming,
    code: ErrorCode,
) -> Option<Result<Started, Refused>> {
    let edge = Arc::clone(edge);
    Some(match api.key {
        ApiKey::PRODUCE => with(edge, incoming, move |request| produce(request, code)),
        ApiKey::FETCH => with(edge, incoming, move |request| fetch(request, code)),
        ApiKey::LIST_OFFSETS => with(edge, incoming, move |request| list_offsets(request, code)),
        ApiKey::METADATA => with(edge, incoming, move |request| metadata(request, code)),
        ApiKey::OFFSET_COMMIT => with(edge, incoming, move |request| offset_commit(request, code)),
        ApiKey::OFFSET_FETCH => with(edge, incoming, move |request| offset_fetch(request, code)),
        ApiKey::FIND_COORDINATOR => with(edge, incoming, move |request| find_coordinator(request, code)),
        ApiKey::CREATE_TOPICS => with(edge, incoming, move |request| create_topics(request, code)),
        ApiKey::JOIN_GROUP => with(edge, incoming, move |request: JoinGroupRequest| JoinGroupResponse {
            error_code: code,
            generation_id: -1,
            member_id: request.member_id,
            ..Default::default()
        }),
        ApiKey::HEARTBEAT => with(edge, incoming, move |_: HeartbeatRequest| HeartbeatResponse {
            error_code: code,
            ..Default::default()
        }),
        ApiKey::LEAVE_GROUP => with(edge, incoming, move |_: LeaveGroupRequest| LeaveGroupResponse {
            error_code: code,
            ..Default::default()
        }),
        ApiKey::SYNC_GROUP => with(edge, incoming, move |_: SyncGroupRequest| SyncGroupResponse {
            error_code: code,
            ..Default::default()
        }),
        ApiKey::INIT_PRODUCER_ID => {
            with(edge, incoming, move |_: InitProducerIdRequest| InitProducerIdResponse {
                error_code: code,
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            })
        }
        ApiKey::CONSUMER_GROUP_HEARTBEAT => with(edge, incoming, move |_: ConsumerGroupHeartbeatRequest| {
            ConsumerGroupHeartbeatResponse { error_code: code, ..Default::default() }
        }),
        _ => return None,
    })
}

fn with<Q: Message + 'static, A: Message + 'static>(
    edge: Arc<Edge>,
    incoming: Incoming,
    answer: impl FnOnce(Q) -> A + 'static,
) -> Result<Started, Refused> {
    run(edge, incoming, |_, _, request| async { Ok(answer(request)) })
}

fn produce(request: ProduceRequest, error_code: ErrorCode) -> ProduceResponse {
    let topics = request.topic_data.into_iter().map(|topic| TopicProduceResponse {
        name: topic.name,
        topic_id: topic.topic_id,
        partition_responses: topic
            .partition_data
            .iter()
            .map(|data| PartitionProduceResponse {
                index: data.index,
                error_code,
                base_offset: -1,
                ..Default::default()
            })
            .collect(),
    });
    ProduceResponse { responses: topics.collect(), ..Default::default() }
}

/// In a session the partitions are not named again, so it is the session that is refused.
fn fetch(request: FetchRequest, error_code: ErrorCode) -> FetchResponse {
    if request.topics.is_empty() {
        return FetchResponse { error_code, ..Default::default() };
    }
    let topics = request.topics.into_iter().map(|topic| FetchableTopicResponse {
        topic: topic.topic,
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|wanted| PartitionData {
                partition_index: wanted.partition,
                error_code,
                high_watermark: -1,
                records: Some(Records::new()),
                ..Default::default()
            })
            .collect(),
    });
    FetchResponse { responses: topics.collect(), ..Default::default() }
}

fn list_offsets(request: ListOffsetsRequest, error_code: ErrorCode) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|topic| ListOffsetsTopicResponse {
        name: topic.name,
        partitions: topic
            .partitions
            .iter()
            .map(|wanted| ListOffsetsPartitionResponse {
                partition_index: wanted.partition_index,
                error_code,
                ..Default::default()
            })
            .collect(),
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn metadata(request: MetadataRequest, error_code: ErrorCode) -> MetadataResponse {
    let topics = request.topics.into_iter().flatten().map(|topic| MetadataResponseTopic {
        error_code,
        name: topic.name,
        topic_id: topic.topic_id,
        ..Default::default()
    });
    MetadataResponse { topics: topics.collect(), ..Default::default() }
}

fn offset_commit(request: OffsetCommitRequest, error_code: ErrorCode) -> OffsetCommitResponse {
    let topics = request.topics.into_iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|it| OffsetCommitResponsePartition { partition_index: it.partition_index, error_code })
            .collect(),
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

fn offset_fetch(request: OffsetFetchRequest, error_code: ErrorCode) -> OffsetFetchResponse {
    let group = |group_id| OffsetFetchResponseGroup { group_id, topics: Vec::new(), error_code };
    let groups = request.groups.into_iter().map(|it| group(it.group_id));
    OffsetFetchResponse { error_code, groups: groups.collect(), ..Default::default() }
}

fn find_coordinator(request: FindCoordinatorRequest, error_code: ErrorCode) -> FindCoordinatorResponse {
    let coordinators = request.coordinator_keys.into_iter().map(|key| Coordinator {
        key,
        node_id: -1,
        port: -1,
        error_code,
        ..Default::default()
    });
    FindCoordinatorResponse {
        error_code,
        node_id: -1,
        port: -1,
        coordinators: coordinators.collect(),
        ..Default::default()
    }
}

fn create_topics(request: CreateTopicsRequest, error_code: ErrorCode) -> CreateTopicsResponse {
    let topics = request.topics.into_iter().map(|topic| CreatableTopicResult {
        name: topic.name,
        error_code,
        ..Default::default()
    });
    CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
}

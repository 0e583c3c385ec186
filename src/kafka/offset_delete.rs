//! OffsetDelete, version 0: a group forgets how far it has read in topics that it does not read any more.

use super::groups::{self, code_of};
use super::{Caller, Edge, Refused};
use callboard_actors::broker::topics::TopicView;
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::offsets::delete::{DeleteOffsets, DeletedTopic, Subscribed};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic, OffsetDeleteResponse,
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: OffsetDeleteRequest,
) -> Result<OffsetDeleteResponse, Refused> {
    caller.check_partitions(request.topics.iter().map(|topic| topic.partitions.len()).sum())?;
    let refusal = |error_code| OffsetDeleteResponse { error_code, ..Default::default() };
    if request.group_id.is_empty() {
        return Ok(refusal(ErrorCode::INVALID_GROUP_ID));
    }
    let unknown = ErrorCode::GROUP_ID_NOT_FOUND;
    if !edge.broker.groups().exists(&request.group_id) {
        return Ok(refusal(unknown));
    }
    let known = edge.broker.topics();
    let topics = request.topics.iter().map(|topic| deleted(topic, known.get(&topic.name)));
    let topics: Arc<Vec<_>> = Arc::new(topics.collect());
    let message = |reply| DeleteOffsets { topics: Arc::clone(&topics), reply };
    let deleted = groups::ask(&edge, &request.group_id, Missing::Refuse, unknown, message).await;
    let error_code = code_of(&deleted);
    let Ok(Ok(outcomes)) = deleted else { return Ok(refusal(error_code)) };
    let answers = request.topics.into_iter().zip(outcomes).map(|(topic, outcome)| {
        let view = known.get(&topic.name).cloned();
        answer(topic, view.as_deref(), outcome)
    });
    let mut topics: Vec<_> = answers.collect();
    // What is not there comes first, as in Kafka.
    let is_there = |partition: &OffsetDeleteResponsePartition| {
        partition.error_code != ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    };
    topics.iter_mut().for_each(|topic| topic.partitions.sort_by_key(is_there));
    topics.sort_by_key(|topic| topic.partitions.iter().all(is_there));
    Ok(OffsetDeleteResponse { topics, ..Default::default() })
}

fn deleted(topic: &OffsetDeleteRequestTopic, view: Option<&Arc<TopicView>>) -> DeletedTopic {
    let partitions = view
        .into_iter()
        .flat_map(|view| topic.partitions.iter().map(|partition| (view.id, partition.partition_index)));
    DeletedTopic { name: (&topic.name).into(), partitions: partitions.collect() }
}

fn answer(
    topic: OffsetDeleteRequestTopic,
    view: Option<&TopicView>,
    outcome: Result<(), Subscribed>,
) -> OffsetDeleteResponseTopic {
    let partition = |partition: OffsetDeleteRequestPartition| {
        let partition_index = partition.partition_index;
        let error_code = match (view.and_then(|view| view.partition(partition_index)), outcome) {
            (None, _) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            (Some(_), Err(Subscribed)) => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
            (Some(_), Ok(())) => ErrorCode::NONE,
        };
        OffsetDeleteResponsePartition { partition_index, error_code }
    };
    let partitions = topic.partitions.into_iter().map(partition).collect();
    OffsetDeleteResponseTopic { name: topic.name, partitions }
}

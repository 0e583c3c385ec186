//! OffsetCommit, versions 2 to 10: a group's member says how far it has read. Topics by name to 9, by id from 10.

use super::groups::{self, code_of};
use super::{Caller, Edge, Refused};
use callboard_actors::broker::topics::{TopicView, Topics};
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::offsets::commit::{
    CommitOffsets, CommitOffsetsError, Committing, Epochs, MetadataTooLarge, NewOffset, Retention,
};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use callboard_storage::TopicId;
use std::sync::Arc;

/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 10;
/// The first version of which clients can be in groups that the broker assigns to. It is told of a
/// group that is not there.
const EPOCHS_SINCE: i16 = 9;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: OffsetCommitRequest,
) -> Result<OffsetCommitResponse, Refused> {
    caller.check_partitions(request.topics.iter().map(|topic| topic.partitions.len()).sum())?;
    let plan = Plan::new(&edge.broker.topics(), &request.topics, caller.version);
    if plan.offsets.is_empty() {
        // Nothing is left to commit, and the group is not asked, as in Kafka.
        return Ok(plan.answer(&Ok(Ok(Vec::new()))));
    }
    let from = Committing {
        member: groups::member(&request.member_id),
        instance: groups::instance(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        epochs: if caller.version >= EPOCHS_SINCE { Epochs::Known } else { Epochs::Unknown },
    };
    let retention = Some(request.retention_time_ms).filter(|ms| *ms != -1).map(Retention);
    let missing = if from.generation < 0 { Missing::Create(Kind::Classic) } else { Missing::Refuse };
    let unknown = if caller.version >= EPOCHS_SINCE {
        ErrorCode::GROUP_ID_NOT_FOUND
    } else {
        ErrorCode::ILLEGAL_GENERATION
    };
    let message =
        |reply| CommitOffsets { from: from.clone(), offsets: Arc::clone(&plan.offsets), retention, reply };
    // A group that only was asked for and has nothing is not there for who says that it is in it.
    let committed = if missing == Missing::Refuse && !edge.broker.groups().exists(&request.group_id) {
        Err(unknown)
    } else {
        groups::ask(&edge, &request.group_id, missing, unknown, message).await
    };
    Ok(plan.answer(&committed))
}

type Committed = Result<Result<Vec<Result<(), MetadataTooLarge>>, CommitOffsetsError>, ErrorCode>;

/// What a request asks for: the answer's shape, and the offsets of what is there.
struct Plan {
    topics: Vec<PlannedTopic>,
    offsets: Arc<Vec<NewOffset>>,
}

struct PlannedTopic {
    topic: OffsetCommitResponseTopic,
    /// For each partition its place among the offsets; none for what is answered already.
    places: Vec<Option<usize>>,
}

impl Plan {
    fn new(topics: &Topics, requested: &[OffsetCommitRequestTopic], version: i16) -> Self {
        let mut offsets = Vec::new();
        let mut planned: Vec<_> =
            requested.iter().map(|topic| plan_topic(topics, topic, version, &mut offsets)).collect();
        // What has failed already comes first, as in Kafka.
        planned.sort_by_key(|topic| topic.places.iter().all(Option::is_some));
        Self { topics: planned, offsets: Arc::new(offsets) }
    }

    fn answer(self, committed: &Committed) -> OffsetCommitResponse {
        let whole = code_of(committed);
        let outcome = |place: usize| match committed {
            Ok(Ok(outcomes)) => match outcomes.get(place) {
                Some(Err(MetadataTooLarge)) => ErrorCode::OFFSET_METADATA_TOO_LARGE,
                Some(Ok(())) | None => ErrorCode::NONE,
            },
            Ok(Err(_)) | Err(_) => whole,
        };
        let topics = self.topics.into_iter().map(|PlannedTopic { mut topic, places }| {
            for (partition, place) in topic.partitions.iter_mut().zip(places) {
                if let Some(place) = place {
                    partition.error_code = outcome(place);
                }
            }
            topic
        });
        OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }
}

fn plan_topic(
    topics: &Topics,
    requested: &OffsetCommitRequestTopic,
    version: i16,
    offsets: &mut Vec<NewOffset>,
) -> PlannedTopic {
    let (found, unknown) = if version >= TOPIC_IDS_SINCE {
        (topics.get_by_id(TopicId(requested.topic_id)), ErrorCode::UNKNOWN_TOPIC_ID)
    } else {
        (topics.get(&requested.name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    };
    let mut places = Vec::with_capacity(requested.partitions.len());
    let mut partitions = Vec::with_capacity(requested.partitions.len());
    for partition in &requested.partitions {
        let known = found.ok_or(unknown).and_then(|topic| new_offset(topic, partition));
        let error_code = known.as_ref().err().copied().unwrap_or(ErrorCode::NONE);
        places.push(known.ok().map(|offset| {
            offsets.push(offset);
            offsets.len() - 1
        }));
        let partition_index = partition.partition_index;
        partitions.push(OffsetCommitResponsePartition { partition_index, error_code });
    }
    // Also within a topic what has failed already comes first.
    let mut ordered: Vec<_> = partitions.into_iter().zip(places).collect();
    ordered.sort_by_key(|(_, place)| place.is_some());
    let (partitions, places) = ordered.into_iter().unzip();
    let OffsetCommitRequestTopic { name, topic_id, .. } = requested;
    let topic = OffsetCommitResponseTopic { name: name.clone(), topic_id: *topic_id, partitions };
    PlannedTopic { topic, places }
}

fn new_offset(
    topic: &Arc<TopicView>,
    partition: &OffsetCommitRequestPartition,
) -> Result<NewOffset, ErrorCode> {
    let index = partition.partition_index;
    topic.partition(index).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    Ok(NewOffset {
        partition: (topic.id, index),
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_ref().map(String::from).unwrap_or_default(),
    })
}

//! OffsetFetch, versions 1 to 10: a group asks how far it has read; several groups from version 8,
//! topics by id from version 10.

use super::error_code::Code;
use super::groups;
use super::{Caller, Edge, Refused};
use callboard_actors::broker::topics::Topics;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::names::MemberId;
use callboard_actors::offsets::TopicPartition;
use callboard_actors::offsets::fetch::{FetchOffsets, FetchedOffset, Fetching};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use callboard_protocol::wire::Str;
use callboard_storage::TopicId;
use std::collections::HashSet;
use std::sync::Arc;

/// The first version whose answer has a code for all of it.
const ERROR_SINCE: i16 = 2;
/// The first version that asks for several groups.
const MANY_SINCE: i16 = 8;
/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 10;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: OffsetFetchRequest,
) -> Result<OffsetFetchResponse, Refused> {
    let version = caller.version;
    let groups = groups_of(request, version);
    let named = groups.iter().filter_map(|group| group.topics.as_ref()).flatten();
    caller
        .check_partitions(groups.len() + named.map(|topic| topic.partition_indexes.len()).sum::<usize>())?;
    let mut answers = Vec::with_capacity(groups.len());
    let mut told_whole = HashSet::new();
    // All of a group is told once: it may be large.
    let is_new =
        |group: &OffsetFetchRequestGroup| group.topics.is_some() || told_whole.insert(group.group_id.clone());
    for group in groups.into_iter().filter(is_new) {
        answers.push(fetch(&edge, group, version).await);
    }
    if version >= MANY_SINCE {
        return Ok(OffsetFetchResponse { groups: answers, ..Default::default() });
    }
    let only = answers.into_iter().next().unwrap_or_default();
    Ok(OffsetFetchResponse {
        topics: only.topics.into_iter().map(before_groups).collect(),
        error_code: only.error_code,
        ..Default::default()
    })
}

/// The groups of a request of any version.
fn groups_of(request: OffsetFetchRequest, version: i16) -> Vec<OffsetFetchRequestGroup> {
    if version >= MANY_SINCE {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topic = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topic.collect()
    });
    vec![OffsetFetchRequestGroup {
        group_id: request.group_id,
        member_epoch: -1,
        topics,
        ..Default::default()
    }]
}

async fn fetch(edge: &Edge, group: OffsetFetchRequestGroup, version: i16) -> OffsetFetchResponseGroup {
    let OffsetFetchRequestGroup { group_id, member_id, member_epoch, topics } = group;
    let member = member_id.as_ref().map(|id| MemberId::from(id.as_str()));
    let from = Fetching { member, epoch: member_epoch };
    let known = edge.broker.topics();
    let partitions = topics.as_ref().map(|topics| Arc::new(partitions_of(topics, &known, version)));
    let unknown = LocateGroupError::Unknown.code();
    let message = |reply| FetchOffsets { from: from.clone(), partitions: partitions.clone(), reply };
    let fetched = match groups::ask(edge, &group_id, Missing::Refuse, unknown, message).await {
        Ok(Ok(fetched)) => Ok(fetched),
        // A group that is not there has read nothing.
        Err(code) if code == unknown => Ok(Vec::new()),
        Ok(Err(error)) => Err(error.code()),
        Err(code) => Err(code),
    };
    match (fetched, topics) {
        (Ok(fetched), Some(topics)) => OffsetFetchResponseGroup {
            group_id,
            topics: asked_for(topics, &known, version, &fetched),
            ..Default::default()
        },
        (Ok(fetched), None) => {
            OffsetFetchResponseGroup { group_id, topics: all(&known, &fetched), ..Default::default() }
        }
        (Err(code), topics) => refusal(group_id, code, topics, version),
    }
}

fn id_of(topic: &OffsetFetchRequestTopics, known: &Topics, version: i16) -> Option<TopicId> {
    let found = if version >= TOPIC_IDS_SINCE {
        known.get_by_id(TopicId(topic.topic_id))
    } else {
        known.get(&topic.name)
    };
    found.map(|topic| topic.id)
}

fn partitions_of(topics: &[OffsetFetchRequestTopics], known: &Topics, version: i16) -> Vec<TopicPartition> {
    let of_topic = |topic| id_of(topic, known, version).map(|id| (topic, id));
    let named = topics.iter().filter_map(of_topic);
    named.flat_map(|(topic, id)| topic.partition_indexes.iter().map(move |index| (id, *index))).collect()
}

/// The topics that were asked for, in their order; those whose id nobody knows come last.
fn asked_for(
    topics: Vec<OffsetFetchRequestTopics>,
    known: &Topics,
    version: i16,
    fetched: &[FetchedOffset],
) -> Vec<OffsetFetchResponseTopics> {
    // The offsets stand in the order in which they were asked for.
    let mut fetched = fetched.iter();
    let answer = |topic: OffsetFetchRequestTopics| {
        let is_known = id_of(&topic, known, version).is_some();
        let error_code =
            if is_known || version < TOPIC_IDS_SINCE { ErrorCode::NONE } else { ErrorCode::UNKNOWN_TOPIC_ID };
        let partitions = topic.partition_indexes.iter().map(|index| {
            let found = if is_known { fetched.next() } else { None };
            OffsetFetchResponsePartitions { error_code, ..partition(*index, found) }
        });
        let partitions = partitions.collect();
        (error_code, OffsetFetchResponseTopics { name: topic.name, topic_id: topic.topic_id, partitions })
    };
    let mut answers: Vec<_> = topics.into_iter().map(answer).collect();
    answers.sort_by_key(|(code, _)| code.is_error());
    answers.into_iter().map(|(_, topic)| topic).collect()
}

/// All topics that have offsets and are still there.
fn all(known: &Topics, fetched: &[FetchedOffset]) -> Vec<OffsetFetchResponseTopics> {
    let by_topic = fetched.chunk_by(|one, next| one.partition.0 == next.partition.0);
    let answer = |offsets: &[FetchedOffset]| {
        let topic = known.get_by_id(offsets.first()?.partition.0)?;
        Some(OffsetFetchResponseTopics {
            name: (&*topic.name).into(),
            topic_id: topic.id.0,
            partitions: offsets.iter().map(|one| partition(one.partition.1, Some(one))).collect(),
        })
    };
    by_topic.filter_map(answer).collect()
}

fn partition(partition_index: i32, fetched: Option<&FetchedOffset>) -> OffsetFetchResponsePartitions {
    let committed = fetched.and_then(|fetched| fetched.committed.as_ref());
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: committed.map_or(-1, |row| row.offset),
        committed_leader_epoch: committed.map_or(-1, |row| row.leader_epoch),
        metadata: Some(committed.map(|row| row.metadata.as_str().into()).unwrap_or_default()),
        error_code: ErrorCode::NONE,
    }
}

/// A code for all of a group; in the version that has no place for it, with each partition.
fn refusal(
    group_id: Str,
    error_code: ErrorCode,
    topics: Option<Vec<OffsetFetchRequestTopics>>,
    version: i16,
) -> OffsetFetchResponseGroup {
    if version >= ERROR_SINCE {
        return OffsetFetchResponseGroup { group_id, error_code, ..Default::default() };
    }
    let topic = |topic: OffsetFetchRequestTopics| OffsetFetchResponseTopics {
        partitions: topic
            .partition_indexes
            .iter()
            .map(|index| OffsetFetchResponsePartitions { error_code, ..partition(*index, None) })
            .collect(),
        name: topic.name,
        ..Default::default()
    };
    let topics = topics.unwrap_or_default().into_iter().map(topic).collect();
    OffsetFetchResponseGroup { group_id, topics, ..Default::default() }
}

/// A topic as the versions before several groups have it.
fn before_groups(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partition = |partition: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    };
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    }
}

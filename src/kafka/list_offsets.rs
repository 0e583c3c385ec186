//! ListOffsets, versions 1 to 11: offsets by time, and the ends of partitions' logs.
//!
//! Nothing is in tiered storage: the start of what is local (-4) is the start, and the two that ask
//! for what is tiered (-5, -6) find nothing.

use super::error_code::Code;
use super::fetch::isolation;
use super::{Caller, Edge, Refused};
use callboard_actors::broker::list_offsets::{OffsetWanted, Position};
use callboard_actors::broker::long_poll::FetchError;
use callboard_actors::broker::topics::TopicView;
use callboard_actors::partition::poll::Isolation;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, ListOffsetsTopicResponse,
};
use callboard_protocol::wire::Str;
use callboard_storage::log::TimedOffset;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first version in which answers tell leader epochs.
const LEADER_EPOCHS: i16 = 4;

/// A partition that the request names.
struct Named {
    partition: ListOffsetsPartition,
    is_repeated: bool,
}

/// What becomes of a partition: the place of its offset among those asked for, if one is.
struct Asked {
    partition: i32,
    place: Result<Option<usize>, ErrorCode>,
}

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: ListOffsetsRequest,
) -> Result<ListOffsetsResponse, Refused> {
    caller.check_partitions(request.topics.iter().map(|topic| topic.partitions.len()).sum())?;
    let isolation = isolation(request.isolation_level).ok_or(ErrorCode::UNKNOWN_SERVER_ERROR);
    let mut wanted = Vec::new();
    let mut asked = Vec::new();
    for (name, partitions) in gather(request.topics) {
        let topic = edge.broker.topics().get(&name).cloned();
        let ask = |named: &Named| {
            let want =
                isolation.and_then(|level| look_up(&edge, caller.version, topic.as_ref(), named, level));
            let place = want.map(|want| want.map(|want| push(&mut wanted, want)));
            Asked { partition: named.partition.partition_index, place }
        };
        asked.push((name, partitions.values().map(ask).collect::<Vec<_>>()));
    }
    let found = edge.broker.list_offsets(wanted).await;
    let answer = |(name, partitions): (Str, Vec<Asked>)| {
        let partitions = partitions.iter().map(|asked| answer(asked, &found, caller.version)).collect();
        ListOffsetsTopicResponse { name, partitions }
    };
    Ok(ListOffsetsResponse { topics: asked.into_iter().map(answer).collect(), ..Default::default() })
}

/// The partitions of each topic that the request names, each once.
fn gather(topics: Vec<ListOffsetsTopic>) -> BTreeMap<Str, BTreeMap<i32, Named>> {
    let mut gathered: BTreeMap<Str, BTreeMap<i32, Named>> = BTreeMap::new();
    for ListOffsetsTopic { name, partitions } in topics {
        for partition in partitions {
            let named = gathered.entry(name.clone()).or_default().entry(partition.partition_index);
            named
                .and_modify(|named| named.is_repeated = true)
                .or_insert(Named { partition, is_repeated: false });
        }
    }
    gathered
}

fn look_up(
    edge: &Edge,
    version: i16,
    topic: Option<&Arc<TopicView>>,
    named: &Named,
    isolation: Isolation,
) -> Result<Option<OffsetWanted>, ErrorCode> {
    let Named { partition, is_repeated } = named;
    if *is_repeated {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let position = position(partition.timestamp, version)?;
    let found = topic.and_then(|topic| Some((topic, topic.partition(partition.partition_index)?)));
    let (topic, slot) = found.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let known = (partition.current_leader_epoch != -1).then_some(partition.current_leader_epoch);
    edge.broker.check_leader_epoch(known).map_err(|error| error.code())?;
    let (topic, slot) = (Arc::clone(topic), Arc::clone(slot));
    Ok(position.map(|position| OffsetWanted { topic, slot, position, isolation }))
}

/// What a timestamp asks for in that version; none for what never is there.
fn position(timestamp: i64, version: i16) -> Result<Option<Position>, ErrorCode> {
    match timestamp {
        0.. => Ok(Some(Position::AtTime(timestamp))),
        -1 => Ok(Some(Position::Latest)),
        -2 => Ok(Some(Position::Earliest)),
        -3 if version >= 7 => Ok(Some(Position::MaxTime)),
        -4 if version >= 8 => Ok(Some(Position::Earliest)),
        -5 if version >= 9 => Ok(None),
        -6 if version >= 11 => Ok(None),
        _ => Err(ErrorCode::UNSUPPORTED_VERSION),
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}

fn answer(
    asked: &Asked,
    found: &[Result<Option<TimedOffset>, FetchError>],
    version: i16,
) -> ListOffsetsPartitionResponse {
    let blank = ListOffsetsPartitionResponse { partition_index: asked.partition, ..Default::default() };
    let outcome = asked.place.and_then(|place| {
        let found = place.and_then(|place| found.get(place));
        found.map_or(Ok(None), |found| found.map_err(|error| error.code()))
    });
    match outcome {
        Ok(Some(TimedOffset { offset, timestamp, leader_epoch })) => ListOffsetsPartitionResponse {
            timestamp,
            offset: offset.0,
            leader_epoch: if version >= LEADER_EPOCHS { leader_epoch } else { -1 },
            ..blank
        },
        Ok(None) => blank,
        Err(error_code) => ListOffsetsPartitionResponse { error_code, ..blank },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_storage::Offset;

    fn topic(name: &str, partitions: &[i32]) -> ListOffsetsTopic {
        let partition = |index: &i32| ListOffsetsPartition { partition_index: *index, ..Default::default() };
        ListOffsetsTopic { name: name.into(), partitions: partitions.iter().map(partition).collect() }
    }

    #[test]
    fn special_times_come_with_their_versions() {
        for (timestamp, since) in [(-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
            assert_eq!(position(timestamp, since - 1), Err(ErrorCode::UNSUPPORTED_VERSION));
            assert!(position(timestamp, since).is_ok());
        }
        assert_eq!(position(-7, 11), Err(ErrorCode::UNSUPPORTED_VERSION));
        assert_eq!(position(0, 1), Ok(Some(Position::AtTime(0))));
        assert_eq!(position(-5, 11), Ok(None));
    }

    #[test]
    fn partitions_named_twice_are_marked_also_across_a_repeated_topic() {
        let gathered = gather(vec![topic("a", &[0, 1]), topic("b", &[]), topic("a", &[1, 2])]);
        assert_eq!(gathered.len(), 1, "a topic without partitions has no answer");
        let repeated: Vec<_> = gathered["a"].values().map(|named| named.is_repeated).collect();
        assert_eq!(repeated, [false, true, false]);
    }

    #[test]
    fn leader_epochs_are_told_only_where_there_is_a_field_for_them() {
        let asked = Asked { partition: 3, place: Ok(Some(0)) };
        let found = [Ok(Some(TimedOffset { offset: Offset(9), timestamp: 5, leader_epoch: 2 }))];
        let old = answer(&asked, &found, 3);
        assert_eq!((old.partition_index, old.offset, old.timestamp, old.leader_epoch), (3, 9, 5, -1));
        assert_eq!(answer(&asked, &found, 4).leader_epoch, 2);
    }

    #[test]
    fn what_is_not_found_or_fails_has_no_offset() {
        let asked = |place| Asked { partition: 0, place };
        assert_eq!(answer(&asked(Ok(None)), &[], 4).offset, -1);
        assert_eq!(answer(&asked(Ok(Some(0))), &[Ok(None)], 4).error_code, ErrorCode::NONE);
        let deleted = answer(&asked(Ok(Some(0))), &[Err(FetchError::Deleted)], 4);
        assert_eq!(deleted.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

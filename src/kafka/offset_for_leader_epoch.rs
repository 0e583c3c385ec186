//! OffsetForLeaderEpoch, versions 2 to 4: where leader epochs ended.

use super::error_code::Code;
use super::{Caller, Edge, Refused};
use callboard_actors::broker::leader_epochs::{EpochEnd, EpochWanted};
use callboard_actors::broker::long_poll::FetchError;
use callboard_actors::broker::topics::TopicView;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopic, OffsetForLeaderTopicResult,
};
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: OffsetForLeaderEpochRequest,
) -> Result<OffsetForLeaderEpochResponse, Refused> {
    caller.check_partitions(request.topics.iter().map(|topic| topic.partitions.len()).sum())?;
    let mut wanted = Vec::new();
    let mut topics: Vec<_> = request.topics.iter().map(|topic| look_up(&edge, topic, &mut wanted)).collect();
    let ends = edge.broker.epoch_ends(wanted).await;
    let answers = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    for (answer, end) in answers.filter(|answer| !answer.error_code.is_error()).zip(ends) {
        fill(answer, end);
    }
    Ok(OffsetForLeaderEpochResponse { topics, ..Default::default() })
}

/// The answer for a topic as far as it is known without asking; what must be asked goes to `wanted`.
fn look_up(
    edge: &Edge,
    topic: &OffsetForLeaderTopic,
    wanted: &mut Vec<EpochWanted>,
) -> OffsetForLeaderTopicResult {
    let topics = edge.broker.topics();
    let view = topics.get(&topic.topic);
    let answer = |partition: &OffsetForLeaderPartition| {
        let looked_up = look_up_partition(edge, view, partition).map(|want| wanted.push(want));
        let error_code = looked_up.err().unwrap_or(ErrorCode::NONE);
        EpochEndOffset { error_code, partition: partition.partition, ..Default::default() }
    };
    let partitions = topic.partitions.iter().map(answer).collect();
    OffsetForLeaderTopicResult { topic: topic.topic.clone(), partitions }
}

fn look_up_partition(
    edge: &Edge,
    topic: Option<&Arc<TopicView>>,
    partition: &OffsetForLeaderPartition,
) -> Result<EpochWanted, ErrorCode> {
    let found = topic.and_then(|topic| Some((topic, topic.partition(partition.partition)?)));
    let (topic, slot) = found.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let known = (partition.current_leader_epoch != -1).then_some(partition.current_leader_epoch);
    edge.broker.check_leader_epoch(known).map_err(|error| error.code())?;
    Ok(EpochWanted { topic: Arc::clone(topic), slot: Arc::clone(slot), epoch: partition.leader_epoch })
}

fn fill(answer: &mut EpochEndOffset, end: Result<Option<EpochEnd>, FetchError>) {
    match end {
        Ok(Some((epoch, offset))) => {
            answer.leader_epoch = epoch;
            answer.end_offset = offset.0;
        }
        Ok(None) => {}
        Err(error) => answer.error_code = error.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_storage::Offset;

    #[test]
    fn an_epoch_that_is_still_to_come_has_no_end() {
        let mut answer = EpochEndOffset::default();
        fill(&mut answer, Ok(None));
        assert_eq!((answer.error_code, answer.leader_epoch, answer.end_offset), (ErrorCode::NONE, -1, -1));
        fill(&mut answer, Ok(Some((2, Offset(7)))));
        assert_eq!((answer.error_code, answer.leader_epoch, answer.end_offset), (ErrorCode::NONE, 2, 7));
    }

    #[test]
    fn a_topic_that_went_meanwhile_is_unknown() {
        let mut answer = EpochEndOffset::default();
        fill(&mut answer, Err(FetchError::Deleted));
        assert_eq!(answer.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(answer.end_offset, -1);
    }
}

//! Fetch, versions 4 to 18: batches of partitions, and a wait for more. Topics by name to 12, by id
//! from 13; sessions (KIP-227) from 7.

mod session;
mod target;

pub(super) use session::Sessions;

use super::error_code::Code;
use super::{Caller, Edge, Refused};
use callboard_actors::broker::answers::Overdraft;
use callboard_actors::broker::long_poll::{self, FetchError, FetchPart, FetchedPart};
use callboard_actors::partition::poll::{Isolation, Polled};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{
    AbortedTransaction, EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse,
    LeaderIdAndEpoch, PartitionData,
};
use callboard_protocol::wire::Records;
use callboard_storage::Offset;
use futures_util::future::join_all;
use session::{Context, Wanted};
use std::sync::Arc;
use std::time::Duration;
use target::Target;

/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// The first version whose answers name the leader after a wrong epoch.
const LEADER_SINCE: i16 = 16;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: FetchRequest,
) -> Result<FetchResponse, Refused> {
    let named = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    caller.check_partitions(named)?;
    let (context, wanted) = match edge.sessions.begin(&request, caller.version, caller.partitions_max) {
        Ok(begun) => begun,
        Err(error_code) => return Ok(FetchResponse { error_code, ..FetchResponse::default() }),
    };
    let refusal = refusal(&request);
    let mut targets: Vec<_> = wanted.into_iter().map(|wanted| Target::find(&edge, wanted, refusal)).collect();
    join_all(targets.iter_mut().map(|target| target.check_divergence(&edge))).await;
    fetch(&edge, &request, &mut targets).await;
    Ok(answer(&edge, &request, caller.version, context, targets))
}

/// What is wrong with all partitions of a request alike.
fn refusal(request: &FetchRequest) -> Option<ErrorCode> {
    let is_follower = request.replica_id >= 0 || request.replica_state.replica_id >= 0;
    if request.max_bytes < 0 || isolation(request.isolation_level).is_none() {
        Some(ErrorCode::UNKNOWN_SERVER_ERROR)
    } else {
        // Nobody follows a single broker.
        is_follower.then_some(ErrorCode::NOT_LEADER_OR_FOLLOWER)
    }
}

/// What a level of isolation lets a client read; none when there is no such level.
pub(super) fn isolation(level: i8) -> Option<Isolation> {
    match level {
        0 => Some(Isolation::ReadUncommitted),
        1 => Some(Isolation::ReadCommitted),
        _ => None,
    }
}

/// Reads all that can be read.
async fn fetch(edge: &Edge, request: &FetchRequest, targets: &mut [Target]) {
    let bytes = |count: i32| usize::try_from(count).unwrap_or(0);
    let mut parts = Vec::new();
    let mut places = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        if let Ok(found) = &target.found {
            places.push(place);
            parts.push(FetchPart {
                topic: Arc::clone(&found.topic),
                slot: Arc::clone(&found.slot),
                offset: Offset(target.wanted.offset),
                bytes_max: bytes(target.wanted.bytes_max),
            });
        }
    }
    if parts.is_empty() {
        return;
    }
    // What a client must act on is told at once; a partition that is not there does not end the
    // wait for the others, as in Kafka.
    let wait_max = if targets.iter().any(Target::is_urgent) { 0 } else { request.max_wait_ms.max(0) };
    let fetch = long_poll::Fetch {
        parts,
        bytes_max: bytes(request.max_bytes).min(edge.broker.settings().fetch.response_bytes_max),
        bytes_min: bytes(request.min_bytes),
        wait_max: edge.broker.settings().connections.wait_max(Duration::from_millis(wait_max as u64)),
        // A connection has one fetch at a time.
        overdraft: Some(Overdraft::default()),
        isolation: isolation(request.isolation_level).unwrap_or_default(),
    };
    let fetched = tokio::select! {
        biased;
        fetched = edge.broker.fetch(fetch.clone()) => fetched,
        // A broker that stops answers with what is there.
        () = edge.stopping.cancelled() => {
            edge.broker.fetch(long_poll::Fetch { wait_max: Duration::ZERO, ..fetch }).await
        }
    };
    for (place, outcome) in places.into_iter().zip(fetched) {
        if let Some(target) = targets.get_mut(place) {
            target.read(outcome, edge.broker.leader_epoch());
        }
    }
}

fn answer(
    edge: &Edge,
    request: &FetchRequest,
    version: i16,
    context: Context,
    targets: Vec<Target>,
) -> FetchResponse {
    let leader = LeaderIdAndEpoch { leader_id: edge.node_id(), leader_epoch: edge.broker.leader_epoch() };
    let answers: Vec<_> = targets
        .into_iter()
        .map(|target| {
            let mut data = partition(&target, request.isolation_level);
            if version >= LEADER_SINCE && data.error_code == ErrorCode::FENCED_LEADER_EPOCH {
                data.current_leader = leader.clone();
            }
            (target.wanted, data)
        })
        .collect();
    let (session_id, answers) = edge.sessions.end(context, answers);
    FetchResponse { session_id, responses: by_topic(answers), ..FetchResponse::default() }
}

fn partition(target: &Target, isolation_level: i8) -> PartitionData {
    let failed = |error_code| PartitionData {
        error_code,
        high_watermark: -1,
        records: Some(Records::new()),
        ..PartitionData::default()
    };
    let mut data = match (&target.found, &target.fetched) {
        (Err(code @ (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID)), _) => {
            PartitionData { aborted_transactions: Some(Vec::new()), ..failed(*code) }
        }
        (Err(code), _) => failed(*code),
        (Ok(_), Some(Ok(fetched))) => read(fetched, target, isolation_level),
        (Ok(_), Some(Err(FetchError::OutOfRange(ends)))) if target.diverging.is_some() => {
            let Polled { log_start, high_watermark, last_stable } = *ends;
            let nothing = FetchedPart { log_start, high_watermark, last_stable, ..FetchedPart::default() };
            read(&nothing, target, isolation_level)
        }
        (Ok(_), Some(Err(error))) => failed(error.code()),
        (Ok(_), None) => failed(ErrorCode::UNKNOWN_SERVER_ERROR),
    };
    data.partition_index = target.wanted.index;
    data
}

fn read(fetched: &FetchedPart, target: &Target, isolation_level: i8) -> PartitionData {
    let aborted = fetched.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first_offset.0,
    });
    let mut data = PartitionData {
        high_watermark: fetched.high_watermark.0,
        last_stable_offset: fetched.last_stable.0,
        log_start_offset: fetched.log_start.0,
        // A list, though an empty one, only for those who read what is committed.
        aborted_transactions: (isolation_level == 1).then(|| aborted.collect()),
        records: Some(fetched.batches.iter().cloned().collect()),
        ..PartitionData::default()
    };
    if let Some((epoch, end)) = target.diverging {
        data.diverging_epoch = EpochEndOffset { epoch, end_offset: end.0 };
        data.records = Some(Records::new());
    }
    data
}

/// Puts the partitions under their topics, in the order in which they come.
fn by_topic(answers: Vec<(Wanted, PartitionData)>) -> Vec<FetchableTopicResponse> {
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    for (wanted, data) in answers {
        let last = topics.last_mut().filter(|topic| wanted.topic.is(&topic.topic, topic.topic_id));
        match last {
            Some(topic) => topic.partitions.push(data),
            None => topics.push(FetchableTopicResponse {
                topic: wanted.topic.name(),
                topic_id: wanted.topic.id(),
                partitions: vec![data],
            }),
        }
    }
    topics
}

//! Reading: batches and offsets of partitions, asked for once.

use super::refusals::Refused;
use super::{Native, Reply, find};
use bytes::Bytes;
use callboard_actors::broker::answers::Overdraft;
use callboard_actors::broker::list_offsets::{self, OffsetWanted};
use callboard_actors::broker::long_poll::{self, FetchError, FetchPart};
use callboard_actors::partition::poll::Isolation;
use callboard_protocol::native::read::{
    AbortedTransaction, Fetch, Fetched, FetchedPart, IsolationLevel, ListOffsets, OffsetsListed, Position,
    ReadBatches, ReadPart, TimedOffset,
};
use callboard_protocol::native::{Code, Refusal, Response, TopicPartition};
use callboard_storage::Offset;
use std::collections::HashSet;
use std::time::Duration;

pub(super) async fn fetch(native: &Native, fetch: Fetch, overdraft: Overdraft) -> Reply {
    native.check_count(fetch.parts.len())?;
    check_once(fetch.parts.iter().map(|part| part.partition))?;
    let wait_max = Duration::from_millis(u64::from(fetch.wait_max_ms));
    let bounds = Bounds {
        bytes_max: fetch.bytes_max as usize,
        bytes_min: fetch.bytes_min as usize,
        wait_max: native.broker.settings().connections.wait_max(wait_max),
        overdraft: Some(overdraft),
        isolation: isolation(fetch.isolation),
    };
    let (fetched, batches) = read(native, &fetch.parts, bounds).await;
    Ok((Response::Fetch(fetched), batches))
}

/// Refuses partitions of which one is named twice.
pub(super) fn check_once(partitions: impl Iterator<Item = TopicPartition>) -> Result<(), Refusal> {
    let mut named = HashSet::new();
    for partition in partitions {
        if !named.insert(partition) {
            return Err(Refusal::new(Code::INVALID_REQUEST, "a partition is named twice"));
        }
    }
    Ok(())
}

/// How much is read and of whose, and how long is waited for it.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) bytes_max: usize,
    pub(super) bytes_min: usize,
    pub(super) wait_max: Duration,
    /// Without it nothing is read while answers that are not read take up all their room.
    pub(super) overdraft: Option<Overdraft>,
    pub(super) isolation: Isolation,
}

/// Reads partitions, each once, and answers for all of them in their order.
pub(super) async fn read(native: &Native, parts: &[ReadPart], bounds: Bounds) -> (Fetched, Vec<Bytes>) {
    let bytes_max = bounds.bytes_max.min(native.broker.settings().fetch.response_bytes_max);
    let topics = native.broker.topics();
    let mut outcomes = Vec::with_capacity(parts.len());
    let mut wanted = Vec::with_capacity(parts.len());
    for part in parts {
        let found = find(&topics, part.partition);
        outcomes.push(found.map(|(topic, slot)| {
            wanted.push(FetchPart { topic, slot, offset: Offset(part.offset), bytes_max });
        }));
    }
    drop(topics);
    // What a client must act on is told at once.
    let wait_max = if outcomes.iter().all(Result::is_ok) { bounds.wait_max } else { Duration::ZERO };
    let Bounds { bytes_min, overdraft, isolation, .. } = bounds;
    let fetch = long_poll::Fetch { parts: wanted, bytes_max, bytes_min, wait_max, overdraft, isolation };
    let mut fetched = wait(native, fetch).await.into_iter();
    let mut batches = Vec::new();
    let parts = parts.iter().zip(outcomes).map(|(part, found)| {
        let outcome = found.and_then(|()| match fetched.next() {
            Some(Ok(read)) => Ok(read_batches(read, &mut batches)),
            Some(Err(error)) => Err(error.refusal()),
            None => Err(callboard_actors::Unavailable.refusal()),
        });
        FetchedPart { partition: part.partition, outcome }
    });
    let parts = parts.collect();
    (Fetched { parts }, batches)
}

async fn wait(native: &Native, fetch: long_poll::Fetch) -> long_poll::Fetched {
    tokio::select! {
        biased;
        fetched = native.broker.fetch(fetch.clone()) => fetched,
        // A broker that stops answers with what is there.
        () = native.stopping.cancelled() => {
            native.broker.fetch(long_poll::Fetch { wait_max: Duration::ZERO, ..fetch }).await
        }
    }
}

/// Takes the batches over.
fn read_batches(read: long_poll::FetchedPart, batches: &mut Vec<Bytes>) -> ReadBatches {
    let bytes = read.batches.iter().map(Bytes::len).sum::<usize>() as u32;
    batches.extend(read.batches);
    let aborted = read.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first_offset.0,
    });
    ReadBatches {
        log_start: read.log_start.0,
        high_watermark: read.high_watermark.0,
        last_stable: read.last_stable.0,
        bytes,
        aborted: aborted.collect(),
    }
}

pub(super) fn isolation(level: IsolationLevel) -> Isolation {
    match level {
        IsolationLevel::ReadUncommitted => Isolation::ReadUncommitted,
        IsolationLevel::ReadCommitted => Isolation::ReadCommitted,
    }
}

pub(super) async fn list_offsets(native: &Native, list: &ListOffsets) -> Result<OffsetsListed, Refusal> {
    native.check_count(list.wanted.len())?;
    let isolation = isolation(list.isolation);
    let topics = native.broker.topics();
    let wanted = list.wanted.iter().map(|wanted| {
        let (topic, slot) = find(&topics, wanted.partition)?;
        Ok(OffsetWanted { topic, slot, position: position(wanted.position), isolation })
    });
    let wanted: Vec<Result<_, Refusal>> = wanted.collect();
    let found = wanted.iter().filter_map(|wanted| wanted.as_ref().ok().cloned()).collect();
    let mut listed = native.broker.list_offsets(found).await.into_iter();
    let timed = |found: callboard_storage::log::TimedOffset| TimedOffset {
        offset: found.offset.0,
        timestamp: found.timestamp,
    };
    let outcomes = wanted.into_iter().map(|wanted| {
        wanted?;
        let unavailable = || Err(FetchError::from(callboard_actors::Unavailable));
        let listed = listed.next().unwrap_or_else(unavailable);
        listed.map(|found| found.map(timed)).map_err(|error| error.refusal())
    });
    Ok(OffsetsListed { outcomes: outcomes.collect() })
}

fn position(position: Position) -> list_offsets::Position {
    match position {
        Position::Earliest => list_offsets::Position::Earliest,
        Position::Latest => list_offsets::Position::Latest,
        Position::AtTime(time) => list_offsets::Position::AtTime(time),
        Position::MaxTime => list_offsets::Position::MaxTime,
    }
}

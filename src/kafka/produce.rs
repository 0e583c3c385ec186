//! Produce, versions 3 to 13: batches to partitions. Topics by name to 12, by id from 13.
//!
//! Advertised from version 0, as Kafka does. An answer says for each partition where its batch
//! stands or why it does not; a bad one does not harm the others. With acks=0 nothing is answered,
//! and the connection is closed when something fails.

use super::error_code::Code;
use super::{Answer, Answering, Caller, Edge, Incoming, Refused, Started, decode, encode};
use bytes::Bytes;
use callboard_actors::Unavailable;
use callboard_actors::broker::append::{Outcome, append};
use callboard_actors::broker::topics::{PartitionSlot, TopicView, Topics};
use callboard_actors::partition::append::{Acks, AppendError, Appended};
use callboard_protocol::batch::{BatchHeader, Compression};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use callboard_protocol::wire::Records;
use callboard_storage::TopicId;
use std::collections::HashSet;
use std::sync::Arc;

/// The first version that may carry zstd.
const ZSTD_SINCE: i16 = 7;
/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;

/// When a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Not at all.
    Nothing,
    /// When the batches are written, or synced.
    Answer(Acks),
}

/// A request on its way: the answer as far as it is known, and what is still to come.
struct Produce {
    edge: Arc<Edge>,
    correlation_id: i32,
    version: i16,
    wanted: Wanted,
    response: ProduceResponse,
    batches: Vec<Target>,
}

/// A batch and its place in the request.
struct Target {
    topic_at: usize,
    partition_at: usize,
    topic: Arc<TopicView>,
    slot: Arc<PartitionSlot>,
    records: Bytes,
}

/// An append that was sent.
struct Sent {
    topic_at: usize,
    partition_at: usize,
    /// `None` when the partition's actor cannot be had.
    outcome: Option<Outcome>,
}

pub(super) fn start(edge: Arc<Edge>, incoming: Incoming) -> Result<Started, Refused> {
    let (header, caller, request) = decode::<ProduceRequest>(&edge, incoming)?;
    caller.check_partitions(request.topic_data.iter().map(|topic| topic.partition_data.len()).sum())?;
    let produce = Produce::plan(edge, header.correlation_id, &caller, request);
    if produce.batches.iter().all(|target| target.slot.actor().is_some()) {
        return Ok(Started::Answering(produce.send()));
    }
    Ok(Started::Waiting(Box::pin(produce.send_once_started())))
}

impl Produce {
    /// Finds the partitions, and what is wrong before they are asked.
    fn plan(edge: Arc<Edge>, correlation_id: i32, caller: &Caller, request: ProduceRequest) -> Self {
        let topics = edge.broker.topics();
        let (wanted, is_invalid) = match request.acks {
            0 => (Wanted::Nothing, false),
            1 => (Wanted::Answer(Acks::Written), false),
            acks => (Wanted::Answer(Acks::Synced), acks != -1),
        };
        let version = caller.version;
        let mut produce = Self {
            edge,
            correlation_id,
            version,
            wanted,
            response: ProduceResponse::default(),
            batches: Vec::new(),
        };
        for topic_data in request.topic_data {
            produce.plan_topic(&topics, topic_data, is_invalid);
        }
        produce
    }

    fn plan_topic(&mut self, topics: &Topics, data: TopicProduceData, is_invalid: bool) {
        let topic = find(topics, &data, self.version);
        let unknown = if self.version >= TOPIC_IDS_SINCE {
            ErrorCode::UNKNOWN_TOPIC_ID
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        };
        let topic_at = self.response.responses.len();
        let mut responses = Vec::with_capacity(data.partition_data.len());
        for partition in latest_of_each(data.partition_data) {
            let index = partition.index;
            let slot = topic.and_then(|topic| Some((topic, topic.partition(index)?)));
            let known = match (topic, slot) {
                (None, _) => Err(unknown),
                (_, None) => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                (_, Some(_)) if is_invalid => Err(ErrorCode::INVALID_REQUIRED_ACKS),
                (_, Some(slot)) => check_records(partition.records, self.version).map(|bytes| (slot, bytes)),
            };
            let code = known.as_ref().err().copied().unwrap_or(ErrorCode::NONE);
            if let Ok(((topic, slot), records)) = known {
                let (topic, slot) = (Arc::clone(topic), Arc::clone(slot));
                self.batches.push(Target { topic_at, partition_at: responses.len(), topic, slot, records });
            }
            responses.push(refusal(index, code, None));
        }
        self.response.responses.push(TopicProduceResponse {
            name: data.name,
            topic_id: data.topic_id,
            partition_responses: responses,
        });
    }

    /// Sees to it that all partitions have actors. One that cannot be had fails its batch.
    async fn start_partitions(&mut self) {
        let mut started = Vec::with_capacity(self.batches.len());
        for target in std::mem::take(&mut self.batches) {
            match self.edge.broker.locate(&target.topic, &target.slot).await {
                Ok(_) => started.push(target),
                Err(error) => self.refuse(&target, &error.into()),
            }
        }
        self.batches = started;
    }

    fn refuse(&mut self, target: &Target, error: &AppendError) {
        if let Some(place) = self.place(target.topic_at, target.partition_at) {
            *place = refusal(place.index, error.code(), Some(error));
        }
    }

    fn place(&mut self, topic_at: usize, partition_at: usize) -> Option<&mut PartitionProduceResponse> {
        self.response.responses.get_mut(topic_at)?.partition_responses.get_mut(partition_at)
    }

    async fn send_once_started(mut self) -> Answering {
        self.start_partitions().await;
        self.send()
    }

    /// Puts all batches into their partitions' mailboxes, before anything else is done.
    fn send(mut self) -> Answering {
        let acks = match self.wanted {
            Wanted::Nothing => Acks::Synced,
            Wanted::Answer(acks) => acks,
        };
        let sent = std::mem::take(&mut self.batches).into_iter().map(|target| {
            let Target { topic_at, partition_at, slot, records, .. } = target;
            let outcome = slot.actor().map(|actor| append(&actor, records, acks));
            Sent { topic_at, partition_at, outcome }
        });
        let sent: Vec<_> = sent.collect();
        Box::pin(self.answer(sent))
    }

    async fn answer(mut self, sent: Vec<Sent>) -> Answer {
        for Sent { topic_at, partition_at, outcome } in sent {
            let outcome = match outcome {
                Some(outcome) => outcome.wait().await,
                None => Err(AppendError::Unavailable(Unavailable)),
            };
            if let Some(place) = self.place(topic_at, partition_at) {
                *place = outcome.map_or_else(
                    |error| refusal(place.index, error.code(), Some(&error)),
                    |appended| success(place.index, &appended),
                );
            }
        }
        match self.wanted {
            Wanted::Answer(_) => encode(self.correlation_id, self.version, &self.response),
            Wanted::Nothing => self.no_answer(),
        }
    }

    fn no_answer(&self) -> Answer {
        let partitions = self.response.responses.iter().flat_map(|topic| &topic.partition_responses);
        let failed = partitions.map(|partition| partition.error_code).find(|code| code.is_error());
        failed.map_or(Ok(None), |code| Err(Refused::Unacknowledged(code.to_string())))
    }
}

fn find<'a>(topics: &'a Topics, data: &TopicProduceData, version: i16) -> Option<&'a Arc<TopicView>> {
    if version >= TOPIC_IDS_SINCE { topics.get_by_id(TopicId(data.topic_id)) } else { topics.get(&data.name) }
}

/// Of a partition that is named twice the last counts, as in Kafka.
fn latest_of_each(mut partitions: Vec<PartitionProduceData>) -> Vec<PartitionProduceData> {
    if partitions.len() > 1 {
        let mut seen = HashSet::with_capacity(partitions.len());
        partitions.reverse();
        partitions.retain(|partition| seen.insert(partition.index));
        partitions.reverse();
    }
    partitions
}

fn check_records(records: Option<Records>, version: i16) -> Result<Bytes, ErrorCode> {
    let bytes = records.ok_or(ErrorCode::INVALID_RECORD)?.into_bytes();
    let compression = BatchHeader::parse(&bytes).and_then(|header| header.attributes.compression());
    if version < ZSTD_SINCE && compression == Some(Compression::Zstd) {
        return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
    Ok(bytes)
}

fn success(index: i32, appended: &Appended) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        base_offset: appended.base_offset.0,
        log_append_time_ms: appended.log_append_time,
        log_start_offset: appended.log_start.0,
        ..Default::default()
    }
}

fn refusal(index: i32, error_code: ErrorCode, error: Option<&AppendError>) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code,
        base_offset: -1,
        error_message: error.map(|error| error.to_string().into()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_partition_named_twice_the_last_counts() {
        let data = |index, bytes: &'static [u8]| PartitionProduceData {
            index,
            records: Some(Records::from(Bytes::from_static(bytes))),
        };
        let kept = latest_of_each(vec![data(1, b"a"), data(2, b"b"), data(1, b"c")]);
        assert_eq!(kept, [data(2, b"b"), data(1, b"c")]);
    }
}

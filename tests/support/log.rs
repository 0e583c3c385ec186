//! Writing to and reading from a topic's partitions, by Kafka's messages.

use crate::client::{Client, accept};
use crate::history::{Entry, Place, entries};
use bytes::Bytes;
use callboard_protocol::kafka::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use callboard_protocol::kafka::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use callboard_protocol::kafka::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use std::io;
use uuid::Uuid;

const PRODUCE: i16 = 9;
/// The timestamp that asks for the end of a log.
const LATEST: i64 = -1;

/// A topic that is there.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    pub(crate) partitions: i32,
}

impl Topic {
    pub(crate) fn place(&self, partition: i32) -> Place {
        (self.id, partition)
    }

    /// Sends a batch; its outcome is received later.
    pub(crate) fn send(
        &self,
        client: &mut Client,
        partition: i32,
        batch: &Bytes,
        acks: i16,
    ) -> io::Result<()> {
        let data = PartitionProduceData { index: partition, records: Some(batch.clone().into()) };
        let topic = TopicProduceData {
            name: self.name.as_str().into(),
            topic_id: self.id,
            partition_data: vec![data],
        };
        let request =
            ProduceRequest { acks, timeout_ms: 10_000, topic_data: vec![topic], ..Default::default() };
        client.send(PRODUCE, &request)
    }

    /// What a partition has from an offset on, and the offset behind it.
    pub(crate) fn read(
        &self,
        client: &mut Client,
        partition: i32,
        offset: i64,
    ) -> io::Result<(Vec<(i64, Entry)>, i64)> {
        let asked = FetchPartition {
            partition,
            fetch_offset: offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic =
            FetchTopic { topic: self.name.as_str().into(), topic_id: self.id, partitions: vec![asked] };
        let request =
            FetchRequest { max_wait_ms: 20, min_bytes: 1, topics: vec![topic], ..Default::default() };
        let answer: FetchResponse = client.call(12, &request)?;
        let read = &answer.responses[0].partitions[0];
        accept(read.error_code, || format!("reading {self:?}/{partition} from {offset}"))?;
        Ok(entries(read.records.as_ref(), offset))
    }

    /// The offset behind a partition's last record that may be read.
    pub(crate) fn end(&self, client: &mut Client, partition: i32) -> io::Result<i64> {
        let asked =
            ListOffsetsPartition { partition_index: partition, timestamp: LATEST, ..Default::default() };
        let topic = ListOffsetsTopic { name: self.name.as_str().into(), partitions: vec![asked] };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let answer: ListOffsetsResponse = client.call(8, &request)?;
        let found = &answer.topics[0].partitions[0];
        accept(found.error_code, || format!("asking for the end of {self:?}/{partition}"))?;
        Ok(found.offset)
    }
}

/// The offset that the next batch sent was given.
pub(crate) fn receive_offset(client: &mut Client) -> io::Result<i64> {
    let answer: ProduceResponse = client.receive(PRODUCE)?;
    let outcome = &answer.responses[0].partition_responses[0];
    accept(outcome.error_code, || format!("writing: {:?}", outcome.error_message))?;
    Ok(outcome.base_offset)
}

/// An id for a new idempotent producer.
pub(crate) fn new_producer_id(client: &mut Client) -> io::Result<i64> {
    let answer: InitProducerIdResponse = client.call(4, &InitProducerIdRequest::default())?;
    accept(answer.error_code, || "asking for a producer id".to_owned())?;
    Ok(answer.producer_id)
}

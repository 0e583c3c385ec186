//! A topic of a test's own, and the requests about it that most tests make.

use crate::batch::{Batch, Stored, stored};
use crate::client::{Client, WITHIN};
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use callboard_protocol::kafka::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
use callboard_protocol::kafka::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use callboard_protocol::kafka::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic,
};
use callboard_protocol::kafka::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use callboard_protocol::wire::Str;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use uuid::Uuid;

/// The timestamp that asks for the end of a log.
pub(crate) const LATEST: i64 = -1;

static CREATED: AtomicUsize = AtomicUsize::new(0);

/// A topic with a name that no other test has.
pub(crate) struct Topic {
    pub(crate) name: Str,
    pub(crate) id: Uuid,
}

/// A name that no other topic has.
pub(crate) fn new_name() -> Str {
    let number = CREATED.fetch_add(1, Ordering::Relaxed);
    format!("test-{}-{number}", std::process::id()).into()
}

impl Topic {
    pub(crate) fn create(client: &mut Client, partitions: i32) -> Self {
        Self::create_with(client, partitions, &[])
    }

    /// A topic with settings of its own.
    pub(crate) fn create_with(client: &mut Client, partitions: i32, configs: &[(&str, &str)]) -> Self {
        Self::create_named(client, new_name(), partitions, configs)
    }

    /// A topic of that name, which is free.
    pub(crate) fn create_named(
        client: &mut Client,
        name: Str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Self {
        let answer: CreateTopicsResponse = client.call(7, &create_request(&name, partitions, configs));
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{:?}", answer.topics[0].error_message);
        let topic = Self { name, id: answer.topics[0].topic_id };
        (0..partitions).for_each(|partition| topic.wait_for_leader(client, partition));
        topic
    }

    /// Deletes the topic.
    pub(crate) fn delete(&self, client: &mut Client) {
        let request = DeleteTopicsRequest {
            topic_names: vec![self.name.clone()],
            timeout_ms: 10_000,
            ..Default::default()
        };
        let answer: DeleteTopicsResponse = client.call(5, &request);
        assert_eq!(answer.responses[0].error_code, ErrorCode::NONE);
    }

    /// Kafka takes a moment until the leader of a new partition takes requests.
    fn wait_for_leader(&self, client: &mut Client, partition: i32) {
        let begun = Instant::now();
        while self.list(client, partition, LATEST).error_code.is_error() {
            assert!(begun.elapsed() < WITHIN, "partition {partition} of {} is not led", self.name);
        }
    }

    /// A request to write to partitions. The topic is given by name and by id: each version has one.
    pub(crate) fn produce_request(&self, acks: i16, batches: &[(i32, Bytes)]) -> ProduceRequest {
        let data = |(index, bytes): &(i32, Bytes)| PartitionProduceData {
            index: *index,
            records: Some(bytes.clone().into()),
        };
        let topic = TopicProduceData {
            name: self.name.clone(),
            topic_id: self.id,
            partition_data: batches.iter().map(data).collect(),
        };
        ProduceRequest { acks, timeout_ms: 10_000, topic_data: vec![topic], ..Default::default() }
    }

    /// Writes to a partition, whatever the bytes are, and waits until they are synced.
    pub(crate) fn produce_bytes(
        &self,
        client: &mut Client,
        partition: i32,
        bytes: Bytes,
    ) -> PartitionProduceResponse {
        let request = self.produce_request(-1, &[(partition, bytes)]);
        let mut answer: ProduceResponse = client.call(11, &request);
        answer.responses.remove(0).partition_responses.remove(0)
    }

    pub(crate) fn produce(
        &self,
        client: &mut Client,
        partition: i32,
        batch: &Batch,
    ) -> PartitionProduceResponse {
        self.produce_bytes(client, partition, batch.bytes())
    }

    /// A request to read partitions from offsets on, without waiting.
    pub(crate) fn fetch_request(&self, offsets: &[(i32, i64)]) -> FetchRequest {
        let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
            partition: *partition,
            fetch_offset: *fetch_offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: self.name.clone(),
            topic_id: self.id,
            partitions: offsets.iter().map(partition).collect(),
        };
        FetchRequest { min_bytes: 1, topics: vec![topic], ..Default::default() }
    }

    /// What a partition has from an offset on.
    pub(crate) fn fetch(&self, client: &mut Client, partition: i32, offset: i64) -> PartitionData {
        let answer: FetchResponse = client.call(12, &self.fetch_request(&[(partition, offset)]));
        only_partition(answer)
    }

    /// The batches of a partition from its first on.
    pub(crate) fn batches(&self, client: &mut Client, partition: i32) -> Vec<Stored> {
        stored(self.fetch(client, partition, 0).records.as_ref())
    }

    /// Which offset a partition has at a time.
    pub(crate) fn list(
        &self,
        client: &mut Client,
        partition: i32,
        timestamp: i64,
    ) -> ListOffsetsPartitionResponse {
        let mut answer: ListOffsetsResponse = client.call(8, &self.list_request(&[(partition, timestamp)]));
        answer.topics.remove(0).partitions.remove(0)
    }

    pub(crate) fn list_request(&self, times: &[(i32, i64)]) -> ListOffsetsRequest {
        let partition = |(partition_index, timestamp): &(i32, i64)| ListOffsetsPartition {
            partition_index: *partition_index,
            timestamp: *timestamp,
            ..Default::default()
        };
        let topic =
            ListOffsetsTopic { name: self.name.clone(), partitions: times.iter().map(partition).collect() };
        ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() }
    }
}

pub(crate) fn create_request(name: &Str, partitions: i32, configs: &[(&str, &str)]) -> CreateTopicsRequest {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
    };
    let topic = CreatableTopic {
        name: name.clone(),
        num_partitions: partitions,
        replication_factor: 1,
        assignments: Vec::new(),
        configs: configs.iter().map(config).collect(),
    };
    CreateTopicsRequest { topics: vec![topic], ..Default::default() }
}

/// The partition of an answer that has one.
pub(crate) fn only_partition(mut answer: FetchResponse) -> PartitionData {
    assert_eq!(answer.error_code, ErrorCode::NONE);
    assert_eq!((answer.responses.len(), answer.responses[0].partitions.len()), (1, 1));
    answer.responses.remove(0).partitions.remove(0)
}

//! Topics and committed offsets, by Kafka's messages.

use crate::client::{Client, accept};
use crate::facts::must;
use crate::log::Topic;
use callboard_protocol::kafka::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use callboard_protocol::kafka::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataResponse};
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use std::io;

/// All topics, each whole.
pub(crate) fn topics(client: &mut Client) -> Vec<Topic> {
    let request = MetadataRequest { topics: None, ..Default::default() };
    let answer: MetadataResponse = client.call(12, &request).unwrap();
    let whole = answer.topics.iter().map(|topic| {
        let name = topic.name.as_ref().unwrap().to_string();
        must(topic.error_code, &name);
        let mut indexes: Vec<_> = topic.partitions.iter().map(|it| it.partition_index).collect();
        indexes.sort_unstable();
        let partitions = indexes.len() as i32;
        assert!(indexes.iter().copied().eq(0..partitions), "{name} lacks some partitions: {indexes:?}");
        Topic { name, id: topic.topic_id, partitions }
    });
    whole.collect()
}

pub(crate) fn create(client: &mut Client, name: &str, partitions: i32) -> io::Result<Topic> {
    let id = client.create_topic(name, partitions)?;
    Ok(Topic { name: name.to_owned(), id, partitions })
}

pub(crate) fn grow(client: &mut Client, name: &str, count: i32) -> io::Result<()> {
    let topic = CreatePartitionsTopic { name: name.into(), count, ..Default::default() };
    let request = CreatePartitionsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    let answer: CreatePartitionsResponse = client.call(3, &request)?;
    accept(answer.results[0].error_code, || format!("more partitions for {name}"))
}

pub(crate) fn delete(client: &mut Client, name: &str) -> io::Result<()> {
    let request =
        DeleteTopicsRequest { topic_names: vec![name.into()], timeout_ms: 10_000, ..Default::default() };
    let answer: DeleteTopicsResponse = client.call(5, &request)?;
    accept(answer.responses[0].error_code, || format!("deleting {name}"))
}

/// Commits an offset for a group without members.
pub(crate) fn commit(
    client: &mut Client,
    group: &str,
    topic: &str,
    partition: i32,
    offset: i64,
) -> io::Result<()> {
    let asked = OffsetCommitRequestPartition {
        partition_index: partition,
        committed_offset: offset,
        ..Default::default()
    };
    let asked =
        OffsetCommitRequestTopic { name: topic.into(), partitions: vec![asked], ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: -1,
        topics: vec![asked],
        ..Default::default()
    };
    let answer: OffsetCommitResponse = client.call(9, &request)?;
    accept(answer.topics[0].partitions[0].error_code, || format!("committing {offset}"))
}

/// What a group committed; -1 when that is nothing.
pub(crate) fn committed(client: &mut Client, group: &str, topic: &str, partition: i32) -> i64 {
    let asked = OffsetFetchRequestTopics {
        name: topic.into(),
        partition_indexes: vec![partition],
        ..Default::default()
    };
    let group =
        OffsetFetchRequestGroup { group_id: group.into(), topics: Some(vec![asked]), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let answer: OffsetFetchResponse = client.call(9, &request).unwrap();
    let found = &answer.groups[0].topics[0].partitions[0];
    must(found.error_code, "asking for a committed offset");
    found.committed_offset
}

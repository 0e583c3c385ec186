//! Topics: created, listed, grown and deleted.

use crate::batch::batch;
use crate::client::{Client, WITHIN};
use crate::own_broker;
use crate::support::broker::{Broker, elsewhere};
use crate::topic::{LATEST, Topic, create_request, new_name};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use callboard_protocol::kafka::create_topics::{CreateTopicsRequest, CreateTopicsResponse};
use callboard_protocol::kafka::delete_topics::{DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse};
use callboard_protocol::kafka::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};
use callboard_protocol::wire::Str;
use std::time::Instant;
use uuid::Uuid;

fn create(client: &mut Client, request: &CreateTopicsRequest) -> ErrorCode {
    let answer: CreateTopicsResponse = client.call(7, request);
    answer.topics[0].error_code
}

fn metadata(client: &mut Client, name: &Str, allow_auto_topic_creation: bool) -> MetadataResponseTopic {
    let topic = MetadataRequestTopic { topic_id: Uuid::nil(), name: Some(name.clone()) };
    let request =
        MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation, ..Default::default() };
    let mut answer: MetadataResponse = client.call(12, &request);
    answer.topics.remove(0)
}

fn delete(client: &mut Client, name: Option<&Str>, id: Uuid) -> ErrorCode {
    let topic = DeleteTopicState { name: name.cloned(), topic_id: id };
    let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    let answer: DeleteTopicsResponse = client.call(6, &request);
    answer.responses[0].error_code
}

fn grow(client: &mut Client, name: &Str, count: i32, validate_only: bool) -> ErrorCode {
    let topic = CreatePartitionsTopic { name: name.clone(), count, assignments: None };
    let request = CreatePartitionsRequest { topics: vec![topic], timeout_ms: 10_000, validate_only };
    let answer: CreatePartitionsResponse = client.call(3, &request);
    answer.results[0].error_code
}

#[test]
fn a_topic_is_created_once_and_told_to_all() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 3);
    assert_eq!(create(&mut client, &create_request(&topic.name, 3, &[])), ErrorCode::TOPIC_ALREADY_EXISTS);
    let told = metadata(&mut Client::connect(&broker), &topic.name, false);
    assert_eq!((told.error_code, told.topic_id, told.is_internal), (ErrorCode::NONE, topic.id, false));
    let mut indexes: Vec<_> = told.partitions.iter().map(|partition| partition.partition_index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, [0, 1, 2]);
    let leader = told.partitions[0].leader_id;
    assert!(told.partitions.iter().all(|partition| partition.replica_nodes == [leader]));
}

#[test]
fn what_cannot_be_a_topic_has_its_code() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let name = new_name();
    let invalid = ErrorCode::INVALID_TOPIC_EXCEPTION;
    for wrong in ["", ".", "..", "a b", "a/b", "é", &"x".repeat(250)] {
        assert_eq!(create(&mut client, &create_request(&wrong.into(), 1, &[])), invalid, "{wrong:?}");
    }
    assert_eq!(create(&mut client, &create_request(&name, 0, &[])), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(create(&mut client, &create_request(&name, 1_000_001, &[])), ErrorCode::POLICY_VIOLATION);
    let unknown = create_request(&name, 1, &[("no.such.setting", "1")]);
    assert_eq!(create(&mut client, &unknown), ErrorCode::INVALID_CONFIG);
    let small = create_request(&name, 1, &[("segment.bytes", "1048575")]);
    assert_eq!(create(&mut client, &small), ErrorCode::INVALID_CONFIG);
    let mut replicated = create_request(&name, 1, &[]);
    replicated.topics[0].replication_factor = 2;
    assert_eq!(create(&mut client, &replicated), ErrorCode::INVALID_REPLICATION_FACTOR);
    assert_eq!(
        create(&mut client, &create_request(&name, 1, &[])),
        ErrorCode::NONE,
        "nothing was left behind"
    );
}

#[test]
fn names_that_differ_in_dots_and_underscores_collide() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let base = new_name();
    assert_eq!(create(&mut client, &create_request(&format!("{base}.a_b").into(), 1, &[])), ErrorCode::NONE);
    let other = create_request(&format!("{base}_a.b").into(), 1, &[]);
    assert_eq!(create(&mut client, &other), ErrorCode::INVALID_TOPIC_EXCEPTION);
}

#[test]
fn a_request_that_only_asks_or_has_no_time_creates_nothing() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let name = new_name();
    let asking = CreateTopicsRequest { validate_only: true, ..create_request(&name, 1, &[]) };
    assert_eq!(create(&mut client, &asking), ErrorCode::NONE);
    let hasty = CreateTopicsRequest { timeout_ms: 0, ..create_request(&name, 1, &[]) };
    assert_eq!(create(&mut client, &hasty), ErrorCode::REQUEST_TIMED_OUT);
    assert_eq!(metadata(&mut client, &name, false).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let mut defaults = create_request(&name, -1, &[]);
    defaults.topics[0].replication_factor = -1;
    assert_eq!(create(&mut client, &defaults), ErrorCode::NONE);
    assert_eq!(metadata(&mut client, &name, false).partitions.len(), 4);
}

#[test]
fn a_deleted_topic_is_gone_and_its_name_free_for_another() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    topic.produce(&mut client, 0, &batch(&["old"]));
    assert_eq!(delete(&mut client, Some(&topic.name), Uuid::nil()), ErrorCode::NONE);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(delete(&mut client, Some(&topic.name), Uuid::nil()), unknown);
    assert_eq!(metadata(&mut client, &topic.name, false).error_code, unknown);
    assert_eq!(topic.produce(&mut client, 0, &batch(&["late"])).error_code, unknown);
    assert_eq!(create(&mut client, &create_request(&topic.name, 1, &[])), ErrorCode::NONE);
    let told = metadata(&mut client, &topic.name, false);
    assert_ne!(told.topic_id, topic.id);
    let again = Topic { name: topic.name.clone(), id: told.topic_id };
    assert_eq!(again.list(&mut client, 0, LATEST).offset, 0);
    assert_eq!(
        delete(&mut client, None, topic.id),
        ErrorCode::UNKNOWN_TOPIC_ID,
        "the old one is not the new one"
    );
    assert_eq!(delete(&mut client, None, again.id), ErrorCode::NONE);
}

#[test]
fn a_topic_may_grow_and_not_shrink() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    assert_eq!(grow(&mut client, &topic.name, 3, true), ErrorCode::NONE);
    assert_eq!(grow(&mut client, &topic.name, 3, false), ErrorCode::NONE, "asking has not grown it");
    assert_eq!(grow(&mut client, &topic.name, 3, false), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(grow(&mut client, &topic.name, 1, false), ErrorCode::INVALID_PARTITIONS);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(grow(&mut client, &new_name(), 3, false), unknown);
    assert_eq!(metadata(&mut client, &topic.name, false).partitions.len(), 3);
    if elsewhere().is_none() {
        assert_eq!(topic.produce(&mut client, 2, &batch(&["new"])).error_code, ErrorCode::NONE);
    }
}

#[test]
fn a_topic_that_is_asked_for_comes_to_be_where_client_and_broker_allow_it() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let (wanted, unwanted) = (new_name(), new_name());
    metadata(&mut client, &wanted, true);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(metadata(&mut client, &unwanted, false).error_code, unknown);
    // Kafka takes a moment; here it is there at once.
    let begun = Instant::now();
    let told = loop {
        let told = metadata(&mut client, &wanted, false);
        if elsewhere().is_none() || !told.error_code.is_error() || begun.elapsed() > WITHIN {
            break told;
        }
    };
    assert_eq!((told.error_code, told.partitions.len()), (ErrorCode::NONE, 4));
    let Some(strict) = own_broker(&["auto.create.topics.enable=false"]) else { return };
    let mut client = Client::connect(&strict);
    for _ in 0..2 {
        assert_eq!(metadata(&mut client, &wanted, true).error_code, unknown);
    }
}

//! The cluster and its topics as tools ask for them: DescribeCluster and DescribeTopicPartitions.

use crate::client::Client;
use crate::support::broker::Broker;
use crate::topic::{Topic, new_name};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use callboard_protocol::kafka::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicRequest,
};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataResponse};

#[test]
fn the_cluster_is_the_one_that_metadata_tells_of() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let metadata: MetadataResponse =
        client.call(12, &MetadataRequest { topics: Some(vec![]), ..Default::default() });
    let request =
        DescribeClusterRequest { include_cluster_authorized_operations: true, ..Default::default() };
    for version in 0..=2 {
        let told: DescribeClusterResponse = client.call(version, &request);
        assert_eq!((told.error_code, told.controller_id), (ErrorCode::NONE, metadata.controller_id));
        assert_eq!(Some(&told.cluster_id), metadata.cluster_id.as_ref());
        assert_eq!(told.cluster_authorized_operations, 8096);
        let (here, there) = (&told.brokers[0], &metadata.brokers[0]);
        assert_eq!((here.broker_id, &here.host, here.port), (there.node_id, &there.host, there.port));
        assert_eq!(format!("{}:{}", here.host, here.port), broker.address());
    }
}

#[test]
fn controllers_and_unknown_endpoints_are_not_here() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let mut code = |endpoint_type| {
        let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
        let told: DescribeClusterResponse = client.call(1, &request);
        (told.error_code, told.error_message.is_some())
    };
    assert_eq!(code(1), (ErrorCode::NONE, false));
    assert_eq!(code(2), (ErrorCode::MISMATCHED_ENDPOINT_TYPE, true));
    assert_eq!(code(3), (ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, true));
}

/// A topic of three partitions, and one of two whose name comes behind.
fn pair(client: &mut Client) -> [Topic; 2] {
    loop {
        let topics = [Topic::create(client, 3), Topic::create(client, 2)];
        if topics[0].name < topics[1].name {
            return topics;
        }
    }
}

#[test]
fn partitions_are_told_page_by_page() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topics = pair(&mut client);
    let names = topics.iter().map(|topic| TopicRequest { name: topic.name.clone() }).collect();
    let mut request =
        DescribeTopicPartitionsRequest { topics: names, response_partition_limit: 2, cursor: None };
    let mut told = Vec::new();
    loop {
        let page: DescribeTopicPartitionsResponse = client.call(0, &request);
        let count: usize = page.topics.iter().map(|topic| topic.partitions.len()).sum();
        assert!((1..=2).contains(&count));
        for topic in page.topics {
            assert_eq!((topic.error_code, topic.topic_authorized_operations), (ErrorCode::NONE, 3576));
            told.extend(topic.partitions.iter().map(|partition| (topic.topic_id, partition.partition_index)));
        }
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    let expected = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)];
    assert_eq!(told, expected.map(|(topic, partition): (usize, i32)| (topics[topic].id, partition)));
}

#[test]
fn unknown_topics_and_wrong_cursors_have_their_codes() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let mut code = |name: &str, cursor: Option<(&str, i32)>| {
        let request = DescribeTopicPartitionsRequest {
            topics: vec![TopicRequest { name: name.into() }],
            response_partition_limit: 10,
            cursor: cursor.map(|(name, partition_index)| Cursor { topic_name: name.into(), partition_index }),
        };
        let told: DescribeTopicPartitionsResponse = client.call(0, &request);
        told.topics[0].error_code
    };
    assert_eq!(code(&new_name(), None), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(code("a b", None), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(code(&topic.name, Some((&topic.name, -1))), ErrorCode::INVALID_REQUEST);
    assert_eq!(code(&topic.name, Some((&new_name(), 0))), ErrorCode::INVALID_REQUEST);
    assert_eq!(code(&topic.name, Some((&topic.name, 9))), ErrorCode::NONE);
}

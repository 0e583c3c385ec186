//! What a metadata request is about, by version, and what is said of topics that are not there.

use super::*;

fn request(topics: Option<&[(Option<&str>, u128)]>) -> MetadataRequest {
    let topic = |(name, id): &(Option<&str>, u128)| MetadataRequestTopic {
        topic_id: Uuid::from_u128(*id),
        name: name.map(Str::from),
    };
    MetadataRequest { topics: topics.map(|topics| topics.iter().map(topic).collect()), ..Default::default() }
}

fn ask(topics: Option<&[(Option<&str>, u128)]>, version: i16) -> Result<Asked, ErrorCode> {
    Asked::read(&request(topics), version)
}

#[test]
fn all_topics_are_asked_for_by_null_and_in_version_0_by_an_empty_list() {
    assert_eq!(ask(Some(&[]), 0), Ok(Asked::All));
    assert_eq!(ask(Some(&[]), 1), Ok(Asked::Names(Vec::new())));
    assert_eq!(ask(None, 1), Ok(Asked::All));
}

#[test]
fn each_name_is_answered_once() {
    let names = Asked::Names(vec!["b".into(), "a".into()]);
    assert_eq!(ask(Some(&[(Some("b"), 0), (Some("a"), 0), (Some("b"), 0)]), 9), Ok(names));
}

#[test]
fn ids_go_before_names_where_there_are_ids() {
    let topics: &[_] = &[(None, 1), (Some("a"), 0), (Some("b"), 2), (None, 1)];
    assert_eq!(ask(Some(topics), 12), Ok(Asked::Ids(vec![Uuid::from_u128(1), Uuid::from_u128(2)])));
    assert_eq!(ask(Some(topics), 11), Err(ErrorCode::INVALID_REQUEST));
    assert_eq!(ask(Some(&[(Some("a"), 1)]), 10), Err(ErrorCode::INVALID_REQUEST));
}

#[test]
fn a_topic_without_name_and_id_is_an_error_for_all() {
    assert_eq!(ask(Some(&[(None, 0)]), 11), Err(ErrorCode::INVALID_REQUEST));
    assert_eq!(ask(Some(&[(None, 0), (Some("a"), 0)]), 12), Err(ErrorCode::UNKNOWN_SERVER_ERROR));
    let refused = refuse(request(Some(&[(None, 7)])), ErrorCode::INVALID_REQUEST);
    assert_eq!(refused.error_code, ErrorCode::INVALID_REQUEST);
    assert_eq!(refused.topics[0].name.as_deref(), Some(""));
    assert_eq!(refused.topics[0].topic_id, Uuid::from_u128(7));
    assert_eq!(refused.brokers, []);
}

#[test]
fn a_topic_that_is_not_there_has_a_code_that_says_why() {
    let writer = TopicWriter { node_id: 1, leader_epoch: 3, operations: i32::MIN };
    let being_created = HashSet::from(["new".into()]);
    let code = |name: &str| writer.by_name(name.into(), &Topics::default(), &being_created).error_code;
    assert_eq!(code("a b"), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(code(""), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(code("new"), ErrorCode::LEADER_NOT_AVAILABLE);
    assert_eq!(code("old"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let unknown = writer.by_id(Uuid::from_u128(9), &Topics::default());
    assert_eq!((unknown.error_code, unknown.name), (ErrorCode::UNKNOWN_TOPIC_ID, None));
}

#[test]
fn this_broker_leads_every_partition_alone() {
    let writer = TopicWriter { node_id: 7, leader_epoch: 3, operations: TOPIC_OPERATIONS };
    let partition = writer.partition(&PartitionSlot::new(callboard_storage::PartitionId(40), 2));
    assert_eq!((partition.partition_index, partition.leader_id, partition.leader_epoch), (2, 7, 3));
    assert_eq!((partition.replica_nodes, partition.isr_nodes), (vec![7], vec![7]));
    assert!(partition.offline_replicas.is_empty());
}

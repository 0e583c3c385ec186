//! Committed offsets: who may commit, what is told of them, and that a crash takes none back.

use crate::client::Client;
use crate::group::{Group, JOIN, group_name, join_request};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic, OffsetDeleteResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse,
};
use uuid::Uuid;

const OUTSIDE: i32 = -1;

struct Committing {
    group: Group,
    topic: Topic,
}

impl Committing {
    fn begin(broker: &Broker) -> Self {
        let mut client = Client::connect(broker);
        let topic = Topic::create(&mut client, 2);
        Self { group: Group::new(client), topic }
    }

    fn commit(&mut self, member: &str, generation: i32, offset: i64) -> ErrorCode {
        self.group.commit(member, generation, &self.topic.name.clone(), offset)
    }
}

#[test]
fn a_group_that_is_not_there_takes_commits_from_outside_only() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let topic = committing.topic.name.clone();
    assert_eq!(committing.group.commit_in(8, "m", 5, &topic, 1), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(committing.group.commit_in(9, "m", 5, &topic, 1), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(committing.group.committed(&topic), -1);
    assert_eq!(committing.commit("x", OUTSIDE, 7), ErrorCode::NONE, "the member's id does not matter");
    assert_eq!(committing.group.committed(&topic), 7);
    assert_eq!(committing.commit("", 0, 8), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_member_commits_in_its_generation_and_nobody_else() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let id = committing.group.stable();
    assert_eq!(committing.commit("", OUTSIDE, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(committing.commit("m", 1, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(committing.commit(&id, OUTSIDE, 1), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(committing.commit(&id, 2, 1), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(committing.commit(&id, 1, 5), ErrorCode::NONE);
    assert_eq!(committing.commit(&id, 1, 3), ErrorCode::NONE, "an offset may go back");
    assert_eq!(committing.group.committed(&committing.topic.name.clone()), 3);
}

#[test]
fn a_rebalance_takes_commits_of_the_old_generation_until_the_new_one_begins() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let id = committing.group.stable();
    let name = committing.group.name.clone();
    let mut second = Group { name: name.clone(), client: Client::connect(&broker) };
    let other = second.id();
    second.client.send(JOIN, &join_request(&name, &other));
    while committing.group.beat(&id, 1) != ErrorCode::REBALANCE_IN_PROGRESS {}
    assert_eq!(committing.commit(&id, 1, 4), ErrorCode::NONE);
    assert_eq!(committing.group.join(&join_request(&name, &id)).generation_id, 2);
    assert_eq!(committing.commit(&id, 2, 5), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(committing.group.committed(&committing.topic.name.clone()), 4);
}

#[test]
fn a_static_member_that_was_replaced_cannot_commit() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let name = committing.group.name.clone();
    let mut request = join_request(&name, "");
    request.group_instance_id = Some("one".into());
    let old = String::from(committing.group.join(&request).member_id);
    committing.group.sync(&crate::group::sync_request(&name, &old, 1, &[]));
    committing.group.join(&request);
    let partition = OffsetCommitRequestPartition::default();
    let topic = OffsetCommitRequestTopic {
        name: committing.topic.name.as_str().into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: name.as_str().into(),
        generation_id_or_member_epoch: 9,
        member_id: old.as_str().into(),
        group_instance_id: Some("one".into()),
        topics: vec![topic],
        ..Default::default()
    };
    let answer: OffsetCommitResponse = committing.group.client.call(9, &request);
    assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::FENCED_INSTANCE_ID);
}

#[test]
fn each_partition_has_an_outcome_of_its_own() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let topic = |name: &str, partitions: &[(i32, usize)]| OffsetCommitRequestTopic {
        name: name.into(),
        partitions: partitions
            .iter()
            .map(|(index, metadata)| OffsetCommitRequestPartition {
                partition_index: *index,
                committed_offset: 1,
                committed_metadata: Some("m".repeat(*metadata).into()),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let name = committing.topic.name.clone();
    let unknown = format!("{name}-unknown");
    let topics = vec![topic(&name, &[(0, 4096), (1, 4097), (2, 0), (-1, 0)]), topic(&unknown, &[(0, 0)])];
    let request = OffsetCommitRequest { group_id: group_name().into(), topics, ..Default::default() };
    for version in 2..=9 {
        let answer: OffsetCommitResponse = committing.group.client.call(version, &request);
        let mut codes: Vec<_> = answer
            .topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|one| (&*topic.name, one.partition_index, one.error_code.0))
            })
            .collect();
        codes.sort_unstable();
        let expected = [(&*name, -1, 3), (&*name, 0, 0), (&*name, 1, 12), (&*name, 2, 3), (&*unknown, 0, 3)];
        assert_eq!(codes, expected, "version {version}");
    }
}

#[test]
fn topics_are_named_by_their_ids_from_version_10() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let topic_id = committing.topic.id;
    let topic = |topic_id| OffsetCommitRequestTopic {
        topic_id,
        partitions: vec![OffsetCommitRequestPartition { committed_offset: 9, ..Default::default() }],
        ..Default::default()
    };
    let group_id = committing.group.name.clone();
    let nobody = Uuid::from_u128(7);
    let request = OffsetCommitRequest {
        group_id: group_id.as_str().into(),
        topics: vec![topic(topic_id), topic(nobody)],
        ..Default::default()
    };
    let answer: OffsetCommitResponse = committing.group.client.call(10, &request);
    let codes: Vec<_> =
        answer.topics.iter().map(|topic| (topic.topic_id, topic.partitions[0].error_code.0)).collect();
    assert_eq!(codes, [(nobody, 100), (topic_id, 0)]);
    let asked =
        |topic_id| OffsetFetchRequestTopics { topic_id, partition_indexes: vec![0], ..Default::default() };
    let group = OffsetFetchRequestGroup {
        group_id: group_id.as_str().into(),
        topics: Some(vec![asked(nobody), asked(topic_id)]),
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let answer: OffsetFetchResponse = committing.group.client.call(10, &request);
    let told = answer.groups[0].topics.iter().map(|topic| {
        (topic.topic_id, topic.partitions[0].error_code.0, topic.partitions[0].committed_offset)
    });
    assert_eq!(told.collect::<Vec<_>>(), [(topic_id, 0, 9), (nobody, 100, -1)]);
}

#[test]
fn offsets_are_told_in_every_version_for_some_partitions_or_for_all() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    assert_eq!(committing.commit("", OUTSIDE, 6), ErrorCode::NONE);
    let (name, group) = (committing.topic.name.clone(), committing.group.name.clone());
    for version in 1..=7 {
        let topic = OffsetFetchRequestTopic { name: name.as_str().into(), partition_indexes: vec![1, 0, 7] };
        let mut request = OffsetFetchRequest {
            group_id: group.as_str().into(),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        let answer: OffsetFetchResponse = committing.group.client.call(version, &request);
        let told = |answer: &OffsetFetchResponse| -> Vec<(i32, i64)> {
            let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
            partitions.map(|one| (one.partition_index, one.committed_offset)).collect()
        };
        assert_eq!(told(&answer), [(1, -1), (0, 6), (7, -1)], "version {version}");
        if version >= 2 {
            request.topics = None;
            let answer: OffsetFetchResponse = committing.group.client.call(version, &request);
            assert_eq!(told(&answer), [(0, 6)], "version {version}");
        }
    }
    for version in 8..=9 {
        let asked =
            |group_id: &str| OffsetFetchRequestGroup { group_id: group_id.into(), ..Default::default() };
        let groups = vec![asked(&group), asked("nobody")];
        let answer: OffsetFetchResponse =
            committing.group.client.call(version, &OffsetFetchRequest { groups, ..Default::default() });
        assert_eq!(answer.groups[0].topics[0].partitions[0].committed_offset, 6);
        assert_eq!((answer.groups[1].error_code, answer.groups[1].topics.len()), (ErrorCode::NONE, 0));
    }
}

fn delete(client: &mut Client, group: &str, topics: &[&str]) -> OffsetDeleteResponse {
    let topic = |name: &&str| OffsetDeleteRequestTopic {
        name: (*name).into(),
        partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
    };
    let topics = topics.iter().map(topic).collect();
    client.call(0, &OffsetDeleteRequest { group_id: group.into(), topics })
}

#[test]
fn offsets_are_deleted_unless_the_group_reads_the_topic() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    let topic = committing.topic.name.clone();
    let name = committing.group.name.clone();
    let client = &mut committing.group.client;
    assert_eq!(delete(client, "", &[]).error_code, ErrorCode::INVALID_GROUP_ID);
    assert_eq!(delete(client, &name, &[&topic]).error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    let id = committing.group.id();
    let mut request = join_request(&name, &id);
    request.protocols[0].metadata = crate::group::subscription(&topic).into();
    committing.group.join(&request);
    committing.group.sync(&crate::group::sync_request(&name, &id, 1, &[]));
    assert_eq!(committing.commit(&id, 1, 5), ErrorCode::NONE);
    let unknown = format!("{topic}-unknown");
    let answer = delete(&mut committing.group.client, &name, &[&topic, &unknown]);
    let mut codes: Vec<_> =
        answer.topics.iter().map(|topic| (&*topic.name, topic.partitions[0].error_code.0)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(&*topic, 86), (&*unknown, 3)]);
    assert_eq!(committing.group.leave(&id), ErrorCode::NONE);
    let answer = delete(&mut committing.group.client, &name, &[&topic]);
    assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::NONE);
    assert_eq!(committing.group.committed(&topic), -1);
}

#[test]
fn a_killed_broker_has_every_offset_that_was_answered() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut committing = Committing::begin(&broker);
    let topic = committing.topic.name.clone();
    for offset in 0..100 {
        assert_eq!(committing.commit("", OUTSIDE, offset), ErrorCode::NONE);
    }
    broker.kill().unwrap();
    broker.restart().unwrap();
    committing.group.client = Client::connect(&broker);
    assert_eq!(committing.group.committed(&topic), 99);
}

#[test]
fn the_offsets_of_a_deleted_topic_are_gone_and_a_new_one_of_its_name_has_none() {
    let broker = Broker::start().unwrap();
    let mut committing = Committing::begin(&broker);
    assert_eq!(committing.commit("", OUTSIDE, 5), ErrorCode::NONE);
    committing.topic.delete(&mut committing.group.client);
    let name = committing.topic.name.clone();
    committing.topic = Topic::create_named(&mut committing.group.client, name.clone(), 2, &[]);
    while committing.group.committed(&name) != -1 {}
}

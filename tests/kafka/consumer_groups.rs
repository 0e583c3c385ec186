//! Groups that the broker assigns to (KIP-848): what is refused, in which order, and what is told.

use crate::client::Client;
use crate::group::Group;
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use callboard_protocol::kafka::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use callboard_protocol::kafka::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
use callboard_protocol::kafka::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use callboard_protocol::kafka::list_groups::{ListGroupsRequest, ListGroupsResponse};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse,
};
use callboard_protocol::wire::Str;

/// A group, and a topic of four partitions.
struct Trial {
    group: Group,
    topic: Topic,
}

impl Trial {
    fn begin(broker: &Broker) -> Self {
        let mut client = Client::connect(broker);
        let topic = Topic::create(&mut client, 4);
        Self { group: Group::new(client), topic }
    }

    /// What a member says that enters and reads the topic.
    fn enters(&self, member: &str) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: self.group.name.as_str().into(),
            member_id: member.into(),
            rebalance_timeout_ms: 10_000,
            subscribed_topic_names: Some(vec![self.topic.name.clone()]),
            topic_partitions: Some(Vec::new()),
            ..Default::default()
        }
    }

    fn says(&self, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: self.group.name.as_str().into(),
            member_id: member.into(),
            member_epoch: epoch,
            ..Default::default()
        }
    }

    fn beat(&mut self, request: &ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse {
        self.group.client.call(1, request)
    }

    fn code(&mut self, request: &ConsumerGroupHeartbeatRequest) -> i16 {
        let answer = self.beat(request);
        if answer.error_code.is_error() {
            let told = (answer.member_id, answer.member_epoch, answer.heartbeat_interval_ms);
            assert_eq!((told, answer.assignment), ((None, 0, 0), None));
        }
        answer.error_code.0
    }

    fn describe(&mut self) -> DescribedGroup {
        let group_ids = vec![self.group.name.as_str().into()];
        let request = ConsumerGroupDescribeRequest { group_ids, include_authorized_operations: true };
        let mut answer: ConsumerGroupDescribeResponse = self.group.client.call(1, &request);
        answer.groups.remove(0)
    }
}

fn partitions(answer: &ConsumerGroupHeartbeatResponse) -> Vec<i32> {
    let assignment = answer.assignment.as_ref().unwrap();
    let mut all: Vec<i32> =
        assignment.topic_partitions.iter().flat_map(|topic| topic.partitions.clone()).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_member_enters_is_given_all_and_lives() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let entered = trial.beat(&trial.enters("a"));
    assert_eq!((entered.error_code, entered.member_epoch), (ErrorCode::NONE, 2));
    assert_eq!((entered.member_id.as_deref(), entered.heartbeat_interval_ms), (Some("a"), 5000));
    assert_eq!(partitions(&entered), [0, 1, 2, 3]);
    let alive = trial.beat(&trial.says("a", 2));
    assert_eq!((alive.error_code, alive.member_epoch, alive.assignment), (ErrorCode::NONE, 2, None));
    let again = trial.beat(&trial.enters("a"));
    assert_eq!((again.member_epoch, partitions(&again)), (2, vec![0, 1, 2, 3]));
    let left = trial.beat(&trial.says("a", -1));
    assert_eq!((left.error_code, left.member_epoch, left.assignment), (ErrorCode::NONE, -1, None));
    assert_eq!(trial.code(&trial.says("a", 2)), 25);
}

#[test]
fn a_member_without_an_id_is_given_one_in_version_0() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let answer: ConsumerGroupHeartbeatResponse = trial.group.client.call(0, &trial.enters(""));
    assert_eq!(answer.error_code, ErrorCode::NONE);
    assert_eq!(answer.member_id.unwrap().len(), 22);
}

#[test]
fn a_request_is_checked_in_the_order_of_kafka() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let enters = trial.enters("a");
    let bad = |change: fn(&mut ConsumerGroupHeartbeatRequest)| {
        let mut request = enters.clone();
        // Also wrong, but later in the order.
        request.server_assignor = Some("nobody".into());
        change(&mut request);
        request
    };
    for request in [
        bad(|it| it.member_id = "".into()),
        bad(|it| it.group_id = " ".into()),
        bad(|it| it.instance_id = Some(" ".into())),
        bad(|it| it.rack_id = Some("".into())),
        bad(|it| it.rebalance_timeout_ms = -1),
        bad(|it| it.topic_partitions = None),
        bad(|it| it.topic_partitions = Some(vec![TopicPartitions::default()])),
        bad(|it| it.subscribed_topic_names = None),
        bad(|it| it.member_epoch = -2),
        bad(|it| it.member_epoch = -3),
    ] {
        assert_eq!(trial.code(&request), 42, "{request:?}");
    }
    assert_eq!(trial.code(&bad(|_| {})), 112);
    assert_eq!(trial.code(&bad(|it| it.server_assignor = Some("".into()))), 112);
    let pattern =
        ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some("(".into()), ..trial.enters("a") };
    assert_eq!(trial.code(&pattern), 128);
    for epoch in [1, -1] {
        assert_eq!(trial.code(&trial.says("a", epoch)), 69, "nothing came to be");
    }
}

#[test]
fn epochs_and_names_that_do_not_fit_are_fenced() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    trial.beat(&trial.enters("a"));
    assert_eq!(trial.code(&trial.says("a", 3)), 110);
    assert_eq!(trial.code(&trial.says("a", 1)), 110);
    assert_eq!(trial.code(&trial.says("b", 2)), 25);
    let fixed = |mut request: ConsumerGroupHeartbeatRequest| {
        request.instance_id = Some("one".into());
        request
    };
    assert_eq!(trial.code(&fixed(trial.says("a", 2))), 25);
    assert_eq!(trial.code(&fixed(trial.enters("x"))), 0);
    assert_eq!(trial.code(&fixed(trial.enters("y"))), 111);
    assert_eq!(trial.code(&fixed(trial.enters("x"))), 111);
    assert_eq!(trial.code(&fixed(trial.says("y", 2))), 82);
    assert_eq!(trial.code(&fixed(trial.says("y", -2))), 82);
    assert_eq!(trial.code(&fixed(trial.says("x", -2))), 0);
    assert_eq!(trial.code(&trial.says("x", 2)), 110);
    assert_eq!(trial.code(&fixed(trial.enters("y"))), 0);
    assert_eq!(trial.code(&fixed(trial.says("x", 2))), 82);
}

#[test]
fn an_empty_group_becomes_one_of_the_other_kind_and_keeps_its_offsets() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let classic = trial.group.stable();
    assert_eq!(trial.describe().error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    let topic = trial.topic.name.clone();
    assert_eq!(trial.group.commit(&classic, 1, &topic, 7), ErrorCode::NONE);
    assert_eq!(trial.group.leave(&classic), ErrorCode::NONE);
    assert_eq!(trial.code(&trial.enters("a")), 0);
    assert_eq!(trial.group.committed(&topic), 7, "the offsets are the group's");
    assert_eq!(trial.group.beat("a", 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(trial.group.leave("a"), ErrorCode::NONE, "people send members of any kind away");
    assert_eq!(trial.group.stable(), trial.group_member());
    assert_eq!(trial.group.committed(&topic), 7);
}

impl Trial {
    /// The one member of a classic group.
    fn group_member(&mut self) -> String {
        let groups = vec![self.group.name.as_str().into()];
        let request = DescribeGroupsRequest { groups, ..Default::default() };
        let answer: DescribeGroupsResponse = self.group.client.call(6, &request);
        String::from(&answer.groups[0].members[0].member_id)
    }
}

#[test]
fn offsets_are_committed_in_the_members_epoch() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    trial.beat(&trial.enters("a"));
    let topic = trial.topic.name.clone();
    let mut commit =
        |version, member, epoch, offset| trial.group.commit_in(version, member, epoch, &topic, offset).0;
    assert_eq!(commit(9, "a", 2, 5), 0);
    assert_eq!(commit(9, "a", 3, 6), 113);
    assert_eq!(commit(9, "a", 1, 6), 113, "it did not have the partition then");
    assert_eq!(commit(9, "b", 2, 6), 25);
    assert_eq!(commit(9, "", -1, 6), 25);
    assert_eq!(commit(8, "a", 2, 6), 35);
    assert_eq!(trial.group.committed(&topic), 5);
    let mut fetch = |member: Option<&str>, member_epoch| {
        let group = OffsetFetchRequestGroup {
            group_id: trial.group.name.as_str().into(),
            member_id: member.map(Str::from),
            member_epoch,
            ..Default::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer: OffsetFetchResponse = trial.group.client.call(9, &request);
        answer.groups[0].error_code.0
    };
    assert_eq!(fetch(Some("a"), 2), 0);
    assert_eq!(fetch(Some("a"), 1), 113);
    assert_eq!(fetch(Some("b"), 2), 25);
    assert_eq!(fetch(Some(""), -1), 25);
    assert_eq!(fetch(None, -1), 0);
}

#[test]
fn a_group_is_described_listed_and_deleted() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    assert_eq!(trial.describe().error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    trial.beat(&trial.enters("a"));
    let told = trial.describe();
    assert_eq!(
        (told.error_code, &*told.group_state, &*told.assignor_name),
        (ErrorCode::NONE, "Stable", "uniform")
    );
    assert_eq!((told.group_epoch, told.assignment_epoch, told.authorized_operations), (2, 2, 3400));
    let member = &told.members[0];
    assert_eq!((&*member.member_id, member.member_epoch, member.member_type), ("a", 2, 1));
    assert_eq!((&*member.client_id, &*member.client_host), ("tests", "/127.0.0.1"));
    assert_eq!(member.subscribed_topic_names, std::slice::from_ref(&trial.topic.name));
    assert_eq!(member.subscribed_topic_regex, Some("".into()));
    assert_eq!(member.assignment, member.target_assignment);
    assert_eq!(member.assignment.topic_partitions[0].topic_name, trial.topic.name);
    let name = trial.group.name.clone();
    let list: ListGroupsResponse = trial.group.client.call(5, &ListGroupsRequest::default());
    let listed = list.groups.iter().find(|group| &*group.group_id == name.as_str()).unwrap();
    let kinds = (&*listed.group_type, &*listed.protocol_type, &*listed.group_state);
    assert_eq!(kinds, ("consumer", "consumer", "Stable"));
    let groups = vec![name.as_str().into()];
    let request = DescribeGroupsRequest { groups, ..Default::default() };
    let answer: DescribeGroupsResponse = trial.group.client.call(6, &request);
    assert_eq!(answer.groups[0].error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    let delete = |trial: &mut Trial| {
        let request = DeleteGroupsRequest { groups_names: vec![name.as_str().into()] };
        let answer: DeleteGroupsResponse = trial.group.client.call(2, &request);
        answer.results[0].error_code.0
    };
    assert_eq!(delete(&mut trial), 68);
    trial.beat(&trial.says("a", -1));
    assert_eq!(&*trial.describe().group_state, "Empty");
    assert_eq!((delete(&mut trial), delete(&mut trial)), (0, 69));
}

#[test]
fn a_killed_broker_finds_the_members_in_their_epochs() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut trial = Trial::begin(&broker);
    trial.beat(&trial.enters("a"));
    trial.beat(&trial.enters("b"));
    let before = trial.describe();
    broker.kill().unwrap();
    broker.restart().unwrap();
    trial.group.client = Client::connect(&broker);
    assert_eq!(trial.describe(), before);
    let has =
        |partitions: &[i32]| TopicPartitions { topic_id: trial.topic.id, partitions: partitions.to_vec() };
    let half =
        ConsumerGroupHeartbeatRequest { topic_partitions: Some(vec![has(&[0, 1])]), ..trial.says("a", 2) };
    let told = trial.beat(&trial.says("a", 2));
    assert_eq!((told.member_epoch, partitions(&told)), (2, vec![0, 1]));
    assert_eq!(trial.beat(&half).member_epoch, 3);
    assert_eq!(partitions(&trial.beat(&trial.says("b", 3))), [2, 3]);
}

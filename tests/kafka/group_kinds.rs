//! Groups of the classic protocol that are no consumers', such as those of Kafka Connect's workers: what
//! their members say to each other is theirs alone.

use crate::client::Client;
use crate::group::{Group, JOIN, SYNC, join_request, sync_request};
use crate::own_broker;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup,
};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::sync_group::{SyncGroupRequest, SyncGroupResponse};

/// Bytes that a broker cannot know the meaning of: they are neither a subscription nor an assignment.
fn opaque(member: usize) -> Vec<u8> {
    [&[255, 0, 254][..], &[member as u8; 40]].concat()
}

fn joins(group: &str, member: &str, number: usize) -> JoinGroupRequest {
    let protocol = |name: &str| JoinGroupRequestProtocol {
        name: name.into(),
        metadata: [name.as_bytes(), &opaque(number)].concat().into(),
    };
    JoinGroupRequest {
        protocol_type: "connect".into(),
        protocols: vec![protocol("sessioned"), protocol("compatible")],
        ..join_request(group, member)
    }
}

fn syncs(group: &str, member: &str, generation: i32) -> SyncGroupRequest {
    SyncGroupRequest {
        protocol_type: Some("connect".into()),
        protocol_name: Some("sessioned".into()),
        ..sync_request(group, member, generation, &[])
    }
}

fn describe(client: &mut Client, group: &str) -> DescribedGroup {
    let request = DescribeGroupsRequest { groups: vec![group.into()], include_authorized_operations: false };
    let mut answer: DescribeGroupsResponse = client.call(6, &request);
    answer.groups[0].members.sort_by(|one, other| one.member_id.cmp(&other.member_id));
    answer.groups.remove(0)
}

/// Two workers in a generation. They change places where the second came first, so that the first leads.
fn workers(first: &mut Group, second: &mut Group) -> ([String; 2], i32) {
    let name = first.name.clone();
    let mut ids = [first.id(), second.id()];
    first.client.send(JOIN, &joins(&name, &ids[0], 0));
    second.client.send(JOIN, &joins(&name, &ids[1], 1));
    let (_, one) = first.client.receive::<JoinGroupResponse>(JOIN);
    let (_, other) = second.client.receive::<JoinGroupResponse>(JOIN);
    assert_eq!([one.error_code, other.error_code], [ErrorCode::NONE; 2]);
    assert_eq!((&one.leader, one.generation_id), (&other.leader, other.generation_id));
    let leads = ids.iter().position(|id| **id == *one.leader).unwrap();
    let [led, followed] = if leads == 0 { [&one, &other] } else { [&other, &one] };
    assert_eq!((led.members.len(), followed.members.len()), (2, 0));
    for member in &led.members {
        let number = ids.iter().position(|id| **id == *member.member_id).unwrap();
        assert_eq!(member.metadata, [b"sessioned", &*opaque(number)].concat());
    }
    if leads == 1 {
        std::mem::swap(first, second);
        ids.swap(0, 1);
    }
    (ids, one.generation_id)
}

#[test]
fn a_killed_broker_finds_workers_in_their_generation_with_what_they_were_told() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut first = Group::new(Client::connect(&broker));
    let name = first.name.clone();
    let mut second = Group { name: name.clone(), client: Client::connect(&broker) };
    let (ids, generation) = workers(&mut first, &mut second);
    second.client.send(SYNC, &syncs(&name, &ids[1], generation));
    let mut leads = sync_request(&name, &ids[0], generation, &[&ids[0], &ids[1]]);
    leads = SyncGroupRequest { assignments: leads.assignments, ..syncs(&name, &ids[0], generation) };
    for (number, assignment) in leads.assignments.iter_mut().enumerate() {
        assignment.assignment = opaque(100 + number).into();
    }
    assert_eq!(first.sync(&leads).assignment, opaque(100));
    let (_, synced) = second.client.receive::<SyncGroupResponse>(SYNC);
    assert_eq!(synced.assignment, opaque(101));
    let before = describe(&mut first.client, &name);
    assert_eq!((&*before.group_state, &*before.protocol_type), ("Stable", "connect"));
    assert_eq!((&*before.protocol_data, before.members.len()), ("sessioned", 2));

    broker.kill().unwrap();
    broker.restart().unwrap();
    first.client = Client::connect(&broker);
    second.client = Client::connect(&broker);
    assert_eq!(describe(&mut first.client, &name), before);
    for (number, group) in [&mut first, &mut second].into_iter().enumerate() {
        let id = &ids[number];
        assert_eq!(group.beat(id, generation), ErrorCode::NONE);
        assert_eq!(group.beat(id, generation + 1), ErrorCode::ILLEGAL_GENERATION);
        assert_eq!(group.sync(&syncs(&name, id, generation)).assignment, opaque(100 + number));
    }
    let consumer = first.join(&join_request(&name, &ids[0]));
    assert_eq!(consumer.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL, "it is the workers' still");
    assert_eq!(second.leave(&ids[1]), ErrorCode::NONE);
    assert_eq!(first.beat(&ids[0], generation), ErrorCode::REBALANCE_IN_PROGRESS);
    let alone = first.join(&joins(&name, &ids[0], 0));
    assert_eq!((alone.generation_id, alone.members.len()), (generation + 1, 1));
}

//! Groups of the classic protocol: who may join, what they are told, and what a restart keeps.

use crate::client::Client;
use crate::group::{Group, JOIN, SYNC, group_name, join_request, sync_request};
use crate::own_broker;
use crate::support::broker::Broker;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupResponse};
use callboard_protocol::kafka::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use callboard_protocol::kafka::sync_group::{SyncGroupRequest, SyncGroupResponse};
use callboard_protocol::wire::Str;

fn group(broker: &Broker) -> Group {
    Group::new(Client::connect(broker))
}

#[test]
fn a_coordinator_is_found_in_every_version() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    // Kafka makes the topic behind it at the first time, and says so.
    Group::new(Client::connect(&broker)).client.assert_alive();
    for version in 0..=6 {
        let request = FindCoordinatorRequest {
            key: if version < 4 { "g".into() } else { Str::default() },
            coordinator_keys: if version < 4 { Vec::new() } else { vec!["g".into(), "".into()] },
            ..Default::default()
        };
        let mut answer: FindCoordinatorResponse = client.call(version, &request);
        while answer.error_code == ErrorCode::COORDINATOR_NOT_AVAILABLE
            || answer.coordinators.iter().any(|one| one.error_code == ErrorCode::COORDINATOR_NOT_AVAILABLE)
        {
            answer = client.call(version, &request);
        }
        let message = (1..4).contains(&version).then(|| Str::from("NONE"));
        if version < 4 {
            assert_eq!((answer.error_code, answer.node_id), (ErrorCode::NONE, 1));
            assert_eq!(answer.error_message, message);
        } else {
            let keys: Vec<_> = answer.coordinators.iter().map(|one| (&*one.key, one.node_id)).collect();
            assert_eq!(keys, [("g", 1), ("", 1)]);
            assert_eq!(answer.coordinators[0].error_message, Some("".into()));
        }
    }
}

#[test]
fn a_coordinator_of_nothing_known_is_a_bad_request() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let mut ask = |version, key_type, key: &str| -> FindCoordinatorResponse {
        let request =
            FindCoordinatorRequest { key_type, coordinator_keys: vec![key.into()], ..Default::default() };
        client.call(version, &request)
    };
    for (version, key_type, key) in [(5, 2, "g:AAAAAAAAAAAAAAAAAAAAAQ:0"), (6, 9, "g"), (6, 2, "g")] {
        let told = ask(version, key_type, key);
        let only = &told.coordinators[0];
        assert_eq!((only.error_code, only.node_id, only.port), (ErrorCode::INVALID_REQUEST, -1, -1));
    }
}

#[test]
fn requests_that_no_group_could_answer_are_refused() {
    let broker = Broker::start().unwrap();
    let mut group = group(&broker);
    let name = group.name.clone();
    let code = |group: &mut Group, request: &JoinGroupRequest| {
        let answer = group.join(request);
        assert_eq!((answer.generation_id, &*answer.leader, answer.protocol_name), (-1, "", None));
        (answer.error_code, String::from(answer.member_id))
    };
    assert_eq!(code(&mut group, &join_request("", "m")), (ErrorCode::INVALID_GROUP_ID, "m".into()));
    for session_timeout_ms in [-1, 0, 5_999, 1_800_001, i32::MAX] {
        let request = JoinGroupRequest { session_timeout_ms, ..join_request(&name, "m") };
        assert_eq!(code(&mut group, &request), (ErrorCode::INVALID_SESSION_TIMEOUT, "m".into()));
    }
    assert_eq!(code(&mut group, &join_request(&name, "m")), (ErrorCode::UNKNOWN_MEMBER_ID, "m".into()));
    let none = JoinGroupRequest { protocols: Vec::new(), ..join_request(&name, "") };
    assert_eq!(code(&mut group, &none), (ErrorCode::INCONSISTENT_GROUP_PROTOCOL, String::new()));
    let nameless = JoinGroupRequest { protocol_type: "".into(), ..join_request(&name, "") };
    assert_eq!(code(&mut group, &nameless), (ErrorCode::INCONSISTENT_GROUP_PROTOCOL, String::new()));
}

#[test]
fn a_member_joins_syncs_beats_and_leaves_in_every_version() {
    let broker = Broker::start().unwrap();
    let mut group = group(&broker);
    for version in 0..=9 {
        let name = group_name();
        let mut request = join_request(&name, "");
        let mut joined: JoinGroupResponse = group.client.call(version, &request);
        if version >= 4 {
            assert_eq!(joined.error_code, ErrorCode::MEMBER_ID_REQUIRED);
            request.member_id = joined.member_id;
            joined = group.client.call(version, &request);
        }
        assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 1), "version {version}");
        assert_eq!(joined.protocol_name, Some("range".into()));
        assert_eq!((&joined.leader, joined.members.len()), (&joined.member_id, 1));
        let id = &*joined.member_id;
        let synced: SyncGroupResponse =
            group.client.call(version.min(SYNC), &sync_request(&name, id, 1, &[id]));
        assert_eq!(synced.error_code, ErrorCode::NONE);
        assert_eq!(synced.assignment, format!("for {id}").into_bytes());
        let beat = HeartbeatRequest {
            group_id: name.as_str().into(),
            generation_id: 1,
            member_id: id.into(),
            ..Default::default()
        };
        let beaten: HeartbeatResponse = group.client.call(version.min(4), &beat);
        assert_eq!(beaten.error_code, ErrorCode::NONE);
        let leave = LeaveGroupRequest {
            group_id: name.as_str().into(),
            member_id: if version < 3 { id.into() } else { Str::default() },
            members: if version < 3 {
                Vec::new()
            } else {
                vec![MemberIdentity { member_id: id.into(), ..Default::default() }]
            },
        };
        let left: LeaveGroupResponse = group.client.call(version.min(5), &leave);
        assert_eq!(left.error_code, ErrorCode::NONE);
        let gone: HeartbeatResponse = group.client.call(version.min(4), &beat);
        assert_eq!(gone.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    }
}

#[test]
fn a_sync_and_a_heartbeat_are_checked_in_the_order_of_kafka() {
    let broker = Broker::start().unwrap();
    let mut group = group(&broker);
    let name = group.name.clone();
    let code = |group: &mut Group, request: &SyncGroupRequest| group.sync(request).error_code;
    let nameless = SyncGroupRequest { protocol_name: None, ..sync_request("", "m", 1, &[]) };
    assert_eq!(code(&mut group, &nameless), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(code(&mut group, &sync_request("", "m", 1, &[])), ErrorCode::INVALID_GROUP_ID);
    assert_eq!(code(&mut group, &sync_request(&name, "m", 1, &[])), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(group.beat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID);
    let id = group.stable();
    assert_eq!(code(&mut group, &sync_request(&name, "m", 1, &[])), ErrorCode::UNKNOWN_MEMBER_ID);
    let other =
        SyncGroupRequest { protocol_type: Some("connect".into()), ..sync_request(&name, &id, 2, &[]) };
    assert_eq!(code(&mut group, &other), ErrorCode::ILLEGAL_GENERATION);
    let other = SyncGroupRequest { generation_id: 1, ..other };
    assert_eq!(code(&mut group, &other), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let unknown =
        SyncGroupRequest { group_instance_id: Some("i".into()), ..sync_request(&name, &id, 1, &[]) };
    assert_eq!(code(&mut group, &unknown), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(code(&mut group, &sync_request(&name, &id, 1, &[])), ErrorCode::NONE);
    assert_eq!(group.beat(&id, 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(group.beat(&id, 1), ErrorCode::NONE);
    assert_eq!(group.leave("m"), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(group.leave(""), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(group.leave(&id), ErrorCode::NONE);
}

#[test]
fn a_rebalance_waits_for_who_is_there_and_for_who_was_given_an_id() {
    let broker = Broker::start().unwrap();
    let mut first = group(&broker);
    let leader = first.stable();
    let name = first.name.clone();
    let mut second = Group { name: name.clone(), client: Client::connect(&broker) };
    let follower = second.id();
    second.client.send(JOIN, &join_request(&name, &follower));
    while first.beat(&leader, 1) != ErrorCode::REBALANCE_IN_PROGRESS {}
    let synced = first.sync(&sync_request(&name, &leader, 1, &[]));
    assert_eq!(synced.error_code, ErrorCode::REBALANCE_IN_PROGRESS);
    let led = first.join(&join_request(&name, &leader));
    let (_, followed) = second.client.receive::<JoinGroupResponse>(JOIN);
    assert_eq!((led.generation_id, followed.generation_id), (2, 2));
    assert_eq!((led.members.len(), followed.members.len(), &followed.leader), (2, 0, &led.leader));
    second.client.send(SYNC, &sync_request(&name, &follower, 2, &[]));
    assert_eq!(first.beat(&leader, 2), ErrorCode::NONE, "while it completes too");
    first.sync(&sync_request(&name, &leader, 2, &[&follower]));
    let (_, synced) = second.client.receive::<SyncGroupResponse>(SYNC);
    assert_eq!(synced.assignment, format!("for {follower}").into_bytes());
}

#[test]
fn a_static_member_returns_to_its_place() {
    let broker = Broker::start().unwrap();
    let mut group = group(&broker);
    let name = group.name.clone();
    let request = JoinGroupRequest { group_instance_id: Some("one".into()), ..join_request(&name, "") };
    let first = group.join(&request);
    assert_eq!((first.error_code, first.generation_id), (ErrorCode::NONE, 1), "it is given no id first");
    assert!(first.member_id.starts_with("one-"));
    let id = String::from(first.member_id);
    group.sync(&sync_request(&name, &id, 1, &[&id]));
    let again = group.join(&request);
    assert_eq!((again.error_code, again.generation_id, again.skip_assignment), (ErrorCode::NONE, 1, true));
    assert_eq!((&again.leader, again.members.len()), (&again.member_id, 1));
    let new = String::from(again.member_id);
    assert_ne!(new, id);
    let synced = group.sync(&sync_request(&name, &new, 1, &[]));
    assert_eq!(synced.assignment, format!("for {id}").into_bytes());
    let fenced =
        SyncGroupRequest { group_instance_id: Some("one".into()), ..sync_request(&name, &id, 1, &[]) };
    assert_eq!(group.sync(&fenced).error_code, ErrorCode::FENCED_INSTANCE_ID);
    let old: JoinGroupResponse = group.client.call(8, &request);
    assert_eq!((&*old.leader, old.members.len(), old.generation_id), (&*new, 0, 1));
    let gone = MemberIdentity { group_instance_id: Some("one".into()), ..Default::default() };
    let leave = LeaveGroupRequest {
        group_id: name.as_str().into(),
        members: vec![gone.clone(), gone],
        ..Default::default()
    };
    let left: LeaveGroupResponse = group.client.call(4, &leave);
    let codes: Vec<_> = left.members.iter().map(|member| member.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_MEMBER_ID]);
}

#[test]
fn a_killed_broker_finds_the_members_in_their_generation() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut group = group(&broker);
    let id = group.stable();
    broker.kill().unwrap();
    broker.restart().unwrap();
    group.client = Client::connect(&broker);
    assert_eq!(group.beat(&id, 1), ErrorCode::NONE);
    let synced = group.sync(&sync_request(&group.name.clone(), &id, 1, &[]));
    assert_eq!(synced.assignment, format!("for {id}").into_bytes());
    assert_eq!(group.leave(&id), ErrorCode::NONE);
    broker.kill().unwrap();
    broker.restart().unwrap();
    group.client = Client::connect(&broker);
    assert_eq!(group.beat(&id, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    let next = group.id();
    let joined = group.join(&join_request(&group.name.clone(), &next));
    assert_eq!(joined.generation_id, 3, "generations only grow");
}

#[test]
fn names_and_metadata_of_any_size_and_content_do_no_harm() {
    // Kafka does not answer all of it.
    let Some(broker) = own_broker(&[]) else { return };
    let mut group = group(&broker);
    group.name = "g".repeat(32_767);
    let id = group.id();
    let mut request = join_request(&group.name, &id);
    request.rebalance_timeout_ms = i32::MAX;
    request.protocols[0].metadata = vec![0xff; 100_000].into();
    let joined = group.join(&request);
    assert_eq!(joined.error_code, ErrorCode::NONE);
    assert_eq!(joined.members[0].metadata.len(), 100_000);
    let name = group.name.clone();
    assert_eq!(group.sync(&sync_request(&name, &id, 1, &[])).error_code, ErrorCode::NONE);
    assert_eq!(group.leave(&id), ErrorCode::NONE);
    request.rebalance_timeout_ms = -1;
    request.member_id = group.id().into();
    assert_eq!(group.join(&request).error_code, ErrorCode::NONE);
}

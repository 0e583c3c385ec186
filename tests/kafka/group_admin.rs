//! Groups as people see them: listed, described and deleted.

use crate::client::Client;
use crate::group::{Group, group_name, join_request};
use crate::support::broker::Broker;
use crate::topic::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
use callboard_protocol::kafka::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup,
};
use callboard_protocol::kafka::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

fn describe(client: &mut Client, version: i16, group: &str) -> DescribedGroup {
    let request =
        DescribeGroupsRequest { groups: vec![group.into()], include_authorized_operations: version >= 3 };
    let mut answer: DescribeGroupsResponse = client.call(version, &request);
    answer.groups.remove(0)
}

fn list(
    client: &mut Client,
    version: i16,
    states: &[&str],
    types: &[&str],
    group: &str,
) -> Option<ListedGroup> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let request = ListGroupsRequest { states_filter: names(states), types_filter: names(types) };
    let answer: ListGroupsResponse = client.call(version, &request);
    assert_eq!(answer.error_code, ErrorCode::NONE);
    answer.groups.into_iter().find(|listed| &*listed.group_id == group)
}

#[test]
fn a_group_is_described_with_its_members_in_every_version() {
    let broker = Broker::start().unwrap();
    let mut group = Group::new(Client::connect(&broker));
    let id = group.stable();
    for version in 0..=6 {
        let told = describe(&mut group.client, version, &group.name);
        assert_eq!((told.error_code, &*told.group_state), (ErrorCode::NONE, "Stable"));
        assert_eq!((&*told.protocol_type, &*told.protocol_data), ("consumer", "range"));
        let member = &told.members[0];
        assert_eq!((&*member.member_id, &*member.client_id), (&*id, "tests"));
        assert_eq!(&*member.client_host, "/127.0.0.1");
        assert_eq!(member.member_assignment, format!("for {id}").into_bytes());
        assert!(!member.member_metadata.is_empty());
        assert_eq!(told.authorized_operations, if version >= 3 { 3400 } else { i32::MIN });
    }
    let name = group.name.clone();
    group.join(&join_request(&name, &id));
    let told = describe(&mut group.client, 6, &name);
    assert_eq!((&*told.group_state, &*told.protocol_data), ("CompletingRebalance", ""));
    assert!(told.members[0].member_metadata.is_empty());
}

#[test]
fn a_group_that_is_not_there_is_dead_and_from_version_6_an_error() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let name = group_name();
    let old = describe(&mut client, 5, &name);
    assert_eq!(
        (old.error_code, &*old.group_state, old.authorized_operations),
        (ErrorCode::NONE, "Dead", 3400)
    );
    let new = describe(&mut client, 6, &name);
    assert_eq!((new.error_code, &*new.group_state), (ErrorCode::GROUP_ID_NOT_FOUND, "Dead"));
    assert_eq!(new.authorized_operations, i32::MIN);
    assert!(new.error_message.is_some());
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let broker = Broker::start().unwrap();
    let mut group = Group::new(Client::connect(&broker));
    let id = group.stable();
    let name = group.name.clone();
    for version in 0..=5 {
        let listed = list(&mut group.client, version, &[], &[], &name).unwrap();
        assert_eq!(&*listed.protocol_type, "consumer");
        assert_eq!(&*listed.group_state, if version >= 4 { "Stable" } else { "" });
        assert_eq!(&*listed.group_type, if version >= 5 { "classic" } else { "" });
    }
    assert!(list(&mut group.client, 5, &["sTable"], &["Classic"], &name).is_some());
    assert!(list(&mut group.client, 5, &["Empty", "nothing"], &[], &name).is_none());
    assert!(list(&mut group.client, 5, &[], &["consumer"], &name).is_none());
    group.leave(&id);
    assert!(list(&mut group.client, 4, &["Empty"], &[], &name).is_some());
}

#[test]
fn a_group_that_only_has_offsets_is_listed_and_deleted_with_them() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let mut group = Group::new(client);
    assert_eq!(group.commit("", -1, &topic.name, 5), ErrorCode::NONE);
    let name = group.name.clone();
    let listed = list(&mut group.client, 5, &[], &[], &name).unwrap();
    assert_eq!((&*listed.protocol_type, &*listed.group_state, &*listed.group_type), ("", "Empty", "classic"));
    let mut other = Group::new(Client::connect(&broker));
    other.stable();
    let names = [&*name, &*name, &*other.name, "nobody"];
    let request = DeleteGroupsRequest { groups_names: names.iter().map(|name| (*name).into()).collect() };
    let answer: DeleteGroupsResponse = group.client.call(2, &request);
    let mut codes: Vec<_> =
        answer.results.iter().map(|result| (&*result.group_id, result.error_code.0)).collect();
    codes.sort_unstable();
    let mut expected = [(&*name, 0), (&*other.name, 68), ("nobody", 69)];
    expected.sort_unstable();
    assert_eq!(codes, expected);
    assert!(list(&mut group.client, 5, &[], &[], &name).is_none());
    assert_eq!(group.committed(&topic.name), -1);
}

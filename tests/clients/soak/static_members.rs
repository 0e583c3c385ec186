//! Static members of different clients: they and the broker die and come back, and nobody is asked to
//! join again (KIP-345, KIP-814).

use super::{Membership, Soak, is_possible};
use crate::client::Client;
use crate::connection::Client as Connection;
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a static member may be silent. The members' programs say so when they join: it has to be
/// enough for a program that starts again.
const SESSION: Duration = Duration::from_secs(10);

/// No group here has had so many generations.
const GENERATIONS_MAX: i32 = 1000;

/// A group as the broker tells of it.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    generation: i32,
    /// The ids and assignments of members, by the names that the members gave themselves.
    members: BTreeMap<String, (String, Bytes)>,
}

impl Soak {
    fn group(&self) -> Group {
        let mut connection = Connection::connect(self.broker.address()).unwrap();
        let groups = vec![self.topic.as_str().into()];
        let request = DescribeGroupsRequest { groups, include_authorized_operations: false };
        let mut answer: DescribeGroupsResponse = connection.call(5, &request).unwrap();
        let told = answer.groups.remove(0);
        assert_eq!(&*told.group_state, "Stable");
        let members = told.members.into_iter().map(|member| {
            let name = member.group_instance_id.expect("a member without a name of its own").into();
            (name, (member.member_id.into(), member.member_assignment))
        });
        let members: BTreeMap<String, (String, Bytes)> = members.collect();
        let (member, _) = members.values().next().unwrap();
        let mut is_of_now = |generation_id: &i32| {
            let request = HeartbeatRequest {
                group_id: self.topic.as_str().into(),
                generation_id: *generation_id,
                member_id: member.as_str().into(),
                ..Default::default()
            };
            let answer: HeartbeatResponse = connection.call(4, &request).unwrap();
            assert!([ErrorCode::NONE, ErrorCode::ILLEGAL_GENERATION].contains(&answer.error_code));
            answer.error_code == ErrorCode::NONE
        };
        let generation = (1..GENERATIONS_MAX).find(&mut is_of_now).expect("no generation is the group's");
        Group { generation, members }
    }

    /// A member dies, and its client starts again as the same member before its session is over.
    fn replace(&mut self, client: Client) {
        self.take(client).program.end(Signal::SIGKILL);
        self.join(client);
    }
}

/// What is assigned and the generation are as before, and the ids too but for who came back.
fn assert_undisturbed(soak: &Soak, before: &mut Group, came_back: Option<Client>) {
    let now = soak.group();
    if let Some(name) = came_back.map(|client| client.to_string()) {
        let (old, new) = (&before.members[&name].0, &now.members[&name].0);
        assert_ne!(old, new, "{name} has not come back");
        before.members.get_mut(&name).unwrap().0.clone_from(new);
    }
    assert_eq!(now, *before, "after {came_back:?} came back");
}

#[test]
fn static_members_keep_their_places_while_they_and_the_broker_die() {
    let clients = [Client::Java, Client::Confluent, Client::Go, Client::Python, Client::Aiokafka];
    if !is_possible(&clients) {
        return;
    }
    let mut soak = Soak::begin(&clients, Membership::Static);
    let mut group = soak.group();
    assert_eq!(group.members.len(), clients.len());
    soak.kill_broker();
    // Nobody would be in any more whose heartbeats do not go on.
    let restarted = Instant::now();
    while restarted.elapsed() < SESSION * 3 / 2 {
        soak.until_read_on();
    }
    assert_undisturbed(&soak, &mut group, None);
    for client in clients {
        soak.replace(client);
        assert_undisturbed(&soak, &mut group, Some(client));
    }
    for client in clients {
        soak.take(client).program.end(Signal::SIGKILL);
        soak.broker.kill().unwrap();
        soak.broker.restart_in_place().unwrap();
        soak.counted_from = Instant::now();
        soak.join(client);
        assert_undisturbed(&soak, &mut group, Some(client));
    }
    soak.finish();
}

//! Members of a running group that are gone in the middle of a rebalance: the others get on without them.

use crate::client::{Client, WITHIN};
use crate::group::{Group, JOIN, SYNC, join_request, sync_request};
use crate::own_broker;
use crate::support::broker::Broker;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupResponse};
use callboard_protocol::kafka::sync_group::SyncGroupResponse;
use std::time::{Duration, Instant};

/// The session timeout of who is gone. It is not shorter, so that on a slow machine too the others are
/// told of their generation before it is over.
const SESSION_MS: i32 = 2_000;
const SESSION: Duration = Duration::from_millis(SESSION_MS as u64);
/// Its rebalance timeout. It is longer than a test waits, so that only its session can end.
const REBALANCE_MS: i32 = 60_000;
const SETTINGS: [&str; 1] = ["group.min.session.timeout.ms=2000"];

/// A member, by a connection of its own.
struct Member {
    group: Group,
    id: String,
}

impl Member {
    /// The only member of a new group that is stable in generation 1.
    fn alone(broker: &Broker) -> Self {
        let mut group = Group::new(Client::connect(broker));
        let id = group.stable();
        Self { group, id }
    }

    /// Somebody who was given an id, and is waited for from now on.
    fn expected(broker: &Broker, name: &str) -> Self {
        let mut group = Group { name: name.to_owned(), client: Client::connect(broker) };
        let id = group.id();
        Self { group, id }
    }

    /// Asks to join. The answer comes when all have joined.
    fn ask_to_join(&mut self) {
        let request = join_request(&self.group.name, &self.id);
        self.group.client.send(JOIN, &request);
    }

    /// Asks to join as one that will soon be missed.
    fn ask_to_join_for_short(&mut self) {
        let request = JoinGroupRequest {
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: REBALANCE_MS,
            ..join_request(&self.group.name, &self.id)
        };
        self.group.client.send(JOIN, &request);
    }

    /// The generation that it has joined, and of how many members it is told: of all if it leads.
    fn joined(&mut self) -> (i32, usize) {
        let (_, joined) = self.group.client.receive::<JoinGroupResponse>(JOIN);
        assert_eq!(joined.error_code, ErrorCode::NONE);
        (joined.generation_id, joined.members.len())
    }

    fn ask_to_sync(&mut self, generation: i32, assigned: &[&str]) {
        let request = sync_request(&self.group.name, &self.id, generation, assigned);
        self.group.client.send(SYNC, &request);
    }

    /// It is told what was assigned to it, and is in that generation.
    fn assert_in(&mut self, generation: i32) {
        let (_, synced) = self.group.client.receive::<SyncGroupResponse>(SYNC);
        assert_eq!(synced.error_code, ErrorCode::NONE);
        assert_eq!(synced.assignment, format!("for {}", self.id).into_bytes());
        assert_eq!(self.group.beat(&self.id, generation), ErrorCode::NONE);
    }

    /// Says that it is alive until it is told to join again.
    fn beat_until_rebalance(&mut self, generation: i32) {
        let (deadline, mut told) = (Instant::now() + WITHIN, ErrorCode::NONE);
        while told == ErrorCode::NONE {
            assert!(Instant::now() < deadline, "no rebalance within {WITHIN:?}");
            told = self.group.beat(&self.id, generation);
        }
        assert_eq!(told, ErrorCode::REBALANCE_IN_PROGRESS);
    }
}

/// The first of the members leads and assigns to all of them, and they are in.
fn share(members: &mut [&mut Member], generation: i32) {
    let ids: Vec<String> = members.iter().map(|member| member.id.clone()).collect();
    let assigned: Vec<&str> = ids.iter().map(String::as_str).collect();
    for member in members.iter_mut().skip(1) {
        member.ask_to_sync(generation, &[]);
    }
    members[0].ask_to_sync(generation, &assigned);
    for member in members {
        member.assert_in(generation);
    }
}

#[test]
fn the_others_get_on_without_a_follower_that_falls_silent_between_join_and_sync() {
    let Some(broker) = own_broker(&SETTINGS) else { return };
    let mut leader = Member::alone(&broker);
    let mut follower = Member::expected(&broker, &leader.group.name);
    let mut silent = Member::expected(&broker, &leader.group.name);
    follower.ask_to_join();
    silent.ask_to_join_for_short();
    let before = Instant::now();
    leader.ask_to_join();
    assert_eq!([leader.joined(), follower.joined(), silent.joined()], [(2, 3), (2, 0), (2, 0)]);
    // Its connection stays: nothing but its silence tells that it is gone.
    share(&mut [&mut leader, &mut follower], 2);
    leader.beat_until_rebalance(2);
    assert!(before.elapsed() >= SESSION, "it was out after {:?}", before.elapsed());
    follower.ask_to_join();
    leader.ask_to_join();
    assert_eq!([leader.joined(), follower.joined()], [(3, 2), (3, 0)]);
    share(&mut [&mut leader, &mut follower], 3);
    assert_eq!(silent.group.beat(&silent.id, 2), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_group_gets_on_without_who_disconnects_while_its_join_waits_for_the_others() {
    let Some(broker) = own_broker(&SETTINGS) else { return };
    let mut leader = Member::alone(&broker);
    let mut gone = Member::expected(&broker, &leader.group.name);
    gone.ask_to_join_for_short();
    // Its join is there and waits.
    leader.beat_until_rebalance(1);
    drop(gone);
    let before = Instant::now();
    leader.ask_to_join();
    // As in Kafka the end of a connection is not the end of a member.
    assert_eq!(leader.joined(), (2, 2));
    share(&mut [&mut leader], 2);
    leader.beat_until_rebalance(2);
    assert!(before.elapsed() >= SESSION, "it was out after {:?}", before.elapsed());
    leader.ask_to_join();
    assert_eq!(leader.joined(), (3, 1));
    share(&mut [&mut leader], 3);
    let mut next = Member::expected(&broker, &leader.group.name);
    next.ask_to_join();
    leader.ask_to_join();
    assert_eq!([leader.joined(), next.joined()], [(4, 2), (4, 0)]);
    share(&mut [&mut leader, &mut next], 4);
}

#[test]
fn who_disconnects_while_its_join_waits_is_in_when_it_asks_again() {
    let broker = Broker::start().unwrap();
    let mut leader = Member::alone(&broker);
    let mut follower = Member::expected(&broker, &leader.group.name);
    follower.ask_to_join();
    leader.beat_until_rebalance(1);
    follower.group.client = Client::connect(&broker);
    follower.ask_to_join();
    leader.ask_to_join();
    assert_eq!([leader.joined(), follower.joined()], [(2, 2), (2, 0)]);
    share(&mut [&mut leader, &mut follower], 2);
}

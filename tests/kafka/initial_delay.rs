//! `group.initial.rebalance.delay.ms`: members that come together are together in the first generation.

use crate::client::{Client, WITHIN};
use crate::group::{Group, JOIN, join_request};
use crate::own_broker;
use crate::support::broker::Broker;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupResponse};
use std::time::{Duration, Instant};

const DELAY: Duration = Duration::from_secs(2);
const SETTINGS: [&str; 1] = ["group.initial.rebalance.delay.ms=2000"];

/// A member that is in no generation yet, by a connection of its own.
struct Newcomer {
    group: Group,
    request: JoinGroupRequest,
}

impl Newcomer {
    /// Somebody who was given an id: only its join is left.
    fn of(broker: &Broker, name: &str, rebalance_timeout: Duration) -> Self {
        let mut group = Group { name: name.to_owned(), client: Client::connect(broker) };
        let rebalance_timeout_ms = rebalance_timeout.as_millis().try_into().unwrap();
        let request = JoinGroupRequest { rebalance_timeout_ms, ..join_request(name, &group.id()) };
        Self { group, request }
    }

    fn ask_to_join(&mut self) {
        self.group.client.send(JOIN, &self.request);
    }

    /// The generation that it is in.
    fn generation(&mut self) -> i32 {
        let (_, joined) = self.group.client.receive::<JoinGroupResponse>(JOIN);
        assert_eq!(joined.error_code, ErrorCode::NONE);
        joined.generation_id
    }
}

/// Newcomers of one group that is not there yet.
fn newcomers<const COUNT: usize>(broker: &Broker, rebalance_timeout: Duration) -> [Newcomer; COUNT] {
    let name = Group::new(Client::connect(broker)).name;
    std::array::from_fn(|_| Newcomer::of(broker, &name, rebalance_timeout))
}

/// Lets a delay pass: that of a group of which nobody else knows.
fn pass_a_delay(broker: &Broker) {
    let [mut alone] = newcomers(broker, DELAY);
    alone.ask_to_join();
    assert_eq!(alone.generation(), 1);
}

#[test]
fn members_that_come_within_the_delay_are_in_the_first_generation() {
    let Some(broker) = own_broker(&SETTINGS) else { return };
    // Nobody waits for so long.
    let timeout = WITHIN * 6;
    let [mut one, mut other] = newcomers(&broker, timeout);
    let before = Instant::now();
    one.ask_to_join();
    other.ask_to_join();
    assert_eq!([one.generation(), other.generation()], [1, 1]);
    assert!(before.elapsed() >= DELAY * 2, "who comes begins another delay: {:?}", before.elapsed());
    let [mut alone] = newcomers(&broker, timeout);
    let before = Instant::now();
    alone.ask_to_join();
    assert_eq!(alone.generation(), 1);
    assert!(before.elapsed() >= DELAY, "it waits for others: {:?}", before.elapsed());
}

#[test]
fn a_first_generation_waits_for_more_members_until_the_rebalance_timeout() {
    let Some(broker) = own_broker(&SETTINGS) else { return };
    let [mut first, mut second, more @ ..] = newcomers::<5>(&broker, DELAY * 5 / 2);
    first.ask_to_join();
    second.ask_to_join();
    let mut late = more.map(|mut newcomer| {
        pass_a_delay(&broker);
        newcomer.ask_to_join();
        newcomer
    });
    assert_eq!([first.generation(), second.generation()], [1, 1]);
    // There was somebody in each delay, but the timeout was over before the last one came.
    let told = loop {
        match first.group.beat(&first.request.member_id, 1) {
            ErrorCode::NONE => {}
            told => break told,
        }
    };
    assert_eq!(told, ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(late[0].generation(), 1, "it came in the second delay");
}

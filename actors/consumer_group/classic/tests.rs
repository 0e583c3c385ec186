//! Tests of groups with members of both protocols, and of what holds in them whatever happens.

use super::super::heartbeat::{Beat, TopicPartitions};
use super::super::leave::Absence;
use super::super::state::ConsumerState;
use super::*;
use crate::broker::topics::tests::topics;
use crate::config::Settings;
use crate::group::join::{Entrance, JoinError, Joining, ReturningLeader};
use crate::group::members::Protocol;
use callboard_storage::TopicId;
use callboard_storage::values::{ConsumerMemberRow, Phase};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PARTITIONS: u32 = 6;

/// A subscription to the orders, in the version that says what the consumer has.
fn subscription(has: &[i32]) -> Vec<u8> {
    let mut bytes = b"\0\x01\0\0\0\x01\0\x06orders\xff\xff\xff\xff\0\0\0\x01\0\x06orders".to_vec();
    bytes.extend((has.len() as i32).to_be_bytes());
    has.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    bytes
}

fn joining(id: &str, has: &[i32]) -> Joining {
    Joining {
        member: Some(id.into()),
        instance: None,
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout: Duration::from_secs(10),
        rebalance_timeout: Duration::from_mins(1),
        protocol_type: CONSUMER.to_owned(),
        protocols: vec![Protocol { name: "range".to_owned(), metadata: subscription(has).into() }],
        entrance: Entrance::IdFirst,
        returning_leader: ReturningLeader::Leads,
    }
}

/// A client of either protocol, as the protocol wants it.
#[derive(Debug, Clone)]
struct Consumer {
    id: String,
    kind: Kind,
    /// Its epoch or generation.
    epoch: i32,
    has: Vec<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of the newer protocol.
    Newer,
    /// A classic one that gives up all that it has before it joins again.
    Eager,
    /// A classic one that gives up what it is told to.
    Cooperative,
}

struct Trial {
    group: ConsumerGroupState,
    topics: Arc<Topics>,
    now: Now,
}

impl Trial {
    fn new(pairs: &[(&str, &str)]) -> Self {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let now = Now { instant: crate::clock::now(), wall_ms: 1_000_000 };
        let topics = topics(&[(1, "orders", PARTITIONS)]);
        Self { group: ConsumerGroupState::new(settings.groups), topics, now }
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall_ms += i64::try_from(time.as_millis()).unwrap();
        self.group.pass(&self.topics, self.now);
        self.settle();
    }

    /// A group that is to be a classic one is made one, and with the next newer member it is one of
    /// these again.
    fn settle(&mut self) {
        if let Some(downgrade) = self.group.downgrade.take() {
            let row = self.group.to_classic(downgrade, &self.topics, self.now.wall_ms);
            assert_eq!(row.members.len(), self.group.members.len());
            let group =
                ConsumerGroupState::from_classic(row, self.group.settings.clone(), &self.topics).unwrap();
            assert_eq!(group.epoch, downgrade.generation);
            self.group = restarted(&group, self.now);
        }
        self.group.check_owners();
    }

    fn topic(&self) -> TopicId {
        self.topics.get("orders").unwrap().id
    }

    fn join(&mut self, consumer: &mut Consumer) {
        if consumer.kind == Kind::Eager {
            consumer.has.clear();
        }
        let joined = self.group.join(joining(&consumer.id, &consumer.has), &self.topics, self.now);
        consumer.epoch = joined.unwrap().generation;
        self.settle();
        self.sync(consumer);
    }

    fn sync(&mut self, consumer: &mut Consumer) {
        let syncing = Syncing {
            member: consumer.id.as_str().into(),
            instance: None,
            generation: consumer.epoch,
            protocol_type: None,
            protocol: None,
            assignments: std::collections::HashMap::new(),
        };
        if let Ok(synced) = self.group.sync(&syncing, &self.topics, self.now) {
            let read = assignment::read(&synced.assignment).unwrap();
            consumer.has = read.partitions.into_iter().flat_map(|(_, numbers)| numbers).collect();
        }
    }

    fn beat(&mut self, consumer: &mut Consumer, epoch: i32) -> bool {
        let owned: TopicPartitions = [(self.topic(), consumer.has.clone())].into();
        let beat = Beat {
            member: Some(consumer.id.as_str().into()),
            epoch,
            rebalance_timeout_ms: Some(60_000),
            topics: Some(vec!["orders".to_owned()]),
            owned: Some(owned),
            ..Beat::default()
        };
        let Ok(beaten) = self.group.heartbeat(&beat, &self.topics, self.now) else { return false };
        consumer.epoch = beaten.epoch;
        if let Some(assignment) = beaten.assignment {
            consumer.has = assignment.get(&self.topic()).cloned().unwrap_or_default();
        }
        self.settle();
        true
    }

    fn enter(&mut self, consumer: &mut Consumer) {
        consumer.has.clear();
        match consumer.kind {
            Kind::Newer => assert!(self.beat(consumer, 0)),
            // Into a group without members it would make a classic one of it.
            Kind::Eager | Kind::Cooperative if self.group.members.is_empty() => consumer.epoch = -1,
            Kind::Eager | Kind::Cooperative => self.join(consumer),
        }
    }

    /// A consumer says that it is alive, and does what it is told.
    fn step(&mut self, consumer: &mut Consumer) {
        if consumer.kind == Kind::Newer {
            if !self.beat(consumer, consumer.epoch) {
                self.enter(consumer);
            }
            return;
        }
        let member = consumer.id.as_str().into();
        let beating = Beating { member, instance: None, generation: consumer.epoch };
        match self.group.classic_heartbeat(&beating, &self.topics, self.now) {
            Ok(()) => {}
            Err(HeartbeatError::Rebalancing) => self.join(consumer),
            Err(_) => self.enter(consumer),
        }
        self.settle();
    }
}

fn restarted(group: &ConsumerGroupState, now: Now) -> ConsumerGroupState {
    let mut restarted = ConsumerGroupState::new(group.settings.clone());
    restarted.restore(&group.to_row());
    for (id, member) in &group.members {
        restarted.restore_member(id, ConsumerMemberRow::from(member), now);
        assert_eq!(restarted.members.get(id), Some(member));
    }
    restarted
}

#[test]
fn a_classic_member_that_is_called_and_does_not_come_is_out() {
    let mut trial = Trial::new(&[]);
    let mut newer = Consumer { id: "newer".into(), kind: Kind::Newer, epoch: 0, has: Vec::new() };
    let mut classic = Consumer { id: "classic".into(), kind: Kind::Cooperative, epoch: 0, has: Vec::new() };
    trial.enter(&mut newer);
    trial.enter(&mut classic);
    trial.step(&mut newer);
    trial.step(&mut newer);
    let beating = Beating { member: "classic".into(), instance: None, generation: classic.epoch };
    let alive = |trial: &mut Trial| trial.group.classic_heartbeat(&beating, &trial.topics, trial.now);
    assert_eq!(alive(&mut trial), Err(HeartbeatError::Rebalancing));
    for _ in 0..7 {
        trial.pass(Duration::from_secs(9));
        trial.step(&mut newer);
        let _ = alive(&mut trial);
    }
    assert_eq!(alive(&mut trial), Err(HeartbeatError::UnknownMember), "after a minute from the first call");
    assert_eq!(trial.group.members.len(), 1);
}

#[test]
fn who_speaks_of_another_generation_is_told_so() {
    let mut trial = Trial::new(&[]);
    let mut newer = Consumer { id: "newer".into(), kind: Kind::Newer, epoch: 0, has: Vec::new() };
    let mut classic = Consumer { id: "classic".into(), kind: Kind::Eager, epoch: 0, has: Vec::new() };
    trial.enter(&mut newer);
    trial.enter(&mut classic);
    for generation in [classic.epoch - 1, classic.epoch + 1] {
        let beating = Beating { member: "classic".into(), instance: None, generation };
        let told = trial.group.classic_heartbeat(&beating, &trial.topics, trial.now);
        assert_eq!(told, Err(HeartbeatError::IllegalGeneration));
    }
}

#[test]
fn a_silent_newer_member_leaves_a_classic_group_behind() {
    let mut trial = Trial::new(&[]);
    let mut newer = Consumer { id: "newer".into(), kind: Kind::Newer, epoch: 0, has: Vec::new() };
    let mut classic = Consumer { id: "classic".into(), kind: Kind::Cooperative, epoch: 0, has: Vec::new() };
    trial.enter(&mut newer);
    trial.enter(&mut classic);
    for _ in 0..6 {
        trial.now.instant += Duration::from_secs(9);
        trial.step(&mut classic);
        trial.group.pass(&trial.topics, trial.now);
        if trial.group.downgrade.is_some() {
            break;
        }
    }
    let downgrade = trial.group.downgrade.unwrap();
    assert_eq!((downgrade.generation, downgrade.phase), (trial.group.epoch, Phase::Preparing));
}

#[test]
fn a_subscription_that_cannot_be_read_is_refused() {
    let mut trial = Trial::new(&[]);
    let mut newer = Consumer { id: "newer".into(), kind: Kind::Newer, epoch: 0, has: Vec::new() };
    trial.enter(&mut newer);
    let mut wrong = joining("a", &[]);
    wrong.protocols[0].metadata = vec![0].into();
    let refused = trial.group.join(wrong, &trial.topics, trial.now).unwrap_err();
    assert_eq!(refused.error, JoinError::InconsistentProtocol);
    let mut none = joining("a", &[]);
    none.protocols.clear();
    let refused = trial.group.join(none, &trial.topics, trial.now).unwrap_err();
    assert_eq!(refused.error, JoinError::InconsistentProtocol);
    assert_eq!(trial.group.members.len(), 1);
}

#[derive(Debug, Clone)]
enum Event {
    Enter(u8, Kind),
    Step(u8),
    /// It does not hear what it is told.
    Lose(u8),
    Leave(u8),
    Die(u8),
    Pass(u16),
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![Just(Kind::Newer), Just(Kind::Eager), Just(Kind::Cooperative)];
    let event = prop_oneof![
        3 => (0..5_u8, kind).prop_map(|(member, kind)| Event::Enter(member, kind)),
        9 => (0..5_u8).prop_map(Event::Step),
        1 => (0..5_u8).prop_map(Event::Lose),
        1 => (0..5_u8).prop_map(Event::Leave),
        1 => (0..5_u8).prop_map(Event::Die),
        1 => (0..20_000_u16).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..100)
}

proptest! {
    #[test]
    fn whatever_happens_a_partition_has_one_owner_and_all_of_both_kinds_come_to_rest(events in events()) {
        let mut trial = Trial::new(&[]);
        let mut consumers: BTreeMap<u8, Consumer> = BTreeMap::new();
        for event in events {
            match event {
                Event::Enter(member, kind) => {
                    let mut consumer = Consumer { id: format!("m{member}"), kind, epoch: 0, has: Vec::new() };
                    trial.enter(&mut consumer);
                    consumers.insert(member, consumer);
                }
                Event::Step(member) => {
                    if let Some(consumer) = consumers.get_mut(&member) {
                        trial.step(consumer);
                    }
                }
                Event::Lose(member) => {
                    if let Some(consumer) = consumers.get(&member) {
                        trial.step(&mut consumer.clone());
                    }
                }
                Event::Leave(member) => {
                    if let Some(consumer) = consumers.remove(&member) {
                        let id = consumer.id.as_str().into();
                        let _ = trial.group.leave(&id, None, Absence::ForGood, &trial.topics);
                        trial.settle();
                    }
                }
                Event::Die(member) => drop(consumers.remove(&member)),
                Event::Pass(ms) => trial.pass(Duration::from_millis(ms.into())),
                Event::Restart => trial.group = restarted(&trial.group, trial.now),
            }
            trial.group.check_owners();
            prop_assert!(trial.group.assignment_epoch <= trial.group.epoch);
        }
        // One of the newer kind, so that the group is theirs; and time, for those who died to be missed.
        let id = "last".to_owned();
        consumers.insert(99, Consumer { id, kind: Kind::Newer, epoch: 0, has: Vec::new() });
        for _ in 0..24 {
            consumers.values_mut().for_each(|consumer| trial.step(consumer));
            trial.pass(Duration::from_secs(4));
        }
        for _ in 0..6 {
            consumers.values_mut().for_each(|consumer| trial.step(consumer));
        }
        prop_assert_eq!(trial.group.state(), ConsumerState::Stable);
        prop_assert_eq!(trial.group.members.len(), consumers.len());
        let mut all: Vec<i32> = consumers.values().flat_map(|consumer| consumer.has.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..PARTITIONS as i32).collect::<Vec<_>>(), "each partition has one reader");
    }
}

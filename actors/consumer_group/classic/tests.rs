//! Tests of groups with members of both protocols.

mod simulation;

use super::super::heartbeat::{Beat, TopicPartitions};
use super::super::leave::Absence;
use super::super::trial::Trial;
use super::*;
use crate::group::join::{Entrance, JoinError, Joining, ReturningLeader};
use crate::group::members::Protocol;
use callboard_storage::TopicId;
use callboard_storage::values::Phase;

const PARTITIONS: u32 = 6;
/// The epoch of a consumer that is not in the group.
const OUTSIDE: i32 = -1;

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
    /// The name of a static one.
    instance: Option<InstanceId>,
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

impl Consumer {
    fn new(id: &str, kind: Kind) -> Self {
        Self { id: id.to_owned(), instance: None, kind, epoch: OUTSIDE, has: Vec::new() }
    }
}

fn trial() -> Trial {
    Trial::new(&[(1, "orders", PARTITIONS)], &[])
}

impl Trial {
    fn topic(&self) -> TopicId {
        self.topics.get("orders").unwrap().id
    }

    fn join(&mut self, consumer: &mut Consumer) {
        if consumer.kind == Kind::Eager {
            consumer.has.clear();
        }
        let mut joining = joining(&consumer.id, &consumer.has);
        joining.instance.clone_from(&consumer.instance);
        if consumer.instance.is_some() && consumer.epoch == OUTSIDE {
            // It is given an id each time that it begins.
            joining.member = None;
        }
        let joined = self.group.join(joining, &self.topics, self.now).unwrap();
        self.settle();
        (consumer.id, consumer.epoch) = (joined.member.to_string(), joined.generation);
        self.sync(consumer);
    }

    fn sync(&mut self, consumer: &mut Consumer) {
        let syncing = Syncing {
            member: consumer.id.as_str().into(),
            instance: consumer.instance.clone(),
            generation: consumer.epoch,
            protocol_type: None,
            protocol: None,
            assignments: std::collections::HashMap::new(),
        };
        if let Ok(synced) = self.group.sync(&syncing, &self.topics, self.now) {
            let read = assignment::read(&synced.assignment).unwrap();
            consumer.has = read.partitions.into_iter().flat_map(|(_, numbers)| numbers).collect();
        }
        self.settle();
    }

    /// A consumer of the newer protocol speaks. Whether it is heard.
    fn say(&mut self, consumer: &mut Consumer, epoch: i32) -> bool {
        let owned: TopicPartitions = [(self.topic(), consumer.has.clone())].into();
        let beat = Beat {
            member: Some(consumer.id.as_str().into()),
            epoch,
            instance: consumer.instance.clone(),
            rebalance_timeout_ms: Some(60_000),
            topics: Some(vec!["orders".to_owned()]),
            owned: Some(owned),
            ..Beat::default()
        };
        let Ok(beaten) = self.beat(&beat) else { return false };
        consumer.epoch = beaten.epoch;
        if let Some(assignment) = beaten.assignment {
            consumer.has = assignment.get(&self.topic()).cloned().unwrap_or_default();
        }
        true
    }

    /// A consumer begins. One that is static waits for its place until who has it is gone.
    fn enter(&mut self, consumer: &mut Consumer) {
        if consumer.instance.is_some() && consumer.epoch != OUTSIDE {
            self.go(consumer);
        }
        (consumer.epoch, consumer.has) = (OUTSIDE, Vec::new());
        match consumer.kind {
            Kind::Newer => assert!(self.say(consumer, 0) || consumer.instance.is_some()),
            // Into a group without members it would make a classic one of it.
            Kind::Eager | Kind::Cooperative if self.group.members.is_empty() => {}
            Kind::Eager | Kind::Cooperative => self.join(consumer),
        }
    }

    /// A consumer goes: for good, or for a while when it is static. A classic one does not say so then.
    fn go(&mut self, consumer: &Consumer) {
        let id = consumer.id.as_str().into();
        // It may be out already.
        let _ = match (&consumer.instance, consumer.kind) {
            (None, _) => self.leave(&id, None, Absence::ForGood),
            (Some(instance), Kind::Newer) => self.leave(&id, Some(instance), Absence::ForAWhile),
            (Some(_), Kind::Eager | Kind::Cooperative) => Ok(()),
        };
    }

    /// A consumer says that it is alive, and does what it is told.
    fn step(&mut self, consumer: &mut Consumer) {
        match consumer.kind {
            _ if consumer.epoch == OUTSIDE => self.enter(consumer),
            Kind::Newer => {
                if !self.say(consumer, consumer.epoch) {
                    self.enter(consumer);
                }
            }
            Kind::Eager | Kind::Cooperative => {
                let (member, instance) = (consumer.id.as_str().into(), consumer.instance.clone());
                let beating = Beating { member, instance, generation: consumer.epoch };
                let alive = self.group.classic_heartbeat(&beating, &self.topics, self.now);
                self.settle();
                match alive {
                    Ok(()) => {}
                    Err(HeartbeatError::Rebalancing) => self.join(consumer),
                    Err(_) => self.enter(consumer),
                }
            }
        }
    }
}

#[test]
fn a_classic_member_that_is_called_and_does_not_come_is_out() {
    let mut trial = trial();
    let mut newer = Consumer::new("newer", Kind::Newer);
    let mut classic = Consumer::new("classic", Kind::Cooperative);
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
    let mut trial = trial();
    let mut newer = Consumer::new("newer", Kind::Newer);
    let mut classic = Consumer::new("classic", Kind::Eager);
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
    let mut trial = trial();
    let mut newer = Consumer::new("newer", Kind::Newer);
    let mut classic = Consumer::new("classic", Kind::Cooperative);
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
    let mut trial = trial();
    let mut newer = Consumer::new("newer", Kind::Newer);
    trial.enter(&mut newer);
    let mut wrong = joining("a", &[]);
    wrong.protocols[0].metadata = vec![0].into();
    let refused = trial.group.join(wrong.clone(), &trial.topics, trial.now).unwrap_err();
    assert_eq!(refused.error, JoinError::InconsistentProtocol);
    wrong.member = None;
    let refused = trial.group.join(wrong, &trial.topics, trial.now).unwrap_err();
    assert_eq!(refused.error, JoinError::MemberIdRequired, "an id is given before the subscription is read");
    let mut none = joining("a", &[]);
    none.protocols.clear();
    let refused = trial.group.join(none, &trial.topics, trial.now).unwrap_err();
    assert_eq!(refused.error, JoinError::InconsistentProtocol);
    assert_eq!(trial.group.members.len(), 1);
}

#[test]
fn what_a_classic_member_still_reads_is_nobody_elses_when_the_group_goes_over_and_back() {
    let mut trial = trial();
    let mut old = Consumer::new("old", Kind::Cooperative);
    trial.join(&mut old);
    assert_eq!(old.has.len(), PARTITIONS as usize);
    let mut first = Consumer::new("first", Kind::Newer);
    trial.enter(&mut first);
    // It was to have half of them, and the other was not told so.
    trial.go(&first);
    let mut second = Consumer::new("second", Kind::Newer);
    trial.enter(&mut second);
    assert_eq!(second.has, [0; 0]);
    for _ in 0..3 {
        trial.step(&mut old);
        trial.step(&mut second);
    }
    assert_eq!((old.has.len(), second.has.len()), (3, 3));
}

//! Members that enter, speak, go and come back in any order, with restarts in between, and what holds
//! whatever happens.

use super::*;
use proptest::prelude::*;

const CONSUMERS: u8 = 5;
/// From this one on they are static: they go for a while, and come back by their names.
const FIRST_STATIC: u8 = 3;

/// What may happen to a group.
#[derive(Debug, Clone)]
enum Event {
    /// A consumer begins, with one of three subscriptions.
    Enter(u8, u8),
    /// It speaks, having done what it was told, or having lost the answer.
    Speak(u8, bool),
    Leave(u8),
    /// Topics get other partitions.
    Topics(u32, u32),
    Pass(u16),
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0..CONSUMERS, 0..3_u8).prop_map(|(number, reads)| Event::Enter(number, reads)),
        8 => (0..CONSUMERS, any::<bool>()).prop_map(|(number, hears)| Event::Speak(number, hears)),
        1 => (0..CONSUMERS).prop_map(Event::Leave),
        1 => (0..6_u32, 0..6_u32).prop_map(|(orders, audit)| Event::Topics(orders, audit)),
        1 => (0..40_000_u16).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..80)
}

/// A client as the protocol wants it: it has what it was told to have, and says all of itself when it
/// did not hear an answer.
#[derive(Debug, Clone)]
struct Consumer {
    enters: Beat,
    epoch: i32,
    has: TopicPartitions,
    is_sure: bool,
}

struct Simulation {
    trial: Trial,
    consumers: BTreeMap<u8, Consumer>,
    /// How often one has begun.
    begun: u32,
}

impl Simulation {
    fn happen(&mut self, event: Event) {
        match event {
            Event::Enter(number, reads) => {
                let beat = enters("");
                let beat = match reads {
                    0 => beat,
                    1 => Beat { topics: Some(vec!["audit".to_owned(), "orders".to_owned()]), ..beat },
                    _ => Beat { topics: None, pattern: Some("a.*".to_owned()), ..beat },
                };
                self.enter(number, beat);
            }
            Event::Speak(number, hears) => self.speak(number, hears),
            Event::Leave(number) => {
                if let Some(consumer) = self.consumers.remove(&number) {
                    self.leave(&consumer);
                }
            }
            Event::Topics(orders, audit) => {
                self.trial.topics = topics(&[(1, "orders", orders), (2, "audit", audit)]);
            }
            Event::Pass(ms) => self.trial.pass(Duration::from_millis(ms.into())),
            Event::Restart => self.trial.restart(),
        }
    }

    /// A consumer begins. One that is static is another member each time.
    fn enter(&mut self, number: u8, beat: Beat) {
        self.begun += 1;
        let is_static = number >= FIRST_STATIC;
        let id = if is_static { format!("s{number}-{}", self.begun) } else { format!("m{number}") };
        let instance = is_static.then(|| InstanceId::from(format!("static-{number}").as_str()));
        let enters = Beat { member: Some(id.as_str().into()), instance, ..beat };
        let before = self.consumers.get(&number).and_then(|before| before.enters.member.as_ref());
        let is_held = is_static && before.is_some_and(|id| self.trial.group.members.contains_key(id));
        let beaten = self.trial.beat(&enters);
        let is_refused = matches!(beaten, Err(BeatError::UnreleasedInstance(..)));
        assert_eq!(is_refused, is_held, "a name is its member's until that goes");
        if is_refused {
            return;
        }
        let Beaten { epoch, assignment, .. } = beaten.unwrap();
        let consumer = Consumer { enters, epoch, has: assignment.unwrap(), is_sure: true };
        self.consumers.insert(number, consumer);
    }

    /// A consumer speaks, and begins anew when it is not heard.
    fn speak(&mut self, number: u8, hears: bool) {
        let Some(consumer) = self.consumers.get_mut(&number) else { return };
        let all =
            Beat { epoch: consumer.epoch, owned: Some(consumer.has.clone()), ..consumer.enters.clone() };
        let short = Beat { rebalance_timeout_ms: None, topics: None, pattern: None, ..all.clone() };
        match self.trial.beat(if consumer.is_sure { &short } else { &all }) {
            Ok(beaten) if hears => {
                consumer.epoch = beaten.epoch;
                consumer.has = beaten.assignment.unwrap_or_else(|| consumer.has.clone());
                consumer.is_sure = true;
            }
            Ok(_) => consumer.is_sure = false,
            Err(_) => {
                let Some(consumer) = self.consumers.remove(&number) else { return };
                if number >= FIRST_STATIC {
                    // So that its name is free.
                    self.leave(&consumer);
                }
                self.enter(number, consumer.enters);
            }
        }
    }

    /// It may be out already.
    fn leave(&mut self, consumer: &Consumer) {
        let Beat { member: Some(id), instance, .. } = &consumer.enters else { return };
        let absence = if instance.is_some() { Absence::ForAWhile } else { Absence::ForGood };
        let _ = self.trial.leave(id, instance.as_ref(), absence);
    }

    /// All speak and hear, for so long that those are out who were not heard of again.
    fn come_to_rest(&mut self) {
        for _ in 0..24 {
            (0..CONSUMERS).for_each(|number| self.speak(number, true));
            self.trial.pass(Duration::from_secs(3));
        }
        let group = &self.trial.group;
        assert_eq!(group.members.len(), self.consumers.len());
        if self.consumers.is_empty() {
            return;
        }
        assert_eq!(group.state(), ConsumerState::Stable);
        let read = self.trial.topics.iter().filter(|topic| group.is_subscribed(&topic.name));
        let wanted: usize = read.map(|topic| topic.partitions.len()).sum();
        assert_eq!(group.owners.len(), wanted, "each partition that is read has an owner");
        for Consumer { enters, has, .. } in self.consumers.values() {
            let member = enters.member.as_ref().and_then(|id| group.members.get(id)).unwrap();
            let assigned = member.assigned.iter();
            let assigned: TopicPartitions =
                assigned.map(|(topic, numbers)| (*topic, numbers.keys().copied().collect())).collect();
            assert_eq!(assigned, *has);
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_partition_has_one_owner_and_all_come_to_rest(
        events in events(),
        interval in prop_oneof![Just("0"), Just("1000")],
    ) {
        let trial = Trial::new(ALL, &[("group.consumer.assignment.interval.ms", interval)]);
        let mut simulation = Simulation { trial, consumers: BTreeMap::new(), begun: 0 };
        events.into_iter().for_each(|event| simulation.happen(event));
        simulation.come_to_rest();
    }
}

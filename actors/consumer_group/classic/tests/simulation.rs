//! Members of both protocols that enter, speak, go and come back in any order, with restarts in between,
//! and what holds whatever happens.

use super::*;
use crate::consumer_group::state::ConsumerState;
use proptest::prelude::*;
use std::collections::BTreeMap;

const CONSUMERS: u8 = 5;
/// From this one on they are static, also from one protocol to the other.
const FIRST_STATIC: u8 = 3;

/// What may happen to a group.
#[derive(Debug, Clone)]
enum Event {
    /// A consumer begins, in the place of the one of that number.
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
        3 => (0..CONSUMERS, kind).prop_map(|(number, kind)| Event::Enter(number, kind)),
        9 => (0..CONSUMERS).prop_map(Event::Step),
        1 => (0..CONSUMERS).prop_map(Event::Lose),
        1 => (0..CONSUMERS).prop_map(Event::Leave),
        1 => (0..CONSUMERS).prop_map(Event::Die),
        1 => (0..20_000_u16).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..100)
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
            Event::Enter(number, kind) => self.enter(number, kind),
            Event::Step(number) => {
                if let Some(consumer) = self.consumers.get_mut(&number) {
                    self.trial.step(consumer);
                }
            }
            Event::Lose(number) => {
                if let Some(consumer) = self.consumers.get(&number) {
                    self.trial.step(&mut consumer.clone());
                }
            }
            Event::Leave(number) => {
                if let Some(consumer) = self.consumers.remove(&number) {
                    self.trial.go(&consumer);
                }
            }
            Event::Die(number) => drop(self.consumers.remove(&number)),
            Event::Pass(ms) => self.trial.pass(Duration::from_millis(ms.into())),
            Event::Restart => self.trial.restart(),
        }
    }

    /// One that is static is another member each time.
    fn enter(&mut self, number: u8, kind: Kind) {
        self.begun += 1;
        let mut consumer = Consumer::new(&format!("m{number}"), kind);
        if number >= FIRST_STATIC {
            consumer.id = format!("s{number}-{}", self.begun);
            consumer.instance = Some(InstanceId::from(format!("static-{number}").as_str()));
        }
        self.trial.enter(&mut consumer);
        self.consumers.insert(number, consumer);
    }

    fn come_to_rest(&mut self) {
        // One of the newer kind, so that the group is theirs; and time, for those who died to be missed.
        self.consumers.insert(CONSUMERS, Consumer::new("last", Kind::Newer));
        for _ in 0..24 {
            self.consumers.values_mut().for_each(|consumer| self.trial.step(consumer));
            self.trial.pass(Duration::from_secs(4));
        }
        for _ in 0..6 {
            self.consumers.values_mut().for_each(|consumer| self.trial.step(consumer));
        }
        assert_eq!(self.trial.group.state(), ConsumerState::Stable);
        assert_eq!(self.trial.group.members.len(), self.consumers.len());
        let mut all: Vec<i32> =
            self.consumers.values().flat_map(|consumer| consumer.has.iter().copied()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..PARTITIONS as i32).collect::<Vec<_>>(), "each partition has one reader");
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_partition_has_one_owner_and_all_of_both_kinds_come_to_rest(events in events()) {
        let mut simulation = Simulation { trial: trial(), consumers: BTreeMap::new(), begun: 0 };
        events.into_iter().for_each(|event| simulation.happen(event));
        simulation.come_to_rest();
    }
}

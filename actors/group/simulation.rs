//! For tests: a group and its consumers in any order of requests, silences and restarts, and what holds
//! whatever happens.

use super::heartbeat::Beating;
use super::join::{JoinError, JoinRefused, Joined};
use super::leave::Leaving;
use super::state::{ClassicGroup, State};
use super::sync::{SyncError, Synced};
use super::trial::{Trial, Waiting, joining};
use crate::names::MemberId;
use callboard_storage::values::ClassicGroupRow;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    /// A consumer does what comes next for it.
    Step(u8),
    /// It says that it is alive.
    Beat(u8),
    Leave(u8),
    /// It is gone without a word, and another takes its place.
    Die(u8),
    Pass(u16),
    /// The broker is, and who waits for an answer gets none.
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        12 => (0..4_u8).prop_map(Event::Step),
        6 => (0..4_u8).prop_map(Event::Beat),
        1 => (0..4_u8).prop_map(Event::Leave),
        1 => (0..4_u8).prop_map(Event::Die),
        2 => (0..12_000_u16).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..120)
}

/// A consumer as Kafka's clients are.
#[derive(Default)]
struct Consumer {
    id: Option<MemberId>,
    phase: Phase,
}

#[derive(Default)]
enum Phase {
    #[default]
    Outside,
    Joining(Waiting<Joined, JoinRefused>),
    Joined(Joined),
    Syncing(i32, Waiting<Synced, SyncError>),
    Stable(i32),
}

struct Simulation {
    trial: Trial,
    consumers: [Consumer; 4],
    /// Generations whose leaders have assigned.
    sent: BTreeSet<i32>,
    generation: i32,
    row: Option<ClassicGroupRow>,
}

/// What a leader assigns, by which it is known whose assignment a member got.
fn assignment(generation: i32) -> &'static str {
    ["0", "1", "2", "3", "4", "5", "6", "7"][generation as usize % 8]
}

impl Simulation {
    fn new() -> Self {
        let (trial, consumers) = (Trial::new(), Default::default());
        Self { trial, consumers, sent: BTreeSet::new(), generation: 0, row: None }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Step(at) => self.step(usize::from(*at)),
            Event::Beat(at) => self.beat(usize::from(*at)),
            Event::Leave(at) => {
                let consumer = std::mem::take(&mut self.consumers[usize::from(*at)]);
                let leaving = Leaving { member: consumer.id, instance: None };
                let _ = self.trial.group.leave(&[leaving], self.trial.now);
                self.trial.settle();
            }
            Event::Die(at) => self.consumers[usize::from(*at)] = Consumer::default(),
            Event::Pass(ms) => self.trial.pass(Duration::from_millis((*ms).into())),
            Event::Restart => self.restart(),
        }
        if std::mem::take(&mut self.trial.group.is_changed) {
            self.row = Some(self.trial.group.to_row());
        }
        self.check();
    }

    /// What was written last is what a restart finds.
    fn restart(&mut self) {
        let settings = self.trial.group.settings.clone();
        self.trial.group = match self.row.clone() {
            Some(row) => ClassicGroup::from_row(row, settings, self.trial.now),
            None => ClassicGroup::new(settings, self.trial.now.wall_ms),
        };
        for consumer in &mut self.consumers {
            // Who waits for an answer gets none, and asks again.
            if matches!(consumer.phase, Phase::Joining(_) | Phase::Syncing(..)) {
                consumer.phase = Phase::Outside;
            }
        }
    }

    fn step(&mut self, at: usize) {
        let Consumer { id, phase } = std::mem::take(&mut self.consumers[at]);
        self.consumers[at] = match phase {
            Phase::Outside => {
                let waiting = self.trial.join(joining(id.as_ref()));
                Consumer { id, phase: Phase::Joining(waiting) }
            }
            Phase::Joining(mut waiting) => match waiting.try_recv() {
                Ok(Ok(joined)) => Consumer { id: Some(joined.member.clone()), phase: Phase::Joined(joined) },
                Ok(Err(refused)) => {
                    let keeps = refused.error == JoinError::MemberIdRequired;
                    Consumer { id: refused.member.filter(|_| keeps), phase: Phase::Outside }
                }
                Err(_) => Consumer { id, phase: Phase::Joining(waiting) },
            },
            Phase::Joined(joined) => self.sync(id, &joined),
            Phase::Syncing(generation, mut waiting) => match waiting.try_recv() {
                Ok(Ok(synced)) => {
                    assert!(self.sent.contains(&generation));
                    assert_eq!(synced.assignment, assignment(generation), "not the leader's");
                    Consumer { id, phase: Phase::Stable(generation) }
                }
                Ok(Err(SyncError::UnknownMember)) => Consumer::default(),
                Ok(Err(_)) => Consumer { id, phase: Phase::Outside },
                Err(_) => Consumer { id, phase: Phase::Syncing(generation, waiting) },
            },
            Phase::Stable(generation) => Consumer { id, phase: Phase::Stable(generation) },
        };
    }

    fn sync(&mut self, id: Option<MemberId>, joined: &Joined) -> Consumer {
        let mut assigned = Vec::new();
        if !joined.members.is_empty() {
            let is_awaited = self.trial.group.state() == State::CompletingRebalance
                && self.trial.group.generation == joined.generation;
            if is_awaited {
                self.sent.insert(joined.generation);
            }
            let text = assignment(joined.generation);
            assigned.extend(joined.members.iter().map(|member| (&member.id, text)));
        }
        let waiting = self.trial.sync(&joined.member, joined.generation, &assigned);
        Consumer { id, phase: Phase::Syncing(joined.generation, waiting) }
    }

    /// Also while it waits for the others, as clients do.
    fn beat(&mut self, at: usize) {
        let consumer = &mut self.consumers[at];
        let (Some(id), Phase::Stable(generation)) = (&consumer.id, &consumer.phase) else { return };
        let beating = Beating { member: id.clone(), instance: None, generation: *generation };
        if let Err(error) = self.trial.group.heartbeat(&beating, self.trial.now) {
            let is_known = error == super::heartbeat::HeartbeatError::Rebalancing;
            let id = consumer.id.take().filter(|_| is_known);
            self.consumers[at] = Consumer { id, phase: Phase::Outside };
        }
        self.trial.settle();
    }

    fn check(&mut self) {
        let group = &self.trial.group;
        assert!(group.generation >= self.generation, "generations only grow");
        self.generation = group.generation;
        assert_eq!(group.members.is_empty(), group.leader.is_none(), "who is there has a leader");
        assert!(group.leader.as_ref().is_none_or(|leader| group.members.contains(leader)));
        let is_empty = group.state() == State::Empty;
        assert!(!is_empty || group.members.is_empty(), "an empty group has members");
        assert!(group.unsynced.iter().all(|id| group.members.contains(id)));
    }

    /// Everybody does what comes next until all are at rest.
    fn come_to_rest(&mut self) {
        for _ in 0..40 {
            for at in 0..4 {
                self.happen(&Event::Step(at));
                self.happen(&Event::Beat(at));
            }
            self.happen(&Event::Pass(3000));
        }
        assert_eq!(self.trial.group.state(), State::Stable);
        let generation = self.trial.group.generation;
        for consumer in &self.consumers {
            let is_there = matches!(consumer.phase, Phase::Stable(its) if its == generation);
            assert!(is_there, "a consumer is left outside");
        }
        assert_eq!(self.trial.group.members.len(), 4, "who is gone is out");
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_group_comes_to_rest_with_what_its_leader_sent(events in events()) {
        let mut simulation = Simulation::new();
        events.iter().for_each(|event| simulation.happen(event));
        simulation.come_to_rest();
    }
}

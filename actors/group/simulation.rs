//! For tests: a group and its consumers in any order of requests, silences and restarts, and what holds
//! whatever happens.

use super::heartbeat::{Beating, HeartbeatError};
use super::join::{JoinError, JoinRefused, Joined, Joining};
use super::leave::Leaving;
use super::offsets::trial::Commits;
use super::state::{ClassicGroup, State};
use super::sync::{SyncError, Synced, Syncing};
use super::trial::{Trial, Waiting, joining};
use crate::names::{InstanceId, MemberId};
use crate::offsets::commit::{Committing, Epochs};
use bytes::Bytes;
use callboard_storage::values::ClassicGroupRow;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::sync::oneshot;

const CONSUMERS: usize = 4;
/// From this one on they are static: they never say that they leave, and come back by their names.
const FIRST_STATIC: usize = 2;
const PARTITIONS: usize = 6;

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    /// A consumer does what comes next for it.
    Step(usize),
    /// It says that it is alive.
    Beat(usize),
    /// It says how far it has read, and so does who was there before it, as if that were not gone.
    Commit(usize),
    Leave(usize),
    /// It is gone without a word, and another takes its place.
    Die(usize),
    Pass(u16),
    /// The broker is, and who waits for an answer gets none.
    Restart,
    /// Nothing else happens for a while.
    Calm,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        12 => (0..CONSUMERS).prop_map(Event::Step),
        4 => (0..CONSUMERS).prop_map(Event::Beat),
        6 => (0..CONSUMERS).prop_map(Event::Commit),
        1 => (0..CONSUMERS).prop_map(Event::Leave),
        2 => (0..CONSUMERS).prop_map(Event::Die),
        2 => (0..12_000_u16).prop_map(Event::Pass),
        1 => Just(Event::Restart),
        2 => Just(Event::Calm),
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
    Stable(Reading),
}

/// What a member reads in a generation, and how far it is in each partition.
struct Reading {
    generation: i32,
    positions: BTreeMap<i32, i64>,
}

struct Simulation {
    trial: Trial,
    consumers: [Consumer; CONSUMERS],
    /// What each of them was before: dead, or in an older generation, but it may be heard once more.
    ghosts: [Consumer; CONSUMERS],
    /// How often somebody has asked for an assignment: no two leaders send the same.
    attempts: usize,
    /// What the leader of a generation has sent for each member.
    sent: BTreeMap<i32, BTreeMap<String, Bytes>>,
    /// Who has got a partition in a generation.
    owners: BTreeMap<(i32, i32), String>,
    commits: Commits,
    /// The offsets of commits that were answered.
    told: BTreeMap<i32, i64>,
    generation: i32,
    row: Option<ClassicGroupRow>,
}

/// The name of a consumer that is static.
fn instance(at: usize) -> Option<InstanceId> {
    (at >= FIRST_STATIC).then(|| InstanceId::from(format!("static-{at}").as_str()))
}

/// By what leaders know a member: a static one has its name also under another id.
fn name_of(id: &MemberId, instance: Option<&InstanceId>) -> String {
    instance.map_or_else(|| id.to_string(), ToString::to_string)
}

/// The partitions in what a leader has sent for a member.
fn partitions(text: &Bytes) -> Vec<i32> {
    let digits = text.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    digits.iter().map(|digit| i32::from(*digit - b'0')).collect()
}

impl Simulation {
    fn new() -> Self {
        Self {
            trial: Trial::new(),
            consumers: Default::default(),
            ghosts: Default::default(),
            attempts: 0,
            sent: BTreeMap::new(),
            owners: BTreeMap::new(),
            commits: Commits::new(),
            told: BTreeMap::new(),
            generation: 0,
            row: None,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Step(at) => self.step(*at),
            Event::Beat(at) => self.beat(*at),
            Event::Commit(at) => self.commit(*at),
            Event::Leave(at) => self.leave(*at),
            Event::Die(at) => self.die(*at),
            Event::Pass(ms) => self.trial.pass(Duration::from_millis((*ms).into())),
            Event::Restart => self.restart(),
            Event::Calm => self.live(8),
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
        self.commits.restart();
        let is_kept = |(partition, offset): (&i32, &i64)| self.commits.offset(*partition) == Some(*offset);
        assert!(self.told.iter().all(is_kept), "what was committed is lost");
        for consumer in &mut self.consumers {
            // Who waits for an answer gets none, and asks again.
            if matches!(consumer.phase, Phase::Joining(_) | Phase::Syncing(..)) {
                consumer.phase = Phase::Outside;
            }
        }
    }

    fn die(&mut self, at: usize) {
        self.ghosts[at] = std::mem::take(&mut self.consumers[at]);
    }

    fn leave(&mut self, at: usize) {
        self.die(at);
        if at < FIRST_STATIC {
            let leaving = Leaving { member: self.ghosts[at].id.clone(), instance: None };
            let _ = self.trial.group.leave(&[leaving], self.trial.now);
            self.trial.settle();
        }
    }

    fn step(&mut self, at: usize) {
        let Consumer { id, phase } = std::mem::take(&mut self.consumers[at]);
        self.consumers[at] = match phase {
            Phase::Outside => {
                let joining = Joining { instance: instance(at), ..joining(id.as_ref()) };
                Consumer { id, phase: Phase::Joining(self.trial.join(joining)) }
            }
            Phase::Joining(mut waiting) => match waiting.try_recv() {
                Ok(Ok(joined)) => Consumer { id: Some(joined.member.clone()), phase: Phase::Joined(joined) },
                Ok(Err(refused)) => {
                    let keeps = refused.error == JoinError::MemberIdRequired;
                    Consumer { id: refused.member.filter(|_| keeps), phase: Phase::Outside }
                }
                Err(_) => Consumer { id, phase: Phase::Joining(waiting) },
            },
            Phase::Joined(joined) => {
                let phase = Phase::Syncing(joined.generation, self.sync(at, &joined));
                Consumer { id, phase }
            }
            Phase::Syncing(generation, mut waiting) => match waiting.try_recv() {
                Ok(Ok(synced)) => {
                    let reading = self.read(at, id.as_ref(), generation, &synced.assignment);
                    Consumer { id, phase: Phase::Stable(reading) }
                }
                Ok(Err(SyncError::UnknownMember)) => Consumer::default(),
                Ok(Err(_)) => Consumer { id, phase: Phase::Outside },
                Err(_) => Consumer { id, phase: Phase::Syncing(generation, waiting) },
            },
            Phase::Stable(reading) => Consumer { id, phase: Phase::Stable(reading) },
        };
    }

    fn sync(&mut self, at: usize, joined: &Joined) -> Waiting<Synced, SyncError> {
        let Joined { generation, member, .. } = joined;
        let (texts, assignments) = self.assign(joined);
        let group = &mut self.trial.group;
        let is_awaited = group.state() == State::CompletingRebalance
            && group.generation == *generation
            && group.leader.as_ref() == Some(member);
        if is_awaited {
            let other = self.sent.insert(*generation, texts);
            assert!(other.is_none(), "generation {generation} is assigned again");
        }
        let syncing = Syncing {
            member: member.clone(),
            instance: instance(at),
            generation: *generation,
            protocol_type: None,
            protocol: None,
            assignments,
        };
        let (reply, waiting) = oneshot::channel();
        group.sync(syncing, reply, self.trial.now);
        self.trial.settle();
        waiting
    }

    /// What a leader sends: for each member something of its own, and each time something else. By names
    /// and by ids; nothing from who does not lead. Also a leader sends that is told to leave all as it is.
    fn assign(&mut self, joined: &Joined) -> (BTreeMap<String, Bytes>, HashMap<MemberId, Bytes>) {
        self.attempts += 1;
        let (mut texts, mut assignments) = (BTreeMap::new(), HashMap::new());
        let count = joined.members.len();
        for (place, member) in joined.members.iter().enumerate() {
            let name = name_of(&member.id, member.instance.as_ref());
            let numbers = (0..PARTITIONS).filter(|number| (number + self.attempts) % count == place);
            let numbers: String = numbers.map(|number| number.to_string()).collect();
            let text = format!("{name} {} {}:{numbers}", joined.generation, self.attempts);
            assignments.insert(member.id.clone(), Bytes::from(text.clone()));
            texts.insert(name, Bytes::from(text));
        }
        (texts, assignments)
    }

    /// A member has got what it is to read. It begins where others have committed that they were.
    fn read(&mut self, at: usize, id: Option<&MemberId>, generation: i32, text: &Bytes) -> Reading {
        let name = id.map(|id| name_of(id, instance(at).as_ref())).unwrap_or_default();
        let partitions = partitions(text);
        for partition in &partitions {
            let other = self.owners.insert((generation, *partition), name.clone());
            assert!(other.is_none_or(|other| other == name), "{partition} has two owners");
        }
        assert_eq!(self.sent[&generation][&name], text, "not what the leader has sent for it");
        let ghost = &mut self.ghosts[at];
        let is_of_now = matches!(&ghost.phase, Phase::Stable(reading) if reading.generation == generation);
        if is_of_now && ghost.id.as_ref() == id {
            // It begins again in its generation, and has awaited its commits before.
            *ghost = Consumer::default();
        }
        let position = |partition| (partition, self.commits.offset(partition).unwrap_or(0));
        Reading { generation, positions: partitions.into_iter().map(position).collect() }
    }

    /// A member has read one record more of each of its partitions.
    fn commit(&mut self, at: usize) {
        for Consumer { id, phase } in [&mut self.consumers[at], &mut self.ghosts[at]] {
            let (Some(id), Phase::Stable(reading)) = (id, phase) else { continue };
            reading.positions.values_mut().for_each(|position| *position += 1);
            let (member, generation) = (Some(id.clone()), reading.generation);
            let from = Committing { member, instance: instance(at), generation, epochs: Epochs::Known };
            let (group, now) = (&mut self.trial.group, self.trial.now);
            if self.commits.commit(group, &from, &reading.positions, now).is_err() {
                continue;
            }
            for (partition, position) in &reading.positions {
                let before = self.told.insert(*partition, *position);
                assert!(before.is_none_or(|before| before < *position), "{partition} has gone back");
            }
        }
    }

    /// Also while it waits for the others, as clients do.
    fn beat(&mut self, at: usize) {
        let consumer = &mut self.consumers[at];
        let (Some(id), Phase::Stable(Reading { generation, .. })) = (&consumer.id, &consumer.phase) else {
            return;
        };
        let beating = Beating { member: id.clone(), instance: instance(at), generation: *generation };
        if let Err(error) = self.trial.group.heartbeat(&beating, self.trial.now) {
            let id = Some(id.clone()).filter(|_| error == HeartbeatError::Rebalancing);
            self.ghosts[at] = std::mem::replace(consumer, Consumer { id, phase: Phase::Outside });
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
        if matches!(group.state(), State::CompletingRebalance | State::Stable) {
            assert_eq!(self.row, Some(group.to_row()), "a restart would not find the generation as it is");
        }
        for (id, member) in group.members.iter().filter(|_| group.state() == State::Stable) {
            let sent = &self.sent[&group.generation][&name_of(id, member.instance.as_ref())];
            assert_eq!(member.assignment, sent, "not what the leader has sent for {id}");
        }
    }

    /// Everybody does what comes next.
    fn live(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for at in 0..CONSUMERS {
                self.happen(&Event::Step(at));
                self.happen(&Event::Beat(at));
            }
            self.happen(&Event::Pass(3000));
        }
    }

    fn come_to_rest(&mut self) {
        self.live(40);
        assert_eq!(self.trial.group.state(), State::Stable);
        let generation = self.trial.group.generation;
        let mut all = Vec::new();
        for Consumer { phase, .. } in &self.consumers {
            let Phase::Stable(reading) = phase else { panic!("a consumer is left outside") };
            assert_eq!(reading.generation, generation, "a consumer is left behind");
            all.extend(reading.positions.keys().map(|partition| *partition as usize));
        }
        all.sort_unstable();
        assert_eq!(all, (0..PARTITIONS).collect::<Vec<_>>(), "each partition is read");
        assert_eq!(self.trial.group.members.len(), self.consumers.len(), "who is gone is out");
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

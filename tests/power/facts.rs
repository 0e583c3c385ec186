//! What clients were told, and when: what a broker must know after a power failure, and what it may.

use crate::client::{Client, accept};
use crate::history::{Entry, Histories, Place};
use crate::log::{Topic, new_producer_id};
use crate::requests;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Mutex;
use uuid::Uuid;

/// Something that a client knows.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// A batch was acknowledged with acks=all, or read.
    Batch(Place, i64, Entry),
    /// A topic is to have so many partitions from now on, or not to be there.
    Changing(String, Option<i32>),
    /// It has, and this is its id; or it is gone.
    Changed(String, Option<i32>, Option<Uuid>),
    /// A group commits an offset.
    Committing(String, Place, i64),
    /// It did.
    Committed(String, Place, i64),
    /// A producer was given its id.
    Producer(i64),
}

/// Facts, and how long the log of what the broker did was when each was learned.
pub(crate) struct Facts {
    log: PathBuf,
    facts: Mutex<Vec<(u64, Fact)>>,
}

impl Facts {
    /// Facts that hold from the beginning on, and those to come of a broker that is recorded there.
    pub(crate) fn new(log: PathBuf, known: impl IntoIterator<Item = Fact>) -> Self {
        Self { log, facts: Mutex::new(known.into_iter().map(|fact| (0, fact)).collect()) }
    }

    /// What a client was just told, or is about to ask for.
    pub(crate) fn note(&self, fact: Fact) {
        let mut facts = self.facts.lock().unwrap();
        let length = std::fs::metadata(&self.log).unwrap().len();
        facts.push((length, fact));
    }

    /// What must hold, and what may, when the broker did no more than is in the log until there.
    pub(crate) fn until(&self, end: u64) -> Known {
        let mut known = Known::default();
        for (_, fact) in self.facts.lock().unwrap().iter().filter(|(at, _)| *at <= end) {
            known.learn(fact);
        }
        known
    }
}

/// What must hold, and what may.
#[derive(Debug, Default)]
pub(crate) struct Known {
    batches: HashMap<Place, Vec<(i64, Entry)>>,
    /// Each topic's id, and the numbers of partitions that it may have.
    topics: BTreeMap<String, (Option<Uuid>, Vec<Option<i32>>)>,
    commits: HashMap<(String, Place), Vec<i64>>,
    producers: HashSet<i64>,
}

impl Known {
    fn learn(&mut self, fact: &Fact) {
        match fact.clone() {
            Fact::Batch(place, offset, entry) => self.batches.entry(place).or_default().push((offset, entry)),
            Fact::Changing(name, to) => {
                self.topics.entry(name).or_insert_with(|| (None, vec![None])).1.push(to);
            }
            Fact::Changed(name, to, id) => drop(self.topics.insert(name, (id, vec![to]))),
            Fact::Committing(group, place, offset) => {
                self.commits.entry((group, place)).or_insert_with(|| vec![-1]).push(offset);
            }
            Fact::Committed(group, place, offset) => drop(self.commits.insert((group, place), vec![offset])),
            Fact::Producer(id) => drop(self.producers.insert(id)),
        }
    }

    /// The topics that are certainly there.
    pub(crate) fn names(&self) -> Vec<String> {
        let there = self.topics.iter().filter(|(_, (_, possible))| !possible.contains(&None));
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Asks a broker for everything. Answers what is there.
    pub(crate) fn check(&self, client: &mut Client) -> Vec<Fact> {
        let mut found = Vec::new();
        let topics = self.check_topics(client, &mut found);
        let histories = Histories::default();
        for topic in &topics {
            for partition in 0..topic.partitions {
                self.check_log(client, topic, partition, &histories, &mut found);
            }
        }
        self.check_commits(client, &topics, &mut found);
        let id = new_producer_id(client).unwrap();
        assert!(!self.producers.contains(&id), "the producer id {id} was given before");
        found.extend(self.producers.iter().chain([&id]).map(|id| Fact::Producer(*id)));
        found
    }

    fn check_topics(&self, client: &mut Client, found: &mut Vec<Fact>) -> Vec<Topic> {
        let topics = requests::topics(client);
        for topic in &topics {
            assert!(self.topics.contains_key(&topic.name), "nobody created {}", topic.name);
            found.push(Fact::Changed(topic.name.clone(), Some(topic.partitions), Some(topic.id)));
        }
        for (name, (id, possible)) in &self.topics {
            let topic = topics.iter().find(|topic| topic.name == *name);
            let partitions = topic.map(|topic| topic.partitions);
            assert!(possible.contains(&partitions), "{name} has {partitions:?}, possible are {possible:?}");
            let is_same = topic.zip(*id).is_none_or(|(topic, id)| topic.id == id);
            assert!(is_same, "{name} has another id than before");
        }
        topics
    }

    /// The whole log of a partition.
    fn check_log(
        &self,
        client: &mut Client,
        topic: &Topic,
        partition: i32,
        histories: &Histories,
        found: &mut Vec<Fact>,
    ) {
        let place = topic.place(partition);
        for (offset, entry) in self.batches.get(&place).into_iter().flatten() {
            histories.see(place, *offset, *entry);
        }
        let end = topic.end(client, partition).unwrap();
        let (mut log, mut next) = (Vec::new(), 0);
        while next < end {
            let (entries, behind) = topic.read(client, partition, next).unwrap();
            assert!(behind > next, "{topic:?}/{partition} ends at {next} and says that it ends at {end}");
            log.extend(entries);
            next = behind;
        }
        histories.see_all(place, &log);
        found.extend(log.into_iter().map(|(offset, entry)| Fact::Batch(place, offset, entry)));
    }

    fn check_commits(&self, client: &mut Client, topics: &[Topic], found: &mut Vec<Fact>) {
        for ((group, place), possible) in &self.commits {
            let Some(topic) = topics.iter().find(|topic| topic.id == place.0) else { continue };
            let offset = requests::committed(client, group, &topic.name, place.1);
            assert!(
                possible.contains(&offset),
                "{group} committed {possible:?} of {}/{}, found is {offset}",
                topic.name,
                place.1
            );
            found.push(Fact::Committed(group.clone(), *place, offset));
        }
    }
}

/// Fails the test where the broker refused.
pub(crate) fn must(answer: callboard_protocol::kafka::ErrorCode, what: &str) {
    accept(answer, || what.to_owned()).unwrap();
}

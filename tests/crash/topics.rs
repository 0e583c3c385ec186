//! Topics that come, grow and go while others are written to: what may become of each by a crash.

use crate::chance::Chance;
use crate::client::{Client, accept};
use crate::history::Histories;
use crate::log::Topic;
use crate::producer::Producer;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use callboard_protocol::kafka::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataResponse, MetadataResponseTopic};
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;
use uuid::Uuid;

/// Names that are used again and again.
const NAMES: usize = 6;
const PARTITIONS_MAX: usize = 4;

/// All topics.
#[derive(Debug)]
pub(crate) struct Topics {
    known: BTreeMap<String, Known>,
    /// No two topics ever have the same.
    ids: HashSet<Uuid>,
    /// Names of topics that are to be deleted.
    retired: Vec<String>,
    producer: Producer,
    chance: Chance,
}

/// What is known of a topic's name.
#[derive(Debug, Default)]
struct Known {
    /// Of the topic that is there, or may still be.
    id: Option<Uuid>,
    /// The numbers of partitions that it may have, and none when it may not be there: a change that was
    /// not acknowledged leaves two ways.
    possible: Vec<Option<i32>>,
}

impl Topics {
    pub(crate) fn new(mut chance: Chance) -> Self {
        let name = |number| (format!("passing-{number}"), Known { id: None, possible: vec![None] });
        Self {
            known: (0..NAMES).map(name).collect(),
            ids: HashSet::new(),
            retired: Vec::new(),
            producer: Producer::new(chance.split()),
            chance,
        }
    }

    /// Creates a topic that stays until it is retired.
    pub(crate) fn create(&mut self, client: &mut Client, name: &str, partitions: i32) -> io::Result<Topic> {
        self.change(name, Some(partitions));
        let id = client.create_topic(name, partitions)?;
        self.settle(name, Some(partitions), Some(id));
        Ok(Topic { name: name.to_owned(), id, partitions })
    }

    /// Lets a topic be deleted by and by.
    pub(crate) fn retire(&mut self, topic: &Topic) {
        self.retired.push(topic.name.clone());
    }

    /// Changes topics until the connection breaks.
    pub(crate) fn change_all(
        &mut self,
        address: &str,
        histories: &Histories,
        told: &Sender<()>,
    ) -> io::Result<Infallible> {
        let mut client = Client::connect(address)?;
        loop {
            if let Some(name) = self.retired.last().cloned() {
                self.delete(&mut client, &name)?;
            } else {
                let name = format!("passing-{}", self.chance.below(NAMES));
                self.change_one(&mut client, &name, histories)?;
            }
            let _ = told.send(());
        }
    }

    fn change_one(&mut self, client: &mut Client, name: &str, histories: &Histories) -> io::Result<()> {
        let more = 1 + self.chance.below(PARTITIONS_MAX) as i32;
        let Some(topic) = self.topic(name) else {
            return self.create(client, name, more).map(drop);
        };
        match self.chance.below(6) {
            0 => self.delete(client, name),
            1 => self.grow(client, name, topic.partitions + more),
            _ => {
                let partition = self.chance.below(topic.partitions as usize) as i32;
                self.producer.write_one(client, &topic, partition, histories)
            }
        }
    }

    fn delete(&mut self, client: &mut Client, name: &str) -> io::Result<()> {
        self.change(name, None);
        let request =
            DeleteTopicsRequest { topic_names: vec![name.into()], timeout_ms: 10_000, ..Default::default() };
        let answer: DeleteTopicsResponse = client.call(5, &request)?;
        accept(answer.responses[0].error_code, || format!("deleting {name}"))?;
        self.settle(name, None, None);
        Ok(())
    }

    fn grow(&mut self, client: &mut Client, name: &str, count: i32) -> io::Result<()> {
        self.change(name, Some(count));
        let topic = CreatePartitionsTopic { name: name.into(), count, ..Default::default() };
        let request =
            CreatePartitionsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
        let answer: CreatePartitionsResponse = client.call(3, &request)?;
        accept(answer.results[0].error_code, || format!("more partitions for {name}"))?;
        let id = self.known[name].id;
        self.settle(name, Some(count), id);
        Ok(())
    }

    /// The topic of a name, where nothing about it is open.
    fn topic(&self, name: &str) -> Option<Topic> {
        let known = &self.known[name];
        assert_eq!(known.possible.len(), 1, "{name} changes already");
        Some(Topic { name: name.to_owned(), id: known.id?, partitions: known.possible[0]? })
    }

    /// A change begins.
    fn change(&mut self, name: &str, to: Option<i32>) {
        let known =
            self.known.entry(name.to_owned()).or_insert_with(|| Known { id: None, possible: vec![None] });
        known.possible.push(to);
    }

    /// It is known what became of a change.
    fn settle(&mut self, name: &str, partitions: Option<i32>, id: Option<Uuid>) {
        let known = self.known.get_mut(name).unwrap();
        let is_new = known.id != id && id.is_some_and(|id| self.ids.insert(id));
        assert!(is_new || known.id == id || id.is_none(), "the id of {name} was another topic's");
        let is_kept = known.id.is_none() || id.is_none() || known.id == id;
        assert!(is_kept, "{name} has another id than before");
        (known.id, known.possible) = (id, vec![partitions]);
        if partitions.is_none() {
            self.retired.retain(|retired| retired != name);
        }
    }

    /// After a restart: each topic is there whole, or not at all, as what was acknowledged says. Answers
    /// those that are there.
    pub(crate) fn check(&mut self, client: &mut Client) -> io::Result<Vec<Topic>> {
        let answer: MetadataResponse =
            client.call(12, &MetadataRequest { topics: None, ..Default::default() })?;
        let mut found = BTreeMap::new();
        for topic in &answer.topics {
            let topic = whole(topic);
            found.insert(topic.name.clone(), topic);
        }
        for name in found.keys() {
            assert!(self.known.contains_key(name), "nobody created {name}");
        }
        let names: Vec<_> = self.known.keys().cloned().collect();
        for name in names {
            let topic = found.get(&name);
            let partitions = topic.map(|topic| topic.partitions);
            let possible = &self.known[&name].possible;
            assert!(possible.contains(&partitions), "{name} has {partitions:?}, possible are {possible:?}");
            self.settle(&name, partitions, topic.map(|topic| topic.id));
        }
        Ok(found.into_values().collect())
    }
}

/// A topic of which all partitions are there and led.
fn whole(topic: &MetadataResponseTopic) -> Topic {
    let name = topic.name.as_ref().unwrap().to_string();
    assert_eq!(topic.error_code, ErrorCode::NONE, "{name}");
    let mut indexes: Vec<_> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
    indexes.sort_unstable();
    let partitions = indexes.len() as i32;
    assert!(indexes.iter().copied().eq(0..partitions), "{name} lacks some partitions: {indexes:?}");
    let are_led = topic.partitions.iter().all(|partition| !partition.error_code.is_error());
    assert!(are_led, "{name} has partitions that nobody leads");
    Topic { name, id: topic.topic_id, partitions }
}

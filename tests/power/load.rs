//! Clients that work until the broker ends, and note what they are told.

use crate::chance::Chance;
use crate::client::Client;
use crate::facts::{Fact, Facts};
use crate::history::Entry;
use crate::log::{Topic, new_producer_id, receive_offset};
use crate::requests;
use bytes::Bytes;
use callboard_protocol::batch::{BatchBuilder, Compression, NewRecord, Producing};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread::{ScopedJoinHandle, scope};

const PARTITIONS: i32 = 3;
const RECORDS_MAX: usize = 4;
const VALUE_BYTES: [usize; 4] = [1, 100, 1_500, 6_000];
const TIME: i64 = 1_700_000_000_000;
const GROUP: &str = "readers";

/// Clients of one broker.
pub(crate) struct Load<'a> {
    pub(crate) address: &'a str,
    pub(crate) facts: &'a Facts,
    /// What tells the names of this broker's topics from those of others before it.
    pub(crate) number: usize,
}

impl Load<'_> {
    /// Works on topics with a topic of its own to write to, until so much has happened, or the broker
    /// has died. Then `end` is called, which learns whether a connection broke before, and all others break. Topics named in `old` are deleted.
    pub(crate) fn run(&self, old: &[String], events: usize, chance: &mut Chance, end: impl FnOnce(bool)) {
        let Ok(mut client) = Client::connect(self.address) else { return end(true) };
        let name = format!("lasting-{}", self.number);
        let Ok(topic) = self.create(&mut client, &name, PARTITIONS) else { return end(true) };
        let (told, happened) = channel();
        let chances = [chance.split(), chance.split(), chance.split(), chance.split()];
        let [mut first, mut second, mut third, mut fourth] = chances;
        let (topic, more_told) = (&topic, told.clone());
        scope(|scope| {
            let clients = [
                scope.spawn(move || self.write(topic, &mut first, &told)),
                scope.spawn(move || self.write(topic, &mut second, &more_told)),
                scope.spawn(move || self.read(topic, &mut third)),
                scope.spawn(move || self.change(old, &mut fourth)),
            ];
            happened.iter().take(events).for_each(drop);
            let is_left = clients.iter().any(ScopedJoinHandle::is_finished);
            end(is_left);
            clients.into_iter().for_each(|client| drop(client.join().unwrap()));
        });
    }

    /// Writes batches, some of which nobody waits for to be synced.
    fn write(&self, topic: &Topic, chance: &mut Chance, told: &Sender<()>) -> io::Result<()> {
        let mut client = Client::connect(self.address)?;
        let mut producers = Vec::new();
        for _ in 0..topic.partitions {
            producers.push((new_producer_id(&mut client)?, 0));
            self.facts.note(Fact::Producer(producers.last().unwrap().0));
        }
        loop {
            let partition = chance.below(producers.len());
            let (id, sequence) = &mut producers[partition];
            let mut sent = Vec::new();
            for _ in 0..=chance.below(3) {
                let batch = batch(*id, sequence, chance);
                let acks = if chance.is_one_in(4) { 1 } else { -1 };
                topic.send(&mut client, partition as i32, &batch, acks)?;
                sent.push((batch, acks));
            }
            for (batch, acks) in sent {
                let offset = receive_offset(&mut client)?;
                if acks == -1 {
                    let place = topic.place(partition as i32);
                    self.facts.note(Fact::Batch(place, offset, Entry::of(&batch)));
                }
                let _ = told.send(());
            }
        }
    }

    /// Reads all that there is, and commits.
    fn read(&self, topic: &Topic, chance: &mut Chance) -> io::Result<()> {
        let mut client = Client::connect(self.address)?;
        let mut positions = vec![0; topic.partitions as usize];
        loop {
            let partition = chance.below(positions.len());
            let place = topic.place(partition as i32);
            let (entries, next) = topic.read(&mut client, partition as i32, positions[partition])?;
            for (offset, entry) in entries {
                self.facts.note(Fact::Batch(place, offset, entry));
            }
            positions[partition] = next.max(positions[partition]);
            if chance.is_one_in(2) {
                let offset = positions[partition];
                self.facts.note(Fact::Committing(GROUP.to_owned(), place, offset));
                requests::commit(&mut client, GROUP, &topic.name, partition as i32, offset)?;
                self.facts.note(Fact::Committed(GROUP.to_owned(), place, offset));
            }
        }
    }

    /// Lets topics come, grow and go.
    fn change(&self, old: &[String], chance: &mut Chance) -> io::Result<()> {
        let mut client = Client::connect(self.address)?;
        for name in old {
            self.delete(&mut client, name)?;
        }
        for number in 0.. {
            let name = format!("passing-{}-{number}", self.number);
            let topic = self.create(&mut client, &name, 1 + chance.below(3) as i32)?;
            let id = new_producer_id(&mut client)?;
            self.facts.note(Fact::Producer(id));
            let mut sequence = 0;
            for _ in 0..chance.below(6) {
                let batch = batch(id, &mut sequence, chance);
                topic.send(&mut client, 0, &batch, -1)?;
                let offset = receive_offset(&mut client)?;
                self.facts.note(Fact::Batch(topic.place(0), offset, Entry::of(&batch)));
            }
            if chance.is_one_in(3) {
                let count = topic.partitions + 1;
                self.facts.note(Fact::Changing(name.clone(), Some(count)));
                requests::grow(&mut client, &name, count)?;
                self.facts.note(Fact::Changed(name.clone(), Some(count), Some(topic.id)));
            }
            // A few are left, so that there is something to find.
            if !chance.is_one_in(8) {
                self.delete(&mut client, &name)?;
            }
        }
        Ok(())
    }

    fn create(&self, client: &mut Client, name: &str, partitions: i32) -> io::Result<Topic> {
        self.facts.note(Fact::Changing(name.to_owned(), Some(partitions)));
        let topic = requests::create(client, name, partitions)?;
        self.facts.note(Fact::Changed(name.to_owned(), Some(partitions), Some(topic.id)));
        Ok(topic)
    }

    fn delete(&self, client: &mut Client, name: &str) -> io::Result<()> {
        self.facts.note(Fact::Changing(name.to_owned(), None));
        requests::delete(client, name)?;
        self.facts.note(Fact::Changed(name.to_owned(), None, None));
        Ok(())
    }
}

fn batch(id: i64, sequence: &mut i32, chance: &mut Chance) -> Bytes {
    let mut builder = BatchBuilder::default();
    for number in 0..=chance.below(RECORDS_MAX) as i32 {
        let mut value = format!("{id} {} ", *sequence + number).into_bytes();
        value.resize(value.len() + VALUE_BYTES[chance.below(VALUE_BYTES.len())], number as u8);
        builder.push(NewRecord { timestamp: TIME, value: Some(&value), ..NewRecord::default() });
    }
    let producing = Producing { id, epoch: 0, base_sequence: *sequence };
    *sequence += builder.len() as i32;
    builder.seal(Compression::None, Some(producing)).unwrap().bytes
}

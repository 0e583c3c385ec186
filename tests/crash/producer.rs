//! An idempotent producer: whatever was not acknowledged when the broker died is sent again as it was.

use crate::chance::Chance;
use crate::client::Client;
use crate::history::{Entry, Histories, Place};
use crate::log::{Topic, new_producer_id, receive_offset};
use bytes::Bytes;
use callboard_protocol::batch::{BatchBuilder, Compression, NewRecord, Producing};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;

/// Batches for a partition that are on their way: as many as the broker remembers.
const IN_FLIGHT: usize = 5;
const RECORDS_MAX: usize = 4;
/// Large enough that segments fill, small enough that many batches go into one.
const VALUE_BYTES: [usize; 4] = [1, 100, 3_000, 15_000];
const TIME: i64 = 1_700_000_000_000;

/// A producer that writes to all partitions of a topic.
#[derive(Debug)]
pub(crate) struct Producer {
    id: Option<i64>,
    lanes: HashMap<Place, Lane>,
    chance: Chance,
}

/// What a producer knows of a partition.
#[derive(Debug, Default)]
struct Lane {
    next_sequence: i32,
    /// Batches that are not acknowledged, the oldest first.
    unanswered: VecDeque<Bytes>,
}

impl Producer {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { id: None, lanes: HashMap::new(), chance }
    }

    /// Writes until the connection breaks, beginning with what was not acknowledged.
    pub(crate) fn write(
        &mut self,
        address: &str,
        topic: &Topic,
        histories: &Histories,
        told: &Sender<()>,
    ) -> io::Result<Infallible> {
        let mut client = Client::connect(address)?;
        if self.chance.is_one_in(6) {
            // Another producer comes in its place, and nobody knows what became of the last batches.
            (self.id, self.lanes) = (None, HashMap::new());
        }
        let mut sent = self.repeat(&mut client, topic)?;
        loop {
            self.fill(&mut client, topic, &mut sent)?;
            let Some(partition) = sent.pop_front() else { continue };
            let offset = receive_offset(&mut client)?;
            let lane = self.lanes.get_mut(&topic.place(partition)).unwrap();
            let batch = lane.unanswered.pop_front().unwrap();
            histories.see(topic.place(partition), offset, Entry::of(&batch));
            let _ = told.send(());
        }
    }

    /// Writes one batch, behind those that were not acknowledged.
    pub(crate) fn write_one(
        &mut self,
        client: &mut Client,
        topic: &Topic,
        partition: i32,
        histories: &Histories,
    ) -> io::Result<()> {
        let place = topic.place(partition);
        self.next_batch(client, place)?;
        let lane = self.lanes.get_mut(&place).unwrap();
        while let Some(batch) = lane.unanswered.front() {
            topic.send(client, partition, batch, -1)?;
            histories.see(place, receive_offset(client)?, Entry::of(batch));
            lane.unanswered.pop_front();
        }
        Ok(())
    }

    /// Sends what was not acknowledged. Answers the partitions in the order of the answers.
    fn repeat(&mut self, client: &mut Client, topic: &Topic) -> io::Result<VecDeque<i32>> {
        let mut sent = VecDeque::new();
        for partition in 0..topic.partitions {
            let lane = self.lanes.entry(topic.place(partition)).or_default();
            for batch in &lane.unanswered {
                topic.send(client, partition, batch, acks(&mut self.chance))?;
                sent.push_back(partition);
            }
        }
        Ok(sent)
    }

    /// Sends new batches to some partitions.
    fn fill(&mut self, client: &mut Client, topic: &Topic, sent: &mut VecDeque<i32>) -> io::Result<()> {
        let first = self.chance.below(topic.partitions as usize) as i32;
        for partition in (first..topic.partitions).chain(0..first).take(2) {
            let place = topic.place(partition);
            if self.lanes.entry(place).or_default().unanswered.len() < IN_FLIGHT {
                let batch = self.next_batch(client, place)?;
                topic.send(client, partition, &batch, acks(&mut self.chance))?;
                sent.push_back(partition);
            }
        }
        Ok(())
    }

    /// The next batch of a partition, which is one that is not acknowledged from now on.
    fn next_batch(&mut self, client: &mut Client, place: Place) -> io::Result<Bytes> {
        let id = match self.id {
            Some(id) => id,
            None => *self.id.insert(new_producer_id(client)?),
        };
        let lane = self.lanes.entry(place).or_default();
        let mut builder = BatchBuilder::default();
        for number in 0..=self.chance.below(RECORDS_MAX) as i32 {
            let sequence = lane.next_sequence + number;
            let mut value = format!("{place:?} {id} {sequence} ").into_bytes();
            let bytes = value.len() + VALUE_BYTES[self.chance.below(VALUE_BYTES.len())];
            value.resize(bytes, sequence as u8);
            builder.push(NewRecord { timestamp: TIME, value: Some(&value), ..NewRecord::default() });
        }
        let producing = Producing { id, epoch: 0, base_sequence: lane.next_sequence };
        lane.next_sequence += builder.len() as i32;
        let batch = builder.seal(Compression::None, Some(producing)).unwrap().bytes;
        lane.unanswered.push_back(batch.clone());
        Ok(batch)
    }
}

fn acks(chance: &mut Chance) -> i16 {
    if chance.is_one_in(3) { 1 } else { -1 }
}

//! Units of work: the program's rows, its events and its offsets, durable together or not at all.

use crate::broker::Broker;
use crate::keyspace::{Keyspace, KeyspaceError, Version};
use crate::subscribe::{ByUnit, Records};
use callboard_actors::Unavailable;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::topics::{PartitionSlot, TopicView};
use callboard_actors::broker::unit::{CommitError, UnitBatch, UnitOfWork, UnitOffsets};
use callboard_actors::clock;
use callboard_actors::committer::unit::{Expected, UnitError as Refusal};
use callboard_actors::names::{GroupId, MemberId};
use callboard_actors::offsets::commit::{Committing, Epochs, NewOffset};
use callboard_client::codec::Codec;
use callboard_client::consumer::Membership;
use callboard_client::producer::{Partitioner, Receipt, Sticky};
use callboard_client::{Compression, Record};
use callboard_protocol::batch::BatchBuilder;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a program wants done at once: nothing of it is done before [`Unit::commit`].
#[derive(Debug)]
#[must_use = "nothing is done before it is committed"]
pub struct Unit {
    broker: BrokerHandle,
    work: UnitOfWork,
    records: Vec<Record>,
    offsets: Vec<Commit>,
    /// Who commits the offsets, where it is a member of the group.
    member: Option<(String, i32)>,
    /// Told when records that a subscription brought are acknowledged.
    acknowledged: Vec<Arc<ByUnit>>,
}

/// An offset that a group commits.
#[derive(Debug)]
struct Commit {
    group: String,
    topic: String,
    partition: u32,
    offset: i64,
}

/// Why a unit was not committed. Nothing of it was done, but after [`UnitError::Unavailable`] it may be
/// there after a restart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// A row that the unit expects something of has changed: read it again, and decide anew.
    #[error("a row has changed since it was read")]
    Conflict,
    /// There is no such topic; units create none.
    #[error("there is no topic {0}")]
    UnknownTopic(String),
    /// The topic has no such partition.
    #[error("topic {topic} has no partition {partition}")]
    UnknownPartition {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
    },
    /// A record breaks a rule of its topic.
    #[error("a record is refused: {0}")]
    Record(String),
    /// Offsets of more than one group.
    #[error("a unit commits the offsets of one group")]
    TwoGroups,
    /// The group does not take the offsets, for instance because it has members and the unit does not
    /// come from one.
    #[error("the group does not take the offsets: {0}")]
    Offsets(String),
    /// It is larger than one write can be.
    #[error("the unit is too large to be written at once")]
    TooLarge,
    /// Storage has failed or is short of space, or the broker stops.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Broker {
    /// A unit of work with nothing in it.
    pub fn unit(&self) -> Unit {
        let (broker, work) = (self.actors().clone(), UnitOfWork::default());
        let (records, offsets, acknowledged) = (Vec::new(), Vec::new(), Vec::new());
        Unit { broker, work, records, offsets, member: None, acknowledged }
    }
}

impl Unit {
    /// Gives a key a value. Of two for one key the later counts.
    ///
    /// # Errors
    /// [`KeyspaceError`] when the codec has no bytes for the value, or the key is too long.
    pub fn insert<C: Codec>(
        &mut self,
        keyspace: &Keyspace<C>,
        key: impl AsRef<[u8]>,
        value: &C::In,
    ) -> Result<&mut Self, KeyspaceError<C::Error>> {
        let value = keyspace.encode(value)?;
        self.work.rows.push((keyspace.row_key(key.as_ref())?, Some(value)));
        Ok(self)
    }

    /// Takes a key's value away, if it has one.
    ///
    /// # Errors
    /// [`KeyspaceError::Key`].
    pub fn remove<C: Codec>(
        &mut self,
        keyspace: &Keyspace<C>,
        key: impl AsRef<[u8]>,
    ) -> Result<&mut Self, KeyspaceError<C::Error>> {
        self.work.rows.push((keyspace.row_key(key.as_ref())?, None));
        Ok(self)
    }

    /// Refuses the unit when a key has changed since it was read: when its version is another than
    /// that, or, for `None`, when it has a value.
    ///
    /// # Errors
    /// [`KeyspaceError::Key`].
    pub fn expect<C: Codec>(
        &mut self,
        keyspace: &Keyspace<C>,
        key: impl AsRef<[u8]>,
        version: Option<Version>,
    ) -> Result<&mut Self, KeyspaceError<C::Error>> {
        self.work.expected.push(Expected { key: keyspace.row_key(key.as_ref())?, version });
        Ok(self)
    }

    /// Appends a record to its topic. Records of one partition keep their order.
    pub fn append(&mut self, record: Record) -> &mut Self {
        self.records.push(record);
        self
    }

    /// Commits, for a group without members, that the next record of a partition to read is that of
    /// `offset`.
    pub fn commit_offset(
        &mut self,
        group: impl Into<String>,
        topic: impl Into<String>,
        partition: u32,
        offset: i64,
    ) -> &mut Self {
        self.offsets.push(Commit { group: group.into(), topic: topic.into(), partition, offset });
        self
    }

    /// Commits that records which an actor got by its subscription were read, as the member of the group
    /// that they came to. The actor still answers them with `Ok`; should it die before that, they do not
    /// come again. An actor that acknowledges by units does so from its first batch on: what it
    /// acknowledged by its answer alone is committed in the background, and could come behind.
    pub fn acknowledge(&mut self, records: &Records) -> &mut Self {
        let Records { batch, membership, by_unit } = records;
        if let Some(Membership { group, member, epoch }) = membership {
            by_unit.is_begun.store(true, Ordering::Release);
            self.acknowledged.push(Arc::clone(by_unit));
            self.member = Some((member.clone(), *epoch));
            self.commit_offset(group, &*batch.topic, batch.partition, batch.next_offset());
        }
        self
    }

    /// Does all of it at once. When it returns all is durable and readable: who sees an event finds the
    /// rows. The receipts are those of the records, in their order.
    ///
    /// Dropping the future does not take back what is on its way.
    ///
    /// # Errors
    /// [`UnitError`].
    pub async fn commit(self) -> Result<Vec<Receipt>, UnitError> {
        let Self { broker, mut work, records, offsets, member, acknowledged } = self;
        // Of two for one key the later counts.
        let rows: BTreeMap<_, _> = std::mem::take(&mut work.rows).into_iter().collect();
        work.rows = rows.into_iter().collect();
        let places = batches(&broker, &mut work, records)?;
        work.offsets = group_offsets(&broker, offsets, member)?;
        let appended = broker.commit_unit(work).await.map_err(refused)?;
        acknowledged.iter().for_each(|it| it.is_done.store(true, Ordering::Release));
        let receipt = |place: Place| {
            let batch = appended.get(place.batch);
            let offset = batch.map_or(-1, |batch| batch.base_offset.0 + place.at);
            let given = batch.map_or(-1, |batch| batch.log_append_time);
            let timestamp = if given < 0 { place.timestamp } else { given };
            Receipt { partition: place.partition, offset, timestamp }
        };
        Ok(places.into_iter().map(receipt).collect())
    }
}

/// Where a record of a unit is: which batch, and where in it.
struct Place {
    batch: usize,
    at: i64,
    partition: u32,
    timestamp: i64,
}

/// Puts records into a batch for each partition.
fn batches(
    broker: &BrokerHandle,
    work: &mut UnitOfWork,
    records: Vec<Record>,
) -> Result<Vec<Place>, UnitError> {
    let (topics, now) = (broker.topics(), clock::wall_ms());
    let mut partitioner = Sticky::default();
    let mut open: BTreeMap<(Arc<str>, u32), usize> = BTreeMap::new();
    let mut building: Vec<(Arc<TopicView>, Arc<PartitionSlot>, BatchBuilder)> = Vec::new();
    let mut places = Vec::with_capacity(records.len());
    for record in records {
        let topic = topics.get(&record.topic);
        let topic = topic.ok_or_else(|| UnitError::UnknownTopic(record.topic.to_string()))?;
        let count = topic.partitions.len() as u32;
        let partition = record.partition.unwrap_or_else(|| partitioner.partition(&record, count.max(1)));
        let unknown = || UnitError::UnknownPartition { topic: record.topic.to_string(), partition };
        let slot = topic.partitions.get(partition as usize).ok_or_else(unknown)?;
        let batch = *open.entry((Arc::clone(&record.topic), partition)).or_insert_with(|| {
            building.push((Arc::clone(topic), Arc::clone(slot), BatchBuilder::default()));
            building.len() - 1
        });
        let Some((.., builder)) = building.get_mut(batch) else { continue };
        let (at, timestamp) = (builder.len() as i64, record.timestamp.unwrap_or(now));
        builder.push(record.in_batch(now));
        places.push(Place { batch, at, partition, timestamp });
    }
    for (topic, slot, builder) in building {
        let sealed = builder.seal(Compression::None, None);
        let records = sealed.map_err(|error| UnitError::Record(error.to_string()))?.bytes;
        work.batches.push(UnitBatch { topic, slot, records });
    }
    Ok(places)
}

fn group_offsets(
    broker: &BrokerHandle,
    commits: Vec<Commit>,
    member: Option<(String, i32)>,
) -> Result<Option<UnitOffsets>, UnitError> {
    let Some(first) = commits.first() else { return Ok(None) };
    let group = GroupId::from(first.group.as_str());
    let topics = broker.topics();
    let mut offsets: BTreeMap<_, NewOffset> = BTreeMap::new();
    for Commit { group: of, topic, partition, offset } in commits {
        if *of != *group {
            return Err(UnitError::TwoGroups);
        }
        let found = topics.get(&topic).ok_or_else(|| UnitError::UnknownTopic(topic.clone()))?;
        if found.partitions.len() as u64 <= u64::from(partition) {
            return Err(UnitError::UnknownPartition { topic, partition });
        }
        let partition = (found.id, partition as i32);
        offsets.insert(partition, NewOffset { partition, offset, leader_epoch: -1, metadata: String::new() });
    }
    let generation = member.as_ref().map_or(-1, |(_, epoch)| *epoch);
    let member = member.map(|(id, _)| MemberId::from(id.as_str()));
    let from = Committing { member, instance: None, generation, epochs: Epochs::Known };
    Ok(Some(UnitOffsets { group, from, offsets: Arc::new(offsets.into_values().collect()) }))
}

fn refused(error: CommitError) -> UnitError {
    use callboard_actors::coordinator::locate::LocateGroupError;
    use callboard_actors::offsets::unit::CommitUnitError;
    use callboard_actors::partition::append::AppendError;
    match error {
        CommitError::Unit(refusal) | CommitError::Offsets(CommitUnitError::Unit(refusal)) => match refusal {
            Refusal::Conflict(_) => UnitError::Conflict,
            Refusal::TooLarge => UnitError::TooLarge,
            Refusal::Unavailable(unavailable) => unavailable.into(),
        },
        CommitError::Append(AppendError::Unavailable(unavailable))
        | CommitError::Group(LocateGroupError::Unavailable(unavailable)) => unavailable.into(),
        CommitError::Append(error) => UnitError::Record(error.to_string()),
        CommitError::Offsets(CommitUnitError::Offsets(error)) => UnitError::Offsets(error.to_string()),
        CommitError::Group(error) => UnitError::Offsets(error.to_string()),
    }
}

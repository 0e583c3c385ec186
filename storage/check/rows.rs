//! The rows of the index that are no logs: whether each can be read, and whether they fit together.

use super::finding::{Findings, NamedPartition, Place};
use crate::error::Result;
use crate::ids::{Offset, PartitionId, TopicId};
use crate::index::{Continue, Index};
use crate::keys::{self, Table};
use crate::values::{
    ConfigRow, ConsumerMemberRow, GroupRow, OffsetRow, PartitionRow, ProducerRow, SegmentUse, TopicRow,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Topics and partitions, as their rows have them.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The topics' names.
    topics: HashMap<TopicId, String>,
    /// All partitions there ever were.
    partitions: BTreeMap<PartitionId, PartitionRow>,
    /// Topics that are deleted and have partitions' rows still.
    deleted: HashSet<TopicId>,
}

impl Catalogue {
    /// The partition by its name.
    pub fn named(&self, id: PartitionId) -> NamedPartition {
        let name =
            self.partitions.get(&id).and_then(|row| Some((self.topics.get(&row.topic)?.clone(), row.index)));
        NamedPartition { id, name }
    }

    /// What is known of a partition.
    pub fn partition(&self, id: PartitionId) -> Option<&PartitionRow> {
        self.partitions.get(&id)
    }

    /// The partitions that are not deleted, with where their logs start.
    pub fn living(&self) -> impl Iterator<Item = (PartitionId, Offset)> + '_ {
        let living = self.partitions.iter().filter(|(_, row)| !row.is_deleted());
        living.map(|(id, row)| (*id, row.log_start))
    }

    /// How many topics there are.
    pub fn topics(&self) -> u64 {
        self.topics.len() as u64
    }

    /// The partitions of each topic that is named or has some, by their places in it.
    pub fn by_topic(&self) -> BTreeMap<TopicId, BTreeMap<u32, PartitionId>> {
        let mut topics: BTreeMap<_, BTreeMap<_, _>> =
            self.topics.keys().map(|id| (*id, BTreeMap::new())).collect();
        for (id, row) in self.partitions.iter().filter(|(_, row)| !row.is_deleted()) {
            topics.entry(row.topic).or_default().insert(row.index, *id);
        }
        topics
    }

    /// The name of a topic.
    pub fn name(&self, topic: TopicId) -> Option<&str> {
        self.topics.get(&topic).map(String::as_str)
    }

    /// The first number that no partition ever had.
    pub fn next_partition(&self) -> PartitionId {
        PartitionId(self.partitions.keys().next_back().map_or(0, |last| last.0 + 1))
    }

    fn knows(&self, topic: TopicId) -> bool {
        self.topics.contains_key(&topic) || self.deleted.contains(&topic)
    }
}

/// Reads the topics and partitions, and tells what is wrong with them.
///
/// # Errors
/// [`crate::Error::Index`].
pub fn catalogue(index: &Index, findings: &mut Findings) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let mut names = HashSet::new();
    let mut wrong = |table: Table, what: String| findings.add(Place::Table(table.name()), what);
    each(index, Table::Topics, |key, value| {
        let row = Uuid::from_slice(key).ok().zip(TopicRow::decode(value).ok());
        let Some((id, row)) = row else { return wrong(Table::Topics, damaged(key)) };
        if !names.insert(row.name.clone()) {
            wrong(Table::Topics, format!("two topics are called {}", row.name));
        }
        catalogue.topics.insert(TopicId(id), row.name);
    })?;
    each(index, Table::Partitions, |key, value| {
        let row = keys::read_partitions(key).zip(PartitionRow::decode(value).ok());
        match row.filter(|_| key.len() == 4) {
            Some((id, row)) => drop(catalogue.partitions.insert(id, row)),
            None => wrong(Table::Partitions, damaged(key)),
        }
    })?;
    let mut of_topics: BTreeMap<TopicId, BTreeSet<u32>> =
        catalogue.topics.keys().map(|id| (*id, BTreeSet::new())).collect();
    for (id, row) in &catalogue.partitions {
        if row.is_deleted() {
            catalogue.deleted.insert(row.topic);
        } else if row.log_start < Offset(0) {
            wrong(Table::Partitions, format!("the log of number {id} starts at {}", row.log_start));
        } else if !of_topics.get_mut(&row.topic).is_some_and(|indexes| indexes.insert(row.index)) {
            wrong(Table::Partitions, format!("number {id} has no place in a topic"));
        }
    }
    for (topic, indexes) in of_topics {
        let is_gapless = indexes.iter().copied().eq(0..indexes.len() as u32);
        if !is_gapless || indexes.is_empty() {
            let name = catalogue.topics.get(&topic).map_or("", String::as_str);
            wrong(Table::Topics, format!("topic {name} lacks partitions"));
        }
    }
    Ok(catalogue)
}

/// Looks at all other rows but those of the logs. Answers how many rows there are.
///
/// # Errors
/// [`crate::Error::Index`].
pub fn check(index: &Index, catalogue: &Catalogue, findings: &mut Findings) -> Result<u64> {
    let mut rows = 0;
    for table in Table::ALL {
        each(index, table, |key, value| {
            rows += 1;
            if let Some(what) = wrong(table, key, value, catalogue) {
                findings.add(Place::Table(table.name()), what);
            }
        })?;
    }
    Ok(rows)
}

/// What is wrong with a row of such a table.
fn wrong(table: Table, key: &[u8], value: &[u8], catalogue: &Catalogue) -> Option<String> {
    if table == Table::Offsets
        && let Some((topic, _)) = keys::read_offsets(key).filter(|(topic, _)| !catalogue.knows(*topic))
    {
        return Some(format!("a committed offset of topic {topic}, which never was"));
    }
    if table == Table::Producers
        && let Some((id, _)) = keys::read_producers(key).filter(|(id, _)| catalogue.partition(*id).is_none())
    {
        return Some(format!("a producer of partition number {id}, which never was"));
    }
    // Those of topics and partitions are told with the catalogue.
    let is_told = matches!(table, Table::Topics | Table::Partitions);
    (!is_told && !is_readable(table, key, value)).then(|| damaged(key))
}

/// Whether a row can be read. Of those that belong to logs, and of those whose meaning is not known
/// here, nothing is said.
pub fn is_readable(table: Table, key: &[u8], value: &[u8]) -> bool {
    match table {
        Table::Topics => Uuid::from_slice(key).is_ok() && TopicRow::decode(value).is_ok(),
        Table::Partitions => key.len() == 4 && PartitionRow::decode(value).is_ok(),
        Table::Offsets => keys::read_offsets(key).is_some() && OffsetRow::decode(value).is_ok(),
        Table::Producers => keys::read_producers(key).is_some() && ProducerRow::decode(value).is_ok(),
        Table::Groups => match keys::read_groups(key) {
            Some((_, None)) => GroupRow::decode(value).is_ok(),
            Some((_, Some(_))) => ConsumerMemberRow::decode_any(value).is_ok(),
            None => false,
        },
        Table::Configs => keys::read_configs(key).is_some() && ConfigRow::decode(value).is_ok(),
        Table::Segments => keys::read_segments(key).is_some() && SegmentUse::decode(value).is_ok(),
        Table::Log | Table::Times | Table::Epochs | Table::Meta | Table::Program => true,
    }
}

fn damaged(key: &[u8]) -> String {
    format!("the row with key {} cannot be read", bytes_of(key))
}

/// The beginning of a key, as hexadecimal digits.
fn bytes_of(key: &[u8]) -> String {
    key.iter().take(40).map(|byte| format!("{byte:02x}")).collect()
}

fn each(index: &Index, table: Table, mut take: impl FnMut(&[u8], &[u8])) -> Result<()> {
    index.each_from(table, &[], &[], |key, value| {
        take(key, value);
        Ok(Continue::Yes)
    })
}

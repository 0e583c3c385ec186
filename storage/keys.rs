//! The tables of the index, and how their keys look on disk: big endian, so that they sort as numbers do.

use crate::ids::{Offset, PartitionId, ProducerId, SegmentId, TopicId};
use bytes::{Buf, BufMut};
use uuid::Uuid;

/// A table of the index. Its number is the first byte of its keys, on disk for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Table {
    /// Partition, base offset → where the batch lies.
    Log = 1,
    /// Partition, timestamp → base offset of the batch at which the running maximum grew to it.
    Times = 2,
    /// Partition → topic, index, log start offset.
    Partitions = 3,
    /// Partition, leader epoch → its first offset.
    Epochs = 4,
    /// Partition, producer → its epoch and last batches.
    Producers = 5,
    /// Group, topic, partition → the offset that the group committed.
    Offsets = 7,
    /// Segment, partition → last offset and bytes of that partition in it.
    Segments = 8,
    /// Group → what was agreed in it; group, member → the member.
    Groups = 9,
    /// Kind of resource, name → what clients configured for it, beside topics.
    Configs = 10,
    /// Topic → its name and configuration.
    Topics = 11,
    /// Single values of the broker.
    Meta = 12,
    /// Keyspace of the program that the broker runs in, its key → version, its value.
    Program = 13,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 12] = [
        Self::Log,
        Self::Times,
        Self::Partitions,
        Self::Epochs,
        Self::Producers,
        Self::Offsets,
        Self::Segments,
        Self::Groups,
        Self::Configs,
        Self::Topics,
        Self::Meta,
        Self::Program,
    ];

    /// The table's name, as messages show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Times => "times",
            Self::Partitions => "partitions",
            Self::Epochs => "epochs",
            Self::Producers => "producers",
            Self::Offsets => "offsets",
            Self::Segments => "segments",
            Self::Groups => "groups",
            Self::Configs => "configs",
            Self::Topics => "topics",
            Self::Meta => "meta",
            Self::Program => "program",
        }
    }

    /// The table with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }

    /// Whether the table's rows follow from batches and their places, so that they are derived
    /// when a record is applied instead of being written to the journal.
    pub const fn is_derived(self) -> bool {
        match self {
            Self::Log | Self::Times | Self::Epochs | Self::Segments => true,
            // Derived from batches too, but forgotten by an explicit delete.
            Self::Producers
            | Self::Offsets
            | Self::Groups
            | Self::Partitions
            | Self::Configs
            | Self::Topics
            | Self::Meta
            | Self::Program => false,
        }
    }
}

/// A kind of resource that has settings, beside topics. Its number is on disk for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ConfigKind {
    /// All brokers together; they have no name.
    Cluster = 1,
    /// One broker, by its number.
    Node = 2,
    /// A group.
    Group = 3,
}

impl ConfigKind {
    const ALL: [Self; 3] = [Self::Cluster, Self::Node, Self::Group];
}

/// Key of [`Table::Log`].
pub fn log(partition: PartitionId, base: Offset) -> Vec<u8> {
    partition_and(partition, base.0 as u64)
}

/// Partition and base offset of a key of [`Table::Log`].
pub fn read_log(mut key: &[u8]) -> Option<(PartitionId, Offset)> {
    let partition = PartitionId(key.try_get_u32().ok()?);
    Some((partition, Offset(key.try_get_i64().ok()?)))
}

/// Key of [`Table::Times`]; timestamps below 0 have no entry.
pub fn times(partition: PartitionId, timestamp: i64) -> Vec<u8> {
    partition_and(partition, timestamp as u64)
}

/// Key of [`Table::Epochs`].
pub fn epochs(partition: PartitionId, epoch: i32) -> Vec<u8> {
    let mut key = partitions(partition);
    key.put_i32(epoch);
    key
}

/// Key of [`Table::Producers`].
pub fn producers(partition: PartitionId, producer: ProducerId) -> Vec<u8> {
    partition_and(partition, producer.0 as u64)
}

/// Producer of a key of [`Table::Producers`].
pub fn read_producers(key: &[u8]) -> Option<(PartitionId, ProducerId)> {
    read_log(key).map(|(partition, number)| (partition, ProducerId(number.0)))
}

/// Key of [`Table::Partitions`], and the start of all keys that begin with a partition.
pub fn partitions(partition: PartitionId) -> Vec<u8> {
    let mut key = Vec::with_capacity(12);
    key.put_u32(partition.0);
    key
}

/// Partition of a key of [`Table::Partitions`].
pub fn read_partitions(mut key: &[u8]) -> Option<PartitionId> {
    key.try_get_u32().ok().map(PartitionId)
}

/// Key of [`Table::Segments`].
pub fn segments(segment: SegmentId, partition: PartitionId) -> Vec<u8> {
    let mut key = Vec::with_capacity(12);
    key.put_u64(segment.0);
    key.put_u32(partition.0);
    key
}

/// Segment and partition of a key of [`Table::Segments`].
pub fn read_segments(mut key: &[u8]) -> Option<(SegmentId, PartitionId)> {
    let segment = SegmentId(key.try_get_u64().ok()?);
    Some((segment, PartitionId(key.try_get_u32().ok()?)))
}

/// Key of [`Table::Topics`].
pub fn topics(topic: TopicId) -> Vec<u8> {
    topic.0.as_bytes().to_vec()
}

/// Key of [`Table::Configs`]: the number of a kind of resource, and the resource's name among them.
pub fn configs(kind: ConfigKind, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 1);
    key.put_u8(kind as u8);
    key.put_slice(name.as_bytes());
    key
}

/// Kind and name of a key of [`Table::Configs`].
pub fn read_configs(key: &[u8]) -> Option<(ConfigKind, &str)> {
    let (number, name) = key.split_first()?;
    let kind = ConfigKind::ALL.into_iter().find(|kind| *kind as u8 == *number)?;
    Some((kind, str::from_utf8(name).ok()?))
}

/// Key of [`Table::Program`]; of a keyspace's name at most 255 bytes count.
pub fn program(keyspace: &str, key: &[u8]) -> Vec<u8> {
    let name = keyspace.as_bytes().get(..255).unwrap_or(keyspace.as_bytes());
    let mut full = Vec::with_capacity(1 + name.len() + key.len());
    full.put_u8(name.len() as u8);
    full.put_slice(name);
    full.put_slice(key);
    full
}

/// Key of [`Table::Groups`], and the start of all keys that begin with a group. A name has at most
/// 32,767 bytes, as in Kafka's protocol.
pub fn groups(group: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(group.len() + 22);
    // The length in front keeps one group's keys from being a part of another's.
    key.put_u16(group.len() as u16);
    key.put_slice(group.as_bytes());
    key
}

/// Key of a member's row in [`Table::Groups`], which stands behind its group's.
pub fn members(group: &str, member: &str) -> Vec<u8> {
    let mut key = groups(group);
    key.put_slice(member.as_bytes());
    key
}

/// Group of a key of [`Table::Groups`], and its member where the row is one's.
pub fn read_groups(mut key: &[u8]) -> Option<(&str, Option<&str>)> {
    let length = usize::from(key.try_get_u16().ok()?);
    let (group, member) = key.split_at_checked(length)?;
    let member = str::from_utf8(member).ok()?;
    Some((str::from_utf8(group).ok()?, (!member.is_empty()).then_some(member)))
}

/// Key of [`Table::Offsets`].
pub fn offsets(group: &str, topic: TopicId, partition: i32) -> Vec<u8> {
    let mut key = groups(group);
    key.put_slice(topic.0.as_bytes());
    key.put_i32(partition);
    key
}

/// Topic and partition of a key of [`Table::Offsets`].
pub fn read_offsets(mut key: &[u8]) -> Option<(TopicId, i32)> {
    let length = usize::from(key.try_get_u16().ok()?);
    let mut rest = key.get(length..)?;
    let topic = TopicId(Uuid::from_u128(rest.try_get_u128().ok()?));
    Some((topic, rest.try_get_i32().ok()?))
}

fn partition_and(partition: PartitionId, number: u64) -> Vec<u8> {
    let mut key = partitions(partition);
    key.put_u64(number);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_are_told_by_their_number() {
        for table in Table::ALL {
            assert_eq!(Table::from_number(table as u8), Some(table));
        }
        assert_eq!(Table::from_number(0), None);
    }

    #[test]
    fn golden_keys() {
        assert_eq!(log(PartitionId(1), Offset(2)), [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(segments(SegmentId(3), PartitionId(4)), [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4]);
        assert_eq!(epochs(PartitionId(5), 6), [0, 0, 0, 5, 0, 0, 0, 6]);
    }

    #[test]
    fn keys_of_a_group_are_told_from_those_of_one_whose_name_begins_alike() {
        let topic = TopicId(Uuid::from_u128(7));
        let key = offsets("ab", topic, 3);
        assert_eq!(key[..4], [0, 2, b'a', b'b']);
        assert_eq!(read_offsets(&key), Some((topic, 3)));
        assert!(key.starts_with(&groups("ab")) && !key.starts_with(&groups("a")));
        assert_eq!(read_groups(&groups("ab")), Some(("ab", None)));
        assert_eq!(read_groups(&members("ab", "m")), Some(("ab", Some("m"))));
        assert_eq!(read_offsets(&groups("ab")), None);
    }

    proptest! {
        #[test]
        fn log_keys_sort_as_their_numbers(
            a in (any::<u32>(), 0..i64::MAX), b in (any::<u32>(), 0..i64::MAX),
        ) {
            let key = |(partition, offset)| log(PartitionId(partition), Offset(offset));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(read_log(&key(a)), Some((PartitionId(a.0), Offset(a.1))));
        }
    }
}

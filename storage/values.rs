//! The values of the index's tables, and how they look on disk.
//!
//! Rows that are written for every batch have a fixed layout; the others are rkyv behind a byte
//! that says their format.

use crate::error::{Error, Result};
use crate::ids::{Offset, SegmentId, TopicId};
use crate::keys::Table;
use bytes::{Buf, BufMut};
use uuid::Uuid;

/// Where a batch lies in the journal, and what a reader asks before it reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// The segment file.
    pub segment: SegmentId,
    /// Position of the batch in it, in bytes.
    pub position: u64,
    /// Bytes of the whole batch.
    pub length: u32,
    /// Offset of the last record, counted from the base offset.
    pub last_offset_delta: i32,
    /// Largest timestamp, in milliseconds since 1970, or -1.
    pub max_timestamp: i64,
    /// Epoch of the leader that appended it.
    pub leader_epoch: i32,
    /// The batch's attribute bits.
    pub attributes: i16,
}

impl BatchPlace {
    /// The row of [`Table::Log`].
    pub fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(38);
        value.put_u64(self.segment.0);
        value.put_u64(self.position);
        value.put_u32(self.length);
        value.put_i32(self.last_offset_delta);
        value.put_i64(self.max_timestamp);
        value.put_i32(self.leader_epoch);
        value.put_i16(self.attributes);
        value
    }

    /// Reads a row of [`Table::Log`].
    ///
    /// # Errors
    /// [`crate::Error::Value`] when it is damaged.
    pub fn decode(value: &[u8]) -> Result<Self> {
        let mut rest = value;
        let mut read = || -> Option<Self> {
            Some(Self {
                segment: SegmentId(rest.try_get_u64().ok()?),
                position: rest.try_get_u64().ok()?,
                length: rest.try_get_u32().ok()?,
                last_offset_delta: rest.try_get_i32().ok()?,
                max_timestamp: rest.try_get_i64().ok()?,
                leader_epoch: rest.try_get_i32().ok()?,
                attributes: rest.try_get_i16().ok()?,
            })
        };
        read().ok_or(damaged(Table::Log))
    }
}

/// What a segment holds of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentUse {
    /// Offset of the partition's last record in the segment.
    pub last_offset: Offset,
    /// Bytes of the partition's batches in it.
    pub bytes: u64,
}

impl SegmentUse {
    /// The row of [`Table::Segments`].
    pub fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(16);
        value.put_i64(self.last_offset.0);
        value.put_u64(self.bytes);
        value
    }

    /// Reads a row of [`Table::Segments`].
    ///
    /// # Errors
    /// [`crate::Error::Value`] when it is damaged.
    pub fn decode(mut value: &[u8]) -> Result<Self> {
        let last_offset = Offset(value.try_get_i64().map_err(|_| damaged(Table::Segments))?);
        let bytes = value.try_get_u64().map_err(|_| damaged(Table::Segments))?;
        Ok(Self { last_offset, bytes })
    }
}

/// A partition: whose it is, and where its log starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionRow {
    /// Its topic.
    pub topic: TopicId,
    /// Its number within the topic, from 0.
    pub index: u32,
    /// Offset of the first record that may be read; [`DELETED`] when the partition is deleted.
    pub log_start: Offset,
}

/// The log start of a deleted partition: nothing of it may be read.
pub const DELETED: Offset = Offset(i64::MAX);

impl PartitionRow {
    /// Whether the partition is deleted and only what it occupies is left.
    pub fn is_deleted(&self) -> bool {
        self.log_start == DELETED
    }

    /// The row of [`Table::Partitions`].
    pub fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(28);
        value.put_slice(self.topic.0.as_bytes());
        value.put_u32(self.index);
        value.put_i64(self.log_start.0);
        value
    }

    /// Reads a row of [`Table::Partitions`].
    ///
    /// # Errors
    /// [`crate::Error::Value`] when it is damaged.
    pub fn decode(mut value: &[u8]) -> Result<Self> {
        let mut read = || -> Option<Self> {
            Some(Self {
                topic: TopicId(Uuid::from_u128(value.try_get_u128().ok()?)),
                index: value.try_get_u32().ok()?,
                log_start: Offset(value.try_get_i64().ok()?),
            })
        };
        read().ok_or(damaged(Table::Partitions))
    }
}

/// A batch of a producer that is remembered, so that a repetition is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ProducedBatch {
    /// Sequence number of the first record.
    pub base_sequence: i32,
    /// Sequence number of the last record.
    pub last_sequence: i32,
    /// Offset of the first record.
    pub base_offset: i64,
    /// The batch's largest timestamp; the answer to a repetition names it where the broker gives times.
    pub max_timestamp: i64,
}

/// Batches that are remembered of a producer: as many as a client may have in flight.
pub const BATCHES_REMEMBERED: usize = 5;

/// What is known of a producer in a partition.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ProducerRow {
    /// Its epoch.
    pub epoch: i16,
    /// Its last batches, the newest last, [`BATCHES_REMEMBERED`] at most.
    pub batches: Vec<ProducedBatch>,
}

impl ProducerRow {
    /// Remembers a batch: a new epoch forgets the batches of the old one. A batch that is
    /// remembered already, or is older, changes nothing, so that applying twice is applying once.
    pub fn remember(&mut self, epoch: i16, batch: ProducedBatch) {
        if self.batches.last().is_some_and(|last| last.base_offset >= batch.base_offset) {
            return;
        }
        if epoch != self.epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
        if self.batches.len() >= BATCHES_REMEMBERED {
            self.batches.remove(0);
        }
        self.batches.push(batch);
    }
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct TopicRow {
    /// Its name.
    pub name: String,
    /// Its configuration where it differs from the broker's, as text.
    pub configs: Vec<(String, String)>,
}

/// What clients configured for a resource that is not a topic.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ConfigRow {
    /// Names with values as text.
    pub configs: Vec<(String, String)>,
}

macro_rules! rkyv_value {
    ($row:ty, $table:expr, $format:literal) => {
        impl $row {
            /// The byte before the stored value, which says its format.
            const FORMAT: u8 = $format;

            /// The stored value: a format byte, then rkyv.
            ///
            /// # Errors
            /// [`crate::Error::Value`] when it cannot be encoded.
            pub fn encode(&self) -> Result<Vec<u8>> {
                let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(self).map_err(|_| damaged($table))?;
                let mut value = Vec::with_capacity(bytes.len() + 1);
                value.put_u8(Self::FORMAT);
                value.put_slice(&bytes);
                Ok(value)
            }

            /// Reads a stored value, checked.
            ///
            /// # Errors
            /// [`crate::Error::Value`] when it is damaged or of another format.
            pub fn decode(value: &[u8]) -> Result<Self> {
                let (format, bytes) = value.split_first().ok_or(damaged($table))?;
                if *format != Self::FORMAT {
                    return Err(damaged($table));
                }
                let mut aligned = rkyv::util::AlignedVec::<16>::with_capacity(bytes.len());
                aligned.extend_from_slice(bytes);
                rkyv::from_bytes::<Self, rkyv::rancor::Error>(&aligned).map_err(|_| damaged($table))
            }
        }
    };
}

mod groups;

pub use groups::{
    ClassicGroupRow, ClassicMemberRow, ClassicRow, ConsumerGroupRow, ConsumerMemberRow, ConsumerMemberRowV1,
    GroupRow, OffsetRow, OwnedRow, Phase,
};

rkyv_value!(ProducerRow, Table::Producers, 1);
rkyv_value!(TopicRow, Table::Topics, 1);
rkyv_value!(ConfigRow, Table::Configs, 1);

fn damaged(table: Table) -> Error {
    Error::Value { table: table.name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_values() {
        let place = BatchPlace {
            segment: SegmentId(1),
            position: 2,
            length: 3,
            last_offset_delta: 4,
            max_timestamp: 5,
            leader_epoch: 6,
            attributes: 7,
        };
        let bytes = [
            0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5,
            0, 0, 0, 6, 0, 7,
        ];
        assert_eq!(place.encode(), bytes);
        assert_eq!(BatchPlace::decode(&bytes).unwrap(), place);
    }

    #[test]
    fn rows_read_back_and_damage_is_told() {
        let topic = TopicRow { name: "orders".into(), configs: vec![("a".into(), "b".into())] };
        let value = topic.encode().unwrap();
        assert_eq!(TopicRow::decode(&value).unwrap(), topic);
        assert!(TopicRow::decode(&value[..value.len() - 1]).is_err());
        assert!(TopicRow::decode(&[]).is_err());
        assert!(TopicRow::decode(&[9, 1]).is_err());
    }

    fn produced(base_offset: i64) -> ProducedBatch {
        ProducedBatch { base_sequence: 0, last_sequence: 0, base_offset, max_timestamp: 7 }
    }

    #[test]
    fn five_batches_are_remembered_and_twice_is_once() {
        let mut row = ProducerRow { epoch: 0, batches: Vec::new() };
        for offset in 0..7 {
            row.remember(0, produced(offset));
            row.remember(0, produced(offset));
        }
        let offsets: Vec<_> = row.batches.iter().map(|batch| batch.base_offset).collect();
        assert_eq!(offsets, [2, 3, 4, 5, 6]);
        row.remember(1, produced(7));
        assert_eq!((row.epoch, row.batches.len()), (1, 1));
        row.remember(0, produced(3));
        assert_eq!(row.epoch, 1, "an older batch changes nothing");
    }
}

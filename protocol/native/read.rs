//! Reading: batches of partitions, asked for one by one or pushed as they come.

use super::refusal::Refusal;
use super::{TopicPartition, body};

body! {
    /// Asks once for what is there, and waits for more within the bounds.
    pub struct Fetch {
        /// The partitions, each once; the first are served first.
        pub parts: Vec<ReadPart>,
        /// Bytes of the batches in the answer; only the first may pass them.
        pub bytes_max: u32,
        /// Bytes below which the answer waits.
        pub bytes_min: u32,
        /// How long it waits at most, in milliseconds.
        pub wait_max_ms: u32,
        /// Whose records are read of transactions.
        pub isolation: IsolationLevel,
    }

    /// Where to read a partition.
    pub struct ReadPart {
        /// The partition.
        pub partition: TopicPartition,
        /// The offset of the first record.
        pub offset: i64,
    }

    /// What was read, in the order of the request's partitions, those with nothing new left out of
    /// what is pushed. The batches stand behind the body, in this order.
    pub struct Fetched {
        /// The partitions.
        pub parts: Vec<FetchedPart>,
    }

    /// What was read of a partition.
    pub struct FetchedPart {
        /// The partition.
        pub partition: TopicPartition,
        /// What was read, or why nothing was.
        pub outcome: Result<ReadBatches, Refusal>,
    }

    /// Batches of a partition.
    pub struct ReadBatches {
        /// Offset of the first record that may be read.
        pub log_start: i64,
        /// The offset behind the last record that is durable.
        pub high_watermark: i64,
        /// The offset of the first record of the first transaction that is open; the high watermark
        /// where none is. Behind it nobody reads who reads committed records.
        pub last_stable: i64,
        /// Bytes of its batches, all together; each says its own length. The first may begin before
        /// the offset that was asked for.
        pub bytes: u32,
        /// The transactions that were aborted and have records among the batches, where committed
        /// records are read.
        pub aborted: Vec<AbortedTransaction>,
    }

    /// A transaction whose records the reader is to drop: those that its producer marked as parts of
    /// a transaction, from an offset up to that producer's next marker of an abort.
    pub struct AbortedTransaction {
        /// The id of its producer.
        pub producer_id: i64,
        /// Offset of its first record in the partition.
        pub first_offset: i64,
    }

    /// Opens a reading: the broker pushes [`Fetched`] for as long as there is credit.
    pub struct OpenReading {
        /// Its number, chosen by the client; it has no other of it at the time.
        pub reading: u32,
        /// The partitions and where to begin, each once.
        pub parts: Vec<ReadPart>,
        /// Bytes of batches that may be pushed; only the first batch of a frame may pass them.
        pub credit: u32,
        /// Whose records are read of transactions.
        pub isolation: IsolationLevel,
    }

    /// More bytes may be pushed. It is not answered.
    pub struct Credit {
        /// The reading.
        pub reading: u32,
        /// Bytes in addition to what is left.
        pub bytes: u32,
    }

    /// Ends a reading. Nothing of it is pushed behind the answer.
    pub struct CloseReading {
        /// The reading.
        pub reading: u32,
    }

    /// It is done.
    pub struct Done {}

    /// Asks for offsets.
    pub struct ListOffsets {
        /// The partitions, and which of their offsets.
        pub wanted: Vec<OffsetWanted>,
        /// Whose records count of transactions.
        pub isolation: IsolationLevel,
    }

    /// An offset of a partition that is asked for.
    pub struct OffsetWanted {
        /// The partition.
        pub partition: TopicPartition,
        /// Which of its offsets.
        pub position: Position,
    }

    /// An outcome for each, in their order.
    pub struct OffsetsListed {
        /// The offsets; none where no record has such a time.
        pub outcomes: Vec<Result<Option<TimedOffset>, Refusal>>,
    }

    /// An offset.
    pub struct TimedOffset {
        /// The offset.
        pub offset: i64,
        /// The time of its record, in milliseconds since 1970; -1 where it is an end of the log.
        pub timestamp: i64,
    }
}

/// Whose records a reader wants of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum IsolationLevel {
    /// All that are durable, whatever becomes of their transactions.
    #[default]
    ReadUncommitted,
    /// Those of committed transactions and of none; nothing behind the beginning of one that is open.
    ReadCommitted,
}

/// Which offset is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Position {
    /// That of the first record that may be read.
    Earliest,
    /// The one behind the last record that may be read.
    Latest,
    /// That of the first record whose timestamp is at least so many milliseconds since 1970.
    AtTime(i64),
    /// That of the first record with the largest timestamp.
    MaxTime,
}
